//! An invitation, for whoever has its link or its eight characters. Looking redeems nothing.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use moa_ledger::store::invitations::Seen;
use moa_ledger::store::{DirectoryGroup, DirectoryMerchant, StoreError};
use moa_rules::invitation::{Invitation, InvitationState, Invited, TokenHash};
use moa_rules::time::{Timestamp, Zone, local_day};
use moa_wire::invitation::{InvitationCode, InvitationToken};
use moa_wire::link::Destination;
use moa_words::invitation::{self as words, Invites, Offer};
use moa_words::{Lang, PageText, page};

use super::layout::{self, Page, address, ways};
use super::visit::Visit;
use super::{group, shop};
use crate::app::App;

/// For how long wrong codes of a network address are counted.
const TRIED_WITHIN: i64 = Timestamp::HOUR;
/// The longest text that is shown again in the form, in characters.
const MOST_TYPED: usize = 16;

/// The page of an invitation, by the token in its link.
pub(super) async fn by_token(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    visit: Visit,
) -> Response {
    app.blocking(move |app| {
        let Ok(token) = token.to_ascii_lowercase().parse::<InvitationToken>() else {
            return layout::void(app, &visit);
        };
        let known = app.store().invitation_by_hash(TokenHash(token.hash()));
        answer(app, &visit, Destination::Invitation(token), known)
    })
    .await
}

/// The form; or, with a code in it, the way to the page that this code opens.
pub(super) async fn by_code(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let Some(typed) = &visit.code else { return form(&app, &visit, "", None) };
    match InvitationCode::read(typed) {
        Ok(code) => {
            let to = format!("/c/{}?lang={}", code.characters(), visit.lang.tag());
            Redirect::to(&to).into_response()
        }
        Err(_) => form(&app, &visit, typed, Some(PageText::Mistyped)),
    }
}

/// The same for the link that holds the code.
pub(super) async fn by_code_in_path(
    State(app): State<Arc<App>>,
    Path(typed): Path<String>,
    visit: Visit,
) -> Response {
    app.blocking(move |app| of_code(app, &visit, &typed)).await
}

fn of_code(app: &App, visit: &Visit, typed: &str) -> Response {
    let Ok(code) = InvitationCode::read(typed) else {
        return form(app, visit, typed, Some(PageText::Mistyped));
    };
    let known = match look_up(app, visit, code) {
        Ok(Tried::TooMany { minutes }) => {
            return form(app, visit, typed, Some(PageText::TooManyTries { minutes }));
        }
        Ok(Tried::Found(known)) => Ok(known),
        Err(error) => Err(error),
    };
    answer(app, visit, Destination::InvitationCode(code), known)
}

enum Tried {
    Found(Option<Invitation>),
    TooMany { minutes: u64 },
}

/// The invitation for which a code stands. Codes of a network address that stand for nothing are counted: thirty-five bits
/// can be guessed.
fn look_up(app: &App, visit: &Visit, code: InvitationCode) -> Result<Tried, StoreError> {
    let (now, mac) = (app.engine.now(), app.pepper.of_invitation_code(code));
    let Some(peer) = visit.peer.0 else { return app.store().invitation_by_code(mac).map(Tried::Found) };
    let mut asker = [0; 16];
    asker.copy_from_slice(&app.pepper.of_address(peer)[..16]);
    let _one_at_a_time = app.guessing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let tries = app.store().wrong_digits_since(asker, now.plus(-TRIED_WITHIN))?;
    let most = usize::try_from(app.limits.codes_per_address).unwrap_or(usize::MAX);
    if let Some(first) = tries.len().checked_sub(most).and_then(|at| tries.get(at)) {
        let left = first.plus(TRIED_WITHIN).0.saturating_sub(now.0);
        let minutes = u64::try_from(left.div_euclid(Timestamp::MINUTE)).unwrap_or(0).saturating_add(1);
        return Ok(Tried::TooMany { minutes });
    }
    let found = app.store().invitation_by_code(mac)?;
    if found.is_none() {
        app.store().wrong_digits(asker, mac, now)?;
    }
    Ok(Tried::Found(found))
}

fn form(app: &App, visit: &Visit, typed: &str, wrong: Option<PageText>) -> Response {
    let lang = visit.lang;
    let how = page(lang, PageText::EnterCodeHow);
    let typed: String = typed.chars().take(MOST_TYPED).collect();
    let body = html! {
        h1 { (page(lang, PageText::EnterCode)) }
        form method="get" action="/c" {
            input type="hidden" name="lang" value=(lang.tag());
            p { label for="code" { (how) } }
            @if let Some(wrong) = wrong {
                p.note #wrong role="alert" { (page(lang, wrong)) }
            }
            p {
                input #code name="code" value=(typed) required autocomplete="off" autocapitalize="characters"
                    spellcheck="false" maxlength="16" aria-describedby=[wrong.map(|_| "wrong")]
                    aria-invalid=[wrong.map(|_| "true")];
            }
            p { button.button.first type="submit" { (page(lang, PageText::ShowInvitation)) } }
        }
    };
    let address = format!("{}/c", app.base().trim_end_matches('/'));
    let title = page(lang, PageText::EnterCode);
    Page { title: &title, about: &how, address: &address, hidden: true, picture: None, body }
        .answer(app, visit)
}

/// What is known of an invitation that can be answered.
struct Shown {
    known: Invitation,
    issuer: DirectoryMerchant,
    group: Option<DirectoryGroup>,
}

fn answer(
    app: &App,
    visit: &Visit,
    destination: Destination,
    known: Result<Option<Invitation>, StoreError>,
) -> Response {
    let shown = known
        .and_then(|known| read(app, known))
        .and_then(|shown| shown.map(|shown| written(app, visit, destination, &shown)).transpose());
    match shown {
        Ok(Some(response)) => response,
        Ok(None) => layout::void(app, visit),
        Err(error) => layout::trouble(app, visit, &error),
    }
}

fn read(app: &App, known: Option<Invitation>) -> Result<Option<Shown>, StoreError> {
    let now = app.engine.now();
    let Some(known) = known.filter(|known| known.state(now) == InvitationState::Open) else {
        return Ok(None);
    };
    let Some(issuer) = app.store().merchant(known.issuer)? else { return Ok(None) };
    let group = match known.to {
        Invited::App => None,
        Invited::Group(id) => match app.store().group(id)? {
            Some(group) if group.members.contains(&known.issuer) => Some(group),
            _ => return Ok(None),
        },
    };
    Ok(Some(Shown { known, issuer, group }))
}

fn written(
    app: &App,
    visit: &Visit,
    destination: Destination,
    shown: &Shown,
) -> Result<Response, StoreError> {
    let Shown { known, issuer, group } = shown;
    let (lang, now) = (visit.lang, app.engine.now());
    if visit.counts {
        app.store().invitation_seen(known.issuer, known.id, Seen::Opened, now)?;
    }
    let code = code(app, known)?;
    let address = address(app, destination);
    let open = visit.browser.open(destination, &app.apps, &address);
    let zone = group.as_ref().map_or_else(Zone::default, |group| group.terms.terms.tz());
    let offer = group.as_ref().map(|group| Offer {
        group: &group.group.profile.name,
        terms: &group.terms.terms,
        members: group.group.members,
    });
    let said = words::Invitation {
        from: &issuer.merchant.profile.name,
        invites: offer.map_or(Invites::Buyer(None), Invites::Shop),
        link: &address,
        code: None,
        last_day: Some(local_day(known.until.plus(-1), &zone).into()),
    };
    let headline = words::headline(lang, &said);
    let profile = group.as_ref().map(|group| &group.group.profile);
    let name = profile.map_or(&issuer.merchant.profile.name, |profile| &profile.name);
    let picture = profile.and_then(|profile| profile.picture);
    let (rest, about) = match group {
        Some(group) => (group::details(app, lang, group)?, group::about(lang, group)),
        None => shop::groups(app, lang, issuer)?,
    };
    let body = html! {
        (layout::picture(lang, picture))
        h1 { bdi { (name) } }
        p { (headline) }
        @if let Some(group) = group {
            (layout::table(&layout::offered(lang, group)))
            (group::closing(lang, group))
        }
        @if let Some(until) = words::open_by(lang, &said) { p { (until) } }
        (ways(app, visit, &address, &open, Some(destination)))
        @if let Some(code) = code { (code_to_type(lang, code)) }
        (rest)
    };
    let page = Page { title: &headline, about: &about, address: &address, hidden: true, picture, body };
    Ok(page.answer(app, visit))
}

/// The eight characters, from now on known to stand for it. An invitation without a link has none.
fn code(app: &App, known: &Invitation) -> Result<Option<InvitationCode>, StoreError> {
    if known.hash.is_none() {
        return Ok(None);
    }
    let code = app.pepper.invitation_code(known.id);
    let mac = app.pepper.of_invitation_code(code);
    if app.store().invitation_by_code(mac)?.is_none() {
        app.store().name_invitation(known.issuer, known.id, mac, app.engine.now())?;
    }
    Ok(Some(code))
}

fn code_to_type(lang: Lang, code: InvitationCode) -> Markup {
    html! {
        section {
            h2 { (page(lang, PageText::Code)) }
            p.code { (code.text()) }
            p { (page(lang, PageText::CodeUse)) }
        }
    }
}
