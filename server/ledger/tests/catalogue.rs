//! What PostgreSQL's own catalogue says of the tables: they can be spread over machines. (docs/scaling.md)

mod town;

use std::collections::BTreeMap;

use moa_database::Server;
use moa_ledger::postgres::PostgresStore;
use moa_ledger::store::StoreError;
use town::system;

/// The column by which each table is spread: rows of one owner lie together.
const SPREAD_BY: [(&str, &str); 41] = [
    ("ops", "actor"),
    ("counters", "key"),
    ("inbox_events", "inbox"),
    ("inboxes", "inbox"),
    ("devices", "key"),
    ("merchants", "id"),
    ("groups", "id"),
    ("terms", "group_id"),
    ("members", "group_id"),
    ("search_entries", "id"),
    ("search_postings", "term"),
    ("sales", "merchant"),
    ("lots", "account"),
    ("standings", "account"),
    ("staff", "merchant"),
    ("staff_days", "merchant"),
    ("passes", "merchant"),
    ("amendments", "group_id"),
    ("holds", "merchant"),
    ("redemptions", "merchant"),
    ("debts", "account"),
    ("operators", "account"),
    ("closed", "account"),
    ("balances", "group_id"),
    ("accounts", "phone_mac"),
    ("recoveries", "account"),
    ("known_devices", "account"),
    ("member_tags", "tag"),
    ("one_time_codes", "mac"),
    ("wrong_digits", "asker"),
    ("pictures", "id"),
    ("invitations", "issuer"),
    ("join_requests", "group_id"),
    ("invitation_traces", "issuer"),
    ("enrolments", "id"),
    ("sessions", "key"),
    ("tokens", "hash"),
    ("effects", "id"),
    // No rows.
    ("turns", "turn"),
    // One row.
    ("peppers", "mac"),
    // Which migrations were applied: a few rows, the same on every machine.
    ("refinery_schema_history", "version"),
];

/// The first column of every unique index, primary keys among them.
const UNIQUE: &str = "SELECT t.relname, i.indisprimary, a.attname
    FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = 'public' AND i.indisunique ORDER BY 1";
const TABLES: &str = "SELECT relname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public' AND t.relkind IN ('r', 'p') ORDER BY 1";
/// What ties a table to one machine, or costs on another engine.
const TIES: [(&str, &str); 7] = [
    (
        "sequences",
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND relkind = 'S'",
    ),
    (
        "identity columns",
        "SELECT attrelid::regclass, attname FROM pg_attribute a JOIN pg_class t ON t.oid = attrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' AND attidentity <> ''",
    ),
    (
        "computed defaults",
        "SELECT adrelid::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef
        JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum AND attgenerated = ''
        WHERE pg_get_expr(adbin, adrelid) NOT IN ('0', 'false', '''0''::bigint')",
    ),
    ("triggers", "SELECT tgname FROM pg_trigger"),
    (
        "functions",
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'",
    ),
    ("foreign keys", "SELECT conname FROM pg_constraint WHERE contype = 'f'"),
    (
        "views and rules",
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND relkind NOT IN ('r', 'i')",
    ),
];

#[test]
fn every_key_starts_with_the_column_that_spreads_its_table_and_nothing_ties_them_to_one_machine() {
    let database = Server::shared().database();
    drop(PostgresStore::open(&database.url(), &system().1).unwrap());
    let spread: BTreeMap<&str, &str> = SPREAD_BY.into_iter().collect();
    let tables = database.run(TABLES);
    assert_eq!(tables.lines().collect::<Vec<_>>(), spread.keys().copied().collect::<Vec<_>>());

    let unique = database.run(UNIQUE);
    let mut primary = 0;
    for line in unique.lines() {
        let [table, is_primary, column] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(column, spread[table], "a unique index of {table}");
        primary += usize::from(is_primary == "t");
    }
    assert_eq!(primary, spread.len(), "each table has a primary key");
    for (what, sql) in TIES {
        assert_eq!(database.run(sql), "", "{what}");
    }
}

fn refused(url: &str) -> String {
    PostgresStore::open(url, &system().1).err().unwrap().to_string()
}

#[test]
fn a_database_that_would_lose_answers_or_texts_is_refused_and_what_to_do_is_said() {
    let server = Server::shared();
    let database = server.database();
    database.run(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
    assert!(refused(&database.url()).contains("synchronous_commit is off"));
    assert!(refused(&format!("{}_not_there", database.url())).contains("createdb"));
    assert!(refused(&format!("{}?sslmode=require", database.url())).contains("without TLS"));
    for garbage in ["", "moa.db", "postgres://", "postgres://a:b:c/d", "mysql://127.0.0.1/moa"] {
        assert!(refused(garbage).contains("postgres://user:password@host/database"), "{garbage}");
    }
    server.run(
        "postgres",
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    let latin = database.url().replace(database.name(), "latin");
    assert!(refused(&latin).contains("encoded as LATIN1"));
}

#[test]
fn a_second_server_needs_the_firsts_key() {
    let database = Server::shared().database();
    let (_, device) = system();
    drop(PostgresStore::open(&database.url(), &device).unwrap());
    drop(PostgresStore::open(&database.url(), &device).unwrap());
    assert!(refused(&database.url()).contains("copy server-key.p8 and pepper"));
}

#[test]
fn a_database_of_a_newer_moa_is_refused_and_so_is_one_that_was_never_released() {
    let database = Server::shared().database();
    let (_, device) = system();
    drop(PostgresStore::open(&database.url(), &device).unwrap());
    let open = || PostgresStore::open(&database.url(), &device).map(drop);
    let note = "INSERT INTO refinery_schema_history
        SELECT 99, name, applied_on, checksum FROM refinery_schema_history WHERE version = 1";
    database.run(note);
    assert!(matches!(open(), Err(StoreError::Newer)));
    database.run("DELETE FROM refinery_schema_history WHERE version = 99");
    open().unwrap();
    database.run("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1");
    assert!(matches!(open(), Err(StoreError::Unreleased)));
}

#[test]
fn servers_that_start_at_once_on_an_empty_database_all_start() {
    let database = Server::shared().database();
    let (_, device) = system();
    let (url, device) = (database.url(), &device);
    let stores = std::thread::scope(|scope| {
        let starting = [(); 4].map(|()| scope.spawn(|| PostgresStore::open(&url, device)));
        starting.map(|started| started.join().unwrap())
    });
    for store in stores {
        assert_eq!(store.unwrap().tables().unwrap().devices.len(), 1);
    }
}
