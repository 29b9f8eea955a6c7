//! The main job over HTTP on PostgreSQL, by one server and by two.

mod support;

use moa_rules::op::OpBody;
use moa_wire::api::Verdict;
use support::{Town, read};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

#[tokio::test]
async fn from_a_scan_to_paying_next_door() {
    let town = Town::open_on_postgres().await;
    let buyer = town.enrol(BUYER).await;
    let (cafe, bakery) = (town.shop(CAFE, "카페").await, town.shop(BAKERY, "빵집").await);
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;
    let sale = town.sale(&cafe, 50_000);
    town.applied(&[&town.claim(&buyer, &sale, group)]).await;
    assert_eq!(town.submit_one(&sale).await, Verdict::Duplicate { refused: None });
    town.applied(&[&town.redemption(&bakery, &buyer, group, 1_000)]).await;
    assert_eq!(town.balance(&buyer).await, 500);

    // A restart finds everything, and the folder keeps its secrets.
    let town = town.reopen(1).await;
    assert_eq!(town.balance(&buyer).await, 500);
    assert_eq!(town.directory(&buyer, "").await.merchants.len(), 2);
    town.close().await;
}

#[tokio::test]
async fn a_phone_that_waits_at_one_server_gets_what_another_committed() {
    let town = Town::open_on_postgres().await;
    let other = town.further().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = other.shop(CAFE, "카페").await;
    let group = town.found(&cafe).await;
    let cursor = town.changes(&buyer, "", 0).await.cursor;
    let claim = town.claim(&buyer, &town.sale(&cafe, 50_000), group);
    let waiting = town.changes(&buyer, &cursor, 25);
    let claims = [&claim];
    let (changes, ()) = tokio::join!(waiting, other.applied(&claims));
    assert_eq!(changes.inboxes[0].events.len(), 1, "before the wait was over");
    // And the same op at the first server is known there.
    assert_eq!(town.submit_one(&claim).await, Verdict::Duplicate { refused: None });
    other.server.shutdown().await;
    town.close().await;
}

#[tokio::test]
async fn an_enrolment_may_be_begun_at_one_server_and_ended_at_another() {
    let town = Town::open_on_postgres().await;
    let other = town.further().await;
    let (key, _) = moa_wire::keys::SoftwareKey::generate().unwrap();
    let enrolment = town.begin(BUYER, &key).await;
    // Either server may have sent the code: it is the same.
    let sent = |town: &Town| town.server.development().is_some();
    assert!(sent(&town) && sent(&other));
    let code = support::eventually(async || {
        for at in [&town, &other] {
            let path = format!("/v1/development/inbox?phone={BUYER}");
            let inbox: moa_server::http::DevelopmentInbox = read(at.get(&path, None).await).await;
            let text = inbox.messages.into_iter().next().map(|message| message.text);
            if let Some(text) = text {
                return Some(text.chars().filter(char::is_ascii_digit).collect::<String>());
            }
        }
        None
    })
    .await;
    let confirmation = support::confirmation(&code, &enrolment, &key);
    let enrolled: moa_wire::api::Enrolled = read(other.confirm(&enrolment, &confirmation).await).await;
    let buyer = support::Device::new(key, enrolled);
    let op = buyer.op(town.now(), OpBody::RegisterMerchant { profile: support::profile("카페") });
    town.applied(&[&op]).await;
    other.server.shutdown().await;
    town.close().await;
}
