//! The page on which a phone signs a browser in: plain, with one script of its own and no build step.
//!
//! The browser makes its key, the phone scans it and lets it in (op 23), and the page asks for a session until it gets one.
//! What the page may load and where it may send is this server alone.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use moa_wire::link::{self, Destination};
use moa_wire::qr;
use moa_words::html::escaped;
use moa_words::{Lang, ProblemText, SignInText, sign_in};

use super::problems::Fault;
use super::requests::Language;
use crate::app::App;

/// Nothing inline, nothing from elsewhere, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Light modules around a code, so that a camera finds it.
const QUIET: usize = 4;

/// The page and its parts.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sign-in", get(page))
        .route("/sign-in.js", get(async || part("text/javascript", include_str!("../../web/sign-in.js"))))
        .route("/sign-in.css", get(async || part("text/css", include_str!("../../web/sign-in.css"))))
        .route("/sign-in/code/{key}", get(code))
}

async fn page(State(app): State<Arc<App>>, Language(lang): Language) -> Response {
    // Without a base that it was told, the server takes the host that a request names; so does the page.
    let base = app.link_base.as_deref().unwrap_or_default();
    let mut response = Html(html(lang, base.trim_end_matches('/'))).into_response();
    guard(&mut response);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

fn part(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    guard(&mut response);
    response
}

/// The browser's key as a QR, for the phone to scan.
async fn code(State(app): State<Arc<App>>, Path(key): Path<String>) -> Result<Response, Fault> {
    let not_found = Fault(ProblemText::NotFound);
    let browser @ Destination::Browser(_) = link::parse(&format!("moa://b/{key}"), "").ok_or(not_found)?
    else {
        return Err(not_found);
    };
    let base = app.link_base.as_ref().unwrap_or(&app.address);
    let matrix = qr::matrix(&link::poster(browser, base)).map_err(|_| not_found)?;
    let mut response = svg(&matrix).into_response();
    let kind = HeaderValue::from_static("image/svg+xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    guard(&mut response);
    Ok(response)
}

fn guard(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    headers.insert(opener, HeaderValue::from_static("same-origin"));
}

fn svg(matrix: &qr::Matrix) -> String {
    let side = matrix.side + 2 * QUIET;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
        <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\""
    );
    for (at, _) in matrix.dark.iter().enumerate().filter(|(_, dark)| **dark) {
        let (x, y) = (at % matrix.side + QUIET, at / matrix.side + QUIET);
        svg.extend(["M", &x.to_string(), " ", &y.to_string(), "h1v1h-1z"]);
    }
    svg.push_str("\"/></svg>");
    svg
}

fn html(lang: Lang, base: &str) -> String {
    let text = |what| escaped(&sign_in(lang, what));
    let states = [
        ("preparing", SignInText::Preparing),
        ("waiting", SignInText::Waiting),
        ("offline", SignInText::Offline),
        ("signed-in", SignInText::SignedIn),
        ("ended", SignInText::Ended),
        ("unable", SignInText::Unable),
    ];
    let states = states.map(|(name, what)| format!("<li data-text=\"{name}\">{}</li>", text(what)));
    format!(
        r#"<!doctype html>
<html lang="{tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/sign-in.css">
<script src="/sign-in.js" defer></script>
</head>
<body data-base="{base}" data-name="{browser}">
<main>
<h1>{title}</h1>
<noscript><p>{unable}</p></noscript>
<p id="status" role="status"></p>
<section id="asking" hidden>
<p>{scan}</p>
<img id="code" alt="{picture}" width="320" height="320">
<p><a id="here">{here}</a></p>
</section>
<section id="inside" hidden>
<h2>{balance}</h2>
<ul id="balance"></ul>
<button id="out" type="button">{out}</button>
</section>
<ul hidden>{states}</ul>
</main>
</body>
</html>
"#,
        tag = lang.tag(),
        base = escaped(base),
        title = text(SignInText::Title),
        browser = text(SignInText::Browser),
        unable = text(SignInText::Unable),
        scan = text(SignInText::Scan),
        picture = text(SignInText::Picture),
        here = text(SignInText::OnThisPhone),
        balance = text(SignInText::Balance),
        out = text(SignInText::SignOut),
        states = states.concat(),
    )
}
