//! Mileage that the shop took, or asked for.

use moa_rules::id::{AccountId, GroupId, MerchantId, OpId};
use moa_rules::lot::Allocation;
use moa_rules::op::RedemptionCode;
use moa_rules::quantity::Units;
use moa_rules::redemption::Redemption;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::{Connection, Row};

use super::{json, parse, read_unit, read_units, signed, unit_column};
use crate::error::PhoneError;

const ASK: &str = "INSERT INTO redemption (op, \"group\", units, unit, at, deadline)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ASK_WITH: &str = "INSERT INTO asked_with (op, key, counter) VALUES (?1, ?2, ?3)";
const CONFIRM: &str = "INSERT INTO redemption (op, \"group\", units, unit, at) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (op) DO UPDATE SET at = excluded.at";
const PUT: &str = "INSERT INTO redemption (op, \"group\", units, unit, at, account, allocations, returned)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
     ON CONFLICT (op) DO UPDATE SET units = excluded.units, unit = excluded.unit, account = excluded.account,
         allocations = excluded.allocations, returned = excluded.returned";
const FORGET: &str = "DELETE FROM redemption WHERE op = ?1 AND op NOT IN (SELECT op FROM outbox)";
const UNCONFIRM: &str =
    "UPDATE redemption SET account = NULL, allocations = NULL, returned = 0 WHERE op = ?1";
const UNRETURN: &str = "UPDATE redemption SET returned = max(0, returned - ?2) WHERE op = ?1";
const ASKED_WITH: &str = "SELECT EXISTS (SELECT 1 FROM asked_with a JOIN outbox o ON o.op = a.op
                          WHERE a.key = ?1 AND a.counter = ?2 AND o.state <> 'refused')";
const SINCE: &str = "SELECT * FROM redemption WHERE at >= ?1 ORDER BY at DESC, op DESC";
const GET: &str = "SELECT * FROM redemption WHERE op = ?1";

/// A redemption at this shop.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub op: OpId,
    pub group: GroupId,
    pub units: Units,
    pub unit: Option<Unit>,
    pub at: Timestamp,
    /// When the buyer's code runs out; none for one that another device of the shop asked for.
    pub deadline: Option<Timestamp>,
    /// Whose it was, and from which lots: once the server has said so.
    pub from: Option<(AccountId, Vec<Allocation>)>,
    /// Units that came back.
    pub returned: Units,
}

impl Taken {
    /// As the rules have it; none until the server has said whose it was.
    pub fn redemption(&self, merchant: MerchantId) -> Option<Redemption> {
        let (account, allocations) = self.from.clone()?;
        let (id, group, made_at, returned) = (self.op, self.group, self.at, self.returned);
        Some(Redemption { id, merchant, account, group, made_at, allocations, returned, till: None })
    }
}

/// This phone asks for mileage on a code.
pub(crate) fn ask(
    db: &Connection,
    op: OpId,
    code: &RedemptionCode,
    units: Units,
    at: Timestamp,
) -> Result<(), PhoneError> {
    ask_with(db, op, code)?;
    db.prepare_cached(ASK)?.execute((
        op.0,
        code.group.0,
        units.get(),
        unit_column(code.unit)?,
        at.0,
        Timestamp::from_seconds(code.expires).0,
    ))?;
    Ok(())
}

/// This phone asks for something on a code.
pub(crate) fn ask_with(db: &Connection, op: OpId, code: &RedemptionCode) -> Result<(), PhoneError> {
    db.prepare_cached(ASK_WITH)?.execute((op.0, code.key.0, signed(code.counter)))?;
    Ok(())
}

/// The server took mileage for this shop, or is going to.
pub(crate) fn confirm(
    db: &Connection,
    op: OpId,
    group: GroupId,
    (units, unit): (Units, Option<Unit>),
    at: Timestamp,
) -> Result<(), PhoneError> {
    db.prepare_cached(CONFIRM)?.execute((op.0, group.0, units.get(), unit_column(unit)?, at.0))?;
    Ok(())
}

/// Writes a redemption as the server has it.
pub(crate) fn put(db: &Connection, redemption: &Redemption) -> Result<(), PhoneError> {
    let unit = redemption.allocations.first().and_then(|part| part.worth.unit);
    db.prepare_cached(PUT)?.execute((
        redemption.id.0,
        redemption.group.0,
        redemption.units().get(),
        unit_column(unit)?,
        redemption.made_at.0,
        redemption.account.0,
        json(&redemption.allocations, "redemption")?,
        redemption.returned.get(),
    ))?;
    Ok(())
}

/// What another till took is not in the books any more; of what this one asked for, nothing is known but that.
pub(crate) fn forget(db: &Connection, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([op.0])?;
    db.prepare_cached(UNCONFIRM)?.execute([op.0])?;
    Ok(())
}

/// That so much came back is not in the books any more.
pub(crate) fn unreturn(db: &Connection, op: OpId, units: Units) -> Result<(), PhoneError> {
    db.prepare_cached(UNRETURN)?.execute((op.0, units.get()))?;
    Ok(())
}

/// Whether this phone has asked with this code before, and was not refused.
pub(crate) fn asked_with(db: &Connection, code: &RedemptionCode) -> Result<bool, PhoneError> {
    let key = (code.key.0, signed(code.counter));
    Ok(db.prepare_cached(ASKED_WITH)?.query_row(key, |row| row.get(0))?)
}

/// One redemption.
pub(crate) fn get(db: &Connection, op: OpId) -> Result<Option<Taken>, PhoneError> {
    db.prepare_cached(GET)?.query([op.0])?.next()?.map(read).transpose()
}

/// Redemptions since an instant, newest first.
pub(crate) fn since(db: &Connection, since: Timestamp) -> Result<Vec<Taken>, PhoneError> {
    let mut statement = db.prepare_cached(SINCE)?;
    let mut rows = statement.query([since.0])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(read(row)?);
    }
    Ok(taken)
}

fn read(row: &Row) -> Result<Taken, PhoneError> {
    let account = row.get::<_, Option<_>>("account")?.map(AccountId);
    let allocations: Option<String> = row.get("allocations")?;
    let allocations = allocations.map(|text| parse(&text, "redemption")).transpose()?;
    Ok(Taken {
        op: OpId(row.get("op")?),
        group: GroupId(row.get("group")?),
        units: read_units(row.get("units")?, "redemption")?,
        unit: read_unit(row.get("unit")?)?,
        at: Timestamp(row.get("at")?),
        deadline: row.get::<_, Option<_>>("deadline")?.map(Timestamp),
        from: account.zip(allocations),
        returned: read_units(row.get("returned")?, "redemption")?,
    })
}
