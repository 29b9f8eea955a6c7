//! The main job over HTTP: a sale becomes mileage, mileage pays next door, and everyone reads what happened.

mod support;

use std::time::{Duration, Instant};

use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::op::OpBody;
use moa_rules::time::Timestamp;
use moa_wire::api::{
    Changes, Directory, GroupEntry, InboxChanges, InboxName, MAX_CHANGES, MAX_DIRECTORY, MerchantEntry,
    Verdict,
};
use moa_wire::token::{Head, Sealed};
use moa_wire::{canonical, chain};
use reqwest::Method;
use support::{Device, Town, problem, read, refused};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

fn events(changes: &InboxChanges) -> Vec<EventBody> {
    changes.events.iter().map(|event| canonical::decode::<Event>(&event.0).unwrap().body).collect()
}

/// Recomputes the hash over an inbox from its beginning and compares with the head that the server signed.
fn check_head(device: &Device, changes: &InboxChanges) {
    assert_eq!(changes.first, 1);
    let inbox = Inbox::from(changes.inbox);
    let (mut count, mut hash) = (0, chain::start(inbox));
    for event in &changes.events {
        count += 1;
        hash = chain::next(hash, count, &event.0);
    }
    let head = Sealed::<Head>::parse(&changes.head.0).unwrap().check(&device.server_key).unwrap();
    assert_eq!(*head.value(), Head::new(inbox, count, hash));
}

fn of(changes: &Changes, inbox: InboxName) -> &InboxChanges {
    changes.inboxes.iter().find(|changes| changes.inbox == inbox).unwrap()
}

#[tokio::test]
async fn from_a_scan_to_a_balance_and_to_paying_next_door() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let bakery = town.shop(BAKERY, "Bakery").await;
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;

    // The buyer is first to have a signal: the sale travels inside the claim, and the shop's own push repeats it.
    let sale = town.sale(&cafe, 50_000);
    town.applied(&[&town.claim(&buyer, &sale, group)]).await;
    assert_eq!(town.submit_one(&sale).await, Verdict::Duplicate { refused: None });
    assert_eq!(town.balance(&buyer).await, 1_500);

    let redemption = town.redemption(&bakery, &buyer, group, 1_000);
    town.applied(&[&redemption]).await;
    assert_eq!(town.balance(&buyer).await, 500);
    assert_eq!(town.submit_one(&redemption).await, Verdict::Duplicate { refused: None });
    assert_eq!(town.balance(&buyer).await, 500);

    // 500 are left and the group's mileage is usable from 1 000.
    let below = town.redemption(&bakery, &buyer, group, 500);
    let answer = town.submit_one(&below).await;
    let reason = refused(&answer);
    assert_eq!(
        (&reason["code"], &reason["minimum"], &reason["available"]),
        (&"below_minimum".into(), &1_000.into(), &500.into())
    );
    let Verdict::Refused(told) = &answer else { unreachable!() };
    assert!(told.text.contains("1,000") && told.text.contains("500"), "{}", told.text);
    let again = town.submit_one(&below).await;
    assert_eq!(again, Verdict::Duplicate { refused: Some(told.clone()) });

    let changes = town.changes(&buyer, "", 0).await;
    assert!(!changes.more && changes.inboxes.len() == 1, "a buyer has one inbox");
    let inbox = of(&changes, InboxName::Account(buyer.account));
    check_head(&buyer, inbox);
    assert!(matches!(
        events(inbox).as_slice(),
        [EventBody::DeviceEnrolled { .. }, EventBody::Accrued { .. }, EventBody::Redeemed { .. }]
    ));

    let changes = town.changes(&bakery.device, "", 0).await;
    let names: Vec<InboxName> = changes.inboxes.iter().map(|changes| changes.inbox).collect();
    assert_eq!(
        names,
        [
            InboxName::Account(bakery.device.account),
            InboxName::Merchant(bakery.merchant),
            InboxName::Group(group)
        ]
    );
    changes.inboxes.iter().for_each(|inbox| check_head(&bakery.device, inbox));
    assert!(matches!(
        events(of(&changes, InboxName::Merchant(bakery.merchant))).as_slice(),
        [EventBody::MerchantRegistered { .. }, EventBody::MemberJoined { .. }, EventBody::Redeemed { .. }]
    ));
    town.close().await;
}

#[tokio::test]
async fn refusals_are_told_in_the_caller_s_language() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let op = moa_wire::api::Ops {
        ops: vec![moa_wire::api::Base64(town.sale(&cafe, 0).bytes().to_vec())],
        ..Default::default()
    };
    let mut texts = Vec::new();
    for language in ["en", "ko"] {
        let request = town.client.post(town.url("/v1/ops")).header("accept-language", language).json(&op);
        let verdicts: moa_wire::api::Verdicts = read(request.send().await.unwrap()).await;
        let (Verdict::Refused(told) | Verdict::Duplicate { refused: Some(told) }) = &verdicts.verdicts[0]
        else {
            panic!("{verdicts:?}")
        };
        texts.push(told.text.clone());
    }
    assert!(texts[0].is_ascii() && !texts[1].is_ascii(), "{texts:?}");
    town.close().await;
}

#[tokio::test]
async fn a_long_poll_wakes_up_when_something_lands() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    let cursor = town.changes(&buyer, "", 0).await.cursor;

    let began = Instant::now();
    let act = async {
        let claim = town.claim(&buyer, &town.sale(&cafe, 50_000), group);
        town.applied(&[&claim]).await;
    };
    let (changes, ()) = tokio::join!(town.changes(&buyer, &cursor, 25), act);
    assert_eq!(changes.inboxes[0].first, 2);
    assert!(matches!(events(&changes.inboxes[0])[..], [EventBody::Accrued { .. }]));
    assert!(began.elapsed() < Duration::from_secs(20), "it did not wait to the end");

    let nothing = town.changes(&buyer, &changes.cursor, 0).await;
    assert!(nothing.inboxes.is_empty() && nothing.cursor == changes.cursor);
    town.close().await;
}

#[tokio::test]
async fn a_long_poll_sees_an_inbox_that_opens_while_it_waits() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let bakery = town.shop(BAKERY, "Bakery").await;
    let group = town.found(&cafe).await;
    let cursor = town.changes(&bakery.device, "", 0).await.cursor;
    let (changes, ()) = tokio::join!(town.changes(&bakery.device, &cursor, 25), town.join(&bakery, group));
    let mut seen: Vec<InboxName> = changes.inboxes.iter().map(|changes| changes.inbox).collect();
    let rest = town.changes(&bakery.device, &changes.cursor, 0).await;
    seen.extend(rest.inboxes.iter().map(|changes| changes.inbox));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [InboxName::Merchant(bakery.merchant), InboxName::Group(group)]);
    town.close().await;
}

#[tokio::test]
async fn a_stopping_server_answers_long_polls_at_once() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cursor = town.changes(&buyer, "", 0).await.cursor;
    let began = Instant::now();
    let path = format!("/v1/changes?cursor={cursor}&wait=25");
    let poll = tokio::spawn(town.request(Method::GET, &path, &buyer).await.send());
    // The poll waits, or is about to, once the server has read its token; it answers all the same if not.
    assert_eq!(town.get("/v1/snapshot", &buyer).await.status(), 200);
    town.server.shutdown().await;
    if let Ok(answer) = poll.await.unwrap() {
        let changes: Changes = read(answer).await;
        assert!(changes.inboxes.is_empty());
    }
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn more_events_than_fit_come_in_pages_without_gaps() {
    let town = Town::open().await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let sales: Vec<_> = (0..MAX_CHANGES + 150).map(|_| town.sale(&cafe, 1_000)).collect();
    for batch in sales.chunks(100) {
        town.applied(&batch.iter().collect::<Vec<_>>()).await;
    }
    let (mut cursor, mut events, mut pages) = (String::new(), 0, 0);
    loop {
        let changes = town.changes(&cafe.device, &cursor, 0).await;
        assert!(changes.inboxes.iter().map(|inbox| inbox.events.len()).sum::<usize>() <= MAX_CHANGES);
        for inbox in changes.inboxes.iter().filter(|inbox| inbox.inbox == InboxName::Merchant(cafe.merchant))
        {
            assert_eq!(inbox.first, events + 1);
            events += inbox.events.len() as u64;
        }
        (cursor, pages) = (changes.cursor, pages + 1);
        if !changes.more {
            break;
        }
    }
    assert_eq!((events, pages), (1 + sales.len() as u64, 2));
    town.close().await;
}

#[tokio::test]
async fn nobody_reads_another_s_inbox_whatever_the_cursor_says() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    town.found(&cafe).await;
    let theirs = town.changes(&cafe.device, "", 0).await.cursor;
    let changes = town.changes(&buyer, &theirs, 0).await;
    let names: Vec<InboxName> = changes.inboxes.iter().map(|changes| changes.inbox).collect();
    assert_eq!(names, [InboxName::Account(buyer.account)]);
    town.close().await;
}

#[tokio::test]
async fn cursors_that_cannot_be_honoured_are_told_apart() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let ahead = data_encoding::BASE64URL_NOPAD.encode(&canonical::encode(&vec![(
        Inbox::Account(buyer.account),
        7_u64,
        0_u32,
    )]));
    let gone = problem(town.get(&format!("/v1/changes?cursor={ahead}"), &buyer).await).await;
    assert_eq!((gone.status, gone.code.as_str()), (410, "cursor_gone"));
    for path in ["/v1/changes?cursor", "/v1/changes?directory", "/v1/directory?cursor"] {
        for cursor in ["x", "AAAA", "%00", "%EA%B0%80", &"A".repeat(50_000)] {
            let bad = problem(town.get(&format!("{path}={cursor}"), &buyer).await).await;
            assert_eq!((bad.status, bad.code.as_str()), (400, "bad_cursor"), "{path} {cursor}");
        }
    }
    for path in ["/v1/changes?wait=soon", "/v1/changes?wait=-1", "/v1/changes?cursor=a&cursor=b"] {
        let bad = problem(town.get(path, &buyer).await).await;
        assert_eq!((bad.status, bad.code.as_str()), (400, "bad_parameter"), "{path}");
    }
    town.close().await;
}

#[tokio::test]
async fn a_snapshot_goes_on_where_changes_begin() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 50_000), group)]).await;

    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((snapshot.account, snapshot.merchant), (buyer.account, None));
    let [lot] = snapshot.lots.as_slice() else { panic!("{snapshot:?}") };
    assert_eq!((lot.group, lot.issuer, lot.remaining.get()), (group, cafe.merchant, 1_500));
    let head = Sealed::<Head>::parse(&snapshot.heads[0].0).unwrap().check(&buyer.server_key).unwrap();
    assert_eq!((head.value().inbox, head.value().count), (Inbox::Account(buyer.account), 2));
    assert!(town.changes(&buyer, &snapshot.cursor, 0).await.inboxes.is_empty());

    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 10_000), group)]).await;
    let changes = town.changes(&buyer, &snapshot.cursor, 0).await;
    assert_eq!((changes.inboxes[0].first, changes.inboxes[0].events.len()), (3, 1));

    let shop = town.snapshot(&cafe.device).await;
    assert_eq!((shop.merchant, shop.heads.len()), (Some(cafe.merchant), 3));
    town.close().await;
}

#[tokio::test]
async fn the_directory_shows_shops_their_groups_and_their_keys() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let bakery = town.shop(BAKERY, "Bakery").await;
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;

    let directory = town.directory(&buyer, "").await;
    assert_eq!((directory.merchants.len(), directory.groups.len(), directory.more), (2, 1, false));
    let mut members = vec![cafe.merchant, bakery.merchant];
    members.sort_unstable();
    assert_eq!((directory.groups[0].group.id, &directory.groups[0].members), (group, &members));
    let shop = directory.merchants.iter().find(|shop| shop.id == cafe.merchant).unwrap();
    assert_eq!((shop.profile.name.as_str(), &shop.groups), ("Cafe", &vec![group]));
    assert_eq!(shop.keys[0].id, cafe.device.key_id());

    let entry: GroupEntry = read(town.get(&format!("/v1/groups/{group}"), &buyer).await).await;
    assert_eq!(entry, directory.groups[0]);
    let entry: MerchantEntry =
        read(town.get(&format!("/v1/merchants/{}", cafe.merchant), &buyer).await).await;
    assert_eq!(entry, *shop);
    let entry: MerchantEntry =
        read(town.get(&format!("/v1/keys/{}", cafe.device.key_id()), &buyer).await).await;
    assert_eq!(entry, *shop);
    for path in [
        format!("/v1/keys/{}", buyer.key_id()),
        "/v1/keys/0011223344556677".to_owned(),
        format!("/v1/groups/{}", cafe.merchant),
        "/v1/merchants/nobody".to_owned(),
        "/v1/groups/%FF".to_owned(),
    ] {
        assert_eq!(problem(town.get(&path, &buyer).await).await.code, "not_found", "{path}");
    }
    town.close().await;
}

#[tokio::test]
async fn the_directory_comes_in_pages() {
    let town = Town::open().await;
    let owner = town.enrol(CAFE).await;
    for number in 0..=MAX_DIRECTORY {
        town.shop(&format!("010-5555-{number:04}"), &format!("Shop {number}")).await;
        town.pass(1);
    }
    let first = town.directory(&owner, "").await;
    assert_eq!((first.merchants.len(), first.more), (MAX_DIRECTORY, true));
    let rest = town.directory(&owner, &first.cursor).await;
    assert_eq!((rest.merchants.len(), rest.more), (1, false));
    assert_eq!(rest.merchants[0].profile.name, format!("Shop {MAX_DIRECTORY}"));

    // Beside changes too; such a request does not wait for any.
    let beside = |from: &str, wait: u64| format!("/v1/changes?wait={wait}&directory={from}");
    let changes: Changes = read(town.get(&beside("", 25), &owner).await).await;
    assert_eq!(changes.directory, Some(first));
    let from = changes.directory.map(|page| page.cursor).unwrap();
    let path = format!("{}&cursor={}", beside(&from, 25), changes.cursor);
    let started = Instant::now();
    let changes: Changes = read(town.get(&path, &owner).await).await;
    assert!(started.elapsed() < Duration::from_secs(20), "it did not wait for events");
    assert_eq!((changes.inboxes.len(), changes.directory.unwrap().merchants), (0, rest.merchants));
    let changes: Changes = read(town.get("/v1/changes", &owner).await).await;
    assert_eq!(changes.directory, None);
    town.close().await;
}

#[tokio::test]
async fn at_its_end_the_directory_steps_back_a_minute_and_no_more() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let names = |directory: &Directory| -> Vec<String> {
        directory.merchants.iter().map(|shop| shop.profile.name.clone()).collect()
    };
    let first = town.directory(&buyer, "").await;
    assert_eq!(names(&first), ["Cafe"]);
    town.pass(30 * Timestamp::SECOND);
    let again = town.directory(&buyer, &first.cursor).await;
    assert_eq!(names(&again), ["Cafe"], "another server may have been slower by a minute");
    town.pass(61 * Timestamp::SECOND);
    let later = town.directory(&buyer, &again.cursor).await;
    town.pass(61 * Timestamp::SECOND);
    assert!(names(&town.directory(&buyer, &later.cursor).await).is_empty());
    town.shop(BAKERY, "Bakery").await;
    assert_eq!(names(&town.directory(&buyer, &later.cursor).await), ["Bakery"]);
    town.found(&cafe).await;
    assert_eq!(names(&town.directory(&buyer, &later.cursor).await).len(), 2, "a shop changes by its group");
    town.close().await;
}

#[tokio::test]
async fn a_server_that_starts_late_writes_down_what_has_expired() {
    let town = Town::open().await;
    let buyer = town.enrol(BUYER).await;
    let cafe = town.shop(CAFE, "Cafe").await;
    let group = town.found(&cafe).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 50_000), group)]).await;
    let cursor = town.changes(&buyer, "", 0).await.cursor;

    let town = town.reopen(200 * Timestamp::DAY).await;
    let changes = support::eventually(async || {
        let changes = town.changes(&buyer, &cursor, 25).await;
        let bodies = events(&changes.inboxes[0]);
        bodies.iter().any(|body| matches!(body, EventBody::Expired { .. })).then_some(changes)
    })
    .await;
    let expired = events(&changes.inboxes[0]).into_iter().find_map(|body| match body {
        EventBody::Expired { allocation, .. } => Some(allocation.units.get()),
        _ => None,
    });
    assert_eq!(expired, Some(1_500));
    assert!(town.snapshot(&buyer).await.lots.is_empty());
    town.close().await;
}

#[tokio::test]
async fn ops_of_one_request_are_decided_in_order() {
    let town = Town::open().await;
    let device = town.enrol(CAFE).await;
    let (early, late) = (town.now(), town.now());
    let profile = support::profile("Cafe");
    let sale =
        OpBody::RecordSale { amount: moa_rules::quantity::Money(4_500), addressee: None, redemption: None };
    let too_early = device.op(early, sale.clone());
    let open = device.op(early, OpBody::RegisterMerchant { profile });
    let sale = device.op(late, sale);
    let verdicts = town.submit(&[&too_early, &open, &sale]).await;
    assert_eq!(refused(&verdicts[0])["code"], "no_merchant");
    assert_eq!(verdicts[1..], [Verdict::Applied, Verdict::Applied]);
    town.close().await;
}
