//! What a screen showed without knowing enough of it: asked for one by one, ahead of the directory's own pages.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use moa_rules::id::{GroupId, KeyId, MerchantId};

use crate::phone::Phone;

/// A thing to be looked up in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lookup {
    /// The shop that signs with this key.
    Key(KeyId),
    /// A shop.
    Merchant(MerchantId),
    /// A group.
    Group(GroupId),
}

/// What waits to be looked up. In memory: the directory brings it in the end.
#[derive(Debug, Default)]
pub(crate) struct Wanted(Mutex<Sets>);

#[derive(Debug, Default)]
struct Sets {
    waiting: BTreeSet<Lookup>,
    /// Asked for since the app was opened. A screen that shows itself anew does not ask anew.
    asked: BTreeSet<Lookup>,
}

/// The most that waits; a garbled reader must not fill the memory.
const MOST: usize = 100;

impl Wanted {
    pub fn first(&self) -> Option<Lookup> {
        self.lock().waiting.first().copied()
    }

    pub fn remove(&self, lookup: Lookup) {
        self.lock().waiting.remove(&lookup);
    }

    pub fn contains(&self, lookup: Lookup) -> bool {
        self.lock().waiting.contains(&lookup)
    }

    fn insert(&self, lookup: Lookup) -> bool {
        let mut sets = self.lock();
        if sets.waiting.len() >= MOST {
            return false;
        }
        sets.asked.insert(lookup);
        sets.waiting.insert(lookup)
    }

    fn insert_once(&self, lookup: Lookup) -> bool {
        !self.lock().asked.contains(&lookup) && self.insert(lookup)
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phone {
    /// Asks for a thing with the next sync, and wakes it.
    pub fn want(&self, lookup: Lookup) {
        if self.wanted.insert(lookup) {
            self.changed();
        }
    }

    /// The same, unless it was asked for before.
    pub(crate) fn want_once(&self, lookup: Lookup) {
        if self.wanted.insert_once(lookup) {
            self.changed();
        }
    }
}
