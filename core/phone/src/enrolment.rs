//! Signing in: a phone number, a six-digit code, and proof that this phone holds its key.
//!
//! Requests and answers without a network; [`Client`](crate::Client) sends them. What is under way is kept, so that
//! the app may be closed while the code is on its way.

use std::fmt;
use std::time::Duration;

use moa_rules::id::{AccountId, OpId};
use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment, EnrolmentRequest};
use moa_wire::keys;
use moa_wire::token::{Checked, Possession};
use rusqlite::Connection;
use serde::Serialize;

use crate::error::{PhoneError, corrupt};
use crate::phone::Phone;
use crate::store::meta::{self, UnderWay};
use crate::store::secrets;
use crate::sync::answer::{self, Outcome};
use crate::transport::{Method, Request, Response, TransportError};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Who signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUp {
    /// The account.
    pub account: AccountId,
    /// The account's recovery code, if the account begins here. Shown to the person once, and kept nowhere on the phone.
    pub recovery_code: Option<String>,
}

impl fmt::Debug for SignedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUp").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Phone {
    /// Asks for a code to be sent to a phone number, as typed.
    ///
    /// # Errors
    /// Storage.
    pub fn begin_enrolment(&self, number: &str) -> Result<Request, PhoneError> {
        let request = EnrolmentRequest {
            phone: number.trim().to_owned(),
            public_key: Base64(self.signer().public_key()),
        };
        self.post("/v1/enrolments".to_owned(), &request)
    }

    /// Takes the answer to [`Self::begin_enrolment`]. Gives the instant at which the code is void.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn enrolment_begun(&self, answer: Result<Response, TransportError>) -> Result<Timestamp, PhoneError> {
        let Enrolment { enrolment, expires_at } = self.outcome(answer)?;
        if enrolment.parse::<OpId>().is_err() {
            return Err(PhoneError::NotOurServer("an enrolment without an id".to_owned()));
        }
        self.write(|db| meta::set(db, &meta::ENROLMENT, &UnderWay { enrolment, expires_at }))?;
        Ok(expires_at)
    }

    /// The instant at which the code is void that is on its way, if one is.
    ///
    /// # Errors
    /// Storage.
    pub fn enrolment_under_way(&self) -> Result<Option<Timestamp>, PhoneError> {
        let under_way = self.store().read(|db| meta::get(db, &meta::ENROLMENT))?;
        Ok(under_way.map(|under_way| under_way.expires_at))
    }

    /// Sends the code that came, and the account's recovery code if the person has it at hand. May be sent again if no
    /// answer came.
    ///
    /// # Errors
    /// [`PhoneError::NoEnrolment`]; key.
    pub fn confirm_enrolment(&self, code: &str, recovery: Option<&str>) -> Result<Request, PhoneError> {
        let under_way = self.store().read(|db| meta::get(db, &meta::ENROLMENT))?;
        let UnderWay { enrolment, .. } = under_way.ok_or(PhoneError::NoEnrolment)?;
        // The same sixteen bytes in hex as an op's id.
        let OpId(id) = enrolment.parse().map_err(|_| corrupt("enrolment"))?;
        let possession = Possession { version: OP_VERSION, enrolment: id };
        let possession = Checked::sign(possession, self.signer())?;
        let code = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let recovery = recovery.map(str::to_owned);
        let confirmation = Confirmation { code, possession: possession.bytes().into(), recovery };
        self.post(format!("/v1/enrolments/{enrolment}/confirm"), &confirmation)
    }

    /// Takes the answer to [`Self::confirm_enrolment`]: this phone is signed in.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::OtherAccount`]; [`PhoneError::Offline`].
    pub fn enrolment_confirmed(
        &self,
        answer: Result<Response, TransportError>,
    ) -> Result<SignedUp, PhoneError> {
        let Enrolled { account, server_key, now, recovery } = self.outcome(answer)?;
        if !keys::plausible(&server_key.0) {
            return Err(PhoneError::NotOurServer("an enrolment without keys".to_owned()));
        }
        self.write(|db| {
            if meta::get(db, &meta::ACCOUNT)?.is_some_and(|before| before != account) {
                return Err(PhoneError::OtherAccount);
            }
            meta::set(db, &meta::ACCOUNT, &account)?;
            meta::set(db, &meta::ENROLLED, &true)?;
            // Whatever the server thought of the session before, the device is known now.
            secrets::clear(db, &secrets::SESSION)?;
            meta::set(db, &meta::SERVER_KEY, &server_key)?;
            meta::clear(db, &meta::ENROLMENT)?;
            self.server_told_time(db, now)
        })?;
        Ok(SignedUp { account, recovery_code: recovery })
    }

    fn post<T: Serialize>(&self, path: String, body: &T) -> Result<Request, PhoneError> {
        let body = serde_json::to_vec(body).map_err(|_| corrupt("request"))?;
        let headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-language", self.language().to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        Ok(Request { method: Method::Post, path, headers, body: Some(body), timeout: TIMEOUT })
    }

    pub(crate) fn outcome<T: for<'de> serde::Deserialize<'de>>(
        &self,
        answer: Result<Response, TransportError>,
    ) -> Result<T, PhoneError> {
        match answer::read(answer) {
            Outcome::Good(value) => Ok(value),
            Outcome::Problem { problem, retry_after_s: _ } => Err(PhoneError::Problem(problem)),
            Outcome::None { failure, retry_after_s } => {
                Err(failure.into_error(retry_after_s, self.environment().now()))
            }
        }
    }
}

/// The server's public key.
pub(crate) fn server_key(db: &Connection) -> Result<Vec<u8>, PhoneError> {
    Ok(meta::get(db, &meta::SERVER_KEY)?.ok_or(PhoneError::NotSignedIn)?.0)
}
