//! The phone's one SQLite file. Each module below keeps one subject, with its statements near their use.
//!
//! WAL with `synchronous=FULL`: what a method has returned survives a power cut. One connection behind a lock; no
//! lock is held while a key signs or the network is waited for.

pub(crate) mod directory;
pub(crate) mod history;
pub(crate) mod inbox;
pub(crate) mod lane;
pub(crate) mod lots;
pub(crate) mod meta;
pub(crate) mod outbox;
pub(crate) mod redemptions;
pub(crate) mod sales;
pub(crate) mod vouchers;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::error::PhoneError;

mod embedded {
    refinery::embed_migrations!("src/store/migrations");
}

const SCHEMA_VERSION: &str = "SELECT max(version) FROM refinery_schema_history";
const HAS_SCHEMA: &str = "SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'";

/// The database.
pub(crate) struct Store {
    db: Mutex<Connection>,
}

impl Store {
    /// Opens or makes the database, in memory without a path.
    pub fn open(path: Option<&Path>) -> Result<Self, PhoneError> {
        let db = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        Self::prepare(db, &embedded::migrations::runner())
    }

    fn prepare(mut db: Connection, migrations: &refinery::Runner) -> Result<Self, PhoneError> {
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        refuse_newer(&db, migrations)?;
        migrations.run(&mut db)?;
        Ok(Self { db: Mutex::new(db) })
    }

    /// Reads.
    pub fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, PhoneError>) -> Result<T, PhoneError> {
        f(&self.lock())
    }

    /// Writes all or nothing; on disk when it returns.
    pub fn write<T>(&self, f: impl FnOnce(&Connection) -> Result<T, PhoneError>) -> Result<T, PhoneError> {
        let mut db = self.lock();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = f(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// A panic in the middle of a transaction rolled it back; what is there is whole.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refuse_newer(db: &Connection, migrations: &refinery::Runner) -> Result<(), PhoneError> {
    if db.query_row(HAS_SCHEMA, [], |_| Ok(())).optional()?.is_none() {
        return Ok(());
    }
    let found: Option<u32> = db.query_row(SCHEMA_VERSION, [], |row| row.get(0))?;
    let known = newest(migrations);
    match found {
        Some(found) if found > known => Err(PhoneError::NewerData { found, known }),
        _ => Ok(()),
    }
}

fn newest(migrations: &refinery::Runner) -> u32 {
    let versions = migrations.get_migrations().iter().map(refinery::Migration::version);
    versions.max().and_then(|version| u32::try_from(version).ok()).unwrap_or(0)
}

/// A count for a column: SQLite's integers are signed.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count from a column.
pub(crate) fn unsigned(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use refinery::Target;

    const KEPT: &str = "INSERT INTO meta (name, value) VALUES ('account', 'kept')";
    const READ: &str = "SELECT value FROM meta WHERE name = 'account'";

    #[test]
    fn a_database_of_every_earlier_version_opens_and_keeps_its_data() {
        let directory = tempfile::tempdir().unwrap();
        for version in 1..=newest(&embedded::migrations::runner()) {
            let path = directory.path().join(format!("v{version}.db"));
            let old = embedded::migrations::runner().set_target(Target::Version(version.try_into().unwrap()));
            let earlier = Store::prepare(Connection::open(&path).unwrap(), &old).unwrap();
            earlier.write(|db| Ok(db.execute(KEPT, [])?)).unwrap();
            drop(earlier);
            let store = Store::open(Some(&path)).unwrap();
            let value: String = store.read(|db| Ok(db.query_row(READ, [], |row| row.get(0))?)).unwrap();
            assert_eq!(value, "kept", "from version {version}");
        }
    }

    #[test]
    fn data_of_a_newer_app_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("phone.db");
        let known = newest(&embedded::migrations::runner());
        let store = Store::open(Some(&path)).unwrap();
        let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                     SELECT version + 1, 'later', applied_on, checksum FROM refinery_schema_history
                     ORDER BY version DESC LIMIT 1";
        store.write(|db| Ok(db.execute(newer, [])?)).unwrap();
        drop(store);
        let refused = Store::open(Some(&path)).map(drop);
        assert!(
            matches!(refused, Err(PhoneError::NewerData { found, known: k }) if found == known + 1 && k == known),
            "{refused:?}"
        );
    }

    #[test]
    fn what_is_written_is_durable_and_the_library_is_recent() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(Some(&directory.path().join("phone.db"))).unwrap();
        let pragma = |name: &str| {
            store.read(|db| Ok(db.pragma_query_value(None, name, |row| row.get::<_, i64>(0))?)).unwrap()
        };
        assert_eq!((pragma("synchronous"), pragma("foreign_keys")), (2, 1));
    }
}
