//! Where the constants of the choice come from: an evolution strategy that plays buyers of generated towns, by what they end
//! up using, and then by how true what is expected of a purchase comes. `examples/search.rs` runs it.

use moa_rules::choice::around::Around;
use moa_rules::choice::outlook::{Constants, Lasting, Pace, Signs, Truth};
use moa_rules::choice::visits::{Liking, Rate, rates_by};

use crate::chance::Chance;
use crate::generate::{DAYS, REGIMES, town, watched};
use crate::hindsight::anneal;
use crate::moa::{Glimpse, Moa, around, glimpses, rates_by_visit};
use crate::play::{Played, play};
use crate::policy::Rule;
use crate::report::calls;
use crate::town::Town;

/// The regimes searched on, of those there are: those of the benchmark.
const SEARCHED: usize = 5;
/// A generation's children, in mirrored pairs.
const CHILDREN: usize = 12;
/// Each generation plays every so many-th buyer, all children the same.
const STRIDE: usize = 4;
/// A phone is looked at every so many days.
const BETWEEN: f64 = 120.0;
/// The moves of a search in hindsight: only what is between regimes hangs on it.
const MOVES: u32 = 1_000;

/// As it is reckoned.
const TRUE: Truth =
    Truth { level: 0.0, slope: 1.0, above: 0.0, flow: 0.0, often: 0.0, lacking: 0.0, usable: 0.0 };
/// Steps toward what is likeliest; it is there after half as many.
const STEPS: usize = 12;

/// Towns of all regimes, with what is known of their buyers whatever they choose.
pub struct Ground {
    towns: Vec<Known>,
    /// By regime, from the highest rate to hindsight, in won.
    gaps: [f64; SEARCHED],
}

/// How many signs there are.
const SIGNS: usize = size_of::<Signs>() / size_of::<f64>();

/// A choice: what bears on it, what was used of what it earned, what it earned.
struct Noted {
    signs: Signs,
    used: f64,
    earned: f64,
}

struct Known {
    regime: usize,
    town: Town,
    /// By buyer and visit.
    rates: Vec<Vec<Vec<Rate>>>,
    /// What the highest rate gives each buyer.
    base: Vec<f64>,
}

impl Ground {
    /// One town a regime and seed.
    pub fn new(seeds: &[u64], buyers: usize) -> Self {
        let mut ground = Self { towns: Vec::new(), gaps: [0.0; SEARCHED] };
        for (regime, kind) in REGIMES[..SEARCHED].iter().enumerate() {
            for &seed in seeds {
                let town = town(seed, kind, buyers);
                let mut base = Vec::new();
                for buyer in &town.buyers {
                    let played = play(&town, buyer, Rule::HighestRate.policy(&town, buyer.id).as_mut());
                    let most = anneal(&town, buyer, &[played.groups], MOVES, seed).0;
                    base.push(played.redeemed);
                    ground.gaps[regime] += most - played.redeemed;
                }
                let rates = town.buyers.iter().map(|buyer| rates_by_visit(&town, buyer)).collect();
                ground.towns.push(Known { regime, town, rates, base });
            }
        }
        ground
    }

    /// The share of the gap that is closed, as a mean over the regimes, by every `stride`-th buyer from `first` on.
    pub fn share(&self, constants: &Constants, first: usize, stride: usize) -> f64 {
        let mut shares = [0.0; SEARCHED];
        for known in &self.towns {
            for buyer in (first..known.base.len()).step_by(stride) {
                shares[known.regime] += known.play(buyer, constants).redeemed - known.base[buyer];
            }
        }
        let shares = shares.iter().zip(self.gaps).map(|(closed, gap)| closed / gap);
        shares.sum::<f64>() * stride as f64 / SEARCHED as f64
    }

    /// Choices made with these constants, by regime: what was expected, what was used, what was earned.
    fn calls(&self, constants: &Constants, first: usize, stride: usize) -> [Vec<[f64; 3]>; SEARCHED] {
        let mut found: [Vec<[f64; 3]>; SEARCHED] = Default::default();
        for known in &self.towns {
            for buyer in (first..known.base.len()).step_by(stride) {
                found[known.regime].extend(calls(&known.play(buyer, constants)));
            }
        }
        found
    }

    /// Choices made with these constants, by regime, with what bears on each.
    fn noted(&self, constants: &Constants) -> [Vec<Noted>; SEARCHED] {
        let mut found: [Vec<Noted>; SEARCHED] = Default::default();
        for known in &self.towns {
            for (buyer, rates) in known.town.buyers.iter().zip(&known.rates) {
                let mut moa = Moa::noting(&known.town, *constants, rates);
                let played = play(&known.town, buyer, &mut moa);
                let visits = played.expected.iter().zip(played.used).zip(played.earned);
                let chosen = visits.filter(|((expected, _), _)| expected.is_some());
                let noted =
                    chosen.zip(moa.noted()).map(|(((_, used), earned), signs)| Noted { signs, used, earned });
                found[known.regime].extend(noted.filter(|call| call.earned > 0.0));
            }
        }
        found
    }

    /// The mean square by which what is expected of a unit misses what comes true (Brier, 1950), as a mean over the regimes.
    /// What is expected changes no choice.
    pub fn miss(&self, constants: &Constants, first: usize, stride: usize) -> f64 {
        let of = |calls: &Vec<[f64; 3]>| {
            let squares =
                calls.iter().map(|[expected, used, earned]| (expected - used) * (expected - used) / earned);
            squares.sum::<f64>() / calls.iter().map(|call| call[2]).sum::<f64>()
        };
        self.calls(constants, first, stride).iter().map(of).sum::<f64>() / SEARCHED as f64
    }
}

impl Known {
    fn play(&self, buyer: usize, constants: &Constants) -> Played {
        let mut moa = Moa::with(&self.town, *constants, &self.rates[buyer]);
        play(&self.town, &self.town.buyers[buyer], &mut moa)
    }
}

/// What a phone has seen of its buyer, and what is hidden from it: how likely the next visit is to each shop.
type Held = (Glimpse, Vec<f64>);

/// Buyers as their phones see them now and then, with what is hidden from a phone; a town after the other.
pub struct Hidden(Vec<(Around, Vec<Held>)>);

impl Hidden {
    /// One town a seed, the regimes in turn.
    pub fn new(seeds: &[u64], buyers: usize) -> Self {
        let towns = seeds.iter().zip(REGIMES[..SEARCHED].iter().cycle()).map(|(&seed, kind)| {
            let mut hidden = vec![Vec::new(); buyers];
            let town = watched(seed, kind, buyers, &mut |buyer, visit, weights| {
                let due = (hidden[buyer].len() as f64 + 0.5) * BETWEEN;
                if visit.t_days > due && visit.t_days < DAYS.0 {
                    let all: f64 = weights.iter().sum();
                    let shares: Vec<f64> = weights.iter().map(|weight| weight / all).collect();
                    hidden[buyer].push((visit.t_days, shares));
                }
            });
            let seen = town.buyers.iter().zip(hidden).flat_map(|(buyer, hidden)| {
                let at: Vec<f64> = hidden.iter().map(|(at, _)| *at).collect();
                glimpses(&town, buyer, &at).into_iter().zip(hidden.into_iter().map(|(_, shares)| shares))
            });
            (around(&town), seen.collect())
        });
        Self(towns.collect())
    }

    /// The mean logarithm of how likely the next visit was held to be, wherever it is to.
    pub fn likely(&self, liking: &Liking) -> f64 {
        let (mut sum, mut count, mut found) = (0.0, 0.0, Vec::new());
        for (around, seen) in &self.0 {
            for (glimpse, shares) in seen {
                rates_by(around, &glimpse.seen, &glimpse.total, glimpse.now, liking, &mut found);
                let all: f64 = found.iter().map(|rate| rate.daily).sum();
                let told = found.iter().zip(shares).filter(|(_, share)| **share > 0.0);
                sum += told.map(|(rate, share)| share * libm::log(rate.daily / all)).sum::<f64>();
                count += 1.0;
            }
        }
        sum / count
    }
}

/// Searches for what makes most likely where buyers go.
pub fn liking(hidden: &Hidden, generations: usize, mut say: impl FnMut(usize, &Liking)) -> Liking {
    // What comes to mind first, and of the 45 days after which the generator's buyers drop a shop.
    let start = [0.5, 1.0, 1.0 / 45.0, 0.1, 0.5, 1.0, 0.5].map(libm::log);
    let liking = |at: &[f64]| {
        let at = |place: usize| libm::exp(at[place]);
        Liking {
            chance: at(0),
            before: at(1),
            dropped: at(2),
            left: at(3),
            unseen: at(4),
            near: at(5),
            popular: at(6),
        }
    };
    let likely = |at: &[f64], _: usize| hidden.likely(&liking(at));
    let found = evolve(&start, generations, likely, |generation, at| say(generation, &liking(at)));
    liking(&found)
}

/// Searches for what closes most of the gap.
pub fn worth(ground: &Ground, generations: usize, mut say: impl FnMut(usize, &Constants)) -> Constants {
    // What comes to mind first: habit is the pace, a tenth of what could be besides, and in a year half of what is liked is lost.
    let start = [1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 0.1, 0.5, 0.5, 0.5, 0.002, 450.0].map(libm::log);
    let constants = |at: &[f64]| {
        let pace = pace(&at[..5], &at[10..]);
        Constants { worth: pace, lasting: lasting(&at[5..10]), used: pace, truth: TRUE }
    };
    let share = |at: &[f64], generation: usize| ground.share(&constants(at), generation % STRIDE, STRIDE);
    let found = evolve(&start, generations, share, |generation, at| say(generation, &constants(at)));
    constants(&found)
}

/// Searches for what makes what is expected come true; the choices stay.
pub fn used(
    ground: &Ground,
    constants: Constants,
    generations: usize,
    mut say: impl FnMut(usize, &Constants),
) -> Constants {
    let Pace { by_habit, all, here, lump, sure, lost, horizon } = constants.worth;
    let mut start: Vec<f64> = [by_habit, all, here, lump, sure, lost, horizon].map(libm::log).into();
    start.extend([TRUE.level, TRUE.slope]);
    let with = |at: &[f64]| {
        let truth = Truth { level: at[7], slope: at[8], ..TRUE };
        Constants { used: pace(&at[..5], &at[5..7]), truth, ..constants }
    };
    let hit = |at: &[f64], generation: usize| -ground.miss(&with(at), generation % STRIDE, STRIDE);
    let found = evolve(&start, generations, hit, |generation, at| say(generation, &with(at)));
    with(&found)
}

/// Fits what comes true of what is reckoned, by how likely it makes what was used: a logistic regression by Newton's method, each
/// choice by what it earns, each regime the same.
pub fn truth(ground: &Ground, constants: Constants) -> Constants {
    let calls = ground.noted(&constants);
    let mut weights: Signs = [0.0; SIGNS];
    for _ in 0..STEPS {
        let (mut slope, mut bend) = ([0.0; SIGNS], [[0.0; SIGNS]; SIGNS]);
        for calls in &calls {
            let all: f64 = calls.iter().map(|call| call.earned).sum();
            for Noted { signs, used, earned } in calls {
                let told = Truth::new(weights).of(signs);
                let (miss, sway) = ((used - told * earned) / all, earned / all * told * (1.0 - told));
                for (at, sign) in signs.iter().enumerate() {
                    slope[at] += miss * sign;
                    bend[at].iter_mut().zip(signs).for_each(|(bend, other)| *bend += sway * sign * other);
                }
            }
        }
        let step = solved(bend, slope);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step.clamp(-2.0, 2.0));
    }
    Constants { truth: Truth::new(weights), ..constants }
}

/// What `matrix`, which is positive definite, makes `right` of, by Gauss and Jordan.
fn solved(mut matrix: [Signs; SIGNS], mut right: Signs) -> Signs {
    for at in 0..SIGNS {
        let pivot = matrix[at][at];
        matrix[at].iter_mut().for_each(|value| *value /= pivot);
        right[at] /= pivot;
        let (row, value) = (matrix[at], right[at]);
        for other in (0..SIGNS).filter(|&other| other != at) {
            let part = matrix[other][at];
            matrix[other].iter_mut().zip(row).for_each(|(value, own)| *value -= part * own);
            right[other] -= part * value;
        }
    }
    right
}

/// From logarithms: of what is earned, and of how long.
fn pace(at: &[f64], long: &[f64]) -> Pace {
    let (at, long) = (|place: usize| libm::exp(at[place]), |place: usize| libm::exp(long[place]));
    Pace {
        by_habit: at(0),
        all: at(1),
        here: at(2),
        lump: at(3),
        sure: at(4),
        lost: long(0),
        horizon: long(1),
    }
}

/// From logarithms.
fn lasting(at: &[f64]) -> Lasting {
    let at = |place: usize| libm::exp(at[place]);
    Lasting { by_habit: at(0), all: at(1), minimum: at(2), validity: at(3), weight: at(4) }
}

/// The mean of the last third of the generations of a separable CMA-ES with mirrored children. (Hansen and Ostermeier, 2001;
/// Ros and Hansen, 2008)
fn evolve(
    start: &[f64],
    generations: usize,
    mut fitness: impl FnMut(&[f64], usize) -> f64,
    mut say: impl FnMut(usize, &[f64]),
) -> Vec<f64> {
    let many = start.len() as f64;
    let weights: Vec<f64> = (0..CHILDREN / 2)
        .map(|rank| libm::log(CHILDREN as f64 / 2.0 + 0.5) - libm::log(rank as f64 + 1.0))
        .collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let parents = 1.0 / weights.iter().map(|weight| weight * weight).sum::<f64>();
    let step_memory = (parents + 2.0) / (many + parents + 5.0);
    let path_memory = (4.0 + parents / many) / (many + 4.0 + 2.0 * parents / many);
    let separable = (many + 2.0) / 3.0;
    let one = separable * 2.0 / ((many + 1.3) * (many + 1.3) + parents);
    let rank = separable * 2.0 * (parents - 2.0 + 1.0 / parents) / ((many + 2.0) * (many + 2.0) + parents);
    let rank = rank.min(1.0 - one);
    let usual = libm::sqrt(many) * (1.0 - 1.0 / (4.0 * many) + 1.0 / (21.0 * many * many));

    let mut chance = Chance::new(1);
    let mut centre = start.to_vec();
    let mut spread = vec![1.0; start.len()];
    let (mut step, mut steps, mut path) = (0.4, vec![0.0; start.len()], vec![0.0; start.len()]);
    let (mut mean, last) = (vec![0.0; start.len()], generations.div_ceil(3).max(1));
    for generation in 0..generations {
        let mut children: Vec<(f64, Vec<f64>)> = Vec::new();
        for _ in 0..CHILDREN / 2 {
            let deviates: Vec<f64> = start.iter().map(|_| chance.normal()).collect();
            for side in [1.0, -1.0] {
                let deviates: Vec<f64> = deviates.iter().map(|deviate| side * deviate).collect();
                let moved = centre.iter().zip(&spread).zip(&deviates);
                let child: Vec<f64> =
                    moved.map(|((at, spread), deviate)| at + step * libm::sqrt(*spread) * deviate).collect();
                children.push((fitness(&child, generation), deviates));
            }
        }
        children.sort_by(|a, b| b.0.total_cmp(&a.0));
        for place in 0..start.len() {
            let of_best = |of: &dyn Fn(f64) -> f64| -> f64 {
                weights
                    .iter()
                    .zip(&children)
                    .map(|(weight, (_, deviates))| weight * of(deviates[place]))
                    .sum()
            };
            let (towards, wide) = (of_best(&|deviate| deviate), of_best(&|deviate| deviate * deviate));
            let along = libm::sqrt(spread[place]) * towards;
            centre[place] += step * along;
            steps[place] = (1.0 - step_memory) * steps[place]
                + libm::sqrt(step_memory * (2.0 - step_memory) * parents) * towards;
            path[place] = (1.0 - path_memory) * path[place]
                + libm::sqrt(path_memory * (2.0 - path_memory) * parents) * along;
            spread[place] =
                spread[place] * (1.0 - one - rank + rank * wide) + one * path[place] * path[place];
            if generation + last >= generations {
                mean[place] += centre[place] / last as f64;
            }
        }
        let length = libm::sqrt(steps.iter().map(|it| it * it).sum::<f64>());
        step *= libm::exp(step_memory / (1.0 + step_memory) * (length / usual - 1.0)).min(1.3);
        say(generation, &centre);
    }
    mean
}

#[cfg(test)]
mod tests {
    use moa_rules::choice::outlook::CONSTANTS;
    use moa_rules::choice::visits::LIKINGS;

    use super::*;

    #[test]
    fn evolution_finds_the_top_of_a_slanting_hill() {
        let top = [1.0, -2.0, 0.5];
        let hill = |at: &[f64], _: usize| {
            let away = [at[0] - top[0], at[1] - top[1], at[2] - top[2]];
            -(away[0] * away[0]
                + 30.0 * away[1] * away[1]
                + 0.3 * away[2] * away[2]
                + 0.2 * away[0] * away[2])
        };
        let found = evolve(&[0.0; 3], 120, hill, |_, _| ());
        assert!(found.iter().zip(top).all(|(found, top)| (found - top).abs() < 0.01), "{found:?}");
    }

    #[test]
    fn what_makes_visits_likely_is_found_again() {
        let hidden = Hidden::new(&[7, 8], 6);
        let mut said = 0;
        let found = liking(&hidden, 3, |_, _| said += 1);
        let blind = Liking { left: 1e-9, unseen: 1e-9, ..LIKINGS };
        assert!(hidden.likely(&blind) < hidden.likely(&found), "{found:?}");
        assert!(hidden.likely(&LIKINGS) > -5.0, "less than by chance among 300 shops");
        assert_eq!(said, 3);
    }

    #[test]
    fn with_rates_known_beforehand_the_choices_are_the_same() {
        let ground = Ground::new(&[5], 2);
        for known in &ground.towns {
            for buyer in &known.town.buyers {
                let usual = play(&known.town, buyer, Rule::Moa.policy(&known.town, buyer.id).as_mut());
                let played = known.play(buyer.id, &CONSTANTS);
                assert_eq!((&played.groups, &played.expected), (&usual.groups, &usual.expected));
            }
        }
        let (first, second) = (ground.share(&CONSTANTS, 0, 2), ground.share(&CONSTANTS, 1, 2));
        assert!((first + second - 2.0 * ground.share(&CONSTANTS, 0, 1)).abs() < 1e-9);
    }

    #[test]
    fn a_generation_of_each_search_says_what_it_found() {
        let ground = Ground::new(&[6], 4);
        let mut said = 0;
        let found = worth(&ground, 2, |_, _| said += 1);
        let known = used(&ground, found, 1, |_, constants| {
            assert!(ground.miss(constants, 0, 1) > 0.0);
            said += 1;
        });
        assert_eq!(said, 3);
        assert_eq!((known.worth, known.lasting), (found.worth, found.lasting));
        assert!(known.used != found.used);
        let fitted = truth(&ground, known);
        assert_eq!((fitted.worth, fitted.used), (known.worth, known.used));
        assert!(ground.miss(&fitted, 0, 1) < ground.miss(&known, 0, 1));
        // What is likeliest misses nothing on the whole, nor of any sign.
        let calls = ground.noted(&fitted);
        for at in 0..SIGNS {
            let missed = |calls: &Vec<Noted>| {
                let miss = calls
                    .iter()
                    .map(|call| (call.used - call.earned * fitted.truth.of(&call.signs)) * call.signs[at]);
                miss.sum::<f64>() / calls.iter().map(|call| call.earned).sum::<f64>()
            };
            let missed: f64 = calls.iter().map(missed).sum();
            assert!(missed.abs() < 1e-6, "sign {at}: {missed}");
        }
    }
}
