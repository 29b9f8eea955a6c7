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

/// New op ids: each a `UUIDv7` of the phone's clock and randomness. Those of one millisecond are in the order in which they were
/// drawn (RFC 9562, 6.2, method 2), so that lists in order of ids are in the order of what was done.
#[derive(Debug, Default)]
pub(crate) struct OpIds(Mutex<u128>);

impl OpIds {
    /// The next one.
    pub(crate) fn next(&self, environment: &dyn Environment) -> OpId {
        /// Where the milliseconds begin; below them version, variant and randomness.
        const MILLIS: u32 = 80;
        let mut random = [0; 10];
        environment.random(&mut random);
        let millis = u64::try_from(environment.now().0).unwrap_or(0);
        let fresh = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().as_u128();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let overtaken = fresh >> MILLIS == *last >> MILLIS && fresh <= *last;
        *last = if overtaken { *last + 1 } else { fresh };
        OpId(last.to_be_bytes())
    }
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
        let [ids, others] = [(); 2].map(|()| OpIds::default());
        let (first, second) = (ids.next(&one), ids.next(&one));
        assert_eq!((first, second), (others.next(&two), others.next(&two)));
        assert_ne!(first, second);
        assert_eq!(first.version(), 7);
    }

    #[test]
    fn the_clock_stands_until_it_is_moved() {
        let environment = SeededEnvironment::new(0, Timestamp(5));
        assert_eq!(environment.now(), Timestamp(5));
        environment.advance(-7);
        assert_eq!(environment.now(), Timestamp(-2));
        assert_eq!(OpIds::default().next(&environment).version(), 7);
    }

    #[test]
    fn ids_of_one_millisecond_are_in_order() {
        let (environment, ids) = (SeededEnvironment::new(1, Timestamp(1_790_000_000_000)), OpIds::default());
        let drawn: Vec<OpId> = (0..1_000).map(|_| ids.next(&environment)).collect();
        assert!(drawn.is_sorted_by(|one, next| one < next));
        assert!(drawn.iter().all(|id| id.version() == 7));
        environment.advance(-1);
        assert!(ids.next(&environment) < drawn[0], "a clock that was set back is not followed");
    }
}
