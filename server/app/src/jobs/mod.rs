//! Jobs: what the server does without being asked. Each may run twice; the second run changes nothing.

pub(crate) mod effects;
pub(crate) mod expiry;
pub(crate) mod waiting;

use std::sync::Arc;

use crate::app::App;

/// Runs every job until the server stops.
pub(crate) async fn run(app: Arc<App>) {
    tokio::select! {
        () = effects::run(&app) => {}
        () = expiry::run(&app) => {}
        () = waiting::run(&app) => {}
        () = app.stopped() => {}
    }
}
