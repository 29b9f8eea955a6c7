//! Sessions: a device vouches for a key in software, and that key reads for it.
//!
//! The device key may be slow and may ask for a finger, so it signs once a month ([`SessionEndorsement`]). Access tokens
//! are short, opaque, and of use to the session key alone; the refresh token is too, and as long as the endorsement. What
//! is kept of either is a hash. One session a device: the next one ends it.

use data_encoding::BASE64URL_NOPAD;
use moa_ledger::store::{self, NewToken, StoreError};
use moa_rules::device::{Holder, KeyKind};
use moa_rules::op::OP_VERSION;
use moa_rules::time::Timestamp;
use moa_wire::api::{Access, MAX_DEVICE_NAME, Session, SessionEnded, SessionRequest};
use moa_wire::keys::sha256;
use moa_wire::token::{Sealed, SessionEndorsement};

use crate::app::App;
use crate::proof::{NotProved, Proved};
use crate::random::{self, NoRandomness};

/// For how long an access token is good.
const TOKEN_LIFETIME: i64 = 10 * Timestamp::MINUTE;
/// How far ahead of the server's a device's clock may be when it vouches for a session key.
const CLOCK_AHEAD: i64 = 5 * Timestamp::MINUTE;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error(transparent)]
    NotProved(#[from] NotProved),
    #[error("no device that is known, or one that was revoked")]
    Unknown,
    #[error("the session has ended")]
    Over,
    #[error("the device did not vouch for this key, or not for now")]
    EndorsementWrong,
    #[error("too long a name")]
    NameTooLong,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// Begins a device's session, in place of the one that it had. May be sent again: an answer may get lost.
pub(crate) fn begin(app: &App, proved: &Proved, request: &SessionRequest) -> Result<Session, SessionError> {
    let name = request.name.trim();
    if name.chars().count() > MAX_DEVICE_NAME {
        return Err(SessionError::NameTooLong);
    }
    let sealed = Sealed::<SessionEndorsement>::parse(&request.endorsement.0)
        .map_err(|_| SessionError::EndorsementWrong)?;
    let now = app.engine.now();
    let device = app.store().device(sealed.unchecked().key)?.filter(|device| device.signs(now));
    let device = device.ok_or(SessionError::Unknown)?;
    let Holder::Account(account) = device.holder else { return Err(SessionError::Unknown) };
    let endorsement = sealed.check(&device.public_key).map_err(|_| SessionError::EndorsementWrong)?;
    let SessionEndorsement { version, key, public_key, from, until } = *endorsement.value();
    let holds = Timestamp::from_seconds(from) <= now.plus(CLOCK_AHEAD) && until > now.seconds();
    let short = until.saturating_sub(from) <= SessionEndorsement::MOST_SECONDS;
    if version != OP_VERSION || public_key[..] != proved.public_key || !holds || !short {
        return Err(SessionError::EndorsementWrong);
    }

    let until = match device.kind {
        KeyKind::Browser { until: most } => Timestamp::from_seconds(until).min(most),
        KeyKind::Phone | KeyKind::Service => Timestamp::from_seconds(until),
    };
    let session = store::Session { key, account, thumbprint: proved.thumbprint, until };
    let (refresh, refresh_hash) = secret()?;
    let (token, kept) = token(now, until)?;
    app.store().begin_session(&session, refresh_hash, kept, name, now)?;
    Ok(Session { token, expires_at: kept.expires_at, refresh, now })
}

/// Another token for a session.
pub(crate) fn refresh(app: &App, proved: &Proved, refresh: &str) -> Result<Access, SessionError> {
    let session = session(app, proved, refresh)?;
    let now = app.engine.now();
    if !app.store().device(session.key)?.is_some_and(|device| device.signs(now)) {
        app.store().end_session(session.key)?;
        return Err(SessionError::Unknown);
    }
    let (token, kept) = token(now, session.until)?;
    app.store().refresh_session(&session, kept, now)?;
    Ok(Access { token, expires_at: kept.expires_at, now })
}

/// Ends a session.
pub(crate) fn end(app: &App, proved: &Proved, refresh: &str) -> Result<SessionEnded, SessionError> {
    let session = session(app, proved, refresh)?;
    app.store().end_session(session.key)?;
    Ok(SessionEnded { now: app.engine.now() })
}

/// Forgets what has ended.
pub(crate) fn forget(app: &App) -> Result<(), StoreError> {
    app.store().forget_sessions(app.engine.now())
}

/// The session of a refresh token, asked for by its own key, while it lasts.
fn session(app: &App, proved: &Proved, refresh: &str) -> Result<store::Session, SessionError> {
    let session = app.store().session(sha256(&[refresh.as_bytes()]))?.ok_or(SessionError::Over)?;
    if session.thumbprint != proved.thumbprint {
        return Err(NotProved::Wrong.into());
    }
    if session.until <= app.engine.now() { Err(SessionError::Over) } else { Ok(session) }
}

fn token(now: Timestamp, until: Timestamp) -> Result<(String, NewToken), NoRandomness> {
    let (token, hash) = secret()?;
    Ok((token, NewToken { hash, expires_at: now.plus(TOKEN_LIFETIME).min(until) }))
}

/// A random text, and what is kept of it.
fn secret() -> Result<(String, [u8; 32]), NoRandomness> {
    let text = BASE64URL_NOPAD.encode(&random::bytes::<32>()?);
    let hash = sha256(&[text.as_bytes()]);
    Ok((text, hash))
}
