//! Accruals per second: a sale and a claim each, signed beforehand, over HTTP, durable when answered.
//!
//! Beside it, in the same run and on the same disk: the store without HTTP, and SQLite without the store, which writes the
//! rows that the store wrote, one accrual per commit and 64 per commit.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Answer, Outcome, Store};
use moa_ledger::tables::system_device;
use moa_rules::id::{AccountId, GroupId, OpId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{OP_VERSION, Op, OpBody};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::submission::{Parsed, Submission};
use moa_wire::token::Checked;

use crate::program::Program;
use crate::raw::Client;
use crate::{Failure, network};

/// One line of the report.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Accruals per second.
    pub per_second: f64,
    /// Half of the answers took no longer.
    pub p50: Duration,
    /// All but a hundredth took no longer.
    pub p99: Duration,
    /// Processor time of the server per accrual, in microseconds.
    pub cpu_us: f64,
    /// Bytes on disk per accrual, evidence and all.
    pub bytes: u64,
    /// The same without the evidence: the ops as signed and the events as made, which only a dispute or a phone that
    /// follows its inbox reads again.
    pub hot_bytes: u64,
}

/// Measures `clients` that send `each` accruals in requests of `batch`, against a new server with its data in `data`.
///
/// # Errors
/// If any op is not applied.
pub async fn over_http(data: &Path, clients: usize, each: usize, batch: usize) -> Result<Measured, Failure> {
    let server = Program::start(data)?;
    let way = network::http(server.url())?;
    let shop = Client::enrol(way.clone(), "010-0000-0001").await?;
    let group = found(&shop).await?;
    let mut buyers = Vec::new();
    for number in 0..clients {
        let buyer = Client::enrol(way.clone(), &format!("010-1000-{number:04}")).await?;
        let mut claims = Vec::with_capacity(each);
        for _ in 0..each {
            let sale =
                shop.sign(OpBody::RecordSale { amount: Money(10_000), addressee: None, redemption: None })?;
            claims.push(buyer.claim(&sale, group)?);
        }
        buyers.push((buyer, claims));
    }
    let (disk, cpu) = (on_disk(data)?, server.cpu_us()?);
    let started = Instant::now();
    let tasks = buyers.into_iter().map(|(buyer, claims)| {
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(each / batch);
            for ops in claims.chunks(batch) {
                let sent = Instant::now();
                buyer.send(ops).await?;
                times.push(sent.elapsed());
            }
            Ok::<_, Failure>(times)
        })
    });
    let mut times: Vec<Duration> = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        times.extend(task.await??);
    }
    let (took, accruals) = (started.elapsed(), clients * each);
    let cpu = server.cpu_us()? - cpu;
    times.sort_unstable();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let bytes = on_disk(data)?.saturating_sub(disk) / accruals as u64;
    Ok(Measured {
        per_second: per_second(accruals, took),
        p50: at(50),
        p99: at(99),
        cpu_us: ratio(cpu, accruals as u64),
        bytes,
        hot_bytes: bytes.saturating_sub(evidence(data)? / accruals as u64),
    })
}

/// A shop of the client's, and a group of it.
pub async fn found(shop: &Client) -> Result<GroupId, Failure> {
    let profile = MerchantProfile::new("Load", Currency::KRW, None);
    shop.send(&[shop.sign(OpBody::RegisterMerchant { profile })?]).await?;
    let founding = shop.sign(OpBody::FoundGroup { profile: group_profile(), terms: terms()? })?;
    shop.send(std::slice::from_ref(&founding)).await?;
    Ok(founding.value().id.as_group())
}

fn group_profile() -> Profile {
    Profile::new("Load", Scope::Building)
}

/// Five percent for six months.
pub fn terms() -> Result<Terms, Failure> {
    Ok(Terms::points(BasisPoints::new(500)?, Validity::Months(6), Units::new(1_000)?))
}

/// Accruals per second that the store itself takes, `batch` to a commit, without HTTP and with signatures checked before.
///
/// # Errors
/// If any op is not applied.
pub fn store_alone(path: &Path, accruals: usize, batch: usize) -> Result<f64, Failure> {
    let (system, _) = SoftwareKey::generate()?;
    let store = Arc::new(SqliteStore::open(path, &system_device(system.public_key()))?);
    let now = crate::now();
    let (shop, buyer) = (Signing::new(1)?, Signing::new(2)?);
    let server = Signing { key: system, ids: 3, count: std::cell::Cell::new(0) };
    for one in [&shop, &buyer] {
        let body = OpBody::EnrolDevice {
            account: one.account(),
            key: one.key.key_id(),
            public_key: one.key.public_key(),
            proved: None,
        };
        commit(&*store, &[check(&*store, &server.sign(8, body, now)?)?], now)?;
    }
    let profile = MerchantProfile::new("Load", Currency::KRW, None);
    commit(&*store, &[check(&*store, &shop.sign(7, OpBody::RegisterMerchant { profile }, now)?)?], now)?;
    let founding = shop.sign(7, OpBody::FoundGroup { profile: group_profile(), terms: terms()? }, now)?;
    commit(&*store, &[check(&*store, &founding)?], now)?;
    let choice = Some(moa_rules::op::Choice { group: founding.value().id.as_group(), terms_version: 1 });
    let mut claims = Vec::with_capacity(accruals);
    for _ in 0..accruals {
        let sale = shop.sign(
            7,
            OpBody::RecordSale { amount: Money(10_000), addressee: None, redemption: None },
            now,
        )?;
        let claim = OpBody::Claim { sale: sale.bytes().to_vec(), choice };
        claims.push(check(&*store, &buyer.sign(7, claim, now)?)?);
    }
    let started = Instant::now();
    for ops in claims.chunks(batch) {
        commit(&*store, ops, now)?;
    }
    Ok(per_second(accruals, started.elapsed()))
}

/// Accruals per second that SQLite takes when it writes the rows that the store wrote to `from` to the same tables of a new
/// file, `batch` to a commit, deciding nothing: the ceiling of any store on these tables and this disk.
///
/// # Errors
/// If the files cannot be read or written.
pub fn raw_tables(from: &Path, to: &Path, accruals: usize, batch: usize) -> Result<f64, Failure> {
    drop(SqliteStore::open(to, &system_device(SoftwareKey::generate()?.0.public_key()))?);
    let source = rusqlite::Connection::open(from)?;
    let connection = rusqlite::Connection::open(to)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    let mut tables = Vec::new();
    for table in ["ops", "events", "inbox_events", "sales", "lots", "devices", "inboxes", "balances"] {
        let rows = rows(&source, table)?;
        let values = vec!["?"; rows.first().map_or(0, Vec::len)].join(", ");
        tables.push((format!("INSERT INTO {table} VALUES ({values})"), rows));
    }
    for (insert, rows) in tables.split_off(6) {
        for row in rows {
            connection.execute(&insert, rusqlite::params_from_iter(row))?;
        }
    }
    let started = Instant::now();
    for accrual in 0..accruals {
        if accrual % batch == 0 {
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        for (insert, rows) in &tables {
            let share = |accrual: usize| rows.len() * accrual / accruals;
            let mut insert = connection.prepare_cached(insert)?;
            for row in &rows[share(accrual)..share(accrual + 1)] {
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        connection
            .prepare_cached(
                "UPDATE inbox_events SET head = NULL, hash = NULL WHERE inbox = 1 AND number = 1",
            )?
            .execute([])?;
        connection.prepare_cached("UPDATE balances SET amount = amount + 1")?.execute([])?;
        if (accrual + 1) % batch == 0 || accrual + 1 == accruals {
            connection.execute_batch("COMMIT")?;
        }
    }
    Ok(per_second(accruals, started.elapsed()))
}

/// Every row of a table.
fn rows(connection: &rusqlite::Connection, table: &str) -> Result<Vec<Vec<rusqlite::types::Value>>, Failure> {
    let mut query = connection.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = query.column_count();
    let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Commits per second that SQLite gives for one row of a kilobyte each: what one sync of this disk costs.
///
/// # Errors
/// If the file cannot be written.
pub fn raw_sync(path: &Path, commits: usize) -> Result<f64, Failure> {
    let connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB);",
    )?;
    let started = Instant::now();
    for _ in 0..commits {
        connection.execute("INSERT INTO rows (bytes) VALUES (?1)", [[7_u8; 1_024]])?;
    }
    Ok(per_second(commits, started.elapsed()))
}

struct Signing {
    key: SoftwareKey,
    ids: u8,
    count: std::cell::Cell<u64>,
}

impl Signing {
    fn new(ids: u8) -> Result<Self, Failure> {
        Ok(Self { key: SoftwareKey::generate()?.0, ids, count: std::cell::Cell::new(0) })
    }

    fn account(&self) -> AccountId {
        AccountId([self.ids; 16])
    }

    fn sign(&self, version: u8, body: OpBody, now: Timestamp) -> Result<Checked<Op>, Failure> {
        let counter = self.count.get() + 1;
        self.count.set(counter);
        let mut id = [self.ids; 16];
        id[6] = version << 4;
        id[8..].copy_from_slice(&counter.to_be_bytes());
        let op = Op {
            version: OP_VERSION,
            id: OpId(id),
            actor: self.key.key_id(),
            counter,
            time: now.seconds(),
            body,
        };
        Ok(Checked::sign(op, &self.key)?)
    }
}

fn check(store: &dyn Store, op: &Checked<Op>) -> Result<Submission, Failure> {
    let keys = |key| store.device(key).ok().flatten().map(|device| device.public_key);
    Ok(Parsed::parse(op.bytes()).and_then(|parsed| parsed.check(keys))?)
}

fn commit(store: &dyn Store, ops: &[Submission], now: Timestamp) -> Result<(), Failure> {
    let outcomes = store.commit(ops, now)?.outcomes;
    match outcomes.into_iter().find(|outcome| *outcome != Outcome::First(Answer::Applied)) {
        None => Ok(()),
        Some(outcome) => Err(format!("{outcome:?}").into()),
    }
}

/// So many in such a time.
#[allow(clippy::cast_precision_loss, reason = "a figure to be read, not reckoned with")]
pub fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// So much for each.
#[allow(clippy::cast_precision_loss, reason = "a figure to be read, not reckoned with")]
pub fn ratio(total: u64, count: u64) -> f64 {
    total as f64 / count as f64
}

/// Bytes of the ops as signed and of the events as made.
fn evidence(data: &Path) -> Result<u64, Failure> {
    let sum = "SELECT (SELECT sum(length(signed)) FROM ops) + (SELECT sum(length(bytes)) FROM events)";
    let bytes: i64 = rusqlite::Connection::open(data.join("moa.db"))?.query_row(sum, [], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

/// Bytes of the database once the write-ahead log is folded in.
pub fn on_disk(data: &Path) -> Result<u64, Failure> {
    let path = data.join("moa.db");
    rusqlite::Connection::open(&path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(std::fs::metadata(path)?.len())
}
