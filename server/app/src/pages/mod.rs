//! The pages to which links lead in a browser: what an invitation, a group or a shop is, and the way into the app.
//!
//! They are HTML and one style sheet: no script, nothing from elsewhere, no build step. A page is only read: nothing is
//! redeemed by it, so that a messenger's preview uses nothing up. (A3, A17; docs/invitations.md)

mod associations;
mod browser;
mod group;
mod invitation;
mod layout;
mod shop;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use maud::html;
use moa_ledger::store::StoreError;
use moa_wire::link::{self, Destination, MAX_LINK};
use moa_words::{PageText, page};

use self::layout::{Page, ways};
use self::visit::Visit;
use crate::app::App;

/// Every page. A poster's link is in upper case, path and all.
pub(crate) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new()
        .merge(associations::routes())
        .route("/page.css", get(style))
        .route("/c", get(invitation::by_code))
        .route("/C", get(invitation::by_code));
    for [lower, upper] in [["i", "I"], ["c", "C"], ["g", "G"], ["s", "S"], ["w", "W"], ["b", "B"]] {
        for kind in [lower, upper] {
            let path = format!("/{kind}/{{id}}");
            router = match lower {
                "i" => router.route(&path, get(invitation::by_token)),
                "c" => router.route(&path, get(invitation::by_code_in_path)),
                "g" => router.route(&path, get(group::page)),
                "s" => router.route(&path, get(shop::page)),
                _ => router.route(&path, get(in_app)),
            };
        }
    }
    // Base 64 knows two cases.
    router.route("/t/{token}", get(token))
}

async fn style() -> Response {
    let mut response = include_str!("../../web/page.css").into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A screen that only the app has: a wallet, a browser that wants in.
async fn in_app(State(app): State<Arc<App>>, visit: Visit) -> Response {
    match link::parse(&format!("moa:/{}", visit.path), "") {
        Some(destination @ (Destination::Wallet(_) | Destination::Browser(_))) => {
            let address = link::link(destination, app.base());
            let open = visit.browser.open(destination, &app.apps, &address);
            only_in_app(&app, &visit, &address, &open)
        }
        _ => layout::not_here(&app, &visit),
    }
}

/// A signed token, which the app reads and this server need not.
async fn token(State(app): State<Arc<App>>, Path(token): Path<String>, visit: Visit) -> Response {
    if token.len() > MAX_LINK || BASE64URL_NOPAD.decode(token.as_bytes()).is_err() {
        return layout::not_here(&app, &visit);
    }
    let address = format!("{}/t/{token}", app.base().trim_end_matches('/'));
    let otherwise = app.apps.store_android.as_deref().unwrap_or(&address);
    let open = visit.browser.open_path(format!("moa://t/{token}"), &app.apps, otherwise);
    only_in_app(&app, &visit, &address, &open)
}

fn only_in_app(app: &App, visit: &Visit, address: &str, open: &str) -> Response {
    let lang = visit.lang;
    let how = page(lang, PageText::AppOnlyHow);
    let body = html! {
        h1 { (page(lang, PageText::AppOnly)) }
        p { (how) }
        (ways(app, visit, address, open, None))
    };
    Page { title: &page(lang, PageText::AppOnly), about: &how, address, hidden: true, picture: None, body }
        .answer(app, visit)
}

/// What was found, or the page for nothing; or that the server could not look.
fn found(app: &App, visit: &Visit, result: Result<Option<Response>, StoreError>) -> Response {
    match result {
        Ok(Some(response)) => response,
        Ok(None) => layout::not_here(app, visit),
        Err(error) => layout::trouble(app, visit, &error),
    }
}
