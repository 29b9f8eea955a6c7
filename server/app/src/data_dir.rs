//! The folder that keeps everything of a server: the database, the key that signs, the pepper.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moa_ledger::postgres::PostgresStore;
use moa_ledger::sqlite::{SqliteImport, SqliteStore};
use moa_ledger::store::{Store, StoreError};
use moa_rules::device::Device;
use moa_wire::keys::{Signer, SoftwareKey};

use crate::pepper::{PEPPER_BYTES, Pepper};
use crate::random;

const DATABASE: &str = "moa.db";
const SERVER_KEY: &str = "server-key.p8";
const PEPPER: &str = "pepper";
const LOCK: &str = "lock";
/// A database in the making begins so.
const PART: &str = "moa.db.part";

/// Why a folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server is running on it.
    #[error("{0} is in use by another server")]
    InUse(PathBuf),
    /// The database is there without a secret that belongs to it.
    #[error(
        "{0} is missing beside the database; restore it from a backup, or copy it from another server on the same database"
    )]
    Missing(PathBuf),
    /// A file that this program did not write.
    #[error("{0} is damaged; restore it from a backup")]
    Damaged(PathBuf),
    /// Something was being copied into it.
    #[error(
        "copying into {0} was interrupted, and nothing in it is whole: copy again, or name another folder"
    )]
    Interrupted(PathBuf),
    /// No randomness for a new secret.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

/// The folder, and the lock that keeps a second server out as long as this lives.
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Where the database of a folder is.
pub fn database(data: &Path) -> PathBuf {
    data.join(DATABASE)
}

impl DataDir {
    /// Opens a folder, for this user only if it has to be made.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(at(path))?;
        let lock_path = path.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.map_err(at(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(at(&lock_path)(error)),
        }
    }

    /// The same with a folder that is there.
    pub(crate) fn existing(path: &Path) -> Result<Self, DataError> {
        fs::metadata(path).map_err(at(path))?;
        Self::open(path)
    }

    /// Whether nothing is there, but for a lock that somebody took, and what copying left that was interrupted.
    pub(crate) fn is_empty(path: &Path) -> Result<bool, DataError> {
        let begun = SqliteImport::part(&database(path)).exists();
        let left = |name: &OsStr| {
            name == LOCK || begun && [SERVER_KEY, PEPPER, PART].iter().any(|left| begins(name, left))
        };
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(at(path)(error)),
        };
        for entry in entries {
            if !left(&entry.map_err(at(path))?.file_name()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        database(&self.path)
    }

    /// The server's secrets. Where the database lies elsewhere, in which one that is missing would not be noticed, both are
    /// made or neither.
    pub(crate) fn secrets(&self, database_elsewhere: bool) -> Result<(SoftwareKey, Pepper), DataError> {
        if SqliteImport::part(&self.database()).exists() {
            return Err(DataError::Interrupted(self.path.clone()));
        }
        let [key, pepper] = [SERVER_KEY, PEPPER].map(|name| self.path.join(name));
        match (key.exists(), pepper.exists()) {
            (true, false) if database_elsewhere => Err(DataError::Missing(pepper)),
            (false, true) if database_elsewhere => Err(DataError::Missing(key)),
            _ => Ok((self.server_key()?, self.pepper()?)),
        }
    }

    /// Opens the database: that at an address, or the folder's own.
    pub(crate) fn store(
        &self,
        database: Option<&str>,
        server_key: &SoftwareKey,
    ) -> Result<Arc<dyn Store>, StoreError> {
        let system = Device::system(server_key.key_id(), server_key.public_key());
        Ok(match database {
            Some(url) => Arc::new(PostgresStore::open(url, &system)?),
            None => Arc::new(SqliteStore::open(&self.database(), &system)?),
        })
    }

    /// The key that signs heads, approvals and the server's own ops.
    fn server_key(&self) -> Result<SoftwareKey, DataError> {
        let make = || SoftwareKey::generate().map(|(_, bytes)| bytes).map_err(|_| DataError::NoRandomness);
        let bytes = self.secret(SERVER_KEY, make)?;
        SoftwareKey::from_pkcs8(&bytes).map_err(|_| DataError::Damaged(self.path.join(SERVER_KEY)))
    }

    /// The secret behind the HMACs of numbers and codes.
    fn pepper(&self) -> Result<Pepper, DataError> {
        let make = || random::bytes::<PEPPER_BYTES>().map(Vec::from).map_err(|_| DataError::NoRandomness);
        let bytes = self.secret(PEPPER, make)?;
        let bytes = bytes.try_into().map_err(|_| DataError::Damaged(self.path.join(PEPPER)))?;
        Ok(Pepper::new(bytes))
    }

    /// A secret's bytes. A new one is made only before there is a database: phones know the server by its key, and
    /// numbers are found again by the pepper.
    fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Vec<u8>, DataError>,
    ) -> Result<Vec<u8>, DataError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path)(error)),
            Err(_) if self.database().exists() => Err(DataError::Missing(path)),
            Err(_) => {
                let bytes = make()?;
                self.write(&path, &bytes).map_err(at(&path))?;
                Ok(bytes)
            }
        }
    }

    /// The key of a folder that has one.
    pub(crate) fn kept_key(folder: &Path) -> Result<SoftwareKey, DataError> {
        let path = folder.join(SERVER_KEY);
        let bytes = fs::read(&path).map_err(at(&path))?;
        SoftwareKey::from_pkcs8(&bytes).map_err(|_| DataError::Damaged(path))
    }

    /// Takes over the secrets of another folder, which belong to its database.
    pub(crate) fn take_secrets(&self, from: &Path) -> Result<(), DataError> {
        for name in [SERVER_KEY, PEPPER] {
            let (theirs, ours) = (from.join(name), self.path.join(name));
            let bytes = fs::read(&theirs).map_err(at(&theirs))?;
            self.write(&ours, &bytes).map_err(at(&ours))?;
        }
        Ok(())
    }

    /// Whole or not at all, also when the power fails: written beside, synced, renamed, the folder synced.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(&self.path)?.sync_all()
    }
}

/// Whether a file is this one, or one that is written beside it.
fn begins(name: &OsStr, file: &str) -> bool {
    name.as_encoded_bytes().starts_with(file.as_bytes())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    |source| DataError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn secrets_are_made_once_for_this_user_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/moa-data");
        let data = DataDir::open(&path).unwrap();
        let key = data.server_key().unwrap().public_key();
        data.pepper().unwrap();
        let secrets = [fs::read(path.join(SERVER_KEY)).unwrap(), fs::read(path.join(PEPPER)).unwrap()];
        assert_eq!(
            [mode(&path), mode(&path.join(SERVER_KEY)), mode(&path.join(PEPPER))],
            [0o700, 0o600, 0o600]
        );
        drop(data);
        let data = DataDir::open(&path).unwrap();
        assert_eq!(data.server_key().unwrap().public_key(), key);
        data.pepper().unwrap();
        assert_eq!([fs::read(path.join(SERVER_KEY)).unwrap(), fs::read(path.join(PEPPER)).unwrap()], secrets);
    }

    #[test]
    fn a_second_server_is_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let _first = DataDir::open(folder.path()).unwrap();
        assert!(matches!(DataDir::open(folder.path()), Err(DataError::InUse(_))));
    }

    #[test]
    fn a_database_without_its_secrets_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(data.database(), b"").unwrap();
        assert!(matches!(data.server_key(), Err(DataError::Missing(_))));
        assert!(matches!(data.pepper(), Err(DataError::Missing(_))));
    }

    #[test]
    fn with_a_database_elsewhere_one_secret_without_the_other_is_no_beginning() {
        for missing in [SERVER_KEY, PEPPER] {
            let folder = tempfile::tempdir().unwrap();
            let data = DataDir::open(folder.path()).unwrap();
            data.secrets(true).unwrap();
            fs::remove_file(folder.path().join(missing)).unwrap();
            let Err(DataError::Missing(path)) = data.secrets(true) else { panic!("{missing} was made") };
            assert_eq!(path, folder.path().join(missing));
        }
    }

    #[test]
    fn a_damaged_secret_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path()).unwrap();
        fs::write(folder.path().join(SERVER_KEY), b"no key").unwrap();
        fs::write(folder.path().join(PEPPER), b"short").unwrap();
        assert!(matches!(data.server_key(), Err(DataError::Damaged(_))));
        assert!(matches!(data.pepper(), Err(DataError::Damaged(_))));
    }
}
