//! `world`: the demo, and measurements, from the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use moa_words::Lang;
use moa_world::story::{self, FolderError, Screen, Words};
use moa_world::{Failure, load};

/// A town of shops and phones over the real server.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tells the story of an alley: three shops, two buyers, real phones, a real server.
    ///
    /// Leaves the server's data and pictures of the codes in a folder.
    Demo {
        /// The language: ko or en.
        #[arg(long, default_value_t = Lang::default())]
        lang: Lang,
        /// The folder. What an earlier demo left there is replaced; anything else is left alone.
        #[arg(long, value_name = "FOLDER", default_value = "target/demo")]
        out: PathBuf,
    },
    /// Measures accruals per second over HTTP, beside what the disk and the store alone give.
    Load {
        /// Accruals of each measurement, shared among its clients.
        #[arg(long, default_value_t = 3_000)]
        accruals: usize,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { lang, out } => demo(lang, &out).await,
        Command::Load { accruals } => measure(accruals).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("world: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn demo(lang: Lang, out: &Path) -> Result<(), Failure> {
    story::tell(lang, out, Screen::stdout()).await.map_err(|error| {
        match error.downcast_ref::<FolderError>() {
            Some(folder) => Words(lang).cannot_begin(folder).into(),
            None => error,
        }
    })
}

async fn measure(accruals: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(".")?;
    let at = |name: &str| folder.path().join(name);
    let sync = load::raw_sync(&at("raw.db"), 500)?;
    println!("one row a commit, raw SQLite FULL      {sync:8.0} /s   (the baseline)");
    for batch in [1, 64] {
        let rate = load::store_alone(&at(&format!("store-{batch}.db")), accruals, batch)?;
        println!(
            "the store alone, {batch:3} accruals a commit {rate:8.0} /s   {:6.2} × the baseline",
            rate / sync
        );
    }
    for (clients, batch) in [(1, 1), (16, 1), (64, 1), (1, 100), (4, 100)] {
        let data = at(&format!("data-{clients}-{batch}"));
        let each = (accruals / clients).next_multiple_of(batch);
        let m = load::over_http(&data, clients, each, batch).await?;
        println!(
            "{clients:3} clients, {batch:3} ops a request         {:8.0} /s   {:6.2} × the baseline   p50 {} µs   p99 {} µs   {:.0} CPU-µs   {} B on disk",
            m.per_second,
            m.per_second / sync,
            m.p50_us,
            m.p99_us,
            m.cpu_us,
            m.bytes
        );
    }
    Ok(())
}
