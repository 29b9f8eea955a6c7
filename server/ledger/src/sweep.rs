//! What is due: the ops of the server that write down what expired, take the best for who agreed to it, and end the wait
//! of sales. (docs/rules.md T4, S11, S15)

use moa_rules::id::{AccountId, GroupId};
use moa_rules::lot::Lot;
use moa_rules::standing::best_from;
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer};
use moa_wire::submission::Submission;

use crate::engine::NotDecided;
use crate::store::{Store, StoreError};
use crate::system;

/// Wallets, or sales, that are swept in one go.
pub const AT_ONCE: usize = 200;

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
    for (account, group) in store.wallets_to_expire(now, AT_ONCE)? {
        let Some(ended) = last_end(&store.lots(account)?, (account, group), now) else { continue };
        ops.push(system::expire_lots(signer, account, group, ended)?);
    }
    Ok(ops)
}

/// The last instant, up to now, at which lots of the wallet ended: names this sweep of it, and no other.
fn last_end(lots: &[Lot], wallet: (AccountId, GroupId), now: Timestamp) -> Option<Timestamp> {
    let ended = lots.iter().filter(|lot| (lot.account, lot.group) == wallet && lot.ends_at <= now);
    ended.map(|lot| lot.ends_at).max()
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
