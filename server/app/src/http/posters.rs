//! Posters to be printed: of a shop, and of a group.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use moa_rules::id::{GroupId, MerchantId};
use moa_wire::link::{self, Destination};
use moa_words::{Lang, PosterText, ProblemText};
use serde::Deserialize;

use super::problems::Fault;
use super::requests::{Id, Language, Named, Parameters};
use crate::app::App;
use crate::poster::Poster;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/g/{id}/poster.pdf", get(group)).route("/s/{id}/poster.pdf", get(shop))
}

#[derive(Deserialize)]
struct Query {
    /// `ko` or `en`; without one, what the browser asks for.
    lang: Option<String>,
}

impl Named for Query {
    const NAME: &'static str = "lang";
}

impl Query {
    fn language(self, asked: Lang) -> Result<Lang, Fault> {
        let Some(tag) = self.lang else { return Ok(asked) };
        tag.parse().map_err(|_| Fault(ProblemText::BadParameter { name: Self::NAME }))
    }
}

async fn group(
    State(app): State<Arc<App>>,
    Id(id): Id<GroupId>,
    Language(asked): Language,
    Parameters(query): Parameters<Query>,
) -> Result<Response, Fault> {
    let lang = query.language(asked)?;
    let name = move |app: &App| Ok(app.store().group(id)?.map(|group| group.group.profile.name));
    draw(app, lang, Destination::Group(id), PosterText::CollectTogether, name).await
}

async fn shop(
    State(app): State<Arc<App>>,
    Id(id): Id<MerchantId>,
    Language(asked): Language,
    Parameters(query): Parameters<Query>,
) -> Result<Response, Fault> {
    let lang = query.language(asked)?;
    let name = move |app: &App| Ok(app.store().merchant(id)?.map(|shop| shop.merchant.profile.name));
    draw(app, lang, Destination::Merchant(id), PosterText::CollectHere, name).await
}

async fn draw(
    app: Arc<App>,
    lang: Lang,
    screen: Destination,
    line: PosterText,
    name: impl FnOnce(&App) -> Result<Option<String>, Fault> + Send + 'static,
) -> Result<Response, Fault> {
    let pdf = app
        .blocking(move |app| {
            let name = name(app)?.ok_or(Fault(ProblemText::NotFound))?;
            let base = app.link_base.as_ref().unwrap_or(&app.address);
            let (code, address) = (link::poster(screen, base), link::link(screen, base));
            let poster = Poster { name: &name, line, code: &code, address: &address };
            app.posters.draw(lang, &poster).ok_or(Fault(ProblemText::NoPosterFont))
        })
        .await?;
    let mut response = pdf.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"moa.pdf\""));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    Ok(response)
}
