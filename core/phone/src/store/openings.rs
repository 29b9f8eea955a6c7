//! Files of opening balances that were imported, and what became of their rows.

use moa_rules::id::{GroupId, OpId};
use moa_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{parse, signed, unsigned};
use crate::error::PhoneError;
use crate::outbox::RefusedOp;

const PUT: &str = "INSERT INTO opening (hash, \"group\", at) VALUES (?1, ?2, ?3)";
const PUT_ROW: &str = "INSERT INTO opening_row (op, hash, line) VALUES (?1, ?2, ?3)";
const GET: &str = "SELECT at FROM opening WHERE hash = ?1";
const ALL: &str = "SELECT hash, \"group\", at FROM opening ORDER BY at DESC, hash";
const STATES: &str =
    "SELECT state, count(*) FROM opening_row JOIN outbox USING (op) WHERE hash = ?1 GROUP BY state";
const REFUSED: &str = "SELECT line, refusal, mileage FROM opening_row JOIN outbox USING (op)
                       WHERE hash = ?1 AND state = 'refused' ORDER BY line";

/// A file that was imported.
#[derive(Debug, Clone)]
pub(crate) struct Imported {
    pub hash: [u8; 32],
    pub group: GroupId,
    pub at: Timestamp,
}

/// How many of a file's rows wait, were applied, were refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct States {
    pub waiting: u64,
    pub applied: u64,
    pub refused: u64,
}

/// A file is imported.
pub(crate) fn put(db: &Connection, imported: &Imported) -> Result<(), PhoneError> {
    let Imported { hash, group, at } = imported;
    db.execute(PUT, (hash, group.0, at.0))?;
    Ok(())
}

/// A row of it became an op.
pub(crate) fn put_row(db: &Connection, hash: &[u8; 32], op: OpId, line: u64) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_ROW)?.execute((op.0, hash, signed(line)))?;
    Ok(())
}

/// When a file was imported, if it was.
pub(crate) fn imported_at(db: &Connection, hash: &[u8; 32]) -> Result<Option<Timestamp>, PhoneError> {
    Ok(db.query_row(GET, [hash], |row| row.get(0).map(Timestamp)).optional()?)
}

/// The files that were imported, newest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Imported>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let read = |row: &rusqlite::Row| {
        Ok(Imported { hash: row.get(0)?, group: GroupId(row.get(1)?), at: Timestamp(row.get(2)?) })
    };
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// What became of a file's rows.
pub(crate) fn states(db: &Connection, hash: &[u8; 32]) -> Result<States, PhoneError> {
    let mut statement = db.prepare_cached(STATES)?;
    let mut rows = statement.query([hash])?;
    let mut states = States::default();
    while let Some(row) = rows.next()? {
        let count = unsigned(row.get(1)?);
        match row.get::<_, String>(0)?.as_str() {
            "waiting" => states.waiting = count,
            "applied" => states.applied = count,
            _ => states.refused = count,
        }
    }
    Ok(states)
}

/// The lines of a file that the server refused, and why.
pub(crate) fn refused(db: &Connection, hash: &[u8; 32]) -> Result<Vec<(u64, RefusedOp)>, PhoneError> {
    let mut statement = db.prepare_cached(REFUSED)?;
    let mut rows = statement.query([hash])?;
    let mut refused = Vec::new();
    while let Some(row) = rows.next()? {
        let mileage = row.get::<_, Option<String>>(2)?.map(|kind| parse(&kind, "mileage")).transpose()?;
        let refusal = RefusedOp { mileage, ..parse(&row.get::<_, String>(1)?, "refusal")? };
        refused.push((unsigned(row.get(0)?), refusal));
    }
    Ok(refused)
}
