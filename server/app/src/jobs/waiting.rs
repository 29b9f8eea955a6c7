//! Sales that have waited long enough for their buyer's choice: the best is taken for who agreed to that, the rest
//! lapses; as ops of the server. (docs/rules.md S11, S15)

use std::sync::Arc;

use moa_ledger::sweep::{self, SweepError};

use super::expiry::{EVERY, sweep_with};
use crate::app::App;

/// Sweeps at once and then every minute, without end. May be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        match sweep(app).await {
            Ok(0) => {}
            Ok(sales) => tracing::info!(sales, "ended the wait of sales"),
            Err(error) => tracing::error!(%error, "the sweep of waiting sales stopped"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sweeps until nothing is left; how many sales.
pub(crate) async fn sweep(app: &Arc<App>) -> Result<usize, SweepError> {
    Ok(sweep_with(app, sweep::best).await? + sweep_with(app, sweep::lapsed).await?)
}
