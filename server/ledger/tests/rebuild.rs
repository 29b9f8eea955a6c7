//! A store written anew from its journal: equal to the unit, whatever became of the live tables.

mod town;

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use moa_ledger::copy::{Copied, copy};
use moa_ledger::sqlite::{SqliteImport, SqliteJournal, SqliteStore};
use moa_ledger::store::{Answer, Outcome, Store, StoreError};
use moa_ledger::verify::verify_file;
use rusqlite::Connection;
use tempfile::TempDir;
use town::aftermath::aftermath;
use town::lively::{history, persons, vicissitudes};
use town::{Town, system};

/// A town on a file in which every table has rows.
fn lively(folder: &TempDir) -> Town<SqliteStore> {
    let (actor, device) = system();
    let path = folder.path().join("moa.db");
    let mut town = Town::new(Arc::new(SqliteStore::open(&path, &device).unwrap()), actor);
    history(&mut town);
    vicissitudes(&mut town);
    aftermath(&mut town);
    persons(&*town.store);
    town
}

/// Tables, each with its rows.
type Dump = Vec<(String, Vec<String>)>;

fn rebuild(from: &Path, to: &Path) -> Result<Copied, StoreError> {
    copy(&mut SqliteJournal::open(from)?, Box::new(SqliteImport::create(to)?))
}

/// Every row of every table, as text, in order; what tables there are is asked of the database. An account of the books at zero
/// is none. In which order events were written is theirs: each goes by its home.
fn dump(path: &Path) -> Dump {
    let connection = Connection::open(path).unwrap();
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'refinery%' ORDER BY name";
    let mut tables = connection.prepare(tables).unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let rows = |table: &String| {
        let select = match table.as_str() {
            "balances" => "SELECT * FROM balances WHERE amount <> 0",
            "events" => "SELECT inbox, number, bytes FROM events",
            "inbox_events" => {
                "SELECT e.inbox, e.number, v.inbox, v.number, e.hash, e.head
                FROM inbox_events e LEFT JOIN events v ON v.seq = e.event"
            }
            table => &format!("SELECT * FROM {table}"),
        };
        let mut rows = connection.prepare(select).unwrap();
        let columns = rows.column_count();
        let text = |row: &rusqlite::Row| {
            let mut text = String::new();
            for column in 0..columns {
                write!(text, "{:?} ", row.get_ref(column)?).unwrap();
            }
            Ok(text)
        };
        let mut rows: Vec<String> = rows.query_map([], text).unwrap().collect::<Result<_, _>>().unwrap();
        rows.sort();
        rows
    };
    tables.into_iter().map(|table| (table.clone(), rows(&table))).collect()
}

/// That both have the same rows, or the first that they have not.
fn assert_same(one: &Dump, other: &Dump, what: &str) {
    for ((table, ones), (same, others)) in one.iter().zip(other) {
        assert_eq!(table, same);
        let differs = ones.iter().zip(others).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{what}: {table}");
        assert_eq!(ones.len(), others.len(), "{what}: rows of {table}");
    }
    assert_eq!(one.len(), other.len(), "{what}: tables");
}

#[test]
fn a_rebuild_equals_its_source_in_every_row_of_every_table() {
    let folder = tempfile::tempdir().unwrap();
    drop(lively(&folder));
    let (old, new) = (folder.path().join("moa.db"), folder.path().join("new.db"));
    let copied = rebuild(&old, &new).unwrap();
    assert!(copied.is_good() && copied.source.is_clean(), "{copied:#?}");
    assert_eq!(copied.target.as_ref(), Some(&copied.source));
    let (old, new) = (dump(&old), dump(&new));
    let empty: Vec<_> = old.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
    assert!(empty.is_empty(), "nothing was there to be copied of {empty:?}");
    assert_same(&old, &new, "untouched");
}

#[test]
fn whatever_became_of_the_live_tables_a_rebuild_is_right() {
    let damages = [
        "DELETE FROM lots",
        "DELETE FROM lots WHERE remaining > 0",
        "UPDATE lots SET remaining = units, held = 0",
        "UPDATE balances SET amount = amount + 1",
        "DELETE FROM balances WHERE ledger = 4",
        "DELETE FROM counters; UPDATE devices SET counted = 0, used = 0, heard_at = 0",
        "INSERT INTO counters SELECT key, 1000000, 1 FROM devices",
        "UPDATE sales SET claimed_by = NULL",
        "DELETE FROM devices WHERE account IS NOT NULL",
        "UPDATE members SET merchant = zeroblob(16) WHERE merchant = (SELECT merchant FROM members LIMIT 1)",
        "DELETE FROM groups; DELETE FROM terms; DELETE FROM members; DELETE FROM merchants;",
        "DELETE FROM passes; DELETE FROM staff; DELETE FROM staff_days; DELETE FROM standings;",
        "DELETE FROM operators; DELETE FROM closed;",
        "DELETE FROM holds; DELETE FROM redemptions; DELETE FROM debts; DELETE FROM amendments;",
        "UPDATE sales SET refunded = 0, money_back = 0, clawed = 0, voided = 0",
        "UPDATE members SET left_at = NULL, frozen_at = NULL; UPDATE groups SET frozen = x'', closes_at = NULL",
        "UPDATE debts SET units = units + 1",
        "UPDATE merchants SET changed_at = 0",
        "INSERT INTO operators VALUES (zeroblob(16))",
        "DELETE FROM search_entries; DELETE FROM search_postings;",
        "UPDATE search_postings SET cell = cell + 1",
    ];
    let folder = tempfile::tempdir().unwrap();
    drop(lively(&folder));
    let sound = folder.path().join("moa.db");
    let right = dump(&sound);
    for damage in damages {
        let (damaged, new) = (folder.path().join("damaged.db"), folder.path().join("new.db"));
        std::fs::copy(&sound, &damaged).unwrap();
        Connection::open(&damaged).unwrap().execute_batch(damage).unwrap();
        assert!(dump(&damaged) != right, "{damage}: touched nothing");
        let copied = rebuild(&damaged, &new).unwrap();
        assert!(copied.is_good(), "{damage}: {copied:#?}");
        assert!(copied.source.different > 0 && copied.source.in_journal == 0, "{damage}");
        assert_same(&dump(&new), &right, damage);
        std::fs::remove_file(new).unwrap();
    }
}

#[test]
fn a_table_whose_pages_cannot_be_read_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    drop(lively(&folder));
    let (old, new) = (folder.path().join("moa.db"), folder.path().join("new.db"));
    let right = dump(&old);
    let connection = Connection::open(&old).unwrap();
    let root =
        "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name = 'lots'";
    let (page, size): (u32, u32) =
        connection.query_row(root, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(&old).unwrap();
    let begins = usize::try_from((page - 1) * size).unwrap();
    bytes[begins..begins + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&old, bytes).unwrap();
    let copied = rebuild(&old, &new).unwrap();
    assert!(copied.is_good() && copied.source.in_journal == 0, "{copied:#?}");
    let told = copied.source.differences.join("; ");
    assert!(told.contains("finds the file damaged") && told.contains("cannot all be read"), "{told}");
    assert_same(&dump(&new), &right, "a page of lots");
}

#[test]
fn a_journal_that_does_not_hold_is_not_written_anew() {
    let damages = [
        "DELETE FROM inbox_events WHERE number = 9 AND (inbox, number) NOT IN (SELECT inbox, number FROM events)",
        "DELETE FROM inbox_events WHERE number = 9 AND (inbox, number) IN (SELECT inbox, number FROM events)",
        "DELETE FROM events WHERE number = 9",
        "UPDATE inbox_events SET hash = zeroblob(32) WHERE inbox = 2 AND head",
        "DELETE FROM ops WHERE seq = 5",
        "UPDATE ops SET payload_hash = zeroblob(32) WHERE seq = 5",
    ];
    let folder = tempfile::tempdir().unwrap();
    drop(lively(&folder));
    let (damaged, new) = (folder.path().join("damaged.db"), folder.path().join("new.db"));
    for damage in damages {
        std::fs::copy(folder.path().join("moa.db"), &damaged).unwrap();
        assert!(Connection::open(&damaged).unwrap().execute(damage, []).unwrap() > 0, "{damage}");
        let copied = rebuild(&damaged, &new).unwrap();
        assert!(!copied.is_good() && copied.target.is_none(), "{damage}");
        assert!(copied.source.in_journal > 0, "{damage}");
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("new")).collect();
        assert!(left.is_empty(), "{damage}: {left:?}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    drop(lively(&folder));
    let (old, new) = (folder.path().join("moa.db"), folder.path().join("new.db"));
    std::fs::write(&new, b"somebody's").unwrap();
    let refused = rebuild(&old, &new).unwrap_err().to_string();
    assert!(refused.contains("is there already"), "{refused}");
    assert_eq!(std::fs::read(&new).unwrap(), b"somebody's");
}

#[test]
fn what_is_committed_meanwhile_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let town = lively(&folder);
    let (old, new) = (folder.path().join("moa.db"), folder.path().join("new.db"));
    let before = town.store.tables().unwrap();
    let mut journal = SqliteJournal::open(&old).unwrap();
    let shop = town.shop("나중");
    assert_eq!(town.submit(&town.sale(&shop, 1_000)), Outcome::First(Answer::Applied));
    let copied = copy(&mut journal, Box::new(SqliteImport::create(&new).unwrap())).unwrap();
    assert!(copied.is_good() && copied.source.is_clean(), "{copied:#?}");
    let (_, device) = system();
    assert!(town.store.tables().unwrap() != before);
    // Opening gives the file the key of a server of its own, and nothing else changes.
    let mut reopened = SqliteStore::open(&new, &device).unwrap().tables().unwrap();
    reopened.devices.remove(&device.key);
    assert!(reopened == before);
}

#[test]
fn a_rebuilt_store_goes_on_where_the_old_one_was() {
    let folder = tempfile::tempdir().unwrap();
    let town = lively(&folder);
    let (old, new) = (folder.path().join("moa.db"), folder.path().join("new.db"));
    rebuild(&old, &new).unwrap();
    let device = town.store.device(town.system.key_id()).unwrap().unwrap();
    let store = Arc::new(SqliteStore::open(&new, &device).unwrap());
    let mut town = Town { store, ..town };
    town.now = town.now.plus(1);
    let shop = town.shop("나중");
    let sale = town.sale(&shop, 1_000);
    assert_eq!(town.submit(&sale), Outcome::First(Answer::Applied));
    assert_eq!(town.submit(&sale), Outcome::Again(Answer::Applied));
    let report = verify_file(&new).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
}
