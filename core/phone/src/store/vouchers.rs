//! Vouchers that this phone has claimed.

use moa_rules::id::{KeyId, OpId};
use rusqlite::{Connection, OptionalExtension};

use crate::error::PhoneError;

const GET: &str = "SELECT claim, gone FROM voucher WHERE seller = ?1 AND sale = ?2";
const PUT: &str = "INSERT INTO voucher (seller, sale, claim) VALUES (?1, ?2, ?3)";
const RELEASE: &str = "DELETE FROM voucher WHERE claim = ?1";
const GONE: &str = "UPDATE voucher SET gone = 1 WHERE claim = ?1";

/// The claim of a voucher, and whether someone else was first.
pub(crate) fn claim(db: &Connection, seller: KeyId, sale: OpId) -> Result<Option<(OpId, bool)>, PhoneError> {
    let row =
        db.prepare_cached(GET)?.query_row((seller.0, sale.0), |row| Ok((OpId(row.get(0)?), row.get(1)?)));
    Ok(row.optional()?)
}

/// A voucher was claimed by this op.
pub(crate) fn put(db: &Connection, seller: KeyId, sale: OpId, claim: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((seller.0, sale.0, claim.0))?;
    Ok(())
}

/// The claim was refused; the voucher may be tried again, for another group say.
pub(crate) fn release(db: &Connection, claim: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(RELEASE)?.execute([claim.0])?;
    Ok(())
}

/// Someone else was first.
pub(crate) fn gone(db: &Connection, claim: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(GONE)?.execute([claim.0])?;
    Ok(())
}
