//! What has been heard of a key, and what of it has not arrived.

use std::collections::BTreeSet;

use moa_rules::id::KeyId;
use moa_rules::op::Op;
use moa_wire::token::Sealed;
use rusqlite::Transaction;

use super::counters;
use super::load::all;
use crate::rows::{self, corrupt};
use crate::store::{Heard, StoreError, gaps, missing};

const REFUSED: &str = "SELECT signed FROM ops WHERE actor = ?1 AND answer IS NOT NULL AND signed IS NOT NULL";

/// When a key was last heard, and how many of its numbers have not arrived.
pub(super) fn heard_of(tx: &Transaction, key: KeyId) -> Result<Heard, StoreError> {
    let last = counters::last_heard(tx, key)?;
    let gaps = gaps(counters::used_by(tx, key)?);
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
