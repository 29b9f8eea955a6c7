//! Sessions: a key in software that reads for a device.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use moa_wire::api::{Access, RefreshRequest, Session, SessionEnded, SessionRequest};

use super::problems::{Fault, ProblemResponse};
use super::requests::JsonBody;
use crate::app::App;
use crate::proof::{self, Proved};
use crate::sessions;

impl FromRequestParts<Arc<App>> for Proved {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        Ok(proof::check(app, parts, None)?)
    }
}

/// Begins a session: the device's word for a session key, and a proof by that key. Ends the device's session before. May
/// be sent again with another proof.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    operation_id = "begin_session",
    request_body = SessionRequest,
    security(("proof" = [])),
    responses(
        (status = 200, description = "The session's tokens", body = Session),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    proved: Proved,
    JsonBody(request): JsonBody<SessionRequest>,
) -> Result<Json<Session>, Fault> {
    Ok(Json(app.blocking(move |app| sessions::begin(app, &proved, &request)).await?))
}

/// Gives a session another access token. The refresh token stays.
#[utoipa::path(
    post,
    path = "/v1/sessions/refresh",
    tag = "sessions",
    operation_id = "refresh_session",
    request_body = RefreshRequest,
    security(("proof" = [])),
    responses(
        (status = 200, description = "An access token", body = Access),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    proved: Proved,
    JsonBody(RefreshRequest { refresh }): JsonBody<RefreshRequest>,
) -> Result<Json<Access>, Fault> {
    Ok(Json(app.blocking(move |app| sessions::refresh(app, &proved, &refresh)).await?))
}

/// Ends a session: its tokens are void at once.
#[utoipa::path(
    post,
    path = "/v1/sessions/end",
    tag = "sessions",
    operation_id = "end_session",
    request_body = RefreshRequest,
    security(("proof" = [])),
    responses(
        (status = 200, description = "It is over", body = SessionEnded),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    proved: Proved,
    JsonBody(RefreshRequest { refresh }): JsonBody<RefreshRequest>,
) -> Result<Json<SessionEnded>, Fault> {
    Ok(Json(app.blocking(move |app| sessions::end(app, &proved, &refresh)).await?))
}
