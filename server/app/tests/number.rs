//! Sales to a phone number over HTTP: the number beside the op, its owner there or yet to come.

mod support;

use moa_rules::event::{Event, EventBody};
use moa_rules::member::Buyer;
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use moa_wire::canonical;
use moa_wire::number::{SALT_BYTES, TypedNumber, hash};
use moa_wire::token::Checked;
use support::{Device, Shop, Town, eventually, refused};

const CAFE: &str = "010-1111-1111";
const BUYER: &str = "010-3333-3333";

/// A sale to a number, and the number beside it.
fn sell_to(town: &Town, shop: &Shop, number: &str) -> (Checked<Op>, TypedNumber) {
    let salt = vec![7; SALT_BYTES];
    let buyer = Buyer::Number(hash(&salt, number));
    let op = shop.device.op(town.now(), OpBody::SellTo { amount: Money(50_000), buyer, redemption: None });
    let beside = TypedNumber { op: op.value().id, salt: Base64(salt), number: number.to_owned() };
    (op, beside)
}

async fn submit(town: &Town, op: &Checked<Op>, numbers: Vec<TypedNumber>) -> Verdict {
    let ops = Ops { ops: vec![Base64::from(op.bytes())], numbers };
    let answer = town.post("/v1/ops", &ops).await;
    answer.json::<Verdicts>().await.unwrap().verdicts.remove(0)
}

/// What a shop's inbox tells, by the kinds of events, without ids.
async fn told(town: &Town, shop: &Shop) -> Vec<&'static str> {
    let changes = town.changes(&shop.device, "", 0).await;
    let events = changes.inboxes.iter().flat_map(|inbox| &inbox.events);
    let kinds = events.filter_map(|event| match canonical::decode::<Event>(&event.0).unwrap().body {
        EventBody::SaleRecorded { .. } => Some("recorded"),
        EventBody::SaleWaits { .. } => Some("waits"),
        EventBody::Accrued { .. } => Some("accrued"),
        EventBody::SaleLapsed { .. } => Some("lapsed"),
        _ => None,
    });
    kinds.collect()
}

async fn waiting(town: &Town, buyer: &Device) -> usize {
    town.snapshot(buyer).await.waiting.len()
}

#[tokio::test]
async fn a_number_that_is_known_is_as_good_as_a_member_code() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    // However it is typed.
    for number in [BUYER, "+82 10 3333 3333"] {
        let (sale, beside) = sell_to(&town, &cafe, number);
        assert_eq!(submit(&town, &sale, vec![beside.clone()]).await, Verdict::Applied);
        let again = submit(&town, &sale, vec![beside]).await;
        assert_eq!(again, Verdict::Duplicate { refused: None });
        // The answer is the first one even without the number, which a phone drops once it is answered.
        assert_eq!(submit(&town, &sale, Vec::new()).await, Verdict::Duplicate { refused: None });
    }
    assert_eq!(town.balance(&buyer).await, 3_000);
    town.close().await;
}

#[tokio::test]
async fn the_shop_gets_the_same_answer_and_the_same_events_where_there_is_a_choice() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    town.found(&cafe).await;
    let (known, beside) = sell_to(&town, &cafe, BUYER);
    assert_eq!(submit(&town, &known, vec![beside]).await, Verdict::Applied);
    let of_known = told(&town, &cafe).await;
    let (unknown, beside) = sell_to(&town, &cafe, "010-9999-9999");
    assert_eq!(submit(&town, &unknown, vec![beside]).await, Verdict::Applied);
    assert_eq!(told(&town, &cafe).await[of_known.len()..], of_known);
    assert_eq!(waiting(&town, &buyer).await, 1);
    // Its owner signs up two days later, and chooses.
    town.pass(2 * Timestamp::DAY);
    let owner = town.enrol("010-9999-9999").await;
    assert_eq!((waiting(&town, &owner).await, town.balance(&owner).await), (1, 0));
    let (merchant, sale) = (cafe.merchant, unknown.value().id);
    let choose = owner.op(town.now(), OpBody::ClaimWaiting { merchant, sale, choice: None });
    town.applied(&[&choose]).await;
    assert_eq!(town.balance(&owner).await, 1_500);
    town.close().await;
}

#[tokio::test]
async fn a_sale_with_nothing_to_choose_is_mileage_when_the_owner_signs_up() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    town.found(&cafe).await;
    for _ in 0..2 {
        let (sale, beside) = sell_to(&town, &cafe, BUYER);
        assert_eq!(submit(&town, &sale, vec![beside]).await, Verdict::Applied);
    }
    assert_eq!(told(&town, &cafe).await, ["recorded", "waits", "recorded", "waits"]);
    town.pass(6 * Timestamp::DAY);
    let owner = town.enrol(BUYER).await;
    assert_eq!((town.balance(&owner).await, waiting(&town, &owner).await), (3_000, 0));
    // Another phone of the owner's changes nothing.
    let tablet = town.enrol(BUYER).await;
    assert_eq!((tablet.account, town.balance(&tablet).await), (owner.account, 3_000));
    let (sale, beside) = sell_to(&town, &cafe, BUYER);
    assert_eq!(submit(&town, &sale, vec![beside]).await, Verdict::Applied);
    assert_eq!(town.balance(&owner).await, 4_500);
    town.close().await;
}

#[tokio::test]
async fn a_number_whose_owner_never_signs_up_is_forgotten_and_its_sale_lapses() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    town.found(&cafe).await;
    let (sale, beside) = sell_to(&town, &cafe, BUYER);
    assert_eq!(submit(&town, &sale, vec![beside]).await, Verdict::Applied);
    // The sweep comes by when a server starts, and every minute.
    let town = town.reopen(8 * Timestamp::DAY).await;
    eventually(async || (told(&town, &cafe).await.last() == Some(&"lapsed")).then_some(())).await;
    let town = town.reopen(2 * Timestamp::DAY).await;
    let owner = town.enrol(BUYER).await;
    assert_eq!((waiting(&town, &owner).await, town.balance(&owner).await), (0, 0));
    town.close().await;
}

#[tokio::test]
async fn a_sale_without_its_number_with_another_or_to_no_number_is_refused() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    let missing = async |numbers: fn(TypedNumber) -> Vec<TypedNumber>| {
        let (sale, beside) = sell_to(&town, &cafe, BUYER);
        refused(&submit(&town, &sale, numbers(beside)).await)["code"].clone()
    };
    assert_eq!(missing(|_| Vec::new()).await, "number_missing");
    let another = |beside| vec![TypedNumber { number: "010-4444-4444".to_owned(), ..beside }];
    assert_eq!(missing(another).await, "number_missing");
    let elsewhere = |beside| vec![TypedNumber { op: moa_rules::id::OpId([1; 16]), ..beside }];
    assert_eq!(missing(elsewhere).await, "number_missing");
    let long = "0".repeat(65);
    for (number, code) in
        [("112", "bad_number"), ("hello", "bad_number"), ("", "bad_number"), (&long, "number_missing")]
    {
        let (sale, beside) = sell_to(&town, &cafe, number);
        assert_eq!(refused(&submit(&town, &sale, vec![beside]).await)["code"], code, "{number}");
    }
    let (own, beside) = sell_to(&town, &cafe, CAFE);
    assert_eq!(refused(&submit(&town, &own, vec![beside]).await)["code"], "own_sale");
    assert_eq!(town.balance(&buyer).await, 0);
    town.close().await;
}

#[tokio::test]
async fn the_database_never_holds_the_number() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    town.found(&cafe).await;
    let (sale, beside) = sell_to(&town, &cafe, "010-9753-8642");
    assert_eq!(submit(&town, &sale, vec![beside]).await, Verdict::Applied);
    assert!(town.holds("Cafe"), "what is there is found");
    assert!(!town.holds("97538642") && !town.holds("9753-8642"));
    town.close().await;
}
