//! What a phone takes from the world around it: the time and randomness. Passed in, so that a run can be repeated.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

/// A clock and a source of randomness.
pub trait Environment: Send + Sync {
    /// The phone's own clock, right or wrong.
    fn now(&self) -> Timestamp;

    /// Fills the buffer with random bytes.
    fn random(&self, bytes: &mut [u8]);
}

/// The system's clock and randomness.
#[derive(Debug)]
pub struct SystemEnvironment {
    random: SystemRandom,
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self { random: SystemRandom::new() }
    }
}

impl Environment for SystemEnvironment {
    fn now(&self) -> Timestamp {
        // A clock before 1970 reads as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn random(&self, bytes: &mut [u8]) {
        // A system without randomness can't sign either; there is nothing to go on with.
        self.random.fill(bytes).expect("the system has randomness to give");
    }
}

/// A clock that stands until it is moved, and numbers that follow from a seed. For tests and simulations.
#[derive(Debug)]
pub struct SeededEnvironment {
    now: AtomicI64,
    state: Mutex<u64>,
}

impl SeededEnvironment {
    /// Randomness from `seed`, a clock that stands at `now`.
    pub fn new(seed: u64, now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.0), state: Mutex::new(seed) }
    }

    /// Moves the clock on, or back if negative.
    pub fn advance(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.now.store(now.0, Ordering::Relaxed);
    }
}

impl Environment for SeededEnvironment {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }

    /// `SplitMix64`: one seed, one sequence.
    fn random(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A new op id: a `UUIDv7` of the phone's clock and randomness.
pub(crate) fn op_id(environment: &dyn Environment) -> OpId {
    let mut random = [0; 10];
    environment.random(&mut random);
    let millis = u64::try_from(environment.now().0).unwrap_or(0);
    OpId(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().into_bytes())
}

/// A random number in `0..=most`.
pub(crate) fn up_to(environment: &dyn Environment, most: u64) -> u64 {
    let mut bytes = [0; 8];
    environment.random(&mut bytes);
    // Biased by less than one in a thousand million for the spans of minutes that this is used for.
    u64::from_le_bytes(bytes) % (most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence_and_ids_of_version_7() {
        let [one, two] = [(); 2].map(|()| SeededEnvironment::new(7, Timestamp(1_790_000_000_000)));
        let (first, second) = (op_id(&one), op_id(&one));
        assert_eq!((first, second), (op_id(&two), op_id(&two)));
        assert_ne!(first, second);
        assert_eq!(first.version(), 7);
    }

    #[test]
    fn the_clock_stands_until_it_is_moved() {
        let environment = SeededEnvironment::new(0, Timestamp(5));
        assert_eq!(environment.now(), Timestamp(5));
        environment.advance(-7);
        assert_eq!(environment.now(), Timestamp(-2));
        assert_eq!(op_id(&environment).version(), 7);
    }
}
