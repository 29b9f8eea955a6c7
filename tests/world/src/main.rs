//! `world`: the demo, and measurements, from the command line.

use clap::{Parser, Subcommand};
use moa_world::load;
use moa_world::raw::Failure;

/// A town of shops and phones over the real server.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures accruals per second over HTTP, beside what the disk and the store alone give.
    Load {
        /// Accruals of each measurement, shared among its clients.
        #[arg(long, default_value_t = 3_000)]
        accruals: usize,
    },
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match Arguments::parse().command {
        Command::Load { accruals } => measure(accruals).await,
    }
}

async fn measure(accruals: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(".")?;
    let at = |name: &str| folder.path().join(name);
    let sync = load::raw_sync(&at("raw.db"), 500)?;
    println!("one row a commit, raw SQLite FULL      {sync:8.0} /s   (the baseline)");
    for batch in [1, 64] {
        let rate = load::store_alone(&at(&format!("store-{batch}.db")), accruals, batch)?;
        println!("the store alone, {batch:3} accruals a commit {rate:8.0} /s   {:6.2} × the baseline", rate / sync);
    }
    for (clients, batch) in [(1, 1), (16, 1), (64, 1), (1, 100), (4, 100)] {
        let data = at(&format!("data-{clients}-{batch}"));
        let each = (accruals / clients).next_multiple_of(batch);
        let m = load::over_http(&data, clients, each, batch).await?;
        println!(
            "{clients:3} clients, {batch:3} ops a request         {:8.0} /s   {:6.2} × the baseline   p50 {} µs   p99 {} µs   {:.0} CPU-µs   {} B on disk",
            m.per_second, m.per_second / sync, m.p50_us, m.p99_us, m.cpu_us, m.bytes
        );
    }
    Ok(())
}
