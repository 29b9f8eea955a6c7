//! Sales to a known buyer over HTTP: the member code, the choice, the lapse.

mod support;

use moa_rules::event::{Event, EventBody};
use moa_rules::id::GroupId;
use moa_rules::member::{Buyer, MemberCode};
use moa_rules::op::{Choice, Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::time::Timestamp;
use moa_wire::api::Verdict;
use moa_wire::canonical;
use moa_wire::token::Checked;
use support::{Device, Shop, Town, eventually, refused};

const CAFE: &str = "010-1111-1111";
const BUYER: &str = "010-3333-3333";

async fn code(town: &Town, buyer: &Device) -> MemberCode {
    let secret = town.snapshot(buyer).await.member.expect("every account has one");
    secret.code(town.now()).unwrap().0
}

fn sell_to(town: &Town, shop: &Shop, code: MemberCode, won: i64) -> Checked<Op> {
    let body = OpBody::SellTo { amount: Money(won), buyer: Buyer::Member(code), redemption: None };
    shop.device.op(town.now(), body)
}

fn choose(town: &Town, buyer: &Device, shop: &Shop, sale: &Checked<Op>, group: GroupId) -> Checked<Op> {
    let choice = Some(Choice { group, terms_version: 1 });
    let body = OpBody::ClaimWaiting { merchant: shop.merchant, sale: sale.value().id, choice };
    buyer.op(town.now(), body)
}

#[tokio::test]
async fn a_scan_by_the_shop_becomes_a_balance() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    let sale = sell_to(&town, &cafe, code(&town, &buyer).await, 50_000);
    town.applied(&[&sale]).await;
    assert_eq!(town.submit_one(&sale).await, Verdict::Duplicate { refused: None });
    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((town.balance(&buyer).await, snapshot.waiting.len()), (1_500, 0));
    // The secret is the account's: another phone of its owner makes the same codes.
    assert_eq!(town.snapshot(&town.enrol(BUYER).await).await.member, snapshot.member);
    assert_ne!(town.snapshot(&cafe.device).await.member, snapshot.member);
    town.close().await;
}

#[tokio::test]
async fn where_there_is_a_choice_the_sale_waits_for_it() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let (_, other) = (town.found(&cafe).await, town.found(&cafe).await);
    let sale = sell_to(&town, &cafe, code(&town, &buyer).await, 50_000);
    town.applied(&[&sale]).await;
    let waiting = town.snapshot(&buyer).await.waiting;
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0].sale, waiting[0].amount), (sale.value().id, Money(50_000)));
    let changes = town.changes(&buyer, "", 0).await;
    let last = &changes.inboxes[0].events.last().unwrap().0;
    let Event { body: EventBody::SaleWaits { account, until, .. }, .. } = canonical::decode(last).unwrap()
    else {
        panic!("it does not wait")
    };
    assert_eq!((account, until), (buyer.account, waiting[0].until));

    let stranger = town.enrol("010-4444-4444").await;
    let theirs = choose(&town, &stranger, &cafe, &sale, other);
    assert_eq!(refused(&town.submit_one(&theirs).await)["code"], "not_your_sale");
    town.applied(&[&choose(&town, &buyer, &cafe, &sale, other)]).await;
    assert_eq!(town.balance(&buyer).await, 1_500);
    let again = choose(&town, &buyer, &cafe, &sale, other);
    assert_eq!(refused(&town.submit_one(&again).await)["code"], "sale_already_claimed");
    town.close().await;
}

#[tokio::test]
async fn codes_that_are_forged_old_or_of_nobody_sell_to_nobody() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    let good = code(&town, &buyer).await;
    let forged = MemberCode { mac: [0; 8], ..good };
    let later = MemberCode { step: good.step + 1, ..good };
    let of_nobody = MemberCode { tag: [9; 16], ..good };
    for bad in [forged, later, of_nobody] {
        let sale = sell_to(&town, &cafe, bad, 50_000);
        assert_eq!(refused(&town.submit_one(&sale).await)["code"], "member_code_unknown");
    }
    // Shown at noon; the sale was made at noon, and comes five days later.
    let offline = sell_to(&town, &cafe, good, 50_000);
    town.pass(5 * Timestamp::DAY);
    let old = sell_to(&town, &cafe, good, 50_000);
    assert_eq!(refused(&town.submit_one(&old).await)["code"], "member_code_expired");
    town.applied(&[&offline]).await;
    assert_eq!(town.balance(&buyer).await, 1_500);
    let own = sell_to(&town, &cafe, code(&town, &cafe.device).await, 50_000);
    assert_eq!(refused(&town.submit_one(&own).await)["code"], "own_sale");
    town.close().await;
}

#[tokio::test]
async fn a_sale_that_nobody_chose_for_lapses() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let group = town.found(&cafe).await;
    town.found(&cafe).await;
    let sale = sell_to(&town, &cafe, code(&town, &buyer).await, 50_000);
    town.applied(&[&sale]).await;
    // The sweep comes by when a server starts, and every minute.
    let town = town.reopen(8 * Timestamp::DAY).await;
    eventually(async || town.snapshot(&buyer).await.waiting.is_empty().then_some(())).await;
    let late = choose(&town, &buyer, &cafe, &sale, group);
    let reason = refused(&town.submit_one(&late).await);
    assert_eq!((&reason["code"], &reason["days"]), (&"sale_lapsed".into(), &7.into()));
    town.close().await;
}
