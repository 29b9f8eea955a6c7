//! Towns of our own: 12 neighbourhoods of 5 buildings on 8 × 8 km, groups of every reach, buyers whose liking is uneven and
//! changes.

use crate::chance::Chance;
use crate::town::{Buyer, Group, Shop, Town, Visit};

/// What sets towns apart.
#[derive(Debug, Clone, Copy)]
pub struct Regime {
    /// Its name.
    pub name: &'static str,
    /// How far rates are pulled toward 3 %, as a share of the logarithm.
    pub pull: f64,
    /// Minimums, against usual ones.
    pub minimum: f64,
    /// Validity, against usual.
    pub validity: f64,
    /// Visits, against usual.
    pub visits: f64,
}

/// Those of the benchmark, then harder and softer ones.
pub const REGIMES: [Regime; 9] = [
    Regime { name: "steep", pull: 0.0, minimum: 1.0, validity: 1.0, visits: 1.0 },
    Regime { name: "sparse", pull: 0.0, minimum: 1.0, validity: 1.0, visits: 0.3 },
    Regime { name: "flat", pull: 0.7, minimum: 1.0, validity: 1.0, visits: 1.0 },
    Regime { name: "short", pull: 0.0, minimum: 3.0, validity: 0.35, visits: 1.0 },
    Regime { name: "mixed", pull: 0.2, minimum: 1.5, validity: 0.7, visits: 0.7 },
    Regime { name: "flat-short", pull: 0.7, minimum: 3.0, validity: 0.35, visits: 1.0 },
    Regime { name: "hard", pull: 0.3, minimum: 5.0, validity: 0.5, visits: 0.5 },
    Regime { name: "easy", pull: 0.3, minimum: 0.3, validity: 1.0, visits: 2.0 },
    Regime { name: "level", pull: 1.0, minimum: 2.0, validity: 0.7, visits: 0.5 },
];

/// Until when purchases earn, and until when mileage is used, in days.
pub const DAYS: (f64, f64) = (730.0, 1_095.0);

/// What a purchase usually comes to, by trade, in won.
pub const TICKETS: [f64; 6] = [4_500.0, 7_000.0, 9_000.0, 14_000.0, 25_000.0, 45_000.0];

const MONTH: f64 = 30.4;
const NEIGHBOURHOODS: usize = 12;
const BUILDINGS: usize = 5;

type Point = (f64, f64);

/// A town of a regime; the same seed, the same shops and groups.
pub fn town(seed: u64, regime: &Regime, buyers: usize) -> Town {
    watched(seed, regime, buyers, &mut |_, _, _| ())
}

/// The same; what is hidden from a phone is shown to `watch` with each visit of each buyer: how likely the next visit is to each
/// shop, against others.
pub fn watched(
    seed: u64,
    regime: &Regime,
    buyers: usize,
    watch: &mut dyn FnMut(usize, &Visit, &[f64]),
) -> Town {
    let mut chance = Chance::new(seed);
    let centres: Vec<Point> =
        (0..NEIGHBOURHOODS).map(|_| (chance.unit() * 8.0, chance.unit() * 8.0)).collect();
    let (shops, lie, trades) = shops(&mut chance, &centres);
    let groups = groups(&mut chance, regime, &centres, &lie, &trades);
    let buyers = (0..buyers)
        .map(|id| {
            let mut watch = |visit: &Visit, weights: &[f64]| watch(id, visit, weights);
            buyer(&mut chance, regime, &centres, &shops, id, &mut watch)
        })
        .collect();
    Town::new(shops, groups, buyers)
}

/// Shops, the building of each, and its trade.
fn shops(chance: &mut Chance, centres: &[Point]) -> (Vec<Shop>, Vec<usize>, Vec<usize>) {
    let (mut shops, mut lie, mut trades) = (Vec::new(), Vec::new(), Vec::new());
    for (neighbourhood, centre) in centres.iter().enumerate() {
        for building in 0..BUILDINGS {
            let at = around(chance, *centre, 0.3);
            for _ in 0..3 + chance.below(5) {
                let trade = chance.pick(&[0.25, 0.2, 0.2, 0.15, 0.12, 0.08]);
                let (x_km, y_km) = around(chance, at, 0.02);
                shops.push(Shop {
                    id: shops.len(),
                    x_km,
                    y_km,
                    popularity: libm::exp(0.8 * chance.normal()),
                    typical_won: TICKETS[trade] * libm::exp(0.3 * chance.normal()),
                });
                lie.push(neighbourhood * BUILDINGS + building);
                trades.push(trade);
            }
        }
    }
    (shops, lie, trades)
}

fn groups(
    chance: &mut Chance,
    regime: &Regime,
    centres: &[Point],
    lie: &[usize],
    trades: &[usize],
) -> Vec<Group> {
    /// The rates, months and minimums of a reach.
    struct Reach(&'static str, (f64, f64), (f64, f64), [f64; 3]);
    const BUILDING: Reach = Reach("building", (0.05, 0.10), (3.0, 12.0), [500.0, 1_000.0, 3_000.0]);
    const STREET: Reach = Reach("street", (0.03, 0.05), (6.0, 24.0), [1_000.0, 3_000.0, 5_000.0]);
    const DISTRICT: Reach = Reach("district", (0.02, 0.03), (12.0, 36.0), [1_000.0, 3_000.0, 5_000.0]);
    const TRADE: Reach = Reach("trade_or_city", (0.01, 0.025), (24.0, 60.0), [1_000.0, 3_000.0, 5_000.0]);
    const CITY: Reach = Reach("trade_or_city", (0.01, 0.02), (36.0, 60.0), [1_000.0, 3_000.0, 5_000.0]);

    let mut groups: Vec<Group> = Vec::new();
    let mut add = |chance: &mut Chance, Reach(scope, rates, months, minimums): Reach, members: Vec<usize>| {
        let rate = rates.0 + (rates.1 - rates.0) * chance.unit();
        let rate = rate * libm::pow(0.03 / rate, regime.pull);
        let months = (months.0 + ((months.1 - months.0 + 1.0) * chance.unit()).floor()).min(months.1);
        let minimum = minimums[chance.below(minimums.len())] * regime.minimum;
        if members.len() > 1 {
            groups.push(Group {
                id: groups.len(),
                scope: scope.to_owned(),
                rate_bp: (rate * 10_000.0).round(),
                validity_days: (months * MONTH * regime.validity).round(),
                minimum: minimum.round(),
                members,
            });
        }
    };
    let some = |chance: &mut Chance, share: f64, of: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..lie.len()).filter(|&shop| of(shop) && chance.unit() < share).collect()
    };
    for building in 0..NEIGHBOURHOODS * BUILDINGS {
        if chance.unit() < 0.65 {
            let members = some(chance, 0.9, &|shop| lie[shop] == building);
            add(chance, BUILDING, members);
        }
    }
    for neighbourhood in 0..NEIGHBOURHOODS {
        let members = some(chance, 0.5, &|shop| lie[shop] / BUILDINGS == neighbourhood);
        add(chance, STREET, members);
    }
    for _ in 0..4 {
        let middle = centres[chance.below(centres.len())];
        let mut near: Vec<usize> = (0..centres.len()).collect();
        near.sort_by(|&a, &b| apart(centres[a], middle).total_cmp(&apart(centres[b], middle)));
        let members = some(chance, 0.45, &|shop| near[..3].contains(&(lie[shop] / BUILDINGS)));
        add(chance, DISTRICT, members);
    }
    for trade in 0..5 {
        let members = some(chance, 0.6, &|shop| trades[shop] == trade);
        add(chance, TRADE, members);
    }
    let members = some(chance, 0.45, &|_| true);
    add(chance, CITY, members);
    groups
}

/// A buyer has a home and a place of work, likes few shops much, drops one every 45 days for another, and moves now and then.
fn buyer(
    chance: &mut Chance,
    regime: &Regime,
    centres: &[Point],
    shops: &[Shop],
    id: usize,
    watch: &mut dyn FnMut(&Visit, &[f64]),
) -> Buyer {
    let a_day = 2.9 / 7.0 * regime.visits * chance.gamma(4.5) / 4.5;
    let somewhere = |chance: &mut Chance| {
        let centre = centres[chance.below(centres.len())];
        around(chance, centre, 0.4)
    };
    let (mut home, mut work) = (somewhere(chance), somewhere(chance));
    let mut liking: Vec<f64> = shops.iter().map(|_| chance.gamma(0.2)).collect();
    let near = |home: Point, work: Point| -> Vec<f64> {
        let close = |shop: &Shop, to: Point| libm::exp(-apart((shop.x_km, shop.y_km), to) / 0.8);
        shops
            .iter()
            .map(|shop| shop.popularity * (close(shop, home) + 0.7 * close(shop, work) + 0.01))
            .collect()
    };
    let weights =
        |near: &[f64], liking: &[f64]| -> Vec<f64> { near.iter().zip(liking).map(|(a, b)| a * b).collect() };
    let mut place = near(home, work);
    let mut weight = weights(&place, &liking);
    let (mut now, mut next_drop, mut next_move) = (0.0, 45.0 * chance.wait(), 700.0 * chance.wait());
    let mut visits = Vec::new();
    loop {
        now += chance.wait() / a_day;
        if now > DAYS.1 {
            break;
        }
        while next_drop < now {
            let (dropped, taken) = (chance.pick(&weight), chance.pick(&place));
            liking.swap(dropped, taken);
            weight = weights(&place, &liking);
            next_drop += 45.0 * chance.wait();
        }
        while next_move < now {
            if chance.unit() < 0.5 {
                home = somewhere(chance);
            } else {
                work = somewhere(chance);
            }
            place = near(home, work);
            weight = weights(&place, &liking);
            next_move += 700.0 * chance.wait();
        }
        let shop = chance.pick(&weight);
        let won =
            (shops[shop].typical_won * libm::exp(0.45 * chance.normal()) / 100.0).round().max(5.0) * 100.0;
        let visit = Visit { t_days: now, shop, won, attentive: chance.unit() < 0.75 };
        watch(&visit, &weight);
        visits.push(visit);
    }
    Buyer { id, decide_until_days: DAYS.0, visits }
}

fn around(chance: &mut Chance, at: Point, spread: f64) -> Point {
    (at.0 + spread * chance.normal(), at.1 + spread * chance.normal())
}

fn apart(a: Point, b: Point) -> f64 {
    libm::hypot(a.0 - b.0, a.1 - b.1)
}
