//! Jobs: what the server does without being asked. Each may run twice; the second run changes nothing.

pub(crate) mod effects;
mod forgetting;
pub(crate) mod sweeps;

use std::sync::Arc;

use moa_ledger::sweep::SweepError;

use crate::app::App;

/// Runs every job until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    tokio::select! {
        () = effects::run(&app) => {}
        () = sweeps::run(&app) => {}
        () = forgetting::run(&app) => {}
        () = app.stopped() => {}
    }
}

/// Runs every job until nothing is due: for a clock that was moved.
pub(crate) async fn run_due(app: &Arc<App>) -> Result<(), SweepError> {
    sweeps::sweep(app).await?;
    while effects::carry_out_due(app).await? > 0 {}
    Ok(())
}
