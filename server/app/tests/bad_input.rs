//! Ops that must not hold: each is refused with its own code, and nothing has changed.

mod support;

use moa_rules::certificate::ALLOWANCE;
use moa_rules::op::OpBody;
use moa_rules::quantity::{MAX_AMOUNT, Money};
use moa_rules::time::Timestamp;
use moa_wire::api::Verdict;
use moa_wire::keys::SoftwareKey;
use moa_wire::token::Checked;
use support::{Device, Shop, Town, refused};

const CAFE: &str = "010-1111-1111";
const BUYER: &str = "010-3333-3333";
const OTHER: &str = "010-4444-4444";

/// Everything that a device can read, to be held against the same later.
async fn readable(town: &Town, device: &Device) -> String {
    let snapshot = town.snapshot(device).await;
    let changes = town.changes(device, "", 0).await;
    // Signatures differ each time; what they sign is in the events.
    format!("{:?} {:?} {:?}", snapshot.lots, snapshot.cursor, changes.cursor)
}

async fn refused_without_a_trace(town: &Town, shop: &Shop, op: &Checked<moa_rules::op::Op>, code: &str) {
    let before = readable(town, &shop.device).await;
    let first = town.submit_one(op).await;
    assert!(matches!(first, Verdict::Refused(_)), "{first:?}");
    assert_eq!(refused(&first)["code"], code);
    assert_eq!(refused(&town.submit_one(op).await)["code"], code);
    assert_eq!(readable(town, &shop.device).await, before);
}

#[tokio::test]
async fn edge_41_a_voucher_claimed_by_two_phones_at_once_makes_one_lot() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let groups = [town.found(&cafe).await, town.found(&cafe).await];
    let buyers = [town.enrol(BUYER).await, town.enrol(OTHER).await];
    for round in 0..10 {
        let sale = town.sale(&cafe, 50_000);
        let claims = [
            town.claim(&buyers[round % 2], &sale, groups[0]),
            town.claim(&buyers[1 - round % 2], &sale, groups[1]),
        ];
        let (one, two) = tokio::join!(town.submit_one(&claims[0]), town.submit_one(&claims[1]));
        let applied = [&one, &two].iter().filter(|verdict| **verdict == &Verdict::Applied).count();
        let refusal = [&one, &two].into_iter().find(|verdict| **verdict != Verdict::Applied).unwrap();
        assert_eq!((applied, &refused(refusal)["code"]), (1, &"sale_already_claimed".into()));
    }
    let balances = town.balance(&buyers[0]).await + town.balance(&buyers[1]).await;
    assert_eq!(balances, 10 * 1_500);
    town.close().await;
}

#[tokio::test]
async fn a_forged_signature_is_refused() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let (stranger, _) = SoftwareKey::generate().unwrap();
    let op = town.sale(&cafe, 4_500).value().clone();
    let forged = Checked::sign(op.clone(), &stranger).unwrap();
    refused_without_a_trace(&town, &cafe, &forged, "bad_signature").await;
    // The forger has not used up the id either.
    town.applied(&[&cafe.device.sign(op)]).await;
    town.close().await;
}

#[tokio::test]
async fn a_forged_sale_inside_a_claim_is_refused() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    let buyer = town.enrol(BUYER).await;
    let op = town.sale(&cafe, 4_500).value().clone();
    let forged = Checked::sign(op, &buyer.key).unwrap();
    refused_without_a_trace(&town, &cafe, &town.claim(&buyer, &forged, group), "bad_signature").await;
    let no_sale = buyer.op(town.now(), OpBody::Claim { sale: vec![0xd2; 40], choice: None });
    refused_without_a_trace(&town, &cafe, &no_sale, "not_a_sale").await;
    town.close().await;
}

#[tokio::test]
async fn edge_42_a_counter_that_its_key_has_used_before_is_refused() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let sale = town.sale(&cafe, 4_500);
    town.applied(&[&sale]).await;
    let mut again = town.sale(&cafe, 9_000).value().clone();
    again.counter = sale.value().counter;
    refused_without_a_trace(&town, &cafe, &cafe.device.sign(again), "counter_used").await;
    town.close().await;
}

#[tokio::test]
async fn a_sale_dated_two_days_ahead_is_refused() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let body = || OpBody::RecordSale { amount: Money(4_500), addressee: None, redemption: None };
    let ahead = cafe.device.op(town.now().plus(2 * Timestamp::DAY), body());
    refused_without_a_trace(&town, &cafe, &ahead, "sale_dated_ahead").await;
    town.applied(&[&cafe.device.op(town.now().plus(Timestamp::DAY), body())]).await;
    town.close().await;
}

#[tokio::test]
async fn edge_1_the_same_id_with_another_payload_is_refused_and_the_first_stands() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let sale = town.sale(&cafe, 4_500);
    town.applied(&[&sale]).await;
    let mut other = sale.value().clone();
    other.body = OpBody::RecordSale { amount: Money(9_000), addressee: None, redemption: None };
    let before = readable(&town, &cafe.device).await;
    let verdict = town.submit_one(&cafe.device.sign(other)).await;
    assert_eq!(refused(&verdict)["code"], "op_id_reused");
    assert_eq!(readable(&town, &cafe.device).await, before);
    // Signed twice, it has two signatures and is the same op.
    let twice = cafe.device.sign(sale.value().clone());
    assert_ne!(twice.bytes(), sale.bytes());
    assert_eq!(town.submit_one(&twice).await, Verdict::Duplicate { refused: None });
    town.close().await;
}

#[tokio::test]
async fn sales_of_nothing_less_than_nothing_and_far_too_much_are_refused() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    for (won, code) in [
        (0, "amount_not_positive"),
        (-1, "amount_not_positive"),
        (i64::MIN, "amount_not_positive"),
        (MAX_AMOUNT.0 + 1, "amount_too_large"),
        (1_000_000_000_000_000, "amount_too_large"),
        (i64::MAX, "amount_too_large"),
    ] {
        refused_without_a_trace(&town, &cafe, &town.sale(&cafe, won), code).await;
    }
    refused_without_a_trace(&town, &cafe, &town.sale(&cafe, MAX_AMOUNT.0), "certificate_used").await;
    town.applied(&[&town.sale(&cafe, ALLOWANCE.0 / 2)]).await;
    town.close().await;
}

#[tokio::test]
async fn edge_3_two_shops_cannot_spend_the_same_balance_at_once() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let bakery = town.shop(OTHER, "Bakery").await;
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;
    let buyer = town.enrol(BUYER).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 50_000), group)]).await;
    let here = town.redemption(&cafe, &buyer, group, 1_500);
    let there = town.redemption(&bakery, &buyer, group, 1_500);
    let (here, there) = tokio::join!(town.submit_one(&here), town.submit_one(&there));
    let refusal = [&here, &there].into_iter().find(|verdict| **verdict != Verdict::Applied).unwrap();
    assert_eq!(refused(refusal)["code"], "below_minimum");
    assert!([here, there].contains(&Verdict::Applied));
    assert_eq!(town.balance(&buyer).await, 0);
    town.close().await;
}

#[tokio::test]
async fn a_phone_cannot_do_what_is_the_server_s() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    let account = cafe.device.account;
    let sweep = cafe.device.op(town.now(), OpBody::ExpireLots { group, account });
    refused_without_a_trace(&town, &cafe, &sweep, "not_allowed").await;
    let (stranger, _) = SoftwareKey::generate().unwrap();
    let public_key = moa_wire::keys::Signer::public_key(&stranger);
    let key = moa_wire::keys::key_id(&public_key);
    let enrol = cafe.device.op(town.now(), OpBody::EnrolDevice { account, key, public_key, proved: None });
    refused_without_a_trace(&town, &cafe, &enrol, "not_allowed").await;
    town.close().await;
}

#[tokio::test]
async fn one_bad_op_does_not_hold_up_those_behind_it() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let (one, two) = (town.sale(&cafe, 4_500), town.sale(&cafe, 9_000));
    let mut broken = one.bytes().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    let too_large = vec![0; 5_000];
    let verdicts = town
        .submit_bytes(vec![Vec::new(), one.bytes().to_vec(), too_large, broken, two.bytes().to_vec()])
        .await;
    let codes: Vec<String> = verdicts
        .iter()
        .map(|verdict| match verdict {
            Verdict::Applied => "applied".to_owned(),
            refusal => refused(refusal)["code"].as_str().unwrap().to_owned(),
        })
        .collect();
    assert_eq!(codes, ["malformed_op", "applied", "op_too_large", "bad_signature", "applied"]);
    town.close().await;
}

#[tokio::test]
async fn an_engine_that_takes_no_more_says_come_again() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let (key, _) = SoftwareKey::generate().unwrap();
    let enrolment = town.begin(BUYER, &key).await;
    let confirmation = support::confirmation(&town.code(BUYER, &enrolment).await, &enrolment, &key);
    town.server.engine().stop();
    let verdicts = town.submit_bytes(vec![town.sale(&cafe, 4_500).bytes().to_vec(), vec![0]]).await;
    assert!(matches!(verdicts[..], [Verdict::Retry { after_s: 1.. }, Verdict::Refused(_)]), "{verdicts:?}");
    let told = support::problem(town.confirm(&enrolment, &confirmation).await).await;
    assert_eq!((told.status, told.code.as_str()), (503, "server_busy"));
    // The code was right and stays so.
    let town = town.reopen(0).await;
    assert_eq!(town.confirm(&enrolment, &confirmation).await.status(), 200);
    town.close().await;
}
