//! A batch of ops: load what they need to see, decide in order, save what follows. The same for every store.
//!
//! Before anything is decided for good, every op is tried on what is loaded, and what they all miss is asked for at once, in as
//! many rounds as the longest way of one op takes (a sale, its shop, the shop's groups, …). So a batch costs a database
//! over a network a few round trips, however large it is. What an op needs only because of one before it is loaded when its
//! turn comes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use moa_rules::books::{Account, Ledger, postings};
use moa_rules::decide::{Decision, decide};
use moa_rules::event::{EVENT_VERSION, Event, EventBody, Inbox};
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

    /// Those of many ops that were decided before.
    fn priors(&mut self, ops: &[(KeyId, OpId)]) -> Result<HashMap<(KeyId, OpId), Prior>, StoreError> {
        let mut found = HashMap::new();
        for (actor, op) in ops {
            if let Some(prior) = self.prior(*actor, *op)? {
                found.insert((*actor, *op), prior);
            }
        }
        Ok(found)
    }
    /// Many cells, in this order.
    fn load_all(&mut self, keys: &[Key]) -> Result<Vec<Option<Cell>>, StoreError> {
        keys.iter().map(|key| self.load(*key)).collect()
    }
    /// The heads of many inboxes, in this order.
    fn heads(&mut self, inboxes: &[Inbox]) -> Result<Vec<InboxHead>, StoreError> {
        inboxes.iter().map(|inbox| self.head(*inbox)).collect()
    }
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
    /// Here.
    Here(Vec<u8>),
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
}

impl Batch {
    /// Loads what the batch will need to see, as far as it can be told beforehand.
    fn foresee(&mut self, tx: &mut dyn Tx, batch: &[Submission], now: Timestamp) -> Result<(), StoreError> {
        let ops = batch.iter().flat_map(|one| [Some(&one.op), one.sale.as_ref()]).flatten();
        let ops: BTreeSet<(KeyId, OpId)> = ops.map(|op| (op.value().actor, op.value().id)).collect();
        self.known = tx.priors(&ops.into_iter().collect::<Vec<_>>())?;

        let answered =
            |one: &&Submission| self.known.contains_key(&(one.op.value().actor, one.op.value().id));
        let mut open: Vec<&Submission> = batch.iter().filter(|one| !answered(one)).collect();
        let mut inboxes = BTreeSet::new();
        while !open.is_empty() {
            let mut needed = BTreeSet::new();
            open.retain(|submission| match self.preview(submission, now) {
                Ok(reached) => {
                    inboxes.extend(reached);
                    false
                }
                Err(keys) => {
                    needed.extend(keys);
                    true
                }
            });
            self.load(tx, &needed.into_iter().collect::<Vec<_>>())?;
        }
        let inboxes: Vec<Inbox> = inboxes.into_iter().collect();
        self.heads = inboxes.iter().copied().zip(tx.heads(&inboxes)?).collect();
        Ok(())
    }

    /// The inboxes that an op would reach, decided on what is loaded; or what is missing.
    fn preview(&self, submission: &Submission, now: Timestamp) -> Result<Vec<Inbox>, Vec<Key>> {
        let decision = match decide(&self.view, submission.op.value(), &submission.carried, now) {
            Ok(decision) => decision,
            Err(Halt::Need(keys)) => return Err(keys),
            Err(Halt::Refused(_)) => return Ok(Vec::new()),
        };
        let (mut reached, mut missing) = (Vec::new(), Vec::new());
        for (actor, op, body) in decision.events {
            let event = Event { version: EVENT_VERSION, actor, op, index: 0, at: now, body };
            // What follows on another event of the same op may not fit what stands; then there is nothing to foresee.
            if let Err(Halt::Need(keys)) = apply(&self.view, &event) {
                missing.extend(keys);
            }
            reached.extend(event.body.inboxes());
        }
        if missing.is_empty() { Ok(reached) } else { Err(missing) }
    }

    fn submit(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let op = submission.op.value();
        if let Some(prior) = self.known.get(&(op.actor, op.id)).cloned() {
            return Ok(if prior.payload_hash == submission.op.payload_hash() {
                Outcome::Again(prior.answer)
            } else {
                Outcome::First(Answer::Refused(Refusal::OpIdReused))
            });
        }
        let signed = Signed::Here(submission.op.bytes().to_vec());
        let decision = match self.decide(tx, submission, now)? {
            Ok(decision) => decision,
            Err(refusal) => {
                self.answer(&submission.op, signed, Answer::Refused(refusal.clone()));
                return Ok(Outcome::First(Answer::Refused(refusal)));
            }
        };
        self.answer(&submission.op, signed, Answer::Applied);
        if let (true, Some(sale)) = (decision.carried_applied, &submission.sale) {
            self.answer(sale, Signed::Inside(op.actor, op.id), Answer::Applied);
        }
        self.keep(tx, submission, decision, now)?;
        Ok(Outcome::First(Answer::Applied))
    }

    fn decide(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Result<Decision, Refusal>, StoreError> {
        if let Some(refusal) = self.carried_before(submission) {
            return Ok(Err(refusal));
        }
        loop {
            match decide(&self.view, submission.op.value(), &submission.carried, now) {
                Ok(decision) => return Ok(Ok(decision)),
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
        for (key, cell) in keys.iter().zip(tx.load_all(keys)?) {
            self.view.load(*key, cell);
        }
        Ok(())
    }

    fn keep(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        decision: Decision,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let op = submission.op.value();
        let counters = [(op.actor, op.counter)].into_iter().chain(decision.counters);
        for (key, counter) in counters {
            self.put(Row::Counter(key, counter));
        }
        let mut indexes = HashMap::new();
        for (actor, op, body) in decision.events {
            let index = indexes.entry((actor, op)).or_insert(0_u16);
            let event = Event { version: EVENT_VERSION, actor, op, index: *index, at: now, body };
            *index += 1;
            self.happen(tx, &event)?;
        }
        Ok(())
    }

    fn happen(&mut self, tx: &mut dyn Tx, event: &Event) -> Result<(), StoreError> {
        let rows = loop {
            match apply(&self.view, event) {
                Ok(rows) => break rows,
                Err(Halt::Need(keys)) => self.load(tx, &keys)?,
                Err(Halt::Refused(refusal)) => {
                    return Err(StoreError::Corrupt(format!("{refusal} while applying")));
                }
            }
        };
        rows.into_iter().for_each(|row| self.put(row));
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
