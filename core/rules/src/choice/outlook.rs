//! What mileage of one group is going to be used, in closed form: how long its balance takes to reach the minimum at the
//! pace at which the buyer earns there, how long they then take to use it, and how likely both are over before it expires.
//! How often the buyer comes is uncertain, and turns to what is usual as likings are lost.
//!
//! What goes in is counted; how much it counts was searched for, as what lets the buyers of generated towns use the most
//! ([`CONSTANTS`], docs/decisions/choice.md).

use super::around::{Around, Earning, Offer};
use super::visits::Rate;

/// Standard normal deviates in the middle of quarters of equal probability.
const QUARTERS: [f64; 4] = [-1.150_349, -0.318_639, 0.318_639, 1.150_349];
/// A pace of so little a day is none.
const NEVER: f64 = 1e-6;
/// A part of so little is none.
const FEW: f64 = 1e-3;
/// The logarithm of odds is held between this below zero and this above: what is further out tells nothing more.
const CERTAIN: f64 = 12.0;

/// Units that can be used until a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lot {
    /// Days from now until it expires; above zero.
    pub days: f64,
    /// Its units.
    pub units: f64,
}

/// A purchase that the buyer means to make at a member of the group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due {
    /// Days from now.
    pub days: f64,
    /// What it is going to come to, in minor units.
    pub amount: f64,
}

/// A group as seen from a purchase at one of its shops.
pub struct Question<'a> {
    /// The shops around.
    pub around: &'a Around,
    /// How often each shop is going to be visited. ([`super::visits::rates`])
    pub rates: &'a [Rate],
    /// How likely mileage that can be used is used.
    pub attentive: f64,
    /// The share of a shop's purchases that goes to a group by habit: shop, group.
    pub habit: &'a dyn Fn(usize, usize) -> f64,
    /// The group.
    pub group: usize,
    /// What the buyer has in it, soonest expiry first.
    pub lots: &'a [Lot],
    /// What the buyer means to buy from its members.
    pub due: &'a [Due],
    /// The shop.
    pub shop: usize,
    /// What the purchase would earn, in units.
    pub earns: f64,
}

/// What is to be expected, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outlook {
    /// What is going to be used of what this purchase earns.
    pub used: f64,
    /// What puts groups in order: this purchase, older mileage that it helps, and the next ones that go where it goes.
    pub worth: f64,
}

/// How much of what a buyer could earn in a group counts as the pace at which they do, and how steady it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Of what all members' purchases earn there by habit.
    pub by_habit: f64,
    /// Of what they would earn if all of them went there.
    pub all: f64,
    /// Of what this shop's would earn if all of them went there.
    pub here: f64,
    /// What comes at a time, in usual purchases.
    pub lump: f64,
    /// How sure rates are, against the visits that they are from.
    pub sure: f64,
    /// How likely a liking is lost, a day.
    pub lost: f64,
    /// What is hoped for within so many days counts; what comes later does not.
    pub horizon: f64,
}

/// What this shop's purchases add to a group in the long run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lasting {
    /// Of what the other members' purchases earn there by habit.
    pub by_habit: f64,
    /// Of what they would earn if all of them went there.
    pub all: f64,
    /// The part of the minimum that is usually still to come.
    pub minimum: f64,
    /// The part of the validity that is usually left.
    pub validity: f64,
    /// How much the long run counts against this purchase.
    pub weight: f64,
}

/// What bears on whether mileage is used, in the order of [`Truth`].
pub type Signs = [f64; 7];

/// What comes true of a chance that was reckoned: the logarithm of its odds is a sum of [`Signs`], each times one of these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Of one.
    pub level: f64,
    /// Of the logarithm of the odds that were reckoned.
    pub slope: f64,
    /// Of the same where they are better than even.
    pub above: f64,
    /// Of the logarithm of how often all that is bought at the members until it expires would reach the minimum.
    pub flow: f64,
    /// Of the logarithm of the purchases a day, wherever they are.
    pub often: f64,
    /// Of one where the balance lacks something.
    pub lacking: f64,
    /// Of how likely it would be used if the balance lacked nothing.
    pub usable: f64,
}

/// What was searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    /// For the worth of this purchase.
    pub worth: Pace,
    /// For the worth of the next ones.
    pub lasting: Lasting,
    /// For what is expected to be used, which is to come true rather than to choose well.
    pub used: Pace,
    /// And what comes true of it.
    pub truth: Truth,
}

/// Found by `cargo run --release -p moa-selection --example search worth`, then `used`, then `truth`; rounded to three digits.
pub const CONSTANTS: Constants = Constants {
    worth: Pace {
        by_habit: 0.54,
        all: 0.0635,
        here: 0.107,
        lump: 1.86,
        sure: 0.756,
        lost: 0.0021,
        horizon: 426.0,
    },
    lasting: Lasting { by_habit: 1.01, all: 0.0918, minimum: 0.421, validity: 0.63, weight: 0.511 },
    used: Pace {
        by_habit: 0.292,
        all: 0.133,
        here: 0.116,
        lump: 2.59,
        sure: 1.01,
        lost: 0.00198,
        horizon: 563.0,
    },
    truth: Truth {
        level: -0.519,
        slope: 0.517,
        above: -0.195,
        flow: 0.239,
        often: 0.306,
        lacking: -0.914,
        usable: 1.73,
    },
};

/// What a group's members are to the buyer, a day.
struct Tally {
    /// All visits.
    visits: f64,
    /// What they become.
    usual: f64,
    /// How sure they are.
    shape: f64,
    /// Those at which mileage is used if it can be.
    attentive: f64,
    /// All visits to all shops.
    often: f64,
    /// What is paid there, in minor units.
    spent: f64,
    /// The units of all purchases by habit.
    by_habit: f64,
    /// The units of all purchases, if they went there.
    all: f64,
    /// The units of this shop's purchases, if they went there.
    here: f64,
    /// The share of this shop's purchases that goes there by habit.
    share: f64,
}

impl Question<'_> {
    /// What is to be expected if the purchase goes to the group.
    pub fn answer(&self, constants: &Constants) -> Outlook {
        if self.earns <= 0.0 {
            return Outlook::default();
        }
        let offer = &self.around.groups()[self.group];
        let tally = self.tally(offer);
        let most = self.most(offer, &tally, constants.worth.horizon);
        let (own, helped) = self.this(offer, &tally, &constants.worth, |chance, usable, clock| {
            chance.used(clock).min(usable.used(clock))
        });
        let worth =
            (self.earns * own).min(most) + helped + self.earns.min(most) * next(offer, &tally, constants);
        let (own, _) = self.this(offer, &tally, &constants.used, |chance, usable, clock| {
            constants.truth.of(&self.signs_of(offer, &tally, chance, usable, clock))
        });
        let used = (self.earns * own).min(most);
        Outlook { used: used * offer.unit, worth: worth.max(0.0) * offer.unit }
    }

    /// What bears on whether what this purchase earns is used.
    pub fn signs(&self, constants: &Constants) -> Signs {
        let offer = &self.around.groups()[self.group];
        let (tally, pace) = (self.tally(offer), &constants.used);
        let lacking = |need: f64| Chance::new(&tally, pace, need);
        let with = lacking(offer.minimum - self.balance() - self.earns);
        self.signs_of(offer, &tally, &with, &lacking(0.0), tally.clock(pace, offer.days))
    }

    fn signs_of(&self, offer: &Offer, tally: &Tally, chance: &Chance, usable: &Chance, clock: f64) -> Signs {
        let usable = usable.used(clock);
        // What still lacks something is not used sooner than what lacks nothing.
        let used = chance.used(clock).min(usable);
        let odds = libm::log(used / (1.0 - used)).clamp(-CERTAIN, CERTAIN);
        let flow = tally.all * offer.days / offer.minimum.max(self.earns);
        let lacking = f64::from(u8::from(chance.need > 0.0));
        [
            1.0,
            odds,
            odds.max(0.0),
            libm::log(flow.max(FEW)),
            libm::log(tally.often.max(NEVER)),
            lacking,
            usable,
        ]
    }

    fn balance(&self) -> f64 {
        self.lots.iter().map(|lot| lot.units).sum()
    }

    /// The most that can be used until it expires, in units: what the members are going to be paid.
    fn most(&self, offer: &Offer, tally: &Tally, horizon: f64) -> f64 {
        let due = self.due.iter().filter(|due| due.days <= offer.days).map(|due| due.amount);
        let habitual = tally.spent * self.attentive * offer.days.min(horizon);
        (habitual + due.sum::<f64>()) / offer.unit
    }

    fn tally(&self, offer: &Offer) -> Tally {
        let (mut visits, mut usual, mut variance) = (0.0, 0.0, 0.0);
        let (mut spent, mut by_habit, mut all) = (0.0, 0.0, 0.0);
        for &member in &offer.members {
            let (rate, ticket) = (self.rates[member], self.around.shops()[member].ticket);
            let units = rate.daily * offer.yields(ticket);
            visits += rate.daily;
            usual += rate.usual;
            variance += rate.daily * rate.daily / rate.shape;
            spent += rate.daily * ticket;
            all += units;
            by_habit += units * (self.habit)(member, self.group);
        }
        let here = self.rates[self.shop].daily * offer.yields(self.around.shops()[self.shop].ticket);
        let share = (self.habit)(self.shop, self.group);
        let attentive = (visits * self.attentive).max(NEVER);
        let often = self.rates.iter().map(|rate| rate.daily).sum();
        let shape = visits * visits / variance.max(NEVER * NEVER);
        Tally { visits, usual, shape, attentive, often, spent, by_habit, all, here, share }
    }

    /// How likely this purchase's units are used, and how many of the older ones because of them: those that they help over
    /// the minimum in time. `true_of` says what comes true for usual visits of a chance, given that of what lacks nothing, in
    /// so many days; what is due is sure.
    fn this(
        &self,
        offer: &Offer,
        tally: &Tally,
        pace: &Pace,
        true_of: impl Fn(&Chance, &Chance, f64) -> f64,
    ) -> (f64, f64) {
        let balance = self.balance();
        let lacking = |need: f64| Chance::new(tally, pace, need);
        let with = lacking(offer.minimum - balance - self.earns);
        let usable = lacking(0.0);
        let within = |chance: &Chance, days: f64| {
            let usual = true_of(chance, &usable, tally.clock(pace, days));
            let not_due = |due: &Due| 1.0 - self.attentive * chance.reached(tally.clock(pace, due.days));
            let due = self.due.iter().filter(|due| due.days <= days);
            1.0 - (1.0 - usual) * due.map(not_due).product::<f64>()
        };
        let without = lacking(offer.minimum - balance);
        let helped = |lot: &Lot| lot.units * (within(&with, lot.days) - within(&without, lot.days)).max(0.0);
        // What lacks nothing needs no help.
        let lots = if without.need > 0.0 { self.lots } else { &[] };
        (within(&with, offer.days), lots.iter().map(helped).sum())
    }
}

/// What is used more in the long run, of each unit that the shop's purchases earn, if all of them go there than if none do.
fn next(offer: &Offer, tally: &Tally, constants: &Constants) -> f64 {
    let Constants { lasting, worth: pace, .. } = constants;
    if tally.here <= 0.0 {
        return 0.0;
    }
    let others = lasting.by_habit * (tally.by_habit - tally.here * tally.share).max(0.0)
        + lasting.all * (tally.all - tally.here).max(0.0);
    let days = tally.clock(pace, lasting.validity * offer.days);
    let used =
        |units: f64| units * Chance::at(tally, pace, units, lasting.minimum * offer.minimum).used(days);
    lasting.weight * (used(others + tally.here) - used(others)) / tally.here
}

impl Tally {
    /// Days at the pace of now in which as much happens as in so many at a pace that turns to what is usual.
    fn clock(&self, pace: &Pace, days: f64) -> f64 {
        let days = days.min(pace.horizon);
        let kept = (1.0 - libm::exp(-pace.lost * days)) / pace.lost;
        let usual = self.usual / self.visits.max(NEVER);
        kept + usual * (days - kept)
    }
}

impl Truth {
    /// From weights in the order of [`Signs`].
    pub fn new([level, slope, above, flow, often, lacking, usable]: Signs) -> Self {
        Self { level, slope, above, flow, often, lacking, usable }
    }

    /// How likely mileage is used of which these are the signs.
    pub fn of(&self, signs: &Signs) -> f64 {
        let Self { level, slope, above, flow, often, lacking, usable } = self;
        let weights = [level, slope, above, flow, often, lacking, usable];
        let told: f64 = weights.iter().zip(signs).map(|(weight, sign)| *weight * sign).sum();
        1.0 / (1.0 + libm::exp(-told))
    }
}

/// How long until mileage is used. How often the buyer comes is uncertain, a gamma distribution cut in quarters; given that, how
/// long it takes is one too.
struct Chance {
    /// What the balance lacks.
    need: f64,
    /// Until the balance reaches the minimum.
    reached: Delay,
    /// And then is used.
    used: Delay,
    /// Cube roots of how often the buyer comes, against what is expected.
    paces: [f64; 4],
}

impl Chance {
    /// A balance that lacks `need`, at the pace at which this buyer earns; then an attentive visit.
    fn new(tally: &Tally, pace: &Pace, need: f64) -> Self {
        let units = pace.by_habit * tally.by_habit + pace.all * tally.all + pace.here * tally.here;
        Self::at(tally, pace, units, need)
    }

    /// The same for a balance that grows by `units` a day.
    fn at(tally: &Tally, pace: &Pace, units: f64, need: f64) -> Self {
        let (units, need) = (units.max(NEVER), need.max(0.0));
        let lump = pace.lump * tally.all / tally.visits.max(NEVER);
        let wait = 1.0 / tally.attentive;
        let (mean, variance) = (need / units, need * lump / (units * units));
        let ninths = 9.0 * (tally.shape * pace.sure).max(0.01);
        let side = 1.0 / libm::sqrt(ninths);
        Self {
            need,
            reached: Delay::new(mean, variance),
            used: Delay::new(mean + wait, variance + wait * wait),
            paces: QUARTERS.map(|deviate| (1.0 - 1.0 / ninths + deviate * side).max(0.0)),
        }
    }

    /// The probability that the balance reaches the minimum within so many days.
    fn reached(&self, days: f64) -> f64 {
        if self.need > 0.0 { self.within(&self.reached, days) } else { 1.0 }
    }

    /// The probability that it is used within so many days.
    fn used(&self, days: f64) -> f64 {
        self.within(&self.used, days)
    }

    fn within(&self, delay: &Delay, days: f64) -> f64 {
        let root = libm::cbrt(days / delay.mean);
        self.paces.iter().map(|pace| delay.over(root * pace)).sum::<f64>() / 4.0
    }
}

/// A gamma distribution, by the transformation of Wilson and Hilferty (1931).
struct Delay {
    mean: f64,
    middle: f64,
    steep: f64,
}

impl Delay {
    fn new(mean: f64, variance: f64) -> Self {
        let shape = mean * mean / variance;
        Self { mean, middle: 1.0 - 1.0 / (9.0 * shape), steep: LOGISTIC * 3.0 * libm::sqrt(shape) }
    }

    /// The probability that it is over, given the cube root of the time as a part of the mean.
    fn over(&self, root: f64) -> f64 {
        1.0 / (1.0 + libm::exp((self.middle - root) * self.steep))
    }
}

/// A normal deviate times this is a logistic one, nearly.
const LOGISTIC: f64 = 1.7;

impl Offer {
    /// The units that purchases of `amount` earn on average, before they are rounded.
    fn yields(&self, amount: f64) -> f64 {
        match self.earning {
            Earning::Share(rate) => rate * amount / (10_000.0 * self.unit),
            Earning::Each(per) => amount / per,
            Earning::Visit(_) => self.earns(amount),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::around::Spot;
    use super::*;

    /// One group of two shops, one purchase a week at each; ten thousand each time, of which 5 % come back.
    fn group(days: f64, minimum: f64) -> Around {
        let spot = Spot { at: None, ticket: 10_000.0, popularity: 1.0 };
        let earning = Earning::Share(500.0);
        let offer = Offer { earning, unit: 1.0, days, minimum, step: 1.0, members: vec![0, 1] };
        Around::new(vec![spot; 2], vec![offer])
    }

    fn answer(around: &Around, lots: &[Lot], habit: f64) -> Outlook {
        let question = Question {
            around,
            rates: &[Rate { daily: 1.0 / 7.0, usual: 1.0 / 7.0, shape: 20.0 }; 2],
            attentive: 0.75,
            habit: &|_, _| habit,
            group: 0,
            lots,
            due: &[],
            shop: 0,
            earns: 500.0,
        };
        question.answer(&CONSTANTS)
    }

    #[test]
    fn more_is_used_of_what_can_be_used_longer_has_less_to_reach_and_is_earned_by_habit() {
        let outlooks =
            |of: &dyn Fn(f64) -> Outlook| -> Vec<Outlook> { (0..9).map(f64::from).map(of).collect() };
        let rising = [
            outlooks(&|step| answer(&group(20.0 + 20.0 * step, 3_000.0), &[], 0.5)),
            outlooks(&|step| answer(&group(90.0, 5_000.0 - 500.0 * step), &[], 0.5)),
            outlooks(&|step| answer(&group(90.0, 3_000.0), &[], 0.125 * step)),
        ];
        // Where all would be used anyway, a purchase helps no other: there its worth falls a little again.
        for outlooks in rising {
            assert!(outlooks.is_sorted_by(|a, b| a.used < b.used && a.worth < b.worth), "{outlooks:?}");
            assert!(outlooks.iter().all(|it| it.used > 0.0 && it.used < 500.0), "{outlooks:?}");
        }
    }

    #[test]
    fn no_more_is_used_than_is_bought_before_it_expires() {
        let of = |days: f64| {
            let around = group(days, 0.0);
            let question = Question {
                around: &around,
                rates: &[Rate { daily: 1.0 / 7.0, usual: 1.0 / 7.0, shape: 20.0 }; 2],
                attentive: 0.75,
                habit: &|_, _| 0.5,
                group: 0,
                lots: &[],
                due: &[],
                shop: 0,
                earns: 10_000_000.0,
            };
            question.answer(&CONSTANTS)
        };
        // Two purchases a week of ten thousand, three in four of them with mileage.
        let (half, whole) = (of(182.0), of(364.0));
        assert!(half.used <= 26.0 * 2.0 * 7_500.0 && half.used > 26.0 * 2.0 * 7_000.0, "{half:?}");
        assert!(
            (whole.used / half.used - 2.0).abs() < 0.01 && whole.worth > half.worth,
            "{half:?} {whole:?}"
        );
    }

    #[test]
    fn mileage_that_would_expire_is_helped_over_the_minimum_and_what_is_usable_needs_no_help() {
        let around = group(90.0, 3_000.0);
        let with = |units: f64, days: f64| answer(&around, &[Lot { days, units }], 0.5);
        // 2,600 lack 400 and would expire before they come; 3,000 lack nothing.
        let help = |days: f64| with(2_600.0, days).worth - with(3_000.0, days).worth;
        assert!(help(8.0) > 500.0, "{}", help(8.0));
        assert_eq!(with(3_000.0, 8.0), with(9_000.0, 8.0));
        // What this purchase earns can be used at once either way, and no more of it than there is.
        assert!((with(2_600.0, 8.0).used - with(3_000.0, 8.0).used).abs() < 1e-9);
        assert!(with(3_000.0, 8.0).used > answer(&around, &[], 0.5).used && with(3_000.0, 8.0).used < 500.0);
        // The day before it expires nobody comes any more.
        assert!(help(0.1) < help(8.0) / 2.0, "{}", help(0.1));
    }
}
