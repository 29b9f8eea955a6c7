//! Reading everything, for proving it and for writing it anew.

use std::ops::Deref;
use std::pin::pin;

use futures_util::{TryFutureExt, TryStreamExt};
use moa_rules::books::Account;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::id::{KeyId, MerchantId};
use moa_rules::state::Row as StateRow;
use moa_rules::time::Timestamp;
use moa_wire::canonical;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::errors::doing;
use super::load::{all, most};
use super::pool::{Connection, Mode, Param, Pool, answer, answer_slowly};
use super::{SYSTEM, configured, migrations};
use crate::copy::{PeopleTable, Value};
use crate::journal::{Journal, KeptEntry, KeptOp, KeptSearched, Visit};
use crate::migrated;
use crate::rows::journal::{
    BALANCES, CHANGED, POSTINGS, SEARCHED, TABLES, bytes, changed, counter, entry, head, heard, op, posting,
    searched,
};
use crate::rows::{self, Columns, corrupt};
use crate::search::{Cell, Id, Term};
use crate::store::{InboxHead, StoreError};
use crate::tables::Tables;

const COUNTERS: &str = "SELECT key, counter FROM counters";
const HEARD: &str =
    "SELECT actor AS key, max(decided_at) AS heard_at FROM ops WHERE signed IS NOT NULL GROUP BY actor";
const HEADS: &str = "SELECT inbox, count, hash FROM inboxes";
/// Those that carry another are among the first.
const OPS: [&str; 2] = [
    "SELECT actor, id, payload_hash, signed, carrier_actor, carrier_id, answer, decided_at FROM ops
        WHERE signed IS NOT NULL",
    "SELECT o.actor, o.id, o.payload_hash, c.signed, o.carrier_actor, o.carrier_id, o.answer, o.decided_at
        FROM ops o LEFT JOIN ops c ON c.actor = o.carrier_actor AND c.id = o.carrier_id WHERE o.signed IS NULL",
];
const ENTRIES: &str =
    "SELECT e.inbox, e.number, coalesce(e.bytes, h.bytes) AS bytes, e.home, e.home_number, e.hash
    FROM inbox_events e LEFT JOIN inbox_events h ON h.inbox = e.home AND h.number = e.home_number
    ORDER BY e.inbox, e.number";
const PAGE: &str = "SELECT e.number, coalesce(e.bytes, h.bytes) AS bytes
    FROM inbox_events e LEFT JOIN inbox_events h ON h.inbox = e.home AND h.number = e.home_number
    WHERE e.inbox = $1 AND e.number > $2 ORDER BY e.number LIMIT $3";
const APPLIED: &str = "SELECT version::bigint AS version, convert_to(checksum, 'UTF8') AS checksum FROM refinery_schema_history";
/// Whole tables are read here, so the planner may.
const WHOLE: &str = "SET LOCAL enable_seqscan = on";

const READING: &str = "reading everything";

/// One state of a database.
pub struct PostgresJournal<C = Own>(C);

/// A connection of one's own, in a transaction that sees one state. Closing it ends that.
pub struct Own {
    connection: Connection,
    // After the connection: it drives it.
    _pool: Pool,
}

impl Deref for Own {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl<'a> PostgresJournal<&'a Connection> {
    /// What a connection sees in the transaction that is open on it.
    pub(super) fn on(connection: &'a Connection) -> Self {
        Self(connection)
    }
}

impl PostgresJournal {
    /// Opens a database, which may be in use, as it is now. Nothing is written to it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, or its tables are not those of this program.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let pool = Pool::new(configured(url)?, None)?;
        let connection = pool.connect_alone(READING)?;
        answer(READING, async {
            connection.begin(Mode::Read).await?;
            connection.plain(READING, WHOLE).await?;
            let applied = all(&connection, APPLIED, &[], |row| {
                Ok((rows::at(row, "version")?, rows::at(row, "checksum")?))
            });
            migrated::check(&applied.await?, migrations::migrations::runner().get_migrations())
        })?;
        Ok(Self(Own { connection, _pool: pool }))
    }
}

impl<C: Deref<Target = Connection>> Journal for PostgresJournal<C> {
    /// A page that is damaged is noticed when it is read, if the database was made with checksums, and then it is an error.
    fn faults(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    fn system_keys(&mut self) -> Result<Vec<Device>, StoreError> {
        answer_slowly(READING, all(&self.0, SYSTEM, &[], rows::device))
    }

    fn ops(&mut self, visit: Visit<'_, KeptOp>) -> Result<(), StoreError> {
        OPS.iter().try_for_each(|sql| each(&self.0, sql, |row| visit(op(row)?)))
    }

    fn entries(&mut self, visit: Visit<'_, KeptEntry>) -> Result<(), StoreError> {
        each(&self.0, ENTRIES, |row| visit(entry(row)?))
    }

    fn page(&mut self, inbox: Inbox, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let (name, after) = (canonical::encode(&inbox), i64::try_from(after).unwrap_or(i64::MAX));
        let params: [Param; 3] = [&name, &after, &most(limit)];
        let read = |row: &dyn Columns| Ok((rows::number(row, "number")?, bytes(row, "bytes")?));
        answer_slowly(READING, all(&self.0, PAGE, &params, read))
    }

    fn heads(&mut self, visit: Visit<'_, (Inbox, InboxHead)>) -> Result<(), StoreError> {
        each(&self.0, HEADS, |row| visit(head(row)?))
    }

    fn heard(&mut self, visit: Visit<'_, (KeyId, Timestamp)>) -> Result<(), StoreError> {
        each(&self.0, HEARD, |row| visit(heard(row)?))
    }

    fn rows(&mut self, visit: Visit<'_, StateRow>) -> Result<(), StoreError> {
        TABLES.iter().try_for_each(|(sql, read)| each(&self.0, sql, |row| visit(read(row)?)))?;
        each(&self.0, COUNTERS, |row| visit(counter(row)?))
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
            (0..table.columns.len()).map(|at| value(row, at)).collect::<Result<_, _>>().and_then(&mut *visit)
        })
    }
}

/// Every live table.
pub(super) fn tables(connection: &Connection) -> Result<Tables, StoreError> {
    let mut journal = PostgresJournal::on(connection);
    let mut tables = Tables::default();
    journal.rows(&mut |row| {
        tables.put(&row);
        Ok(())
    })?;
    journal.balances(&mut |(account, amount)| {
        tables.post(account, amount);
        Ok(())
    })?;
    journal.changed(&mut |changed| {
        tables.changed.extend([changed]);
        Ok(())
    })?;
    Ok(tables)
}

/// A column of a table of people.
fn value(row: &Row, at: usize) -> Result<Value, StoreError> {
    let column = &row.columns()[at];
    let failed = doing("reading people");
    Ok(match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(at).map_err(failed)?.map_or(Value::Null, Value::Int),
        Type::BOOL => {
            let flag: Option<bool> = row.try_get(at).map_err(failed)?;
            flag.map_or(Value::Null, |flag| Value::Int(flag.into()))
        }
        _ => match row.try_get::<_, Option<Vec<u8>>>(at).map_err(failed)? {
            None => Value::Null,
            Some(bytes) if TEXTS.contains(&column.name()) => {
                Value::Text(String::from_utf8(bytes).map_err(|_| corrupt("a text"))?)
            }
            Some(bytes) => Value::Bytes(bytes),
        },
    })
}

/// Columns that other databases keep as texts.
const TEXTS: [&str; 3] = ["name", "kind", "payload"];

/// Visits every row as it comes, keeping none.
fn each(
    connection: &Connection,
    sql: &str,
    mut visit: impl FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let rows = answer_slowly(READING, connection.stream(sql))?;
    let mut rows = pin!(rows);
    while let Some(row) = answer_slowly(READING, rows.try_next().map_err(doing(READING)))? {
        visit(&row)?;
    }
    Ok(())
}
