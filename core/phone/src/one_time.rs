//! One-time codes: twelve digits for a reader that takes barcodes only, or to be read aloud. (docs/rules.md S17, S18)
//!
//! The phone signs the code first and asks the server for digits that stand for it, so that nothing holds for digits that
//! does not hold for the code. Requests and answers without a network; [`Client`](crate::Client) sends them.

use std::time::Duration;

use moa_rules::id::GroupId;
use moa_rules::one_time::OneTimeCode;
use moa_rules::op::RedemptionCode;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, OneTime, OneTimeFound, OneTimeLookup, OneTimeRequest};
use moa_wire::code::{self, Scanned};
use moa_wire::token::Sealed;
use serde::{Deserialize, Serialize};

use crate::error::{PhoneError, corrupt};
use crate::phone::{Phone, own_shop};
use crate::sync::answer::{self, Failure, Outcome};
use crate::transport::{Method, Request, Response, TransportError};

const TIMEOUT: Duration = Duration::from_secs(30);

/// What digits are to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Lets a shop take up to so many units of a group.
    Pay {
        /// The group.
        group: GroupId,
        /// Units that may be taken at most.
        most: Units,
        /// What a unit is; none for points.
        unit: Option<Unit>,
    },
    /// Names this account as the buyer of a sale.
    Earn,
}

/// Digits to be shown to a shop, or read aloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownOneTime {
    /// In one run: what a barcode (Code 128) says.
    pub digits: String,
    /// In three groups of four, for people.
    pub text: String,
    /// When they are void, by the server's clock.
    pub expires_at: Timestamp,
}

impl Phone {
    /// Asks for digits. Signs a code if they are for paying.
    ///
    /// # Errors
    /// `units_not_positive`; [`PhoneError::NotSignedIn`]; [`PhoneError::NotHere`] until the first sync after signing in.
    pub fn one_time_request(&self, purpose: Purpose) -> Result<Request, PhoneError> {
        let shown = match purpose {
            Purpose::Pay { group, most, unit } => self.redemption_code_of(group, most, unit)?.text,
            Purpose::Earn => self.member_code()?.text,
        };
        let code = Base64(code::bytes(&shown).ok_or(corrupt("code"))?);
        self.post_as_caller("/v1/one-time-codes", &OneTimeRequest { code })
    }

    /// Takes the answer to [`Self::one_time_request`].
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn one_time_made(
        &self,
        answer: Result<Response, TransportError>,
    ) -> Result<ShownOneTime, PhoneError> {
        let OneTime { digits, expires_at, now } = self.read_answer(answer)?;
        let digits = OneTimeCode::read(&digits)
            .map_err(|_| PhoneError::NotOurServer("a one-time code without digits".to_owned()))?;
        self.store().write(|db| self.server_told_time(db, now))?;
        Ok(ShownOneTime { digits: digits.digits(), text: digits.text(), expires_at })
    }

    /// Asks for the redemption code that digits stand for, as typed.
    ///
    /// # Errors
    /// `no_merchant`, `not_a_code` if the text is something else; [`PhoneError::NotOurs`] if a digit is wrong.
    pub fn one_time_lookup(&self, typed: &str) -> Result<Request, PhoneError> {
        self.store().read(own_shop)?.ok_or(Refusal::NoMerchant)?;
        let Scanned::OneTime(digits) = code::read(typed, self.link_base())? else {
            return Err(Refusal::NotACode.into());
        };
        self.post_as_caller("/v1/one-time-codes/look-up", &OneTimeLookup { digits: digits.digits() })
    }

    /// Takes the answer to [`Self::one_time_lookup`]: the code, for [`Self::redeem`] or [`Self::hold`].
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn one_time_found(&self, answer: Result<Response, TransportError>) -> Result<String, PhoneError> {
        let OneTimeFound { code: Base64(code) } = self.read_answer(answer)?;
        Sealed::<RedemptionCode>::parse(&code)
            .map_err(|_| PhoneError::NotOurServer("digits that stand for no code".to_owned()))?;
        Ok(code::text(&code))
    }

    pub(crate) fn post_as_caller<T: Serialize>(&self, path: &str, body: &T) -> Result<Request, PhoneError> {
        let body = serde_json::to_vec(body).map_err(|_| corrupt("request"))?;
        let headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-language", self.language().to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let path = path.to_owned();
        self.as_caller(Request { method: Method::Post, path, headers, body: Some(body), timeout: TIMEOUT })
    }

    /// Reads an answer that someone stands there waiting for: the server's sentence rather than a time to come back.
    pub(crate) fn read_answer<T: for<'de> Deserialize<'de>>(
        &self,
        answer: Result<Response, TransportError>,
    ) -> Result<T, PhoneError> {
        match answer::read(answer) {
            Outcome::Good(value) => Ok(value),
            Outcome::Problem { problem, .. } | Outcome::None { failure: Failure::Problem(problem), .. } => {
                Err(PhoneError::Problem(problem))
            }
            Outcome::None { failure, retry_after_s } => {
                Err(failure.into_error(retry_after_s, self.environment().now()))
            }
        }
    }
}
