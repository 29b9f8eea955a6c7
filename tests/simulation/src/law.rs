//! What must hold of staff, tills, passes, holds and keys, read off the events alone.

use std::collections::{BTreeMap, BTreeSet};

use moa_ledger::tables::Tables;
use moa_rules::certificate::ALLOWANCE;
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::hold::HoldState;
use moa_rules::id::{AccountId, KeyId, LotId, MerchantId, OpId};
use moa_rules::op::{Carried, OpBody};
use moa_rules::pass::PassState;
use moa_rules::quantity::Money;
use moa_rules::staff::{Limits, sales_day};
use moa_rules::time::{Day, Timestamp};
use moa_wire::submission::Parsed;

use crate::Step;
use crate::check::Inboxes;
use crate::ledger::broken;
use crate::world::World;

/// How long after it is due a pass or a hold may still be open: the server may be down when it sweeps.
const SWEPT: i64 = 2 * Timestamp::HOUR;

/// Checks every shop's inbox, and what passes and holds reserve.
pub(crate) fn check(inboxes: &Inboxes, live: &Tables, now: Timestamp) -> Step {
    for (inbox, events) in inboxes {
        let Inbox::Merchant(merchant) = inbox else { continue };
        let mut shop = Shop::default();
        for event in events {
            shop.see(*merchant, event).map_err(|why| format!("op {} at shop {merchant}: {why}", event.op))?;
        }
    }
    let mut held: BTreeMap<(AccountId, LotId), i64> = BTreeMap::new();
    for hold in live.holds.values().filter(|hold| hold.state == HoldState::Open) {
        if now > hold.until.plus(SWEPT) {
            return Err(format!("hold {} never came back", hold.id));
        }
        for part in &hold.held {
            *held.entry((hold.account, part.lot)).or_default() += part.units.get();
        }
    }
    for pass in live.passes.values().filter(|pass| pass.state == PassState::Open) {
        if now > pass.released_from().plus(SWEPT) {
            return Err(format!("pass {} never came back", pass.id));
        }
        for part in &pass.held {
            *held.entry((pass.account, part.lot)).or_default() += part.units.get();
        }
    }
    for lot in live.lots.values() {
        let reserved = held.remove(&(lot.account, lot.id)).unwrap_or(0);
        if lot.held.get() != reserved || lot.held > lot.remaining {
            return Err(format!("lot {}: {} held, its passes and holds hold {reserved}", lot.id, lot.held));
        }
    }
    match held.first_key_value() {
        Some(((_, lot), units)) => Err(format!("{units} units of lot {lot} are held, and it is not there")),
        None => Ok(()),
    }
}

/// A shop as its events make it.
#[derive(Default)]
struct Shop {
    owner: Option<AccountId>,
    staff: BTreeSet<AccountId>,
    /// Sales that waited for their buyer.
    waited: BTreeSet<OpId>,
    limits: BTreeMap<KeyId, Limits>,
    days: BTreeMap<(KeyId, Day), i64>,
    /// What each till may sell, and has sold.
    certificates: BTreeMap<KeyId, (Money, i64)>,
    revoked: BTreeSet<KeyId>,
    /// Passes reserved and holds made, by whether they were spent or came back.
    reserved: BTreeMap<OpId, bool>,
    /// Until when holds can be captured.
    until: BTreeMap<OpId, Timestamp>,
}

impl Shop {
    fn see(&mut self, merchant: MerchantId, event: &Event) -> Step {
        if self.revoked.contains(&event.actor) {
            return Err("its key was revoked before".to_owned());
        }
        match &event.body {
            EventBody::MerchantRegistered { owner, key, .. } => {
                self.owner = Some(*owner);
                self.certificates.insert(*key, (Money(ALLOWANCE.0 / 2), 0));
            }
            EventBody::TillAdded { key, .. } => drop(self.certificates.insert(*key, (Money(0), 0))),
            EventBody::CertificateIssued { key, most, .. } => {
                self.certificates.insert(*key, (*most, 0));
            }
            EventBody::StaffJoined { account, key, limits, .. } => {
                self.staff.insert(*account);
                self.limits.insert(*key, *limits);
            }
            EventBody::StaffLeft { account, .. } => drop(self.staff.remove(account)),
            EventBody::DeviceRevoked { key, .. } => drop(self.revoked.insert(*key)),
            EventBody::SaleRecorded { key, amount, time, .. } => self.sold(*key, *amount, *time)?,
            EventBody::SaleWaits { sale, account, .. } => {
                if self.is_own(*account) {
                    return Err("a sale to someone of the shop waits".to_owned());
                }
                self.waited.insert(*sale);
            }
            // A sale that waited was made before they joined: the server saw it.
            EventBody::Accrued { merchant: at, account, sale, .. }
                if *at == merchant && self.is_own(*account) && !self.waited.contains(sale) =>
            {
                return Err("someone of the shop earned there".to_owned());
            }
            EventBody::PassReserved { pass, .. } => drop(self.reserved.insert(*pass, false)),
            EventBody::HoldMade { hold, until, .. } => {
                self.reserved.insert(*hold, false);
                self.until.insert(*hold, *until);
            }
            EventBody::HoldReleased { hold, .. } => return self.end(*hold),
            EventBody::Redeemed { merchant: at, hold: Some(captured), .. } if *at == merchant => {
                if self.until.get(&captured.hold).is_some_and(|until| event.at > *until) {
                    return Err(format!("hold {} was captured after its time", captured.hold));
                }
                return self.end(captured.hold);
            }
            EventBody::Redeemed { merchant: at, pass: Some(pass), .. } if *at == merchant => {
                return self.end(*pass);
            }
            EventBody::PassReleased { pass, .. } => return self.end(*pass),
            _ => {}
        }
        Ok(())
    }

    fn is_own(&self, account: AccountId) -> bool {
        self.owner == Some(account) || self.staff.contains(&account)
    }

    fn sold(&mut self, key: KeyId, amount: Money, time: u64) -> Step {
        if let Some((most, used)) = self.certificates.get_mut(&key) {
            *used += amount.0;
            if *used > most.0 {
                return Err(format!("{used} sold under a certificate of {}", most.0));
            }
        }
        let Some(limits) = self.limits.get(&key) else { return Ok(()) };
        let day = self.days.entry((key, sales_day(time))).or_default();
        *day += amount.0;
        if amount > limits.per_sale || *day > limits.per_day.0 {
            return Err(format!("a clerk sold {} and {day} that day, with {limits:?}", amount.0));
        }
        Ok(())
    }

    /// A pass or a hold is spent, or comes back; one or the other, once.
    fn end(&mut self, op: OpId) -> Step {
        match self.reserved.insert(op, true) {
            Some(false) => Ok(()),
            Some(true) => Err(format!("what {op} reserved was spent or came back before")),
            None => Err(format!("{op} never reserved anything")),
        }
    }
}

impl World {
    /// Whoever paid might: their key was not revoked, and was old enough or admitted.
    pub(crate) fn check_payers(&self, inboxes: &Inboxes) -> Step {
        for (inbox, events) in inboxes {
            let Inbox::Account(account) = inbox else { continue };
            let (mut pays_from, mut revoked) = (BTreeMap::new(), BTreeSet::new());
            for event in events {
                if revoked.contains(&event.actor) {
                    return Err(format!("op {} is by a key of {account} that was revoked before", event.op));
                }
                let payer = match &event.body {
                    EventBody::DeviceEnrolled { key, pays_from: from, .. } => {
                        pays_from.insert(*key, *from);
                        None
                    }
                    EventBody::DeviceAdmitted { key, .. } => {
                        pays_from.entry(*key).and_modify(|from: &mut Timestamp| *from = event.at.min(*from));
                        None
                    }
                    EventBody::DeviceRevoked { key, .. } => {
                        revoked.insert(*key);
                        None
                    }
                    EventBody::PassReserved { key, .. } => Some(*key),
                    EventBody::Redeemed { account: of, pass: None, .. }
                    | EventBody::HoldMade { account: of, .. }
                        if of == account =>
                    {
                        self.payer((event.actor, event.op))?
                    }
                    _ => None,
                };
                let Some(key) = payer else { continue };
                if revoked.contains(&key) {
                    return Err(format!("op {}: {key} pays, and was revoked before", event.op));
                }
                if pays_from.get(&key).is_none_or(|from| event.at < *from) {
                    return Err(format!("op {}: {key} pays before it may", event.op));
                }
            }
        }
        Ok(())
    }

    /// The key whose word it was to pay.
    fn payer(&self, name: (KeyId, OpId)) -> Step<Option<KeyId>> {
        let Some(bytes) = self.server.journal.signed.get(&name) else { return Ok(None) };
        let parsed = Parsed::parse(bytes).map_err(broken)?;
        Ok(match self.server.check(parsed)? {
            Ok(submission) => match (&submission.op.value().body, &submission.carried) {
                (OpBody::Pay { .. }, _) => Some(name.0),
                (_, Carried::Code(code)) => Some(code.key),
                _ => None,
            },
            Err(_) => None,
        })
    }

    /// What a shop handed goods over for is in the books, unless the server has lost a day.
    pub(crate) fn check_honoured(&self, inboxes: &Inboxes) -> Step {
        let taken: BTreeSet<OpId> = inboxes
            .values()
            .flatten()
            .filter(|event| matches!(event.body, EventBody::Redeemed { .. }))
            .map(|event| event.op)
            .collect();
        for (till, op) in self.approvals.keys().filter(|(_, op)| !taken.contains(op)) {
            // After a day was lost the buyer's phone says it again, and that is too late.
            if !self.restored {
                return Err(format!("{}: honoured {op}, which took nothing", self.people[*till].name));
            }
        }
        Ok(())
    }
}
