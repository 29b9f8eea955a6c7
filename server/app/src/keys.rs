//! Public keys, kept in memory in front of the store.
//!
//! A key id names one public key for ever, so nothing here can be out of date. Whether a key may still sign is for
//! the rules to decide, from its record.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use moa_ledger::store::{Store, StoreError};
use moa_rules::id::KeyId;

/// The most keys that are kept, some 15 MB. When they are reached, all go and gather again.
const KEPT: usize = 100_000;

/// Public keys by their id.
#[derive(Default)]
pub(crate) struct PublicKeys {
    known: RwLock<HashMap<KeyId, Arc<[u8]>>>,
}

impl PublicKeys {
    /// The key of that id, if it was ever enrolled.
    pub(crate) fn get(&self, id: KeyId, store: &dyn Store) -> Result<Option<Arc<[u8]>>, StoreError> {
        if let Some(key) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Some(key.clone()));
        }
        let Some(device) = store.device(id)? else { return Ok(None) };
        let key: Arc<[u8]> = device.public_key.into();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(id, key.clone());
        Ok(Some(key))
    }
}
