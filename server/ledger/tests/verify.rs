//! Every kind of damage that `verify` must see, done to a real file.

mod town;

use std::path::Path;
use std::sync::Arc;

use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Answer, Outcome};
use moa_ledger::verify::verify_file;
use moa_rules::op::Op;
use rusqlite::Connection;
use town::aftermath::aftermath;
use town::lively::{history, vicissitudes};
use town::{Town, system};

/// A file in which every table of the journal and every live table has rows.
fn lively(path: &Path) {
    let (actor, device) = system();
    history(&mut Town::new(Arc::new(SqliteStore::open(path, &device).unwrap()), actor));
}

#[test]
fn an_untouched_database_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    lively(&path);
    let report = verify_file(&path).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
    assert_eq!((report.lots, report.groups), (80, 2));
    // Three enrolments and two more as buyers, two shops, a group and two members, 80 sales and accruals, two
    // redemptions, 80 lots of which the first buyer's 39 with something left expired.
    // Then another group of two members, two sales that wait and one of which lapsed, a standing choice and a consent.
    let sales = 4 + 2 + 1 + 2 + 160 + 2 + 39 + 3 + 4 + 1 + 1 + 1;
    // Three enrolments, an operator and an allowance, two joinings with certificates, a sale, a leaving, a second phone
    // that is admitted and revoked, a computer, a browser; three passes reserved, of which one taken and one released.
    let people = 3 + 2 + 4 + 1 + 1 + 3 + 2 + 5;
    assert_eq!(report.events, sales + people);
}

#[test]
fn every_kind_of_damage_is_found() {
    let damages = [
        (
            "a lot with one unit more",
            "UPDATE lots SET remaining = remaining - 1 WHERE id = (SELECT id FROM lots WHERE remaining > held + 1 LIMIT 1)",
        ),
        (
            "a lot that lives longer",
            "UPDATE lots SET ends_at = ends_at + 1 WHERE id = (SELECT id FROM lots LIMIT 1)",
        ),
        ("a lot that is gone", "DELETE FROM lots WHERE id = (SELECT id FROM lots LIMIT 1)"),
        ("a standing choice that nobody made", "UPDATE standings SET since = since + 1"),
        ("a consent that was lost", "UPDATE standings SET marketing = x'82f600'"),
        (
            "a position off by one",
            "UPDATE balances SET amount = amount + 1 WHERE ledger = 4 AND party <> x'02'",
        ),
        ("a count of units off by one", "UPDATE balances SET amount = amount + 1 WHERE ledger = 2"),
        (
            "a sale claimed by nobody",
            "UPDATE sales SET claimed_by = NULL WHERE id = (SELECT id FROM sales LIMIT 1)",
        ),
        ("a sale that waits longer", "UPDATE sales SET waits_until = waits_until + 1"),
        ("a sale that did not lapse", "UPDATE sales SET lapsed = 0 WHERE lapsed"),
        ("a sale that lapsed", "UPDATE sales SET lapsed = 1 WHERE waits_until IS NOT NULL AND NOT lapsed"),
        ("a sale that waits for another", "UPDATE sales SET addressee = zeroblob(16) WHERE lapsed"),
        ("another amount", "UPDATE sales SET amount = amount + 1 WHERE id = (SELECT id FROM sales LIMIT 1)"),
        (
            "a shop that is not found by its name",
            "DELETE FROM search_postings WHERE term = (SELECT max(term) FROM search_postings)",
        ),
        ("something found that is not there", "INSERT INTO search_postings VALUES (1, -1, zeroblob(16))"),
        ("something found by what nothing is", "INSERT INTO search_postings VALUES (-5, -1, zeroblob(16))"),
        (
            "a shop that lies elsewhere",
            "UPDATE search_postings SET cell = cell + 1 WHERE term = 0 AND id = (SELECT min(id) FROM search_postings WHERE term = 0)",
        ),
        (
            "a shop that is not searched",
            "DELETE FROM search_entries WHERE target = 0 AND id = (SELECT min(id) FROM merchants)",
        ),
        (
            "a group that is searched for something else",
            "UPDATE search_entries SET entry = (SELECT entry FROM search_entries WHERE target = 0 LIMIT 1) WHERE target = 1",
        ),
        ("a group in another order", "UPDATE search_entries SET by_rate = by_rate - 1 WHERE target = 1"),
        (
            "an event gone from one inbox",
            "DELETE FROM inbox_events WHERE number = 9 AND (inbox, number) NOT IN (SELECT inbox, number FROM events)",
        ),
        (
            "the last event gone from an inbox",
            "DELETE FROM inbox_events WHERE head AND (inbox, number) NOT IN (SELECT inbox, number FROM events)",
        ),
        (
            "an event gone from its home",
            "DELETE FROM inbox_events WHERE number = 9 AND (inbox, number) IN (SELECT inbox, number FROM events)",
        ),
        ("an event's bytes gone", "DELETE FROM events WHERE number = 9"),
        (
            "an event that nobody has",
            "INSERT INTO events SELECT seq + 1, 1, 1, bytes FROM events ORDER BY seq DESC LIMIT 1",
        ),
        ("an event that is at home elsewhere", "UPDATE events SET number = number + 1 WHERE number = 9"),
        (
            "another event in its place",
            "UPDATE inbox_events SET event = event - 1 WHERE number = 9 AND (inbox, number) NOT IN (SELECT inbox, number FROM events)",
        ),
        (
            "other bytes in an event",
            "UPDATE events SET bytes = CAST(bytes || x'00' AS BLOB) WHERE number = 9",
        ),
        ("a head that lies", "UPDATE inbox_events SET hash = zeroblob(32) WHERE head"),
        ("a head that is gone", "UPDATE inbox_events SET head = NULL WHERE inbox = 2 AND head"),
        ("a kept hash that lies", "UPDATE inbox_events SET hash = zeroblob(32) WHERE number = 64"),
        ("a head too many", "UPDATE inbox_events SET head = 1 WHERE number = 64"),
        ("all that came after a kept hash gone", "DELETE FROM inbox_events WHERE number > 64"),
        ("an op gone", "DELETE FROM ops WHERE id = (SELECT id FROM ops LIMIT 1)"),
        (
            "an op whose signature is another's",
            "UPDATE ops SET signed = (SELECT max(signed) FROM ops) WHERE seq = (SELECT min(seq) FROM ops WHERE signed IS NOT NULL)",
        ),
        (
            "a sale carried by another's claim",
            "UPDATE ops SET carrier = (SELECT max(carrier) FROM ops) WHERE seq = (SELECT min(seq) FROM ops WHERE signed IS NULL)",
        ),
        (
            "a sale carried by what is no claim",
            "UPDATE ops SET carrier = 1 WHERE seq = (SELECT min(seq) FROM ops WHERE signed IS NULL)",
        ),
        ("an inbox without a name", "DELETE FROM inboxes WHERE seq = (SELECT max(seq) FROM inboxes)"),
        (
            "an op with another hash",
            "UPDATE ops SET payload_hash = zeroblob(32) WHERE id = (SELECT id FROM ops LIMIT 1)",
        ),
        (
            "an applied op called refused",
            "UPDATE ops SET answer = x'820080' WHERE id = (SELECT id FROM ops ORDER BY decided_at DESC LIMIT 1)",
        ),
        ("a counter forgotten", "UPDATE devices SET used = used & ~8 WHERE counted = 0 AND used & 8"),
        ("a counter too many", "INSERT INTO counters SELECT key, 1000000, 1 FROM devices LIMIT 1"),
        (
            "a counter too many in the last block",
            "UPDATE devices SET used = used | 1 << 60 WHERE counted = 0",
        ),
        ("a last block that is not", "UPDATE devices SET counted = 1 WHERE counted = 0 AND used"),
        ("a key heard later", "UPDATE devices SET heard_at = heard_at + 1 WHERE heard_at > 0"),
        ("a key that was never heard", "UPDATE devices SET heard_at = 0 WHERE heard_at > 0"),
        ("a key heard that is none", "UPDATE devices SET heard_at = 1 WHERE heard_at = 0"),
        ("a key that is another's", "UPDATE devices SET account = zeroblob(16) WHERE account IS NOT NULL"),
        (
            "a member who never joined",
            "UPDATE members SET merchant = zeroblob(16) WHERE merchant = (SELECT merchant FROM members LIMIT 1)",
        ),
        ("terms that nobody agreed to", "UPDATE terms SET in_force_from = 0"),
        ("a shop with another owner", "UPDATE merchants SET owner = zeroblob(16)"),
        ("a shop listed later", "UPDATE merchants SET changed_at = changed_at + 1"),
        ("a group with another count", "UPDATE groups SET members = members + 1"),
        ("a group with another admin", "UPDATE groups SET admin = zeroblob(16)"),
        (
            "an allowance that nobody set",
            "UPDATE merchants SET allowance = allowance + 1 WHERE allowance = 2000000000",
        ),
        (
            "a phone called a browser",
            "UPDATE devices SET kind = 1, until = 1 WHERE kind = 0 AND merchant IS NOT NULL",
        ),
        ("a computer called a phone", "UPDATE devices SET kind = 0 WHERE kind = 2"),
        ("a browser that stays longer", "UPDATE devices SET until = until + 1 WHERE kind = 1"),
        (
            "a phone that pays sooner",
            "UPDATE devices SET pays_from = pays_from - 1 WHERE revoked_at IS NOT NULL",
        ),
        ("a key enrolled sooner", "UPDATE devices SET enrolled_at = enrolled_at - 1 WHERE kind = 2"),
        ("a revoked key that signs", "UPDATE devices SET revoked_at = NULL WHERE revoked_at IS NOT NULL"),
        ("a key that sells for nobody", "UPDATE devices SET merchant = NULL WHERE staff"),
        ("a clerk called an owner", "UPDATE devices SET staff = 0 WHERE staff"),
        ("a former clerk who sells", "UPDATE devices SET left_at = NULL WHERE left_at IS NOT NULL"),
        ("a certificate for longer", "UPDATE devices SET cert_until = cert_until + 1 WHERE staff"),
        ("a certificate for more", "UPDATE devices SET cert_most = cert_most + 1 WHERE staff"),
        ("a certificate used less", "UPDATE devices SET cert_used = cert_used - 1 WHERE cert_used > 0"),
        ("a clerk's sale called the owner's", "UPDATE sales SET staff = 0 WHERE staff"),
        ("another sale's key", "UPDATE sales SET key = zeroblob(8) WHERE staff"),
        ("units held for nobody", "UPDATE lots SET held = held + 1 WHERE remaining > held"),
        ("held units let go", "UPDATE lots SET held = 0 WHERE held > 0"),
        ("a clerk who is none", "DELETE FROM staff WHERE left_at IS NULL"),
        ("a clerk with another phone", "UPDATE staff SET key = zeroblob(8)"),
        ("a clerk who may sell more at once", "UPDATE staff SET per_sale = per_sale + 1"),
        ("a clerk who may sell more a day", "UPDATE staff SET per_day = per_day + 1"),
        ("a clerk who joined sooner", "UPDATE staff SET joined_at = joined_at - 1"),
        ("a clerk who did not leave", "UPDATE staff SET left_at = NULL WHERE left_at IS NOT NULL"),
        ("a day on which more was sold", "UPDATE staff_days SET sold = sold - 1"),
        ("a day forgotten", "DELETE FROM staff_days"),
        ("another day", "UPDATE staff_days SET day = day + 1"),
        ("a pass spent that is open", "UPDATE passes SET state = 1 WHERE state = 0"),
        ("a pass open that was spent", "UPDATE passes SET state = 0 WHERE state = 1"),
        ("a pass spent that was released", "UPDATE passes SET state = 1 WHERE state = 2"),
        ("a pass for another till", "UPDATE passes SET till = zeroblob(8) WHERE state = 0"),
        ("a pass of another phone", "UPDATE passes SET key = zeroblob(8) WHERE state = 0"),
        ("a pass of another buyer", "UPDATE passes SET account = zeroblob(16) WHERE state = 0"),
        ("a pass of another group", "UPDATE passes SET group_id = zeroblob(16) WHERE state = 0"),
        ("a pass that lasts longer", "UPDATE passes SET expires = expires + 1"),
        ("a pass that holds other lots", "UPDATE passes SET held = x'80' WHERE state = 0"),
        ("a pass that is gone", "DELETE FROM passes WHERE state = 0"),
        ("an operator whom nobody appointed", "INSERT INTO operators VALUES (zeroblob(16))"),
        ("an operator forgotten", "DELETE FROM operators"),
        ("a hold open that was captured", "UPDATE holds SET state = 0 WHERE state = 1"),
        ("a hold captured that was voided", "UPDATE holds SET state = 1 WHERE state = 2"),
        ("a hold voided that is open", "UPDATE holds SET state = 2 WHERE state = 0"),
        ("a hold that lasts longer", "UPDATE holds SET until = until + 1 WHERE state = 0"),
        ("a hold that holds other lots", "UPDATE holds SET held = x'80' WHERE state = 0"),
        ("a hold made sooner", "UPDATE holds SET made_at = made_at - 1"),
        ("a hold that is gone", "DELETE FROM holds WHERE state = 0"),
        ("a redemption given back that was not", "UPDATE redemptions SET returned = 1 WHERE returned = 0"),
        ("a redemption kept that was given back", "UPDATE redemptions SET returned = 0 WHERE returned > 0"),
        ("a redemption from other lots", "UPDATE redemptions SET allocations = x'80'"),
        ("a redemption that is gone", "DELETE FROM redemptions"),
        ("a debt of more", "UPDATE debts SET units = units + 1"),
        ("a debt since before", "UPDATE debts SET since = since - 1"),
        ("a debt to another shop", "UPDATE debts SET merchant = zeroblob(16)"),
        ("a debt forgotten", "DELETE FROM debts"),
        ("terms proposed for another day", "UPDATE amendments SET from_at = from_at + 1"),
        ("a member that did not agree", "UPDATE amendments SET agreed = x''"),
        ("a member that declined", "UPDATE amendments SET declined = zeroblob(16)"),
        ("terms that were decided on", "UPDATE amendments SET decided = 1"),
        ("terms that nobody proposed", "UPDATE amendments SET terms = (SELECT terms FROM terms LIMIT 1)"),
        ("a proposal forgotten", "DELETE FROM amendments"),
        (
            "terms that stayed in force",
            "UPDATE terms SET in_force_until = NULL WHERE in_force_until IS NOT NULL",
        ),
        ("a member that did not leave", "UPDATE members SET left_at = NULL WHERE left_at IS NOT NULL"),
        ("a member that was not frozen", "UPDATE members SET frozen_at = NULL WHERE frozen_at IS NOT NULL"),
        ("a group that froze nobody", "UPDATE groups SET frozen = x'' WHERE frozen <> x''"),
        (
            "a group that closes later",
            "UPDATE groups SET closes_at = closes_at + 1 WHERE closes_at IS NOT NULL",
        ),
        ("a group that ended", "UPDATE groups SET ended = 1 WHERE closes_at IS NOT NULL"),
        ("a sale that was no mistake", "UPDATE sales SET voided = 0 WHERE voided"),
        ("a refund of less", "UPDATE sales SET refunded = refunded - 1 WHERE refunded > 0"),
        ("less money back", "UPDATE sales SET money_back = money_back - 1 WHERE money_back > 0"),
        ("less taken back", "UPDATE sales SET clawed = clawed - 1 WHERE clawed > 0"),
        (
            "a sale claimed by another",
            "UPDATE sales SET claimed_account = zeroblob(16) WHERE claimed_by IS NOT NULL",
        ),
        ("units that did not expire", "UPDATE lots SET expired = 0 WHERE expired > 0"),
        ("a lot in nobody's place", "UPDATE lots SET revives = NULL WHERE revives IS NOT NULL"),
        ("stamps that were points", "UPDATE lots SET unit = 10"),
        ("units taken back that were not", "UPDATE balances SET amount = amount - 1 WHERE ledger = 5"),
        ("units taken away that were not", "UPDATE balances SET amount = amount - 1 WHERE ledger = 6"),
        ("a closed account merged", "UPDATE closed SET merged_into = zeroblob(16)"),
        (
            "an account merged into nobody",
            "UPDATE closed SET merged_into = NULL WHERE merged_into IS NOT NULL",
        ),
        ("an account that closed sooner", "UPDATE closed SET at = at - 1"),
        ("an account that goes on", "DELETE FROM closed WHERE merged_into IS NULL"),
        ("a pass made sooner", "UPDATE passes SET made_at = made_at - 1 WHERE state = 0"),
        ("a frozen member too many", "UPDATE groups SET frozen = zeroblob(16) WHERE length(frozen) = 0"),
        (
            "a group that issues longer",
            "UPDATE groups SET redeem_only_from = redeem_only_from + 1 WHERE NOT ended",
        ),
        (
            "a group that goes on",
            "UPDATE groups SET redeem_only_from = NULL, closes_at = NULL WHERE closes_at IS NOT NULL",
        ),
        ("a group that has not ended", "UPDATE groups SET ended = 0 WHERE ended"),
        ("a group with earlier terms", "UPDATE groups SET terms_version = 1 WHERE terms_version = 2"),
        ("a member that left sooner", "UPDATE members SET left_at = left_at - 1"),
        ("a member that left", "UPDATE members SET left_at = 1 WHERE left_at IS NULL"),
        ("a member frozen later", "UPDATE members SET frozen_at = frozen_at + 1"),
        ("another proposal", "UPDATE amendments SET id = zeroblob(16) WHERE NOT decided"),
        (
            "a member that changed its mind",
            "UPDATE amendments SET agreed = CAST(agreed || declined AS BLOB), declined = x'' WHERE length(declined) > 0",
        ),
        ("terms that were not decided on", "UPDATE amendments SET decided = 0 WHERE decided"),
        (
            "a sale that mileage paid no part of",
            "UPDATE sales SET redemption = NULL WHERE redemption IS NOT NULL",
        ),
        ("a sale that earned on more", "UPDATE sales SET unearned = 0 WHERE unearned > 0"),
        ("less forgone", "UPDATE sales SET forgone = forgone - 1 WHERE forgone > 0"),
        (
            "a sale claimed elsewhere",
            "UPDATE sales SET claimed_group = zeroblob(16) WHERE claimed_group IS NOT NULL",
        ),
        ("a coupon called a point", "UPDATE lots SET unit = 0 WHERE unit <> 0"),
        ("a hold captured that lapsed", "UPDATE holds SET state = 1 WHERE state = 3"),
        ("a hold of another buyer", "UPDATE holds SET account = zeroblob(16) WHERE state = 0"),
        ("a hold of another group", "UPDATE holds SET group_id = zeroblob(16) WHERE state = 0"),
        ("a clerk's hold called the owner's", "UPDATE holds SET till = NULL WHERE till IS NOT NULL"),
        ("a redemption made sooner", "UPDATE redemptions SET made_at = made_at - 1"),
        ("another buyer's redemption", "UPDATE redemptions SET account = zeroblob(16)"),
        ("another group's redemption", "UPDATE redemptions SET group_id = zeroblob(16)"),
        (
            "a clerk's redemption called the owner's",
            "UPDATE redemptions SET till = NULL WHERE till IS NOT NULL",
        ),
        ("a debt in another unit", "UPDATE debts SET unit = -1 WHERE units > 0"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound.db");
    let (actor, device) = system();
    let mut town = Town::new(Arc::new(SqliteStore::open(&sound, &device).unwrap()), actor);
    history(&mut town);
    vicissitudes(&mut town);
    aftermath(&mut town);
    drop(town);
    let report = verify_file(&sound).unwrap();
    assert!(report.is_clean(), "{:#?}", report.differences);
    Connection::open(&sound).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    for (what, damage) in damages {
        let path = folder.path().join("damaged.db");
        std::fs::copy(&sound, &path).unwrap();
        let connection = Connection::open(&path).unwrap();
        assert!(connection.execute(damage, []).unwrap() > 0, "{what}: touched nothing");
        drop(connection);
        // Damage that cannot even be read is reported as an error.
        let found = verify_file(&path).map_or(true, |report| !report.is_clean());
        assert!(found, "{what} was not found");
    }
}

#[test]
fn edge_42_a_counter_that_a_damaged_database_let_pass_twice_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    let (actor, device) = system();
    let town = Town::new(Arc::new(SqliteStore::open(&path, &device).unwrap()), actor);
    let cafe = town.shop("카페");
    let sale = town.sale(&cafe, 10_000);
    assert_eq!(town.submit(&sale), Outcome::First(Answer::Applied));
    // The database forgets, and a key brought back from a backup counts again from where it was.
    let forget = "UPDATE devices SET used = used & ~(1 << (?1 % 64)) WHERE counted = ?1 / 64";
    Connection::open(&path).unwrap().execute(forget, [sale.value().counter.cast_signed()]).unwrap();
    let again = town.sale(&cafe, 20_000);
    let again = cafe.actor.sign(Op { counter: sale.value().counter, ..again.value().clone() });
    assert_eq!(town.submit(&again), Outcome::First(Answer::Applied));
    let report = verify_file(&path).unwrap();
    assert!(report.differences.iter().any(|found| found.contains("used twice")), "{:?}", report.differences);
}

#[test]
fn a_file_that_is_no_database_is_refused_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    std::fs::write(&path, vec![7; 8_192]).unwrap();
    let (_, device) = system();
    let error = SqliteStore::open(&path, &device).err().unwrap().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[test]
fn a_database_whose_tables_were_never_released_is_refused_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    lively(&path);
    let other = "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1";
    Connection::open(&path).unwrap().execute(other, []).unwrap();
    let (_, device) = system();
    let error = SqliteStore::open(&path, &device).err().unwrap().to_string();
    assert!(error.contains("new folder"), "{error}");
}

#[test]
fn a_database_of_a_newer_program_is_refused_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    lively(&path);
    let newer = "INSERT INTO refinery_schema_history VALUES (99, 'later', '2030-01-01T00:00:00Z', '1')";
    Connection::open(&path).unwrap().execute(newer, []).unwrap();
    let (_, device) = system();
    let error = SqliteStore::open(&path, &device).err().unwrap().to_string();
    assert!(error.contains("newer"), "{error}");
    let error = verify_file(&path).unwrap_err().to_string();
    assert!(error.contains("newer"), "{error}");
}

#[test]
fn a_database_of_an_older_program_is_brought_up_to_date_before_it_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moa.db");
    lively(&path);
    Connection::open(&path).unwrap().execute("DELETE FROM refinery_schema_history", []).unwrap();
    let error = verify_file(&path).unwrap_err().to_string();
    assert!(error.contains("start the server on it once"), "{error}");
}
