//! A real server stopped, yesterday's files put in the place of its own, and started again: what phones were told since is
//! sent again by themselves. (edge 50; docs/decisions/0012)

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use moa_ledger::verify::verify_file;
use moa_phone::Fate;
use moa_rules::id::OpId;
use moa_rules::quantity::{BasisPoints, Units};
use moa_rules::terms::{Scope, Terms};
use moa_rules::time::Validity;
use moa_server::database;
use moa_world::books::Books;
use moa_world::network;
use moa_world::program::Program;
use moa_world::resident::Resident;
use moa_world::town::{Town, number};
use tokio::task::block_in_place;

const PRICE: i64 = 10_000;
/// What a sale at that price earns.
const EARNED: i64 = 500;
/// For how long someone waits whom nothing should keep waiting.
const SOON: Duration = Duration::from_mins(1);

/// Every file of a folder of files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn assert_clean(data: &Path) {
    let report = verify_file(&database(data)).unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

/// Buys and claims, and waits until the server has answered both.
async fn earn(shop: &Resident, buyer: &Resident) -> [OpId; 2] {
    let voucher = shop.sell(PRICE).unwrap();
    let claim = buyer.claim_best(&voucher.text).unwrap().op;
    for (who, op) in [(shop, voucher.sale), (buyer, claim)] {
        assert_eq!(who.verdict("wait", op).await.unwrap(), Fate::Applied);
    }
    [voucher.sale, claim]
}

/// Syncs until nothing is in doubt. A sync may fail while the phone finds its way to a server that was restarted.
async fn in_step(resident: &Resident) {
    let began = Instant::now();
    while resident.sync().await.is_err() || resident.phone().breach().unwrap().is_some() {
        assert!(began.elapsed() < SOON, "{:?}", resident.client().status());
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn edge_50_yesterdays_backup_loses_nothing_that_a_phone_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (data, yesterday) = (folder.path().join("moa-data"), folder.path().join("yesterday"));
    let start = || block_in_place(|| Program::start(&data)).unwrap();
    let server = start();
    let mut town = Town::at(server.url()).unwrap();
    let shop = town.newcomer(&number(1)).await.unwrap();
    let late = town.newcomer(&number(2)).await.unwrap();
    let mut buyers = Vec::new();
    for nth in 3..6 {
        buyers.push(town.newcomer(&number(nth)).await.unwrap());
    }
    shop.open_shop("Café").await.unwrap();
    let minimum = Units::new(EARNED).unwrap();
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), minimum);
    let group = shop.found_group("Alley", Scope::Area, terms.clone()).await.unwrap();
    for buyer in &buyers {
        earn(&shop, buyer).await;
        in_step(buyer).await;
    }
    in_step(&shop).await;
    block_in_place(|| server.kill()).unwrap();
    copy(&data, &yesterday);

    // Today: more sales, a shop opens, a group, a code is shown.
    let server = start();
    town.move_to(server.url(), network::http(server.url()).unwrap());
    let mut told = Vec::new();
    for buyer in &buyers {
        for _ in 0..3 {
            let [sale, claim] = earn(&shop, buyer).await;
            told.extend([(&shop, sale), (buyer, claim)]);
        }
    }
    let opened = late.open_shop("Bakery").await.unwrap();
    late.join(group).await.unwrap();
    let second = late.found_group("Second", Scope::Area, terms).await.unwrap();
    told.extend([(&late, OpId(opened.0)), (&late, OpId(second.0))]);
    let units = Units::new(EARNED).unwrap();
    let code = buyers[0].show_code(group, units).unwrap();
    assert_eq!(shop.redeem(&code.text, units).await.unwrap(), Fate::Applied);
    for resident in buyers.iter().chain([&shop, &late]) {
        in_step(resident).await;
    }
    block_in_place(|| server.kill()).unwrap();
    assert_clean(&data);

    fs::remove_dir_all(&data).unwrap();
    copy(&yesterday, &data);
    let server = start();
    town.move_to(server.url(), network::http(server.url()).unwrap());
    // One buyer was away until now; meanwhile the others' inboxes go on.
    for resident in buyers[1..].iter().chain([&shop, &late]) {
        in_step(resident).await;
    }
    earn(&shop, &buyers[1]).await;
    for resident in buyers.iter().chain([&shop, &late]).chain(&buyers) {
        in_step(resident).await;
    }
    for (who, op) in &told {
        assert_eq!(who.phone().fate(*op).unwrap(), Some(Fate::Applied), "{op}");
    }
    // The redemption came back within the code's three minutes.
    let counts = [3, 5, 4];
    let books = Books::open(&data).unwrap();
    for (buyer, count) in buyers.iter().zip(counts) {
        assert_eq!(buyer.units(group).unwrap().0.get(), count * EARNED);
        books.agree_with(buyer.phone()).unwrap();
    }
    for resident in [&shop, &late] {
        books.agree_with(resident.phone()).unwrap();
        assert!(resident.phone().outbox().unwrap().is_empty());
    }
    drop(books);
    block_in_place(|| server.kill()).unwrap();
    assert_clean(&data);
}
