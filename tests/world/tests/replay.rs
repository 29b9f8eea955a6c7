//! Visits as purchases: the made-up town, through real phones and a real server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use moa_ledger::verify::verify_file;
use moa_rules::time::Timestamp;
use moa_server::{Config, database, start, system_clock};
use moa_world::replay::phones::Home;
use moa_world::replay::visits::City;
use moa_world::replay::{BEGINS, Options, Report, replay};
use serde_json::Value;

fn town(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("town").join(file)
}

fn city() -> City {
    City::read(&town("venues.csv"), &town("visits.csv")).unwrap()
}

fn options(limit: usize) -> Options {
    Options { limit, seed: 1, server: None, phones: Home::Memory }
}

/// What follows from the files and the seed alone.
fn counts(report: &Report) -> [i64; 9] {
    let counts =
        [report.purchases, report.accrued_ops, report.refused_ops, report.phones, report.nothing_usable];
    let [purchases, accrued, refused, phones, nothing] = counts.map(|count| i64::try_from(count).unwrap());
    let Report { units_issued, units_redeemed, units_expired, units_outstanding, .. } = *report;
    [
        purchases,
        accrued,
        refused,
        phones,
        nothing,
        units_issued,
        units_redeemed,
        units_expired,
        units_outstanding,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_purchases_balance_and_every_phone_agrees() {
    let report = replay(city(), &options(2_000), |_| {}).await.unwrap();
    report.check().unwrap();
    assert_eq!((report.books.as_str(), report.visits), ("balanced", 3_268));
    assert_eq!(report.phone_balances_equal, report.phones);
    assert!(report.chains_recomputed > report.phones, "a shop follows its groups too");
    // The purchases at shops alone in every sense are refused; all others earn, or were paid in mileage whole.
    assert_eq!(counts(&report), [2_000, 1_955, 18, 100, 16, 2_119_764, 596_694, 1_031_021, 492_049]);
    let [.., issued, redeemed, expired, outstanding] = counts(&report);
    assert_eq!(issued, redeemed + expired + outstanding);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_disk_with_few_phones_open_the_same_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk =
        Options { phones: Home::Folder { path: folder.path().join("phones"), open: 3 }, ..options(60) };
    let one = replay(city(), &on_disk, |_| {}).await.unwrap();
    let other = replay(city(), &options(60), |_| {}).await.unwrap();
    assert_eq!(counts(&one), counts(&other));
    assert_eq!((one.phone_balances_equal, one.books.as_str()), (one.phones, "balanced"));
    let another = replay(city(), &Options { seed: 2, ..options(60) }, |_| {}).await.unwrap();
    assert_ne!(counts(&one), counts(&another));

    let again = replay(city(), &on_disk, |_| {}).await.unwrap_err().to_string();
    assert!(again.contains("name an empty folder"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_an_address_the_phones_come_to_the_same() {
    let data = tempfile::tempdir().unwrap();
    let config = Config { test_clock: true, ..Config::local(data.path()) };
    let server = start(&config, Arc::new(|| BEGINS)).await.unwrap();
    let far = Options { server: Some(server.url()), ..options(60) };
    let there = replay(city(), &far, |_| {}).await.unwrap();
    there.check().unwrap();
    assert!(there.books.contains("moa verify"), "{}", there.books);
    let here = replay(city(), &options(60), |_| {}).await.unwrap();
    assert_eq!(counts(&there), counts(&here));

    // The year after, with other people, on the same server.
    let later = replay(city(), &far, |_| {}).await.unwrap();
    assert_eq!((later.phone_balances_equal, later.purchases), (later.phones, 60));
    assert!(server.engine().now() >= BEGINS.plus(2 * 365 * Timestamp::DAY));
    server.shutdown().await;
    let report = verify_file(&database(data.path())).unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_time_cannot_be_moved_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let server = start(&Config::local(data.path()), system_clock()).await.unwrap();
    let far = Options { server: Some(server.url()), ..options(1) };
    let why = replay(city(), &far, |_| {}).await.unwrap_err().to_string();
    assert!(why.contains("--test-clock"), "{why}");
    server.shutdown().await;
}

fn world(arguments: &[&str]) -> Output {
    let mut world = Command::new(env!("CARGO_BIN_EXE_world"));
    world.args(["replay", "--venues"]).arg(town("venues.csv")).arg("--visits").arg(town("visits.csv"));
    world.args(arguments).output().unwrap()
}

#[test]
fn the_last_line_is_one_object_with_these_fields() {
    let output = world(&["--limit", "5", "--seed", "7", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    let fields: Vec<&str> = last.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "visits",
        "purchases",
        "accrued_ops",
        "refused_ops",
        "units_issued",
        "units_redeemed",
        "units_expired",
        "units_outstanding",
        "wall_s",
        "ops_per_s",
        "p50_ms",
        "p99_ms",
        "phones",
        "phone_balances_equal",
        "chains_recomputed",
        "nothing_usable",
        "books",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!((&last["books"], &last["purchases"]), (&"balanced".into(), &5.into()));
    assert!(!output.stderr.is_empty(), "progress");
}

#[test]
fn files_that_are_none_are_told_by_name() {
    let output = Command::new(env!("CARGO_BIN_EXE_world"))
        .args(["replay", "--venues", "not-there.csv", "--visits", "neither.csv"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not-there.csv"));
}
