//! A broken database: it is set aside, a new one is made, what it held unsent is brought over and sent, and the person is
//! told.

use std::path::Path;

use moa_rules::id::KeyId;
use moa_rules::time::Timestamp;
use moa_wire::keys::Signer;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::{PhoneError, corrupt};
use crate::phone::Phone;
use crate::store::rescue::{self, Owner};
use crate::store::{Store, aside, meta};

/// How often a database is checked as a whole when it is opened, if nothing made it suspect.
const EVERY: i64 = Timestamp::DAY;

/// The least bytes that a database has.
const LEAST: u64 = 512;

/// A database that could not be used, and was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// The file beside the database, kept for whoever wants to look.
    pub file: String,
    /// When, by the phone's clock.
    pub at: Timestamp,
    /// How many ops were brought over, to be sent.
    pub ops: u64,
    /// Whether all that it held unsent could be read.
    pub whole: bool,
    /// Whether the person has read of it.
    pub read: bool,
}

impl Phone {
    /// The databases that were set aside and of which the person has not [read](Self::set_aside_read) yet, oldest first.
    ///
    /// # Errors
    /// Storage.
    pub fn set_aside(&self) -> Result<Vec<SetAside>, PhoneError> {
        let mut all = self.store().read(|db| meta::get(db, &meta::SET_ASIDE))?.unwrap_or_default();
        all.retain(|aside| !aside.read);
        Ok(all)
    }

    /// The person has read that databases were set aside.
    ///
    /// # Errors
    /// Storage.
    pub fn set_aside_read(&self) -> Result<(), PhoneError> {
        self.write(|db| {
            let mut all = meta::get(db, &meta::SET_ASIDE)?.unwrap_or_default();
            all.iter_mut().for_each(|aside| aside.read = true);
            meta::set(db, &meta::SET_ASIDE, &all)
        })
    }
}

/// Opens the database in this file, or a new one in place of a broken one. `begin` is what the phone does first.
pub(crate) fn open(
    path: &Path,
    signer: &dyn Signer,
    now: Timestamp,
    begin: impl Fn(&Connection) -> Result<(), PhoneError>,
) -> Result<Store, PhoneError> {
    aside::finish(path)?;
    let store = match checked(path, now, &begin) {
        Err(error) if error.is_broken_data() => {
            let to = aside::set_aside(path, now)?;
            tracing::error!(%error, to = %to.display(), "the database is broken and was set aside");
            checked(path, now, &begin)?
        }
        store => store?,
    };
    // Not only the one just set aside: the app may have ended before another was brought over.
    bring_over(&store, path, signer, now)?;
    Ok(store)
}

fn checked(
    path: &Path,
    now: Timestamp,
    begin: impl Fn(&Connection) -> Result<(), PhoneError>,
) -> Result<Store, PhoneError> {
    // SQLite takes next to nothing for a new database, though a file that lost its end looks the same.
    if std::fs::metadata(path).is_ok_and(|file| file.len() < LEAST) && !aside::log(path).exists() {
        return Err(corrupt("database"));
    }
    let store = Store::open(Some(path))?;
    let last = store.read(|db| meta::get(db, &meta::CHECKED_AT))?;
    let fresh = last.is_some_and(|last| last <= now && now < last.plus(EVERY));
    if !fresh || store.is_suspect() {
        store.check()?;
        store.write(|db| meta::set(db, &meta::CHECKED_AT, &now))?;
    }
    store.write(begin)?;
    store.keep_log_on_close(false)?;
    Ok(store)
}

/// Brings over what was set aside and not brought over yet.
fn bring_over(store: &Store, path: &Path, signer: &dyn Signer, now: Timestamp) -> Result<(), PhoneError> {
    let files = aside::all(path)?;
    if files.is_empty() {
        return Ok(());
    }
    let (public_key, key): (_, KeyId) = (signer.public_key(), signer.key_id());
    let owner = Owner { key, public_key: &public_key };
    for file in files {
        store.write(|db| {
            let mut all = meta::get(db, &meta::SET_ASIDE)?.unwrap_or_default();
            if all.iter().any(|aside| aside.file == file) {
                return Ok(());
            }
            let rescued = rescue::bring_over(db, &path.with_file_name(&file), &owner, now)?;
            tracing::warn!(file, ?rescued, "brought over from a broken database");
            let (ops, whole) = (rescued.ops, rescued.whole);
            all.push(SetAside { file, at: now, ops, whole, read: false });
            meta::set(db, &meta::SET_ASIDE, &all)
        })?;
    }
    Ok(())
}
