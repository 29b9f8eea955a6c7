//! What all pages share: the frame, the headers, the ways into the app, lists of terms and of shops.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use moa_ledger::store::{DirectoryGroup, StoreError};
use moa_rules::id::{MerchantId, PictureId};
use moa_wire::link::{self, Destination};
use moa_words::invitation::{Invites, Offer, facts};
use moa_words::{Lang, PageText, page};

use super::browser::System;
use super::visit::Visit;
use crate::app::App;

/// Nothing but our own style and pictures, in nobody's frame, forms to this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";
/// The most shops that a page names: each costs a look into the database.
pub(super) const MOST_NAMES: usize = 50;

/// A page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// What a preview says below the title.
    pub(super) about: &'a str,
    /// Its address without anything behind a `?`.
    pub(super) address: &'a str,
    /// Whether search engines are to leave it out.
    pub(super) hidden: bool,
    pub(super) picture: Option<PictureId>,
    pub(super) body: Markup,
}

impl Page<'_> {
    /// The page with status 200.
    pub(super) fn answer(self, app: &App, visit: &Visit) -> Response {
        self.answer_with(StatusCode::OK, app, visit)
    }

    fn answer_with(self, status: StatusCode, app: &App, visit: &Visit) -> Response {
        let hidden = self.hidden;
        let mut response = (status, Html(self.written(app, visit.lang).into_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, user-agent"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(visit.lang.tag()));
        if hidden {
            let robots = HeaderName::from_static("x-robots-tag");
            headers.insert(robots, HeaderValue::from_static("noindex, nofollow"));
        }
        response
    }

    fn written(self, app: &App, lang: Lang) -> Markup {
        let Page { title, about, address, picture, body, .. } = self;
        let picture = picture.map(|picture| picture_address(app, picture));
        let (brand, locale) = match lang {
            Lang::Ko => ("모아", "ko_KR"),
            Lang::En => ("Moa", "en_US"),
        };
        let other = match lang {
            Lang::Ko => Lang::En,
            Lang::En => Lang::Ko,
        };
        html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · " (brand) }
                    meta name="description" content=(about);
                    meta property="og:type" content="website";
                    meta property="og:site_name" content=(brand);
                    meta property="og:locale" content=(locale);
                    meta property="og:title" content=(title);
                    meta property="og:description" content=(about);
                    meta property="og:url" content=(address);
                    @if let Some(picture) = &picture {
                        meta property="og:image" content=(picture);
                        meta property="og:image:type" content="image/jpeg";
                        meta property="og:image:alt" content=(page(lang, PageText::Picture));
                    }
                    link rel="stylesheet" href="/page.css";
                }
                body {
                    header { p { (brand) } }
                    main { (body) }
                    footer {
                        a href={ "?lang=" (other.tag()) } lang=(other.tag()) hreflang=(other.tag()) rel="alternate" {
                            (page(lang, PageText::OtherLanguage))
                        }
                    }
                }
            }
        }
    }
}

fn picture_address(app: &App, picture: PictureId) -> String {
    format!("{}/p/{picture}.jpg", app.base().trim_end_matches('/'))
}

/// A group's picture, if it has one.
pub(super) fn picture(lang: Lang, picture: Option<PictureId>) -> Markup {
    html! {
        @if let Some(picture) = picture {
            img.cover src={ "/p/" (picture) ".jpg" } alt=(page(lang, PageText::Picture));
        }
    }
}

/// The buttons that open the app, or get it. With the screen to begin at where a store passes one on.
pub(super) fn ways(
    app: &App,
    visit: &Visit,
    address: &str,
    open: &str,
    begin: Option<Destination>,
) -> Markup {
    let (lang, browser) = (visit.lang, visit.browser);
    let android = match begin {
        Some(begin) => app.apps.store_android(begin),
        None => app.apps.store_android.clone(),
    };
    let android = android.filter(|_| browser.system != System::Ios);
    let ios = app.apps.store_ios.as_ref().filter(|_| browser.system != System::Android);
    let address = format!("{address}?lang={}", lang.tag());
    html! {
        p { a.button.first href=(open) rel="nofollow" { (page(lang, PageText::OpenApp)) } }
        @if browser.inside.is_some() {
            @if let Some(outside) = browser.outside(&address) {
                p { a.button href=(outside) rel="nofollow" { (page(lang, PageText::OpenOutside)) } }
            }
            p { (page(lang, PageText::InsideAnother)) }
        }
        @if let Some(store) = android {
            p { a.button href=(store) { (page(lang, PageText::StoreAndroid)) } }
        }
        @if let Some(store) = ios {
            p { a.button href=(store) { (page(lang, PageText::StoreIos)) } }
        }
    }
}

/// What each thing is called, and what it is.
pub(super) fn table(rows: &[(String, String)]) -> Markup {
    html! {
        @if !rows.is_empty() {
            dl {
                @for (name, what) in rows {
                    div { dt { (name) } dd { (what) } }
                }
            }
        }
    }
}

/// What a group promises to buyers.
pub(super) fn offered(lang: Lang, group: &DirectoryGroup) -> Vec<(String, String)> {
    let terms = &group.terms.terms;
    let offer = Offer { group: &group.group.profile.name, terms, members: group.group.members };
    facts(lang, Invites::Shop(offer))
}

/// The members of a group by name, as many as are named; all are counted.
pub(super) fn members(app: &App, lang: Lang, group: &DirectoryGroup) -> Result<Markup, StoreError> {
    let mut named: Vec<(MerchantId, String)> = Vec::new();
    for member in group.members.iter().take(MOST_NAMES) {
        let known = app.store().merchant(*member)?;
        named.extend(known.map(|known| (*member, known.merchant.profile.name)));
    }
    let left_out = group.members.len().saturating_sub(MOST_NAMES);
    let shops = u32::try_from(group.members.len()).unwrap_or(u32::MAX);
    Ok(html! {
        section {
            h2 { (page(lang, PageText::Members { shops })) }
            ul.names {
                @for (id, name) in &named {
                    li { a href={ "/s/" (id) "?lang=" (lang.tag()) } { bdi { (name) } } }
                }
                @if left_out > 0 {
                    li { (page(lang, PageText::More { shops: u32::try_from(left_out).unwrap_or(u32::MAX) })) }
                }
            }
        }
    })
}

/// What is known of a screen's address.
pub(super) fn address(app: &App, destination: Destination) -> String {
    link::link(destination, app.base())
}

/// The page for what is not there.
pub(super) fn not_here(app: &App, visit: &Visit) -> Response {
    sorry(app, visit, StatusCode::NOT_FOUND, [PageText::NotHere, PageText::NotHereHow])
}

/// The page for every invitation that can't be answered: the same whether it never was, is over or was taken back.
pub(super) fn void(app: &App, visit: &Visit) -> Response {
    sorry(app, visit, StatusCode::NOT_FOUND, [PageText::Void, PageText::VoidHow])
}

/// The page for when the database does not answer.
pub(super) fn trouble(app: &App, visit: &Visit, error: &StoreError) -> Response {
    tracing::error!(%error, "a page could not be shown");
    let texts = [PageText::Trouble, PageText::TroubleHow];
    let mut response = sorry(app, visit, StatusCode::SERVICE_UNAVAILABLE, texts);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

fn sorry(app: &App, visit: &Visit, status: StatusCode, texts: [PageText; 2]) -> Response {
    let [title, how] = texts.map(|text| page(visit.lang, text));
    let body = html! { h1 { (title) } p { (how) } };
    Page { title: &title, about: &how, address: app.base(), hidden: true, picture: None, body }
        .answer_with(status, app, visit)
}
