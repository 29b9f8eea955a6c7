//! Measurements: one run, each figure beside what it is to be held against, the machine's state noted first.
//!
//! Absolute figures wander on a shared machine; ratios to what SQLite gives on the same disk in the same run wander less,
//! and processor time per accrual hardly.

mod city;
mod flood;
mod growth;
mod load;
mod machine;
mod phone;
mod postgres;
mod search;
mod server;
mod sweep;
mod trade;
mod wallet;
mod wire;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;

pub use phone::resident_memory;

/// A figure, and the goal that it is to stay within.
struct Figure {
    what: &'static str,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
}

/// What a figure is to stay within.
#[derive(Clone, Copy)]
enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn new(what: &'static str, value: f64, unit: &'static str) -> Self {
        Self { what, value, unit, goal: None }
    }

    fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtMost(goal)), ..self }
    }

    fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(goal)), ..self }
    }

    fn print(&self) {
        let Self { what, value, unit, goal } = self;
        let told = |sign: &str, goal: f64, missed: bool| {
            format!("   goal {sign} {goal}{}", if missed { ": MISSED" } else { "" })
        };
        let goal = goal.map(|goal| match goal {
            Goal::AtMost(goal) => told("≤", goal, *value > goal),
            Goal::AtLeast(goal) => told("≥", goal, *value < goal),
        });
        println!("{what:58} {value:10.1} {unit}{}", goal.unwrap_or_default());
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Accruals per second.
    Server,
    /// Accruals and redemptions per second on SQLite, even and at one hot shop.
    Sqlite,
    /// The same on PostgreSQL, beside pgbench.
    Postgres,
    /// Time, disk and memory of one phone.
    Phone,
    /// Bytes.
    Wire,
    /// Good requests amid bad ones.
    Flood,
    /// A wallet of thousands of lots, spent at once.
    Wallet,
    /// Very many lots that expire at once.
    Sweep,
    /// A country of shops that are searched.
    Search,
    /// The same load on ever more lots: only when asked for, it takes long.
    Growth,
}

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Accruals of each measurement of the server, and of each step of the growth.
    pub accruals: usize,
    /// Lots that expire.
    pub expiring: usize,
    /// Lots that there are at each step of the growth.
    pub lots: Vec<usize>,
}

/// Runs one measurement, or every one, its files in a folder of its own below `folder`, and prints what it finds.
///
/// # Errors
/// If anything does not work: a measurement of something broken is none.
pub async fn run(folder: &Path, sizes: &Sizes, only: Option<Part>) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    machine::print();
    let wanted = |part| only.is_none_or(|only| only == part);
    if wanted(Part::Server) {
        print_server(folder.path(), sizes.accruals).await?;
    }
    if wanted(Part::Sqlite) {
        println!("\n## SQLite: durable accruals and redemptions, even and at one hot shop\n");
        let home = trade::Home { folder: &folder.path().join("sqlite"), postgres: None };
        trade::measure(&home, sizes.accruals, |_| Ok(())).await?.print();
    }
    if wanted(Part::Postgres) {
        println!("\n## PostgreSQL: the same, beside pgbench that writes the same rows\n");
        postgres::measure(&folder.path().join("postgres"), sizes.accruals).await?;
    }
    if wanted(Part::Phone) {
        println!("\n## Phone\n");
        phone::measure(&folder.path().join("phone")).await?.iter().for_each(Figure::print);
    }
    if wanted(Part::Wire) {
        println!(
            "\n## Bytes on the wire, both ways, headers and all, per accrual (shop and buyer together)\n"
        );
        wire::measure(&folder.path().join("wire")).await?.iter().for_each(Figure::print);
    }
    if wanted(Part::Flood) {
        println!("\n## A flood: good requests at 100 a second, bad ones at 1,000\n");
        flood::measure(&folder.path().join("flood")).await?.iter().for_each(Figure::print);
    }
    if wanted(Part::Wallet) {
        println!("\n## A wallet of 5,000 one-unit lots, spent in one redemption\n");
        wallet::measure(&folder.path().join("wallet"))?.iter().for_each(Figure::print);
    }
    if wanted(Part::Sweep) {
        println!("\n## {} lots that expire at once, amid people who go on\n", sizes.expiring);
        sweep::measure(&folder.path().join("sweep"), sizes.expiring).await?.iter().for_each(Figure::print);
    }
    if wanted(Part::Search) {
        println!("\n## 100,000 shops in 5,000 groups, searched on SQLite\n");
        search::measure(&folder.path().join("search"))?.iter().for_each(Figure::print);
    }
    if only == Some(Part::Growth) {
        println!("\n## The same load on ever more lots: 64 clients, one op in eight a redemption\n");
        growth::measure(&folder.path().join("growth"), &sizes.lots, sizes.accruals).await?;
    }
    Ok(())
}

async fn print_server(folder: &Path, accruals: usize) -> Result<(), Failure> {
    let at = |name: &str| folder.join(name);

    println!("\n## Server: durable accruals per second (a sale and a claim each, every signature checked)\n");
    let sync = server::raw_sync(&at("raw.db"), 500)?;
    println!("{:58} {sync:10.0} /s", "SQLite alone, one row of 1 kB a commit: this disk's sync");
    let mut ceiling = 1.0;
    for batch in [1, 64] {
        let stored = at(&format!("store-{batch}.db"));
        let store = server::store_alone(&stored, accruals, batch)?;
        let raw = server::raw_tables(&stored, &at(&format!("raw-{batch}.db")), accruals, batch)?;
        println!("{:58} {raw:10.0} /s", format!("SQLite alone, the same rows, {batch} a commit"));
        println!(
            "{:58} {store:10.0} /s   {:5.2} × that",
            format!("the store, {batch} a commit"),
            store / raw
        );
        ceiling = raw;
    }
    println!("\nover HTTP; × the same rows 64 a commit, × one row a commit\n");
    for (clients, batch) in [(1, 1), (16, 1), (64, 1), (1, 100), (4, 100)] {
        let each = (accruals / clients).next_multiple_of(batch);
        let m = server::over_http(&at(&format!("data-{clients}-{batch}")), clients, each, batch).await?;
        println!(
            "{clients:3} clients, {batch:3} a request {:8.0} /s  {:5.2} ×  {:6.2} ×   p50 {:6.1} ms  p99 {:6.1} ms   {:4.0} CPU-µs   {} B on disk, {} without evidence",
            m.per_second,
            m.per_second / ceiling,
            m.per_second / sync,
            m.p50.as_secs_f64() * 1e3,
            m.p99.as_secs_f64() * 1e3,
            m.cpu_us,
            m.bytes,
            m.hot_bytes
        );
    }
    Ok(())
}

/// The value in the middle.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// How long each of `count` calls took.
fn timed<T>(count: usize, mut call: impl FnMut() -> Result<T, Failure>) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let started = Instant::now();
        call()?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
