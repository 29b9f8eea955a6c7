//! A town played under one rule, buyer by buyer: what `world choose` prints.

use std::time::Duration;

use serde::Serialize;

use crate::play::play;
use crate::policy::Rule;
use crate::town::Town;

/// How one buyer fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Who.
    pub buyer: usize,
    /// The group of each visit; none where nothing was earned.
    pub groups: Vec<Option<usize>>,
    /// What was used, in won.
    pub redeemed_won: i64,
    /// What was earned, in won.
    pub issued_won: i64,
    /// How long a decision took, in microseconds: half of them no longer.
    pub p50_us: f64,
    /// Ninety-nine in a hundred of them no longer.
    pub p99_us: f64,
}

/// Plays the buyers of a town, one after the other.
pub fn choose(town: &Town, rule: Rule) -> impl Iterator<Item = Line> {
    town.buyers.iter().map(move |buyer| {
        let mut played = play(town, buyer, rule.policy(town, buyer.id).as_mut());
        played.took.sort_unstable();
        Line {
            buyer: buyer.id,
            groups: played.groups,
            redeemed_won: played.redeemed.round() as i64,
            issued_won: played.issued.round() as i64,
            p50_us: micros(&played.took, 0.5),
            p99_us: micros(&played.took, 0.99),
        }
    })
}

/// The microseconds that this share of times, in order, do not exceed; 0 of none.
pub fn micros(ordered: &[Duration], share: f64) -> f64 {
    let rank = (share * ordered.len() as f64).ceil() as usize;
    let at = ordered.get(rank.max(1) - 1);
    at.map_or(0.0, |took| (took.as_secs_f64() * 1e7).round() / 10.0)
}
