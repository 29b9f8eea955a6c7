//! Accruals and redemptions on one database, spread evenly and all at one shop: through the engine, and over HTTP.
//!
//! Everything is measured in a few rounds, so that whatever else the machine is doing falls on all of it; the median counts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use moa_ledger::engine::Engine;
use moa_ledger::postgres::PostgresStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::Store;
use moa_ledger::tables::system_device;
use moa_rules::quantity::Money;
use moa_rules::time::Validity;
use moa_wire::keys::{Signer, SoftwareKey};

use super::city::{City, Spread, Trade};
use super::load::Waited;
use super::{Figure, load, millis, server};
use crate::Failure;
use crate::program::{self, Program};

/// Buyers, and how many of them go to one shop: enough shops that clients seldom meet at one.
pub const BUYERS: usize = 12_800;
/// Of each shop.
pub const BUYERS_OF_A_SHOP: usize = 20;
/// Won of what everyone earned beforehand: more than the measurement redeems.
const BEFORE: Money = Money(10_000);
/// Times that everything is measured.
pub const ROUNDS: usize = 5;
/// Clients at once, and the share of the ops that so few do in a time worth waiting for.
const CLIENTS: [(usize, usize); 3] = [(1, 8), (16, 2), (64, 1)];
/// What is held against other measurements.
pub const MOST_CLIENTS: usize = 64;

/// What is done, and where.
pub const KINDS: [(Trade, Spread); 4] = [
    (Trade::Accruals, Spread::Even),
    (Trade::Accruals, Spread::Hot),
    (Trade::Redemptions, Spread::Even),
    (Trade::Redemptions, Spread::Hot),
];

/// By what way ops come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Signatures checked beforehand.
    Engine,
    /// As phones send them.
    Http,
}

/// A database and the folder with the server's key.
pub struct Home<'a> {
    /// The folder; with the database, if that is SQLite.
    pub folder: &'a Path,
    /// PostgreSQL's address and process, if it is that.
    pub postgres: Option<(String, u32)>,
}

/// What was measured in one round.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Ops a second.
    pub per_second: f64,
    p50: f64,
    p99: f64,
    /// Processor time an op of whoever decides, in microseconds; through the engine the clients' is in it.
    server_us: f64,
    /// Of the database.
    database_us: f64,
}

/// Everything that was measured, by index of [`KINDS`], way and clients.
#[derive(Default)]
pub struct Paces(BTreeMap<(usize, Way, usize), Vec<Pace>>);

impl Home<'_> {
    /// The server makes its folder and tables itself.
    fn found(&self) -> Result<(Arc<dyn Store>, Arc<SoftwareKey>), Failure> {
        self.serve()?.kill()?;
        let key = SoftwareKey::from_pkcs8(&std::fs::read(self.folder.join("server-key.p8"))?)?;
        Ok((self.open(&key)?, Arc::new(key)))
    }

    fn open(&self, key: &SoftwareKey) -> Result<Arc<dyn Store>, Failure> {
        let device = system_device(key.public_key());
        Ok(match &self.postgres {
            Some((url, _)) => Arc::new(PostgresStore::open(url, &device)?),
            None => Arc::new(SqliteStore::open(&moa_server::database(self.folder), &device)?),
        })
    }

    fn serve(&self) -> Result<Program, Failure> {
        Program::start_on(self.folder, self.postgres.as_ref().map(|(url, _)| url.as_str()))
    }

    fn database_us(&self) -> Result<u64, Failure> {
        self.postgres.as_ref().map_or(Ok(0), |(_, process)| program::cpu_us_of_family(*process))
    }

    /// Measures what `working` does, against the processor time of `deciding` and of the database.
    async fn measure(
        &self,
        deciding: u32,
        count: usize,
        working: impl Future<Output = Result<Waited, Failure>>,
    ) -> Result<Pace, Failure> {
        let (server, database) = (program::cpu_us(deciding)?, self.database_us()?);
        let mut waited = working.await?;
        let (server, database) = (program::cpu_us(deciding)? - server, self.database_us()? - database);
        Ok(Pace {
            per_second: waited.per_second(),
            p50: millis(waited.at(50)),
            p99: millis(waited.at(99)),
            server_us: server::ratio(server, count as u64),
            database_us: server::ratio(database, count as u64),
        })
    }
}

/// Fills a database with people, then measures `most` ops of each kind with the most clients, fewer with fewer. `between` runs
/// before each round.
///
/// # Errors
/// If anything is refused.
pub async fn measure(
    home: &Home<'_>,
    most: usize,
    mut between: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Paces, Failure> {
    let (store, key) = home.found()?;
    let mut city = City::found_of(&*store, key.clone(), BUYERS, BUYERS_OF_A_SHOP, Validity::Months(6))?;
    city.endow(&*store, BEFORE)?;
    drop(store);
    let mut paces = Paces::default();
    for round in 0..ROUNDS {
        between(round)?;
        for (kind, what) in KINDS.into_iter().enumerate() {
            for (clients, part) in CLIENTS {
                let count = most / part;
                let mut keep = |way, pace| paces.0.entry((kind, way, clients)).or_default().push(pace);

                let ops = city.trade(what, clients, count)?;
                let engine = Engine::start(home.open(&key)?, Arc::new(crate::now));
                let pace = home.measure(std::process::id(), count, load::through(engine.clone(), ops)).await;
                engine.stop();
                drop(engine);
                keep(Way::Engine, pace?);

                let ops = city.trade(what, clients, count)?;
                let program = home.serve()?;
                let pace = home.measure(program.id(), count, load::over_http(&program, ops)).await?;
                keep(Way::Http, pace);
            }
        }
    }
    Ok(paces)
}

impl Paces {
    /// The median of the rounds, by what was done a second.
    pub fn median(&self, kind: usize, way: Way, clients: usize) -> Option<Pace> {
        let mut rounds = self.0.get(&(kind, way, clients))?.clone();
        rounds.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        rounds.get(rounds.len() / 2).copied()
    }

    /// Prints every median, and how one hot shop compares to many.
    pub fn print(&self) {
        for (kind, (trade, spread)) in KINDS.into_iter().enumerate() {
            for way in [Way::Engine, Way::Http] {
                for (clients, _) in CLIENTS {
                    let Some(pace) = self.median(kind, way, clients) else { continue };
                    println!(
                        "{trade:?}, {spread:?}, {way:?}, {clients:2} clients {:8.0} /s   p50 {:6.1} ms  p99 {:6.1} ms   {:4.0} CPU-µs of the server, {:4.0} of the database",
                        pace.per_second, pace.p50, pace.p99, pace.server_us, pace.database_us
                    );
                }
            }
        }
        println!();
        for (what, even, way) in [
            ("accruals at one hot shop ÷ even, engine", 0, Way::Engine),
            ("accruals at one hot shop ÷ even, over HTTP", 0, Way::Http),
            ("redemptions at one hot shop ÷ even, engine", 2, Way::Engine),
            ("redemptions at one hot shop ÷ even, over HTTP", 2, Way::Http),
        ] {
            let at = |kind| self.median(kind, way, MOST_CLIENTS).map(|pace| pace.per_second);
            if let (Some(even), Some(hot)) = (at(even), at(even + 1)) {
                Figure::new(what, 100.0 * hot / even, "%").at_least(80.0).print();
            }
        }
    }
}
