//! Mails and text messages that really leave: to a mail server and to a service over HTTP, both on this machine.

mod support;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use moa_rules::id::OpId;
use moa_rules::invitation::{Invited, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::time::Timestamp;
use moa_server::{Config, MailSettings, Secret, SmsSettings};
use moa_wire::api::{InvitationSent, InvitationToSend, InvitationTrace, InvitationTraces};
use moa_wire::channel::Channel;
use moa_wire::invitation::InvitationToken;
use moa_wire::keys::SoftwareKey;
use reqwest::Method;
use serde_json::{Value, json};
use support::{NOON, Shop, Town, eventually, read};

/// A mail server in a process of its own, and what it said.
struct MailServer {
    process: Child,
    port: u64,
    said: Arc<Mutex<Vec<Value>>>,
}

impl MailServer {
    fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/mail_server.py");
        // Debian's own, for which its package of aiosmtpd is.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap_or_else(|| panic!("install it: `apt-get install python3-aiosmtpd`"));
        let port = first.unwrap().parse().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { process, port, said }
    }

    fn settings(&self, password: &str) -> MailSettings {
        MailSettings {
            url: format!("smtp://127.0.0.1:{}", self.port),
            from: "모아 <moa@moa.example>".to_owned(),
            credentials: Some(("moa".to_owned(), Secret(password.to_owned()))),
        }
    }

    /// The mails to an address.
    fn mails(&self, to: &str) -> Vec<Value> {
        self.said.lock().unwrap().iter().filter(|said| said["to"][0] == to).cloned().collect()
    }

    fn refused(&self, to: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|said| said["refused"] == to).count()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// Invites by mail; the invitation.
async fn invite_by_mail(town: &Town, shop: &Shop, to: &str) -> (OpId, InvitationToken) {
    let mut token = InvitationToken([0; 16]);
    token.0[..to.len().min(16)].copy_from_slice(&to.as_bytes()[..to.len().min(16)]);
    let (uses, expires) = (1, town.now().plus(30 * Timestamp::DAY).seconds());
    let hash = Some(TokenHash(token.hash()));
    let op = shop.device.op(town.now(), OpBody::Invite { to: Invited::App, hash, shop: None, uses, expires });
    town.applied(&[&op]).await;
    let invitation = op.value().id;
    let asked =
        InvitationToSend { invitation, token: token.hex(), channel: Channel::Email, to: to.to_owned() };
    let request = town.request(Method::POST, "/v1/invitations/send", &shop.device).await;
    let sent: InvitationSent = read(request.json(&asked).send().await.unwrap()).await;
    assert!(!sent.before);
    (invitation, token)
}

async fn trace(town: &Town, shop: &Shop, invitation: OpId) -> InvitationTrace {
    let traces: InvitationTraces = read(town.get("/v1/invitations", &shop.device).await).await;
    traces.traces.into_iter().find(|trace| trace.invitation == invitation).unwrap()
}

async fn is_delivered(town: &Town, shop: &Shop, invitation: OpId) -> bool {
    trace(town, shop, invitation).await.delivered_at.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_by_mail_reaches_a_mail_server_and_reads_back() {
    let server = MailServer::start();
    let mail = Some(server.settings("open sesame"));
    let settings = |local| Config { mail, test_clock: true, ..local };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, settings).await;
    let shop = town.shop("010-1111-1111", "모퉁이 카페 & \"빵\"").await;

    let (invitation, token) = invite_by_mail(&town, &shop, "bakery@alley.example").await;
    let mail = eventually(async || server.mails("bakery@alley.example").pop()).await;
    let header = |name: &str| mail["headers"][name].as_str().unwrap().to_owned();
    assert_eq!(mail["from"], "moa@moa.example");
    assert_eq!(
        (header("from"), header("to")),
        ("모아 <moa@moa.example>".to_owned(), "bakery@alley.example".to_owned())
    );
    assert_eq!(header("message-id"), format!("<{invitation}@moa.example>"));
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert!(header("subject").contains("모퉁이 카페 & \"빵\""), "{}", header("subject"));
    assert!(header("date").ends_with("+0000") && header("content-type").starts_with("multipart/alternative"));
    let link = format!("/i/{}", token.hex());
    let (plain, html) = (mail["plain"].as_str().unwrap(), mail["html"].as_str().unwrap());
    assert!(plain.contains(&link) && plain.contains("모퉁이 카페 & \"빵\""), "{plain}");
    assert!(html.contains(&link) && html.contains("모퉁이 카페 &amp; &quot;빵&quot;"), "{html}");
    eventually(async || is_delivered(&town, &shop, invitation).await.then_some(())).await;

    // A mailbox that is full is tried again, with the same mail; one that is not there is not.
    let (nobody, _) = invite_by_mail(&town, &shop, "nobody@alley.example").await;
    let (later, _) = invite_by_mail(&town, &shop, "later@alley.example").await;
    eventually(async || {
        (server.refused("later@alley.example") + server.refused("nobody@alley.example") == 2).then_some(())
    })
    .await;
    // The clock moves on until the failure is noted and its pause over.
    let mail = eventually(async || {
        town.move_to(town.now().plus(Timestamp::SECOND)).await;
        server.mails("later@alley.example").pop()
    })
    .await;
    assert_eq!(mail["headers"]["message-id"], format!("<{later}@moa.example>"));
    eventually(async || is_delivered(&town, &shop, later).await.then_some(())).await;
    assert_eq!(server.refused("nobody@alley.example"), 1);
    assert!(!is_delivered(&town, &shop, nobody).await);
    assert_eq!(server.mails("bakery@alley.example").len(), 1, "once is enough");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_not_sent_at_night_but_in_the_morning() {
    let server = MailServer::start();
    let mail = Some(server.settings("open sesame"));
    let settings = |local| Config { mail, test_clock: true, ..local };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, settings).await;
    let shop = town.shop("010-1111-1111", "모퉁이 카페").await;
    let nine = town.now().plus(9 * Timestamp::HOUR);

    town.move_to(nine.plus(-Timestamp::MINUTE)).await;
    invite_by_mail(&town, &shop, "evening@alley.example").await;
    eventually(async || server.mails("evening@alley.example").pop()).await;

    // Nobody is there: that is not tried again, in the morning neither.
    let (nobody, _) = invite_by_mail(&town, &shop, "nobody@alley.example").await;
    eventually(async || (server.refused("nobody@alley.example") == 1).then_some(())).await;

    town.move_to(nine).await;
    assert_eq!(trace(&town, &shop, nobody).await.waits_until, None);
    let (night, _) = invite_by_mail(&town, &shop, "night@alley.example").await;
    assert_eq!(trace(&town, &shop, night).await.waits_until, Some(nine.plus(11 * Timestamp::HOUR)));
    town.move_to(nine.plus(11 * Timestamp::HOUR - Timestamp::SECOND)).await;
    // One that is asked for later waits as long: when both were seen to wait, neither was sent.
    invite_by_mail(&town, &shop, "dawn@alley.example").await;
    assert!(!is_delivered(&town, &shop, night).await);
    assert!(server.mails("night@alley.example").is_empty());

    town.move_to(nine.plus(11 * Timestamp::HOUR)).await;
    let mail = eventually(async || server.mails("night@alley.example").pop()).await;
    assert_eq!(mail["headers"]["message-id"], format!("<{night}@moa.example>"));
    assert_eq!(trace(&town, &shop, night).await.waits_until, None);
    eventually(async || server.mails("dawn@alley.example").pop()).await;
    town.close().await;
}

/// A service for text messages, and what it was asked.
#[derive(Default)]
struct Service {
    /// Status and `Retry-After`; when none is left, it takes everything.
    answers: Mutex<VecDeque<(StatusCode, &'static str)>>,
    asked: Mutex<Vec<(HeaderMap, Value)>>,
}

async fn take(State(service): State<Arc<Service>>, headers: HeaderMap, body: String) -> Response {
    service.asked.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
    let answer = service.answers.lock().unwrap().pop_front();
    let (status, wait) = answer.unwrap_or((StatusCode::ACCEPTED, "0"));
    (status, [("retry-after", wait)]).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_message_is_posted_until_the_service_takes_it_each_time_the_same() {
    let service = Arc::new(Service::default());
    service
        .answers
        .lock()
        .unwrap()
        .extend([(StatusCode::INTERNAL_SERVER_ERROR, "0"), (StatusCode::TOO_MANY_REQUESTS, "30")]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let router = Router::new().route("/send", post(take)).with_state(service.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let sms = SmsSettings {
        url,
        body: r#"{"messages":[{"to":"{to}","content":"{text}"}],"ref":"{id}"}"#.to_owned(),
        token: Some(Secret("key of ours".to_owned())),
    };
    let settings = |local| Config { sms: Some(sms), test_clock: true, ..local };
    let town = Town::open_with(tempfile::tempdir().unwrap(), NOON, settings).await;
    assert_eq!(town.get("/v1/development/inbox?phone=01012345678", None).await.status(), 404);

    let (key, _) = SoftwareKey::generate().unwrap();
    let enrolment = town.begin("010-1234-5678", &key).await;
    for times in 1..=3 {
        eventually(async || {
            town.move_to(town.now().plus(Timestamp::SECOND)).await;
            (service.asked.lock().unwrap().len() >= times).then_some(())
        })
        .await;
    }
    town.move_to(town.now().plus(Timestamp::MINUTE)).await;
    let all = service.asked.lock().unwrap().clone();
    assert_eq!(all.len(), 3, "once it was taken nothing more is sent");
    let (headers, body) = &all[0];
    assert_eq!(body["messages"][0]["to"], "+821012345678");
    assert_eq!(body["ref"], json!(enrolment.enrolment));
    let digits =
        body["messages"][0]["content"].as_str().unwrap().chars().filter(char::is_ascii_digit).count();
    assert_eq!(digits, 6, "{body}");
    assert_eq!(
        (&headers["authorization"], &headers["idempotency-key"]),
        (&"Bearer key of ours".parse().unwrap(), &enrolment.enrolment.parse().unwrap())
    );
    assert!(
        all.iter()
            .all(|(again, same)| same == body && again["idempotency-key"] == headers["idempotency-key"])
    );
    town.close().await;
}
