//! What has been heard of a key, and what of it has not arrived.

use moa_rules::id::KeyId;
use moa_rules::op::Op;
use moa_wire::token::Sealed;

use super::load::{all, one};
use super::pool::Connection;
use super::together::both;
use crate::rows::{self, Columns, corrupt};
use crate::store::{Heard, LONGEST_GAP, StoreError, missing};

const GAPS: &str = "SELECT before, counter FROM
        (SELECT counter, lag(counter, 1, 0::bigint) OVER (ORDER BY counter) AS before FROM counters WHERE key = $1) AS used
    WHERE counter - before BETWEEN 2 AND $2";
const REFUSED: &str = "SELECT signed FROM ops WHERE actor = $1 AND answer IS NOT NULL AND signed IS NOT NULL";
// Ids of ops begin with their time.
const LAST: &str =
    "SELECT decided_at FROM ops WHERE actor = $1 AND signed IS NOT NULL ORDER BY id DESC LIMIT 1";

/// When a key was last heard, and how many of its numbers have not arrived.
pub(super) async fn heard_of(connection: &Connection, key: KeyId) -> Result<Heard, StoreError> {
    let (key, longest) = (key.as_ref(), LONGEST_GAP.cast_signed());
    let (last, (gaps, refused)) = both(
        one(connection, LAST, &[&key], |row| rows::instant(row, "decided_at")),
        both(all(connection, GAPS, &[&key, &longest], gap), all(connection, REFUSED, &[&key], counter)),
    )
    .await?;
    Ok(Heard { last, missing: missing(&gaps, &refused.into_iter().collect()) })
}

fn gap(row: &dyn Columns) -> Result<(u64, u64), StoreError> {
    let read = |column| rows::at::<i64>(row, column).map(i64::cast_unsigned);
    Ok((read("before")? + 1, read("counter")? - 1))
}

fn counter(row: &dyn Columns) -> Result<u64, StoreError> {
    let bytes: Vec<u8> = rows::at(row, "signed")?;
    Sealed::<Op>::parse(&bytes).map(|op| op.unchecked().counter).map_err(|_| corrupt("an op"))
}
