//! Devices that joined the account and that nobody has looked at yet.

use moa_rules::id::KeyId;
use rusqlite::Connection;

use super::{json, parse};
use crate::devices::NewDevice;
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO new_device (key, body) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING";
const GONE: &str = "DELETE FROM new_device WHERE key = ?1";
const ALL: &str = "SELECT body FROM new_device ORDER BY key";

/// A device joined.
pub(crate) fn put(db: &Connection, device: &NewDevice) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((device.key.0, json(device, "device")?))?;
    Ok(())
}

/// It was read of, admitted, or revoked.
pub(crate) fn gone(db: &Connection, key: KeyId) -> Result<(), PhoneError> {
    db.prepare_cached(GONE)?.execute([key.0])?;
    Ok(())
}

/// Those that are not read of yet.
pub(crate) fn all(db: &Connection) -> Result<Vec<NewDevice>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?, "device")).collect()
}
