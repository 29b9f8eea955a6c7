//! Requests to the real handlers, without a socket. The first byte says which route, the rest is body or parameter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use moa_server::{Config, Running, start, system_clock};
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest, Session, SessionRequest};
use moa_wire::dpop;
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::problem::Problem;
use moa_wire::token::{Checked, Possession, SessionEndorsement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

/// The caller's number, and how it reads in the inbox of messages.
const NUMBER: &str = "010-1234-5678";
const E164: &str = "+821012345678";

struct House {
    runtime: Runtime,
    service: Router,
    address: String,
    session_key: SoftwareKey,
    endorsement: Vec<u8>,
    /// The token, and until when it is used.
    token: Mutex<Option<(String, Instant)>>,
    proofs: AtomicU64,
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
        let token = house.token();
        let proof = house.proof("GET", &path, Some(&token));
        let request = Request::get(path).header(header::AUTHORIZATION, format!("DPoP {token}"));
        request.header(dpop::HEADER, proof).body(Body::empty())
    };
    let post_as_caller = |path: &str| {
        let token = house.token();
        let proof = house.proof("POST", path, Some(&token));
        let request = json(path).header(header::AUTHORIZATION, format!("DPoP {token}"));
        request.header(dpop::HEADER, proof).body(Body::from(rest.to_vec()))
    };
    let post_proved = |path: &str| {
        json(path).header(dpop::HEADER, house.proof("POST", path, None)).body(Body::from(rest.to_vec()))
    };
    // A proof of anyone's making: as much of it as a header can hold.
    let shown = || {
        let request = Request::get("/v1/snapshot").header(header::AUTHORIZATION, "DPoP none");
        request.header(dpop::HEADER, rest).body(Body::empty())
    };
    let request = match which % 16 {
        0 => post("/v1/ops"),
        1 => get(format!("/v1/changes?directory={coded}")),
        2 => post("/v1/enrolments"),
        3 => post("/v1/enrolments/0192837465566778899aabbccddeeff0/confirm"),
        4 => get(format!("/v1/changes?cursor={coded}")),
        5 => get(format!("/v1/changes?cursor={}", String::from_utf8_lossy(rest))),
        6 => get(format!("/v1/directory?cursor={coded}")),
        7 => get(format!("/v1/groups/{coded}")),
        8 => get(format!("/v1/keys/{coded}")),
        10 => post_as_caller("/v1/one-time-codes"),
        11 => post_as_caller("/v1/one-time-codes/look-up"),
        12 => post_proved("/v1/sessions"),
        13 => post_proved("/v1/sessions/refresh"),
        14 => post_proved("/v1/sessions/end"),
        15 => shown(),
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
    /// A server with one device enrolled, whose session opens the reads.
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let (running, key) = runtime.block_on(async {
            let running = start(&Config::local(folder.path()), system_clock()).await.expect("a server");
            let key = enrol(&running).await;
            (running, key)
        });
        let session_key = SoftwareKey::generate().expect("randomness").0;
        let from = seconds();
        let endorsement = SessionEndorsement {
            version: moa_rules::op::OP_VERSION,
            key: key.key_id(),
            public_key: session_key.public_key().try_into().expect("a point"),
            from,
            until: from + SessionEndorsement::MOST_SECONDS,
        };
        let endorsement = Checked::sign(endorsement, &key).expect("signed").bytes().to_vec();
        let (service, address) = (running.service(), running.url());
        let (token, proofs) = (Mutex::default(), AtomicU64::new(0));
        Self {
            runtime,
            service,
            address,
            session_key,
            endorsement,
            token,
            proofs,
            _running: running,
            _folder: folder,
        }
    }

    fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        let path = path.split('?').next().unwrap_or_default();
        let request = dpop::Request { method, url: &format!("{}{path}", self.address), token };
        let id = u128::from(self.proofs.fetch_add(1, Ordering::Relaxed)).to_be_bytes();
        dpop::prove(&self.session_key, request, id, seconds()).expect("signed")
    }

    /// A token that is good. One that a request has ended meanwhile is followed by another before long.
    fn token(&self) -> String {
        let mut known = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((token, until)) = &*known
            && Instant::now() < *until
        {
            return token.clone();
        }
        let body = SessionRequest { endorsement: Base64(self.endorsement.clone()), name: "Phone".to_owned() };
        let proof = self.proof("POST", "/v1/sessions", None);
        let request = json("/v1/sessions").header(dpop::HEADER, proof);
        let body = Body::from(serde_json::to_vec(&body).expect("JSON"));
        let session: Session = self.runtime.block_on(async {
            let response = call(&self.service, request.body(body).expect("a request")).await;
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            serde_json::from_slice(&body).expect("a session")
        });
        *known = Some((session.token.clone(), Instant::now() + Duration::from_mins(5)));
        session.token
    }
}

fn seconds() -> u64 {
    system_clock()().seconds()
}

async fn enrol(running: &Running) -> SoftwareKey {
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
    let _: Enrolled = ask(running, &path, &Confirmation { code, possession, recovery: None }).await;
    key
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
