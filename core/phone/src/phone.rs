//! One phone: its data, its key, its clock. Every call is short and works without a network.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use moa_rules::id::{AccountId, KeyId, MerchantId, OpId};
use moa_rules::op::{OP_VERSION, Op, OpBody};
use moa_rules::time::Timestamp;
use moa_wire::keys::Signer;
use moa_wire::token::Checked;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::breach::Breach;
use crate::environment::{Environment, OpIds, SystemEnvironment};
use crate::error::PhoneError;
use crate::key;
use crate::key_store::{DeviceKeys, SoftwareKeys};
use crate::lookup::Wanted;
use crate::sealing::Sealing;
use crate::set_aside;
use crate::store::outbox::Effect;
use crate::store::{Store, inbox, meta, outbox, secrets};

/// Where a phone keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In this directory, made if need be: `phone.db`, and `device.key` unless keys are given.
    Directory(PathBuf),
    /// Nowhere: gone when the phone is dropped. For tests and simulations.
    Memory,
}

/// How to open a phone.
pub struct Options {
    /// Where its data is.
    pub data: Data,
    /// The device's keys, such as [`HostKeys`](crate::HostKeys); none for a key in software, kept with the data.
    pub keys: Option<Arc<dyn DeviceKeys>>,
    /// Clock and randomness.
    pub environment: Arc<dyn Environment>,
    /// The server's address as it knows it itself, such as `https://moa.example`: links that lead into the app begin with
    /// it, and reads are proved for it.
    pub link_base: String,
    /// What the person calls this device; empty if nothing was said. The server keeps 60 characters.
    pub device_name: String,
    /// The language of the server's sentences: `ko` or `en`.
    pub language: String,
}

impl Options {
    /// A phone in this place with a software key, the system's clock, and Korean sentences.
    pub fn new(data: Data) -> Self {
        Self {
            data,
            keys: None,
            environment: Arc::new(SystemEnvironment::default()),
            link_base: "https://moa.example".to_owned(),
            device_name: String::new(),
            language: "ko".to_owned(),
        }
    }
}

/// The file of a key in software.
const KEY_FILE: &str = "device.key";

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedIn {
    /// Nobody yet.
    No,
    /// This account.
    Yes(AccountId),
    /// This account, but the server no longer knows this device: the number must be confirmed again.
    Again(AccountId),
}

/// A phone. Safe to share between threads; see the crate's head for how it is used.
pub struct Phone {
    store: Store,
    keys: Arc<dyn DeviceKeys>,
    key: KeyId,
    /// Once the key store has opened it.
    pub(crate) sealing: Mutex<Option<Arc<Sealing>>>,
    environment: Arc<dyn Environment>,
    ids: OpIds,
    link_base: String,
    device_name: String,
    language: String,
    clock_offset: AtomicI64,
    version: watch::Sender<u64>,
    /// When the server was last heard, by its clock; 0 for never.
    pub(crate) heard: AtomicI64,
    pub(crate) wanted: Wanted,
    /// Sales that could not be chosen for without a question: left to the person until the app is opened again.
    pub(crate) left: Mutex<BTreeSet<OpId>>,
}

impl Phone {
    /// Opens a phone, or makes one.
    ///
    /// # Errors
    /// Storage or key; [`PhoneError::NewerData`] if a newer app wrote the data.
    pub fn open(options: Options) -> Result<Self, PhoneError> {
        let Options { data, keys, environment, link_base, device_name, language } = options;
        if let Data::Directory(directory) = &data {
            std::fs::create_dir_all(directory)?;
        }
        let given = keys.is_some();
        let mut keys = match (keys, &data) {
            (Some(keys), _) => keys,
            (None, Data::Directory(directory)) => Arc::new(key::load_or_create(&directory.join(KEY_FILE))?),
            (None, Data::Memory) => Arc::new(SoftwareKeys::generate()?),
        };
        let begin = |db: &Connection, keys: &dyn DeviceKeys| {
            take_over(db, keys.key_id())?;
            if inbox::learned_to_read(db)? {
                // What was skipped is in the snapshot.
                meta::clear(db, &meta::CURSOR)?;
            }
            Ok(())
        };
        let store = match &data {
            Data::Directory(directory) => {
                let begin = |db: &Connection| begin(db, &*keys);
                set_aside::open(&directory.join("phone.db"), &*keys, environment.now(), begin)?
            }
            Data::Memory => {
                let store = Store::open(None)?;
                store.write(|db| begin(db, &*keys))?;
                store
            }
        };
        if store.read(|db| meta::get(db, &meta::LEFT))?.is_some() {
            if let (false, Data::Directory(directory)) = (given, &data) {
                keys = Arc::new(key::renew(&directory.join(KEY_FILE))?);
            }
            store.write(|db| {
                begin(db, &*keys)?;
                meta::clear(db, &meta::LEFT)
            })?;
        }
        let (clock_offset, heard) =
            store.read(|db| Ok((meta::get(db, &meta::CLOCK_OFFSET)?, meta::get(db, &meta::HEARD_AT)?)))?;
        Ok(Self {
            store,
            key: keys.key_id(),
            keys,
            sealing: Mutex::default(),
            environment,
            ids: OpIds::default(),
            link_base,
            device_name,
            language,
            clock_offset: AtomicI64::new(clock_offset.unwrap_or(0)),
            version: watch::Sender::new(0),
            heard: AtomicI64::new(heard.map_or(0, |heard| heard.0)),
            wanted: Wanted::default(),
            left: Mutex::default(),
        })
    }

    /// The device key's id.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// Storage.
    pub fn signed_in(&self) -> Result<SignedIn, PhoneError> {
        self.store.read(|db| {
            let enrolled = meta::get(db, &meta::ENROLLED)?;
            Ok(match (meta::get(db, &meta::ACCOUNT)?, enrolled) {
                (None, _) => SignedIn::No,
                (Some(account), Some(true)) => SignedIn::Yes(account),
                (Some(account), _) => SignedIn::Again(account),
            })
        })
    }

    /// The account on this phone.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn account(&self) -> Result<AccountId, PhoneError> {
        self.store.read(account)
    }

    /// What does not add up, if anything: shown until [`Self::start_over`].
    ///
    /// # Errors
    /// Storage.
    pub fn breach(&self) -> Result<Option<Breach>, PhoneError> {
        self.store.read(|db| meta::get(db, &meta::BREACH))
    }

    /// Takes the server's word anew: the next sync begins with a snapshot, and inboxes set aside are followed
    /// again. The outbox stays.
    ///
    /// # Errors
    /// Storage.
    pub fn start_over(&self) -> Result<(), PhoneError> {
        self.write(|db| {
            meta::clear(db, &meta::BREACH)?;
            meta::clear(db, &meta::CURSOR)?;
            inbox::forget_all(db)
        })
    }

    /// The server's clock, as far as this phone can tell: its own clock, and the difference when they last spoke.
    pub fn now(&self) -> Timestamp {
        self.environment.now().plus(self.clock_offset.load(Ordering::Relaxed))
    }

    /// Rises whenever something changed that a screen may show. Several changes may be seen as one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// What the person calls this device.
    pub(crate) fn device_name(&self) -> &str {
        &self.device_name
    }

    /// The server's address: links that lead into the app begin with it.
    pub fn link_base(&self) -> &str {
        &self.link_base
    }

    /// The language of the server's sentences.
    pub fn language(&self) -> &str {
        &self.language
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.keys
    }

    pub(crate) fn keys(&self) -> &dyn DeviceKeys {
        &*self.keys
    }

    pub(crate) fn environment(&self) -> &dyn Environment {
        &*self.environment
    }

    /// Writes, and tells whoever watches.
    pub(crate) fn write<T>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, PhoneError>,
    ) -> Result<T, PhoneError> {
        let value = self.store.write(f)?;
        self.changed();
        Ok(value)
    }

    pub(crate) fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// The server told its time. Differences that a slow answer explains are left alone.
    pub(crate) fn server_told_time(&self, db: &Connection, server: Timestamp) -> Result<(), PhoneError> {
        const NOTICED: i64 = 2 * Timestamp::SECOND;
        let offset = server.0.saturating_sub(self.environment.now().0);
        if self.clock_offset.load(Ordering::Relaxed).abs_diff(offset) > NOTICED.unsigned_abs() {
            meta::set(db, &meta::CLOCK_OFFSET, &offset)?;
            self.clock_offset.store(offset, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Takes the next counter: on disk before anything is signed with it.
    pub(crate) fn take_counter(&self) -> Result<u64, PhoneError> {
        self.store.write(|db| meta::take_counters(db, self.key, 1))
    }

    /// Signs an op. No lock is held: the key may ask for a finger.
    pub(crate) fn sign(&self, body: OpBody) -> Result<Checked<Op>, PhoneError> {
        let counter = self.take_counter()?;
        self.sign_with(body, counter)
    }

    /// A new id.
    pub(crate) fn op_id(&self) -> OpId {
        self.ids.next(self.environment())
    }

    /// Signs many ops, whose counters are taken at once.
    pub(crate) fn sign_all(&self, bodies: Vec<OpBody>) -> Result<Vec<Checked<Op>>, PhoneError> {
        let count = bodies.len() as u64;
        let first = self.store.write(|db| meta::take_counters(db, self.key, count))?;
        (first..).zip(bodies).map(|(counter, body)| self.sign_with(body, counter)).collect()
    }

    fn sign_with(&self, body: OpBody, counter: u64) -> Result<Checked<Op>, PhoneError> {
        let (version, id, actor) = (OP_VERSION, self.op_id(), self.key);
        let op = Op { version, id, actor, counter, time: self.now().seconds(), body };
        Ok(Checked::sign(op, self.signer())?)
    }

    /// Signs an op and puts it in the outbox with what it would change, in one transaction with `then`.
    pub(crate) fn submit(
        &self,
        body: OpBody,
        effect: impl FnOnce(OpId) -> Effect,
        then: impl FnOnce(&Connection, &Checked<Op>) -> Result<(), PhoneError>,
    ) -> Result<Checked<Op>, PhoneError> {
        let op = self.sign(body)?;
        let effect = effect(op.value().id);
        let at = self.now();
        self.write(|db| {
            outbox::insert(db, &op, effect, at)?;
            then(db, &op)
        })?;
        Ok(op)
    }
}

/// The account on this phone.
pub(crate) fn account(db: &Connection) -> Result<AccountId, PhoneError> {
    meta::get(db, &meta::ACCOUNT)?.ok_or(PhoneError::NotSignedIn)
}

/// The shop that this phone acts for, confirmed or about to be.
pub(crate) fn own_shop(db: &Connection) -> Result<Option<MerchantId>, PhoneError> {
    if let Some(merchant) = meta::get(db, &meta::MERCHANT)? {
        return Ok(Some(merchant));
    }
    let opening = outbox::pending(db, crate::outbox::Kind::RegisterMerchant)?;
    Ok(opening.first().map(|pending| pending.op.as_merchant()))
}

/// Data that another key wrote (a backup brought to a new device) is kept, but for the secrets, which only the other
/// device could open; and the new key must be enrolled.
fn take_over(db: &Connection, key: KeyId) -> Result<(), PhoneError> {
    let before = meta::get(db, &meta::KEY)?;
    if before == Some(key) {
        return Ok(());
    }
    meta::set(db, &meta::KEY, &key)?;
    if before.is_some() {
        meta::clear(db, &meta::ENROLLED)?;
        secrets::forget_all(db)?;
        meta::clear(db, &meta::MERCHANT)?;
        meta::clear(db, &meta::TILL)?;
        meta::clear(db, &meta::CURSOR)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_store::KeyStoreError;
    use moa_rules::merchant::MerchantProfile;
    use moa_rules::quantity::{Currency, Money};
    use moa_wire::keys::SignError;
    use std::sync::{OnceLock, Weak};

    fn signed_in(options: Options) -> Arc<Phone> {
        let phone = Phone::open(options).unwrap();
        phone.write(|db| meta::set(db, &meta::ACCOUNT, &AccountId([1; 16]))).unwrap();
        Arc::new(phone)
    }

    fn profile() -> MerchantProfile {
        MerchantProfile::new("카페", Currency::KRW, None)
    }

    #[test]
    fn edge_44_a_full_storage_is_told_and_half_a_sale_is_never_kept() {
        let directory = tempfile::tempdir().unwrap();
        let phone = signed_in(Options::new(Data::Directory(directory.path().to_owned())));
        phone.register_merchant(profile()).unwrap();
        let limit =
            |pages: i64| phone.store.read(|db| Ok(db.pragma_update(None, "max_page_count", pages)?));
        limit(1).unwrap(); // No fewer than there are: full from now on.
        let mut kept = 0;
        let full = loop {
            match phone.record_sale(Money(1_000), None) {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
            assert!(kept < 10_000, "it never fills up");
        };
        assert!(matches!(full, PhoneError::StorageFull), "{full:?}");
        assert_eq!(phone.merchant_today().unwrap().sales.len(), kept);
        assert_eq!(phone.outbox().unwrap().len(), kept + 1);
        limit(1_000_000).unwrap();
        phone.record_sale(Money(1_000), None).unwrap();
        assert_eq!(phone.merchant_today().unwrap().sales.len(), kept + 1);
    }

    /// A key store that looks at the phone while it signs, as a screen does while it asks for a finger.
    struct Slow {
        key: SoftwareKeys,
        phone: OnceLock<Weak<Phone>>,
    }

    impl Signer for Slow {
        fn public_key(&self) -> Vec<u8> {
            self.key.public_key()
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
            if let Some(phone) = self.phone.get().and_then(Weak::upgrade) {
                let looked = phone.balances().and_then(|_| phone.dismiss(OpId([0; 16])));
                looked.map_err(|error| SignError::Failed(error.to_string()))?;
            }
            self.key.sign(message)
        }
    }

    #[test]
    fn no_lock_is_held_while_the_key_signs() {
        let slow = Arc::new(Slow { key: SoftwareKeys::generate().unwrap(), phone: OnceLock::new() });
        let phone = signed_in(Options { keys: Some(slow.clone()), ..Options::new(Data::Memory) });
        slow.phone.set(Arc::downgrade(&phone)).unwrap();
        phone.register_merchant(profile()).unwrap();
        phone.record_sale(Money(1_000), None).unwrap();
    }

    impl DeviceKeys for Slow {
        fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            self.key.seal(plain)
        }

        fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            self.sign(sealed)?;
            self.key.unseal(sealed)
        }
    }

    /// A key that the user did not unlock.
    struct Locked(SoftwareKeys);

    impl Signer for Locked {
        fn public_key(&self) -> Vec<u8> {
            self.0.public_key()
        }

        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
            Err(SignError::Locked("no finger".into()))
        }
    }

    impl DeviceKeys for Locked {
        fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            self.0.seal(plain)
        }

        fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            self.0.unseal(sealed)
        }
    }

    #[test]
    fn a_key_that_does_not_sign_leaves_a_gap_in_the_counter_and_nothing_else() {
        let locked = Arc::new(Locked(SoftwareKeys::generate().unwrap()));
        let phone = signed_in(Options { keys: Some(locked), ..Options::new(Data::Memory) });
        assert!(matches!(phone.register_merchant(profile()), Err(PhoneError::Key(KeyStoreError::Locked(_)))));
        assert!(phone.outbox().unwrap().is_empty() && phone.own_shop().unwrap().is_none());
        assert_eq!(phone.take_counter().unwrap(), 2);
    }
}
