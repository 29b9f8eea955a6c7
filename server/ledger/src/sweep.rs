//! What is due: the ops of the server that write down what expired, take the best for who agreed to it, end the wait of
//! sales, passes and holds, count the answers to amendments, and end groups. (docs/rules.md T4, S11, S15, P7, R6, M)

use std::collections::BTreeMap;

use moa_rules::id::{AccountId, GroupId};
use moa_rules::lot::Lot;
use moa_rules::standing::best_from;
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer};
use moa_wire::submission::Submission;

use crate::engine::{Engine, MAX_BATCH, NotDecided};
use crate::store::{Outcome, Store, StoreError};
use crate::system;

/// All of them, in an order in which each finds what the one before left.
pub const ALL: [Sweep; 7] = [amended, best, lapsed, released, unheld, expired, ended];

/// Sales, passes and the like that are looked for in one go.
pub const AT_ONCE: usize = 200;

/// Expired lots whose wallets are looked for in one go: enough for many commits.
const LOTS_AT_ONCE: usize = 8_192;

/// Lots or sales that are written down in one go, about: whoever comes meanwhile waits for the commit of these.
const WRITTEN_AT_ONCE: usize = 512;

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

/// An op that is due.
pub struct Due {
    /// The op.
    pub op: Submission,
    /// How many lots or sales it writes.
    writes: usize,
}

/// What is due, each made into an op when it is its turn.
pub type Found<'a> = Box<dyn Iterator<Item = Result<Due, SweepError>> + 'a>;

/// What finds things that are due, up to as many as are looked for in one go.
pub type Sweep = for<'a> fn(&'a dyn Store, &'a dyn Signer, Timestamp) -> Result<Found<'a>, SweepError>;

/// Writes down what `find` finds until that is nothing new, and makes the next ops while the last are being committed.
/// Blocks. Gives how many were new.
///
/// # Errors
/// [`SweepError`]; what was written down until then stays.
pub fn run(engine: &Engine, signer: &dyn Signer, find: Sweep) -> Result<usize, SweepError> {
    let mut written = 0;
    loop {
        let mut due = find(&**engine.store(), signer, engine.now())?;
        let mut new = 0;
        let mut ops = next(&mut due)?;
        while !ops.is_empty() {
            let sent = engine.send(ops)?;
            ops = next(&mut due)?;
            // Not sent before these are answered: who came meanwhile goes first.
            new += sent.wait()?.iter().filter(|outcome| matches!(outcome, Outcome::First(_))).count();
        }
        written += new;
        if new == 0 {
            return Ok(written);
        }
    }
}

/// The ops of the next commit.
fn next(due: &mut Found) -> Result<Vec<Submission>, SweepError> {
    let mut ops = Vec::new();
    let mut writes = 0;
    while writes < WRITTEN_AT_ONCE && ops.len() < MAX_BATCH {
        let Some(due) = due.next().transpose()? else { break };
        writes += due.writes;
        ops.push(due.op);
    }
    Ok(ops)
}

/// Every wallet in which something has expired by now.
///
/// # Errors
/// [`SweepError`].
pub fn expired<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let wallets = store.wallets_to_expire(now, LOTS_AT_ONCE)?.into_iter();
    Ok(Box::new(wallets.filter_map(move |wallet| expire(store, signer, wallet, now).transpose())))
}

/// The op for what has expired in a wallet by now, if anything has.
fn expire(
    store: &dyn Store,
    signer: &dyn Signer,
    wallet: (AccountId, GroupId),
    now: Timestamp,
) -> Result<Option<Due>, SweepError> {
    let lots = store.lots(wallet.0)?;
    let ended =
        |lot: &&Lot| (lot.account, lot.group) == wallet && lot.ends_at <= now && !lot.free().is_zero();
    let ended: Vec<&Lot> = lots.iter().filter(ended).collect();
    let Some(last) = ended.iter().map(|lot| lot.ends_at).max() else { return Ok(None) };
    let op = system::expire_lots(signer, wallet, &ended, last)?;
    Ok(Some(Due { op, writes: ended.len() }))
}

/// What remains in groups whose end has come; and the end of those of which nothing does.
///
/// # Errors
/// [`SweepError`].
pub fn ended<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let mut due = Vec::new();
    for group in store.groups_to_end(now, AT_ONCE)? {
        let Some(closing) = group.closing else { continue };
        let left = store.lots_left(group.id, AT_ONCE)?;
        if left.is_empty() {
            due.push(Due { op: system::end_group(signer, group.id, closing.ends_at)?, writes: 1 });
        }
        let mut wallets: BTreeMap<AccountId, Vec<&Lot>> = BTreeMap::new();
        // What is held waits for its pass or hold.
        for lot in left.iter().filter(|lot| !lot.free().is_zero()) {
            wallets.entry(lot.account).or_default().push(lot);
        }
        for (account, lots) in wallets {
            let op = system::expire_lots(signer, (account, group.id), &lots, closing.ends_at)?;
            due.push(Due { op, writes: lots.len() });
        }
    }
    Ok(Box::new(due.into_iter().map(Ok)))
}

/// Every hold whose time is over.
///
/// # Errors
/// [`SweepError`].
pub fn unheld<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let holds = store.holds_to_lapse(now, AT_ONCE)?;
    Ok(each(holds, move |hold| system::lapse_hold(signer, &hold)))
}

/// Every amendment whose date has come.
///
/// # Errors
/// [`SweepError`].
pub fn amended<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let due = store.amendments_due(now, AT_ONCE)?;
    Ok(each(due, move |amendment| system::decide_amendment(signer, &amendment)))
}

/// Every sale that has waited a day for a buyer who agreed to the best.
///
/// # Errors
/// [`SweepError`].
pub fn best<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let due = store.sales_for_best(now, AT_ONCE)?;
    Ok(each(due, move |(sale, since)| {
        system::take_best(signer, (sale.merchant, sale.id), since, best_from(sale.time))
    }))
}

/// Every sale that waited for its buyer in vain.
///
/// # Errors
/// [`SweepError`].
pub fn lapsed<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let sales = store.sales_to_lapse(now, AT_ONCE)?;
    let due = sales.into_iter().filter_map(|sale| Some(((sale.merchant, sale.id), sale.waits_until?)));
    Ok(each(due, move |(sale, until)| system::lapse_sale(signer, sale, until)))
}

/// Every pass that nobody said was taken.
///
/// # Errors
/// [`SweepError`].
pub fn released<'a>(
    store: &'a dyn Store,
    signer: &'a dyn Signer,
    now: Timestamp,
) -> Result<Found<'a>, SweepError> {
    let passes = store.passes_to_release(now, AT_ONCE)?;
    Ok(each(passes, move |pass| system::release_pass(signer, (pass.merchant, pass.id), pass.released_from())))
}

/// An op for each.
fn each<'a, T>(
    found: impl IntoIterator<Item = T, IntoIter: 'a>,
    op: impl Fn(T) -> Result<Submission, SignError> + 'a,
) -> Found<'a> {
    Box::new(found.into_iter().map(move |found| Ok(Due { op: op(found)?, writes: 1 })))
}

#[cfg(test)]
mod tests {
    use moa_wire::keys::SoftwareKey;

    use super::*;

    /// Whoever comes amid a sweep waits for so much and no more, however full the wallets are.
    #[test]
    fn a_commit_ends_with_the_wallet_that_fills_it() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let batches = |writes: &[usize]| {
            let due = |&writes| {
                let op = system::end_group(&key, GroupId([7; 16]), Timestamp(0))?;
                Ok(Due { op, writes })
            };
            let mut due: Found = Box::new(writes.iter().map(due));
            let mut sizes = Vec::new();
            loop {
                match next(&mut due).unwrap().len() {
                    0 => return sizes,
                    size => sizes.push(size),
                }
            }
        };
        assert_eq!(batches(&[300, 300, 300, 1, 1]), [2, 3]);
        assert_eq!(batches(&[5_000, 511, 1, 512]), [1, 2, 1]);
        assert_eq!(batches(&[1; 200]), [200]);
        assert_eq!(batches(&[0; 257]), [256, 1]);
    }
}
