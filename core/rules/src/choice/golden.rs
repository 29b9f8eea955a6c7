//! Decisions that come out the same to the bit wherever they are taken: made-up shops, groups and buyers from a seed, each
//! purchase weighed and followed as a phone would. `core/rules/tests/choice/decisions.txt` holds ten thousand of them, and
//! Rust, Kotlin and Swift are held against it.

use std::fmt::Write as _;

use super::around::{Around, Earning, Offer, Spot};
use super::outlook::Lot;
use super::visits::{Seen, Total};
use super::weigh::{Plan, Purchase, Reason, Weighed, first_habit, habit, weigh};

/// Purchases of one buyer in one town; then come others.
const PURCHASES: usize = 40;
/// The most plans of one buyer.
const PLANS: usize = 4;
/// So many days before its day a plan is fulfilled by a purchase at its shop, and so many after it is given up.
const EARLY: f64 = 3.0;
const LATE: f64 = 7.0;

/// The first `count` decisions, a line each: `shop amount`, then the shop's groups, best first, after a semicolon each:
/// `group earns expected-use worth`, the worth as the sixteen hexadecimal digits of its bits, and the reasons.
pub fn decisions(count: usize) -> impl Iterator<Item = String> {
    let mut buyers = 0;
    let mut buyer = Buyer::new(buyers);
    (0..count).map(move |number| {
        if number > 0 && number % PURCHASES == 0 {
            buyers += 1;
            buyer = Buyer::new(buyers);
        }
        buyer.buy()
    })
}

/// A buyer in a town of their own, with what a phone keeps.
struct Buyer {
    source: Source,
    /// For the plans alone.
    whims: Source,
    around: Around,
    seen: Vec<(usize, Seen)>,
    total: Total,
    /// By shop, the groups in the order of [`Around::of`].
    habits: Vec<Vec<f64>>,
    usual: Vec<Option<usize>>,
    /// By group, soonest expiry first; days on the scale of `now`.
    lots: Vec<Vec<Lot>>,
    /// Soonest first; days on the scale of `now`.
    plans: Vec<Plan>,
    now: f64,
}

impl Buyer {
    fn new(number: u64) -> Self {
        let mut source = Source::new(number);
        let shops: Vec<Spot> = (0..3 + source.below(30)).map(|_| spot(&mut source)).collect();
        let groups = (0..=source.below(8)).map(|_| offer(&mut source, shops.len())).collect();
        let around = Around::new(shops, groups);
        let habits = (0..around.shops().len())
            .map(|shop| around.of(shop).iter().map(|&group| first_habit(&around, shop, group)).collect())
            .collect();
        Self {
            source,
            whims: Source::new(!number),
            seen: Vec::new(),
            total: Total::default(),
            habits,
            usual: vec![None; around.shops().len()],
            lots: vec![Vec::new(); around.groups().len()],
            plans: Vec::new(),
            now: 20_000.0,
            around,
        }
    }

    /// One purchase: what it says on its line.
    fn buy(&mut self) -> String {
        let source = &mut self.source;
        self.now += source.unit() * if source.below(12) == 0 { 90.0 } else { 6.0 };
        // Half of the purchases are at three shops.
        let among = if source.below(2) == 0 { 3 } else { self.around.shops().len() };
        let shop = source.below(among);
        let amount = (self.around.shops()[shop].ticket * (0.3 + 1.7 * source.unit())).floor();
        let amount = match source.below(60) {
            0 => 0.0,
            1 => amount * 1_000_000.0,
            _ => amount,
        };
        let attentive = source.below(4) > 0;
        match self.seen.iter_mut().find(|(index, _)| *index == shop) {
            Some((_, seen)) => *seen = seen.again(self.now, amount),
            None => self.seen.push((shop, Seen::first(self.now, amount))),
        }
        self.plan(shop);
        let used = self.use_mileage(shop, attentive);
        self.total = self.total.again(self.now, used);
        let weighed = self.weigh(shop, amount);
        if let Some(best) = weighed.first() {
            self.follow(shop, best);
        }
        line(shop, amount, &weighed)
    }

    /// Drops the plan that a purchase at this shop fulfils and those that are long past, and makes one now and then.
    fn plan(&mut self, shop: usize) {
        let now = self.now;
        self.plans.retain(|plan| plan.days + LATE >= now);
        let fulfilled = self.plans.iter().position(|plan| plan.shop == shop && plan.days - EARLY <= now);
        fulfilled.map(|place| self.plans.remove(place));
        if self.whims.below(8) > 0 || self.plans.len() >= PLANS {
            return;
        }
        let shop = self.whims.below(self.around.shops().len());
        let days = now + (200.0 * self.whims.unit()).floor();
        let amount = (self.around.shops()[shop].ticket * (0.5 + 4.0 * self.whims.unit())).floor();
        self.plans.push(Plan { shop, days, amount });
        self.plans.sort_by(|a, b| a.days.total_cmp(&b.days));
    }

    fn weigh(&mut self, shop: usize, amount: f64) -> Vec<Weighed> {
        let now = self.now;
        for lots in &mut self.lots {
            lots.retain(|lot| lot.days > now && lot.units > 0.0);
        }
        let from_now: Vec<Vec<Lot>> = self
            .lots
            .iter()
            .map(|lots| lots.iter().map(|lot| Lot { days: lot.days - now, ..*lot }).collect())
            .collect();
        let plans: Vec<Plan> =
            self.plans.iter().map(|plan| Plan { days: (plan.days - now).max(0.0), ..*plan }).collect();
        let Self { around, habits, seen, total, usual, .. } = self;
        let by_habit = |shop: usize, group: usize| {
            let place = around.of(shop).iter().position(|&other| other == group);
            place.map_or(0.0, |place| habits[shop][place])
        };
        let purchase = Purchase {
            around,
            seen,
            total,
            habit: &by_habit,
            lots: &|group: usize| from_now[group].as_slice(),
            plans: &plans,
            shop,
            amount,
            now,
            usual: usual[shop],
        };
        weigh(&purchase)
    }

    /// Uses everything of the first group that can be used, if there is one; whether the buyer did.
    fn use_mileage(&mut self, shop: usize, attentive: bool) -> Option<bool> {
        let balance = |group: usize| self.lots[group].iter().map(|lot| lot.units).sum::<f64>();
        let usable = |group: &usize| balance(*group) >= self.around.groups()[*group].minimum;
        let group = self.around.of(shop).iter().copied().find(usable)?;
        if attentive {
            self.lots[group].clear();
        }
        Some(attentive)
    }

    fn follow(&mut self, shop: usize, best: &Weighed) {
        for (share, &group) in self.habits[shop].iter_mut().zip(self.around.of(shop)) {
            *share = habit(*share, group == best.group);
        }
        self.usual[shop] = Some(best.group);
        let days = self.now + self.around.groups()[best.group].days;
        self.lots[best.group].push(Lot { days, units: best.earns });
    }
}

/// `SplitMix64`. (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
struct Source(u64);

impl Source {
    /// The same number, the same sequence.
    fn new(number: u64) -> Self {
        Self(0x6d6f_6100 ^ number.wrapping_mul(0xd134_2543_de82_ef95))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly in 0..1.
    fn unit(&mut self) -> f64 {
        u32::try_from(self.next() >> 32).map_or(0.0, f64::from) / 4_294_967_296.0
    }

    /// Evenly among `0..count`; `count` above zero.
    fn below(&mut self, count: usize) -> usize {
        let bound = u64::try_from(count).unwrap_or(1).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }
}

/// One shop in eight says no place.
fn spot(source: &mut Source) -> Spot {
    let at = (source.unit() * 8.0, source.unit() * 8.0);
    Spot {
        at: (source.below(8) > 0).then_some(at),
        ticket: (10.0 + 400.0 * source.unit()).floor() * 100.0,
        popularity: 0.2 + 3.0 * source.unit(),
    }
}

/// Mostly points; cards by amount and by visit, and coupons.
fn offer(source: &mut Source, shops: usize) -> Offer {
    let share = 0.15 + 0.75 * source.unit();
    let members = (0..shops).filter(|_| source.unit() < share).collect();
    let days = (20.0 + 700.0 * source.unit()).floor();
    let hundreds =
        |source: &mut Source, least: f64, more: f64| (least + more * source.unit()).floor() * 100.0;
    let (earning, unit, minimum, step) = match source.below(8) {
        0 => (Earning::Each(hundreds(source, 50.0, 100.0)), hundreds(source, 5.0, 10.0), 10.0, 10.0),
        1 => (Earning::Visit(0.0), hundreds(source, 5.0, 20.0), 8.0, 8.0),
        2 => (Earning::Visit(hundreds(source, 50.0, 100.0)), hundreds(source, 5.0, 20.0), 1.0, 1.0),
        _ => (
            Earning::Share((75.0 + 900.0 * source.unit()).floor()),
            1.0,
            hundreds(source, 0.0, 60.0).max(1.0),
            1.0,
        ),
    };
    Offer { earning, unit, days, minimum, step, members }
}

fn line(shop: usize, amount: f64, weighed: &[Weighed]) -> String {
    let mut line = format!("{shop} {amount}");
    for it in weighed {
        let Weighed { group, earns, expected_use, worth, reasons } = it;
        // Writing to a string cannot fail.
        let _ = write!(line, "; {group} {earns} {expected_use} {:016x}", worth.to_bits());
        for reason in reasons {
            let _ = match reason {
                Reason::HigherRate => write!(line, " rate"),
                Reason::LongerValidity => write!(line, " validity"),
                Reason::ShopsYouVisit { shops, monthly_tenths } => {
                    write!(line, " visits:{shops}:{monthly_tenths}")
                }
                Reason::CloseToMinimum { usable, now: true } => write!(line, " usable:{usable}"),
                Reason::CloseToMinimum { usable, now: false } => write!(line, " close:{usable}"),
                Reason::PlannedPurchase { plan } => write!(line, " planned:{plan}"),
            };
        }
    }
    line
}
