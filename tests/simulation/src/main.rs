//! `simulation`: as many seeds as asked for, and what they did.

use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{Parser, ValueEnum};
use moa_simulation::{LedgerKind, Settings, Totals, run_many};

/// Simulates towns of phones and one ledger, with every fault there is. Exits with 1 if anything did not hold.
#[derive(Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// This one only.
    #[arg(long)]
    seed: Option<u64>,
    /// People with a phone in each town.
    #[arg(long, default_value_t = 20)]
    phones: usize,
    /// How many of them have a shop; two in five, if not given.
    #[arg(long)]
    shops: Option<usize>,
    /// Groups; one for three shops, if not given.
    #[arg(long)]
    groups: Option<usize>,
    /// Simulated days.
    #[arg(long, default_value_t = 7)]
    days: u32,
    /// Where the ledger is; drawn by each seed if not given.
    #[arg(long)]
    ledger: Option<Kind>,
    /// Nothing goes wrong.
    #[arg(long)]
    no_faults: bool,
    /// Seeds at a time.
    #[arg(long)]
    threads: Option<usize>,
    /// Prints the trace as it happens; one seed at a time.
    #[arg(long)]
    aloud: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Memory,
    Sqlite,
}

impl From<Kind> for LedgerKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Memory => Self::Memory,
            Kind::Sqlite => Self::Sqlite,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Arguments { seeds, first, seed, phones, shops, groups, days, ledger, no_faults, threads, aloud } =
        arguments;
    let settings = Settings {
        phones,
        shops,
        groups,
        days,
        faults: !no_faults,
        ledger: ledger.map(LedgerKind::from),
        aloud,
        ..Settings::default()
    };
    let range = seed.map_or(first..first.saturating_add(seeds), |seed| seed..seed + 1);
    let count = range.end - range.start;
    let threads =
        if aloud { 1 } else { threads.or_else(|| available_parallelism().ok().map(Into::into)).unwrap_or(1) };
    let totals = run_many(range, &settings, threads, false, |seed, result| match result {
        Ok(outcome) => {
            let mut first = [0; 8];
            first.copy_from_slice(&outcome.digest[..8]);
            println!("seed {seed} held, digest {:016x}", u64::from_be_bytes(first));
        }
        Err(failure) => println!("{failure}"),
    });
    report(&totals, count, days);
    if totals.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(totals: &Totals, seeds: u64, days: u32) {
    let faults: u64 = totals.faults();
    for (what, count) in &totals.counts {
        println!("{count:>10} {what}");
    }
    let millis = u64::try_from(totals.took.as_millis()).unwrap_or(u64::MAX).max(1);
    let a_minute = |count: u64| count * 60_000 / millis;
    println!(
        "{} of {seeds} seeds held, {} days simulated, {faults} faults, in {}.{:03} s: {} days and {} faults a minute",
        totals.held,
        seeds * u64::from(days),
        millis / 1_000,
        millis % 1_000,
        a_minute(seeds * u64::from(days)),
        a_minute(faults),
    );
    for failure in &totals.failures {
        println!("seed {} did not hold: {}", failure.seed, failure.what);
    }
}
