//! The step ahead of reads: a session key that the device vouches for, and a token that is good. Ops never wait for it.
//!
//! A session is asked for when a read wants to go, not before: a phone that nobody looks at is quiet.

use moa_rules::time::Timestamp;
use moa_wire::api::{Access, Session};
use moa_wire::problem::Problem;
use serde::Deserialize;

use super::answer::{self, Failure, Outcome};
use super::{Lane, Machine, UnderWay, Work};
use crate::error::PhoneError;
use crate::phone::Phone;
use crate::session::{Kept, Stage};
use crate::store::lane::Standing;
use crate::store::{meta, secrets};
use crate::transport::{Response, TransportError};

impl Machine {
    /// Has a session made ready, though no read of the sync's waits for one: someone wants something of the server now.
    /// Whether it is ready already; if not, poll, until [`Self::wants_session`] says that it came to an end.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`], [`PhoneError::SignInAgain`]; storage.
    pub fn want_session(&mut self, phone: &Phone, now: Timestamp) -> Result<bool, PhoneError> {
        phone.account()?;
        match phone.session()?.ok_or(PhoneError::SignInAgain)? {
            Stage::Ready(_) => return Ok(true),
            Stage::Endorse | Stage::Ask(_) => {}
        }
        self.session_wanted = true;
        let standing = self.standing(Lane::Session);
        if standing.not_before > now && !standing.asked {
            self.stand(phone, Lane::Session, Standing { not_before: now, ..standing })?;
        }
        Ok(false)
    }

    /// Whether a session is wanted and neither ready nor out of reach.
    pub fn wants_session(&self) -> bool {
        self.session_wanted
    }

    /// What came of [`Work::endorse`].
    ///
    /// # Errors
    /// Storage.
    pub fn endorsed(
        &mut self,
        phone: &Phone,
        endorsed: Result<(), PhoneError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        self.endorsing = false;
        let failure = match endorsed {
            Ok(()) => return Ok(()),
            Err(PhoneError::Key(error)) => Failure::Key(error),
            Err(error) => Failure::Storage(error.to_string()),
        };
        self.taking = super::RequestId(self.next_id);
        self.failed(phone, Lane::Session, failure, None, now)?;
        phone.changed();
        Ok(())
    }

    /// Asks for what the session lacks.
    pub(super) fn poll_session(
        &mut self,
        phone: &Phone,
        stage: Stage,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<(), PhoneError> {
        if self.endorsing || self.is_under_way(Lane::Session) || !self.may_ask(Lane::Session, now) {
            return Ok(());
        }
        match stage {
            Stage::Ready(_) => {}
            Stage::Endorse => {
                self.endorsing = true;
                work.endorse = true;
            }
            Stage::Ask(kept) => {
                let request = kept.ask(phone)?;
                self.send(work, UnderWay::Session(Box::new(kept)), request);
            }
        }
        Ok(())
    }

    pub(super) fn session_answered(
        &mut self,
        phone: &Phone,
        asked: Kept,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let known = phone.kept_session()?;
        if !known.is_some_and(|known| known.is(&asked)) {
            // Another key has been vouched for since.
            return Ok(());
        }
        let begun = asked.begun();
        let given = if begun {
            self.given(phone, answer, now, |access: Access| (access.now, asked.refreshed(access)))?
        } else {
            self.given(phone, answer, now, |session: Session| (session.now, asked.began(session)))?
        };
        let Some((told, kept)) = given else { return Ok(()) };
        phone.store().write(|db| phone.server_told_time(db, told))?;
        phone.keep_session(&kept)?;
        if !matches!(phone.session()?, Some(Stage::Ready(_))) {
            let failure = Failure::NotOurServer("a token that is void already".to_owned());
            return self.failed(phone, Lane::Session, failure, None, now);
        }
        self.session_wanted = false;
        self.succeeded(phone, Lane::Session)
    }

    fn given<T: for<'de> Deserialize<'de>>(
        &mut self,
        phone: &Phone,
        answer: Result<Response, TransportError>,
        now: Timestamp,
        take: impl FnOnce(T) -> (Timestamp, Kept),
    ) -> Result<Option<(Timestamp, Kept)>, PhoneError> {
        match answer::read::<T>(answer) {
            Outcome::Good(given) => return Ok(Some(take(given))),
            Outcome::None { failure, retry_after_s } => {
                self.failed(phone, Lane::Session, failure, retry_after_s, now)?;
            }
            Outcome::Problem { problem, retry_after_s } => {
                if self.set_clock(phone, Lane::Session, &problem, now)? {
                    return Ok(None);
                }
                match problem.code.as_str() {
                    // The device is not known, or not any more: nothing but the number helps.
                    "unauthorized" => self.signed_out(phone)?,
                    "session_over" => {
                        phone.start_session_again()?;
                        self.again(phone, Lane::Session, Failure::Problem(problem), retry_after_s, now)?;
                    }
                    "endorsement_wrong" | "proof_wrong" => {
                        phone.store().write(|db| secrets::clear(db, &secrets::SESSION))?;
                        self.again(phone, Lane::Session, Failure::Problem(problem), retry_after_s, now)?;
                    }
                    _ => self.failed(phone, Lane::Session, Failure::Problem(problem), retry_after_s, now)?,
                }
            }
        }
        Ok(None)
    }

    /// The number has to be confirmed again. What waits is kept.
    fn signed_out(&mut self, phone: &Phone) -> Result<(), PhoneError> {
        self.failure = Some(Failure::SignInAgain);
        self.session_wanted = false;
        self.finish(Err(Failure::SignInAgain));
        phone.write(|db| {
            meta::clear(db, &meta::ENROLLED)?;
            secrets::clear(db, &secrets::SESSION)
        })
    }

    /// The server says no to a read: the token is void, the clock is off, or something is wrong that waiting may mend.
    pub(super) fn denied(
        &mut self,
        phone: &Phone,
        lane: Lane,
        failure: Failure,
        retry_after_s: Option<u32>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let Failure::Problem(problem) = &failure else { return Ok(()) };
        if self.set_clock(phone, lane, problem, now)? {
            return Ok(());
        }
        if problem.status != 401 {
            return self.failed(phone, lane, failure, retry_after_s, now);
        }
        // Whether the device is still known is said when a token is asked for.
        let twice = self.again.contains(&lane);
        if twice {
            phone.start_session_again()?;
        } else {
            phone.drop_token()?;
        }
        self.again(phone, lane, failure, retry_after_s, now)
    }

    /// Whether the server told its time because the phone's was wrong: then the lane asks again at once, once.
    fn set_clock(
        &mut self,
        phone: &Phone,
        lane: Lane,
        problem: &Problem,
        now: Timestamp,
    ) -> Result<bool, PhoneError> {
        let Some(told) = problem.stale_proof() else { return Ok(false) };
        phone.store().write(|db| phone.server_told_time(db, Timestamp(told)))?;
        if !self.again.insert(lane) {
            return Ok(false);
        }
        let standing = Standing { not_before: now, ..self.standing(lane) };
        self.stand(phone, lane, standing)?;
        Ok(true)
    }

    /// Asks again at once, once; if that comes to nothing too, later.
    fn again(
        &mut self,
        phone: &Phone,
        lane: Lane,
        failure: Failure,
        retry_after_s: Option<u32>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        if !self.again.insert(lane) {
            return self.failed(phone, lane, failure, retry_after_s, now);
        }
        let standing = Standing { not_before: now, ..self.standing(lane) };
        self.stand(phone, lane, standing)
    }
}
