//! What a buyer means to buy: noted for themselves, a reason of the choice, forgotten when it is bought.

mod support;

use moa_phone::{Data, GroupChoice, MOST_PLANS, Phone, PhoneError, PlanFault, PlannedPurchase, Reason};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::quantity::{BasisPoints, MAX_AMOUNT, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Day, Timestamp, Validity};
use proptest::prelude::*;
use support::{Person, Town, units};

fn shop(person: &Person) -> MerchantId {
    person.phone.own_shop().unwrap().unwrap().id
}

fn plans(phone: &Phone) -> Vec<(MerchantId, i64, Day)> {
    let all = phone.planned_purchases().unwrap().into_iter();
    all.map(|PlannedPurchase { shop, amount, day, .. }| (shop.id, amount.0, day)).collect()
}

fn fault(result: Result<OpId, PhoneError>) -> PlanFault {
    match result {
        Err(PhoneError::Plan(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// A group of the café alone, beside that of café and bakery.
fn alone(town: &mut Town) -> GroupId {
    let terms = Terms::points(BasisPoints::new(1_000).unwrap(), Validity::Months(6), units(1_000));
    let group = town.cafe.phone.found_group(Profile::new("단골", Scope::Building), terms).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    group
}

fn choices(town: &Town, amount: i64) -> Vec<GroupChoice> {
    let voucher = town.cafe.phone.record_sale(Money(amount), None).unwrap();
    town.buyer.phone.choices(&town.buyer.scan(&voucher)).unwrap()
}

/// The group that a plan is a reason for, and the plan.
fn told(town: &Town) -> Option<(GroupId, PlannedPurchase)> {
    let choices = choices(town, 5_000);
    for choice in &choices {
        let says = choice.reasons.iter().any(|reason| matches!(reason, Reason::PlannedPurchase { .. }));
        assert_eq!(says, choice.planned.is_some());
    }
    choices.into_iter().find_map(|choice| Some((choice.choice.group, choice.planned?)))
}

#[test]
fn a_plan_is_listed_soonest_first_kept_over_a_restart_and_forgotten_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = Town::with_buyer(Person::on_disk(directory.path(), 3));
    let (cafe, bakery) = (shop(&town.cafe), shop(&town.bakery));
    let phone = &town.buyer.phone;
    let in_days = |days| phone.plan_day(days).unwrap();
    let later = phone.plan_purchase(bakery, Money(30_000), in_days(9)).unwrap();
    phone.plan_purchase(cafe, Money(8_000), in_days(0)).unwrap();
    let both = [(cafe, 8_000, in_days(0)), (bakery, 30_000, in_days(9))];
    assert_eq!(plans(phone), both);
    let shown = phone.planned_purchases().unwrap();
    assert_eq!(shown[1].shop.name.as_deref(), Some("골목 빵집"));
    assert!(phone.outbox().unwrap().is_empty(), "nothing is to be sent");

    let now = town.buyer.now();
    town.buyer = Person::open(Data::Directory(directory.path().to_owned()), 4, now);
    assert_eq!(plans(&town.buyer.phone), both);
    town.buyer.phone.forget_plan(later).unwrap();
    town.buyer.phone.forget_plan(later).unwrap();
    assert_eq!(plans(&town.buyer.phone), both[..1]);
    town.buyer.phone.sign_out(true).unwrap();
    assert!(plans(&town.buyer.phone).is_empty(), "the next person sees none of it");
}

#[test]
fn shops_are_found_by_a_part_of_their_name_and_before_that_those_where_the_buyer_has_bought() {
    let mut town = Town::new();
    let offered = |town: &Town, text: &str| -> Vec<String> {
        let shops = town.buyer.phone.shops_to_plan_at(text).unwrap();
        shops.into_iter().map(|shop| shop.name.unwrap()).collect()
    };
    assert!(offered(&town, "").is_empty());
    assert_eq!(offered(&town, "골목"), ["골목 빵집", "골목 카페"]);
    assert_eq!(offered(&town, " 빵 "), ["골목 빵집"]);
    assert!(offered(&town, "100%_").is_empty());
    town.earn(5_000);
    assert_eq!(offered(&town, ""), ["골목 카페"]);
}

#[test]
fn a_plan_is_a_reason_for_the_group_that_serves_it_until_it_is_forgotten() {
    let mut town = Town::new();
    alone(&mut town);
    assert_eq!(told(&town), None);
    let phone = &town.buyer.phone;
    let cafe = phone.plan_purchase(shop(&town.cafe), Money(30_000), phone.plan_day(3).unwrap()).unwrap();
    assert_eq!(told(&town), None, "both groups serve it");
    let day = phone.plan_day(40).unwrap();
    let bakery = phone.plan_purchase(shop(&town.bakery), Money(30_000), day).unwrap();
    let (group, planned) = told(&town).unwrap();
    assert_eq!((group, planned.id, planned.day, planned.overdue), (town.group, bakery, day, false));
    assert_eq!(planned.shop.name.as_deref(), Some("골목 빵집"));
    for plan in [bakery, cafe] {
        phone.forget_plan(plan).unwrap();
    }
    assert_eq!(told(&town), None);
}

#[test]
fn what_is_said_of_a_plan_is_true_to_the_day() {
    let mut town = Town::new();
    alone(&mut town);
    let phone = &town.buyer.phone;
    let last = choices(&town, 5_000).into_iter().find(|choice| choice.choice.group == town.group).unwrap();
    let last = last.usable_at_least_until;
    let plan = phone.plan_purchase(shop(&town.bakery), Money(30_000), last).unwrap();
    assert!(told(&town).is_some() || last > phone.plan_day(182).unwrap());
    phone.forget_plan(plan).unwrap();
    phone.plan_purchase(shop(&town.bakery), Money(30_000), Day(last.0 + 1)).unwrap();
    assert_eq!(told(&town), None);
}

#[test]
fn a_purchase_there_from_three_days_before_fulfils_the_soonest_plan() {
    let mut town = Town::new();
    let (cafe, bakery) = (shop(&town.cafe), shop(&town.bakery));
    let phone = &town.buyer.phone;
    let in_days = |days| phone.plan_day(days).unwrap();
    let all = [(cafe, 1_000, in_days(2)), (cafe, 2_000, in_days(3)), (cafe, 3_000, in_days(4))];
    let (other, days) = ((bakery, 4_000, in_days(1)), in_days(0));
    for (shop, amount, day) in all.into_iter().chain([other]) {
        phone.plan_purchase(shop, Money(amount), day).unwrap();
    }
    let left = |town: &Town| plans(&town.buyer.phone).iter().map(|plan| plan.1).collect::<Vec<_>>();
    assert_eq!(left(&town), [4_000, 1_000, 2_000, 3_000]);
    town.earn(5_000);
    assert_eq!(left(&town), [4_000, 2_000, 3_000], "one purchase, one plan");
    town.earn(5_000);
    assert_eq!(left(&town), [4_000, 3_000]);
    town.earn(5_000);
    assert_eq!(left(&town), [4_000, 3_000], "four days before is too early");
    assert_eq!(town.buyer.phone.plan_day(0).unwrap(), days);
    town.advance(Timestamp::DAY);
    town.cafe.sync(&mut town.server).unwrap();
    town.earn(5_000);
    assert_eq!(left(&town), [4_000], "nothing was bought at the bakery");
}

#[test]
fn a_purchase_from_before_the_plan_does_not_fulfil_it() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(5_000), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    town.buyer.phone.claim(&scanned, None).unwrap();
    // The server decides, and its answer is lost on the way.
    let lost = |server: &mut support::Server, request: &moa_phone::Request| {
        server.answer(request);
        support::offline(server, request)
    };
    assert!(town.buyer.sync_over(&mut town.server, lost).is_err());
    town.advance(Timestamp::HOUR);
    let phone = &town.buyer.phone;
    phone.plan_purchase(shop(&town.cafe), Money(9_000), phone.plan_day(1).unwrap()).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(500));
    assert_eq!(plans(&town.buyer.phone).len(), 1);
}

#[test]
fn a_plan_counts_for_a_week_after_its_day_and_then_makes_room() {
    let mut town = Town::new();
    alone(&mut town);
    let bakery = shop(&town.bakery);
    let phone = &town.buyer.phone;
    let day = phone.plan_day(1).unwrap();
    for _ in 0..MOST_PLANS {
        phone.plan_purchase(bakery, Money(1_000), day).unwrap();
    }
    assert_eq!(fault(phone.plan_purchase(bakery, Money(1_000), day)), PlanFault::TooMany);
    assert_eq!(plans(phone).len(), 50);

    town.advance(8 * Timestamp::DAY);
    town.cafe.sync(&mut town.server).unwrap();
    let shown = town.buyer.phone.planned_purchases().unwrap();
    assert!(shown.len() == 50 && shown.iter().all(|plan| plan.overdue && plan.day == day));
    assert!(told(&town).unwrap().1.overdue, "it may yet be bought");

    town.advance(Timestamp::DAY);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!((plans(&town.buyer.phone), told(&town)), (Vec::new(), None));
    let phone = &town.buyer.phone;
    phone.plan_purchase(bakery, Money(1_000), phone.plan_day(0).unwrap()).unwrap();
    assert_eq!(plans(phone).len(), 1);
}

#[test]
fn what_cannot_be_planned_is_refused_with_the_limits_and_leaves_nothing() {
    let town = Town::new();
    let (phone, cafe) = (&town.buyer.phone, shop(&town.cafe));
    let today = phone.plan_day(0).unwrap();
    let Err(PhoneError::Refused(small)) = phone.plan_purchase(cafe, Money(0), today) else { panic!() };
    assert_eq!(small, Refusal::AmountNotPositive);
    let Err(PhoneError::Refused(large)) = phone.plan_purchase(cafe, Money(MAX_AMOUNT.0 + 1), today) else {
        panic!()
    };
    assert_eq!(large, Refusal::AmountTooLarge { max: MAX_AMOUNT });
    let PlanFault::BadDay { first, last } = fault(phone.plan_purchase(cafe, Money(1), Day(today.0 - 1)))
    else {
        panic!()
    };
    assert_eq!(first, today);
    assert!((1_825..=1_827).contains(&(last.0 - first.0)), "five years");
    assert_eq!(fault(phone.plan_purchase(cafe, Money(1), Day(last.0 + 1))).code(), "bad_plan_day");
    assert!(phone.plan_day(5_000).is_err() && phone.plan_day(u32::MAX).is_err());
    assert_eq!(fault(phone.plan_purchase(MerchantId([9; 16]), Money(1), today)), PlanFault::UnknownShop);
    assert!(plans(phone).is_empty());
    let (most, end) = (phone.plan_purchase(cafe, MAX_AMOUNT, last).unwrap(), plans(phone));
    assert_eq!(end, [(cafe, MAX_AMOUNT.0, last)]);
    phone.forget_plan(most).unwrap();
    let nobody = Person::new(9);
    assert!(matches!(nobody.phone.plan_purchase(cafe, Money(1), today), Err(PhoneError::NotSignedIn)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn garbage_changes_nothing_and_panics_nowhere(
        given in proptest::collection::vec((any::<[u8; 16]>(), any::<i64>(), any::<i32>(), any::<bool>()), 0..20),
    ) {
        let town = Town::new();
        let phone = &town.buyer.phone;
        let mut kept = 0;
        for (id, amount, day, known) in given {
            let merchant = if known { shop(&town.cafe) } else { MerchantId(id) };
            kept += usize::from(phone.plan_purchase(merchant, Money(amount), Day(day)).is_ok());
            phone.forget_plan(OpId(id)).unwrap();
            prop_assert_eq!(phone.planned_purchases().unwrap().len(), kept);
        }
        choices(&town, 5_000);
    }
}
