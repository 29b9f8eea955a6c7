//! What systems read to know that links of this server are the app's.
//!
//! Android wants `assetlinks.json`, iOS `apple-app-site-association`; both over https, with status 200, as JSON, without a
//! redirect. A server that was not told of the apps has neither.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use moa_words::ProblemText;
use serde_json::{Value, json};

use crate::app::App;
use crate::apps::Apps;
use crate::http::Fault;

/// The first part of every path that is the app's.
const KINDS: [&str; 7] = ["i", "c", "g", "s", "w", "b", "t"];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/.well-known/assetlinks.json",
            get(async |State(app): State<Arc<App>>| answer(&app, asset_links)),
        )
        .route(
            "/.well-known/apple-app-site-association",
            get(async |State(app): State<Arc<App>>| answer(&app, site_association)),
        )
}

fn answer(app: &App, document: fn(&Apps) -> Option<Value>) -> Response {
    match document(&app.apps) {
        Some(document) => Json(document).into_response(),
        None => Fault(ProblemText::NotFound).into_response(),
    }
}

fn asset_links(apps: &Apps) -> Option<Value> {
    let package = apps.android_package.as_ref().filter(|_| !apps.android_certs.is_empty())?;
    Some(json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app",
            "package_name": package,
            "sha256_cert_fingerprints": apps.android_certs,
        },
    }]))
}

fn site_association(apps: &Apps) -> Option<Value> {
    let app_id = apps.ios_app_id.as_ref()?;
    // A poster's links are in upper case.
    let components = KINDS.map(|kind| json!({ "/": format!("/{kind}/*"), "caseSensitive": false }));
    Some(json!({ "applinks": { "details": [{ "appIDs": [app_id], "components": components }] } }))
}
