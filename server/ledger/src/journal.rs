//! Everything that a store keeps, read as one whole state of it: for proving it ([`crate::verify`]), and for writing it
//! anew elsewhere.
//!
//! Reads visit: a store may hold more than fits into memory, so nothing here gives a list of all ops or of all events.

use moa_rules::books::Account;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, MerchantId, OpId};
use moa_rules::op::Op;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use moa_wire::token::Sealed;

use crate::batch::{OpRow, Signed};
use crate::copy::{PeopleTable, Value};
use crate::rows::corrupt;
use crate::search::{Cell, Entry, Id, Target, Term};
use crate::store::{Answer, InboxHead, StoreError};

/// What is done with each thing that is read. An error ends the reading and is its result.
pub type Visit<'a, T> = &'a mut dyn FnMut(T) -> Result<(), StoreError>;

/// One state of a store: what is committed while it is read is not seen.
///
/// What cannot be understood is an error, unless it can be told as a difference: then it comes as no bytes at all.
pub trait Journal {
    /// What the database itself finds wrong with what it keeps, as sentences.
    fn faults(&mut self) -> Result<Vec<String>, StoreError>;

    /// The server's own keys: the rows that no event made.
    fn system_keys(&mut self) -> Result<Vec<Device>, StoreError>;

    /// Every op; one that carries another before what it carries.
    fn ops(&mut self, visit: Visit<'_, KeptOp>) -> Result<(), StoreError>;

    /// Every entry of every inbox: the inboxes one after the other, each in the order of its numbers.
    fn entries(&mut self, visit: Visit<'_, KeptEntry>) -> Result<(), StoreError>;

    /// Up to `limit` entries of an inbox after number `after`: each one's number, and the event's bytes.
    fn page(&mut self, inbox: Inbox, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// How far every inbox has come.
    fn heads(&mut self, visit: Visit<'_, (Inbox, InboxHead)>) -> Result<(), StoreError>;

    /// When each key was last heard: when the last of its ops was decided that came by itself.
    fn heard(&mut self, visit: Visit<'_, (KeyId, Timestamp)>) -> Result<(), StoreError>;

    /// Every row of the live tables and of the counters, in any order.
    fn rows(&mut self, visit: Visit<'_, Row>) -> Result<(), StoreError>;

    /// When what the directory shows of each shop last changed.
    fn changed(&mut self, visit: Visit<'_, (MerchantId, Timestamp)>) -> Result<(), StoreError>;

    /// What is searched of every shop and group.
    fn searched(&mut self, visit: Visit<'_, KeptSearched>) -> Result<(), StoreError>;

    /// Everything by which those are found: what is whose, and where.
    fn postings(&mut self, visit: Visit<'_, (Term, Cell, Id)>) -> Result<(), StoreError>;

    /// Every account of the books that is not at zero.
    fn balances(&mut self, visit: Visit<'_, (Account, i64)>) -> Result<(), StoreError>;

    /// Every row of a table of people: a value for each of its columns.
    fn people(&mut self, table: &PeopleTable, visit: Visit<'_, Vec<Value>>) -> Result<(), StoreError>;
}

/// An op of the journal, as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOp {
    /// The key that signed it.
    pub actor: KeyId,
    /// Its id.
    pub id: OpId,
    /// SHA-256 of what was signed.
    pub payload_hash: [u8; 32],
    /// The op's own bytes, or those of the op that carries it; none if they are gone.
    pub signed: Vec<u8>,
    /// The op that carries it, if it is not kept by itself.
    pub carrier: Option<(KeyId, OpId)>,
    /// The answer.
    pub answer: Answer,
    /// When it was decided.
    pub decided_at: Timestamp,
}

impl KeptOp {
    /// As it is written.
    pub(crate) fn row(&self) -> Result<OpRow, StoreError> {
        let (bytes, answer) = (self.signed.clone(), self.answer.clone());
        let signed = match self.carrier {
            Some((actor, id)) => Signed::Inside(actor, id),
            None => {
                let op = Sealed::<Op>::parse(&bytes).map_err(|_| corrupt("an op"))?;
                Signed::Here { counter: op.unchecked().counter, bytes }
            }
        };
        Ok(OpRow { actor: self.actor, id: self.id, payload_hash: self.payload_hash, signed, answer })
    }
}

/// An entry of an inbox, as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// The inbox.
    pub inbox: Inbox,
    /// The number in it, from 1.
    pub number: u64,
    /// The event's bytes; none if they are gone.
    pub bytes: Vec<u8>,
    /// Where the bytes are kept, if not here.
    pub home: Option<(Inbox, u64)>,
    /// The hash over this and all before it, where it is kept.
    pub hash: Option<[u8; 32]>,
}

/// What is searched of a shop or a group, as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSearched {
    /// Which of the two.
    pub target: Target,
    /// Whose it is.
    pub id: Id,
    /// Its places in the two orders.
    pub ranks: (i64, i64),
    /// The entry; none if it cannot be read.
    pub entry: Option<Entry>,
}
