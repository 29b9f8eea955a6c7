//! Devices of a person, staff and tills of a shop.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_wire::api::{Devices, ShopStaff};
use moa_words::ProblemText;

use super::problems::{Fault, ProblemResponse};
use crate::app::App;
use crate::auth::Caller;
use crate::devices;

/// The keys that may, or could, sign for the caller's account, as its person calls them, and when each was last seen. Not
/// for a shop's computer.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "sessions",
    operation_id = "read_devices",
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The devices", body = Devices),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn devices(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Devices>, Fault> {
    let account = caller.person().ok_or(Fault(ProblemText::Forbidden))?;
    Ok(Json(app.blocking(move |app| devices::of(app, account)).await?))
}

/// Who sells for the shop that the caller owns, with limits and what they sold today; and its tills, with when each was last
/// heard and what of it has not arrived.
#[utoipa::path(
    get,
    path = "/v1/staff",
    tag = "reads",
    operation_id = "read_staff",
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "The shop's staff and tills", body = ShopStaff),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn staff(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<ShopStaff>, Fault> {
    let staff = app.blocking(move |app| devices::staff(app, caller)).await?;
    staff.map(Json).ok_or(Fault(ProblemText::Forbidden))
}
