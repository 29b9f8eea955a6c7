//! A group, for anyone who has its link.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use moa_ledger::store::{DirectoryGroup, StoreError};
use moa_rules::id::GroupId;
use moa_rules::time::Zone;
use moa_wire::link::Destination;
use moa_words::{Lang, PageText, among_members, group, page as text};

use super::found;
use super::layout::{Page, address, members, offered, picture, table, ways};
use super::visit::Visit;
use crate::app::App;

/// The page of a group.
pub(super) async fn page(State(app): State<Arc<App>>, Path(id): Path<String>, visit: Visit) -> Response {
    app.blocking(move |app| found(app, &visit, shown(app, &visit, &id))).await
}

fn shown(app: &App, visit: &Visit, id: &str) -> Result<Option<Response>, StoreError> {
    let Ok(id) = id.to_ascii_lowercase().parse::<GroupId>() else { return Ok(None) };
    let Some(group) = app.store().group(id)? else { return Ok(None) };
    let lang = visit.lang;
    let destination = Destination::Group(id);
    let address = address(app, destination);
    let open = visit.browser.open(destination, &app.apps, &address);
    let profile = &group.group.profile;
    let about = about(lang, &group);
    let body = html! {
        (picture(lang, profile.picture))
        h1 { bdi { (profile.name) } }
        (table(&offered(lang, &group)))
        (closing(lang, &group))
        (ways(app, visit, &address, &open, Some(destination)))
        (details(app, lang, &group)?)
    };
    let page = Page {
        title: &profile.name,
        about: &about,
        address: &address,
        hidden: false,
        picture: profile.picture,
        body,
    };
    Ok(Some(page.answer(app, visit)))
}

/// What a preview says of it.
pub(super) fn about(lang: Lang, group: &DirectoryGroup) -> String {
    let rows = offered(lang, group).into_iter().map(|(name, what)| format!("{name} {what}"));
    rows.collect::<Vec<_>>().join(" · ")
}

/// How it ends, if it does.
pub(super) fn closing(lang: Lang, shown: &DirectoryGroup) -> Markup {
    let zone = Zone::named(&shown.terms.terms.zone).unwrap_or_default();
    html! {
        @if let Some(closing) = shown.group.closing {
            p.note { (group::closing(lang, closing.redeem_only_from, closing.ends_at, &zone)) }
        }
    }
}

/// What shops agree among themselves, and who they are.
pub(super) fn details(app: &App, lang: Lang, group: &DirectoryGroup) -> Result<Markup, StoreError> {
    let members = members(app, lang, group)?;
    Ok(html! {
        section {
            h2 { (text(lang, PageText::Terms)) }
            (table(&among_members(lang, &group.terms.terms)))
        }
        (members)
    })
}
