//! The folder that a story leaves behind: the server's data, and pictures of the codes.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Marks a server's folder as made by a story, and so as one that the next may throw away.
const MARKER: &str = "made-by-world-demo";
/// What a running server keeps locked.
const LOCK: &str = "lock";

/// Why a story can't begin.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Something else is where the data would go.
    #[error("{0} was not made by an earlier demo, so it is left alone; name another folder with --out")]
    NotOurs(PathBuf),
    /// A server runs on the data of an earlier story.
    #[error("a server is running on {0}; stop it first, or name another folder with --out")]
    InUse(PathBuf),
    /// The system said no.
    #[error("{path}: {why}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        why: io::Error,
    },
}

/// The folder of a story.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes room: the data of an earlier story goes away, and nothing else.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn prepare(out: &Path) -> Result<Self, FolderError> {
        let folder = Self(out.to_owned());
        let (data, marker) = (folder.data(), folder.data().join(MARKER));
        let failed = |why| FolderError::Io { path: data.clone(), why };
        match fs::symlink_metadata(&data) {
            Ok(_) if !marker.is_file() => return Err(FolderError::NotOurs(data)),
            Ok(_) => {
                refuse_in_use(&data)?;
                fs::remove_dir_all(&data).map_err(failed)?;
            }
            Err(why) if why.kind() == ErrorKind::NotFound => {}
            Err(why) => return Err(failed(why)),
        }
        fs::create_dir_all(&data).map_err(failed)?;
        File::create(&marker).map_err(failed)?;
        Ok(folder)
    }

    /// The server's data.
    pub fn data(&self) -> PathBuf {
        self.0.join("moa-data")
    }

    /// A voucher.
    pub fn voucher(&self) -> PathBuf {
        self.0.join("voucher.png")
    }

    /// A redemption code.
    pub fn redemption_code(&self) -> PathBuf {
        self.0.join("redemption-code.png")
    }
}

fn refuse_in_use(data: &Path) -> Result<(), FolderError> {
    // Without a lock file no server ever started there.
    let Ok(lock) = File::open(data.join(LOCK)) else { return Ok(()) };
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(FolderError::InUse(data.to_owned())),
        Err(TryLockError::Error(why)) => Err(FolderError::Io { path: data.to_owned(), why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_story_made_is_thrown_away() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        fs::write(folder.data().join("moa.db"), b"old").unwrap();
        Folder::prepare(out.path()).unwrap();
        assert!(!folder.data().join("moa.db").exists());

        fs::remove_file(folder.data().join(MARKER)).unwrap();
        fs::write(folder.data().join("moa.db"), b"a shop's").unwrap();
        let refused = Folder::prepare(out.path());
        assert!(matches!(refused, Err(FolderError::NotOurs(_))), "{refused:?}");
        assert_eq!(fs::read(folder.data().join("moa.db")).unwrap(), b"a shop's");
    }

    #[test]
    fn data_that_a_server_is_using_is_left_alone() {
        let out = tempfile::tempdir().unwrap();
        let folder = Folder::prepare(out.path()).unwrap();
        let lock = File::create(folder.data().join(LOCK)).unwrap();
        lock.try_lock().unwrap();
        assert!(matches!(Folder::prepare(out.path()), Err(FolderError::InUse(_))));
        drop(lock);
        assert!(Folder::prepare(out.path()).is_ok());
    }
}
