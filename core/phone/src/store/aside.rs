//! Setting a broken database aside: renamed beside itself with its log, never deleted.
//!
//! `phone.db` becomes `phone.db.broken-<milliseconds>`, its log `phone.db.broken-<milliseconds>-wal`, as SQLite names a
//! log, so that both can still be read together. The log goes first: a new database must never find an old log. Hard
//! links would do it in one step, but Android forbids them to apps.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use moa_rules::time::Timestamp;

const MARK: &str = ".broken-";
const LOG: &str = "-wal";
const SHARED: &str = "-shm";
const SUSPECT: &str = ".suspect";

/// Renames a database and its log. Gives the database's new path.
pub(crate) fn set_aside(database: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let mut millis = now.0;
    let aside = loop {
        let aside = with(database, &format!("{MARK}{millis}"));
        if !aside.exists() && !log(&aside).exists() {
            break aside;
        }
        millis += 1;
    };
    rename(&log(database), &log(&aside))?;
    finish_one(database, &aside)?;
    Ok(aside)
}

/// Ends what a crash left half done: a log was renamed and its database was not.
pub(crate) fn finish(database: &Path) -> io::Result<()> {
    for name in beside(database)? {
        let Some(name) = name.strip_suffix(LOG) else { continue };
        let aside = database.with_file_name(name);
        if !aside.exists() && !log(database).exists() {
            finish_one(database, &aside)?;
        }
    }
    Ok(())
}

fn finish_one(database: &Path, aside: &Path) -> io::Result<()> {
    // Made anew from the log by whoever opens it.
    remove(&with(database, SHARED))?;
    rename(database, aside)?;
    remove(&suspicion(database))?;
    sync_folder(database)
}

/// The names of the databases that were set aside, oldest first.
pub(crate) fn all(database: &Path) -> io::Result<Vec<String>> {
    let mut names = beside(database)?;
    names.retain(|name| !name.ends_with(LOG) && !name.ends_with(SHARED));
    names.sort_unstable();
    Ok(names)
}

/// The log of a database.
pub(crate) fn log(database: &Path) -> PathBuf {
    with(database, LOG)
}

/// The file that says that this database is to be checked when it is opened next.
pub(crate) fn suspicion(database: &Path) -> PathBuf {
    with(database, SUSPECT)
}

fn beside(database: &Path) -> io::Result<Vec<String>> {
    let prefix = with(database, MARK);
    let prefix = prefix.file_name().and_then(|name| name.to_str()).unwrap_or(MARK).to_owned();
    let mut names = Vec::new();
    for entry in fs::read_dir(database.parent().unwrap_or(Path::new(".")))? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with(&prefix)));
    }
    Ok(names)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Renames what there is.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what there is.
fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(database: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = database.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_between_the_two_renames_is_made_good() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("phone.db");
        fs::write(&database, b"pages").unwrap();
        fs::write(with(&database, ".broken-7-wal"), b"log").unwrap();
        finish(&database).unwrap();
        assert_eq!(all(&database).unwrap(), ["phone.db.broken-7"]);
        assert_eq!(fs::read(with(&database, ".broken-7")).unwrap(), b"pages");
        assert!(!database.exists());
        finish(&database).unwrap();
        assert_eq!(all(&database).unwrap().len(), 1);
    }

    #[test]
    fn two_at_the_same_instant_are_both_kept() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("phone.db");
        for content in [b"one", b"two"] {
            fs::write(&database, content).unwrap();
            set_aside(&database, Timestamp(5)).unwrap();
        }
        assert_eq!(all(&database).unwrap(), ["phone.db.broken-5", "phone.db.broken-6"]);
        assert_eq!(fs::read(with(&database, ".broken-5")).unwrap(), b"one");
    }
}
