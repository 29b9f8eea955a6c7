//! Who is asking: the account and the key behind a session. Reads need one; ops don't, they are signed.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use moa_ledger::reach::Reach;
use moa_ledger::store::{Store, StoreError};
use moa_rules::device::KeyKind;
use moa_rules::id::{AccountId, KeyId};
use moa_wire::dpop;
use moa_wire::keys::sha256;
use moa_words::ProblemText;

use crate::app::App;
use crate::http::problems::Fault;
use crate::proof::{self, NotProved};
use crate::sessions::SessionError;

/// The most bytes of an access token.
const MAX_TOKEN: usize = 64;

/// A device that may read what is its account's and its shop's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The account.
    pub(crate) account: AccountId,
    /// The device.
    pub(crate) key: KeyId,
    /// Whether it is a shop's computer, which reads nothing of its owner's.
    service: bool,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(token).ok_or(Fault(ProblemText::Unauthorized))?;
        let hash = sha256(&[token.as_bytes()]);
        let proved = proof::check(app, parts, Some(token))?;
        Ok(app.blocking(move |app| caller(app, hash, proved.thumbprint)).await?)
    }
}

/// The token in `DPoP …`.
fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case(dpop::SCHEME) && token.len() <= MAX_TOKEN).then(|| token.trim())
}

/// Whose token it is, while it and its session are good, the session's key made the request, and the device was not
/// revoked.
fn caller(app: &App, token_hash: [u8; 32], thumbprint: [u8; 32]) -> Result<Caller, SessionError> {
    let (session, expires_at) = app.store().token(token_hash)?.ok_or(SessionError::Over)?;
    let now = app.engine.now();
    if expires_at <= now || session.until <= now {
        return Err(SessionError::Over);
    }
    if session.thumbprint != thumbprint {
        return Err(NotProved::Wrong.into());
    }
    let device = app.store().device(session.key)?.filter(|device| device.signs(now));
    let device = device.ok_or(SessionError::Unknown)?;
    Ok(Caller { account: session.account, key: device.key, service: device.kind == KeyKind::Service })
}

impl Caller {
    /// The person who reads, on a phone or in a browser.
    pub(crate) fn person(&self) -> Option<AccountId> {
        (!self.service).then_some(self.account)
    }

    /// What the caller may read now.
    pub(crate) fn reach(&self, store: &dyn Store) -> Result<Reach, StoreError> {
        Reach::of(store, self.account, self.key)
    }
}
