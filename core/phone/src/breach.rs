//! Integrity: what the server sent does not match what it signed, or what it sent before.

use std::fmt;

use moa_wire::api::InboxName;
use serde::{Deserialize, Serialize};

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::store::inbox;

/// An inbox that does not add up. It is set aside: nothing more of it is applied until a snapshot is taken. The
/// breach is shown until a person has the phone [start over](crate::Phone::start_over).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// The inbox.
    pub inbox: InboxName,
    /// The number of the first event that is in doubt.
    pub number: u64,
    /// What does not match.
    pub what: Mismatch,
}

/// What does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// The events do not follow those before without a gap.
    Numbering,
    /// The head is not one that the server signed.
    HeadSignature,
    /// The head is that of another inbox, or after another event.
    HeadElsewhere,
    /// The hash over the events is not that in the head.
    Hash,
    /// A snapshot stands before events that this phone has seen, or beside them.
    WentBack,
}

/// How far this phone has followed an inbox, by its own reckoning from the events that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reckoned {
    /// The inbox.
    pub inbox: InboxName,
    /// Events in it.
    pub count: u64,
    /// The hash over them (`moa_wire::chain`), to be held against the server's.
    pub hash: [u8; 32],
}

impl Phone {
    /// How far every inbox was followed.
    ///
    /// # Errors
    /// Storage.
    pub fn reckoned(&self) -> Result<Vec<Reckoned>, PhoneError> {
        let followed = self.store().read(inbox::all)?.into_iter();
        let reckoned = |(name, followed): (_, inbox::Followed)| Reckoned {
            inbox: InboxName::from(name),
            count: followed.count,
            hash: followed.hash,
        };
        Ok(followed.map(reckoned).collect())
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = match self.inbox {
            InboxName::Account(id) => ("account", id.to_string()),
            InboxName::Merchant(id) => ("merchant", id.to_string()),
            InboxName::Group(id) => ("group", id.to_string()),
            InboxName::Till(id) => ("till", id.to_string()),
        };
        write!(f, "{:?} at event {} of {kind} {id}", self.what, self.number)
    }
}
