//! What the buyer owes, as confirmed.

use moa_rules::debt::Debt;
use rusqlite::Connection;

use super::{json, parse};
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO debt (\"group\", merchant, unit, body) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (\"group\", merchant, unit) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM debt WHERE \"group\" = ?1 AND merchant = ?2 AND unit = ?3";
const DELETE_ALL: &str = "DELETE FROM debt";
const ALL: &str = "SELECT body FROM debt ORDER BY \"group\", merchant, unit";

/// Writes a debt; takes it out if it is paid.
pub(crate) fn put(db: &Connection, debt: &Debt) -> Result<(), PhoneError> {
    let unit = json(&debt.unit, "debt")?;
    if debt.units.is_zero() {
        db.prepare_cached(DELETE)?.execute((debt.group.0, debt.merchant.0, unit))?;
    } else {
        let body = json(debt, "debt")?;
        db.prepare_cached(PUT)?.execute((debt.group.0, debt.merchant.0, unit, body))?;
    }
    Ok(())
}

/// Takes these in place of all.
pub(crate) fn replace(db: &Connection, debts: &[Debt]) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    debts.iter().try_for_each(|debt| put(db, debt))
}

/// What is owed, in every group.
pub(crate) fn all(db: &Connection) -> Result<Vec<Debt>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?, "debt")).collect()
}
