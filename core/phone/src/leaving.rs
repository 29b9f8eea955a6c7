//! What a phone has recorded and not sent, when it last heard the server, and signing out.

use std::sync::atomic::Ordering;

use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::Phone;
use crate::store::{self, meta, outbox};

/// How often it is written down that the server was heard. A phone that is killed shows an instant so much too early.
const HEARD_EVERY: i64 = Timestamp::MINUTE;

/// Ops that the server has not answered. They are lost with the app's data, and with nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    /// All of them.
    pub ops: u64,
    /// Sales among them.
    pub sales: u64,
    /// Claims among them.
    pub claims: u64,
}

impl Phone {
    /// What would be lost if the app were removed now.
    ///
    /// # Errors
    /// Storage.
    pub fn unsent(&self) -> Result<Unsent, PhoneError> {
        self.store().read(unsent)
    }

    /// When the server was last heard, by its clock: how old is what this phone shows. None before it was heard at all.
    pub fn heard_at(&self) -> Option<Timestamp> {
        let heard = self.heard.load(Ordering::Relaxed);
        (heard > 0).then_some(Timestamp(heard))
    }

    /// Signs out: forgets everything about the person, so that another may sign in here. The data directory is to be
    /// opened anew for that. A key in software is then another one; a host makes a new key in its key store, since the
    /// server knows the old one as the first person's.
    ///
    /// # Errors
    /// [`PhoneError::Unsent`], and nothing was changed, unless what waits may be lost.
    pub fn sign_out(&self, lose: bool) -> Result<(), PhoneError> {
        self.write(|db| {
            let waiting = unsent(db)?;
            if waiting.ops > 0 && !lose {
                return Err(PhoneError::Unsent(waiting));
            }
            store::forget_person(db)?;
            meta::set(db, &meta::LEFT, &true)
        })?;
        self.forget_sealing();
        self.heard.store(0, Ordering::Relaxed);
        // What was deleted must not lie on in the log.
        self.store().empty_log()
    }

    /// The server has answered.
    pub(crate) fn heard_server(&self) -> Result<(), PhoneError> {
        let now = self.now();
        self.heard.store(now.0, Ordering::Relaxed);
        let written = self.store().read(|db| meta::get(db, &meta::HEARD_AT))?;
        if written.is_none_or(|written| written.0.abs_diff(now.0) >= HEARD_EVERY.unsigned_abs()) {
            self.store().write(|db| meta::set(db, &meta::HEARD_AT, &now))?;
        }
        Ok(())
    }
}

fn unsent(db: &Connection) -> Result<Unsent, PhoneError> {
    let ops = outbox::waiting(db)?.0;
    let (sales, claims) = (outbox::count(db, Kind::RecordSale)?, outbox::count(db, Kind::Claim)?);
    Ok(Unsent { ops, sales, claims })
}
