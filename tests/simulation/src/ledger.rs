//! The one ledger of a world: in memory, or on SQLite in a file that survives a killed server.

use std::fs;
use std::path::{Path, PathBuf};

use moa_ledger::memory::MemoryStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Committed, Store, StoreError};
use moa_ledger::tables::Tables;
use moa_ledger::verify;
use moa_rules::device::Device;
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;

use crate::Step;
#[cfg(feature = "sabotage")]
use crate::sabotage::SpoiltStore;

/// Where a ledger keeps its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerKind {
    /// The memory store.
    Memory,
    /// SQLite, called inline.
    Sqlite,
}

/// A ledger as it was.
pub(crate) enum LedgerBackup {
    Memory(Box<MemoryStore>),
    Sqlite(PathBuf),
    #[cfg(feature = "sabotage")]
    Spoilt(Box<SpoiltStore>),
}

pub(crate) enum Ledger {
    Memory(Box<MemoryStore>),
    Sqlite(Box<SqliteFile>),
    #[cfg(feature = "sabotage")]
    Spoilt(Box<SpoiltStore>),
}

/// A SQLite store and the file it is in.
pub(crate) struct SqliteFile {
    // Closed before its folder is emptied.
    store: SqliteStore,
    folder: PathBuf,
    generation: u32,
    system: Device,
}

impl SqliteFile {
    pub(crate) fn open(folder: &Path, system: Device) -> Step<Self> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        let store = SqliteStore::open(&folder.join("moa-0.db"), &system).map_err(broken)?;
        Ok(Self { store, folder: folder.to_owned(), generation: 0, system })
    }

    fn file(&self) -> PathBuf {
        self.folder.join(format!("moa-{}.db", self.generation))
    }

    /// A killed process closes nothing: the next one finds the files as they are now.
    fn kill(&mut self) -> Step {
        let before = self.file();
        self.generation += 1;
        copy_database(&before, &self.file())?;
        self.store = SqliteStore::open(&self.file(), &self.system).map_err(broken)?;
        remove_database(&before)
    }

    fn restore(&mut self, backup: &Path) -> Step {
        let before = self.file();
        self.generation += 1;
        copy_database(backup, &self.file())?;
        self.store = SqliteStore::open(&self.file(), &self.system).map_err(broken)?;
        remove_database(&before)
    }
}

impl Ledger {
    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => &**store,
            Self::Sqlite(file) => &file.store,
            #[cfg(feature = "sabotage")]
            Self::Spoilt(store) => &**store,
        }
    }

    pub(crate) fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        self.store().commit(batch, now)
    }

    /// The server's process is killed while a batch is being committed that never gets as far as the disk.
    pub(crate) fn kill_in_commit(&mut self, batch: &[Submission], now: Timestamp) -> Step {
        #[cfg(feature = "sabotage")]
        if let Self::Spoilt(store) = self {
            store.begin_and_roll_back(batch, now);
        }
        let _ = (batch, now);
        self.kill()
    }

    /// The server's process is killed and started again.
    pub(crate) fn kill(&mut self) -> Step {
        match self {
            // Stands for a store that outlives the server.
            Self::Memory(_) => Ok(()),
            Self::Sqlite(file) => file.kill(),
            #[cfg(feature = "sabotage")]
            Self::Spoilt(store) => {
                store.kill();
                Ok(())
            }
        }
    }

    /// Everything as it is now.
    pub(crate) fn back_up(&self) -> Step<LedgerBackup> {
        Ok(match self {
            Self::Memory(store) => LedgerBackup::Memory(store.clone()),
            Self::Sqlite(file) => {
                let backup = file.folder.join("backup.db");
                copy_database(&file.file(), &backup)?;
                LedgerBackup::Sqlite(backup)
            }
            #[cfg(feature = "sabotage")]
            Self::Spoilt(store) => LedgerBackup::Spoilt(Box::new(store.copy())),
        })
    }

    /// Everything as it was then.
    pub(crate) fn restore(&mut self, backup: LedgerBackup) -> Step {
        match (self, backup) {
            (Self::Memory(store), LedgerBackup::Memory(backup)) => *store = backup,
            (Self::Sqlite(file), LedgerBackup::Sqlite(backup)) => file.restore(&backup)?,
            #[cfg(feature = "sabotage")]
            (Self::Spoilt(store), LedgerBackup::Spoilt(backup)) => *store = backup,
            _ => return Err("a backup of another ledger".to_owned()),
        }
        Ok(())
    }

    /// A copy of the live tables.
    pub(crate) fn tables(&self) -> Step<Tables> {
        match self {
            Self::Memory(store) => Ok(store.tables()),
            Self::Sqlite(file) => file.store.tables().map_err(broken),
            #[cfg(feature = "sabotage")]
            Self::Spoilt(store) => Ok(store.tables()),
        }
    }

    /// What `moa verify` says of the file, if there is one.
    pub(crate) fn verify(&self) -> Step {
        let Self::Sqlite(file) = self else { return Ok(()) };
        let report = verify::verify_file(&file.file()).map_err(broken)?;
        if report.is_clean() {
            return Ok(());
        }
        Err(format!("verify: {}", report.differences.join("; ")))
    }
}

pub(crate) fn broken(error: impl std::fmt::Display) -> String {
    format!("unexpected: {error}")
}

/// The file and its log, as a killed process leaves them.
pub(crate) fn copy_database(from: &Path, to: &Path) -> Step {
    for suffix in ["", "-wal"] {
        let (from, to) = (beside(from, suffix), beside(to, suffix));
        if from.exists() {
            fs::copy(&from, &to).map_err(broken)?;
        }
    }
    Ok(())
}

pub(crate) fn remove_database(path: &Path) -> Step {
    for suffix in ["", "-wal", "-shm"] {
        let path = beside(path, suffix);
        if path.exists() {
            fs::remove_file(&path).map_err(broken)?;
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
