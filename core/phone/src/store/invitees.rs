//! Whom the shop is about to invite, and whom it has invited from this phone. Names and addresses are sealed, as they come from
//! a person's address book.

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_wire::channel::Channel;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::{json, parse};
use crate::error::{PhoneError, corrupt};
use crate::sealing::Sealing;

const PUT: &str = "INSERT INTO invitee (id, \"group\", shop, channel, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
const ALL: &str = "SELECT id, \"group\", shop, channel, sealed, invitation FROM invitee ORDER BY id";
const GET: &str = "SELECT id, \"group\", shop, channel, sealed, invitation FROM invitee WHERE id = ?1";
const COUNT: &str = "SELECT count(*) FROM invitee WHERE invitation IS NULL";
const INVITED: &str = "UPDATE invitee SET invitation = ?2 WHERE id = ?1";
const REMOVE: &str = "DELETE FROM invitee WHERE id = ?1";
const FORGET_ALL: &str = "DELETE FROM invitee";

/// Someone on the list.
pub(crate) struct Listed {
    /// Names the row.
    pub id: OpId,
    pub group: Option<GroupId>,
    pub shop: Option<MerchantId>,
    pub channel: Channel,
    pub who: Who,
    pub invitation: Option<OpId>,
}

/// Who it is, as the person knows them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub name: String,
    /// In E.164, or an e-mail address.
    pub contact: Option<String>,
}

/// Puts someone on the list.
pub(crate) fn put(db: &Connection, sealing: &Sealing, listed: &Listed) -> Result<(), PhoneError> {
    let Listed { id, group, shop, channel, who, .. } = listed;
    let value = serde_json::to_vec(who).map_err(|_| corrupt("invitee"))?;
    let (group, shop) = (group.map(|group| group.0), shop.map(|shop| shop.0));
    let sealed = sealing.seal(&place(*id), &value)?;
    db.prepare_cached(PUT)?.execute((id.0, group, shop, json(channel, "channel")?, sealed))?;
    Ok(())
}

/// Everyone, in the order in which they were put there.
pub(crate) fn all(db: &Connection, sealing: &Sealing) -> Result<Vec<Listed>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.extend(read(row, sealing)?);
    }
    Ok(all)
}

/// One of them.
pub(crate) fn get(db: &Connection, sealing: &Sealing, id: OpId) -> Result<Option<Listed>, PhoneError> {
    let mut statement = db.prepare_cached(GET)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map_or(Ok(None), |row| read(row, sealing))
}

/// None, and a note in the log, for a row that was changed or moved.
fn read(row: &Row, sealing: &Sealing) -> Result<Option<Listed>, PhoneError> {
    let id = OpId(row.get(0)?);
    let opened = sealing.open(&place(id), &row.get::<_, Vec<u8>>(4)?).ok();
    let Some(who) = opened.and_then(|who| serde_json::from_slice(&who).ok()) else {
        tracing::error!(%id, "someone to be invited was changed or moved");
        return Ok(None);
    };
    Ok(Some(Listed {
        id,
        group: row.get::<_, Option<_>>(1)?.map(GroupId),
        shop: row.get::<_, Option<_>>(2)?.map(MerchantId),
        channel: parse(&row.get::<_, String>(3)?, "channel")?,
        who,
        invitation: row.get::<_, Option<_>>(5)?.map(OpId),
    }))
}

/// How many are not invited yet.
pub(crate) fn count(db: &Connection) -> Result<u64, PhoneError> {
    Ok(super::unsigned(db.prepare_cached(COUNT)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0)))
}

/// An op invites them; none, if the one that did is over.
pub(crate) fn invited(db: &Connection, id: OpId, invitation: Option<OpId>) -> Result<(), PhoneError> {
    db.prepare_cached(INVITED)?.execute((id.0, invitation.map(|invitation| invitation.0)))?;
    Ok(())
}

/// Takes someone off the list.
pub(crate) fn remove(db: &Connection, id: OpId) -> Result<(), PhoneError> {
    db.prepare_cached(REMOVE)?.execute([id.0])?;
    Ok(())
}

/// None can be opened any more.
pub(crate) fn forget_all(db: &Connection) -> Result<(), PhoneError> {
    db.execute(FORGET_ALL, [])?;
    Ok(())
}

fn place(id: OpId) -> String {
    format!("invitee/{id}")
}
