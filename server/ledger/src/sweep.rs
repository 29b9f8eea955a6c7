//! What is due: the ops of the server that write down what expired, take the best for who agreed to it, end the wait of
//! sales, passes and holds, count the answers to amendments, and end groups. (docs/rules.md T4, S11, S15, P7, R6, M)

use std::collections::BTreeMap;

use moa_rules::id::AccountId;
use moa_rules::lot::Lot;
use moa_rules::standing::best_from;
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer};
use moa_wire::submission::Submission;

use crate::engine::NotDecided;
use crate::store::{Store, StoreError};
use crate::system;

/// All of them, in an order in which each finds what the one before left.
pub const ALL: [Sweep; 7] = [amended, best, lapsed, released, unheld, expired, ended];

/// Wallets, or sales, that are swept in one go.
pub const AT_ONCE: usize = 200;

/// Lots that are written down in one go, about: whoever comes meanwhile waits for the commit of these.
const LOTS_AT_ONCE: usize = 512;

/// Why a sweep stopped. The next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server's key does not sign.
    #[error(transparent)]
    NotSigned(#[from] SignError),
    /// The engine could not decide what was found.
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
}

/// What finds up to [`AT_ONCE`] things that are due, and the op for each.
pub type Sweep = fn(&dyn Store, &dyn Signer, Timestamp) -> Result<Vec<Submission>, SweepError>;

/// Every wallet in which something has expired by now.
///
/// # Errors
/// [`SweepError`].
pub fn expired(
    store: &dyn Store,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    let mut count = 0;
    for wallet in store.wallets_to_expire(now, AT_ONCE)? {
        let lots = store.lots(wallet.0)?;
        let ended =
            |lot: &&Lot| (lot.account, lot.group) == wallet && lot.ends_at <= now && !lot.free().is_zero();
        let ended: Vec<&Lot> = lots.iter().filter(ended).collect();
        let Some(last) = ended.iter().map(|lot| lot.ends_at).max() else { continue };
        ops.push(system::expire_lots(signer, wallet, &ended, last)?);
        count += ended.len();
        if count >= LOTS_AT_ONCE {
            break;
        }
    }
    Ok(ops)
}

/// What remains in groups whose end has come; and the end of those of which nothing does.
///
/// # Errors
/// [`SweepError`].
pub fn ended(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    for group in store.groups_to_end(now, AT_ONCE)? {
        let Some(closing) = group.closing else { continue };
        let left = store.lots_left(group.id, AT_ONCE)?;
        if left.is_empty() {
            ops.push(system::end_group(signer, group.id, closing.ends_at)?);
        }
        let mut wallets: BTreeMap<AccountId, Vec<&Lot>> = BTreeMap::new();
        // What is held waits for its pass or hold.
        for lot in left.iter().filter(|lot| !lot.free().is_zero()) {
            wallets.entry(lot.account).or_default().push(lot);
        }
        for (account, lots) in wallets {
            ops.push(system::expire_lots(signer, (account, group.id), &lots, closing.ends_at)?);
        }
    }
    Ok(ops)
}

/// Every hold whose time is over.
///
/// # Errors
/// [`SweepError`].
pub fn unheld(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Result<Vec<Submission>, SweepError> {
    let holds = store.holds_to_lapse(now, AT_ONCE)?;
    holds.iter().map(|hold| Ok(system::lapse_hold(signer, hold)?)).collect()
}

/// Every amendment whose date has come.
///
/// # Errors
/// [`SweepError`].
pub fn amended(
    store: &dyn Store,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Vec<Submission>, SweepError> {
    let due = store.amendments_due(now, AT_ONCE)?;
    due.iter().map(|amendment| Ok(system::decide_amendment(signer, amendment)?)).collect()
}

/// Every sale that has waited a day for a buyer who agreed to the best.
///
/// # Errors
/// [`SweepError`].
pub fn best(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    for (sale, since) in store.sales_for_best(now, AT_ONCE)? {
        ops.push(system::take_best(signer, (sale.merchant, sale.id), since, best_from(sale.time))?);
    }
    Ok(ops)
}

/// Every sale that waited for its buyer in vain.
///
/// # Errors
/// [`SweepError`].
pub fn lapsed(store: &dyn Store, signer: &dyn Signer, now: Timestamp) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    for sale in store.sales_to_lapse(now, AT_ONCE)? {
        let Some(until) = sale.waits_until else { continue };
        ops.push(system::lapse_sale(signer, (sale.merchant, sale.id), until)?);
    }
    Ok(ops)
}

/// Every pass that nobody said was taken.
///
/// # Errors
/// [`SweepError`].
pub fn released(
    store: &dyn Store,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    for pass in store.passes_to_release(now, AT_ONCE)? {
        ops.push(system::release_pass(signer, (pass.merchant, pass.id), pass.released_from())?);
    }
    Ok(ops)
}
