//! Towns of phones and one ledger, simulated: no sockets, no threads, no clock but the queue's.
//!
//! A seed makes a world: who is there, what they do, what goes wrong and when. The phones are real
//! (`moa_phone::Phone` and its sync machine), and so is the ledger (`moa_ledger`, in memory or on SQLite); between
//! them a stand-in for HTTP loses, doubles, delays, halves and forges answers. After the last day the faults stop,
//! everything drains, and ledger and phones are held against each other. The same seed gives the same run to the
//! last byte; a run's digest says so.

mod afterwards;
mod alliance;
mod check;
mod faults;
mod inviting;
mod key;
mod keys;
mod law;
mod ledger;
mod mishaps;
mod network;
mod owed;
mod passes;
mod person;
mod reads;
mod rng;
mod runner;
#[cfg(feature = "sabotage")]
mod sabotage;
mod server;
mod town;
mod trace;
mod watch;
mod world;

use std::collections::BTreeMap;
use std::fmt;

use moa_rules::time::Timestamp;

pub use ledger::LedgerKind;
pub use runner::{Totals, run_many};
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;

use world::World;

/// When every world begins: 21 November 2026, midnight in Seoul.
const START: Timestamp = Timestamp(1_795_186_800_000);

/// What stands in the way of going on: a sentence for whoever reads the failing seed.
type Step<T = ()> = Result<T, String>;

/// How large a world is, and what may go wrong in it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// People with a phone. One in eight has a second one beside.
    pub phones: usize,
    /// How many of them have a shop; two in five, if not given.
    pub shops: Option<usize>,
    /// Groups; one for three shops, if not given.
    pub groups: Option<usize>,
    /// Simulated days before the faults stop.
    pub days: u32,
    /// Whether anything goes wrong at all.
    pub faults: bool,
    /// Where the ledger is; drawn by the seed if not given.
    pub ledger: Option<LedgerKind>,
    /// Prints the trace while it happens.
    pub aloud: bool,
    /// What is wrong with the ledger or the phones, on purpose.
    #[cfg(feature = "sabotage")]
    pub sabotage: Option<Sabotage>,
}

impl Default for Settings {
    /// Twenty phones for seven days, with faults.
    fn default() -> Self {
        Self {
            phones: 20,
            shops: None,
            groups: None,
            days: 7,
            faults: true,
            ledger: None,
            aloud: false,
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }
}

impl Settings {
    /// Whether every phone is on disk, for what only a restart shows.
    fn needs_disk(&self) -> bool {
        #[cfg(feature = "sabotage")]
        if self.sabotage.is_some_and(Sabotage::is_of_phones) {
            return true;
        }
        false
    }
}

/// A run in which everything held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// SHA-256 over everything that happened.
    pub digest: [u8; 32],
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
}

/// A run in which something did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What did not hold, and when.
    pub what: String,
    /// How to see it again.
    pub again: String,
    /// The last lines of the trace.
    pub tail: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tail.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        write!(f, "again: {}", self.again)
    }
}

/// Runs one seed.
///
/// # Errors
/// [`Failure`] with what did not hold.
pub fn run(seed: u64, settings: &Settings) -> Result<Outcome, Failure> {
    let failure = |what, tail| Failure { seed, what, again: again(seed, settings), tail };
    let mut world = World::new(seed, settings).map_err(|what| failure(what, Vec::new()))?;
    match world.run() {
        Ok(()) => Ok(Outcome { digest: world.trace.digest(), counts: world.counts.clone() }),
        Err(what) => Err(failure(format!("{}: {what}", trace::moment(world.now)), world.trace.tail())),
    }
}

fn again(seed: u64, settings: &Settings) -> String {
    let Settings { phones, days, faults, ledger, .. } = settings;
    let given =
        |name: &str, count: Option<usize>| count.map_or(String::new(), |count| format!(" --{name} {count}"));
    let town = given("shops", settings.shops) + &given("groups", settings.groups);
    let faults = if *faults { "" } else { " --no-faults" };
    let ledger = match ledger {
        None => "",
        Some(LedgerKind::Memory) => " --ledger memory",
        Some(LedgerKind::Sqlite) => " --ledger sqlite",
    };
    format!(
        "cargo run -p moa-simulation -- --seed {seed} --phones {phones} --days {days}{town}{faults}{ledger} --aloud"
    )
}
