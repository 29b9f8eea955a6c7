//! Sessions: which key speaks for a device when it reads, its tokens, and when the device was last seen.

use moa_rules::id::{AccountId, KeyId};
use moa_rules::time::Timestamp;
use rusqlite::{Transaction, params};

use super::load::{all, one};
use super::save::run;
use crate::rows;
use crate::store::{KnownDevice, NewToken, Session, StoreError};

const BEGIN: &str =
    "INSERT INTO sessions (key, account, thumbprint, refresh_hash, until) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (key) DO UPDATE SET account = excluded.account, thumbprint = excluded.thumbprint,
        refresh_hash = excluded.refresh_hash, until = excluded.until";
const OF_REFRESH: &str = "SELECT key, account, thumbprint, until FROM sessions WHERE refresh_hash = ?1";
const OF_TOKEN: &str = "SELECT s.key, s.account, s.thumbprint, s.until, t.expires_at
    FROM tokens t JOIN sessions s ON s.key = t.key AND s.thumbprint = t.thumbprint WHERE t.hash = ?1";
// A request with the token before may still be under way.
const KEEP_ONE: &str = "DELETE FROM tokens WHERE key = ?1 AND hash NOT IN
    (SELECT hash FROM tokens WHERE key = ?1 ORDER BY expires_at DESC, hash LIMIT 1)";
const GIVE: &str = "INSERT INTO tokens (hash, key, thumbprint, expires_at) VALUES (?1, ?2, ?3, ?4)";
const END: &str = "DELETE FROM sessions WHERE key = ?1";
const END_TOKENS: &str = "DELETE FROM tokens WHERE key = ?1";
const FORGET: &str = "DELETE FROM sessions WHERE until < ?1";
const FORGET_TOKENS: &str = "DELETE FROM tokens WHERE expires_at < ?1";
const ENROLLED: &str =
    "INSERT INTO known_devices (account, key, name, since, seen) VALUES (?1, ?2, '', ?3, ?3)
    ON CONFLICT (account, key) DO UPDATE SET seen = max(seen, excluded.seen)";
const NAMED: &str = "INSERT INTO known_devices (account, key, name, since, seen) VALUES (?1, ?2, ?3, ?4, ?4)
    ON CONFLICT (account, key) DO UPDATE SET name = excluded.name, seen = max(seen, excluded.seen)";
const SEEN: &str = "UPDATE known_devices SET seen = max(seen, ?3) WHERE account = ?1 AND key = ?2";
const KNOWN: &str =
    "SELECT key, name, since, seen FROM known_devices WHERE account = ?1 ORDER BY seen DESC, key";

pub(super) fn begin(
    tx: &Transaction,
    session: &Session,
    refresh_hash: [u8; 32],
    token: NewToken,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Session { key, account, thumbprint, until } = session;
    run(tx, BEGIN, params![key.as_ref(), account.as_ref(), thumbprint, refresh_hash, until.0])?;
    run(tx, NAMED, params![account.as_ref(), key.as_ref(), name, now.0])?;
    give(tx, session, token)
}

pub(super) fn refresh(
    tx: &Transaction,
    session: &Session,
    token: NewToken,
    now: Timestamp,
) -> Result<(), StoreError> {
    run(tx, SEEN, params![session.account.as_ref(), session.key.as_ref(), now.0])?;
    give(tx, session, token)
}

fn give(tx: &Transaction, session: &Session, token: NewToken) -> Result<(), StoreError> {
    run(tx, KEEP_ONE, [session.key.as_ref()])?;
    let NewToken { hash, expires_at } = token;
    run(tx, GIVE, params![hash, session.key.as_ref(), session.thumbprint, expires_at.0]).map(drop)
}

pub(super) fn of_refresh(tx: &Transaction, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
    one(tx, OF_REFRESH, [refresh_hash], rows::people::session)
}

pub(super) fn of_token(tx: &Transaction, hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
    one(tx, OF_TOKEN, [hash], |row| Ok((rows::people::session(row)?, rows::instant(row, "expires_at")?)))
}

pub(super) fn end(tx: &Transaction, key: KeyId) -> Result<(), StoreError> {
    run(tx, END, [key.as_ref()])?;
    run(tx, END_TOKENS, [key.as_ref()]).map(drop)
}

pub(super) fn forget(tx: &Transaction, now: Timestamp) -> Result<(), StoreError> {
    run(tx, FORGET, [now.0])?;
    run(tx, FORGET_TOKENS, [now.0]).map(drop)
}

pub(super) fn device_enrolled(
    tx: &Transaction,
    account: AccountId,
    key: KeyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    run(tx, ENROLLED, params![account.as_ref(), key.as_ref(), now.0]).map(drop)
}

pub(super) fn known_devices(tx: &Transaction, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
    all(tx, KNOWN, [account.as_ref()], rows::people::known_device)
}
