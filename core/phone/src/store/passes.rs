//! Passes, approvals, and the server's signed word on them.

use moa_rules::id::{AccountId, OpId};
use moa_rules::pass::{Pass, PassState};
use moa_rules::time::Timestamp;
use moa_wire::canonical;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{PhoneError, corrupt};

const PUT: &str = "INSERT INTO pass (id, body) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const GET: &str = "SELECT body FROM pass WHERE id = ?1";
const ALL: &str = "SELECT body FROM pass ORDER BY id";
const TAKE: &str = "INSERT INTO pass (id, body, taken_by) VALUES (?1, ?2, ?3)
                    ON CONFLICT (id) DO UPDATE SET taken_by = excluded.taken_by";
const TAKEN: &str = "SELECT EXISTS (SELECT 1 FROM pass JOIN outbox ON op = taken_by
                     WHERE id = ?1 AND state <> 'refused')";
const FORGET: &str = "DELETE FROM pass WHERE id = ?1 AND taken_by IS NULL";
const PUT_TOKEN: &str = "INSERT INTO given_token (op, bytes) VALUES (?1, ?2)
                         ON CONFLICT (op) DO UPDATE SET bytes = excluded.bytes";
const TOKEN: &str = "SELECT bytes FROM given_token WHERE op = ?1";
const SEE: &str = "INSERT INTO approval (op, at) VALUES (?1, ?2) ON CONFLICT (op) DO NOTHING";

/// Writes a pass.
pub(crate) fn put(db: &Connection, pass: &Pass) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((pass.id.0, canonical::encode(pass)))?;
    Ok(())
}

/// A pass, if this phone knows it.
pub(crate) fn get(db: &Connection, pass: OpId) -> Result<Option<Pass>, PhoneError> {
    let body: Option<Vec<u8>> = db.prepare_cached(GET)?.query_row([pass.0], |row| row.get(0)).optional()?;
    body.map(|body| canonical::decode(&body).map_err(|_| corrupt("pass"))).transpose()
}

/// Every pass, oldest first.
pub(crate) fn all(db: &Connection) -> Result<Vec<Pass>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let mut rows = statement.query([])?;
    let mut passes = Vec::new();
    while let Some(row) = rows.next()? {
        passes.push(canonical::decode(&row.get::<_, Vec<u8>>(0)?).map_err(|_| corrupt("pass"))?);
    }
    Ok(passes)
}

/// Takes these as they are. One of this buyer's that is open here and not among them was spent, if it could not have come
/// back yet.
pub(crate) fn replace(
    db: &Connection,
    account: AccountId,
    given: &[Pass],
    now: Timestamp,
) -> Result<(), PhoneError> {
    for mut known in all(db)?.into_iter().filter(|pass| pass.account == account) {
        if known.state == PassState::Open && given.iter().all(|pass| pass.id != known.id) {
            known.state = if now <= known.released_from() { PassState::Spent } else { PassState::Released };
            put(db, &known)?;
        }
    }
    given.iter().try_for_each(|pass| put(db, pass))
}

/// This till took a pass by an op.
pub(crate) fn take(db: &Connection, pass: &Pass, op: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(TAKE)?.execute((pass.id.0, canonical::encode(pass), op.0))?;
    Ok(())
}

/// Whether this till took a pass, and was not refused.
pub(crate) fn taken(db: &Connection, pass: OpId) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(TAKEN)?.query_row([pass.0], |row| row.get(0))?)
}

/// That a pass was reserved is not in the books any more; a till keeps what it took.
pub(crate) fn forget(db: &Connection, pass: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(FORGET)?.execute([pass.0])?;
    Ok(())
}

/// Keeps the server's word on an op.
pub(crate) fn put_token(db: &Connection, op: OpId, bytes: &[u8]) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_TOKEN)?.execute((op.0, bytes))?;
    Ok(())
}

/// The server's word on an op.
pub(crate) fn token(db: &Connection, op: OpId) -> Result<Option<Vec<u8>>, PhoneError> {
    Ok(db.prepare_cached(TOKEN)?.query_row([op.0], |row| row.get(0)).optional()?)
}

/// An approval is shown to this shop. Tells whether it was the first time.
pub(crate) fn see(db: &Connection, op: OpId, at: Timestamp) -> Result<bool, PhoneError> {
    Ok(db.prepare_cached(SEE)?.execute((op.0, at.0))? > 0)
}
