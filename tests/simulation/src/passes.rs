//! Paying where one side has no signal, or neither: approvals and passes, also late, twice, at the wrong shop.

use std::rc::Rc;

use moa_phone::Phone;
use moa_rules::id::{GroupId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};

use crate::Step;
use crate::ledger::broken;
use crate::town::Action;
use crate::world::{Event, World};

/// Mileage of a unit.
type Amount = (Units, Option<Unit>);

impl World {
    fn some_units(&mut self, buyer: usize, most_units: i64) -> Step<Option<(GroupId, Amount)>> {
        let shown = self.shown(buyer)?;
        let Some((group, unit, confirmed)) = self.rng.pick(&shown).copied() else { return Ok(None) };
        let units = self.some_of(unit, confirmed.min(most_units))?;
        Ok(Some((group, (units, unit))))
    }

    /// Pays online at a shop that may have no signal.
    pub(crate) fn pay_online(&mut self, buyer: usize, shop: usize) -> Step {
        let Some(merchant) = self.on_phone(shop, Phone::own_shop)?.flatten().map(|shop| shop.id) else {
            return Ok(());
        };
        let Some((group, units)) = self.some_units(buyer, i64::MAX)? else { return Ok(()) };
        let Some(op) = self.on_phone(buyer, |phone| phone.pay_with(merchant, group, units))? else {
            return Ok(());
        };
        self.count("payments online");
        self.promised(buyer, "pays", op);
        let late = self.rng.chance(700);
        let wait = if late { 11 * Timestamp::MINUTE } else { self.rng.between(500, 2 * Timestamp::MINUTE) };
        self.after(wait, Event::Act(buyer, Action::ShowApproval { op, shop }));
        Ok(())
    }

    /// Shows what the server answered; now and then twice, or to another shop first.
    pub(crate) fn show_approval(&mut self, buyer: usize, op: OpId, shop: usize) -> Step {
        let Some(shown) = self.on_phone(buyer, |phone| phone.approval(op))?.flatten() else { return Ok(()) };
        let text: Rc<str> = shown.text.into();
        let mut tills = vec![shop];
        if self.rng.chance(1_500) {
            tills.push(shop);
        }
        if self.rng.chance(1_500) {
            tills.insert(0, self.rng.below(self.shops));
        }
        for till in tills {
            let wait = self.rng.between(500, 60_000);
            self.after(wait, Event::Act(till, Action::TakeApproval { text: Rc::clone(&text) }));
        }
        Ok(())
    }

    pub(crate) fn take_approval(&mut self, till: usize, text: &str) -> Step {
        if let Some(took) = self.on_phone(till, |phone| phone.take_approval(text))? {
            self.count("approvals honoured");
            if self.approvals.insert((till, took.op), took.units).is_some() {
                return Err(format!(
                    "{}: honoured the approval of {} twice",
                    self.people[till].name, took.op
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn reserve(&mut self, buyer: usize, shop: usize) -> Step {
        let Some(merchant) = self.on_phone(shop, Phone::own_shop)?.flatten().map(|shop| shop.id) else {
            return Ok(());
        };
        let Some((group, units)) = self.some_units(buyer, 50_000)? else { return Ok(()) };
        let hours = u32::try_from(self.rng.between(1, 30)).unwrap_or(1);
        let reserved = self.on_phone(buyer, |phone| phone.reserve_pass_of(merchant, group, units, hours))?;
        let (units, _) = units;
        let Some(op) = reserved else { return Ok(()) };
        self.count("passes asked for");
        self.promised(buyer, "reserves", op);
        if self.rng.chance(2_500) {
            // Never shown: it comes back.
            return Ok(());
        }
        let late = self.rng.chance(500);
        let most = i64::from(hours) * Timestamp::HOUR;
        let wait = if late { most + Timestamp::MINUTE } else { self.rng.between(60_000, most / 2) };
        self.after(wait, Event::Act(buyer, Action::ShowPass { pass: op, shop, units }));
        Ok(())
    }

    /// Both are offline: the buyer shows the pass at its till; a picture of it is shown again, and at the shop's other till.
    pub(crate) fn show_pass(&mut self, buyer: usize, pass: OpId, shop: usize, units: Units) -> Step {
        let Some(shown) = self.on_phone(buyer, |phone| phone.show_pass(pass))? else { return Ok(()) };
        let text: Rc<str> = shown.text.into();
        let spell = self.rng.between(Timestamp::MINUTE, 3 * Timestamp::HOUR);
        for who in [buyer, shop] {
            self.after(0, Event::Act(who, Action::Offline { millis: spell }));
        }
        let seller = self.seller(shop);
        let mut tills = vec![(shop, self.rng.between(500, 20_000))];
        if self.rng.chance(3_000) {
            tills.push((seller, self.rng.between(500, 60_000)));
        }
        if self.rng.chance(3_000) {
            tills.push((shop, self.rng.between(60_000, 5 * Timestamp::MINUTE)));
        }
        let part = self.rng.between(1, units.get());
        let units = Units::new(if self.rng.chance(5_000) { part } else { units.get() }).map_err(broken)?;
        for (till, wait) in tills {
            let text = Rc::clone(&text);
            self.after(wait, Event::Act(till, Action::TakePass { pass, text, units }));
        }
        Ok(())
    }

    pub(crate) fn take_pass(&mut self, till: usize, pass: OpId, text: &str, units: Units) -> Step {
        let took = self.on_phone(till, |phone| phone.take_pass(text, units))?;
        if self.rng.chance(1_500) {
            // An app of the till's own says it once more.
            if let Ok(Scanned::Pass(code)) = code::read(text, "") {
                self.forge(till, &[OpBody::RedeemPass { code: code.bytes().to_vec(), units }])?;
            }
        }
        let Some(took) = took else { return Ok(()) };
        self.count("passes honoured");
        self.promised(till, "takes a pass", took.op);
        if let Some(before) = self.passes.insert(pass, till) {
            let (one, two) = (&self.people[before].name, &self.people[till].name);
            return Err(format!("pass {pass} was honoured by {one} and {two}"));
        }
        Ok(())
    }
}
