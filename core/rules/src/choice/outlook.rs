//! What mileage of one group is going to be used, in closed form: how long its balance takes to reach the minimum at the
//! pace at which the buyer earns there, how long they then take to use it, and how likely both are over before it expires.
//!
//! What goes in is counted; how much it counts was searched for, as what lets the buyers of generated towns use the most
//! ([`CONSTANTS`], docs/decisions/0019-choice.md).

use super::around::{Around, Earning, Offer};

/// What is hoped for within so many days counts; what comes later does not.
const HORIZON: f64 = 450.0;
/// Memory of visits, in days, by which rates are uncertain.
const MEMORY: f64 = 158.0;
/// A pace of so little a day is none.
const NEVER: f64 = 1e-6;

/// Units that can be used until a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lot {
    /// Days from now until it expires; above zero.
    pub days: f64,
    /// Its units.
    pub units: f64,
}

/// A group as seen from a purchase at one of its shops.
pub struct Question<'a> {
    /// The shops around.
    pub around: &'a Around,
    /// Visits a day, by shop. ([`super::visits::rates`])
    pub rates: &'a [f64],
    /// How likely mileage that can be used is used.
    pub attentive: f64,
    /// The share of a shop's purchases that goes to a group by habit: shop, group.
    pub habit: &'a dyn Fn(usize, usize) -> f64,
    /// The group.
    pub group: usize,
    /// What the buyer has in it, soonest expiry first.
    pub lots: &'a [Lot],
    /// The shop.
    pub shop: usize,
    /// What the purchase would earn, in units.
    pub earns: f64,
}

/// What is to be expected, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outlook {
    /// What is used more because of this purchase.
    pub used: f64,
    /// What puts groups in order: this purchase, and the next ones that go where it goes.
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
    /// How uncertain rates are, as the variance of one that was seen once.
    pub doubt: f64,
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

/// What comes true of what was reckoned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Of what this purchase earns.
    pub own: f64,
    /// Of older mileage that this purchase helps over the minimum.
    pub helped: f64,
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

/// Found by `cargo run --release -p moa-selection --example search worth`, then `used`; rounded to three digits.
pub const CONSTANTS: Constants = Constants {
    worth: Pace { by_habit: 0.227, all: 0.0961, here: 0.0864, lump: 2.28, doubt: 0.123 },
    lasting: Lasting { by_habit: 1.02, all: 0.115, minimum: 0.306, validity: 0.502, weight: 0.737 },
    used: Pace { by_habit: 0.189, all: 0.217, here: 0.0857, lump: 7.12, doubt: 0.132 },
    truth: Truth { own: 0.95, helped: 2.2 },
};

/// What a group's members are to the buyer, a day.
struct Tally {
    /// All visits.
    visits: f64,
    /// Those at which mileage is used if it can be.
    attentive: f64,
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
        // No more is used than the members are paid until it expires.
        let most = tally.spent * self.attentive * offer.days.min(HORIZON) / offer.unit;
        let (own, helped) = self.this(offer, &tally, &constants.worth);
        let worth =
            (self.earns * own).min(most) + helped + self.earns.min(most) * next(offer, &tally, constants);
        let (own, helped) = self.this(offer, &tally, &constants.used);
        // Older mileage is used once at most.
        let balance: f64 = self.lots.iter().map(|lot| lot.units).sum();
        let helped = (constants.truth.helped * helped).min(balance);
        let used = (constants.truth.own * own * self.earns).min(most) + helped;
        Outlook { used: used * offer.unit, worth: worth.max(0.0) * offer.unit }
    }

    fn tally(&self, offer: &Offer) -> Tally {
        let (mut visits, mut spent, mut by_habit, mut all) = (0.0, 0.0, 0.0, 0.0);
        for &member in &offer.members {
            let (rate, ticket) = (self.rates[member], self.around.shops()[member].ticket);
            let units = rate * offer.yields(ticket);
            visits += rate;
            spent += rate * ticket;
            all += units;
            by_habit += units * (self.habit)(member, self.group);
        }
        let here = self.rates[self.shop] * offer.yields(self.around.shops()[self.shop].ticket);
        let share = (self.habit)(self.shop, self.group);
        let attentive = (visits * self.attentive).max(NEVER);
        Tally { visits, attentive, spent, by_habit, all, here, share }
    }

    /// How likely this purchase's units are used, and how many of the older ones because of them: those that they help over
    /// the minimum in time.
    fn this(&self, offer: &Offer, tally: &Tally, pace: &Pace) -> (f64, f64) {
        let units = pace.by_habit * tally.by_habit + pace.all * tally.all + pace.here * tally.here;
        let balance: f64 = self.lots.iter().map(|lot| lot.units).sum();
        let lacking = |need: f64| Chance::new(tally, pace, units, need);
        let with = lacking(offer.minimum - balance - self.earns);
        let without = lacking(offer.minimum - balance);
        let usable = lacking(0.0);
        let helped = |lot: &Lot| {
            let days = lot.days.min(HORIZON);
            // What still lacks something is not used sooner than what lacks nothing.
            let most = usable.within(days);
            lot.units * (with.within(days).min(most) - without.within(days).min(most)).max(0.0)
        };
        let days = offer.days.min(HORIZON);
        (with.within(days).min(usable.within(days)), self.lots.iter().map(helped).sum())
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
    let used = |units: f64| {
        let chance = Chance::new(tally, pace, units, lasting.minimum * offer.minimum);
        units * chance.within(lasting.validity * offer.days.min(HORIZON))
    };
    lasting.weight * (used(others + tally.here) - used(others)) / tally.here
}

/// How long until mileage is used: a gamma distribution, by the transformation of Wilson and Hilferty (1931).
struct Chance {
    mean: f64,
    middle: f64,
    steep: f64,
}

impl Chance {
    /// A balance that lacks `need` and grows by `units` a day; then an attentive visit.
    fn new(tally: &Tally, pace: &Pace, units: f64, need: f64) -> Self {
        let (units, need) = (units.max(NEVER), need.max(0.0));
        let lump = pace.lump * tally.all / tally.visits.max(NEVER);
        let wait = 1.0 / tally.attentive;
        let mean = need / units + wait;
        let doubt = pace.doubt / (tally.visits * MEMORY + 0.2);
        let variance = need * lump / (units * units) + wait * wait + mean * mean * doubt;
        let shape = mean * mean / variance;
        Self { mean, middle: 1.0 - 1.0 / (9.0 * shape), steep: LOGISTIC * 3.0 * libm::sqrt(shape) }
    }

    /// The probability that it is over within so many days.
    fn within(&self, days: f64) -> f64 {
        let deviate = (libm::cbrt(days / self.mean) - self.middle) * self.steep;
        1.0 / (1.0 + libm::exp(-deviate))
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
            rates: &[1.0 / 7.0; 2],
            attentive: 0.75,
            habit: &|_, _| habit,
            group: 0,
            lots,
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
            outlooks(&|step| answer(&group(20.0 + 40.0 * step, 3_000.0), &[], 0.5)),
            outlooks(&|step| answer(&group(90.0, 5_000.0 - 600.0 * step), &[], 0.5)),
            outlooks(&|step| answer(&group(90.0, 3_000.0), &[], 0.125 * step)),
        ];
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
                rates: &[1.0 / 7.0; 2],
                attentive: 0.75,
                habit: &|_, _| 0.5,
                group: 0,
                lots: &[],
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
        let with = |units: f64, days: f64| answer(&around, &[Lot { days, units }], 0.5).used;
        let alone = answer(&around, &[], 0.5).used;
        // 2,600 lack 400 and would expire before they come; 3,000 lack nothing.
        assert!(with(2_600.0, 8.0) > alone + 500.0, "{} {alone}", with(2_600.0, 8.0));
        assert!((with(3_000.0, 8.0) - with(9_000.0, 8.0)).abs() < 1e-9);
        assert!(with(3_000.0, 8.0) < 500.0);
        // The day before it expires nobody comes any more.
        assert!(with(2_600.0, 0.1) < with(2_600.0, 8.0) / 2.0);
    }
}
