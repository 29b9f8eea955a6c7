//! The sweeps: what is due, written down as ops of the server. (docs/rules.md T4, S11, S15, P7, R6, M)
//!
//! No balance waits for one: expired mileage does not count from the instant it ends.

use std::sync::Arc;
use std::time::Duration;

use moa_ledger::sweep::{self, SweepError};

use crate::app::App;

/// How often they come by.
pub(super) const EVERY: Duration = Duration::from_mins(1);

/// Sweeps at once and then every minute, without end. May be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        match sweep(app).await {
            Ok(0) => {}
            Ok(written) => tracing::info!(written, "wrote down what was due"),
            Err(error) => tracing::error!(%error, "the sweeps stopped"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sweeps until nothing is left, or what is left was swept before; how many ops were new.
pub(crate) async fn sweep(app: &Arc<App>) -> Result<usize, SweepError> {
    let mut written = 0;
    for find in sweep::ALL {
        written += app.blocking(move |app| sweep::run(&app.engine, &app.server_key, find)).await?;
    }
    Ok(written)
}
