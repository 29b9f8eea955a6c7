//! What is searched of shops and groups: kept, and found.

use std::collections::{BTreeMap, HashMap};

use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::Merchant;

use super::columns::{Rows, Value, params};
use super::load::{all, most};
use super::pool::{Connection, Param, answer};
use super::together::{both, every};
use crate::rows::{self, Columns, corrupt};
use crate::search::plan::{Index, Range, search as plan};
use crate::search::{
    Cell, Entry, Found, FoundWhat, Hit, Id, Order, Query, Target, Term, Touched, difference,
};
use crate::store::StoreError;

const COUNTS: &str = "SELECT choice, sum(found.count)::bigint AS count
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS given (choice, term, first, last)
    CROSS JOIN LATERAL (SELECT count(*) AS count FROM (SELECT 1 FROM search_postings
        WHERE term = given.term AND cell BETWEEN given.first AND given.last LIMIT $5) AS counted) AS found
    GROUP BY choice";
const POSTINGS: &str = "SELECT found.cell, found.id
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (term, first, last)
    CROSS JOIN LATERAL (SELECT cell, id FROM search_postings
        WHERE term = given.term AND cell BETWEEN given.first AND given.last LIMIT $4) AS found LIMIT $4";
const ENTRIES: &str = "SELECT id, entry FROM search_entries WHERE id = ANY($1) AND target = $2";
const BY_MEMBERS: &str = "SELECT id, entry FROM search_entries
    WHERE target = $1 AND (by_members, id) > ($2, $3) ORDER BY by_members, id LIMIT $4";
const BY_RATE: &str = "SELECT id, entry FROM search_entries
    WHERE target = $1 AND (by_rate, id) > ($2, $3) ORDER BY by_rate, id LIMIT $4";
const MERCHANTS: &str = "SELECT * FROM merchants WHERE id = ANY($1)";
const MEMBERSHIPS: &str =
    "SELECT merchant, group_id FROM members WHERE merchant = ANY($1) AND left_at IS NULL
    ORDER BY merchant, group_id";
const GROUPS: &str = "SELECT * FROM groups WHERE id = ANY($1)";
const TERMS: &str = "SELECT terms.* FROM groups JOIN terms ON group_id = id AND version = terms_version
    WHERE id = ANY($1)";
const MEMBERS: &str = "SELECT members.group_id, merchants.* FROM members JOIN merchants ON id = merchant
    WHERE group_id = ANY($1) AND left_at IS NULL";

const KEEP: &str = "INSERT INTO search_entries (id, target, by_members, by_rate, entry)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])
    ON CONFLICT (id, target) DO UPDATE SET by_members = excluded.by_members, by_rate = excluded.by_rate,
        entry = excluded.entry";
const FORGET: &str = "DELETE FROM search_entries
    USING unnest($1::bytea[], $2::bigint[]) AS gone (id, target)
    WHERE search_entries.id = gone.id AND search_entries.target = gone.target";
const POST: &str = "INSERT INTO search_postings (term, cell, id)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])";
const UNPOST: &str = "DELETE FROM search_postings
    USING unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS gone (term, cell, id)
    WHERE search_postings.term = gone.term AND search_postings.cell = gone.cell AND search_postings.id = gone.id";

pub(super) const SEARCHING: &str = "searching";

/// What a query asks for, in the transaction that is open.
pub(super) fn search(connection: &Connection, query: &Query) -> Result<Vec<Found>, StoreError> {
    let hits = plan(&mut Searched(connection), query)?;
    let ids: Vec<&[u8]> = hits.iter().map(|hit| &hit.id[..]).collect();
    let mut found: HashMap<Id, FoundWhat> = match query.target {
        Target::Shops => {
            let (shops, mut groups) =
                answer(SEARCHING, both(merchants(connection, &ids), groups_of(connection, &ids)))?;
            let with = |shop: Merchant| {
                let groups = groups.remove(&shop.id).unwrap_or_default();
                (shop.id.0, FoundWhat::Shop(shop, groups))
            };
            shops.into_iter().map(with).collect()
        }
        Target::Groups => {
            let (groups, mut terms) =
                answer(SEARCHING, both(groups(connection, &ids), terms(connection, &ids)))?;
            let with =
                |group: Group| Some((group.id.0, FoundWhat::Group(group.clone(), terms.remove(&group.id)?)));
            groups.into_iter().filter_map(with).collect()
        }
    };
    let what = |Hit { id, distance_m, .. }: Hit| found.remove(&id).map(|what| Found { distance_m, what });
    Ok(hits.into_iter().filter_map(what).collect())
}

async fn merchants(connection: &Connection, ids: &[&[u8]]) -> Result<Vec<Merchant>, StoreError> {
    all(connection, MERCHANTS, &[&ids], rows::merchant).await
}

async fn groups_of(
    connection: &Connection,
    merchants: &[&[u8]],
) -> Result<BTreeMap<MerchantId, Vec<GroupId>>, StoreError> {
    let read = |row: &dyn Columns| Ok((rows::id(row, "merchant")?, rows::id(row, "group_id")?));
    Ok(by_owner(all(connection, MEMBERSHIPS, &[&merchants], read).await?))
}

async fn groups(connection: &Connection, ids: &[&[u8]]) -> Result<Vec<Group>, StoreError> {
    all(connection, GROUPS, &[&ids], rows::group).await
}

async fn terms(
    connection: &Connection,
    groups: &[&[u8]],
) -> Result<HashMap<GroupId, TermsVersion>, StoreError> {
    let found = all(connection, TERMS, &[&groups], rows::terms).await?;
    Ok(found.into_iter().map(|terms| (terms.group, terms)).collect())
}

async fn members(
    connection: &Connection,
    groups: &[&[u8]],
) -> Result<BTreeMap<GroupId, Vec<Merchant>>, StoreError> {
    let read = |row: &dyn Columns| Ok((rows::id(row, "group_id")?, rows::merchant(row)?));
    Ok(by_owner(all(connection, MEMBERS, &[&groups], read).await?))
}

async fn entries(
    connection: &Connection,
    target: Target,
    ids: &[&[u8]],
) -> Result<Vec<(Id, Entry)>, StoreError> {
    all(connection, ENTRIES, &[&ids, &target.code()], entry).await
}

fn entry(row: &dyn Columns) -> Result<(Id, Entry), StoreError> {
    let bytes: Vec<u8> = rows::at(row, "entry")?;
    Ok((rows::at(row, "id")?, Entry::read(&bytes).ok_or_else(|| corrupt("entry"))?))
}

fn by_owner<K: Ord, T>(found: Vec<(K, T)>) -> BTreeMap<K, Vec<T>> {
    let mut by_owner: BTreeMap<K, Vec<T>> = BTreeMap::new();
    found.into_iter().for_each(|(owner, value)| by_owner.entry(owner).or_default().push(value));
    by_owner
}

/// The tables, as the plan sees them: a round trip a question.
struct Searched<'a>(&'a Connection);

/// Ranges as columns.
fn columns(ranges: &[Range]) -> [Vec<i64>; 3] {
    let column = |of: fn(&Range) -> i64| ranges.iter().map(of).collect();
    [column(|range| range.term.0), column(|range| range.first.0), column(|range| range.last.0)]
}

impl Index for Searched<'_> {
    fn counts(&mut self, choices: &[Vec<Range>], limit: usize) -> Result<Vec<usize>, StoreError> {
        if choices.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<i64> =
            (0..).zip(choices).flat_map(|(number, choice)| vec![number; choice.len()]).collect();
        let [terms, firsts, lasts] = columns(&choices.concat());
        let params: [Param; 5] = [&numbers, &terms, &firsts, &lasts, &most(limit)];
        let read = |row: &dyn Columns| {
            Ok((rows::number::<usize>(row, "choice")?, rows::number::<usize>(row, "count")?))
        };
        let mut counts = vec![0; choices.len()];
        for (choice, count) in answer(SEARCHING, all(self.0, COUNTS, &params, read))? {
            if let Some(counted) = counts.get_mut(choice) {
                *counted = count.min(limit);
            }
        }
        Ok(counts)
    }

    fn postings(&mut self, ranges: &[Range], limit: usize) -> Result<Vec<(Cell, Id)>, StoreError> {
        let [terms, firsts, lasts] = columns(ranges);
        let params: [Param; 4] = [&terms, &firsts, &lasts, &most(limit)];
        let read = |row: &dyn Columns| Ok((Cell(rows::at(row, "cell")?), rows::at(row, "id")?));
        answer(SEARCHING, all(self.0, POSTINGS, &params, read))
    }

    fn entries(&mut self, target: Target, ids: &[Id]) -> Result<Vec<(Id, Entry)>, StoreError> {
        let ids: Vec<&[u8]> = ids.iter().map(|id| &id[..]).collect();
        answer(SEARCHING, entries(self.0, target, &ids))
    }

    fn ranked(
        &mut self,
        target: Target,
        order: Order,
        (rank, id): (i64, Id),
        limit: usize,
    ) -> Result<Vec<(Id, Entry)>, StoreError> {
        let sql = if order == Order::Rate { BY_RATE } else { BY_MEMBERS };
        answer(SEARCHING, all(self.0, sql, &[&target.code(), &rank, &&id[..], &most(limit)], entry))
    }
}

/// Brings up to date what is searched of whom rows, which are written, concern.
pub(super) async fn refresh(connection: &Connection, touched: Touched) -> Result<(), StoreError> {
    let Touched { shops, groups: mut concerned } = touched;
    let mut changed = Vec::new();
    if !shops.is_empty() {
        let ids: Vec<&[u8]> = shops.iter().map(AsRef::as_ref).collect();
        let (written, (groups, before)) = both(
            merchants(connection, &ids),
            both(groups_of(connection, &ids), entries(connection, Target::Shops, &ids)),
        )
        .await?;
        let mut before: BTreeMap<Id, Entry> = before.into_iter().collect();
        for shop in written {
            let change = Change {
                target: Target::Shops,
                id: shop.id.0,
                before: before.remove(&shop.id.0),
                after: Some(Entry::shop(&shop.profile)),
            };
            if change.before != change.after {
                concerned.extend(groups.get(&shop.id).into_iter().flatten());
                changed.push(change);
            }
        }
    }
    if !concerned.is_empty() {
        let ids: Vec<&[u8]> = concerned.iter().map(AsRef::as_ref).collect();
        let ((written, terms), (members, before)) = both(
            both(groups(connection, &ids), terms(connection, &ids)),
            both(members(connection, &ids), entries(connection, Target::Groups, &ids)),
        )
        .await?;
        let mut before: BTreeMap<Id, Entry> = before.into_iter().collect();
        for group in written {
            let members = members.get(&group.id).into_iter().flatten().map(|shop| &shop.profile);
            let after = terms.get(&group.id).and_then(|terms| Entry::group(&group, &terms.terms, members));
            let change =
                Change { target: Target::Groups, id: group.id.0, before: before.remove(&group.id.0), after };
            if change.before != change.after {
                changed.push(change);
            }
        }
    }
    if changed.is_empty() { Ok(()) } else { write(connection, &changed).await }
}

/// An entry that becomes another.
pub(super) struct Change {
    pub(super) target: Target,
    pub(super) id: Id,
    pub(super) before: Option<Entry>,
    pub(super) after: Option<Entry>,
}

/// Writes entries, and the postings that differ.
pub(super) async fn write(connection: &Connection, changes: &[Change]) -> Result<(), StoreError> {
    let mut writes = [(FORGET, 2), (KEEP, 2), (UNPOST, 3), (POST, 3)].map(|(sql, key)| (sql, Rows::new(key)));
    let [(_, forget), (_, keep), (_, unpost), (_, post)] = &mut writes;
    for Change { target, id, before, after } in changes {
        let (gone, come) = difference(*target, before.as_ref(), after.as_ref());
        let posting = |(Term(term), Cell(cell)): (Term, Cell)| vec![term.into(), cell.into(), Value::of(id)];
        gone.into_iter().for_each(|gone| unpost.put(posting(gone)));
        come.into_iter().for_each(|come| post.put(posting(come)));
        match after {
            Some(entry) => {
                let [by_members, by_rate] =
                    [Order::Members, Order::Rate].map(|order| entry.rank(order).into());
                keep.put(vec![
                    Value::of(id),
                    target.code().into(),
                    by_members,
                    by_rate,
                    entry.bytes().into(),
                ]);
            }
            None => forget.put(vec![Value::of(id), target.code().into()]),
        }
    }
    let columns = writes.map(|(sql, rows)| (sql, rows.columns()));
    let params: Vec<_> = columns
        .iter()
        .filter(|(_, columns)| !columns.is_empty())
        .map(|(sql, columns)| (*sql, params(columns)))
        .collect();
    every(params.iter().map(|(sql, params)| connection.run(sql, params))).await.map(drop)
}
