//! A wallet of thousands of one-unit lots, spent in one redemption: what deciding takes, and what keeping it takes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use moa_ledger::memory::MemoryStore;
use moa_ledger::store::Store;
use moa_ledger::tables::system_device;
use moa_rules::quantity::Units;
use moa_rules::time::Validity;
use moa_wire::keys::{Signer, SoftwareKey};

use super::city::{self, City, LOTS_OF_A_BUYER, PRICE};
use super::{Figure, median, millis};
use crate::Failure;

/// Lots of the wallet, of one unit each.
const LOTS: usize = 5_000;
/// Wallets that are spent: the median counts.
const WALLETS: usize = 5;

/// Measures both.
///
/// # Errors
/// If anything is refused.
pub fn measure(folder: &Path) -> Result<Vec<Figure>, Failure> {
    let (key, _) = SoftwareKey::generate()?;
    let memory = MemoryStore::new(&system_device(key.public_key()));
    let (one, decided) = spend(&memory, Arc::new(key))?;
    let (store, key) = city::open(folder)?;
    let (one_kept, kept) = spend(&store, key)?;
    Ok(vec![
        Figure::new("1 lot, decided (in memory)", millis(one), "ms"),
        Figure::new("5,000 lots, decided (in memory)", millis(decided), "ms").at_most(5.0),
        Figure::new("5,000 lots ÷ 1 lot", decided.as_secs_f64() / one.as_secs_f64(), "×"),
        Figure::new("1 lot, kept by SQLite", millis(one_kept), "ms"),
        Figure::new("5,000 lots, kept by SQLite", millis(kept), "ms"),
    ])
}

/// How long a redemption of one lot takes, and one of the whole wallet.
fn spend(store: &dyn Store, system: Arc<SoftwareKey>) -> Result<(Duration, Duration), Failure> {
    let mut city = City::found(store, system, WALLETS * LOTS_OF_A_BUYER, Validity::Months(6))?;
    let (mut ones, mut alls) = (Vec::new(), Vec::new());
    for buyer in 0..WALLETS {
        let mut filled = 0;
        while filled < LOTS {
            let some = 1_000.min(LOTS - filled);
            let batch = (0..some).map(|_| city.accrual(buyer, PRICE)).collect::<Result<Vec<_>, _>>()?;
            city::applied(store.commit(&batch, city.now())?.outcomes)?;
            filled += some;
        }
        for (units, times) in [(1, &mut ones), (LOTS - 1, &mut alls)] {
            let redemption = city.redemption(buyer, Units::new(i64::try_from(units)?)?)?;
            let began = Instant::now();
            let committed = store.commit(std::slice::from_ref(&redemption), city.now())?;
            times.push(began.elapsed());
            city::applied(committed.outcomes)?;
        }
    }
    Ok((median(ones), median(alls)))
}
