//! Where this buyer goes, as their own purchases tell, and what they choose there. Never leaves the phone.

use moa_rules::choice::visits::{Seen, Total};
use moa_rules::id::{GroupId, MerchantId};
use rusqlite::{Connection, OptionalExtension};

use super::meta;
use crate::error::PhoneError;
use crate::standing::AtShop;

/// The most shops that are kept; beyond, the one not visited for longest is forgotten.
const MOST: u32 = 1_000;

const PUT: &str = "INSERT INTO visit (merchant, visits, spent, first, last) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (merchant) DO UPDATE SET visits = excluded.visits, spent = excluded.spent,
                       first = excluded.first, last = excluded.last";
const GET: &str = "SELECT visits, spent, first, last FROM visit WHERE merchant = ?1";
const ALL: &str = "SELECT merchant, visits, spent, first, last FROM visit";
const BOUND: &str = "DELETE FROM visit WHERE merchant IN
                         (SELECT merchant FROM visit ORDER BY last DESC LIMIT -1 OFFSET ?1)";
const PUT_HABIT: &str = "INSERT INTO habit (merchant, \"group\", share, usual) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT (merchant, \"group\") DO UPDATE SET share = excluded.share, usual = excluded.usual";
const HABITS: &str = "SELECT merchant, \"group\", share, usual FROM habit";
const HABITS_OF: &str = "SELECT merchant, \"group\", share, usual FROM habit WHERE merchant = ?1";
const STANDING: &str = "SELECT \"group\" FROM shop_standing WHERE merchant = ?1";
const STANDINGS: &str = "SELECT merchant, \"group\" FROM shop_standing";
const SET_STANDING: &str = "INSERT INTO shop_standing (merchant, \"group\") VALUES (?1, ?2)
                            ON CONFLICT (merchant) DO UPDATE SET \"group\" = excluded.\"group\"";
const CLEAR_STANDING: &str = "DELETE FROM shop_standing WHERE merchant = ?1";

/// What is chosen at a shop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habit {
    pub merchant: MerchantId,
    pub group: GroupId,
    /// Of the purchases there, 0..=1.
    pub share: f64,
    /// Whether it was chosen last.
    pub usual: bool,
}

/// One visit more.
pub(crate) fn add(db: &Connection, merchant: MerchantId, day: f64, amount: f64) -> Result<(), PhoneError> {
    let before = db.prepare_cached(GET)?.query_row([merchant.0], |row| seen(row, 0)).optional()?;
    let seen = before.map_or_else(|| Seen::first(day, amount), |before| before.again(day, amount));
    db.prepare_cached(PUT)?.execute((merchant.0, seen.visits, seen.spent, seen.first, seen.last))?;
    if before.is_none() {
        db.prepare_cached(BOUND)?.execute([MOST])?;
    }
    let total = total(db)?.again(day, None);
    meta::set(db, &meta::VISITS, &total)
}

/// Mileage could be used at a visit, and was or was not.
pub(crate) fn attended(db: &Connection, used: bool) -> Result<(), PhoneError> {
    meta::set(db, &meta::VISITS, &total(db)?.could(used))
}

/// All purchases together.
pub(crate) fn total(db: &Connection) -> Result<Total, PhoneError> {
    Ok(meta::get(db, &meta::VISITS)?.unwrap_or_default())
}

/// Every shop that was visited.
pub(crate) fn all(db: &Connection) -> Result<Vec<(MerchantId, Seen)>, PhoneError> {
    let mut statement = db.prepare_cached(ALL)?;
    let rows = statement.query_map([], |row| Ok((MerchantId(row.get(0)?), seen(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn seen(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Seen> {
    Ok(Seen {
        visits: row.get(from)?,
        spent: row.get(from + 1)?,
        first: row.get(from + 2)?,
        last: row.get(from + 3)?,
    })
}

/// Writes what is chosen at a shop.
pub(crate) fn put_habit(db: &Connection, habit: Habit) -> Result<(), PhoneError> {
    let Habit { merchant, group, share, usual } = habit;
    db.prepare_cached(PUT_HABIT)?.execute((merchant.0, group.0, share, usual))?;
    Ok(())
}

/// What is chosen at one shop, or at all.
pub(crate) fn habits(db: &Connection, merchant: Option<MerchantId>) -> Result<Vec<Habit>, PhoneError> {
    let habit = |row: &rusqlite::Row<'_>| {
        Ok(Habit {
            merchant: MerchantId(row.get(0)?),
            group: GroupId(row.get(1)?),
            share: row.get(2)?,
            usual: row.get(3)?,
        })
    };
    let mut statement = db.prepare_cached(if merchant.is_some() { HABITS_OF } else { HABITS })?;
    let rows = match merchant {
        Some(merchant) => statement.query_map([merchant.0], habit)?,
        None => statement.query_map([], habit)?,
    };
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is done without a question at a shop, where something was set.
pub(crate) fn standing(db: &Connection, merchant: MerchantId) -> Result<Option<AtShop>, PhoneError> {
    let mut statement = db.prepare_cached(STANDING)?;
    Ok(statement.query_row([merchant.0], |row| at_shop(row, 0)).optional()?)
}

/// The same of every shop for which something was set.
pub(crate) fn standings(db: &Connection) -> Result<Vec<(MerchantId, AtShop)>, PhoneError> {
    let mut statement = db.prepare_cached(STANDINGS)?;
    let rows = statement.query_map([], |row| Ok((MerchantId(row.get(0)?), at_shop(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A group, or none for asking.
fn at_shop(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<AtShop> {
    let group: Option<[u8; 16]> = row.get(column)?;
    Ok(group.map_or(AtShop::Ask, |group| AtShop::Always(GroupId(group))))
}

/// Sets it; `None` goes by what holds for every shop.
pub(crate) fn set_standing(
    db: &Connection,
    merchant: MerchantId,
    standing: Option<AtShop>,
) -> Result<(), PhoneError> {
    match standing {
        Some(standing) => {
            let group = match standing {
                AtShop::Ask => None,
                AtShop::Always(group) => Some(group.0),
            };
            db.prepare_cached(SET_STANDING)?.execute((merchant.0, group))?;
        }
        None => {
            db.prepare_cached(CLEAR_STANDING)?.execute([merchant.0])?;
        }
    }
    Ok(())
}
