//! The real HTTP stack on a network and on hosts that fail: the server's router and connections, real phone cores with
//! hyper's client, over turmoil's streams. Delays, partitions, answers held up, hosts that crash and come back, all
//! from a seed.
//!
//! What a seed decides is what goes wrong, when, and what people do; not the order to the last step: `SQLite` and
//! signatures work on threads of their own, and which of two is done first is the machine's business. Simulated time
//! stands while they work: tokio's paused clock does that for `spawn_blocking`, [`street`] for the committer.

pub mod network;
pub mod person;
pub mod street;

use moa_phone::{Environment, SeededEnvironment};
use moa_rules::time::Timestamp;

/// Numbers that follow from a seed.
pub struct Dice(SeededEnvironment);

impl Dice {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(SeededEnvironment::new(seed, Timestamp(0)))
    }

    /// A number from zero to below the limit.
    pub fn below(&self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.random(&mut bytes);
        u64::from_le_bytes(bytes) % limit
    }
}
