//! Enrolments: from a phone number to a key that may sign.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_ledger::engine::NotDecided;
use moa_rules::id::AccountId;
use moa_wire::api::{Confirmation, Enrolled, Enrolment, EnrolmentRequest};

use super::problems::{Fault, ProblemResponse};
use super::requests::{Id, JsonBody, Language};
use crate::app::App;
use crate::buyers;
use crate::enrolment;
use crate::peer::Peer;

/// Sends a six-digit code to a phone number. The answer does not tell whether the number is known.
#[utoipa::path(
    post,
    path = "/v1/enrolments",
    tag = "enrolment",
    operation_id = "begin_enrolment",
    request_body = EnrolmentRequest,
    responses(
        (status = 200, description = "The code is on its way", body = Enrolment),
        (status = 400, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
        (status = 429, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Language(lang): Language,
    peer: Peer,
    JsonBody(request): JsonBody<EnrolmentRequest>,
) -> Result<Json<Enrolment>, Fault> {
    let begin = move |app: &App| enrolment::begin(app, &request.phone, &request.public_key.0, (lang, peer));
    Ok(Json(app.blocking(begin).await?))
}

/// Ends an enrolment: the code that came, and proof that the device holds its key. May be sent again.
#[utoipa::path(
    post,
    path = "/v1/enrolments/{enrolment}/confirm",
    tag = "enrolment",
    operation_id = "confirm_enrolment",
    params(("enrolment" = String, Path, description = "The enrolment's id, 32 hex digits")),
    request_body = Confirmation,
    responses(
        (status = 200, description = "The key may sign, and vouch for a session key", body = Enrolled),
        (status = 400, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 409, response = ProblemResponse),
        (status = 410, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Id(id): Id<String>,
    JsonBody(confirmation): JsonBody<Confirmation>,
) -> Result<Json<Enrolled>, Fault> {
    let confirm = move |app: &App| enrolment::confirm(app, &id, &confirmation);
    let confirmed = app.blocking(confirm).await?;
    let account = confirmed.account;
    let outcomes = app.engine.submit(vec![confirmed.op.clone()]).await?;
    let outcome = outcomes.into_iter().next().ok_or(NotDecided)?;
    let admit = move |app: &App| enrolment::admit(app, confirmed, &outcome);
    let enrolled = app.blocking(admit).await?;
    offer(&app, account).await;
    Ok(Json(enrolled))
}

/// Hands over the sales that waited for this number's owner to sign up. If that fails they wait on, for the owner's own
/// choice.
async fn offer(app: &Arc<App>, account: AccountId) {
    let offers = match app.blocking(move |app| buyers::offers(app, account)).await {
        Ok(offers) if offers.is_empty() => return,
        Ok(offers) => offers,
        Err(error) => return tracing::error!(%error, "sales wait on that might have been handed over"),
    };
    if app.engine.submit(offers).await.is_err() {
        tracing::warn!("sales wait on that might have been handed over");
    }
}
