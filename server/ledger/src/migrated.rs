//! Whether the tables of a database are those that this program reads.

use std::collections::BTreeMap;

use refinery::Migration;

use crate::store::StoreError;

/// Refuses tables that are not. `applied` is the version and the checksum of every migration that the database knows of.
pub(crate) fn check(applied: &[(i64, String)], migrations: &[Migration]) -> Result<(), StoreError> {
    let known: BTreeMap<i64, String> = migrations
        .iter()
        .map(|migration| (i64::from(migration.version()), migration.checksum().to_string()))
        .collect();
    for (version, checksum) in applied {
        match known.get(version) {
            None => return Err(StoreError::Newer),
            Some(known) if known != checksum => return Err(StoreError::Unreleased),
            Some(_) => {}
        }
    }
    if applied.len() < known.len() { Err(StoreError::Older) } else { Ok(()) }
}
