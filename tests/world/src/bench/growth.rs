//! The same load on ever more data: what it costs, how soon a server is there, what it holds in memory.

use std::path::Path;
use std::time::{Duration, Instant};

use moa_rules::time::Validity;
use moa_wire::api::{Base64, Ops, Verdict, Verdicts};
use moa_wire::submission::Submission;

use super::city::{self, City};
use super::{millis, server};
use crate::network::post;
use crate::program::{Program, verify};
use crate::{Failure, network};

/// Clients at once, one op a request each.
const CLIENTS: usize = 64;

/// Grows a city step by step to each of these sizes, and puts the same load on each.
///
/// # Errors
/// If anything is refused.
pub async fn measure(folder: &Path, sizes: &[usize], load: usize) -> Result<(), Failure> {
    let most = sizes.iter().copied().max().unwrap_or_default();
    let (store, key) = city::open(folder)?;
    let mut city = City::found(&store, key, most, Validity::Months(6))?;
    drop(store);
    let mut first = None;
    for size in sizes {
        let (store, _) = city::open(folder)?;
        city.grow(&store, *size)?;
        drop(store);
        let bytes = server::on_disk(folder)?;
        let ops = city.load(CLIENTS, load)?;
        let began = Instant::now();
        let program = Program::start(folder)?;
        let started = began.elapsed();
        let (per_second, p99, cpu_us) = put(&program, ops, load).await?;
        let memory = program.most_memory_kb()?;
        drop(program);
        let first = *first.get_or_insert((per_second, cpu_us));
        println!(
            "{size:9} lots, {:8.1} MB: there after {:6.0} ms, {per_second:6.0} /s ({:4.2} × the first), p99 {:6.1} ms, {cpu_us:4.0} CPU-µs ({:4.2} ×), at most {:5.1} MB",
            server::ratio(bytes, 1 << 20),
            millis(started),
            per_second / first.0,
            millis(p99),
            cpu_us / first.1,
            server::ratio(memory, 1 << 10),
        );
        let (took, memory) = verify(folder)?;
        let (took, memory) = (took.as_secs_f64(), server::ratio(memory, 1 << 10));
        println!("                 moa verify: {took:.1} s, at most {memory:.1} MB");
    }
    Ok(())
}

/// Puts a load on a server: ops a second, the slowest hundredth, processor time of the server an op.
async fn put(
    program: &Program,
    load: Vec<Vec<Submission>>,
    count: usize,
) -> Result<(f64, Duration, f64), Failure> {
    let way = network::http(program.url())?;
    let cpu = program.cpu_us()?;
    let began = Instant::now();
    let clients: Vec<_> = load
        .into_iter()
        .map(|ops| {
            let way = way.clone();
            tokio::spawn(async move {
                let mut times = Vec::with_capacity(ops.len());
                for Submission { op, .. } in ops {
                    let request = Ops { ops: vec![Base64::from(op.bytes())], ..Ops::default() };
                    let sent = Instant::now();
                    let answer: Verdicts = post(&*way, "/v1/ops".to_owned(), &request).await?;
                    times.push(sent.elapsed());
                    if answer.verdicts != [Verdict::Applied] {
                        return Err(format!("{:?}", answer.verdicts).into());
                    }
                }
                Ok::<_, Failure>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await??);
    }
    let (took, cpu) = (began.elapsed(), program.cpu_us()? - cpu);
    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100];
    Ok((server::per_second(count, took), p99, server::ratio(cpu, count as u64)))
}
