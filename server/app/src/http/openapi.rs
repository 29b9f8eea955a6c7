//! The API document (`OpenAPI` 3.1), made from the handlers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use moa_wire::problem::Problem;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa_axum::router::OpenApiRouter;

use super::problems::ProblemResponse;
use crate::app::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Moa",
        description = "Shops that run one mileage programme together. Writes are signed ops (`POST /v1/ops`); \
            reads carry a token and a proof by the session's key (`Authorization: DPoP …` and `DPoP: …`, RFC 9449). Bytes are base64 (RFC 4648 section 4), ids are \
            lower-case hex, times are milliseconds since 1970. Readers ignore fields that they do not know. Errors \
            are problems (RFC 9457) with a stable `code`; their `detail` is for people, in the language of \
            `Accept-Language` (ko, en)."
    ),
    components(schemas(Problem), responses(ProblemResponse)),
    modifiers(&Schemes)
)]
struct Document;

/// `OpenAPI` has no word for `DPoP`: a token and a proof, each in its header.
struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let header =
            |name, is| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, is)));
        let token = header("Authorization", "`DPoP`, a space, and the session's access token");
        let proof =
            header("DPoP", "A proof by the session's key, of this request and made now (RFC 9449, ES256)");
        components.add_security_scheme("token", token);
        components.add_security_scheme("proof", proof);
    }
}

/// A router that writes the document as routes are added.
pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
}

/// The document as JSON, for a server that phones reach at `link_base`.
///
/// # Errors
/// If it can't be written as JSON, which is a bug.
pub fn document(link_base: Option<&str>) -> Result<String, serde_json::Error> {
    written(link_base, false)
}

/// The same for a server that runs, perhaps with a test clock.
pub(crate) fn served_document(link_base: &str, test_clock: bool) -> Result<String, serde_json::Error> {
    written(Some(link_base), test_clock)
}

fn written(link_base: Option<&str>, test_clock: bool) -> Result<String, serde_json::Error> {
    let mut document = super::routes(true, test_clock).into_openapi();
    document.servers = link_base.map(|base| vec![Server::new(base.trim_end_matches('/'))]);
    document.to_pretty_json()
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "server",
    operation_id = "read_api_document",
    responses(
        (status = 200, description = "The API document", body = Object),
    )
)]
pub(super) async fn openapi(State(app): State<Arc<App>>) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], app.openapi.clone()).into_response()
}
