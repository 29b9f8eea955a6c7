//! Inboxes: how far each was followed, and the events as received.

use moa_rules::event::{Event, Inbox};
use moa_wire::{canonical, chain};
use rusqlite::{Connection, OptionalExtension};

use super::{signed, unsigned};
use crate::error::{PhoneError, corrupt};

const ALL: &str = "SELECT name, count, hash, set_aside FROM inbox ORDER BY name";
const GET: &str = "SELECT count, hash, set_aside FROM inbox WHERE name = ?1";
const PUT: &str = "INSERT INTO inbox (name, count, hash) VALUES (?1, ?2, ?3)
                   ON CONFLICT (name) DO UPDATE SET count = excluded.count, hash = excluded.hash";
const SET_ASIDE: &str = "INSERT INTO inbox (name, count, hash, set_aside) VALUES (?1, ?2, ?3, 1)
                         ON CONFLICT (name) DO UPDATE SET set_aside = 1";
const DELETE_ALL: &str = "DELETE FROM inbox";
const KEEP: &str = "INSERT INTO inbox_event (inbox, number, bytes, known, hash) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (inbox, number) DO UPDATE
                    SET bytes = excluded.bytes, known = excluded.known, hash = excluded.hash";
const HASH_AT: &str = "SELECT hash FROM inbox_event WHERE inbox = ?1 AND number = ?2";
const EVENTS: &str = "SELECT number, bytes FROM inbox_event WHERE inbox = ?1 ORDER BY number";
const FORGET_AFTER: &str = "DELETE FROM inbox_event WHERE inbox = ?1 AND number > ?2";
const UNKNOWN: &str = "SELECT inbox, number, bytes FROM inbox_event WHERE NOT known";
const NOW_KNOWN: &str = "UPDATE inbox_event SET known = 1 WHERE inbox = ?1 AND number = ?2";

/// How far an inbox was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Events seen.
    pub count: u64,
    /// The hash over them.
    pub hash: [u8; 32],
    /// Whether it does not add up.
    pub set_aside: bool,
}

/// How far an inbox was followed; not at all, if it is new.
pub(crate) fn get(db: &Connection, inbox: Inbox) -> Result<Followed, PhoneError> {
    let followed = db.prepare_cached(GET)?.query_row([canonical::encode(&inbox)], |row| {
        Ok(Followed { count: unsigned(row.get(0)?), hash: row.get(1)?, set_aside: row.get(2)? })
    });
    let fresh = Followed { count: 0, hash: chain::start(inbox), set_aside: false };
    Ok(followed.optional()?.unwrap_or(fresh))
}

/// Every inbox that is followed, and how far.
pub(crate) fn all(db: &Connection) -> Result<Vec<(Inbox, Followed)>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let mut rows = statement.query([])?;
    let mut inboxes = Vec::new();
    while let Some(row) = rows.next()? {
        let name = canonical::decode(&row.get::<_, Vec<u8>>(0)?).map_err(|_| corrupt("inbox"))?;
        let (count, hash, set_aside) = (unsigned(row.get(1)?), row.get(2)?, row.get(3)?);
        inboxes.push((name, Followed { count, hash, set_aside }));
    }
    Ok(inboxes)
}

/// Keeps how far an inbox was followed.
pub(crate) fn put(db: &Connection, inbox: Inbox, count: u64, hash: [u8; 32]) -> Result<(), PhoneError> {
    db.prepare_cached(PUT)?.execute((canonical::encode(&inbox), signed(count), hash))?;
    Ok(())
}

/// Applies nothing more of this inbox.
pub(crate) fn set_aside(db: &Connection, inbox: Inbox) -> Result<(), PhoneError> {
    let Followed { count, hash, .. } = get(db, inbox)?;
    db.prepare_cached(SET_ASIDE)?.execute((canonical::encode(&inbox), signed(count), hash))?;
    Ok(())
}

/// Forgets how far all inboxes were followed; their events stay.
pub(crate) fn forget_all(db: &Connection) -> Result<(), PhoneError> {
    db.execute(DELETE_ALL, [])?;
    Ok(())
}

/// Keeps an event as it was received, with the hash over it and all before it.
pub(crate) fn keep(
    db: &Connection,
    inbox: Inbox,
    number: u64,
    (bytes, hash): (&[u8], [u8; 32]),
    known: bool,
) -> Result<(), PhoneError> {
    db.prepare_cached(KEEP)?.execute((canonical::encode(&inbox), signed(number), bytes, known, hash))?;
    Ok(())
}

/// The hash over the first so many events, if the last of them was kept.
pub(crate) fn hash_at(db: &Connection, inbox: Inbox, count: u64) -> Result<Option<[u8; 32]>, PhoneError> {
    if count == 0 {
        return Ok(Some(chain::start(inbox)));
    }
    let hash =
        db.prepare_cached(HASH_AT)?.query_row((canonical::encode(&inbox), signed(count)), |row| row.get(0));
    Ok(hash.optional()?)
}

/// The events that were kept of an inbox and that this app can read, by their numbers.
pub(crate) fn events(db: &Connection, inbox: Inbox) -> Result<Vec<(u64, Event)>, PhoneError> {
    let mut statement = db.prepare(EVENTS)?;
    let mut rows = statement.query([canonical::encode(&inbox)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        if let Ok(event) = canonical::decode(&row.get::<_, Vec<u8>>(1)?) {
            events.push((unsigned(row.get(0)?), event));
        }
    }
    Ok(events)
}

/// Forgets the events after a number.
pub(crate) fn forget_after(db: &Connection, inbox: Inbox, number: u64) -> Result<(), PhoneError> {
    db.execute(FORGET_AFTER, (canonical::encode(&inbox), signed(number)))?;
    Ok(())
}

/// Whether an event that an earlier version of this app could not read can be read by now; asks once.
pub(crate) fn learned_to_read(db: &Connection) -> Result<bool, PhoneError> {
    let mut statement = db.prepare(UNKNOWN)?;
    let mut rows = statement.query([])?;
    let mut learned = Vec::new();
    while let Some(row) = rows.next()? {
        if canonical::decode::<Event>(&row.get::<_, Vec<u8>>(2)?).is_ok() {
            learned.push((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
        }
    }
    for at in &learned {
        db.execute(NOW_KNOWN, (&at.0, at.1))?;
    }
    Ok(!learned.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use moa_rules::event::{EVENT_VERSION, EventBody};
    use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
    use moa_rules::time::Timestamp;

    #[test]
    fn an_event_that_an_earlier_app_skipped_is_noticed_once() {
        let store = Store::open(None).unwrap();
        let inbox = Inbox::Account(AccountId([1; 16]));
        let (group, merchant) = (GroupId([2; 16]), MerchantId([3; 16]));
        let body = EventBody::MemberJoined { group, merchant, terms_version: 1, invitation: None };
        let (actor, op, at) = (KeyId([4; 8]), OpId([5; 16]), Timestamp(6));
        let event = canonical::encode(&Event { version: EVENT_VERSION, actor, op, index: 0, at, body });
        store.write(|db| keep(db, inbox, 1, (&[0x83, 0x02], [0; 32]), false)).unwrap();
        assert!(!store.read(learned_to_read).unwrap(), "still not known");
        store.write(|db| keep(db, inbox, 2, (&event, [0; 32]), false)).unwrap();
        assert!(store.write(learned_to_read).unwrap());
        assert!(!store.write(learned_to_read).unwrap());
    }
}
