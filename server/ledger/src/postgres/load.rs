//! Reading: cells for decisions, inboxes, wallets.

use std::collections::{BTreeMap, HashMap};

use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::id::{AccountId, GroupId, KeyId, OpId};
use moa_rules::lot::Wallet;
use moa_rules::quantity::Money;
use moa_rules::state::Row as StateRow;
use moa_rules::time::Timestamp;
use moa_rules::view::{Cell, Key};
use moa_wire::{canonical, chain};

use super::columns::{Value, params};
use super::pool::{Connection, Param};
use super::together::{both, every};
use crate::batch::{Prior, Seen, Wanted};
use crate::rows::{self, Columns};
use crate::store::{CHECKPOINT, InboxHead, InboxPage, StoreError};

const PRIORS: &str = "SELECT actor, id, payload_hash, answer
    FROM unnest($1::bytea[], $2::bytea[]) AS asked (actor, id) JOIN ops USING (actor, id)";
const HEADS: &str = "SELECT inbox, count, hash FROM inboxes WHERE inbox = ANY($1)";
const INBOX: &str = "SELECT e.number, coalesce(e.bytes, h.bytes) AS bytes
    FROM inbox_events e LEFT JOIN inbox_events h ON h.inbox = e.home AND h.number = e.home_number
    WHERE e.inbox = $1 AND e.number > $2 ORDER BY e.number LIMIT $3";
const KEPT_HASH: &str = "SELECT hash FROM inbox_events WHERE inbox = $1 AND number = $2 AND hash IS NOT NULL";
// Several lots of a wallet may have ended; what is over the limit is found the next time.
const TO_EXPIRE: &str = "SELECT DISTINCT account, group_id FROM
        (SELECT account, group_id FROM lots WHERE expires AND ends_at <= $1 ORDER BY ends_at LIMIT $2) AS ended";
const DEVICE: &str = "SELECT * FROM devices WHERE key = $1";

/// What answers for cells of one kind: the statement takes their keys as columns, and each row found is a cell, or a part of one.
struct Lookup {
    sql: &'static str,
    read: fn(&dyn Columns) -> Result<Part, StoreError>,
}

/// A cell, or one row of one that has many.
type Part = (Key, Cell);

const DEVICES: Lookup = Lookup {
    sql: "SELECT * FROM devices WHERE key = ANY($1)",
    read: |row| rows::device(row).map(|device| (Key::Device(device.key), Cell::Device(device))),
};
const COUNTERS: Lookup = Lookup {
    sql: "SELECT key, counter
        FROM unnest($1::bytea[], $2::bigint[]) AS asked (key, counter) JOIN counters USING (key, counter)",
    read: |row| {
        let counter = rows::at::<i64>(row, "counter")?.cast_unsigned();
        Ok((Key::Counter(rows::id(row, "key")?, counter), Cell::Counter))
    },
};
const MERCHANTS: Lookup = Lookup {
    sql: "SELECT * FROM merchants WHERE id = ANY($1)",
    read: |row| rows::merchant(row).map(|merchant| (Key::Merchant(merchant.id), Cell::Merchant(merchant))),
};
const MEMBERSHIPS: Lookup = Lookup {
    sql: "SELECT merchant, group_id FROM members WHERE merchant = ANY($1)",
    read: |row| {
        Ok((
            Key::Memberships(rows::id(row, "merchant")?),
            Cell::Memberships(vec![rows::id(row, "group_id")?]),
        ))
    },
};
const SALES: Lookup = Lookup {
    sql: "SELECT sales.* FROM unnest($1::bytea[], $2::bytea[]) AS asked (merchant, id) JOIN sales USING (merchant, id)",
    read: |row| rows::sale(row).map(|sale| (Key::Sale(sale.merchant, sale.id), Cell::Sale(sale))),
};
const GROUPS: Lookup = Lookup {
    sql: "SELECT * FROM groups WHERE id = ANY($1)",
    read: |row| rows::group(row).map(|group| (Key::Group(group.id), Cell::Group(group))),
};
const TERMS: Lookup = Lookup {
    sql: "SELECT terms.*
        FROM unnest($1::bytea[], $2::bigint[]) AS asked (group_id, version) JOIN terms USING (group_id, version)",
    read: |row| rows::terms(row).map(|terms| (Key::Terms(terms.group, terms.version), Cell::Terms(terms))),
};
const MEMBERS: Lookup = Lookup {
    sql: "SELECT members.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (group_id, merchant) JOIN members USING (group_id, merchant)",
    read: |row| {
        rows::member(row).map(|member| (Key::Member(member.group, member.merchant), Cell::Member(member)))
    },
};
const WALLETS: Lookup = Lookup {
    sql: "SELECT lots.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (account, group_id) JOIN lots USING (account, group_id)
        WHERE remaining > 0",
    read: |row| {
        let lot = rows::lot(row)?;
        Ok((Key::Wallet(lot.account, lot.group), Cell::Wallet(Wallet::new(vec![lot]))))
    },
};
const LOTS: Lookup = Lookup {
    sql: "SELECT lots.* FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS asked (account, group_id, id)
        JOIN lots USING (account, group_id, id)",
    read: |row| rows::lot(row).map(|lot| (Key::Lot(lot.account, lot.group, lot.id), Cell::Lot(lot))),
};
const STANDINGS: Lookup = Lookup {
    sql: "SELECT * FROM standings WHERE account = ANY($1)",
    read: |row| {
        rows::standing(row).map(|standing| (Key::Standing(standing.account), Cell::Standing(standing)))
    },
};
const DEVICES_OF: Lookup = Lookup {
    sql: "SELECT account, key FROM devices WHERE account = ANY($1) AND account IS NOT NULL",
    read: |row| Ok((Key::DevicesOf(rows::id(row, "account")?), Cell::Keys(vec![rows::id(row, "key")?]))),
};
const TILLS: Lookup = Lookup {
    sql: "SELECT merchant, key FROM devices WHERE merchant = ANY($1) AND merchant IS NOT NULL",
    read: |row| Ok((Key::Tills(rows::id(row, "merchant")?), Cell::Keys(vec![rows::id(row, "key")?]))),
};
const STAFF: Lookup = Lookup {
    sql: "SELECT staff.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (merchant, account) JOIN staff USING (merchant, account)",
    read: |row| rows::staff(row).map(|staff| (Key::Staff(staff.merchant, staff.account), Cell::Staff(staff))),
};
const STAFF_DAYS: Lookup = Lookup {
    sql: "SELECT staff_days.* FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS asked (merchant, account, day)
        JOIN staff_days USING (merchant, account, day)",
    read: |row| match rows::staff_day(row)? {
        StateRow::StaffDay { merchant, account, day, sold } => {
            Ok((Key::StaffDay(merchant, account, day), Cell::StaffDay(sold)))
        }
        _ => Err(rows::corrupt("a clerk's day")),
    },
};
const PASSES: Lookup = Lookup {
    sql: "SELECT passes.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (merchant, id) JOIN passes USING (merchant, id)",
    read: |row| rows::pass(row).map(|pass| (Key::Pass(pass.merchant, pass.id), Cell::Pass(pass))),
};
const OPEN_PASSES: Lookup = Lookup {
    sql: "SELECT account, group_id, id
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (account, group_id) JOIN passes USING (account, group_id)
        WHERE state = 0",
    read: |row| {
        let key = Key::OpenPasses(rows::id(row, "account")?, rows::id(row, "group_id")?);
        Ok((key, Cell::OpenPasses(vec![rows::id(row, "id")?])))
    },
};
const WALLETS_OF: Lookup = Lookup {
    sql: "SELECT DISTINCT account, group_id FROM lots WHERE account = ANY($1) AND remaining > 0",
    read: |row| {
        Ok((Key::WalletsOf(rows::id(row, "account")?), Cell::WalletsOf(vec![rows::id(row, "group_id")?])))
    },
};
const CLOSED: Lookup = Lookup {
    sql: "SELECT account, merged_into FROM closed WHERE account = ANY($1)",
    read: |row| {
        Ok((Key::Closed(rows::id(row, "account")?), Cell::Closed(rows::maybe_id(row, "merged_into")?)))
    },
};
const HOLDS: Lookup = Lookup {
    sql: "SELECT holds.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (merchant, id) JOIN holds USING (merchant, id)",
    read: |row| rows::hold(row).map(|hold| (Key::Hold(hold.merchant, hold.id), Cell::Hold(hold))),
};
const REDEMPTIONS: Lookup = Lookup {
    sql: "SELECT redemptions.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (merchant, id) JOIN redemptions USING (merchant, id)",
    read: |row| {
        let redemption = rows::redemption(row)?;
        Ok((Key::Redemption(redemption.merchant, redemption.id), Cell::Redemption(redemption)))
    },
};
const DEBTS: Lookup = Lookup {
    sql: "SELECT * FROM debts WHERE account = ANY($1) AND units > 0",
    read: |row| rows::debt(row).map(|debt| (Key::Debts(debt.account), Cell::Debts(vec![debt]))),
};
const AMENDMENTS: Lookup = Lookup {
    sql: "SELECT * FROM amendments WHERE group_id = ANY($1)",
    read: |row| {
        rows::amendment(row)
            .map(|amendment| (Key::Amendment(amendment.group), Cell::Amendment(Box::new(amendment))))
    },
};
const INVITATIONS: Lookup = Lookup {
    sql: "SELECT invitations.*
        FROM unnest($1::bytea[], $2::bytea[]) AS asked (issuer, id) JOIN invitations USING (issuer, id)",
    read: |row| {
        let invitation = rows::invitation(row)?;
        Ok((Key::Invitation(invitation.issuer, invitation.id), Cell::Invitation(invitation)))
    },
};
const JOIN_REQUESTS: Lookup = Lookup {
    sql: "SELECT join_requests.* FROM unnest($1::bytea[], $2::bytea[]) AS asked (group_id, merchant)
        JOIN join_requests USING (group_id, merchant)",
    read: |row| {
        let request = rows::join_request(row)?;
        Ok((Key::JoinRequest(request.group, request.merchant), Cell::JoinRequest(request)))
    },
};
const OPERATORS: Lookup = Lookup {
    sql: "SELECT account FROM operators WHERE account = ANY($1)",
    read: |row| Ok((Key::Operator(rows::id(row, "account")?), Cell::Operator)),
};

/// Where a cell is looked up, and its key as columns.
fn lookup(key: &Key) -> (&'static Lookup, Vec<Value<'_>>) {
    match key {
        Key::Device(id) => (&DEVICES, vec![Value::of(id)]),
        Key::Counter(key, counter) => (&COUNTERS, vec![Value::of(key), counter.cast_signed().into()]),
        Key::Merchant(id) => (&MERCHANTS, vec![Value::of(id)]),
        Key::Memberships(merchant) => (&MEMBERSHIPS, vec![Value::of(merchant)]),
        Key::Sale(merchant, id) => (&SALES, vec![Value::of(merchant), Value::of(id)]),
        Key::Group(id) => (&GROUPS, vec![Value::of(id)]),
        Key::Terms(group, version) => (&TERMS, vec![Value::of(group), (*version).into()]),
        Key::Member(group, merchant) => (&MEMBERS, vec![Value::of(group), Value::of(merchant)]),
        Key::Wallet(account, group) => (&WALLETS, vec![Value::of(account), Value::of(group)]),
        Key::Lot(account, group, lot) => (&LOTS, vec![Value::of(account), Value::of(group), Value::of(lot)]),
        Key::Standing(account) => (&STANDINGS, vec![Value::of(account)]),
        Key::DevicesOf(account) => (&DEVICES_OF, vec![Value::of(account)]),
        Key::Tills(merchant) => (&TILLS, vec![Value::of(merchant)]),
        Key::Staff(merchant, account) => (&STAFF, vec![Value::of(merchant), Value::of(account)]),
        Key::StaffDay(merchant, account, day) => {
            (&STAFF_DAYS, vec![Value::of(merchant), Value::of(account), i64::from(day.0).into()])
        }
        Key::Pass(merchant, id) => (&PASSES, vec![Value::of(merchant), Value::of(id)]),
        Key::OpenPasses(account, group) => (&OPEN_PASSES, vec![Value::of(account), Value::of(group)]),
        Key::WalletsOf(account) => (&WALLETS_OF, vec![Value::of(account)]),
        Key::Closed(account) => (&CLOSED, vec![Value::of(account)]),
        Key::Operator(account) => (&OPERATORS, vec![Value::of(account)]),
        Key::Hold(merchant, id) => (&HOLDS, vec![Value::of(merchant), Value::of(id)]),
        Key::Redemption(merchant, id) => (&REDEMPTIONS, vec![Value::of(merchant), Value::of(id)]),
        Key::Debts(account) => (&DEBTS, vec![Value::of(account)]),
        Key::Amendment(group) => (&AMENDMENTS, vec![Value::of(group)]),
        Key::Invitation(issuer, id) => (&INVITATIONS, vec![Value::of(issuer), Value::of(id)]),
        Key::JoinRequest(group, merchant) => (&JOIN_REQUESTS, vec![Value::of(group), Value::of(merchant)]),
    }
}

/// Cells, each present or absent, in the order of their keys: one statement a table, all of them sent at once.
pub(super) async fn cells(connection: &Connection, keys: &[Key]) -> Result<Vec<Option<Cell>>, StoreError> {
    let mut asked: BTreeMap<&'static str, (&'static Lookup, Vec<Vec<Value>>)> = BTreeMap::new();
    for key in keys {
        let (lookup, values) = lookup(key);
        let (_, columns) =
            asked.entry(lookup.sql).or_insert_with(|| (lookup, vec![Vec::new(); values.len()]));
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    let asking = asked.into_values().map(async |(lookup, columns)| {
        let found = connection.rows(lookup.sql, &params(&columns)).await?;
        found.iter().map(|row| (lookup.read)(row)).collect::<Result<Vec<_>, _>>()
    });
    let mut cells: HashMap<Key, Cell> = HashMap::with_capacity(keys.len());
    for (key, part) in every(asking).await?.into_iter().flatten() {
        match cells.get_mut(&key) {
            Some(cell) => gather(cell, part),
            None => drop(cells.insert(key, part)),
        }
    }
    Ok(keys.iter().map(|key| cells.remove(key)).collect())
}

/// Puts a further row into a cell of many.
fn gather(cell: &mut Cell, part: Cell) {
    match (cell, part) {
        (Cell::Memberships(all), Cell::Memberships(more)) | (Cell::WalletsOf(all), Cell::WalletsOf(more)) => {
            insert(all, more);
        }
        (Cell::Keys(all), Cell::Keys(more)) => insert(all, more),
        (Cell::OpenPasses(all), Cell::OpenPasses(more)) => insert(all, more),
        (Cell::Debts(all), Cell::Debts(more)) => all.extend(more),
        (Cell::Wallet(all), Cell::Wallet(more)) => more.lots().for_each(|lot| all.put(lot.clone())),
        (cell, part) => *cell = part,
    }
}

fn insert<T: Ord>(all: &mut Vec<T>, more: Vec<T>) {
    for id in more {
        if let Err(at) = all.binary_search(&id) {
            all.insert(at, id);
        }
    }
}

/// What a batch asks for at once, none of it one by one.
pub(super) async fn look(connection: &Connection, wanted: &Wanted) -> Result<Seen, StoreError> {
    let cells =
        async { if wanted.keys.is_empty() { Ok(Vec::new()) } else { cells(connection, &wanted.keys).await } };
    let priors = async {
        if wanted.ops.is_empty() { Ok(HashMap::new()) } else { priors(connection, &wanted.ops).await }
    };
    let heads = async {
        if wanted.inboxes.is_empty() { Ok(Vec::new()) } else { heads(connection, &wanted.inboxes).await }
    };
    let (priors, (cells, heads)) = both(priors, both(cells, heads)).await?;
    Ok(Seen { priors, cells, heads })
}

/// One cell, present or absent.
pub(super) async fn cell(connection: &Connection, key: Key) -> Result<Option<Cell>, StoreError> {
    Ok(cells(connection, &[key]).await?.pop().flatten())
}

/// Those of many ops that were decided before.
pub(super) async fn priors(
    connection: &Connection,
    ops: &[(KeyId, OpId)],
) -> Result<HashMap<(KeyId, OpId), Prior>, StoreError> {
    let (actors, ids): (Vec<_>, Vec<_>) = ops.iter().map(|(actor, id)| (actor.as_ref(), id.as_ref())).unzip();
    let found = connection.rows(PRIORS, &[&actors as Param, &ids]).await?;
    let read = |row: &dyn Columns| {
        let answer = rows::answer(rows::at(row, "answer")?)?;
        let prior = Prior { payload_hash: rows::at(row, "payload_hash")?, answer };
        Ok(((rows::id(row, "actor")?, rows::id(row, "id")?), prior))
    };
    found.iter().map(|row| read(row)).collect()
}

/// Every row of a query, read.
pub(super) async fn all<T>(
    connection: &Connection,
    sql: &'static str,
    params: &[Param<'_>],
    read: impl Fn(&dyn Columns) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    connection.rows(sql, params).await?.iter().map(|row| read(row)).collect()
}

/// The one row of a query, if there is one.
pub(super) async fn one<T>(
    connection: &Connection,
    sql: &'static str,
    params: &[Param<'_>],
    read: impl Fn(&dyn Columns) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    Ok(all(connection, sql, params, read).await?.pop())
}

/// The heads of inboxes, in their order.
pub(super) async fn heads(connection: &Connection, inboxes: &[Inbox]) -> Result<Vec<InboxHead>, StoreError> {
    let names: Vec<Vec<u8>> = inboxes.iter().map(canonical::encode).collect();
    let read = |row: &dyn Columns| -> Result<(Vec<u8>, InboxHead), StoreError> {
        let head = InboxHead { count: rows::number(row, "count")?, hash: rows::at(row, "hash")? };
        Ok((rows::at(row, "inbox")?, head))
    };
    let known: HashMap<Vec<u8>, InboxHead> =
        all(connection, HEADS, &[&names], read).await?.into_iter().collect();
    let head = |(inbox, name): (&Inbox, &Vec<u8>)| known.get(name).copied().unwrap_or_else(|| empty(*inbox));
    Ok(inboxes.iter().zip(&names).map(head).collect())
}

/// An inbox's head.
pub(super) async fn head(connection: &Connection, inbox: Inbox) -> Result<InboxHead, StoreError> {
    Ok(heads(connection, &[inbox]).await?.pop().unwrap_or_else(|| empty(inbox)))
}

fn empty(inbox: Inbox) -> InboxHead {
    InboxHead { count: 0, hash: chain::start(inbox) }
}

/// A stretch of an inbox.
pub(super) async fn inbox(
    connection: &Connection,
    inbox: Inbox,
    after: u64,
    limit: usize,
) -> Result<InboxPage, StoreError> {
    let (end, page) = both(head(connection, inbox), stretch(connection, inbox, after, limit)).await?;
    let reached = after.saturating_add(page.len() as u64);
    let head = if page.is_empty() || reached == end.count {
        end
    } else {
        head_at(connection, inbox, reached).await?
    };
    Ok(InboxPage { events: page, head, count: end.count })
}

async fn stretch(
    connection: &Connection,
    inbox: Inbox,
    after: u64,
    limit: usize,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let (name, after) = (canonical::encode(&inbox), i64::try_from(after).unwrap_or(i64::MAX));
    all(connection, INBOX, &[&name, &after, &most(limit)], |row| rows::at(row, "bytes")).await
}

/// The head as it was after `count` events: from the last checkpoint on.
async fn head_at(connection: &Connection, inbox: Inbox, count: u64) -> Result<InboxHead, StoreError> {
    let (name, kept) = (canonical::encode(&inbox), count - count % CHECKPOINT);
    let number = kept.cast_signed();
    let params: [Param; 2] = [&name, &number];
    let (hash, events) = both(
        one(connection, KEPT_HASH, &params, |row| rows::at(row, "hash")),
        stretch(connection, inbox, kept, usize::try_from(count - kept).unwrap_or(usize::MAX)),
    )
    .await?;
    let start = InboxHead { count: kept, hash: hash.unwrap_or_else(|| chain::start(inbox)) };
    Ok(events.iter().fold(start, |head, event| {
        let count = head.count + 1;
        InboxHead { count, hash: chain::next(head.hash, count, event) }
    }))
}

/// A limit as the database takes it.
pub(super) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A key's record.
pub(super) async fn device(connection: &Connection, key: KeyId) -> Result<Option<Device>, StoreError> {
    one(connection, DEVICE, &[&key.as_ref()], rows::device).await
}

/// What a clerk has sold on a day.
pub(super) async fn sold_on(connection: &Connection, key: Key) -> Result<Money, StoreError> {
    match cell(connection, key).await? {
        Some(Cell::StaffDay(sold)) => Ok(sold),
        _ => Ok(Money(0)),
    }
}

/// Wallets with lots that have ended and have something left, those that ended first.
pub(super) async fn wallets_to_expire(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
    all(connection, TO_EXPIRE, &[&now.0, &most(limit)], |row| {
        Ok((rows::id(row, "account")?, rows::id(row, "group_id")?))
    })
    .await
}
