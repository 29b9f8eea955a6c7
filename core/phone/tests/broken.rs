//! A database that broke: set aside and never deleted, and what it held unsent is sent all the same.

mod support;

use std::fs;
use std::path::Path;

use moa_phone::{Data, Fate, Options, Phone, PhoneError, SetAside, SignedIn};
use moa_rules::id::{GroupId, OpId};
use moa_rules::op::Op;
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_wire::api::Ops;
use moa_wire::token::Sealed;
use proptest::prelude::*;
use support::{NOON, Person, Server, profile};

const PAGE: usize = 4_096;

/// A shop that has been without signal for a while, and is closed now.
struct Shop {
    directory: tempfile::TempDir,
    server: Server,
    /// Sales that wait, with what is sent of them.
    unsent: Vec<(OpId, Vec<u8>)>,
}

impl Shop {
    fn new(sales: i64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Server::new(NOON);
        let mut shop = Person::on_disk(directory.path(), 1);
        shop.enrol(&mut server);
        shop.phone.register_merchant(profile("골목 카페")).unwrap();
        shop.sync(&mut server).unwrap();
        shop.phone.record_sale(Money(999), None).unwrap();
        shop.sync(&mut server).unwrap();
        for amount in 1..sales {
            shop.phone.record_sale(Money(amount), None).unwrap();
        }
        shop.phone.record_sale_to_number(Money(sales), "010-2222-3333").unwrap();
        let mut unsent = Vec::new();
        let carried = shop.sync_over(&mut server, |server, request| {
            if request.path == "/v1/ops" {
                let Ops { ops, .. } = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
                unsent.extend(ops.into_iter().map(|op| {
                    let id = Sealed::<Op>::parse(&op.0).unwrap().unchecked().id;
                    (id, op.0)
                }));
            }
            support::offline(server, request)
        });
        assert!(carried.is_err() && unsent.len() == usize::try_from(sales).unwrap());
        Self { directory, server, unsent }
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("phone.db")
    }

    fn spoil(&self, spoil: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.file()).unwrap();
        spoil(&mut bytes);
        fs::write(self.file(), bytes).unwrap();
    }

    /// The sales whose signed bytes are in the files still.
    fn left(&self) -> Vec<OpId> {
        let mut bytes = fs::read(self.file()).unwrap();
        bytes.extend(fs::read(self.directory.path().join("phone.db-wal")).unwrap_or_default());
        let holds = |op: &[u8]| bytes.windows(op.len()).any(|window| window == op);
        self.unsent.iter().filter(|(_, op)| holds(op)).map(|(id, _)| *id).collect()
    }

    /// Opens the shop's phone, which finds the database broken, and has it do its work: what was left is sent, nothing
    /// signed anew is refused for its counter, and the broken file is as it was.
    fn recovers(mut self, what: &str) -> (Person, Server, SetAside) {
        let (left, before) = (self.left(), fs::read(self.file()).unwrap());
        let mut shop = Person::on_disk(self.directory.path(), 2);
        let [aside] = &shop.phone.set_aside().unwrap()[..] else { panic!("{what}: not set aside") };
        let aside = aside.clone();
        assert_eq!(fs::read(self.directory.path().join(&aside.file)).unwrap(), before, "{what}");
        for op in &left {
            assert_eq!(shop.phone.fate(*op).unwrap(), Some(Fate::Waiting), "{what}");
        }
        assert!(aside.ops >= u64::try_from(left.len()).unwrap(), "{what}: {aside:?}");
        if matches!(shop.phone.signed_in().unwrap(), SignedIn::No | SignedIn::Again(_)) {
            shop.enrol(&mut self.server);
        }
        shop.sync(&mut self.server).unwrap();
        let sale = shop.phone.record_sale(Money(5_000), None).unwrap();
        shop.sync(&mut self.server).unwrap();
        for op in left.iter().chain([&sale.sale]) {
            let fate = shop.phone.fate(*op).unwrap();
            let lost_number = matches!(&fate, Some(Fate::Refused(why)) if why.code == "number_missing");
            assert!(fate == Some(Fate::Applied) || lost_number, "{what}: {fate:?}");
        }
        let again = Person::on_disk(self.directory.path(), 3);
        assert_eq!(
            again.phone.set_aside().unwrap(),
            std::slice::from_ref(&aside),
            "told until it was read, and not done again"
        );
        again.phone.set_aside_read().unwrap();
        assert!(again.phone.set_aside().unwrap().is_empty());
        (shop, self.server, aside)
    }
}

#[test]
fn a_truncated_database_gives_what_its_rest_holds() {
    for keep in [0, 1, 100, PAGE, 3 * PAGE] {
        let shop = Shop::new(60);
        shop.spoil(|bytes| bytes.truncate(keep));
        shop.recovers(&format!("cut to {keep}"));
    }
    let shop = Shop::new(60);
    shop.spoil(|bytes| bytes.truncate(bytes.len() / 2));
    shop.recovers("cut in half");
}

#[test]
fn a_zeroed_header_and_a_zeroed_first_page_give_every_sale() {
    for zeroed in [16, 100, PAGE] {
        let shop = Shop::new(60);
        shop.spoil(|bytes| bytes[..zeroed].fill(0));
        assert_eq!(shop.left().len(), 60);
        let (_, _, aside) = shop.recovers(&format!("{zeroed} zeroes"));
        assert!(!aside.whole);
    }
}

#[test]
fn what_only_the_log_holds_is_found_there() {
    let shop = Shop::new(5);
    let database = fs::read(shop.file()).unwrap();
    let open = Person::on_disk(shop.directory.path(), 4);
    let late = open.phone.record_sale(Money(7_000), None).unwrap();
    let log = fs::read(shop.directory.path().join("phone.db-wal")).unwrap();
    drop(open);
    // As after a power cut: the database as it was, the log beside it.
    fs::write(shop.file(), database).unwrap();
    fs::write(shop.directory.path().join("phone.db-wal"), log).unwrap();
    shop.spoil(|bytes| bytes[..100].fill(0));
    let directory = shop.directory.path().to_owned();
    let Shop { directory: keep, .. } = shop;
    let again = Person::on_disk(&directory, 5);
    assert_eq!(again.phone.fate(late.sale).unwrap(), Some(Fate::Waiting));
    let [SetAside { file, .. }] = &again.phone.set_aside().unwrap()[..] else { panic!("not set aside") };
    assert!(directory.join(format!("{file}-wal")).exists(), "the log is kept beside it");
    drop(keep);
}

#[test]
fn garbage_is_set_aside_and_a_new_beginning_made() {
    let mut shop = Shop::new(3);
    shop.spoil(|bytes| *bytes = b"<html>not a database</html>".repeat(900));
    assert!(shop.left().is_empty());
    let (person, server, aside) = Shop { unsent: Vec::new(), ..shop }.recovers("garbage");
    assert_eq!((aside.ops, aside.whole), (0, false));
    assert!(person.phone.outbox().unwrap().is_empty() && server.received.len() == 3, "opened, two sales");
    shop = Shop::new(3);
    shop.spoil(|bytes| *bytes = vec![0; 20 * PAGE]);
    shop.recovers("zeroes");
}

#[test]
fn every_single_page_may_be_flipped() {
    let shop = Shop::new(95);
    let bytes = fs::read(shop.file()).unwrap();
    let key = fs::read(shop.directory.path().join("device.key")).unwrap();
    let places: Vec<(OpId, usize)> = shop
        .unsent
        .iter()
        .map(|(id, op)| (*id, bytes.windows(op.len()).position(|window| window == op).unwrap() / PAGE))
        .collect();
    let pages = bytes.len() / PAGE;
    let mut of_no_account = 0;
    for page in 0..pages {
        let directory = tempfile::tempdir().unwrap();
        let mut flipped = bytes.clone();
        flipped[page * PAGE..(page + 1) * PAGE].iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(directory.path().join("phone.db"), flipped).unwrap();
        fs::write(directory.path().join("device.key"), &key).unwrap();
        // A day later: it is checked once a day.
        let now = NOON.plus(Timestamp::DAY);
        let person = Person::open(Data::Directory(directory.path().to_owned()), 2, now);
        if person.phone.set_aside().unwrap().is_empty() {
            of_no_account += 1;
            assert_eq!(person.phone.outbox().unwrap().len(), 95, "page {page}");
        }
        for (op, _) in places.iter().filter(|(_, at)| *at != page) {
            assert_eq!(person.phone.fate(*op).unwrap(), Some(Fate::Waiting), "page {page}");
        }
    }
    assert!(pages > 20 && of_no_account < pages / 2, "{of_no_account} of {pages}");
}

#[test]
fn a_database_that_breaks_while_it_is_used_is_set_aside_when_it_is_opened_next() {
    let shop = Shop::new(95);
    // Whatever is read after the first page; opened within the day, nothing is checked.
    shop.spoil(|bytes| bytes[PAGE..].iter_mut().for_each(|byte| *byte ^= 0xff));
    let opened = Phone::open(Options::new(Data::Directory(shop.directory.path().to_owned())));
    drop(opened);
    let looked = Person::on_disk(shop.directory.path(), 3);
    assert_eq!(looked.phone.set_aside().unwrap().len(), 1);

    let shop = Shop::new(95);
    let person = Person::on_disk(shop.directory.path(), 2);
    let account = person.phone.account().unwrap();
    person.phone.record_sale(Money(1), None).unwrap();
    let own = person.phone.own_shop().unwrap().unwrap().id;
    person.phone.plan_purchase(own, Money(9_000), person.phone.plan_day(9).unwrap()).unwrap();
    let db = rusqlite::Connection::open(shop.file()).unwrap();
    let root: i64 = db
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'history_by_group'", [], |row| row.get(0))
        .unwrap();
    db.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
    drop(db);
    let page = usize::try_from(root - 1).unwrap() * PAGE;
    shop.spoil(|bytes| bytes[page..page + PAGE].fill(0xff));
    drop(person);
    let person = Person::on_disk(shop.directory.path(), 3);
    assert!(person.phone.set_aside().unwrap().is_empty(), "opened within the day");
    let looked = person.phone.history(GroupId([1; 16]));
    assert!(matches!(looked, Err(PhoneError::Storage(_))), "{looked:?}");
    drop(person);
    let person = Person::on_disk(shop.directory.path(), 4);
    let [aside] = &person.phone.set_aside().unwrap()[..] else { panic!("not set aside") };
    assert_eq!(
        person.phone.signed_in().unwrap(),
        SignedIn::Yes(account),
        "all else could be read: {aside:?}"
    );
    assert_eq!((aside.ops, person.phone.outbox().unwrap().len()), (96, 96));
    assert_eq!(person.phone.merchant_today().unwrap().sales.len(), 96, "and is shown");
    assert_eq!(person.phone.planned_purchases().unwrap().len(), 1, "nobody else knows of it");
}

#[test]
fn a_full_disk_or_a_newer_app_is_no_reason_to_set_anything_aside() {
    let shop = Shop::new(3);
    let db = rusqlite::Connection::open(shop.file()).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let opened = Phone::open(Options::new(Data::Directory(shop.directory.path().to_owned())));
    assert!(matches!(opened.map(drop), Err(PhoneError::NewerData { found: 99, .. })));
    assert_eq!(broken_files(shop.directory.path()), 0);
}

fn broken_files(directory: &Path) -> usize {
    let files = fs::read_dir(directory).unwrap();
    files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("broken")).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn arbitrary_bytes_never_keep_a_phone_from_opening(bytes in proptest::collection::vec(any::<u8>(), 0..9_000)) {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("phone.db"), &bytes).unwrap();
        let person = Person::on_disk(directory.path(), 1);
        prop_assert_eq!(person.phone.signed_in().unwrap(), SignedIn::No);
        prop_assert_eq!(broken_files(directory.path()), 1);
    }
}
