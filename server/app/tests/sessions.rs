//! Sessions: a device vouches for a key, and that key reads, for as long and as far as it should.

mod support;

use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_server::Config;
use moa_wire::api::{Access, Devices, RefreshRequest, Session, SessionEnded, SessionRequest};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::SessionEndorsement;
use moa_wire::{api::Base64, dpop};
use reqwest::{Method, Response};
use support::{Device, NOON, Town, fresh_id, problem, read};

const PHONE: &str = "010-1234-5678";
const READ: &str = "/v1/snapshot";

/// Reads with these headers and no others.
async fn show(town: &Town, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = town.client.get(town.url(path)).header("accept-language", "en");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The code of the problem that an answer is; empty if it is none.
async fn told(response: Response) -> String {
    if response.status().is_success() { String::new() } else { problem(response).await.code }
}

async fn refresh(town: &Town, device: &Device, refresh: &str) -> Response {
    let body = RefreshRequest { refresh: refresh.to_owned() };
    town.post_proved("/v1/sessions/refresh", device, &body).await
}

async fn session(town: &Town, device: &Device) -> Session {
    read(town.begin_session(device, &device.endorsement(town.now())).await).await
}

#[tokio::test]
async fn a_token_reads_for_ten_minutes_with_a_proof_by_its_own_key_and_only_so() {
    let town = Town::open().await;
    let (device, other) = (town.enrol(PHONE).await, town.enrol("010-8765-4321").await);
    let Session { token, expires_at, .. } = session(&town, &device).await;
    assert_eq!(expires_at, town.now().plus(10 * Timestamp::MINUTE));
    let authorization = format!("DPoP {token}");
    let proof =
        |by: &Device, method, path: &str, token| by.proof(town.now(), &method, &town.url(path), token);
    let good = || proof(&device, Method::GET, READ, Some(token.as_str()));

    assert_eq!(
        told(show(&town, READ, &[("authorization", &authorization), ("dpop", &good())]).await).await,
        ""
    );
    let lower = format!("dpop {token}");
    assert_eq!(told(show(&town, READ, &[("authorization", &lower), ("dpop", &good())]).await).await, "");

    // The token alone, or as a bearer's, is nothing.
    assert_eq!(told(show(&town, READ, &[("authorization", &authorization)]).await).await, "proof_wrong");
    let bearer = format!("Bearer {token}");
    assert_eq!(
        told(show(&town, READ, &[("authorization", &bearer), ("dpop", &good())]).await).await,
        "unauthorized"
    );
    assert_eq!(told(show(&town, READ, &[("dpop", &good())]).await).await, "unauthorized");

    // A proof of something else, or of another's key, is none; nor are two.
    let wrong = [
        proof(&other, Method::GET, READ, Some(token.as_str())),
        proof(&device, Method::POST, READ, Some(token.as_str())),
        proof(&device, Method::GET, "/v1/changes", Some(token.as_str())),
        proof(&device, Method::GET, READ, None),
        proof(&device, Method::GET, READ, Some("another")),
        device.proof(town.now(), &Method::GET, "http://elsewhere.example/v1/snapshot", Some(token.as_str())),
        "rubbish".to_owned(),
    ];
    for wrong in &wrong {
        let answer = show(&town, READ, &[("authorization", &authorization), ("dpop", wrong)]).await;
        assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("invalid_dpop_proof"));
        assert_eq!(told(answer).await, "proof_wrong");
    }
    let (one, two) = (good(), good());
    let both = [("authorization", authorization.as_str()), ("dpop", &one), ("dpop", &two)];
    assert_eq!(told(show(&town, READ, &both).await).await, "proof_wrong");

    // An unknown token has no session, whatever is proved.
    for unknown in ["x", &token[1..], &token.to_ascii_uppercase()] {
        let proof = proof(&device, Method::GET, READ, Some(unknown));
        let authorization = format!("DPoP {unknown}");
        let answer = show(&town, READ, &[("authorization", &authorization), ("dpop", &proof)]).await;
        assert_eq!(told(answer).await, "session_over");
    }

    town.pass(10 * Timestamp::MINUTE - 1);
    let late = device.proof(town.now(), &Method::GET, &town.url(READ), Some(&token));
    assert_eq!(
        told(show(&town, READ, &[("authorization", &authorization), ("dpop", &late)]).await).await,
        ""
    );
    town.pass(1);
    let late = device.proof(town.now(), &Method::GET, &town.url(READ), Some(&token));
    assert_eq!(
        told(show(&town, READ, &[("authorization", &authorization), ("dpop", &late)]).await).await,
        "session_over"
    );
    town.close().await;
}

#[tokio::test]
async fn a_proof_is_good_once_and_for_five_minutes_on_either_side() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    // What was made before the server started is stale: another may have taken it.
    let early = device.proof(town.now().plus(-1_000), &Method::POST, &town.url("/v1/sessions"), None);
    let begin = town.client.post(town.url("/v1/sessions")).header("dpop", early);
    assert_eq!(told(begin.send().await.unwrap()).await, "proof_stale");
    town.pass(6 * Timestamp::MINUTE);
    let token = town.token(&device).await;
    let authorization = format!("DPoP {token}");
    let made = |off: i64| device.proof(town.now().plus(off), &Method::GET, &town.url(READ), Some(&token));
    for off in [-5 * Timestamp::MINUTE, 0, 5 * Timestamp::MINUTE] {
        let proof = made(off);
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        assert_eq!(told(show(&town, READ, &headers).await).await, "", "{off}");
        assert_eq!(told(show(&town, READ, &headers).await).await, "proof_reused", "{off}");
    }
    for off in [-5 * Timestamp::MINUTE - 1_000, 5 * Timestamp::MINUTE + 1_000, -400 * Timestamp::DAY] {
        let proof = made(off);
        let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
        let stale = problem(show(&town, READ, &headers).await).await;
        assert_eq!((stale.status, stale.code.as_str()), (401, "proof_stale"), "{off}");
        assert_eq!(stale.figures["now"], town.now().0, "the phone sets its clock by it");
    }
    town.close().await;
}

#[tokio::test]
async fn a_server_that_was_told_its_address_takes_proofs_for_that_address_alone() {
    let public = "https://moa.example";
    let settings = |local| Config { link_base: Some(format!("{public}/")), ..local };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, settings).await;
    let device = town.enrol(PHONE).await;
    let body = SessionRequest { endorsement: Base64(device.endorsement(town.now())), name: String::new() };
    let begin = async |url: String| {
        let proof = device.proof(town.now(), &Method::POST, &url, None);
        let request = town.client.post(town.url("/v1/sessions")).header("dpop", proof);
        told(request.json(&body).send().await.unwrap()).await
    };
    assert_eq!(begin(format!("{public}/v1/sessions")).await, "");
    assert_eq!(begin(format!("{public}:8443/v1/sessions")).await, "proof_wrong");
    assert_eq!(begin(town.url("/v1/sessions")).await, "proof_wrong", "whatever host the request names");
    town.close().await;
}

#[tokio::test]
async fn a_refresh_token_gives_tokens_to_its_own_key_until_the_endorsement_ends() {
    let town = Town::open().await;
    let (device, other) = (town.enrol(PHONE).await, town.enrol("010-8765-4321").await);
    let begun = session(&town, &device).await;
    let mut reads = Vec::new();
    for _ in 0..3 {
        town.pass(9 * Timestamp::MINUTE);
        let access: Access = read(refresh(&town, &device, &begun.refresh).await).await;
        assert_eq!(access.expires_at, town.now().plus(10 * Timestamp::MINUTE));
        reads.push(access.token);
    }
    reads.dedup();
    assert_eq!(reads.len(), 3);
    assert_eq!(told(refresh(&town, &other, &begun.refresh).await).await, "proof_wrong");
    assert_eq!(told(refresh(&town, &device, "rubbish").await).await, "session_over");
    town.pass(31 * Timestamp::DAY - 27 * Timestamp::MINUTE - Timestamp::SECOND);
    let last: Access = read(refresh(&town, &device, &begun.refresh).await).await;
    assert_eq!(last.expires_at, town.now().plus(Timestamp::SECOND), "no longer than the endorsement");
    town.pass(Timestamp::SECOND);
    assert_eq!(told(refresh(&town, &device, &begun.refresh).await).await, "session_over");
    assert_eq!(town.get(READ, &device).await.status(), 200, "the device vouches anew");
    town.close().await;
}

#[tokio::test]
async fn a_devices_next_session_ends_the_one_before_and_a_lost_answer_is_asked_for_again() {
    let town = Town::open().await;
    let mut device = town.enrol(PHONE).await;
    let endorsement = device.endorsement(town.now());
    let one: Session = read(town.begin_session(&device, &endorsement).await).await;
    let again: Session = read(town.begin_session(&device, &endorsement).await).await;
    assert_eq!(told(refresh(&town, &device, &one.refresh).await).await, "session_over");
    assert_eq!(told(refresh(&town, &device, &again.refresh).await).await, "");
    let before = std::mem::replace(&mut device.session_key, SoftwareKey::generate().unwrap().0);
    let next = session(&town, &device).await;
    let url = town.url(READ);
    let request = dpop::Request { method: "GET", url: &url, token: Some(&again.token) };
    let proof = dpop::prove(&before, request, fresh_id(), town.now().seconds()).unwrap();
    let authorization = format!("DPoP {}", again.token);
    let answer = show(&town, READ, &[("authorization", &authorization), ("dpop", &proof)]).await;
    assert_eq!(told(answer).await, "session_over");
    assert_eq!(told(refresh(&town, &device, &next.refresh).await).await, "");
    town.close().await;
}

#[tokio::test]
async fn a_session_that_was_ended_reads_nothing_more() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    let Session { token, refresh: kept, .. } = session(&town, &device).await;
    let body = RefreshRequest { refresh: kept.clone() };
    let _: SessionEnded = read(town.post_proved("/v1/sessions/end", &device, &body).await).await;
    assert_eq!(told(refresh(&town, &device, &kept).await).await, "session_over");
    let proof = device.proof(town.now(), &Method::GET, &town.url(READ), Some(&token));
    let answer = show(&town, READ, &[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]).await;
    assert_eq!(told(answer).await, "session_over");
    assert_eq!(told(town.post_proved("/v1/sessions/end", &device, &body).await).await, "session_over");
    town.close().await;
}

#[tokio::test]
async fn only_the_devices_own_word_for_the_key_that_asks_begins_a_session() {
    let town = Town::open().await;
    let (device, other) = (town.enrol(PHONE).await, town.enrol("010-8765-4321").await);
    let now = town.now().seconds();
    let good = SessionEndorsement {
        version: OP_VERSION,
        key: device.key_id(),
        public_key: device.session_key.public_key().try_into().unwrap(),
        from: now,
        until: now + SessionEndorsement::MOST_SECONDS,
    };
    let tell = async |endorsement: Vec<u8>| told(town.begin_session(&device, &endorsement).await).await;
    assert_eq!(tell(device.endorse(good)).await, "");
    assert_eq!(
        tell(device.endorse(SessionEndorsement { from: now + 300, until: now + 400, ..good })).await,
        ""
    );
    let another = other.session_key.public_key().try_into().unwrap();
    for wrong in [
        SessionEndorsement { version: 9, ..good },
        SessionEndorsement { public_key: another, ..good },
        SessionEndorsement { until: good.until + 1, ..good },
        SessionEndorsement { from: now - 10, until: now, ..good },
        SessionEndorsement { from: now + 301, until: now + 400, ..good },
        SessionEndorsement { from: u64::MAX, until: 0, ..good },
        SessionEndorsement { from: 0, until: u64::MAX, ..good },
    ] {
        assert_eq!(tell(device.endorse(wrong)).await, "endorsement_wrong", "{wrong:?}");
    }
    // Signed by another than it names; by nobody that the server knows; rubbish.
    assert_eq!(tell(other.endorse(good)).await, "endorsement_wrong");
    assert_eq!(tell(other.endorse(SessionEndorsement { key: other.key_id(), ..good })).await, "");
    let stranger = SoftwareKey::generate().unwrap().0;
    let unknown = SessionEndorsement { key: stranger.key_id(), ..good };
    assert_eq!(tell(device.endorse(unknown)).await, "unauthorized");
    assert_eq!(tell(vec![0; 300]).await, "endorsement_wrong");
    town.close().await;
}

#[tokio::test]
async fn an_account_sees_its_own_devices_by_name_and_when_they_were_last_seen() {
    let town = Town::open().await;
    let (first, other) = (town.enrol(PHONE).await, town.enrol("010-8765-4321").await);
    town.token(&first).await;
    town.pass(Timestamp::HOUR);
    let second = town.enrol(PHONE).await;
    let devices: Devices = read(town.get("/v1/devices", &second).await).await;
    let seen: Vec<_> =
        devices.devices.iter().map(|d| (d.key, d.name.as_str(), d.since.0, d.seen.0)).collect();
    let hour = NOON + Timestamp::HOUR;
    assert_eq!(seen, [(second.key_id(), "Phone", hour, hour), (first.key_id(), "Phone", NOON, NOON)]);
    let alone: Devices = read(town.get("/v1/devices", &other).await).await;
    assert_eq!(alone.devices.len(), 1);
    for (name, code) in [("가".repeat(60), ""), ("가".repeat(61), "device_name_too_long")] {
        let endorsement = Base64(second.endorsement(town.now()));
        let request = SessionRequest { endorsement, name };
        assert_eq!(told(town.post_proved("/v1/sessions", &second, &request).await).await, code);
    }
    town.close().await;
}

#[tokio::test]
async fn what_the_server_keeps_of_a_session_gives_no_token_away() {
    let town = Town::open().await;
    let device = town.enrol(PHONE).await;
    let Session { token, refresh, .. } = session(&town, &device).await;
    let recovery = device.recovery.clone().unwrap();
    assert!(town.holds("Phone"), "what is there is found");
    for secret in [&token, &refresh, &recovery, &recovery.replace('-', "")] {
        assert!(!town.holds(secret));
    }
    town.close().await;
}
