//! What comes after a sale, or in its place: mileage held and taken later, undone, refunded, voided, given and taken away.

use std::rc::Rc;

use moa_phone::{Phone, Recipient};
use moa_rules::adjustment::Reason;
use moa_rules::id::{GroupId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::sale::Sale;
use moa_rules::terms::Unit;
use moa_rules::time::{Day, Timestamp};

use crate::Step;
use crate::ledger::broken;
use crate::town::Action;
use crate::world::{Event, World};

/// Something that a shop does beyond selling.
pub(crate) enum Afterwards {
    /// Holds the camera to a redemption code, to take it when the goods are ready.
    Hold {
        code: Rc<str>,
        units: Units,
    },
    /// Takes what a hold reserved, or a part; or gives it back.
    EndHold {
        hold: OpId,
        takes: Option<Units>,
    },
    /// Takes what a hold reserved past the app, whatever has become of it.
    CaptureRaw {
        hold: OpId,
        takes: Units,
    },
    /// Undoes a redemption.
    Reverse {
        redemption: OpId,
    },
    /// Rings up the rest of a purchase that mileage paid a part of.
    SellRest {
        redemption: OpId,
        buyer: usize,
    },
    /// Pays back so much of a purchase.
    Refund {
        sale: OpId,
        amount: Money,
    },
    Void {
        sale: OpId,
    },
    /// Gives this person mileage.
    Give {
        buyer: usize,
    },
    /// Takes mileage away that the shop issued, from whoever has some.
    TakeAway,
}

/// Mileage that a phone shows: of which group, of which unit, how much.
pub(crate) type Shown = (GroupId, Option<Unit>, i64);

impl World {
    /// What a buyer could pay with.
    pub(crate) fn shown(&mut self, buyer: usize) -> Step<Vec<Shown>> {
        let balances = self.on_phone(buyer, Phone::balances)?.unwrap_or_default();
        let some = balances.iter().filter(|balance| !balance.confirmed.is_zero());
        Ok(some.map(|balance| (balance.group, balance.unit, balance.confirmed.get())).collect())
    }

    /// Some of it, in whole cards as a rule.
    pub(crate) fn some_of(&mut self, unit: Option<Unit>, most: i64) -> Step<Units> {
        let some = self.rng.between(1, most.max(1));
        let whole = match unit {
            Some(Unit::Stamp(card)) if !self.rng.chance(1_000) => {
                let card = i64::from(card.max(1));
                (some / card * card).max(card)
            }
            _ => some,
        };
        Units::new(whole).map_err(broken)
    }

    pub(crate) fn do_afterwards(&mut self, shop: usize, what: Afterwards) -> Step {
        match what {
            Afterwards::Hold { code, units } => self.hold(shop, &code, units),
            Afterwards::EndHold { hold, takes } => self.end_hold(shop, hold, takes),
            Afterwards::CaptureRaw { hold, takes } => {
                self.forge(shop, &[OpBody::CaptureHold { hold, units: takes }])
            }
            Afterwards::Reverse { redemption } => {
                let op = self.on_phone(shop, |phone| phone.reverse(redemption))?;
                self.told_of(shop, "undoes a redemption", op);
                Ok(())
            }
            Afterwards::SellRest { redemption, buyer } => self.sell_rest(shop, redemption, buyer),
            Afterwards::Refund { sale, amount } => {
                let op = self.on_phone(shop, |phone| phone.refund(sale, amount))?;
                self.told_of(shop, "refunds", op);
                Ok(())
            }
            Afterwards::Void { sale } => {
                let op = self.on_phone(shop, |phone| phone.void_sale(sale))?;
                self.told_of(shop, "voids", op);
                Ok(())
            }
            Afterwards::Give { buyer } => self.give(shop, buyer),
            Afterwards::TakeAway => self.take_away(shop),
        }
    }

    pub(crate) fn told_of(&mut self, person: usize, does: &str, op: Option<OpId>) {
        if let Some(op) = op {
            self.promised(person, does, op);
        }
    }

    /// Later, someone does something of this.
    pub(crate) fn later(&mut self, wait: i64, shop: usize, what: Afterwards) {
        self.after(wait, Event::Act(shop, Action::Afterwards(what)));
    }

    fn hold(&mut self, shop: usize, code: &str, units: Units) -> Step {
        let seconds = match self.rng.below(3) {
            0 => Some(u32::try_from(self.rng.between(30, 20_000)).map_err(broken)?),
            _ => None,
        };
        let Some(asked) = self.on_phone(shop, |phone| phone.hold(code, units, seconds))? else {
            return Ok(());
        };
        self.promised(shop, "holds", asked.op);
        let hold = asked.op;
        let part = self.rng.between(1, units.get());
        let takes = Units::new(if self.rng.chance(4_000) { part } else { units.get() }).map_err(broken)?;
        let wait = self.rng.between(5_000, 11 * Timestamp::MINUTE);
        // Handed over, given back, both at once by two hands, or forgotten.
        match self.rng.below(10) {
            0 | 1 => {}
            2 => self.later(wait, shop, Afterwards::EndHold { hold, takes: None }),
            3 => {
                self.later(wait, shop, Afterwards::EndHold { hold, takes: Some(takes) });
                let other = self.seller(shop);
                self.later(wait, other, Afterwards::EndHold { hold, takes: None });
            }
            4 => {
                // Someone else hands it over.
                let other = self.seller(shop);
                self.later(wait, other, Afterwards::EndHold { hold, takes: Some(takes) });
            }
            _ => self.later(wait, shop, Afterwards::EndHold { hold, takes: Some(takes) }),
        }
        if self.rng.chance(3_000) {
            // A till whose app is not ours hands it over once more, some while after its time.
            let wait = wait + self.rng.between(1_000, Timestamp::HOUR);
            self.later(wait, shop, Afterwards::CaptureRaw { hold, takes });
        }
        Ok(())
    }

    fn end_hold(&mut self, shop: usize, hold: OpId, takes: Option<Units>) -> Step {
        let op = match takes {
            Some(units) => self.on_phone(shop, |phone| phone.capture_hold(hold, units))?,
            None => self.on_phone(shop, |phone| phone.void_hold(hold))?,
        };
        self.told_of(shop, if takes.is_some() { "captures" } else { "gives back" }, op);
        if let (Some(op), Some(_)) = (op, takes) {
            self.perhaps_undone(shop, op);
        }
        Ok(())
    }

    /// Now and then a redemption is undone, and as often as not twice.
    pub(crate) fn perhaps_undone(&mut self, shop: usize, redemption: OpId) {
        if !self.rng.chance(2_500) {
            return;
        }
        // Some once the lots that it came from have ended.
        let most = if self.rng.chance(4_000) { 4 * Timestamp::DAY } else { 5 * Timestamp::HOUR };
        let wait = self.rng.between(2_000, most);
        self.later(wait, shop, Afterwards::Reverse { redemption });
        if self.rng.chance(5_000) {
            let other = self.seller(shop);
            self.later(wait, other, Afterwards::Reverse { redemption });
        }
    }

    fn sell_rest(&mut self, shop: usize, redemption: OpId, buyer: usize) -> Step {
        let amount = self.rng.between(500, 30_000);
        let sold = self.on_phone(shop, |phone| phone.record_rest(Money(amount), redemption))?;
        let Some(voucher) = sold else { return Ok(()) };
        self.promised(shop, "sells the rest", voucher.sale);
        let text: Rc<str> = voucher.text.into();
        let wait = self.rng.between(1_000, 10_000);
        self.after(wait, Event::Act(buyer, Action::Scan { voucher: text }));
        self.perhaps_refunded(shop, voucher.sale, amount + 2_000);
        Ok(())
    }

    /// Now and then a purchase is refunded: at once or in parts, also more of it than there was; or it was a mistake.
    pub(crate) fn perhaps_refunded(&mut self, shop: usize, sale: OpId, amount: i64) {
        if self.rng.chance(500) {
            let wait = self.rng.between(1_000, 40 * Timestamp::MINUTE);
            self.later(wait, shop, Afterwards::Void { sale });
        }
        if !self.rng.chance(1_500) {
            return;
        }
        for _ in 0..self.rng.between(1, 3) {
            let all = self.rng.chance(3_000);
            let part = if all { amount } else { self.rng.between(1, amount) };
            let wait = self.rng.between(2_000, 2 * Timestamp::DAY);
            self.later(wait, shop, Afterwards::Refund { sale, amount: Money(part) });
        }
    }

    /// What a shop gives and takes away today, perhaps.
    pub(crate) fn gifts_today(&mut self, person: usize) {
        if person >= self.shops {
            return;
        }
        let buyer = self.rng.below(self.people.len());
        self.sometime(person, 1_200, |_| Action::Afterwards(Afterwards::Give { buyer }));
        self.sometime(person, 500, |_| Action::Afterwards(Afterwards::TakeAway));
    }

    /// Someone who has just paid with mileage brings back what they bought there before, and buys something else: what it
    /// earns is owed.
    pub(crate) fn perhaps_brought_back(&mut self, shop: usize, buyer: usize) -> Step {
        if !self.rng.chance(4_000) {
            return Ok(());
        }
        let Some(own) = self.on_phone(shop, Phone::own_shop)?.flatten() else { return Ok(()) };
        let (tables, account) = (self.server.ledger.tables()?, self.people[buyer].account);
        let bought = |sale: &&Sale| {
            sale.merchant == own.id && sale.claimed.is_some_and(|claimed| claimed.account == account)
        };
        let sales: Vec<&Sale> = tables.sales.values().filter(bought).collect();
        for sale in sales {
            let wait = self.rng.between(5_000, 5 * Timestamp::MINUTE);
            let left = Money(sale.amount.0 - sale.refunded.0);
            self.later(wait, shop, Afterwards::Refund { sale: sale.id, amount: left });
        }
        for _ in 0..self.rng.between(1, 2) {
            let wait = self.rng.between(6 * Timestamp::MINUTE, Timestamp::DAY);
            self.after(wait, Event::Act(shop, Action::Sell { buyer }));
        }
        Ok(())
    }

    fn give(&mut self, shop: usize, buyer: usize) -> Step {
        let groups = self.on_phone(shop, Phone::own_groups)?.unwrap_or_default();
        let Some(group) = self.rng.pick(&groups).map(|group| group.id) else { return Ok(()) };
        let to = if self.rng.chance(5_000) {
            Recipient::Account(self.people[buyer].account)
        } else {
            let Some(code) = self.on_phone(buyer, Phone::member_code)? else { return Ok(()) };
            Recipient::Code(code.text)
        };
        let most = if self.rng.chance(500) { 3_000_000 } else { 900 };
        let units = Units::new(self.rng.between(1, most)).map_err(broken)?;
        let today = i32::try_from(self.now.0.div_euclid(Timestamp::DAY)).map_err(broken)?;
        let until = self.rng.between(-1, 4);
        let last_day = self.rng.chance(5_000).then_some(Day(today + i32::try_from(until).map_err(broken)?));
        let reason = *self.rng.pick(&[Reason::OpeningBalance, Reason::Goodwill]).unwrap_or(&Reason::Other);
        let op = self.on_phone(shop, |phone| phone.grant(group, &to, units, reason, last_day))?;
        self.told_of(shop, "gives", op);
        Ok(())
    }

    /// The shop looks into its books for someone who has mileage of its own.
    fn take_away(&mut self, shop: usize) -> Step {
        let Some(own) = self.on_phone(shop, Phone::own_shop)?.flatten() else { return Ok(()) };
        let tables = self.server.ledger.tables()?;
        let lots: Vec<_> =
            tables.lots.values().filter(|lot| lot.issuer == own.id && !lot.remaining.is_zero()).collect();
        let Some(lot) = self.rng.pick(&lots).copied() else { return Ok(()) };
        let units = Units::new(self.rng.between(1, lot.remaining.get() + 3)).map_err(broken)?;
        let (group, account, unit) = (lot.group, lot.account, lot.worth.unit);
        let op =
            self.on_phone(shop, |phone| phone.take_away(group, account, (units, unit), Reason::Misuse))?;
        self.told_of(shop, "takes away", op);
        Ok(())
    }
}
