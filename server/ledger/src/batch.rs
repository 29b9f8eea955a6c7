//! A batch of ops: load what they need to see, decide in order, save what follows. The same for every store.

use std::collections::{BTreeMap, HashMap};

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

/// Runs a batch inside an open transaction, up to and including the save. The caller commits.
pub fn run(tx: &mut dyn Tx, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
    let mut work = Batch {
        view: View::default(),
        changes: Changes { at: now, ..Changes::default() },
        known: HashMap::new(),
    };
    let mut outcomes = Vec::with_capacity(batch.len());
    for submission in batch {
        outcomes.push(work.submit(tx, submission, now)?);
    }
    tx.save(&work.changes)?;
    Ok(Committed { outcomes, touched: work.changes.heads.keys().copied().collect() })
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
        | EventBody::DeviceRevoked { merchant: Some(merchant), .. } => Some(Listed::Merchant(*merchant)),
        EventBody::MemberJoined { group, .. }
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
    /// Ops answered in this batch.
    known: HashMap<(KeyId, OpId), Prior>,
}

impl Batch {
    fn submit(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let op = submission.op.value();
        if let Some(prior) = self.prior(tx, op.actor, op.id)? {
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
        if let Some(refusal) = self.carried_before(tx, submission)? {
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
    fn carried_before(
        &mut self,
        tx: &mut dyn Tx,
        submission: &Submission,
    ) -> Result<Option<Refusal>, StoreError> {
        let Some(sale) = &submission.sale else { return Ok(None) };
        let prior = self.prior(tx, sale.value().actor, sale.value().id)?;
        Ok(match prior {
            Some(prior) if prior.payload_hash != sale.payload_hash() => Some(Refusal::OpIdReused),
            Some(Prior { answer: Answer::Refused(refusal), .. }) => Some(refusal),
            _ => None,
        })
    }

    fn prior(&mut self, tx: &mut dyn Tx, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
        match self.known.get(&(actor, op)) {
            Some(prior) => Ok(Some(prior.clone())),
            None => tx.prior(actor, op),
        }
    }

    fn load(&mut self, tx: &mut dyn Tx, keys: &[Key]) -> Result<(), StoreError> {
        for key in keys {
            let cell = tx.load(*key)?;
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
            let head = match self.changes.heads.get(&inbox) {
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
