//! What handlers and jobs share.

use std::sync::{Arc, Mutex};

use moa_ledger::engine::Engine;
use moa_ledger::store::{Store, StoreError};
use moa_rules::event::Inbox;
use moa_wire::keys::{SignError, Signer, SoftwareKey};
use moa_wire::token::{Checked, Head};
use tokio::sync::{Notify, Semaphore, watch};

use crate::apps::Apps;
use crate::carrier::{Carrier, Development};
use crate::config::Limits;
use crate::keys::PublicKeys;
use crate::mailer::Mailer;
use crate::pepper::Pepper;
use crate::poster::Posters;
use crate::proof::Proofs;
use crate::test_clock::TestClock;

/// A server's parts.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) server_key: SoftwareKey,
    pub(crate) pepper: Pepper,
    pub(crate) public_keys: PublicKeys,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) mailer: Arc<dyn Mailer>,
    /// The development carrier, if its messages may be shown over HTTP.
    pub(crate) shown: Option<Arc<Development>>,
    /// The clock's hand, if it may be moved over HTTP.
    pub(crate) test_clock: Option<Arc<TestClock>>,
    /// Wakes the job that carries out effects.
    pub(crate) effects: Notify,
    /// Held while a number's enrolments are counted and one is added, so that a burst does not pass the limit.
    pub(crate) enrolling: Mutex<()>,
    /// Held while a shop's wrong digits are counted and others are tried.
    pub(crate) guessing: Mutex<()>,
    /// Limits on codes.
    pub(crate) limits: Limits,
    /// The proofs that came beside requests.
    pub(crate) proofs: Proofs,
    /// Taken by whoever decodes a picture.
    pub(crate) decoding: Semaphore,
    /// The apps that links open.
    pub(crate) apps: Apps,
    /// What draws posters.
    pub(crate) posters: Posters,
    /// The address at which phones reach this server, if it was told.
    pub(crate) link_base: Option<String>,
    /// Where it listens, as an address.
    pub(crate) address: String,
    /// True once the server stops; closed when nobody runs it any more.
    pub(crate) stopping: watch::Receiver<bool>,
    /// The API document, as JSON.
    pub(crate) openapi: String,
}

impl App {
    /// The store, for reads.
    pub(crate) fn store(&self) -> &dyn Store {
        self.engine.store().as_ref()
    }

    /// Runs what waits for a disk or computes for long, away from the threads that serve connections.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> T {
        let app = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// The address that links of this server begin with.
    pub(crate) fn base(&self) -> &str {
        self.link_base.as_deref().unwrap_or(&self.address)
    }

    /// Resolves when the server stops.
    pub(crate) async fn stopped(&self) {
        // An error says that nobody runs the server any more, which is the same.
        drop(self.stopping.clone().wait_for(|stopping| *stopping).await);
    }

    /// An inbox's head under the server's signature, as it travels.
    pub(crate) fn signed_head(&self, inbox: Inbox, count: u64, hash: [u8; 32]) -> Result<Vec<u8>, SignError> {
        let head = Checked::sign(Head::new(inbox, count, hash), &self.server_key)?;
        Ok(head.bytes().to_vec())
    }

    /// Whether the database answers.
    pub(crate) fn is_well(&self) -> Result<bool, StoreError> {
        Ok(self.store().device(self.server_key.key_id())?.is_some())
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A server's parts on a store in memory, without HTTP.

    use std::sync::atomic::{AtomicI64, Ordering};

    use moa_ledger::memory::MemoryStore;
    use moa_rules::device::Device;
    use moa_rules::time::Timestamp;

    use super::*;
    use crate::mailer;

    /// The parts, and the hand of their clock. They never stop.
    pub(crate) fn app(carrier: Arc<dyn Carrier>) -> (Arc<App>, Arc<AtomicI64>) {
        let (server_key, _) = SoftwareKey::generate().unwrap();
        let (key, public_key) = (server_key.key_id(), server_key.public_key());
        let system = Device::system(key, public_key);
        let hand = Arc::new(AtomicI64::new(1_790_000_000_000));
        let time = hand.clone();
        let clock = Arc::new(move || Timestamp(time.load(Ordering::SeqCst)));
        let app = App {
            engine: Engine::start(Arc::new(MemoryStore::new(&system)), clock),
            server_key,
            pepper: Pepper::new([7; 32]),
            public_keys: PublicKeys::default(),
            carrier,
            mailer: Arc::new(mailer::Development::default()),
            shown: None,
            test_clock: None,
            effects: Notify::new(),
            enrolling: Mutex::new(()),
            guessing: Mutex::new(()),
            limits: Limits::default(),
            proofs: Proofs::since(Timestamp(0)),
            decoding: Semaphore::new(1),
            apps: Apps::default(),
            posters: Posters::with_font(None).unwrap(),
            link_base: None,
            address: String::new(),
            stopping: watch::channel(false).1,
            openapi: String::new(),
        };
        (Arc::new(app), hand)
    }
}
