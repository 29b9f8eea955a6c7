//! A clock for tests: it stands until it is moved, and it is moved forward only.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use moa_ledger::engine::Clock;
use moa_rules::time::Timestamp;

/// The furthest that the clock goes in one step: ten years. Further is a slip of whoever asks.
const FURTHEST: i64 = 3_660 * Timestamp::DAY;

/// A clock that stands.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

/// The clock does not go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfReach {
    /// Where it stands.
    pub(crate) now: Timestamp,
    /// The furthest that it goes in one step.
    pub(crate) most: Timestamp,
}

impl TestClock {
    /// A clock that stands there.
    pub(crate) fn new(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.0)))
    }

    /// Where it stands.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    /// Moves it on. Where it stands already is no step back.
    pub(crate) fn move_to(&self, to: Timestamp) -> Result<(), OutOfReach> {
        let forward = |now| (now..=Timestamp(now).plus(FURTHEST).0).contains(&to.0).then_some(to.0);
        let moved = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, forward);
        moved.map(drop).map_err(|now| OutOfReach { now: Timestamp(now), most: Timestamp(now).plus(FURTHEST) })
    }

    /// What reads it.
    pub(crate) fn clock(self: &Arc<Self>) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_forward_only_and_ten_years_at_most() {
        let clock = TestClock::new(Timestamp(1_000));
        let (read, most) = (clock.clock(), Timestamp(1_000).plus(FURTHEST));
        for to in [Timestamp(999), Timestamp(i64::MIN), most.plus(1), Timestamp(i64::MAX)] {
            assert_eq!(clock.move_to(to), Err(OutOfReach { now: Timestamp(1_000), most }), "{to:?}");
        }
        for to in [Timestamp(1_000), Timestamp(1_001), most] {
            assert_eq!((clock.move_to(to), read()), (Ok(()), to));
        }
    }
}
