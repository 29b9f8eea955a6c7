//! The binary as people start it.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_server::http::{ClockTime, Health};
use support::moa;

/// Starts a server and reads from its first line where it listens.
fn serve(data: &Path) -> (Child, String) {
    serve_with(data, &[])
}

fn serve_with(data: &Path, more: &[&str]) -> (Child, String) {
    let mut command = moa();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
    (child, url)
}

fn terminate(child: &Child, signal: &str) {
    let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

#[tokio::test]
async fn sigterm_and_ctrl_c_end_a_server_cleanly_with_status_0() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("moa-data");
    // Built together with the phone, reqwest has TLS and wants to know whose, even where none is spoken.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for signal in ["-TERM", "-INT"] {
        let (child, url) = serve(&data);
        let health: Health = client.get(format!("{url}/healthz")).send().await.unwrap().json().await.unwrap();
        assert_eq!(health.status, "ok");
        // The client keeps its idle connection; the server does not wait for it.
        terminate(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let verified = moa().arg("verify").arg("--data").arg(&data).output().unwrap();
    assert_eq!(verified.status.code(), Some(0));
    assert!(String::from_utf8(verified.stdout).unwrap().contains("clean"));
}

#[test]
fn verify_says_by_its_status_that_it_could_not_look() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = moa().arg("verify").arg("--data").arg(folder.path()).output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8(nothing.stderr).unwrap().contains("moa.db"));
    std::fs::write(folder.path().join("moa.db"), b"this is no database, whatever its name says").unwrap();
    let broken = moa().arg("verify").arg("--data").arg(folder.path()).output().unwrap();
    assert_eq!(broken.status.code(), Some(2));
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_or_port_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (first, url) = serve(folder.path());
    let same_folder =
        moa().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path()).output().unwrap();
    assert_eq!(same_folder.status.code(), Some(2));
    assert!(String::from_utf8(same_folder.stderr).unwrap().contains("in use by another server"));

    let (other, address) = (tempfile::tempdir().unwrap(), url.strip_prefix("http://").unwrap());
    let same_port = moa().args(["serve", "--listen", address, "--data"]).arg(other.path()).output().unwrap();
    assert_eq!(same_port.status.code(), Some(2));
    assert!(String::from_utf8(same_port.stderr).unwrap().contains("--listen"));

    terminate(&first, "-TERM");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
}

#[tokio::test]
async fn the_clock_is_moved_where_the_flag_says_so_and_only_out_of_others_reach() {
    let folder = tempfile::tempdir().unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (child, url) = serve_with(folder.path(), &["--test-clock"]);
    let before: Health = client.get(format!("{url}/healthz")).send().await.unwrap().json().await.unwrap();
    let later = ClockTime { now: before.now.plus(1) };
    let moved = client.post(format!("{url}/v1/test/clock")).json(&later).send().await.unwrap();
    assert_eq!(moved.json::<ClockTime>().await.unwrap(), later);
    let after: Health = client.get(format!("{url}/healthz")).send().await.unwrap().json().await.unwrap();
    assert_eq!(after.now, later.now, "it stands");
    terminate(&child, "-TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));

    let mut open = moa();
    open.args(["serve", "--test-clock", "--listen", "0.0.0.0:0", "--data"]).arg(folder.path());
    let refused = open.output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("this machine alone"));
}

#[test]
fn the_document_is_printed_as_json() {
    let output = moa().args(["openapi", "--link-base", "https://moa.example/"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["servers"][0]["url"], "https://moa.example");
}

#[tokio::test]
async fn an_operator_is_appointed_by_number_or_account_where_the_server_is() {
    let town = support::Town::open().await;
    let device = town.enrol("010-1111-1111").await;
    let shop = town.shop("010-2222-2222", "Cafe").await;
    let sets = |town: &support::Town| {
        let body = OpBody::SetAllowance { merchant: shop.merchant, most: Money(2_000_000_000) };
        device.op(town.now(), body)
    };
    assert_eq!(support::refused(&town.submit_one(&sets(&town)).await)["code"], "not_allowed");
    let database = town.database();
    let says = |folder: &Path, what: &str, who: &str| {
        let mut command = moa();
        command.envs(database.as_ref().map(|url| ("MOA_DATABASE", url)));
        let output = command.args(["operator", what, who, "--data"]).arg(folder).output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), text)
    };
    let account = device.account.to_string();
    let folder = town.folder();
    let (code, text) = says(&folder, "appoint", "010-1111-1111");
    assert!(code == Some(2) && text.contains("in use by another server"), "{text}");

    let appointed = std::cell::RefCell::new(Vec::new());
    let town = town.reopen_after(60_000, |folder| {
        for who in ["010-1111-1111", &account] {
            appointed.borrow_mut().push(says(folder, "appoint", who));
        }
        for (who, why) in
            [("010-9999-9999", "nobody"), ("ee".repeat(16).as_str(), "nobody"), ("neither", "neither")]
        {
            let (code, text) = says(folder, "appoint", who);
            assert!(code == Some(2) && text.contains(why), "{who}: {text}");
        }
    });
    let town = town.await;
    for (code, text) in appointed.into_inner() {
        assert_eq!((code, text.trim()), (Some(0), format!("{account} is an operator").as_str()));
    }
    town.applied(&[&sets(&town)]).await;

    let town = town.reopen_after(60_000, |folder| {
        assert_eq!(says(folder, "dismiss", &account), (Some(0), format!("{account} is no operator\n")));
    });
    let town = town.await;
    assert_eq!(support::refused(&town.submit_one(&sets(&town)).await)["code"], "not_allowed");
    town.close().await;
}
