//! Rows of the journal and of every live table, as they are read to be proved or written anew.

use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, MerchantId, OpId};
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use moa_wire::canonical;

use super::{Columns, answer, at, corrupt, id, instant, maybe_id, number};
use crate::journal::{KeptEntry, KeptOp, KeptSearched};
use crate::search::{Cell, Entry, Id, Target, Term};
use crate::store::{InboxHead, StoreError};

/// How a row of a live table is read.
type Read = fn(&dyn Columns) -> Result<Row, StoreError>;

/// Every live table. Counters are kept otherwise in each database.
pub(crate) const TABLES: [(&str, Read); 19] = [
    ("SELECT * FROM devices", |row| super::device(row).map(Row::Device)),
    ("SELECT * FROM merchants", |row| super::merchant(row).map(Row::Merchant)),
    ("SELECT * FROM sales", |row| super::sale(row).map(Row::Sale)),
    ("SELECT * FROM groups", |row| super::group(row).map(Row::Group)),
    ("SELECT * FROM terms", |row| super::terms(row).map(Row::Terms)),
    ("SELECT * FROM members", |row| super::member(row).map(Row::Member)),
    ("SELECT * FROM lots", |row| super::lot(row).map(Row::Lot)),
    ("SELECT * FROM standings", |row| super::standing(row).map(Row::Standing)),
    ("SELECT * FROM staff", |row| super::staff(row).map(Row::Staff)),
    ("SELECT * FROM staff_days", super::staff_day),
    ("SELECT * FROM closed", super::closed),
    ("SELECT * FROM passes", |row| super::pass(row).map(Row::Pass)),
    ("SELECT * FROM holds", |row| super::hold(row).map(Row::Hold)),
    ("SELECT * FROM redemptions", |row| super::redemption(row).map(Row::Redemption)),
    ("SELECT * FROM debts", |row| super::debt(row).map(Row::Debt)),
    ("SELECT * FROM amendments", |row| {
        super::amendment(row).map(|amendment| Row::Amendment(Box::new(amendment)))
    }),
    ("SELECT * FROM invitations", |row| super::invitation(row).map(Row::Invitation)),
    ("SELECT * FROM join_requests", |row| super::join_request(row).map(Row::JoinRequest)),
    ("SELECT * FROM operators", |row| Ok(Row::Operator { account: id(row, "account")?, operator: true })),
];
/// The books.
pub(crate) const BALANCES: &str =
    "SELECT group_id, party, ledger, issuer, amount FROM balances WHERE amount <> 0";
/// When shops changed.
pub(crate) const CHANGED: &str = "SELECT id, changed_at FROM merchants";

/// What is searched.
pub(crate) const SEARCHED: &str = "SELECT id, target, by_members, by_rate, entry FROM search_entries";
/// By what it is found.
pub(crate) const POSTINGS: &str = "SELECT term, cell, id FROM search_postings";

/// `SELECT key, counter`
pub(crate) fn counter(row: &dyn Columns) -> Result<Row, StoreError> {
    Ok(Row::Counter(id(row, "key")?, at::<i64>(row, "counter")?.cast_unsigned()))
}

/// `SELECT key, heard_at`
pub(crate) fn heard(row: &dyn Columns) -> Result<(KeyId, Timestamp), StoreError> {
    Ok((id(row, "key")?, instant(row, "heard_at")?))
}

/// [`CHANGED`]
pub(crate) fn changed(row: &dyn Columns) -> Result<(MerchantId, Timestamp), StoreError> {
    Ok((id(row, "id")?, instant(row, "changed_at")?))
}

/// [`SEARCHED`]
pub(crate) fn searched(row: &dyn Columns) -> Result<KeptSearched, StoreError> {
    Ok(KeptSearched {
        target: Target::of(at(row, "target")?).ok_or_else(|| corrupt("target"))?,
        id: at(row, "id")?,
        ranks: (at(row, "by_members")?, at(row, "by_rate")?),
        entry: Entry::read(&at::<Vec<u8>>(row, "entry")?),
    })
}

/// [`POSTINGS`]
pub(crate) fn posting(row: &dyn Columns) -> Result<(Term, Cell, Id), StoreError> {
    Ok((Term(at(row, "term")?), Cell(at(row, "cell")?), at(row, "id")?))
}

/// `SELECT inbox, count, hash`
pub(crate) fn head(row: &dyn Columns) -> Result<(Inbox, InboxHead), StoreError> {
    Ok((inbox(row, "inbox")?, InboxHead { count: number(row, "count")?, hash: at(row, "hash")? }))
}

/// `SELECT actor, id, payload_hash, signed, carrier_actor, carrier_id, answer, decided_at`
pub(crate) fn op(row: &dyn Columns) -> Result<KeptOp, StoreError> {
    let carrier: (Option<KeyId>, Option<OpId>) =
        (maybe_id(row, "carrier_actor")?, maybe_id(row, "carrier_id")?);
    Ok(KeptOp {
        actor: id(row, "actor")?,
        id: id(row, "id")?,
        payload_hash: at(row, "payload_hash")?,
        signed: bytes(row, "signed")?,
        carrier: carrier.0.zip(carrier.1),
        answer: answer(at(row, "answer")?)?,
        decided_at: instant(row, "decided_at")?,
    })
}

/// `SELECT inbox, number, bytes, home, home_number, hash`
pub(crate) fn entry(row: &dyn Columns) -> Result<KeptEntry, StoreError> {
    Ok(KeptEntry {
        inbox: inbox(row, "inbox")?,
        number: number(row, "number")?,
        bytes: bytes(row, "bytes")?,
        home: match at::<Option<i64>>(row, "home_number")? {
            Some(_) => Some((inbox(row, "home")?, number(row, "home_number")?)),
            None => None,
        },
        hash: at(row, "hash")?,
    })
}

/// A column that is null where what it points at is gone: then no bytes at all.
pub(crate) fn bytes(row: &dyn Columns, column: &'static str) -> Result<Vec<u8>, StoreError> {
    Ok(at::<Option<Vec<u8>>>(row, column)?.unwrap_or_default())
}

fn inbox(row: &dyn Columns, column: &'static str) -> Result<Inbox, StoreError> {
    canonical::decode(&bytes(row, column)?).map_err(|_| corrupt("an inbox's name"))
}
