//! Every store, for tests of what they do alike.

use std::sync::Arc;

use moa_ledger::memory::MemoryStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::Store;
use moa_ledger::tables::Tables;
use moa_ledger::verify::verify_file;

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

pub fn on_every_store(
    memory: impl FnOnce(&mut Town<MemoryStore>),
    sqlite: impl FnOnce(&mut Town<SqliteStore>),
) {
    let (actor, device) = system();
    memory(&mut Town::new(Arc::new(MemoryStore::new(&device)), actor));
    let (actor, device) = system();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    sqlite(&mut Town::new(Arc::new(SqliteStore::open(&path, &device).unwrap()), actor));
    let report = verify_file(&path).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
}

/// Tests of a module `suite` next to where it stands, on every store.
macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            crate::town::stores::on_every_store(|town| suite::$name(town), |town| suite::$name(town));
        })+
    };
}

pub(crate) use conformance;
