//! A replay: visits that real people made, as purchases through real phones against a real server.
//!
//! Every venue that someone goes to becomes a shop with a phone, every user a buyer with a phone ([`handset`]); what
//! they do is decided beforehand ([`plan`]). The server's clock stands and is moved from one day to the next,
//! so that a year passes in minutes, with its expiries.
//!
//! A purchase: the shop's phone records the sale, the buyer's scans the voucher and claims it in the group that it
//! puts first. Every fourth one the shop sends the sale at once, else the claim brings it. Every twentieth the buyer
//! first pays with what is usable at that shop, of the group in which it expires soonest: the shop scans the buyer's
//! code and takes it, the rest is paid in money.
//!
//! In the end every phone receives all there is, and what it reckons is held against the server's books.

pub mod handset;
pub mod phones;
pub mod plan;
pub mod stage;
pub mod visits;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_phone::Transport;
use moa_rules::books::Ledger;
use moa_rules::time::Timestamp;
use moa_server::http::{ClockTime, Health};
use moa_server::{Config, Running, start};
use serde::Serialize;
use tempfile::TempDir;

use self::handset::{Surroundings, Time};
use self::phones::{Home, Owner, Phones};
use self::plan::{DAYS, Purchase};
use self::stage::{Done, Stage, Stand, side_by_side};
use self::visits::City;
use crate::books::Books;
use crate::{Failure, network};

/// Midnight in Seoul on 1 January 2027: when a replay begins, unless the server's clock stands later.
pub const BEGINS: Timestamp = Timestamp(1_798_729_200_000);
/// Phones that are at work at once.
const AT_ONCE: usize = 8;
/// What is said of books that add up.
const BALANCED: &str = "balanced";
/// What is said of books that cannot be reached.
const FAR: &str = "not looked at: run `moa verify` on the server's folder";
/// How often progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// What to replay, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Visits, of the file's beginning, that become purchases at most.
    pub limit: usize,
    /// What amounts and times follow from.
    pub seed: u64,
    /// The server, which runs with a test clock; without one, one in this process.
    pub server: Option<String>,
    /// Where phones keep their data.
    pub phones: Home,
}

/// What came of it. Serialised, it is what `--json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Visits in the file.
    pub visits: u64,
    /// Purchases made.
    pub purchases: u64,
    /// Claims that the server applied.
    pub accrued_ops: u64,
    /// Ops that the server refused.
    pub refused_ops: u64,
    /// Units earned.
    pub units_issued: i64,
    /// Units paid with.
    pub units_redeemed: i64,
    /// Units that nobody used in time.
    pub units_expired: i64,
    /// Units that buyers still hold.
    pub units_outstanding: i64,
    /// Seconds from the first phone to the last comparison.
    pub wall_s: f64,
    /// Ops of phones a second, over all of it.
    pub ops_per_s: f64,
    /// Half of the claims and redemptions were answered and received in so many milliseconds.
    pub p50_ms: f64,
    /// All but a hundredth were.
    pub p99_ms: f64,
    /// Phones that were opened.
    pub phones: u64,
    /// Phones whose inboxes and balances are the server's, to the unit.
    pub phone_balances_equal: u64,
    /// Inboxes whose hash phones computed from the events, and found to be the server's.
    pub chains_recomputed: u64,
    /// Times that a buyer wanted to pay with mileage and had none that was usable there.
    pub nothing_usable: u64,
    /// `balanced`, or the first difference; at an address, that it was not looked at.
    pub books: String,
}

impl Report {
    /// Whether everything adds up.
    ///
    /// # Errors
    /// What does not. Books at an address, which nobody looked at, are no error.
    pub fn check(&self) -> Result<(), Failure> {
        if self.phone_balances_equal != self.phones || ![BALANCED, FAR].contains(&self.books.as_str()) {
            let (equal, phones) = (self.phone_balances_equal, self.phones);
            return Err(
                format!("{equal} of {phones} phones agree with the server; books: {}", self.books).into()
            );
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} purchases: {} claims applied, {} ops refused, {} times nothing usable",
            self.purchases, self.accrued_ops, self.refused_ops, self.nothing_usable
        )?;
        writeln!(
            f,
            "{} units issued, {} redeemed, {} expired, {} outstanding; books: {}",
            self.units_issued, self.units_redeemed, self.units_expired, self.units_outstanding, self.books
        )?;
        writeln!(
            f,
            "{} of {} phones agree with the server, {} inboxes recomputed",
            self.phone_balances_equal, self.phones, self.chains_recomputed
        )?;
        write!(
            f,
            "{} s, {} ops a second, half within {} ms, all but a hundredth within {} ms",
            self.wall_s, self.ops_per_s, self.p50_ms, self.p99_ms
        )
    }
}

/// A server whose clock the replay moves.
struct Server {
    url: String,
    way: Arc<dyn Transport>,
    time: Arc<Time>,
    /// If it runs in this process, with the folder of its data.
    own: Option<(Running, TempDir)>,
}

impl Server {
    async fn find(url: Option<&str>) -> Result<Self, Failure> {
        let own = match url {
            Some(_) => None,
            None => {
                let folder = tempfile::tempdir()?;
                let config = Config { test_clock: true, ..Config::local(folder.path()) };
                Some((start(&config, Arc::new(|| BEGINS)).await?, folder))
            }
        };
        let url = own.as_ref().map_or_else(|| url.unwrap_or_default().to_owned(), |(own, _)| own.url());
        let way = network::http(&url)?;
        let server = Self { url, way, time: Arc::default(), own };
        let health: Health = network::get(&*server.way, "/healthz".to_owned()).await?;
        server.move_to(midnight(health.now)).await?;
        Ok(server)
    }

    /// Moves the clock of the server, and then of the phones, once the server has done what is due by then.
    async fn move_to(&self, now: Timestamp) -> Result<(), Failure> {
        let moved = network::post(&*self.way, "/v1/test/clock".to_owned(), &ClockTime { now }).await;
        let ClockTime { now } = moved.map_err(|why| {
            format!("the clock of {} does not move; does it run with --test-clock? {why}", self.url)
        })?;
        self.time.set(now);
        Ok(())
    }
}

/// The first midnight in Seoul from then on, and none before [`BEGINS`].
fn midnight(now: Timestamp) -> Timestamp {
    let since = now.0.saturating_sub(BEGINS.0).max(0);
    BEGINS.plus((since + Timestamp::DAY - 1) / Timestamp::DAY * Timestamp::DAY)
}

/// Replays a city's visits. `tell` is told how far it has come.
///
/// # Errors
/// What a phone or the server says, other than a refusal.
pub async fn replay(city: City, options: &Options, mut tell: impl FnMut(&str)) -> Result<Report, Failure> {
    let visits = city.total();
    let purchases = plan::purchases(&city, options.seed, options.limit);
    let groups = plan::groups(&city.venues);
    let opening = plan::opening(&purchases, &groups);
    let shops = opening.iter().flatten();
    if let Home::Folder { path, .. } = &options.phones {
        std::fs::create_dir_all(path)?;
        if std::fs::read_dir(path)?.next().is_some() {
            return Err(format!("{}: phones begin anew; name an empty folder", path.display()).into());
        }
    }
    let server = Server::find(options.server.as_deref()).await?;
    let begins = server.time.now();
    let around =
        Surroundings { way: server.way.clone(), link_base: server.url.clone(), time: server.time.clone() };
    let phones = Phones::new(around, options.phones.clone(), first_number(begins));
    tell(&format!(
        "{} purchases at {} shops, {} groups",
        purchases.len(),
        shops.clone().count(),
        groups.len()
    ));

    let began = Instant::now();
    let stage = Arc::new(Stage::new(phones, city.venues, groups, shops));
    let mut done = Done::default();
    open_all(&server, &stage, opening, &mut done, &mut tell).await?;
    buy_all(&server, begins, &stage, &purchases, &mut done, &mut tell).await?;
    server.move_to(begins.plus(i64::from(DAYS) * Timestamp::DAY)).await?;
    tell(&format!("a year has passed, {} s; every phone reckons", began.elapsed().as_secs()));
    let owners = stage.phones().owners();
    let stands: Vec<Stand> = if server.own.is_some() {
        side_by_side(&stage, owners, AT_ONCE, async |stage: Arc<Stage>, owner| stage.reckon(owner).await)
            .await?
    } else {
        let anew = async |stage: Arc<Stage>, owner: Owner| stage.reckon_and_start_over(owner).await;
        side_by_side(&stage, owners, AT_ONCE, anew).await?
    };
    let mut report = compare(&server, &stands, &done)?;
    let wall = began.elapsed();
    done.took.sort_unstable();
    report.visits = visits;
    report.purchases = purchases.len() as u64;
    report.wall_s = rounded(wall.as_secs_f64());
    report.ops_per_s = rounded(ratio(done.ops, wall));
    report.p50_ms = rounded(percentile(&done.took, 50));
    report.p99_ms = rounded(percentile(&done.took, 99));
    if let Some((running, _)) = server.own {
        running.shutdown().await;
    }
    Ok(report)
}

/// Opens the shops batch by batch, a second apart: what opens together is on the same pages of the directory. A page
/// brings the groups of its shops whole, and so the fewer pages a group is on, the less every buyer has to read.
async fn open_all(
    server: &Server,
    stage: &Arc<Stage>,
    opening: Vec<Vec<u32>>,
    done: &mut Done,
    tell: &mut impl FnMut(&str),
) -> Result<(), Failure> {
    let (began, mut told, mut open) = (Instant::now(), Instant::now(), 0);
    for batch in opening {
        server.move_to(server.time.now().plus(Timestamp::SECOND)).await?;
        open += batch.len();
        let opened = side_by_side(stage, batch.clone(), AT_ONCE, async |stage: Arc<Stage>, venue| {
            stage.open_shop(venue).await
        });
        opened.await?.into_iter().for_each(|one| done.add(one));
        let joined =
            side_by_side(stage, batch, AT_ONCE, async |stage: Arc<Stage>, venue| stage.join(venue).await);
        joined.await?.into_iter().for_each(|one| done.add(one));
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            tell(&format!("{open} shops are open, {} s", began.elapsed().as_secs()));
        }
    }
    Ok(())
}

async fn buy_all(
    server: &Server,
    begins: Timestamp,
    stage: &Arc<Stage>,
    purchases: &[Purchase],
    done: &mut Done,
    tell: &mut impl FnMut(&str),
) -> Result<(), Failure> {
    let (began, mut told, mut made) = (Instant::now(), Instant::now(), 0);
    for moment in purchases.chunk_by(|one, next| one.at == next.at) {
        server.move_to(begins.plus(moment[0].at)).await?;
        for wave in plan::waves(moment) {
            let bought = side_by_side(stage, wave, AT_ONCE, async |stage: Arc<Stage>, purchase| {
                stage.purchase(purchase).await
            });
            bought.await?.into_iter().for_each(|one| done.add(one));
        }
        made += moment.len();
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            let day = moment[0].at / Timestamp::DAY + 1;
            let rate = ratio(made as u64, began.elapsed());
            tell(&format!("day {day}: {made} of {} purchases, {rate:.0} a second", purchases.len()));
        }
    }
    Ok(())
}

/// Holds what phones reckon against the books; the report without what was measured.
fn compare(server: &Server, stands: &[Stand], done: &Done) -> Result<Report, Failure> {
    let books = server.own.as_ref().map(|(_, folder)| Books::open(folder.path())).transpose()?;
    let (mut equal, mut chains, mut outstanding, mut first) = (0, 0, 0, None);
    for Stand { reckoning, wrong, .. } in stands {
        outstanding += reckoning.balances.values().map(|units| units.get()).sum::<i64>();
        let agrees = match (wrong, &books) {
            (Some(wrong), _) => Err(wrong.clone().into()),
            (None, Some(books)) => books.agree(reckoning),
            (None, None) => Ok(()),
        };
        match agrees {
            Ok(()) => {
                equal += 1;
                chains += reckoning.inboxes.len() as u64;
            }
            Err(wrong) => drop(first.get_or_insert(wrong.to_string())),
        }
    }
    let (issued, redeemed) = (done.issued, done.redeemed);
    let by_phones = [issued, redeemed, issued - redeemed - outstanding, outstanding];
    let (units, state) = match &books {
        None => (by_phones, first.unwrap_or_else(|| FAR.to_owned())),
        Some(books) => {
            let units = in_books(books);
            let verified = books.verify()?;
            let sums = (units != by_phones)
                .then(|| format!("the books have {units:?} units, the phones {by_phones:?}"));
            let difference = verified.differences.into_iter().next().or(first).or(sums);
            (units, difference.unwrap_or_else(|| BALANCED.to_owned()))
        }
    };
    let [units_issued, units_redeemed, units_expired, units_outstanding] = units;
    Ok(Report {
        visits: 0,
        purchases: 0,
        accrued_ops: done.accrued,
        refused_ops: stands.iter().map(|stand| stand.refused).sum(),
        units_issued,
        units_redeemed,
        units_expired,
        units_outstanding,
        wall_s: 0.0,
        ops_per_s: 0.0,
        p50_ms: 0.0,
        p99_ms: 0.0,
        phones: stands.len() as u64,
        phone_balances_equal: equal,
        chains_recomputed: chains,
        nothing_usable: done.nothing_usable,
        books: state,
    })
}

/// Units issued, redeemed, expired and outstanding, by the books.
fn in_books(books: &Books) -> [i64; 4] {
    let tables = books.tables();
    let of = |ledger| {
        let accounts = tables.balances.iter().filter(|(account, _)| account.ledger == ledger);
        accounts.map(|(_, amount)| amount.abs()).sum()
    };
    let outstanding = tables.lots.values().map(|lot| lot.remaining.get()).sum();
    [of(Ledger::Issued), of(Ledger::Redeemed), of(Ledger::Expired), outstanding]
}

/// Where the phone numbers of a replay begin: apart from those of every replay that began on another day.
fn first_number(begins: Timestamp) -> u32 {
    u32::try_from(begins.0 / Timestamp::DAY * 10_007 % 60_000_000).unwrap_or_default()
}

/// So many a second.
#[expect(clippy::cast_precision_loss, reason = "a figure to be read, not reckoned with")]
fn ratio(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The duration, in milliseconds, that so many in a hundred did not exceed; of sorted ones.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}

/// To a hundredth.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}
