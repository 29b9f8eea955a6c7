//! The sweep: writes down what has expired, as ops of the server. (rules.md "Time")
//!
//! No balance waits for it: expired mileage does not count from the instant it ends.

use std::sync::Arc;
use std::time::Duration;

use moa_ledger::store::Outcome;
use moa_ledger::sweep::{self, AT_ONCE, Sweep, SweepError};

use crate::app::App;

/// How often a sweep comes by.
pub(super) const EVERY: Duration = Duration::from_mins(1);

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
    sweep_with(app, sweep::expired).await
}

/// Commits what `find` finds until it finds nothing new; how many were new.
pub(super) async fn sweep_with(app: &Arc<App>, find: Sweep) -> Result<usize, SweepError> {
    let mut swept = 0;
    loop {
        let ops = app.blocking(move |app| find(app.store(), &app.server_key, app.engine.now())).await?;
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
