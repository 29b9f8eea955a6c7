//! A store written anew in another database: the same ops, entries, rows, books and people.

mod town;

use std::sync::Arc;

use moa_database::{Database, Server};
use moa_ledger::copy::{Copied, Import, PEOPLE, copy};
use moa_ledger::journal::Journal;
use moa_ledger::postgres::{PostgresImport, PostgresJournal, PostgresStore};
use moa_ledger::sqlite::{SqliteImport, SqliteJournal, SqliteStore};
use moa_ledger::store::{Store, StoreError};
use moa_ledger::verify::verify;
use moa_rules::op::OpBody;
use town::lively::{history, persons};
use town::stores::fresh;
use town::{Town, system};

/// Everything that a journal tells, in an order of its own.
#[derive(Debug, PartialEq)]
struct Told {
    journal: Vec<String>,
    tables: Vec<String>,
    people: Vec<(&'static str, Vec<String>)>,
}

fn told(journal: &mut dyn Journal) -> Told {
    let (mut kept, mut tables) = (Vec::new(), Vec::new());
    let tell = |text: String, into: &mut Vec<String>| -> Result<(), StoreError> {
        into.push(text);
        Ok(())
    };
    journal.ops(&mut |op| tell(format!("{op:?}"), &mut kept)).unwrap();
    journal.entries(&mut |entry| tell(format!("{entry:?}"), &mut kept)).unwrap();
    journal.heads(&mut |head| tell(format!("{head:?}"), &mut kept)).unwrap();
    journal.rows(&mut |row| tell(format!("{row:?}"), &mut tables)).unwrap();
    journal.changed(&mut |changed| tell(format!("{changed:?}"), &mut tables)).unwrap();
    journal.balances(&mut |balance| tell(format!("{balance:?}"), &mut tables)).unwrap();
    let mut people = Vec::new();
    for table in &PEOPLE {
        let mut rows = Vec::new();
        journal.people(table, &mut |row| tell(format!("{row:?}"), &mut rows)).unwrap();
        assert!(!rows.is_empty(), "nothing was there to be copied of {}", table.name);
        rows.sort_unstable();
        people.push((table.name, rows));
    }
    kept.sort_unstable();
    tables.sort_unstable();
    Told { journal: kept, tables, people }
}

fn live<S: Store>(mut town: Town<S>) {
    history(&mut town);
    persons(&*town.store);
    town.apply(&town.enrol(), OpBody::CloseAccount);
}

fn copied(source: &mut dyn Journal, target: impl Import + 'static) -> Copied {
    let copied = copy(source, Box::new(target)).unwrap();
    assert!(copied.is_good() && copied.source.is_clean(), "{copied:#?}");
    assert_eq!(copied.target.as_ref(), Some(&copied.source));
    copied
}

fn journal(database: &Database) -> PostgresJournal {
    PostgresJournal::open(&database.url()).unwrap()
}

#[test]
fn from_sqlite_to_postgres_and_back_nothing_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    let (actor, device) = system();
    live(Town::new(Arc::new(SqliteStore::open(&old, &device).unwrap()), actor));
    let was = told(&mut SqliteJournal::open(&old).unwrap());

    let database = Server::shared().database();
    copied(&mut SqliteJournal::open(&old).unwrap(), PostgresImport::create(&database.url()).unwrap());
    assert_eq!(told(&mut journal(&database)), was);
    copied(&mut journal(&database), SqliteImport::create(&new).unwrap());
    assert_eq!(told(&mut SqliteJournal::open(&new).unwrap()), was);
}

#[test]
fn a_lively_town_on_postgres_is_proved_and_moves_to_another_database() {
    let (from, to) = (fresh(), Server::shared().database());
    let (actor, device) = system();
    live(Town::new(Arc::new(PostgresStore::open(&from.url(), &device).unwrap()), actor));
    copied(&mut journal(&from), PostgresImport::create(&to.url()).unwrap());
    assert_eq!(told(&mut journal(&to)), told(&mut journal(&from)));
    // The server goes on there, with its own key.
    drop(PostgresStore::open(&to.url(), &device).unwrap());
    let again = PostgresImport::create(&to.url()).err().unwrap().to_string();
    assert!(again.contains("copy to an empty one"), "{again}");
}

#[test]
fn what_is_damaged_on_postgres_is_found_and_mended_elsewhere() {
    let (from, to) = (fresh(), Server::shared().database());
    let (actor, device) = system();
    live(Town::new(Arc::new(PostgresStore::open(&from.url(), &device).unwrap()), actor));
    let was = told(&mut journal(&from));
    for damage in [
        "UPDATE lots SET remaining = units, held = 0",
        "DELETE FROM balances WHERE ledger = 4",
        "DELETE FROM counters",
        "UPDATE merchants SET changed_at = 0",
    ] {
        from.run(damage);
    }
    let report = verify(&mut journal(&from)).unwrap();
    assert!(report.different > 0 && report.in_journal == 0, "{:#?}", report.differences);
    let copied = copy(&mut journal(&from), Box::new(PostgresImport::create(&to.url()).unwrap())).unwrap();
    assert!(copied.is_good(), "{copied:#?}");
    assert_eq!(told(&mut journal(&to)), was);
}

#[test]
fn a_journal_on_postgres_that_does_not_hold_is_not_copied() {
    let from = fresh();
    let (actor, device) = system();
    live(Town::new(Arc::new(PostgresStore::open(&from.url(), &device).unwrap()), actor));
    for damage in [
        "UPDATE inboxes SET hash = decode(repeat('00', 32), 'hex') WHERE count = (SELECT max(count) FROM inboxes)",
        "UPDATE ops SET payload_hash = decode(repeat('00', 32), 'hex') WHERE id = (SELECT id FROM ops LIMIT 1)",
        "DELETE FROM inbox_events WHERE bytes IS NOT NULL AND number = 9",
        "DELETE FROM ops WHERE id = (SELECT carrier_id FROM ops WHERE carrier_id IS NOT NULL LIMIT 1)",
    ] {
        let [damaged, to] = [(); 2].map(|()| Server::shared().database());
        copied(&mut journal(&from), PostgresImport::create(&damaged.url()).unwrap());
        damaged.run(damage);
        let copied =
            copy(&mut journal(&damaged), Box::new(PostgresImport::create(&to.url()).unwrap())).unwrap();
        assert!(!copied.is_good() && copied.target.is_none(), "{damage}");
        assert_eq!(to.run("SELECT count(*) FROM ops"), "0", "nothing is left of what was begun");
    }
}

#[test]
fn a_database_with_other_tables_is_not_taken_for_a_journal() {
    let database = Server::shared().database();
    assert!(PostgresJournal::open(&database.url()).is_err());
    drop(PostgresStore::open(&database.url(), &system().1).unwrap());
    database.run("UPDATE refinery_schema_history SET checksum = '1'");
    assert!(matches!(PostgresJournal::open(&database.url()), Err(StoreError::Unreleased)));
    database.run("UPDATE refinery_schema_history SET version = 99");
    assert!(matches!(PostgresJournal::open(&database.url()), Err(StoreError::Newer)));
    database.run("DELETE FROM refinery_schema_history");
    assert!(matches!(PostgresJournal::open(&database.url()), Err(StoreError::Older)));
}
