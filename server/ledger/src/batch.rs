//! A batch of ops: load what they need to see, decide in order, save what follows. The same for every store.
//!
//! Before anything is decided for good, every op is tried on what is loaded, and what they all miss is asked for at once, together
//! with what they will miss next as far as that can be told ([`foresee`]) and the heads of inboxes that they are likely to reach.
//! So a batch of sales, claims and redemptions is loaded in two round trips to a database, however large it is; any other in as
//! many as the longest way of one op takes (a sale, its shop, the shop's groups, …). What an op needs only because of one before it
//! is loaded when its turn comes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use moa_rules::books::{Account, Ledger, postings};
use moa_rules::decide::{Decision, decide};
use moa_rules::event::{EVENT_VERSION, Event, EventBody, Inbox};
use moa_rules::foresee::foresee;
use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::Op;
use moa_rules::refusal::Refusal;
use moa_rules::state::{Row, apply};
use moa_rules::time::Timestamp;
use moa_rules::view::{Cell, Halt, Key, View};
use moa_wire::submission::Submission;
use moa_wire::token::Checked;
use moa_wire::{canonical, chain};

use crate::store::{Answer, Committed, InboxHead, Outcome, StoreError};

/// An op decided before: its payload's hash, and the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prior {
    /// SHA-256 of what was signed.
    pub payload_hash: [u8; 32],
    /// The answer.
    pub answer: Answer,
}

/// What a batch needs of an open transaction.
pub trait Tx {
    /// An op decided before.
    fn prior(&mut self, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError>;
    /// A cell, present or absent.
    fn load(&mut self, key: Key) -> Result<Option<Cell>, StoreError>;
    /// An inbox's head.
    fn head(&mut self, inbox: Inbox) -> Result<InboxHead, StoreError>;
    /// Writes everything that follows.
    fn save(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// All of this at once.
    fn look(&mut self, wanted: &Wanted) -> Result<Seen, StoreError> {
        let mut found = Seen::default();
        for (actor, op) in &wanted.ops {
            if let Some(prior) = self.prior(*actor, *op)? {
                found.priors.insert((*actor, *op), prior);
            }
        }
        found.cells = wanted.keys.iter().map(|key| self.load(*key)).collect::<Result<_, _>>()?;
        found.heads = wanted.inboxes.iter().map(|inbox| self.head(*inbox)).collect::<Result<_, _>>()?;
        Ok(found)
    }
}

/// What is asked for at once.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Ops that may have been decided before.
    pub ops: Vec<(KeyId, OpId)>,
    /// Cells.
    pub keys: Vec<Key>,
    /// Inboxes, for their heads.
    pub inboxes: Vec<Inbox>,
}

/// What was found of that.
#[derive(Debug, Default)]
pub struct Seen {
    /// Those of the ops that were decided before.
    pub priors: HashMap<(KeyId, OpId), Prior>,
    /// The cells, in the order of their keys.
    pub cells: Vec<Option<Cell>>,
    /// The heads, in the order of the inboxes.
    pub heads: Vec<InboxHead>,
}

/// An op and its answer, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpRow {
    /// The key that signed it.
    pub actor: KeyId,
    /// Its id.
    pub id: OpId,
    /// SHA-256 of what was signed.
    pub payload_hash: [u8; 32],
    /// Where the signed bytes are.
    pub signed: Signed,
    /// The answer.
    pub answer: Answer,
}

/// Where an op's signed bytes are kept. Never twice: a sale is most often first seen inside its claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Here: it came by itself.
    Here {
        /// The bytes.
        bytes: Vec<u8>,
        /// The counter in them.
        counter: u64,
    },
    /// Inside this op, which comes before it.
    Inside(KeyId, OpId),
}

/// Where an event stands in one inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The inbox.
    pub inbox: Inbox,
    /// The number in it, from 1.
    pub number: u64,
    /// The hash over it and all before it.
    pub hash: [u8; 32],
}

/// An event and its place in each of its inboxes; the first is its home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// As the server made it.
    pub bytes: Vec<u8>,
    /// Its places.
    pub entries: Vec<Entry>,
}

/// Everything that follows from a batch.
#[derive(Debug, Default)]
pub struct Changes {
    /// When it was decided.
    pub at: Timestamp,
    /// Ops and their answers.
    pub ops: Vec<OpRow>,
    /// Events, in order.
    pub events: Vec<EventRow>,
    /// Rows of the live tables, in order; a later one replaces an earlier one of the same key.
    pub rows: Vec<Row>,
    /// Cells that were looked for and were not there: a row of one of them is new.
    pub absent: HashSet<Key>,
    /// New heads.
    pub heads: BTreeMap<Inbox, InboxHead>,
    /// What is added to accounts of the books. Wallets are left out: they are the lots.
    pub balances: BTreeMap<Account, i64>,
    /// Shops whose directory entry changed.
    pub changed_merchants: Vec<MerchantId>,
    /// Groups whose directory entry changed, and with it that of every member.
    pub changed_groups: Vec<GroupId>,
}

/// A batch that is decided and not saved.
#[derive(Debug)]
pub struct Decided {
    /// What follows from it.
    pub changes: Changes,
    /// One an op, in order.
    pub outcomes: Vec<Outcome>,
}

impl Decided {
    /// What it is once its changes are durable.
    pub fn committed(self) -> Committed {
        Committed { outcomes: self.outcomes, touched: self.changes.heads.keys().copied().collect() }
    }
}

/// Runs a batch inside an open transaction, up to and including the save. The caller commits.
pub fn run(tx: &mut dyn Tx, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
    let decided = decide_all(tx, batch, now)?;
    tx.save(&decided.changes)?;
    Ok(decided.committed())
}

/// Decides a batch inside an open transaction, in order.
pub fn decide_all(tx: &mut dyn Tx, batch: &[Submission], now: Timestamp) -> Result<Decided, StoreError> {
    let mut work = Batch {
        view: View::default(),
        changes: Changes { at: now, ..Changes::default() },
        known: HashMap::new(),
        heads: HashMap::new(),
        first: None,
    };
    work.foresee(tx, batch, now)?;
    let mut outcomes = Vec::with_capacity(batch.len());
    for submission in batch {
        outcomes.push(work.submit(tx, submission, now)?);
    }
    Ok(Decided { changes: work.changes, outcomes })
}

/// What the directory shows differently.
pub(crate) enum Listed {
    /// A shop.
    Merchant(MerchantId),
    /// A group, and with it every member, present or past.
    Group(GroupId),
}

/// What the directory shows differently after an event.
pub(crate) fn directory_change(body: &EventBody) -> Option<Listed> {
    match body {
        EventBody::MerchantRegistered { merchant, .. }
        | EventBody::StaffJoined { merchant, .. }
        | EventBody::StaffLeft { merchant, .. }
        | EventBody::TillAdded { merchant, .. }
        | EventBody::DeviceEnrolled { merchant: Some(merchant), .. }
        | EventBody::MerchantAmended { merchant, .. }
        | EventBody::DeviceRevoked { merchant: Some(merchant), .. } => Some(Listed::Merchant(*merchant)),
        EventBody::MemberJoined { group, .. }
        | EventBody::ProfileAmended { group, .. }
        | EventBody::AdminAppointed { group, .. }
        | EventBody::AmendmentProposed { group, .. }
        | EventBody::AmendmentAnswered { group, .. }
        | EventBody::TermsAmended { group, .. }
        | EventBody::AmendmentRejected { group, .. }
        // Shops that left are touched with the members.
        | EventBody::MemberLeft { group, .. }
        | EventBody::MemberFrozen { group, .. }
        | EventBody::GroupClosing { group, .. }
        | EventBody::GroupEnded { group, .. } => Some(Listed::Group(*group)),
        _ => None,
    }
}

struct Batch {
    view: View,
    changes: Changes,
    /// Ops of the batch, and sales inside them, that were answered before it or in it.
    known: HashMap<(KeyId, OpId), Prior>,
    /// Heads as they were before the batch.
    heads: HashMap<Inbox, InboxHead>,
    /// What became of the first op when it was tried: nothing comes before it that could change that.
    first: Option<Led>,
}

/// What follows from an op.
#[derive(Default)]
struct Led {
    /// What happened, in order.
    events: Vec<Event>,
    /// Counters now used, beside the op's own.
    counters: Vec<(KeyId, u64)>,
    /// Whether the sale that it carries is applied too.
    carried_applied: bool,
    /// The rows of the first event, if they were made already.
    rows: Option<Vec<Row>>,
}

impl Led {
    fn of(decision: Decision, at: Timestamp) -> Self {
        let mut indexes = HashMap::new();
        let events = decision.events.into_iter().map(|(actor, op, body)| {
            let next = indexes.entry((actor, op)).or_insert(0_u16);
            let index = *next;
            *next += 1;
            Event { version: EVENT_VERSION, actor, op, index, at, body }
        });
        let events = events.collect();
        let Decision { counters, carried_applied, .. } = decision;
        Self { events, counters, carried_applied, rows: None }
    }
}

impl Batch {
    /// Loads what the batch will need to see, as far as it can be told beforehand.
    fn foresee(&mut self, tx: &mut dyn Tx, batch: &[Submission], now: Timestamp) -> Result<(), StoreError> {
        let ops = batch.iter().flat_map(|one| [Some(&one.op), one.sale.as_ref()]).flatten();
        let ops: BTreeSet<(KeyId, OpId)> = ops.map(|op| (op.value().actor, op.value().id)).collect();
        let keys = batch.iter().flat_map(|one| foresee(&self.view, one.op.value(), &one.carried));
        let keys: BTreeSet<Key> = keys.collect();
        self.look(tx, ops, keys, BTreeSet::new())?;

        let answered = |one: &Submission| self.known.contains_key(&(one.op.value().actor, one.op.value().id));
        let mut open: Vec<&Submission> = batch.iter().filter(|one| !answered(one)).collect();
        let mut inboxes = BTreeSet::new();
        while !open.is_empty() {
            let mut needed = BTreeSet::new();
            let mut still = Vec::new();
            for submission in open {
                match self.attempt(submission, now) {
                    Ok(led) => {
                        inboxes.extend(led.events.iter().flat_map(|event| event.body.inboxes()));
                        if batch.first().is_some_and(|first| std::ptr::eq(first, submission)) {
                            self.first = Some(led);
                        }
                    }
                    Err(keys) => {
                        needed.extend(keys);
                        still.push(submission);
                    }
                }
            }
            open = still;
            let heads = needed.iter().filter_map(likely).filter(|inbox| !self.heads.contains_key(inbox));
            let heads = heads.collect();
            self.look(tx, BTreeSet::new(), needed, heads)?;
        }
        inboxes.retain(|inbox| !self.heads.contains_key(inbox));
        self.look(tx, BTreeSet::new(), BTreeSet::new(), inboxes)
    }

    /// Asks for what is not loaded, all of it at once.
    fn look(
        &mut self,
        tx: &mut dyn Tx,
        ops: BTreeSet<(KeyId, OpId)>,
        keys: BTreeSet<Key>,
        inboxes: BTreeSet<Inbox>,
    ) -> Result<(), StoreError> {
        if ops.is_empty() && keys.is_empty() && inboxes.is_empty() {
            return Ok(());
        }
        let wanted = Wanted {
            ops: ops.into_iter().collect(),
            keys: keys.into_iter().collect(),
            inboxes: inboxes.into_iter().collect(),
        };
        let found = tx.look(&wanted)?;
        self.known.extend(found.priors);
        for (key, cell) in wanted.keys.into_iter().zip(found.cells) {
            if cell.is_none() {
                self.changes.absent.insert(key);
            }
            self.view.load(key, cell);
        }
        self.heads.extend(wanted.inboxes.into_iter().zip(found.heads));
        Ok(())
    }

    /// What an op would lead to, decided on what is loaded; or what is missing.
    fn attempt(&self, submission: &Submission, now: Timestamp) -> Result<Led, Vec<Key>> {
        let op = submission.op.value();
        let mut missing = foresee(&self.view, op, &submission.carried);
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut led = match decide(&self.view, op, &submission.carried, now) {
            Ok(decision) => Led::of(decision, now),
            Err(Halt::Need(keys)) => return Err(keys),
            Err(Halt::Refused(_)) => return Ok(Led::default()),
        };
        for (nth, event) in led.events.iter().enumerate() {
            match apply(&self.view, event) {
                Ok(rows) if nth == 0 => led.rows = Some(rows),
                Err(Halt::Need(keys)) => missing.extend(keys),
                // What follows on another event of the same op may not fit what stands; then there is nothing to foresee.
                Ok(_) | Err(Halt::Refused(_)) => {}
            }
        }
        if missing.is_empty() { Ok(led) } else { Err(missing) }
    }

    fn submit(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let op = submission.op.value();
        let foreseen = self.first.take();
        if let Some(prior) = self.known.get(&(op.actor, op.id)).cloned() {
            return Ok(if prior.payload_hash == submission.op.payload_hash() {
                Outcome::Again(prior.answer)
            } else {
                Outcome::First(Answer::Refused(Refusal::OpIdReused))
            });
        }
        let signed = Signed::Here { bytes: submission.op.bytes().to_vec(), counter: op.counter };
        let led = match self.decide(tx, submission, foreseen, now)? {
            Ok(led) => led,
            Err(refusal) => {
                self.answer(&submission.op, signed, Answer::Refused(refusal.clone()));
                return Ok(Outcome::First(Answer::Refused(refusal)));
            }
        };
        self.answer(&submission.op, signed, Answer::Applied);
        if let (true, Some(sale)) = (led.carried_applied, &submission.sale) {
            self.answer(sale, Signed::Inside(op.actor, op.id), Answer::Applied);
        }
        self.keep(tx, op, led)?;
        Ok(Outcome::First(Answer::Applied))
    }

    fn decide(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        foreseen: Option<Led>,
        now: Timestamp,
    ) -> Result<Result<Led, Refusal>, StoreError> {
        if let Some(refusal) = self.carried_before(submission) {
            return Ok(Err(refusal));
        }
        // Nothing was foreseen of what was refused then.
        if let Some(led) = foreseen.filter(|led| !led.events.is_empty()) {
            return Ok(Ok(led));
        }
        loop {
            match decide(&self.view, submission.op.value(), &submission.carried, now) {
                Ok(decision) => return Ok(Ok(Led::of(decision, now))),
                Err(Halt::Refused(refusal)) => return Ok(Err(refusal)),
                Err(Halt::Need(keys)) => self.load(tx, &keys)?,
            }
        }
    }

    /// A sale that was refused before, or came with another payload, cannot be claimed either.
    fn carried_before(&self, submission: &Submission) -> Option<Refusal> {
        let sale = submission.sale.as_ref()?;
        match self.known.get(&(sale.value().actor, sale.value().id))? {
            prior if prior.payload_hash != sale.payload_hash() => Some(Refusal::OpIdReused),
            Prior { answer: Answer::Refused(refusal), .. } => Some(refusal.clone()),
            Prior { answer: Answer::Applied, .. } => None,
        }
    }

    fn load(&mut self, tx: &mut dyn Tx, keys: &[Key]) -> Result<(), StoreError> {
        self.look(tx, BTreeSet::new(), keys.iter().copied().collect(), BTreeSet::new())
    }

    fn keep(&mut self, tx: &mut dyn Tx, op: &Op, led: Led) -> Result<(), StoreError> {
        let Led { events, counters, mut rows, .. } = led;
        for (key, counter) in [(op.actor, op.counter)].into_iter().chain(counters) {
            self.put(Row::Counter(key, counter));
        }
        events.iter().try_for_each(|event| self.happen(tx, event, rows.take()))
    }

    fn happen(&mut self, tx: &mut dyn Tx, event: &Event, made: Option<Vec<Row>>) -> Result<(), StoreError> {
        let mut made = made;
        let rows = loop {
            if let Some(rows) = made.take() {
                break rows;
            }
            match apply(&self.view, event) {
                Ok(rows) => break rows,
                Err(Halt::Need(keys)) => self.load(tx, &keys)?,
                Err(Halt::Refused(refusal)) => {
                    return Err(StoreError::Corrupt(format!("{refusal} while applying")));
                }
            }
        };
        self.view.put_all(&rows);
        self.changes.rows.extend(rows);
        for posting in postings(&event.body) {
            if posting.account.ledger != Ledger::Wallet {
                *self.changes.balances.entry(posting.account).or_default() += posting.amount;
            }
        }
        let bytes = canonical::encode(event);
        let mut entries = Vec::new();
        for inbox in event.body.inboxes() {
            let head = match self.changes.heads.get(&inbox).or_else(|| self.heads.get(&inbox)) {
                Some(head) => *head,
                None => tx.head(inbox)?,
            };
            let number = head.count + 1;
            let head = InboxHead { count: number, hash: chain::next(head.hash, number, &bytes) };
            self.changes.heads.insert(inbox, head);
            entries.push(Entry { inbox, number, hash: head.hash });
        }
        self.changes.events.push(EventRow { bytes, entries });
        match directory_change(&event.body) {
            Some(Listed::Merchant(merchant)) => self.changes.changed_merchants.push(merchant),
            Some(Listed::Group(group)) => self.changes.changed_groups.push(group),
            None => {}
        }
        Ok(())
    }

    fn put(&mut self, row: Row) {
        self.view.put(&row);
        self.changes.rows.push(row);
    }

    fn answer(&mut self, op: &Checked<Op>, signed: Signed, answer: Answer) {
        let (actor, id, payload_hash) = (op.value().actor, op.value().id, op.payload_hash());
        self.known.insert((actor, id), Prior { payload_hash, answer: answer.clone() });
        self.changes.ops.push(OpRow { actor, id, payload_hash, signed, answer });
    }
}

/// The inbox that an op is likely to reach that asks for a cell: whose sale it is, whose lots.
fn likely(key: &Key) -> Option<Inbox> {
    match key {
        Key::Sale(merchant, _) | Key::Redemption(merchant, _) => Some(Inbox::Merchant(*merchant)),
        Key::Lot(account, ..) | Key::Wallet(account, _) => Some(Inbox::Account(*account)),
        _ => None,
    }
}
