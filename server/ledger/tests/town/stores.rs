//! Every store, for tests of what they do alike.

use std::sync::Arc;

use moa_database::Server;
use moa_ledger::memory::MemoryStore;
use moa_ledger::postgres::PostgresStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::Store;
use moa_ledger::tables::Tables;
use moa_ledger::verify::verify;

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
    let report = verify(&path).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
}

/// On a PostgreSQL of the tests' own.
pub fn on_postgres(suite: impl FnOnce(&mut Town<PostgresStore>)) {
    let (actor, device) = system();
    let database = Server::shared().database();
    suite(&mut Town::new(Arc::new(PostgresStore::open(&database.url(), &device).unwrap()), actor));
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
    };
}

pub(crate) use conformance;
