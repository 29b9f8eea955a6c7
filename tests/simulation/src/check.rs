//! What must hold at the end, when the faults have stopped and everything has drained.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use moa_ledger::store::{Answer, Outcome};
use moa_ledger::tables::Tables;
use moa_phone::{Fate, Phone, SignedIn};
use moa_rules::books::Ledger;
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::Carried;
use moa_rules::terms::Unit;
use moa_wire::keys::Signer;
use moa_wire::submission::Parsed;
use moa_wire::{canonical, chain};

use crate::Step;
use crate::law;
use crate::ledger::broken;
use crate::owed;
use crate::person::Person;
use crate::reads;
use crate::server::Caller;
use crate::watch::{agrees, reckon, undecided};
use crate::world::World;

/// The events of every inbox, in order.
pub(crate) type Inboxes = BTreeMap<Inbox, Vec<Event>>;

impl World {
    /// Checks the ledger in itself, then what every phone was told, then what every phone shows.
    pub(crate) fn check_all(&mut self) -> Step {
        self.server.ledger.verify()?;
        let inboxes = self.read_inboxes()?;
        check_events(&inboxes)?;
        let tables = self.server.ledger.tables()?;
        law::check(&inboxes, &tables, self.now)?;
        owed::check(&inboxes, &tables)?;
        self.check_payers(&inboxes)?;
        self.check_honoured(&inboxes)?;
        check_tables(&inboxes, &tables, self.server.key.key_id())?;
        check_books(&inboxes, &tables)?;
        self.check_answers(&inboxes)?;
        self.check_counters()?;
        for person in 0..self.people.len() {
            if self.is_revoked(person)? {
                continue;
            }
            self.check_phone(person).map_err(|why| format!("{}: {why}", self.people[person].name))?;
        }
        self.count_outcome(&inboxes);
        Ok(())
    }

    /// Every inbox that anything landed in, its numbers and hashes checked.
    fn read_inboxes(&self) -> Step<Inboxes> {
        let mut ahead: Vec<Inbox> =
            self.people.iter().map(|someone| Inbox::Account(someone.account)).collect();
        let mut inboxes = Inboxes::new();
        while let Some(inbox) = ahead.pop() {
            if inboxes.contains_key(&inbox) {
                continue;
            }
            let page = self.server.ledger.store().inbox(inbox, 0, usize::MAX >> 1).map_err(broken)?;
            let numbered = (1..).zip(&page.events);
            let hash =
                numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
            let head = self.server.ledger.store().head(inbox).map_err(broken)?;
            if (page.events.len() as u64, hash) != (head.count, head.hash) || page.count != head.count {
                return Err(format!(
                    "{inbox:?}: {} events, the head counts {}",
                    page.events.len(),
                    head.count
                ));
            }
            let events: Vec<Event> = page
                .events
                .iter()
                .map(|bytes| canonical::decode(bytes).map_err(broken))
                .collect::<Step<_>>()?;
            ahead.extend(events.iter().flat_map(|event| event.body.inboxes()));
            inboxes.insert(inbox, events);
        }
        Ok(inboxes)
    }

    /// Every answer that was given is the one that the ledger keeps, and what was applied happened once.
    fn check_answers(&mut self, inboxes: &Inboxes) -> Step {
        let happened: BTreeSet<(KeyId, OpId)> =
            inboxes.values().flatten().map(|event| (event.actor, event.op)).collect();
        let signed = self.server.journal.signed.clone();
        for (name, bytes) in &signed {
            let parsed = Parsed::parse(bytes).map_err(broken)?;
            let answer = self.server.journal.answers.get(name).cloned();
            let submission = match self.server.check(parsed)? {
                Ok(submission) => submission,
                Err(_) if answer.is_none() => continue,
                Err(reason) => return Err(format!("op {} was answered, and now {reason}", name.1)),
            };
            let Some(answer) = answer else { continue };
            let body = submission.op.value().body.clone();
            let again = self.server.ledger.commit(&[submission], self.now).map_err(broken)?;
            if again.outcomes != [Outcome::Again(answer.clone())] {
                let name = name.1;
                return Err(format!(
                    "op {name} was answered {answer:?}, the ledger says {:?}",
                    again.outcomes
                ));
            }
            // A device that enrols again is no event, nor is a member frozen that is frozen.
            let is_system = name.0 == self.server.key.key_id();
            let may_be_none = is_system || matches!(body.kind().name, "freeze_member" | "revoke_invitation");
            if (answer == Answer::Applied) != happened.contains(name)
                && !(may_be_none && answer == Answer::Applied)
            {
                return Err(format!("op {} was answered {answer:?}, and its events say otherwise", name.1));
            }
        }
        match happened.iter().find(|name| self.server.journal.answers.get(name) != Some(&Answer::Applied)) {
            Some((_, op)) => Err(format!("events of op {op}, which nobody was told of")),
            None => Ok(()),
        }
    }

    /// No key used a counter twice, for ops or codes.
    fn check_counters(&self) -> Step {
        let mut used = BTreeSet::new();
        for (name, answer) in &self.server.journal.answers {
            if *answer != Answer::Applied {
                continue;
            }
            let bytes = self.server.journal.signed.get(name).ok_or("an answer without an op")?;
            let parsed = Parsed::parse(bytes).map_err(broken)?;
            let Ok(submission) = self.server.check(parsed)? else {
                return Err("an op that does not check".into());
            };
            let op = submission.op.value();
            let mut counters = vec![(op.actor, op.counter)];
            if let Carried::Code(code) = submission.carried {
                counters.push((code.key, code.counter));
            }
            for (key, counter) in counters {
                if !used.insert((key, counter)) {
                    return Err(format!("op {}: counter {counter} of key {key} was used before", op.id));
                }
            }
        }
        Ok(())
    }

    fn check_phone(&self, person: usize) -> Step {
        let someone = &self.people[person];
        let app = someone.app.as_ref().ok_or("is not running")?;
        let phone = &app.phone;
        if phone.signed_in().map_err(broken)? != SignedIn::Yes(someone.account) {
            return Err("is not signed in".to_owned());
        }
        if let Some(breach) = phone.breach().map_err(broken)? {
            return Err(format!("breach: {breach}"));
        }
        match someone.ticket.and_then(|ticket| app.machine.finished(ticket)) {
            Some(Ok(())) => {}
            other => return Err(format!("the last sync: {other:?}")),
        }
        self.check_ops(someone, phone)?;
        self.check_heads(someone, phone)?;
        self.check_balances(someone, phone)?;
        self.check_holds(someone, phone)?;
        self.check_waiting(someone, phone)?;
        self.check_standing(someone, phone)?;
        self.check_invitations(someone, phone)?;
        self.check_shop(phone)
    }

    /// Nothing waits, and every fate told is still told.
    fn check_ops(&self, someone: &Person, phone: &Phone) -> Step {
        let outbox = phone.outbox().map_err(broken)?;
        if let Some(item) = outbox.iter().find(|item| !matches!(item.fate, Fate::Refused(_))) {
            return Err(format!("op {} ({:?}) waits for ever: {:?}", item.op, item.kind, item.fate));
        }
        if let Some(op) = someone.waiting.first() {
            return Err(format!("op {op} was never decided"));
        }
        for (op, told) in &someone.told {
            let fate = phone.fate(*op).map_err(broken)?;
            if fate.as_ref() != Some(told) {
                return Err(format!("op {op} was {told:?}, and now {fate:?}"));
            }
            // A refusal whose record was lost with the server's disk stays one.
            if someone.doubted.contains(op) && undecided(&self.server, someone.key_id(), *op) {
                continue;
            }
            agrees(&self.server, someone.key.key_id(), *op, told).map_err(|why| format!("op {op}: {why}"))?;
        }
        if !phone.pending_claims().map_err(broken)?.is_empty() {
            return Err("a claim stays pending".to_owned());
        }
        match someone.claims.first() {
            Some(claim) => Err(format!("claim {claim} was lost from sight")),
            None => Ok(()),
        }
    }

    /// The phone followed every inbox of its own to its end, and got to the same hashes.
    fn check_heads(&self, someone: &Person, phone: &Phone) -> Step {
        let store = self.server.ledger.store();
        let caller = Caller { account: someone.account, key: someone.key.key_id() };
        let followed = phone.reckoned().map_err(broken)?;
        for inbox in reads::inboxes(store, caller)? {
            let head = store.head(inbox).map_err(broken)?;
            let reckoned = followed.iter().find(|reckoned| Inbox::from(reckoned.inbox) == inbox);
            let got = reckoned.map_or((0, chain::start(inbox)), |reckoned| (reckoned.count, reckoned.hash));
            if got != (head.count, head.hash) {
                return Err(format!("{inbox:?}: followed to {}, the head is {}", got.0, head.count));
            }
        }
        Ok(())
    }

    /// What the phone shows as confirmed is what the server's lots hold, and what it shows as owed is what is owed.
    fn check_balances(&self, someone: &Person, phone: &Phone) -> Step {
        let store = self.server.ledger.store();
        let lots = store.lots(someone.account).map_err(broken)?;
        let mut stands: BTreeMap<(GroupId, Option<Unit>), [i64; 3]> = BTreeMap::new();
        for lot in lots.iter().filter(|lot| self.now < lot.ends_at) {
            let of = stands.entry((lot.group, lot.worth.unit)).or_default();
            of[0] += lot.free().get();
            of[1] += lot.held.get();
        }
        for debt in store.debts(someone.account).map_err(broken)? {
            stands.entry((debt.group, debt.unit)).or_default()[2] += debt.units.get();
        }
        stands.retain(|_, figures| *figures != [0; 3]);
        let seen = reckon(&self.server, phone, someone.account)?;
        for balance in phone.balances().map_err(broken)? {
            let of = (balance.group, balance.unit);
            let is = stands.remove(&of).unwrap_or_default();
            let confirmed = balance.confirmed.get() + balance.frozen.get();
            let shown = [confirmed, balance.held.get(), balance.owed.get()];
            let reckoned = (seen.usable(of, self.now), seen.owed(of));
            if shown != is || reckoned != (is[0], is[2]) || !balance.pending.is_zero() {
                let pending = balance.pending;
                return Err(format!(
                    "shows {shown:?} and {pending} pending in {of:?}, the server has {is:?}, the events make {reckoned:?}"
                ));
            }
        }
        match stands.first_key_value() {
            Some((of, figures)) => Err(format!("does not show {figures:?} in {of:?}")),
            None => Ok(()),
        }
    }

    /// The open holds that a phone shows, its person's and its shop's, are those that its inboxes tell of.
    fn check_holds(&self, someone: &Person, phone: &Phone) -> Step {
        let caller = Caller { account: someone.account, key: someone.key.key_id() };
        let store = self.server.ledger.store();
        let reach = reads::reach(store, caller)?;
        let mut open = store.open_holds(someone.account, reach.merchant).map_err(broken)?;
        open.retain(|hold| reach.shows(hold));
        let open: BTreeSet<OpId> = open.into_iter().map(|hold| hold.id).collect();
        let mut shown: BTreeSet<OpId> = phone.held().map_err(broken)?.iter().map(|hold| hold.hold).collect();
        shown.extend(phone.holds().map_err(broken)?.iter().map(|hold| hold.hold));
        if shown == open {
            Ok(())
        } else {
            Err(format!("shows the holds {shown:?}, the server has {open:?}"))
        }
    }

    /// The sales that wait for this buyer are those that wait on the server, and nothing chooses for them any more.
    fn check_waiting(&self, someone: &Person, phone: &Phone) -> Step {
        let waiting = self.server.ledger.store().waiting_of(someone.account).map_err(broken)?;
        let waiting: BTreeSet<OpId> = waiting.iter().map(|sale| sale.id).collect();
        let shown = phone.waiting_sales().map_err(broken)?;
        if let Some(chosen) = shown.iter().find(|sale| sale.claim.is_some()) {
            return Err(format!("sale {} waits, and a choice for it too", chosen.sale));
        }
        let shown: BTreeSet<OpId> = shown.iter().map(|sale| sale.sale).collect();
        if shown == waiting {
            Ok(())
        } else {
            Err(format!("shows {shown:?} waiting, the server {waiting:?}"))
        }
    }

    /// What the phone shows of the standing choice is what the server goes by.
    fn check_standing(&self, someone: &Person, phone: &Phone) -> Step {
        let held = self.server.ledger.store().standing(someone.account).map_err(broken)?;
        let marketing = held.as_ref().map(|standing| standing.marketing).unwrap_or_default();
        let held = held.map(|standing| standing.choice).unwrap_or_default();
        let shown = phone.standing().map_err(broken)?;
        let groups: Vec<GroupId> = shown.groups.iter().map(|group| group.id).collect();
        let said = phone.marketing().map_err(broken)?;
        if (said.marketing, said.pending) != (marketing, false) {
            return Err(format!("shows {said:?} to advertising, the server has {marketing:?}"));
        }
        if (groups, shown.best, shown.pending) == (held.groups.clone(), held.best, false) {
            return Ok(());
        }
        Err(format!("shows {shown:?} as its standing choice, the server has {held:?}"))
    }

    /// The shop and its groups are confirmed, and its sales stand as the server has them.
    fn check_shop(&self, phone: &Phone) -> Step {
        let Some(shop) = phone.own_shop().map_err(broken)? else { return Ok(()) };
        if !shop.confirmed {
            return Err("the shop was never confirmed".to_owned());
        }
        // One that it waits to be let into is none yet; whether it rightly waits is seen with the requests.
        let mut own = phone.own_groups().map_err(broken)?;
        own.retain(|group| group.asked_at.is_none());
        if let Some(group) = own.iter().find(|group| !group.confirmed) {
            return Err(format!("the membership in {} was never confirmed", group.id));
        }
        let tables = self.server.ledger.tables()?;
        let groups = tables.groups_of(shop.id);
        let mut shown: Vec<GroupId> = own.into_iter().map(|group| group.id).collect();
        shown.sort_unstable();
        if shown != groups {
            return Err(format!("shows {} groups, the server has {}", shown.len(), groups.len()));
        }
        Ok(())
    }

    fn count_outcome(&mut self, inboxes: &Inboxes) {
        self.counts.insert("answered ops sent again", self.server.journal.again);
        for event in home_events(inboxes) {
            match event.body {
                EventBody::Accrued { .. } => self.count("lots issued"),
                EventBody::Redeemed { ref hold, .. } => {
                    self.count("redemptions approved");
                    if hold.is_some() {
                        self.count("holds captured");
                    }
                }
                EventBody::Expired { .. } => self.count("lots expired"),
                EventBody::SaleWaits { .. } => self.count("sales that waited"),
                EventBody::StandingSet { .. } => self.count("standing choices decided"),
                EventBody::MarketingSet { .. } => self.count("consents to advertising decided"),
                EventBody::SaleLapsed { .. } => self.count("sales that lapsed"),
                EventBody::SaleVoided { .. } => self.count("sales voided"),
                EventBody::HoldMade { .. } => self.count("holds made"),
                EventBody::HoldReleased { lapsed: true, .. } => self.count("holds lapsed"),
                EventBody::HoldReleased { lapsed: false, .. } => self.count("holds voided"),
                EventBody::Reversed { ref lots, .. } => {
                    let revived = lots.iter().any(|lot| lot.revives.is_some());
                    self.count(if revived { "lots revived" } else { "redemptions undone" });
                }
                EventBody::Refunded { debt, .. } => {
                    self.count(if debt.is_zero() { "refunds" } else { "refunds that left a debt" });
                }
                EventBody::DebtPaid { .. } => self.count("debts paid"),
                EventBody::Granted { .. } => self.count("gifts"),
                EventBody::TakenAway { .. } => self.count("gifts taken away"),
                EventBody::TermsAmended { .. } => self.count("terms amended"),
                EventBody::AmendmentRejected { .. } => self.count("amendments rejected"),
                EventBody::MemberLeft { .. } => self.count("members gone"),
                EventBody::MemberFrozen { .. } => self.count("members frozen or let go"),
                EventBody::GroupClosing { .. } => self.count("groups closing"),
                _ => self.count("other events"),
            }
        }
    }
}

/// Each event once: in its first inbox.
fn home_events(inboxes: &Inboxes) -> impl Iterator<Item = &Event> {
    inboxes.iter().flat_map(|(inbox, events)| {
        events.iter().filter(move |event| event.body.inboxes().first() == Some(inbox))
    })
}

/// Every event is once in each inbox that it concerns and in no other; an op's events are numbered without gaps.
fn check_events(inboxes: &Inboxes) -> Step {
    let mut places: BTreeMap<Vec<u8>, Vec<Inbox>> = BTreeMap::new();
    let mut indexes: BTreeMap<(KeyId, OpId), Vec<u16>> = BTreeMap::new();
    for (inbox, events) in inboxes {
        for event in events {
            places.entry(canonical::encode(event)).or_default().push(*inbox);
        }
    }
    for (bytes, places) in &places {
        let event: Event = canonical::decode(bytes).map_err(broken)?;
        if *places != event.body.inboxes() {
            let (op, index) = (event.op, event.index);
            return Err(format!(
                "event {index} of op {op} is in {places:?}, and concerns {:?}",
                event.body.inboxes()
            ));
        }
        indexes.entry((event.actor, event.op)).or_default().push(event.index);
    }
    for ((_, op), mut indexes) in indexes {
        indexes.sort_unstable();
        if !(0..).zip(&indexes).all(|(expected, index)| expected == *index) {
            return Err(format!("the events of op {op} are numbered {indexes:?}"));
        }
    }
    Ok(())
}

/// Replayed in an order that agrees with every inbox, the events make the live tables.
fn check_tables(inboxes: &Inboxes, live: &Tables, system: KeyId) -> Step {
    let mut rebuilt = Tables::default();
    rebuilt.devices.extend(live.devices.get(&system).map(|device| (system, device.clone())));
    let mut ahead: BTreeMap<Inbox, VecDeque<&Event>> =
        inboxes.iter().map(|(inbox, events)| (*inbox, events.iter().collect())).collect();
    loop {
        let is_next = |event: &&&Event| {
            event
                .body
                .inboxes()
                .iter()
                .all(|inbox| ahead.get(inbox).and_then(|left| left.front()) == Some(*event))
        };
        let Some(event) = ahead.values().filter_map(VecDeque::front).find(is_next).copied() else { break };
        for inbox in event.body.inboxes() {
            ahead.get_mut(&inbox).map(VecDeque::pop_front);
        }
        rebuilt.replay(event)?;
    }
    if let Some((inbox, left)) = ahead.iter().find(|(_, left)| !left.is_empty()) {
        return Err(format!("{inbox:?}: {} events in no order that agrees with the others", left.len()));
    }
    let same = [
        ("devices", rebuilt.devices == live.devices),
        ("merchants", rebuilt.merchants == live.merchants),
        ("sales", rebuilt.sales == live.sales),
        ("groups", rebuilt.groups == live.groups),
        ("terms", rebuilt.terms == live.terms),
        ("members", rebuilt.members == live.members),
        ("lots", rebuilt.lots == live.lots),
        ("staff", rebuilt.staff == live.staff),
        ("staff_days", rebuilt.staff_days == live.staff_days),
        ("passes", rebuilt.passes == live.passes),
        ("holds", rebuilt.holds == live.holds),
        ("redemptions", rebuilt.redemptions == live.redemptions),
        ("debts", rebuilt.debts == live.debts),
        ("amendments", rebuilt.amendments == live.amendments),
        ("standings", rebuilt.standings == live.standings),
        ("operators", rebuilt.operators == live.operators),
        ("balances", rebuilt.balances == live.balances),
    ];
    match same.iter().find(|(_, same)| !same) {
        Some((table, _)) => Err(format!("{table} are not what the events make")),
        None => Ok(()),
    }
}

/// Σ issued = redeemed (net of what came back) + expired + clawed back + taken away + outstanding, per group and issuer; and
/// what parties owe each other sums to zero.
fn check_books(inboxes: &Inboxes, live: &Tables) -> Step {
    let mut open: BTreeMap<(GroupId, MerchantId), i64> = BTreeMap::new();
    for event in home_events(inboxes) {
        match &event.body {
            EventBody::Accrued { group, merchant, units, .. }
            | EventBody::Granted { group, merchant, units, .. } => {
                *open.entry((*group, *merchant)).or_default() += units.get();
            }
            EventBody::Reversed { group, parts, .. } => {
                for part in parts {
                    *open.entry((*group, part.issuer)).or_default() += part.units.get();
                }
            }
            EventBody::Refunded { group: Some(group), taken, .. }
            | EventBody::TakenAway { group, taken, .. } => {
                for part in taken {
                    *open.entry((*group, part.issuer)).or_default() -= part.units.get();
                }
            }
            EventBody::DebtPaid { group, taken, .. } => {
                *open.entry((*group, taken.issuer)).or_default() -= taken.units.get();
            }
            EventBody::Redeemed { group, units, allocations, .. } => {
                let mut parts = 0;
                for part in allocations {
                    parts += part.units.get();
                    *open.entry((*group, part.issuer)).or_default() -= part.units.get();
                }
                if parts != units.get() {
                    return Err(format!("op {} redeemed {units}, its parts are {parts}", event.op));
                }
            }
            EventBody::Expired { group, allocation, .. } => {
                *open.entry((*group, allocation.issuer)).or_default() -= allocation.units.get();
            }
            _ => {}
        }
    }
    for lot in live.lots.values() {
        *open.entry((lot.group, lot.issuer)).or_default() -= lot.remaining.get();
    }
    if let Some(((group, issuer), units)) = open.iter().find(|(_, units)| **units != 0) {
        return Err(format!("{group}: {units} units of {issuer} were issued and are nowhere"));
    }
    let mut positions: BTreeMap<GroupId, i64> = BTreeMap::new();
    for (account, amount) in live.balances.iter().filter(|(account, _)| account.ledger == Ledger::Position) {
        *positions.entry(account.group).or_default() += amount;
    }
    match positions.iter().find(|(_, sum)| **sum != 0) {
        Some((group, sum)) => Err(format!("{group}: what is owed sums to {sum}")),
        None => Ok(()),
    }
}
