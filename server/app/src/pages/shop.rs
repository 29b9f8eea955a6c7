//! A shop, for anyone who has its link: where it is, and what is collected there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use maud::{Markup, html};
use moa_ledger::store::{DirectoryMerchant, StoreError};
use moa_rules::id::MerchantId;
use moa_wire::link::Destination;
use moa_words::{Lang, PageText, group, industry, page as text};

use super::found;
use super::layout::{MOST_NAMES, Page, address, table, ways};
use super::visit::Visit;
use crate::app::App;

/// The page of a shop.
pub(super) async fn page(State(app): State<Arc<App>>, Path(id): Path<String>, visit: Visit) -> Response {
    app.blocking(move |app| found(app, &visit, shown(app, &visit, &id))).await
}

fn shown(app: &App, visit: &Visit, id: &str) -> Result<Option<Response>, StoreError> {
    let Ok(id) = id.to_ascii_lowercase().parse::<MerchantId>() else { return Ok(None) };
    let Some(shop) = app.store().merchant(id)? else { return Ok(None) };
    let lang = visit.lang;
    let destination = Destination::Merchant(id);
    let address = address(app, destination);
    let open = visit.browser.open(destination, &app.apps, &address);
    let profile = &shop.merchant.profile;
    let places: Vec<&str> =
        [&profile.area, &profile.building].into_iter().flatten().map(String::as_str).collect();
    let place = (!places.is_empty()).then(|| (text(lang, PageText::Where), places.join(", ")));
    let trade = profile.industry.map(|trade| (text(lang, PageText::Trade), industry(lang, trade).to_owned()));
    let known: Vec<_> = [trade, place].into_iter().flatten().collect();
    let (groups, about) = groups(app, lang, &shop)?;
    let body = html! {
        h1 { bdi { (profile.name) } }
        (table(&known))
        (ways(app, visit, &address, &open, Some(destination)))
        (groups)
    };
    let page =
        Page { title: &profile.name, about: &about, address: &address, hidden: false, picture: None, body };
    Ok(Some(page.answer(app, visit)))
}

/// The groups in which a shop gives mileage; and the same in a line.
pub(super) fn groups(
    app: &App,
    lang: Lang,
    shop: &DirectoryMerchant,
) -> Result<(Markup, String), StoreError> {
    let mut known = Vec::new();
    for id in shop.groups.iter().take(MOST_NAMES) {
        known.extend(app.store().group(*id)?);
    }
    let line = |name: &str, share: String| format!("{name} {share}");
    let lines =
        known.iter().map(|known| line(&known.group.profile.name, group::share(lang, &known.terms.terms)));
    let about = lines.collect::<Vec<_>>().join(" · ");
    let none = text(lang, PageText::NoGroups);
    let list = html! {
        section {
            h2 { (text(lang, PageText::Groups)) }
            @if known.is_empty() {
                p { (none) }
            } @else {
                ul.names {
                    @for known in &known {
                        li {
                            a href={ "/g/" (known.group.id) "?lang=" (lang.tag()) } { bdi { (known.group.profile.name) } }
                            span { (group::promise(lang, &known.terms.terms)) }
                        }
                    }
                }
            }
        }
    };
    Ok((list, if about.is_empty() { none } else { about }))
}
