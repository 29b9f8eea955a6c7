//! The directory: shops, their groups, the keys that sign for them.

use moa_rules::id::{GroupId, MerchantId};
use moa_rules::time::Timestamp;
use moa_rules::view::{Cell, Key};
use rusqlite::Connection;

use super::load::{all, cell, one};
use crate::rows;
use crate::store::{DirectoryGroup, DirectoryMerchant, StoreError};

const CHANGED: &str =
    "SELECT id FROM merchants WHERE (changed_at, id) > (?1, ?2) ORDER BY changed_at, id LIMIT ?3";
const MERCHANT: &str = "SELECT * FROM merchants WHERE id = ?1";
const KEYS: &str = "SELECT * FROM devices
    WHERE merchant = ?1 AND revoked_at IS NULL AND left_at IS NULL ORDER BY key";
const MEMBERS: &str =
    "SELECT merchant FROM members WHERE group_id = ?1 AND left_at IS NULL ORDER BY merchant";
const GROUPS: &str = "SELECT group_id FROM members WHERE merchant = ?1 AND left_at IS NULL ORDER BY group_id";

pub fn changed(
    connection: &Connection,
    after: (Timestamp, MerchantId),
    limit: usize,
) -> Result<Vec<DirectoryMerchant>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let ids: Vec<MerchantId> =
        all(connection, CHANGED, (after.0.0, after.1.as_ref(), limit), |row| rows::id(row, "id"))?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(merchant(connection, id)?);
    }
    Ok(found)
}

pub fn merchant(connection: &Connection, id: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
    let found = one(connection, MERCHANT, [id.as_ref()], |row| {
        Ok((rows::merchant(row)?, Timestamp(rows::at(row, "changed_at")?)))
    })?;
    let Some((merchant, changed_at)) = found else { return Ok(None) };
    let groups = all(connection, GROUPS, [id.as_ref()], |row| rows::id(row, "group_id"))?;
    let keys = all(connection, KEYS, [id.as_ref()], rows::device)?;
    Ok(Some(DirectoryMerchant { merchant, groups, keys, changed_at }))
}

pub fn group(connection: &Connection, id: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
    let Some(Cell::Group(group)) = cell(connection, Key::Group(id))? else { return Ok(None) };
    let Some(Cell::Terms(terms)) = cell(connection, Key::Terms(id, group.terms_version))? else {
        return Ok(None);
    };
    let members = all(connection, MEMBERS, [id.as_ref()], |row| rows::id(row, "merchant"))?;
    let amendment = match cell(connection, Key::Amendment(id))? {
        Some(Cell::Amendment(amendment)) if !amendment.decided => Some(*amendment),
        _ => None,
    };
    Ok(Some(DirectoryGroup { group, terms, members, amendment }))
}
