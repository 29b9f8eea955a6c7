//! Enrolment: a phone number, a six-digit code, proof of the key; then the key may sign, and vouch for one that reads.
//!
//! A number and a code are guessable, so nothing here answers differently for a number that is known, and what is
//! kept of either is an HMAC. The decision that the key may sign is an op of the server, like every write.

use std::sync::PoisonError;

use data_encoding::HEXLOWER;
use moa_ledger::engine::NotDecided;
use moa_ledger::store::{
    Answer, CodeCheck, CodeTry, CountedBy, NewEffect, NewEnrolment, Outcome, People, StoreError,
};
use moa_ledger::system;
use moa_rules::id::{AccountId, KeyId};
use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Confirmation, Enrolled, Enrolment};
use moa_wire::keys::{self, SignError, Signer};
use moa_wire::submission::Submission;
use moa_wire::token::{Possession, Sealed};
use moa_words::Lang;

use crate::app::App;
use crate::jobs::effects::Sms;
use crate::peer::Peer;
use crate::phone_number::PhoneNumber;
use crate::random::{self, NoRandomness};
use crate::recovery::RecoveryCode;

/// For how long a code is good.
pub(crate) const CODE_LIFETIME: i64 = 5 * Timestamp::MINUTE;
/// Wrong codes after which an enrolment is void.
const TRIES: u32 = 5;
/// Codes that a number is sent, and that a device key asks for, within [`HOUR`].
const MOST_CODES: u32 = 5;
/// An hour in minutes.
const HOUR: u32 = 60;
/// A day in minutes.
const DAY: u32 = 24 * HOUR;
/// Wrong recovery codes after which an account's is void.
const RECOVERY_TRIES: u32 = 5;
/// An account none of whose devices was seen for so long has left its number to whoever has it now.
const SILENCE: i64 = 90 * Timestamp::DAY;
/// For how long an enrolment is remembered, for the limits of a day.
const REMEMBERED: i64 = 2 * Timestamp::DAY;

/// Why an enrolment does not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolmentError {
    #[error("not a phone number")]
    BadPhoneNumber,
    #[error("not a public key")]
    BadPublicKey,
    #[error("too many codes for this number, key, address or country")]
    TooManyCodes { retry_after_s: u64 },
    #[error("the wrong code")]
    CodeWrong { tries_left: u32 },
    #[error("the wrong recovery code")]
    RecoveryWrong { tries_left: u32 },
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
    (lang, peer): (Lang, Peer),
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
    let address_mac = peer.0.map(|address| app.pepper.of_address(address));
    let (public_key, dial_code) = (public_key.to_vec(), phone.dial_code());
    let enrolment =
        NewEnrolment { id, phone_mac, public_key, code_mac, address_mac, dial_code, expires_at, effect };

    let one_at_a_time = app.enrolling.lock().unwrap_or_else(PoisonError::into_inner);
    check_rates(app, &enrolment, now)?;
    app.store().begin_enrolment(&enrolment)?;
    drop(one_at_a_time);

    app.effects.notify_one();
    Ok(Enrolment { enrolment: HEXLOWER.encode(&id), expires_at })
}

/// Every limit on codes, whatever the number: what is known of it plays no part.
fn check_rates(app: &App, enrolment: &NewEnrolment, now: Timestamp) -> Result<(), EnrolmentError> {
    let people: &dyn People = app.store();
    check_rate(people, CountedBy::Number(enrolment.phone_mac), (MOST_CODES, HOUR), now)?;
    check_rate(people, CountedBy::Key(&enrolment.public_key), (MOST_CODES, HOUR), now)?;
    if let Some(address) = enrolment.address_mac {
        check_rate(people, CountedBy::Address(address), (app.limits.codes_per_address, HOUR), now)?;
    }
    let daily = app.limits.daily(enrolment.dial_code);
    check_rate(people, CountedBy::DialCode(enrolment.dial_code), (daily, DAY), now)
}

/// Whether there is room for one more among `most` in so many minutes.
fn check_rate(
    people: &dyn People,
    by: CountedBy<'_>,
    (most, window): (u32, u32),
    now: Timestamp,
) -> Result<(), EnrolmentError> {
    let begun_within =
        |minutes: u32| people.enrolments_since(by, now.plus(-i64::from(minutes) * Timestamp::MINUTE));
    if begun_within(window)? < most {
        return Ok(());
    }
    // The longest stretch up to now with room for one more says how soon the window has room.
    let (mut free, mut full) = (0, window);
    while full - free > 1 {
        let middle = free.midpoint(full);
        if begun_within(middle)? < most { free = middle } else { full = middle }
    }
    Err(EnrolmentError::TooManyCodes { retry_after_s: u64::from(window - free) * 60 })
}

/// Forgets enrolments that no limit counts any more.
pub(crate) fn forget(app: &App) -> Result<(), StoreError> {
    app.store().forget_enrolments(app.engine.now().plus(-REMEMBERED))
}

/// Someone who has the number's phone and the device's key in hand.
pub(crate) struct Confirmed {
    /// The number's account, or the new one.
    pub(crate) account: AccountId,
    /// The device's key.
    pub(crate) key: KeyId,
    /// The server's own op that lets the key sign.
    pub(crate) op: Submission,
    /// The account's recovery code, if the account begins here.
    pub(crate) recovery: Option<RecoveryCode>,
    /// Whether the account's recovery code was shown: a second proof beside the number.
    pub(crate) proved: bool,
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
    let recovery = app.pepper.recovery(id);
    // What cannot be a recovery code is a wrong one: its HMAC is nobody's.
    let typed = confirmation.recovery.as_deref().filter(|typed| !typed.trim().is_empty());
    let typed = typed.map(|typed| RecoveryCode::read(typed).map(|code| app.pepper.of_recovery(&code)));
    let attempt = CodeTry {
        enrolment: id,
        code_mac,
        tries: TRIES,
        fresh,
        fresh_recovery: app.pepper.of_recovery(&recovery),
        recovery: typed.map(Option::unwrap_or_default),
        recovery_tries: RECOVERY_TRIES,
        silent_since: app.engine.now().plus(-SILENCE),
    };
    let (account, public_key, begins, proved) = match app.store().try_code(&attempt, app.engine.now())? {
        CodeCheck::Right { account, public_key, begins, proved } => (account, public_key, begins, proved),
        CodeCheck::RecoveryWrong { tries_left } => return Err(EnrolmentError::RecoveryWrong { tries_left }),
        CodeCheck::Wrong { tries_left } => return Err(EnrolmentError::CodeWrong { tries_left }),
        CodeCheck::Void => return Err(EnrolmentError::Void),
    };
    // Only now is it known which key is to be proved. The code stays good: the right device may come yet.
    possession.check(&public_key).map_err(|_| EnrolmentError::PossessionWrong)?;
    let key = keys::key_id(&public_key);
    let op = system::enrol_device(&app.server_key, id, begun_at(id), (account, key, public_key), proved)?;
    Ok(Confirmed { account, key, op, recovery: begins.then_some(recovery), proved })
}

/// Welcomes the device, now that the engine has answered.
pub(crate) fn admit(
    app: &App,
    Confirmed { account, key, recovery, proved, .. }: Confirmed,
    outcome: &Outcome,
) -> Result<Enrolled, EnrolmentError> {
    let (Outcome::First(answer) | Outcome::Again(answer)) = outcome;
    if let Answer::Refused(refusal) = answer {
        tracing::warn!(reason = refusal.code(), "an enrolment was refused");
        return Err(EnrolmentError::KeyTaken);
    }
    let now = app.engine.now();
    app.store().device_enrolled(account, key, now)?;
    tracing::info!(%account, %key, begins = recovery.is_some(), proved, "a device was enrolled");
    Ok(Enrolled {
        account,
        server_key: Base64(app.server_key.public_key()),
        now,
        recovery: recovery.map(|code| code.shown()),
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
