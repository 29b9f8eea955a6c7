//! What is searched of shops and groups: kept, and found.

use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::state::Row;
use moa_rules::view::{Cell as Loaded, Key};
use rusqlite::{Connection, OptionalExtension, Statement, Transaction, params};

use super::doing;
use super::load::{all, cell, one};
use super::save::run;
use crate::rows::{self, corrupt};
use crate::search::plan::{Index, Range, search as plan};
use crate::search::{
    Cell, Entry, Found, FoundWhat, Hit, Id, Order, Query, Target, Term, Touched, difference,
};
use crate::store::StoreError;

const COUNT: &str = "SELECT count(*) FROM
    (SELECT 1 FROM search_postings WHERE term = ?1 AND cell BETWEEN ?2 AND ?3 LIMIT ?4)";
const POSTINGS: &str =
    "SELECT cell, id FROM search_postings WHERE term = ?1 AND cell BETWEEN ?2 AND ?3 LIMIT ?4";
const ENTRY: &str = "SELECT entry FROM search_entries WHERE id = ?1 AND target = ?2";
const BY_MEMBERS: &str = "SELECT id, entry FROM search_entries
    WHERE target = ?1 AND (by_members, id) > (?2, ?3) ORDER BY by_members, id LIMIT ?4";
const BY_RATE: &str = "SELECT id, entry FROM search_entries
    WHERE target = ?1 AND (by_rate, id) > (?2, ?3) ORDER BY by_rate, id LIMIT ?4";
const MERCHANT: &str = "SELECT * FROM merchants WHERE id = ?1";
const GROUPS: &str = "SELECT group_id FROM members WHERE merchant = ?1 AND left_at IS NULL ORDER BY group_id";
const MEMBERS: &str = "SELECT merchants.* FROM members JOIN merchants ON id = merchant
    WHERE group_id = ?1 AND left_at IS NULL";
const KEEP: &str = "INSERT INTO search_entries (id, target, by_members, by_rate, entry)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id, target) DO UPDATE SET by_members = excluded.by_members, by_rate = excluded.by_rate,
        entry = excluded.entry";
const FORGET: &str = "DELETE FROM search_entries WHERE id = ?1 AND target = ?2";
const POST: &str = "INSERT INTO search_postings (term, cell, id) VALUES (?1, ?2, ?3)";
const UNPOST: &str = "DELETE FROM search_postings WHERE term = ?1 AND cell = ?2 AND id = ?3";

/// What a query asks for.
pub fn search(connection: &Connection, query: &Query) -> Result<Vec<Found>, StoreError> {
    let hits = plan(&mut Searched(connection), query)?;
    let found = hits.into_iter().map(|hit| found(connection, query.target, hit));
    found.filter_map(Result::transpose).collect()
}

fn found(
    connection: &Connection,
    target: Target,
    Hit { id, distance_m, .. }: Hit,
) -> Result<Option<Found>, StoreError> {
    let what = match target {
        Target::Shops => match one(connection, MERCHANT, [&id[..]], rows::merchant)? {
            Some(shop) => FoundWhat::Shop(shop, groups_of(connection, MerchantId(id))?),
            None => return Ok(None),
        },
        Target::Groups => match group(connection, GroupId(id))? {
            Some((group, terms)) => FoundWhat::Group(group, terms),
            None => return Ok(None),
        },
    };
    Ok(Some(Found { distance_m, what }))
}

/// The tables, as the plan sees them.
struct Searched<'a>(&'a Connection);

impl Index for Searched<'_> {
    fn counts(&mut self, choices: &[Vec<Range>], most: usize) -> Result<Vec<usize>, StoreError> {
        let mut statement = self.0.prepare_cached(COUNT).map_err(doing("preparing a query"))?;
        let mut count = |choice: &Vec<Range>| {
            let mut counted = 0;
            for Range { term, first, last } in choice {
                let params = (term.0, first.0, last.0, limit(most - counted));
                let more: i64 = statement.query_row(params, |row| row.get(0)).map_err(doing("counting"))?;
                counted = most.min(counted + usize::try_from(more).unwrap_or_default());
            }
            Ok(counted)
        };
        choices.iter().map(&mut count).collect()
    }

    fn postings(&mut self, ranges: &[Range], most: usize) -> Result<Vec<(Cell, Id)>, StoreError> {
        let mut statement = self.0.prepare_cached(POSTINGS).map_err(doing("preparing a query"))?;
        let mut found = Vec::new();
        for Range { term, first, last } in ranges {
            let params = (term.0, first.0, last.0, limit(most - found.len()));
            let mut postings = statement.query(params).map_err(doing("reading"))?;
            // Thousands, of two columns: read without looking for their names.
            while let Some(row) = postings.next().map_err(doing("reading"))? {
                found.push((
                    Cell(row.get(0).map_err(doing("reading"))?),
                    row.get(1).map_err(doing("reading"))?,
                ));
            }
        }
        Ok(found)
    }

    fn entries(&mut self, target: Target, ids: &[Id]) -> Result<Vec<(Id, Entry)>, StoreError> {
        let mut statement = self.0.prepare_cached(ENTRY).map_err(doing("preparing a query"))?;
        let entries = ids.iter().map(|id| Ok(read(&mut statement, target, id)?.map(|entry| (*id, entry))));
        entries.filter_map(Result::transpose).collect()
    }

    fn ranked(
        &mut self,
        target: Target,
        order: Order,
        (rank, id): (i64, Id),
        most: usize,
    ) -> Result<Vec<(Id, Entry)>, StoreError> {
        let sql = if order == Order::Rate { BY_RATE } else { BY_MEMBERS };
        let read = |row: &dyn rows::Columns| {
            let bytes: Vec<u8> = rows::at(row, "entry")?;
            Ok((rows::at(row, "id")?, Entry::read(&bytes).ok_or_else(|| corrupt("entry"))?))
        };
        all(self.0, sql, (target.code(), rank, &id[..], limit(most)), read)
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn entry(connection: &Connection, target: Target, id: &Id) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(ENTRY).map_err(doing("preparing a query"))?;
    read(&mut statement, target, id)
}

fn read(statement: &mut Statement, target: Target, id: &Id) -> Result<Option<Entry>, StoreError> {
    let read = |row: &rusqlite::Row| Ok(row.get_ref(0)?.as_blob().ok().and_then(Entry::read));
    let found = statement.query_row((&id[..], target.code()), read).optional().map_err(doing("reading"))?;
    found.map(|entry| entry.ok_or_else(|| corrupt("entry"))).transpose()
}

fn groups_of(connection: &Connection, merchant: MerchantId) -> Result<Vec<GroupId>, StoreError> {
    all(connection, GROUPS, [merchant.as_ref()], |row| rows::id(row, "group_id"))
}

fn group(connection: &Connection, id: GroupId) -> Result<Option<(Group, TermsVersion)>, StoreError> {
    let Some(Loaded::Group(group)) = cell(connection, Key::Group(id))? else { return Ok(None) };
    match cell(connection, Key::Terms(id, group.terms_version))? {
        Some(Loaded::Terms(terms)) => Ok(Some((group, terms))),
        _ => Ok(None),
    }
}

/// Brings up to date what is searched of whom these rows, which are written, concern.
pub fn refresh(tx: &Transaction, rows: &[Row]) -> Result<(), StoreError> {
    let Touched { shops, mut groups } = Touched::by(rows);
    for id in shops {
        let shop = one(tx, MERCHANT, [id.as_ref()], rows::merchant)?;
        let after = shop.map(|shop| Entry::shop(&shop.profile));
        let before = entry(tx, Target::Shops, &id.0)?;
        if before != after {
            groups.extend(groups_of(tx, id)?);
            replace(tx, (Target::Shops, id.0), before.as_ref(), after.as_ref())?;
        }
    }
    for id in groups {
        let after = match group(tx, id)? {
            Some((group, terms)) => {
                let members = all(tx, MEMBERS, [id.as_ref()], rows::merchant)?;
                Entry::group(&group, &terms.terms, members.iter().map(|member| &member.profile))
            }
            None => None,
        };
        let before = entry(tx, Target::Groups, &id.0)?;
        if before != after {
            replace(tx, (Target::Groups, id.0), before.as_ref(), after.as_ref())?;
        }
    }
    Ok(())
}

/// Writes an entry in another's place, and the postings that differ.
pub fn replace(
    tx: &Transaction,
    (target, id): (Target, Id),
    before: Option<&Entry>,
    after: Option<&Entry>,
) -> Result<(), StoreError> {
    let (gone, come) = difference(target, before, after);
    for (Term(term), Cell(cell)) in gone {
        run(tx, UNPOST, params![term, cell, &id[..]])?;
    }
    for (Term(term), Cell(cell)) in come {
        run(tx, POST, params![term, cell, &id[..]])?;
    }
    match after {
        Some(entry) => {
            let [by_members, by_rate] = [Order::Members, Order::Rate].map(|order| entry.rank(order));
            run(tx, KEEP, params![&id[..], target.code(), by_members, by_rate, entry.bytes()])
        }
        None => run(tx, FORGET, params![&id[..], target.code()]),
    }
    .map(drop)
}
