//! Holds, reversals, refunds, voids, grants and debts, from the shop's and the buyer's side.

mod support;

use moa_phone::{Correction, Fate, Happened, HistoryItem, PhoneError, Purchase, Recipient, SaleStanding};
use moa_rules::adjustment::Reason;
use moa_rules::id::OpId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::{Day, Timestamp};

use support::{NOON, Person, Town, units};

/// What the buyer has of points in the group: usable, held, owed.
fn wallet(town: &Town) -> (i64, i64, i64) {
    let balances = town.buyer.phone.balances().unwrap();
    let of = |balance: &moa_phone::Balance| (balance.usable.get(), balance.held.get(), balance.owed.get());
    balances.first().map_or((0, 0, 0), of)
}

/// Everyone receives what there is, the shops after the buyer.
fn settle(town: &mut Town) {
    town.buyer.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
}

fn history(town: &Town) -> Vec<(Happened, i64)> {
    let rows = town.buyer.phone.history(town.group).unwrap().into_iter();
    rows.map(|HistoryItem { happened, units, .. }| (happened, units.get())).collect()
}

/// The buyer's phone is lost; another, that starts anew from a snapshot, takes its place.
fn anew(town: &mut Town, seed: u64) {
    town.server.enrols_as = Some(town.account);
    let mut buyer = Person::open(moa_phone::Data::Memory, seed, town.server.now);
    assert_eq!(buyer.enrol(&mut town.server), town.account);
    town.server.enrols_as = None;
    town.buyer = buyer;
}

fn hold(town: &mut Town, asked: i64) -> OpId {
    let code = town.buyer.phone.redemption_code(town.group, units(asked)).unwrap();
    let hold = town.bakery.phone.hold(&code.text, units(asked), None).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(hold.op).unwrap(), Some(Fate::Applied));
    hold.op
}

#[test]
fn a_hold_is_captured_in_part_and_the_rest_comes_back() {
    let mut town = Town::new();
    town.earn(20_000);
    let hold = hold(&mut town, 1_500);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(wallet(&town), (0, 1_500, 0), "what is left is below the minimum");
    let [held] = &town.buyer.phone.held().unwrap()[..] else { panic!("one hold") };
    assert_eq!((held.hold, held.units, held.shop.name.as_deref()), (hold, units(1_500), Some("골목 빵집")));
    assert!(town.buyer.phone.holds().unwrap().is_empty(), "a buyer has no shop");
    let [held] = &town.bakery.phone.holds().unwrap()[..] else { panic!("one hold") };
    assert_eq!((held.units, held.until, held.over), (units(1_500), NOON.plus(600_000), false));

    let too_much = town.bakery.phone.capture_hold(hold, units(1_501));
    assert!(matches!(too_much, Err(PhoneError::Refused(Refusal::MoreThanCode { .. }))), "{too_much:?}");
    let taken = town.bakery.phone.capture_hold(hold, units(900)).unwrap();
    assert_eq!(town.bakery.phone.holds().unwrap()[0].ending, Some(taken));
    let twice = town.bakery.phone.void_hold(hold);
    assert!(matches!(twice, Err(PhoneError::Refused(Refusal::HoldOver))), "{twice:?}");
    settle(&mut town);
    assert!(town.bakery.phone.holds().unwrap().is_empty());
    assert!(town.buyer.phone.held().unwrap().is_empty());
    assert_eq!(wallet(&town), (1_100, 0, 0));
    let day = town.bakery.phone.merchant_today().unwrap();
    assert_eq!((day.redemptions[0].op, day.redemptions[0].units), (taken, units(900)));
    assert_eq!(history(&town)[0], (Happened::Redemption, 900));
}

#[test]
fn a_hold_that_is_voided_or_lapses_gives_all_of_it_back() {
    let mut town = Town::new();
    town.earn(20_000);
    let voided = hold(&mut town, 1_500);
    town.bakery.phone.void_hold(voided).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (2_000, 0, 0));

    let lapsed = hold(&mut town, 1_500);
    settle(&mut town);
    town.advance(10 * Timestamp::MINUTE + 1);
    assert!(town.bakery.phone.holds().unwrap()[0].over);
    let late = town.bakery.phone.capture_hold(lapsed, units(100));
    assert!(matches!(late, Err(PhoneError::Refused(Refusal::HoldOver))), "{late:?}");
    let merchant = town.bakery.phone.own_shop().unwrap().unwrap().id;
    town.server.job(OpBody::LapseHold { merchant, hold: lapsed }).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (2_000, 0, 0));
    assert!(town.bakery.phone.holds().unwrap().is_empty());
}

#[test]
fn a_buyers_code_is_good_for_one_hold_or_one_redemption() {
    let mut town = Town::new();
    town.earn(20_000);
    let code = town.buyer.phone.redemption_code(town.group, units(1_500)).unwrap();
    let long = town.bakery.phone.hold(&code.text, units(100), Some(24 * 3_600 + 1));
    assert!(matches!(long, Err(PhoneError::Refused(Refusal::HoldTooLong { hours: 24 }))), "{long:?}");
    town.bakery.phone.hold(&code.text, units(1_500), Some(60)).unwrap();
    for again in [
        town.bakery.phone.hold(&code.text, units(100), None).map(drop),
        town.bakery.phone.redeem(&code.text, units(100)).map(drop),
    ] {
        assert!(matches!(again, Err(PhoneError::Refused(Refusal::CodeUsed))), "{again:?}");
    }
}

#[test]
fn a_phone_that_starts_anew_captures_a_hold_made_before_and_applies_what_comes_of_it() {
    let mut town = Town::new();
    town.earn(20_000);
    let hold = hold(&mut town, 2_000);
    anew(&mut town, 40);
    assert_eq!(wallet(&town), (0, 2_000, 0), "the snapshot says what is held");
    assert_eq!(town.buyer.phone.held().unwrap()[0].hold, hold);
    town.bakery.phone.start_over().unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.holds().unwrap()[0].hold, hold);

    let taken = town.bakery.phone.capture_hold(hold, units(1_200)).unwrap();
    settle(&mut town);
    let left = town.buyer.phone.balances().unwrap()[0].confirmed;
    assert_eq!((left, wallet(&town).1), (units(800), 0));
    town.bakery.phone.reverse(taken).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (2_000, 0, 0));
}

#[test]
fn what_a_reversal_gives_back_is_there_again_even_on_a_phone_that_never_saw_it_taken() {
    let mut town = Town::new();
    town.earn(20_000);
    let code = town.buyer.phone.redemption_code(town.group, units(2_000)).unwrap();
    let taken = town.bakery.phone.redeem(&code.text, units(2_000)).unwrap().op;
    town.bakery.sync(&mut town.server).unwrap();
    anew(&mut town, 41);
    assert!(town.buyer.phone.balances().unwrap().is_empty(), "nothing is left, and no lot is known");
    town.bakery.phone.reverse(taken).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (2_000, 0, 0));
    assert_eq!(history(&town), [(Happened::Reversal, 2_000)]);
    let day = town.bakery.phone.merchant_today().unwrap();
    assert_eq!((day.redemptions[0].returned, day.reversals[0].units), (units(2_000), units(2_000)));
    let twice = town.bakery.phone.reverse(taken);
    assert!(matches!(twice, Err(PhoneError::Refused(Refusal::AlreadyReversed))), "{twice:?}");
}

#[test]
fn a_refund_takes_back_what_the_purchase_earned_and_its_preview_said_so() {
    let mut town = Town::new();
    town.earn(20_000);
    let sale = town.cafe.phone.merchant_today().unwrap().sales[0].sale;
    let preview = town.cafe.phone.refund_preview(sale, Money(5_000)).unwrap();
    assert_eq!((preview.money, preview.takes_back, preview.left), (Money(5_000), units(500), Money(20_000)));
    assert!(preview.whole && preview.mileage.is_zero());

    let op = town.cafe.phone.refund(sale, Money(5_000)).unwrap();
    assert_eq!(town.cafe.phone.refund_of(op).unwrap(), None, "the server has not said");
    settle(&mut town);
    let refund = town.cafe.phone.refund_of(op).unwrap().unwrap();
    assert_eq!((refund.money, refund.taken, refund.debt), (Money(5_000), units(500), units(0)));
    assert_eq!(wallet(&town), (1_500, 0, 0));
    assert_eq!(history(&town)[0], (Happened::Clawback { amount: Money(5_000), debt: units(0) }, 500));

    let sold = town.cafe.phone.sale(sale).unwrap().unwrap();
    assert_eq!(
        (sold.refunded, sold.money_back, sold.buyer),
        (Money(5_000), Money(5_000), Some(town.account))
    );
    let day = town.cafe.phone.merchant_today().unwrap();
    assert_eq!((day.refunds, day.paid_back), (vec![refund], Money(5_000)));
    let too_much = town.cafe.phone.refund(sale, Money(15_001));
    let left = Money(15_000);
    assert!(
        matches!(too_much, Err(PhoneError::Refused(Refusal::RefundTooLarge { left: l })) if l == left),
        "{too_much:?}"
    );
    let unknown = town.bakery.phone.refund_preview(sale, Money(1));
    assert!(matches!(unknown, Err(PhoneError::NotHere)), "{unknown:?}");
}

#[test]
fn a_purchase_that_mileage_paid_in_part_comes_back_in_both() {
    let mut town = Town::new();
    town.earn(20_000);
    let code = town.buyer.phone.redemption_code(town.group, units(2_000)).unwrap();
    let paid = town.bakery.phone.redeem(&code.text, units(2_000)).unwrap().op;
    let member = town.buyer.phone.member_code().unwrap();
    let purchase = Purchase { amount: Money(8_000), redemption: Some(paid) };
    let sale = town.bakery.phone.record_sale_for(purchase, &member.text).unwrap();
    let blind = town.bakery.phone.refund_preview(sale, Money(5_000)).unwrap();
    assert!(!blind.whole, "the redemption is not confirmed here");
    settle(&mut town);
    let preview = town.bakery.phone.refund_preview(sale, Money(5_000)).unwrap();
    assert_eq!(
        (preview.money, preview.mileage, preview.takes_back),
        (Money(4_000), units(1_000), units(400))
    );
    assert!(preview.whole);
    let op = town.bakery.phone.refund(sale, Money(5_000)).unwrap();
    settle(&mut town);
    let refund = town.bakery.phone.refund_of(op).unwrap().unwrap();
    assert_eq!((refund.money, refund.mileage, refund.taken), (Money(4_000), units(1_000), units(400)));
    assert!(town.bakery.phone.merchant_today().unwrap().reversals.is_empty(), "it is part of the refund");
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(1_400));

    let rest = town.bakery.phone.record_rest(Money(1_000), paid).unwrap();
    let known = town.bakery.phone.sale(rest.sale).unwrap().unwrap();
    assert_eq!(known.redemption, Some(paid));
}

#[test]
fn what_a_refund_does_not_find_is_a_debt_that_the_next_earning_pays() {
    let mut town = Town::new();
    town.earn(20_000);
    let sale = town.cafe.phone.merchant_today().unwrap().sales[0].sale;
    let code = town.buyer.phone.redemption_code(town.group, units(2_000)).unwrap();
    town.bakery.phone.redeem(&code.text, units(2_000)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.phone.refund(sale, Money(20_000)).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (0, 0, 2_000));
    assert_eq!(
        history(&town)[0],
        (Happened::Clawback { amount: Money(20_000), debt: units(2_000) }, 0),
        "nothing was there to be taken"
    );
    anew(&mut town, 42);
    assert_eq!(wallet(&town), (0, 0, 2_000), "the snapshot says what is owed");
    town.earn(50_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(wallet(&town), (3_000, 0, 0));
    assert_eq!(history(&town)[0], (Happened::DebtPaid, 2_000));
}

#[test]
fn a_sale_is_voided_within_half_an_hour_and_before_anyone_claims_it() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    town.cafe.phone.void_sale(voucher.sale).unwrap();
    settle(&mut town);
    let day = town.cafe.phone.merchant_today().unwrap();
    assert_eq!((day.sales[0].standing, day.amount), (SaleStanding::Voided, Money(0)));
    let scanned = town.buyer.scan(&voucher);
    let claim = town.buyer.phone.claim(&scanned, None).unwrap().op;
    settle(&mut town);
    let Some(Fate::Refused(refused)) = town.buyer.phone.fate(claim).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::SaleVoided));

    town.earn(20_000);
    let claimed = town.cafe.phone.merchant_today().unwrap().sales[0].sale;
    let late = town.cafe.phone.record_sale(Money(4_500), None).unwrap().sale;
    settle(&mut town);
    town.advance(31 * Timestamp::MINUTE);
    for (sale, reason) in [
        (voucher.sale, Refusal::SaleVoided),
        (claimed, Refusal::SaleAlreadyClaimed),
        (late, Refusal::VoidTooLate { minutes: 30 }),
    ] {
        let refused = town.cafe.phone.void_sale(sale);
        assert!(matches!(refused, Err(PhoneError::Refused(ref why)) if *why == reason), "{refused:?}");
    }
}

#[test]
fn a_sale_that_waited_and_is_voided_is_no_longer_to_be_chosen_for() {
    let mut town = Town::new();
    town.second_group();
    let sale = town.sell(20_000);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.waiting_sales().unwrap().len(), 1);
    town.cafe.phone.void_sale(sale).unwrap();
    settle(&mut town);
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
}

#[test]
fn a_wrong_amount_is_put_right_by_a_refund_or_a_second_sale_for_the_same_buyer() {
    let mut town = Town::new();
    town.earn(20_000);
    let sale = town.cafe.phone.merchant_today().unwrap().sales[0].sale;
    let same = town.cafe.phone.correct_sale(sale, Money(20_000));
    assert!(matches!(same, Err(PhoneError::Refused(Refusal::AmountNotPositive))), "{same:?}");
    let Correction::Refund(_) = town.cafe.phone.correct_sale(sale, Money(12_000)).unwrap() else {
        panic!("lower")
    };
    settle(&mut town);
    assert_eq!(wallet(&town), (1_200, 0, 0));
    let Correction::Sale(voucher) = town.cafe.phone.correct_sale(sale, Money(13_000)).unwrap() else {
        panic!("higher")
    };
    assert_eq!(voucher.amount, Money(1_000), "of what was paid and has not gone back");
    let mut stranger = Person::new(77);
    stranger.enrol(&mut town.server);
    let theirs = stranger.scan(&voucher);
    assert_eq!(theirs.standing, moa_phone::VoucherStanding::ForAnother);
    let scanned = town.buyer.scan(&voucher);
    town.buyer.phone.claim(&scanned, None).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (1_300, 0, 0));
}

#[test]
fn a_shop_gives_mileage_by_account_code_or_number_and_takes_its_own_away() {
    let mut town = Town::new();
    town.server.people.insert("010-2222-3333".into(), town.account);
    let member = town.buyer.phone.member_code().unwrap().text;
    let last_day = Day::parse("2027-01-31");
    let phone = &town.cafe.phone;
    let goodwill = Reason::Goodwill;
    phone.grant(town.group, &Recipient::Account(town.account), units(500), goodwill, last_day).unwrap();
    phone.grant(town.group, &Recipient::Code(member), units(300), goodwill, None).unwrap();
    let number = Recipient::Number("010-2222-3333".into());
    phone.grant(town.group, &number, units(400), Reason::OpeningBalance, None).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town), (1_200, 0, 0));
    let granted = Happened::Grant { reason: goodwill, last_day: last_day.unwrap() };
    assert_eq!(history(&town)[2], (granted, 500));

    let phone = &town.cafe.phone;
    for (asked, day, reason) in [
        (0, None, Refusal::UnitsNotPositive),
        (1_000_001, None, Refusal::GrantTooLarge { max: Money(1_000_000) }),
        (1, Day::parse("2026-11-20"), Refusal::BadLastDay { days: 3_660 }),
    ] {
        let to = Recipient::Account(town.account);
        let refused = phone.grant(town.group, &to, units(asked), goodwill, day);
        assert!(matches!(refused, Err(PhoneError::Refused(ref why)) if *why == reason), "{refused:?}");
    }
    let misuse = Reason::Misuse;
    phone.take_away(town.group, town.account, (units(200), None), misuse).unwrap();
    let too_much = phone.take_away(town.group, town.account, (units(2_000), None), misuse).unwrap();
    settle(&mut town);
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(too_much).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::NotSoMuchIssued { left: units(1_000) }));
    assert_eq!(refused.mileage, Some(moa_rules::terms::Kind::Point), "the op said of what");
    assert_eq!(
        (wallet(&town), history(&town)[0]),
        ((1_000, 0, 0), (Happened::TakenAway { reason: misuse }, 200))
    );
}

#[test]
fn what_a_merged_account_owed_is_owed_by_the_one_that_stays() {
    let mut town = Town::new();
    town.earn(20_000);
    let sale = town.cafe.phone.merchant_today().unwrap().sales[0].sale;
    let code = town.buyer.phone.redemption_code(town.group, units(1_500)).unwrap();
    town.bakery.phone.redeem(&code.text, units(1_500)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.phone.refund(sale, Money(20_000)).unwrap();
    settle(&mut town);
    assert_eq!(wallet(&town).2, 1_500);
    let mut other = Person::new(80);
    other.enrol(&mut town.server);
    let consent = town.buyer.phone.merge_consent().unwrap();
    other.phone.merge_account(&consent.text).unwrap();
    other.sync(&mut town.server).unwrap();
    let balance = other.phone.balances().unwrap().remove(0);
    assert_eq!(
        (balance.confirmed, balance.owed),
        (units(0), units(1_500)),
        "no event says so, the snapshot does"
    );
}
