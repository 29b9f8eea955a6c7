//! What the shop paid back in money and gave back in mileage, as confirmed.

use moa_rules::id::{GroupId, OpId};
use moa_rules::quantity::{Money, Units};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::{Connection, Row};

use super::{read_unit, read_units, unit_column};
use crate::error::PhoneError;

const PUT_REFUND: &str = "INSERT INTO refund (op, sale, at, amount, money, taken, debt, unit)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (op) DO NOTHING";
const PUT_REVERSAL: &str = "INSERT INTO reversal (op, redemption, at, \"group\", units, unit)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (op) DO NOTHING";
const FORGET_REFUND: &str = "DELETE FROM refund WHERE op = ?1";
const FORGET_REVERSAL: &str = "DELETE FROM reversal WHERE op = ?1";
const BY: &str = "SELECT op, sale, at, amount, money, taken, debt, unit FROM refund WHERE op = ?1";
const SINCE: &str = "SELECT op, sale, at, amount, money, taken, debt, unit FROM refund
                     WHERE at >= ?1 ORDER BY at DESC, op DESC";
const REVERSAL_BY: &str = "SELECT op, redemption, at, \"group\", units, unit FROM reversal WHERE op = ?1";
const REVERSALS_SINCE: &str = "SELECT op, redemption, at, \"group\", units, unit FROM reversal
                               WHERE at >= ?1 ORDER BY at DESC, op DESC";

/// A refund at this shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refund {
    pub op: OpId,
    pub sale: OpId,
    pub at: Timestamp,
    /// Of the whole purchase.
    pub amount: Money,
    /// Of that in money.
    pub money: Money,
    /// Units taken back from the buyer.
    pub taken: Units,
    /// Units that were not there.
    pub debt: Units,
    pub unit: Option<Unit>,
}

/// Mileage that came back to its buyer, by itself or with a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reversal {
    pub op: OpId,
    pub redemption: OpId,
    pub at: Timestamp,
    pub group: GroupId,
    pub units: Units,
    pub unit: Option<Unit>,
}

/// Writes a refund.
pub(crate) fn put(db: &Connection, refund: &Refund) -> Result<(), PhoneError> {
    let Refund { op, sale, at, amount, money, taken, debt, unit } = *refund;
    let unit = unit_column(unit)?;
    let row = (op.0, sale.0, at.0, amount.0, money.0, taken.get(), debt.get(), unit);
    db.prepare_cached(PUT_REFUND)?.execute(row)?;
    Ok(())
}

/// Writes a reversal.
pub(crate) fn put_reversal(db: &Connection, reversal: &Reversal) -> Result<(), PhoneError> {
    let Reversal { op, redemption, at, group, units, unit } = *reversal;
    let row = (op.0, redemption.0, at.0, group.0, units.get(), unit_column(unit)?);
    db.prepare_cached(PUT_REVERSAL)?.execute(row)?;
    Ok(())
}

/// What an op paid or gave back is not in the books any more.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET_REFUND)?.execute([op.0])?;
    db.prepare_cached(FORGET_REVERSAL)?.execute([op.0])?;
    Ok(())
}

/// The refunds since an instant, newest first.
pub(crate) fn since(db: &Connection, since: Timestamp) -> Result<Vec<Refund>, PhoneError> {
    let mut statement = db.prepare_cached(SINCE)?;
    let mut rows = statement.query([since.0])?;
    let mut refunds = Vec::new();
    while let Some(row) = rows.next()? {
        refunds.push(read(row)?);
    }
    Ok(refunds)
}

/// The refund that an op made.
pub(crate) fn by(db: &Connection, op: OpId) -> Result<Option<Refund>, PhoneError> {
    let mut statement = db.prepare_cached(BY)?;
    statement.query([op.0])?.next()?.map(read).transpose()
}

/// The reversals since an instant, newest first.
pub(crate) fn reversals_since(db: &Connection, since: Timestamp) -> Result<Vec<Reversal>, PhoneError> {
    let mut statement = db.prepare_cached(REVERSALS_SINCE)?;
    let mut rows = statement.query([since.0])?;
    let mut reversals = Vec::new();
    while let Some(row) = rows.next()? {
        reversals.push(read_reversal(row)?);
    }
    Ok(reversals)
}

/// The reversal that an op made.
pub(crate) fn reversal_by(db: &Connection, op: OpId) -> Result<Option<Reversal>, PhoneError> {
    let mut statement = db.prepare_cached(REVERSAL_BY)?;
    statement.query([op.0])?.next()?.map(read_reversal).transpose()
}

fn read(row: &Row) -> Result<Refund, PhoneError> {
    Ok(Refund {
        op: OpId(row.get(0)?),
        sale: OpId(row.get(1)?),
        at: Timestamp(row.get(2)?),
        amount: Money(row.get(3)?),
        money: Money(row.get(4)?),
        taken: read_units(row.get(5)?, "refund")?,
        debt: read_units(row.get(6)?, "refund")?,
        unit: read_unit(row.get(7)?)?,
    })
}

fn read_reversal(row: &Row) -> Result<Reversal, PhoneError> {
    Ok(Reversal {
        op: OpId(row.get(0)?),
        redemption: OpId(row.get(1)?),
        at: Timestamp(row.get(2)?),
        group: GroupId(row.get(3)?),
        units: read_units(row.get(4)?, "reversal")?,
        unit: read_unit(row.get(5)?)?,
    })
}
