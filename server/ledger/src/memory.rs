//! The store in memory: the model that the others are held against, and the simulation's.

mod invitations;
mod pictures;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use moa_rules::amendment::Amendment;
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::Hold;
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId, PictureId};
use moa_rules::lot::Lot;
use moa_rules::pass::Pass;
use moa_rules::quantity::Money;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::Standing;
use moa_rules::time::{Day, Timestamp};
use moa_rules::view::{Cell, Key};
use moa_wire::chain;
use moa_wire::submission::Submission;

use crate::batch::{self, Changes, Prior, Signed, Tx};
use crate::search::{Found, Query};
use crate::store::invitations::Trace;
use crate::store::pictures::NewPicture;
use crate::store::{
    Answer, CodeCheck, CodeTry, Committed, CountedBy, DirectoryGroup, DirectoryMerchant, Effect, Heard,
    InboxHead, InboxPage, KnownDevice, NewEnrolment, NewOneTime, NewToken, OneTimeKept, People, Session,
    Store, StoreError, TakenOneTime, missing, pass_over,
};
use crate::tables::Tables;

/// Everything in memory; gone with the process.
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone)]
struct State {
    tables: Tables,
    ops: HashMap<(KeyId, OpId), Prior>,
    /// When each key last sent an op, and the counters of those that were refused.
    heard: HashMap<KeyId, (Option<Timestamp>, BTreeSet<u64>)>,
    inboxes: HashMap<Inbox, (Vec<Vec<u8>>, InboxHead)>,
    accounts: HashMap<[u8; 32], NumberAccount>,
    enrolments: BTreeMap<[u8; 16], EnrolmentState>,
    member_tags: HashMap<AccountId, [u8; 16]>,
    one_time: HashMap<[u8; 32], (NewOneTime, Option<Vec<u8>>)>,
    wrong_digits: BTreeMap<([u8; 16], [u8; 32]), Timestamp>,
    /// When each was begun.
    traces: BTreeMap<(MerchantId, OpId), (Timestamp, Trace)>,
    pictures: BTreeMap<PictureId, NewPicture>,
    recoveries: HashMap<AccountId, ([u8; 32], u32)>,
    known_devices: BTreeMap<(AccountId, KeyId), KnownDevice>,
    sessions: HashMap<KeyId, (Session, [u8; 32])>,
    tokens: HashMap<[u8; 32], (Session, Timestamp)>,
    effects: BTreeMap<[u8; 16], Effect>,
    pepper: Option<[u8; 32]>,
}

#[derive(Clone)]
struct NumberAccount {
    account: AccountId,
    signed_up: bool,
    /// When a sale last named it before that.
    named_at: Timestamp,
}

#[derive(Clone)]
struct EnrolmentState {
    enrolment: NewEnrolment,
    begun_at: Timestamp,
    tries: u32,
    /// What the right code led to.
    ended: Option<CodeCheck>,
}

impl Clone for MemoryStore {
    /// Everything as it is now: a backup.
    fn clone(&self) -> Self {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { state: Mutex::new(state) }
    }
}

impl MemoryStore {
    /// An empty store that knows the server's own key.
    pub fn new(system: &Device) -> Self {
        let state = State {
            tables: Tables::new(system),
            ops: HashMap::new(),
            heard: HashMap::new(),
            inboxes: HashMap::new(),
            accounts: HashMap::new(),
            enrolments: BTreeMap::new(),
            member_tags: HashMap::new(),
            one_time: HashMap::new(),
            wrong_digits: BTreeMap::new(),
            traces: BTreeMap::new(),
            pictures: BTreeMap::new(),
            recoveries: HashMap::new(),
            known_devices: BTreeMap::new(),
            sessions: HashMap::new(),
            tokens: HashMap::new(),
            effects: BTreeMap::new(),
            pepper: None,
        };
        Self { state: Mutex::new(state) }
    }

    /// A copy of the live tables, to hold another store against.
    pub fn tables(&self) -> Tables {
        self.lock().tables.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keeps a token, and of those before it the last.
    fn give(&mut self, session: &Session, token: NewToken) {
        let given = self.tokens.iter().filter(|(_, (of, _))| of.key == session.key);
        let last = given.map(|(hash, (_, expires_at))| (Reverse(*expires_at), *hash)).min();
        let last = last.map(|(_, hash)| hash);
        self.tokens.retain(|hash, (of, _)| of.key != session.key || Some(*hash) == last);
        self.tokens.insert(token.hash, (*session, token.expires_at));
    }
}

fn devices_of(
    known: &BTreeMap<(AccountId, KeyId), KnownDevice>,
    account: AccountId,
) -> impl Iterator<Item = &KnownDevice> {
    known.range((account, KeyId([0; 8]))..=(account, KeyId([0xff; 8]))).map(|(_, device)| device)
}

fn empty(inbox: Inbox) -> InboxHead {
    InboxHead { count: 0, hash: chain::start(inbox) }
}

impl Tx for State {
    fn prior(&mut self, actor: KeyId, op: OpId) -> Result<Option<Prior>, StoreError> {
        Ok(self.ops.get(&(actor, op)).cloned())
    }

    fn load(&mut self, key: Key) -> Result<Option<Cell>, StoreError> {
        Ok(self.tables.load(key))
    }

    fn head(&mut self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        Ok(self.inboxes.get(&inbox).map_or_else(|| empty(inbox), |(_, head)| *head))
    }

    fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        for op in &changes.ops {
            let prior = Prior { payload_hash: op.payload_hash, answer: op.answer.clone() };
            self.ops.insert((op.actor, op.id), prior);
            let Signed::Here { counter, .. } = op.signed else { continue };
            let heard = self.heard.entry(op.actor).or_default();
            heard.0 = Some(changes.at);
            if let Answer::Refused(_) = op.answer {
                heard.1.insert(counter);
            }
        }
        changes.rows.iter().for_each(|row| self.tables.put(row));
        for (account, amount) in &changes.balances {
            self.tables.post(*account, *amount);
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
        for merchant in &changes.changed_merchants {
            self.tables.list_anew(*merchant, changes.at);
        }
        for group in &changes.changed_groups {
            self.tables.list_members_anew(*group, changes.at);
        }
        Ok(())
    }
}

impl State {
    fn directory_merchant(&self, id: MerchantId) -> Option<DirectoryMerchant> {
        Some(DirectoryMerchant {
            merchant: self.tables.merchants.get(&id)?.clone(),
            groups: self.tables.groups_of(id),
            keys: self.tables.keys_of(id),
            changed_at: self.tables.changed.get(&id).copied().unwrap_or_default(),
        })
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: &[Submission], now: Timestamp) -> Result<Committed, StoreError> {
        batch::run(&mut *self.lock(), batch, now)
    }

    fn device(&self, key: KeyId) -> Result<Option<Device>, StoreError> {
        Ok(self.lock().tables.devices.get(&key).cloned())
    }

    fn head(&self, inbox: Inbox) -> Result<InboxHead, StoreError> {
        Tx::head(&mut *self.lock(), inbox)
    }

    fn inbox(&self, inbox: Inbox, after: u64, limit: usize) -> Result<InboxPage, StoreError> {
        let state = self.lock();
        let Some((events, head)) = state.inboxes.get(&inbox) else {
            return Ok(InboxPage { events: Vec::new(), head: empty(inbox), count: 0 });
        };
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        let page: Vec<Vec<u8>> = events.iter().skip(skip).take(limit).cloned().collect();
        let upto = skip.min(events.len()) + page.len();
        let mut reached = empty(inbox);
        for event in &events[..upto] {
            let number = reached.count + 1;
            reached = InboxHead { count: number, hash: chain::next(reached.hash, number, event) };
        }
        Ok(InboxPage { events: page, head: reached, count: head.count })
    }

    fn lots(&self, account: AccountId) -> Result<Vec<Lot>, StoreError> {
        let state = self.lock();
        let open = state.tables.lots_of(account, None).filter(|lot| !lot.remaining.is_zero());
        Ok(open.cloned().collect())
    }

    fn directory(
        &self,
        after: (Timestamp, MerchantId),
        limit: usize,
    ) -> Result<Vec<DirectoryMerchant>, StoreError> {
        let state = self.lock();
        let mut order: Vec<(Timestamp, MerchantId)> =
            state.tables.changed.iter().map(|(id, at)| (*at, *id)).collect();
        order.retain(|place| *place > after);
        order.sort_unstable();
        Ok(order.into_iter().take(limit).filter_map(|(_, id)| state.directory_merchant(id)).collect())
    }

    fn merchant(&self, merchant: MerchantId) -> Result<Option<DirectoryMerchant>, StoreError> {
        Ok(self.lock().directory_merchant(merchant))
    }

    fn group(&self, id: GroupId) -> Result<Option<DirectoryGroup>, StoreError> {
        Ok(self.lock().tables.directory_group(id))
    }

    fn search(&self, query: &Query) -> Result<Vec<Found>, StoreError> {
        Ok(self.lock().tables.search(query))
    }

    fn wallets_to_expire(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(AccountId, GroupId)>, StoreError> {
        let state = self.lock();
        let ended = state.tables.lots.values().filter(|lot| lot.ends_at <= now && !lot.free().is_zero());
        let mut wallets: Vec<_> = ended.map(|lot| (lot.account, lot.group)).collect();
        wallets.dedup();
        wallets.truncate(limit);
        Ok(wallets)
    }

    fn waiting_of(&self, account: AccountId) -> Result<Vec<Sale>, StoreError> {
        let state = self.lock();
        let waits = |sale: &&Sale| sale.addressee == Some(account) && sale.waits();
        let mut waiting: Vec<Sale> = state.tables.sales.values().filter(waits).cloned().collect();
        waiting.sort_by_key(|sale| (sale.time, sale.id));
        Ok(waiting)
    }

    fn standing(&self, account: AccountId) -> Result<Option<Standing>, StoreError> {
        Ok(self.lock().tables.standings.get(&account).cloned())
    }

    fn sales_for_best(&self, now: Timestamp, limit: usize) -> Result<Vec<(Sale, Timestamp)>, StoreError> {
        let mut due = self.lock().tables.sales_for_best(now);
        due.truncate(limit);
        Ok(due)
    }

    fn sales_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Sale>, StoreError> {
        let state = self.lock();
        let over = |sale: &&Sale| sale.waits() && sale.waits_until.is_some_and(|until| until < now);
        let mut over: Vec<&Sale> = state.tables.sales.values().filter(over).collect();
        over.sort_by_key(|sale| sale.waits_until);
        Ok(over.into_iter().take(limit).cloned().collect())
    }

    fn devices_of(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        Ok(self.lock().tables.devices_of(account).cloned().collect())
    }

    fn tills(&self, merchant: MerchantId) -> Result<Vec<Device>, StoreError> {
        Ok(self.lock().tables.tills(merchant).cloned().collect())
    }

    fn staff_of(&self, merchant: MerchantId) -> Result<Vec<Staff>, StoreError> {
        let first = (merchant, AccountId([0; 16]));
        let state = self.lock();
        let staff = state.tables.staff.range(first..).take_while(|((of, _), _)| *of == merchant);
        let mut staff: Vec<Staff> = staff.map(|(_, staff)| *staff).collect();
        staff.sort_by_key(|staff| (staff.joined_at, staff.account));
        Ok(staff)
    }

    fn sold_on(&self, merchant: MerchantId, account: AccountId, day: Day) -> Result<Money, StoreError> {
        let sold = self.lock().tables.staff_days.get(&(merchant, account, day)).copied();
        Ok(sold.unwrap_or(Money(0)))
    }

    fn heard_of(&self, key: KeyId) -> Result<Heard, StoreError> {
        let state = self.lock();
        let (last, refused) = state.heard.get(&key).cloned().unwrap_or_default();
        Ok(Heard { last, missing: missing(&state.tables.gaps_of(key), &refused) })
    }

    fn passes_to_release(&self, now: Timestamp, limit: usize) -> Result<Vec<Pass>, StoreError> {
        let mut over = self.lock().tables.passes_over(pass_over(now));
        over.truncate(limit);
        Ok(over)
    }

    fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Result<Vec<Pass>, StoreError> {
        Ok(self.lock().tables.passes_for(account, till, since))
    }

    fn holds_to_lapse(&self, now: Timestamp, limit: usize) -> Result<Vec<Hold>, StoreError> {
        let mut over = self.lock().tables.holds_over(now);
        over.truncate(limit);
        Ok(over)
    }

    fn open_holds(&self, account: AccountId, merchant: Option<MerchantId>) -> Result<Vec<Hold>, StoreError> {
        let of = |hold: &Hold| hold.account == account || merchant == Some(hold.merchant);
        Ok(self.lock().tables.open_holds(of))
    }

    fn debts(&self, account: AccountId) -> Result<Vec<Debt>, StoreError> {
        Ok(self.lock().tables.debts_of(account))
    }

    fn amendments_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Amendment>, StoreError> {
        let mut due = self.lock().tables.amendments_due(now);
        due.truncate(limit);
        Ok(due)
    }

    fn groups_to_end(&self, now: Timestamp, limit: usize) -> Result<Vec<Group>, StoreError> {
        let mut due = self.lock().tables.groups_to_end(now);
        due.truncate(limit);
        Ok(due)
    }

    fn lots_left(&self, group: GroupId, limit: usize) -> Result<Vec<Lot>, StoreError> {
        Ok(self.lock().tables.lots_left(group).take(limit).cloned().collect())
    }

    fn is_operator(&self, account: AccountId) -> Result<bool, StoreError> {
        Ok(self.lock().tables.operators.contains(&account))
    }

    fn forget_closed(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        let State {
            tables,
            accounts,
            recoveries,
            known_devices,
            member_tags,
            one_time,
            sessions,
            tokens,
            ..
        } = &mut *state;
        let closed = |account: &AccountId| tables.closed.contains_key(account);
        accounts.retain(|_, number| !closed(&number.account));
        recoveries.retain(|account, _| !closed(account));
        known_devices.retain(|(account, _), _| !closed(account));
        member_tags.retain(|account, _| !closed(account));
        one_time.retain(|_, (code, _)| !closed(&code.account));
        sessions.retain(|_, (session, _)| !closed(&session.account));
        tokens.retain(|_, (session, _)| !closed(&session.account));
        Ok(())
    }
}

impl People for MemoryStore {
    fn keep_pepper(&self, mac: [u8; 32]) -> Result<bool, StoreError> {
        Ok(*self.lock().pepper.get_or_insert(mac) == mac)
    }

    fn begin_enrolment(&self, enrolment: &NewEnrolment) -> Result<(), StoreError> {
        let mut state = self.lock();
        let effect = Effect { effect: enrolment.effect.clone(), attempts: 0 };
        state.effects.insert(effect.effect.id, effect);
        let (begun_at, enrolment) = (enrolment.effect.due_at, enrolment.clone());
        let begun = EnrolmentState { enrolment, begun_at, tries: 0, ended: None };
        state.enrolments.insert(begun.enrolment.id, begun);
        Ok(())
    }

    fn try_code(&self, attempt: &CodeTry, now: Timestamp) -> Result<CodeCheck, StoreError> {
        let mut state = self.lock();
        let State { accounts, enrolments, recoveries, known_devices, .. } = &mut *state;
        let Some(begun) = enrolments.get_mut(&attempt.enrolment) else { return Ok(CodeCheck::Void) };
        if begun.enrolment.expires_at < now || begun.tries >= attempt.tries {
            return Ok(CodeCheck::Void);
        }
        if begun.enrolment.code_mac != attempt.code_mac {
            begun.tries += 1;
            return Ok(CodeCheck::Wrong { tries_left: attempt.tries - begun.tries });
        }
        if let Some(ended) = &begun.ended {
            return Ok(ended.clone());
        }
        let number = accounts.get(&begun.enrolment.phone_mac);
        let (account, begins, proved) = match number {
            None => (attempt.fresh, true, false),
            Some(NumberAccount { account, signed_up: false, .. }) => (*account, true, false),
            Some(NumberAccount { account, .. }) => match attempt.recovery {
                Some(typed) => match recoveries.get_mut(account) {
                    Some((_, tries)) if *tries >= attempt.recovery_tries => {
                        return Ok(CodeCheck::RecoveryWrong { tries_left: 0 });
                    }
                    Some((mac, tries)) if *mac == typed => {
                        *tries = 0;
                        (*account, false, true)
                    }
                    Some((_, tries)) => {
                        *tries += 1;
                        let tries_left = attempt.recovery_tries - *tries;
                        return Ok(CodeCheck::RecoveryWrong { tries_left });
                    }
                    None => return Ok(CodeCheck::RecoveryWrong { tries_left: 0 }),
                },
                None => {
                    let seen = devices_of(known_devices, *account).map(|device| device.seen).max();
                    let silent = seen.is_some_and(|seen| seen < attempt.silent_since);
                    (if silent { attempt.fresh } else { *account }, silent, false)
                }
            },
        };
        let number = NumberAccount { account, signed_up: true, named_at: now };
        accounts.insert(begun.enrolment.phone_mac, number);
        if begins {
            recoveries.insert(account, (attempt.fresh_recovery, 0));
        }
        let public_key = begun.enrolment.public_key.clone();
        let right = CodeCheck::Right { account, public_key, begins, proved };
        begun.ended = Some(right.clone());
        Ok(right)
    }

    fn enrolments_since(&self, by: CountedBy<'_>, since: Timestamp) -> Result<u32, StoreError> {
        let state = self.lock();
        let begun = state.enrolments.values().filter(|begun| begun.begun_at >= since);
        let counts = |enrolment: &NewEnrolment| match by {
            CountedBy::Number(mac) => enrolment.phone_mac == mac,
            CountedBy::Key(key) => enrolment.public_key == key,
            CountedBy::Address(mac) => enrolment.address_mac == Some(mac),
            CountedBy::DialCode(code) => enrolment.dial_code == code,
        };
        let count = begun.filter(|begun| counts(&begun.enrolment)).count();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn forget_enrolments(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock().enrolments.retain(|_, begun| begun.begun_at >= before);
        Ok(())
    }

    fn device_enrolled(&self, account: AccountId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let fresh = KnownDevice { key, name: String::new(), since: now, seen: now };
        let device = state.known_devices.entry((account, key)).or_insert(fresh);
        device.seen = device.seen.max(now);
        Ok(())
    }

    fn known_devices(&self, account: AccountId) -> Result<Vec<KnownDevice>, StoreError> {
        let state = self.lock();
        let mut known: Vec<KnownDevice> = devices_of(&state.known_devices, account).cloned().collect();
        known.sort_by_key(|device| (Reverse(device.seen), device.key));
        Ok(known)
    }

    fn begin_session(
        &self,
        session: &Session,
        refresh_hash: [u8; 32],
        token: NewToken,
        name: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.sessions.insert(session.key, (*session, refresh_hash));
        let fresh = KnownDevice { key: session.key, name: String::new(), since: now, seen: now };
        let device = state.known_devices.entry((session.account, session.key)).or_insert(fresh);
        name.clone_into(&mut device.name);
        device.seen = device.seen.max(now);
        state.give(session, token);
        Ok(())
    }

    fn session(&self, refresh_hash: [u8; 32]) -> Result<Option<Session>, StoreError> {
        let state = self.lock();
        let found = state.sessions.values().find(|(_, hash)| *hash == refresh_hash);
        Ok(found.map(|(session, _)| *session))
    }

    fn refresh_session(&self, session: &Session, token: NewToken, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        if let Some(device) = state.known_devices.get_mut(&(session.account, session.key)) {
            device.seen = device.seen.max(now);
        }
        state.give(session, token);
        Ok(())
    }

    fn end_session(&self, key: KeyId) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.sessions.remove(&key);
        state.tokens.retain(|_, (session, _)| session.key != key);
        Ok(())
    }

    fn token(&self, token_hash: [u8; 32]) -> Result<Option<(Session, Timestamp)>, StoreError> {
        let state = self.lock();
        let Some((given_to, expires_at)) = state.tokens.get(&token_hash) else { return Ok(None) };
        let session = state.sessions.get(&given_to.key).map(|(session, _)| *session);
        let session = session.filter(|session| session.thumbprint == given_to.thumbprint);
        Ok(session.map(|session| (session, *expires_at)))
    }

    fn forget_sessions(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.sessions.retain(|_, (session, _)| session.until >= now);
        state.tokens.retain(|_, (_, expires_at)| *expires_at >= now);
        Ok(())
    }

    fn member_tag(&self, account: AccountId, fresh: [u8; 16]) -> Result<[u8; 16], StoreError> {
        Ok(*self.lock().member_tags.entry(account).or_insert(fresh))
    }

    fn account_of_tag(&self, tag: [u8; 16]) -> Result<Option<AccountId>, StoreError> {
        let state = self.lock();
        Ok(state.member_tags.iter().find(|(_, known)| **known == tag).map(|(account, _)| *account))
    }

    fn account_of_number(
        &self,
        phone_mac: [u8; 32],
        fresh: AccountId,
        now: Timestamp,
    ) -> Result<(AccountId, bool), StoreError> {
        let mut state = self.lock();
        let fresh = NumberAccount { account: fresh, signed_up: false, named_at: now };
        let number = state.accounts.entry(phone_mac).or_insert(fresh);
        number.named_at = number.named_at.max(now);
        Ok((number.account, number.signed_up))
    }

    fn signed_up_with(&self, phone_mac: [u8; 32]) -> Result<Option<AccountId>, StoreError> {
        let state = self.lock();
        let number = state.accounts.get(&phone_mac).filter(|number| number.signed_up);
        Ok(number.map(|number| number.account))
    }

    fn forget_numbers(&self, since: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let State { tables, accounts, .. } = &mut *state;
        let holds = |account| tables.lots_of(account, None).any(|lot| !lot.remaining.is_zero());
        accounts.retain(|_, number| number.signed_up || number.named_at >= since || holds(number.account));
        Ok(())
    }

    fn keep_one_time(
        &self,
        one_time: &NewOneTime,
        most: usize,
        since: Timestamp,
    ) -> Result<OneTimeKept, StoreError> {
        let mut state = self.lock();
        let made = state.one_time.values().filter(|(known, _)| known.account == one_time.account);
        let lately = made.map(|(known, _)| known.made_at).filter(|made| *made > since);
        let (count, first) = (lately.clone().count(), lately.min());
        if let Some(first) = first.filter(|_| count >= most) {
            return Ok(OneTimeKept::TooMany(first));
        }
        if state.one_time.contains_key(&one_time.mac) {
            return Ok(OneTimeKept::Known);
        }
        state.one_time.insert(one_time.mac, (one_time.clone(), None));
        Ok(OneTimeKept::Kept)
    }

    fn take_one_time(
        &self,
        mac: [u8; 32],
        paying: bool,
        by: &[u8],
    ) -> Result<Option<TakenOneTime>, StoreError> {
        let mut state = self.lock();
        let found = state.one_time.get_mut(&mac).filter(|(known, _)| known.code.is_some() == paying);
        Ok(found.map(|(known, taken_by)| TakenOneTime {
            one_time: known.clone(),
            taken_by: taken_by.get_or_insert_with(|| by.to_vec()).clone(),
        }))
    }

    fn wrong_digits(&self, asker: [u8; 16], mac: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.lock().wrong_digits.entry((asker, mac)).or_insert(now);
        Ok(())
    }

    fn wrong_digits_since(&self, asker: [u8; 16], since: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let state = self.lock();
        let of_asker = state.wrong_digits.range((asker, [0; 32])..=(asker, [0xff; 32]));
        let mut tries: Vec<Timestamp> = of_asker.map(|(_, at)| *at).filter(|at| *at > since).collect();
        tries.sort_unstable();
        Ok(tries)
    }

    fn forget_one_time(&self, now: Timestamp, tries_before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.one_time.retain(|_, (known, _)| known.kept_until >= now);
        state.wrong_digits.retain(|_, at| *at >= tries_before);
        Ok(())
    }

    fn take_effects(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut state = self.lock();
        let mut due: Vec<Effect> =
            state.effects.values().filter(|effect| effect.effect.due_at <= now).cloned().collect();
        due.sort_by_key(|effect| (effect.effect.due_at, effect.effect.id));
        due.truncate(limit);
        for Effect { effect, .. } in &due {
            if let Some(taken) = state.effects.get_mut(&effect.id) {
                taken.effect.due_at = until;
            }
        }
        Ok(due)
    }

    fn effect_done(&self, id: [u8; 16], _now: Timestamp) -> Result<(), StoreError> {
        self.lock().effects.remove(&id);
        Ok(())
    }

    fn effect_failed(&self, id: [u8; 16], due_at: Timestamp) -> Result<(), StoreError> {
        if let Some(effect) = self.lock().effects.get_mut(&id) {
            effect.attempts += 1;
            effect.effect.due_at = due_at;
        }
        Ok(())
    }
}
