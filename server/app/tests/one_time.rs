//! One-time codes over HTTP: digits for paying, digits for earning, and guesses.

mod support;

use moa_rules::id::GroupId;
use moa_rules::member::Buyer;
use moa_rules::one_time::{OneTimeCode, PAYLOADS};
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, OneTime, OneTimeFound, OneTimeLookup, OneTimeRequest, Verdict};
use moa_wire::problem::Problem;
use moa_wire::token::Checked;
use reqwest::{Method, Response};
use serde::Serialize;
use support::{Device, Shop, Town, refused};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

async fn post(town: &Town, device: &Device, path: &str, body: &impl Serialize) -> Response {
    let request = town.request(Method::POST, path, device).await.header("accept-language", "en");
    request.json(body).send().await.unwrap()
}

async fn make(town: &Town, device: &Device, code: &[u8]) -> Response {
    post(town, device, "/v1/one-time-codes", &OneTimeRequest { code: Base64(code.to_vec()) }).await
}

async fn look_up(town: &Town, device: &Device, digits: &str) -> Response {
    let digits = digits.to_owned();
    post(town, device, "/v1/one-time-codes/look-up", &OneTimeLookup { digits }).await
}

async fn read<T: serde::de::DeserializeOwned>(response: Response) -> T {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    let problem: Problem = response.json().await.unwrap();
    assert!(!problem.detail.is_empty());
    problem.code
}

/// The bytes of the member code that a device shows now.
async fn member_code(town: &Town, device: &Device) -> Vec<u8> {
    let (code, _) = town.snapshot(device).await.member.unwrap().code(town.now()).unwrap();
    [&code.tag[..], &code.step.to_be_bytes(), &code.mac].concat()
}

async fn digits_for_earning(town: &Town, device: &Device) -> OneTimeCode {
    let made: OneTime = read(make(town, device, &member_code(town, device).await).await).await;
    OneTimeCode::read(&made.digits).unwrap()
}

fn sell_to(town: &Town, shop: &Shop, digits: OneTimeCode) -> Checked<moa_rules::op::Op> {
    let body = OpBody::SellTo { amount: Money(50_000), buyer: Buyer::OneTime(digits), redemption: None };
    shop.device.op(town.now(), body)
}

fn redeem(town: &Town, shop: &Shop, code: Vec<u8>, units: i64) -> Checked<moa_rules::op::Op> {
    shop.device.op(town.now(), OpBody::Redeem { code, units: Units::new(units).unwrap() })
}

/// A café and a bakery in one group, and a buyer with 1 500 points.
async fn alley() -> (Town, Shop, Shop, Device, GroupId) {
    let town = Town::open().await;
    let (cafe, bakery) = (town.shop(CAFE, "Cafe").await, town.shop(BAKERY, "Bakery").await);
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;
    let buyer = town.enrol(BUYER).await;
    let sale = town.sale(&cafe, 50_000);
    town.applied(&[&town.claim(&buyer, &sale, group)]).await;
    (town, cafe, bakery, buyer, group)
}

#[tokio::test]
async fn digits_for_paying_lead_to_the_code_that_the_buyer_signed() {
    let (town, cafe, bakery, buyer, group) = alley().await;
    let code = buyer.code(town.now(), group, Units::new(1_200).unwrap());
    let made: OneTime = read(make(&town, &buyer, code.bytes()).await).await;
    assert_eq!(made.expires_at, town.now().plus(3 * Timestamp::MINUTE));
    let spaced = OneTimeCode::read(&made.digits).unwrap().text();
    // The answer may get lost: the same shop is given it again, another is not.
    for _ in 0..2 {
        let found: OneTimeFound = read(look_up(&town, &bakery.device, &spaced).await).await;
        assert_eq!(found.code.0, code.bytes());
    }
    assert_eq!(problem(look_up(&town, &cafe.device, &spaced).await, 409).await, "one_time_code_used");
    // From here on every rule is that of the code.
    let more = redeem(&town, &bakery, code.bytes().to_vec(), 1_201);
    assert_eq!(refused(&town.submit_one(&more).await)["code"], "more_than_code");
    let paid = redeem(&town, &bakery, code.bytes().to_vec(), 1_200);
    town.applied(&[&paid]).await;
    let again = redeem(&town, &bakery, code.bytes().to_vec(), 1_200);
    assert_eq!(refused(&town.submit_one(&again).await)["code"], "code_used");
    assert_eq!(town.balance(&buyer).await, 300);
    town.close().await;
}

#[tokio::test]
async fn digits_for_paying_run_out_with_their_code() {
    let (town, _, bakery, buyer, group) = alley().await;
    let code = buyer.code(town.now(), group, Units::new(1_000).unwrap());
    let made: OneTime = read(make(&town, &buyer, code.bytes()).await).await;
    town.pass(3 * Timestamp::MINUTE);
    read::<OneTimeFound>(look_up(&town, &bakery.device, &made.digits).await).await;
    town.pass(1);
    let late = look_up(&town, &bakery.device, &made.digits).await;
    assert_eq!(problem(late, 410).await, "one_time_code_expired");
    let old = make(&town, &buyer, code.bytes()).await;
    assert_eq!(problem(old, 422).await, "bad_one_time_code");
    town.close().await;
}

#[tokio::test]
async fn digits_for_earning_name_the_buyer_of_one_sale_even_days_later() {
    let (town, cafe, bakery, buyer, _) = alley().await;
    let digits = digits_for_earning(&town, &buyer).await;
    let sale = sell_to(&town, &cafe, digits);
    let second = sell_to(&town, &bakery, digits);
    // The café was offline for six days.
    town.pass(6 * Timestamp::DAY);
    town.applied(&[&sale]).await;
    assert_eq!(town.balance(&buyer).await, 3_000);
    assert_eq!(town.submit_one(&sale).await, Verdict::Duplicate { refused: None });
    assert_eq!(refused(&town.submit_one(&second).await)["code"], "one_time_code_used");
    let late = sell_to(&town, &cafe, digits_for_earning(&town, &buyer).await);
    let mut later = late.value().clone();
    later.time += 241;
    later.counter = cafe.device.next_counter();
    town.pass(5 * Timestamp::MINUTE);
    let later = Checked::sign(later, &cafe.device.key).unwrap();
    assert_eq!(refused(&town.submit_one(&later).await)["code"], "one_time_code_expired");
    town.close().await;
}

#[tokio::test]
async fn digits_are_forgotten_after_a_week() {
    let (town, cafe, _, buyer, _) = alley().await;
    let digits = digits_for_earning(&town, &buyer).await;
    let sale = sell_to(&town, &cafe, digits);
    town.pass(9 * Timestamp::DAY);
    assert_eq!(refused(&town.submit_one(&sale).await)["code"], "one_time_code_unknown");
    assert_eq!(town.balance(&buyer).await, 1_500);
    town.close().await;
}

#[tokio::test]
async fn only_a_good_code_of_ones_own_gets_digits() {
    let (town, cafe, _, buyer, group) = alley().await;
    let ten = Units::new(10).unwrap();
    let anothers = cafe.device.code(town.now(), group, ten);
    let far = buyer.code(town.now().plus(Timestamp::HOUR), group, ten);
    let mut forged = buyer.code(town.now(), group, ten).bytes().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let theirs = member_code(&town, &cafe.device).await;
    let mut stale = member_code(&town, &buyer).await;
    stale[27] ^= 1;
    for bad in [anothers.bytes(), far.bytes(), &forged, &theirs, &stale, b"", &[0; 5_000]] {
        assert_eq!(problem(make(&town, &buyer, bad).await, 422).await, "bad_one_time_code");
    }
    let digits = OneTimeCode::of(1).unwrap().digits();
    assert_eq!(problem(look_up(&town, &buyer, &digits).await, 403).await, "forbidden");
    // An account is handed out twenty in ten minutes.
    let code = member_code(&town, &buyer).await;
    for _ in 0..20 {
        read::<OneTime>(make(&town, &buyer, &code).await).await;
    }
    assert_eq!(problem(make(&town, &buyer, &code).await, 429).await, "too_many_one_time_codes");
    town.close().await;
}

#[tokio::test]
async fn a_shop_that_guesses_is_made_to_wait_and_its_sales_wait_with_it() {
    let (town, cafe, bakery, buyer, group) = alley().await;
    let guess = |number: u64| OneTimeCode::of(PAYLOADS - 1 - number).unwrap();
    for number in 0..9 {
        // The same digits again, or mistyped ones, do not count.
        for digits in [guess(number).digits(), guess(number).text(), "123456789012".to_owned()] {
            let wrong = look_up(&town, &cafe.device, &digits).await;
            assert_eq!(problem(wrong, 404).await, "one_time_code_unknown");
        }
    }
    let wrong = sell_to(&town, &cafe, guess(9));
    for _ in 0..3 {
        let verdict = town.submit_one(&wrong).await;
        let unknown = match verdict {
            Verdict::Refused(refused) | Verdict::Duplicate { refused: Some(refused) } => {
                refused.reason.code()
            }
            // Ten by now: what was refused before is not looked up any more.
            Verdict::Retry { .. } => continue,
            other => panic!("{other:?}"),
        };
        assert_eq!(unknown, "one_time_code_unknown");
    }
    let code = buyer.code(town.now(), group, Units::new(1_000).unwrap());
    let made: OneTime = read(make(&town, &buyer, code.bytes()).await).await;
    let locked = look_up(&town, &cafe.device, &made.digits).await;
    assert_eq!(locked.headers()["retry-after"], "3600");
    assert_eq!(problem(locked, 429).await, "too_many_tries");
    read::<OneTimeFound>(look_up(&town, &bakery.device, &made.digits).await).await;
    // A genuine sale is not lost by it.
    let sale = sell_to(&town, &cafe, digits_for_earning(&town, &buyer).await);
    assert_eq!(town.submit_one(&sale).await, Verdict::Retry { after_s: 3_600 });
    town.pass(Timestamp::HOUR);
    town.applied(&[&sale]).await;
    assert_eq!(town.balance(&buyer).await, 3_000);
    town.close().await;
}
