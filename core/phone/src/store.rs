//! The phone's one SQLite file. Each module below keeps one subject, with its statements near their use.
//!
//! WAL with `synchronous=FULL`: what a method has returned survives a power cut. One connection behind a lock; no
//! lock is held while a key signs or the network is waited for.

pub(crate) mod aside;
pub(crate) mod bound;
mod carve;
pub(crate) mod debts;
pub(crate) mod directory;
pub(crate) mod history;
pub(crate) mod holds;
pub(crate) mod inbox;
pub(crate) mod invitation_links;
pub(crate) mod invitations;
pub(crate) mod invitees;
pub(crate) mod join_requests;
pub(crate) mod lane;
pub(crate) mod lots;
pub(crate) mod meta;
pub(crate) mod new_devices;
pub(crate) mod numbers;
pub(crate) mod openings;
pub(crate) mod outbox;
pub(crate) mod passes;
pub(crate) mod plans;
pub(crate) mod redemptions;
pub(crate) mod refunds;
pub(crate) mod rescue;
pub(crate) mod sales;
pub(crate) mod secrets;
pub(crate) mod visits;
pub(crate) mod vouchers;
pub(crate) mod waiting;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use crate::error::{PhoneError, corrupt};

/// What brings a database from each version to the next, beginning with none. The version is SQLite's own
/// `user_version`: a migration library costs a phone a megabyte (it brings regular expressions) and does no more.
const MIGRATIONS: &[&str] =
    &[include_str!("store/migrations/V1__first.sql"), include_str!("store/migrations/V2__plans.sql")];

/// Every table but the counters; those that name rows of others come first.
const TABLES: [&str; 42] = [
    "typed_number",
    "pending",
    "voucher",
    "opening_row",
    "outbox",
    "meta",
    "secret",
    "inbox",
    "inbox_event",
    "lot",
    "history",
    "debt",
    "hold",
    "waiting_sale",
    "sale",
    "redemption",
    "asked_with",
    "refund",
    "reversal",
    "opening",
    "new_device",
    "pass",
    "given_token",
    "approval",
    "merchant",
    "merchant_key",
    "group",
    "terms",
    "member",
    "amendment",
    "invitation",
    "invitation_answer",
    "invitation_link",
    "invitation_trace",
    "invitation_found",
    "invitee",
    "join_request",
    "lane",
    "visit",
    "habit",
    "shop_standing",
    "plan",
];

/// Statements that stay prepared: all that a sync uses, so that none is parsed twice.
const STATEMENTS: usize = 64;

/// The database.
pub(crate) struct Store {
    db: Mutex<Connection>,
    /// Where it is to be noted that the database looks broken; nowhere in memory.
    suspicion: Option<PathBuf>,
}

impl Store {
    /// Opens or makes the database, in memory without a path.
    pub fn open(path: Option<&Path>) -> Result<Self, PhoneError> {
        let db = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        // Until it is known to be whole, nothing of a log is written into it.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        let store = Self::prepare(db, MIGRATIONS)?;
        Ok(Self { suspicion: path.map(aside::suspicion), ..store })
    }

    /// Whether the database is whole: each page and row, in some milliseconds; its indexes too, if it looked broken
    /// before. (docs/measurements.md)
    pub fn check(&self) -> Result<(), PhoneError> {
        let suspicion = self.suspicion.as_deref().filter(|path| path.exists());
        let pragma = if suspicion.is_some() { "integrity_check" } else { "quick_check" };
        let said: String = self.lock().query_row(&format!("PRAGMA {pragma}(1)"), [], |row| row.get(0))?;
        if said != "ok" {
            tracing::error!(said, "the database is broken");
            return Err(corrupt("database"));
        }
        match suspicion {
            Some(path) => Ok(std::fs::remove_file(path)?),
            None => Ok(()),
        }
    }

    /// Whether closing leaves the log as it is, rather than writing it into the database.
    pub fn keep_log_on_close(&self, keep: bool) -> Result<(), PhoneError> {
        self.lock().set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
        Ok(())
    }

    /// Whether the database looked broken since it was last checked.
    pub fn is_suspect(&self) -> bool {
        self.suspicion.as_ref().is_some_and(|path| path.exists())
    }

    fn prepare(mut db: Connection, migrations: &[&str]) -> Result<Self, PhoneError> {
        db.busy_timeout(Duration::from_secs(5))?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        // What is deleted is overwritten: numbers once answered, a person who signed out.
        db.pragma_update(None, "secure_delete", true)?;
        migrate(&mut db, migrations)?;
        Ok(Self { db: Mutex::new(db), suspicion: None })
    }

    /// Reads.
    pub fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, PhoneError>) -> Result<T, PhoneError> {
        let read = f(&self.lock());
        self.note(read)
    }

    /// Writes all or nothing; on disk when it returns.
    pub fn write<T>(&self, f: impl FnOnce(&Connection) -> Result<T, PhoneError>) -> Result<T, PhoneError> {
        let written = self.transact(f);
        self.note(written)
    }

    fn transact<T>(&self, f: impl FnOnce(&Connection) -> Result<T, PhoneError>) -> Result<T, PhoneError> {
        let mut db = self.lock();
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = f(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Notes what makes the database suspect: it is checked when it is opened next.
    fn note<T>(&self, done: Result<T, PhoneError>) -> Result<T, PhoneError> {
        if let (Err(error), Some(path)) = (&done, &self.suspicion)
            && error.is_broken_data()
            && let Err(error) = std::fs::write(path, [])
        {
            tracing::error!(%error, "the database looks broken, which could not be noted");
        }
        done
    }

    /// Writes the log into the database, and leaves nothing in it.
    pub fn empty_log(&self) -> Result<(), PhoneError> {
        self.lock().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// A panic in the middle of a transaction rolled it back; what is there is whole.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets all but what has to outlast a person: counters, so that none is used twice, and which broken databases were
/// set aside, so that none is brought over to the next person.
pub(crate) fn forget_person(db: &Connection) -> Result<(), PhoneError> {
    let aside = meta::get(db, &meta::SET_ASIDE)?;
    let key = meta::get(db, &meta::KEY)?;
    for table in TABLES {
        db.execute(&format!("DELETE FROM \"{table}\""), [])?;
    }
    if let Some(mut aside) = aside {
        aside.iter_mut().for_each(|aside| aside.read = true);
        meta::set(db, &meta::SET_ASIDE, &aside)?;
    }
    key.map_or(Ok(()), |key| meta::set(db, &meta::KEY, &key))
}

/// Each migration in one transaction with the version that it leads to.
fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), PhoneError> {
    let found: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(PhoneError::NewerData { found, known });
    }
    for (version, migration) in (1_u32..).zip(migrations).skip_while(|(version, _)| *version <= found) {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

/// What a unit is, for a column: none for points.
pub(crate) fn unit_column(unit: Option<Unit>) -> Result<Option<String>, PhoneError> {
    unit.map(|unit| json(&unit, "unit")).transpose()
}

/// What a unit is, from a column.
pub(crate) fn read_unit(column: Option<String>) -> Result<Option<Unit>, PhoneError> {
    column.map(|column| parse(&column, "unit")).transpose()
}

/// Units from a column.
pub(crate) fn read_units(column: i64, what: &'static str) -> Result<Units, PhoneError> {
    Units::new(column).map_err(|_| corrupt(what))
}

/// A value for a column, in JSON.
pub(crate) fn json<T: Serialize>(value: &T, what: &'static str) -> Result<String, PhoneError> {
    serde_json::to_string(value).map_err(|_| corrupt(what))
}

/// A value from a column.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(text: &str, what: &'static str) -> Result<T, PhoneError> {
    serde_json::from_str(text).map_err(|_| corrupt(what))
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

    const KEPT: &str = "INSERT INTO meta (name, value) VALUES ('account', 'kept')";
    const READ: &str = "SELECT value FROM meta WHERE name = 'account'";

    #[test]
    fn a_database_of_every_earlier_version_opens_and_keeps_its_data() {
        let directory = tempfile::tempdir().unwrap();
        for version in 1..=MIGRATIONS.len() {
            let path = directory.path().join(format!("v{version}.db"));
            let earlier = Store::prepare(Connection::open(&path).unwrap(), &MIGRATIONS[..version]).unwrap();
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
        let known = u32::try_from(MIGRATIONS.len()).unwrap();
        let store = Store::open(Some(&path)).unwrap();
        store.write(|db| Ok(db.pragma_update(None, "user_version", known + 1)?)).unwrap();
        drop(store);
        let refused = Store::open(Some(&path)).map(drop);
        assert!(
            matches!(refused, Err(PhoneError::NewerData { found, known: k }) if found == known + 1 && k == known),
            "{refused:?}"
        );
    }

    #[test]
    fn a_person_is_forgotten_in_every_table() {
        let store = Store::open(None).unwrap();
        let all = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut tables: Vec<String> = store
            .read(|db| Ok(db.prepare(all)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?))
            .unwrap();
        tables.retain(|table| table != "counter");
        tables.sort_unstable();
        let mut forgotten = TABLES;
        forgotten.sort_unstable();
        assert_eq!(tables, forgotten);
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
