//! Cases that have broken other systems, by their numbers.

use chrono_tz::America::New_York;
use chrono_tz::Asia::Seoul;
use moa_rules::books::{Ledger, Party};
use moa_rules::event::EventBody;
use moa_rules::id::GroupId;
use moa_rules::lot::Allocation;
use moa_rules::op::{Choice, OpBody};
use moa_rules::quantity::{MAX_AMOUNT, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{SpendingOrder, Terms};
use moa_rules::time::{Timestamp, Validity};

use crate::alley::{alley, at, below, not_enough};
use crate::driver::{Town, points, units};

#[test]
fn edge_01_any_op_replayed_is_refused_and_changes_nothing() {
    let mut alley = alley(points(1_000, 0));
    let sale = alley.town.sale(alley.cafe, 50_000);
    let claim = alley.town.claim(alley.buyer, &sale, alley.group);
    let redemption = alley.town.redeem(alley.baker, alley.buyer, alley.group, 1_000);
    let parcels = [sale.into(), claim, redemption];
    for parcel in &parcels {
        alley.town.send(parcel).unwrap();
    }
    let (tables, books) = (alley.town.tables.clone(), alley.town.books.clone());
    for parcel in &parcels {
        let counter = parcel.op.counter;
        assert_eq!(alley.town.send(parcel).unwrap_err(), Refusal::CounterUsed { counter });
    }
    assert_eq!((alley.town.tables, alley.town.books), (tables, books));
}

#[test]
fn edge_01_an_op_id_that_made_something_makes_nothing_else() {
    let mut alley = alley(points(10_000, 0));
    let second_phone = alley.town.device(alley.buyer.account);
    let (one, other) = (alley.town.sale(alley.cafe, 700), alley.town.sale(alley.cafe, 900));
    let first = alley.town.claim(alley.buyer, &one, alley.group);
    let mut second = alley.town.claim(second_phone, &other, alley.group);
    second.op.id = first.op.id;
    alley.town.send(&first).unwrap();
    assert_eq!(alley.town.send(&second).unwrap_err(), Refusal::BadOpId);
    assert_eq!(alley.available(), 700, "the first lot is whole");
}

#[test]
fn edge_02_a_replay_after_eight_days_offline_is_refused() {
    let mut alley = alley(points(1_000, 0));
    let sale = alley.town.sale(alley.cafe, 50_000);
    let claim = alley.town.claim(alley.buyer, &sale, alley.group);
    alley.town.send(&claim).unwrap();
    alley.town.wait(8 * Timestamp::DAY);
    let counter = claim.op.counter;
    assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::CounterUsed { counter });
    let again = alley.town.claim(alley.buyer, &sale, alley.group);
    assert_eq!(alley.town.send(&again).unwrap_err(), Refusal::SaleAlreadyClaimed);
    assert_eq!(alley.available(), 5_000);
}

#[test]
fn edge_03_two_shops_cannot_spend_the_same_balance() {
    let mut alley = alley(points(1_000, 0));
    alley.earn(10_000);
    // Both codes are out before either shop has sent its own.
    let at_the_cafe = alley.town.redeem(alley.cafe, alley.buyer, alley.group, 700);
    let at_the_baker = alley.town.redeem(alley.baker, alley.buyer, alley.group, 700);
    alley.town.send(&at_the_baker).unwrap();
    assert_eq!(alley.town.send(&at_the_cafe).unwrap_err(), not_enough(700, 300));
    assert_eq!(alley.available(), 300);
}

#[test]
fn edge_03_one_code_is_good_for_one_shop() {
    let mut alley = alley(points(1_000, 0));
    alley.earn(10_000);
    let code = alley.town.code(alley.buyer, alley.group, 1_000);
    let at_the_cafe = alley.town.redeem_with(alley.cafe, code, 100);
    let at_the_baker = alley.town.redeem_with(alley.baker, code, 100);
    alley.town.send(&at_the_cafe).unwrap();
    assert_eq!(alley.town.send(&at_the_baker).unwrap_err(), Refusal::CodeUsed);
    assert_eq!(alley.available(), 900);
}

#[test]
fn edge_03_exactly_as_many_succeed_as_the_balance_covers() {
    let mut alley = alley(points(10_000, 0));
    alley.earn(1_000);
    let verdicts: Vec<bool> = (0..10).map(|_| alley.redeem_at(alley.baker, 300).is_ok()).collect();
    assert_eq!(verdicts.iter().filter(|approved| **approved).count(), 3);
    assert_eq!(alley.available(), 100);
}

#[test]
fn edge_10_nothing_is_earned_on_the_part_paid_with_mileage() {
    let mut alley = alley(points(300, 0));
    alley.earn(100_000);
    let issued = alley.units(Party::Member(alley.cafe.merchant), Ledger::Issued, alley.cafe.merchant);
    // A purchase of 10,000 won: 1,000 in points, and a sale over the 9,000 that were paid in money.
    alley.redeem_at(alley.baker, 1_000).unwrap();
    assert_eq!(alley.town.tables.lots.len(), 1, "a redemption makes no lot");
    alley.town.earn(alley.baker, alley.buyer, alley.group, 9_000);
    assert_eq!(alley.available(), 3_000 - 1_000 + 270);
    let by_baker = alley.units(Party::Member(alley.baker.merchant), Ledger::Issued, alley.baker.merchant);
    assert_eq!((issued, by_baker), (-3_000, -270));
}

#[test]
fn edge_11_usable_to_the_last_millisecond_and_gone_at_midnight() {
    let mut alley = alley(Terms { validity: Validity::Months(1), ..points(1_000, 0) });
    alley.town.now = at(Seoul, 2027, 1, 31, 18);
    alley.earn(10_000);
    let midnight = at(Seoul, 2027, 3, 1, 0);
    alley.town.now = midnight.plus(-1);
    alley.redeem_at(alley.baker, 400).unwrap();
    alley.town.now = midnight;
    assert_eq!(alley.redeem_at(alley.baker, 1), Err(not_enough(1, 0)));
    assert_eq!(alley.available(), 0, "before any sweep");
}

#[test]
fn edge_11_the_groups_midnight_counts_wherever_the_phone_is() {
    let zone = "America/New_York".to_owned();
    let mut alley = alley(Terms { validity: Validity::Days(1), zone, ..points(1_000, 0) });
    // In New York still the 9th of April, in Seoul the 10th.
    alley.town.now = at(Seoul, 2026, 4, 10, 12);
    alley.earn(10_000);
    alley.town.now = at(New_York, 2026, 4, 11, 0).plus(-1);
    alley.redeem_at(alley.cafe, 1).unwrap();
    alley.town.now = at(New_York, 2026, 4, 11, 0);
    assert_eq!(alley.redeem_at(alley.cafe, 1), Err(not_enough(1, 0)));
}

#[test]
fn edge_13_what_expires_has_a_row_and_returns_to_its_issuer() {
    let mut alley = alley(points(1_000, 0));
    alley.earn(10_000);
    alley.town.wait(1);
    alley.town.earn(alley.baker, alley.buyer, alley.group, 5_000);
    alley.redeem_at(alley.baker, 300).unwrap();
    alley.town.wait(200 * Timestamp::DAY);
    let gone = alley.sweep().unwrap();
    let units: Vec<i64> = gone
        .iter()
        .map(|body| match body {
            EventBody::Expired { allocation, .. } => allocation.units.get(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(units.iter().sum::<i64>(), 1_000 + 500 - 300);
    assert_eq!(alley.sweep(), Err(Refusal::NothingExpired), "once");
    for shop in [alley.cafe, alley.baker] {
        let count = |party, ledger| alley.units(party, ledger, shop.merchant);
        let issued = count(Party::Member(shop.merchant), Ledger::Issued);
        let redeemed = count(Party::Member(alley.baker.merchant), Ledger::Redeemed);
        assert_eq!(issued + redeemed + count(Party::Pool, Ledger::Expired), 0);
    }
    // On issue: the cafe paid for what was redeemed and for nothing that expired.
    assert_eq!(alley.town.position(alley.group, Party::Pool), 0);
    assert_eq!(alley.town.position(alley.group, Party::Member(alley.cafe.merchant)), -300);
    assert_eq!(alley.town.position(alley.group, Party::Member(alley.baker.merchant)), 300);
}

#[test]
fn edge_17_a_claim_rounds_down_once_on_the_whole_amount() {
    let claimed = |rate, unit_value, amount| {
        let mut alley = alley(Terms { unit_value: Money(unit_value), ..points(rate, 0) });
        let sale = alley.town.sale(alley.cafe, amount);
        let claim = alley.town.claim(alley.buyer, &sale, alley.group);
        alley.town.send(&claim).map(|_| alley.available())
    };
    let nothing = |amount| Err(Refusal::EarnsNothing { amount: Money(amount) });
    assert_eq!(claimed(1, 1, 1), nothing(1));
    assert_eq!(claimed(1, 1, 9_999), nothing(9_999));
    assert_eq!(claimed(1, 1, 10_000), Ok(1));
    assert_eq!(claimed(10_000, 1, 1), Ok(1));
    assert_eq!(claimed(10_000, 10, 9), nothing(9));
    assert_eq!(claimed(300, 7, 1_000), Ok(4), "30 won in units of 7");
    // Three items apart earn 9 + 9 + 10, together 30.
    assert_eq!(claimed(300, 1, 333), Ok(9));
    assert_eq!(claimed(300, 1, 1_000), Ok(30));
}

#[test]
fn edge_18_the_minimum_is_on_the_balance_and_not_on_the_amount() {
    let mut alley = alley(points(10_000, 1_000));
    alley.earn(999);
    assert_eq!(alley.redeem_at(alley.baker, 1), Err(below(1_000, 999)));
    assert_eq!(alley.redeem_at(alley.baker, 5_000), Err(below(1_000, 999)), "the minimum comes first");
    alley.earn(1);
    alley.redeem_at(alley.baker, 1).unwrap();
    assert_eq!(alley.redeem_at(alley.baker, 1), Err(below(1_000, 999)), "fewer are left than the minimum");
    alley.earn(1_001);
    alley.redeem_at(alley.baker, 2_000).unwrap();
    assert_eq!(alley.available(), 0);
}

#[test]
fn edge_18_what_has_expired_does_not_help_to_reach_the_minimum() {
    let mut alley = alley(Terms { validity: Validity::Days(10), ..points(10_000, 1_000) });
    alley.earn(900);
    alley.town.wait(8 * Timestamp::DAY);
    alley.earn(900);
    alley.town.wait(5 * Timestamp::DAY);
    assert_eq!(alley.redeem_at(alley.baker, 100), Err(below(1_000, 900)));
}

#[test]
fn edge_20_the_terms_that_the_buyer_saw_hold_for_seven_days_after_they_were_replaced() {
    let mut alley = alley(points(500, 0));
    let seen = Choice { group: alley.group, terms_version: 1 };
    alley.town.amend(alley.group, Terms { validity: Validity::Days(30), ..points(100, 0) });
    let replaced = alley.town.now;
    let mut earn_at = |now| {
        alley.town.now = now;
        let sale = alley.town.sale(alley.cafe, 10_000);
        let claim = alley.town.claim_for(alley.buyer, &sale, Some(seen));
        let decision = alley.town.send(&claim).unwrap();
        match decision.events.last() {
            Some((_, _, EventBody::Accrued { units, terms_version, .. })) => (units.get(), *terms_version),
            other => panic!("{other:?}"),
        }
    };
    let week = replaced.plus(7 * Timestamp::DAY);
    assert_eq!(earn_at(replaced), (500, 1));
    assert_eq!(earn_at(week.plus(-1)), (500, 1));
    assert_eq!(earn_at(week), (100, 2), "in force until just before the seven days");
}

#[test]
fn edge_20_a_version_that_never_was_earns_under_the_terms_in_force() {
    let mut alley = alley(points(500, 0));
    let sale = alley.town.sale(alley.cafe, 10_000);
    let choice = Choice { group: alley.group, terms_version: 7 };
    let claim = alley.town.claim_for(alley.buyer, &sale, Some(choice));
    alley.town.send(&claim).unwrap();
    assert_eq!(alley.available(), 500);
}

#[test]
fn edge_20_a_lot_keeps_the_worth_and_the_end_that_it_was_issued_under() {
    let mut alley = alley(Terms { unit_value: Money(10), ..points(1_000, 0) });
    alley.earn(10_000);
    let before = alley.town.tables.lots.clone();
    alley.town.amend(alley.group, Terms { validity: Validity::Days(1), ..points(1_000, 0) });
    assert_eq!(alley.town.tables.lots, before);
    alley.town.wait(30 * Timestamp::DAY);
    alley.redeem_at(alley.baker, 100).unwrap();
    let owed = alley.town.position(alley.group, Party::Member(alley.baker.merchant));
    assert_eq!(owed, 1_000, "ten won a unit, as when it was issued");
}

#[test]
fn edge_31_the_largest_sale_and_one_won_more() {
    let mut alley = alley(points(10_000, 0));
    alley.earn(MAX_AMOUNT.0);
    for amount in [MAX_AMOUNT.0 + 1, i64::MAX] {
        let sale = alley.town.sale(alley.cafe, amount);
        let claim = alley.town.claim(alley.buyer, &sale, alley.group);
        let too_large = Refusal::AmountTooLarge { max: MAX_AMOUNT };
        assert_eq!(alley.town.send(&claim).unwrap_err(), too_large);
        assert_eq!(alley.town.send(&sale.into()).unwrap_err(), too_large);
    }
    assert_eq!(alley.available(), MAX_AMOUNT.0);
}

#[test]
fn edge_31_a_hundred_of_the_largest_sales_are_counted_and_spent_to_the_unit() {
    for unit_value in [1, 1_000_000] {
        let mut alley = alley(Terms { unit_value: Money(unit_value), ..points(10_000, 0) });
        for _ in 0..100 {
            alley.earn(MAX_AMOUNT.0);
        }
        let all = 100 * MAX_AMOUNT.0 / unit_value;
        assert_eq!(alley.redeem_at(alley.baker, all + 1), Err(not_enough(all + 1, all)));
        assert_eq!(alley.redeem_at(alley.baker, i64::MAX), Err(not_enough(i64::MAX, all)));
        alley.redeem_at(alley.baker, all).unwrap();
        let owed = alley.town.position(alley.group, Party::Member(alley.baker.merchant));
        assert_eq!((alley.available(), owed), (0, 100 * MAX_AMOUNT.0));
    }
}

#[test]
fn edge_34_an_owner_earns_nothing_at_the_own_shop_on_any_phone() {
    let mut alley = alley(points(1_000, 0));
    let owner = alley.cafe.owner;
    let second_phone = alley.town.device(owner.account);
    for phone in [owner, second_phone] {
        let anyones = alley.town.sale(alley.cafe, 10_000);
        let own = alley.town.sale_to(alley.cafe, 10_000, owner);
        for sale in [anyones, own] {
            let claim = alley.town.claim(phone, &sale, alley.group);
            assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::OwnSale);
        }
    }
    // Next door the owner is a customer like any other, and can spend at home what was earned there.
    alley.town.earn(alley.baker, owner, alley.group, 10_000);
    let redemption = alley.town.redeem(alley.cafe, owner, alley.group, 1_000);
    alley.town.send(&redemption).unwrap();
}

#[test]
fn edge_34_an_owners_second_shop_is_a_shop_of_its_own() {
    let mut alley = alley(points(1_000, 0));
    let phone = alley.town.device(alley.cafe.owner.account);
    let branch = alley.town.shop_of(phone);
    alley.town.join(branch, alley.group);
    let sale = alley.town.sale(branch, 10_000);
    let claim = alley.town.claim(alley.cafe.owner, &sale, alley.group);
    assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::OwnSale);
}

#[test]
fn edge_35_thousands_of_one_unit_lots_in_one_redemption() {
    const LOTS: u16 = 2_000;
    let mut alley = alley(points(100, 0));
    for _ in 0..LOTS {
        alley.town.wait(1);
        alley.earn(100);
    }
    let redemption = alley.town.redeem(alley.baker, alley.buyer, alley.group, i64::from(LOTS) - 1);
    let decision = alley.town.send(&redemption).unwrap();
    let EventBody::Redeemed { allocations, .. } = &decision.events[0].2 else { panic!("a redemption") };
    assert_eq!(allocations.len(), usize::from(LOTS) - 1);
    assert!(allocations.iter().all(|part| part.units.get() == 1));
    let left = alley.town.tables.wallet(alley.buyer.account, alley.group);
    let newest = alley.town.tables.lots.values().max_by_key(|lot| lot.issued_at).unwrap();
    assert_eq!(left.lots().collect::<Vec<_>>(), [newest]);
    let owed = alley.town.position(alley.group, Party::Member(alley.baker.merchant));
    assert_eq!(owed, i64::from(LOTS) - 1);
}

#[test]
fn edge_36_mileage_of_one_group_is_nothing_in_another() {
    let mut alley = alley(points(1_000, 0));
    let book_shop = alley.town.shop();
    let other = alley.town.group(book_shop, points(1_000, 100));
    alley.town.join(alley.baker, other);
    alley.earn(10_000);
    // The book shop is not in the group whose mileage the code is for.
    assert_eq!(alley.redeem_at(book_shop, 100), Err(Refusal::ShopNotInGroup));
    // The baker is in both; a code for the other group finds nothing there.
    let redemption = alley.town.redeem(alley.baker, alley.buyer, other, 100);
    assert_eq!(alley.town.send(&redemption).unwrap_err(), below(100, 0));
    alley.redeem_at(alley.baker, 100).unwrap();
}

#[test]
fn edge_36_a_sale_is_not_claimed_into_a_group_that_the_seller_is_not_in() {
    let mut alley = alley(points(1_000, 0));
    let book_shop = alley.town.shop();
    let other = alley.town.group(book_shop, points(10_000, 0));
    let sale = alley.town.sale(alley.cafe, 10_000);
    let claim = alley.town.claim(alley.buyer, &sale, other);
    assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::SellerNotInGroup);
    let claim = alley.town.claim(alley.buyer, &sale, alley.group);
    alley.town.send(&claim).unwrap();
}

#[test]
fn edge_40_a_rebuild_from_the_journal_equals_live() {
    let mut alley = alley(points(1_000, 0));
    alley.earn(10_000);
    alley.redeem_at(alley.baker, 300).unwrap();
    alley.town.amend(alley.group, points(300, 0));
    alley.earn(10_000);
    alley.town.wait(365 * Timestamp::DAY);
    alley.sweep().unwrap();
    assert_eq!(alley.town.rebuilt(), alley.town.tables);
}

#[test]
fn edge_41_a_photographed_voucher_earns_once() {
    let mut alley = alley(points(1_000, 0));
    let second = alley.town.group(alley.cafe, points(2_000, 0));
    let stranger = alley.town.person();
    let sale = alley.town.sale(alley.cafe, 10_000);
    let first = alley.town.claim(alley.buyer, &sale, alley.group);
    let elsewhere = alley.town.claim(stranger, &sale, second);
    let again = alley.town.claim(alley.buyer, &sale, second);
    alley.town.send(&first).unwrap();
    for late in [elsewhere, again] {
        let before = alley.town.tables.clone();
        assert_eq!(alley.town.send(&late).unwrap_err(), Refusal::SaleAlreadyClaimed);
        assert_eq!(alley.town.tables, before);
    }
    assert_eq!(alley.town.tables.lots.len(), 1);
}

#[test]
fn edge_41_an_addressed_voucher_is_nobody_elses() {
    let mut alley = alley(points(1_000, 0));
    let stranger = alley.town.person();
    let sale = alley.town.sale_to(alley.cafe, 10_000, alley.buyer);
    let claim = alley.town.claim(stranger, &sale, alley.group);
    assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::NotAddressee);
    // A day later, by the claiming phone's clock too, it is still good for whom it is meant.
    alley.town.wait(Timestamp::DAY);
    let claim = alley.town.claim(alley.buyer, &sale, alley.group);
    alley.town.send(&claim).unwrap();
}

#[test]
fn edge_41_a_voucher_is_good_for_fifteen_minutes_by_the_claiming_phone_and_a_week_by_the_server() {
    let mut alley = alley(points(1_000, 0));
    for (scanned_after_s, sent_after, verdict) in [
        (900, 900 * Timestamp::SECOND, Ok(())),
        (901, 901 * Timestamp::SECOND, Err(Refusal::VoucherExpired { minutes: 15 })),
        (60, 7 * Timestamp::DAY, Ok(())),
        (60, 7 * Timestamp::DAY + 1, Err(Refusal::SaleTooOld { days: 7 })),
    ] {
        let sale = alley.town.sale(alley.cafe, 10_000);
        let mut claim = alley.town.claim(alley.buyer, &sale, alley.group);
        claim.op.time = sale.time + scanned_after_s;
        alley.town.now = Timestamp::from_seconds(sale.time).plus(sent_after);
        assert_eq!(alley.town.send(&claim).map(drop), verdict);
        alley.town.now = Timestamp::from_seconds(alley.town.now.seconds() + 1);
    }
}

#[test]
fn edge_41_a_voucher_altered_after_the_shop_sent_it_is_refused() {
    let mut alley = alley(points(1_000, 0));
    let sale = alley.town.sale(alley.cafe, 10_000);
    alley.town.send(&sale.clone().into()).unwrap();
    let mut altered = sale;
    altered.body = OpBody::RecordSale { amount: Money(99_000), addressee: None, redemption: None };
    let claim = alley.town.claim(alley.buyer, &altered, alley.group);
    assert_eq!(alley.town.send(&claim).unwrap_err(), Refusal::OpIdReused);
}

#[test]
fn edge_42_a_phone_restored_from_a_backup_cannot_use_a_counter_twice() {
    let mut alley = alley(points(1_000, 0));
    alley.earn(10_000);
    let code = alley.town.code(alley.buyer, alley.group, 100);
    let sale = alley.town.sale(alley.cafe, 10_000);
    let mut claim = alley.town.claim(alley.buyer, &sale, alley.group);
    claim.op.counter = code.counter;
    alley.town.send(&claim).unwrap();
    let redemption = alley.town.redeem_with(alley.baker, code, 100);
    assert_eq!(alley.town.send(&redemption).unwrap_err(), Refusal::CodeUsed);
}

#[test]
fn edge_42_a_code_cannot_share_the_counter_of_the_redemption_that_carries_it() {
    let mut alley = alley(points(1_000, 0));
    // The baker's owner pays at the own till: code and redemption are signed by one key.
    let owner = alley.baker.owner;
    alley.town.earn(alley.cafe, owner, alley.group, 10_000);
    let code = alley.town.code(owner, alley.group, 100);
    let mut redemption = alley.town.redeem_with(alley.baker, code, 100);
    redemption.op.counter = code.counter;
    assert_eq!(alley.town.send(&redemption).unwrap_err(), Refusal::CodeUsed);
}

#[test]
fn a_claim_without_a_group_goes_to_the_best_rate_then_the_longest_validity_then_the_lowest_id() {
    let chosen = |offers: &[(u16, Validity)]| {
        let mut town = Town::new();
        let (shop, buyer) = (town.shop(), town.person());
        let offer =
            |town: &mut Town, (rate, validity)| town.group(shop, Terms { validity, ..points(rate, 0) });
        let groups: Vec<GroupId> = offers.iter().map(|terms| offer(&mut town, *terms)).collect();
        let sale = town.sale(shop, 10_000);
        let claim = town.claim_for(buyer, &sale, None);
        town.send(&claim).unwrap();
        let lot = town.tables.lots.values().next().unwrap();
        (groups.iter().position(|group| *group == lot.group), groups.iter().min() == Some(&lot.group))
    };
    let (days, months) = (Validity::Days, Validity::Months);
    assert_eq!(chosen(&[(100, months(12)), (300, days(1)), (200, months(12))]).0, Some(1));
    assert_eq!(chosen(&[(300, days(89)), (300, months(3)), (300, days(30))]).0, Some(1));
    assert_eq!(chosen(&[(300, months(3)), (300, days(92)), (300, days(30))]).0, Some(1));
    assert!(chosen(&[(300, months(3)); 4]).1);
}

#[test]
fn the_soonest_end_goes_first_then_the_oldest_then_the_lowest_id() {
    let spent = |order| {
        let mut alley = alley(Terms { order, validity: Validity::Days(60), ..points(10_000, 0) });
        let long = alley.town.earn(alley.cafe, alley.buyer, alley.group, 10);
        alley.town.amend(alley.group, Terms { order, validity: Validity::Days(10), ..points(10_000, 0) });
        alley.town.wait(1);
        let mut twins = [0; 2].map(|_| alley.town.earn(alley.baker, alley.buyer, alley.group, 10));
        twins.sort();
        let redemption = alley.town.redeem(alley.cafe, alley.buyer, alley.group, 25);
        let decision = alley.town.send(&redemption).unwrap();
        let EventBody::Redeemed { allocations, .. } = &decision.events[0].2 else { panic!("a redemption") };
        let name = |part: &Allocation| {
            if part.lot == long {
                'l'
            } else if part.lot == twins[0] {
                'a'
            } else {
                'b'
            }
        };
        allocations.iter().map(|part| (name(part), part.units)).collect::<Vec<_>>()
    };
    let [ten, five]: [Units; 2] = [units(10), units(5)];
    assert_eq!(spent(SpendingOrder::SoonestExpiry), [('a', ten), ('b', ten), ('l', five)]);
    assert_eq!(spent(SpendingOrder::Oldest), [('l', ten), ('a', ten), ('b', five)]);
}
