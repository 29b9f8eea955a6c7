//! Connections: a few, each with its statements prepared, driven by a runtime of the store's own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Deref;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, RowStream, Statement};

use super::errors::{Then, doing, duplicate, silent, then};
use super::together::{both, every};
use super::wait;
use crate::store::StoreError;

/// Connections at most, of one server.
const MOST: usize = 16;
/// For how long an answer is waited for before the connection is taken for dead.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same for what walks over everything.
const LONG: Duration = Duration::from_hours(1);
/// Tries of one transaction: enough for servers in each other's way, few enough to tell when it is something else.
const TRIES: u32 = 24;
/// Tries while the connection breaks.
const RECONNECTS: u32 = 5;

/// PostgreSQL before this is not maintained any more.
const OLDEST: i64 = 130_000;

/// What a connection is told first. Plans are made for any number of rows asked for; without these settings the planner would rather
/// read small tables whole, and hold locks on all of them against every other transaction.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";
/// Plans are made anew. One that was made while a table was empty goes through all of it, however full it has become.
const REPLAN: &str = "DISCARD PLANS";
const ABOUT: &str = "SELECT current_setting('server_version_num')::bigint, current_setting('server_version'),
    current_setting('synchronous_commit'), current_setting('server_encoding'), version(),
    EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";

const SERIALIZABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// What is read after the lock is there is what whoever had it before has committed. A server that has gone in the middle loses
/// the lock with its transaction.
const IN_TURN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '10s';
    LOCK TABLE turns IN EXCLUSIVE MODE";

/// Whether what was read may be written, and what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One whole state of the database, to read alone.
    Read,
    /// As if nobody else were there; else `40001`, and all of it again.
    Write,
    /// A batch: as if no other were there, in one of the ways of [`Batches`].
    Batch,
}

/// How batches of several servers are kept from each other. All servers of a database do it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batches {
    /// One after the other: whoever has a lock. For a database on one machine, where it costs a fifth less than the other way, and
    /// nobody's batch has to begin again.
    InTurn,
    /// At once, serializable: begun again where another was in the way. For an engine that spreads over machines.
    Serializable,
}

impl Batches {
    /// How they are kept apart on what says this of itself.
    fn on(version: &str, citus: bool) -> Self {
        // "PostgreSQL 15.14 on x86_64-pc-linux-gnu, …"; "PostgreSQL 15.12-YB-2025.1.0.0-b0 on …"; "CockroachDB CCL v25.1 (…)".
        let one_machine = version.starts_with("PostgreSQL ") && !version.contains("-YB-") && !citus;
        if one_machine { Self::InTurn } else { Self::Serializable }
    }
}

/// The connections of a store.
pub struct Pool {
    config: Config,
    /// None: as the database is.
    batches: Option<Batches>,
    state: Mutex<State>,
    freed: Condvar,
    /// Drives the connections. None only while the pool is dropped.
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    pub(super) fn new(config: Config, batches: Option<Batches>) -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("moa-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Database { doing: "starting a thread", source: Box::new(error) })?;
        Ok(Self { config, batches, state: Mutex::default(), freed: Condvar::new(), runtime: Some(runtime) })
    }

    /// Runs a transaction: `work`, then the end of it. All of it again where others were in the way, or the connection broke.
    #[expect(clippy::needless_pass_by_value, reason = "a closure where it is called")]
    pub(super) fn transaction<T>(
        &self,
        what: &'static str,
        mode: Mode,
        work: impl AsyncFn(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        persist(|| {
            let connection = self.connection(what)?;
            let done = answer(what, async {
                let began = connection.begin(mode);
                let work = async {
                    let done = work(&connection).await?;
                    match mode {
                        Mode::Write | Mode::Batch => connection.end(what).await?,
                        // There is nothing to keep. Sent, and not waited for.
                        Mode::Read => drop(connection.undo().now_or_never()),
                    }
                    Ok(done)
                };
                // Sent together: the database works on while the answer to the beginning is under way.
                both(began, work).await.map(|((), done)| done)
            });
            connection.settle(what, done)
        })
    }

    /// Reads by one statement, which sees one whole state of the database by itself.
    #[expect(clippy::needless_pass_by_value, reason = "a closure where it is called")]
    pub(super) fn read<T>(
        &self,
        what: &'static str,
        work: impl AsyncFn(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        persist(|| {
            let connection = self.connection(what)?;
            let done = answer(what, work(&connection));
            connection.settle(what, done)
        })
    }

    /// A connection, for this thread alone; waits for one if there are as many as may be.
    pub(super) fn connection(&self, what: &'static str) -> Result<Borrowed<'_>, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = lock(&self.state);
        loop {
            let before = state.idle.len();
            state.idle.retain(|idle| !idle.client.is_closed());
            state.open -= before - state.idle.len();
            if let Some(idle) = state.idle.pop() {
                drop(state);
                idle.replan();
                return Ok(Borrowed { connection: Some(idle), pool: self });
            }
            if state.open < MOST {
                break;
            }
            let left = deadline.checked_duration_since(Instant::now()).ok_or_else(|| silent(what))?;
            state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.open += 1;
        drop(state);
        // Gives its place back if there is no connection to be had.
        let mut borrowed = Borrowed { connection: None, pool: self };
        borrowed.connection = Some(self.connect(what, deadline)?);
        Ok(borrowed)
    }

    /// A connection that is nobody else's and not counted, for what takes long.
    pub(super) fn connect_alone(&self, what: &'static str) -> Result<Connection, StoreError> {
        self.connect(what, Instant::now() + PATIENCE)
    }

    fn connect(&self, what: &'static str, deadline: Instant) -> Result<Connection, StoreError> {
        // Some until the pool is dropped, which needs the only reference there is.
        let Some(runtime) = &self.runtime else { return Err(silent(what)) };
        let config = self.config.clone();
        let connecting = runtime.spawn(async move {
            let (client, connection) = config.connect(NoTls).await?;
            // Ends with the client; what went wrong the client's requests are told.
            let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
            Ok((client, driver))
        });
        let connected = wait::until(deadline, connecting).ok_or_else(|| silent("connecting"))?;
        let connected = connected.map_err(|_| silent("connecting"))?;
        let (client, driver) = connected.map_err(doing("connecting"))?;
        answer("configuring the connection", async {
            let batches = check(&client).await?;
            client.batch_execute(SETTINGS).await.map_err(doing("configuring the connection"))?;
            Ok(Connection {
                client,
                driver,
                batches: self.batches.unwrap_or(batches),
                statements: RefCell::default(),
                borrowed: Cell::default(),
            })
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Without waiting: the last reference may go on a thread of another runtime, where waiting panics.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A few tries, as the errors allow.
pub(super) fn persist<T>(mut attempt: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let (mut conflicts, mut breaks) = (0_u32, 0_u32);
    let mut in_the_way: Option<String> = None;
    let began = Instant::now();
    loop {
        let error = match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if began.elapsed() >= PATIENCE => return Err(error),
            Err(error) => error,
        };
        if let Some(found) = duplicate(&error) {
            if in_the_way.as_deref() == Some(found) {
                return Err(error);
            }
            in_the_way = Some(found.to_owned());
        }
        let longest = match then(&error) {
            Then::Again if conflicts < TRIES => {
                conflicts += 1;
                Duration::from_millis(1 << conflicts.min(7))
            }
            Then::Reconnect if breaks < RECONNECTS => {
                breaks += 1;
                Duration::from_millis(20 << breaks)
            }
            _ => return Err(error),
        };
        tracing::debug!(%error, conflicts, breaks, "a transaction is tried again");
        std::thread::sleep(jitter(longest));
    }
}

/// Waits for an answer on this thread.
pub(super) fn answer<T>(
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    wait::until(Instant::now() + PATIENCE, work).unwrap_or_else(|| Err(silent(what)))
}

/// The same for what walks over everything.
pub(super) fn answer_slowly<T>(
    what: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    wait::until(Instant::now() + LONG, work).unwrap_or_else(|| Err(silent(what)))
}

/// A time below `longest`, so that those in each other's way come back apart.
fn jitter(longest: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or(u32::MAX);
    longest.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// What the database must be like; and how batches are kept apart on it.
async fn check(client: &Client) -> Result<Batches, StoreError> {
    const WHAT: &str = "asking the database what it is";
    let row = client.query_one(ABOUT, &[]).await.map_err(doing(WHAT))?;
    let get = |column: usize| row.try_get::<_, String>(column).map_err(doing(WHAT));
    let number: i64 = row.try_get(0).map_err(doing(WHAT))?;
    if number < OLDEST {
        let version = get(1)?;
        return Err(StoreError::Unfit(format!("PostgreSQL {version} is too old: Moa needs 13 or newer")));
    }
    if get(2)? == "off" {
        let advice = "synchronous_commit is off: what is answered could be lost. Remove it from postgresql.conf, and from \
            ALTER DATABASE and ALTER ROLE";
        return Err(StoreError::Unfit(advice.to_owned()));
    }
    let encoding = get(3)?;
    if encoding != "UTF8" {
        let advice = "make the database anew: createdb --template=template0 --encoding=UTF8 NAME";
        return Err(StoreError::Unfit(format!("the database is encoded as {encoding}: {advice}")));
    }
    Ok(Batches::on(&get(4)?, row.try_get(5).map_err(doing(WHAT))?))
}

/// A connection that goes back to the pool when it is let go of, if it is well.
pub(super) struct Borrowed<'a> {
    connection: Option<Connection>,
    pool: &'a Pool,
}

impl Borrowed<'_> {
    /// Gives the connection back after a transaction that ended so; undoes one that failed.
    pub(super) fn settle<T>(
        mut self,
        what: &'static str,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &done {
            let undone = then(error) != Then::Reconnect && answer(what, self.undo()).is_ok();
            if !undone {
                self.connection = None;
            }
        }
        done
    }
}

impl Deref for Borrowed<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken only by those that consume the loan")
    }
}

impl Borrowed<'_> {
    /// The client, for what takes one.
    pub(super) fn client(&mut self) -> Option<&mut Client> {
        self.connection.as_mut().map(|connection| &mut connection.client)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        // A panic may have left it in the middle of a transaction.
        match self.connection.take().filter(|_| !std::thread::panicking()) {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        self.pool.freed.notify_one();
    }
}

/// One connection.
pub struct Connection {
    client: Client,
    driver: AbortHandle,
    batches: Batches,
    statements: RefCell<HashMap<&'static str, Statement>>,
    /// How often it was.
    borrowed: Cell<u32>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Closes the socket, also of a server that has gone silent.
        self.driver.abort();
    }
}

/// What a statement is given.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

impl Connection {
    /// Has plans made anew when it has been borrowed twice as often as when they were made: what it writes to is hardly more than twice
    /// as large by then. Sent, and not waited for.
    fn replan(&self) {
        self.borrowed.set(self.borrowed.get().saturating_add(1));
        if self.borrowed.get().is_power_of_two() {
            drop(self.client.batch_execute(REPLAN).now_or_never());
        }
    }

    /// Begins a transaction. Sent when first polled, so that what is polled after it comes after it.
    pub(super) async fn begin(&self, mode: Mode) -> Result<(), StoreError> {
        let begin = match (mode, self.batches) {
            (Mode::Read, _) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Mode::Batch, Batches::InTurn) => IN_TURN,
            (Mode::Write, _) | (Mode::Batch, Batches::Serializable) => SERIALIZABLE,
        };
        self.client.batch_execute(begin).await.map_err(doing("beginning a transaction"))
    }

    /// Ends a transaction, durably. Sent when first polled.
    pub(super) async fn end(&self, what: &'static str) -> Result<(), StoreError> {
        self.client.batch_execute("COMMIT").await.map_err(doing(what))
    }

    async fn undo(&self) -> Result<(), StoreError> {
        self.client.batch_execute("ROLLBACK").await.map_err(doing("undoing a transaction"))
    }

    /// Prepares what is not prepared yet. Whoever sends several statements at once does this first: one that has to be prepared
    /// on the way comes behind those that need not.
    pub(super) async fn prepare(&self, statements: &[&'static str]) -> Result<(), StoreError> {
        let missing = {
            let known = self.statements.borrow();
            statements.iter().filter(|sql| !known.contains_key(*sql)).copied().collect::<Vec<_>>()
        };
        every(missing.into_iter().map(|sql| self.statement(sql))).await.map(drop)
    }

    async fn statement(&self, sql: &'static str) -> Result<Statement, StoreError> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let prepared = self.client.prepare(sql).await.map_err(doing("preparing a statement"))?;
        self.statements.borrow_mut().insert(sql, prepared.clone());
        Ok(prepared)
    }

    /// Every row of a query.
    pub(super) async fn rows(&self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let statement = self.statement(sql).await?;
        self.client.query(&statement, params).await.map_err(doing("reading"))
    }

    /// Statements as they are, without parameters.
    pub(super) async fn plain(&self, what: &'static str, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(doing(what))
    }

    /// Every row of a query, as they come.
    pub(super) async fn stream(&self, sql: &str) -> Result<RowStream, StoreError> {
        self.client.query_raw(sql, Vec::<i64>::new()).await.map_err(doing("reading"))
    }

    /// A statement that is used once in a while, not kept.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, StoreError> {
        self.client.prepare(sql).await.map_err(doing("preparing a statement"))
    }

    /// Runs such a statement.
    pub(super) async fn execute(
        &self,
        statement: &Statement,
        params: &[Param<'_>],
    ) -> Result<(), StoreError> {
        self.client.execute(statement, params).await.map(drop).map_err(doing("writing"))
    }

    /// Runs one statement; how many rows it touched.
    pub(super) async fn run(&self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let statement = self.statement(sql).await?;
        self.client.execute(&statement, params).await.map_err(doing("writing"))
    }
}

/// A panic while the lock was held leaves whole values behind: every critical section is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::errors::made_up;
    use super::*;

    /// How often something is tried that fails for these reasons, one after another, and then is done.
    fn tries(reasons: &[Option<&str>]) -> (usize, bool) {
        let mut tried = 0;
        let done = persist(|| {
            tried += 1;
            reasons.get(tried - 1).map_or(Ok(()), |reason| Err(made_up(*reason)))
        });
        (tried, done.is_ok())
    }

    #[test]
    fn batches_take_turns_on_one_machine_alone() {
        let debian = "PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc (Debian 12.2.0) 12.2.0, 64-bit";
        let yugabyte = "PostgreSQL 15.12-YB-2025.1.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit";
        let cockroach = "CockroachDB CCL v25.1.0 (x86_64-pc-linux-gnu, built 2025/02/10, go1.22.8)";
        assert_eq!(Batches::on(debian, false), Batches::InTurn);
        assert_eq!(Batches::on(debian, true), Batches::Serializable);
        assert_eq!(Batches::on(yugabyte, false), Batches::Serializable);
        assert_eq!(Batches::on(cockroach, false), Batches::Serializable);
    }

    #[test]
    fn a_row_that_is_in_the_way_twice_is_told_and_one_that_came_meanwhile_is_not() {
        assert_eq!(tries(&[Some("key 1")]), (2, true));
        assert_eq!(tries(&[Some("key 1"), Some("key 1")]), (2, false));
        assert_eq!(tries(&[Some("key 1"), None, Some("key 2"), None, None]), (6, true));
        assert_eq!(tries(&[Some("key 1"), None, Some("key 1")]), (3, false));
    }
}
