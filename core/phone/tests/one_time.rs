//! One-time codes: digits in place of a code to be scanned.

mod support;

use moa_phone::{Code, Fate, PhoneError, Purpose, SaleStanding, ShownOneTime};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::code::NotOurs;
use support::{Person, Town, offline, ok, problem, units};

fn digits(town: &mut Town, purpose: Purpose) -> ShownOneTime {
    let request = town.buyer.phone.one_time_request(purpose).unwrap();
    let answer = town.server.answer(&request);
    town.buyer.phone.one_time_made(Ok(answer)).unwrap()
}

#[test]
fn digits_for_paying_are_typed_at_the_till_and_lead_to_the_signed_code() {
    let mut town = Town::new();
    town.earn(20_000);
    let purpose = Purpose::Pay { group: town.group, most: units(1_500), unit: None };
    let shown = digits(&mut town, purpose);
    assert_eq!((shown.digits.len(), shown.text.len()), (12, 14));
    assert_eq!(shown.expires_at, town.server.now.plus(3 * Timestamp::MINUTE));
    let request = town.bakery.phone.one_time_lookup(&shown.text).unwrap();
    let code = town.bakery.phone.one_time_found(Ok(town.server.answer(&request))).unwrap();
    let Code::Redemption(scanned) = town.bakery.phone.read_code(&code).unwrap() else { panic!("no code") };
    assert_eq!((scanned.group, scanned.most), (town.group, units(1_500)));
    let asked = town.bakery.phone.redeem(&code, units(1_500)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(500));
}

#[test]
fn digits_for_earning_need_no_signal_at_the_shop() {
    let mut town = Town::new();
    let shown = digits(&mut town, Purpose::Earn);
    let Code::OneTime(typed) = town.cafe.phone.read_code(&shown.digits).unwrap() else { panic!("no digits") };
    assert_eq!(typed.text, shown.text);
    town.cafe.phone.record_sale_for(Money(20_000), &typed.text).unwrap();
    assert!(town.cafe.sync_over(&mut town.server, offline).is_err());
    town.advance(5 * Timestamp::DAY);
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn a_wrong_digit_is_noticed_on_the_shops_phone_without_a_network() {
    let mut town = Town::new();
    let shown = digits(&mut town, Purpose::Earn);
    let last = shown.digits.as_bytes()[11];
    let wrong = format!("{}{}", &shown.digits[..11], if last == b'9' { 0 } else { last - b'0' + 1 });
    let cafe = &town.cafe.phone;
    assert!(matches!(cafe.record_sale_for(Money(1), &wrong), Err(PhoneError::NotOurs(NotOurs::Mistyped))));
    assert!(matches!(cafe.one_time_lookup(&wrong), Err(PhoneError::NotOurs(NotOurs::Mistyped))));
    assert!(matches!(cafe.read_code(&wrong), Err(PhoneError::NotOurs(NotOurs::Mistyped))));
    assert!(cafe.outbox().unwrap().is_empty());
    let member = town.buyer.phone.member_code().unwrap().text;
    assert!(matches!(cafe.one_time_lookup(&member), Err(PhoneError::Refused(Refusal::NotACode))));
    let buyer = &town.buyer.phone;
    assert!(matches!(buyer.one_time_lookup(&shown.digits), Err(PhoneError::Refused(Refusal::NoMerchant))));
}

#[test]
fn digits_that_name_nobody_are_refused_when_the_sale_arrives() {
    let mut town = Town::new();
    let unknown = moa_rules::one_time::OneTimeCode::of(4_711).unwrap().text();
    let sale = town.cafe.phone.record_sale_for(Money(20_000), &unknown).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(sale).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::OneTimeCodeUnknown));
    assert_eq!(town.cafe.phone.merchant_today().unwrap().sales[0].standing, SaleStanding::Refused);
}

#[test]
fn the_servers_reason_reaches_who_waits_even_if_it_asks_for_patience() {
    let mut town = Town::new();
    let phone = &town.buyer.phone;
    for status in [404, 409, 410, 422, 429] {
        let mut answer = problem(status, "why_not");
        answer.retry_after_s = (status == 429).then_some(60);
        let Err(PhoneError::Problem(told)) = phone.one_time_made(Ok(answer)) else { panic!("{status}") };
        assert_eq!(told.code, "why_not");
    }
    for garbage in [&b"<html>"[..], br#"{"digits":"1","expires_at":1,"now":1}"#, br#"{"code":"AAAA"}"#] {
        let answer = || Ok(moa_phone::Response { status: 200, retry_after_s: None, body: garbage.to_vec() });
        assert!(matches!(phone.one_time_made(answer()), Err(PhoneError::NotOurServer(_))));
        assert!(matches!(phone.one_time_found(answer()), Err(PhoneError::NotOurServer(_))));
    }
    let member = moa_wire::api::OneTimeFound { code: moa_wire::api::Base64(vec![1; 28]) };
    assert!(matches!(phone.one_time_found(Ok(ok(&member))), Err(PhoneError::NotOurServer(_))));
    town.server.void_tokens();
    let request = phone.one_time_request(Purpose::Earn).unwrap();
    let Err(PhoneError::Problem(told)) = phone.one_time_made(Ok(town.server.answer(&request))) else {
        panic!("it was taken")
    };
    assert_eq!(told.code, "session_over");
    let nobody = Person::new(9);
    assert!(matches!(nobody.phone.one_time_request(Purpose::Earn), Err(PhoneError::NotSignedIn)));
}
