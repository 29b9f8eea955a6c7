//! The buyer's lots with something left, as confirmed.

use moa_rules::id::{GroupId, LotId};
use moa_rules::lot::{Lot, Wallet};
use moa_wire::canonical;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{PhoneError, corrupt};

const PUT: &str = "INSERT INTO lot (id, \"group\", body) VALUES (?1, ?2, ?3)
                   ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const DELETE: &str = "DELETE FROM lot WHERE id = ?1";
const DELETE_ALL: &str = "DELETE FROM lot";
const OF_GROUP: &str = "SELECT body FROM lot WHERE \"group\" = ?1";
const GET: &str = "SELECT body FROM lot WHERE id = ?1";
const GROUPS: &str = "SELECT DISTINCT \"group\" FROM lot";

/// Writes a lot; takes it out if nothing is left of it.
pub(crate) fn put(db: &Connection, lot: &Lot) -> Result<(), PhoneError> {
    if lot.remaining.is_zero() {
        db.prepare_cached(DELETE)?.execute([lot.id.0])?;
    } else {
        db.prepare_cached(PUT)?.execute((lot.id.0, lot.group.0, canonical::encode(lot)))?;
    }
    Ok(())
}

/// Takes these lots in place of all.
pub(crate) fn replace(db: &Connection, lots: &[Lot]) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    lots.iter().try_for_each(|lot| put(db, lot))
}

/// One lot, if something is left of it.
pub(crate) fn get(db: &Connection, lot: LotId) -> Result<Option<Lot>, PhoneError> {
    let body: Option<Vec<u8>> = db.prepare_cached(GET)?.query_row([lot.0], |row| row.get(0)).optional()?;
    body.map(|body| canonical::decode(&body).map_err(|_| corrupt("lot"))).transpose()
}

/// The lots in a group.
pub(crate) fn wallet(db: &Connection, group: GroupId) -> Result<Wallet, PhoneError> {
    let mut statement = db.prepare_cached(OF_GROUP)?;
    let bodies = statement.query_map([group.0], |row| row.get::<_, Vec<u8>>(0))?;
    let lots = bodies.map(|body| canonical::decode(&body?).map_err(|_| corrupt("lot")));
    Ok(Wallet::new(lots.collect::<Result<_, _>>()?))
}

/// The groups that there are lots of.
pub(crate) fn groups(db: &Connection) -> Result<Vec<GroupId>, PhoneError> {
    let mut statement = db.prepare_cached(GROUPS)?;
    let groups = statement.query_map([], |row| row.get(0).map(GroupId))?;
    Ok(groups.collect::<Result<_, _>>()?)
}
