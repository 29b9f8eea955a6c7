//! One-time codes: twelve digits, drawn at random, that stand for a code that exists already. (docs/rules.md S17, S18)
//!
//! A redemption code was signed by the buyer's device before it got digits, and a shop is given it back for them: what it
//! then sends is the redemption that a scan would have led to. A member code's digits name the buyer of a sale, which may
//! come days later. What is kept of digits is an HMAC, and a shop that guesses is made to wait.

use std::sync::PoisonError;

use moa_ledger::store::{NewOneTime, OneTimeKept, StoreError, TakenOneTime};
use moa_rules::id::{KeyId, MerchantId, OpId};
use moa_rules::member::Found;
use moa_rules::one_time::{LIFETIME, OneTimeCode, PAYLOADS};
use moa_rules::op::RedemptionCode;
use moa_rules::refusal::Refusal;
use moa_rules::sale::{CLAIM_DAYS, HOURS_AHEAD};
use moa_rules::time::Timestamp;
use moa_wire::api::OneTime;
use moa_wire::member::{self, MemberSecret};
use moa_wire::token::Sealed;

use crate::app::App;
use crate::auth::Caller;
use crate::random::{self, NoRandomness};

/// One-time codes that an account is handed out within [`MADE_WITHIN`].
const MOST_MADE: usize = 20;
/// The window of [`MOST_MADE`].
const MADE_WITHIN: i64 = 10 * Timestamp::MINUTE;
/// Wrong digits that a shop may try within [`TRIED_WITHIN`].
const MOST_TRIES: usize = 10;
/// The window of [`MOST_TRIES`].
const TRIED_WITHIN: i64 = Timestamp::HOUR;
/// For how long digits for paying are remembered once they have run out, to say that they have.
const PAYING_KEPT: i64 = Timestamp::HOUR;
/// For how long digits that name a buyer are remembered: until the last instant at which their sale can wait.
const NAMING_KEPT: i64 = CLAIM_DAYS as i64 * Timestamp::DAY + HOURS_AHEAD as i64 * Timestamp::HOUR;
/// How far ahead of the server's a phone's clock may be when it signs a code to be shortened.
const CLOCK_AHEAD: i64 = Timestamp::MINUTE;

/// Why there are no digits, or nothing for them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OneTimeError {
    #[error("no code of this device's, or no longer good")]
    Bad,
    #[error("too many one-time codes for this account")]
    TooMany { retry_after_s: u64 },
    #[error("the device acts for no shop")]
    NoShop,
    #[error("nothing to pay with")]
    Unknown,
    #[error("run out")]
    Expired,
    #[error("given to another shop")]
    Used,
    #[error("too many wrong digits from this shop")]
    TooManyTries { retry_after_s: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Hands out digits for a code of the caller's.
pub(crate) fn make(app: &App, caller: Caller, code: &[u8]) -> Result<OneTime, OneTimeError> {
    let now = app.engine.now();
    // A shop's computer has no code of its own, and its owner's are none of its business.
    caller.person().ok_or(OneTimeError::Bad)?;
    let (code, expires_at) = match member::parse(code) {
        Some(code) => {
            let genuine = MemberSecret::new(code.tag, app.pepper.of_member(code.tag)).made(&code);
            let own = app.store().account_of_tag(code.tag)? == Some(caller.account);
            if !genuine || !own || code.check_time(now.seconds()).is_err() {
                return Err(OneTimeError::Bad);
            }
            (None, now.plus(LIFETIME))
        }
        None => (Some(code.to_vec()), redemption_until(app, caller, code, now)?),
    };
    let kept_until = match code {
        Some(_) => expires_at.plus(PAYING_KEPT),
        None => expires_at.plus(NAMING_KEPT),
    };
    loop {
        // No number is likelier than another by more than 2⁻²⁷.
        let payload = u64::from_be_bytes(random::bytes()?) % PAYLOADS;
        let Some(digits) = OneTimeCode::of(payload) else { continue };
        let (mac, account) = (app.pepper.of_digits(digits), caller.account);
        let one_time = NewOneTime { mac, account, code: code.clone(), made_at: now, expires_at, kept_until };
        match app.store().keep_one_time(&one_time, MOST_MADE, now.plus(-MADE_WITHIN))? {
            OneTimeKept::Kept => return Ok(OneTime { digits: digits.digits(), expires_at, now }),
            OneTimeKept::Known => {}
            OneTimeKept::TooMany(first) => {
                return Err(OneTimeError::TooMany {
                    retry_after_s: seconds_until(first.plus(MADE_WITHIN), now),
                });
            }
        }
    }
}

/// Until when a redemption code is good that the caller's own device signed.
fn redemption_until(
    app: &App,
    caller: Caller,
    code: &[u8],
    now: Timestamp,
) -> Result<Timestamp, OneTimeError> {
    let sealed = Sealed::<RedemptionCode>::parse(code).map_err(|_| OneTimeError::Bad)?;
    let device = app.store().device(caller.key)?.ok_or(OneTimeError::Bad)?;
    let code = *sealed.check(&device.public_key).map_err(|_| OneTimeError::Bad)?.value();
    let expires = Timestamp::from_seconds(code.expires);
    if code.key != caller.key || expires < now || expires > now.plus(RedemptionCode::LIFETIME + CLOCK_AHEAD) {
        return Err(OneTimeError::Bad);
    }
    Ok(expires)
}

/// The redemption code that digits stand for, given to the first shop that asks; and to it again, should the answer get
/// lost.
pub(crate) fn look_up(app: &App, caller: Caller, typed: &str) -> Result<Vec<u8>, OneTimeError> {
    let device = app.store().device(caller.key)?.filter(|device| device.left_at.is_none());
    let merchant = device.and_then(|device| device.merchant).ok_or(OneTimeError::NoShop)?;
    let digits = OneTimeCode::read(typed).map_err(|_| OneTimeError::Unknown)?;
    let taken = take(app, merchant, digits, true, merchant.as_ref())?.ok_or(OneTimeError::Unknown)?;
    if taken.one_time.expires_at < app.engine.now() {
        return Err(OneTimeError::Expired);
    }
    if taken.taken_by != merchant.as_ref() {
        return Err(OneTimeError::Used);
    }
    taken.one_time.code.ok_or(OneTimeError::Unknown)
}

/// The buyer whom digits name in a sale. They name the buyer of one sale: the op that comes first.
pub(crate) fn find(app: &App, (key, op): (KeyId, OpId), digits: OneTimeCode) -> Result<Found, OneTimeError> {
    let Some(merchant) = app.store().device(key)?.and_then(|device| device.merchant) else {
        return Ok(Found::Nobody(Refusal::NoMerchant));
    };
    let by = [key.as_ref(), op.as_ref()].concat();
    Ok(match take(app, merchant, digits, false, &by)? {
        Some(taken) if taken.taken_by == by => Found::OneTime(taken.one_time.account, taken.one_time.made_at),
        Some(_) => Found::Nobody(Refusal::OneTimeCodeUsed),
        None => Found::Nobody(Refusal::OneTimeCodeUnknown),
    })
}

/// Takes what digits stand for, unless the shop has tried too many that stand for nothing.
fn take(
    app: &App,
    merchant: MerchantId,
    digits: OneTimeCode,
    paying: bool,
    by: &[u8],
) -> Result<Option<TakenOneTime>, OneTimeError> {
    let now = app.engine.now();
    let mac = app.pepper.of_digits(digits);
    // One at a time, so that a burst does not pass the limit.
    let _one_at_a_time = app.guessing.lock().unwrap_or_else(PoisonError::into_inner);
    let tries = app.store().wrong_digits_since(merchant.0, now.plus(-TRIED_WITHIN))?;
    if let Some(first) = tries.len().checked_sub(MOST_TRIES).and_then(|at| tries.get(at)) {
        let retry_after_s = seconds_until(first.plus(TRIED_WITHIN), now);
        return Err(OneTimeError::TooManyTries { retry_after_s });
    }
    let taken = app.store().take_one_time(mac, paying, by)?;
    let taken = taken.filter(|taken| taken.one_time.kept_until >= now);
    if taken.is_none() {
        app.store().wrong_digits(merchant.0, mac, now)?;
    }
    Ok(taken)
}

/// Forgets what need not be remembered any more.
pub(crate) fn forget(app: &App) -> Result<(), StoreError> {
    let now = app.engine.now();
    app.store().forget_one_time(now, now.plus(-TRIED_WITHIN))
}

/// Whole seconds until an instant, one at least.
fn seconds_until(instant: Timestamp, now: Timestamp) -> u64 {
    let millis = instant.0.saturating_sub(now.0);
    u64::try_from(millis).unwrap_or(0).div_ceil(1_000).max(1)
}
