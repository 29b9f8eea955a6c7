//! Which group is shown first, and why: from this buyer's own purchases, on their phone. (A7, A8)

mod support;

use moa_phone::{AtShop, GroupChoice, Reason, ScannedVoucher};
use moa_rules::id::GroupId;
use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use support::{Person, Town, units};

fn voucher(town: &Town, amount: i64) -> ScannedVoucher {
    let voucher = town.cafe.phone.record_sale(Money(amount), None).unwrap();
    town.buyer.scan(&voucher)
}

fn choices(town: &Town, amount: i64) -> Vec<GroupChoice> {
    town.buyer.phone.choices(&voucher(town, amount)).unwrap()
}

/// A third group of the café: twice the rate of the first, for a month, from a balance that nobody reaches.
fn out_of_reach(town: &mut Town) -> GroupId {
    let terms = Terms::points(BasisPoints::new(2_000).unwrap(), Validity::Months(1), units(500_000));
    let group = town.cafe.phone.found_group(Profile::new("먼 약속", Scope::Building), terms).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    group
}

#[test]
fn a_rate_that_is_never_used_comes_after_a_lower_one_that_is() {
    let mut town = Town::new();
    let far = out_of_reach(&mut town);
    for _ in 0..6 {
        town.earn(5_000);
        town.advance(5 * Timestamp::DAY);
        town.cafe.sync(&mut town.server).unwrap();
    }
    let choices = choices(&town, 5_000);
    let [near, other] = choices.as_slice() else { panic!("{choices:?}") };
    assert_eq!((near.choice.group, other.choice.group), (town.group, far));
    assert!(near.expected_use.0 >= 250, "half of it at the least: {near:?}");
    assert_eq!(other.expected_use, Money(0));
    assert!(other.reasons.contains(&Reason::HigherRate), "{other:?}");
    assert!(!near.reasons.contains(&Reason::HigherRate), "{near:?}");
    assert!(near.reasons.contains(&Reason::LongerValidity), "{near:?}");
}

#[test]
fn a_balance_that_reaches_the_minimum_is_a_reason_and_says_what_becomes_usable() {
    let mut town = Town::new();
    town.second_group();
    town.earn(7_000);
    let choices = choices(&town, 5_000);
    let alley = choices.iter().find(|choice| choice.choice.group == town.group).unwrap();
    assert_eq!((alley.balance, alley.to_minimum), (units(700), units(0)));
    assert_eq!(alley.reasons.first(), Some(&Reason::CloseToMinimum { usable: 1_200, now: true }));
    assert!(alley.expected_use.0 >= 400, "nearly all of it: {alley:?}");
}

#[test]
fn the_shops_that_are_visited_come_first_among_the_members() {
    let mut town = Town::new();
    let names = |town: &Town| -> Vec<String> {
        choices(town, 5_000)[0].members.iter().map(|member| member.name.clone().unwrap()).collect()
    };
    assert_eq!(names(&town), ["골목 빵집", "골목 카페"], "by name while nothing was bought");
    town.earn(5_000);
    assert_eq!(names(&town), ["골목 카페", "골목 빵집"]);
}

#[test]
fn a_new_phone_knows_from_its_mileage_where_its_buyer_goes() {
    let mut town = Town::new();
    town.earn(5_000);
    town.server.enrols_as = Some(town.account);
    let mut second = Person::new(60);
    second.enrol(&mut town.server);
    second.sync(&mut town.server).unwrap();
    let voucher = town.cafe.phone.record_sale(Money(5_000), None).unwrap();
    let choices = second.phone.choices(&second.scan(&voucher)).unwrap();
    let names: Vec<_> = choices[0].members.iter().map(|member| member.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["골목 카페", "골목 빵집"]);
}

#[test]
fn what_is_set_for_one_shop_holds_there_whatever_holds_elsewhere() {
    let mut town = Town::new();
    let building = town.second_group();
    let cafe = town.cafe.phone.own_shop().unwrap().unwrap().id;
    let phone = &town.buyer.phone;
    phone.set_standing_at(cafe, Some(AtShop::Always(building))).unwrap();
    let claimed = phone.claim_at_once(&voucher(&town, 20_000)).unwrap().unwrap();
    assert_eq!(claimed.group, Some(building));

    phone.set_always_best(true).unwrap();
    phone.set_standing_at(cafe, Some(AtShop::Ask)).unwrap();
    assert_eq!(phone.claim_at_once(&voucher(&town, 20_000)).unwrap(), None);
    let standings = phone.standing_at_shops().unwrap();
    assert_eq!(
        standings.iter().map(|it| (it.shop.id, it.standing)).collect::<Vec<_>>(),
        [(cafe, AtShop::Ask)]
    );

    phone.set_standing_at(cafe, None).unwrap();
    assert!(phone.standing_at_shops().unwrap().is_empty());
    assert!(phone.claim_at_once(&voucher(&town, 20_000)).unwrap().is_some());
}

#[test]
fn a_sale_that_waits_goes_where_its_shop_says() {
    let mut town = Town::new();
    let building = town.second_group();
    let cafe = town.cafe.phone.own_shop().unwrap().unwrap().id;
    town.buyer.phone.set_standing_at(cafe, Some(AtShop::Always(building))).unwrap();
    town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
    let balances = town.buyer.phone.balances().unwrap();
    assert_eq!(
        balances.iter().map(|it| (it.group, it.confirmed)).collect::<Vec<_>>(),
        [(building, units(600))]
    );
}
