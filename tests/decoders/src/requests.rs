//! Requests to the real handlers, without a socket. The first byte says which route, the rest is body or parameter.

use std::sync::OnceLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use moa_server::{Config, Running, start, system_clock};
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::problem::Problem;
use moa_wire::token::{Checked, Possession};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

/// The caller's number, and how it reads in the inbox of messages.
const NUMBER: &str = "010-1234-5678";
const E164: &str = "+821012345678";

struct House {
    runtime: Runtime,
    service: Router,
    token: String,
    _running: Running,
    _folder: tempfile::TempDir,
}

static HOUSE: OnceLock<House> = OnceLock::new();

/// A request; whatever it is, the answer is what was asked for or a problem, and never the server's fault.
pub fn requests(bytes: &[u8]) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let house = HOUSE.get_or_init(House::open);
    let post = |path: &str| json(path).body(Body::from(rest.to_vec()));
    let coded = rest.iter().take(4_096).fold(String::new(), |coded, byte| coded + &format!("%{byte:02X}"));
    let get = |path: String| {
        let token = format!("Bearer {}", house.token);
        Request::get(path).header(header::AUTHORIZATION, token).body(Body::empty())
    };
    let post_as_caller = |path: &str| {
        let token = format!("Bearer {}", house.token);
        json(path).header(header::AUTHORIZATION, token).body(Body::from(rest.to_vec()))
    };
    let request = match which % 12 {
        0 | 1 => post("/v1/ops"),
        2 => post("/v1/enrolments"),
        3 => post("/v1/enrolments/0192837465566778899aabbccddeeff0/confirm"),
        4 => get(format!("/v1/changes?cursor={coded}")),
        5 => get(format!("/v1/changes?cursor={}", String::from_utf8_lossy(rest))),
        6 => get(format!("/v1/directory?cursor={coded}")),
        7 => get(format!("/v1/groups/{coded}")),
        8 => get(format!("/v1/keys/{coded}")),
        10 => post_as_caller("/v1/one-time-codes"),
        11 => post_as_caller("/v1/one-time-codes/look-up"),
        _ => get(format!("/{}", String::from_utf8_lossy(rest))),
    };
    // What is no request at all is for the HTTP library to refuse.
    let Ok(request) = request else { return };
    house.runtime.block_on(async {
        let response = call(&house.service, request).await;
        let status = response.status();
        assert!(!status.is_server_error(), "{status}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
        if !status.is_success() {
            let problem: Problem = serde_json::from_slice(&body).expect("a problem");
            assert!(problem.status == status.as_u16() && !problem.detail.is_empty());
        }
    });
}

fn json(path: &str) -> axum::http::request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, "application/json")
}

async fn call(service: &Router, request: Request<Body>) -> Response<Body> {
    match TowerToHyperService::new(service.clone()).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl House {
    /// A server with one device enrolled, whose token opens the reads.
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (running, token) = runtime.block_on(async {
            let running = start(&Config::local(folder.path()), system_clock()).await.expect("a server");
            let token = enrol(&running).await;
            (running, token)
        });
        Self { runtime, service: running.service(), token, _running: running, _folder: folder }
    }
}

async fn enrol(running: &Running) -> String {
    let (key, _) = SoftwareKey::generate().expect("randomness");
    let request = EnrolmentRequest { phone: NUMBER.to_owned(), public_key: Base64(key.public_key()) };
    let begun: Enrolment = ask(running, "/v1/enrolments", &request).await;
    let carrier = running.development().expect("on loopback");
    let code = loop {
        if let Some(message) = carrier.messages(E164).into_iter().find(|m| hex(m.id) == begun.enrolment) {
            break message.text.chars().filter(char::is_ascii_digit).collect::<String>();
        }
        tokio::task::yield_now().await;
    };
    let enrolment: moa_rules::id::OpId = begun.enrolment.parse().expect("an id");
    let possession = Possession { version: moa_rules::op::OP_VERSION, enrolment: enrolment.0 };
    let possession = Base64::from(Checked::sign(possession, &key).expect("signed").bytes());
    let path = format!("/v1/enrolments/{}/confirm", begun.enrolment);
    let enrolled: Enrolled = ask(running, &path, &Confirmation { code, possession }).await;
    enrolled.token
}

fn hex(id: [u8; 16]) -> String {
    moa_rules::id::OpId(id).to_string()
}

async fn ask<T: DeserializeOwned>(running: &Running, path: &str, body: &impl Serialize) -> T {
    let body = serde_json::to_vec(body).expect("JSON");
    let response = call(&running.service(), json(path).body(Body::from(body)).expect("a request")).await;
    let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    serde_json::from_slice(&body).expect("the answer")
}
