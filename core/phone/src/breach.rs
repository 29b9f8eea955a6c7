//! Integrity: what the server sent does not match what it signed, or what it sent before.

use std::fmt;

use moa_wire::api::InboxName;
use serde::{Deserialize, Serialize};

/// An inbox that does not add up. It is set aside: nothing more of it is applied until the phone starts over.
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

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = match self.inbox {
            InboxName::Account(id) => ("account", id.to_string()),
            InboxName::Merchant(id) => ("merchant", id.to_string()),
            InboxName::Group(id) => ("group", id.to_string()),
        };
        write!(f, "{:?} at event {} of {kind} {id}", self.what, self.number)
    }
}
