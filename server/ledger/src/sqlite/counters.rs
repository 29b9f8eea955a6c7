//! What keys have counted: a bit for each counter used, 64 to a block, since a device counts on by one; and when each key was
//! heard. A key's last block stands with its device, which an op touches anyway; those before it have a table of their own.

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

/// Counters to a block.
const BLOCK: u64 = u64::BITS as u64;

const USED: &str = "SELECT 1 FROM devices WHERE key = ?1 AND CASE
    WHEN counted = ?2 THEN used & ?3
    WHEN counted > ?2 THEN EXISTS (SELECT 1 FROM counters WHERE key = ?1 AND block = ?2 AND used & ?3)
    END";
// Of what is used already nothing is written.
const COUNT: &str = "UPDATE devices SET used = used | ?3, heard_at = max(heard_at, ?4)
    WHERE key = ?1 AND counted = ?2 AND NOT used & ?3";
const KEEP_LAST: &str = "INSERT INTO counters (key, block, used)
    SELECT key, counted, used FROM devices WHERE key = ?1 AND counted < ?2 AND used";
const COUNT_ON: &str = "UPDATE devices SET counted = ?2, used = ?3, heard_at = max(heard_at, ?4)
    WHERE key = ?1 AND counted < ?2";
const COUNT_LATE: &str = "INSERT INTO counters (key, block, used)
    SELECT key, ?2, ?3 FROM devices WHERE key = ?1 AND counted > ?2
    ON CONFLICT (key, block) DO UPDATE SET used = used | excluded.used WHERE NOT used & excluded.used";
const HEAR: &str = "UPDATE devices SET heard_at = max(heard_at, ?2) WHERE key = ?1";
const BLOCKS: &str = "SELECT key, block, used FROM counters WHERE key = ?1
    UNION ALL SELECT key, counted, used FROM devices WHERE key = ?1 ORDER BY block";
const LAST: &str = "SELECT heard_at FROM devices WHERE key = ?1 AND heard_at";
/// Every block, and every key that was heard.
pub(super) const COUNTERS: &str =
    "SELECT key, block, used FROM counters UNION ALL SELECT key, counted, used FROM devices";
pub(super) const HEARD: &str = "SELECT key, heard_at FROM devices WHERE heard_at";

/// What is to be written of each key.
#[derive(Default)]
pub struct Counted(BTreeMap<KeyId, Uses>);

#[derive(Default)]
struct Uses {
    /// Bits by their block.
    blocks: BTreeMap<u64, u64>,
    heard_at: i64,
}

impl Counted {
    /// The counters among these rows.
    pub fn in_rows(rows: &[Row]) -> Self {
        let mut counted = Self::default();
        for row in rows {
            if let Row::Counter(key, counter) = row {
                let blocks = &mut counted.0.entry(*key).or_default().blocks;
                *blocks.entry(counter / BLOCK).or_default() |= bit(*counter);
            }
        }
        counted
    }

    /// Keys are heard through those of these ops that came by themselves.
    pub fn hear<'a>(&mut self, ops: impl Iterator<Item = (&'a OpRow, Timestamp)>) {
        for (op, at) in ops {
            if let Signed::Here { .. } = op.signed {
                let key = self.0.entry(op.actor).or_default();
                key.heard_at = key.heard_at.max(at.0);
            }
        }
    }

    /// What there is of these keys, which is taken away.
    pub fn of(&mut self, keys: impl Iterator<Item = KeyId>) -> Self {
        Self(keys.filter_map(|key| self.0.remove_entry(&key)).collect())
    }

    /// Writes it. The devices are there.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for a counter that is used already, or of a key that is no device's.
    pub fn save(&self, tx: &Transaction) -> Result<(), StoreError> {
        for (key, Uses { blocks, heard_at }) in &self.0 {
            let mut heard = false;
            for (block, used) in blocks {
                heard |= count(tx, *key, (block.cast_signed(), used.cast_signed()), *heard_at)?;
            }
            if !heard && *heard_at > 0 {
                run(tx, HEAR, params![key.as_ref(), heard_at])?;
            }
        }
        Ok(())
    }
}

/// Writes counters of one block: with the device if they are of its last, or make a new one its last; else among those before it,
/// and then not when the key was heard. Gives whether that was written too.
fn count(tx: &Transaction, key: KeyId, (block, used): (i64, i64), heard_at: i64) -> Result<bool, StoreError> {
    let last = params![key.as_ref(), block, used, heard_at];
    if run(tx, COUNT, last)? == 1 {
        return Ok(true);
    }
    run(tx, KEEP_LAST, params![key.as_ref(), block])?;
    if run(tx, COUNT_ON, last)? == 1 {
        return Ok(true);
    }
    if run(tx, COUNT_LATE, params![key.as_ref(), block, used])? == 1 {
        return Ok(false);
    }
    Err(StoreError::Corrupt(format!("a counter of key {key} is used already")))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::sqlite::SqliteStore;
    use crate::tables::system_device;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn whatever_order_counters_come_in_each_is_used_once_and_none_is_forgotten(
            batches in vec(btree_set(0_u64..400, 1..30), 1..12),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let device = system_device(vec![7; 65]);
            let store = SqliteStore::open(&folder.path().join("moa.db"), &device).unwrap();
            let key = device.key;
            let save = |counters: &BTreeSet<u64>| {
                let rows: Vec<Row> = counters.iter().map(|counter| Row::Counter(key, *counter)).collect();
                store.write("counting", |tx| Counted::in_rows(&rows).save(tx))
            };
            let mut used = BTreeSet::new();
            for batch in batches {
                let fresh: BTreeSet<u64> = batch.difference(&used).copied().collect();
                if fresh != batch {
                    prop_assert!(save(&batch).is_err());
                }
                prop_assert!(save(&fresh).is_ok());
                used.extend(fresh);
                let found = store.read(|tx| used_by(tx, key)).unwrap();
                prop_assert_eq!(&found, &used.iter().copied().collect::<Vec<_>>());
                for counter in 0..400 {
                    let found = store.read(|tx| is_used(tx, key, counter)).unwrap();
                    prop_assert_eq!(found, used.contains(&counter), "{}", counter);
                }
            }
        }
    }
}
