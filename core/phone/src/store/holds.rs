//! Open holds: those of the buyer's own lots, and those of this shop.

use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::OpId;
use rusqlite::{Connection, OptionalExtension};

use super::{json, parse};
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO hold (id, body) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM hold WHERE id = ?1";
const DELETE_ALL: &str = "DELETE FROM hold";
const GET: &str = "SELECT body FROM hold WHERE id = ?1";
const ALL: &str = "SELECT body FROM hold ORDER BY id";

/// Writes a hold; takes it out once it is over.
pub(crate) fn put(db: &Connection, hold: &Hold) -> Result<(), PhoneError> {
    if hold.state == HoldState::Open {
        db.prepare_cached(PUT)?.execute((hold.id.0, json(hold, "hold")?))?;
    } else {
        db.prepare_cached(DELETE)?.execute([hold.id.0])?;
    }
    Ok(())
}

/// Takes these in place of all.
pub(crate) fn replace(db: &Connection, holds: &[Hold]) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    holds.iter().try_for_each(|hold| put(db, hold))
}

/// An open hold.
pub(crate) fn get(db: &Connection, hold: OpId) -> Result<Option<Hold>, PhoneError> {
    let body: Option<String> = db.prepare_cached(GET)?.query_row([hold.0], |row| row.get(0)).optional()?;
    body.map(|body| parse(&body, "hold")).transpose()
}

/// Every open hold, oldest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Hold>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?, "hold")).collect()
}
