//! Reading everything, for proving it and for writing it anew.

use std::path::Path;

use moa_rules::books::Account;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, MerchantId};
use moa_rules::state::Row as StateRow;
use moa_rules::time::Timestamp;
use moa_wire::canonical;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::columns::{Named, Places};
use super::load::all;
use super::{check_tables, counters, doing, open_reader};
use crate::copy::{PeopleTable, Value};
use crate::journal::{Journal, KeptEntry, KeptOp, KeptSearched, Visit};
use crate::rows::journal::{
    BALANCES, CHANGED, POSTINGS, SEARCHED, TABLES, bytes, changed, entry, head, heard, op, posting, searched,
};
use crate::rows::{self, corrupt};
use crate::search::{Cell, Id, Term};
use crate::store::{CHECKPOINT, InboxHead, StoreError};
use crate::tables::Tables;

const SYSTEM_KEYS: &str = "SELECT * FROM devices WHERE account IS NULL ORDER BY key";
// An inbox without a head has one that matches nothing.
const HEADS: &str = "SELECT i.inbox, coalesce(e.number, 0) AS count, coalesce(e.hash, zeroblob(32)) AS hash
    FROM inboxes i LEFT JOIN inbox_events e ON e.inbox = i.seq AND e.head";
const OPS: &str = "SELECT o.actor, o.id, o.payload_hash, coalesce(o.signed, c.signed) AS signed,
        c.actor AS carrier_actor, c.id AS carrier_id, o.answer, o.decided_at
    FROM ops o LEFT JOIN ops c ON c.seq = o.carrier ORDER BY o.seq";
// An entry of an inbox without a head is one of an inbox without a name, which is not an inbox.
const ENTRIES: &str = "SELECT coalesce(i.inbox, x'') AS inbox, e.number, v.bytes,
        h.inbox AS home, CASE WHEN h.seq IS NOT NULL THEN v.number END AS home_number, e.hash
    FROM inbox_events e LEFT JOIN inboxes i ON i.seq = e.inbox
    LEFT JOIN events v ON v.seq = e.event
    LEFT JOIN inboxes h ON h.seq = v.inbox AND (v.inbox, v.number) <> (e.inbox, e.number)
    ORDER BY e.inbox, e.number";
// Each stands where it says that it is at home.
const HOMELESS: &str = "SELECT count(*) AS homeless FROM events v LEFT JOIN inbox_events e
        ON e.inbox = v.inbox AND e.number = v.number AND e.event = v.seq
    WHERE e.inbox IS NULL HAVING count(*) > 0";
const PAGE: &str = "SELECT e.number, v.bytes FROM inboxes i JOIN inbox_events e ON e.inbox = i.seq
    LEFT JOIN events v ON v.seq = e.event
    WHERE i.inbox = ?1 AND e.number > ?2 ORDER BY e.number LIMIT ?3";

/// One state of a database file.
pub struct SqliteJournal(Connection);

impl SqliteJournal {
    /// Opens a file, which may be in use, as it is now.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = open_reader(path)?;
        // A transaction sees the state at its first read. Dropping the connection ends it.
        connection.execute_batch("BEGIN").map_err(doing("beginning to read"))?;
        check_tables(&connection)?;
        Ok(Self(connection))
    }
}

impl Journal for SqliteJournal {
    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        // The check itself may stumble over what is damaged; whether the journal can be read is another matter.
        let found = all(&self.0, "PRAGMA quick_check", [], |row| rows::at(row, "quick_check"))
            .unwrap_or_else(|error| vec![error.to_string()]);
        let damaged = found.into_iter().filter(|line: &String| line != "ok");
        let homeless: Vec<i64> = all(&self.0, HOMELESS, [], |row| rows::at(row, "homeless"))?;
        let homeless = homeless.into_iter().map(|count| format!("{count} events stand in no inbox"));
        Ok(damaged.map(|line| format!("SQLite finds the file damaged: {line}")).chain(homeless).collect())
    }

    fn system_keys(&mut self) -> Result<Vec<Device>, StoreError> {
        all(&self.0, SYSTEM_KEYS, [], rows::device)
    }

    fn ops(&mut self, visit: Visit<'_, KeptOp>) -> Result<(), StoreError> {
        each(&self.0, OPS, |row| visit(op(row)?))
    }

    fn entries(&mut self, visit: Visit<'_, KeptEntry>) -> Result<(), StoreError> {
        each(&self.0, ENTRIES, |row| {
            let entry = entry(row)?;
            // That of the last is the inbox's head.
            let hash = entry.hash.filter(|_| entry.number.is_multiple_of(CHECKPOINT));
            visit(KeptEntry { hash, ..entry })
        })
    }

    fn page(&mut self, inbox: Inbox, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        all(&self.0, PAGE, (canonical::encode(&inbox), after, limit), |row| {
            Ok((rows::number(row, "number")?, bytes(row, "bytes")?))
        })
    }

    fn heads(&mut self, visit: Visit<'_, (Inbox, InboxHead)>) -> Result<(), StoreError> {
        each(&self.0, HEADS, |row| visit(head(row)?))
    }

    fn heard(&mut self, visit: Visit<'_, (KeyId, Timestamp)>) -> Result<(), StoreError> {
        each(&self.0, counters::HEARD, |row| visit(heard(row)?))
    }

    fn rows(&mut self, visit: Visit<'_, StateRow>) -> Result<(), StoreError> {
        each_row(&self.0, visit)
    }

    fn changed(&mut self, visit: Visit<'_, (MerchantId, Timestamp)>) -> Result<(), StoreError> {
        each(&self.0, CHANGED, |row| visit(changed(row)?))
    }

    fn searched(&mut self, visit: Visit<'_, KeptSearched>) -> Result<(), StoreError> {
        each(&self.0, SEARCHED, |row| visit(searched(row)?))
    }

    fn postings(&mut self, visit: Visit<'_, (Term, Cell, Id)>) -> Result<(), StoreError> {
        each(&self.0, POSTINGS, |row| visit(posting(row)?))
    }

    fn balances(&mut self, visit: Visit<'_, (Account, i64)>) -> Result<(), StoreError> {
        each(&self.0, BALANCES, |row| visit(rows::balance(row)?))
    }

    fn people(&mut self, table: &PeopleTable, visit: Visit<'_, Vec<Value>>) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {}", table.columns.join(", "), table.name);
        each(&self.0, &sql, |row| {
            (0..table.columns.len())
                .map(|at| value(row.row, at))
                .collect::<Result<_, _>>()
                .and_then(&mut *visit)
        })
    }
}

/// Every live table.
pub fn tables(connection: &Connection) -> Result<Tables, StoreError> {
    let mut tables = Tables::default();
    each_row(connection, &mut |row| {
        tables.put(&row);
        Ok(())
    })?;
    each(connection, BALANCES, |row| {
        let (account, amount) = rows::balance(row)?;
        tables.post(account, amount);
        Ok(())
    })?;
    each(connection, CHANGED, |row| {
        tables.changed.extend([changed(row)?]);
        Ok(())
    })?;
    Ok(tables)
}

fn each_row(connection: &Connection, visit: Visit<'_, StateRow>) -> Result<(), StoreError> {
    TABLES.iter().try_for_each(|(sql, read)| each(connection, sql, |row| visit(read(row)?)))?;
    each(connection, counters::COUNTERS, |row| {
        let (key, mut used) = counters::block(row)?;
        used.try_for_each(|counter| visit(StateRow::Counter(key, counter)))
    })
}

fn value(row: &Row, at: usize) -> Result<Value, StoreError> {
    Ok(match row.get_ref(at).map_err(doing("reading people"))? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).map_err(|_| corrupt("a text"))?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(corrupt("a fraction")),
    })
}

/// Visits every row, keeping none.
fn each(
    connection: &Connection,
    sql: &str,
    mut visit: impl FnMut(&Named) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql).map_err(doing("preparing a query"))?;
    let mut found = statement.query([]).map_err(doing("reading"))?;
    let places = Places::default();
    while let Some(row) = found.next().map_err(doing("reading"))? {
        visit(&Named { row, places: &places })?;
    }
    Ok(())
}
