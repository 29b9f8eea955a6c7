//! The shop's sales, as recorded here or learned from the server.

use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::quantity::{Money, Units};
use moa_rules::sale::{Claimed, Sale};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use super::{read_unit, read_units, signed, unit_column, unsigned};
use crate::error::PhoneError;

const PUT: &str =
    "INSERT INTO sale (op, merchant, key, amount, time, addressee, redemption, staff, waits_until,
         lapsed, voided, lot, account, \"group\", refunded, money_back, unearned, clawed, forgone)
     VALUES (:op, :merchant, :key, :amount, :time, :addressee, :redemption, :staff, :waits_until,
         :lapsed, :voided, :lot, :account, :group, :refunded, :money_back, :unearned, :clawed, :forgone)
     ON CONFLICT (op) DO UPDATE SET merchant = excluded.merchant, addressee = excluded.addressee,
         redemption = excluded.redemption, staff = excluded.staff, waits_until = excluded.waits_until,
         lapsed = excluded.lapsed, voided = excluded.voided, lot = coalesce(excluded.lot, lot),
         account = coalesce(excluded.account, account), \"group\" = coalesce(excluded.\"group\", \"group\"),
         refunded = excluded.refunded, money_back = excluded.money_back, unearned = excluded.unearned,
         clawed = excluded.clawed, forgone = excluded.forgone";
const EARNED: &str = "UPDATE sale SET units = ?2, unit = ?3 WHERE op = ?1";
const DELETE: &str = "DELETE FROM sale WHERE op = ?1";
const UNCLAIM: &str =
    "UPDATE sale SET lot = NULL, account = NULL, waits_until = NULL, lapsed = 0, \"group\" = NULL,
                       units = NULL, unit = NULL, unearned = 0 WHERE op = ?1";
const UNVOID: &str = "UPDATE sale SET voided = 0 WHERE op = ?1";
const UNREFUND: &str =
    "UPDATE sale SET refunded = max(0, refunded - ?2), money_back = max(0, money_back - ?3),
                        clawed = max(0, clawed - ?4), forgone = max(0, forgone - ?5) WHERE op = ?1";
const SINCE: &str = "SELECT * FROM sale WHERE time >= ?1 ORDER BY time DESC, op DESC";
const SOLD: &str = "SELECT * FROM sale WHERE op = ?1";

// An op is pending until its event has come.
const UNCONFIRMED: &str = "SELECT count(*), coalesce(sum(amount), 0) FROM sale JOIN pending USING (op)
                           WHERE key = ?1 AND NOT settled";
const SOLD_ON: &str = "SELECT coalesce(sum(amount), 0) FROM sale LEFT JOIN outbox USING (op)
                       WHERE key = ?1 AND time >= ?2 AND time < ?3 AND coalesce(state, '') <> 'refused'";

/// A sale, and how much of what it became.
#[derive(Debug, Clone)]
pub(crate) struct Sold {
    pub sale: Sale,
    /// What it earned; none while nobody has claimed it.
    pub earned: Option<(Units, Option<Unit>)>,
}

/// Writes a sale.
pub(crate) fn put(db: &Connection, sale: &Sale) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute(named_params! {
        ":op": sale.id.0,
        ":merchant": sale.merchant.0,
        ":key": sale.key.0,
        ":amount": sale.amount.0,
        ":time": signed(sale.time),
        ":addressee": sale.addressee.map(|account| account.0),
        ":redemption": sale.redemption.map(|op| op.0),
        ":staff": sale.staff,
        ":waits_until": sale.waits_until.map(|until| until.0),
        ":lapsed": sale.lapsed,
        ":voided": sale.voided,
        ":lot": sale.claimed.map(|claimed| claimed.lot.0),
        ":account": sale.claimed.map(|claimed| claimed.account.0),
        ":group": sale.claimed.map(|claimed| claimed.group.0),
        ":refunded": sale.refunded.0,
        ":money_back": sale.money_back.0,
        ":unearned": sale.unearned.0,
        ":clawed": sale.clawed.get(),
        ":forgone": sale.forgone.get(),
    })?;
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
    Ok(sold(db, sale)?.map(|sold| sold.sale))
}

/// One sale, and what it became.
pub(crate) fn sold(db: &Connection, sale: OpId) -> Result<Option<Sold>, PhoneError> {
    db.prepare_cached(SOLD)?.query([sale.0])?.next()?.map(read).transpose()
}

/// A sale earned so much of that.
pub(crate) fn earned(
    db: &Connection,
    sale: OpId,
    units: Units,
    unit: Option<Unit>,
) -> Result<(), PhoneError> {
    db.prepare_cached(EARNED)?.execute((sale.0, units.get(), unit_column(unit)?))?;
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

/// That a sale was voided is not in the books any more.
pub(crate) fn unvoid(db: &Connection, sale: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(UNVOID)?.execute([sale.0])?;
    Ok(())
}

/// A refund of a sale, of so much and of that in money, which took back so many units, is not in the books any more.
pub(crate) fn unrefund(
    db: &Connection,
    sale: OpId,
    (amount, money): (Money, Money),
    (units, forgone): (Units, Units),
) -> Result<(), PhoneError> {
    let row = (sale.0, amount.0, money.0, units.get(), forgone.get());
    db.prepare_cached(UNREFUND)?.execute(row)?;
    Ok(())
}

/// Sales since an instant, newest first.
pub(crate) fn since(db: &Connection, since: Timestamp) -> Result<Vec<Sold>, PhoneError> {
    let mut statement = db.prepare_cached(SINCE)?;
    let mut rows = statement.query([signed(since.seconds())])?;
    let mut sales = Vec::new();
    while let Some(row) = rows.next()? {
        sales.push(read(row)?);
    }
    Ok(sales)
}

fn read(row: &Row) -> Result<Sold, PhoneError> {
    let (id, merchant, key) =
        (OpId(row.get("op")?), MerchantId(row.get("merchant")?), KeyId(row.get("key")?));
    let sale = Sale::new(id, merchant, key, Money(row.get("amount")?), unsigned(row.get("time")?));
    let claimed = match (row.get("lot")?, row.get("account")?, row.get("group")?) {
        (Some(lot), Some(account), Some(group)) => {
            Some(Claimed { lot: LotId(lot), account: AccountId(account), group: GroupId(group) })
        }
        _ => None,
    };
    let units = row.get::<_, Option<i64>>("units")?.map(|units| read_units(units, "sale")).transpose()?;
    let unit = read_unit(row.get("unit")?)?;
    let sale = Sale {
        addressee: row.get::<_, Option<_>>("addressee")?.map(AccountId),
        claimed,
        waits_until: row.get::<_, Option<_>>("waits_until")?.map(Timestamp),
        lapsed: row.get("lapsed")?,
        staff: row.get("staff")?,
        voided: row.get("voided")?,
        redemption: row.get::<_, Option<_>>("redemption")?.map(OpId),
        refunded: Money(row.get("refunded")?),
        money_back: Money(row.get("money_back")?),
        unearned: Money(row.get("unearned")?),
        clawed: read_units(row.get("clawed")?, "sale")?,
        forgone: read_units(row.get("forgone")?, "sale")?,
        ..sale
    };
    Ok(Sold { earned: units.map(|units| (units, unit)), sale })
}
