//! What there is one of.

use moa_rules::choice::visits::Total;
use moa_rules::id::{AccountId, KeyId, MerchantId};
use moa_rules::standing::StandingChoice;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, TillStanding};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::breach::Breach;
use crate::error::{PhoneError, corrupt};
use crate::set_aside::SetAside;

const GET: &str = "SELECT value FROM meta WHERE name = ?1";
const SET: &str = "INSERT INTO meta (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const CLEAR: &str = "DELETE FROM meta WHERE name = ?1";
const TAKE_COUNTERS: &str = "INSERT INTO counter (key, last) VALUES (?1, ?2)
                             ON CONFLICT (key) DO UPDATE SET last = last + ?2 RETURNING last";
const RAISE_COUNTER: &str = "INSERT INTO counter (key, last) VALUES (?1, ?2)
                             ON CONFLICT (key) DO UPDATE SET last = max(last, excluded.last)";

/// The name of a value, with its type. What nobody else may read is a [`Secret`](super::secrets::Secret) instead.
pub(crate) struct Name<T>(&'static str, std::marker::PhantomData<T>);

const fn name<T>(name: &'static str) -> Name<T> {
    Name(name, std::marker::PhantomData)
}

/// The device key that this data belongs to.
pub(crate) const KEY: Name<KeyId> = name("key");
/// What secrets are sealed with, itself sealed by the device's keys.
pub(crate) const DATA_KEY: Name<Base64> = name("data_key");
/// The account that is signed in.
pub(crate) const ACCOUNT: Name<AccountId> = name("account");
/// The shop that the key acts for, as confirmed.
pub(crate) const MERCHANT: Name<MerchantId> = name("merchant");
/// Whether the server knows this device. If not, the number has to be confirmed, or confirmed again.
pub(crate) const ENROLLED: Name<bool> = name("enrolled");
/// The server's public key.
pub(crate) const SERVER_KEY: Name<Base64> = name("server_key");
/// From where changes go on. Without one, a snapshot is needed.
pub(crate) const CURSOR: Name<String> = name("cursor");
/// From where the directory goes on.
pub(crate) const DIRECTORY_CURSOR: Name<String> = name("directory_cursor");
/// When the server was last heard, by its clock.
pub(crate) const HEARD_AT: Name<Timestamp> = name("heard_at");
/// Set by signing out: a key in software is made anew when the data is opened next.
pub(crate) const LEFT: Name<bool> = name("left");
/// When the database was last checked as a whole, by the phone's clock.
pub(crate) const CHECKED_AT: Name<Timestamp> = name("checked_at");
/// The databases that were set aside, oldest first.
pub(crate) const SET_ASIDE: Name<Vec<SetAside>> = name("set_aside");
/// When the directory was last complete, by the phone's clock.
pub(crate) const DIRECTORY_AT: Name<Timestamp> = name("directory_at");
/// The server's clock less the phone's, in milliseconds.
pub(crate) const CLOCK_OFFSET: Name<i64> = name("clock_offset");
/// What this key may sell, and from when it may pay.
pub(crate) const TILL: Name<TillStanding> = name("till");
/// When the certificate was last asked for, by the server's clock.
pub(crate) const RENEWED_AT: Name<Timestamp> = name("renewed_at");
/// The enrolment under way.
pub(crate) const ENROLMENT: Name<UnderWay> = name("enrolment");
/// The standing choice of the account, as confirmed.
pub(crate) const STANDING: Name<StandingChoice> = name("standing");
/// Whether the account may be sent advertising, as confirmed: `Marketing` in CBOR.
pub(crate) const MARKETING: Name<Base64> = name("marketing");
/// Whether this phone takes the best without a question.
pub(crate) const ALWAYS_BEST: Name<bool> = name("always_best");
/// This buyer's purchases together, for the choice of a group.
pub(crate) const VISITS: Name<Total> = name("visits");
/// Where mileage was used last, and when.
pub(crate) const USED_AT: Name<(MerchantId, Timestamp)> = name("used_at");
/// The inbox that was set aside first.
pub(crate) const BREACH: Name<Breach> = name("breach");
/// Whether the server said that it does not stand where this phone has been.
pub(crate) const CURSOR_GONE: Name<bool> = name("cursor_gone");

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

/// Takes the next so many counters of a key. Gives the first.
pub(crate) fn take_counters(db: &Connection, key: KeyId, count: u64) -> Result<u64, PhoneError> {
    let taken = (key.0, super::signed(count));
    let last: i64 = db.prepare_cached(TAKE_COUNTERS)?.query_row(taken, |row| row.get(0))?;
    Ok(super::unsigned(last).saturating_sub(count) + 1)
}

/// Goes on above `counter`: it was used, though this phone does not know (restored from a backup).
pub(crate) fn raise_counter(db: &Connection, key: KeyId, counter: u64) -> Result<(), PhoneError> {
    db.prepare_cached(RAISE_COUNTER)?.execute((key.0, super::signed(counter)))?;
    Ok(())
}
