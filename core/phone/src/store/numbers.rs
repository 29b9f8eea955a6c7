//! Phone numbers that unanswered sales name: sent beside their ops, and forgotten with the answer. Number and salt are
//! sealed together: with the salt alone, all numbers could be tried against the hash in the op.

use moa_rules::id::OpId;
use moa_wire::number::TypedNumber;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{PhoneError, corrupt};
use crate::sealing::Sealing;

const PUT: &str = "INSERT INTO typed_number (op, sealed) VALUES (?1, ?2)";
const GET: &str = "SELECT sealed FROM typed_number WHERE op = ?1";
const FORGET: &str = "DELETE FROM typed_number WHERE op = ?1";
const FORGET_ALL: &str = "DELETE FROM typed_number";

/// Keeps the number that an op names.
pub(crate) fn put(db: &Connection, sealing: &Sealing, typed: &TypedNumber) -> Result<(), PhoneError> {
    let value = serde_json::to_vec(typed).map_err(|_| corrupt("number"))?;
    db.prepare_cached(PUT)?.execute((typed.op.0, sealing.seal(&place(typed.op), &value)?))?;
    Ok(())
}

/// The numbers that these ops name. One that was changed or moved is none: it must not hold up the other ops, and the
/// server refuses its own with the reason.
pub(crate) fn of(db: &Connection, sealing: &Sealing, ops: &[OpId]) -> Result<Vec<TypedNumber>, PhoneError> {
    let mut statement = db.prepare_cached(GET)?;
    let mut numbers = Vec::new();
    for op in ops {
        let sealed: Option<Vec<u8>> = statement.query_row([op.0], |row| row.get(0)).optional()?;
        let Some(sealed) = sealed else { continue };
        let opened = sealing.open(&place(*op), &sealed).ok();
        match opened.and_then(|value| serde_json::from_slice(&value).ok()) {
            Some(number) => numbers.push(number),
            None => tracing::error!(%op, "a phone number was changed or moved"),
        }
    }
    Ok(numbers)
}

/// An op was answered.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    Ok(())
}

/// None can be opened any more.
pub(crate) fn forget_all(db: &Connection) -> Result<(), PhoneError> {
    db.execute(FORGET_ALL, [])?;
    Ok(())
}

fn place(op: OpId) -> String {
    format!("typed_number/{op}")
}
