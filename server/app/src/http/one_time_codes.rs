//! One-time codes: twelve digits for a code of the caller's, and the code for the digits.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_wire::api::{Base64, OneTime, OneTimeFound, OneTimeLookup, OneTimeRequest};

use super::problems::{Fault, ProblemResponse};
use super::requests::JsonBody;
use crate::app::App;
use crate::auth::Caller;
use crate::one_time;

/// Hands out twelve digits that stand for a redemption code as this device signed it, or for a member code of this
/// account. Good for three minutes and one use.
#[utoipa::path(
    post,
    path = "/v1/one-time-codes",
    tag = "one-time codes",
    operation_id = "make_one_time_code",
    request_body = OneTimeRequest,
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The digits", body = OneTime),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 422, response = ProblemResponse),
        (status = 429, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(request): JsonBody<OneTimeRequest>,
) -> Result<Json<OneTime>, Fault> {
    Ok(Json(app.blocking(move |app| one_time::make(app, caller, &request.code.0)).await?))
}

/// The redemption code that digits stand for, for the shop that the caller acts for: the first that asks. Wrong digits
/// are counted, and too many make the shop wait.
#[utoipa::path(
    post,
    path = "/v1/one-time-codes/look-up",
    tag = "one-time codes",
    operation_id = "look_up_one_time_code",
    request_body = OneTimeLookup,
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The code", body = OneTimeFound),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 409, response = ProblemResponse),
        (status = 410, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 429, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn look_up(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(OneTimeLookup { digits }): JsonBody<OneTimeLookup>,
) -> Result<Json<OneTimeFound>, Fault> {
    let code = app.blocking(move |app| one_time::look_up(app, caller, &digits)).await?;
    Ok(Json(OneTimeFound { code: Base64(code) }))
}
