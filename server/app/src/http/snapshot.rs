//! Snapshot: where the caller stands, for a phone that starts anew.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_ledger::reach::Reach;
use moa_ledger::store::passes_since;
use moa_rules::admission::{JoinRequest, REQUEST_DAYS};
use moa_rules::debt::Debt;
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, MerchantId};
use moa_rules::lot::Lot;
use moa_rules::sale::Sale;
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Snapshot, WaitingSale};
use moa_wire::canonical;
use moa_wire::member::MemberSecret;

use super::problems::{Fault, ProblemResponse};
use crate::app::App;
use crate::auth::Caller;
use crate::buyers;
use crate::cursor::ChangesCursor;
use crate::invitations;

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

/// A snapshot whose lots and cursor belong together: whatever changes a lot lands in the account's inbox, so if its
/// head is the same before and after, nothing came between.
fn take(app: &App, caller: Caller) -> Result<Option<Snapshot>, Fault> {
    let reach = caller.reach(app.store())?;
    let (mut heads, mut cursor) = (Vec::new(), ChangesCursor::default());
    for inbox in &reach.inboxes {
        let head = app.store().head(*inbox)?;
        cursor.set(*inbox, head.count, head.hash);
        heads.push(Base64(app.signed_head(*inbox, head.count, head.hash)?));
    }
    let own = match caller.person() {
        Some(account) => Own::of(app, account)?,
        None => Own::default(),
    };
    let Own { lots, debts, waiting, standing, member } = own;
    let mut holds = app.store().open_holds(caller.account, reach.merchant)?;
    holds.retain(|hold| reach.shows(hold));
    let passes = match caller.person() {
        Some(account) => app.store().passes_for(account, caller.key, passes_since(app.engine.now()))?,
        None => Vec::new(),
    };
    let passes = passes.iter().map(|pass| Base64(canonical::encode(pass))).collect();
    let (invitations, join_requests) = joining(app, &reach)?;
    let account = Inbox::Account(caller.account);
    if caller.person().is_some() && app.store().head(account)?.count != cursor.count(account) {
        return Ok(None);
    }
    let (account, merchant, now) = (caller.account, reach.merchant, app.engine.now());
    let till = reach.till;
    let cursor = cursor.text();
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
        member,
        invitations,
        join_requests,
        heads,
        cursor,
        now,
    }))
}

/// What a shop's owner is to know of invitations, and of who asks to join.
fn joining(app: &App, reach: &Reach) -> Result<(Vec<Base64>, Vec<JoinRequest>), Fault> {
    let own = |merchant: &MerchantId| reach.inboxes.contains(&Inbox::Merchant(*merchant));
    let Some(merchant) = reach.merchant.filter(own) else { return Ok(Default::default()) };
    let now = app.engine.now();
    let invitations = app.store().invitations_of(merchant, now.plus(-invitations::TOLD_FOR))?;
    let waits = now.plus(-i64::from(REQUEST_DAYS) * Timestamp::DAY);
    let requests = app.store().join_requests_of(merchant, waits)?;
    Ok((invitations.iter().map(|known| Base64(canonical::encode(known))).collect(), requests))
}

/// What a person has; a shop's computer has nothing.
#[derive(Default)]
struct Own {
    lots: Vec<Lot>,
    debts: Vec<Debt>,
    waiting: Vec<WaitingSale>,
    standing: StandingChoice,
    member: Option<MemberSecret>,
}

impl Own {
    fn of(app: &App, account: AccountId) -> Result<Self, Fault> {
        let waiting = app.store().waiting_of(account)?;
        Ok(Self {
            lots: app.store().lots(account)?,
            debts: app.store().debts(account)?,
            waiting: waiting.iter().filter_map(waiting_sale).collect(),
            standing: app.store().standing(account)?.map(|standing| standing.choice).unwrap_or_default(),
            member: Some(buyers::member_secret(app, account)?),
        })
    }
}

fn waiting_sale(sale: &Sale) -> Option<WaitingSale> {
    let Sale { id, merchant, amount, time, .. } = *sale;
    Some(WaitingSale { sale: id, merchant, amount, time, until: sale.waits_until? })
}
