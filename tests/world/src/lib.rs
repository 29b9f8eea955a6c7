//! A town of shops and phones over the real server: for the demo, for replays, for loads, and for tests that need
//! both sides.

pub mod bench;
pub mod books;
pub mod cable;
pub mod laboratory;
pub mod messages;
pub mod network;
pub mod picture;
pub mod program;
pub mod raw;
pub mod replay;
pub mod resident;
pub mod story;
pub mod town;
pub mod witness;

use std::time::{SystemTime, UNIX_EPOCH};

use moa_rules::time::Timestamp;

/// Anything that went wrong: whoever runs a town stops at the first.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The system's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
