//! The shop's sales, as recorded here or learned from the server.

use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::quantity::{Money, Units};
use moa_rules::sale::{Claimed, Sale};
use moa_rules::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{signed, unsigned};
use crate::error::{PhoneError, corrupt};

const PUT: &str = "INSERT INTO sale (op, merchant, key, amount, time, addressee, lot, waits_until, lapsed)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
     ON CONFLICT (op) DO UPDATE SET merchant = excluded.merchant, addressee = excluded.addressee,
         lot = coalesce(excluded.lot, lot), waits_until = excluded.waits_until, lapsed = excluded.lapsed";
const GET: &str =
    "SELECT op, merchant, key, amount, time, addressee, lot, waits_until, lapsed FROM sale WHERE op = ?1";
const CLAIMED: &str = "UPDATE sale SET \"group\" = ?2, units = ?3 WHERE op = ?1";
const DELETE: &str = "DELETE FROM sale WHERE op = ?1";
const UNCLAIM: &str =
    "UPDATE sale SET lot = NULL, waits_until = NULL, lapsed = 0, \"group\" = NULL, units = NULL
                       WHERE op = ?1";
const SINCE: &str = "SELECT op, merchant, key, amount, time, addressee, lot, waits_until, lapsed,
                     \"group\", units FROM sale WHERE time >= ?1 ORDER BY time DESC, op DESC";

const SOLD: &str = "SELECT op, merchant, key, amount, time, addressee, lot, waits_until, lapsed,
                    \"group\", units FROM sale WHERE op = ?1";

// An op is pending until its event has come.
const UNCONFIRMED: &str = "SELECT count(*), coalesce(sum(amount), 0) FROM sale JOIN pending USING (op)
                           WHERE key = ?1 AND NOT settled";
const SOLD_ON: &str = "SELECT coalesce(sum(amount), 0) FROM sale LEFT JOIN outbox USING (op)
                       WHERE key = ?1 AND time >= ?2 AND time < ?3 AND coalesce(state, '') <> 'refused'";

/// A sale and what it became.
#[derive(Debug, Clone)]
pub(crate) struct Sold {
    pub sale: Sale,
    /// The group it was claimed into, and for how many units.
    pub claimed: Option<(GroupId, Units)>,
}

/// Writes a sale.
pub(crate) fn put(db: &Connection, sale: &Sale) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((
        sale.id.0,
        sale.merchant.0,
        sale.key.0,
        sale.amount.0,
        signed(sale.time),
        sale.addressee.map(|account| account.0),
        sale.claimed.map(|claimed| claimed.lot.0),
        sale.waits_until.map(|until| until.0),
        sale.lapsed,
    ))?;
    Ok(())
}

/// Sales of a key that the server has not confirmed: how many, and what was paid.
pub(crate) fn unconfirmed(db: &Connection, key: KeyId) -> Result<(u64, Money), PhoneError> {
    let mut statement = db.prepare_cached(UNCONFIRMED)?;
    Ok(statement.query_row([key.0], |row| Ok((unsigned(row.get(0)?), Money(row.get(1)?))))?)
}

/// What a key sold between two instants, but for what was refused.
pub(crate) fn sold_between(
    db: &Connection,
    key: KeyId,
    (from, to): (Timestamp, Timestamp),
) -> Result<Money, PhoneError> {
    let span = (key.0, signed(from.seconds()), signed(to.seconds()));
    Ok(Money(db.prepare_cached(SOLD_ON)?.query_row(span, |row| row.get(0))?))
}

/// One sale.
pub(crate) fn get(db: &Connection, sale: OpId) -> Result<Option<Sale>, PhoneError> {
    Ok(db.prepare_cached(GET)?.query_row([sale.0], read).optional()?)
}

/// One sale, and what it became.
pub(crate) fn sold(db: &Connection, sale: OpId) -> Result<Option<Sold>, PhoneError> {
    db.prepare_cached(SOLD)?.query([sale.0])?.next()?.map(read_sold).transpose()
}

/// A sale was claimed into a group.
pub(crate) fn claimed(db: &Connection, sale: OpId, group: GroupId, units: Units) -> Result<(), PhoneError> {
    db.prepare_cached(CLAIMED)?.execute((sale.0, group.0, units.get()))?;
    Ok(())
}

/// A sale of another till's is not in the books any more.
pub(crate) fn delete(db: &Connection, sale: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(DELETE)?.execute([sale.0])?;
    Ok(())
}

/// What became of a sale is not in the books any more.
pub(crate) fn unclaim(db: &Connection, sale: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(UNCLAIM)?.execute([sale.0])?;
    Ok(())
}

/// Sales since an instant, newest first.
pub(crate) fn since(db: &Connection, since: Timestamp) -> Result<Vec<Sold>, PhoneError> {
    let mut statement = db.prepare_cached(SINCE)?;
    let mut rows = statement.query([signed(since.seconds())])?;
    let mut sales = Vec::new();
    while let Some(row) = rows.next()? {
        sales.push(read_sold(row)?);
    }
    Ok(sales)
}

fn read_sold(row: &Row) -> Result<Sold, PhoneError> {
    let claimed = match (row.get::<_, Option<_>>(9)?, row.get::<_, Option<i64>>(10)?) {
        (Some(group), Some(units)) => Some((GroupId(group), Units::new(units).map_err(|_| corrupt("sale"))?)),
        _ => None,
    };
    Ok(Sold { sale: read(row)?, claimed })
}

fn read(row: &Row) -> rusqlite::Result<Sale> {
    let (id, merchant, key) = (OpId(row.get(0)?), MerchantId(row.get(1)?), KeyId(row.get(2)?));
    let sale = Sale::new(id, merchant, key, Money(row.get(3)?), unsigned(row.get(4)?));
    let claimed = row.get::<_, Option<_>>(6)?.map(LotId);
    Ok(Sale {
        addressee: row.get::<_, Option<_>>(5)?.map(AccountId),
        // Whose it is the server knows.
        claimed: claimed.map(|lot| Claimed { lot, account: AccountId([0; 16]), group: GroupId([0; 16]) }),
        waits_until: row.get::<_, Option<_>>(7)?.map(Timestamp),
        lapsed: row.get(8)?,
        ..sale
    })
}
