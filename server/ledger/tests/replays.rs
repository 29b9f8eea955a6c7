//! What was sent before may come again at any time, from its beginning and as far as one likes: each op gets its first
//! answer, and nothing changes.

mod town;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use moa_ledger::memory::MemoryStore;
use moa_ledger::sqlite::SqliteStore;
use moa_ledger::store::{Answer, Committed, InboxHead, Outcome, StoreError};
use moa_ledger::tables::Tables;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;
use town::aftermath::aftermath;
use town::inner::{By, Commits};
use town::lively::{history, vicissitudes};
use town::stores::Subject;
use town::{Town, system};

/// A store to which, after every commit, all that came before comes again, up to somewhere.
struct Replaying<S> {
    inner: S,
    /// What was committed, and what it was told.
    sent: Mutex<Vec<(Submission, Answer)>>,
    /// Inboxes in which something arrived.
    inboxes: Mutex<Vec<Inbox>>,
    replayed: AtomicUsize,
}

impl<S: Subject> Replaying<S> {
    fn new(inner: S) -> Self {
        let (sent, inboxes) = (Mutex::default(), Mutex::default());
        Self { inner, sent, inboxes, replayed: AtomicUsize::new(0) }
    }

    fn state(&self) -> (Tables, Vec<InboxHead>) {
        (self.inner.tables(), self.inner.heads(&self.inboxes.lock().unwrap()).unwrap())
    }

    fn replay(&self, now: Timestamp) {
        let sent = self.sent.lock().unwrap();
        // Now a short one, now a long one.
        let until = sent.len() * 7_919 / 13 % (sent.len() + 1);
        let before = self.state();
        let prefix: Vec<Submission> =
            sent[..until].iter().map(|(submission, _)| submission.clone()).collect();
        let again = self.inner.commit(&prefix, now).unwrap();
        let first: Vec<Outcome> =
            sent[..until].iter().map(|(_, answer)| Outcome::Again(answer.clone())).collect();
        assert_eq!(again.outcomes, first);
        assert_eq!(again.touched, []);
        assert!(self.state() == before, "the first {until} of {} changed something", sent.len());
        self.replayed.fetch_add(until, Ordering::Relaxed);
    }
}

impl<S: Subject> Commits for Replaying<S> {
    type Inner = S;

    fn inner(&self) -> &S {
        &self.inner
    }

    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        let committed = self.inner.commit(batch, now)?;
        for (submission, outcome) in batch.iter().zip(&committed.outcomes) {
            if let Outcome::First(answer) = outcome {
                self.sent.lock().unwrap().push((submission.clone(), answer.clone()));
            }
        }
        self.inboxes.lock().unwrap().extend(&committed.touched);
        self.replay(now);
        Ok(committed)
    }
}

fn edge_01_any_prefix_replayed<S: Subject>(open: impl FnOnce(&Device) -> S) {
    let (actor, device) = system();
    let store = Arc::new(By(Replaying::new(open(&device))));
    let mut town = Town::new(Arc::clone(&store), actor);
    history(&mut town);
    vicissitudes(&mut town);
    aftermath(&mut town);
    let (sent, replayed) = (store.sent.lock().unwrap().len(), store.replayed.load(Ordering::Relaxed));
    assert!(sent > 150 && replayed > 40 * sent, "{replayed} times one of {sent}");
}

#[test]
fn edge_01_any_prefix_replayed_is_a_no_op_in_memory() {
    edge_01_any_prefix_replayed(MemoryStore::new);
}

#[test]
fn edge_01_any_prefix_replayed_is_a_no_op_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    edge_01_any_prefix_replayed(|device| SqliteStore::open(&folder.path().join("moa.db"), device).unwrap());
}
