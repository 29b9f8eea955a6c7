//! Sessions: which key speaks for a device when it reads, its tokens, and when the device was last seen.

use moa_rules::id::{AccountId, KeyId};
use moa_rules::time::Timestamp;

use super::load::{all, one};
use super::pool::Connection;
use crate::rows;
use crate::store::{KnownDevice, NewToken, Session, StoreError};

const BEGIN: &str =
    "INSERT INTO sessions (key, account, thumbprint, refresh_hash, until) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (key) DO UPDATE SET account = excluded.account, thumbprint = excluded.thumbprint,
        refresh_hash = excluded.refresh_hash, until = excluded.until";
const OF_REFRESH: &str = "SELECT key, account, thumbprint, until FROM sessions WHERE refresh_hash = $1";
const OF_TOKEN: &str = "SELECT s.key, s.account, s.thumbprint, s.until, t.expires_at
    FROM tokens t JOIN sessions s ON s.key = t.key AND s.thumbprint = t.thumbprint WHERE t.hash = $1";
// A request with the token before may still be under way.
const KEEP_ONE: &str = "DELETE FROM tokens WHERE key = $1 AND hash NOT IN
    (SELECT hash FROM tokens WHERE key = $1 ORDER BY expires_at DESC, hash LIMIT 1)";
const GIVE: &str = "INSERT INTO tokens (hash, key, thumbprint, expires_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (hash) DO NOTHING";
const END: &str = "DELETE FROM sessions WHERE key = $1";
const END_TOKENS: &str = "DELETE FROM tokens WHERE key = $1";
const FORGET: &str = "DELETE FROM sessions WHERE until < $1";
const FORGET_TOKENS: &str = "DELETE FROM tokens WHERE expires_at < $1";
const ENROLLED: &str =
    "INSERT INTO known_devices (account, key, name, since, seen) VALUES ($1, $2, '', $3, $3)
    ON CONFLICT (account, key) DO UPDATE SET seen = greatest(known_devices.seen, excluded.seen)";
const NAMED: &str = "INSERT INTO known_devices (account, key, name, since, seen) VALUES ($1, $2, $3, $4, $4)
    ON CONFLICT (account, key) DO UPDATE
    SET name = excluded.name, seen = greatest(known_devices.seen, excluded.seen)";
const SEEN: &str = "UPDATE known_devices SET seen = greatest(seen, $3) WHERE account = $1 AND key = $2";
const KNOWN: &str =
    "SELECT key, name, since, seen FROM known_devices WHERE account = $1 ORDER BY seen DESC, key";

pub(super) async fn begin(
    tx: &Connection,
    session: &Session,
    refresh_hash: [u8; 32],
    token: NewToken,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Session { key, account, thumbprint, until } = session;
    let (key, account) = (key.as_ref(), account.as_ref());
    tx.run(BEGIN, &[&key, &account, &&thumbprint[..], &&refresh_hash[..], &until.0]).await?;
    tx.run(NAMED, &[&account, &key, &name.as_bytes(), &now.0]).await?;
    give(tx, session, token).await
}

pub(super) async fn refresh(
    tx: &Connection,
    session: &Session,
    token: NewToken,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(SEEN, &[&session.account.as_ref(), &session.key.as_ref(), &now.0]).await?;
    give(tx, session, token).await
}

async fn give(tx: &Connection, session: &Session, token: NewToken) -> Result<(), StoreError> {
    let key = session.key.as_ref();
    tx.run(KEEP_ONE, &[&key]).await?;
    let NewToken { hash, expires_at } = token;
    tx.run(GIVE, &[&&hash[..], &key, &&session.thumbprint[..], &expires_at.0]).await.map(drop)
}

pub(super) async fn of_refresh(tx: &Connection, hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
    one(tx, OF_REFRESH, &[&&hash[..]], rows::people::session).await
}

pub(super) async fn of_token(
    tx: &Connection,
    hash: [u8; 32],
) -> Result<Option<(Session, Timestamp)>, StoreError> {
    one(tx, OF_TOKEN, &[&&hash[..]], |row| {
        Ok((rows::people::session(row)?, rows::instant(row, "expires_at")?))
    })
    .await
}

pub(super) async fn end(tx: &Connection, key: KeyId) -> Result<(), StoreError> {
    tx.run(END, &[&key.as_ref()]).await?;
    tx.run(END_TOKENS, &[&key.as_ref()]).await.map(drop)
}

pub(super) async fn forget(tx: &Connection, now: Timestamp) -> Result<(), StoreError> {
    tx.run(FORGET, &[&now.0]).await?;
    tx.run(FORGET_TOKENS, &[&now.0]).await.map(drop)
}

pub(super) async fn device_enrolled(
    tx: &Connection,
    account: AccountId,
    key: KeyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.run(ENROLLED, &[&account.as_ref(), &key.as_ref(), &now.0]).await.map(drop)
}

pub(super) async fn known_devices(
    tx: &Connection,
    account: AccountId,
) -> Result<Vec<KnownDevice>, StoreError> {
    all(tx, KNOWN, &[&account.as_ref()], rows::people::known_device).await
}
