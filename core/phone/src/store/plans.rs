//! What this buyer means to buy. Never leaves the phone.

use moa_rules::id::{MerchantId, OpId};
use moa_rules::quantity::Money;
use moa_rules::time::{Day, Timestamp};
use rusqlite::Connection;

use super::unsigned;
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO plan (id, merchant, amount, day, noted_at) VALUES (?1, ?2, ?3, ?4, ?5)";
const FROM: &str = "SELECT id, merchant, amount, day, noted_at FROM plan WHERE day >= ?1 ORDER BY day, id";
const COUNT: &str = "SELECT count(*) FROM plan";
const REMOVE: &str = "DELETE FROM plan WHERE id = ?1";
const DROP_BEFORE: &str = "DELETE FROM plan WHERE day < ?1";
const FULFIL: &str = "DELETE FROM plan WHERE id =
    (SELECT id FROM plan WHERE merchant = ?1 AND day <= ?2 AND noted_at <= ?3 ORDER BY day, id LIMIT 1)";

/// A purchase that is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Names the row.
    pub id: OpId,
    pub merchant: MerchantId,
    pub amount: Money,
    pub day: Day,
    pub noted_at: Timestamp,
}

/// Notes a purchase.
pub(crate) fn put(db: &Connection, planned: &Planned) -> Result<(), PhoneError> {
    let Planned { id, merchant, amount, day, noted_at } = planned;
    db.prepare_cached(PUT)?.execute((id.0, merchant.0, amount.0, day.0, noted_at.0))?;
    Ok(())
}

/// Those of this day and later ones, soonest first.
pub(crate) fn from(db: &Connection, day: Day) -> Result<Vec<Planned>, PhoneError> {
    let planned = |row: &rusqlite::Row<'_>| {
        Ok(Planned {
            id: OpId(row.get(0)?),
            merchant: MerchantId(row.get(1)?),
            amount: Money(row.get(2)?),
            day: Day(row.get(3)?),
            noted_at: Timestamp(row.get(4)?),
        })
    };
    let mut statement = db.prepare_cached(FROM)?;
    let rows = statement.query_map([day.0], planned)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many there are.
pub(crate) fn count(db: &Connection) -> Result<u64, PhoneError> {
    Ok(unsigned(db.prepare_cached(COUNT)?.query_row([], |row| row.get(0))?))
}

/// Forgets one.
pub(crate) fn remove(db: &Connection, id: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(REMOVE)?.execute([id.0])?;
    Ok(())
}

/// Forgets those of earlier days.
pub(crate) fn drop_before(db: &Connection, day: Day) -> Result<(), PhoneError> {
    db.prepare_cached(DROP_BEFORE)?.execute([day.0])?;
    Ok(())
}

/// Forgets the soonest at a shop that is for this day or an earlier one, and was noted by then.
pub(crate) fn fulfil(
    db: &Connection,
    merchant: MerchantId,
    until: Day,
    noted_by: Timestamp,
) -> Result<(), PhoneError> {
    db.prepare_cached(FULFIL)?.execute((merchant.0, until.0, noted_by.0))?;
    Ok(())
}
