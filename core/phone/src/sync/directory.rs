//! The directory: what screens wanted to know is looked up; page by page what has changed comes with the changes. All of it passes
//! here, so that what is kept is up to date; how much is kept is bounded ([`bound`]).

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
    /// Looks up what is wanted. False if it would, and waits for a session.
    pub(super) fn poll_lookup(
        &mut self,
        phone: &Phone,
        reader: Option<&Reader>,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<bool, PhoneError> {
        if self.is_under_way(Lane::LookUp) {
            return Ok(true);
        }
        let Some(wanted) = phone.wanted.first() else { return Ok(true) };
        if !self.may_ask(Lane::LookUp, now) {
            return Ok(true);
        }
        let Some(reader) = reader else { return Ok(false) };
        self.send(work, UnderWay::Lookup(wanted), ask::lookup(phone, reader, wanted)?);
        Ok(true)
    }

    /// Whether the next request for changes asks for a page; if not, the machine wakes when it does.
    pub(super) fn directory_due(&mut self, phone: &Phone, now: Timestamp) -> Result<bool, PhoneError> {
        if !self.follows_directory {
            return Ok(false);
        }
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

    /// From where the next page goes on.
    pub(super) fn directory_cursor(phone: &Phone) -> Result<Option<String>, PhoneError> {
        phone.store().read(|db| meta::get(db, &meta::DIRECTORY_CURSOR))
    }

    /// Takes a page, asked for at this tick.
    pub(super) fn directory_page(
        &mut self,
        phone: &Phone,
        sent: u64,
        page: &Directory,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
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
        Ok(())
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
        self.succeeded(phone, Lane::LookUp)
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
                self.failed(phone, Lane::LookUp, failure, retry_after_s, now)?;
            }
            Outcome::Problem { problem, retry_after_s } if problem.status == 401 => {
                self.denied(phone, Lane::LookUp, Failure::Problem(problem), retry_after_s, now)?;
            }
            Outcome::Problem { .. } => {
                phone.wanted.remove(lookup);
                phone.changed();
                self.succeeded(phone, Lane::LookUp)?;
            }
        }
        Ok(None)
    }
}
