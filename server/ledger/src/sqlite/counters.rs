//! What keys have counted: a bit for each counter used, 64 to a row, since a device counts on by one; and when each key was heard.

use std::collections::BTreeMap;

use moa_rules::id::KeyId;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::load::{all, one};
use super::save::run;
use crate::batch::{OpRow, Signed};
use crate::rows::{self, Columns};
use crate::store::StoreError;

/// Counters to a row.
const BLOCK: u64 = u64::BITS as u64;

const USED: &str = "SELECT 1 FROM counters WHERE key = ?1 AND block = ?2 AND used & ?3";
// Of what is used already nothing is written.
const SAVE: &str = "INSERT INTO counters (key, block, used, heard_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key, block) DO UPDATE SET used = used | excluded.used, heard_at = max(heard_at, excluded.heard_at)
    WHERE NOT used & excluded.used";
const BLOCKS: &str = "SELECT key, block, used FROM counters WHERE key = ?1 ORDER BY block";
const LAST: &str = "SELECT max(heard_at) AS heard_at FROM counters WHERE key = ?1 HAVING max(heard_at) > 0";
/// Every row, and every key that was heard.
pub(super) const COUNTERS: &str = "SELECT key, block, used FROM counters";
pub(super) const HEARD: &str =
    "SELECT key, max(heard_at) AS heard_at FROM counters GROUP BY key HAVING max(heard_at) > 0";

/// What is to be written, by the row that keeps it.
#[derive(Default)]
pub struct Counted(BTreeMap<(KeyId, u64), Block>);

#[derive(Default)]
struct Block {
    used: u64,
    heard_at: i64,
}

impl Counted {
    /// The counters among these rows.
    pub fn in_rows(rows: &[Row]) -> Self {
        let mut counted = Self::default();
        for row in rows {
            if let Row::Counter(key, counter) = row {
                counted.block(*key, *counter).used |= bit(*counter);
            }
        }
        counted
    }

    /// Keys are heard through those of these ops that came by themselves.
    pub fn hear<'a>(mut self, ops: impl Iterator<Item = (&'a OpRow, Timestamp)>) -> Self {
        for (op, at) in ops {
            let Signed::Here { counter, .. } = op.signed else { continue };
            let block = self.block(op.actor, counter);
            block.heard_at = block.heard_at.max(at.0);
        }
        self
    }

    fn block(&mut self, key: KeyId, counter: u64) -> &mut Block {
        self.0.entry((key, counter / BLOCK)).or_default()
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a counter that is used already.
    pub fn save(&self, tx: &Transaction) -> Result<(), StoreError> {
        for ((key, block), Block { used, heard_at }) in &self.0 {
            let params = params![key.as_ref(), block.cast_signed(), used.cast_signed(), heard_at];
            if run(tx, SAVE, params)? == 0 {
                return Err(StoreError::Corrupt(format!("a counter of key {key} is used already")));
            }
        }
        Ok(())
    }
}

fn bit(counter: u64) -> u64 {
    1 << (counter % BLOCK)
}

/// Whether a key has used a counter.
pub fn is_used(connection: &Connection, key: KeyId, counter: u64) -> Result<bool, StoreError> {
    let place = (key.as_ref(), (counter / BLOCK).cast_signed(), bit(counter).cast_signed());
    Ok(one(connection, USED, place, |_| Ok(()))?.is_some())
}

/// The counters that a key has used, least first.
pub fn used_by(connection: &Connection, key: KeyId) -> Result<Vec<u64>, StoreError> {
    let blocks = all(connection, BLOCKS, [key.as_ref()], block)?;
    Ok(blocks.into_iter().flat_map(|(_, counters)| counters).collect())
}

/// When a key was last heard, if it was.
pub fn last_heard(connection: &Connection, key: KeyId) -> Result<Option<Timestamp>, StoreError> {
    one(connection, LAST, [key.as_ref()], |row| rows::instant(row, "heard_at"))
}

/// A row's key and the counters that it has used, least first.
pub fn block(row: &dyn Columns) -> Result<(KeyId, impl Iterator<Item = u64> + use<>), StoreError> {
    let first = rows::at::<i64>(row, "block")?.cast_unsigned().wrapping_mul(BLOCK);
    let used = rows::at::<i64>(row, "used")?.cast_unsigned();
    let counters = (0..BLOCK).filter(move |bit| used >> bit & 1 == 1);
    Ok((rows::id(row, "key")?, counters.map(move |bit| first.wrapping_add(bit))))
}
