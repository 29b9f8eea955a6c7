//! Sales to a phone number: typed at the shop, known to the server alone.

mod support;

use moa_phone::{Fate, PhoneError, SaleStanding};
use moa_rules::member::Buyer;
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_wire::api::{Base64, Ops};
use moa_wire::token::Sealed;
use support::{Person, Town, offline, units};

const NUMBER: &str = "010-3333-3333";

fn town() -> Town {
    let mut town = Town::new();
    town.server.people.insert(NUMBER.to_owned(), town.account);
    town
}

#[test]
fn a_sale_to_a_number_needs_no_signal_and_reaches_its_owner() {
    let mut town = town();
    let sale = town.cafe.phone.record_sale_to_number(Money(20_000), " 010-3333-3333 ").unwrap();
    assert!(town.cafe.sync_over(&mut town.server, offline).is_err());
    assert_eq!(town.cafe.phone.merchant_today().unwrap().sales[0].standing, SaleStanding::Unsent);
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(sale).unwrap(), Some(Fate::Applied));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn the_number_travels_beside_the_op_until_it_is_answered_and_is_never_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = town();
    let mut cafe = Person::on_disk(directory.path(), 8);
    cafe.enrol(&mut town.server);
    cafe.phone.register_merchant(support::profile("분점")).unwrap();
    cafe.phone.join_group(town.group, 1).unwrap();
    cafe.sync(&mut town.server).unwrap();
    cafe.phone.record_sale_to_number(Money(20_000), NUMBER).unwrap();
    let mut sent = Vec::new();
    let lost = |_: &mut support::Server, request: &moa_phone::Request| {
        sent.extend(request.body.clone().filter(|_| request.path == "/v1/ops"));
        Err(moa_phone::TransportError::TimedOut)
    };
    assert!(cafe.sync_over(&mut town.server, lost).is_err());
    let Ops { ops, numbers } = serde_json::from_slice(&sent[0]).unwrap();
    assert_eq!((numbers.len(), numbers[0].number.as_str()), (1, NUMBER));
    let Base64(op) = &ops[0];
    let digits = |bytes: &[u8]| bytes.windows(4).any(|four| four == b"3333");
    assert!(!digits(op));
    let op = Sealed::<Op>::parse(op).unwrap();
    let OpBody::SellTo { buyer: Buyer::Number(named), .. } = op.unchecked().body else { panic!("no number") };
    assert!(numbers[0].is(named));

    // Opened again, the phone still has the number to send; answered, it has not.
    let mut cafe = {
        drop(cafe);
        Person::on_disk(directory.path(), 80)
    };
    cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.server.numbers, numbers);
    let db = rusqlite::Connection::open(directory.path().join("phone.db")).unwrap();
    let left: i64 = db.query_row("SELECT count(*) FROM typed_number", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn the_same_number_is_named_by_another_hash_each_time() {
    let mut town = town();
    for _ in 0..2 {
        town.cafe.phone.record_sale_to_number(Money(1_000), NUMBER).unwrap();
    }
    town.cafe.sync(&mut town.server).unwrap();
    let [one, two] = &town.server.numbers[..] else { panic!("two numbers") };
    assert_ne!(one.salt, two.salt);
    assert_eq!(one.number, two.number);
}

#[test]
fn a_sale_to_a_number_that_nobody_has_waits() {
    let mut town = town();
    town.cafe.phone.record_sale_to_number(Money(20_000), "010-9999-9999").unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let standing = town.cafe.phone.merchant_today().unwrap().sales[0].standing;
    assert!(matches!(standing, SaleStanding::Waiting { .. }), "{standing:?}");
}

#[test]
fn slips_are_noticed_before_anything_is_recorded() {
    let town = town();
    let cafe = &town.cafe.phone;
    for (amount, number, expected) in [
        (1_000, "1234", Refusal::BadNumber),
        (1_000, "hello", Refusal::BadNumber),
        (0, NUMBER, Refusal::AmountNotPositive),
    ] {
        let Err(PhoneError::Refused(refusal)) = cafe.record_sale_to_number(Money(amount), number) else {
            panic!("{number} was taken")
        };
        assert_eq!(refusal, expected);
    }
    let no_shop = town.buyer.phone.record_sale_to_number(Money(1_000), NUMBER);
    assert!(matches!(no_shop, Err(PhoneError::Refused(Refusal::NoMerchant))));
    assert!(cafe.outbox().unwrap().is_empty() && cafe.merchant_today().unwrap().sales.is_empty());
}
