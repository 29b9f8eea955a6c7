//! Mileage by unit: stamps by the card, coupons, old points beside new stamps, and the minimum that lots were issued under.

mod support;

use moa_phone::{Balance, Code, Fate, PhoneError, Purpose};
use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Kind, Profile, Scope, StampCard, Terms, Unit};
use moa_rules::time::{Day, Timestamp, Validity};

use support::{Person, Town, terms, units};

const CARD: Option<Unit> = Some(Unit::Stamp(10));

/// A stamp for each ₩1,000, ten are good for ₩5,000.
fn stamps() -> Terms {
    let card = StampCard { per: Some(Money(1_000)), stamps: 10, reward: Money(5_000) };
    Terms::stamps(card, Validity::Months(6))
}

fn found(town: &mut Town, terms: Terms) -> GroupId {
    let profile = Profile::new("도장", Scope::Building);
    let group = town.cafe.phone.found_group(profile, terms).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    group
}

/// The buyer buys at the café and collects in that group.
fn collect(town: &mut Town, group: GroupId, amount: i64) {
    let voucher = town.cafe.phone.record_sale(Money(amount), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    let choices = town.buyer.phone.choices(&scanned).unwrap();
    let choice = choices.iter().find(|choice| choice.choice.group == group).unwrap().choice;
    town.buyer.phone.claim(&scanned, Some(choice)).unwrap();
}

fn settle(town: &mut Town) {
    town.buyer.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
}

fn balance(person: &Person, group: GroupId, unit: Option<Unit>) -> Option<Balance> {
    let balances = person.phone.balances().unwrap().into_iter();
    balances.into_iter().find(|balance| (balance.group, balance.unit) == (group, unit))
}

/// The group has these terms from tomorrow on: the café is its only member.
fn amend(town: &mut Town, group: GroupId, terms: Terms) {
    let tomorrow = Day::parse("2026-11-22").unwrap();
    town.cafe.phone.amend_terms(group, terms, tomorrow).unwrap();
    settle(town);
    town.advance(Timestamp::DAY);
    let amendment = town.cafe.phone.group(group).unwrap().unwrap().state.amendment.unwrap().id;
    town.server.job(OpBody::DecideAmendment { group, amendment }).unwrap();
    settle(town);
    town.buyer.phone.want(moa_phone::Lookup::Group(group));
    town.buyer.sync(&mut town.server).unwrap();
}

#[test]
fn stamps_are_pending_then_confirmed_and_usable_by_the_card() {
    let mut town = Town::new();
    let group = found(&mut town, stamps());
    collect(&mut town, group, 7_400);
    let waiting = balance(&town.buyer, group, CARD).unwrap();
    assert_eq!((waiting.pending, waiting.confirmed), (units(7), units(0)));
    settle(&mut town);
    let seven = balance(&town.buyer, group, CARD).unwrap();
    assert_eq!((seven.confirmed, seven.usable, seven.pending), (units(7), units(0), units(0)));
    assert_eq!((seven.full_cards(), seven.to_full_card()), (Some(0), Some(units(3))));
    assert_eq!(balance(&town.buyer, group, None), None, "no points");

    collect(&mut town, group, 16_000);
    settle(&mut town);
    let many = balance(&town.buyer, group, CARD).unwrap();
    assert_eq!((many.confirmed, many.usable, many.full_cards()), (units(23), units(20), Some(2)));
    assert_eq!(many.unit_value.unwrap().0, Money(500));

    let parts = town.buyer.phone.redemption_code(group, units(15));
    assert!(matches!(parts, Err(PhoneError::Refused(Refusal::WholeCards { card: 10 }))), "{parts:?}");
    let code = town.buyer.phone.redemption_code(group, units(20)).unwrap();
    assert_eq!(code.unit, CARD, "what the group gives now");
    let Code::Redemption(scanned) = town.cafe.phone.read_code(&code.text).unwrap() else { panic!("no code") };
    assert_eq!((scanned.unit, scanned.most), (CARD, units(20)));
    let parts = town.cafe.phone.redeem(&code.text, units(5));
    assert!(matches!(parts, Err(PhoneError::Refused(Refusal::WholeCards { card: 10 }))), "{parts:?}");
    let asked = town.cafe.phone.redeem(&code.text, units(10)).unwrap();
    settle(&mut town);
    assert_eq!(town.cafe.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town.buyer, group, CARD).unwrap().confirmed, units(13));
    let taken = &town.cafe.phone.merchant_today().unwrap().redemptions[0];
    assert_eq!((taken.units, taken.unit), (units(10), CARD));
    assert_eq!(town.buyer.phone.history(group).unwrap()[0].unit, CARD);
}

#[test]
fn a_refusal_about_stamps_says_of_what_it_speaks() {
    let mut town = Town::new();
    let group = found(&mut town, stamps());
    collect(&mut town, group, 7_000);
    settle(&mut town);
    let code = town.buyer.phone.redemption_code(group, units(10)).unwrap();
    let asked = town.cafe.phone.redeem(&code.text, units(10)).unwrap();
    settle(&mut town);
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(asked.op).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::NotEnough { asked: units(10), available: units(7) }));
    assert_eq!(refused.mileage, Some(Kind::Stamp));
    assert_eq!(town.cafe.phone.outbox().unwrap()[0].mileage, Some(Kind::Stamp));
}

#[test]
fn old_points_stay_points_beside_the_stamps_that_follow_and_both_can_be_paid_with() {
    let mut town = Town::new();
    let group = found(&mut town, terms(1_000, 500));
    collect(&mut town, group, 10_000);
    settle(&mut town);
    amend(&mut town, group, stamps());
    assert_eq!(town.buyer.phone.unit_in_force(group).unwrap(), CARD);
    collect(&mut town, group, 12_000);
    settle(&mut town);
    let points = balance(&town.buyer, group, None).unwrap();
    assert_eq!((points.confirmed, points.minimum), (units(1_000), Some(units(500))), "as it was then");
    let stamps = balance(&town.buyer, group, CARD).unwrap();
    assert_eq!((stamps.confirmed, stamps.usable, stamps.minimum), (units(12), units(10), Some(units(0))));

    let code = town.buyer.phone.redemption_code_of(group, units(600), None).unwrap();
    town.cafe.phone.redeem(&code.text, units(600)).unwrap();
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    let paid = town.buyer.phone.pay(merchant, group, units(10)).unwrap();
    settle(&mut town);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(paid).unwrap(), Some(Fate::Applied));
    assert_eq!(balance(&town.buyer, group, None).unwrap().confirmed, units(400));
    assert_eq!(balance(&town.buyer, group, CARD).unwrap().confirmed, units(2));
    let shown = town.buyer.phone.approval(paid).unwrap().unwrap();
    assert_eq!((shown.units, shown.unit), (units(10), CARD));
    let took = town.cafe.phone.take_approval(&shown.text).unwrap();
    assert_eq!((took.units, took.unit), (units(10), CARD));
}

#[test]
fn the_minimum_is_that_which_the_lots_were_issued_under() {
    let mut town = Town::new();
    let group = found(&mut town, terms(1_000, 500));
    collect(&mut town, group, 6_000);
    settle(&mut town);
    amend(&mut town, group, terms(1_000, 5_000));
    let kept = balance(&town.buyer, group, None).unwrap();
    assert_eq!((kept.minimum, kept.usable), (Some(units(500)), units(600)));
    // A phone that never saw those terms knows only the ones in force.
    town.server.enrols_as = Some(town.account);
    let mut other = Person::open(moa_phone::Data::Memory, 50, town.server.now);
    other.enrol(&mut town.server);
    other.phone.want(moa_phone::Lookup::Group(group));
    other.sync(&mut town.server).unwrap();
    let unseen = balance(&other, group, None).unwrap();
    assert_eq!((unseen.minimum, unseen.usable), (Some(units(5_000)), units(0)));
}

#[test]
fn a_pass_and_digits_of_stamps_are_of_stamps() {
    let mut town = Town::new();
    let group = found(&mut town, stamps());
    collect(&mut town, group, 25_000);
    settle(&mut town);
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    let pass = town.buyer.phone.reserve_pass(merchant, group, units(10), 1).unwrap();
    settle(&mut town);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town.buyer, group, CARD).unwrap().held, units(10));
    assert_eq!(town.buyer.phone.passes().unwrap()[0].unit, CARD);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(shown.unit, CARD);
    let parts = town.cafe.phone.take_pass(&shown.text, units(3));
    assert!(matches!(parts, Err(PhoneError::Refused(Refusal::WholeCards { .. }))), "{parts:?}");
    assert_eq!(town.cafe.phone.take_pass(&shown.text, units(10)).unwrap().unit, CARD);
    settle(&mut town);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town.buyer, group, CARD).unwrap().confirmed, units(15));

    let purpose = Purpose::Pay { group, most: units(10), unit: CARD };
    assert!(town.buyer.phone.one_time_request(purpose).is_ok());
    let parts = town.buyer.phone.one_time_request(Purpose::Pay { group, most: units(7), unit: CARD });
    assert!(matches!(parts, Err(PhoneError::Refused(Refusal::WholeCards { .. }))), "{parts:?}");
}

#[test]
fn a_coupon_is_one_a_purchase_from_the_least_amount_on() {
    let mut town = Town::new();
    let coupons = Terms::coupons(Money(3_000), Some(Money(10_000)), Validity::Months(1));
    let group = found(&mut town, coupons);
    let voucher = town.cafe.phone.record_sale(Money(9_999), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    let choices = town.buyer.phone.choices(&scanned).unwrap();
    let choice = choices.iter().find(|choice| choice.choice.group == group).unwrap();
    assert_eq!((choice.earns, choice.terms.unit()), (units(0), Some(Unit::Coupon)));
    let nothing = town.buyer.phone.claim(&scanned, Some(choice.choice));
    assert!(matches!(nothing, Err(PhoneError::Refused(Refusal::EarnsNothing { .. }))), "{nothing:?}");
    collect(&mut town, group, 80_000);
    settle(&mut town);
    let one = balance(&town.buyer, group, Some(Unit::Coupon)).unwrap();
    assert_eq!((one.confirmed, one.usable, one.full_cards()), (units(1), units(1), None));
}
