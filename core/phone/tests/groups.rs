//! Groups that change: other terms and answers, leaving, putting out, freezing, closing, on the phones of shops and buyers.

mod support;

use moa_phone::{Balance, Fate, GroupState, Lookup, PhoneError};
use moa_rules::id::{MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::Terms;
use moa_rules::time::{Day, Timestamp};

use support::{Person, Town, terms, units};

fn settle(town: &mut Town) {
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.phone.want(Lookup::Group(town.group));
    town.buyer.sync(&mut town.server).unwrap();
}

fn state(town: &Town, person: &Person) -> GroupState {
    person.phone.group(town.group).unwrap().unwrap().state
}

fn shop(person: &Person) -> MerchantId {
    person.phone.own_shop().unwrap().unwrap().id
}

fn refused<T: std::fmt::Debug>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn fate(person: &Person, op: OpId) -> Fate {
    person.phone.fate(op).unwrap().unwrap()
}

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// The group gives 5 % from 1 December on, if all agree.
fn propose(town: &mut Town) -> OpId {
    let amendment = town.cafe.phone.amend_terms(town.group, terms(500, 1_000), day("2026-12-01")).unwrap();
    settle(town);
    amendment
}

#[test]
fn two_shops_agree_and_the_terms_are_in_force_on_every_phone_from_the_day_on() {
    let mut town = Town::new();
    let amendment = propose(&mut town);
    for person in [&town.cafe, &town.bakery, &town.buyer] {
        let open = state(&town, person).amendment.unwrap();
        assert_eq!((open.id, open.from_day, open.needed), (amendment, day("2026-12-01"), 2));
        assert_eq!((open.agreed.len(), open.declined.len()), (1, 0), "its own shop agrees by proposing");
    }
    assert_eq!(state(&town, &town.cafe).amendment.unwrap().answer, Some(true));
    assert_eq!(state(&town, &town.bakery).amendment.unwrap().answer, None);

    town.bakery.phone.answer_amendment(town.group, amendment, false).unwrap();
    assert_eq!(state(&town, &town.bakery).amendment.unwrap().answer, Some(false), "not sent yet");
    settle(&mut town);
    assert_eq!(state(&town, &town.cafe).amendment.unwrap().declined[0].id, shop(&town.bakery));
    town.bakery.phone.answer_amendment(town.group, amendment, true).unwrap();
    settle(&mut town);
    assert_eq!(state(&town, &town.cafe).amendment.unwrap().agreed.len(), 2);

    town.advance(11 * Timestamp::DAY);
    let late = town.bakery.phone.answer_amendment(town.group, amendment, false);
    assert_eq!(refused(late), Refusal::UnknownAmendment, "its date has come");
    town.server.job(OpBody::DecideAmendment { group: town.group, amendment }).unwrap();
    settle(&mut town);
    for person in [&town.cafe, &town.bakery, &town.buyer] {
        let info = person.phone.group(town.group).unwrap().unwrap();
        assert_eq!((info.terms_version, info.terms.rate.get()), (2, 500));
        assert_eq!(info.state.amendment, None);
    }
    town.earn(20_000);
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(1_000));
}

#[test]
fn without_enough_members_nothing_changes_and_a_new_proposal_takes_the_place_of_the_open_one() {
    let mut town = Town::new();
    let first = propose(&mut town);
    let second = town.cafe.phone.amend_terms(town.group, terms(700, 0), day("2026-11-30")).unwrap();
    settle(&mut town);
    let known = state(&town, &town.bakery).amendment.unwrap();
    assert_eq!((known.id, known.terms.rate.get()), (second, 700));
    let of_old = town.bakery.phone.answer_amendment(town.group, first, true);
    assert_eq!(refused(of_old), Refusal::UnknownAmendment);
    town.advance(10 * Timestamp::DAY);
    town.server.job(OpBody::DecideAmendment { group: town.group, amendment: second }).unwrap();
    settle(&mut town);
    let info = town.bakery.phone.group(town.group).unwrap().unwrap();
    assert_eq!((info.terms_version, info.state.amendment), (1, None));
}

#[test]
fn what_a_proposal_cannot_be_is_refused_at_once() {
    let town = Town::new();
    let phone = &town.cafe.phone;
    let soon = day("2026-12-01");
    assert_eq!(refused(town.bakery.phone.amend_terms(town.group, terms(500, 0), soon)), Refusal::NotAllowed);
    for date in ["2026-11-20", "2027-11-24"] {
        let refusal = refused(phone.amend_terms(town.group, terms(500, 0), day(date)));
        assert_eq!(refusal, Refusal::BadDate { days: 366 }, "{date}");
    }
    let other_zone = Terms { zone: "Europe/Berlin".into(), ..terms(500, 0) };
    let refusal = refused(phone.amend_terms(town.group, other_zone, soon));
    assert_eq!(refusal, Refusal::CannotFollow { field: "zone".into() });
    let no_value = Terms { unit_value: Money(0), ..terms(500, 0) };
    assert!(matches!(refused(phone.amend_terms(town.group, no_value, soon)), Refusal::BadTerms { .. }));
    let share = Terms { consent: BasisPoints::new(5_000).ok(), ..terms(500, 0) };
    assert!(phone.amend_terms(town.group, share, day("2026-11-21")).is_ok(), "today is soon enough");
}

#[test]
fn a_shop_that_leaves_is_gone_from_every_phone_and_its_mileage_stays() {
    let mut town = Town::new();
    town.earn(20_000);
    assert_eq!(refused(town.cafe.phone.leave_group(town.group)), Refusal::AdminStays);
    town.cafe.phone.appoint_admin(town.group, shop(&town.bakery)).unwrap();
    settle(&mut town);
    assert!(town.bakery.phone.own_groups().unwrap()[0].administers);
    let left = town.cafe.phone.leave_group(town.group).unwrap();
    settle(&mut town);
    assert_eq!(fate(&town.cafe, left), Fate::Applied);
    assert!(town.cafe.phone.own_groups().unwrap().is_empty());
    for person in [&town.bakery, &town.buyer] {
        let members = person.phone.group(town.group).unwrap().unwrap().members;
        assert_eq!(members.iter().map(|shop| shop.id).collect::<Vec<_>>(), [shop(&town.bakery)]);
    }
    assert_eq!(town.buyer.phone.balances().unwrap()[0].usable, units(2_000), "it stays good");
    assert_eq!(refused(town.cafe.phone.leave_group(town.group)), Refusal::ShopNotInGroup);
    assert_eq!(refused(town.bakery.phone.leave_group(town.group)), Refusal::LastMember);

    town.cafe.phone.join_group(town.group, 1).unwrap();
    settle(&mut town);
    assert_eq!(town.cafe.phone.own_groups().unwrap().len(), 1, "it may come back");
}

#[test]
fn the_admin_puts_a_member_out() {
    let mut town = Town::new();
    let bakery = shop(&town.bakery);
    assert_eq!(refused(town.bakery.phone.expel_member(town.group, bakery)), Refusal::NotAllowed);
    assert_eq!(refused(town.cafe.phone.expel_member(town.group, shop(&town.cafe))), Refusal::AdminStays);
    town.cafe.phone.expel_member(town.group, bakery).unwrap();
    settle(&mut town);
    assert!(town.bakery.phone.own_groups().unwrap().is_empty());
    assert_eq!(town.cafe.phone.group(town.group).unwrap().unwrap().members.len(), 1);
}

#[test]
fn what_a_frozen_member_gave_cannot_be_used_and_it_neither_gives_nor_takes() {
    let mut town = Town::new();
    town.earn(20_000);
    let (group, merchant) = (town.group, shop(&town.cafe));
    town.server.job(OpBody::FreezeMember { group, merchant, frozen: true }).unwrap();
    settle(&mut town);
    let Balance { usable, frozen, .. } = town.buyer.phone.balances().unwrap().remove(0);
    assert_eq!((usable, frozen), (units(0), units(2_000)));
    assert!(town.cafe.phone.own_groups().unwrap()[0].frozen);
    assert_eq!(state(&town, &town.bakery).frozen[0].id, merchant);
    let voucher = town.cafe.phone.record_sale(Money(10_000), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert!(town.buyer.phone.choices(&scanned).unwrap().is_empty(), "it gives nothing there now");

    town.server.job(OpBody::FreezeMember { group, merchant, frozen: false }).unwrap();
    settle(&mut town);
    assert_eq!(town.buyer.phone.balances().unwrap()[0].usable, units(2_000));
    assert!(!town.cafe.phone.own_groups().unwrap()[0].frozen);
}

#[test]
fn an_operator_freezes_from_a_phone_and_nobody_else_does() {
    let mut town = Town::new();
    let op = town.buyer.phone.freeze_member(town.group, shop(&town.cafe), true).unwrap();
    settle(&mut town);
    assert!(matches!(fate(&town.buyer, op), Fate::Refused(_)));
    town.server.job(OpBody::AppointOperator { account: town.account, operator: true }).unwrap();
    let op = town.buyer.phone.freeze_member(town.group, shop(&town.cafe), true).unwrap();
    settle(&mut town);
    assert_eq!(fate(&town.buyer, op), Fate::Applied);
    settle(&mut town);
    assert_eq!(state(&town, &town.bakery).frozen.len(), 1);
}

#[test]
fn a_closing_group_says_when_it_ends_and_its_mileage_is_usable_until_then() {
    let mut town = Town::new();
    town.earn(20_000);
    assert_eq!(refused(town.cafe.phone.close_group(town.group)), Refusal::NotLastMember);
    assert_eq!(refused(town.bakery.phone.close_group(town.group)), Refusal::NotAllowed);
    town.bakery.phone.leave_group(town.group).unwrap();
    settle(&mut town);
    town.cafe.phone.close_group(town.group).unwrap();
    settle(&mut town);
    let closing = state(&town, &town.buyer).closing.unwrap();
    assert_eq!(closing.ends_at, town.server.now.plus(90 * Timestamp::DAY));
    let balance = town.buyer.phone.balances().unwrap().remove(0);
    assert_eq!((balance.usable, balance.group_ends_at), (units(2_000), Some(closing.ends_at)));
    assert_eq!(refused(town.cafe.phone.close_group(town.group)), Refusal::GroupClosing);
    let soon = day("2026-12-01");
    assert_eq!(refused(town.cafe.phone.amend_terms(town.group, terms(500, 0), soon)), Refusal::GroupClosing);

    town.advance(31 * Timestamp::DAY);
    settle(&mut town);
    let voucher = town.cafe.phone.record_sale(Money(10_000), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert!(town.buyer.phone.choices(&scanned).unwrap().is_empty(), "its notice is over");
    let to = moa_phone::Recipient::Account(town.account);
    let goodwill = moa_rules::adjustment::Reason::Goodwill;
    let gift = town.cafe.phone.grant(town.group, &to, units(1), goodwill, None);
    assert_eq!(refused(gift), Refusal::GroupClosing);
    town.advance(59 * Timestamp::DAY);
    let gone = town.buyer.phone.balances().unwrap().remove(0);
    assert_eq!((gone.confirmed, gone.usable), (units(0), units(0)));
}

#[test]
fn what_happened_in_a_group_is_known_from_its_own_inbox_before_the_directory_tells() {
    let mut town = Town::new();
    let (group, merchant) = (town.group, shop(&town.bakery));
    town.server.job(OpBody::FreezeMember { group, merchant, frozen: true }).unwrap();
    let amendment = town.cafe.phone.amend_terms(town.group, terms(500, 0), day("2026-12-01")).unwrap();
    town.cafe.machine.set_follows_directory(false);
    town.cafe.sync(&mut town.server).unwrap();
    let known = state(&town, &town.cafe);
    assert_eq!((known.frozen[0].id, known.amendment.unwrap().id), (merchant, amendment));
}
