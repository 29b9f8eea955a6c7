//! A day on which very much expires at once, amid people who go on: lots written down a second, and by how much live ops
//! are held up.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_ledger::engine::Engine;
use moa_ledger::store::Store;
use moa_ledger::sweep;
use moa_rules::time::{Timestamp, Validity};
use moa_wire::submission::Submission;
use tokio::sync::watch;
use tokio::task::{block_in_place, spawn_blocking};

use super::city::{self, City, PRICE};
use super::{Figure, millis, server};
use crate::Failure;

/// A live op every so often.
const EVERY: Duration = Duration::from_millis(5);
/// Live ops that are measured alone, and at most amid the sweep.
const ALONE: usize = 400;
const AMID: usize = 20_000;

/// Measures it with so many lots.
///
/// # Errors
/// If anything is refused.
pub async fn measure(folder: &Path, lots: usize) -> Result<Vec<Figure>, Failure> {
    let (store, key) = city::open(folder)?;
    let mut city = City::found(&store, key.clone(), lots, Validity::Days(1))?;
    let began = Instant::now();
    city.grow(&store, lots)?;
    let grown = server::per_second(lots, began.elapsed());
    let live = |city: &mut City, from: usize, count: usize| {
        (from..from + count)
            .map(|nth| city.accrual(nth % city.buyers.len(), PRICE))
            .collect::<Result<Vec<_>, _>>()
    };
    let (alone, amid) =
        block_in_place(|| Ok::<_, Failure>((live(&mut city, 0, ALONE)?, live(&mut city, ALONE, AMID)?)))?;

    let store: Arc<dyn Store> = Arc::new(store);
    let later = city.now().plus(3 * Timestamp::DAY);
    let engine = Engine::start(store.clone(), Arc::new(move || later));
    let (_go, forever) = watch::channel(false);
    let mut quiet = trickle(engine.clone(), alone, forever).await?;
    let (done, until) = watch::channel(false);
    let trickling = tokio::spawn(trickle(engine.clone(), amid, until));
    let began = Instant::now();
    let sweeping = engine.clone();
    spawn_blocking(move || sweep::run(&sweeping, &*key, sweep::expired)).await??;
    let took = began.elapsed();
    done.send_replace(true);
    let mut busy = trickling.await??;
    engine.stop();
    if !store.wallets_to_expire(later, 1)?.is_empty() {
        return Err("a sweep that leaves something".into());
    }
    let at = |times: &mut Vec<Duration>, hundredths: usize| {
        times.sort_unstable();
        millis(times[(times.len() * hundredths / 100).min(times.len() - 1)])
    };
    let swept = server::per_second(lots, took);
    Ok(vec![
        Figure::new("lots written down a second", swept, "/s").at_least(50_000.0),
        Figure::new("accruals that the same store took, 4,096 a commit", grown, "/s"),
        Figure::new("the one ÷ the other", swept / grown, "×"),
        Figure::new("a live op alone, p99", at(&mut quiet, 99), "ms"),
        Figure::new("a live op amid the sweep, p99", at(&mut busy, 99), "ms"),
        Figure::new("a live op amid the sweep, the longest", at(&mut busy, 100), "ms").at_most(50.0),
    ])
}

/// Live ops at their pace, until told or until there are no more. Gives how long each waited.
async fn trickle(
    engine: Engine,
    ops: Vec<Submission>,
    until: watch::Receiver<bool>,
) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(ops.len());
    for op in ops {
        if *until.borrow() {
            break;
        }
        let sent = Instant::now();
        city::applied(engine.submit(vec![op]).await?)?;
        times.push(sent.elapsed());
        tokio::time::sleep(EVERY.saturating_sub(sent.elapsed())).await;
    }
    Ok(times)
}
