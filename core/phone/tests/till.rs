//! A till without signal: how long, how many, how much, and a clerk's limits.

mod support;

use moa_phone::{Fate, PhoneError, TillState};
use moa_rules::certificate::{ALLOWANCE, HARD, SOFT};
use moa_rules::id::{MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::Limits;
use moa_rules::time::Timestamp;
use support::{Person, Town, offline};

fn state(person: &Person) -> TillState {
    person.phone.till_state().unwrap().unwrap()
}

fn sell(person: &Person, amount: i64) -> Result<OpId, Refusal> {
    match person.phone.record_sale(Money(amount), None) {
        Ok(voucher) => Ok(voucher.sale),
        Err(PhoneError::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// What the café's tills may sell together from now on; its till has renewed its certificate.
fn allow(town: &mut Town, most: i64) -> MerchantId {
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    town.server.job(OpBody::AppointOperator { account: town.account, operator: true }).unwrap();
    town.buyer.phone.set_allowance(merchant, Money(most)).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    town.advance(Timestamp::DAY + Timestamp::SECOND);
    town.cafe.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    merchant
}

#[test]
fn a_till_reminds_at_fifty_unconfirmed_sales_and_signs_no_three_hundred_and_first() {
    let mut town = Town::new();
    for count in 0..HARD.vouchers {
        let now = state(&town.cafe);
        assert_eq!((now.unconfirmed, now.remind), (count, count >= SOFT.vouchers), "{count}");
        assert_eq!(now.refuses, None);
        sell(&town.cafe, 1_000).unwrap();
    }
    let full = Refusal::TooManyOffline { max: 300 };
    assert_eq!(state(&town.cafe).refuses, Some(full.clone()));
    assert_eq!(sell(&town.cafe, 1_000), Err(full));
    assert!(town.cafe.sync_over(&mut town.server, offline).is_err());
    assert_eq!(state(&town.cafe).unconfirmed, 300, "a sync that failed confirms nothing");

    town.cafe.sync(&mut town.server).unwrap();
    let after = state(&town.cafe);
    assert_eq!((after.unconfirmed, after.remind, after.refuses), (0, false, None));
    sell(&town.cafe, 1_000).unwrap();
}

#[test]
fn a_till_reminds_after_a_day_and_signs_nothing_after_three_to_the_millisecond() {
    let mut town = Town::new();
    town.cafe.sync(&mut town.server).unwrap();
    town.advance(24 * Timestamp::HOUR - 1);
    assert!(!state(&town.cafe).remind);
    town.advance(1);
    assert!(state(&town.cafe).remind);
    town.advance(48 * Timestamp::HOUR - 1);
    sell(&town.cafe, 1_000).unwrap();
    town.advance(1);
    let too_long = Refusal::OfflineTooLong { hours: 72 };
    assert_eq!(state(&town.cafe).refuses, Some(too_long.clone()));
    assert_eq!(sell(&town.cafe, 1_000), Err(too_long));
    town.cafe.sync(&mut town.server).unwrap();
    let after = state(&town.cafe);
    assert_eq!((after.remind, after.refuses), (false, None));
    sell(&town.cafe, 1_000).unwrap();
}

#[test]
fn a_new_shop_sells_half_of_what_every_shop_may_before_it_ever_synced() {
    let mut town = Town::new();
    let mut newcomer = Person::new(9);
    newcomer.enrol(&mut town.server);
    newcomer.phone.register_merchant(support::profile("새 가게")).unwrap();
    let half = ALLOWANCE.0 / 2;
    assert_eq!(state(&newcomer).left, Money(half));
    let sale = sell(&newcomer, half).unwrap();
    assert_eq!(sell(&newcomer, 1), Err(Refusal::CertificateUsed { left: Money(0) }));
    newcomer.sync(&mut town.server).unwrap();
    assert_eq!(newcomer.phone.fate(sale).unwrap(), Some(Fate::Applied));
}

#[test]
fn a_certificate_is_used_to_the_unit_and_renewed_when_the_till_is_heard() {
    let mut town = Town::new();
    allow(&mut town, 20_000);
    assert_eq!(state(&town.cafe).left, Money(10_000));
    let sales = [sell(&town.cafe, 6_000).unwrap(), sell(&town.cafe, 3_000).unwrap()];
    assert_eq!(state(&town.cafe).left, Money(1_000));
    assert_eq!(sell(&town.cafe, 1_001), Err(Refusal::CertificateUsed { left: Money(1_000) }));
    sell(&town.cafe, 1_000).unwrap();
    let used_up = Refusal::CertificateUsed { left: Money(0) };
    assert_eq!(state(&town.cafe).refuses, Some(used_up));

    town.cafe.sync(&mut town.server).unwrap();
    for sale in sales {
        assert_eq!(town.cafe.phone.fate(sale).unwrap(), Some(Fate::Applied));
    }
    assert_eq!((state(&town.cafe).left, state(&town.cafe).refuses), (Money(10_000), None));
    assert!(town.cafe.phone.outbox().unwrap().is_empty(), "a renewal is nobody's business");
}

#[test]
fn a_snapshot_brings_back_what_a_till_may_sell() {
    let mut town = Town::new();
    allow(&mut town, 20_000);
    sell(&town.cafe, 4_000).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(state(&town.cafe).left, Money(6_000));
    sell(&town.cafe, 1_000).unwrap();
    town.server.cursors_gone = true;
    town.cafe.sync_over(&mut town.server, offline).unwrap_err();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(state(&town.cafe).left, Money(5_000));
    assert_eq!(state(&town.cafe).unconfirmed, 0);
}

#[test]
fn a_clerk_is_held_to_the_limits_of_a_day_in_seoul_without_a_network() {
    let mut town = Town::new();
    let limits = Limits { per_sale: Money(30_000), per_day: Money(50_000) };
    let invitation = town.cafe.phone.staff_invitation(limits).unwrap();
    town.buyer.phone.join_staff(&invitation.text).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(state(&town.buyer).limits, Some(limits));

    assert_eq!(sell(&town.buyer, 30_001), Err(Refusal::OverSaleLimit { max: Money(30_000) }));
    sell(&town.buyer, 30_000).unwrap();
    let full = Refusal::OverDayLimit { max: Money(50_000), sold: Money(30_000) };
    assert_eq!(sell(&town.buyer, 20_001), Err(full.clone()));
    // Sent or not makes no difference.
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(sell(&town.buyer, 20_001), Err(full));
    // It is noon: twelve hours to midnight in Seoul.
    town.advance(12 * Timestamp::HOUR - Timestamp::SECOND);
    assert_eq!(sell(&town.buyer, 30_000).unwrap_err().code(), "over_day_limit");
    town.advance(Timestamp::SECOND);
    sell(&town.buyer, 30_000).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert!(town.buyer.phone.outbox().unwrap().is_empty(), "the server counts the same days");
}

#[test]
fn a_sale_that_the_server_refused_counts_towards_no_limit() {
    let mut town = Town::new();
    let limits = Limits { per_sale: Money(30_000), per_day: Money(30_000) };
    let invitation = town.cafe.phone.staff_invitation(limits).unwrap();
    town.buyer.phone.join_staff(&invitation.text).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let left = state(&town.buyer).left;
    sell(&town.buyer, 30_000).unwrap();
    town.server.refuses_once = Some(Refusal::BadSignature);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!((state(&town.buyer).left, state(&town.buyer).unconfirmed), (left, 0));
    sell(&town.buyer, 30_000).unwrap();
}

#[test]
fn edge_30_a_tills_clock_set_back_or_forward_says_nothing_wrong_for_long() {
    let mut town = Town::new();
    town.cafe.sync(&mut town.server).unwrap();
    // Three days ahead: the till stops, hears the server, and goes on with the server's time.
    town.cafe.environment.advance(3 * Timestamp::DAY);
    assert_eq!(sell(&town.cafe, 1_000), Err(Refusal::OfflineTooLong { hours: 72 }));
    town.cafe.sync(&mut town.server).unwrap();
    let sale = sell(&town.cafe, 1_000).unwrap();
    // A day back.
    town.cafe.environment.set(town.server.now.plus(-Timestamp::DAY));
    let back = sell(&town.cafe, 1_000).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    for sale in [sale, back] {
        assert_eq!(town.cafe.phone.fate(sale).unwrap(), Some(Fate::Applied));
    }
    assert_eq!(state(&town.cafe).refuses, None);
}

#[test]
fn a_second_phone_of_the_owners_sells_as_soon_as_it_has_synced() {
    let mut town = Town::new();
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    town.server.enrols_as = Some(town.cafe.phone.account().unwrap());
    let mut second = Person::new(8);
    second.enrol(&mut town.server);
    second.phone.act_for(merchant).unwrap();
    second.sync(&mut town.server).unwrap();
    second.sync(&mut town.server).unwrap();
    assert_eq!(state(&second).left, Money(ALLOWANCE.0 / 4), "half of what the first phone leaves");
    let sale = sell(&second, 10_000).unwrap();
    second.sync(&mut town.server).unwrap();
    assert_eq!(second.phone.fate(sale).unwrap(), Some(Fate::Applied));
}
