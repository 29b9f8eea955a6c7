//! What befalls phones and the server beyond a crash: lost, set up anew, brought back from a backup; and people whose app is
//! not ours, who sign what it would not.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use moa_ledger::store::Answer;
use moa_phone::{Fate, Method, Request};
use moa_rules::certificate::ALLOWANCE;
use moa_rules::id::{KeyId, OpId};
use moa_rules::lot::Usable;
use moa_rules::op::{OP_VERSION, Op, OpBody};
use moa_rules::quantity::{Money, Units};
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Ops};
use moa_wire::keys::Signer;
use moa_wire::token::Checked;

use crate::Step;
use crate::key::SeededKey;
use crate::ledger::{LedgerBackup, broken};
use crate::town::Action;
use crate::world::{Event, World};

/// Counters of an app that is not ours are far above a phone's.
const FORGED: u64 = 1 << 40;

/// Yesterday's server.
pub(crate) struct ServerBackup {
    ledger: LedgerBackup,
    answers: BTreeMap<(KeyId, OpId), Answer>,
}

impl World {
    /// The app is installed anew: its data is gone, and its key too perhaps. What it had not sent is lost, and known to be.
    pub(crate) fn reinstall(&mut self, person: usize, keep_key: bool) -> Step {
        self.count(if keep_key { "phones installed anew" } else { "keys lost" });
        let line = format!("{}: installed anew, key kept: {keep_key}", self.people[person].name);
        self.note(&line);
        let someone = &mut self.people[person];
        if !keep_key {
            let name = format!("{}#{}", someone.name, someone.process + 1);
            someone.key = Arc::new(SeededKey::new(self.seed, &name));
        }
        someone.install_anew(self.now)?;
        self.passes.retain(|_, till| *till != person);
        self.approvals.retain(|(till, _), _| *till != person);
        self.act(person, Action::Enrol)?;
        if !keep_key && person < self.shops {
            self.after(49 * Timestamp::HOUR, Event::Act(person, Action::ActFor));
        }
        self.poll(person)
    }

    /// The phone's data is kept aside, as a backup app does.
    pub(crate) fn back_up_phone(&mut self, person: usize) -> Step {
        self.people[person].back_up()
    }

    /// The phone comes back from its backup: an old database, the same key.
    pub(crate) fn restore_phone(&mut self, person: usize) -> Step {
        if !self.people[person].restore(self.now)? {
            return Ok(());
        }
        self.count("phones restored from a backup");
        let line = format!("{}: restored from its backup", self.people[person].name);
        self.note(&line);
        self.passes.retain(|_, till| *till != person);
        self.approvals.retain(|(till, _), _| *till != person);
        self.doubt(person);
        self.act(person, Action::Enrol)?;
        self.poll(person)
    }

    pub(crate) fn back_up_server(&mut self) -> Step {
        self.note("the server is backed up");
        let (ledger, answers) = (self.server.ledger.back_up()?, self.server.journal.answers.clone());
        self.backup = Some(ServerBackup { ledger, answers });
        Ok(())
    }

    /// The server's disk is gone; yesterday's backup takes its place.
    pub(crate) fn restore_server(&mut self) -> Step {
        let Some(ServerBackup { ledger, answers }) = self.backup.take() else { return Ok(()) };
        self.count("server restored from a backup");
        self.note("the server is restored from its backup");
        self.server.ledger.restore(ledger)?;
        // What a job of the server's signs follows from what it finds, which may be decided at another time now.
        let system = self.server.key.key_id();
        self.server.journal.signed.retain(|name, _| name.0 != system || answers.contains_key(name));
        self.server.journal.answers = answers;
        self.restored = true;
        self.server_is_down();
        for person in 0..self.people.len() {
            self.doubt(person);
        }
        Ok(())
    }

    /// What a phone was told may not be so any more: it has until the end to find out.
    fn doubt(&mut self, person: usize) {
        let answers = &self.server.journal.answers;
        let someone = &mut self.people[person];
        let key = someone.key.key_id();
        let is_lost = |op: &OpId| !answers.contains_key(&(key, *op));
        someone.astray = true;
        someone.doubted.extend(someone.told.keys().chain(&someone.waiting).copied().filter(is_lost));
        // A refusal is final on the phone, and not sent again.
        someone.told.retain(|op, fate| !someone.doubted.contains(op) || matches!(fate, Fate::Refused(_)));
        let told = &someone.told;
        someone.waiting.extend(someone.doubted.iter().filter(|op| !told.contains_key(op)).copied());
        someone.claims.clear();
    }

    /// Ops that no app of ours would sign, sent past it.
    pub(crate) fn forge(&mut self, person: usize, bodies: &[OpBody]) -> Step {
        self.forge_in(100, person, bodies)
    }

    /// The same, so many milliseconds from now.
    fn forge_in(&mut self, millis: i64, person: usize, bodies: &[OpBody]) -> Step {
        self.count("ops forged");
        let mut ops = Vec::new();
        for body in bodies {
            self.forged += 1;
            let mut id = [0; 16];
            let now = self.now.0.unsigned_abs().to_be_bytes();
            id[..6].copy_from_slice(&now[2..]);
            id[8..].copy_from_slice(&self.rng.next().to_be_bytes());
            id[6] = 0x70;
            id[8] = 0x80 | (id[8] & 0x3f);
            let key = &self.people[person].key;
            let (actor, counter) = (key.key_id(), FORGED + self.forged);
            let (version, time, body) = (OP_VERSION, self.now.seconds(), body.clone());
            let op = Op { version, id: OpId(id), actor, counter, time, body };
            // The key store says no to them as well, now and then.
            let Ok(op) = Checked::sign(op, &**key) else { return Ok(()) };
            ops.push(Base64(op.bytes().to_vec()));
        }
        let body = serde_json::to_vec(&Ops { ops, numbers: Vec::new() }).map_err(broken)?;
        let (path, timeout) = ("/v1/ops".to_owned(), Duration::from_mins(1));
        let request = Request { method: Method::Post, path, headers: Vec::new(), body: Some(body), timeout };
        self.after(millis, Event::Arrive(None, Rc::new(request)));
        Ok(())
    }

    /// A till sells more than it may: over a clerk's limits, and over what is left of its certificate.
    pub(crate) fn overstep(&mut self, person: usize) -> Step {
        let most = Money(ALLOWANCE.0 * 3 / 10);
        let over = |amount| OpBody::RecordSale { amount, addressee: None, redemption: None };
        self.forge(person, &[over(Money(50_000)), over(Money(70_000)), over(most)])?;
        // Another request, another batch: what was sold before has to be looked up.
        self.forge_in(Timestamp::SECOND, person, &[over(most)])
    }

    /// A new phone pays before it may.
    pub(crate) fn pay_raw(&mut self, person: usize) -> Step {
        let tables = self.server.ledger.tables()?;
        let account = self.people[person].account;
        let usable = tables.lots_of(account, None).find(|lot| lot.usable(&Usable::new(None, self.now)));
        let Some(group) = usable.map(|lot| lot.group) else { return Ok(()) };
        let member = tables.members.keys().find(|(of, _)| *of == group).map(|(_, merchant)| *merchant);
        let Some(merchant) = member else { return Ok(()) };
        let expires = self.now.plus(5 * Timestamp::MINUTE).seconds();
        let units = Units::new(1).map_err(broken)?;
        self.forge(person, &[OpBody::Pay { merchant, group, units, expires, unit: None }])
    }

    /// A phone that was stolen and revoked signs on.
    pub(crate) fn sign_afterwards(&mut self, person: usize) -> Step {
        let device = self.server.ledger.store().device(self.people[person].key_id()).map_err(broken)?;
        if device.is_none_or(|device| device.revoked_at.is_none()) {
            return Ok(());
        }
        let choice = StandingChoice { best: true, ..StandingChoice::default() };
        self.forge(person, &[OpBody::SetStanding { choice }])?;
        // Its owner has had enough of it, and sets it up with a new key.
        if self.rng.chance(5_000) { self.reinstall(person, false) } else { Ok(()) }
    }

    /// A clerk claims the own shop's voucher.
    pub(crate) fn claim_own(&mut self, clerk: usize, voucher: &str) -> Step {
        if let Ok(moa_wire::code::Scanned::Voucher(sale)) = moa_wire::code::read(voucher, "") {
            self.forge(clerk, &[OpBody::Claim { sale: sale.bytes().to_vec(), choice: None }])?;
        }
        Ok(())
    }

    /// What befalls a phone today, perhaps.
    pub(crate) fn mishaps_today(&mut self, person: usize) {
        let faults = self.faults.clone();
        self.sometime(person, faults.reinstalled, |rng| Action::Reinstall { keep_key: rng.chance(6_000) });
        if self.rng.chance(faults.phone_restored) {
            let at = self.rng.between(0, Timestamp::DAY);
            let later = at + self.rng.between(Timestamp::HOUR, Timestamp::DAY);
            self.after(at, Event::Act(person, Action::BackUp));
            self.after(later, Event::Act(person, Action::Restore));
        }
    }

    /// Whether someone's phone was revoked, and has nothing to show any more.
    pub(crate) fn is_revoked(&self, person: usize) -> Step<bool> {
        let device = self.server.ledger.store().device(self.people[person].key_id()).map_err(broken)?;
        Ok(device.is_some_and(|device| device.revoked_at.is_some()))
    }
}
