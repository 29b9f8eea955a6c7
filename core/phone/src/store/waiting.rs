//! Sales that wait for this buyer's choice.

use moa_rules::id::{MerchantId, OpId};
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_wire::api::WaitingSale;
use rusqlite::{Connection, Row};

use super::{signed, unsigned};
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO waiting_sale (sale, merchant, amount, time, until) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (sale) DO UPDATE SET until = excluded.until";
const GONE: &str = "DELETE FROM waiting_sale WHERE sale = ?1";
const DELETE_ALL: &str = "DELETE FROM waiting_sale";
const ALL: &str =
    "SELECT sale, merchant, amount, time, until, claim, at_once FROM waiting_sale ORDER BY time, sale";
const CHOSEN: &str = "SELECT sale, claim, at_once FROM waiting_sale WHERE claim IS NOT NULL OR at_once";
const CHOOSE: &str = "UPDATE waiting_sale SET claim = ?2, at_once = ?3 WHERE sale = ?1";
const RELEASE: &str = "UPDATE waiting_sale SET claim = NULL WHERE claim = ?1";

/// A sale that waits, and the op that chooses for it, if one is under way.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub sale: WaitingSale,
    pub claim: Option<OpId>,
    /// Whether it was chosen for without a question, once.
    pub at_once: bool,
}

/// A sale waits.
pub(crate) fn put(db: &Connection, sale: &WaitingSale) -> Result<(), PhoneError> {
    let WaitingSale { sale, merchant, amount, time, until } = sale;
    db.prepare_cached(PUT)?.execute((sale.0, merchant.0, amount.0, signed(*time), until.0))?;
    Ok(())
}

/// A sale waits no longer: it was claimed, or lapsed.
pub(crate) fn gone(db: &Connection, sale: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(GONE)?.execute([sale.0])?;
    Ok(())
}

/// Takes these in place of all. What is chosen for one that still waits stays chosen.
pub(crate) fn replace(db: &Connection, sales: &[WaitingSale]) -> Result<(), PhoneError> {
    let mut statement = db.prepare(CHOSEN)?;
    let read = |row: &Row| Ok((OpId(row.get(0)?), row.get::<_, Option<_>>(1)?.map(OpId), row.get(2)?));
    let chosen = statement.query_map([], read)?.collect::<Result<Vec<_>, _>>()?;
    db.execute(DELETE_ALL, [])?;
    sales.iter().try_for_each(|sale| put(db, sale))?;
    chosen.into_iter().try_for_each(|(sale, op, at_once)| choose(db, sale, op, at_once))
}

/// What waits, oldest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Waiting>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let waiting = statement.query_map([], read)?;
    Ok(waiting.collect::<Result<_, _>>()?)
}

/// An op chooses for a sale, with or without a question.
pub(crate) fn claim(db: &Connection, sale: OpId, op: OpId, at_once: bool) -> Result<(), PhoneError> {
    choose(db, sale, Some(op), at_once)
}

fn choose(db: &Connection, sale: OpId, op: Option<OpId>, at_once: bool) -> Result<(), PhoneError> {
    db.prepare_cached(CHOOSE)?.execute((sale.0, op.map(|op| op.0), at_once))?;
    Ok(())
}

/// The op that chose was refused; another may.
pub(crate) fn release(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(RELEASE)?.execute([op.0])?;
    Ok(())
}

fn read(row: &Row) -> rusqlite::Result<Waiting> {
    let sale = WaitingSale {
        sale: OpId(row.get(0)?),
        merchant: MerchantId(row.get(1)?),
        amount: Money(row.get(2)?),
        time: unsigned(row.get(3)?),
        until: Timestamp(row.get(4)?),
    };
    Ok(Waiting { sale, claim: row.get::<_, Option<_>>(5)?.map(OpId), at_once: row.get(6)? })
}
