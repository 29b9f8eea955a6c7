//! What is kept of people goes when nothing needs it any more: digits, numbers that named buyers, sessions, enrolments.

use std::sync::Arc;

use moa_ledger::store::StoreError;

use super::sweeps::EVERY;
use crate::app::App;
use crate::{buyers, enrolment, invitations, one_time, sessions};

/// Forgets at once and then every minute, without end. May be dropped at any point.
pub(crate) async fn run(app: &Arc<App>) {
    loop {
        if let Err(error) = app.blocking(forget).await {
            tracing::error!(%error, "what need not be remembered could not be forgotten");
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn forget(app: &App) -> Result<(), StoreError> {
    app.store().forget_closed()?;
    one_time::forget(app)?;
    buyers::forget_numbers(app)?;
    sessions::forget(app)?;
    invitations::forget(app)?;
    enrolment::forget(app)
}
