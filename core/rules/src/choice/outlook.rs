//! What mileage of one group is going to be used, in futures that are played out: with what a purchase would earn and
//! without, and with the shop's next purchases going there and elsewhere.

use super::around::{Around, Offer};
use super::chance::{CHANCES, Draw, STEPS};

/// How far the futures reach, in days.
const HORIZON: f64 = 450.0;
/// What is left at the horizon counts this share of what it would be worth if it could be used then.
const LEFT: f64 = 0.5;
/// Memory of visits, in days, by which the group's own rate is uncertain.
const MEMORY: f64 = 158.0;
/// Shops that are visited less often than this a day are left out.
const HARDLY_EVER: f64 = 1e-5;

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

/// What the futures say, in minor units, as means over them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outlook {
    /// What is used more if this purchase goes to the group, everything else by habit.
    pub one: f64,
    /// What is used more, a purchase, if this and the shop's next purchases go there than if none do.
    pub all: f64,
}

/// Room that is used again from one question to the next.
#[derive(Debug, Default)]
pub struct Room {
    members: Vec<Member>,
    sides: [Side; 4],
}

#[derive(Debug, Clone, Copy)]
struct Member {
    /// Visits a day, of this one and those before it.
    up_to: f64,
    ticket: f64,
    /// The share of its purchases that goes to the group.
    habit: f64,
    /// Whether it is the shop in question.
    asked: bool,
}

/// One way things could go.
#[derive(Debug, Default)]
struct Side {
    lots: Vec<Lot>,
    spent: usize,
    balance: f64,
    used: f64,
}

impl Side {
    fn begin(&mut self, lots: &[Lot], earned: Lot) {
        self.lots.clear();
        self.lots.extend_from_slice(lots);
        // Without the purchase an empty lot, so that the sides stay in step.
        self.lots.push(earned);
        self.balance = self.lots.iter().map(|lot| lot.units).sum();
        (self.spent, self.used) = (0, 0.0);
    }

    fn expire(&mut self, now: f64) {
        while let Some(lot) = self.lots.get(self.spent).filter(|lot| lot.days <= now) {
            self.balance -= lot.units;
            self.spent += 1;
        }
    }

    /// Uses what can be used of a purchase; what it took off the price.
    fn redeem(&mut self, now: f64, offer: &Offer, amount: f64) -> f64 {
        if self.balance < offer.minimum || self.balance <= 0.0 {
            return 0.0;
        }
        self.expire(now);
        if self.balance < offer.minimum {
            return 0.0;
        }
        let most = self.balance.min(amount / offer.unit);
        let mut left = if offer.step > 1.0 { (most / offer.step).floor() * offer.step } else { most.floor() };
        let taken = left;
        while left > 0.0 {
            let Some(lot) = self.lots.get_mut(self.spent) else { break };
            let part = lot.units.min(left);
            lot.units -= part;
            left -= part;
            if lot.units <= 0.0 {
                self.spent += 1;
            }
        }
        self.balance -= taken;
        self.used += taken;
        taken * offer.unit
    }

    fn accrue(&mut self, now: f64, offer: &Offer, amount: f64) {
        let units = offer.earns(amount);
        self.lots.push(Lot { days: now + offer.days, units });
        self.balance += units;
    }

    /// What was used, and something for what is left.
    fn result(&mut self, end: f64, offer: &Offer) -> f64 {
        self.expire(end);
        let within_reach = if self.balance >= offer.minimum { 1.0 } else { self.balance / offer.minimum };
        self.used + LEFT * self.balance * within_reach
    }
}

impl Question<'_> {
    /// Plays the futures.
    pub fn answer(&self, room: &mut Room) -> Outlook {
        let offer = &self.around.groups()[self.group];
        let Room { members, sides: [with, without, given, kept] } = room;
        members.clear();
        let mut total = 0.0;
        for &member in &offer.members {
            let rate = self.rates[member];
            if rate <= HARDLY_EVER {
                continue;
            }
            total += rate;
            members.push(Member {
                up_to: total,
                ticket: self.around.shops()[member].ticket,
                habit: (self.habit)(member, self.group),
                asked: member == self.shop,
            });
        }
        if members.is_empty() || self.earns <= 0.0 {
            return Outlook::default();
        }
        // By habit, what this purchase changes is decided not long after its mileage has expired.
        let near = HORIZON.min(offer.days * 1.5 + 60.0).max(120.0);
        let known = total * MEMORY + 0.2;
        let nothing = Lot { days: offer.days, units: 0.0 };
        let earned = Lot { units: self.earns, ..nothing };
        let (mut one, mut all, mut count) = (0.0, 0.0, 0.0);
        for (deviate, draws) in CHANCES.futures() {
            with.begin(self.lots, earned);
            without.begin(self.lots, nothing);
            given.begin(self.lots, earned);
            kept.begin(self.lots, nothing);
            let mean_wait = 1.0 / (total * gamma_like(known, deviate));
            let mut now = 0.0;
            let mut apart = true;
            for draw in draws.iter().take(STEPS) {
                now += draw.wait * mean_wait;
                if now > HORIZON {
                    break;
                }
                let member = pick(members, draw, total);
                let amount = (member.ticket * draw.amount).floor();
                let attentive = draw.attentive < self.attentive;
                let by_habit = draw.choice < member.habit;
                if apart && now > near {
                    one += with.result(near, offer) - without.result(near, offer);
                    apart = false;
                }
                if apart {
                    visit(with, now, offer, amount, attentive, by_habit);
                    visit(without, now, offer, amount, attentive, by_habit);
                }
                visit(given, now, offer, amount, attentive, by_habit || member.asked);
                visit(kept, now, offer, amount, attentive, by_habit && !member.asked);
            }
            if apart {
                one += with.result(near.min(now), offer) - without.result(near.min(now), offer);
            }
            all += given.result(HORIZON.min(now), offer) - kept.result(HORIZON.min(now), offer);
            count += 1.0;
        }
        let purchases = self.rates[self.shop] * HORIZON + 1.0;
        Outlook { one: one / count * offer.unit, all: all / count / purchases * offer.unit }
    }
}

fn visit(side: &mut Side, now: f64, offer: &Offer, amount: f64, attentive: bool, chosen: bool) {
    let used = if attentive { side.redeem(now, offer, amount) } else { 0.0 };
    if chosen {
        side.accrue(now, offer, amount - used);
    }
}

fn pick(members: &[Member], draw: &Draw, total: f64) -> Member {
    let at = draw.shop * total;
    let index = members.partition_point(|member| member.up_to <= at);
    members[index.min(members.len() - 1)]
}

/// A factor of mean one that spreads as what is estimated from so many visits. (Wilson and Hilferty, 1931)
fn gamma_like(known: f64, deviate: f64) -> f64 {
    let root = 1.0 - 1.0 / (9.0 * known) + deviate / (3.0 * libm::sqrt(known));
    (root * root * root).max(0.02)
}
