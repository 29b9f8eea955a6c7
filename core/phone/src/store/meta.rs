//! What there is one of.

use moa_rules::id::{AccountId, KeyId, MerchantId};
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::Base64;
use moa_wire::member::MemberSecret;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::breach::Breach;
use crate::error::{PhoneError, corrupt};
use crate::session::Kept;

const GET: &str = "SELECT value FROM meta WHERE name = ?1";
const SET: &str = "INSERT INTO meta (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const CLEAR: &str = "DELETE FROM meta WHERE name = ?1";
const TAKE_COUNTER: &str = "INSERT INTO counter (key, last) VALUES (?1, 1)
                            ON CONFLICT (key) DO UPDATE SET last = last + 1 RETURNING last";
const LEAP_COUNTER: &str = "UPDATE counter SET last = max(last, ?2) WHERE key = ?1";

/// The name of a value, with its type.
pub(crate) struct Name<T>(&'static str, std::marker::PhantomData<T>);

const fn name<T>(name: &'static str) -> Name<T> {
    Name(name, std::marker::PhantomData)
}

/// The device key that this data belongs to.
pub(crate) const KEY: Name<KeyId> = name("key");
/// The account that is signed in.
pub(crate) const ACCOUNT: Name<AccountId> = name("account");
/// The shop that the key acts for, as confirmed.
pub(crate) const MERCHANT: Name<MerchantId> = name("merchant");
/// Whether the server knows this device. If not, the number has to be confirmed, or confirmed again.
pub(crate) const ENROLLED: Name<bool> = name("enrolled");
/// The session that reads: its key and its tokens. A secret, to be sealed.
pub(crate) const SESSION: Name<Kept> = name("session");
/// The server's public key.
pub(crate) const SERVER_KEY: Name<Base64> = name("server_key");
/// From where changes go on. Without one, a snapshot is needed.
pub(crate) const CURSOR: Name<String> = name("cursor");
/// From where the directory goes on.
pub(crate) const DIRECTORY_CURSOR: Name<String> = name("directory_cursor");
/// When the directory was last complete, by the phone's clock.
pub(crate) const DIRECTORY_AT: Name<Timestamp> = name("directory_at");
/// The server's clock less the phone's, in milliseconds.
pub(crate) const CLOCK_OFFSET: Name<i64> = name("clock_offset");
/// The enrolment under way.
pub(crate) const ENROLMENT: Name<UnderWay> = name("enrolment");
/// What the account's member codes are made of.
pub(crate) const MEMBER: Name<MemberSecret> = name("member");
/// The standing choice of the account, as confirmed.
pub(crate) const STANDING: Name<StandingChoice> = name("standing");
/// Whether this phone takes the best without a question.
pub(crate) const ALWAYS_BEST: Name<bool> = name("always_best");
/// The inbox that was set aside first.
pub(crate) const BREACH: Name<Breach> = name("breach");

/// An enrolment that waits for its code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct UnderWay {
    /// Its id, 32 hex digits.
    pub enrolment: String,
    /// When the code is void, by the server's clock.
    pub expires_at: Timestamp,
}

/// Reads a value.
pub(crate) fn get<T: for<'de> Deserialize<'de>>(
    db: &Connection,
    name: &Name<T>,
) -> Result<Option<T>, PhoneError> {
    let text: Option<String> = db.prepare_cached(GET)?.query_row([name.0], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| corrupt(name.0))).transpose()
}

/// Writes a value.
pub(crate) fn set<T: Serialize>(db: &Connection, name: &Name<T>, value: &T) -> Result<(), PhoneError> {
    let text = serde_json::to_string(value).map_err(|_| corrupt(name.0))?;
    db.prepare_cached(SET)?.execute([name.0, &text])?;
    Ok(())
}

/// Forgets a value.
pub(crate) fn clear<T>(db: &Connection, name: &Name<T>) -> Result<(), PhoneError> {
    db.prepare_cached(CLEAR)?.execute([name.0])?;
    Ok(())
}

/// Takes the next counter of a key.
pub(crate) fn take_counter(db: &Connection, key: KeyId) -> Result<u64, PhoneError> {
    let counter: i64 = db.prepare_cached(TAKE_COUNTER)?.query_row([key.0], |row| row.get(0))?;
    Ok(super::unsigned(counter))
}

/// Goes on above `counter`: the server has seen it, though this phone does not know (restored from a backup).
pub(crate) fn leap_counter(db: &Connection, key: KeyId, counter: u64) -> Result<(), PhoneError> {
    db.prepare_cached(LEAP_COUNTER)?.execute((key.0, super::signed(counter)))?;
    Ok(())
}
