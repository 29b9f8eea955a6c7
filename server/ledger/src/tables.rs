//! The live tables in memory: those of the memory store, and what a rebuild from the journal makes.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::admission::{JoinRequest, RequestState};
use moa_rules::amendment::Amendment;
use moa_rules::books::{Account, Ledger, postings};
use moa_rules::debt::Debt;
use moa_rules::device::Device;
use moa_rules::event::Event;
use moa_rules::group::{Group, Member, TermsVersion};
use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::invitation::Invitation;
use moa_rules::lot::{Lot, Wallet};
use moa_rules::merchant::Merchant;
use moa_rules::pass::{Pass, PassState};
use moa_rules::quantity::Money;
use moa_rules::redemption::Redemption;
use moa_rules::sale::Sale;
use moa_rules::staff::Staff;
use moa_rules::standing::{Standing, best_from};
use moa_rules::state::{Row, apply};
use moa_rules::terms::Unit;
use moa_rules::time::{Day, Timestamp};
use moa_rules::view::{Cell, Halt, Key, View};

use crate::batch::{Listed, directory_change};
use crate::search::{Entry, Found, FoundWhat, Hit, Id, Query, Target};
use crate::store::{DirectoryGroup, gaps};

/// What a debt is found by: the account, and what tells it from others of the same.
pub type DebtKey = (AccountId, (GroupId, MerchantId, Option<Unit>));

/// Every live table, by its primary key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Signing keys.
    pub devices: BTreeMap<KeyId, Device>,
    /// Counters used.
    pub counters: BTreeSet<(KeyId, u64)>,
    /// Shops.
    pub merchants: BTreeMap<MerchantId, Merchant>,
    /// When what the directory shows of each shop last changed.
    pub changed: BTreeMap<MerchantId, Timestamp>,
    /// Sales.
    pub sales: BTreeMap<(MerchantId, OpId), Sale>,
    /// Groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Terms.
    pub terms: BTreeMap<(GroupId, u32), TermsVersion>,
    /// Memberships.
    pub members: BTreeMap<(GroupId, MerchantId), Member>,
    /// The groups of each shop, those that it left too.
    pub memberships: BTreeMap<MerchantId, Vec<GroupId>>,
    /// Lots, spent ones too.
    pub lots: BTreeMap<(AccountId, GroupId, LotId), Lot>,
    /// Standing choices, cleared ones too.
    pub standings: BTreeMap<AccountId, Standing>,
    /// Who sells, or sold, for a shop that is not theirs.
    pub staff: BTreeMap<(MerchantId, AccountId), Staff>,
    /// What each of them sold on a day.
    pub staff_days: BTreeMap<(MerchantId, AccountId, Day), Money>,
    /// Mileage reserved for tills, spent and released passes too.
    pub passes: BTreeMap<(MerchantId, OpId), Pass>,
    /// Accounts that have ended: when, and which one took over what they held.
    pub closed: BTreeMap<AccountId, (Timestamp, Option<AccountId>)>,
    /// Mileage reserved for shops, holds that are over too.
    pub holds: BTreeMap<(MerchantId, OpId), Hold>,
    /// Mileage that shops took.
    pub redemptions: BTreeMap<(MerchantId, OpId), Redemption>,
    /// What accounts owe, debts that are paid too.
    pub debts: BTreeMap<DebtKey, Debt>,
    /// The terms that were proposed last in each group.
    pub amendments: BTreeMap<GroupId, Amendment>,
    /// Invitations, those that are over too.
    pub invitations: BTreeMap<(MerchantId, OpId), Invitation>,
    /// The last request of each shop to join each group.
    pub join_requests: BTreeMap<(GroupId, MerchantId), JoinRequest>,
    /// Who runs the server for everyone.
    pub operators: BTreeSet<AccountId>,
    /// The books, without wallets: they are the lots.
    pub balances: BTreeMap<Account, i64>,
}

impl Tables {
    /// Tables that know the server's own key and nothing else.
    pub fn new(system: &Device) -> Self {
        Self { devices: BTreeMap::from([(system.key, system.clone())]), ..Self::default() }
    }

    /// A cell, present or absent.
    pub fn load(&self, key: Key) -> Option<Cell> {
        match key {
            Key::Device(id) => self.devices.get(&id).cloned().map(Cell::Device),
            Key::Counter(key, counter) => self.counters.contains(&(key, counter)).then_some(Cell::Counter),
            Key::Merchant(id) => self.merchants.get(&id).cloned().map(Cell::Merchant),
            Key::Memberships(id) => self.memberships.get(&id).cloned().map(Cell::Memberships),
            Key::Sale(merchant, id) => self.sales.get(&(merchant, id)).cloned().map(Cell::Sale),
            Key::Group(id) => self.groups.get(&id).cloned().map(Cell::Group),
            Key::Terms(group, version) => self.terms.get(&(group, version)).cloned().map(Cell::Terms),
            Key::Member(group, merchant) => self.members.get(&(group, merchant)).cloned().map(Cell::Member),
            Key::Wallet(account, group) => {
                let lots: Vec<Lot> = self.lots_of(account, Some(group)).cloned().collect();
                (!lots.is_empty()).then(|| Cell::Wallet(Wallet::new(lots)))
            }
            Key::Lot(account, group, lot) => self.lots.get(&(account, group, lot)).cloned().map(Cell::Lot),
            Key::Standing(account) => self.standings.get(&account).cloned().map(Cell::Standing),
            Key::DevicesOf(account) => keys(self.devices_of(account)),
            Key::Tills(merchant) => keys(self.tills(merchant)),
            Key::Staff(merchant, account) => self.staff.get(&(merchant, account)).copied().map(Cell::Staff),
            Key::StaffDay(merchant, account, day) => {
                self.staff_days.get(&(merchant, account, day)).copied().map(Cell::StaffDay)
            }
            Key::Pass(merchant, id) => self.passes.get(&(merchant, id)).cloned().map(Cell::Pass),
            Key::OpenPasses(account, group) => {
                let open = |pass: &&Pass| {
                    (pass.account, pass.group, pass.state) == (account, group, PassState::Open)
                };
                let mut open: Vec<OpId> = self.passes.values().filter(open).map(|pass| pass.id).collect();
                open.sort_unstable();
                (!open.is_empty()).then_some(Cell::OpenPasses(open))
            }
            Key::WalletsOf(account) => {
                let left = self.lots_of(account, None).filter(|lot| !lot.remaining.is_zero());
                let mut groups: Vec<GroupId> = left.map(|lot| lot.group).collect();
                groups.dedup();
                (!groups.is_empty()).then_some(Cell::WalletsOf(groups))
            }
            Key::Closed(account) => self.closed.get(&account).map(|(_, into)| Cell::Closed(*into)),
            Key::Hold(merchant, id) => self.holds.get(&(merchant, id)).cloned().map(Cell::Hold),
            Key::Redemption(merchant, id) => {
                self.redemptions.get(&(merchant, id)).cloned().map(Cell::Redemption)
            }
            Key::Debts(account) => {
                let debts = self.debts_of(account);
                (!debts.is_empty()).then_some(Cell::Debts(debts))
            }
            Key::Amendment(group) => {
                self.amendments.get(&group).map(|amendment| Cell::Amendment(Box::new(amendment.clone())))
            }
            Key::Invitation(issuer, id) => self.invitations.get(&(issuer, id)).copied().map(Cell::Invitation),
            Key::JoinRequest(group, merchant) => {
                self.join_requests.get(&(group, merchant)).cloned().map(Cell::JoinRequest)
            }
            Key::Operator(account) => self.operators.contains(&account).then_some(Cell::Operator),
        }
    }

    /// An account's lots, in one group or in all, spent ones too.
    pub fn lots_of(&self, account: AccountId, group: Option<GroupId>) -> impl Iterator<Item = &Lot> {
        let first = (account, group.unwrap_or(GroupId([0; 16])), LotId([0; 16]));
        let last = (account, group.unwrap_or(GroupId([0xff; 16])), LotId([0xff; 16]));
        self.lots.range(first..=last).map(|(_, lot)| lot)
    }

    /// Writes a row.
    pub fn put(&mut self, row: &Row) {
        match row.clone() {
            Row::Device(device) => drop(self.devices.insert(device.key, device)),
            Row::Counter(key, counter) => drop(self.counters.insert((key, counter))),
            Row::Merchant(merchant) => drop(self.merchants.insert(merchant.id, merchant)),
            Row::Sale(sale) => drop(self.sales.insert((sale.merchant, sale.id), sale)),
            Row::Group(group) => drop(self.groups.insert(group.id, group)),
            Row::Terms(terms) => drop(self.terms.insert((terms.group, terms.version), terms)),
            Row::Lot(lot) => drop(self.lots.insert((lot.account, lot.group, lot.id), lot)),
            Row::Standing(standing) => drop(self.standings.insert(standing.account, standing)),
            Row::Staff(staff) => drop(self.staff.insert((staff.merchant, staff.account), staff)),
            Row::StaffDay { merchant, account, day, sold } => {
                self.staff_days.insert((merchant, account, day), sold);
            }
            Row::Pass(pass) => drop(self.passes.insert((pass.merchant, pass.id), pass)),
            Row::Closed { account, at, into } => drop(self.closed.insert(account, (at, into))),
            Row::Hold(hold) => drop(self.holds.insert((hold.merchant, hold.id), hold)),
            Row::Redemption(redemption) => {
                self.redemptions.insert((redemption.merchant, redemption.id), redemption);
            }
            Row::Debt(debt) => drop(self.debts.insert((debt.account, debt.key()), debt)),
            Row::Amendment(amendment) => drop(self.amendments.insert(amendment.group, *amendment)),
            Row::Invitation(invitation) => {
                self.invitations.insert((invitation.issuer, invitation.id), invitation);
            }
            Row::JoinRequest(request) => {
                self.join_requests.insert((request.group, request.merchant), request);
            }
            Row::Operator { account, operator: true } => drop(self.operators.insert(account)),
            Row::Operator { account, operator: false } => drop(self.operators.remove(&account)),
            Row::Member(member) => {
                let groups = self.memberships.entry(member.merchant).or_default();
                if let Err(at) = groups.binary_search(&member.group) {
                    groups.insert(at, member.group);
                }
                self.members.insert((member.group, member.merchant), member);
            }
        }
    }

    /// Takes out the row that has this one's primary key.
    pub fn take(&mut self, like: &Row) -> Option<Row> {
        match like {
            Row::Device(device) => self.devices.remove(&device.key).map(Row::Device),
            Row::Counter(key, counter) => {
                self.counters.take(&(*key, *counter)).map(|(key, counter)| Row::Counter(key, counter))
            }
            Row::Merchant(merchant) => self.merchants.remove(&merchant.id).map(Row::Merchant),
            Row::Sale(sale) => self.sales.remove(&(sale.merchant, sale.id)).map(Row::Sale),
            Row::Group(group) => self.groups.remove(&group.id).map(Row::Group),
            Row::Terms(terms) => self.terms.remove(&(terms.group, terms.version)).map(Row::Terms),
            Row::Member(member) => self.members.remove(&(member.group, member.merchant)).map(Row::Member),
            Row::Lot(lot) => self.lots.remove(&(lot.account, lot.group, lot.id)).map(Row::Lot),
            Row::Standing(standing) => self.standings.remove(&standing.account).map(Row::Standing),
            Row::Staff(staff) => self.staff.remove(&(staff.merchant, staff.account)).map(Row::Staff),
            Row::StaffDay { merchant, account, day, .. } => {
                let (merchant, account, day) = (*merchant, *account, *day);
                let sold = self.staff_days.remove(&(merchant, account, day));
                sold.map(|sold| Row::StaffDay { merchant, account, day, sold })
            }
            Row::Pass(pass) => self.passes.remove(&(pass.merchant, pass.id)).map(Row::Pass),
            Row::Closed { account, .. } => {
                let account = *account;
                self.closed.remove(&account).map(|(at, into)| Row::Closed { account, at, into })
            }
            Row::Hold(hold) => self.holds.remove(&(hold.merchant, hold.id)).map(Row::Hold),
            Row::Redemption(redemption) => {
                self.redemptions.remove(&(redemption.merchant, redemption.id)).map(Row::Redemption)
            }
            Row::Debt(debt) => self.debts.remove(&(debt.account, debt.key())).map(Row::Debt),
            Row::Amendment(amendment) => {
                self.amendments.remove(&amendment.group).map(|known| Row::Amendment(Box::new(known)))
            }
            Row::Invitation(invitation) => {
                self.invitations.remove(&(invitation.issuer, invitation.id)).map(Row::Invitation)
            }
            Row::JoinRequest(request) => {
                self.join_requests.remove(&(request.group, request.merchant)).map(Row::JoinRequest)
            }
            Row::Operator { account, .. } => {
                self.operators.take(account).map(|account| Row::Operator { account, operator: true })
            }
        }
    }

    /// A shop is shown differently since an instant.
    pub fn list_anew(&mut self, merchant: MerchantId, at: Timestamp) {
        let changed = self.changed.entry(merchant).or_insert(at);
        *changed = at.max(*changed);
    }

    /// Every member of a group is shown differently since an instant.
    pub fn list_members_anew(&mut self, group: GroupId, at: Timestamp) {
        let (first, last) = (MerchantId([0; 16]), MerchantId([0xff; 16]));
        let members: Vec<MerchantId> =
            self.members.range((group, first)..=(group, last)).map(|((_, merchant), _)| *merchant).collect();
        members.into_iter().for_each(|merchant| self.list_anew(merchant, at));
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        let staff_days = self.staff_days.iter().map(|((merchant, account, day), sold)| Row::StaffDay {
            merchant: *merchant,
            account: *account,
            day: *day,
            sold: *sold,
        });
        let closed = self.closed.iter().map(|(account, (at, into))| Row::Closed {
            account: *account,
            at: *at,
            into: *into,
        });
        let amendments =
            self.amendments.values().cloned().map(|amendment| Row::Amendment(Box::new(amendment)));
        let operators =
            self.operators.iter().map(|account| Row::Operator { account: *account, operator: true });
        let devices = self.devices.values().cloned().map(Row::Device);
        let counters = self.counters.iter().map(|(key, counter)| Row::Counter(*key, *counter));
        devices
            .chain(counters)
            .chain(self.merchants.values().cloned().map(Row::Merchant))
            .chain(self.sales.values().cloned().map(Row::Sale))
            .chain(self.groups.values().cloned().map(Row::Group))
            .chain(self.terms.values().cloned().map(Row::Terms))
            .chain(self.members.values().cloned().map(Row::Member))
            .chain(self.lots.values().cloned().map(Row::Lot))
            .chain(self.standings.values().cloned().map(Row::Standing))
            .chain(self.staff.values().copied().map(Row::Staff))
            .chain(staff_days)
            .chain(self.passes.values().cloned().map(Row::Pass))
            .chain(self.holds.values().cloned().map(Row::Hold))
            .chain(self.redemptions.values().cloned().map(Row::Redemption))
            .chain(self.debts.values().copied().map(Row::Debt))
            .chain(amendments)
            .chain(self.invitations.values().copied().map(Row::Invitation))
            .chain(self.join_requests.values().cloned().map(Row::JoinRequest))
            .chain(closed)
            .chain(operators)
    }

    /// What a shop was told or told others by invitations that are good beyond an instant, the newest first.
    pub fn invitations_of(&self, merchant: MerchantId, since: Timestamp, limit: usize) -> Vec<Invitation> {
        let newest = |of: &dyn Fn(&Invitation) -> bool| {
            let good = |known: &&Invitation| known.until > since && of(known);
            let mut found: Vec<Invitation> = self.invitations.values().filter(good).copied().collect();
            found.sort_by_key(|known| std::cmp::Reverse(known.id));
            found.truncate(limit);
            found
        };
        let made_by = newest(&|known| known.issuer == merchant);
        [made_by, newest(&|known| known.shop == Some(merchant))].concat()
    }

    /// Requests that were made after an instant and wait: a shop's own, and those to join its groups.
    pub fn join_requests_of(&self, merchant: MerchantId, since: Timestamp) -> Vec<JoinRequest> {
        let groups = self.groups_of(merchant);
        let concerns = |asked: &&JoinRequest| {
            let own = asked.merchant == merchant || groups.contains(&asked.group);
            own && asked.state == RequestState::Open && asked.asked_at > since
        };
        self.join_requests.values().filter(concerns).cloned().collect()
    }

    /// Adds to an account of the books. Accounts at zero are not kept.
    pub fn post(&mut self, account: Account, amount: i64) {
        let balance = self.balances.entry(account).or_default();
        *balance += amount;
        if *balance == 0 {
            self.balances.remove(&account);
        }
    }

    /// Applies an event, as the engine did when it was decided.
    ///
    /// # Errors
    /// The reason why it does not fit what stood before.
    pub fn replay(&mut self, event: &Event) -> Result<(), String> {
        let mut view = View::default();
        let rows = loop {
            match apply(&view, event) {
                Ok(rows) => break rows,
                Err(Halt::Need(keys)) => keys.into_iter().for_each(|key| view.load(key, self.load(key))),
                Err(Halt::Refused(refusal)) => return Err(refusal.to_string()),
            }
        };
        rows.iter().for_each(|row| self.put(row));
        for posting in postings(&event.body) {
            if posting.account.ledger != Ledger::Wallet {
                self.post(posting.account, posting.amount);
            }
        }
        match directory_change(&event.body) {
            Some(Listed::Merchant(merchant)) => self.list_anew(merchant, event.at),
            Some(Listed::Group(group)) => self.list_members_anew(group, event.at),
            None => {}
        }
        Ok(())
    }

    /// Sales that have waited for a day and still do, of buyers who agreed to the best, oldest first, each with when its
    /// buyer last set the standing choice.
    pub fn sales_for_best(&self, now: Timestamp) -> Vec<(Sale, Timestamp)> {
        let day_old = |sale: &&Sale| {
            let in_time = sale.waits_until.is_some_and(|until| now <= until);
            sale.waits() && in_time && best_from(sale.time) <= now
        };
        let mut due: Vec<(Sale, Timestamp)> = Vec::new();
        for sale in self.sales.values().filter(day_old) {
            let standing = sale.addressee.and_then(|account| self.standings.get(&account));
            let agreed = standing.filter(|standing| standing.choice.best);
            due.extend(agreed.map(|standing| (sale.clone(), standing.since)));
        }
        due.sort_by_key(|(sale, _)| (sale.waits_until, sale.id));
        due
    }

    /// The keys that act for a shop and may still sign.
    pub fn keys_of(&self, merchant: MerchantId) -> Vec<Device> {
        let acts = |device: &&Device| device.revoked_at.is_none() && device.left_at.is_none();
        self.tills(merchant).filter(acts).cloned().collect()
    }

    /// The keys that ever acted for a shop.
    pub fn tills(&self, merchant: MerchantId) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(move |device| device.merchant == Some(merchant))
    }

    /// The keys that an account ever had.
    pub fn devices_of(&self, account: AccountId) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(move |device| device.account() == Some(account))
    }

    /// Open passes that ran out before a second, those first that ran out first.
    pub fn passes_over(&self, second: u64) -> Vec<Pass> {
        let over = |pass: &&Pass| pass.state == PassState::Open && pass.expires < second;
        let mut over: Vec<Pass> = self.passes.values().filter(over).cloned().collect();
        over.sort_by_key(|pass| pass.expires);
        over
    }

    /// A buyer's passes that are open or ran out at a second or later, and those for a till that did, in order of id.
    pub fn passes_for(&self, account: AccountId, till: KeyId, since: u64) -> Vec<Pass> {
        let wanted = |pass: &&Pass| {
            let lately = pass.expires >= since;
            let open = pass.state == PassState::Open;
            (pass.account == account && (open || lately)) || (pass.till == till && lately)
        };
        let mut passes: Vec<Pass> = self.passes.values().filter(wanted).cloned().collect();
        passes.sort_by_key(|pass| pass.id);
        passes
    }

    /// The groups that a shop is in, in order of id.
    pub fn groups_of(&self, merchant: MerchantId) -> Vec<GroupId> {
        let groups = self.memberships.get(&merchant).into_iter().flatten();
        let stays = |group: &&GroupId| {
            self.members.get(&(**group, merchant)).is_some_and(|member| member.left_at.is_none())
        };
        groups.filter(stays).copied().collect()
    }

    /// What an account owes.
    pub fn debts_of(&self, account: AccountId) -> Vec<Debt> {
        let first = (account, (GroupId([0; 16]), MerchantId([0; 16]), None));
        let theirs = self.debts.range(first..).take_while(|((debtor, _), _)| *debtor == account);
        theirs.map(|(_, debt)| *debt).filter(|debt| !debt.units.is_zero()).collect()
    }

    /// Open holds that the test picks, in order of shop and id.
    pub fn open_holds(&self, which: impl Fn(&Hold) -> bool) -> Vec<Hold> {
        let open = self.holds.values().filter(|hold| hold.state == HoldState::Open);
        open.filter(|hold| which(hold)).cloned().collect()
    }

    /// Open holds whose time was over before `now`, those first whose time was over first.
    pub fn holds_over(&self, now: Timestamp) -> Vec<Hold> {
        let mut over = self.open_holds(|hold| hold.until < now);
        over.sort_by_key(|hold| hold.until);
        over
    }

    /// Amendments whose date has come, those first whose date came first.
    pub fn amendments_due(&self, now: Timestamp) -> Vec<Amendment> {
        let due = |amendment: &&Amendment| !amendment.decided && amendment.from <= now;
        let mut due: Vec<Amendment> = self.amendments.values().filter(due).cloned().collect();
        due.sort_by_key(|amendment| amendment.from);
        due
    }

    /// Groups whose end has come and that have not ended, those first whose end came first.
    pub fn groups_to_end(&self, now: Timestamp) -> Vec<Group> {
        let due =
            |group: &&Group| group.closing.is_some_and(|closing| !closing.ended && closing.ends_at <= now);
        let mut due: Vec<Group> = self.groups.values().filter(due).cloned().collect();
        due.sort_by_key(|group| group.closing.map(|closing| closing.ends_at));
        due
    }

    /// Lots of a group with something left.
    pub fn lots_left(&self, group: GroupId) -> impl Iterator<Item = &Lot> {
        self.lots.values().filter(move |lot| lot.group == group && !lot.remaining.is_zero())
    }

    /// A group as the directory shows it.
    pub fn directory_group(&self, id: GroupId) -> Option<DirectoryGroup> {
        let group = self.groups.get(&id)?.clone();
        let terms = self.terms.get(&(id, group.terms_version))?.clone();
        let of = |member: &&Member| member.group == id && member.left_at.is_none();
        let members = self.members.values().filter(of).map(|member| member.merchant).collect();
        let amendment = self.amendments.get(&id).filter(|amendment| !amendment.decided).cloned();
        Some(DirectoryGroup { group, terms, members, amendment })
    }

    /// What is searched: an entry for each shop, and for each group that can be joined.
    pub fn entries(&self) -> BTreeMap<(Target, Id), Entry> {
        let shops =
            self.merchants.values().map(|shop| ((Target::Shops, shop.id.0), Entry::shop(&shop.profile)));
        let groups = self.groups.values().filter_map(|group| {
            let terms = self.terms.get(&(group.id, group.terms_version))?;
            let (first, last) = ((group.id, MerchantId([0; 16])), (group.id, MerchantId([0xff; 16])));
            let members = self.members.range(first..=last).map(|(_, member)| member);
            let members = members.filter(|member| member.left_at.is_none());
            let profiles =
                members.filter_map(|member| self.merchants.get(&member.merchant)).map(|shop| &shop.profile);
            Some(((Target::Groups, group.id.0), Entry::group(group, &terms.terms, profiles)?))
        });
        shops.chain(groups).collect()
    }

    /// What a query asks for, found by looking at everything: what the stores' indexes are held against.
    pub fn search(&self, query: &Query) -> Vec<Found> {
        let entries = self.entries().into_iter().filter(|((target, _), _)| *target == query.target);
        let hits = entries.filter_map(|((_, id), entry)| query.judge(id, &entry)).collect();
        query.page(hits).into_iter().filter_map(|hit| self.found(query.target, hit)).collect()
    }

    fn found(&self, target: Target, Hit { id, distance_m, .. }: Hit) -> Option<Found> {
        let what = match target {
            Target::Shops => {
                let shop = self.merchants.get(&MerchantId(id))?.clone();
                let groups = self.groups_of(shop.id);
                FoundWhat::Shop(shop, groups)
            }
            Target::Groups => {
                let group = self.groups.get(&GroupId(id))?.clone();
                let terms = self.terms.get(&(group.id, group.terms_version))?.clone();
                FoundWhat::Group(group, terms)
            }
        };
        Some(Found { distance_m, what })
    }

    /// The gaps between the counters that a key has used, each from its first number to its last.
    pub fn gaps_of(&self, key: KeyId) -> Vec<(u64, u64)> {
        gaps(self.counters.range((key, 0)..=(key, u64::MAX)).map(|(_, counter)| *counter))
    }
}

fn keys<'a>(devices: impl Iterator<Item = &'a Device>) -> Option<Cell> {
    let keys: Vec<KeyId> = devices.map(|device| device.key).collect();
    (!keys.is_empty()).then_some(Cell::Keys(keys))
}

/// The server's own key, as its first row.
pub fn system_device(public_key: Vec<u8>) -> Device {
    Device::system(moa_wire::keys::key_id(&public_key), public_key)
}
