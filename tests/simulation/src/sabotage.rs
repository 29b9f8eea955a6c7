//! Things that are wrong on purpose, to show that the simulation notices: a store with one thing missing, a phone
//! that forgets. Nothing of the product has a switch for them; they are built here, around `moa_ledger::batch`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use moa_ledger::batch::{self, Changes, Prior, Tx};
use moa_ledger::memory::MemoryStore;
use moa_ledger::search::{Found, Query};
use moa_ledger::store::invitations::{Invitations, MOST_INVITATIONS, Seen, Sending, Sent, Trace};
use moa_ledger::store::pictures::{NewPicture, PictureKept, Pictures};
use moa_ledger::store::{
    CodeCheck, CodeTry, Committed, CountedBy, DirectoryGroup, DirectoryMerchant, Effect, Heard, InboxHead,
    InboxPage, KnownDevice, NewEnrolment, NewOneTime, NewToken, OneTimeKept, People, Session, Store,
    StoreError, TakenOneTime, missing, pass_over,
};
use moa_ledger::tables::Tables;
use moa_rules::admission::JoinRequest;
use moa_rules::amendment::Amendment;
use moa_rules::certificate::Certificate;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::group::Group;
use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId, PictureId};
use moa_rules::invitation::{Invitation, TokenHash};
use moa_rules::lot::{Lot, Wallet};
use moa_rules::pass::{Pass, PassState};
use moa_rules::quantity::{MAX_AMOUNT, Money, Units};
use moa_rules::redemption::Redemption;
use moa_rules::sale::Sale;
use moa_rules::staff::{Limits, Staff};
use moa_rules::standing::Standing;
use moa_rules::state::Row;
use moa_rules::time::{Day, Timestamp};
use moa_rules::view::{Cell, Key};
use moa_wire::submission::Submission;
use moa_wire::{canonical, chain};

use crate::ledger::broken;
use crate::world::World;
use crate::{Settings, Step};

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// An op that came before is decided anew.
    DropIdCheck,
    /// An inbox's numbers are drawn outside the transaction: what is rolled back leaves a gap.
    NumberOutside,
    /// Answers are given before the commit is on disk: what is under way is lost with the server.
    AnswerBeforeCommit,
    /// Counters are not kept: a code can be used again.
    ForgetCounter,
    /// Now and then a commit that was repeated takes effect twice.
    ApplyTwice,
    /// A phone that is killed loses what was pending.
    LoseOverlay,
    /// A new device of an account pays at once.
    SkipWait,
    /// A key that was revoked signs on.
    HonourRevoked,
    /// A pass is taken by any till, and again.
    SpendPassTwice,
    /// The staff earn at their own shop.
    CreditStaff,
    /// A clerk's limits are not looked at.
    IgnoreLimits,
    /// What was sold under a certificate is forgotten.
    ForgetCertificate,
    /// What passes hold never comes back.
    NeverRelease,
    /// What passes hold comes back whenever the sweep asks.
    ReleaseTwice,
    /// A phone forgets what it was to send again after the server went back.
    LoseSentAgain,
    /// What comes back from a lot that has ended comes back into it, and it lasts a month longer.
    ReviveEnded,
    /// A refund takes what it takes back from another group.
    ClawElsewhere,
    /// Debts are not looked at when something is earned.
    ForgetDebts,
    /// What a hold held comes back whenever the sweep asks.
    LapseTwice,
    /// A hold is captured again, and after its time.
    CaptureAgain,
    /// What came back of a redemption is forgotten.
    ReverseTwice,
    /// Nothing: the same store as it should be.
    Nothing,
}

impl Sabotage {
    /// Everything that must be noticed.
    pub const ALL: [Self; 21] = [
        Self::DropIdCheck,
        Self::NumberOutside,
        Self::AnswerBeforeCommit,
        Self::ForgetCounter,
        Self::ApplyTwice,
        Self::LoseOverlay,
        Self::SkipWait,
        Self::HonourRevoked,
        Self::SpendPassTwice,
        Self::CreditStaff,
        Self::IgnoreLimits,
        Self::ForgetCertificate,
        Self::NeverRelease,
        Self::ReleaseTwice,
        Self::LoseSentAgain,
        Self::ReviveEnded,
        Self::ClawElsewhere,
        Self::ForgetDebts,
        Self::LapseTwice,
        Self::CaptureAgain,
        Self::ReverseTwice,
    ];

    /// Whether a decision sees cells that are not so.
    fn spoils_cells(self) -> bool {
        matches!(
            self,
            Self::SkipWait
                | Self::HonourRevoked
                | Self::SpendPassTwice
                | Self::CreditStaff
                | Self::IgnoreLimits
                | Self::ForgetCertificate
                | Self::ReleaseTwice
                | Self::ReviveEnded
                | Self::ClawElsewhere
                | Self::ForgetDebts
                | Self::LapseTwice
                | Self::CaptureAgain
                | Self::ReverseTwice
        )
    }

    /// Whether it matters whose op, and of which kind, a cell is loaded for.
    fn one_by_one(self) -> bool {
        matches!(
            self,
            Self::SpendPassTwice
                | Self::ReviveEnded
                | Self::ClawElsewhere
                | Self::ForgetDebts
                | Self::CaptureAgain
                | Self::ReverseTwice
        )
    }

    /// Whether it is the phones that are wrong, and not the store.
    pub(crate) fn is_of_phones(self) -> bool {
        matches!(self, Self::LoseOverlay | Self::LoseSentAgain)
    }
}

impl Settings {
    /// The store of this sabotage, unless it is the phones that are wrong.
    pub(crate) fn spoilt_store(&self, system: &Device) -> Option<SpoiltStore> {
        let sabotage = self.sabotage.filter(|sabotage| !sabotage.is_of_phones())?;
        Some(SpoiltStore::new(sabotage, system))
    }
}

impl World {
    /// Wipes what is pending from the disk of a phone that was killed: an overlay kept in memory alone.
    pub(crate) fn lose_overlay(&mut self, person: usize) -> Step {
        if self.settings.sabotage != Some(Sabotage::LoseOverlay) {
            return Ok(());
        }
        let Some(path) = self.people[person].database() else { return Ok(()) };
        let phone = rusqlite::Connection::open(path).map_err(broken)?;
        phone.execute("DELETE FROM pending", []).map_err(broken)?;
        Ok(())
    }

    /// Takes what is to be sent again for answered, right after a snapshot.
    pub(crate) fn lose_sent_again(&mut self, person: usize) -> Step {
        if self.settings.sabotage != Some(Sabotage::LoseSentAgain) {
            return Ok(());
        }
        let Some(path) = self.people[person].database() else { return Ok(()) };
        let phone = rusqlite::Connection::open(path).map_err(broken)?;
        let lose = "UPDATE outbox SET state = 'applied' WHERE state = 'waiting' AND again";
        phone.execute(lose, []).map_err(broken)?;
        Ok(())
    }
}

/// How many commits lie between two syncs of a store that answers before it is on disk.
const COMMITS_A_SYNC: u64 = 4;
/// Of how many commits one is repeated.
const REPEATED: u64 = 16;

/// A store in memory with one thing wrong.
pub(crate) struct SpoiltStore {
    sabotage: Sabotage,
    state: Mutex<State>,
    people: MemoryStore,
}

struct State {
    sabotage: Sabotage,
    commits: u64,
    books: Books,
    /// As on disk, where that is behind.
    synced: Books,
    /// Numbers drawn, where they are drawn outside the transaction.
    drawn: BTreeMap<Inbox, u64>,
    /// Whose op is being decided, where ops are decided one by one, and its kind.
    author: KeyId,
    kind: &'static str,
    /// Ops by which passes and holds came back.
    releases: BTreeSet<OpId>,
}

#[derive(Clone)]
struct Books {
    tables: Tables,
    ops: HashMap<(KeyId, OpId), Prior>,
    inboxes: BTreeMap<Inbox, (Vec<Vec<u8>>, InboxHead)>,
    changed: BTreeMap<MerchantId, Timestamp>,
}

impl SpoiltStore {
    fn new(sabotage: Sabotage, system: &Device) -> Self {
        let books = Books {
            tables: Tables::new(system),
            ops: HashMap::new(),
            inboxes: BTreeMap::new(),
            changed: BTreeMap::new(),
        };
        let synced = books.clone();
        let (drawn, releases) = (BTreeMap::new(), BTreeSet::new());
        let (author, kind) = (system.key, "");
        let state = State { sabotage, commits: 0, books, synced, drawn, author, kind, releases };
        Self { sabotage, state: Mutex::new(state), people: MemoryStore::new(system) }
    }

    /// A batch whose transaction never commits.
    pub(crate) fn begin_and_roll_back(&self, batch: &[Submission], now: Timestamp) {
        let mut state = self.lock();
        let before = state.books.clone();
        // Whether it would have gone well does not matter.
        drop(batch::run(&mut *state, batch, now));
        state.books = before;
    }

    /// Everything as it is now: a backup.
    pub(crate) fn copy(&self) -> Self {
        let state = self.lock();
        let (books, synced, drawn) = (state.books.clone(), state.synced.clone(), state.drawn.clone());
        let State { sabotage, commits, author, kind, .. } = *state;
        let releases = state.releases.clone();
        let state = State { sabotage, commits, books, synced, drawn, author, kind, releases };
        Self { sabotage, state: Mutex::new(state), people: self.people.clone() }
    }

    /// The server is killed.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        if self.sabotage == Sabotage::AnswerBeforeCommit {
            state.books = state.synced.clone();
        }
    }

    pub(crate) fn tables(&self) -> Tables {
        self.lock().books.tables.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn empty(inbox: Inbox) -> InboxHead {
    InboxHead { count: 0, hash: chain::start(inbox) }
}

impl Books {
    fn head(&self, inbox: Inbox) -> InboxHead {
        self.inboxes.get(&inbox).map_or_else(|| empty(inbox), |(_, head)| *head)
    }

    /// Applies changes that follow from cells that were not so: the events, as an honest server would have applied them.
    fn replay(&mut self, changes: &Changes) {
        self.record(changes);
        for row in changes.rows.iter().filter(|row| matches!(row, Row::Counter(..))) {
            self.tables.put(row);
        }
        for event in &changes.events {
            // What can't be applied is missing from the tables, which is noticed.
            if let Ok(event) = canonical::decode::<Event>(&event.bytes) {
                drop(self.tables.replay(&event));
            }
        }
    }

    fn apply(&mut self, changes: &Changes, keep_counters: bool) {
        self.record(changes);
        for row in changes.rows.iter().filter(|row| keep_counters || !matches!(row, Row::Counter(..))) {
            self.tables.put(row);
        }
        for (account, amount) in &changes.balances {
            self.tables.post(*account, *amount);
        }
    }

    /// Ops, events and what is new for the directory: all but the live tables.
    fn record(&mut self, changes: &Changes) {
        for op in &changes.ops {
            let prior = Prior { payload_hash: op.payload_hash, answer: op.answer.clone() };
            self.ops.insert((op.actor, op.id), prior);
        }
        for event in &changes.events {
            for entry in &event.entries {
                let place =
                    self.inboxes.entry(entry.inbox).or_insert_with(|| (Vec::new(), empty(entry.inbox)));
                place.0.push(event.bytes.clone());
            }
        }
        for (inbox, head) in &changes.heads {
            if let Some(place) = self.inboxes.get_mut(inbox) {
                place.1 = *head;
            }
        }
        self.changed.extend(changes.changed_merchants.iter().map(|merchant| (*merchant, changes.at)));
        for group in &changes.changed_groups {
            let members = self.tables.members.keys().filter(|(of, _)| of == group);
            self.changed.extend(members.map(|(_, merchant)| (*merchant, changes.at)));
        }
    }

    fn shop(&self, id: MerchantId) -> Option<DirectoryMerchant> {
        Some(DirectoryMerchant {
            merchant: self.tables.merchants.get(&id)?.clone(),
            groups: self.tables.groups_of(id),
            keys: self.tables.keys_of(id),
            changed_at: self.changed.get(&id).copied().unwrap_or_default(),
        })
    }
}

impl State {
    /// A cell as the sabotage wants it seen.
    fn spoil(&self, key: Key, cell: Option<Cell>) -> Option<Cell> {
        use Sabotage::{
            CaptureAgain, ClawElsewhere, CreditStaff, ForgetCertificate, ForgetDebts, HonourRevoked,
            IgnoreLimits, LapseTwice, ReleaseTwice, ReverseTwice, ReviveEnded, SkipWait, SpendPassTwice,
        };
        match (self.sabotage, cell?) {
            (SkipWait, Cell::Device(device)) => {
                Some(Cell::Device(Device { pays_from: device.enrolled_at, ..device }))
            }
            (HonourRevoked, Cell::Device(device)) => {
                Some(Cell::Device(Device { revoked_at: None, ..device }))
            }
            (ForgetCertificate, Cell::Device(device)) => {
                let unused = |certificate| Certificate { used: Money(0), ..certificate };
                let certificate = device.certificate.map(unused);
                Some(Cell::Device(Device { certificate, ..device }))
            }
            (SpendPassTwice, Cell::Pass(pass)) => {
                Some(Cell::Pass(Pass { till: self.author, state: PassState::Open, ..pass }))
            }
            (CreditStaff, Cell::Staff(staff)) => {
                Some(Cell::Staff(Staff { left_at: Some(Timestamp(0)), ..staff }))
            }
            (IgnoreLimits, Cell::Staff(staff)) => {
                let limits = Limits { per_sale: MAX_AMOUNT, per_day: MAX_AMOUNT };
                Some(Cell::Staff(Staff { limits, ..staff }))
            }
            (ReleaseTwice, Cell::Pass(pass)) if pass.state == PassState::Released => {
                Some(Cell::Pass(Pass { state: PassState::Open, ..pass }))
            }
            (LapseTwice, Cell::Hold(hold)) if hold.state == HoldState::Lapsed => {
                Some(Cell::Hold(Hold { state: HoldState::Open, ..hold }))
            }
            // A job's counter follows from its subject.
            (ReleaseTwice | LapseTwice, Cell::Counter) if matches!(key, Key::Counter(of, _) if of == self.author) => {
                None
            }
            (ReviveEnded, Cell::Lot(lot)) if self.kind == "reverse_redemption" => {
                Some(Cell::Lot(Lot { ends_at: lot.ends_at.plus(30 * Timestamp::DAY), ..lot }))
            }
            (ClawElsewhere, Cell::Wallet(wallet)) if self.kind == "refund_sale" => {
                let Key::Wallet(account, group) = key else { return Some(Cell::Wallet(wallet)) };
                let others = self.books.tables.lots_of(account, None).filter(|lot| lot.group != group);
                Some(Cell::Wallet(Wallet::new(others.cloned().collect())))
            }
            (ForgetDebts, Cell::Debts(_)) if self.kind != "refund_sale" => None,
            (CaptureAgain, Cell::Hold(hold)) if self.kind == "capture_hold" => {
                Some(Cell::Hold(Hold { state: HoldState::Open, until: Timestamp(i64::MAX), ..hold }))
            }
            (ReverseTwice, Cell::Redemption(redemption)) => {
                Some(Cell::Redemption(Redemption { returned: Units::ZERO, ..redemption }))
            }
            (_, cell) => Some(cell),
        }
    }
}

impl Tx for State {
    fn prior(&mut self, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
        if self.sabotage == Sabotage::DropIdCheck || self.releases.contains(&op) {
            return Ok(None);
        }
        Ok(self.books.ops.get(&(actor, op)).cloned())
    }

    fn load(&mut self, key: Key) -> Result<Option<Cell>, StoreError> {
        Ok(self.spoil(key, self.books.tables.load(key)))
    }

    fn head(&mut self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        let head = self.books.head(inbox);
        if self.sabotage != Sabotage::NumberOutside {
            return Ok(head);
        }
        let drawn = self.drawn.entry(inbox).or_insert(head.count);
        let count = *drawn;
        *drawn += 1;
        Ok(InboxHead { count, ..head })
    }

    fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let keep_counters = self.sabotage != Sabotage::ForgetCounter;
        if self.sabotage.spoils_cells() {
            self.books.replay(changes);
        } else {
            self.books.apply(changes, keep_counters);
        }
        if matches!(self.sabotage, Sabotage::ReleaseTwice | Sabotage::LapseTwice) {
            let events =
                changes.events.iter().filter_map(|event| canonical::decode::<Event>(&event.bytes).ok());
            let of_sweep = |body: &EventBody| {
                matches!(body, EventBody::PassReleased { .. } | EventBody::HoldReleased { lapsed: true, .. })
            };
            self.releases.extend(events.filter(|event| of_sweep(&event.body)).map(|event| event.op));
        }
        for (inbox, head) in &changes.heads {
            self.drawn.insert(*inbox, head.count);
        }
        self.commits += 1;
        if self.sabotage == Sabotage::ApplyTwice && self.commits.is_multiple_of(REPEATED) {
            self.books.apply(changes, keep_counters);
        }
        if self.sabotage == Sabotage::AnswerBeforeCommit && self.commits.is_multiple_of(COMMITS_A_SYNC) {
            self.synced = self.books.clone();
        }
        Ok(())
    }
}

impl Store for SpoiltStore {
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        let mut state = self.lock();
        if !self.sabotage.one_by_one() {
            return batch::run(&mut *state, batch, now);
        }
        let mut all = Committed { outcomes: Vec::new(), touched: Vec::new() };
        for one in batch {
            state.author = one.op.value().actor;
            state.kind = one.op.value().body.kind().name;
            let Committed { outcomes, touched, .. } =
                batch::run(&mut *state, std::slice::from_ref(one), now)?;
            all.outcomes.extend(outcomes);
            all.touched.extend(touched);
        }
        Ok(all)
    }

    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError> {
        Ok(self.lock().books.tables.devices.get(&key).cloned())
    }

    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        Ok(self.lock().books.head(inbox))
    }

    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError> {
        let state = self.lock();
        let head = state.books.head(inbox);
        let events = state.books.inboxes.get(&inbox).map(|(events, _)| events.as_slice()).unwrap_or_default();
        let skip = usize::try_from(after).unwrap_or(usize::MAX).min(events.len());
        let page: Vec<Vec<u8>> = events[skip..].iter().take(limit).cloned().collect();
        let upto = skip + page.len();
        let numbered = (1..).zip(&events[..upto]);
        let hash =
            numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
        let reached = if upto == events.len() { head } else { InboxHead { count: upto as u64, hash } };
        Ok(InboxPage { events: page, head: reached, count: head.count })
    }

    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError> {
        let state = self.lock();
        let open = state.books.tables.lots_of(account, None).filter(|lot| !lot.remaining.is_zero());
        Ok(open.cloned().collect())
    }

    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError> {
        let state = self.lock();
        let mut order: Vec<_> = state.books.changed.iter().map(|(id, at)| (*at, *id)).collect();
        order.retain(|place| *place > after);
        order.sort_unstable();
        Ok(order.into_iter().take(limit).filter_map(|(_, id)| state.books.shop(id)).collect())
    }

    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
        Ok(self.lock().books.shop(merchant))
    }

    fn group(&self, id: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
        Ok(self.lock().books.tables.directory_group(id))
    }

    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError> {
        let state = self.lock();
        let waits = |sale: &&Sale| sale.addressee == Some(account) && sale.waits();
        let mut waiting: Vec<Sale> = state.books.tables.sales.values().filter(waits).cloned().collect();
        waiting.sort_by_key(|sale| (sale.time, sale.id));
        Ok(waiting)
    }

    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError> {
        Ok(self.lock().books.tables.standings.get(&account).cloned())
    }

    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
        let mut due = self.lock().books.tables.sales_for_best(now);
        due.truncate(limit);
        Ok(due)
    }

    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError> {
        let state = self.lock();
        let over = |sale: &&Sale| sale.waits() && sale.waits_until.is_some_and(|until| until < now);
        Ok(state.books.tables.sales.values().filter(over).take(limit).cloned().collect())
    }

    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        Ok(self.lock().books.tables.devices_of(account).cloned().collect())
    }

    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
        Ok(self.lock().books.tables.tills(merchant).cloned().collect())
    }

    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
        let state = self.lock();
        let staff = state.books.tables.staff.values().filter(|staff| staff.merchant == merchant);
        Ok(staff.copied().collect())
    }

    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError> {
        let sold = self.lock().books.tables.staff_days.get(&(merchant, account, day)).copied();
        Ok(sold.unwrap_or(Money(0)))
    }

    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError> {
        let gaps = self.lock().books.tables.gaps_of(key);
        Ok(Heard { last: None, missing: missing(&gaps, &BTreeSet::new()) })
    }

    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError> {
        let state = self.lock();
        let mut over = state.books.tables.passes_over(pass_over(now));
        match self.sabotage {
            Sabotage::NeverRelease => over.clear(),
            Sabotage::ReleaseTwice => {
                let passes = state.books.tables.passes.values();
                over.extend(passes.filter(|pass| pass.state == PassState::Released).cloned());
            }
            _ => {}
        }
        over.truncate(limit);
        Ok(over)
    }

    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError> {
        Ok(self.lock().books.tables.passes_for(account, till, since))
    }

    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
        let state = self.lock();
        let mut over = state.books.tables.holds_over(now);
        if self.sabotage == Sabotage::LapseTwice {
            let holds = state.books.tables.holds.values();
            over.extend(holds.filter(|hold| hold.state == HoldState::Lapsed).cloned());
        }
        over.truncate(limit);
        Ok(over)
    }

    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError> {
        let of = |hold: &Hold| hold.account == account || merchant == Some(hold.merchant);
        Ok(self.lock().books.tables.open_holds(of))
    }

    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError> {
        Ok(self.lock().books.tables.debts_of(account))
    }

    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError> {
        let mut due = self.lock().books.tables.amendments_due(now);
        due.truncate(limit);
        Ok(due)
    }

    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError> {
        let mut due = self.lock().books.tables.groups_to_end(now);
        due.truncate(limit);
        Ok(due)
    }

    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
        Ok(self.lock().books.tables.lots_left(group).take(limit).cloned().collect())
    }

    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError> {
        Ok(self.lock().books.tables.operators.contains(&account))
    }

    fn forget_closed(&self) -> Result<(), StoreError> {
        self.people.forget_closed()
    }

    fn search(&self, query: &Query) -> Result<Vec<Found>, StoreError> {
        Ok(self.lock().books.tables.search(query))
    }

    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
        let state = self.lock();
        let lots = state.books.tables.lots.values();
        let ended = lots.filter(|lot| lot.ends_at <= now && !lot.remaining.is_zero());
        let mut wallets: Vec<_> = ended.map(|lot| (lot.account, lot.group)).collect();
        wallets.dedup();
        wallets.truncate(limit);
        Ok(wallets)
    }
}

/// People are as they should be.
impl People for SpoiltStore {
    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError> {
        self.people.begin_enrolment(enrolment)
    }

    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
        self.people.try_code(attempt, now)
    }

    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
        self.people.enrolments_since(by, since)
    }

    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError> {
        self.people.forget_enrolments(before)
    }

    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.people.device_enrolled(account, key, now)
    }

    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
        self.people.known_devices(account)
    }

    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.people.begin_session(session, refresh_hash, token, name, now)
    }

    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        self.people.session(refresh_hash)
    }

    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError> {
        self.people.refresh_session(session, token, now)
    }

    fn end_session(&self, key: KeyId) -> Result<(), StoreError> {
        self.people.end_session(key)
    }

    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
        self.people.token(token_hash)
    }

    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        self.people.forget_sessions(now)
    }

    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
        self.people.member_tag(account, fresh)
    }

    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError> {
        self.people.account_of_tag(tag)
    }

    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError> {
        self.people.account_of_number(phone_mac, fresh, now)
    }
    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError> {
        self.people.signed_up_with(phone_mac)
    }
    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError> {
        self.people.forget_numbers(since)
    }
    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError> {
        self.people.keep_one_time(one_time, most, since)
    }
    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError> {
        self.people.take_one_time(mac, paying, by)
    }
    fn wrong_digits(&self, asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.people.wrong_digits(asker, mac, now)
    }
    fn wrong_digits_since(&self, asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.people.wrong_digits_since(asker, since)
    }
    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError> {
        self.people.forget_one_time(now, tries_before)
    }

    fn keep_pepper(&self, mac: [u8; 32]) -> Result<bool, StoreError> {
        self.people.keep_pepper(mac)
    }

    fn take_effects(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreError> {
        self.people.take_effects(now, until, limit)
    }

    fn effect_done(&self, id: [u8; 16], now: Timestamp) -> Result<(), StoreError> {
        self.people.effect_done(id, now)
    }

    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError> {
        self.people.effect_failed(id, due_at)
    }
}

/// What the books say of invitations is theirs; their traces are people's.
impl Invitations for SpoiltStore {
    fn invitation(&self, issuer: MerchantId, id: OpId) -> Result<Option<Invitation>, StoreError> {
        Ok(self.lock().books.tables.invitations.get(&(issuer, id)).copied())
    }

    fn invitation_by_hash(&self, hash: TokenHash) -> Result<Option<Invitation>, StoreError> {
        let state = self.lock();
        let mut known = state.books.tables.invitations.values();
        Ok(known.find(|known| known.hash == Some(hash)).copied())
    }

    fn invitation_by_code(&self, code_mac: [u8; 32]) -> Result<Option<Invitation>, StoreError> {
        self.people.invitation_by_code(code_mac)
    }

    fn invitations_of(&self, merchant: MerchantId, since: Timestamp) -> Result<Vec<Invitation>, StoreError> {
        Ok(self.lock().books.tables.invitations_of(merchant, since, MOST_INVITATIONS))
    }

    fn join_requests_of(
        &self,
        merchant: MerchantId,
        since: Timestamp,
    ) -> Result<Vec<JoinRequest>, StoreError> {
        Ok(self.lock().books.tables.join_requests_of(merchant, since))
    }

    fn trace_of(&self, issuer: MerchantId, id: OpId) -> Result<Option<Trace>, StoreError> {
        self.people.trace_of(issuer, id)
    }

    fn traces_of(&self, issuer: MerchantId) -> Result<Vec<(OpId, Trace)>, StoreError> {
        self.people.traces_of(issuer)
    }

    fn name_invitation(
        &self,
        issuer: MerchantId,
        id: OpId,
        code_mac: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.people.name_invitation(issuer, id, code_mac, now)
    }

    fn send_invitation(&self, sending: &Sending, now: Timestamp) -> Result<Sent, StoreError> {
        self.people.send_invitation(sending, now)
    }

    fn invitation_seen(
        &self,
        issuer: MerchantId,
        id: OpId,
        seen: Seen,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.people.invitation_seen(issuer, id, seen, now)
    }

    fn forget_traces(&self, before: Timestamp) -> Result<(), StoreError> {
        self.people.forget_traces(before)
    }
}

impl Pictures for SpoiltStore {
    fn keep_picture(
        &self,
        picture: &NewPicture,
        most: usize,
        since: Timestamp,
    ) -> Result<PictureKept, StoreError> {
        self.people.keep_picture(picture, most, since)
    }

    fn picture(&self, id: PictureId) -> Result<Option<Vec<u8>>, StoreError> {
        self.people.picture(id)
    }
}
