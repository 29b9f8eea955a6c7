//! Staff and devices: who may act for a shop or an account, and what people do about it.

use std::rc::Rc;

use moa_phone::Phone;
use moa_rules::id::{AccountId, KeyId};
use moa_rules::quantity::Money;
use moa_rules::staff::Limits;
use moa_rules::time::Timestamp;

use crate::Step;
use crate::town::Action;
use crate::world::{Event, World};

impl World {
    /// Shows an invitation to a clerk-to-be, and now and then to one more, or too late.
    pub(crate) fn invite(&mut self, owner: usize, clerk: usize) -> Step {
        let per_sale = Money(self.rng.between(20_000, 60_000));
        let limits = Limits { per_sale, per_day: Money(per_sale.0 * self.rng.between(2, 5)) };
        let Some(shown) = self.on_phone(owner, |phone| phone.staff_invitation(limits))? else {
            return Ok(());
        };
        self.count("staff invited");
        let text: Rc<str> = shown.text.into();
        let late = self.rng.chance(500);
        let wait = if late { 25 * Timestamp::HOUR } else { self.rng.between(1_000, 3 * Timestamp::HOUR) };
        self.after(wait, Event::Act(clerk, Action::JoinStaff { shop: owner, text: Rc::clone(&text) }));
        if self.rng.chance(2_000) {
            // It was sent on to a group chat.
            let other = self.shops + self.rng.below(self.people.len() - self.shops);
            let wait = self.rng.between(1_000, 5 * Timestamp::HOUR);
            self.after(wait, Event::Act(other, Action::JoinStaff { shop: owner, text }));
        }
        Ok(())
    }

    pub(crate) fn join_staff(&mut self, clerk: usize, shop: usize, text: &str) -> Step {
        if let Some(op) = self.on_phone(clerk, |phone| phone.join_staff(text))? {
            self.promised(clerk, "joins the staff", op);
            self.clerks.push((shop, clerk));
        }
        Ok(())
    }

    /// A clerk leaves, or is let go.
    pub(crate) fn leave_staff(&mut self, by: usize, person: Option<AccountId>) -> Step {
        if let Some(op) = self.on_phone(by, |phone| phone.remove_staff(person))? {
            self.count("staff removed");
            self.promised(by, "ends a clerk's selling", op);
        }
        Ok(())
    }

    /// Someone who sells for this shop today: its owner, or one of the staff.
    pub(crate) fn seller(&mut self, shop: usize) -> usize {
        let clerks: Vec<usize> =
            self.clerks.iter().filter(|(of, _)| *of == shop).map(|(_, clerk)| *clerk).collect();
        if self.rng.chance(4_000) { self.rng.pick(&clerks).copied().unwrap_or(shop) } else { shop }
    }

    /// Another phone with the same account, if there is one.
    pub(crate) fn sibling(&self, person: usize) -> Option<usize> {
        let account = self.people[person].account;
        (0..self.people.len()).find(|other| *other != person && self.people[*other].account == account)
    }

    /// An older phone agrees that a new one may pay, or ends it; or the new one tries to.
    pub(crate) fn answer_for(&mut self, person: usize, key: KeyId, admit: bool) -> Step {
        let asked = if admit {
            self.on_phone(person, |phone| phone.admit_device(key))?
        } else {
            self.on_phone(person, |phone| phone.revoke_device(key))?
        };
        if let Some(op) = asked {
            self.count(if admit { "devices admitted" } else { "devices revoked" });
            self.promised(person, if admit { "admits a device" } else { "revokes a device" }, op);
        }
        Ok(())
    }

    /// A new phone of an owner's begins to act for the shop.
    pub(crate) fn act_for(&mut self, person: usize) -> Step {
        let account = self.people[person].account;
        let tables = self.server.ledger.tables()?;
        let Some(shop) = tables.merchants.values().find(|shop| shop.owner == account) else { return Ok(()) };
        let shop = shop.id;
        if let Some(op) = self.on_phone(person, |phone| phone.act_for(shop))? {
            self.promised(person, "acts for the shop", op);
        }
        Ok(())
    }

    /// What the app does in the foreground, before it polls.
    pub(crate) fn renew_certificate(&mut self, person: usize) -> Step {
        let Some(app) = &self.people[person].app else { return Ok(()) };
        if !app.machine.is_foreground() {
            return Ok(());
        }
        if self.on_phone(person, Phone::renew_certificate_if_due)? == Some(true) {
            self.count("certificates renewed");
        }
        Ok(())
    }

    /// What happens to staff and devices today, perhaps.
    pub(crate) fn keys_today(&mut self, person: usize) {
        if person < self.shops {
            let clerk = self.shops + self.rng.below(self.people.len() - self.shops);
            self.sometime(person, 1_200, |_| Action::Invite { clerk });
            let clerks: Vec<usize> =
                self.clerks.iter().filter(|(of, _)| *of == person).map(|(_, clerk)| *clerk).collect();
            if let Some(clerk) = self.rng.pick(&clerks).copied() {
                let account = self.people[clerk].account;
                self.sometime(person, 500, |_| Action::LeaveStaff { person: Some(account) });
                self.sometime(clerk, 300, |_| Action::LeaveStaff { person: None });
                // An app of their own.
                self.sometime(clerk, 800, |_| Action::Overstep);
            }
            self.sometime(person, 300, |_| Action::Overstep);
        }
        if let Some(sibling) = self.sibling(person) {
            let key = self.people[sibling].key_id();
            self.sometime(person, 700, |_| Action::AnswerFor { key, admit: true });
            self.sometime(person, 400, |_| Action::AnswerFor { key, admit: false });
            self.sometime(person, 5_000, |_| Action::PayRaw);
        }
        self.sometime(person, 3_000, |_| Action::SignAfterwards);
    }
}
