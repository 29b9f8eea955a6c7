//! Real visits: who went where how often, made into a town of 24 months.
//!
//! The lists say how often a user was at a venue, and neither when nor for how much. What is missing is drawn from a seed:
//!
//! - *Users*: those of at least so many visits, in the order of a hash of seed and id, the first so many of them.
//! - *Times*: what a user likes comes and goes. The visits to one venue lie in a stretch of the 24 months: its middle falls
//!   evenly in them, its length is exponential around a year, what juts out is cut off. Within it they fall evenly.
//! - *Purchases* earn for 18 months; then mileage is only used for six, so that the last of it can be used at all.
//! - *Tickets* as in the generator: each venue is of one of six trades, around whose usual amount its own lies (σ .3) and
//!   around that each purchase (σ .45). Each visit is attentive with a probability of .75.
//! - *Popularity* counts the visits of the users that are not played: a buyer's own would tell their future.
//!
//! Groups and distances come from the caller; the replay's groups are meant. Whoever is in no group earns nothing under any
//! rule.

use std::collections::BTreeMap;

use crate::chance::Chance;
use crate::generate::TICKETS;
use crate::town::{Buyer, Group, Shop, Town, Visit};

/// Until when purchases earn, and until when there are visits, in days.
pub const DAYS: (f64, f64) = (547.0, 730.0);
/// How long a venue is liked, on average, in days.
const LIKED: f64 = 365.0;

/// What is known of a city.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Kilometres east and north of each venue.
    pub venues: Vec<(f64, f64)>,
    /// The groups; members are places in `venues`.
    pub groups: Vec<Group>,
    /// User, venue (its place in `venues`), visits.
    pub visits: Vec<(u32, usize, u32)>,
}

/// The town of `users` of them who have at least `least` visits. Fewer where there are fewer.
pub fn town(traces: &Traces, seed: u64, users: usize, least: u32) -> Town {
    let mut all: BTreeMap<u32, (u32, Vec<(usize, u32)>)> = BTreeMap::new();
    for &(user, venue, count) in &traces.visits {
        let (sum, venues) = all.entry(user).or_default();
        *sum = sum.saturating_add(count);
        venues.push((venue, count));
    }
    let mut order: Vec<(u64, u32)> = all
        .iter()
        .filter(|(_, (sum, _))| *sum >= least)
        .map(|(&user, _)| ((Chance::new(mixed(seed, user)).unit() * 1e15) as u64, user))
        .collect();
    order.sort_unstable();
    order.truncate(users);

    let mut visited = vec![0.0; traces.venues.len()];
    for (user, (_, venues)) in &all {
        if order.iter().all(|(_, played)| played != user) {
            venues.iter().for_each(|&(venue, count)| visited[venue] += f64::from(count));
        }
    }
    let mean = (visited.iter().sum::<f64>() / (visited.len() as f64).max(1.0)).max(1e-9);
    let mut chance = Chance::new(seed);
    let shops: Vec<Shop> = traces
        .venues
        .iter()
        .zip(&visited)
        .enumerate()
        .map(|(id, (&(x_km, y_km), visits))| Shop {
            id,
            x_km,
            y_km,
            popularity: (visits + 1.0) / (mean + 1.0),
            typical_won: TICKETS[chance.below(TICKETS.len())] * libm::exp(0.3 * chance.normal()),
        })
        .collect();
    let buyers = order.iter().enumerate().map(|(id, (_, user))| {
        let visits = all.get(user).map_or(&[] as &[_], |(_, venues)| venues.as_slice());
        buyer(&mut Chance::new(mixed(seed, *user) ^ 1), id, &shops, visits)
    });
    Town::new(shops.clone(), traces.groups.clone(), buyers.collect())
}

fn buyer(chance: &mut Chance, id: usize, shops: &[Shop], venues: &[(usize, u32)]) -> Buyer {
    let mut visits = Vec::new();
    for &(shop, count) in venues {
        let (middle, half) = (DAYS.1 * chance.unit(), LIKED * chance.wait() / 2.0);
        let (from, to) = ((middle - half).max(0.0), (middle + half).min(DAYS.1));
        for _ in 0..count {
            let amount = shops[shop].typical_won * libm::exp(0.45 * chance.normal());
            visits.push(Visit {
                t_days: from + (to - from) * chance.unit(),
                shop,
                won: (amount / 100.0).round().max(5.0) * 100.0,
                attentive: chance.unit() < 0.75,
            });
        }
    }
    visits.sort_by(|a, b| a.t_days.total_cmp(&b.t_days));
    Buyer { id, decide_until_days: DAYS.0, visits }
}

fn mixed(seed: u64, user: u32) -> u64 {
    (seed << 33) ^ (u64::from(user) << 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let group = Group {
            id: 0,
            scope: "building".to_owned(),
            rate_bp: 800.0,
            validity_days: 91.0,
            minimum: 1_000.0,
            members: vec![0, 1],
        };
        let visits = (0..30).flat_map(|user| [(user, 0, 10 + user), (user, 2, 3)]).collect();
        Traces { venues: vec![(0.0, 0.0), (0.1, 0.0), (2.0, 1.0)], groups: vec![group], visits }
    }

    #[test]
    fn each_visit_of_the_users_played_is_made_once_in_order_and_within_the_time() {
        let town = town(&traces(), 7, 10, 20);
        assert_eq!(town.buyers.len(), 10);
        for buyer in &town.buyers {
            let at = |shop: usize| buyer.visits.iter().filter(|visit| visit.shop == shop).count();
            assert!(at(0) >= 17 && at(1) == 0 && at(2) == 3, "20 visits or more: {} and {}", at(0), at(2));
            assert!(buyer.visits.is_sorted_by(|a, b| a.t_days <= b.t_days));
            assert!(
                buyer.visits.iter().all(|visit| (0.0..=DAYS.1).contains(&visit.t_days) && visit.won >= 500.0)
            );
        }
    }

    #[test]
    fn a_seed_decides_everything() {
        let text = |seed: u64| serde_json::to_string(&town(&traces(), seed, 10, 20)).unwrap();
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn popularity_does_not_count_the_visits_of_those_who_are_played() {
        let some = town(&traces(), 1, 10, 20);
        assert!(some.shops[0].popularity > some.shops[1].popularity);
        let all = town(&traces(), 1, usize::MAX, 0);
        assert_eq!(all.buyers.len(), 30);
        assert_eq!(all.shops[0].popularity, all.shops[1].popularity);
    }

    #[test]
    fn nobody_gives_a_town_without_buyers() {
        let none = Traces { visits: Vec::new(), ..traces() };
        assert!(town(&none, 1, 10, 20).buyers.is_empty());
    }
}
