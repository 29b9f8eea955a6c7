//! How often a buyer is going to visit which shop, from their own purchases: a Gamma–Poisson estimate with memory that
//! fades, in which shops near those visited have a share before the first visit.

use serde::{Deserialize, Serialize};

use super::around::Around;

/// After so many days a visit counts half.
const HALF_LIFE: f64 = 110.0;
/// After so many days it counts half toward how often the buyer goes anywhere at all.
const HALF_LIFE_OF_ALL: f64 = 480.0;
/// The pseudo-visits of a shop that was never visited: liking is uneven, few shops get most visits.
const LIKING: f64 = 0.2;
/// How strongly nearness tells, against what was seen.
const NEARNESS: f64 = 0.4;
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
    let shops = around.shops();
    let all = total.rate();
    rates.clear();
    rates.resize(shops.len(), Rate::default());
    let Some(even) = share_of(shops.len()) else { return };

    // How near each shop is to where the buyer has been.
    let mut near = vec![0.0; shops.len()];
    let mut weights = vec![0.0; shops.len()];
    for &(index, ref shop) in seen {
        let Some(spot) = shops.get(index) else { continue };
        let weight = shop.weight(now, all);
        weights[index] = weight;
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

    // What nearness leads to expect, corrected by what was seen: (liking + visits) / (liking / expected + exposure).
    let exposure = all * faded_days(total.days, HALF_LIFE) + 1.0;
    let mut of_all = 0.0;
    for ((rate, near), weight) in rates.iter_mut().zip(&near).zip(&weights) {
        let share = if sum > 0.0 { 0.98 * near / sum + 0.02 * even } else { even };
        let expected = NEARNESS * exposure * share;
        let shape = LIKING + weight;
        *rate = Rate { daily: shape * expected / (LIKING + expected), usual: all * share, shape };
        of_all += rate.daily;
    }
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
