//! Snapshot: where the caller stands, for a phone that starts anew.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_ledger::reach::{Holdings, Reach};
use moa_rules::event::Inbox;
use moa_wire::api::{Base64, Snapshot};
use moa_wire::canonical;

use super::problems::{Fault, ProblemResponse};
use crate::app::App;
use crate::auth::Caller;
use crate::buyers;
use crate::cursor::ChangesCursor;

/// How often lots and heads are read again because a commit came between.
const ATTEMPTS: u32 = 10;

/// The caller's lots, the heads of its inboxes, and a cursor from which its changes go on.
#[utoipa::path(
    get,
    path = "/v1/snapshot",
    tag = "reads",
    operation_id = "read_snapshot",
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "Where the caller stands", body = Snapshot),
        (status = 401, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn snapshot(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Snapshot>, Fault> {
    app.blocking(move |app| {
        for _ in 0..ATTEMPTS {
            if let Some(snapshot) = take(app, caller)? {
                return Ok(Json(snapshot));
            }
        }
        Err(Fault::BUSY)
    })
    .await
}

/// A snapshot whose rows and cursor belong together: whatever changes a lot lands in the account's inbox, and what changes an
/// invitation in the shop's, so if their heads are the same before and after, nothing came between.
fn take(app: &App, caller: Caller) -> Result<Option<Snapshot>, Fault> {
    let reach = caller.reach(app.store())?;
    let (mut heads, mut cursor) = (Vec::new(), ChangesCursor::default());
    for inbox in &reach.inboxes {
        let head = app.store().head(*inbox)?;
        cursor.set(*inbox, head.count, head.hash);
        heads.push(Base64(app.signed_head(*inbox, head.count, head.hash)?));
    }
    let now = app.engine.now();
    let holdings = reach.holdings(app.store(), caller.account, caller.key, now)?;
    // A shop's computer shows no member code.
    let member = caller.person().map(|account| buyers::member_secret(app, account)).transpose()?;
    for inbox in reach.inboxes.iter().filter(|inbox| matches!(inbox, Inbox::Account(_) | Inbox::Merchant(_)))
    {
        if app.store().head(*inbox)?.count != cursor.count(*inbox) {
            return Ok(None);
        }
    }
    let Reach { merchant, till, .. } = reach;
    let Holdings { lots, debts, holds, passes, waiting, standing, marketing, invitations, join_requests } =
        holdings;
    let marketing = Some(Base64(canonical::encode(&marketing)));
    let (account, cursor) = (caller.account, cursor.text());
    Ok(Some(Snapshot {
        account,
        merchant,
        till,
        lots,
        debts,
        holds,
        passes,
        waiting,
        standing,
        marketing,
        member,
        invitations,
        join_requests,
        heads,
        cursor,
        now,
    }))
}
