//! Carriers: what takes a text message to a phone.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;

/// The most messages that the development carrier keeps.
const KEPT: usize = 1_000;

/// Whoever carries it did not take the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it was not taken: {reason}")]
pub struct NotSent {
    /// Why, for the log: nothing of whom it was for.
    pub reason: String,
    /// What to do about it.
    pub then: Then,
}

/// What becomes of a message that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is sent again after a while.
    Later,
    /// It is sent again after so many seconds at least, as the carrier asked.
    After(u64),
    /// It will never be taken: nothing more is tried.
    Never,
}

impl NotSent {
    /// To be tried again.
    pub fn later(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), then: Then::Later }
    }

    /// To be tried again after so many seconds.
    pub fn after(seconds: u64, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), then: Then::After(seconds) }
    }

    /// Not to be tried again.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), then: Then::Never }
    }
}

/// Takes text messages to phones.
pub trait Carrier: Send + Sync {
    /// Sends `text` to the number `to` (E.164). The same `id` again is the same message: a carrier that can tell
    /// sends it once.
    fn send<'a>(&'a self, id: [u8; 16], to: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), NotSent>>;
}

/// A message that the development carrier was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As given.
    pub id: [u8; 16],
    /// The number, in E.164.
    pub to: String,
    /// What the phone would show.
    pub text: String,
}

/// Sends nothing: shows each message in the log and keeps the last 1 000. For development and tests.
#[derive(Debug, Default)]
pub struct Development {
    messages: Mutex<VecDeque<Message>>,
}

impl Development {
    /// The messages for a number (E.164), oldest first.
    pub fn messages(&self, to: &str) -> Vec<Message> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().filter(|message| message.to == to).cloned().collect()
    }
}

impl Carrier for Development {
    fn send<'a>(&'a self, id: [u8; 16], to: &'a str, text: &'a str) -> BoxFuture<'a, Result<(), NotSent>> {
        Box::pin(async move {
            let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            if messages.iter().any(|message| message.id == id) {
                return Ok(());
            }
            tracing::info!(to, text, "a text message (development: shown, not sent)");
            if messages.len() == KEPT {
                messages.pop_front();
            }
            messages.push_back(Message { id, to: to.to_owned(), text: text.to_owned() });
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn send(carrier: &Development, id: u16, to: &str) {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        assert_eq!(carrier.send(bytes, to, "hello").now_or_never(), Some(Ok(())));
    }

    #[test]
    fn a_message_sent_twice_is_kept_once() {
        let carrier = Development::default();
        send(&carrier, 1, "+821012345678");
        send(&carrier, 1, "+821012345678");
        assert_eq!(carrier.messages("+821012345678").len(), 1);
        assert!(carrier.messages("+821087654321").is_empty());
    }

    #[test]
    fn the_last_thousand_are_kept() {
        let carrier = Development::default();
        (0..1_200).for_each(|id| send(&carrier, id, "+821012345678"));
        let messages = carrier.messages("+821012345678");
        assert_eq!((messages.len(), messages[0].id[1]), (1_000, 200));
    }
}
