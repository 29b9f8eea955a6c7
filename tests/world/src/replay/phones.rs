//! The phones of a replay, opened when they are first needed.
//!
//! On disk a bounded number is open at once: whoever was not needed for the longest time is closed, and opened again as
//! it was. In memory a phone lives as long as it is open, so there all stay open to the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use moa_phone::{Data, PhoneError};

use super::handset::{Handset, Surroundings};
use crate::town;

/// Whose phone it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A buyer, by the user's id.
    Buyer(u32),
    /// A shop, by the venue's id.
    Shop(u32),
}

/// Where phones keep their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// In memory: what was opened stays open.
    Memory,
    /// On disk.
    Folder {
        /// Here, each in a folder of its own.
        path: PathBuf,
        /// Phones that are open at once, when nobody holds them.
        open: usize,
    },
}

/// All phones.
pub struct Phones {
    around: Surroundings,
    home: Home,
    /// Where the phone numbers of this replay begin.
    first_number: u32,
    shelf: Mutex<Shelf>,
}

/// Phones that nobody holds.
#[derive(Default)]
struct Shelf {
    numbers: BTreeMap<Owner, u32>,
    phones: HashMap<Owner, (u64, Handset)>,
    by_use: BTreeSet<(u64, Owner)>,
    uses: u64,
}

impl Phones {
    /// No phones yet; their numbers are going to count from `first_number`.
    pub fn new(around: Surroundings, home: Home, first_number: u32) -> Self {
        Self { around, home, first_number, shelf: Mutex::default() }
    }

    /// Takes a phone in hand: nobody else may until it is given back.
    ///
    /// # Errors
    /// Storage or key.
    pub fn take(&self, owner: Owner) -> Result<Handset, PhoneError> {
        let mut shelf = self.shelf();
        if let Some((used, handset)) = shelf.phones.remove(&owner) {
            shelf.by_use.remove(&(used, owner));
            return Ok(handset);
        }
        let next = u32::try_from(shelf.numbers.len()).unwrap_or(u32::MAX);
        let number = *shelf.numbers.entry(owner).or_insert(next);
        drop(shelf);
        let data = match (&self.home, owner) {
            (Home::Memory, _) => Data::Memory,
            (Home::Folder { path, .. }, Owner::Buyer(user)) => {
                Data::Directory(path.join(format!("buyer-{user}")))
            }
            (Home::Folder { path, .. }, Owner::Shop(venue)) => {
                Data::Directory(path.join(format!("shop-{venue}")))
            }
        };
        let number = town::number(self.first_number + number);
        Handset::open(number, data, self.around.clone(), matches!(owner, Owner::Buyer(_)))
    }

    /// Lays a phone down. Closes others, if too many are open.
    pub fn give_back(&self, owner: Owner, handset: Handset) {
        let mut closed = Vec::new();
        let mut shelf = self.shelf();
        shelf.uses += 1;
        let used = shelf.uses;
        shelf.phones.insert(owner, (used, handset));
        shelf.by_use.insert((used, owner));
        let most = match self.home {
            Home::Memory => usize::MAX,
            Home::Folder { open, .. } => open,
        };
        while shelf.phones.len() > most {
            let Some((_, longest)) = shelf.by_use.pop_first() else { break };
            closed.extend(shelf.phones.remove(&longest));
        }
        // Closing a database takes a while: not under the lock.
        drop(shelf);
        drop(closed);
    }

    /// Everyone who ever had a phone in hand.
    pub fn owners(&self) -> Vec<Owner> {
        self.shelf().numbers.keys().copied().collect()
    }

    /// Every step under the lock leaves the shelf whole.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
