//! What is going to happen: groups from places, purchases from visits. Decided before anything runs, from the files
//! and the seed alone, the same to the bit on every machine.
//!
//! *Groups* are greedy stars. Venues are gone through in order of id; one that is in no star yet is the centre of a
//! new one and takes in, again in order of id, those that are in none and lie within the reach. A star of one is no
//! group: a shop alone in every sense earns its buyers nothing, and the server says so when one tries. Each venue is
//! in at most one building, at most one area, and perhaps in the nationwide group, whose tenth is picked by a hash of
//! the id.
//!
//! | group | reach | shops at most | rate | validity |
//! |---|---|---|---|---|
//! | building | 60 m | 30 | 8 % | 3 months |
//! | area | 400 m | 200 | 4 % | 6 months |
//! | nationwide | a tenth of all | | 2 % | 12 months |
//!
//! *Purchases*: each visit is one, on a day of its own within 365 days, at noon, for a log-normal amount
//! (median 12 000 won, σ 0.8, in hundreds, 500 to a million). All of it follows from SHA-256 over seed, user, venue
//! and number. Distances and amounts are computed in `f64`, with the functions of `libm`: the same bits everywhere.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::merchant::Place;
use moa_rules::quantity::{BasisPoints, Money, OutOfRange, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::keys::sha256;

use super::visits::City;

/// The days over which purchases are spread.
pub const DAYS: u32 = 365;
/// The time of day at which purchases are made.
const NOON: i64 = 12 * Timestamp::HOUR;
/// How often a purchase tries to pay with mileage first.
const REDEEMS_EVERY: usize = 20;
/// The balance from which mileage can be used, in every group.
const MINIMUM: i64 = 1_000;
/// Metres in a millionth of a degree of latitude.
const METRES: f64 = 0.111_194_926;

/// A group, and the venues in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedGroup {
    /// How wide it reaches.
    pub scope: Scope,
    /// Its shops, in order of id. The first of those that open founds it.
    pub venues: Vec<u32>,
}

impl PlannedGroup {
    /// How it presents itself: named after its first shop.
    pub fn profile(&self) -> Profile {
        let first = self.venues.first().copied().unwrap_or_default();
        let name = match self.scope {
            Scope::Building => format!("Building {first}"),
            Scope::Nationwide => "Nationwide".to_owned(),
            _ => format!("Area {first}"),
        };
        Profile::new(name, self.scope)
    }

    /// What it promises.
    ///
    /// # Errors
    /// Never: the figures are within their ranges.
    pub fn terms(&self) -> Result<Terms, OutOfRange> {
        let (bp, months) = match self.scope {
            Scope::Building => (800, 3),
            Scope::Nationwide => (200, 12),
            _ => (400, 6),
        };
        Ok(Terms::points(BasisPoints::new(bp)?, Validity::Months(months), Units::new(MINIMUM)?))
    }
}

/// The groups of a city: buildings, areas, the nationwide one.
pub fn groups(venues: &BTreeMap<u32, Place>) -> Vec<PlannedGroup> {
    let mut groups = stars(venues, Scope::Building, 60.0, 30);
    groups.extend(stars(venues, Scope::Area, 400.0, 200));
    let picked = |venue: &&u32| draw(&[b"nationwide", &venue.to_be_bytes()])[0].is_multiple_of(10);
    groups.push(PlannedGroup {
        scope: Scope::Nationwide,
        venues: venues.keys().filter(picked).copied().collect(),
    });
    groups.retain(|group| group.venues.len() > 1);
    groups
}

fn stars(venues: &BTreeMap<u32, Place>, scope: Scope, reach: f64, most: usize) -> Vec<PlannedGroup> {
    let mut free: Vec<(u32, Place)> = venues.iter().map(|(venue, place)| (*venue, *place)).collect();
    let mut stars = Vec::new();
    while let Some((_, centre)) = free.first().copied() {
        let near = Near::new(centre, reach);
        let mut star = Vec::new();
        free.retain(|(venue, place)| {
            let taken = star.len() < most && near.reaches(*place);
            if taken {
                star.push(*venue);
            }
            !taken
        });
        stars.push(PlannedGroup { scope, venues: star });
    }
    stars
}

/// What lies within reach of a centre, on a plane that touches the globe there.
struct Near {
    centre: Place,
    /// Metres in a millionth of a degree of longitude.
    lon_metres: f64,
    reach: f64,
}

impl Near {
    fn new(centre: Place, reach: f64) -> Self {
        let latitude = f64::from(centre.lat_e6) / 1e6 * std::f64::consts::PI / 180.0;
        Self { centre, lon_metres: METRES * libm::cos(latitude), reach }
    }

    fn reaches(&self, place: Place) -> bool {
        let north = f64::from(place.lat_e6 - self.centre.lat_e6) * METRES;
        let east = f64::from(place.lon_e6 - self.centre.lon_e6) * self.lon_metres;
        north * north + east * east <= self.reach * self.reach
    }
}

/// A purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Purchase {
    /// Milliseconds since the replay's midnight.
    pub at: i64,
    /// Who buys.
    pub user: u32,
    /// Where.
    pub venue: u32,
    /// Which of this user's visits there.
    pub nth: u32,
    /// What it costs.
    pub amount: Money,
    /// Whether the shop's phone sends the sale before the buyer claims it; else it comes with the claim.
    pub shop_first: bool,
    /// Whether the buyer tries to pay with mileage first.
    pub redeems: bool,
}

/// The purchases that follow from the first `limit` visits of a city, in the order in which they are made.
pub fn purchases(city: &City, seed: u64, limit: usize) -> Vec<Purchase> {
    let each = city.visits.iter().flat_map(|visits| (0..visits.count).map(move |nth| (visits, nth)));
    let mut purchases: Vec<Purchase> = each
        .take(limit)
        .map(|(visits, nth)| {
            let (user, venue) = (visits.user, visits.venue);
            let of = [user, venue, nth].map(u32::to_be_bytes);
            let drawn = draw(&[b"purchase", &seed.to_be_bytes(), &of[0], &of[1], &of[2]]);
            let day = i64::try_from(drawn[0] % u64::from(DAYS)).unwrap_or_default();
            Purchase {
                at: day * Timestamp::DAY + NOON,
                user,
                venue,
                nth,
                amount: log_normal(drawn[1], drawn[2]),
                shop_first: drawn[3].is_multiple_of(4),
                redeems: false,
            }
        })
        .collect();
    purchases.sort_unstable();
    for twentieth in purchases.iter_mut().skip(REDEEMS_EVERY - 1).step_by(REDEEMS_EVERY) {
        twentieth.redeems = true;
    }
    purchases
}

/// Purchases that can be made side by side: no phone is in two of one wave, and each phone's keep their order.
pub fn waves(purchases: &[Purchase]) -> Vec<Vec<Purchase>> {
    let mut waves: Vec<Vec<Purchase>> = Vec::new();
    let (mut users, mut venues) = (BTreeMap::new(), BTreeMap::new());
    for purchase in purchases {
        let user: &mut usize = users.entry(purchase.user).or_default();
        let venue: &mut usize = venues.entry(purchase.venue).or_default();
        let wave = (*user).max(*venue);
        (*user, *venue) = (wave + 1, wave + 1);
        if wave == waves.len() {
            waves.push(Vec::new());
        }
        waves[wave].push(*purchase);
    }
    waves
}

/// The venues of these purchases, which are the shops that open: area by area, those in none last.
pub fn opening(purchases: &[Purchase], groups: &[PlannedGroup]) -> Vec<Vec<u32>> {
    let mut rest: BTreeSet<u32> = purchases.iter().map(|purchase| purchase.venue).collect();
    let areas = groups.iter().filter(|group| group.scope == Scope::Area);
    let mut batches: Vec<Vec<u32>> =
        areas.map(|area| area.venues.iter().copied().filter(|venue| rest.remove(venue)).collect()).collect();
    batches.push(rest.into_iter().collect());
    batches.retain(|batch| !batch.is_empty());
    batches
}

/// An amount from two words of chance (Box and Muller's transform).
fn log_normal(first: u64, second: u64) -> Money {
    // 53 bits, never zero: the logarithm takes it.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let share = |word: u64| ((word >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let radius = libm::sqrt(-2.0 * libm::log(share(first)));
    let normal = radius * libm::cos(2.0 * std::f64::consts::PI * share(second));
    let won = 12_000.0 * libm::exp(0.8 * normal);
    #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
    let hundreds = (won / 100.0).clamp(5.0, 10_000.0) as i64;
    Money(hundreds * 100)
}

/// Four words that follow from what is named.
fn draw(of: &[&[u8]]) -> [u64; 4] {
    let hash = sha256(of);
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(hash.chunks_exact(8)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::visits::Visits;

    /// Places so many metres east of one another, on the equator's north.
    fn line(metres: &[i32]) -> BTreeMap<u32, Place> {
        let place = |east: &i32| Place { lat_e6: 1_300_000, lon_e6: 103_000_000 + east * 9 };
        (0..).zip(metres.iter().map(place)).collect()
    }

    fn of(venues: &BTreeMap<u32, Place>, scope: Scope) -> Vec<Vec<u32>> {
        let groups = groups(venues).into_iter().filter(|group| group.scope == scope);
        groups.map(|group| group.venues).collect()
    }

    #[test]
    fn a_star_reaches_from_its_centre_and_no_further() {
        // 50 m from the centre is in, 100 m is not, though it is 50 m from one that is.
        let venues = line(&[0, 50, 100, 5_000]);
        assert_eq!(of(&venues, Scope::Building), [vec![0, 1]]);
        assert_eq!(of(&venues, Scope::Area), [vec![0, 1, 2]]);
    }

    #[test]
    fn a_star_is_full_at_its_most_and_the_rest_makes_another() {
        let venues = line(&[0; 70]);
        let sizes: Vec<usize> = of(&venues, Scope::Building).iter().map(Vec::len).collect();
        assert_eq!(sizes, [30, 30, 10]);
        assert_eq!(of(&venues, Scope::Area).len(), 1);
    }

    #[test]
    fn every_venue_is_in_one_building_and_one_area_at_most() {
        let metres: Vec<i32> = (0..500_i32).map(|venue| venue * 7_919 % 3_000).collect();
        let groups = groups(&line(&metres));
        for scope in [Scope::Building, Scope::Area] {
            let mut seen = BTreeSet::new();
            let members = groups.iter().filter(|group| group.scope == scope).flat_map(|group| &group.venues);
            members.for_each(|venue| assert!(seen.insert(*venue), "{venue}"));
            assert!(seen.len() > 400);
        }
        let nationwide = groups.last().unwrap();
        assert!(nationwide.scope == Scope::Nationwide && (30..70).contains(&nationwide.venues.len()));
    }

    #[test]
    fn amounts_are_log_normal_around_their_median() {
        let words = |nth: u32| draw(&[b"test", &nth.to_be_bytes()]);
        let mut amounts: Vec<i64> =
            (0..4_001).map(|nth| log_normal(words(nth)[0], words(nth)[1]).0).collect();
        amounts.sort_unstable();
        // The quantiles of the normal distribution at −1, 0 and 1.
        for (at, ideal) in [(635, 5_392), (2_000, 12_000), (3_365, 26_706)] {
            assert!((ideal * 9 / 10..=ideal * 11 / 10).contains(&amounts[at]), "{at}: {}", amounts[at]);
        }
        for (first, second) in [(0, 0), (u64::MAX, u64::MAX), (0, u64::MAX), (0, 1 << 63)] {
            assert!((500..=1_000_000).contains(&log_normal(first, second).0));
        }
        assert_eq!(log_normal(0, 0), Money(1_000_000));
    }

    #[test]
    fn a_seed_decides_everything_and_every_twentieth_redeems() {
        let visits = (0..40).map(|user| Visits { user, venue: user % 7, count: 3 });
        let city = City { venues: line(&[0; 7]), visits: visits.collect() };
        let plan = purchases(&city, 1, usize::MAX);
        assert_eq!((plan.len(), plan.clone()), (120, purchases(&city, 1, usize::MAX)));
        assert_ne!(plan, purchases(&city, 2, usize::MAX));
        assert_eq!(purchases(&city, 1, 50).len(), 50);
        assert!(plan.is_sorted_by_key(|purchase| purchase.at));
        assert!(plan.last().unwrap().at < i64::from(DAYS) * Timestamp::DAY);
        assert_eq!(plan.iter().filter(|purchase| purchase.redeems).count(), 6);
        assert!(plan[19].redeems && plan[119].redeems);
        // Known by heart: another machine has to come to the same.
        let sum: i64 = plan.iter().map(|purchase| purchase.amount.0).sum();
        assert_eq!((sum, plan[0].amount, plan[0].at), (2_292_200, Money(13_200), 216_000_000));
    }

    #[test]
    fn the_shops_that_someone_visits_open_area_by_area() {
        let venues = line(&[0, 9_000, 100, 9_100, 50_000, 200]);
        let visits = [3, 2, 4, 5, 1].map(|venue| Visits { user: 1, venue, count: 1 });
        let city = City { venues, visits: visits.to_vec() };
        let plan = purchases(&city, 1, usize::MAX);
        assert_eq!(opening(&plan, &groups(&city.venues)), [vec![2, 5], vec![1, 3], vec![4]]);
    }

    #[test]
    fn no_phone_is_in_two_purchases_of_a_wave_and_each_keeps_its_order() {
        let visits = (0..40).map(|user| Visits { user: user % 11, venue: user % 7, count: 2 });
        let city = City { venues: line(&[0; 7]), visits: visits.collect() };
        let plan = purchases(&city, 1, usize::MAX);
        let waves = waves(&plan);
        assert_eq!(waves.iter().map(Vec::len).sum::<usize>(), plan.len());
        for wave in &waves {
            let users: BTreeSet<u32> = wave.iter().map(|purchase| purchase.user).collect();
            let venues: BTreeSet<u32> = wave.iter().map(|purchase| purchase.venue).collect();
            assert_eq!((users.len(), venues.len()), (wave.len(), wave.len()));
        }
        for user in 0..11 {
            let mine = |purchase: &&Purchase| purchase.user == user;
            assert!(waves.iter().flatten().filter(mine).eq(plan.iter().filter(mine)));
        }
    }
}
