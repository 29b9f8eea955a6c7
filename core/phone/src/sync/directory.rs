//! The directory: what screens wanted to know comes first, then page by page what has changed. All of it passes here, so that what is
//! kept is up to date; how much is kept is bounded ([`bound`]).

use moa_rules::time::Timestamp;
use moa_wire::api::{Directory, GroupEntry, MerchantEntry};
use serde::Deserialize;

use super::answer::{self, Failure, Outcome};
use super::{DIRECTORY_EVERY, Lane, Machine, UnderWay, Work, ask};
use crate::error::PhoneError;
use crate::lookup::Lookup;
use crate::phone::Phone;
use crate::session::Reader;
use crate::store::{bound, directory, meta};
use crate::transport::{Response, TransportError};

impl Machine {
    /// Asks for what is wanted. False if it would, and waits for a session.
    pub(super) fn poll_directory(
        &mut self,
        phone: &Phone,
        reader: Option<&Reader>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<bool, PhoneError> {
        if self.is_under_way(Lane::Directory) {
            return Ok(true);
        }
        let wanted = phone.wanted.first();
        if wanted.is_none() && !self.directory_due(phone, now)? {
            return Ok(true);
        }
        if !self.may_ask(Lane::Directory, now) {
            return Ok(true);
        }
        let Some(reader) = reader else { return Ok(false) };
        if let Some(wanted) = wanted {
            self.send(work, UnderWay::Lookup(wanted), ask::lookup(phone, reader, wanted)?);
            return Ok(true);
        }
        let cursor = phone.store().read(|db| meta::get(db, &meta::DIRECTORY_CURSOR))?;
        let sent = self.tick();
        let request = ask::directory(phone, reader, cursor.as_deref())?;
        self.send(work, UnderWay::Directory { sent }, request);
        Ok(true)
    }

    fn directory_due(&mut self, phone: &Phone, now: Timestamp) -> Result<bool, PhoneError> {
        if self.directory_wanted || self.open.is_some_and(|ticket| self.directory_complete <= ticket.0) {
            return Ok(true);
        }
        let Some(last) = phone.store().read(|db| meta::get(db, &meta::DIRECTORY_AT))? else {
            return Ok(true);
        };
        if !self.foreground {
            return Ok(false);
        }
        let due = last.plus(DIRECTORY_EVERY);
        if due > now && last <= now {
            self.wake_at(due);
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn directory_page(
        &mut self,
        phone: &Phone,
        sent: u64,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let page: Directory = match answer::read(answer) {
            Outcome::Good(page) => page,
            Outcome::None { failure, retry_after_s } => {
                return self.failed(phone, Lane::Directory, failure, retry_after_s, now);
            }
            Outcome::Problem { problem, .. } if problem.status == 410 || problem.code == "bad_cursor" => {
                phone.write(|db| meta::clear(db, &meta::DIRECTORY_CURSOR))?;
                return self.failed(phone, Lane::Directory, Failure::Problem(problem), None, now);
            }
            Outcome::Problem { problem, retry_after_s } => {
                return self.denied(phone, Lane::Directory, Failure::Problem(problem), retry_after_s, now);
            }
        };
        let before = phone.store().read(|db| meta::get(db, &meta::DIRECTORY_CURSOR))?;
        if page.more && before.as_ref() == Some(&page.cursor) {
            let failure = Failure::NotOurServer("more, from the same place".to_owned());
            return self.failed(phone, Lane::Directory, failure, None, now);
        }
        let bounds = self.bounds;
        phone.write(|db| {
            page.groups.iter().try_for_each(|group| directory::put_group(db, group))?;
            page.merchants.iter().try_for_each(|merchant| directory::put_merchant(db, merchant))?;
            if !page.merchants.is_empty() {
                bound::trim(db, bounds)?;
            }
            meta::set(db, &meta::DIRECTORY_CURSOR, &page.cursor)?;
            if page.more { Ok(()) } else { meta::set(db, &meta::DIRECTORY_AT, &now) }
        })?;
        if !page.more {
            self.directory_complete = sent;
            self.directory_wanted = false;
        }
        self.succeeded(phone, Lane::Directory)
    }

    pub(super) fn looked_up(
        &mut self,
        phone: &Phone,
        lookup: Lookup,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        match lookup {
            Lookup::Group(_) => {
                let Some(found) = self.found::<GroupEntry>(phone, lookup, answer, now)? else {
                    return Ok(());
                };
                phone.write(|db| directory::put_group(db, &found))?;
                for member in found.members {
                    if phone.store().read(|db| directory::merchant(db, member))?.is_none() {
                        phone.want_once(Lookup::Merchant(member));
                    }
                }
            }
            Lookup::Key(_) | Lookup::Merchant(_) => {
                let Some(found) = self.found::<MerchantEntry>(phone, lookup, answer, now)? else {
                    return Ok(());
                };
                phone.write(|db| directory::put_merchant(db, &found))?;
                for group in found.groups {
                    if phone.store().read(|db| directory::group(db, group))?.is_none() {
                        phone.want_once(Lookup::Group(group));
                    }
                }
            }
        }
        phone.wanted.remove(lookup);
        phone.changed();
        self.succeeded(phone, Lane::Directory)
    }

    /// What was found. What the server does not have is no longer wanted.
    fn found<T: for<'de> Deserialize<'de>>(
        &mut self,
        phone: &Phone,
        lookup: Lookup,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<Option<T>, PhoneError> {
        match answer::read(answer) {
            Outcome::Good(found) => return Ok(Some(found)),
            Outcome::None { failure, retry_after_s } => {
                self.failed(phone, Lane::Directory, failure, retry_after_s, now)?;
            }
            Outcome::Problem { problem, retry_after_s } if problem.status == 401 => {
                self.denied(phone, Lane::Directory, Failure::Problem(problem), retry_after_s, now)?;
            }
            Outcome::Problem { .. } => {
                phone.wanted.remove(lookup);
                phone.changed();
                self.succeeded(phone, Lane::Directory)?;
            }
        }
        Ok(None)
    }
}
