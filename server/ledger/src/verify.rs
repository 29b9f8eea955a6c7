//! Proves the live tables from the journal.
//!
//! What is believed: the ops as signed, and the events in their inboxes. Everything else is computed again and
//! compared: signatures, payload hashes, counters, each inbox's numbering and hash, whom each event concerns, every
//! live table, every account of the books.
//!
//! Held in memory: the live tables as the journal makes them, the ids of ops, the counters (about 1 KB a lot, all in all),
//! and the next few events of each inbox. The journal and the live tables of the store pass through.

mod books;
mod search;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::thread;

use moa_rules::device::Device;
use moa_rules::event::{Event, Inbox};
use moa_rules::id::{KeyId, OpId};
use moa_rules::op::Carried;
use moa_rules::refusal::Refusal;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use moa_wire::submission::{Parsed, Submission};
use moa_wire::{canonical, chain};

use self::books::Books;
use crate::journal::{Journal, KeptOp};
use crate::replay::replay;
use crate::sqlite::SqliteJournal;
use crate::store::{Answer, InboxHead, StoreError};
use crate::tables::Tables;

/// The most differences that a report lists; the rest is counted.
const MOST: usize = 100;

/// Ops that are read, then checked on every processor at once: about 2 MB.
const TOGETHER: usize = 4_096;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Ops in the journal.
    pub ops: u64,
    /// Events in the journal.
    pub events: u64,
    /// Inboxes.
    pub inboxes: u64,
    /// Lots, spent ones too.
    pub lots: u64,
    /// Groups.
    pub groups: u64,
    /// Differences found.
    pub different: u64,
    /// Those of them in the journal itself, which no rebuild mends.
    pub in_journal: u64,
    /// The first hundred of all, as sentences.
    pub differences: Vec<String>,
}

impl Report {
    /// Whether everything matches.
    pub fn is_clean(&self) -> bool {
        self.different == 0
    }

    pub(crate) fn add(&mut self, difference: impl FnOnce() -> String) {
        self.different += 1;
        if self.differences.len() < MOST {
            self.differences.push(difference());
        }
    }
}

/// Verifies a database file, which may be in use.
///
/// # Errors
/// As [`verify`].
pub fn verify_file(path: &Path) -> Result<Report, StoreError> {
    verify(&mut SqliteJournal::open(path)?)
}

/// Verifies one state of a store.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all. What reads and does not match is in the report.
pub fn verify(journal: &mut dyn Journal) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let proved = prove_journal(journal, &mut report)?;
    compare(journal, proved, &mut report)?;
    Ok(report)
}

/// What the journal makes.
pub(crate) struct Proved {
    /// The live tables, counters and books.
    pub tables: Tables,
    /// When each key was last heard.
    heard: BTreeMap<KeyId, Timestamp>,
}

/// Checks what is believed, and gives what it makes.
pub(crate) fn prove_journal(journal: &mut dyn Journal, report: &mut Report) -> Result<Proved, StoreError> {
    for fault in journal.faults()? {
        report.add(|| fault);
    }
    let faults = report.different;
    let inboxes = check_inboxes(journal, report)?;
    let (mut tables, happened) = rebuild(journal, inboxes, report)?;
    let heard = check_ops(journal, &mut tables, happened, report)?;
    report.in_journal = report.different - faults;
    Ok(Proved { tables, heard })
}

/// Checks every inbox's numbers and hashes, and that each event concerns it.
fn check_inboxes(journal: &mut dyn Journal, report: &mut Report) -> Result<BTreeSet<Inbox>, StoreError> {
    let mut reached: BTreeMap<Inbox, InboxHead> = BTreeMap::new();
    journal.entries(&mut |entry| {
        let (inbox, number) = (entry.inbox, entry.number);
        let empty = || InboxHead { count: 0, hash: chain::start(inbox) };
        let head = reached.entry(inbox).or_insert_with(empty);
        if number != head.count + 1 {
            report.add(|| format!("{inbox:?}: number {number} follows {}", head.count));
        }
        *head = InboxHead { count: number, hash: chain::next(head.hash, number, &entry.bytes) };
        if entry.hash.is_some_and(|kept| kept != head.hash) {
            report.add(|| format!("{inbox:?}: the hash kept with number {number} does not match"));
        }
        match canonical::decode::<Event>(&entry.bytes) {
            Ok(event) if event.body.inboxes().contains(&inbox) => {}
            Ok(_) => report.add(|| format!("{inbox:?}: number {number} does not concern it")),
            Err(_) => report.add(|| format!("{inbox:?}: number {number} is not an event")),
        }
        Ok(())
    })?;
    report.inboxes = reached.len() as u64;
    let inboxes = reached.keys().copied().collect();
    journal.heads(&mut |(inbox, head)| {
        match reached.remove(&inbox) {
            Some(found) if found == head => {}
            Some(found) => {
                report.add(|| format!("{inbox:?}: its head does not match its {} events", found.count));
            }
            None => report.add(|| format!("{inbox:?}: a head without events")),
        }
        Ok(())
    })?;
    for inbox in reached.keys() {
        report.add(|| format!("{inbox:?}: it has no head"));
    }
    Ok(inboxes)
}

/// The live tables as the events make them, and the ops that had events.
fn rebuild(
    journal: &mut dyn Journal,
    inboxes: BTreeSet<Inbox>,
    report: &mut Report,
) -> Result<(Tables, HashSet<(KeyId, OpId)>), StoreError> {
    let mut rebuilt = Tables::default();
    for device in journal.system_keys()? {
        rebuilt.put(&Row::Device(device));
    }
    let mut happened = HashSet::new();
    let left = replay(journal, inboxes, &mut |event| {
        happened.insert((event.actor, event.op));
        report.events += 1;
        if let Err(reason) = rebuilt.replay(event) {
            report.add(|| format!("event {} of op {}: {reason}", event.index, event.op));
        }
        Ok(())
    })?;
    for (inbox, left) in left {
        report.add(|| format!("{inbox:?}: {left} events are missing from another inbox, or out of order"));
    }
    Ok((rebuilt, happened))
}

/// Checks every op: form, hash, signatures; and that what happened was caused by an applied one. Counts the counters, and
/// gives when each key was last heard.
fn check_ops(
    journal: &mut dyn Journal,
    rebuilt: &mut Tables,
    mut happened: HashSet<(KeyId, OpId)>,
    report: &mut Report,
) -> Result<BTreeMap<KeyId, Timestamp>, StoreError> {
    let mut heard: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
    let mut check = |rows: &mut Vec<KeptOp>| {
        let found = check_together(rows, &rebuilt.devices);
        for (row, Found { used, differences }) in rows.drain(..).zip(found) {
            report.ops += 1;
            differences.into_iter().for_each(|difference| report.add(|| difference));
            let Some(used) = used else { continue };
            happened.remove(&(row.actor, row.id));
            for (key, counter) in used {
                if !rebuilt.counters.insert((key, counter)) {
                    report.add(|| format!("op {}: counter {counter} of key {key} is used twice", row.id));
                }
            }
        }
    };
    let mut rows = Vec::with_capacity(TOGETHER);
    journal.ops(&mut |row| {
        if row.carrier.is_none() {
            let last = heard.entry(row.actor).or_insert(row.decided_at);
            *last = row.decided_at.max(*last);
        }
        rows.push(row);
        if rows.len() == TOGETHER {
            check(&mut rows);
        }
        Ok(())
    })?;
    check(&mut rows);
    let happened: BTreeSet<(KeyId, OpId)> = happened.into_iter().collect();
    for (_, op) in happened {
        report.add(|| format!("events without an applied op {op}"));
    }
    Ok(heard)
}

/// What was found of an op.
#[derive(Default)]
struct Found {
    /// The counters that it uses; none if it was not applied, or does not bear out its row.
    used: Option<Vec<(KeyId, u64)>>,
    differences: Vec<String>,
}

/// Checks ops on every processor there is: of the time that a proof takes, nearly all is signatures.
fn check_together(rows: &[KeptOp], devices: &BTreeMap<KeyId, Device>) -> Vec<Found> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = rows.len().div_ceil(processors).max(1);
    thread::scope(|scope| {
        let shares = rows.chunks(share).map(|rows| scope.spawn(|| check_in_turn(rows, devices)));
        let shares: Vec<_> = shares.collect();
        let found = shares.into_iter().flat_map(|share| match share.join() {
            Ok(found) => found,
            Err(panicked) => std::panic::resume_unwind(panicked),
        });
        found.collect()
    })
}

fn check_in_turn(rows: &[KeptOp], devices: &BTreeMap<KeyId, Device>) -> Vec<Found> {
    let public_key = |key| devices.get(&key).map(|device| device.public_key.clone());
    // A sale comes after the claim that carries it, in most journals at once: the same bytes are not checked twice.
    let mut last: Option<(&[u8], Result<Submission, Refusal>)> = None;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let checked = match last.take_if(|(bytes, _)| *bytes == row.signed) {
            Some((_, checked)) => checked,
            None => Parsed::parse(&row.signed).and_then(|parsed| parsed.check(public_key)),
        };
        found.push(match &checked {
            Ok(submission) => check_op(row, submission),
            Err(refusal) => Found { used: None, differences: vec![format!("op {}: {refusal}", row.id)] },
        });
        last = Some((&row.signed, checked));
    }
    found
}

/// Holds an op's row against what was signed.
fn check_op(row: &KeptOp, submission: &Submission) -> Found {
    let mut found = Found::default();
    let (op, carried) = match (row.carrier, &submission.sale) {
        (None, _) => (&submission.op, &submission.carried),
        // A sale inside a claim is an op of its own.
        (Some(_), Some(sale)) => (sale, &Carried::None),
        (Some(_), None) => {
            found.differences.push(format!("op {}: its carrier carries nothing", row.id));
            return found;
        }
    };
    let value = op.value();
    if (value.actor, value.id, op.payload_hash()) != (row.actor, row.id, row.payload_hash) {
        found.differences.push(format!("op {}: its row does not match what was signed", row.id));
    }
    if row.answer != Answer::Applied {
        return found;
    }
    let code = match carried {
        Carried::Code(code) => Some((code.key, code.counter)),
        Carried::Consent(consent) => Some((consent.key, consent.counter)),
        Carried::Invitation(invitation) => Some((invitation.key, invitation.counter)),
        Carried::None | Carried::Ticket | Carried::Buyer(_) | Carried::Sale(_) | Carried::Pass { .. } => None,
    };
    found.used = Some([(value.actor, value.counter)].into_iter().chain(code).collect());
    found
}

/// Holds every row and every account of the books against what the journal makes, and against each other.
pub(crate) fn compare(
    journal: &mut dyn Journal,
    proved: Proved,
    report: &mut Report,
) -> Result<(), StoreError> {
    let Proved { tables: mut rebuilt, mut heard } = proved;
    let mut books = Books::default();
    let entries = rebuilt.entries();
    journal.rows(&mut |row| {
        report.lots += u64::from(matches!(row, Row::Lot(_)));
        report.groups += u64::from(matches!(row, Row::Group(_)));
        books.row(&row);
        match rebuilt.take(&row) {
            Some(same) if same == row => {}
            Some(_) => report.add(|| format!("{} differs from the journal", name(&row))),
            None => report.add(|| format!("{} is not in the journal", name(&row))),
        }
        Ok(())
    })?;
    for row in rebuilt.rows() {
        report.add(|| format!("{} of the journal is missing", name(&row)));
    }
    journal.balances(&mut |(account, amount)| {
        books.balance(account, amount);
        match rebuilt.balances.remove(&account) {
            Some(same) if same == amount => {}
            Some(other) => {
                report.add(|| format!("{account:?} of the books is {amount}, by the journal {other}"));
            }
            None => report.add(|| format!("{account:?} of the books is {amount}, by the journal nothing")),
        }
        Ok(())
    })?;
    journal.changed(&mut |(merchant, at)| {
        if rebuilt.changed.remove(&merchant) != Some(at) {
            report.add(|| format!("shop {merchant}: when its entry last changed is not by the journal"));
        }
        Ok(())
    })?;
    journal.heard(&mut |(key, at)| {
        if heard.remove(&key) != Some(at) {
            report.add(|| format!("key {key}: when it was last heard is not by the journal"));
        }
        Ok(())
    })?;
    for key in heard.keys() {
        report.add(|| format!("key {key}: that it was heard is missing"));
    }
    for (account, amount) in rebuilt.balances {
        report.add(|| format!("{account:?} of the books is missing, by the journal {amount}"));
    }
    books.check(report);
    search::compare(journal, entries, report)
}

/// A row, as a report names it.
fn name(row: &Row) -> String {
    match row {
        Row::Device(device) => format!("key {}", device.key),
        Row::Counter(key, counter) => format!("counter {counter} of key {key}"),
        Row::Merchant(merchant) => format!("shop {}", merchant.id),
        Row::Sale(sale) => format!("sale {} of shop {}", sale.id, sale.merchant),
        Row::Group(group) => format!("group {}", group.id),
        Row::Terms(terms) => format!("version {} of the terms of group {}", terms.version, terms.group),
        Row::Member(member) => format!("member {} of group {}", member.merchant, member.group),
        Row::Lot(lot) => format!("lot {} of account {} in group {}", lot.id, lot.account, lot.group),
        Row::Standing(standing) => format!("standing choice of account {}", standing.account),
        Row::Staff(staff) => format!("clerk {} of shop {}", staff.account, staff.merchant),
        Row::StaffDay { merchant, account, day, .. } => {
            format!("day {} of clerk {account} of shop {merchant}", day.0)
        }
        Row::Pass(pass) => format!("pass {} for shop {}", pass.id, pass.merchant),
        Row::Hold(hold) => format!("hold {} of shop {}", hold.id, hold.merchant),
        Row::Redemption(redemption) => {
            format!("redemption {} at shop {}", redemption.id, redemption.merchant)
        }
        Row::Debt(debt) => {
            format!("debt of account {} to shop {} in group {}", debt.account, debt.merchant, debt.group)
        }
        Row::Amendment(amendment) => format!("amendment of group {}", amendment.group),
        Row::Invitation(invitation) => format!("invitation {} by shop {}", invitation.id, invitation.issuer),
        Row::JoinRequest(request) => {
            format!("request of shop {} to join group {}", request.merchant, request.group)
        }
        Row::Closed { account, .. } => format!("closed account {account}"),
        Row::Operator { account, .. } => format!("operator {account}"),
    }
}
