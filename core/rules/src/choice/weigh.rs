//! The groups of a shop in the order of what they are worth to one buyer, with the reasons.

use std::cmp::Ordering;

use super::around::Around;
use super::outlook::{CONSTANTS, Constants, Due, Lot, Outlook, Question};
use super::visits::{Rate, Seen, Total, rates};

/// By how much another group must be worth more before the buyer's habit is changed: three parts in a hundred.
const LEAD: f64 = 1.03;
/// How fast the habit at a shop follows what is chosen there.
const HABIT: f64 = 0.12;
/// A shop that is expected at least so often counts as one that the buyer really visits: once in sixty days.
const VISITED: f64 = 1.0 / 60.0;
/// From this share of the minimum on, a balance is close to it.
const CLOSE: f64 = 0.6;

/// Why a group stands where it stands. Several can hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It gives the most of all groups of the shop.
    HigherRate,
    /// Its mileage can be used the longest.
    LongerValidity,
    /// Its members are where the buyer goes most.
    ShopsYouVisit {
        /// The members that the buyer goes to at least once in sixty days.
        shops: u32,
        /// The visits there that are expected in thirty days, in tenths.
        monthly_tenths: u32,
    },
    /// The balance reaches the minimum with this purchase, or is close to it.
    CloseToMinimum {
        /// What becomes usable then, in minor units.
        usable: i64,
        /// Whether it does with this purchase.
        now: bool,
    },
    /// What it earns can be used for a purchase that the buyer plans, which does not hold of every group of the shop.
    PlannedPurchase {
        /// The soonest such plan, as an index of [`Purchase::plans`].
        plan: usize,
    },
}

/// A purchase that the buyer means to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Where, as an index of [`Around::shops`].
    pub shop: usize,
    /// In how many days; 0 for a day that has come.
    pub days: f64,
    /// What it is to come to, in minor units; above zero.
    pub amount: f64,
}

/// A group, weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// The group, as an index of [`Around::groups`].
    pub group: usize,
    /// What the purchase would earn, in units.
    pub earns: f64,
    /// What the buyer is expected to use of that, in minor units, rounded down.
    pub expected_use: i64,
    /// What puts the groups in order: no unit.
    pub worth: f64,
    /// Why; most telling first. Empty for a group that has nothing ahead of the others.
    pub reasons: Vec<Reason>,
}

/// A purchase, and what is known of the buyer.
pub struct Purchase<'a> {
    /// Shops and groups.
    pub around: &'a Around,
    /// The shops visited, this purchase among them.
    pub seen: &'a [(usize, Seen)],
    /// All purchases together, this one among them.
    pub total: &'a Total,
    /// The share of a shop's purchases that goes to a group by habit: shop, group. ([`habit`])
    pub habit: &'a dyn Fn(usize, usize) -> f64,
    /// What the buyer has in a group, soonest expiry first.
    pub lots: &'a dyn Fn(usize) -> &'a [Lot],
    /// What the buyer means to buy, soonest first.
    pub plans: &'a [Plan],
    /// The shop.
    pub shop: usize,
    /// What is left to pay, in minor units.
    pub amount: f64,
    /// The day, on the scale of [`Seen`].
    pub now: f64,
    /// The group that was chosen there last, if any: it keeps its place unless another leads by three parts in a hundred.
    pub usual: Option<usize>,
}

impl Purchase<'_> {
    /// What is asked of one group of the shop, given how often each shop is going to be visited and what is due there.
    pub fn question<'b>(&'b self, visits: &'b [Rate], group: usize, due: &'b [Due]) -> Question<'b> {
        Question {
            around: self.around,
            rates: visits,
            attentive: self.total.attentive(),
            habit: self.habit,
            group,
            lots: (self.lots)(group),
            due,
            shop: self.shop,
            earns: self.around.groups()[group].earns(self.amount),
        }
    }
}

/// What the habit of a shop turns to after a choice: the share of one group.
pub fn habit(before: f64, chosen: bool) -> f64 {
    before + (f64::from(u8::from(chosen)) - before) * HABIT
}

/// The habit at a shop where nothing was chosen yet: everything to the group that gives the most.
pub fn first_habit(around: &Around, shop: usize, group: usize) -> f64 {
    let ticket = around.shops().get(shop).map_or(0.0, |spot| spot.ticket);
    let gives = |group: usize| gives(around, group, ticket);
    let best = around
        .of(shop)
        .iter()
        .copied()
        .reduce(|best, other| if gives(other) > gives(best) { other } else { best });
    f64::from(u8::from(best == Some(group)))
}

/// The groups of the purchase's shop, best for this buyer first; ties to the longer validity, then to the lower index.
pub fn weigh(purchase: &Purchase<'_>) -> Vec<Weighed> {
    let mut visits = Vec::new();
    rates(purchase.around, purchase.seen, purchase.total, purchase.now, &mut visits);
    weigh_by(purchase, &visits, &CONSTANTS)
}

/// The same with rates that are known already, by these constants.
pub fn weigh_by(purchase: &Purchase<'_>, visits: &[Rate], constants: &Constants) -> Vec<Weighed> {
    let Purchase { around, shop, .. } = *purchase;
    let mut weighed: Vec<Weighed> = around
        .of(shop)
        .iter()
        .map(|&group| {
            let offer = &around.groups()[group];
            let due = purchase.plans.iter().filter(|plan| offer.members.contains(&plan.shop));
            let due: Vec<Due> = due.map(|plan| Due { days: plan.days, amount: plan.amount }).collect();
            let question = purchase.question(visits, group, &due);
            let (earns, Outlook { used, worth }) = (question.earns, question.answer(constants));
            // A hair for what is earned decides between groups whose mileage would never be used.
            let worth = worth + 1e-4 * earns * offer.unit;
            Weighed { group, earns, expected_use: won(used), worth, reasons: Vec::new() }
        })
        .collect();
    weighed.sort_by(|a, b| order(around, a, b));
    let usual = weighed.iter().position(|it| Some(it.group) == purchase.usual).filter(|&place| place > 0);
    if let Some(place) = usual.filter(|&place| weighed[0].worth < weighed[place].worth * LEAD) {
        weighed[..=place].rotate_right(1);
    }
    explain(purchase, visits, &mut weighed);
    weighed
}

fn order(around: &Around, a: &Weighed, b: &Weighed) -> Ordering {
    let days = |it: &Weighed| around.groups()[it.group].days;
    b.worth.total_cmp(&a.worth).then(days(b).total_cmp(&days(a))).then(a.group.cmp(&b.group))
}

/// Says of each group what it has ahead of all others, and what of the buyer's plans it serves.
fn explain(purchase: &Purchase<'_>, visits: &[Rate], weighed: &mut [Weighed]) {
    let Purchase { around, amount, .. } = *purchase;
    let usable = |units: f64, group: usize| won(units * around.groups()[group].unit);
    let measures: Vec<[f64; 3]> = weighed
        .iter()
        .map(|it| {
            let offer = &around.groups()[it.group];
            let visited = offer
                .members
                .iter()
                .map(|&member| visits[member].daily)
                .filter(|&rate| rate >= VISITED)
                .sum();
            [gives(around, it.group, amount), offer.days, visited]
        })
        .collect();
    let ahead = |place: usize, measure: usize| {
        let own = measures[place][measure];
        own > 0.0 && measures.iter().enumerate().all(|(other, it)| other == place || it[measure] < own)
    };
    let plans: Vec<Option<usize>> = weighed.iter().map(|it| served(purchase, weighed, it.group)).collect();
    for (place, it) in weighed.iter_mut().enumerate() {
        let offer = &around.groups()[it.group];
        let balance: f64 = (purchase.lots)(it.group).iter().map(|lot| lot.units).sum();
        let after = balance + it.earns;
        if it.earns > 0.0 && balance > 0.0 && balance < offer.minimum {
            if after >= offer.minimum {
                it.reasons.push(Reason::CloseToMinimum { usable: usable(after, it.group), now: true });
            } else if after >= offer.minimum * CLOSE {
                it.reasons
                    .push(Reason::CloseToMinimum { usable: usable(offer.minimum, it.group), now: false });
            }
        }
        if measures.len() < 2 {
            continue;
        }
        if let Some(plan) = plans[place].filter(|_| it.earns > 0.0) {
            it.reasons.push(Reason::PlannedPurchase { plan });
        }
        if ahead(place, 0) {
            it.reasons.push(Reason::HigherRate);
        }
        if ahead(place, 2) {
            let shops = offer.members.iter().filter(|&&member| visits[member].daily >= VISITED).count();
            it.reasons.push(Reason::ShopsYouVisit {
                shops: u32::try_from(shops).unwrap_or(u32::MAX),
                monthly_tenths: u32::try_from(won(measures[place][2] * 300.0)).unwrap_or(u32::MAX),
            });
        }
        if ahead(place, 1) {
            it.reasons.push(Reason::LongerValidity);
        }
    }
}

/// The soonest plan at a member of the group and within its validity, unless that holds of every group of the shop.
fn served(purchase: &Purchase<'_>, weighed: &[Weighed], group: usize) -> Option<usize> {
    let serves = |plan: &Plan, group: usize| {
        let offer = &purchase.around.groups()[group];
        plan.days <= offer.days && offer.members.contains(&plan.shop)
    };
    let distinct =
        |plan: &Plan| serves(plan, group) && !weighed.iter().all(|other| serves(plan, other.group));
    purchase.plans.iter().position(distinct)
}

/// What comes back of a purchase, in minor units, before it is rounded to units.
fn gives(around: &Around, group: usize, amount: f64) -> f64 {
    use super::around::Earning;
    let offer = &around.groups()[group];
    match offer.earning {
        Earning::Share(rate) => rate * amount / 10_000.0,
        Earning::Each(per) => amount / per * offer.unit,
        Earning::Visit(_) => offer.earns(amount) * offer.unit,
    }
}

/// Whole minor units, rounded down; nothing below zero.
#[expect(clippy::cast_possible_truncation, reason = "amounts stay far below 2^63; the cast saturates")]
fn won(amount: f64) -> i64 {
    amount.max(0.0).floor() as i64
}
