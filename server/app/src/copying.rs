//! A server's books written anew elsewhere, from their journal, and proved: to mend live tables that were damaged, and to
//! move from a folder to PostgreSQL or back.
//!
//! Until all of it is written and proved there is nothing at the new place that a server would begin on, however the copying
//! ends: a file gets its name last ([`SqliteImport`]), a database its one commit.

use std::fs;
use std::path::{Path, PathBuf};

use moa_ledger::copy::{Copied, copy as write_anew};
use moa_ledger::journal::Journal;
use moa_ledger::postgres::{PostgresImport, PostgresJournal};
use moa_ledger::sqlite::{SqliteImport, SqliteJournal};
use moa_ledger::store::StoreError;
use moa_ledger::verify::{self, Report};
use moa_wire::keys::Signer;

use crate::data_dir::{DataDir, DataError, database};
use crate::place::Place;

/// Why nothing was copied, or verified.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is no database in the folder.
    #[error("{0} is not there; which folder does the server use?")]
    NoDatabase(PathBuf),
    /// The new folder has something in it.
    #[error("{0} is not empty; nothing is overwritten: name a new folder")]
    NotEmpty(PathBuf),
    /// The secrets are not those of the server that made the database.
    #[error(
        "the key in {0} is not that of the server that made the database: name the folder that server uses with --data"
    )]
    OthersKey(PathBuf),
    /// A folder can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A database can't be used.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// Holds everything against the journal.
///
/// # Errors
/// [`CopyError`].
pub fn verify(place: &Place) -> Result<Report, CopyError> {
    Ok(verify::verify(&mut *open(place)?)?)
}

/// Writes `to` from the journal of `from`, also while a server runs on it: what comes in meanwhile is not in the copy. A folder
/// to write must not be there or be empty, and is given key and pepper of `data`; a database to write must be empty.
///
/// # Errors
/// [`CopyError`].
pub fn rebuild(from: &Place, data: &Path, to: &Place) -> Result<Copied, CopyError> {
    let mut journal = open(from)?;
    match to {
        Place::Folder(folder) => into_folder(&mut *journal, data, folder),
        Place::Postgres(url) => {
            check_key(&mut *journal, data)?;
            Ok(write_anew(&mut *journal, Box::new(PostgresImport::create(url)?))?)
        }
    }
}

/// The same for good: no server may run on the folder of `from`, or on `data`, which has its key and pepper if `from` is a
/// database.
///
/// # Errors
/// [`CopyError`].
pub fn copy(from: &Place, data: &Path, to: &Place) -> Result<Copied, CopyError> {
    let data = match from {
        Place::Folder(folder) => folder,
        Place::Postgres(_) => data,
    };
    if let Place::Folder(folder) = from {
        check_there(folder)?;
    }
    // Kept until the end.
    let _alone = DataDir::existing(data)?;
    rebuild(from, data, to)
}

fn open(place: &Place) -> Result<Box<dyn Journal>, CopyError> {
    Ok(match place {
        Place::Folder(folder) => Box::new(SqliteJournal::open(&check_there(folder)?)?),
        Place::Postgres(url) => Box::new(PostgresJournal::open(url)?),
    })
}

/// A folder's database.
fn check_there(folder: &Path) -> Result<PathBuf, CopyError> {
    let database = database(folder);
    if database.exists() { Ok(database) } else { Err(CopyError::NoDatabase(database)) }
}

/// Whoever goes on with the copy needs the key that the journal names.
fn check_key(journal: &mut dyn Journal, data: &Path) -> Result<(), CopyError> {
    let key = DataDir::kept_key(data)?.key_id();
    let known = journal.system_keys()?.iter().any(|device| device.key == key);
    if known { Ok(()) } else { Err(CopyError::OthersKey(data.to_owned())) }
}

fn into_folder(journal: &mut dyn Journal, data: &Path, to: &Path) -> Result<Copied, CopyError> {
    // Looked at before the lock, so that nothing is put into somebody's folder, and again once nobody else can fill it.
    check_empty(to)?;
    let new = DataDir::open(to)?;
    check_empty(to)?;
    let copied = fill(journal, data, &new);
    if !copied.as_ref().is_ok_and(Copied::is_good) {
        // All that is in it is of this try. What can't be removed is in the way of the next one, which says so.
        drop(fs::remove_dir_all(to));
    }
    copied
}

fn check_empty(folder: &Path) -> Result<(), CopyError> {
    if DataDir::is_empty(folder)? { Ok(()) } else { Err(CopyError::NotEmpty(folder.to_owned())) }
}

fn fill(journal: &mut dyn Journal, data: &Path, new: &DataDir) -> Result<Copied, CopyError> {
    // Before the secrets: as long as it is there, the folder is known as one that is not whole.
    let import = SqliteImport::create(&new.database())?;
    check_key(journal, data)?;
    new.take_secrets(data)?;
    Ok(write_anew(journal, Box::new(import))?)
}
