//! What has been heard of a key, and what of it has not arrived.

use std::collections::BTreeSet;

use moa_rules::id::KeyId;
use moa_rules::op::Op;
use moa_wire::token::Sealed;
use rusqlite::Transaction;

use super::load::{all, counter_column, one};
use crate::rows::{self, corrupt};
use crate::store::{Heard, LONGEST_GAP, StoreError, missing};

const GAPS: &str = "SELECT before, counter FROM
        (SELECT counter, lag(counter, 1, 0) OVER (ORDER BY counter) AS before FROM counters WHERE key = ?1)
    WHERE counter - before BETWEEN 2 AND ?2";
const REFUSED: &str = "SELECT signed FROM ops WHERE actor = ?1 AND answer IS NOT NULL AND signed IS NOT NULL";
// Ids of ops begin with their time.
const LAST: &str =
    "SELECT decided_at FROM ops WHERE actor = ?1 AND signed IS NOT NULL ORDER BY id DESC LIMIT 1";

/// When a key was last heard, and how many of its numbers have not arrived.
pub(super) fn heard_of(tx: &Transaction, key: KeyId) -> Result<Heard, StoreError> {
    let last = one(tx, LAST, [key.as_ref()], |row| rows::instant(row, "decided_at"))?;
    let gaps = all(tx, GAPS, (key.as_ref(), counter_column(LONGEST_GAP)), |row| {
        let read = |column| rows::at::<i64>(row, column).map(i64::cast_unsigned);
        Ok((read("before")? + 1, read("counter")? - 1))
    })?;
    let refused = if gaps.is_empty() { BTreeSet::new() } else { refused(tx, key)? };
    Ok(Heard { last, missing: missing(&gaps, &refused) })
}

/// The counters of a key's ops that were refused.
fn refused(tx: &Transaction, key: KeyId) -> Result<BTreeSet<u64>, StoreError> {
    let counters = all(tx, REFUSED, [key.as_ref()], |row| {
        let bytes: Vec<u8> = rows::at(row, "signed")?;
        Sealed::<Op>::parse(&bytes).map(|op| op.unchecked().counter).map_err(|_| corrupt("an op"))
    })?;
    Ok(counters.into_iter().collect())
}
