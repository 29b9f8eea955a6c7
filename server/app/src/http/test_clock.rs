//! The test clock: moves the server's time. Only there with `--test-clock`, and such a server listens on loopback only.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_rules::time::Timestamp;
use moa_words::ProblemText;
use serde::{Deserialize, Serialize};

use super::problems::{Fault, ProblemResponse};
use super::requests::JsonBody;
use crate::app::App;
use crate::jobs;
use crate::test_clock::OutOfReach;

/// `POST /v1/test/clock`, and its answer: the server's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClockTime {
    /// Milliseconds since 1970: not before where the clock stands, at most ten years on.
    #[schema(value_type = i64)]
    pub now: Timestamp,
}

/// Moves the server's clock forward, and answers when every job that is due by then has run (test clock only).
#[utoipa::path(
    post,
    path = "/v1/test/clock",
    tag = "development",
    operation_id = "move_test_clock",
    request_body = ClockTime,
    responses(
        (status = 200, description = "The clock stands there; the jobs have run", body = ClockTime),
        (status = 400, response = ProblemResponse),
        (status = 404, response = ProblemResponse),
        (status = 409, response = ProblemResponse),
        (status = 413, response = ProblemResponse),
        (status = 415, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn move_clock(
    State(app): State<Arc<App>>,
    JsonBody(to): JsonBody<ClockTime>,
) -> Result<Json<ClockTime>, Fault> {
    let clock = app.test_clock.as_ref().ok_or(Fault(ProblemText::NotFound))?;
    clock.move_to(to.now).map_err(|OutOfReach { now, most }| {
        Fault(ProblemText::ClockOutOfReach { now_ms: now.0, most_ms: most.0 })
    })?;
    jobs::run_due(&app).await?;
    Ok(Json(ClockTime { now: clock.now() }))
}
