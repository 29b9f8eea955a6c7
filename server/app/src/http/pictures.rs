//! Pictures: taken from who is signed in, shown to everyone who has the address.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use moa_rules::id::PictureId;
use moa_wire::api::PictureTaken;
use moa_words::ProblemText;

use super::problems::{Fault, ProblemResponse};
use super::requests::PictureBody;
use crate::app::App;
use crate::auth::Caller;
use crate::pictures;

/// A picture never changes: its address is of its bytes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Where they are shown.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/p/{file}", get(show))
}

/// Takes a picture (PNG, JPEG or WebP, up to 5 MB and 40 million pixels) and makes a JPEG of it, 1 200 pixels at the longer
/// side and without metadata. It is shown at `/p/{picture}.jpg`; a group's profile names it.
#[utoipa::path(
    post,
    path = "/v1/pictures",
    tag = "groups",
    operation_id = "send_picture",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "It is kept", body = PictureTaken),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 403, response = ProblemResponse),
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
    PictureBody(file): PictureBody,
) -> Result<Json<PictureTaken>, Fault> {
    // One at a time: each takes memory by its pixels. The semaphore is never closed.
    let _turn = app.decoding.acquire().await.map_err(|_| Fault::BUSY)?;
    let picture = app.blocking(move |app| pictures::keep(app, caller, &file)).await?;
    Ok(Json(PictureTaken { picture }))
}

async fn show(State(app): State<Arc<App>>, Path(file): Path<String>) -> Result<Response, Fault> {
    let id = file.strip_suffix(".jpg").and_then(|id| id.parse::<PictureId>().ok());
    let id = id.ok_or(Fault(ProblemText::NotFound))?;
    let jpeg = app.blocking(move |app| app.store().picture(id)).await?;
    let mut response = jpeg.ok_or(Fault(ProblemText::NotFound))?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    headers.insert(header::CACHE_CONTROL, FOR_EVER);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    Ok(response)
}
