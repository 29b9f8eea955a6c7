//! The hash chain of an inbox: over the events' bytes as the server made them.

use moa_rules::event::Inbox;

use crate::canonical;
use crate::keys::sha256;

/// The hash of an inbox with nothing in it. Differs by inbox, so that no event can be shown in another's place.
pub fn start(inbox: Inbox) -> [u8; 32] {
    sha256(&[b"moa/inbox", &canonical::encode(&inbox)])
}

/// The hash after event number `number` (from 1) was added.
pub fn next(previous: [u8; 32], number: u64, event: &[u8]) -> [u8; 32] {
    sha256(&[&previous, &number.to_be_bytes(), event])
}
