//! Reading everything, for proving it.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::event::Inbox;
use moa_rules::id::KeyId;
use moa_rules::state::Row as StateRow;
use moa_wire::canonical;
use rusqlite::Connection;

use super::doing;
use super::load::all;
use crate::rows::{self, Columns, corrupt};
use crate::store::StoreError;
use crate::tables::Tables;
use crate::verify::KeptOp;

const DEVICES: &str = "SELECT * FROM devices";
const MERCHANTS: &str = "SELECT * FROM merchants";
const SALES: &str = "SELECT * FROM sales";
const GROUPS: &str = "SELECT * FROM groups";
const TERMS: &str = "SELECT group_id, version, terms, in_force_from, in_force_until FROM terms";
const MEMBERS: &str = "SELECT * FROM members";
const STANDINGS: &str = "SELECT account, choice, since FROM standings";
const STAFF: &str = "SELECT * FROM staff";
const STAFF_DAYS: &str = "SELECT * FROM staff_days";
const PASSES: &str = "SELECT * FROM passes";
const CLOSED: &str = "SELECT * FROM closed";
const HOLDS: &str = "SELECT * FROM holds";
const REDEMPTIONS: &str = "SELECT * FROM redemptions";
const DEBTS: &str = "SELECT * FROM debts";
const AMENDMENTS: &str = "SELECT * FROM amendments";
const OPERATORS: &str = "SELECT account FROM operators";
const LOTS: &str = "SELECT * FROM lots";
const BALANCES: &str = "SELECT group_id, party, ledger, issuer, amount FROM balances WHERE amount <> 0";
const COUNTERS: &str = "SELECT key, counter FROM counters";
const HEADS: &str = "SELECT inbox, count, hash FROM inboxes";
const OPS: &str = "SELECT o.actor, o.id, o.payload_hash, coalesce(o.signed, c.signed) AS signed,
        o.carrier IS NOT NULL AS carried, o.answer
    FROM ops o LEFT JOIN ops c ON c.seq = o.carrier";
// An entry of an inbox without a head is one of an inbox without a name, which is not an inbox.
const ENTRIES: &str =
    "SELECT coalesce(i.inbox, x'') AS inbox, e.number, coalesce(e.bytes, h.bytes) AS bytes, e.hash
    FROM inbox_events e LEFT JOIN inboxes i ON i.seq = e.inbox
    LEFT JOIN inbox_events h ON h.inbox = e.home AND h.number = e.home_number
    ORDER BY e.inbox, e.number";

/// Every live table.
pub fn tables(connection: &Connection) -> Result<Tables, StoreError> {
    let mut tables = Tables::default();
    let mut put = |sql, read: fn(&dyn Columns) -> Result<StateRow, StoreError>| -> Result<(), StoreError> {
        each(connection, sql, |row| {
            tables.put(&read(row)?);
            Ok(())
        })
    };
    put(DEVICES, |row| rows::device(row).map(StateRow::Device))?;
    put(MERCHANTS, |row| rows::merchant(row).map(StateRow::Merchant))?;
    put(SALES, |row| rows::sale(row).map(StateRow::Sale))?;
    put(GROUPS, |row| rows::group(row).map(StateRow::Group))?;
    put(TERMS, |row| rows::terms(row).map(StateRow::Terms))?;
    put(MEMBERS, |row| rows::member(row).map(StateRow::Member))?;
    put(LOTS, |row| rows::lot(row).map(StateRow::Lot))?;
    put(STANDINGS, |row| rows::standing(row).map(StateRow::Standing))?;
    put(STAFF, |row| rows::staff(row).map(StateRow::Staff))?;
    put(STAFF_DAYS, rows::staff_day)?;
    put(CLOSED, rows::closed)?;
    put(PASSES, |row| rows::pass(row).map(StateRow::Pass))?;
    put(HOLDS, |row| rows::hold(row).map(StateRow::Hold))?;
    put(REDEMPTIONS, |row| rows::redemption(row).map(StateRow::Redemption))?;
    put(DEBTS, |row| rows::debt(row).map(StateRow::Debt))?;
    put(AMENDMENTS, |row| rows::amendment(row).map(|amendment| StateRow::Amendment(Box::new(amendment))))?;
    put(OPERATORS, |row| Ok(StateRow::Operator { account: rows::id(row, "account")?, operator: true }))?;
    each(connection, BALANCES, |row| {
        let (account, amount) = rows::balance(row)?;
        tables.post(account, amount);
        Ok(())
    })?;
    Ok(tables)
}

/// Every counter that a key has used.
pub fn counters(connection: &Connection) -> Result<BTreeSet<(KeyId, u64)>, StoreError> {
    let read = |row: &dyn Columns| {
        let counter: i64 = rows::at(row, "counter")?;
        Ok((rows::id(row, "key")?, counter.cast_unsigned()))
    };
    Ok(all(connection, COUNTERS, [], read)?.into_iter().collect())
}

/// Every inbox's count and hash.
pub fn heads(connection: &Connection) -> Result<BTreeMap<Inbox, (u64, [u8; 32])>, StoreError> {
    let read = |row: &dyn Columns| {
        let hash = rows::at(row, "hash")?;
        Ok((inbox(row)?, (rows::number(row, "count")?, hash)))
    };
    Ok(all(connection, HEADS, [], read)?.into_iter().collect())
}

/// Every entry of every inbox, in order: inbox, number, the event's bytes, the hash if one is kept.
pub fn each_entry(
    connection: &Connection,
    mut visit: impl FnMut(Inbox, u64, &[u8], Option<[u8; 32]>),
) -> Result<(), StoreError> {
    each(connection, ENTRIES, |row| {
        let bytes: Option<Vec<u8>> = rows::at(row, "bytes")?;
        let hash = rows::at(row, "hash")?;
        // An entry whose home is missing reads as no bytes at all, which is not an event.
        visit(inbox(row)?, rows::number(row, "number")?, &bytes.unwrap_or_default(), hash);
        Ok(())
    })
}

/// Every op. One whose carrier is missing reads as no bytes at all, which is not an op.
pub fn each_op(connection: &Connection, mut visit: impl FnMut(KeptOp)) -> Result<(), StoreError> {
    each(connection, OPS, |row| {
        visit(KeptOp {
            actor: rows::id(row, "actor")?,
            id: rows::id(row, "id")?,
            payload_hash: rows::at(row, "payload_hash")?,
            signed: rows::at::<Option<Vec<u8>>>(row, "signed")?.unwrap_or_default(),
            carried: rows::at(row, "carried")?,
            answer: rows::answer(rows::at(row, "answer")?)?,
        });
        Ok(())
    })
}

/// What SQLite itself finds wrong with the file.
pub fn quick_check(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let found = all(connection, "PRAGMA quick_check", [], |row| rows::at(row, "quick_check"))?;
    Ok(found.into_iter().filter(|line: &String| line != "ok").collect())
}

fn inbox(row: &dyn Columns) -> Result<Inbox, StoreError> {
    let bytes: Vec<u8> = rows::at(row, "inbox")?;
    canonical::decode(&bytes).map_err(|_| corrupt("an inbox's name"))
}

/// Visits every row, keeping none.
fn each(
    connection: &Connection,
    sql: &'static str,
    mut visit: impl FnMut(&dyn Columns) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql).map_err(doing("preparing a query"))?;
    let mut found = statement.query([]).map_err(doing("reading"))?;
    while let Some(row) = found.next().map_err(doing("reading"))? {
        visit(row)?;
    }
    Ok(())
}
