//! Passes whose time is over: what they reserved comes back, as ops of the server. (docs/rules.md P)

use std::sync::Arc;

use moa_ledger::sweep::{self, SweepError};

use super::expiry::{EVERY, sweep_with};
use crate::app::App;

/// Sweeps at once and then every minute, without end. May be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        match sweep(app).await {
            Ok(0) => {}
            Ok(passes) => tracing::info!(passes, "gave back what passes reserved"),
            Err(error) => tracing::error!(%error, "the sweep of passes stopped"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sweeps until nothing is left; how many passes.
pub(crate) async fn sweep(app: &Arc<App>) -> Result<usize, SweepError> {
    sweep_with(app, sweep::released).await
}
