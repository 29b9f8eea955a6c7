//! The store on SQLite: the embedded default. One writer, many readers (WAL), durable at every commit
//! (`synchronous=FULL`).

mod audit;
mod checkpoint;
mod columns;
mod counters;
mod directory;
mod enrolments;
mod import;
mod invitations;
mod load;
mod people;
mod pictures;
mod save;
mod search;
mod sessions;
mod tills;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId};
use moa_rules::lot::Lot;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::Standing;
use moa_rules::state::Row;
use moa_rules::time::{Day, Timestamp};
use moa_rules::view::{Cell, Key};
use moa_wire::submission::Submission;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use checkpoint::Checkpoints;

pub use audit::SqliteJournal;
pub use import::SqliteImport;

use crate::batch::{self, Changes};
use crate::search::{Found, Query};
use crate::store::{
    Committed, DirectoryGroup, DirectoryMerchant, Heard, InboxHead, InboxPage, Store, StoreError, pass_over,
};
use crate::tables::Tables;
use crate::{migrated, rows};

mod migrations {
    refinery::embed_migrations!("migrations/sqlite");
}

/// The oldest SQLite that may open the file: before 3.51.3 a WAL could be lost in a checkpoint race.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Pages of the log at which a commit copies it itself, if [`Checkpoints`] did not by then.
const LONGEST_LOG: i64 = 8_000;

/// What the writer keeps of the file in memory, in KiB as SQLite counts it. A batch of 64 writes some hundred pages, which all
/// have to fit in: what does not is written to the log before its time, and once more at the commit.
const WRITER_CACHE: i64 = -65_536;

const APPLIED: &str = "SELECT version, checksum FROM refinery_schema_history";

/// The server's database in one file.
pub struct SqliteStore {
    path: PathBuf,
    // Closed before the writer: the last connection to close empties the WAL, and a reader can't.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Writer>,
}

/// The one connection that writes.
struct Writer {
    // Ends before the connection.
    checkpoints: Checkpoints,
    connection: Connection,
}

/// What the database said, and while doing what.
pub(crate) fn doing(what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        let source: Box<dyn std::error::Error + Send + Sync> = match advice(&error) {
            Some(advice) => Box::new(Advised { error, advice }),
            None => Box::new(error),
        };
        StoreError::Database { doing: what, source }
    }
}

/// What the database said, and what a person can do about it.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {advice}")]
struct Advised {
    #[source]
    error: rusqlite::Error,
    advice: &'static str,
}

fn advice(error: &rusqlite::Error) -> Option<&'static str> {
    match error.sqlite_error_code()? {
        ErrorCode::DiskFull => Some("make room where the data folder is; the server then goes on by itself"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Some(
            "stop the server, keep a copy of the data folder, write it anew with `moa rebuild` or restore a backup, check that with `moa verify`",
        ),
        ErrorCode::ReadOnly => Some("the data folder has to be writable"),
        _ => None,
    }
}

impl SqliteStore {
    /// Opens the file, or makes it, with every migration applied and the server's own key in it.
    ///
    /// # Errors
    /// [`StoreError`] if the file is broken, cannot be written, or is newer than this program.
    pub fn open(path: &Path, system: &Device) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(StoreError::Corrupt(format!("SQLite {} is too old", rusqlite::version())));
        }
        let mut writer = Connection::open(path).map_err(doing("opening the database"))?;
        configure(&writer)?;
        writer
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            .map_err(doing("switching to WAL"))?;
        writer
            .pragma_update(None, "cache_size", WRITER_CACHE)
            .map_err(doing("configuring the connection"))?;
        writer
            .pragma_update(None, "wal_autocheckpoint", LONGEST_LOG)
            .map_err(doing("configuring the connection"))?;
        migrate(&mut writer)?;
        let writer = Writer { checkpoints: Checkpoints::of(path), connection: writer };
        let store = Self { path: path.to_owned(), writer: Mutex::new(writer), readers: Mutex::default() };
        store.write("keeping the server's key", |tx| {
            let known: Option<Device> = load::device(tx, system.key)?;
            if known.is_some() {
                return Ok(());
            }
            let changes = Changes { rows: vec![Row::Device(system.clone())], ..Changes::default() };
            save::save(tx, &changes)
        })?;
        Ok(store)
    }

    /// A copy of the live tables, to hold another store against.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn tables(&self) -> Result<Tables, StoreError> {
        self.read(|tx| audit::tables(tx))
    }

    /// Writes in a transaction of its own; nothing is kept if `work` fails.
    fn write<T>(
        &self,
        what: &'static str,
        work: impl FnOnce(&rusqlite::Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = lock(&self.writer);
        let Writer { checkpoints, connection } = &mut *writer;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(doing(what))?;
        let done = work(&tx)?;
        tx.commit().map_err(doing(what))?;
        checkpoints.committed(connection);
        Ok(done)
    }

    /// Reads from one whole state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = lock(&self.readers).pop();
        let mut reader = idle.map_or_else(|| open_reader(&self.path), Ok)?;
        let tx = reader.transaction().map_err(doing("beginning to read"))?;
        let found = work(&tx)?;
        drop(tx);
        lock(&self.readers).push(reader);
        Ok(found)
    }
}

/// Opens the file for reading alone.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags).map_err(doing("opening the database"))?;
    configure(&reader)?;
    Ok(reader)
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(Duration::from_secs(10)).map_err(doing("setting the time-out"))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else a statement with `LIMIT ?` is planned anew whenever that is bound, and a search binds dozens: a tenth of
    // what it took.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(doing("configuring the connection"))?;
    connection.execute_batch("PRAGMA foreign_keys = ON;").map_err(doing("configuring the connection"))
}

fn migrate(writer: &mut Connection) -> Result<(), StoreError> {
    // Grouped: the tables and the note that they are there in one transaction. A power cut between the two would leave a
    // database that no server opens again.
    migrations::migrations::runner().set_abort_missing(true).set_grouped(true).run(writer).map(drop).map_err(
        |error| match error.kind() {
            refinery::error::Kind::MissingVersion(_) => StoreError::Newer,
            refinery::error::Kind::DivergentVersion(..) => StoreError::Unreleased,
            _ => StoreError::Database { doing: "bringing the database up to date", source: Box::new(error) },
        },
    )
}

/// Refuses tables that are not those that this program reads.
fn check_tables(reader: &Connection) -> Result<(), StoreError> {
    let applied = load::all(reader, APPLIED, [], |row| {
        Ok((rows::at::<i64>(row, "version")?, rows::at::<String>(row, "checksum")?))
    })?;
    migrated::check(&applied, migrations::migrations::runner().get_migrations())
}

/// A panic while the lock was held has rolled the transaction back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for SqliteStore {
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        self.write("committing a batch", |tx| batch::run(&mut save::Sqlite(tx), batch, now))
    }

    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError> {
        self.read(|tx| load::device(tx, key))
    }

    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        self.read(|tx| load::head(tx, inbox))
    }

    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError> {
        self.read(|tx| load::inbox(tx, inbox, after, limit))
    }

    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError> {
        self.read(|tx| load::open_lots(tx, account))
    }

    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError> {
        self.read(|tx| directory::changed(tx, after, limit))
    }

    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
        self.read(|tx| directory::merchant(tx, merchant))
    }

    fn group(&self, group: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
        self.read(|tx| directory::group(tx, group))
    }

    fn search(&self, query: &Query) -> Result<Vec<Found>, StoreError> {
        self.read(|tx| search::search(tx, query))
    }

    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
        self.read(|tx| load::wallets_to_expire(tx, now, limit))
    }

    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError> {
        self.read(|tx| load::waiting_of(tx, account))
    }

    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError> {
        self.read(|tx| load::standing(tx, account))
    }

    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
        self.read(|tx| load::sales_for_best(tx, now, limit))
    }

    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError> {
        self.read(|tx| load::sales_to_lapse(tx, now, limit))
    }

    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        self.read(|tx| load::devices_of(tx, account))
    }

    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
        self.read(|tx| load::tills(tx, merchant))
    }

    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
        self.read(|tx| load::staff_of(tx, merchant))
    }

    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError> {
        self.read(|tx| match load::cell(tx, Key::StaffDay(merchant, account, day))? {
            Some(Cell::StaffDay(sold)) => Ok(sold),
            _ => Ok(Money(0)),
        })
    }

    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError> {
        self.read(|tx| tills::heard_of(tx, key))
    }

    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError> {
        self.read(|tx| load::passes_over(tx, pass_over(now), limit))
    }

    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError> {
        self.read(|tx| load::passes_for(tx, account, till, since))
    }

    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
        self.read(|tx| load::holds_over(tx, now, limit))
    }

    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError> {
        self.read(|tx| load::open_holds(tx, account, merchant))
    }

    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError> {
        self.read(|tx| load::debts(tx, account))
    }

    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError> {
        self.read(|tx| load::amendments_due(tx, now, limit))
    }

    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError> {
        self.read(|tx| load::groups_to_end(tx, now, limit))
    }

    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
        self.read(|tx| load::lots_left(tx, group, limit))
    }

    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError> {
        self.read(|tx| Ok(load::cell(tx, Key::Operator(account))?.is_some()))
    }

    fn forget_closed(&self) -> Result<(), StoreError> {
        self.write("erasing persons", people::forget_closed)
    }
}
