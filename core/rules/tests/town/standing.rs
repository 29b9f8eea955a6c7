//! Standing choices: always this group, and the best after a day.

use moa_rules::event::EventBody;
use moa_rules::id::{GroupId, OpId};
use moa_rules::marketing::{AgreedText, Marketing, TextLanguage};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::standing::{BEST_AFTER, MAX_GROUPS, StandingChoice, best_from};
use moa_rules::time::Timestamp;

use crate::driver::{Person, SYSTEM, Shop, Town, points};

/// A shop in three groups, at 5, 3 and 2 %, another in none of them, and a buyer.
struct Street {
    town: Town,
    shop: Shop,
    groups: [GroupId; 3],
    elsewhere: GroupId,
    buyer: Person,
}

fn street() -> Street {
    let mut town = Town::new();
    let (shop, other, buyer) = (town.shop(), town.shop(), town.person());
    let groups = [500, 300, 200].map(|rate| town.group(shop, points(rate, 0)));
    let elsewhere = town.group(other, points(900, 0));
    Street { town, shop, groups, elsewhere, buyer }
}

impl Street {
    fn stand(&mut self, groups: &[GroupId], best: bool) {
        let parcel = self.town.stand(self.buyer, groups, best);
        self.town.send(&parcel).unwrap();
    }

    fn sell(&mut self, amount: i64) -> OpId {
        let sale = self.town.sell_to(self.shop, amount, self.buyer);
        self.town.send(&sale).unwrap();
        sale.op.id
    }

    fn take_best(&mut self, sale: OpId) -> Result<(), Refusal> {
        let sweep = self.town.take_best(self.shop, sale);
        self.town.send(&sweep).map(drop)
    }

    fn balances(&self) -> [i64; 3] {
        self.groups.map(|group| self.town.available(self.buyer.account, group))
    }

    fn waits(&self, sale: OpId) -> bool {
        self.town.tables.sales[&(self.shop.merchant, sale)].waits()
    }
}

#[test]
fn the_first_standing_group_that_earns_at_the_shop_is_taken_at_once() {
    let mut street = street();
    let [_, second, third] = street.groups;
    street.stand(&[street.elsewhere, third, second], false);
    street.sell(10_000);
    assert_eq!(street.balances(), [0, 0, 200]);
    // 2 % of 40 is nothing, 3 % is a unit.
    street.sell(40);
    assert_eq!(street.balances(), [0, 1, 200]);
    assert_eq!(street.town.rebuilt(), street.town.tables);
}

#[test]
fn a_standing_choice_that_fits_nothing_leaves_the_sale_waiting() {
    let mut street = street();
    street.stand(&[street.elsewhere], false);
    let sale = street.sell(10_000);
    assert!(street.waits(sale));
}

#[test]
fn the_last_standing_choice_counts_and_an_empty_one_clears_it() {
    let mut street = street();
    let [first, second, _] = street.groups;
    street.stand(&[first], true);
    street.stand(&[second], false);
    street.sell(10_000);
    assert_eq!(street.balances(), [0, 300, 0]);
    street.stand(&[], false);
    let sale = street.sell(10_000);
    assert!(street.waits(sale));
    assert_eq!(street.town.rebuilt(), street.town.tables);
}

#[test]
fn any_phone_of_the_account_may_set_it_and_nobody_else() {
    let mut street = street();
    let tablet = street.town.device(street.buyer.account);
    let parcel = street.town.stand(tablet, &[street.groups[0]], false);
    let events = street.town.send(&parcel).unwrap().events;
    assert!(matches!(&events[0].2, EventBody::StandingSet { account, .. } if *account == tablet.account));
    let system = Person { key: SYSTEM, ..tablet };
    let parcel = street.town.stand(system, &[], false);
    assert_eq!(street.town.send(&parcel).map(drop), Err(Refusal::NotAllowed));
}

#[test]
fn groups_that_are_not_or_too_many_are_refused() {
    let mut street = street();
    let parcel = street.town.stand(street.buyer, &[street.groups[0], GroupId([9; 16])], false);
    assert_eq!(street.town.send(&parcel).map(drop), Err(Refusal::UnknownGroup));
    let most = vec![street.groups[0]; MAX_GROUPS];
    street.stand(&most, false);
    let parcel = street.town.stand(street.buyer, &[most, vec![street.groups[1]]].concat(), false);
    assert_eq!(street.town.send(&parcel).map(drop), Err(Refusal::TooManyGroups { max: 20 }));
}

#[test]
fn the_best_is_taken_a_day_after_the_sale_to_the_millisecond() {
    let mut street = street();
    street.stand(&[], true);
    let sale = street.sell(10_000);
    let due = best_from(street.town.now.seconds());
    assert_eq!(due, Timestamp::from_seconds(street.town.now.seconds()).plus(BEST_AFTER));
    street.town.now = due.plus(-1);
    assert_eq!(street.take_best(sale), Err(Refusal::NotDue));
    street.town.now = due;
    street.take_best(sale).unwrap();
    assert_eq!(street.balances(), [500, 0, 0]);
    assert_eq!(street.take_best(sale), Err(Refusal::NotDue));
    assert_eq!(street.town.rebuilt(), street.town.tables);
}

#[test]
fn the_best_is_taken_until_the_sale_lapses_to_the_millisecond() {
    let mut street = street();
    let [one, two] = [(); 2].map(|()| street.sell(10_000));
    street.town.now = street.town.tables.sales[&(street.shop.merchant, one)].waits_until.unwrap();
    assert_eq!(street.take_best(one), Err(Refusal::NotDue), "not agreed");
    street.stand(&[], true);
    street.take_best(one).unwrap();
    street.town.wait(1);
    assert_eq!(street.take_best(two), Err(Refusal::NotDue));
}

#[test]
fn of_equal_rates_the_longer_validity_and_then_the_lower_id_is_the_best() {
    use moa_rules::time::Validity;
    let mut street = street();
    let longer = moa_rules::terms::Terms { validity: Validity::Months(7), ..points(500, 0) };
    let mut rivals = [(); 2].map(|()| street.town.group(street.shop, longer.clone()));
    rivals.sort();
    street.stand(&[], true);
    let sale = street.sell(10_000);
    street.town.wait(2 * Timestamp::DAY);
    street.take_best(sale).unwrap();
    let available = rivals.map(|group| street.town.available(street.buyer.account, group));
    assert_eq!(available, [500, 0]);
}

#[test]
fn the_best_is_among_those_that_earn() {
    let mut street = street();
    let costly =
        moa_rules::terms::Terms { unit_value: moa_rules::quantity::Money(100_000), ..points(900, 0) };
    street.town.group(street.shop, costly);
    street.stand(&[], true);
    let sale = street.sell(10_000);
    street.town.wait(Timestamp::DAY);
    street.take_best(sale).unwrap();
    assert_eq!(street.balances(), [500, 0, 0]);
}

#[test]
fn only_the_server_takes_the_best_and_only_of_what_is_sold() {
    let mut street = street();
    street.stand(&[], true);
    let (merchant, sale) = (street.shop.merchant, street.sell(10_000));
    street.town.wait(Timestamp::DAY);
    let theirs = street.town.op(street.buyer.key, OpBody::TakeBest { merchant, sale });
    assert_eq!(street.town.send(&theirs.into()).map(drop), Err(Refusal::NotAllowed));
    assert_eq!(street.take_best(OpId([7; 16])), Err(Refusal::UnknownSale));
    // A sale that never waited.
    let plain = street.town.sale(street.shop, 10_000);
    street.town.send(&plain.clone().into()).unwrap();
    assert_eq!(street.take_best(plain.id), Err(Refusal::NotDue));
}

#[test]
fn consent_to_advertising_and_the_standing_choice_leave_each_other_alone() {
    let mut street = street();
    let agreed = Some(AgreedText { version: 1, language: TextLanguage::Korean, hash: [7; 32] });
    let account = street.buyer.account;
    let said = |street: &mut Street, agreed| {
        let op = street.town.op(street.buyer.key, OpBody::SetMarketing { agreed });
        street.town.send(&op.into()).unwrap();
        let known = street.town.tables.standings[&account].clone();
        assert_eq!(known.marketing, Marketing { agreed, since: street.town.now });
        known
    };
    assert_eq!(said(&mut street, agreed).choice, StandingChoice::default());
    street.stand(&[street.groups[0]], true);
    assert_eq!(street.town.tables.standings[&account].marketing.agreed, agreed);
    let withdrawn = said(&mut street, None);
    assert_eq!(withdrawn.choice, StandingChoice { groups: vec![street.groups[0]], best: true });
    assert_eq!(street.town.rebuilt(), street.town.tables);
}
