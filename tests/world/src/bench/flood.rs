//! A flood: good requests at a steady pace, alone and amid ten times as many bad ones, by turns, so that whatever else
//! the machine is doing falls on both. What counts is by how much the good ones' slowest grow, and that none is lost.
//!
//! Requests start when they are due, whatever became of those before, and their time counts from then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moa_phone::{Method, Request, Response, TransportError};
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_wire::api::{Base64, Ops};
use moa_wire::dpop;
use moa_wire::keys::SoftwareKey;
use moa_wire::token::Checked;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use super::{Figure, millis, server};
use crate::program::Program;
use crate::raw::Client;
use crate::{Failure, network};

/// Good requests a second.
const PACE: u32 = 100;
/// Bad requests for each good one.
const FLOOD: u32 = 10;
/// Good requests of each turn.
const GOOD: u32 = 100;
/// Turns alone, and as many amid the flood: of the slowest hundredth there are twenty.
const TURNS: u32 = 20;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures both against a new server with its data in `data`.
///
/// # Errors
/// If a good request is not applied, or a bad one is.
pub async fn measure(data: &Path) -> Result<Vec<Figure>, Failure> {
    let server = Program::start(data)?;
    let way = network::http(server.url())?;
    let shop = Client::enrol(way.clone(), "010-0000-0001").await?;
    let group = server::found(&shop).await?;
    let buyer = Arc::new(Client::enrol(way, "010-0000-0002").await?);
    let bad = Arc::new(bad_requests(&buyer, server.url())?);
    let (mut alone, mut amid) = (Turns::default(), Turns::default());
    for turn in 0..2 * TURNS {
        let mut claims = Vec::new();
        for _ in 0..GOOD {
            let sale =
                shop.sign(OpBody::RecordSale { amount: Money(10_000), addressee: None, redemption: None })?;
            claims.push(buyer.claim(&sale, group)?);
        }
        let is_flooded = turn % 2 == 1;
        let flooding = is_flooded.then(|| {
            let (url, bad) = (server.url().to_owned(), bad.clone());
            // On threads of its own: good requests are not to wait for those who make bad ones.
            spawn_blocking(move || {
                let runtime = Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(pour(&url, &bad))
            })
        });
        let turns = if is_flooded { &mut amid } else { &mut alone };
        let cpu = server.cpu_us()?;
        turns.times.extend(trickle(&buyer, claims).await?);
        if let Some(flooding) = flooding {
            flooding.await??;
        }
        turns.cpu_us += server.cpu_us()? - cpu;
    }
    let bad_cpu_us = amid.cpu_us.saturating_sub(alone.cpu_us) / u64::from(TURNS * GOOD * FLOOD);
    let (p99, flooded_p99) = (alone.at(99), amid.at(99));
    Ok(vec![
        Figure::new("a good request alone, p50", alone.at(50), "ms"),
        Figure::new("a good request alone, p99", p99, "ms"),
        Figure::new("amid ten times as many bad ones, p50", amid.at(50), "ms"),
        Figure::new("amid ten times as many bad ones, p99", flooded_p99, "ms"),
        Figure::new("p99 with the flood ÷ without", flooded_p99 / p99, "×").at_most(2.0),
        Figure::new("of the server for a bad request", f64::from(u32::try_from(bad_cpu_us)?), "CPU-µs"),
    ])
}

/// What was measured in the turns of one kind.
#[derive(Default)]
struct Turns {
    times: Vec<Duration>,
    cpu_us: u64,
}

impl Turns {
    /// So many hundredths of the requests took no longer, in milliseconds.
    fn at(&mut self, hundredths: usize) -> f64 {
        self.times.sort_unstable();
        millis(self.times[self.times.len() * hundredths / 100])
    }
}

/// Sends good requests at their pace. Gives how long each took.
async fn trickle(buyer: &Arc<Client>, claims: Vec<Checked<Op>>) -> Result<Vec<Duration>, Failure> {
    let began = Instant::now();
    let mut sent = JoinSet::new();
    for (nth, claim) in (0..).zip(claims) {
        let due = began + Duration::from_secs(1) * nth / PACE;
        sleep_until(due).await;
        let buyer = buyer.clone();
        sent.spawn(async move {
            buyer.send(&[claim]).await?;
            Ok::<_, Failure>(due.elapsed())
        });
    }
    let mut times = Vec::with_capacity(sent.len());
    while let Some(time) = sent.join_next().await {
        times.push(time??);
    }
    Ok(times)
}

/// A request that is to be refused, and the status that says so; 200 if it is the verdict that does.
type Bad = (Request, u16);

/// Sends bad requests by turns, as many as go with the good ones.
async fn pour(url: &str, bad: &[Bad]) -> Result<(), Failure> {
    let way = network::http(url)?;
    let began = Instant::now();
    let mut sent = JoinSet::new();
    for (nth, (request, status)) in (0..GOOD * FLOOD).zip(bad.iter().cycle()) {
        sleep_until(began + Duration::from_secs(1) * nth / (PACE * FLOOD)).await;
        let (way, request, status) = (way.clone(), request.clone(), *status);
        sent.spawn(async move { refused(&request.path, status, way.send(request.clone()).await) });
        while let Some(done) = sent.try_join_next() {
            done??;
        }
    }
    while let Some(done) = sent.join_next().await {
        done??;
    }
    Ok(())
}

/// A server that has too much to do may refuse with that, or by taking no more connections.
fn refused(path: &str, status: u16, answer: Result<Response, TransportError>) -> Result<(), Failure> {
    match answer {
        Ok(answer) => {
            let said = String::from_utf8_lossy(&answer.body);
            let is_refused = answer.status != 200 || said.contains("\"refused\"");
            if is_refused && [status, 429, 503].contains(&answer.status) {
                return Ok(());
            }
            Err(format!("{path}: {} instead of {status}: {said}", answer.status).into())
        }
        Err(TransportError::Unreachable(_) | TransportError::Broken(_)) => Ok(()),
        Err(error) => Err(format!("{path}: {error}").into()),
    }
}

/// One of each kind: broken bodies, proofs and signatures that are wrong, keys and tokens that nobody has.
fn bad_requests(known: &Client, server: &str) -> Result<Vec<Bad>, Failure> {
    let request = |method, path: &str, headers: Vec<(&'static str, String)>, body: Option<Vec<u8>>| {
        let headers = [vec![("content-type", "application/json".to_owned())], headers].concat();
        Request { method, path: path.to_owned(), headers, body, timeout: PATIENCE }
    };
    let post = |path: &str, body: &[u8]| request(Method::Post, path, Vec::new(), Some(body.to_vec()));
    // A token that nobody has, with a proof that holds the first time and is a replay from then on.
    let (key, _) = SoftwareKey::generate()?;
    let token = "A".repeat(43);
    let at = crate::now().seconds();
    let get = |path: &str| {
        let url = format!("{server}{}", path.split('?').next().unwrap_or_default());
        let asked = dpop::Request { method: "GET", url: &url, token: Some(&token) };
        let proof = dpop::prove(&key, asked, [7; 16], at)?;
        let headers = vec![("authorization", format!("{} {token}", dpop::SCHEME)), ("dpop", proof)];
        Ok::<_, Failure>(request(Method::Get, path, headers, None))
    };
    let ops = |op: &[u8]| serde_json::to_vec(&Ops { ops: vec![Base64::from(op)], ..Ops::default() });
    let sale = known.sign(OpBody::RecordSale { amount: Money(1), addressee: None, redemption: None })?;
    let mut altered = sale.bytes().to_vec();
    if let Some(last) = altered.last_mut() {
        *last ^= 1;
    }
    let nobodys = replace(sale.bytes(), &known.key_id().0, &[7; 8]);
    let confirmation = br#"{"code":"000000","possession":"AAAA"}"#;
    Ok(vec![
        (post("/v1/ops", &[b'{'; 4_096]), 400),
        (post("/v1/ops", &ops(&[0xd2; 300])?), 200),
        (post("/v1/ops", &ops(&altered)?), 200),
        (post("/v1/ops", &ops(&nobodys)?), 200),
        (get("/v1/changes?wait=25")?, 401),
        (get("/v1/snapshot")?, 401),
        (post("/v1/enrolments", br#"{"phone":"12","public_key":"AAAA"}"#), 422),
        (post(&format!("/v1/enrolments/{}/confirm", "00".repeat(16)), confirmation), 403),
        (get("/v1/directory?cursor=nonsense")?, 401),
        (get("/v1/nothing")?, 404),
    ])
}

/// Every occurrence of one run of bytes, exchanged for another of the same length.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(place) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    bytes
}
