//! What happened to the buyer's mileage, as confirmed.

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::quantity::{Money, Units};
use moa_rules::time::{Day, Timestamp};
use rusqlite::Connection;

use crate::error::{PhoneError, corrupt};
use crate::wallet::Happened;

const ADD: &str = "INSERT INTO history (\"group\", kind, at, merchant, units, amount, last_day, op, place)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (op, place) DO NOTHING";
const FORGET: &str = "DELETE FROM history WHERE op = ?1";
const OF_GROUP: &str = "SELECT kind, at, merchant, units, amount, last_day, op, place FROM history
                        WHERE \"group\" = ?1 ORDER BY seq DESC LIMIT ?2";

/// A row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub happened: Happened,
    pub at: Timestamp,
    pub merchant: MerchantId,
    pub units: Units,
    pub op: OpId,
    /// Among the events of its op.
    pub place: u16,
}

/// Adds a row, once.
pub(crate) fn add(db: &Connection, group: GroupId, row: &Row) -> Result<(), PhoneError> {
    let (kind, amount, last_day) = match row.happened {
        Happened::Accrual { amount, last_day } => ("accrual", Some(amount.0), Some(last_day.0)),
        Happened::Redemption => ("redemption", None, None),
        Happened::Expiry => ("expiry", None, None),
        Happened::Moved => ("moved", None, None),
    };
    let Row { at, merchant, units, op, place, .. } = row;
    let row = (group.0, kind, at.0, merchant.0, units.get(), amount, last_day, op.0, place);
    db.prepare_cached(ADD)?.execute(row)?;
    Ok(())
}

/// What an op did is not in the books any more.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    Ok(())
}

/// The last rows of a group, newest first.
pub(crate) fn of_group(db: &Connection, group: GroupId, limit: u32) -> Result<Vec<Row>, PhoneError> {
    let mut statement = db.prepare_cached(OF_GROUP)?;
    let mut rows = statement.query((group.0, limit))?;
    let mut history = Vec::new();
    while let Some(row) = rows.next()? {
        let happened = match row.get::<_, String>(0)?.as_str() {
            "accrual" => Happened::Accrual { amount: Money(row.get(4)?), last_day: Day(row.get(5)?) },
            "redemption" => Happened::Redemption,
            "moved" => Happened::Moved,
            _ => Happened::Expiry,
        };
        history.push(Row {
            happened,
            at: Timestamp(row.get(1)?),
            merchant: MerchantId(row.get(2)?),
            units: Units::new(row.get(3)?).map_err(|_| corrupt("history"))?,
            op: OpId(row.get(6)?),
            place: row.get(7)?,
        });
    }
    Ok(history)
}
