//! Accruals and redemptions on PostgreSQL, beside what `pgbench` gives that writes the same rows, one prepared statement a row:
//! on a server of our own, with what it commits on the disk when it says so.

use std::fs::write;
use std::path::{Path, PathBuf};

use moa_database::{Database, Server};
use moa_ledger::postgres::PostgresStore;
use moa_ledger::tables::system_device;
use moa_wire::keys::{Signer, SoftwareKey};

use super::city::{Spread, Trade};
use super::trade::{BUYERS, BUYERS_OF_A_SHOP, Home, KINDS, MOST_CLIENTS, ROUNDS, Way, measure as trade};
use super::{Figure, server};
use crate::Failure;
use crate::program::cpu_us_of_family;

const ACCRUAL: &str = include_str!("../../pgbench/accrual.sql");
const REDEMPTION: &str = include_str!("../../pgbench/redemption.sql");
const BEFORE: &str = include_str!("../../pgbench/before.sql");

/// Seconds of each run of `pgbench`.
const SECONDS: &str = "5";

/// Measures `most` ops of each kind with the most clients, and prints it.
///
/// # Errors
/// If anything is refused, or `pgbench` does not run.
pub async fn measure(folder: &Path, most: usize) -> Result<(), Failure> {
    std::fs::create_dir(folder)?;
    let postgres = Server::lasting()?;
    let bare = Bare::new(&postgres, folder)?;
    let database = postgres.database();
    let data = folder.join("data");
    let home = Home { folder: &data, postgres: Some((database.url(), postgres.process())) };
    let mut beside: Vec<Vec<(f64, f64)>> = vec![Vec::new(); KINDS.len()];
    let paces = trade(&home, most, |round| {
        if round == 0 {
            // What autovacuum does sooner or later, now.
            database.run("VACUUM ANALYZE");
        }
        for (kind, rounds) in KINDS.into_iter().zip(&mut beside) {
            rounds.push(bare.run(kind)?);
        }
        Ok(())
    })
    .await?;
    paces.print();
    println!();
    for ((kind, what), rounds) in (0..).zip(KINDS).zip(&mut beside) {
        rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (per_second, database_us) = rounds[ROUNDS / 2];
        let (trade, spread) = what;
        println!(
            "{trade:?}, {spread:?}, pgbench, {MOST_CLIENTS} clients {per_second:8.0} /s   {database_us:4.0} CPU-µs of the database"
        );
        for (what, way) in [("   the engine ÷ pgbench", Way::Engine), ("   over HTTP ÷ pgbench", Way::Http)]
        {
            if let Some(pace) = paces.median(kind, way, MOST_CLIENTS) {
                Figure::new(what, pace.per_second / per_second, "×").at_least(3.0).print();
            }
        }
    }
    Ok(())
}

/// A database with the same tables that only `pgbench` writes to.
struct Bare<'a> {
    database: Database<'a>,
    accrual: PathBuf,
    redemption: PathBuf,
}

impl<'a> Bare<'a> {
    fn new(postgres: &'a Server, folder: &Path) -> Result<Self, Failure> {
        let database = postgres.database();
        drop(PostgresStore::open(&database.url(), &system_device(SoftwareKey::generate()?.0.public_key()))?);
        database.run(&BEFORE.replace(":buyers", &BUYERS.to_string()));
        database.run("VACUUM ANALYZE");
        let (accrual, redemption) = (folder.join("accrual.sql"), folder.join("redemption.sql"));
        write(&accrual, ACCRUAL)?;
        write(&redemption, REDEMPTION)?;
        Ok(Self { database, accrual, redemption })
    }

    /// Transactions a second, and processor time of the database for each, in microseconds.
    fn run(&self, (trade, spread): (Trade, Spread)) -> Result<(f64, f64), Failure> {
        let script = match trade {
            Trade::Accruals => &self.accrual,
            Trade::Redemptions => &self.redemption,
        };
        let shops = match spread {
            Spread::Even => BUYERS / BUYERS_OF_A_SHOP,
            Spread::Hot => 1,
        };
        let process = self.database.server().process();
        let before = cpu_us_of_family(process)?;
        let mut pgbench = self.database.server().program("pgbench");
        pgbench.args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--time", SECONDS, "--client"]);
        pgbench.arg(MOST_CLIENTS.to_string()).arg("--file").arg(script);
        pgbench.args([format!("--define=shops={shops}"), format!("--define=buyers={BUYERS}")]);
        let output = pgbench.arg(self.database.name()).output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let field = |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches([' ', '=', ':']).split(' ').next()?.parse::<f64>().ok()
        };
        let done = field("number of transactions actually processed");
        let (Some(per_second), Some(done), true) = (field("tps"), done, output.status.success()) else {
            return Err(format!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)).into());
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count, printed as one"
        )]
        let done = done as u64;
        Ok((per_second, server::ratio(cpu_us_of_family(process)? - before, done)))
    }
}
