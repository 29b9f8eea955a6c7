//! The same load on ever more data: what it costs, how soon a server is there, what it holds in memory.
//!
//! A machine that others use too is faster now and slower then. So each size is measured by turns with a city of as many people
//! and no lots, which is put back as it was each time; what is told is the median of the rounds, and of their ratios.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_rules::time::Validity;
use moa_wire::keys::SoftwareKey;

use super::city::{self, City};
use super::{load, millis, server};
use crate::Failure;
use crate::program::{Program, verify};

/// Clients at once, one op a request each.
const CLIENTS: usize = 64;

/// How often each size is measured.
const ROUNDS: usize = 3;

/// What a load found.
struct Found {
    started: Duration,
    per_second: f64,
    p99: Duration,
    cpu_us: f64,
    memory_kb: u64,
}

/// Grows a city step by step to each of these sizes, and puts the same load on each.
///
/// # Errors
/// If anything is refused.
pub async fn measure(folder: &Path, sizes: &[usize], count: usize) -> Result<(), Failure> {
    let most = sizes.iter().copied().max().unwrap_or_default();
    let (small, large, kept) = (folder.join("small"), folder.join("large"), folder.join("kept"));
    let mut empty = found(&small, most)?;
    let mut city = found(&large, most)?;
    server::on_disk(&small)?;
    copy(&small, &kept)?;
    for size in sizes {
        let (store, _) = city::open(&large)?;
        city.grow(&store, *size)?;
        drop(store);
        let bytes = server::on_disk(&large)?;
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            fs::remove_dir_all(&small)?;
            copy(&kept, &small)?;
            let without = put(&small, &mut empty, count).await?;
            let with = put(&large, &mut city, count).await?;
            rounds.push((without, with));
        }
        print(*size, bytes, &rounds);
        let (took, memory) = verify(&large)?;
        let (took, memory) = (took.as_secs_f64(), server::ratio(memory, 1 << 10));
        println!("                 moa verify: {took:.1} s, at most {memory:.1} MB");
    }
    Ok(())
}

fn found(folder: &Path, lots: usize) -> Result<City, Failure> {
    let (store, key): (_, Arc<SoftwareKey>) = city::open(folder)?;
    City::found(&store, key, lots, Validity::Months(6))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry: PathBuf = entry?.path();
        fs::copy(&entry, to.join(entry.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// Reads a file, so that the system has it in memory: a host may take that away from a machine that is its guest.
fn warm(path: &Path) -> Result<(), Failure> {
    let mut file = fs::File::open(path)?;
    let mut some = vec![0; 1 << 20];
    while file.read(&mut some)? > 0 {}
    Ok(())
}

/// Starts a server on a city, and has `count` ops done once it has done as many, so that it keeps in memory what it keeps while it
/// runs.
async fn put(folder: &Path, city: &mut City, count: usize) -> Result<Found, Failure> {
    let (before, ops) = (city.load(CLIENTS, count)?, city.load(CLIENTS, count)?);
    warm(&moa_server::database(folder))?;
    let began = Instant::now();
    let program = Program::start(folder)?;
    let started = began.elapsed();
    load::over_http(&program, before).await?;
    let cpu = program.cpu_us()?;
    let mut waited = load::over_http(&program, ops).await?;
    let cpu_us = server::ratio(program.cpu_us()? - cpu, count as u64);
    let (per_second, p99, memory_kb) = (waited.per_second(), waited.at(99), program.most_memory_kb()?);
    Ok(Found { started, per_second, p99, cpu_us, memory_kb })
}

fn print(size: usize, bytes: u64, rounds: &[(Found, Found)]) {
    let of = |figure: fn(&Found) -> f64| {
        (
            middle(rounds.iter().map(|(_, with)| figure(with))),
            middle(rounds.iter().map(|(without, with)| figure(with) / figure(without))),
        )
    };
    let (per_second, fraction) = of(|found| found.per_second);
    let (cpu_us, times) = of(|found| found.cpu_us);
    let (p99, _) = of(|found| millis(found.p99));
    let (started, _) = of(|found| millis(found.started));
    let (memory, _) = of(|found| server::ratio(found.memory_kb, 1 << 10));
    println!(
        "{size:9} lots, {:8.1} MB: there after {started:6.0} ms, {per_second:6.0} /s ({fraction:4.2} × of none), p99 {p99:6.1} ms, {cpu_us:4.0} CPU-µs ({times:4.2} ×), at most {memory:5.1} MB",
        server::ratio(bytes, 1 << 20),
    );
    for (without, with) in rounds {
        println!(
            "                 none: {:6.0} /s, {:4.0} CPU-µs; {size}: {:6.0} /s, {:4.0} CPU-µs",
            without.per_second, without.cpu_us, with.per_second, with.cpu_us
        );
    }
}

/// The value in the middle.
fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
