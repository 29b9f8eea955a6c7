//! Invitations: a ticket for who shows one, their ways for who made them, and sending.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_wire::api::{InvitationFound, InvitationSent, InvitationShown, InvitationToSend, InvitationTraces};

use super::problems::{Fault, ProblemResponse};
use super::requests::{JsonBody, Language};
use crate::app::App;
use crate::auth::Caller;
use crate::invitations;

/// What an invitation leads to, and the ticket by which the caller can answer it. One that never was, is over or was taken
/// back gets the same answer. Wrong codes are counted, and too many make the caller wait.
#[utoipa::path(
    post,
    path = "/v1/invitations/open",
    tag = "invitations",
    operation_id = "open_invitation",
    request_body = InvitationShown,
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The invitation", body = InvitationFound),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 429, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(shown): JsonBody<InvitationShown>,
) -> Result<Json<InvitationFound>, Fault> {
    Ok(Json(app.blocking(move |app| invitations::open(app, caller, &shown)).await?))
}

/// The ways of the invitations of the caller's shop to people: characters to read aloud, to whom they were sent, whether they
/// were opened. For the shop's owner.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    tag = "invitations",
    operation_id = "read_invitations",
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "One an invitation", body = InvitationTraces),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn traces(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<InvitationTraces>, Fault> {
    let traces = app.blocking(move |app| invitations::traces(app, caller)).await?;
    Ok(Json(InvitationTraces { traces }))
}

/// Sends an invitation of the caller's shop by mail or text message, once: the same again sends nothing.
#[utoipa::path(
    post,
    path = "/v1/invitations/send",
    tag = "invitations",
    operation_id = "send_invitation",
    request_body = InvitationToSend,
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "It is on its way, or was sent before", body = InvitationSent),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
        (status = 429, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn send(
    State(app): State<Arc<App>>,
    caller: Caller,
    Language(lang): Language,
    JsonBody(asked): JsonBody<InvitationToSend>,
) -> Result<Json<InvitationSent>, Fault> {
    Ok(Json(app.blocking(move |app| invitations::send(app, caller, &asked, lang)).await?))
}
