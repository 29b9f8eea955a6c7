//! Bringing over what a broken database held: above all the ops that wait for the server.
//!
//! First by SQLite, row by row until it stumbles; if it does, also by looking for signed ops in the bytes
//! ([`carve`]). Those may have been answered before: they are sent again, and get the same answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use moa_rules::id::{KeyId, OpId};
use moa_rules::op::Op;
use moa_rules::time::Timestamp;
use moa_wire::token::Sealed;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outbox::{self, COUNTER_LEAP, Effect};
use super::{carve, meta, unsigned};
use crate::error::{PhoneError, corrupt};

const OPS: &str = "SELECT op, bytes, created_at, state FROM outbox NOT INDEXED ORDER BY seq";
const COUNTERS: &str = "SELECT key, last FROM counter";
/// What belongs to ops that wait, the files that were imported, the links of invitations and whom they are for, what the buyer
/// plans, and the secrets: table, and the rows of it.
const BESIDE: [(&str, &str); 12] = [
    ("pending", "SELECT p.* FROM pending p JOIN outbox o ON o.op = p.op WHERE o.state = 'waiting'"),
    ("typed_number", "SELECT n.* FROM typed_number n JOIN outbox o ON o.op = n.op WHERE o.state = 'waiting'"),
    ("sale", "SELECT s.* FROM sale s JOIN outbox o ON o.op = s.op WHERE o.state = 'waiting'"),
    ("redemption", "SELECT r.* FROM redemption r JOIN outbox o ON o.op = r.op WHERE o.state = 'waiting'"),
    ("asked_with", "SELECT a.* FROM asked_with a JOIN outbox o ON o.op = a.op WHERE o.state = 'waiting'"),
    ("opening_row", "SELECT r.* FROM opening_row r JOIN outbox o ON o.op = r.op WHERE o.state = 'waiting'"),
    ("opening", "SELECT * FROM opening"),
    ("voucher", "SELECT v.* FROM voucher v JOIN outbox o ON o.op = v.claim WHERE o.state = 'waiting'"),
    ("invitation_link", "SELECT * FROM invitation_link"),
    ("invitee", "SELECT * FROM invitee"),
    ("plan", "SELECT * FROM plan"),
    ("secret", "SELECT * FROM secret"),
];

/// Those of them that stay behind if the database was another key's: sealed by its data key, or a person's own, who may not be
/// the one that signs in now.
const OWN: [&str; 4] = ["secret", "invitation_link", "invitee", "plan"];

/// Those of them that a migration brought later, and which: a database from before it is whole without.
const LATER: [(&str, u32); 1] = [("plan", 2)];

/// Whose database it was.
pub(crate) struct Owner<'a> {
    pub key: KeyId,
    pub public_key: &'a [u8],
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rescued {
    /// Ops that are to be sent.
    pub ops: u64,
    /// Whether all of it could be read.
    pub whole: bool,
}

/// Brings over what can be read of the database at `broken`, and goes on above its counters.
pub(crate) fn bring_over(
    new: &Connection,
    broken: &Path,
    owner: &Owner,
    now: Timestamp,
) -> Result<Rescued, PhoneError> {
    let mut old = Old::default();
    let read = old.read(new, broken, owner);
    let mut waiting = old.waiting;
    let whole = read.is_ok() && old.whole;
    if let Err(error) = read {
        fatal_here(error)?;
    }
    if !whole {
        let mut carved = BTreeMap::new();
        for part in [broken.to_owned(), super::aside::log(broken)] {
            match File::open(part) {
                Ok(file) => carve::ops(file, owner.key, owner.public_key, &mut carved)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        carved.retain(|id, _| !old.answered.contains(id));
        let mut carved: Vec<_> = carved.into_values().collect();
        carved.sort_by_key(|op| op.unchecked().counter);
        waiting.extend(carved.into_iter().map(|op| {
            let at = Timestamp::from_seconds(op.unchecked().time);
            (op, at)
        }));
    }
    let mut ops = 0;
    for (sealed, created_at) in &waiting {
        let op = sealed.unchecked();
        // Found by SQLite and in the bytes, or in two places of them.
        if outbox::entry(new, op.id)?.is_some() {
            continue;
        }
        outbox::bring(new, op, sealed.bytes(), Effect::default(), *created_at)?;
        let last = old.counters.entry(op.actor).or_default();
        *last = op.counter.max(*last);
        ops += 1;
    }
    for (table, rows) in old.beside {
        for (columns, values) in rows {
            put(new, table, &columns, values)?;
        }
    }
    // With nothing to go by, seconds since 1970: no phone signs an op a second.
    old.counters.entry(owner.key).or_insert(now.seconds());
    for (key, last) in old.counters {
        meta::raise_counter(new, key, last.saturating_add(COUNTER_LEAP))?;
    }
    Ok(Rescued { ops, whole })
}

/// What could be read of the old database.
#[derive(Default)]
struct Old {
    waiting: Vec<(Sealed<Op>, Timestamp)>,
    answered: BTreeSet<OpId>,
    counters: BTreeMap<KeyId, u64>,
    beside: Vec<(&'static str, Vec<Columns>)>,
    whole: bool,
}

/// The names and the values of one row.
type Columns = (Vec<String>, Vec<Value>);

impl Old {
    /// Reads as far as SQLite gets. What was read before it stumbles stays.
    fn read(&mut self, new: &Connection, broken: &Path, owner: &Owner) -> Result<(), PhoneError> {
        // Nothing is written to it, not even its own log.
        let db = Connection::open_with_flags(broken, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        self.whole = true;
        let counters = each(&db, COUNTERS, |row| {
            self.counters.insert(KeyId(row.get(0)?), unsigned(row.get(1)?));
            Ok(())
        });
        let ops = each(&db, OPS, |row| self.op(row, owner));
        let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap_or(u32::MAX);
        let ours = meta::get(&db, &meta::KEY).is_ok_and(|key| key == Some(owner.key));
        for (table, select) in BESIDE {
            let later = LATER.iter().any(|(it, since)| *it == table && version < *since);
            if later || (OWN.contains(&table) && !ours) {
                continue;
            }
            let mut rows = Vec::new();
            let read = each(&db, select, |row| {
                let names = row.as_ref().column_names().map(str::to_owned).collect::<Vec<_>>();
                let values = (0..names.len()).map(|at| row.get(at)).collect::<Result<_, _>>()?;
                rows.push((names, values));
                Ok(())
            });
            self.beside.push((table, rows));
            self.stumbled(read)?;
        }
        self.stumbled(counters)?;
        self.stumbled(ops)?;
        let person = person(&db, new, owner.key);
        self.stumbled(person)
    }

    fn op(&mut self, row: &Row, owner: &Owner) -> Result<(), PhoneError> {
        let (id, bytes): (_, Vec<u8>) = (OpId(row.get(0)?), row.get(1)?);
        if row.get::<_, String>(3)? != "waiting" {
            self.answered.insert(id);
            return Ok(());
        }
        let op = Sealed::<Op>::parse(&bytes).map_err(|_| corrupt("op"))?;
        // The key of another device is not known, from which a backup was brought here.
        if op.unchecked().actor == owner.key && op.clone().check(owner.public_key).is_err() {
            return Err(corrupt("op"));
        }
        self.waiting.push((op, Timestamp(row.get(2)?)));
        Ok(())
    }

    /// Remembers that a part could not be read, unless it is this phone that is at fault.
    fn stumbled(&mut self, read: Result<(), PhoneError>) -> Result<(), PhoneError> {
        let Err(error) = read else { return Ok(()) };
        self.whole = false;
        fatal_here(error)
    }
}

/// Who was signed in, if it was with this key; the next snapshot brings the rest.
fn person(old: &Connection, new: &Connection, key: KeyId) -> Result<(), PhoneError> {
    if meta::get(old, &meta::KEY)? != Some(key) {
        return Ok(());
    }
    carry(old, new, &meta::SERVER_KEY)?;
    carry(old, new, &meta::ACCOUNT)?;
    carry(old, new, &meta::ENROLLED)?;
    carry(old, new, &meta::MERCHANT)?;
    carry(old, new, &meta::TILL)?;
    carry(old, new, &meta::DATA_KEY)?;
    carry(old, new, &meta::CLOCK_OFFSET)?;
    carry(old, new, &meta::ALWAYS_BEST)
}

fn carry<T: Serialize + DeserializeOwned>(
    old: &Connection,
    new: &Connection,
    name: &meta::Name<T>,
) -> Result<(), PhoneError> {
    match (meta::get(old, name)?, meta::get(new, name)?) {
        (Some(value), None) => meta::set(new, name, &value),
        _ => Ok(()),
    }
}

/// Every row, until one can't be read.
fn each(
    db: &Connection,
    select: &str,
    mut take: impl FnMut(&Row) -> Result<(), PhoneError>,
) -> Result<(), PhoneError> {
    let mut statement = db.prepare(select)?;
    let mut rows = statement.query([])?;
    let mut first = Ok(());
    while let Some(row) = rows.next()? {
        let taken = take(row);
        first = first.and(taken);
    }
    first
}

/// One row as it was. What does not fit there now stays behind.
fn put(new: &Connection, table: &str, columns: &[String], values: Vec<Value>) -> Result<(), PhoneError> {
    let names = columns.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect::<Vec<_>>();
    let marks = vec!["?"; columns.len()].join(", ");
    // Every op of the outbox has its row of what is pending already.
    let or = if table == "pending" { "REPLACE" } else { "IGNORE" };
    let insert = format!("INSERT OR {or} INTO \"{table}\" ({}) VALUES ({marks})", names.join(", "));
    let put = new.prepare(&insert).and_then(|mut insert| insert.execute(params_from_iter(values)));
    match put {
        Err(error) if is_full(&error) => Err(error.into()),
        Err(error) => {
            tracing::warn!(table, %error, "a row stays in the broken database");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// An error that is not the broken database's.
fn fatal_here(error: PhoneError) -> Result<(), PhoneError> {
    match error {
        PhoneError::StorageFull => Err(error),
        error => {
            tracing::warn!(%error, "a part of the broken database can't be read");
            Ok(())
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}
