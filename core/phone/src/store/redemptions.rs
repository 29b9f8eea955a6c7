//! Mileage that the shop took, or asked for.

use moa_rules::id::{GroupId, OpId};
use moa_rules::op::RedemptionCode;
use moa_rules::quantity::Units;
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use super::signed;
use crate::error::{PhoneError, corrupt};

const ASK: &str = "INSERT INTO redemption (op, code_key, code_counter, \"group\", units, at, deadline)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const CONFIRM: &str = "INSERT INTO redemption (op, \"group\", units, at) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (op) DO UPDATE SET at = excluded.at";
const FORGET: &str = "DELETE FROM redemption WHERE op = ?1 AND op NOT IN (SELECT op FROM outbox)";
const ASKED_WITH: &str = "SELECT EXISTS (SELECT 1 FROM redemption JOIN outbox USING (op)
                          WHERE code_key = ?1 AND code_counter = ?2 AND state <> 'refused')";
const SINCE: &str = "SELECT op, \"group\", units, at, deadline FROM redemption
                     WHERE at >= ?1 ORDER BY at DESC, op DESC";

/// A redemption at this shop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub op: OpId,
    pub group: GroupId,
    pub units: Units,
    pub at: Timestamp,
    /// When the buyer's code runs out; none for one that another device of the shop asked for.
    pub deadline: Option<Timestamp>,
}

/// This phone asks for mileage on a code.
pub(crate) fn ask(
    db: &Connection,
    op: OpId,
    code: &RedemptionCode,
    units: Units,
    at: Timestamp,
) -> Result<(), PhoneError> {
    db.prepare_cached(ASK)?.execute((
        op.0,
        code.key.0,
        signed(code.counter),
        code.group.0,
        units.get(),
        at.0,
        Timestamp::from_seconds(code.expires).0,
    ))?;
    Ok(())
}

/// The server took mileage for this shop.
pub(crate) fn confirm(
    db: &Connection,
    op: OpId,
    group: GroupId,
    units: Units,
    at: Timestamp,
) -> Result<(), PhoneError> {
    db.prepare_cached(CONFIRM)?.execute((op.0, group.0, units.get(), at.0))?;
    Ok(())
}

/// What another till took is not in the books any more.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    Ok(())
}

/// Whether this phone has asked with this code before, and was not refused.
pub(crate) fn asked_with(db: &Connection, code: &RedemptionCode) -> Result<bool, PhoneError> {
    let key = (code.key.0, signed(code.counter));
    Ok(db.prepare_cached(ASKED_WITH)?.query_row(key, |row| row.get(0))?)
}

/// Redemptions since an instant, newest first.
pub(crate) fn since(db: &Connection, since: Timestamp) -> Result<Vec<Taken>, PhoneError> {
    let mut statement = db.prepare_cached(SINCE)?;
    let mut rows = statement.query([since.0])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(Taken {
            op: OpId(row.get(0)?),
            group: GroupId(row.get(1)?),
            units: Units::new(row.get(2)?).map_err(|_| corrupt("redemption"))?,
            at: Timestamp(row.get(3)?),
            deadline: row.get::<_, Option<_>>(4)?.map(Timestamp),
        });
    }
    Ok(taken)
}
