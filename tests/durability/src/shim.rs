//! The library between the server and its disk (`disk.c`), and what it can be told to do.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// Where the library is: built with this crate.
const LIBRARY: &str = env!("MOA_DISK_SHIM");

/// What happens to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// The power goes instead of this step, counted from one.
    pub cut_at: Option<u64>,
    /// The database's syncs do nothing, as with `synchronous=OFF`.
    pub lies: bool,
}

/// Trouble that can be made and ended while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spell {
    /// No file grows.
    Full,
    /// Nothing can be written.
    ReadOnly,
    /// Syncs fail.
    SyncFails,
}

impl Spell {
    const ALL: [Self; 3] = [Self::Full, Self::ReadOnly, Self::SyncFails];

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Full => ("MOA_DISK_FULL", "full"),
            Self::ReadOnly => ("MOA_DISK_READ_ONLY", "read-only"),
            Self::SyncFails => ("MOA_DISK_FAILS", "fails"),
        }
    }
}

/// A folder's disk: the log of what is done to it, and what ails it.
#[derive(Debug)]
pub struct Shim {
    beside: PathBuf,
}

impl Shim {
    /// A disk whose log and switches are kept in the folder `beside`.
    pub fn new(beside: &Path) -> Self {
        Self { beside: beside.to_owned() }
    }

    /// Puts the library between a program and the folder `data`, with a new log.
    ///
    /// # Errors
    /// If the old log cannot be removed.
    pub fn around(&self, command: &mut Command, data: &Path, trouble: Trouble) -> Result<(), Failure> {
        let log = self.log_path();
        if log.exists() {
            std::fs::remove_file(&log)?;
        }
        command.env("LD_PRELOAD", LIBRARY).env("MOA_DISK", data.canonicalize()?).env("MOA_DISK_LOG", log);
        if let Some(step) = trouble.cut_at {
            command.env("MOA_DISK_CUT", step.to_string());
        }
        if trouble.lies {
            command.env("MOA_DISK_LIES", "1");
        }
        for spell in Spell::ALL {
            command.env(spell.names().0, self.switch(spell));
        }
        Ok(())
    }

    /// Begins or ends a spell.
    ///
    /// # Errors
    /// If its switch cannot be written.
    pub fn set(&self, spell: Spell, on: bool) -> Result<(), Failure> {
        let switch = self.switch(spell);
        if on {
            std::fs::write(switch, b"")?;
        } else {
            std::fs::remove_file(switch)?;
        }
        Ok(())
    }

    /// What was written down.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn log(&self) -> Result<Vec<u8>, Failure> {
        Ok(std::fs::read(self.log_path())?)
    }

    fn log_path(&self) -> PathBuf {
        self.beside.join("disk.log")
    }

    fn switch(&self, spell: Spell) -> PathBuf {
        self.beside.join(spell.names().1)
    }
}
