//! Buyers whom a shop can name: the member code, the sale to its owner, and the buyer's choice.

mod support;

use moa_phone::{Code, Fate, PhoneError, SaleStanding};
use moa_rules::id::OpId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::Timestamp;
use support::{Town, offline, terms, units};

fn refusal<T: std::fmt::Debug>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The café sells to the buyer, and both hear of it.
fn sell(town: &mut Town, amount: i64) -> OpId {
    let sale = town.sell(amount);
    town.buyer.sync(&mut town.server).unwrap();
    sale
}

fn standing(town: &Town) -> SaleStanding {
    town.cafe.phone.merchant_today().unwrap().sales[0].standing
}

#[test]
fn a_sale_to_a_member_code_needs_no_signal_and_no_scan_by_the_buyer() {
    let mut town = Town::new();
    let code = town.buyer.phone.member_code().unwrap();
    assert_eq!(code.text.len(), 47);
    let Code::Member(scanned) = town.cafe.phone.read_code(&code.text).unwrap() else { panic!("no member") };
    assert!(!scanned.expired);
    town.cafe.phone.record_sale_for(Money(20_000), &scanned.text).unwrap();
    assert!(town.cafe.sync_over(&mut town.server, offline).is_err());
    assert_eq!(standing(&town), SaleStanding::Unsent);

    // An hour later there is signal: what counts is when the code was shown.
    town.advance(Timestamp::HOUR);
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(standing(&town), SaleStanding::Claimed { group: town.group, units: units(2_000), unit: None });
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
}

#[test]
fn a_code_changes_every_half_minute_and_is_taken_for_a_minute_more() {
    let mut town = Town::new();
    let code = town.buyer.phone.member_code().unwrap();
    assert_eq!(town.buyer.phone.member_code().unwrap(), code);
    let left = code.valid_until.0 - town.buyer.now().0;
    assert!((1..=30_000).contains(&left), "{left}");
    town.advance(left);
    assert_ne!(town.buyer.phone.member_code().unwrap().text, code.text);
    town.advance(30_000);
    town.cafe.phone.record_sale_for(Money(1_000), &code.text).unwrap();
    town.advance(30_000);
    let Code::Member(scanned) = town.cafe.phone.read_code(&code.text).unwrap() else { panic!("no member") };
    assert!(scanned.expired);
    assert_eq!(
        refusal(town.cafe.phone.record_sale_for(Money(1_000), &code.text)),
        Refusal::MemberCodeExpired
    );
}

#[test]
fn where_there_is_a_choice_the_buyer_chooses_without_a_voucher() {
    let mut town = Town::new();
    let other = town.second_group();
    let sale = sell(&mut town, 20_000);
    let until = town.buyer.phone.waiting_sales().unwrap()[0].until;
    assert_eq!(standing(&town), SaleStanding::Waiting { until });
    let waiting = town.buyer.phone.waiting_sales().unwrap().remove(0);
    assert_eq!((waiting.sale, waiting.amount, waiting.claim), (sale, Money(20_000), None));
    assert_eq!(waiting.shop.name.as_deref(), Some("골목 카페"));
    let earns: Vec<_> = waiting.choices.iter().map(|choice| (choice.choice.group, choice.earns)).collect();
    assert_eq!(earns, [(town.group, units(2_000)), (other, units(600))]);

    let claimed = town.buyer.phone.claim_waiting(sale, Some(waiting.choices[1].choice)).unwrap();
    assert_eq!((claimed.group, claimed.earns), (Some(other), Some(units(600))));
    let pending = town.buyer.phone.waiting_sales().unwrap().remove(0);
    assert_eq!(pending.claim, Some(claimed.op));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].pending, units(600));
    assert_eq!(refusal(town.buyer.phone.claim_waiting(sale, None)), Refusal::SaleAlreadyClaimed);
    town.buyer.sync(&mut town.server).unwrap();
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(600));
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(standing(&town), SaleStanding::Claimed { group: other, units: units(600), unit: None });
}

#[test]
fn a_choice_that_is_refused_may_be_made_again() {
    let mut town = Town::new();
    town.second_group();
    let sale = sell(&mut town, 20_000);
    let elsewhere = town.bakery.phone.found_group(Profile::new("동네", Scope::Area), terms(500, 0));
    town.bakery.sync(&mut town.server).unwrap();
    // A choice as an older directory might have offered it: the phone cannot know better.
    let choice = moa_rules::op::Choice { group: elsewhere.unwrap(), terms_version: 1 };
    assert_eq!(refusal(town.buyer.phone.claim_waiting(sale, Some(choice))), Refusal::SellerNotInGroup);
    // A sale that lapses while the choice is on its way.
    let claimed = town.buyer.phone.claim_waiting(sale, None).unwrap();
    town.server.now = town.server.now.plus(8 * Timestamp::DAY);
    town.buyer.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.buyer.phone.fate(claimed.op).unwrap() else {
        panic!("not refused")
    };
    assert_eq!(refused.reason, Some(Refusal::SaleLapsed { days: 7 }));
}

#[test]
fn a_sale_that_nobody_chose_for_lapses_on_both_phones() {
    let mut town = Town::new();
    town.second_group();
    let sale = sell(&mut town, 20_000);
    town.advance(7 * Timestamp::DAY + Timestamp::SECOND);
    assert!(town.buyer.phone.waiting_sales().unwrap().is_empty());
    assert_eq!(refusal(town.buyer.phone.claim_waiting(sale, None)), Refusal::SaleLapsed { days: 7 });
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    town.server.job(OpBody::LapseSale { merchant, sale }).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(refusal(town.buyer.phone.claim_waiting(sale, None)), Refusal::NotYourSale);
    town.cafe.sync(&mut town.server).unwrap();
}

#[test]
fn a_snapshot_brings_what_waits_and_keeps_what_was_chosen() {
    let mut town = Town::new();
    town.second_group();
    let (one, two) = (sell(&mut town, 20_000), sell(&mut town, 30_000));
    let claimed = town.buyer.phone.claim_waiting(two, None).unwrap();
    town.server.cursors_gone = true;
    let reads_only = |server: &mut support::Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" { offline(server, request) } else { Ok(server.answer(request)) }
    };
    assert!(town.buyer.sync_over(&mut town.server, reads_only).is_err());
    let waiting = town.buyer.phone.waiting_sales().unwrap();
    let mut waits: Vec<_> = waiting.iter().map(|waiting| (waiting.sale, waiting.claim)).collect();
    let mut expected = [(one, None), (two, Some(claimed.op))];
    waits.sort();
    expected.sort();
    assert_eq!(waits, expected);
}

#[test]
fn what_is_no_member_code_sells_to_nobody() {
    let mut town = Town::new();
    let (cafe, buyer) = (&town.cafe.phone, &town.buyer.phone);
    let code = buyer.member_code().unwrap().text;
    let redemption = buyer.redemption_code(town.group, units(1)).unwrap();
    assert_eq!(refusal(cafe.record_sale_for(Money(1_000), &redemption.text)), Refusal::MemberCodeUnknown);
    assert!(matches!(cafe.record_sale_for(Money(1_000), "hello"), Err(PhoneError::NotOurs(_))));
    assert_eq!(refusal(cafe.record_sale_for(Money(0), &code)), Refusal::AmountNotPositive);
    assert_eq!(refusal(buyer.record_sale_for(Money(1_000), &code)), Refusal::NoMerchant);
    assert!(cafe.outbox().unwrap().is_empty());
    // The shop's own owner is only known to be that by the server.
    let own = cafe.member_code().unwrap().text;
    let sale = cafe.record_sale_for(Money(1_000), &own).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(standing(&town), SaleStanding::Refused);
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(sale).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::OwnSale));
}
