//! The phone's data key: 32 random bytes, drawn once and kept sealed by the device's keys. What is secret in the
//! database is sealed with it, so that a key store in hardware is asked once a start and not once a value.

use std::sync::{Arc, PoisonError};

use moa_wire::api::Base64;

use crate::error::{PhoneError, StorageError};
use crate::key_store::KeyStoreError;
use crate::phone::Phone;
use crate::sealing::{KEY_BYTES, Sealing, random};
use crate::session::Kept;
use crate::store::{meta, secrets};

/// How often the key store is asked: to seal a new key, to open it, and both again if what there was is gone.
const TRIES: usize = 4;

impl Phone {
    /// What the phone's secrets are sealed with. Asks the key store the first time, so no lock may be held.
    ///
    /// If the key store says that it can never open the data key again (the database was brought to another device),
    /// the secrets are forgotten, the device vouches for another session, and all else stays.
    pub(crate) fn sealing(&self) -> Result<Arc<Sealing>, PhoneError> {
        if let Some(sealing) = self.sealing.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(sealing);
        }
        for _ in 0..TRIES {
            let Some(sealed) = self.store().read(|db| meta::get(db, &meta::DATA_KEY))? else {
                self.draw_data_key()?;
                continue;
            };
            match self.keys().unseal(&sealed.0) {
                Ok(key) => {
                    let key = key.try_into().map_err(|_| failed("what it opened is no data key"))?;
                    let sealing = Arc::new(Sealing::new(&key));
                    *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&sealing));
                    return Ok(sealing);
                }
                Err(KeyStoreError::Gone(why)) => {
                    tracing::warn!(why, "the data key can't be opened any more: the secrets are forgotten");
                    self.write(|db| match meta::get(db, &meta::DATA_KEY)? {
                        Some(now) if now == sealed => secrets::forget_all(db),
                        _ => Ok(()), // Someone else was faster.
                    })?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(failed("it can't open what it sealed").into())
    }

    /// The session for reads, if there is one. One that was changed on disk is gone: the device vouches for another.
    pub(crate) fn kept_session(&self) -> Result<Option<Kept>, PhoneError> {
        let sealing = self.sealing()?;
        match self.store().read(|db| secrets::get(db, &sealing, &secrets::SESSION)) {
            Err(PhoneError::Storage(StorageError::Corrupt(what))) => {
                tracing::error!(what, "a secret was changed or moved");
                self.write(|db| secrets::clear(db, &secrets::SESSION))?;
                Ok(None)
            }
            session => session,
        }
    }

    /// The data key was forgotten: another one is drawn when it is needed.
    pub(crate) fn forget_sealing(&self) {
        *self.sealing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn draw_data_key(&self) -> Result<(), PhoneError> {
        let mut key = [0; KEY_BYTES];
        random(&mut key)?;
        let sealed = Base64(self.keys().seal(&key)?);
        self.store().write(|db| match meta::get(db, &meta::DATA_KEY)? {
            None => meta::set(db, &meta::DATA_KEY, &sealed),
            Some(_) => Ok(()), // Someone else was faster.
        })
    }
}

fn failed(why: &str) -> KeyStoreError {
    KeyStoreError::Failed(why.to_owned())
}
