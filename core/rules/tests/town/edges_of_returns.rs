//! Cases that have broken other systems, by their numbers: refunds, debts, reversals, holds.

use moa_rules::books::{Ledger, Party};
use moa_rules::event::EventBody;
use moa_rules::hold::{HOLD_MINUTES, MOST_HOURS};
use moa_rules::op::OpBody;
use moa_rules::quantity::{MAX_AMOUNT, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Terms};
use moa_rules::time::{Day, Timestamp, Validity};

use crate::alley::{Alley, Refund, alley, below, not_enough};
use crate::driver::{Shop, points, units};

/// In money, in mileage, in units taken back, and how many of those are a debt.
fn back(money: i64, mileage: i64, taken: i64, debt: i64) -> Refund {
    Refund { money, mileage, taken, debt }
}

fn ten_days(rate: u16, minimum: i64) -> Terms {
    Terms { validity: Validity::Days(10), ..points(rate, minimum) }
}

impl Alley {
    fn clawed_back(&self, shop: Shop, issuer: Shop) -> i64 {
        self.units(Party::Member(shop.merchant), Ledger::ClawedBack, issuer.merchant)
    }
}

#[test]
fn edge_04_two_refunds_of_one_purchase_at_once_pay_back_once() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    let sale = alley.buy(cafe, 10_000, None);
    // Both were signed before either was decided, and both are decided in one batch.
    alley.town.commit();
    let both = [0; 2].map(|_| alley.town.refund(cafe.owner.key, sale, 10_000));
    alley.send(&both[0]).unwrap();
    assert_eq!(alley.send(&both[1]), Err(Refusal::RefundTooLarge { left: Money(0) }));
    assert_eq!((alley.available(), alley.owed()), (0, 0));
    alley.is_whole();
}

#[test]
fn edge_04_two_refunds_of_six_tenths_each_do_not_both_fit() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    let sale = alley.buy(cafe, 10_000, None);
    assert_eq!(alley.refund(cafe, sale, 6_000), Ok(back(6_000, 0, 600, 0)));
    assert_eq!(alley.refund(cafe, sale, 6_000), Err(Refusal::RefundTooLarge { left: Money(4_000) }));
    assert_eq!(alley.refund(cafe, sale, 4_000), Ok(back(4_000, 0, 400, 0)));
}

#[test]
fn edge_05_a_refund_of_nothing_of_too_much_or_of_what_the_shop_never_sold_is_refused() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    let before = alley.town.tables.clone();
    for amount in [0, -1, i64::MIN] {
        assert_eq!(alley.refund(cafe, sale, amount), Err(Refusal::AmountNotPositive));
    }
    for amount in [10_001, i64::MAX] {
        assert_eq!(alley.refund(cafe, sale, amount), Err(Refusal::RefundTooLarge { left: Money(10_000) }));
    }
    let other = alley.take(cafe, 1);
    assert_eq!(alley.refund(cafe, other, 1), Err(Refusal::UnknownSale), "a redemption is no sale");
    assert_eq!(alley.refund(baker, sale, 1), Err(Refusal::UnknownSale), "another shop's");
    assert_eq!(alley.town.tables.sales, before.sales);
}

#[test]
fn edge_05_only_those_of_the_shop_refund_and_no_buyer() {
    let mut alley = alley(points(1_000, 0));
    let sale = alley.buy(alley.cafe, 10_000, None);
    let own = alley.town.refund(alley.buyer.key, sale, 10_000);
    assert_eq!(alley.send(&own), Err(Refusal::NoMerchant));
    let clerk = alley.town.clerk(alley.cafe, 10_000, 10_000);
    let staff = alley.town.refund(clerk.key, sale, 10_000);
    alley.send(&staff).unwrap();
    alley.is_whole();
}

#[test]
fn edge_06_a_full_refund_after_a_part_was_spent_leaves_the_part_as_a_debt() {
    for basis in [Basis::OnIssue, Basis::OnRedemption] {
        let mut alley = alley(Terms { basis, ..points(1_000, 0) });
        let (cafe, baker) = (alley.cafe, alley.baker);
        let sale = alley.buy(cafe, 10_000, None);
        alley.take(baker, 400);
        assert_eq!(alley.refund(cafe, sale, 10_000), Ok(back(10_000, 0, 1_000, 400)));
        assert_eq!((alley.available(), alley.owed()), (0, 400));
        // The baker is paid for what it took; the café bears it until the debt is paid.
        assert_eq!((alley.position(cafe), alley.position(baker)), (-400, 400), "{basis:?}");
        alley.is_whole();
    }
}

#[test]
fn edge_06_what_is_missing_comes_from_the_buyers_other_lots_as_if_redeemed_there() {
    for basis in [Basis::OnIssue, Basis::OnRedemption] {
        let mut alley = alley(Terms { basis, ..points(1_000, 0) });
        let (cafe, baker) = (alley.cafe, alley.baker);
        let sale = alley.buy(cafe, 10_000, None);
        alley.take(baker, 1_000);
        alley.buy(baker, 7_000, None);
        assert_eq!(alley.refund(cafe, sale, 10_000), Ok(back(10_000, 0, 1_000, 300)));
        assert_eq!((alley.available(), alley.owed()), (0, 300));
        assert_eq!(alley.clawed_back(cafe, baker), 700);
        // The baker took 1,000 of the café's and owes for 700 of its own.
        assert_eq!((alley.position(cafe), alley.position(baker)), (-300, 300), "{basis:?}");
        alley.is_whole();
    }
}

#[test]
fn edge_06_what_had_expired_of_the_purchases_own_lot_counts_as_taken_once() {
    let mut alley = alley(ten_days(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    alley.take(baker, 400);
    alley.town.wait(11 * Timestamp::DAY);
    alley.sweep().unwrap();
    assert_eq!(alley.refund(cafe, sale, 5_000), Ok(back(5_000, 0, 500, 0)), "of the 600 that expired");
    assert_eq!(
        alley.refund(cafe, sale, 5_000),
        Ok(back(5_000, 0, 500, 400)),
        "100 of them are left to count"
    );
    assert_eq!(alley.owed(), 400);
    alley.is_whole();
}

#[test]
fn edge_06_the_mileage_of_what_is_held_is_not_taken_and_becomes_a_debt() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    let hold = alley.hold(baker, 1_000);
    assert_eq!(alley.refund(cafe, sale, 10_000), Ok(back(10_000, 0, 1_000, 1_000)));
    alley.capture(baker, hold, 1_000).unwrap();
    assert_eq!(alley.owed(), 1_000);
    alley.is_whole();
}

#[test]
fn edge_07_twenty_percent_and_twenty_percent_are_forty_and_the_rest_is_exact() {
    for amount in [10_000, 9_999, 7, 1_234_567] {
        for rate in [1, 333, 1_000, 9_999] {
            let whole = amount * i64::from(rate) / 10_000;
            if whole == 0 {
                continue;
            }
            let mut twice = alley(points(rate, 0));
            let mut once = alley(points(rate, 0));
            let (fifth, rest) = (amount / 5, amount - 2 * (amount / 5));
            let sale = twice.buy(twice.cafe, amount, None);
            let parts = [fifth, fifth, rest].map(|part| {
                if part == 0 { Refund::default() } else { twice.refund(twice.cafe, sale, part).unwrap() }
            });
            let sale = once.buy(once.cafe, amount, None);
            let two_fifths =
                if fifth == 0 { 0 } else { once.refund(once.cafe, sale, 2 * fifth).unwrap().taken };
            assert_eq!(parts[0].taken + parts[1].taken, two_fifths, "{amount} at {rate}");
            assert_eq!(parts.iter().map(|part| part.taken).sum::<i64>(), whole, "{amount} at {rate}");
            assert_eq!(parts.iter().map(|part| part.money).sum::<i64>(), amount);
            assert_eq!((twice.available(), twice.owed()), (0, 0));
            twice.is_whole();
        }
    }
}

#[test]
fn edge_08_undoing_a_redemption_after_its_lots_end_gives_back_at_most_what_was_left_of_their_time() {
    // Redeemed with so many days left, undone 20 days later: good for so many days.
    for (left, days) in [(10, 7), (7, 7), (3, 3), (1, 1), (0, 0)] {
        let mut alley = alley(ten_days(10_000, 0));
        alley.earn(1_000);
        let lot = alley.town.tables.lots.values().next().unwrap().clone();
        alley.town.wait(i64::from(10 - left) * Timestamp::DAY);
        let redemption = alley.take(alley.baker, 600);
        alley.town.wait(20 * Timestamp::DAY);
        alley.reverse(alley.baker, redemption).unwrap();
        assert_eq!(alley.available(), 600);
        let new = alley.town.tables.lots.values().find(|lot| lot.revives.is_some()).unwrap();
        assert_eq!((new.revives, new.issuer, new.issued_at), (Some(lot.id), lot.issuer, lot.issued_at));
        let today = lot.last_day.0 - left + 20;
        assert_eq!(new.last_day, Day(today + days), "{left} days were left");
        alley.town.wait(i64::from(days) * Timestamp::DAY);
        assert_eq!(alley.available(), 600, "to the end of its last day");
        alley.town.wait(Timestamp::DAY);
        assert_eq!(alley.available(), 0);
        alley.is_whole();
    }
}

#[test]
fn edge_08_what_comes_back_a_second_time_expires_at_once_and_is_no_new_issue() {
    let mut alley = alley(ten_days(10_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    alley.earn(1_000);
    let first = alley.take(baker, 1_000);
    alley.town.wait(11 * Timestamp::DAY);
    alley.reverse(baker, first).unwrap();
    let second = alley.take(baker, 600);
    let third = alley.take(baker, 100);
    alley.reverse(baker, third).unwrap();
    assert_eq!(alley.available(), 400, "before its end it comes back to where it was");
    alley.town.wait(8 * Timestamp::DAY);
    let events = alley.reverse(baker, second).unwrap();
    let expired = |event: &EventBody| match event {
        EventBody::Expired { allocation, .. } => allocation.units.get(),
        _ => 0,
    };
    assert_eq!(events.iter().map(expired).sum::<i64>(), 600);
    assert_eq!(alley.available(), 0);
    assert_eq!(alley.units(Party::Member(cafe.merchant), Ledger::Issued, cafe.merchant), -1_000);
    assert_eq!(alley.units(Party::Member(baker.merchant), Ledger::Redeemed, cafe.merchant), 0);
    alley.is_whole();
}

#[test]
fn edge_08_before_the_end_it_comes_back_to_its_lots_with_their_own_end() {
    let mut alley = alley(ten_days(10_000, 0));
    alley.earn(1_000);
    let before = alley.town.tables.lots.clone();
    let redemption = alley.take(alley.baker, 700);
    alley.town.wait(9 * Timestamp::DAY);
    alley.reverse(alley.baker, redemption).unwrap();
    assert_eq!(alley.town.tables.lots, before);
    assert_eq!(alley.reverse(alley.baker, redemption), Err(Refusal::AlreadyReversed));
    assert_eq!(alley.reverse(alley.cafe, redemption), Err(Refusal::UnknownRedemption), "another shop's");
    alley.town.wait(2 * Timestamp::DAY);
    assert_eq!(alley.available(), 0);
}

#[test]
fn edge_09_a_purchase_paid_in_money_and_mileage_is_paid_back_in_both_to_the_unit() {
    for parts in [vec![10_000], vec![5_000, 5_000], vec![1, 9_999], vec![3_333, 3_333, 3_334], vec![999; 10]]
    {
        let mut alley = alley(points(1_000, 0));
        let (cafe, baker) = (alley.cafe, alley.baker);
        alley.town.earn(baker, alley.buyer, alley.group, 30_000);
        let redemption = alley.take(cafe, 3_000);
        let sale = alley.buy(cafe, 7_000, Some(redemption));
        assert_eq!(alley.available(), 700, "earned on the money alone");
        let (mut money, mut mileage, mut so_far) = (0, 0, 0);
        for part in parts {
            let back = alley.refund(cafe, sale, part).unwrap();
            (money, mileage, so_far) = (money + back.money, mileage + back.mileage, so_far + part);
            assert_eq!(money, 7_000 * so_far / 10_000);
            assert_eq!(mileage, so_far - money, "one point, one won");
        }
        if so_far < 10_000 {
            let left = 10_000 - so_far;
            assert_eq!(
                alley.refund(cafe, sale, left + 1),
                Err(Refusal::RefundTooLarge { left: Money(left) })
            );
            let rest = alley.refund(cafe, sale, left).unwrap();
            (money, mileage) = (money + rest.money, mileage + rest.mileage);
        }
        assert_eq!((money, mileage), (7_000, 3_000));
        assert_eq!((alley.available(), alley.owed()), (3_000, 0));
        assert_eq!(alley.position(cafe), 0, "as if nothing had been bought");
        alley.is_whole();
    }
}

#[test]
fn edge_09_less_than_a_unit_waits_for_the_refund_that_completes_it() {
    let mut alley = alley(Terms { unit_value: Money(100), ..points(10_000, 0) });
    let cafe = alley.cafe;
    alley.earn(1_000);
    let redemption = alley.take(cafe, 10);
    let sale = alley.buy(cafe, 1_000, Some(redemption));
    // Of 2,000 each half: 99 in money, and 99 in mileage that is worth 100 a unit.
    assert_eq!(alley.refund(cafe, sale, 198).map(|back| (back.money, back.mileage)), Ok((99, 0)));
    assert_eq!(alley.refund(cafe, sale, 2).map(|back| (back.money, back.mileage)), Ok((1, 1)));
    assert_eq!(alley.refund(cafe, sale, 1_800).map(|back| (back.money, back.mileage)), Ok((900, 9)));
    alley.is_whole();
}

#[test]
fn edge_09_mileage_that_its_shop_gave_back_by_hand_does_not_come_back_again() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    alley.earn(30_000);
    let redemption = alley.take(cafe, 3_000);
    let sale = alley.buy(cafe, 7_000, Some(redemption));
    alley.reverse(cafe, redemption).unwrap();
    assert_eq!(alley.refund(cafe, sale, 10_000).map(|back| (back.money, back.mileage)), Ok((7_000, 0)));
    alley.is_whole();
}

#[test]
fn edge_09_a_redemption_of_somebody_else_or_of_another_shop_paid_no_part() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let other = alley.town.person();
    alley.town.earn(cafe, other, alley.group, 30_000);
    let theirs = alley.town.redeem(cafe, other, alley.group, 3_000);
    alley.send(&theirs).unwrap();
    alley.earn(30_000);
    let elsewhere = alley.take(baker, 1_000);
    for redemption in [theirs.op.id, elsewhere] {
        let sale = alley.buy(cafe, 7_000, Some(redemption));
        assert_eq!(alley.refund(cafe, sale, 7_001), Err(Refusal::RefundTooLarge { left: Money(7_000) }));
        assert_eq!(alley.refund(cafe, sale, 7_000).map(|back| (back.money, back.mileage)), Ok((7_000, 0)));
    }
}

#[test]
fn edge_09_what_the_first_refund_counted_in_is_counted_in_by_those_that_follow() {
    // Nobody had claimed it yet, so the redemption was taken for the same buyer's.
    let mut alley = alley(points(1_000, 0));
    let (cafe, other) = (alley.cafe, alley.town.person());
    alley.earn(30_000);
    let redemption = alley.take(cafe, 3_000);
    let mut sale = alley.town.sale(cafe, 7_000);
    sale.body = OpBody::RecordSale { amount: Money(7_000), addressee: None, redemption: Some(redemption) };
    alley.send(&sale.clone().into()).unwrap();
    assert_eq!(alley.refund(cafe, sale.id, 5_000), Ok(back(3_500, 1_500, 0, 0)));
    let claim = alley.town.claim(other, &sale, alley.group);
    alley.send(&claim).unwrap();
    assert_eq!(alley.town.available(other.account, alley.group), 350, "earned on what was not paid back");
    assert_eq!(alley.refund(cafe, sale.id, 5_000), Ok(back(3_500, 1_500, 350, 0)));
    assert_eq!(alley.town.available(other.account, alley.group), 0);
    alley.is_whole();
}

#[test]
fn edge_09_a_redemption_that_another_account_paid_counts_no_more_when_the_two_are_merged_later() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, other) = (alley.cafe, alley.town.person());
    alley.town.earn(cafe, other, alley.group, 30_000);
    let theirs = alley.town.redeem(cafe, other, alley.group, 3_000);
    alley.send(&theirs).unwrap();
    let sale = alley.buy(cafe, 7_000, Some(theirs.op.id));
    assert_eq!(alley.refund(cafe, sale, 3_500), Ok(back(3_500, 0, 350, 0)));
    let consent = alley.town.consent(other.key);
    let merge = alley.town.merge(alley.buyer.key, consent);
    alley.send(&merge).unwrap();
    assert_eq!(alley.refund(cafe, sale, 3_501), Err(Refusal::RefundTooLarge { left: Money(3_500) }));
    assert_eq!(alley.refund(cafe, sale, 3_500), Ok(back(3_500, 0, 350, 0)));
    alley.is_whole();
}

#[test]
fn edge_10_what_was_paid_back_before_the_claim_earns_nothing_and_is_not_taken_back() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    let sale = alley.town.sale(cafe, 10_000);
    alley.send(&sale.clone().into()).unwrap();
    assert_eq!(alley.refund(cafe, sale.id, 4_000), Ok(back(4_000, 0, 0, 0)));
    let claim = alley.town.claim(alley.buyer, &sale, alley.group);
    alley.send(&claim).unwrap();
    assert_eq!(alley.available(), 600);
    assert_eq!(alley.refund(cafe, sale.id, 3_000), Ok(back(3_000, 0, 300, 0)), "half of what was left");
    assert_eq!(alley.refund(cafe, sale.id, 3_000), Ok(back(3_000, 0, 300, 0)));

    let gone = alley.town.sale(cafe, 10_000);
    alley.send(&gone.clone().into()).unwrap();
    alley.refund(cafe, gone.id, 10_000).unwrap();
    let claim = alley.town.claim(alley.buyer, &gone, alley.group);
    assert_eq!(alley.send(&claim), Err(Refusal::EarnsNothing { amount: Money(0) }));
    alley.is_whole();
}

#[test]
fn edge_14_a_hold_outlives_the_end_of_its_lots_and_what_it_does_not_take_ends_then() {
    let mut alley = alley(ten_days(10_000, 0));
    alley.earn(1_000);
    let end = alley.town.tables.lots.values().next().unwrap().ends_at;
    alley.town.now = end.plus(-Timestamp::MINUTE);
    let hold = alley.hold(alley.baker, 600);
    alley.town.now = end.plus(Timestamp::MINUTE);
    let expired = alley.sweep().unwrap();
    assert_eq!(expired.len(), 1, "the 400 that were not held: {expired:?}");
    alley.capture(alley.baker, hold, 500).unwrap();
    assert_eq!(alley.available(), 0, "the rest has ended");
    alley.sweep().unwrap();
    assert_eq!(alley.units(Party::Pool, Ledger::Expired, alley.cafe.merchant), 500);
    alley.is_whole();
}

#[test]
fn edge_14_a_hold_is_captured_though_its_shop_left_was_put_out_or_frozen_meanwhile() {
    type Meanwhile = fn(&mut Alley);
    let cases: [Meanwhile; 4] = [
        |alley| {
            let leave = alley.town.leave(alley.baker.owner.key, alley.group);
            alley.send(&leave).unwrap();
        },
        |alley| {
            let expel = alley.town.expel(alley.cafe.owner.key, alley.group, alley.baker.merchant);
            alley.send(&expel).unwrap();
        },
        |alley| {
            let freeze = alley.town.freeze(crate::driver::SYSTEM, alley.group, alley.baker.merchant, true);
            alley.send(&freeze).unwrap();
        },
        |alley| {
            // The issuer of what is held.
            let freeze = alley.town.freeze(crate::driver::SYSTEM, alley.group, alley.cafe.merchant, true);
            alley.send(&freeze).unwrap();
        },
    ];
    for (at, meanwhile) in cases.into_iter().enumerate() {
        let mut alley = alley(points(10_000, 0));
        alley.earn(1_000);
        let hold = alley.hold(alley.baker, 600);
        meanwhile(&mut alley);
        alley.capture(alley.baker, hold, 600).unwrap_or_else(|refusal| panic!("case {at}: {refusal:?}"));
        assert_eq!(alley.position(alley.baker), 600, "case {at}");
        alley.is_whole();
    }
}

#[test]
fn edge_14_a_hold_across_a_cut_off_is_settled_when_it_is_captured() {
    use moa_rules::period::Period;
    let mut alley = alley(points(10_000, 0));
    alley.earn(1_000);
    let zone = points(1, 0).tz();
    let cut = Period::default().cut_after(alley.town.now, &zone);
    alley.town.now = cut.plus(-1);
    let hold = alley.hold(alley.baker, 600);
    assert_eq!(alley.position(alley.baker), 0, "nothing is owed for what is held");
    alley.town.now = cut.plus(1);
    alley.capture(alley.baker, hold, 600).unwrap();
    let taken = alley.town.events().last().unwrap();
    assert!(matches!(taken.body, EventBody::Redeemed { .. }) && taken.at >= cut, "of the period after");
    assert_eq!(alley.position(alley.baker), 600);
}

#[test]
fn edge_15_what_was_captured_voided_lapsed_or_never_made_is_not_captured() {
    let mut alley = alley(points(10_000, 0));
    let baker = alley.baker;
    alley.earn(1_000);
    let captured = alley.hold(baker, 100);
    alley.capture(baker, captured, 40).unwrap();
    let voided = alley.hold(baker, 100);
    let parcel = alley.town.void_hold(baker.owner.key, voided);
    alley.send(&parcel).unwrap();
    let lapsed = alley.hold(baker, 100);
    let late = alley.hold(baker, 100);
    alley.town.wait(i64::from(HOLD_MINUTES) * Timestamp::MINUTE);
    let early = alley.town.lapse_hold(baker.merchant, lapsed);
    assert_eq!(alley.send(&early), Err(Refusal::NotDue), "good to the last millisecond");
    alley.town.wait(1);
    let parcel = alley.town.lapse_hold(baker.merchant, lapsed);
    alley.send(&parcel).unwrap();
    let rejected = alley.town.hold(baker, alley.buyer, alley.group, 5_000);
    assert_eq!(alley.send(&rejected), Err(not_enough(5_000, 860)));

    for hold in [captured, voided, lapsed, late] {
        assert_eq!(alley.capture(baker, hold, 100), Err(Refusal::HoldOver));
    }
    for hold in [captured, voided, lapsed] {
        let void = alley.town.void_hold(baker.owner.key, hold);
        assert_eq!(alley.send(&void), Err(Refusal::HoldOver));
        let lapse = alley.town.lapse_hold(baker.merchant, hold);
        assert_eq!(alley.send(&lapse), Err(Refusal::HoldOver));
    }
    assert_eq!(alley.capture(baker, rejected.op.id, 100), Err(Refusal::UnknownHold));
    let of_the_cafe = alley.hold(alley.cafe, 100);
    assert_eq!(alley.capture(baker, of_the_cafe, 100), Err(Refusal::UnknownHold));
    assert_eq!(alley.position(baker), 40);
    alley.is_whole();
}

#[test]
fn edge_15_a_hold_is_captured_to_the_last_millisecond_of_its_time() {
    for (seconds, millis) in [(1, 1_000), (MOST_HOURS * 3_600, Timestamp::DAY)] {
        let mut alley = alley(points(10_000, 0));
        alley.earn(1_000);
        let code = alley.town.code(alley.buyer, alley.group, 100);
        let hold = alley.town.hold_with(alley.baker.owner.key, code, 100, Some(seconds));
        alley.send(&hold).unwrap();
        alley.town.wait(millis);
        alley.capture(alley.baker, hold.op.id, 100).unwrap();
    }
}

#[test]
fn edge_16_what_is_held_is_no_balance_for_anything() {
    let mut alley = alley(points(10_000, 500));
    let (cafe, baker) = (alley.cafe, alley.baker);
    alley.earn(1_000);
    alley.hold(baker, 400);
    assert_eq!(alley.available(), 600);
    assert_eq!(alley.redeem_at(cafe, 601), Err(not_enough(601, 600)));
    let second = alley.town.hold(cafe, alley.buyer, alley.group, 601);
    assert_eq!(alley.send(&second), Err(not_enough(601, 600)));
    let taking = alley.town.take_away(cafe.owner.key, alley.buyer.account, alley.group, (601, None));
    assert_eq!(alley.send(&taking), Err(Refusal::NotSoMuchIssued { left: units(600) }));
    alley.hold(cafe, 200);
    assert_eq!(alley.redeem_at(cafe, 1), Err(below(500, 400)), "the minimum, too, is on what is free");
    alley.is_whole();
}

#[test]
fn edge_16_a_code_is_good_for_one_hold_or_one_redemption() {
    let mut alley = alley(points(10_000, 0));
    alley.earn(1_000);
    let code = alley.town.code(alley.buyer, alley.group, 100);
    let hold = alley.town.hold_with(alley.baker.owner.key, code, 100, None);
    alley.send(&hold).unwrap();
    let again = alley.town.hold_with(alley.cafe.owner.key, code, 100, None);
    assert_eq!(alley.send(&again), Err(Refusal::CodeUsed));
    let redeem = alley.town.redeem_with(alley.cafe, code, 100);
    assert_eq!(alley.send(&redeem), Err(Refusal::CodeUsed));
}

#[test]
fn edge_31_the_largest_purchase_is_paid_back_in_odd_parts_to_the_unit() {
    let mut alley = alley(points(9_999, 0));
    let cafe = alley.cafe;
    alley.earn(MAX_AMOUNT.0);
    let redemption = alley.take(cafe, 9_998_999_999);
    let sale = alley.buy(cafe, MAX_AMOUNT.0, Some(redemption));
    let total = MAX_AMOUNT.0 + 9_998_999_999;
    assert_eq!(alley.refund(cafe, sale, i64::MAX), Err(Refusal::RefundTooLarge { left: Money(total) }));
    let (mut money, mut mileage) = (0, 0);
    for part in [1, 3_333_333_333, 6_666_666_667, total - 10_000_000_001] {
        let back = alley.refund(cafe, sale, part).unwrap();
        (money, mileage) = (money + back.money, mileage + back.mileage);
    }
    assert_eq!((money, mileage), (MAX_AMOUNT.0, 9_998_999_999));
    assert_eq!((alley.available(), alley.owed()), (9_999_000_000, 0));
    alley.is_whole();
}

#[test]
fn edge_32_the_next_earning_pays_what_is_owed_first() {
    for basis in [Basis::OnIssue, Basis::OnRedemption] {
        let mut alley = alley(Terms { basis, ..points(1_000, 0) });
        let (cafe, baker) = (alley.cafe, alley.baker);
        let sale = alley.buy(cafe, 10_000, None);
        alley.take(baker, 1_000);
        alley.refund(cafe, sale, 10_000).unwrap();
        assert_eq!(alley.owed(), 1_000);
        alley.buy(baker, 3_000, None);
        assert_eq!((alley.available(), alley.owed()), (0, 700), "all of it goes there");
        alley.buy(cafe, 9_000, None);
        assert_eq!((alley.available(), alley.owed()), (200, 0), "and what is left is the buyer's");
        assert_eq!((alley.clawed_back(cafe, baker), alley.clawed_back(cafe, cafe)), (300, 700));
        let outstanding = if basis == Basis::OnIssue { 200 } else { 0 };
        assert_eq!(alley.position(cafe) + alley.position(baker), -outstanding, "{basis:?}");
        assert_eq!(alley.position(baker), 1_000 - 300, "it took 1,000, and 300 of its own settle it");
        alley.is_whole();
    }
}

#[test]
fn edge_32_debts_are_paid_in_the_order_in_which_they_began_and_at_one_instant_in_that_of_the_shops() {
    for pause in [0, 1] {
        let mut alley = alley(points(1_000, 0));
        let mut shops = [alley.baker, alley.cafe];
        shops.sort_by_key(|shop| std::cmp::Reverse(shop.merchant));
        let sales = shops.map(|shop| alley.buy(shop, 10_000, None));
        alley.take(alley.cafe, 2_000);
        for (shop, sale) in shops.into_iter().zip(sales) {
            alley.refund(shop, sale, 10_000).unwrap();
            alley.town.wait(pause);
        }
        let first = if pause > 0 { shops[0] } else { shops[1] };
        let mut owed = Vec::new();
        for amount in [4_000, 10_000, 10_000] {
            alley.buy(alley.cafe, amount, None);
            let of_first =
                alley.town.tables.debts.iter().find(|debt| debt.merchant == first.merchant).unwrap();
            owed.push((of_first.units.get(), alley.owed()));
        }
        assert_eq!(owed, [(600, 1_600), (0, 600), (0, 0)], "{pause} ms between them");
        assert_eq!(alley.available(), 400);
        alley.is_whole();
    }
}

#[test]
fn edge_32_a_present_and_what_comes_back_pay_no_debt() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    let redemption = alley.take(baker, 1_000);
    alley.refund(cafe, sale, 10_000).unwrap();
    let grant = alley.town.grant(baker.owner.key, alley.buyer.account, alley.group, 50, None);
    alley.send(&grant).unwrap();
    alley.reverse(baker, redemption).unwrap();
    assert_eq!((alley.available(), alley.owed()), (1_050, 1_000));
    alley.is_whole();
}

#[test]
fn edge_33_the_debts_of_a_merged_account_are_one_with_the_others_and_begin_with_the_first() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker, buyer) = (alley.cafe, alley.baker, alley.buyer);
    let old = alley.town.person();
    let cheat = |alley: &mut Alley, who, shop: Shop| {
        alley.buyer = who;
        let sale = alley.buy(shop, 10_000, None);
        let all = alley.available();
        alley.take(baker, all);
        alley.refund(shop, sale, 10_000).unwrap();
        alley.town.wait(Timestamp::MINUTE);
    };
    cheat(&mut alley, old, cafe);
    let began = alley.town.tables.debts[0].since;
    cheat(&mut alley, buyer, cafe);
    alley.buyer = buyer;
    let consent = alley.town.consent(old.key);
    let merge = alley.town.merge(buyer.key, consent);
    alley.send(&merge).unwrap();
    let to_cafe = alley.town.tables.debts.iter();
    let to_cafe = to_cafe.filter(|debt| debt.account == buyer.account && debt.merchant == cafe.merchant);
    let to_cafe: Vec<_> = to_cafe.map(|debt| (debt.units.get(), debt.since)).collect();
    assert_eq!(to_cafe, [(2_000, began)], "one debt, as old as the older");
    alley.is_whole();
}

#[test]
fn edge_33_what_a_merged_account_paid_comes_back_to_the_one_that_stays() {
    let mut alley = alley(ten_days(10_000, 0));
    let baker = alley.baker;
    let new = alley.town.person();
    alley.earn(1_000);
    let all = alley.take(baker, 1_000);
    alley.earn(500);
    let part = alley.take(baker, 200);
    let consent = alley.town.consent(alley.buyer.key);
    let merge = alley.town.merge(new.key, consent);
    alley.send(&merge).unwrap();
    assert_eq!(alley.town.available(new.account, alley.group), 300);
    for (redemption, available) in [(part, 500), (all, 1_500)] {
        alley.reverse(baker, redemption).unwrap();
        assert_eq!(alley.town.available(new.account, alley.group), available);
    }
    assert_eq!(alley.available(), 0);
    alley.town.wait(11 * Timestamp::DAY);
    assert_eq!(alley.town.available(new.account, alley.group), 0, "with the end that it had");
    alley.is_whole();
}

#[test]
fn edge_33_the_purchase_of_a_merged_account_is_taken_back_from_the_one_that_stays() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let new = alley.town.person();
    let sale = alley.buy(cafe, 10_000, None);
    alley.take(baker, 400);
    let consent = alley.town.consent(alley.buyer.key);
    let merge = alley.town.merge(new.key, consent);
    alley.send(&merge).unwrap();
    assert_eq!(alley.refund(cafe, sale, 10_000), Ok(back(10_000, 0, 1_000, 400)));
    assert_eq!(alley.owed(), 0);
    alley.buyer = new;
    assert_eq!((alley.available(), alley.owed()), (0, 400));
    alley.is_whole();
}

#[test]
fn edge_33_what_a_closed_account_paid_comes_back_and_expires_and_its_debts_are_gone() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let first = alley.buy(cafe, 10_000, None);
    let redemption = alley.take(baker, 1_000);
    alley.refund(cafe, first, 5_000).unwrap();
    let second = alley.buy(cafe, 20_000, None);
    assert_eq!((alley.available(), alley.owed()), (1_500, 0));
    let close = alley.town.close_account(alley.buyer.key);
    alley.send(&close).unwrap();
    assert_eq!(alley.refund(cafe, second, 20_000), Ok(back(20_000, 0, 2_000, 0)));
    assert_eq!(alley.owed(), 0);
    let events = alley.reverse(baker, redemption).unwrap();
    assert!(matches!(events.last(), Some(EventBody::Expired { .. })), "{events:?}");
    assert_eq!(alley.available(), 0);
    assert_eq!(alley.position(baker), 0);
    alley.is_whole();
}

#[test]
fn edge_33_a_sale_that_waits_for_an_account_that_ended_is_nobodys_and_lapses() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    alley.town.group(cafe, points(500, 0));
    let stand = alley.town.stand(alley.buyer, &[], true);
    alley.send(&stand).unwrap();
    let sale = alley.town.sell_to(cafe, 10_000, alley.buyer);
    let events = alley.send(&sale).unwrap();
    assert!(matches!(events.last(), Some(EventBody::SaleWaits { .. })));
    let close = alley.town.close_account(alley.buyer.key);
    alley.send(&close).unwrap();
    alley.town.wait(2 * Timestamp::DAY);
    for sweep in [alley.town.take_best(cafe, sale.op.id), alley.town.offer_again(cafe, sale.op.id)] {
        assert_eq!(alley.send(&sweep), Err(Refusal::NotDue), "no mileage for nobody");
    }
    let late = alley.town.sell_to(cafe, 10_000, alley.buyer);
    assert_eq!(alley.send(&late), Err(Refusal::AccountClosed), "the shop sells to nobody");
    alley.town.wait(6 * Timestamp::DAY);
    let lapse = alley.town.lapse(cafe, sale.op.id);
    alley.send(&lapse).unwrap();
    alley.is_whole();
}

#[test]
fn edge_34_a_loop_of_purchases_and_refunds_gains_nothing() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let mut spent = 0;
    for round in 0..50 {
        let sale = alley.buy(cafe, 10_000, None);
        if round % 2 == 0 && alley.available() > 0 {
            let all = alley.available();
            alley.take(baker, all);
            spent += all;
        }
        alley.refund(cafe, sale, 10_000).unwrap();
    }
    // Once a first round was spent, each later earning pays for it, and its refund makes it a debt again.
    assert_eq!((alley.available(), alley.owed(), spent), (0, 1_000, 1_000));
    assert_eq!((alley.position(cafe), alley.position(baker)), (-1_000, 1_000));
    alley.is_whole();
}

#[test]
fn edge_34_a_loop_of_redemptions_and_reversals_does_not_make_mileage_last() {
    let mut alley = alley(ten_days(10_000, 0));
    alley.earn(1_000);
    let end = alley.town.tables.lots.values().next().unwrap().ends_at;
    let mut days = 0;
    while alley.available() > 0 {
        let all = alley.available();
        let redemption = alley.take(alley.baker, all);
        alley.town.wait(Timestamp::DAY);
        alley.reverse(alley.baker, redemption).unwrap();
        days += 1;
        assert!(days < 40, "it does not end");
    }
    assert!(alley.town.now < end.plus(8 * Timestamp::DAY), "seven days, once");
    alley.is_whole();
}

#[test]
fn edge_35_thousands_of_lots_are_held_captured_and_come_back_each_to_its_own() {
    let mut alley = alley(points(10_000, 0));
    for _ in 0..3_000 {
        alley.earn(1);
    }
    alley.town.commit();
    let before = alley.town.tables.lots.clone();
    let hold = alley.hold(alley.baker, 3_000);
    assert_eq!(alley.available(), 0);
    let parcel = alley.town.capture(alley.baker.owner.key, hold, 2_999);
    alley.send(&parcel).unwrap();
    assert_eq!(alley.available(), 1);
    alley.reverse(alley.baker, parcel.op.id).unwrap();
    assert_eq!(alley.town.tables.lots, before);
    alley.is_whole();
}

#[test]
fn edge_36_a_debt_in_one_group_is_not_paid_in_another() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    alley.take(baker, 1_000);
    let other = alley.town.group(cafe, points(1_000, 0));
    alley.town.earn(cafe, alley.buyer, other, 50_000);
    assert_eq!(alley.refund(cafe, sale, 10_000), Ok(back(10_000, 0, 1_000, 1_000)));
    alley.town.earn(cafe, alley.buyer, other, 50_000);
    assert_eq!((alley.town.available(alley.buyer.account, other), alley.owed()), (10_000, 1_000));
}
