//! What there is one of and nobody else may read: sealed with the phone's data key, each for its own row.

use std::marker::PhantomData;

use moa_wire::member::MemberSecret;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::{invitation_links, invitees, meta, numbers};
use crate::error::{PhoneError, corrupt};
use crate::sealing::{Sealing, Unsealed};
use crate::session::Kept;

const GET: &str = "SELECT sealed FROM secret WHERE name = ?1";
const SET: &str = "INSERT INTO secret (name, sealed) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed";
const CLEAR: &str = "DELETE FROM secret WHERE name = ?1";
const CLEAR_ALL: &str = "DELETE FROM secret";

/// The name of a secret, with its type. What is no secret is a [`meta::Name`].
pub(crate) struct Secret<T>(&'static str, PhantomData<T>);

const fn secret<T>(name: &'static str) -> Secret<T> {
    Secret(name, PhantomData)
}

/// The session that reads: its key and its tokens.
pub(crate) const SESSION: Secret<Kept> = secret("session");
/// What the account's member codes are made of.
pub(crate) const MEMBER: Secret<MemberSecret> = secret("member");

impl<T> Secret<T> {
    fn place(&self) -> String {
        format!("secret/{}", self.0)
    }
}

/// Reads a secret. One that was changed or moved is none: an error.
pub(crate) fn get<T: for<'de> Deserialize<'de>>(
    db: &Connection,
    sealing: &Sealing,
    secret: &Secret<T>,
) -> Result<Option<T>, PhoneError> {
    let sealed: Option<Vec<u8>> =
        db.prepare_cached(GET)?.query_row([secret.0], |row| row.get(0)).optional()?;
    let Some(sealed) = sealed else { return Ok(None) };
    let value = sealing.open(&secret.place(), &sealed).map_err(|Unsealed| corrupt(secret.0))?;
    serde_json::from_slice(&value).map(Some).map_err(|_| corrupt(secret.0))
}

/// Keeps a secret.
pub(crate) fn set<T: Serialize>(
    db: &Connection,
    sealing: &Sealing,
    secret: &Secret<T>,
    value: &T,
) -> Result<(), PhoneError> {
    let value = serde_json::to_vec(value).map_err(|_| corrupt(secret.0))?;
    let sealed = sealing.seal(&secret.place(), &value)?;
    db.prepare_cached(SET)?.execute((secret.0, sealed))?;
    Ok(())
}

/// Forgets a secret.
pub(crate) fn clear<T>(db: &Connection, secret: &Secret<T>) -> Result<(), PhoneError> {
    db.prepare_cached(CLEAR)?.execute([secret.0])?;
    Ok(())
}

/// The data key is gone: so is all that was sealed with it. The next snapshot brings what the server has of it.
pub(crate) fn forget_all(db: &Connection) -> Result<(), PhoneError> {
    db.execute(CLEAR_ALL, [])?;
    numbers::forget_all(db)?;
    invitation_links::forget_all(db)?;
    invitees::forget_all(db)?;
    meta::clear(db, &meta::CURSOR)?;
    meta::clear(db, &meta::DATA_KEY)
}
