//! What waits to be sent, when the server was last heard, and what signing out leaves behind.

mod support;

use std::fs;

use moa_phone::{PhoneError, SignedIn, Unsent};
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_wire::token::Sealed;
use support::{NOON, Person, Server, Town, offline, profile};

#[test]
fn signing_out_says_what_would_be_lost_and_changes_nothing() {
    let mut town = Town::new();
    town.buy(4_500);
    town.buy(5_500);
    town.cafe.phone.record_sale(Money(1), None).unwrap();
    let unsent = Unsent { ops: 2, sales: 0, claims: 2 };
    assert_eq!(town.buyer.phone.unsent().unwrap(), unsent);
    assert_eq!(town.cafe.phone.unsent().unwrap(), Unsent { ops: 3, sales: 3, claims: 0 });
    let before = town.buyer.phone.outbox().unwrap();
    assert!(matches!(town.buyer.phone.sign_out(false), Err(PhoneError::Unsent(what)) if what == unsent));
    assert_eq!(town.buyer.phone.outbox().unwrap(), before);
    assert_eq!(town.buyer.phone.signed_in().unwrap(), SignedIn::Yes(town.account));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.unsent().unwrap(), Unsent::default());
    town.buyer.phone.sign_out(false).unwrap();
    assert_eq!(town.buyer.phone.signed_in().unwrap(), SignedIn::No);
}

#[test]
fn after_signing_out_another_person_signs_in_and_finds_nothing_of_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = Town::with_buyer(Person::on_disk(directory.path(), 3));
    town.earn(45_000);
    let Town { mut server, buyer, cafe, account, .. } = town;
    let (voucher, key) = (cafe.phone.record_sale(Money(7_700), None).unwrap(), buyer.phone.key());
    let scanned = buyer.scan(&voucher);
    buyer.phone.claim(&scanned, None).unwrap();
    buyer.phone.sign_out(true).unwrap();
    let holds = |part: &[u8]| {
        ["phone.db", "phone.db-wal"].iter().any(|file| {
            let bytes = fs::read(directory.path().join(file)).unwrap_or_default();
            bytes.windows(part.len()).any(|window| window == part)
        })
    };
    assert!(!holds(&account.0) && !holds("골목 카페".as_bytes()), "not even in pages that are free");
    drop(buyer);

    let mut next = Person::on_disk(directory.path(), 4);
    assert_eq!(next.phone.signed_in().unwrap(), SignedIn::No);
    assert_ne!(next.phone.key(), key, "the server knows the old key as the first person's");
    assert!(next.phone.outbox().unwrap().is_empty() && next.phone.balances().unwrap().is_empty());
    assert_eq!(next.phone.heard_at(), None);
    let other = next.enrol(&mut server);
    assert_ne!(other, account);
    assert!(next.phone.balances().unwrap().is_empty());
    let key = next.phone.key();
    drop(next);
    assert_eq!(Person::on_disk(directory.path(), 5).phone.key(), key, "made anew once");
}

#[test]
fn a_key_that_stays_never_uses_a_counter_twice_though_its_person_left() {
    let mut server = Server::new(NOON);
    let mut shop = Person::new(1);
    shop.enrol(&mut server);
    shop.phone.register_merchant(profile("카페")).unwrap();
    shop.sync(&mut server).unwrap();
    let counter = |person: &Person| {
        let voucher = person.phone.record_sale(Money(1_000), None).unwrap();
        let bytes = base45::decode(voucher.text.strip_prefix("MOA1:").unwrap()).unwrap();
        Sealed::<moa_rules::op::Op>::parse(&bytes).unwrap().unchecked().counter
    };
    let before = counter(&shop);
    shop.phone.sign_out(true).unwrap();
    assert!(matches!(shop.phone.record_sale(Money(1), None), Err(PhoneError::Refused(_))));
    shop.enrol(&mut server);
    assert!(counter(&shop) > before);
}

#[test]
fn a_phone_knows_when_it_last_heard_the_server_even_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = Town::with_buyer(Person::on_disk(directory.path(), 3));
    assert_eq!(town.buyer.phone.heard_at(), Some(NOON));
    town.advance(10 * Timestamp::MINUTE);
    assert!(town.buyer.sync_over(&mut town.server, offline).is_err());
    assert_eq!(town.buyer.phone.heard_at(), Some(NOON), "no answer, not heard");
    town.buyer.sync(&mut town.server).unwrap();
    let heard = NOON.plus(10 * Timestamp::MINUTE);
    assert_eq!(town.buyer.phone.heard_at(), Some(heard));
    // Within the minute it is not written down again.
    town.advance(20 * Timestamp::SECOND);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.heard_at(), Some(heard.plus(20 * Timestamp::SECOND)));
    drop(town.buyer);
    assert_eq!(Person::on_disk(directory.path(), 4).phone.heard_at(), Some(heard));
}
