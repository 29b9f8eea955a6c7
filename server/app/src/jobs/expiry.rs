//! The sweep: writes down what has expired, as ops of the server. (rules.md "Time")
//!
//! No balance waits for it: expired mileage does not count from the instant it ends.

use std::sync::Arc;
use std::time::Duration;

use moa_ledger::engine::NotDecided;
use moa_ledger::store::{Outcome, StoreError};
use moa_rules::id::{AccountId, GroupId};
use moa_rules::lot::Lot;
use moa_rules::time::Timestamp;
use moa_wire::keys::SignError;
use moa_wire::submission::Submission;

use crate::app::App;
use crate::system;

/// How often a sweep comes by.
pub(super) const EVERY: Duration = Duration::from_mins(1);
/// Wallets, or sales, that are swept in one go.
pub(super) const AT_ONCE: usize = 200;

/// Why a sweep stopped. The next one goes on from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotSigned(#[from] SignError),
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
}

/// Sweeps at once and then every minute, without end. May be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        match sweep(app).await {
            Ok(0) => {}
            Ok(wallets) => tracing::info!(wallets, "wrote down what has expired"),
            Err(error) => tracing::error!(%error, "the sweep of expired mileage stopped"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sweeps until nothing is left, or what is left was swept before; how many wallets.
pub(crate) async fn sweep(app: &Arc<App>) -> Result<usize, SweepError> {
    sweep_with(app, ops).await
}

/// Commits what `ops` finds until it finds nothing new; how many were new.
pub(super) async fn sweep_with(
    app: &Arc<App>,
    ops: fn(&App) -> Result<Vec<Submission>, SweepError>,
) -> Result<usize, SweepError> {
    let mut swept = 0;
    loop {
        let ops = app.blocking(ops).await?;
        let found = ops.len();
        if found == 0 {
            return Ok(swept);
        }
        let outcomes = app.engine.submit(ops).await?;
        let new = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::First(_))).count();
        swept += new;
        if found < AT_ONCE || new == 0 {
            return Ok(swept);
        }
    }
}

fn ops(app: &App) -> Result<Vec<Submission>, SweepError> {
    let now = app.engine.now();
    let mut ops = Vec::new();
    for (account, group) in app.store().wallets_to_expire(now, AT_ONCE)? {
        let Some(ended) = last_end(&app.store().lots(account)?, (account, group), now) else { continue };
        ops.push(system::expire_lots(&app.server_key, account, group, ended)?);
    }
    Ok(ops)
}

/// The last instant, up to now, at which lots of the wallet ended: names this sweep of it, and no other.
fn last_end(lots: &[Lot], wallet: (AccountId, GroupId), now: Timestamp) -> Option<Timestamp> {
    let ended = lots.iter().filter(|lot| (lot.account, lot.group) == wallet && lot.ends_at <= now);
    ended.map(|lot| lot.ends_at).max()
}
