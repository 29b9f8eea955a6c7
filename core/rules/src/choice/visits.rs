//! How often a buyer is going to visit which shop, from their own purchases: as often as they have since the first visit, as
//! likely as they have not dropped it since the last; shops near those visited have a share before the first visit.

use serde::{Deserialize, Serialize};

use super::around::Around;

/// After so many days a visit counts half.
const HALF_LIFE: f64 = 110.0;
/// After so many days it counts half toward how often the buyer goes anywhere at all.
const HALF_LIFE_OF_ALL: f64 = 480.0;
/// The pseudo-visits of a shop that was never visited: liking is uneven, few shops get most visits.
const GIVEN: f64 = 0.2;
/// No shop is expected to have less than this share of visits.
const UNLIKELY: f64 = 1e-9;
/// The distance at which a shop is half as near, in kilometres.
const RANGE: f64 = 0.9;
/// What distance leaves of the nearness of the farthest.
const FAR: f64 = 0.004;
/// Days without a purchase that are taken for granted before the first.
const BEFORE: f64 = 10.0;
/// How likely a liked shop is dropped, for each visit that is due there.
const DROPPED: f64 = 0.005;
/// A shop counts as gone faster the more often it was visited: visits and days that are granted it beforehand.
const GRANTED: (f64, f64) = (0.5, 60.0);
/// Visits at which mileage was used, and those at which it could have been, that are granted beforehand.
const ATTENTIVE: (f64, f64) = (3.0, 4.0);

/// How likings come and go. Time is counted in the purchases that are due in it, wherever they are; shares are of all purchases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Liking {
    /// How much of the visits to a shop is chance.
    pub chance: f64,
    /// For how many visits counts what was expected before the first.
    pub before: f64,
    /// How likely a shop is dropped after a visit, times the purchases a day.
    pub dropped: f64,
    /// What a shop that was dropped keeps of what was expected before the first visit.
    pub left: f64,
    /// What a shop that was never visited has of its share by nearness.
    pub unseen: f64,
    /// The power of its share by nearness in what was expected of a shop before the first visit.
    pub near: f64,
    /// The power of its popularity in the same.
    pub popular: f64,
}

/// Found by `cargo run --release -p moa-selection --example search liking`, rounded to three digits.
pub const LIKINGS: Liking = Liking {
    chance: 0.302,
    before: 1.47,
    dropped: 0.139,
    left: 0.0638,
    unseen: 0.141,
    near: 0.852,
    popular: 0.16,
};

/// What is kept of one shop. Times are days on any fixed scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Its visits, faded to the last one.
    pub visits: f64,
    /// What they came to, faded likewise, in minor units.
    pub spent: f64,
    /// When the first was.
    pub first: f64,
    /// When the last was.
    pub last: f64,
}

/// What is kept of all purchases together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Total {
    /// Visits, faded to the last one.
    pub visits: f64,
    /// The days they are from, faded likewise.
    pub days: f64,
    /// When the last was; none before the first.
    pub last: Option<f64>,
    /// Visits at which mileage could have been used.
    pub could: f64,
    /// Those at which it was.
    pub did: f64,
}

impl Seen {
    /// A shop at its first visit.
    pub fn first(at: f64, amount: f64) -> Self {
        Self { visits: 1.0, spent: amount, first: at, last: at }
    }

    /// One visit more.
    #[must_use]
    pub fn again(self, at: f64, amount: f64) -> Self {
        let kept = fade(at - self.last, HALF_LIFE);
        Self {
            visits: self.visits * kept + 1.0,
            spent: self.spent * kept + amount,
            last: at.max(self.last),
            ..self
        }
    }

    /// What a purchase there usually comes to, in minor units.
    pub fn ticket(&self) -> f64 {
        self.spent / self.visits
    }

    /// What its visits count for at `now`, faded.
    pub fn counts(&self, now: f64) -> f64 {
        self.visits * fade(now - self.last, HALF_LIFE)
    }

    /// What its visits count for at `now`, given how often the buyer goes anywhere: faded, and less when it has been
    /// missed for longer than its own rhythm explains.
    fn weight(&self, now: f64, all: f64) -> f64 {
        let gap = (now - self.last).max(0.0);
        let span = faded_days(self.last - self.first, HALF_LIFE);
        let rate = ((self.visits - 1.0).max(0.0) + GRANTED.0) / (span + GRANTED.1);
        let drop = DROPPED * rate / all;
        let missed = libm::exp(((rate + drop) * gap).min(50.0)) - 1.0;
        let there = 1.0 / (1.0 + drop / (rate + drop) * missed);
        self.counts(now) * there
    }

    /// Its share of all visits to come, before shares are made to add up. After each visit a shop is dropped as likely, so that
    /// one which was missed for longer than its own rhythm explains was probably dropped. (Fader, Hardie and Lee, 2005) `all`
    /// is the buyer's purchases a day, `expected` the share that was expected before the first visit.
    fn share(&self, now: f64, all: f64, expected: f64, liking: &Liking) -> f64 {
        let drop = liking.dropped / all;
        let due = |days: f64| all * days.max(0.0) * (1.0 + drop);
        let visits = (self.visits - liking.chance).max(0.0);
        let last = liking.before / expected + due(faded_days(self.last - self.first, HALF_LIFE));
        let until_now = last + due(now - self.last);
        // How likely it would have been missed for so long if it was not dropped.
        let missed = libm::exp(visits * libm::log(last / until_now));
        let liked = missed / (missed + drop / (1.0 + drop) * (1.0 - missed));
        liked * visits / until_now + (1.0 - liked) * liking.left * expected
    }
}

impl Total {
    /// One visit more; `used` says whether mileage was used, none if there was none to use.
    #[must_use]
    pub fn again(self, at: f64, used: Option<bool>) -> Self {
        let noted = used.map_or(self, |used| self.could(used));
        let since = self.last.map_or(0.0, |last| (at - last).max(0.0));
        let kept = fade(since, HALF_LIFE_OF_ALL);
        Self {
            visits: self.visits * kept + 1.0,
            days: self.days * kept + faded_days(since, HALF_LIFE_OF_ALL),
            last: Some(self.last.map_or(at, |last| last.max(at))),
            ..noted
        }
    }

    /// Mileage could be used at a visit, and was or was not.
    #[must_use]
    pub fn could(self, used: bool) -> Self {
        Self { could: self.could + 1.0, did: self.did + f64::from(u8::from(used)), ..self }
    }

    /// Visits a day, of all shops.
    pub fn rate(&self) -> f64 {
        (self.visits + 1.0) / (self.days + BEFORE)
    }

    /// How likely mileage that can be used at a visit is used.
    pub fn attentive(&self) -> f64 {
        (self.did + ATTENTIVE.0) / (self.could + ATTENTIVE.1)
    }
}

/// How often a buyer is going to visit a shop.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rate {
    /// Visits a day, as things are.
    pub daily: f64,
    /// What they become once the buyer's liking has changed: what nearness alone leads to expect.
    pub usual: f64,
    /// How sure that is: visits seen, faded, and those granted beforehand.
    pub shape: f64,
}

/// Fills `rates` with how often each shop around is going to be visited. Shops seen that are not around are passed over.
pub fn rates(around: &Around, seen: &[(usize, Seen)], total: &Total, now: f64, rates: &mut Vec<Rate>) {
    rates_by(around, seen, total, now, &LIKINGS, rates);
}

/// The same by other constants.
pub fn rates_by(
    around: &Around,
    seen: &[(usize, Seen)],
    total: &Total,
    now: f64,
    liking: &Liking,
    rates: &mut Vec<Rate>,
) {
    let shops = around.shops();
    let all = total.rate();
    rates.clear();
    rates.resize(shops.len(), Rate { shape: GIVEN, ..Rate::default() });
    let Some(even) = share_of(shops.len()) else { return };

    // How near each shop is to where the buyer has been.
    let mut near = vec![0.0; shops.len()];
    for &(index, ref shop) in seen {
        let Some(spot) = shops.get(index) else { continue };
        let weight = shop.weight(now, all);
        rates[index].shape = GIVEN + weight;
        let Some((x, y)) = spot.at.filter(|_| weight > 0.01) else { continue };
        for (near, spot) in near.iter_mut().zip(shops) {
            let Some((east, north)) = spot.at else { continue };
            let (east, north) = ((east - x) / RANGE, (north - y) / RANGE);
            let apart = 1.0 + east * east + north * north;
            *near += weight * (1.0 / (apart * apart) + FAR);
        }
    }
    for (near, spot) in near.iter_mut().zip(shops) {
        *near *= libm::sqrt(spot.popularity);
    }
    let sum: f64 = near.iter().sum();

    // Shares, then what they come to a day.
    for (rate, near) in rates.iter_mut().zip(&near) {
        let share = if sum > 0.0 { 0.98 * near / sum + 0.02 * even } else { even };
        rate.usual = all * share;
        rate.daily = liking.unseen * share;
    }
    for &(index, ref shop) in seen {
        let Some(spot) = shops.get(index) else { continue };
        let near = rates[index].usual / all;
        let expected = libm::pow(near, liking.near) * libm::pow(spot.popularity, liking.popular);
        rates[index].daily = shop.share(now, all, expected.max(UNLIKELY), liking);
    }
    let of_all: f64 = rates.iter().map(|rate| rate.daily).sum();
    for rate in rates {
        rate.daily *= all / of_all;
    }
}

/// An equal share of so many; none of nothing.
fn share_of(count: usize) -> Option<f64> {
    let count = u32::try_from(count).ok().filter(|&count| count > 0)?;
    Some(1.0 / f64::from(count))
}

/// What is left after so many days.
fn fade(days: f64, half_life: f64) -> f64 {
    libm::exp2(-days.max(0.0) / half_life)
}

/// So many days up to now, the older ones faded.
fn faded_days(days: f64, half_life: f64) -> f64 {
    (1.0 - fade(days, half_life)) * half_life / std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::around::Spot;

    const SHOPS: usize = 40;

    /// Shops in a row, a kilometre apart.
    fn row() -> Around {
        let shops =
            (0_u8..40).map(|shop| Spot { at: Some((f64::from(shop), 0.0)), ticket: 1.0, popularity: 1.0 });
        Around::new(shops.collect(), Vec::new())
    }

    /// What is expected on a day of who went to shops on days.
    fn expected(visits: &[(usize, &[f64])], now: f64) -> Vec<Rate> {
        let (mut seen, mut all) = (Vec::new(), Vec::new());
        for &(shop, days) in visits {
            let first = Seen::first(days[0], 1.0);
            seen.push((shop, days[1..].iter().fold(first, |seen, &day| seen.again(day, 1.0))));
            all.extend(days);
        }
        all.sort_by(f64::total_cmp);
        let total = all.iter().fold(Total::default(), |total, &day| total.again(day, None));
        let mut found = Vec::new();
        rates(&row(), &seen, &total, now, &mut found);
        let (sum, daily) = (found.iter().map(|rate| rate.daily).sum::<f64>(), total.rate());
        assert!((sum / daily - 1.0).abs() < 1e-9, "{sum} of {daily}");
        assert_eq!(found.len(), SHOPS);
        found
    }

    #[test]
    fn a_shop_that_is_missed_for_longer_than_its_rhythm_explains_was_dropped() {
        let weekly: Vec<f64> = (0_u8..10).map(|week| f64::from(week) * 7.0).collect();
        let monthly = [0.0, 30.0, 60.0];
        let both = |now: f64| {
            let found = expected(&[(3, &weekly), (30, &monthly)], now);
            (found[3].daily, found[30].daily)
        };
        let ((often, seldom), (later, still)) = (both(64.0), both(130.0));
        assert!(often > 2.0 * seldom, "{often} {seldom}");
        assert!(later < often / 3.0 && still > later, "{often} {later}, {seldom} {still}");
    }

    #[test]
    fn who_comes_again_is_expected_more_than_who_came_once_and_that_more_than_the_neighbours() {
        let found = expected(&[(3, &[10.0, 20.0]), (20, &[20.0])], 25.0);
        assert!(found[3].daily > 1.5 * found[20].daily, "{} {}", found[3].daily, found[20].daily);
        assert!(found[20].daily > 2.0 * found[21].daily, "{} {}", found[20].daily, found[21].daily);
        assert!(found[21].daily > found[35].daily, "{} {}", found[21].daily, found[35].daily);
        assert!(found[3].shape > found[20].shape && found[20].shape > found[21].shape);
    }

    #[test]
    fn nothing_is_infinite_where_nothing_is_popular_or_no_time_has_passed() {
        let shop = Spot { at: None, ticket: 1.0, popularity: 0.0 };
        let around = Around::new(vec![shop; 2], Vec::new());
        let seen = [(0, Seen::first(5.0, 1.0)), (7, Seen::first(5.0, 1.0))];
        let mut found = Vec::new();
        for now in [0.0, 5.0, 1e9] {
            rates(&around, &seen, &Total::default().again(5.0, None), now, &mut found);
            assert!(found.iter().all(|rate| rate.daily.is_finite() && rate.daily >= 0.0), "{found:?}");
            assert!(found.iter().any(|rate| rate.daily > 0.0));
        }
    }
}
