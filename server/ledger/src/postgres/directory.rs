//! The directory: shops, their groups, the keys that sign for them.

use std::collections::HashMap;

use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::Merchant;
use moa_rules::time::Timestamp;

use super::load::{all, most, one};
use super::pool::Connection;
use super::together::both;
use crate::rows::{self, Columns};
use crate::store::{DirectoryGroup, DirectoryMerchant, StoreError};

const CHANGED: &str =
    "SELECT * FROM merchants WHERE (changed_at, id) > ($1, $2) ORDER BY changed_at, id LIMIT $3";
const MERCHANT: &str = "SELECT * FROM merchants WHERE id = $1";
const MEMBERSHIPS: &str = "SELECT merchant, group_id FROM members WHERE merchant = ANY($1) AND left_at IS NULL ORDER BY merchant, group_id";
const KEYS: &str = "SELECT * FROM devices WHERE merchant = ANY($1) AND merchant IS NOT NULL
        AND revoked_at IS NULL AND left_at IS NULL ORDER BY merchant, key";
const GROUP: &str = "SELECT * FROM groups WHERE id = $1";
const TERMS: &str =
    "SELECT terms.* FROM groups JOIN terms ON group_id = id AND version = terms_version WHERE id = $1";
const MEMBERS: &str =
    "SELECT merchant FROM members WHERE group_id = $1 AND left_at IS NULL ORDER BY merchant";
const AMENDMENT: &str = "SELECT * FROM amendments WHERE group_id = $1 AND NOT decided";

/// Shops that changed after a place, in order.
pub(super) async fn changed(
    connection: &Connection,
    (at, id): (Timestamp, MerchantId),
    limit: usize,
) -> Result<Vec<DirectoryMerchant>, StoreError> {
    let found = all(connection, CHANGED, &[&at.0, &id.as_ref(), &most(limit)], shop).await?;
    whole(connection, found).await
}

/// A shop.
pub(super) async fn merchant(
    connection: &Connection,
    id: MerchantId,
) -> Result<Option<DirectoryMerchant>, StoreError> {
    let found = one(connection, MERCHANT, &[&id.as_ref()], shop).await?;
    Ok(whole(connection, found.into_iter().collect()).await?.pop())
}

fn shop(row: &dyn Columns) -> Result<(Merchant, Timestamp), StoreError> {
    Ok((rows::merchant(row)?, rows::instant(row, "changed_at")?))
}

/// Shops with their groups and keys.
async fn whole(
    connection: &Connection,
    shops: Vec<(Merchant, Timestamp)>,
) -> Result<Vec<DirectoryMerchant>, StoreError> {
    if shops.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&[u8]> = shops.iter().map(|(merchant, _)| merchant.id.as_ref()).collect();
    let group = |row: &dyn Columns| Ok((rows::id(row, "merchant")?, rows::id(row, "group_id")?));
    let key = |row: &dyn Columns| Ok((rows::id(row, "merchant")?, rows::device(row)?));
    let (groups, keys) =
        both(all(connection, MEMBERSHIPS, &[&ids], group), all(connection, KEYS, &[&ids], key)).await?;
    let (mut groups, mut keys) = (by_shop(groups), by_shop(keys));
    let whole = |(merchant, changed_at): (Merchant, Timestamp)| {
        let groups = groups.remove(&merchant.id).unwrap_or_default();
        let keys = keys.remove(&merchant.id).unwrap_or_default();
        DirectoryMerchant { merchant, groups, keys, changed_at }
    };
    Ok(shops.into_iter().map(whole).collect())
}

fn by_shop<T>(found: Vec<(MerchantId, T)>) -> HashMap<MerchantId, Vec<T>> {
    let mut by_shop: HashMap<MerchantId, Vec<T>> = HashMap::new();
    found.into_iter().for_each(|(shop, value)| by_shop.entry(shop).or_default().push(value));
    by_shop
}

/// A group.
pub(super) async fn group(
    connection: &Connection,
    id: GroupId,
) -> Result<Option<DirectoryGroup>, StoreError> {
    let id = id.as_ref();
    let ((group, terms), (members, amendment)) = both(
        both(one(connection, GROUP, &[&id], rows::group), one(connection, TERMS, &[&id], rows::terms)),
        both(
            all(connection, MEMBERS, &[&id], |row| rows::id(row, "merchant")),
            one(connection, AMENDMENT, &[&id], rows::amendment),
        ),
    )
    .await?;
    Ok(group.zip(terms).map(|(group, terms)| DirectoryGroup { group, terms, members, amendment }))
}
