//! Enrolment: a phone number, a six-digit code, proof of the key; then the key may sign and a token may read.
//!
//! A number and a code are guessable, so nothing here answers differently for a number that is known, and what is
//! kept of either is an HMAC. The decision that the key may sign is an op of the server, like every write.

use std::sync::PoisonError;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use moa_ledger::engine::NotDecided;
use moa_ledger::store::{
    Answer, CodeCheck, NewEffect, NewEnrolment, Outcome, People, StoreError, TokenHolder,
};
use moa_ledger::system;
use moa_rules::id::{AccountId, KeyId};
use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment};
use moa_wire::keys::{self, SignError, Signer, sha256};
use moa_wire::submission::Submission;
use moa_wire::token::{Possession, Sealed};
use moa_words::Lang;

use crate::app::App;
use crate::jobs::effects::Sms;
use crate::phone_number::PhoneNumber;
use crate::random::{self, NoRandomness};

/// For how long a code is good.
pub(crate) const CODE_LIFETIME: i64 = 5 * Timestamp::MINUTE;
/// Wrong codes after which an enrolment is void.
const TRIES: u32 = 5;
/// Codes that a number is sent within [`WINDOW`].
const MOST_CODES: u32 = 5;
/// The window of [`MOST_CODES`], in minutes.
const WINDOW: u32 = 60;
/// For how long a token is good.
const TOKEN_LIFETIME: i64 = 90 * Timestamp::DAY;

/// Why an enrolment does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolmentError {
    #[error("not a phone number")]
    BadPhoneNumber,
    #[error("not a public key")]
    BadPublicKey,
    #[error("too many codes for this number")]
    TooManyCodes { retry_after_s: u64 },
    #[error("the wrong code")]
    CodeWrong { tries_left: u32 },
    #[error("no such enrolment, or it is void")]
    Void,
    #[error("the device did not prove its key")]
    PossessionWrong,
    #[error("the key is another account's")]
    KeyTaken,
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NotSigned(#[from] SignError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Begins an enrolment and has its code sent.
pub(crate) fn begin(
    app: &App,
    phone: &str,
    public_key: &[u8],
    lang: Lang,
) -> Result<Enrolment, EnrolmentError> {
    let phone = PhoneNumber::read(phone).ok_or(EnrolmentError::BadPhoneNumber)?;
    if !keys::plausible(public_key) {
        return Err(EnrolmentError::BadPublicKey);
    }
    let now = app.engine.now();
    let phone_mac = app.pepper.of_phone(&phone);
    let id = uuid_v7(now)?;
    let expires_at = now.plus(CODE_LIFETIME);
    let code_mac = app.pepper.of_code(id, &app.pepper.code(id, public_key));
    let sms = Sms::new(&phone, id, public_key, lang, expires_at);
    let effect = NewEffect { id, kind: Sms::KIND.to_owned(), payload: sms.payload(), due_at: now };
    let enrolment =
        NewEnrolment { id, phone_mac, public_key: public_key.to_vec(), code_mac, expires_at, effect };

    let one_at_a_time = app.enrolling.lock().unwrap_or_else(PoisonError::into_inner);
    check_rate(app.store(), phone_mac, now)?;
    app.store().begin_enrolment(&enrolment)?;
    drop(one_at_a_time);

    app.effects.notify_one();
    Ok(Enrolment { enrolment: HEXLOWER.encode(&id), expires_at })
}

fn check_rate(
    people: &(impl People + ?Sized),
    phone_mac: [u8; 32],
    now: Timestamp,
) -> Result<(), EnrolmentError> {
    let begun_within =
        |minutes: u32| people.enrolments_since(phone_mac, now.plus(-i64::from(minutes) * Timestamp::MINUTE));
    if begun_within(WINDOW)? < MOST_CODES {
        return Ok(());
    }
    // The longest stretch up to now with room for one more says how soon the window has room.
    let (mut free, mut full) = (0, WINDOW);
    while full - free > 1 {
        let middle = free.midpoint(full);
        if begun_within(middle)? < MOST_CODES { free = middle } else { full = middle }
    }
    Err(EnrolmentError::TooManyCodes { retry_after_s: u64::from(WINDOW - free) * 60 })
}

/// Someone who has the number's phone and the device's key in hand.
pub(crate) struct Confirmed {
    /// The number's account, or the new one.
    pub(crate) account: AccountId,
    /// The device's key.
    pub(crate) key: KeyId,
    /// The server's own op that lets the key sign.
    pub(crate) op: Submission,
}

/// Checks the code and that the device holds its key. The same again for the same code: an answer may get lost.
pub(crate) fn confirm(
    app: &App,
    enrolment: &str,
    confirmation: &Confirmation,
) -> Result<Confirmed, EnrolmentError> {
    let id = read_id(enrolment).ok_or(EnrolmentError::Void)?;
    let possession = Sealed::<Possession>::parse(&confirmation.possession.0)
        .map_err(|_| EnrolmentError::PossessionWrong)?;
    if *possession.unchecked() != (Possession { version: OP_VERSION, enrolment: id }) {
        return Err(EnrolmentError::PossessionWrong);
    }
    let code_mac = app.pepper.of_code(id, confirmation.code.trim());
    let fresh = AccountId(random::bytes()?);
    let (account, public_key) = match app.store().try_code(id, code_mac, TRIES, fresh, app.engine.now())? {
        CodeCheck::Right { account, public_key } => (account, public_key),
        CodeCheck::Wrong { tries_left } => return Err(EnrolmentError::CodeWrong { tries_left }),
        CodeCheck::Void => return Err(EnrolmentError::Void),
    };
    // Only now is it known which key is to be proved. The code stays good: the right device may come yet.
    possession.check(&public_key).map_err(|_| EnrolmentError::PossessionWrong)?;
    let key = keys::key_id(&public_key);
    let op = system::enrol_device(&app.server_key, id, begun_at(id), (account, key, public_key), false)?;
    Ok(Confirmed { account, key, op })
}

/// Gives a token, now that the engine has answered.
pub(crate) fn admit(
    app: &App,
    (account, key): (AccountId, KeyId),
    outcome: &Outcome,
) -> Result<Enrolled, EnrolmentError> {
    let (Outcome::First(answer) | Outcome::Again(answer)) = outcome;
    if let Answer::Refused(refusal) = answer {
        tracing::warn!(reason = refusal.code(), "an enrolment was refused");
        return Err(EnrolmentError::KeyTaken);
    }
    let now = app.engine.now();
    let token: [u8; 32] = random::bytes()?;
    let holder = TokenHolder { account, key, expires_at: now.plus(TOKEN_LIFETIME) };
    app.store().put_token(sha256(&[&token]), holder)?;
    Ok(Enrolled {
        account,
        token: BASE64URL_NOPAD.encode(&token),
        server_key: Base64(app.server_key.public_key()),
        now,
    })
}

/// A `UUIDv7` (RFC 9562). Its time dates the op that ends the enrolment, the same in every repetition.
fn uuid_v7(now: Timestamp) -> Result<[u8; 16], NoRandomness> {
    let mut id: [u8; 16] = random::bytes()?;
    id[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
    id[6] = 0x70 | (id[6] & 0x0f);
    id[8] = 0x80 | (id[8] & 0x3f);
    Ok(id)
}

fn begun_at(id: [u8; 16]) -> Timestamp {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&id[..6]);
    Timestamp(i64::from_be_bytes(millis))
}

fn read_id(text: &str) -> Option<[u8; 16]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_s_id_tells_when_it_began() {
        let now = Timestamp(1_790_000_000_123);
        let id = uuid_v7(now).unwrap();
        assert_eq!((begun_at(id), id[6] >> 4, id[8] >> 6), (now, 7, 2));
        assert_eq!(read_id(&HEXLOWER.encode(&id)), Some(id));
        assert_ne!(uuid_v7(now), uuid_v7(now));
    }
}
