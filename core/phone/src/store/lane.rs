//! When each lane of the sync may ask again: kept over restarts, so that an app opened again and again does not
//! forget that the server is in trouble.

use moa_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use crate::error::PhoneError;

const GET: &str = "SELECT failures, not_before, asked FROM lane WHERE name = ?1";
const SET: &str = "INSERT INTO lane (name, failures, not_before, asked) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (name) DO UPDATE
                   SET failures = excluded.failures, not_before = excluded.not_before, asked = excluded.asked";

/// How a lane fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Failures in a row.
    pub failures: u32,
    /// Not before this instant of the phone's clock.
    pub not_before: Timestamp,
    /// Whether it was the server that asked for it.
    pub asked: bool,
}

/// How a lane fared when it was last written.
pub(crate) fn get(db: &Connection, name: &str) -> Result<Standing, PhoneError> {
    let standing = db.prepare_cached(GET)?.query_row([name], |row| {
        Ok(Standing { failures: row.get(0)?, not_before: Timestamp(row.get(1)?), asked: row.get(2)? })
    });
    Ok(standing.optional()?.unwrap_or_default())
}

/// Keeps how a lane fares.
pub(crate) fn set(db: &Connection, name: &str, standing: Standing) -> Result<(), PhoneError> {
    db.prepare_cached(SET)?.execute((name, standing.failures, standing.not_before.0, standing.asked))?;
    Ok(())
}
