//! Every store, for tests of what they do alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moa_database::{Database, Server};
use moa_ledger::memory::MemoryStore;
use moa_ledger::postgres::{Batches, PostgresJournal, PostgresStore};
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Committed, Store, StoreError};
use moa_ledger::tables::Tables;
use moa_ledger::verify::{verify, verify_file};
use moa_rules::device::Device;
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;

use super::inner::{By, Commits};
use super::{Town, system};

/// A store whose tables can be looked at, and that may have a file to verify.
pub trait Subject: Store + Sized {
    fn tables(&self) -> Tables;
}

impl Subject for MemoryStore {
    fn tables(&self) -> Tables {
        MemoryStore::tables(self)
    }
}

impl Subject for SqliteStore {
    fn tables(&self) -> Tables {
        SqliteStore::tables(self).unwrap()
    }
}

impl Subject for PostgresStore {
    fn tables(&self) -> Tables {
        PostgresStore::tables(self).unwrap()
    }
}

pub fn in_memory(suite: impl FnOnce(&mut Town<MemoryStore>)) {
    let (actor, device) = system();
    suite(&mut Town::new(Arc::new(MemoryStore::new(&device)), actor));
}

/// On SQLite; the file is verified in the end.
pub fn on_sqlite(suite: impl FnOnce(&mut Town<SqliteStore>)) {
    let (actor, device) = system();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    suite(&mut Town::new(Arc::new(SqliteStore::open(&path, &device).unwrap()), actor));
    let report = verify_file(&path).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
}

/// A database with the tables in it, and nothing in the tables.
pub fn fresh() -> Database<'static> {
    Server::shared().prepared(|database| {
        drop(PostgresStore::open(&database.url(), &system().1).unwrap());
        database.run("DELETE FROM devices");
    })
}

/// Proves a database from its journal.
pub fn verified(database: &Database) {
    let report = verify(&mut PostgresJournal::open(&database.url()).unwrap()).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
}

/// On a PostgreSQL of the tests' own; the database is verified in the end.
pub fn on_postgres(suite: impl FnOnce(&mut Town<PostgresStore>)) {
    let (actor, device) = system();
    let database = fresh();
    suite(&mut Town::new(Arc::new(PostgresStore::open(&database.url(), &device).unwrap()), actor));
    verified(&database);
}

/// Two servers on one database, whose batches are serializable: every other commit, and every other read, is the other's.
pub struct Servers {
    stores: [PostgresStore; 2],
    turn: AtomicUsize,
}

impl Servers {
    pub fn new(urls: [&str; 2], device: &Device, batches: Batches) -> Self {
        Self {
            stores: urls.map(|url| PostgresStore::open_with(url, device, batches).unwrap()),
            turn: AtomicUsize::new(0),
        }
    }
}

impl Commits for Servers {
    type Inner = PostgresStore;

    fn inner(&self) -> &PostgresStore {
        &self.stores[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }

    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        self.inner().commit(batch, now)
    }
}

impl Subject for By<Servers> {
    fn tables(&self) -> Tables {
        self.inner().tables().unwrap()
    }
}

pub fn on_two_servers(suite: impl FnOnce(&mut Town<By<Servers>>)) {
    let (actor, device) = system();
    let database = fresh();
    let servers = Servers::new([&database.url(), &database.url()], &device, Batches::Serializable);
    suite(&mut Town::new(Arc::new(By(servers)), actor));
    verified(&database);
}

/// Tests of a module `suite` next to where it stands, on every store.
macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[test]
            fn $name() {
                crate::town::stores::in_memory(|town| super::suite::$name(town));
            })+
        }
        mod sqlite {
            $(#[test]
            fn $name() {
                crate::town::stores::on_sqlite(|town| super::suite::$name(town));
            })+
        }
        mod postgres {
            $(#[test]
            fn $name() {
                crate::town::stores::on_postgres(|town| super::suite::$name(town));
            })+
        }
        mod two_servers {
            $(#[test]
            fn $name() {
                crate::town::stores::on_two_servers(|town| super::suite::$name(town));
            })+
        }
    };
}

pub(crate) use conformance;
