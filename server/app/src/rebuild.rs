//! A folder written anew from the journal of another: for live tables that were damaged. The other is only read, also while
//! a server runs on it.

use std::fs;
use std::path::{Path, PathBuf};

use moa_ledger::copy::{Copied, copy};
use moa_ledger::sqlite::{SqliteImport, SqliteJournal};
use moa_ledger::store::StoreError;

use crate::data_dir::{DataDir, DataError, database};

/// Why a folder could not be written anew.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is no database in the folder.
    #[error("{0} is not there; which folder does the server use?")]
    NoDatabase(PathBuf),
    /// The new folder has something in it.
    #[error("{0} is not empty; nothing is overwritten: name a new folder")]
    NotEmpty(PathBuf),
    /// A folder can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A database can't be used.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Writes `to`, which must not be there or be empty, from the journal in `data`: database, key and pepper. Unless all of it
/// holds, nothing is left of it.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild(data: &Path, to: &Path) -> Result<Copied, RebuildError> {
    let source = database(data);
    if !source.exists() {
        return Err(RebuildError::NoDatabase(source));
    }
    // Looked at before the lock, so that nothing is put into somebody's folder, and again once nobody else can fill it.
    check_empty(to)?;
    let new = DataDir::open(to)?;
    check_empty(to)?;
    let copied = fill(data, &new);
    if !copied.as_ref().is_ok_and(Copied::is_good) {
        // All that is in it is of this try. What can't be removed is in the way of the next one, which says so.
        drop(fs::remove_dir_all(to));
    }
    copied
}

fn check_empty(folder: &Path) -> Result<(), RebuildError> {
    if DataDir::is_empty(folder)? { Ok(()) } else { Err(RebuildError::NotEmpty(folder.to_owned())) }
}

fn fill(data: &Path, new: &DataDir) -> Result<Copied, RebuildError> {
    let mut journal = SqliteJournal::open(&database(data))?;
    let import = SqliteImport::create(&new.database())?;
    new.take_secrets(data)?;
    Ok(copy(&mut journal, Box::new(import))?)
}
