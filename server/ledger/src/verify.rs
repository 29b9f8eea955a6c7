//! Proves the live tables from the journal.
//!
//! What is believed: the ops as signed, and the events in their inboxes. Everything else is computed again and
//! compared: signatures, payload hashes, counters, each inbox's numbering and hash, whom each event concerns, every
//! live table, every account of the books.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use moa_rules::books::{Account, Ledger, Party};
use moa_rules::device::{Device, Holder};
use moa_rules::event::{Event, Inbox};
use moa_rules::hold::HoldState;
use moa_rules::id::{GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::op::Carried;
use moa_rules::pass::PassState;
use moa_rules::terms::Basis;
use moa_wire::submission::{Parsed, Submission};
use moa_wire::{canonical, chain};
use rusqlite::Connection;

use crate::sqlite::{audit, open_reader};
use crate::store::{Answer, StoreError};
use crate::tables::Tables;

/// The most differences that a report lists; the rest is counted.
const MOST: usize = 100;

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
    /// The first hundred of them, as sentences.
    pub differences: Vec<String>,
}

impl Report {
    /// Whether everything matches.
    pub fn is_clean(&self) -> bool {
        self.different == 0
    }

    fn add(&mut self, difference: impl FnOnce() -> String) {
        self.different += 1;
        if self.differences.len() < MOST {
            self.differences.push(difference());
        }
    }
}

/// Verifies a database file, which may be in use: what is read is one whole state of it.
///
/// # Errors
/// [`StoreError`] if it cannot be read at all. What reads and does not match is in the report.
pub fn verify(path: &Path) -> Result<Report, StoreError> {
    let mut connection = open_reader(path)?;
    let snapshot = connection
        .transaction()
        .map_err(|error| StoreError::Database { doing: "beginning to read", source: Box::new(error) })?;
    let mut report = Report::default();
    check_pages(&snapshot, &mut report)?;
    let live = audit::tables(&snapshot)?;
    let inboxes = read_inboxes(&snapshot, &mut report)?;
    let (rebuilt, happened) = replay(inboxes, &live, &mut report);
    check_ops(&snapshot, &rebuilt, &happened, &mut report)?;
    compare(&live, &rebuilt, &mut report);
    check_books(&live, &mut report);
    report.lots = live.lots.len() as u64;
    report.groups = live.groups.len() as u64;
    Ok(report)
}

fn check_pages(connection: &Connection, report: &mut Report) -> Result<(), StoreError> {
    for problem in audit::quick_check(connection)? {
        report.add(|| format!("SQLite finds the file damaged: {problem}"));
    }
    Ok(())
}

type Chains = BTreeMap<Inbox, VecDeque<Event>>;

/// Reads every inbox, checking numbers, hashes and that each event concerns it.
fn read_inboxes(connection: &Connection, report: &mut Report) -> Result<Chains, StoreError> {
    let mut chains = Chains::new();
    let mut hashes: BTreeMap<Inbox, (u64, [u8; 32])> = BTreeMap::new();
    audit::each_entry(connection, |inbox, number, bytes, kept| {
        let (count, hash) = hashes.entry(inbox).or_insert_with(|| (0, chain::start(inbox)));
        if number != *count + 1 {
            report.add(|| format!("{inbox:?}: number {number} follows {count}"));
        }
        *count = number;
        *hash = chain::next(*hash, number, bytes);
        if kept.is_some_and(|kept| kept != *hash) {
            report.add(|| format!("{inbox:?}: the hash kept with number {number} does not match"));
        }
        match canonical::decode::<Event>(bytes) {
            Ok(event) if event.body.inboxes().contains(&inbox) => {
                chains.entry(inbox).or_default().push_back(event);
            }
            Ok(_) => report.add(|| format!("{inbox:?}: number {number} does not concern it")),
            Err(_) => report.add(|| format!("{inbox:?}: number {number} is not an event")),
        }
    })?;
    let mut heads = audit::heads(connection)?;
    for (inbox, reached) in &hashes {
        if heads.remove(inbox).as_ref() != Some(reached) {
            report.add(|| format!("{inbox:?}: its head does not match its {} events", reached.0));
        }
    }
    for inbox in heads.keys() {
        report.add(|| format!("{inbox:?}: a head without events"));
    }
    report.inboxes = hashes.len() as u64;
    Ok(chains)
}

/// Applies every event in an order that agrees with all of its inboxes at once.
fn replay(mut chains: Chains, live: &Tables, report: &mut Report) -> (Tables, BTreeSet<(KeyId, OpId)>) {
    let system = live.devices.values().filter(|device| device.holder == Holder::System);
    let devices = system.map(|device: &Device| (device.key, device.clone())).collect();
    let mut rebuilt = Tables { devices, ..Tables::default() };
    let mut happened = BTreeSet::new();
    let mut ready: VecDeque<Inbox> = chains.keys().copied().collect();
    while let Some(inbox) = ready.pop_front() {
        while let Some(event) = chains.get(&inbox).and_then(VecDeque::front).cloned() {
            let places = event.body.inboxes();
            if places.iter().any(|place| chains.get(place).and_then(VecDeque::front) != Some(&event)) {
                break;
            }
            for place in &places {
                chains.get_mut(place).map(VecDeque::pop_front);
            }
            ready.extend(places.into_iter().filter(|place| *place != inbox));
            happened.insert((event.actor, event.op));
            report.events += 1;
            if let Err(reason) = rebuilt.replay(&event) {
                report.add(|| format!("event {} of op {}: {reason}", event.index, event.op));
            }
        }
    }
    for (inbox, left) in chains.iter().filter(|(_, left)| !left.is_empty()) {
        report.add(|| {
            format!("{inbox:?}: {} events are missing from another inbox, or out of order", left.len())
        });
    }
    (rebuilt, happened)
}

/// Checks every op: form, hash, signatures, counters; and that what happened was caused by an applied one.
fn check_ops(
    connection: &Connection,
    rebuilt: &Tables,
    happened: &BTreeSet<(KeyId, OpId)>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut applied = BTreeSet::new();
    let mut counters = BTreeSet::new();
    let live_counters = audit::counters(connection)?;
    audit::each_op(connection, |row| {
        report.ops += 1;
        let public_key = |key| rebuilt.devices.get(&key).map(|device| device.public_key.clone());
        let checked = Parsed::parse(&row.signed).and_then(|parsed| parsed.check(public_key));
        let Submission { op, sale, carried, .. } = match checked {
            Ok(submission) => submission,
            Err(refusal) => return report.add(|| format!("op {}: {refusal}", row.id)),
        };
        let (op, carried) = match (row.carried, sale) {
            (false, _) => (op, carried),
            (true, Some(sale)) => (sale, Carried::None),
            (true, None) => return report.add(|| format!("op {}: its carrier carries nothing", row.id)),
        };
        let value = op.value();
        if (value.actor, value.id, op.payload_hash()) != (row.actor, row.id, row.payload_hash) {
            report.add(|| format!("op {}: its row does not match what was signed", row.id));
        }
        if row.answer != Answer::Applied {
            return;
        }
        applied.insert((row.actor, row.id));
        // A sale inside a claim is an op of its own.
        let code = match carried {
            Carried::Code(code) => Some((code.key, code.counter)),
            Carried::Consent(consent) => Some((consent.key, consent.counter)),
            Carried::Invitation(invitation) => Some((invitation.key, invitation.counter)),
            Carried::None | Carried::Buyer(_) | Carried::Sale(_) | Carried::Pass { .. } => None,
        };
        for (key, counter) in [(value.actor, value.counter)].into_iter().chain(code) {
            if !counters.insert((key, counter)) {
                report.add(|| format!("op {}: counter {counter} of key {key} is used twice", row.id));
            }
        }
    })?;
    for (_, op) in happened.difference(&applied) {
        report.add(|| format!("events without an applied op {op}"));
    }
    for (key, counter) in counters.symmetric_difference(&live_counters) {
        report.add(|| format!("counter {counter} of key {key} is used in one place and not in the other"));
    }
    Ok(())
}

fn compare(live: &Tables, rebuilt: &Tables, report: &mut Report) {
    compare_table("device", &live.devices, &rebuilt.devices, report);
    compare_table("merchant", &live.merchants, &rebuilt.merchants, report);
    compare_table("sale", &live.sales, &rebuilt.sales, report);
    compare_table("group", &live.groups, &rebuilt.groups, report);
    compare_table("terms", &live.terms, &rebuilt.terms, report);
    compare_table("member", &live.members, &rebuilt.members, report);
    compare_table("lot", &live.lots, &rebuilt.lots, report);
    compare_table("standing choice", &live.standings, &rebuilt.standings, report);
    compare_table("clerk", &live.staff, &rebuilt.staff, report);
    compare_table("clerk's day", &live.staff_days, &rebuilt.staff_days, report);
    compare_table("closed account", &live.closed, &rebuilt.closed, report);
    compare_table("pass", &live.passes, &rebuilt.passes, report);
    compare_table("hold", &live.holds, &rebuilt.holds, report);
    compare_table("redemption", &live.redemptions, &rebuilt.redemptions, report);
    compare_table("debt", &live.debts, &rebuilt.debts, report);
    compare_table("amendment", &live.amendments, &rebuilt.amendments, report);
    for account in live.operators.symmetric_difference(&rebuilt.operators) {
        report.add(|| {
            format!("operator {account} is in one of the tables and the journal, and not in the other")
        });
    }
    compare_table("account of the books", &live.balances, &rebuilt.balances, report);
}

fn compare_table<K: Ord + std::fmt::Debug, V: PartialEq>(
    what: &str,
    live: &BTreeMap<K, V>,
    rebuilt: &BTreeMap<K, V>,
    report: &mut Report,
) {
    for (key, value) in live {
        match rebuilt.get(key) {
            Some(same) if same == value => {}
            Some(_) => report.add(|| format!("{what} {key:?} differs from the journal")),
            None => report.add(|| format!("{what} {key:?} is not in the journal")),
        }
    }
    for key in rebuilt.keys().filter(|key| !live.contains_key(key)) {
        report.add(|| format!("{what} {key:?} of the journal is missing"));
    }
}

/// The identities of rules.md "Books", on the live tables themselves.
fn check_books(live: &Tables, report: &mut Report) {
    let mut issued: BTreeMap<(GroupId, MerchantId), i128> = BTreeMap::new();
    let mut positions: BTreeMap<GroupId, i128> = BTreeMap::new();
    let mut pools: BTreeMap<GroupId, i128> = BTreeMap::new();
    for (Account { group, party, ledger, issuer }, amount) in &live.balances {
        match (ledger, issuer) {
            (Ledger::Position, _) => {
                *positions.entry(*group).or_default() += i128::from(*amount);
                if *party == Party::Pool {
                    *pools.entry(*group).or_default() += i128::from(*amount);
                }
            }
            // Issued is negative: redeemed, expired and outstanding bring it back to zero.
            (_, Some(issuer)) => *issued.entry((*group, *issuer)).or_default() += i128::from(*amount),
            (_, None) => report.add(|| format!("{ledger:?} of {group} names no issuer")),
        }
    }
    let mut outstanding: BTreeMap<GroupId, i128> = BTreeMap::new();
    for lot in live.lots.values() {
        let remaining = i128::from(lot.remaining.get());
        *issued.entry((lot.group, lot.issuer)).or_default() += remaining;
        if lot.worth.basis == Basis::OnIssue {
            *outstanding.entry(lot.group).or_default() += remaining * i128::from(lot.worth.unit_value.0);
        }
    }
    check_holds(live, report);
    for ((group, issuer), left) in issued.iter().filter(|(_, left)| **left != 0) {
        report.add(|| {
            format!(
                "{group}: issued ≠ redeemed + expired + clawed back + adjusted + outstanding for {issuer}, \
                 by {left} units"
            )
        });
    }
    for (group, sum) in positions.iter().filter(|(_, sum)| **sum != 0) {
        report.add(|| format!("{group}: what its parties owe and are owed sums to {sum}, not to zero"));
    }
    let groups: BTreeSet<GroupId> = pools.keys().chain(outstanding.keys()).copied().collect();
    for group in groups {
        let of = |sums: &BTreeMap<GroupId, i128>| sums.get(&group).copied().unwrap_or_default();
        let (pool, value) = (of(&pools), of(&outstanding));
        if pool != value {
            report.add(|| format!("{group}: the pool's position is {pool}, the value outstanding {value}"));
        }
    }
}

/// What open passes and holds hold is what the lots say is held.
fn check_holds(live: &Tables, report: &mut Report) {
    let mut held: BTreeMap<LotId, i128> = BTreeMap::new();
    let passes = live.passes.values().filter(|pass| pass.state == PassState::Open);
    let holds = live.holds.values().filter(|hold| hold.state == HoldState::Open);
    for part in passes.flat_map(|pass| &pass.held).chain(holds.flat_map(|hold| &hold.held)) {
        *held.entry(part.lot).or_default() += i128::from(part.units.get());
    }
    for lot in live.lots.values() {
        let (told, passes) = (i128::from(lot.held.get()), held.get(&lot.id).copied().unwrap_or_default());
        if told != passes {
            report.add(|| {
                format!("lot {}: {told} units are held, its open passes and holds say {passes}", lot.id)
            });
        }
    }
}

/// An op of the journal, as kept.
pub(crate) struct KeptOp {
    pub(crate) actor: KeyId,
    pub(crate) id: OpId,
    pub(crate) payload_hash: [u8; 32],
    /// The op's own bytes, or those of the op that carries it.
    pub(crate) signed: Vec<u8>,
    pub(crate) carried: bool,
    pub(crate) answer: Answer,
}
