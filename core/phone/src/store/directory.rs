//! Shops, groups, terms and members, as far as this phone has them. A cache: the server's word is newer.

use moa_rules::amendment::Amendment;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, KeyId, MerchantId};
use moa_rules::merchant::MerchantProfile;
use moa_wire::api::{GroupEntry, MerchantEntry};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::error::PhoneError;

const PUT_MERCHANT: &str = "INSERT INTO merchant (id, body) VALUES (?1, ?2)
                            ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const ADD_MERCHANT: &str = "INSERT INTO merchant (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
const GET_MERCHANT: &str = "SELECT body FROM merchant WHERE id = ?1";
const MERCHANTS: &str = "SELECT id, body FROM merchant";
const DELETE_KEYS: &str = "DELETE FROM merchant_key WHERE merchant = ?1";
const PUT_KEY: &str = "INSERT INTO merchant_key (key, merchant, public_key, till) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (key) DO UPDATE
                       SET merchant = excluded.merchant, public_key = excluded.public_key, till = excluded.till";
const GET_KEY: &str = "SELECT merchant, public_key FROM merchant_key WHERE key = ?1";
const PUT_GROUP: &str = "INSERT INTO \"group\" (id, body) VALUES (?1, ?2)
                         ON CONFLICT (id) DO UPDATE SET body = excluded.body";
const ADD_GROUP: &str = "INSERT INTO \"group\" (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
const GET_GROUP: &str = "SELECT body FROM \"group\" WHERE id = ?1";
const PUT_TERMS: &str = "INSERT INTO terms (\"group\", version, body) VALUES (?1, ?2, ?3)
                         ON CONFLICT (\"group\", version) DO UPDATE SET body = excluded.body";
const ADD_TERMS: &str = "INSERT INTO terms (\"group\", version, body) VALUES (?1, ?2, ?3)
                         ON CONFLICT (\"group\", version) DO NOTHING";
const GET_TERMS: &str = "SELECT body FROM terms WHERE \"group\" = ?1 AND version = ?2";
const PUT_AMENDMENT: &str = "INSERT INTO amendment (\"group\", body) VALUES (?1, ?2)
                             ON CONFLICT (\"group\") DO UPDATE SET body = excluded.body";
const GET_AMENDMENT: &str = "SELECT body FROM amendment WHERE \"group\" = ?1";
const DELETE_AMENDMENT: &str = "DELETE FROM amendment WHERE \"group\" = ?1";
const ADD_MEMBER: &str =
    "INSERT INTO member (\"group\", merchant) VALUES (?1, ?2) ON CONFLICT (\"group\", merchant) DO NOTHING";
const CLEAR_GROUPS_OF: &str = "DELETE FROM member WHERE merchant = ?1";
const CLEAR_MEMBERS_OF: &str = "DELETE FROM member WHERE \"group\" = ?1";
const REMOVE_MEMBER: &str = "DELETE FROM member WHERE \"group\" = ?1 AND merchant = ?2";
const MEMBERS_OF: &str = "SELECT merchant FROM member WHERE \"group\" = ?1 ORDER BY merchant";
const GROUPS_OF: &str = "SELECT \"group\" FROM member WHERE merchant = ?1 ORDER BY \"group\"";
const TILLS_OF: &str = "SELECT key FROM merchant_key WHERE merchant = ?1 AND till ORDER BY key";

/// Takes over a shop as the directory has it.
pub(crate) fn put_merchant(db: &Connection, entry: &MerchantEntry) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_MERCHANT)?.execute((entry.id.0, json(&entry.profile)?))?;
    db.prepare_cached(DELETE_KEYS)?.execute([entry.id.0])?;
    for key in &entry.keys {
        db.prepare_cached(PUT_KEY)?.execute((key.id.0, entry.id.0, &key.public_key.0, key.till))?;
    }
    db.prepare_cached(CLEAR_GROUPS_OF)?.execute([entry.id.0])?;
    entry.groups.iter().try_for_each(|group| add_member(db, *group, entry.id))
}

/// Takes over a group as the directory has it.
pub(crate) fn put_group(db: &Connection, entry: &GroupEntry) -> Result<(), PhoneError> {
    let group = entry.group.id;
    db.prepare_cached(PUT_GROUP)?.execute((group.0, json(&entry.group)?))?;
    put_terms(db, &entry.terms)?;
    match &entry.amendment {
        Some(amendment) => put_amendment(db, amendment)?,
        None => drop(db.prepare_cached(DELETE_AMENDMENT)?.execute([group.0])?),
    }
    db.prepare_cached(CLEAR_MEMBERS_OF)?.execute([group.0])?;
    entry.members.iter().try_for_each(|merchant| add_member(db, group, *merchant))
}

/// Adds a shop learned from an event, unless the directory knows it already.
pub(crate) fn add_merchant(
    db: &Connection,
    merchant: MerchantId,
    profile: &MerchantProfile,
) -> Result<(), PhoneError> {
    db.prepare_cached(ADD_MERCHANT)?.execute((merchant.0, json(profile)?))?;
    Ok(())
}

/// Takes over how a shop presents itself from now on.
pub(crate) fn change_merchant(
    db: &Connection,
    merchant: MerchantId,
    profile: &MerchantProfile,
) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_MERCHANT)?.execute((merchant.0, json(profile)?))?;
    Ok(())
}

/// Adds a group learned from an event, unless the directory knows it already.
pub(crate) fn add_group(db: &Connection, group: &Group) -> Result<(), PhoneError> {
    db.prepare_cached(ADD_GROUP)?.execute((group.id.0, json(group)?))?;
    Ok(())
}

/// Takes over what an event changed of a group that is known. What the directory may know better stays: who is a member, and
/// terms of a later version.
pub(crate) fn change_group(db: &Connection, changed: &Group) -> Result<(), PhoneError> {
    let Some(known) = group(db, changed.id)? else { return add_group(db, changed) };
    let terms_version = changed.terms_version.max(known.terms_version);
    let changed = Group { terms_version, members: known.members, ..changed.clone() };
    db.prepare_cached(PUT_GROUP)?.execute((changed.id.0, json(&changed)?))?;
    Ok(())
}

/// Adds terms learned from an event, unless the directory knows them already.
pub(crate) fn add_terms(db: &Connection, terms: &TermsVersion) -> Result<(), PhoneError> {
    db.prepare_cached(ADD_TERMS)?.execute((terms.group.0, terms.version, json(terms)?))?;
    Ok(())
}

/// Takes over terms. Those of earlier versions stay: lots are issued under them.
pub(crate) fn put_terms(db: &Connection, terms: &TermsVersion) -> Result<(), PhoneError> {
    db.prepare_cached(PUT_TERMS)?.execute((terms.group.0, terms.version, json(terms)?))?;
    Ok(())
}

/// Takes over proposed terms; forgets them once they are decided.
pub(crate) fn put_amendment(db: &Connection, amendment: &Amendment) -> Result<(), PhoneError> {
    if amendment.decided {
        db.prepare_cached(DELETE_AMENDMENT)?.execute([amendment.group.0])?;
    } else {
        db.prepare_cached(PUT_AMENDMENT)?.execute((amendment.group.0, json(amendment)?))?;
    }
    Ok(())
}

/// The terms that are proposed in a group.
pub(crate) fn amendment(db: &Connection, group: GroupId) -> Result<Option<Amendment>, PhoneError> {
    let text: Option<String> =
        db.prepare_cached(GET_AMENDMENT)?.query_row([group.0], |row| row.get(0)).optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// Adds a membership.
pub(crate) fn add_member(db: &Connection, group: GroupId, merchant: MerchantId) -> Result<(), PhoneError> {
    db.prepare_cached(ADD_MEMBER)?.execute((group.0, merchant.0))?;
    Ok(())
}

/// A shop is no member any more.
pub(crate) fn remove_member(db: &Connection, group: GroupId, merchant: MerchantId) -> Result<(), PhoneError> {
    db.prepare_cached(REMOVE_MEMBER)?.execute((group.0, merchant.0))?;
    Ok(())
}

/// A shop's profile.
pub(crate) fn merchant(db: &Connection, id: MerchantId) -> Result<Option<MerchantProfile>, PhoneError> {
    let text: Option<String> =
        db.prepare_cached(GET_MERCHANT)?.query_row([id.0], |row| row.get(0)).optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// What of a profile tells a shop's name.
#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Every shop with its name.
pub(crate) fn names(db: &Connection) -> Result<Vec<(MerchantId, String)>, PhoneError> {
    let mut statement = db.prepare_cached(MERCHANTS)?;
    let mut rows = statement.query([])?;
    let mut named = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        named.push((MerchantId(row.get(0)?), parse::<Named>(&body)?.name));
    }
    Ok(named)
}

/// The shop that a key signs for, and the key's point.
pub(crate) fn key(db: &Connection, key: KeyId) -> Result<Option<(MerchantId, Vec<u8>)>, PhoneError> {
    let row =
        db.prepare_cached(GET_KEY)?.query_row([key.0], |row| Ok((MerchantId(row.get(0)?), row.get(1)?)));
    Ok(row.optional()?)
}

/// The phones at a shop, in order of their keys' ids.
pub(crate) fn tills_of(db: &Connection, merchant: MerchantId) -> Result<Vec<KeyId>, PhoneError> {
    let mut statement = db.prepare_cached(TILLS_OF)?;
    let keys = statement.query_map([merchant.0], |row| Ok(KeyId(row.get(0)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// A group.
pub(crate) fn group(db: &Connection, id: GroupId) -> Result<Option<Group>, PhoneError> {
    let text: Option<String> =
        db.prepare_cached(GET_GROUP)?.query_row([id.0], |row| row.get(0)).optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// The terms of a group now in force, as far as this phone knows.
pub(crate) fn terms(db: &Connection, id: GroupId) -> Result<Option<TermsVersion>, PhoneError> {
    let Some(Group { terms_version, .. }) = group(db, id)? else { return Ok(None) };
    terms_of(db, id, terms_version)
}

/// One version of a group's terms, if this phone has seen it.
pub(crate) fn terms_of(
    db: &Connection,
    id: GroupId,
    version: u32,
) -> Result<Option<TermsVersion>, PhoneError> {
    let text: Option<String> =
        db.prepare_cached(GET_TERMS)?.query_row((id.0, version), |row| row.get(0)).optional()?;
    text.map(|text| parse(&text)).transpose()
}

/// The members of a group, in order of id.
pub(crate) fn members(db: &Connection, group: GroupId) -> Result<Vec<MerchantId>, PhoneError> {
    let mut statement = db.prepare_cached(MEMBERS_OF)?;
    let members = statement.query_map([group.0], |row| row.get(0).map(MerchantId))?;
    Ok(members.collect::<Result<_, _>>()?)
}

/// The groups of a shop, in order of id.
pub(crate) fn groups_of(db: &Connection, merchant: MerchantId) -> Result<Vec<GroupId>, PhoneError> {
    let mut statement = db.prepare_cached(GROUPS_OF)?;
    let groups = statement.query_map([merchant.0], |row| row.get(0).map(GroupId))?;
    Ok(groups.collect::<Result<_, _>>()?)
}

fn json<T: Serialize>(value: &T) -> Result<String, PhoneError> {
    super::json(value, "directory")
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, PhoneError> {
    super::parse(text, "directory")
}
