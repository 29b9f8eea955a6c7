//! A new database file, filled from another store.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use moa_rules::books::Account;
use moa_rules::event::Inbox;
use moa_rules::id::MerchantId;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use moa_wire::canonical;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, Transaction, params, params_from_iter};

use super::audit::SqliteJournal;
use super::counters::Counted;
use super::load::one;
use super::save::{self, run};
use super::{doing, migrate, search};
use crate::batch::Changes;
use crate::copy::{Import, PeopleTable, Searched, Value};
use crate::journal::{Journal, KeptEntry, KeptOp};
use crate::rows::{self, corrupt};
use crate::store::{InboxHead, StoreError};

const EVENT: &str = "INSERT INTO events (inbox, number, bytes)
    VALUES ((SELECT seq FROM inboxes WHERE inbox = ?1), ?2, ?3)";
const AT_HOME: &str = "SELECT event FROM inbox_events
    WHERE inbox = (SELECT seq FROM inboxes WHERE inbox = ?1) AND number = ?2";
const ENTRY: &str = "INSERT INTO inbox_events (inbox, number, event, hash, head)
    VALUES ((SELECT seq FROM inboxes WHERE inbox = ?1), ?2, ?3, ?4, ?5)";
const CHANGED: &str = "UPDATE merchants SET changed_at = ?2 WHERE id = ?1";

/// A database file in the making, beside its name: it gets the name when it is whole.
pub struct SqliteImport {
    path: PathBuf,
    // Closed by `finish`.
    connection: Option<Connection>,
    /// The last entry of each inbox is written with its head.
    heads: HashMap<Inbox, InboxHead>,
    /// Who was heard, to be written with their devices.
    heard: Counted,
}

impl SqliteImport {
    /// Where the file that will be at `path` lies while it is not whole. What is left there was interrupted.
    pub fn part(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        name.into()
    }

    /// Begins a file that will be at `path`, where nothing is.
    ///
    /// # Errors
    /// [`StoreError`] if something is there, or it cannot be written.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::Corrupt(format!("{} is there already", path.display())));
        }
        // What an earlier try left when the power went.
        remove(&Self::part(path))?;
        let mut connection = Connection::open(Self::part(path)).map_err(doing("making the database"))?;
        // Not whole before it is synced as a whole, in `finish`: until then nothing in it needs to last.
        connection
            .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
            .map_err(doing("making the database"))?;
        migrate(&mut connection)?;
        Ok(Self {
            path: path.to_owned(),
            connection: Some(connection),
            heads: HashMap::new(),
            heard: Counted::default(),
        })
    }

    fn write(&mut self, work: impl FnOnce(&Transaction) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let tx = connection.transaction().map_err(doing("copying"))?;
        work(&tx)?;
        tx.commit().map_err(doing("copying"))
    }
}

impl Import for SqliteImport {
    fn ops(&mut self, ops: &[KeptOp]) -> Result<(), StoreError> {
        let rows =
            ops.iter().map(|op| Ok((op.row()?, op.decided_at))).collect::<Result<Vec<_>, StoreError>>()?;
        self.heard.hear(rows.iter().map(|(op, at)| (op, *at)));
        self.write(|tx| rows.iter().try_for_each(|(op, at)| save::save_op(tx, op, at.0)))
    }

    fn heads(&mut self, heads: &[(Inbox, InboxHead)]) -> Result<(), StoreError> {
        self.heads.extend(heads.iter().copied());
        self.write(|tx| heads.iter().try_for_each(|(inbox, _)| save::inbox_number(tx, *inbox).map(drop)))
    }

    fn entries(&mut self, entries: &[KeptEntry]) -> Result<(), StoreError> {
        let head = |entry: &KeptEntry| {
            let head = self.heads.get(&entry.inbox).filter(|head| head.count == entry.number);
            head.map(|head| head.hash)
        };
        let heads: Vec<Option<[u8; 32]>> = entries.iter().map(head).collect();
        self.write(|tx| entries.iter().zip(heads).try_for_each(|(entry, head)| save_entry(tx, entry, head)))
    }

    fn rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        let devices =
            rows.iter().filter_map(|row| if let Row::Device(device) = row { Some(device.key) } else { None });
        let heard = self.heard.of(devices);
        self.write(|tx| {
            save::save(tx, &Changes { rows: rows.to_vec(), ..Changes::default() })?;
            heard.save(tx)
        })
    }

    fn changed(&mut self, changed: &[(MerchantId, Timestamp)]) -> Result<(), StoreError> {
        self.write(|tx| {
            let write = |(merchant, at): &(MerchantId, Timestamp)| {
                run(tx, CHANGED, params![merchant.as_ref(), at.0]).map(drop)
            };
            changed.iter().try_for_each(write)
        })
    }

    fn searched(&mut self, entries: &[Searched]) -> Result<(), StoreError> {
        self.write(|tx| {
            entries.iter().try_for_each(|(of, entry)| search::replace(tx, *of, None, Some(entry)))
        })
    }

    fn balances(&mut self, balances: &[(Account, i64)]) -> Result<(), StoreError> {
        let balances = balances.iter().copied().collect();
        self.write(|tx| save::save(tx, &Changes { balances, ..Changes::default() }))
    }

    fn people(&mut self, table: &PeopleTable, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.columns.join(", "));
        self.write(|tx| {
            let mut statement = tx.prepare(&sql).map_err(doing("preparing a statement"))?;
            for row in rows {
                statement.execute(params_from_iter(row)).map_err(doing("copying people"))?;
            }
            Ok(())
        })
    }

    fn journal(&mut self) -> Result<Box<dyn Journal + '_>, StoreError> {
        Ok(Box::new(SqliteJournal::open(&Self::part(&self.path))?))
    }

    fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        if let Some(connection) = self.connection.take() {
            connection.close().map_err(|(_, error)| doing("closing the database")(error))?;
        }
        let made = || {
            File::open(Self::part(&self.path))?.sync_all()?;
            fs::rename(Self::part(&self.path), &self.path)?;
            match self.path.parent() {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        made()
            .map_err(|error| StoreError::Database { doing: "keeping the database", source: Box::new(error) })
    }
}

impl Drop for SqliteImport {
    fn drop(&mut self) {
        drop(self.connection.take());
        // Nothing is left to be done if even that fails; the next try removes it.
        drop(remove(&Self::part(&self.path)));
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::Database { doing: "removing what was begun", source: Box::new(error) })
        }
        _ => Ok(()),
    }
}

/// Writes an entry: the last of its inbox with the head.
fn save_entry(tx: &Transaction, entry: &KeptEntry, head: Option<[u8; 32]>) -> Result<(), StoreError> {
    let (hash, head) = (head.or(entry.hash), head.map(|_| true));
    let (inbox, number) = (canonical::encode(&entry.inbox), entry.number.cast_signed());
    let event: i64 = match &entry.home {
        Some((home, number)) => {
            let home = (canonical::encode(home), number.cast_signed());
            one(tx, AT_HOME, home, |row| rows::at(row, "event"))?.ok_or_else(|| corrupt("an event"))?
        }
        None => {
            run(tx, EVENT, params![inbox, number, entry.bytes])?;
            tx.last_insert_rowid()
        }
    };
    run(tx, ENTRY, params![inbox, number, event, hash, head]).map(drop)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
