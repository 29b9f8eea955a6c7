//! Who looks at a page, and how: language, browser, where from.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{Method, header};
use moa_words::Lang;
use serde::Deserialize;

use super::browser::Browser;
use crate::app::App;
use crate::http::language;
use crate::peer::Peer;

/// What may stand behind the `?`; all else there is ignored.
#[derive(Default, Deserialize)]
struct Asked {
    lang: Option<String>,
    code: Option<String>,
}

/// A look at a page.
pub(super) struct Visit {
    /// The language: that of the switch, else what the browser likes.
    pub(super) lang: Lang,
    pub(super) browser: Browser,
    pub(super) path: String,
    /// What was typed into the form, if anything was.
    pub(super) code: Option<String>,
    pub(super) peer: Peer,
    /// Whether a person saw it, as far as can be told.
    pub(super) counts: bool,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let peer = Peer::from_request_parts(parts, app).await?;
        let asked = Query::<Asked>::try_from_uri(&parts.uri).map(|Query(asked)| asked).unwrap_or_default();
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let browser = Browser::of(agent.unwrap_or_default());
        let chosen = asked.lang.and_then(|lang| lang.parse().ok());
        let lang = chosen.unwrap_or_else(|| language(&parts.headers));
        let counts = parts.method == Method::GET && !browser.robot;
        let path = parts.uri.path().to_owned();
        Ok(Self { lang, browser, path, code: asked.code, peer, counts })
    }
}
