//! What must hold at every moment, as far as one phone shows it.

use std::collections::{BTreeMap, BTreeSet};

use moa_ledger::store::Answer;
use moa_phone::{Fate, Phone};
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{GroupId, KeyId, LotId, OpId};
use moa_rules::lot::Allocation;
use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::api::InboxName;
use moa_wire::canonical;
use moa_wire::keys::Signer;

use crate::Step;
use crate::ledger::broken;
use crate::server::Server;
use crate::world::World;

/// A lot as far as it matters for what can be used.
struct Left {
    of: (GroupId, Option<Unit>),
    units: i64,
    ends_at: Timestamp,
}

/// A wallet as it follows from the first so many events of an account's inbox, reckoned the plain way.
#[derive(Default)]
pub(crate) struct Reckoning {
    lots: BTreeMap<LotId, Left>,
    /// What open passes and holds hold: taken from what can be used, until they are spent or come back.
    pub(crate) held: BTreeMap<OpId, Vec<Allocation>>,
    /// What is owed.
    owed: BTreeMap<(GroupId, Option<Unit>), i64>,
    /// Claims that made a lot.
    pub(crate) claims: BTreeSet<OpId>,
}

impl Reckoning {
    fn issue(&mut self, lot: LotId, of: (GroupId, Option<Unit>), units: Units, ends_at: Timestamp) {
        self.lots.insert(lot, Left { of, units: units.get(), ends_at });
    }

    fn take(&mut self, part: &Allocation) {
        if let Some(lot) = self.lots.get_mut(&part.lot) {
            lot.units -= part.units.get();
        }
    }

    fn put_back(&mut self, part: &Allocation) {
        if let Some(lot) = self.lots.get_mut(&part.lot) {
            lot.units += part.units.get();
        }
    }

    fn hold(&mut self, op: OpId, held: &[Allocation]) {
        held.iter().for_each(|part| self.take(part));
        self.held.insert(op, held.to_vec());
    }

    fn let_go(&mut self, op: OpId) {
        for part in self.held.remove(&op).unwrap_or_default() {
            self.put_back(&part);
        }
    }

    fn add(&mut self, event: &Event) {
        match &event.body {
            EventBody::Accrued { lot, group, units, worth, ends_at, .. } => {
                self.issue(*lot, (*group, worth.unit), *units, *ends_at);
                self.claims.insert(event.op);
            }
            EventBody::Granted { lot, group, units, worth, ends_at, .. } => {
                self.issue(*lot, (*group, worth.unit), *units, *ends_at);
            }
            EventBody::PassReserved { pass, held, .. } => self.hold(*pass, held),
            EventBody::HoldMade { hold, held, .. } => self.hold(*hold, held),
            EventBody::PassReleased { pass, .. } => self.let_go(*pass),
            EventBody::HoldReleased { hold, .. } => self.let_go(*hold),
            EventBody::Redeemed { allocations, pass, hold, .. } => {
                pass.iter().for_each(|pass| self.let_go(*pass));
                hold.iter().for_each(|captured| self.let_go(captured.hold));
                allocations.iter().for_each(|part| self.take(part));
            }
            EventBody::Reversed { group, parts, lots, .. } => {
                for (part, lot) in parts.iter().zip(lots) {
                    if lot.id == part.lot {
                        self.put_back(part);
                    } else {
                        self.issue(lot.id, (*group, part.worth.unit), part.units, lot.ends_at);
                    }
                }
            }
            EventBody::Refunded { group: Some(group), taken, debt, unit, .. } => {
                taken.iter().for_each(|part| self.take(part));
                *self.owed.entry((*group, *unit)).or_default() += debt.get();
            }
            EventBody::DebtPaid { group, taken, .. } => {
                self.take(taken);
                *self.owed.entry((*group, taken.worth.unit)).or_default() -= taken.units.get();
            }
            EventBody::TakenAway { taken, .. } => taken.iter().for_each(|part| self.take(part)),
            EventBody::Expired { allocation, .. } => self.take(allocation),
            _ => {}
        }
    }

    /// What can be used of a unit in a group, what frozen shops issued counted in.
    pub(crate) fn usable(&self, of: (GroupId, Option<Unit>), now: Timestamp) -> i64 {
        self.lots.values().filter(|lot| lot.of == of && now < lot.ends_at).map(|lot| lot.units).sum()
    }

    /// What is owed of a unit in a group.
    pub(crate) fn owed(&self, of: (GroupId, Option<Unit>)) -> i64 {
        self.owed.get(&of).copied().unwrap_or(0)
    }
}

impl World {
    /// After every step of a phone: what it tells of its ops is so, and stays so; and no claim is lost from sight
    /// between the moment it is made and the moment its event is applied, or seen twice.
    pub(crate) fn watch(&mut self, person: usize) -> Step {
        let someone = &mut self.people[person];
        let Some(app) = &someone.app else { return Ok(()) };
        let name = &someone.name;
        let key = someone.key.key_id();
        for op in someone.waiting.clone() {
            let fate = app.phone.fate(op).map_err(broken)?;
            let fate = fate.ok_or_else(|| format!("{name}: op {op} is gone from the outbox"))?;
            if matches!(fate, Fate::Waiting | Fate::BeingChecked) {
                continue;
            }
            if someone.doubted.contains(&op) && undecided(&self.server, key, op) {
                continue;
            }
            agrees(&self.server, key, op, &fate).map_err(|why| format!("{name}: op {op}: {why}"))?;
            if matches!(fate, Fate::Refused(_)) {
                *self.counts.entry("ops refused").or_default() += 1;
            } else {
                *self.counts.entry("ops applied").or_default() += 1;
            }
            someone.waiting.remove(&op);
            someone.told.insert(op, fate);
        }
        if someone.claims.is_empty() {
            return Ok(());
        }
        let seen = match reckon(&self.server, &app.phone, someone.account) {
            // It has followed what is not in the books any more, and does not know.
            Err(_) if someone.astray => return Ok(()),
            seen => seen.map_err(|why| format!("{name}: {why}"))?,
        };
        let pending: BTreeSet<OpId> =
            app.phone.pending_claims().map_err(broken)?.iter().map(|claim| claim.op).collect();
        for claim in someone.claims.clone() {
            let refused = matches!(someone.told.get(&claim), Some(Fate::Refused(_)));
            match (pending.contains(&claim), seen.claims.contains(&claim)) {
                (false, false) if refused => {}
                (true, false) if !refused => continue,
                (false, true) if !refused => {}
                (true, true) if someone.blurred.contains(&claim) => continue,
                (true, true) => return Err(format!("{name}: claim {claim} counts twice")),
                (false, false) => {
                    return Err(format!("{name}: claim {claim} is neither pending nor confirmed"));
                }
                _ => return Err(format!("{name}: claim {claim} was refused, and counts")),
            }
            someone.claims.remove(&claim);
        }
        Ok(())
    }

    /// Looks at every screen. What is confirmed is what the server had confirmed when the phone last heard of it.
    pub(crate) fn look(&mut self, person: usize) -> Step {
        self.count("screens looked at");
        let balances = self.on_phone(person, Phone::balances)?.unwrap_or_default();
        self.on_phone(person, Phone::outbox)?;
        self.on_phone(person, Phone::own_shop)?;
        self.on_phone(person, Phone::own_groups)?;
        self.on_phone(person, Phone::merchant_today)?;
        self.on_phone(person, Phone::holds)?;
        self.on_phone(person, Phone::held)?;
        let someone = &self.people[person];
        let Some(app) = &someone.app else { return Ok(()) };
        let name = &someone.name;
        let seen = match reckon(&self.server, &app.phone, someone.account) {
            Err(_) if someone.astray => return Ok(()),
            seen => seen.map_err(|why| format!("{name}: {why}"))?,
        };
        for balance in balances {
            app.phone.history(balance.group).map_err(broken)?;
            let of = (balance.group, balance.unit);
            let shown = (balance.confirmed.get() + balance.frozen.get(), balance.owed.get());
            let is = (seen.usable(of, app.phone.now()), seen.owed(of));
            if shown != is {
                return Err(format!(
                    "{name}: shows {shown:?} confirmed and owed in {of:?}, the events say {is:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Whether the server has not answered an op, as far as its books go.
pub(crate) fn undecided(server: &Server, key: KeyId, op: OpId) -> bool {
    let name = (key, op);
    !server.journal.answers.contains_key(&name) && !server.journal.turned_away.contains_key(&name)
}

/// Whether the fate that a phone tells is the one that the ledger decided.
pub(crate) fn agrees(server: &Server, key: KeyId, op: OpId, fate: &Fate) -> Result<(), String> {
    let answer = server.journal.answers.get(&(key, op));
    let turned_away = server.journal.turned_away.get(&(key, op));
    match (fate, answer, turned_away) {
        (Fate::Applied, Some(Answer::Applied), _) => Ok(()),
        (Fate::Refused(refused), Some(Answer::Refused(reason)), _) if refused.code == reason.code() => Ok(()),
        (Fate::Refused(refused), None, Some(reason)) if refused.code == reason.code() => Ok(()),
        _ => Err(format!("the phone says {fate:?}, the server {answer:?} {turned_away:?}")),
    }
}

/// The wallet that the server's events make, as far as this phone has followed them.
pub(crate) fn reckon(server: &Server, phone: &Phone, account: moa_rules::id::AccountId) -> Step<Reckoning> {
    let followed = phone.reckoned().map_err(broken)?;
    let own = followed.iter().find(|reckoned| reckoned.inbox == InboxName::Account(account));
    let mut reckoning = Reckoning::default();
    let Some(own) = own else { return Ok(reckoning) };
    let count = usize::try_from(own.count).map_err(broken)?;
    let page = server.ledger.store().inbox(Inbox::Account(account), 0, count).map_err(broken)?;
    if (page.head.count, page.head.hash) != (own.count, own.hash) {
        return Err(format!("has followed {count} events that are not the server's {}", page.count));
    }
    for bytes in &page.events {
        reckoning.add(&canonical::decode(bytes).map_err(broken)?);
    }
    Ok(reckoning)
}
