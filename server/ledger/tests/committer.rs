//! The committer: answers only after the commit, gathers what waits, survives a poison op.

mod town;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use moa_ledger::engine::{Engine, NotDecided};
use moa_ledger::memory::MemoryStore;
use moa_ledger::store::{Answer, Committed, Outcome, Store, StoreError};
use moa_ledger::sweep::{self, SweepError};
use moa_rules::event::Inbox;
use moa_rules::id::OpId;
use moa_rules::terms::Basis;
use moa_rules::time::Timestamp;
use moa_wire::keys::{SignError, Signer, SoftwareKey};
use moa_wire::submission::Submission;
use town::inner::{By, Commits};
use town::{START, Shop, Town, points, system};

/// A memory store whose commits can be held up, fail, or panic at one op.
struct Trying {
    inner: MemoryStore,
    gate: Mutex<bool>,
    opened: Condvar,
    commits: Mutex<Vec<usize>>,
    poison: Mutex<Option<OpId>>,
    full: Mutex<bool>,
    waiting: AtomicUsize,
}

impl Trying {
    fn open_gate(&self, open: bool) {
        *self.gate.lock().unwrap() = open;
        self.opened.notify_all();
    }
}

impl Commits for Trying {
    type Inner = MemoryStore;

    fn inner(&self) -> &MemoryStore {
        &self.inner
    }

    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.opened.wait_while(self.gate.lock().unwrap(), |open| !*open).unwrap());
        if *self.full.lock().unwrap() {
            return Err(StoreError::Corrupt("disk full".into()));
        }
        let poison = *self.poison.lock().unwrap();
        assert!(!batch.iter().any(|one| Some(one.op.value().id) == poison), "poison");
        self.commits.lock().unwrap().push(batch.len());
        self.inner.commit(batch, now)
    }
}

fn trying() -> (Town<By<Trying>>, Shop, Engine) {
    let (actor, device) = system();
    let store = Arc::new(By(Trying {
        inner: MemoryStore::new(&device),
        gate: Mutex::new(true),
        opened: Condvar::new(),
        commits: Mutex::default(),
        poison: Mutex::default(),
        full: Mutex::new(false),
        waiting: AtomicUsize::new(0),
    }));
    let town = Town::new(store.clone(), actor);
    let shop = town.shop("카페");
    town.group(points(500, 0, Basis::OnIssue), &[&shop]);
    store.commits.lock().unwrap().clear();
    store.waiting.store(0, Ordering::SeqCst);
    let engine = Engine::start(store, Arc::new(|| START));
    (town, shop, engine)
}

fn sale(town: &Town<By<Trying>>, shop: &Shop) -> Submission {
    town.check(&town.sale(shop, 4_500)).unwrap()
}

#[tokio::test]
async fn what_waits_during_a_commit_is_committed_together() {
    let (town, shop, engine) = trying();
    town.store.open_gate(false);
    let first = tokio::spawn({
        let (engine, op) = (engine.clone(), sale(&town, &shop));
        async move { engine.submit(vec![op]).await }
    });
    while town.store.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut rest: Vec<_> = Vec::new();
    for _ in 0..300 {
        let mut waiting = Box::pin({
            let (engine, op) = (engine.clone(), sale(&town, &shop));
            async move { engine.submit(vec![op]).await }
        });
        // Polled once, so that it stands in the queue.
        assert!(futures_poll(&mut waiting).await.is_none());
        rest.push(waiting);
    }
    town.store.open_gate(true);
    let applied = Ok(vec![Outcome::First(Answer::Applied)]);
    assert_eq!(first.await.unwrap(), applied);
    for waiting in rest {
        assert_eq!(waiting.await, applied);
    }
    assert_eq!(*town.store.commits.lock().unwrap(), [1, 256, 44]);
}

/// A key that counts what it signs.
struct Counting<'a> {
    key: &'a SoftwareKey,
    signed: AtomicUsize,
}

impl Signer for Counting<'_> {
    fn public_key(&self) -> Vec<u8> {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.key.sign(message)
    }
}

/// So many wallets in which everything has expired, and an engine later than that.
fn expired(wallets: usize) -> (Town<By<Trying>>, Engine) {
    let (town, shop, _) = trying();
    let group = town.group(points(500, 0, Basis::OnIssue), &[&shop]);
    for _ in 0..wallets {
        town.earn(&shop, &town.enrol(), group, 10_000);
    }
    town.store.commits.lock().unwrap().clear();
    let engine = Engine::start(town.store.clone(), Arc::new(|| START.plus(400 * Timestamp::DAY)));
    (town, engine)
}

#[test]
fn a_sweep_makes_the_next_ops_while_the_last_are_being_committed() {
    let (town, engine) = expired(300);
    let key = Counting { key: &town.system.key, signed: AtomicUsize::new(0) };
    town.store.open_gate(false);
    std::thread::scope(|scope| {
        let sweeping = scope.spawn(|| sweep::run(&engine, &key, sweep::expired).unwrap());
        while key.signed.load(Ordering::SeqCst) < 300 {
            std::thread::yield_now();
        }
        assert!(town.store.commits.lock().unwrap().is_empty());
        assert_eq!(engine.undecided(), 1, "what comes meanwhile goes before the next");
        town.store.open_gate(true);
        assert_eq!(sweeping.join().unwrap(), 300);
    });
    assert_eq!(*town.store.commits.lock().unwrap(), [256, 44]);
    assert_eq!(town.store.wallets_to_expire(engine.now(), 1).unwrap(), []);
}

#[test]
fn a_sweep_that_was_not_decided_goes_on_with_the_next() {
    let (town, engine) = expired(3);
    let sweep = || sweep::run(&engine, &town.system.key, sweep::expired);
    *town.store.full.lock().unwrap() = true;
    let stopped = sweep();
    assert!(matches!(stopped, Err(SweepError::NotDecided(NotDecided))), "{stopped:?}");
    *town.store.full.lock().unwrap() = false;
    assert_eq!(sweep().unwrap(), 3);
    assert_eq!(sweep().unwrap(), 0);
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_poison_op_is_alone_in_not_being_decided() {
    let (town, shop, engine) = trying();
    let ops: Vec<Submission> = (0..8).map(|_| sale(&town, &shop)).collect();
    *town.store.poison.lock().unwrap() = Some(ops[5].op.value().id);
    assert_eq!(engine.submit(ops.clone()).await, Err(NotDecided));
    let mut outcomes = Vec::new();
    for op in ops {
        outcomes.push(engine.submit(vec![op]).await);
    }
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let again = Ok(vec![Outcome::Again(Answer::Applied)]);
        assert_eq!(outcome, if index == 5 { Err(NotDecided) } else { again }, "op {index}");
    }
}

#[tokio::test]
async fn a_full_disk_decides_nothing_and_the_same_op_succeeds_later() {
    let (town, shop, engine) = trying();
    let op = sale(&town, &shop);
    *town.store.full.lock().unwrap() = true;
    assert_eq!(engine.submit(vec![op.clone()]).await, Err(NotDecided));
    *town.store.full.lock().unwrap() = false;
    assert_eq!(engine.submit(vec![op]).await, Ok(vec![Outcome::First(Answer::Applied)]));
}

#[tokio::test]
async fn a_watch_is_woken_by_what_lands_after_it_began() {
    let (town, shop, engine) = trying();
    let mut watch = engine.watch(&[(Inbox::Merchant(shop.id), 0)]);
    engine.submit(vec![sale(&town, &shop)]).await.unwrap();
    watch.changed().await;
    let mut other = engine.watch(&[(Inbox::Account(shop.actor.account), 0)]);
    engine.submit(vec![sale(&town, &shop)]).await.unwrap();
    let mut quiet = Box::pin(other.changed());
    assert!(futures_poll(&mut quiet).await.is_none());
}

#[tokio::test]
async fn stopping_decides_what_waits_and_refuses_what_comes() {
    let (town, shop, engine) = trying();
    town.store.open_gate(false);
    let waiting = tokio::spawn({
        let (engine, op) = (engine.clone(), sale(&town, &shop));
        async move { engine.submit(vec![op]).await }
    });
    while town.store.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(engine.undecided(), 1);
    let stopping = tokio::task::spawn_blocking({
        let engine = engine.clone();
        move || engine.stop()
    });
    town.store.open_gate(true);
    stopping.await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(vec![Outcome::First(Answer::Applied)]));
    assert_eq!(engine.submit(vec![sale(&town, &shop)]).await, Err(NotDecided));
    assert_eq!(engine.undecided(), 0);
}
