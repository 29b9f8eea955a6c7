//! Standing choices over HTTP: always this group, and the best after a day.

mod support;

use moa_rules::event::{Event, EventBody};
use moa_rules::id::GroupId;
use moa_rules::member::Buyer;
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::Verdict;
use moa_wire::canonical;
use moa_wire::token::Checked;
use support::{Device, Shop, Town, eventually, refused};

const CAFE: &str = "010-1111-1111";
const BUYER: &str = "010-3333-3333";

async fn sell_to(town: &Town, shop: &Shop, buyer: &Device, won: i64) -> Checked<Op> {
    let secret = town.snapshot(buyer).await.member.expect("every account has one");
    let (code, _) = secret.code(town.now()).unwrap();
    let body = OpBody::SellTo { amount: Money(won), buyer: Buyer::Member(code), redemption: None };
    let sale = shop.device.op(town.now(), body);
    town.applied(&[&sale]).await;
    sale
}

fn stand(town: &Town, buyer: &Device, groups: Vec<GroupId>, best: bool) -> Checked<Op> {
    buyer.op(town.now(), OpBody::SetStanding { choice: StandingChoice { groups, best } })
}

#[tokio::test]
async fn a_sale_goes_to_the_standing_group_at_once() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let (_, other) = (town.found(&cafe).await, town.found(&cafe).await);
    assert_eq!(town.snapshot(&buyer).await.standing, StandingChoice::default());
    let standing = stand(&town, &buyer, vec![other], true);
    town.applied(&[&standing]).await;
    assert_eq!(town.submit_one(&standing).await, Verdict::Duplicate { refused: None });
    sell_to(&town, &cafe, &buyer, 50_000).await;
    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((snapshot.lots.len(), snapshot.lots[0].group, snapshot.waiting.len()), (1, other, 0));
    // Every phone of the account learns it, from the inbox and from the snapshot.
    let tablet = town.enrol(BUYER).await;
    assert_eq!(town.snapshot(&tablet).await.standing, StandingChoice { groups: vec![other], best: true });
    let changes = town.changes(&tablet, "", 0).await;
    let events = changes.inboxes[0].events.iter().map(|event| canonical::decode::<Event>(&event.0).unwrap());
    assert_eq!(events.filter(|event| matches!(event.body, EventBody::StandingSet { .. })).count(), 1);

    let strange = stand(&town, &buyer, vec![GroupId([9; 16])], false);
    assert_eq!(refused(&town.submit_one(&strange).await)["code"], "unknown_group");
    let many = stand(&town, &buyer, vec![other; 21], false);
    let reason = refused(&town.submit_one(&many).await);
    assert_eq!((&reason["code"], &reason["max"]), (&"too_many_groups".into(), &20.into()));
    town.close().await;
}

#[tokio::test]
async fn the_sweep_takes_the_best_after_a_day_for_who_agreed_and_nobody_else() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let undecided = town.enrol("010-4444-4444").await;
    let mut groups = [town.found(&cafe).await, town.found(&cafe).await];
    groups.sort();
    sell_to(&town, &cafe, &buyer, 50_000).await;
    sell_to(&town, &cafe, &undecided, 50_000).await;
    town.applied(&[&stand(&town, &buyer, Vec::new(), true)]).await;
    // The sweep comes by when a server starts, and every minute.
    let town = town.reopen(Timestamp::DAY - 2).await;
    assert_eq!(town.snapshot(&buyer).await.waiting.len(), 1);
    let town = town.reopen(2).await;
    eventually(async || town.snapshot(&buyer).await.waiting.is_empty().then_some(())).await;
    let lots = town.snapshot(&buyer).await.lots;
    // Equal in rate and validity: the lower id.
    assert_eq!((lots.len(), lots[0].group, lots[0].units.get()), (1, groups[0], 1_500));
    assert_eq!(town.snapshot(&undecided).await.waiting.len(), 1);
    town.close().await;
}

#[tokio::test]
async fn who_takes_the_agreement_back_and_gives_it_again_gets_the_best_still() {
    let town = Town::open().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    town.found(&cafe).await;
    town.found(&cafe).await;
    sell_to(&town, &cafe, &buyer, 50_000).await;
    town.applied(&[&stand(&town, &buyer, Vec::new(), true)]).await;
    town.applied(&[&stand(&town, &buyer, Vec::new(), false)]).await;
    let town = town.reopen(2 * Timestamp::DAY).await;
    town.applied(&[&stand(&town, &buyer, Vec::new(), true)]).await;
    assert_eq!(town.snapshot(&buyer).await.waiting.len(), 1);
    let town = town.reopen(1).await;
    eventually(async || town.snapshot(&buyer).await.waiting.is_empty().then_some(())).await;
    assert_eq!(town.balance(&buyer).await, 1_500);
    town.close().await;
}
