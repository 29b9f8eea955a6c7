//! The same load on ever more data: what it costs, how soon a server is there, what it holds in memory.

use std::path::Path;
use std::time::Instant;

use moa_rules::time::Validity;

use super::city::{self, City};
use super::{load, millis, server};
use crate::Failure;
use crate::program::{Program, verify};

/// Clients at once, one op a request each.
const CLIENTS: usize = 64;

/// Grows a city step by step to each of these sizes, and puts the same load on each.
///
/// # Errors
/// If anything is refused.
pub async fn measure(folder: &Path, sizes: &[usize], count: usize) -> Result<(), Failure> {
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
        let ops = city.load(CLIENTS, count)?;
        let began = Instant::now();
        let program = Program::start(folder)?;
        let started = began.elapsed();
        let cpu = program.cpu_us()?;
        let mut waited = load::over_http(&program, ops).await?;
        let cpu_us = server::ratio(program.cpu_us()? - cpu, count as u64);
        let per_second = waited.per_second();
        let memory = program.most_memory_kb()?;
        drop(program);
        let first = *first.get_or_insert((per_second, cpu_us));
        println!(
            "{size:9} lots, {:8.1} MB: there after {:6.0} ms, {per_second:6.0} /s ({:4.2} × the first), p99 {:6.1} ms, {cpu_us:4.0} CPU-µs ({:4.2} ×), at most {:5.1} MB",
            server::ratio(bytes, 1 << 20),
            millis(started),
            per_second / first.0,
            millis(waited.at(99)),
            cpu_us / first.1,
            server::ratio(memory, 1 << 10),
        );
        let (took, memory) = verify(folder)?;
        let (took, memory) = (took.as_secs_f64(), server::ratio(memory, 1 << 10));
        println!("                 moa verify: {took:.1} s, at most {memory:.1} MB");
    }
    Ok(())
}
