//! What happened to the buyer's mileage, as confirmed.

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{json, parse};
use crate::error::PhoneError;
use crate::wallet::Happened;

const ADD: &str = "INSERT INTO history (\"group\", op, place, part, body) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (op, place, part) DO NOTHING";
const FORGET: &str = "DELETE FROM history WHERE op = ?1";
const OF_GROUP: &str = "SELECT op, body FROM history WHERE \"group\" = ?1 ORDER BY seq DESC LIMIT ?2";

/// A row.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Row {
    pub happened: Happened,
    pub at: Timestamp,
    pub merchant: MerchantId,
    pub units: Units,
    pub unit: Option<Unit>,
}

/// Which op a row comes of, which of its events, and which of that one's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub op: OpId,
    pub event: u16,
    pub part: u16,
}

/// Adds a row, once; whether it was new.
pub(crate) fn add(db: &Connection, group: GroupId, place: Place, row: &Row) -> Result<bool, PhoneError> {
    let Place { op, event, part } = place;
    let added = db.prepare_cached(ADD)?.execute((group.0, op.0, event, part, json(row, "history")?))?;
    Ok(added > 0)
}

/// What an op did is not in the books any more.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    Ok(())
}

/// The last rows of a group, newest first, each with the op that it comes of.
pub(crate) fn of_group(db: &Connection, group: GroupId, limit: u32) -> Result<Vec<(OpId, Row)>, PhoneError> {
    let mut statement = db.prepare_cached(OF_GROUP)?;
    let mut rows = statement.query((group.0, limit))?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        history.push((OpId(row.get(0)?), parse(&row.get::<_, String>(1)?, "history")?));
    }
    Ok(history)
}
