//! Changes: catching up and waiting for more, from the same place.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use moa_ledger::store::InboxHead;
use moa_ledger::watch::Watch;
use moa_rules::event::Inbox;
use moa_wire::api::{Base64, Changes, InboxChanges, MAX_CHANGES, MAX_WAIT_S};
use moa_words::ProblemText;
use serde::Deserialize;
use tokio::time::Instant;

use super::directory::page;
use super::problems::{Fault, ProblemResponse};
use super::requests::{Named, Parameters};
use crate::app::App;
use crate::auth::Caller;
use crate::cursor::{ChangesCursor, DirectoryCursor};

/// The most bytes of events in one answer; a third more in base64. Phones read up to 4 MB.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// With less room than this left, a page of the directory waits for the next answer.
const DIRECTORY_ROOM: usize = MAX_BYTES / 2;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// From the last answer, or from a snapshot; without one, from the beginning.
    cursor: Option<String>,
    /// Seconds to wait for something new, at most 25.
    wait: Option<u64>,
    /// Asks for a page of the directory too: its cursor from the last answer, or nothing for the beginning. Such a request does not
    /// wait.
    directory: Option<String>,
}

impl Named for Query {
    const NAME: &'static str = "wait";
}

/// What has happened in the caller's inboxes (its account's, its shop's, its shop's groups') since the cursor.
/// Waits if nothing has. A page of the directory beside it, if one is asked for. At most 500 events; `more` tells whether to ask again at once.
#[utoipa::path(
    get,
    path = "/v1/changes",
    tag = "reads",
    operation_id = "read_changes",
    params(Query),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "What is new, perhaps nothing", body = Changes),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 410, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    caller: Caller,
    Parameters(query): Parameters<Query>,
) -> Result<Json<Changes>, Fault> {
    let cursor = ChangesCursor::read(query.cursor.as_deref())?;
    let directory = query.directory.as_deref().map(|text| DirectoryCursor::read(Some(text))).transpose()?;
    let wait = if directory.is_some() { 0 } else { query.wait.unwrap_or(0).min(MAX_WAIT_S) };
    let until = Instant::now() + Duration::from_secs(wait);
    loop {
        let from = cursor.clone();
        let (mut watch, changes) = app.blocking(move |app| look(app, caller, &from, directory)).await?;
        if !changes.inboxes.is_empty() || Instant::now() >= until || *app.stopping.borrow() {
            return Ok(Json(changes));
        }
        tokio::select! {
            () = watch.changed() => {}
            () = tokio::time::sleep_until(until) => {}
            () = app.stopped() => {}
        }
    }
}

/// What there is after the cursors; the watch began before it was read.
fn look(
    app: &App,
    caller: Caller,
    cursor: &ChangesCursor,
    directory: Option<DirectoryCursor>,
) -> Result<(Watch, Changes), Fault> {
    let reach = caller.reach(app.store())?;
    let known: Vec<_> = reach.inboxes.iter().map(|inbox| (*inbox, cursor.count(*inbox))).collect();
    let watch = app.engine.watch(&known);
    if !cursor.stands(app.store())? {
        return Err(Fault(ProblemText::CursorGone));
    }
    // Where nothing is new it stays; also what the caller may not follow now: a clerk who comes back goes on from there.
    let (mut inboxes, mut next, mut more) = (Vec::new(), cursor.clone(), false);
    let mut room = Room { events: MAX_CHANGES, bytes: MAX_BYTES };
    for inbox in reach.inboxes {
        let found = read(app, inbox, cursor.count(inbox), &mut room)?;
        if let Some(head) = found.upto {
            next.set(inbox, head.count, head.hash);
        }
        more |= found.more;
        inboxes.extend(found.changes);
    }
    let directory =
        directory.filter(|_| room.bytes >= DIRECTORY_ROOM).map(|from| page(app, from)).transpose()?;
    Ok((watch, Changes { inboxes, cursor: next.text(), more, directory, now: app.engine.now() }))
}

/// What an answer still has room for.
struct Room {
    events: usize,
    bytes: usize,
}

impl Room {
    /// How many of these events fit. The very first of an answer always does, however large: there must be a way on.
    fn fitting(&self, events: &[Vec<u8>]) -> usize {
        let first = self.bytes == MAX_BYTES;
        let mut bytes = 0;
        let fits = events.iter().enumerate().take_while(|(index, event)| {
            bytes += event.len();
            bytes <= self.bytes || (first && *index == 0)
        });
        fits.count()
    }

    fn take(&mut self, events: &[Vec<u8>]) {
        self.events -= events.len();
        self.bytes = self.bytes.saturating_sub(events.iter().map(Vec::len).sum());
    }
}

/// A stretch of one inbox.
struct Found {
    changes: Option<InboxChanges>,
    /// The head after it; none if there is nothing new.
    upto: Option<InboxHead>,
    more: bool,
}

fn read(app: &App, inbox: Inbox, after: u64, room: &mut Room) -> Result<Found, Fault> {
    let mut page = app.store().inbox(inbox, after, room.events)?;
    let fitting = room.fitting(&page.events);
    if fitting < page.events.len() {
        // Read once more, for the head after the last event that fits.
        page = app.store().inbox(inbox, after, fitting)?;
    }
    if page.events.is_empty() {
        return Ok(Found { changes: None, upto: None, more: page.count > after });
    }
    room.take(&page.events);
    let upto = page.head;
    let head = Base64(app.signed_head(inbox, upto.count, upto.hash)?);
    let events = page.events.into_iter().map(Base64).collect();
    let changes = InboxChanges { inbox: inbox.into(), first: after + 1, events, head };
    Ok(Found { changes: Some(changes), upto: Some(upto), more: page.count > upto.count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stays_within_its_bytes_and_always_gets_on() {
        let mut room = Room { events: MAX_CHANGES, bytes: MAX_BYTES };
        let huge = vec![vec![0; 2 * MAX_BYTES], vec![0; 1]];
        assert_eq!(room.fitting(&huge), 1);
        let thirds = vec![vec![0; MAX_BYTES / 3]; 5];
        assert_eq!(room.fitting(&thirds), 3);
        room.take(&thirds[..2]);
        assert_eq!((room.fitting(&thirds), room.fitting(&huge)), (1, 0));
        assert_eq!(room.fitting(&[]), 0);
    }
}
