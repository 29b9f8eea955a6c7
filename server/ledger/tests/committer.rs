//! The committer: answers only after the commit, gathers what waits, survives a poison op.

mod town;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use moa_ledger::engine::{Engine, NotDecided};
use moa_ledger::memory::MemoryStore;
use moa_ledger::store::{
    Answer, CodeCheck, CodeTry, Committed, CountedBy, DirectoryGroup, DirectoryMerchant, Effect, Heard,
    InboxHead, InboxPage, KnownDevice, NewEnrolment, NewOneTime, NewToken, OneTimeKept, Outcome, People,
    Session, Store, StoreError, TakenOneTime,
};
use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::lot::Lot;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::Standing;
use moa_rules::terms::Basis;
use moa_rules::time::{Day, Timestamp};
use moa_wire::submission::Submission;
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

impl Store for Trying {
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
    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError> {
        self.inner.device(key)
    }
    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        self.inner.head(inbox)
    }
    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError> {
        self.inner.inbox(inbox, after, limit)
    }
    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError> {
        self.inner.lots(account)
    }
    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError> {
        self.inner.directory(after, limit)
    }
    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
        self.inner.merchant(merchant)
    }
    fn group(&self, group: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
        self.inner.group(group)
    }
    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
        self.inner.wallets_to_expire(now, limit)
    }
    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError> {
        self.inner.waiting_of(account)
    }
    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError> {
        self.inner.standing(account)
    }
    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
        self.inner.sales_for_best(now, limit)
    }
    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError> {
        self.inner.sales_to_lapse(now, limit)
    }

    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        self.inner.devices_of(account)
    }

    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
        self.inner.tills(merchant)
    }

    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
        self.inner.staff_of(merchant)
    }

    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError> {
        self.inner.sold_on(merchant, account, day)
    }

    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError> {
        self.inner.heard_of(key)
    }

    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError> {
        self.inner.passes_to_release(now, limit)
    }

    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError> {
        self.inner.passes_for(account, till, since)
    }

    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
        self.inner.holds_to_lapse(now, limit)
    }

    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError> {
        self.inner.open_holds(account, merchant)
    }

    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError> {
        self.inner.debts(account)
    }

    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError> {
        self.inner.amendments_due(now, limit)
    }

    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError> {
        self.inner.groups_to_end(now, limit)
    }

    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
        self.inner.lots_left(group, limit)
    }

    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError> {
        self.inner.is_operator(account)
    }

    fn forget_closed(&self) -> Result<(), StoreError> {
        self.inner.forget_closed()
    }
}

impl People for Trying {
    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError> {
        self.inner.begin_enrolment(enrolment)
    }
    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
        self.inner.try_code(attempt, now)
    }

    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
        self.inner.enrolments_since(by, since)
    }

    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_enrolments(before)
    }

    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.inner.device_enrolled(account, key, now)
    }

    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
        self.inner.known_devices(account)
    }

    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.begin_session(session, refresh_hash, token, name, now)
    }

    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.inner.session(refresh_hash)
    }

    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError> {
        self.inner.refresh_session(session, token, now)
    }

    fn end_session(&self, key: KeyId) -> Result<(), StoreError> {
        self.inner.end_session(key)
    }

    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
        self.inner.token(token_hash)
    }

    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_sessions(now)
    }

    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
        self.inner.member_tag(account, fresh)
    }
    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError> {
        self.inner.account_of_tag(tag)
    }
    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError> {
        self.inner.account_of_number(phone_mac, fresh, now)
    }
    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError> {
        self.inner.signed_up_with(phone_mac)
    }

    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_numbers(since)
    }
    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError> {
        self.inner.keep_one_time(one_time, most, since)
    }
    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError> {
        self.inner.take_one_time(mac, paying, by)
    }
    fn wrong_digits(&self, merchant: MerchantId, mac: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.inner.wrong_digits(merchant, mac, now)
    }
    fn wrong_digits_since(
        &self,
        merchant: MerchantId,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.inner.wrong_digits_since(merchant, since)
    }
    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError> {
        self.inner.forget_one_time(now, tries_before)
    }
    fn due_effects(&self, now: Timestamp, limit: usize) -> Result<Vec<Effect>, StoreError> {
        self.inner.due_effects(now, limit)
    }
    fn effect_done(&self, id: [u8; 16], now: Timestamp) -> Result<(), StoreError> {
        self.inner.effect_done(id, now)
    }
    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError> {
        self.inner.effect_failed(id, due_at)
    }
}

fn trying() -> (Town<Trying>, Shop, Engine) {
    let (actor, device) = system();
    let store = Arc::new(Trying {
        inner: MemoryStore::new(&device),
        gate: Mutex::new(true),
        opened: Condvar::new(),
        commits: Mutex::default(),
        poison: Mutex::default(),
        full: Mutex::new(false),
        waiting: AtomicUsize::new(0),
    });
    let town = Town::new(store.clone(), actor);
    let shop = town.shop("카페");
    town.group(points(500, 0, Basis::OnIssue), &[&shop]);
    store.commits.lock().unwrap().clear();
    store.waiting.store(0, Ordering::SeqCst);
    let engine = Engine::start(store, Arc::new(|| START));
    (town, shop, engine)
}

fn sale(town: &Town<Trying>, shop: &Shop) -> Submission {
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
    let mut watch = engine.watch(&[Inbox::Merchant(shop.id)]);
    engine.submit(vec![sale(&town, &shop)]).await.unwrap();
    watch.changed().await;
    let mut other = engine.watch(&[Inbox::Account(shop.actor.account)]);
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
