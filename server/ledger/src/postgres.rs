//! The store on PostgreSQL: for more than one machine. Several servers may run on one database.
//!
//! Batches take turns, or are `SERIALIZABLE` and may be tried again, whole ([`Batches`]); any other transaction that writes is
//! serializable. A batch costs a constant number of round trips: its cells are loaded in rounds for all ops at once
//! ([`crate::batch`]), and saved by one statement a table, sent together with the end of the transaction. (docs/decisions/0015)

mod audit;
mod columns;
mod directory;
mod enrolments;
mod errors;
mod import;
mod invitations;
mod load;
mod people;
mod pictures;
mod pool;
mod save;
mod search;
mod sessions;
mod tills;
mod together;
mod wait;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Lot;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::{CLAIM_DAYS, Sale};
use moa_rules::staff::Staff;
use moa_rules::standing::{BEST_AFTER, Standing};
use moa_rules::state::Row;
use moa_rules::time::{Day, Timestamp};
use moa_rules::view::{Cell, Key};
use moa_wire::submission::Submission;
use refinery::error::Kind;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

pub use self::audit::PostgresJournal;
use self::errors::{Then, said, then};
pub use self::import::PostgresImport;
use self::load::{all, most, one};
pub use self::pool::Batches;
use self::pool::{Connection, Mode, Pool, answer, persist};
use self::together::both;
use crate::batch::{self, Changes, Prior, Seen, Tx, Wanted};
use crate::rows;
use crate::search::{Found, Query, Touched};
use crate::store::{
    Committed, DirectoryGroup, DirectoryMerchant, Heard, InboxHead, InboxPage, Outcome, Store, StoreError,
    pass_over,
};
use crate::tables::Tables;

mod migrations {
    refinery::embed_migrations!("migrations/postgres");
}

/// For how long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// After how long a connection on which nothing arrives any more is given up.
const DEAD_AFTER: Duration = Duration::from_secs(15);
/// For how long the tables may take to be made, or changed.
const MIGRATING: Duration = Duration::from_hours(1);

const SYSTEM: &str = "SELECT * FROM devices WHERE account IS NULL";
const DEVICES_OF: &str = "SELECT * FROM devices WHERE account = $1 AND account IS NOT NULL ORDER BY key";
const TILLS: &str = "SELECT * FROM devices WHERE merchant = $1 AND merchant IS NOT NULL ORDER BY key";
const OPEN_LOTS: &str = "SELECT * FROM lots WHERE account = $1 AND remaining > 0 ORDER BY group_id, id";
const WAITING_OF: &str = "SELECT * FROM sales
    WHERE addressee = $1 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided ORDER BY time, id";
const TO_LAPSE: &str = "SELECT * FROM sales
    WHERE waits_until < $1 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided
    ORDER BY waits_until LIMIT $2";
const FOR_BEST: &str = "SELECT sales.*, since FROM sales JOIN standings ON account = addressee
    WHERE waits_until BETWEEN $1 AND $2 AND waits_until IS NOT NULL AND claimed_by IS NULL AND NOT lapsed AND NOT voided AND best
    ORDER BY waits_until, id LIMIT $3";
const STANDING: &str = "SELECT * FROM standings WHERE account = $1";
const STAFF_OF: &str = "SELECT * FROM staff WHERE merchant = $1 ORDER BY joined_at, account";
const PASSES_OVER: &str = "SELECT * FROM passes WHERE expires < $1 AND state = 0 ORDER BY expires LIMIT $2";
const PASSES_FOR: &str = "SELECT * FROM passes WHERE account = $1 AND state = 0
    UNION SELECT * FROM passes WHERE account = $1 AND expires >= $3
    UNION SELECT * FROM passes WHERE till = $2 AND expires >= $3 ORDER BY id";
const HOLDS_OVER: &str = "SELECT * FROM holds WHERE until < $1 AND state = 0 ORDER BY until LIMIT $2";
const OPEN_HOLDS: &str = "SELECT * FROM holds WHERE account = $1 AND state = 0
    UNION SELECT * FROM holds WHERE merchant = $2 AND state = 0 ORDER BY merchant, id";
/// In the order of [`moa_rules::terms::Unit`]: points, stamps by the card, coupons, reserve.
const DEBTS: &str = "SELECT * FROM debts WHERE account = $1 AND units > 0
    ORDER BY group_id, merchant, unit < 0, abs(unit)";
const AMENDMENTS_DUE: &str =
    "SELECT * FROM amendments WHERE from_at <= $1 AND NOT decided ORDER BY from_at LIMIT $2";
const GROUPS_TO_END: &str = "SELECT * FROM groups
    WHERE closes_at <= $1 AND closes_at IS NOT NULL AND NOT ended ORDER BY closes_at LIMIT $2";
const LOTS_LEFT: &str = "SELECT * FROM lots WHERE group_id = $1 AND remaining > 0 LIMIT $2";

/// The server's database on PostgreSQL.
pub struct PostgresStore {
    pool: Pool,
}

impl PostgresStore {
    /// Opens the database, with every migration applied and the server's own key in it.
    ///
    /// # Errors
    /// [`StoreError`] if there is no such database, if it is not fit to keep books, if it is newer than this program, or if it
    /// belongs to another server's key.
    pub fn open(url: &str, system: &Device) -> Result<Self, StoreError> {
        Self::open_at(Pool::new(configured(url)?, None)?, system)
    }

    /// The same, with batches kept apart so, whatever the database is. Every server on it has to be told the same.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(url: &str, system: &Device, batches: Batches) -> Result<Self, StoreError> {
        Self::open_at(Pool::new(configured(url)?, Some(batches))?, system)
    }

    fn open_at(pool: Pool, system: &Device) -> Result<Self, StoreError> {
        persist(|| migrate(&pool))?;
        pool.transaction("keeping the server's key", Mode::Write, async |tx| own(tx, system).await)?;
        Ok(Self { pool })
    }

    /// A copy of the live tables, to hold another store against.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub fn tables(&self) -> Result<Tables, StoreError> {
        const WHAT: &str = "reading every table";
        let connection = self.pool.connection(WHAT)?;
        let read = answer(WHAT, connection.begin(Mode::Read)).and_then(|()| audit::tables(&connection));
        let ended = answer(WHAT, connection.end(WHAT));
        connection.settle(WHAT, read.and_then(|tables| ended.map(|()| tables)))
    }

    /// One try of a batch. `perhaps` is what earlier ones decided whose end was lost.
    fn attempt(
        &self,
        batch: &[Submission],
        now: Timestamp,
        perhaps: &mut Option<Committed>,
    ) -> Result<Committed, StoreError> {
        let connection = self.pool.connection(COMMITTING)?;
        let done = try_batch(&connection, batch, now, perhaps);
        connection.settle(COMMITTING, done)
    }
}

/// How a database is reached.
fn configured(url: &str) -> Result<Config, StoreError> {
    let mut config =
        url.parse::<Config>().ok().filter(|config| !config.get_hosts().is_empty()).ok_or_else(|| {
            StoreError::Unfit("it should read like postgres://user:password@host/database".to_owned())
        })?;
    if config.get_ssl_mode() == SslMode::Require {
        let advice = "Moa speaks to PostgreSQL without TLS: use a Unix socket, a private network or a tunnel, and \
            sslmode=disable";
        return Err(StoreError::Unfit(advice.to_owned()));
    }
    config.application_name("moa").connect_timeout(CONNECT).tcp_user_timeout(DEAD_AFTER);
    Ok(config)
}

const COMMITTING: &str = "committing a batch";

fn try_batch(
    connection: &Connection,
    batch: &[Submission],
    now: Timestamp,
    perhaps: &mut Option<Committed>,
) -> Result<Committed, StoreError> {
    let decided = batch::decide_all(&mut Transaction { connection, begun: false }, batch, now)?;
    let saved = answer(COMMITTING, save::save_and_end(connection, &decided.changes, COMMITTING));
    let committed = first_answers(perhaps.as_ref(), decided.committed());
    match saved {
        Ok(()) => Ok(committed),
        Err(error) => {
            if then(&error) == Then::Reconnect {
                // Whether it was done cannot be told: perhaps only the answer was lost.
                *perhaps = Some(committed);
            }
            Err(error)
        }
    }
}

/// What a batch is answered that was decided before, perhaps: an op that was decided then and is known now was decided then.
fn first_answers(before: Option<&Committed>, now: Committed) -> Committed {
    let Some(before) = before else { return now };
    let first = |(before, now): (&Outcome, Outcome)| match (before, now) {
        (Outcome::First(then), Outcome::Again(answer)) if *then == answer => Outcome::First(answer),
        (_, now) => now,
    };
    let outcomes = before.outcomes.iter().zip(now.outcomes).map(first).collect();
    let touched: BTreeSet<Inbox> = before.touched.iter().copied().chain(now.touched).collect();
    Committed { outcomes, touched: touched.into_iter().collect() }
}

/// Brings the database up to date. Two servers that start at once may both try; the second finds it done.
fn migrate(pool: &Pool) -> Result<(), StoreError> {
    const WHAT: &str = "bringing the database up to date";
    let mut connection = pool.connection(WHAT)?;
    let Some(client) = connection.client() else { return Ok(()) };
    // Grouped: the tables and the note that they are there in one transaction.
    let runner = migrations::migrations::runner().set_abort_missing(true).set_grouped(true);
    let done = wait::until(Instant::now() + MIGRATING, runner.run_async(client));
    let done = match done {
        None => Err(errors::silent(WHAT)),
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(match error.kind() {
            Kind::MissingVersion(_) => StoreError::Newer,
            Kind::DivergentVersion(..) => StoreError::Unreleased,
            Kind::Connection(_, source) => match source.downcast_ref() {
                Some(error) => said(WHAT, error),
                None => StoreError::Database { doing: WHAT, source: Box::new(error) },
            },
            _ => StoreError::Database { doing: WHAT, source: Box::new(error) },
        }),
    };
    connection.settle(WHAT, done)
}

/// Keeps the server's key, unless the database is another's.
async fn own(tx: &Connection, system: &Device) -> Result<(), StoreError> {
    match all(tx, SYSTEM, &[], rows::device).await?.as_slice() {
        [] => {
            let changes = Changes { rows: vec![Row::Device(system.clone())], ..Changes::default() };
            save::save(tx, &changes).await
        }
        known if known.iter().any(|device| device.key == system.key) => Ok(()),
        _ => Err(StoreError::Unfit(
            "the database belongs to a server with another key: copy server-key.p8 and pepper from the data folder of the \
            server that made it"
                .to_owned(),
        )),
    }
}

/// An open transaction, as the batch sees it.
struct Transaction<'a> {
    connection: &'a Connection,
    begun: bool,
}

impl Transaction<'_> {
    /// Waits for what is asked; with the first question the transaction begins.
    fn ask<T>(&mut self, asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.begun {
            return answer(COMMITTING, asked);
        }
        self.begun = true;
        let began = self.connection.begin(Mode::Batch);
        answer(COMMITTING, async { both(began, asked).await.map(|((), answer)| answer) })
    }
}

impl Tx for Transaction<'_> {
    fn prior(&mut self, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
        let connection = self.connection;
        self.ask(async { Ok(load::priors(connection, &[(actor, op)]).await?.remove(&(actor, op))) })
    }

    fn load(&mut self, key: Key) -> Result<Option<Cell>, StoreError> {
        let connection = self.connection;
        self.ask(load::cell(connection, key))
    }

    fn head(&mut self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        let connection = self.connection;
        self.ask(load::head(connection, inbox))
    }

    fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let connection = self.connection;
        self.ask(save::save(connection, changes))?;
        let touched = Touched::by(&changes.rows);
        if touched.is_nothing() { Ok(()) } else { self.ask(search::refresh(connection, touched)) }
    }

    fn look(&mut self, wanted: &Wanted) -> Result<Seen, StoreError> {
        let connection = self.connection;
        self.ask(load::look(connection, wanted))
    }
}

impl Store for PostgresStore {
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        let mut perhaps = None;
        persist(|| self.attempt(batch, now, &mut perhaps))
    }

    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError> {
        self.pool.read("reading a key", async |tx| load::device(tx, key).await)
    }

    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        self.pool.read("reading a head", async |tx| load::head(tx, inbox).await)
    }

    fn heads(&self, inboxes: &[Inbox]) -> Result<Vec<InboxHead>, StoreError> {
        self.pool.read("reading heads", async |tx| load::heads(tx, inboxes).await)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError> {
        let work = async |tx: &Connection| load::inbox(tx, inbox, after, limit).await;
        self.pool.transaction("reading an inbox", Mode::Read, work)
    }

    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError> {
        self.pool.read("reading lots", async |tx| all(tx, OPEN_LOTS, &[&account.as_ref()], rows::lot).await)
    }

    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError> {
        let work = async |tx: &Connection| directory::changed(tx, after, limit).await;
        self.pool.transaction("reading the directory", Mode::Read, work)
    }

    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
        let work = async |tx: &Connection| directory::merchant(tx, merchant).await;
        self.pool.transaction("reading a shop", Mode::Read, work)
    }

    fn group(&self, group: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
        let work = async |tx: &Connection| directory::group(tx, group).await;
        self.pool.transaction("reading a group", Mode::Read, work)
    }

    fn search(&self, query: &Query) -> Result<Vec<Found>, StoreError> {
        const WHAT: &str = search::SEARCHING;
        persist(|| {
            let connection = self.pool.connection(WHAT)?;
            let found =
                answer(WHAT, connection.begin(Mode::Read)).and_then(|()| search::search(&connection, query));
            let ended = found.and_then(|found| answer(WHAT, connection.end(WHAT)).map(|()| found));
            connection.settle(WHAT, ended)
        })
    }

    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
        self.pool.read("looking for what expired", async |tx| load::wallets_to_expire(tx, now, limit).await)
    }

    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError> {
        let work = async |tx: &Connection| all(tx, WAITING_OF, &[&account.as_ref()], rows::sale).await;
        self.pool.read("reading sales", work)
    }

    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError> {
        let work = async |tx: &Connection| one(tx, STANDING, &[&account.as_ref()], rows::standing).await;
        self.pool.read("reading a standing choice", work)
    }

    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
        // What has waited for a day has so much less to wait.
        let latest = now.plus(i64::from(CLAIM_DAYS) * Timestamp::DAY - BEST_AFTER);
        self.pool.read("looking for sales that wait", async |tx| {
            let params: [pool::Param; 3] = [&now.0, &latest.0, &most(limit)];
            all(tx, FOR_BEST, &params, |row| Ok((rows::sale(row)?, rows::instant(row, "since")?))).await
        })
    }

    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError> {
        let work = async |tx: &Connection| all(tx, TO_LAPSE, &[&now.0, &most(limit)], rows::sale).await;
        self.pool.read("looking for sales that waited", work)
    }

    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        let work = async |tx: &Connection| all(tx, DEVICES_OF, &[&account.as_ref()], rows::device).await;
        self.pool.read("reading keys", work)
    }

    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
        let work = async |tx: &Connection| all(tx, TILLS, &[&merchant.as_ref()], rows::device).await;
        self.pool.read("reading keys", work)
    }

    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
        let work = async |tx: &Connection| all(tx, STAFF_OF, &[&merchant.as_ref()], rows::staff).await;
        self.pool.read("reading staff", work)
    }

    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError> {
        let key = Key::StaffDay(merchant, account, day);
        self.pool.read("reading a clerk's day", async |tx| load::sold_on(tx, key).await)
    }

    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError> {
        let work = async |tx: &Connection| tills::heard_of(tx, key).await;
        self.pool.transaction("reading what was heard of a key", Mode::Read, work)
    }

    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError> {
        let before = pass_over(now).cast_signed();
        let work = async |tx: &Connection| all(tx, PASSES_OVER, &[&before, &most(limit)], rows::pass).await;
        self.pool.read("looking for passes", work)
    }

    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError> {
        self.pool.read("reading passes", async |tx| {
            let params: [pool::Param; 3] = [&account.as_ref(), &till.as_ref(), &since.cast_signed()];
            all(tx, PASSES_FOR, &params, rows::pass).await
        })
    }

    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
        let work = async |tx: &Connection| all(tx, HOLDS_OVER, &[&now.0, &most(limit)], rows::hold).await;
        self.pool.read("looking for holds", work)
    }

    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError> {
        let merchant = merchant.as_ref().map(AsRef::<[u8]>::as_ref);
        self.pool.read("reading holds", async |tx| {
            all(tx, OPEN_HOLDS, &[&account.as_ref(), &merchant], rows::hold).await
        })
    }

    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError> {
        self.pool.read("reading debts", async |tx| all(tx, DEBTS, &[&account.as_ref()], rows::debt).await)
    }

    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError> {
        self.pool.read("looking for amendments", async |tx| {
            all(tx, AMENDMENTS_DUE, &[&now.0, &most(limit)], rows::amendment).await
        })
    }

    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError> {
        let work = async |tx: &Connection| all(tx, GROUPS_TO_END, &[&now.0, &most(limit)], rows::group).await;
        self.pool.read("looking for groups", work)
    }

    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
        self.pool.read("looking for lots", async |tx| {
            all(tx, LOTS_LEFT, &[&group.as_ref(), &most(limit)], rows::lot).await
        })
    }

    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError> {
        let work = async |tx: &Connection| load::cell(tx, Key::Operator(account)).await;
        Ok(self.pool.read("reading an operator", work)?.is_some())
    }

    fn forget_closed(&self) -> Result<(), StoreError> {
        self.pool.transaction("erasing persons", Mode::Write, async |tx| people::forget_closed(tx).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Answer;
    use moa_rules::refusal::Refusal;

    fn committed(outcomes: Vec<Outcome>, touched: &[u8]) -> Committed {
        let inbox = |byte: &u8| Inbox::Account(AccountId([*byte; 16]));
        Committed { outcomes, touched: touched.iter().map(inbox).collect() }
    }

    #[test]
    fn what_was_decided_when_the_answer_was_lost_is_told_as_decided() {
        let refused = || Answer::Refused(Refusal::NoMerchant);
        let before = committed(
            vec![
                Outcome::First(Answer::Applied),
                Outcome::Again(Answer::Applied),
                Outcome::First(refused()),
                Outcome::First(Answer::Applied),
            ],
            &[1, 2],
        );
        // Three were kept; the fourth another server had decided meanwhile, and otherwise.
        let again = vec![
            Outcome::Again(Answer::Applied),
            Outcome::Again(Answer::Applied),
            Outcome::Again(refused()),
            Outcome::Again(refused()),
        ];
        let told = first_answers(Some(&before), committed(again, &[2, 3]));
        let expected = vec![
            Outcome::First(Answer::Applied),
            Outcome::Again(Answer::Applied),
            Outcome::First(refused()),
            Outcome::Again(refused()),
        ];
        assert_eq!(told, committed(expected, &[1, 2, 3]));
    }
}
