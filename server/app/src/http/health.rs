//! Whether the server is well.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_rules::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::problems::{Fault, ProblemResponse};
use crate::app::App;

/// `GET /healthz`: the server answers, and so does its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The server's clock.
    #[schema(value_type = i64)]
    pub now: Timestamp,
}

/// Whether the server and its database answer.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    operation_id = "read_health",
    responses(
        (status = 200, description = "They do", body = Health),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn health(State(app): State<Arc<App>>) -> Result<Json<Health>, Fault> {
    if !app.blocking(App::is_well).await? {
        return Err(Fault::INTERNAL);
    }
    Ok(Json(Health { status: "ok".to_owned(), now: app.engine.now() }))
}
