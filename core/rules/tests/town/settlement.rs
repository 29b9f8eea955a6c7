//! Who owes whom after a while of trade, under both bases. (A14, rules.md "Settlement")

use moa_rules::books::Party;
use moa_rules::id::GroupId;
use moa_rules::quantity::Money;
use moa_rules::terms::{Basis, Terms};

use crate::driver::{Shop, Town, points};

struct Trade {
    town: Town,
    shops: [Shop; 3],
    group: GroupId,
}

impl Trade {
    fn position(&self, shop: usize) -> i64 {
        self.town.position(self.group, Party::Member(self.shops[shop].merchant))
    }

    fn positions(&self) -> [i64; 3] {
        [0, 1, 2].map(|shop| self.position(shop))
    }

    fn pool(&self) -> i64 {
        self.town.position(self.group, Party::Pool)
    }
}

/// A, B and C issue 2,000, 3,000 and 5,000 points; of these so many are redeemed at A, B and C.
fn trade(basis: Basis, unit_value: i64, redeemed: [i64; 3]) -> Trade {
    let mut town = Town::new();
    let shops = [0; 3].map(|_| town.shop());
    let buyer = town.person();
    let terms = Terms { basis, unit_value: Money(unit_value), ..points(10_000, 0) };
    let group = town.group(shops[0], terms);
    town.join(shops[1], group);
    town.join(shops[2], group);
    for (shop, units) in shops.into_iter().zip([2_000, 3_000, 5_000]) {
        town.earn(shop, buyer, group, units * unit_value);
        town.wait(1);
    }
    for (shop, units) in shops.into_iter().zip(redeemed) {
        if units > 0 {
            let redemption = town.redeem(shop, buyer, group, units);
            town.send(&redemption).unwrap();
        }
    }
    Trade { town, shops, group }
}

#[test]
fn a14_the_shop_that_took_everything_is_owed_by_those_that_issued_it() {
    for basis in [Basis::OnIssue, Basis::OnRedemption] {
        let trade = trade(basis, 1, [10_000, 0, 0]);
        assert_eq!(trade.positions(), [8_000, -3_000, -5_000], "{basis:?}");
        assert_eq!(trade.pool(), 0, "{basis:?}");
        assert_eq!(trade.town.position(trade.group, Party::Exchange), 0);
    }
}

#[test]
fn a14_on_one_day_issued_8_000_and_redeemed_2_000_is_6_000_to_pay() {
    let mut town = Town::new();
    let (shop, next_door, buyer) = (town.shop(), town.shop(), town.person());
    let group = town.group(shop, points(10_000, 0));
    town.join(next_door, group);
    town.earn(next_door, buyer, group, 2_000);
    town.wait(1);
    town.earn(shop, buyer, group, 8_000);
    let redemption = town.redeem(shop, buyer, group, 2_000);
    town.send(&redemption).unwrap();
    assert_eq!(town.position(group, Party::Member(shop.merchant)), -6_000);
}

#[test]
fn on_issue_the_pool_holds_the_worth_of_what_is_outstanding() {
    let trade = trade(Basis::OnIssue, 10, [1_000, 2_000, 500]);
    assert_eq!(trade.positions(), [-20_000 + 10_000, -30_000 + 20_000, -50_000 + 5_000]);
    assert_eq!(trade.pool(), 65_000);
    assert_eq!(trade.positions().iter().sum::<i64>() + trade.pool(), 0);
}

#[test]
fn on_redemption_nobody_owes_for_what_is_outstanding_or_taken_at_home() {
    // The oldest lot goes first: A takes 1,000 of its own, B then 1,000 of A's and 1,000 of its own.
    let trade = trade(Basis::OnRedemption, 10, [1_000, 2_000, 0]);
    assert_eq!(trade.positions(), [-10_000, 10_000, 0]);
    assert_eq!(trade.pool(), 0);
}
