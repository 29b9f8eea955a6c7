//! Many seeds, several at a time. A world knows nothing of the others, nor of threads.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, Outcome, Settings, again, run};

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Totals {
    /// Seeds in which everything held.
    pub held: u64,
    /// The others.
    pub failures: Vec<Failure>,
    /// How often what happened, in all of them.
    pub counts: BTreeMap<&'static str, u64>,
    /// How long it took.
    pub took: Duration,
}

/// Runs seeds on so many threads, telling of each as it is done. Stops at the first failure, if asked to.
pub fn run_many(
    seeds: Range<u64>,
    settings: &Settings,
    threads: usize,
    stop_at_failure: bool,
    tell: impl Fn(u64, &Result<Outcome, Failure>) + Sync,
) -> Totals {
    let begun = Instant::now();
    let (next, totals) = (AtomicU64::new(seeds.start), Mutex::new(Totals::default()));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return;
        }
        let result = catch_unwind(|| run(seed, settings))
            .unwrap_or_else(|panic| Err(panicked(seed, settings, &*panic)));
        tell(seed, &result);
        let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(outcome) => {
                totals.held += 1;
                for (what, count) in outcome.counts {
                    *totals.counts.entry(what).or_default() += count;
                }
            }
            Err(failure) => {
                totals.failures.push(failure);
                if stop_at_failure {
                    next.store(seeds.end, Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    totals.took = begun.elapsed();
    totals
}

fn panicked(seed: u64, settings: &Settings, panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    Failure { seed, what: format!("a panic: {text}"), again: again(seed, settings), tail: Vec::new() }
}

/// What is counted and is no fault.
const EVERYDAY: [&str; 53] = [
    "amendments rejected",
    "approvals honoured",
    "certificates renewed",
    "choices without a question",
    "debts paid",
    "devices admitted",
    "devices revoked",
    "gifts",
    "gifts taken away",
    "groups closing",
    "holds captured",
    "holds lapsed",
    "holds made",
    "holds voided",
    "lots revived",
    "members frozen or let go",
    "members gone",
    "ops forged",
    "passes asked for",
    "passes honoured",
    "payments online",
    "redemptions undone",
    "refunds",
    "refunds that left a debt",
    "sales voided",
    "staff invited",
    "staff removed",
    "terms amended",
    "standing choices",
    "standing choices decided",
    "choices",
    "sales that lapsed",
    "sales that waited",
    "sales to a member code",
    "calls refused",
    "claims",
    "long polls",
    "lots expired",
    "lots issued",
    "ops applied",
    "ops refused",
    "other events",
    "redemption codes",
    "redemptions approved",
    "redemptions asked",
    "requests",
    "requests offline",
    "requests to a server that is down",
    "sales",
    "screens looked at",
    "hotspot pages",
    "requests slow",
    "answers slow",
];

impl Totals {
    /// How many faults struck.
    pub fn faults(&self) -> u64 {
        self.counts.iter().filter(|(what, _)| !EVERYDAY.contains(what)).map(|(_, count)| count).sum()
    }
}
