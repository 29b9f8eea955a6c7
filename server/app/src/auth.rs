//! Who is asking: the account and the key behind a token. Reads need one; ops don't, they are signed.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;
use moa_ledger::reach::Reach;
use moa_ledger::store::{Store, StoreError};
use moa_rules::id::{AccountId, KeyId};
use moa_wire::keys::sha256;
use moa_words::ProblemText;

use crate::app::App;
use crate::http::problems::Fault;

/// A device that may read what is its account's and its shop's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The account.
    pub(crate) account: AccountId,
    /// The device.
    pub(crate) key: KeyId,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let hash = header.and_then(token_hash).ok_or(Fault(ProblemText::Unauthorized))?;
        app.blocking(move |app| caller(app, hash)).await?.ok_or(Fault(ProblemText::Unauthorized))
    }
}

/// The hash of the token in `Bearer …`.
fn token_hash(header: &str) -> Option<[u8; 32]> {
    let (scheme, token) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > 64 {
        return None;
    }
    Some(sha256(&[&BASE64URL_NOPAD.decode(token.trim().as_bytes()).ok()?]))
}

/// Whose token it is, while it is good and the device was not revoked.
fn caller(app: &App, token_hash: [u8; 32]) -> Result<Option<Caller>, StoreError> {
    let Some(holder) = app.store().token(token_hash)? else { return Ok(None) };
    if holder.expires_at <= app.engine.now() {
        return Ok(None);
    }
    let device = app.store().device(holder.key)?.filter(|device| device.revoked_at.is_none());
    Ok(device.map(|device| Caller { account: holder.account, key: device.key }))
}

impl Caller {
    /// What the caller may read now.
    pub(crate) fn reach(&self, store: &dyn Store) -> Result<Reach, StoreError> {
        Reach::of(store, self.account, self.key)
    }
}
