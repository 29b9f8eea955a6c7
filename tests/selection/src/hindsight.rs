//! What a buyer could have had, had they known all: whole assignments of visits to groups, searched by annealing.

use crate::chance::Chance;
use crate::play::{Wallet, redeemed};
use crate::town::{Buyer, Town};

/// The temperatures at the beginning and at the end, in won.
const HEAT: (f64, f64) = (3_000.0, 20.0);
/// The windows of a move that turns everything to one group, in days.
const WINDOWS: [f64; 4] = [20.0, 60.0, 150.0, 400.0];

/// The most that was found in so many moves from the best of `starts`, in won, and the groups that give it.
pub fn anneal(
    town: &Town,
    buyer: &Buyer,
    starts: &[Vec<Option<usize>>],
    moves: u32,
    seed: u64,
) -> (f64, Vec<Option<usize>>) {
    let mut wallet = Wallet::new(town);
    let mut chance = Chance::new(seed);
    let worth = |groups: &[Option<usize>], wallet: &mut Wallet| redeemed(town, buyer, groups, wallet);
    let scored = starts.iter().map(|start| (worth(start, &mut wallet), start.clone()));
    let Some((mut value, mut groups)) = scored.max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return (0.0, Vec::new());
    };
    let (mut most, mut best) = (value, groups.clone());
    let free: Vec<usize> = (0..buyer.visits.len())
        .filter(|&visit| {
            let visit = &buyer.visits[visit];
            visit.t_days < buyer.decide_until_days && town.of[visit.shop].len() > 1
        })
        .collect();
    if free.is_empty() {
        return (most, best);
    }
    let mut undo: Vec<(usize, Option<usize>)> = Vec::new();
    for step in 0..moves {
        let heat = HEAT.0 * libm::pow(HEAT.1 / HEAT.0, f64::from(step) / f64::from(moves));
        undo.clear();
        let first = chance.below(free.len());
        let visit = &buyer.visits[free[first]];
        let choices = &town.of[visit.shop];
        let to = choices[chance.below(choices.len())];
        if chance.unit() < 0.6 {
            undo.push((free[first], groups[free[first]]));
        } else {
            let until = visit.t_days + WINDOWS[chance.below(WINDOWS.len())];
            let same_shop = chance.unit() < 0.4;
            let only_from = (chance.unit() < 0.3).then_some(groups[free[first]]);
            for &other in &free[first..] {
                let turned = &buyer.visits[other];
                if turned.t_days > until {
                    break;
                }
                let fits = town.of[turned.shop].contains(&to) && (!same_shop || turned.shop == visit.shop);
                if fits && only_from.is_none_or(|from| groups[other] == from) {
                    undo.push((other, groups[other]));
                }
            }
        }
        undo.retain(|(_, before)| *before != Some(to));
        if undo.is_empty() {
            continue;
        }
        for &(turned, _) in &undo {
            groups[turned] = Some(to);
        }
        let new = worth(&groups, &mut wallet);
        if new >= value || chance.unit() < libm::exp((new - value) / heat) {
            value = new;
            if value > most {
                (most, best) = (value, groups.clone());
            }
        } else {
            for &(turned, before) in &undo {
                groups[turned] = before;
            }
        }
    }
    (most, best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{REGIMES, town};

    /// Every assignment of the first visits of a buyer, tried.
    fn by_force(town: &Town, buyer: &Buyer) -> f64 {
        let mut wallet = Wallet::new(town);
        let choices: Vec<&[usize]> =
            buyer.visits.iter().map(|visit| town.of[visit.shop].as_slice()).collect();
        let all: usize = choices.iter().map(|groups| groups.len().max(1)).product();
        let tried = (0..all).map(|mut number| {
            let pick = |groups: &&[usize]| {
                let count = groups.len().max(1);
                let group = groups.get(number % count).copied();
                number /= count;
                group
            };
            let groups: Vec<Option<usize>> = choices.iter().map(pick).collect();
            redeemed(town, buyer, &groups, &mut wallet)
        });
        tried.fold(0.0, f64::max)
    }

    #[test]
    fn annealing_finds_what_trying_everything_finds() {
        let mut gains = 0;
        for seed in 0..6 {
            let mut regime = REGIMES[0];
            regime.minimum = 0.3;
            let town = town(seed, &regime, 2);
            for buyer in &town.buyers {
                let mut buyer = buyer.clone();
                buyer.visits.truncate(14);
                let start: Vec<Option<usize>> =
                    buyer.visits.iter().map(|visit| town.of[visit.shop].first().copied()).collect();
                let first = redeemed(&town, &buyer, &start, &mut Wallet::new(&town));
                let (found, groups) = anneal(&town, &buyer, &[start], 6_000, seed);
                let most = by_force(&town, &buyer);
                assert_eq!(found, most, "seed {seed}, buyer {}", buyer.id);
                assert_eq!(redeemed(&town, &buyer, &groups, &mut Wallet::new(&town)), found);
                gains += u32::from(most > first);
            }
        }
        assert!(gains > 3, "too few of the buyers have anything to choose: {gains}");
    }
}
