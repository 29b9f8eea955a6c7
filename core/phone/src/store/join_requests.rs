//! Requests to join groups: this shop's own, and those that it can answer.

use moa_rules::admission::JoinRequest;
use moa_rules::id::{GroupId, MerchantId};
use rusqlite::{Connection, OptionalExtension};

use super::{json, parse};
use crate::error::PhoneError;

const PUT: &str = "INSERT INTO join_request (\"group\", merchant, body) VALUES (?1, ?2, ?3)
                   ON CONFLICT (\"group\", merchant) DO UPDATE SET body = excluded.body";
const GET: &str = "SELECT body FROM join_request WHERE \"group\" = ?1 AND merchant = ?2";
const ALL: &str = "SELECT body FROM join_request ORDER BY \"group\", merchant";
const DELETE_ALL: &str = "DELETE FROM join_request";

/// Takes over a request.
pub(crate) fn put(db: &Connection, request: &JoinRequest) -> Result<(), PhoneError> {
    let body = json(request, "request")?;
    db.prepare_cached(PUT)?.execute((request.group.0, request.merchant.0, body))?;
    Ok(())
}

/// Takes these in place of all.
pub(crate) fn replace(db: &Connection, requests: &[JoinRequest]) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    requests.iter().try_for_each(|request| put(db, request))
}

/// The last request of a shop to join a group.
pub(crate) fn get(
    db: &Connection,
    group: GroupId,
    merchant: MerchantId,
) -> Result<Option<JoinRequest>, PhoneError> {
    let body: Option<String> =
        db.prepare_cached(GET)?.query_row((group.0, merchant.0), |row| row.get(0)).optional()?;
    body.map(|body| parse(&body, "request")).transpose()
}

/// Every request, in order of group and shop.
pub(crate) fn all(db: &Connection) -> Result<Vec<JoinRequest>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?, "request")).collect()
}
