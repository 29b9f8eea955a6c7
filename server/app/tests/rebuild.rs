//! A folder written anew with the binary, as people do it.

mod support;

use std::ffi::OsStr;
use std::path::Path;

use moa_rules::id::GroupId;
use moa_wire::api::Verdict;
use rusqlite::Connection;
use support::{Device, Shop, Town, moa};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

struct Alley {
    town: Town,
    bakery: Shop,
    buyer: Device,
    group: GroupId,
}

/// 3,000 points earned, 500 of them spent next door.
async fn alley() -> Alley {
    let town = Town::open_on_sqlite().await;
    let (buyer, cafe) = (town.enrol(BUYER).await, town.shop(CAFE, "Cafe").await);
    let bakery = town.shop(BAKERY, "Bakery").await;
    let group = town.found(&cafe).await;
    town.join(&bakery, group).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 100_000), group)]).await;
    town.applied(&[&town.redemption(&bakery, &buyer, group, 500)]).await;
    Alley { town, bakery, buyer, group }
}

/// What a command says, and its status.
fn says(arguments: &[&OsStr]) -> (Option<i32>, String) {
    let output = moa().args(arguments).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn rebuild(data: &Path, to: &Path) -> (Option<i32>, String) {
    says(&["rebuild".as_ref(), "--data".as_ref(), data.as_ref(), "--to".as_ref(), to.as_ref()])
}

fn verify(data: &Path) -> (Option<i32>, String) {
    says(&["verify".as_ref(), "--data".as_ref(), data.as_ref()])
}

fn damage(data: &Path, sql: &str) {
    Connection::open(moa_server::database(data)).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn a_folder_is_written_anew_while_its_server_runs() {
    let Alley { town, .. } = alley().await;
    let beside = tempfile::tempdir().unwrap();
    let new = beside.path().join("new");
    let (code, text) = rebuild(&town.folder(), &new);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("its tables equal the journal's") && text.contains("clean"), "{text}");
    assert_eq!(verify(&new).0, Some(0));

    let before = std::fs::read(moa_server::database(&new)).unwrap();
    let (code, text) = rebuild(&town.folder(), &new);
    assert!(code == Some(2) && text.contains("nothing is overwritten"), "{text}");
    assert_eq!(std::fs::read(moa_server::database(&new)).unwrap(), before);
    town.close().await;
}

#[tokio::test]
async fn people_go_on_with_a_folder_whose_tables_were_damaged() {
    let Alley { town, bakery, buyer, group } = alley().await;
    assert_eq!(town.balance(&buyer).await, 2_500);
    let before = town.redemption(&bakery, &buyer, group, 100);
    town.applied(&[&before]).await;
    let town = town.reopen_after(60_000, |folder| {
        damage(folder, "UPDATE lots SET remaining = units; DELETE FROM balances; DELETE FROM counters;");
        let (code, text) = verify(folder);
        assert!(code == Some(1) && text.contains("differs: lot"), "{text}");
        let new = folder.join("new");
        let (code, text) = rebuild(folder, &new);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("differs: lot") && text.contains("not in the new place"), "{text}");
        for file in ["moa.db", "server-key.p8", "pepper"] {
            std::fs::rename(new.join(file), folder.join(file)).unwrap();
        }
    });
    let town = town.await;
    assert_eq!(town.balance(&buyer).await, 2_400);
    assert_eq!(town.submit_one(&before).await, Verdict::Duplicate { refused: None });
    town.applied(&[&town.redemption(&bakery, &buyer, group, 2_400)]).await;
    town.close().await;
}

#[tokio::test]
async fn a_folder_whose_journal_is_damaged_is_told_and_nothing_is_written() {
    let Alley { town, .. } = alley().await;
    let folder = town.folder();
    let beside = tempfile::tempdir().unwrap();
    let new = beside.path().join("new");
    damage(&folder, "UPDATE ops SET payload_hash = zeroblob(32) WHERE seq = 3");
    let (code, text) = rebuild(&folder, &new);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("differs: op") && text.contains("restore a backup"), "{text}");
    assert!(!new.exists());
}

#[test]
fn a_folder_without_a_database_or_without_its_secrets_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let (code, text) = rebuild(&old, &new);
    assert!(code == Some(2) && text.contains("which folder"), "{text}");
    assert!(!old.exists() && !new.exists());
    std::fs::create_dir(&old).unwrap();
    std::fs::write(moa_server::database(&old), vec![7; 8_192]).unwrap();
    let (code, text) = rebuild(&old, &new);
    assert!(code == Some(2) && text.contains("not a database"), "{text}");
    assert!(!new.exists());
}

#[tokio::test]
async fn without_its_key_a_folder_is_not_written_anew() {
    let Alley { town, .. } = alley().await;
    let folder = town.folder();
    let new = folder.join("new");
    std::fs::remove_file(folder.join("pepper")).unwrap();
    let (code, text) = rebuild(&folder, &new);
    assert!(code == Some(2) && text.contains("pepper"), "{text}");
    assert!(!new.exists());
}
