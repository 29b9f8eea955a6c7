//! Phone numbers that unanswered sales name: sent beside their ops, and forgotten with the answer.

use moa_rules::id::OpId;
use moa_wire::api::Base64;
use moa_wire::number::TypedNumber;
use rusqlite::{Connection, OptionalExtension};

use crate::error::PhoneError;

const PUT: &str = "INSERT INTO typed_number (op, salt, number) VALUES (?1, ?2, ?3)";
const GET: &str = "SELECT salt, number FROM typed_number WHERE op = ?1";
const FORGET: &str = "DELETE FROM typed_number WHERE op = ?1";

/// Keeps the number that an op names.
pub(crate) fn put(db: &Connection, typed: &TypedNumber) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((typed.op.0, &typed.salt.0, &typed.number))?;
    Ok(())
}

/// The numbers that these ops name.
pub(crate) fn of(db: &Connection, ops: &[OpId]) -> Result<Vec<TypedNumber>, PhoneError> {
    let mut statement = db.prepare_cached(GET)?;
    let mut numbers = Vec::new();
    for op in ops {
        let found = statement.query_row([op.0], |row| {
            Ok(TypedNumber { op: *op, salt: Base64(row.get(0)?), number: row.get(1)? })
        });
        numbers.extend(found.optional()?);
    }
    Ok(numbers)
}

/// An op was answered.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    Ok(())
}
