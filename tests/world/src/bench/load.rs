//! Ops that were signed beforehand, sent by clients at once, one op a request: to a server over HTTP, or to the engine itself.

use std::time::{Duration, Instant};

use moa_ledger::engine::Engine;
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use moa_wire::submission::Submission;

use super::{city, server};
use crate::network::post;
use crate::program::Program;
use crate::{Failure, network};

/// How long answers took.
pub struct Waited {
    times: Vec<Duration>,
    took: Duration,
}

impl Waited {
    /// Ops a second.
    pub fn per_second(&self) -> f64 {
        server::per_second(self.times.len(), self.took)
    }

    /// So many hundredths of the answers took no longer.
    pub fn at(&mut self, hundredths: usize) -> Duration {
        self.times.sort_unstable();
        self.times.get(self.times.len() * hundredths / 100).or(self.times.last()).copied().unwrap_or_default()
    }
}

/// Sends to a server the ops of each client, in order.
///
/// # Errors
/// If one is not applied.
pub async fn over_http(program: &Program, load: Vec<Vec<Submission>>) -> Result<Waited, Failure> {
    let way = network::http(program.url())?;
    at_once(load, move |op| {
        let way = way.clone();
        async move {
            let request = Ops { ops: vec![Base64::from(op.op.bytes())], ..Ops::default() };
            let answer: Verdicts = post(&*way, "/v1/ops".to_owned(), &request).await?;
            match answer.verdicts.as_slice() {
                [Verdict::Applied] => Ok(()),
                verdicts => Err(format!("{verdicts:?}").into()),
            }
        }
    })
    .await
}

/// The same to the engine: signatures were checked.
///
/// # Errors
/// If one is not applied.
pub async fn through(engine: Engine, load: Vec<Vec<Submission>>) -> Result<Waited, Failure> {
    at_once(load, move |op| {
        let engine = engine.clone();
        async move { city::applied(engine.submit(vec![op]).await?) }
    })
    .await
}

async fn at_once<F: Future<Output = Result<(), Failure>> + Send>(
    load: Vec<Vec<Submission>>,
    send: impl Fn(Submission) -> F + Clone + Send + 'static,
) -> Result<Waited, Failure> {
    let began = Instant::now();
    let clients: Vec<_> = load
        .into_iter()
        .map(|ops| {
            let send = send.clone();
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(ops.len());
                for op in ops {
                    let sent = Instant::now();
                    send(op).await?;
                    times.push(sent.elapsed());
                }
                Ok::<_, Failure>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await??);
    }
    Ok(Waited { times, took: began.elapsed() })
}
