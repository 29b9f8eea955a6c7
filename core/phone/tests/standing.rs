//! What is done with a purchase without a question: the standing choice, and *always best* by the phone.

mod support;

use moa_phone::{Fate, Kind, PhoneError, Request, Response, TransportError};
use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::Timestamp;
use support::{Person, Server, Town, offline, terms, units};

fn confirmed(person: &Person, group: GroupId) -> i64 {
    let balances = person.phone.balances().unwrap();
    balances.iter().find(|balance| balance.group == group).map_or(0, |balance| balance.confirmed.get())
}

/// Another phone of the buyer's.
fn tablet(town: &mut Town) -> Person {
    let mut tablet = Person::new(9);
    town.server.enrols_as = Some(town.account);
    assert_eq!(tablet.enrol(&mut town.server), town.account);
    town.server.enrols_as = None;
    tablet
}

#[test]
fn a_standing_choice_is_shown_at_once_and_counts_when_the_server_has_it() {
    let mut town = Town::new();
    let other = town.second_group();
    town.buyer.phone.set_standing(vec![other, town.group], true).unwrap();
    assert!(town.buyer.sync_over(&mut town.server, offline).is_err());
    let standing = town.buyer.phone.standing().unwrap();
    let named: Vec<_> = standing.groups.iter().map(|group| (group.id, group.name.as_deref())).collect();
    assert_eq!(named, [(other, Some("건물")), (town.group, Some("골목"))]);
    assert!(standing.best && standing.pending);
    assert_eq!(town.buyer.phone.outbox().unwrap()[0].kind, Kind::Standing);

    town.buyer.sync(&mut town.server).unwrap();
    let confirmed_now = town.buyer.phone.standing().unwrap();
    assert_eq!((confirmed_now.groups, confirmed_now.pending), (standing.groups, false));
    town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!((confirmed(&town.buyer, other), confirmed(&town.buyer, town.group)), (600, 0));
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
}

#[test]
fn every_phone_of_the_account_shows_it_and_may_clear_it() {
    let mut town = Town::new();
    let other = town.second_group();
    let mut tablet = tablet(&mut town);
    town.buyer.phone.set_standing(vec![other], false).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    tablet.sync(&mut town.server).unwrap();
    assert_eq!(tablet.phone.standing().unwrap(), town.buyer.phone.standing().unwrap());
    tablet.phone.set_standing(Vec::new(), false).unwrap();
    tablet.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.standing().unwrap(), moa_phone::Standing::default());
    // One that starts anew learns it from the snapshot.
    tablet.phone.set_standing(vec![other], true).unwrap();
    tablet.sync(&mut town.server).unwrap();
    town.buyer.phone.start_over().unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert!(town.buyer.phone.standing().unwrap().best);
}

#[test]
fn the_standing_choice_set_last_is_decided_last_though_the_first_was_put_off() {
    let mut town = Town::new();
    let other = town.second_group();
    let first = town.buyer.phone.set_standing(vec![town.group], false).unwrap();
    let last = town.buyer.phone.set_standing(vec![other], false).unwrap();
    assert_eq!(town.buyer.phone.standing().unwrap().groups[0].id, other);
    town.server.poison = Some(first);
    assert!(town.buyer.sync(&mut town.server).is_err());
    assert_eq!(town.buyer.phone.fate(last).unwrap(), Some(Fate::Waiting));
    town.server.poison = None;
    town.advance(Timestamp::HOUR);
    town.buyer.sync(&mut town.server).unwrap();
    let standing = town.buyer.phone.standing().unwrap();
    assert_eq!((standing.groups[0].id, standing.pending), (other, false));
    assert_eq!(town.server.received.iter().filter(|op| **op == last).count(), 1);
}

#[test]
fn too_many_groups_are_refused_here_and_a_strange_one_by_the_server() {
    let mut town = Town::new();
    let too_many = town.buyer.phone.set_standing(vec![town.group; 21], false);
    assert!(matches!(too_many, Err(PhoneError::Refused(Refusal::TooManyGroups { max: 20 }))));
    let strange = town.buyer.phone.set_standing(vec![GroupId([9; 16])], false).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.buyer.phone.fate(strange).unwrap() else { panic!("taken") };
    assert_eq!(refused.reason, Some(Refusal::UnknownGroup));
    assert_eq!(town.buyer.phone.standing().unwrap(), moa_phone::Standing::default());
}

#[test]
fn the_best_is_taken_by_the_server_after_a_day_for_who_agreed() {
    let mut town = Town::new();
    town.second_group();
    town.buyer.phone.set_standing(Vec::new(), true).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let sale = town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.waiting_sales().unwrap().len(), 1);
    town.advance(Timestamp::DAY);
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    town.server.job(OpBody::TakeBest { merchant, sale }).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(confirmed(&town.buyer, town.group), 2_000);
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
}

#[test]
fn always_best_claims_a_voucher_without_a_question() {
    let mut town = Town::new();
    town.second_group();
    let voucher = town.cafe.phone.record_sale(Money(20_000), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert_eq!(town.buyer.phone.claim_at_once(&scanned).unwrap(), None, "it asks until told not to");
    town.buyer.phone.set_always_best(true).unwrap();
    assert!(town.buyer.phone.always_best().unwrap());
    let claimed = town.buyer.phone.claim_at_once(&scanned).unwrap().unwrap();
    assert_eq!((claimed.group, claimed.earns), (Some(town.group), Some(units(2_000))));
    // Scanned once more, it is claimed already: something to show, nothing to do.
    let again = town.buyer.scan(&voucher);
    assert_eq!(town.buyer.phone.claim_at_once(&again).unwrap(), None);
    let small = town.cafe.phone.record_sale(Money(1), None).unwrap();
    assert_eq!(town.buyer.phone.claim_at_once(&town.buyer.scan(&small)).unwrap(), None);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(confirmed(&town.buyer, town.group), 2_000);
}

#[test]
fn always_best_leaves_the_choice_to_the_server_at_a_shop_never_met() {
    let mut town = Town::new();
    let mut stranger = Person::new(7);
    stranger.enrol(&mut town.server);
    let mut kiosk = Person::new(8);
    kiosk.enrol(&mut town.server);
    kiosk.phone.register_merchant(support::profile("매점")).unwrap();
    let profile = Profile::new("역", Scope::Area);
    let group = kiosk.phone.found_group(profile, terms(200, 0)).unwrap();
    kiosk.sync(&mut town.server).unwrap();
    let voucher = kiosk.phone.record_sale(Money(10_000), None).unwrap();
    let scanned = stranger.scan(&voucher);
    assert_eq!(scanned.shop, None);
    stranger.phone.set_always_best(true).unwrap();
    assert_eq!(stranger.phone.claim_at_once(&scanned).unwrap().unwrap().group, None);
    stranger.sync(&mut town.server).unwrap();
    assert_eq!(confirmed(&stranger, group), 200);
}

#[test]
fn always_best_chooses_for_a_sale_that_waits_within_one_sync() {
    let mut town = Town::new();
    town.second_group();
    town.buyer.phone.set_always_best(true).unwrap();
    town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(confirmed(&town.buyer, town.group), 2_000);
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
    town.buyer.phone.set_always_best(false).unwrap();
    town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.waiting_sales().unwrap().len(), 1);
}

#[test]
fn two_phones_that_both_take_the_best_take_it_once_and_neither_shows_a_refusal() {
    let mut town = Town::new();
    town.second_group();
    let mut tablet = tablet(&mut town);
    for phone in [&town.buyer.phone, &tablet.phone] {
        phone.set_always_best(true).unwrap();
    }
    town.sell(20_000);
    // Both hear of it, and choose, before either is heard.
    let reads_only = |server: &mut Server, request: &Request| -> Result<Response, TransportError> {
        if request.path == "/v1/ops" { offline(server, request) } else { Ok(server.answer(request)) }
    };
    for person in [&mut town.buyer, &mut tablet] {
        assert!(person.sync_over(&mut town.server, reads_only).is_err());
        assert_eq!(person.phone.pending_claims().unwrap().len(), 1);
    }
    for person in [&mut town.buyer, &mut tablet] {
        person.sync(&mut town.server).unwrap();
    }
    town.buyer.sync(&mut town.server).unwrap();
    for person in [&town.buyer, &tablet] {
        assert_eq!(confirmed(person, town.group), 2_000);
        assert!(person.phone.outbox().unwrap().is_empty());
        assert!(person.phone.pending_claims().unwrap().is_empty());
    }
}

#[test]
fn what_was_refused_once_is_left_to_the_person_even_over_a_snapshot() {
    let mut town = Town::new();
    let other = town.second_group();
    town.buyer.phone.set_always_best(true).unwrap();
    let sale = town.sell(20_000);
    town.server.refuses_once = Some(Refusal::SellerNotInGroup);
    town.buyer.sync(&mut town.server).unwrap();
    town.buyer.phone.start_over().unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let waiting = town.buyer.phone.waiting_sales().unwrap().remove(0);
    assert_eq!((waiting.sale, waiting.claim), (sale, None));
    assert!(town.buyer.phone.outbox().unwrap().is_empty(), "nobody asked for it");
    town.buyer.phone.claim_waiting(sale, Some(waiting.choices[1].choice)).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(confirmed(&town.buyer, other), 600);
}
