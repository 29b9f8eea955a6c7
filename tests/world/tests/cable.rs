//! The cable: what each fault does to a request, and what a phone makes of it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use moa_phone::sync::Failure;
use moa_phone::{Fate, Method, PhoneError, Request, Response, TransportError};
use moa_rules::quantity::{BasisPoints, Units};
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::Validity;
use moa_world::books::Books;
use moa_world::cable::{Cable, Fault};
use moa_world::network;
use moa_world::town::{Town, number};

fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

async fn ask(url: &str, timeout: Duration) -> Result<Response, TransportError> {
    let way = network::http(url).unwrap();
    let headers = Vec::new();
    way.send(Request { method: Method::Get, path: "/openapi.json".into(), headers, body: None, timeout })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_does_what_it_says_and_passes_by() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let cable = Cable::lay(town.url()).await.unwrap();
    let patient = || ask(cable.url(), Duration::from_secs(20));
    let whole = patient().await.unwrap();
    assert_eq!(whole.status, 200);

    cable.turn(Fault::Drop).await;
    assert!(matches!(patient().await, Err(TransportError::Broken(_) | TransportError::Unreachable(_))));
    cable.turn(Fault::Stall).await;
    assert_eq!(ask(cable.url(), Duration::from_millis(100)).await, Err(TransportError::TimedOut));
    for fault in [Fault::Half, Fault::Lose] {
        cable.turn(fault).await;
        assert!(matches!(patient().await, Err(TransportError::Broken(_))), "{fault:?}");
    }
    for (fault, status) in [(Fault::Portal, 200), (Fault::PortalRedirect, 302)] {
        cable.turn(fault).await;
        let page = patient().await.unwrap();
        assert_eq!(page.status, status);
        assert!(page.body.starts_with(b"<!doctype html>"));
    }
    cable.turn(Fault::Delay(Duration::from_millis(60))).await;
    let asked = Instant::now();
    assert_eq!(patient().await.as_ref(), Ok(&whole));
    assert!(asked.elapsed() >= Duration::from_millis(120), "there and back");
    cable.turn(Fault::Pass).await;
    assert_eq!(patient().await, Ok(whole));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_through_is_cut_off_by_the_next_turn() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let cable = Cable::lay(town.url()).await.unwrap();
    cable.turn(Fault::Stall).await;
    let waiting = tokio::spawn({
        let url = cable.url().to_owned();
        async move { ask(&url, Duration::from_secs(20)).await }
    });
    // Turned until the request was there to be cut.
    while !waiting.is_finished() {
        cable.turn(Fault::Stall).await;
    }
    assert!(matches!(waiting.await.unwrap(), Err(TransportError::Broken(_))));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_48_an_answer_lost_after_the_commit_is_known_in_the_end_and_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let cable = Cable::lay(town.url()).await.unwrap();
    let street = Town::at(cable.url()).unwrap();
    let shop = street.newcomer(&number(1)).await.unwrap();
    shop.open_shop("Cafe").await.unwrap();
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), units(100));
    let alley = shop.found_group("Alley", Scope::Building, terms).await.unwrap();
    let buyer = street.newcomer(&number(2)).await.unwrap();
    buyer.claim_best(&shop.sell(20_000).unwrap().text).unwrap();
    buyer.sync().await.unwrap();

    let code = buyer.show_code(alley, units(700)).unwrap();
    cable.turn(Fault::Lose).await;
    let asked = shop.phone().redeem(&code.text, units(700)).unwrap();
    let lost = shop.client().sync_now().await;
    assert!(matches!(lost, Err(PhoneError::Offline(_))), "{lost:?}");
    // The server has it all the same: it takes what it was sent before it answers.
    let books = || Books::open(folder.path()).unwrap();
    assert_eq!(books().group(alley).outstanding, units(300));
    assert_eq!(shop.phone().fate(asked.op).unwrap(), Some(Fate::Waiting));

    cable.turn(Fault::Pass).await;
    assert_eq!(shop.verdict("redeem", asked.op).await.unwrap(), Fate::Applied);
    for resident in [&shop, &buyer] {
        resident.sync().await.unwrap();
        books().agree_with(resident.phone()).unwrap();
    }
    assert_eq!(books().group(alley).outstanding, units(300));
    assert!(books().verify().unwrap().is_clean());
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edge_49_a_portals_page_and_half_an_answer_are_told_apart_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let town = Town::start(folder.path()).await.unwrap();
    let cable = Cable::lay(town.url()).await.unwrap();
    let street = Town::at(cable.url()).unwrap();
    let shop = street.newcomer(&number(1)).await.unwrap();
    shop.open_shop("Cafe").await.unwrap();
    shop.sell(20_000).unwrap();
    for fault in [Fault::Portal, Fault::PortalRedirect] {
        cable.turn(fault).await;
        let told = shop.client().sync_now().await;
        assert!(matches!(told, Err(PhoneError::NotOurServer(_))), "{told:?}");
        assert!(matches!(shop.client().status().failure, Some(Failure::NotOurServer(_))));
        assert_eq!(shop.phone().outbox().unwrap().len(), 1);
    }
    cable.turn(Fault::Half).await;
    let told = shop.client().sync_now().await;
    assert!(matches!(told, Err(PhoneError::Offline(_))), "{told:?}");
    assert_eq!(shop.phone().outbox().unwrap().len(), 1, "nothing of half an answer is taken");
    cable.turn(Fault::Pass).await;
    shop.sync().await.unwrap();
    assert_eq!(shop.client().status().failure, None);
    assert!(shop.phone().outbox().unwrap().is_empty());
    Books::open(folder.path()).unwrap().agree_with(shop.phone()).unwrap();
    town.stop().await;
}

#[test]
fn the_program_obeys_lines_and_ends_with_them() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_world"))
        .args(["proxy", "--server", "http://127.0.0.1:9"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = program.stdin.take().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("listening on http://127.0.0.1:"));
    for command in ["drop", "delay 250", "pass"] {
        writeln!(commands, "{command}").unwrap();
        assert_eq!(lines.next().as_deref(), Some(command));
    }
    writeln!(commands, "bite").unwrap();
    assert_eq!(lines.next().as_deref(), Some("unknown command: bite"));
    drop(commands);
    assert_eq!(lines.next(), None);
    assert!(program.wait().unwrap().success());
}

#[tokio::test]
async fn what_is_no_address_of_a_server_is_refused() {
    for nowhere in ["", "127.0.0.1:1", "https://127.0.0.1:1", "http://127.0.0.1", "http://127.0.0.1:1/path"] {
        assert!(Cable::lay(nowhere).await.is_err(), "{nowhere}");
    }
}
