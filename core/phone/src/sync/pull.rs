//! Pull: the inboxes are followed from the cursor, and with them the directory, while it is due; without one, a snapshot is taken.

use moa_rules::time::Timestamp;
use moa_wire::api::{Changes, Snapshot};

use super::answer::{self, Failure, Outcome};
use super::{Lane, Machine, Reads, UnderWay, Work, again, apply, ask};
use crate::error::PhoneError;
use crate::phone::Phone;
use crate::session::Reader;
use crate::store::lane::Standing;
use crate::store::{meta, outbox};
use crate::transport::{Response, TransportError};

impl Machine {
    /// Asks for what is new. False if it would, and waits for a session.
    pub(super) fn poll_pull(
        &mut self,
        phone: &Phone,
        reader: Option<&Reader>,
        cursor: Option<&str>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<bool, PhoneError> {
        let page_due = self.directory_due(phone, now)?;
        self.give_up_waiting(cursor, page_due, work);
        if self.is_under_way(Lane::Pull) || !self.may_ask(Lane::Pull, now) {
            return Ok(true);
        }
        let Some(cursor) = cursor else {
            let Some(reader) = reader else { return Ok(false) };
            if !self.is_under_way(Lane::Push) {
                self.send(work, UnderWay::Snapshot, ask::snapshot(phone, reader)?);
            }
            return Ok(true);
        };
        let wanted_since = self.open.map_or(0, |ticket| ticket.0).max(self.pushed);
        let catching_up = self.changes_complete <= wanted_since;
        let reads = match (page_due, catching_up) {
            (true, _) => Reads::NewsAndDirectory,
            (false, true) => Reads::News,
            (false, false) if !self.foreground || self.open.is_some() => return Ok(true),
            (false, false) => Reads::Waits,
        };
        let Some(reader) = reader else { return Ok(false) };
        let request = match reads {
            Reads::News => ask::changes(phone, reader, cursor, None)?,
            Reads::NewsAndDirectory => {
                let from = Self::directory_cursor(phone)?;
                ask::changes(phone, reader, cursor, Some(from.as_deref().unwrap_or_default()))?
            }
            Reads::Waits => ask::wait(phone, reader, cursor)?,
        };
        let sent = self.tick();
        self.send(work, UnderWay::Changes { sent, cursor: cursor.to_owned(), reads }, request);
        Ok(true)
    }

    /// A request that waits at the server is in the way when everything is wanted now, when the directory is due, when the app
    /// goes to the background, and when the cursor it was sent with no longer counts.
    fn give_up_waiting(&mut self, cursor: Option<&str>, page_due: bool, work: &mut Work) {
        let in_the_way = self.open.is_some() || page_due || !self.foreground || cursor.is_none();
        let waiting = self.under_way.iter().find(|(_, under_way)| match under_way {
            UnderWay::Changes { reads, .. } => (*reads == Reads::Waits && in_the_way) || cursor.is_none(),
            _ => false,
        });
        if let Some(id) = waiting.map(|(id, _)| *id) {
            self.under_way.remove(&id);
            work.give_up.push(id);
        }
    }

    pub(super) fn changes(
        &mut self,
        phone: &Phone,
        sent: u64,
        (cursor, reads): (&str, Reads),
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let known = phone.store().read(|db| meta::get(db, &meta::CURSOR))?;
        if known.as_deref() != Some(cursor) {
            // The phone has started over since this was asked.
            return Ok(());
        }
        let changes: Changes = match answer::read(answer) {
            Outcome::Good(changes) => changes,
            Outcome::None { failure, retry_after_s } => {
                return self.failed(phone, Lane::Pull, failure, retry_after_s, now);
            }
            Outcome::Problem { problem, .. } if problem.status == 410 || problem.code == "bad_cursor" => {
                let gone = problem.status == 410;
                phone.write(|db| {
                    if gone {
                        meta::set(db, &meta::CURSOR_GONE, &true)?;
                    }
                    if !gone && reads == Reads::NewsAndDirectory {
                        // It does not say which of the two.
                        meta::clear(db, &meta::DIRECTORY_CURSOR)?;
                    }
                    meta::clear(db, &meta::CURSOR)
                })?;
                // The snapshot is taken at once; were its cursor gone too, later and later.
                if std::mem::replace(&mut self.cursor_gone, true) {
                    return self.back_off(phone, Lane::Pull, None, now);
                }
                return Ok(());
            }
            Outcome::Problem { problem, retry_after_s } => {
                return self.denied(phone, Lane::Pull, Failure::Problem(problem), retry_after_s, now);
            }
        };
        let nothing = changes.inboxes.is_empty();
        let senseless = match &changes.directory {
            _ if nothing && changes.more => Some("more, and nothing of it"),
            None if nothing && reads == Reads::NewsAndDirectory => Some("no page of the directory"),
            Some(page) if page.more && Self::directory_cursor(phone)?.as_ref() == Some(&page.cursor) => {
                Some("more of the directory, from the same place")
            }
            _ => None,
        };
        if let Some(why) = senseless {
            return self.failed(phone, Lane::Pull, Failure::NotOurServer(why.to_owned()), None, now);
        }
        let mut more = changes.more;
        if nothing && changes.cursor == cursor {
            phone.store().write(|db| phone.server_told_time(db, changes.now))?;
        } else {
            let applied = phone.write(|db| {
                phone.server_told_time(db, changes.now)?;
                apply::changes(db, phone.key(), &changes)
            })?;
            self.directory_wanted |= applied.directory;
            more |= applied.anew;
            if let Some(breach) = applied.breach {
                tracing::error!(%breach, "an inbox was set aside");
            }
        }
        self.cursor_gone = false;
        if !more {
            self.changes_complete = sent;
            // Sent after the verdicts, so whatever they were about has been received by now.
            if sent > self.pushed {
                if phone.store().read(outbox::any_in_snapshot)? {
                    phone.write(outbox::settle_in_snapshot)?;
                }
                if phone.store().read(outbox::any_unheard)? {
                    phone.write(again::send_unheard)?;
                }
                again::agreed(phone)?;
            }
        }
        if let Some(page) = &changes.directory {
            self.directory_page(phone, sent, page, now)?;
        }
        self.succeeded(phone, Lane::Pull)
    }

    pub(super) fn snapshot(
        &mut self,
        phone: &Phone,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let snapshot: Snapshot = match answer::read(answer) {
            Outcome::Good(snapshot) => snapshot,
            Outcome::None { failure, retry_after_s } => {
                return self.failed(phone, Lane::Pull, failure, retry_after_s, now);
            }
            Outcome::Problem { problem, retry_after_s } => {
                return self.denied(phone, Lane::Pull, Failure::Problem(problem), retry_after_s, now);
            }
        };
        let sealing = phone.sealing()?;
        let taken = phone.write(|db| {
            phone.server_told_time(db, snapshot.now)?;
            apply::snapshot(db, &sealing, &snapshot)
        })?;
        if let Err(why) = taken {
            return self.failed(phone, Lane::Pull, Failure::NotOurServer(why.to_owned()), None, now);
        }
        self.directory_wanted = true;
        self.failure = None;
        phone.heard_server()?;
        // Until changes were followed from its cursor, this is not yet a success.
        let failures = self.standing(Lane::Pull).failures;
        self.stand(phone, Lane::Pull, Standing { failures, not_before: now, asked: false })
    }
}
