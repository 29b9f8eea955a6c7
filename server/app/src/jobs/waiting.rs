//! Sales that have waited long enough for their buyer's choice: the best is taken for who agreed to that, the rest
//! lapses; as ops of the server. (docs/rules.md S11, S15)

use std::sync::Arc;

use moa_ledger::sweep::{self, SweepError};

use super::expiry::{EVERY, sweep_with};
use crate::app::App;
use crate::buyers;
use crate::one_time;

/// Sweeps at once and then every minute, and forgets digits and numbers that named buyers so long ago, without end. May
/// be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        let forget = |app: &App| one_time::forget(app).and_then(|()| buyers::forget_numbers(app));
        if let Err(error) = app.blocking(forget).await {
            tracing::error!(%error, "what need not be remembered could not be forgotten");
        }
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
