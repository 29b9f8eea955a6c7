//! `world`: the demo, replays, and measurements, from the command line.

// What stands above a command or an option is what `--help` prints.
#![expect(clippy::doc_markdown, reason = "help texts are no Markdown")]

use std::io::{BufReader, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use moa_selection::policy::Rule;
use moa_words::Lang;
use moa_world::bench::Sizes;
use moa_world::replay::phones::Home;
use moa_world::replay::visits::City;
use moa_world::replay::{self, Options};
use moa_world::story::{self, FolderError, Screen, Words};
use moa_world::{Failure, bench, cable, laboratory};

/// Phones on disk that are open at once in a replay.
const OPEN: usize = 256;

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
    /// Measures server, phone and wire, each figure beside what it is to be held against.
    Bench {
        /// Accruals of each measurement of the server, shared among its clients.
        #[arg(long, default_value_t = 6_400)]
        accruals: usize,
        /// Lots that expire at once in the measurement of the sweep.
        #[arg(long, default_value_t = 200_000)]
        expiring: usize,
        /// Lots that there are at each step of the growth.
        #[arg(long, value_delimiter = ',', default_values_t = [0, 1_000_000, 5_000_000])]
        lots: Vec<usize>,
        /// Where the files go, and so whose disk is measured.
        #[arg(long, value_name = "FOLDER", default_value = "target")]
        folder: PathBuf,
        /// One measurement alone.
        #[arg(long)]
        only: Option<bench::Part>,
    },
    /// Opens a phone, syncs it and prints the megabytes that this process holds: for `bench`.
    #[command(hide = true)]
    ResidentMemory { url: String, number: String, data: PathBuf },
    /// Replays visits as purchases: real phones, a real server, a year in minutes.
    ///
    /// Progress goes to stderr, what came of it to stdout. Exit status: 0 if the books balance and every phone
    /// agrees, 1 otherwise.
    Replay(Replay),
    /// Plays a town's buyers under one rule for choosing a group at the till: one JSON line per buyer.
    ///
    /// {"buyer", "groups": [id or null per visit], "redeemed_won", "issued_won", "p50_us", "p99_us"}. The town's format:
    /// docs/decisions/choice.md.
    Choose {
        /// The town, packed with gzip or not.
        #[arg(long, value_name = "JSON")]
        town: PathBuf,
        /// moa, highest_rate, random, largest_balance, longest_validity, most_members, weighted_sum.
        #[arg(long, default_value = "moa", value_parser = laboratory::rule)]
        policy: Rule,
    },
    /// Measures the rules for choosing a group against hindsight: a table on stdout, and with plots in a folder.
    Selection(Selection),
    /// A cable to a server that can be cut: a proxy on a free port of this machine, turned by lines on stdin.
    ///
    /// Says "listening on http://127.0.0.1:PORT", then each line again once it is in force, until stdin ends:
    /// pass; drop (nobody gets through); stall (nobody answers); delay MS (each way); half (answers are cut in the
    /// middle of their bodies); lose (requests arrive, answers do not); portal, portal-redirect (a hotspot answers);
    /// alter-heads (the server's signatures are altered). Whoever was through before is cut off.
    Proxy {
        /// The server, such as http://127.0.0.1:8080.
        #[arg(long, value_name = "URL")]
        server: String,
    },
}

#[derive(Args)]
struct Replay {
    /// Venues: venue_id,lat,lon.
    #[arg(long, value_name = "CSV")]
    venues: PathBuf,
    /// Visits: user_id,venue_id,visits.
    #[arg(long, value_name = "CSV")]
    visits: PathBuf,
    /// Visits, from the file's beginning, that become purchases at most.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// What times and amounts follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The server's address; it runs with --test-clock. Without one, a server in this process.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// An empty folder where phones keep their data; in memory without one.
    #[arg(long, value_name = "FOLDER")]
    phones: Option<PathBuf>,
    /// The last line on stdout is one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Selection {
    /// A folder of towns, NAME.json or NAME.json.gz, with NAME.baselines.csv (buyer, highest_rate_won, prototype_won,
    /// oracle_won) where hindsight is known. Without it, towns are generated.
    #[arg(long, value_name = "FOLDER")]
    towns: Option<PathBuf>,
    /// Seeds of generated towns; one town a regime and seed.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2])]
    seeds: Vec<u64>,
    /// Buyers of a generated town; of real visits, at most.
    #[arg(long, default_value_t = 40)]
    buyers: usize,
    /// Real venues, beside the towns: venue_id,lat,lon.
    #[arg(long, value_name = "CSV", requires = "visits")]
    venues: Option<PathBuf>,
    /// Real visits: user_id,venue_id,visits.
    #[arg(long, value_name = "CSV", requires = "venues")]
    visits: Option<PathBuf>,
    /// Only the real visits.
    #[arg(long, requires = "visits", conflicts_with = "towns")]
    only_visits: bool,
    /// Where the table and the plots go.
    #[arg(long, value_name = "FOLDER", default_value = "target/selection")]
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { lang, out } => demo(lang, &out).await,
        Command::Bench { accruals, expiring, lots, folder, only } => {
            bench::run(&folder, &Sizes { accruals, expiring, lots }, only).await
        }
        Command::ResidentMemory { url, number, data } => resident_memory(&url, &number, &data).await,
        Command::Replay(arguments) => replay(arguments).await,
        Command::Choose { town, policy } => laboratory::choose(&town, policy, &mut stdout().lock()),
        Command::Selection(arguments) => selection(arguments),
        Command::Proxy { server } => cable::obey(&server, BufReader::new(stdin())).await,
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

async fn resident_memory(url: &str, number: &str, data: &Path) -> Result<(), Failure> {
    println!("{}", bench::resident_memory(url, number, data).await?);
    Ok(())
}

fn selection(arguments: Selection) -> Result<(), Failure> {
    let Selection { towns, seeds, buyers, venues, visits, only_visits, out } = arguments;
    let mut samples = match towns {
        Some(folder) => laboratory::read(&folder)?,
        None if only_visits => Vec::new(),
        None => laboratory::generated(&seeds, buyers),
    };
    if let Some((venues, visits)) = venues.zip(visits) {
        let seed = seeds.first().copied().unwrap_or(1);
        samples.push(laboratory::traced(&City::read(&venues, &visits)?, seed, buyers)?);
    }
    println!("{}", laboratory::measure(&samples, &out, |line| eprintln!("{line}"))?);
    Ok(())
}

async fn replay(arguments: Replay) -> Result<(), Failure> {
    let Replay { venues, visits, limit, seed, server, phones, json } = arguments;
    let city = City::read(&venues, &visits)?;
    let phones = phones.map_or(Home::Memory, |path| Home::Folder { path, open: OPEN });
    let options = Options { limit: limit.unwrap_or(usize::MAX), seed, server, phones };
    let report = replay::replay(city, &options, |line| eprintln!("{line}")).await?;
    println!("{report}");
    if json {
        println!("{}", serde_json::to_string(&report)?);
    }
    report.check()
}
