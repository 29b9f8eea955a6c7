//! What a phone takes: time on its disk, after a long absence, with a long history; memory.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use moa_phone::{Data, Environment, Options, Phone, SystemEnvironment};
use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;

use super::{Figure, machine, median, millis, server, timed};
use crate::program::Program;
use crate::raw::Client;
use crate::town::Town;
use crate::{Failure, network};

/// Rows of the long history.
const LONG: usize = 10_000;
/// Ops that wait after a long absence.
const WAITING: usize = 300;
/// How long the phone was away.
const AWAY: i64 = 72 * Timestamp::HOUR;

/// Everything about one phone, against a server of its own.
pub async fn measure(folder: &Path) -> Result<Vec<Figure>, Failure> {
    std::fs::create_dir_all(folder)?;
    let server = Program::start(&folder.join("server"))?;
    let town = Town::at(server.url())?;
    let mut figures = sales(&town, folder).await?;
    figures.extend(history(&town, &server, folder).await?);
    figures.extend(absence(&town, folder).await?);
    Ok(figures)
}

/// A sale: two commits, since the counter is on disk before it is signed with.
async fn sales(town: &Town, folder: &Path) -> Result<Vec<Figure>, Failure> {
    let shop = town.newcomer_on_disk("010-4000-0001", folder.join("shop")).await?;
    shop.open_shop("Bench").await?;
    shop.lose_signal();
    let sale = median(timed(300, || Ok(shop.sell(4_500)?))?);
    let raw = rusqlite::Connection::open(folder.join("sync.db"))?;
    raw.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (bytes BLOB);",
    )?;
    let sync =
        median(timed(300, || Ok(raw.execute("INSERT INTO rows (bytes) VALUES (?1)", [[7_u8; 300]])?))?);
    Ok(vec![
        Figure::new("one commit of SQLite on this disk", millis(sync), "ms"),
        Figure::new("a sale, with its two commits", millis(sale), "ms"),
        Figure::new("a sale, beyond those two commits", millis(sale.saturating_sub(2 * sync)), "ms")
            .at_most(2.0),
    ])
}

/// Changes that another phone of the account made; then the long history that they leave.
async fn history(town: &Town, server: &Program, folder: &Path) -> Result<Vec<Figure>, Failure> {
    const NUMBER: &str = "010-4000-0002";
    let data = folder.join("buyer");
    let buyer = town.newcomer_on_disk(NUMBER, data.clone()).await?;
    let way = network::http(server.url())?;
    let shop = Client::enrol(way.clone(), "010-4000-0003").await?;
    let group = server::found(&shop).await?;
    let other_phone = Client::enrol(way, NUMBER).await?;
    let mut claims = Vec::with_capacity(100);
    for _ in 0..LONG / 100 {
        claims.clear();
        for _ in 0..100 {
            let sale =
                shop.sign(OpBody::RecordSale { amount: Money(10_000), addressee: None, redemption: None })?;
            claims.push(other_phone.claim(&sale, group)?);
        }
        other_phone.send(&claims).await?;
    }
    let started = Instant::now();
    buyer.sync().await?;
    let applied = started.elapsed();
    let shown = buyer.phone().history(group)?.len();
    drop(buyer);

    let opened = median(timed(30, || open(&data, group))?);
    let resident = Command::new(std::env::current_exe()?)
        .args(["resident-memory", server.url(), NUMBER])
        .arg(&data)
        .output()?;
    let resident: f64 = String::from_utf8(resident.stdout)?.trim().parse()?;
    if shown == 0 {
        return Err("the changes did not arrive".into());
    }
    Ok(vec![
        Figure::new("10,000 changes fetched, checked and applied", millis(applied), "ms").at_most(1_000.0),
        Figure::new("open and first screen with 10,000 rows of history", millis(opened), "ms").at_most(30.0),
        Figure::new("resident memory of a phone's process after a sync", resident, "MB").at_most(15.0),
    ])
}

/// Opens a phone and asks what a first screen shows.
fn open(data: &Path, group: GroupId) -> Result<(), Failure> {
    let phone = Phone::open(Options::new(Data::Directory(data.to_owned())))?;
    phone.signed_in()?;
    phone.balances()?;
    phone.history(group)?;
    phone.pending_claims()?;
    phone.waiting_sales()?;
    phone.outbox()?;
    Ok(())
}

/// A shop that was three days without signal.
async fn absence(town: &Town, folder: &Path) -> Result<Vec<Figure>, Failure> {
    let clock = Arc::new(Shifted { by: AtomicI64::new(0), system: SystemEnvironment::default() });
    let options =
        Options { environment: clock.clone(), ..Options::new(Data::Directory(folder.join("away"))) };
    let shop = town.open_phone_with("010-4000-0004", options)?;
    town.enrol(&shop).await?;
    shop.open_shop("Away").await?;
    shop.sync().await?;
    shop.lose_signal();
    clock.by.store(-AWAY, Ordering::Relaxed);
    for _ in 0..WAITING {
        shop.sell(4_500)?;
    }
    clock.by.store(0, Ordering::Relaxed);
    shop.regain_signal();
    let started = Instant::now();
    shop.sync().await?;
    let converged = started.elapsed();
    let waiting = shop.phone().outbox()?.len();
    if waiting != 0 {
        return Err(format!("{waiting} ops still wait after the sync").into());
    }
    Ok(vec![
        Figure::new("300 ops after 72 hours without signal, sent and confirmed", millis(converged), "ms")
            .at_most(400.0),
    ])
}

/// The system's clock, off by so many milliseconds.
struct Shifted {
    by: AtomicI64,
    system: SystemEnvironment,
}

impl Environment for Shifted {
    fn now(&self) -> Timestamp {
        self.system.now().plus(self.by.load(Ordering::Relaxed))
    }

    fn random(&self, bytes: &mut [u8]) {
        self.system.random(bytes);
    }
}

/// Opens a phone as it was left, syncs it, and says how many megabytes this process holds: for a process of its own.
///
/// # Errors
/// If the phone does not open or sync, or where there is no `/proc`.
pub async fn resident_memory(url: &str, number: &str, data: &Path) -> Result<f64, Failure> {
    let town = Town::at(url)?;
    let phone = town.open_phone(number, Data::Directory(data.to_owned()))?;
    phone.sync().await?;
    phone.phone().balances()?;
    let resident = machine::field("/proc/self/status", "VmRSS");
    let kilobytes: f64 = resident.split(' ').next().unwrap_or_default().parse()?;
    Ok(kilobytes / 1_000.0)
}
