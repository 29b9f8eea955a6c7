//! What phones read of the double: changes, snapshots, the directory.

use std::collections::BTreeMap;

use moa_phone::Response;
use moa_rules::debt::Debt;
use moa_rules::event::Inbox;
use moa_rules::group::Group;
use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId};
use moa_rules::sale::Sale;
use moa_rules::waiting::waits_until;
use moa_wire::api::{
    Base64, Changes, Directory, GroupEntry, InboxChanges, KeyEntry, MAX_CHANGES, MerchantEntry, Snapshot,
    TillStanding, WaitingSale,
};
use moa_wire::token::{Checked, Head};
use moa_wire::{canonical, chain};

use super::server::Server;
use super::{member_secret, name, ok, problem};

impl Server {
    pub(super) fn waiting(&self, account: AccountId) -> Vec<WaitingSale> {
        let sales = self.waited.iter().filter_map(|(merchant, sale)| {
            let sale = self.view.sale(*merchant, *sale).unwrap()?;
            let Sale { id: sale, merchant, amount, time, .. } =
                *Some(sale).filter(|sale| sale.waits() && sale.addressee == Some(account))?;
            Some(WaitingSale { sale, merchant, amount, time, until: waits_until(time) })
        });
        sales.collect()
    }

    /// What a buyer's phone, or a till, is told of passes when it starts anew.
    pub(super) fn passes_for(&self, account: AccountId, till: KeyId) -> Vec<Base64> {
        let passes =
            self.passes.iter().filter_map(|(merchant, pass)| self.view.pass(*merchant, *pass).ok()?);
        let passes = passes.filter(|pass| pass.account == account || pass.till == till);
        passes.map(|pass| Base64(canonical::encode(pass))).collect()
    }

    pub(super) fn reach(&self, account: AccountId, key: KeyId) -> Vec<Inbox> {
        let staff = self.device(key).is_some_and(|device| device.staff);
        let merchant = self.shop_of(key);
        let groups = merchant.map(|merchant| self.groups_of(merchant));
        [Inbox::Account(account)]
            .into_iter()
            .chain(staff.then_some(Inbox::Till(key)))
            .chain(merchant.filter(|_| !staff).map(Inbox::Merchant))
            .chain(groups.unwrap_or_default().into_iter().map(Inbox::Group))
            .collect()
    }

    pub(super) fn head(&self, inbox: Inbox, count: usize) -> Base64 {
        let events = self.inboxes.get(&inbox).map(Vec::as_slice).unwrap_or_default();
        let numbered = (1..).zip(&events[..count]);
        let hash =
            numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
        let head = Head::new(inbox, count as u64, hash);
        Base64(Checked::sign(head, &self.key).unwrap().bytes().to_vec())
    }

    pub(super) fn count(&self, inbox: Inbox) -> usize {
        self.inboxes.get(&inbox).map_or(0, Vec::len)
    }

    /// How far a reader is in an inbox: `inbox-count-hash`.
    pub(super) fn place(&self, inbox: Inbox, count: usize) -> String {
        let events = self.inboxes.get(&inbox).map(Vec::as_slice).unwrap_or_default();
        let numbered = (1..).zip(&events[..count]);
        let hash =
            numbered.fold(chain::start(inbox), |hash, (number, event)| chain::next(hash, number, event));
        format!("{}-{count}-{}", name(inbox), u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
    }

    /// A cursor is a place in each inbox, joined by dots.
    pub(super) fn changes(&mut self, account: AccountId, key: KeyId, query: &str) -> Response {
        if self.cursors_gone {
            return problem(410, "cursor_gone");
        }
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).unwrap_or_default();
        let seen: BTreeMap<String, (usize, String)> = cursor
            .split('.')
            .filter_map(|part| part.split_once('-').map(|(inbox, rest)| (inbox, (rest, part))))
            .map(|(inbox, (rest, part))| {
                (inbox.to_owned(), (rest.split('-').next().unwrap().parse().unwrap(), part.to_owned()))
            })
            .collect();
        let (mut inboxes, mut next, mut more) = (Vec::new(), BTreeMap::new(), false);
        next.extend(seen.iter().map(|(inbox, (_, place))| (inbox.clone(), place.clone())));
        for inbox in self.reach(account, key) {
            let (after, place) = seen.get(&name(inbox)).cloned().unwrap_or_default();
            if self.count(inbox) < after || (after > 0 && self.place(inbox, after) != place) {
                return problem(410, "cursor_gone");
            }
            let upto = self.count(inbox).min(after + MAX_CHANGES);
            more |= upto < self.count(inbox);
            next.insert(name(inbox), self.place(inbox, upto));
            if upto == after {
                continue;
            }
            let events = self.inboxes[&inbox][after..upto].iter().cloned().map(Base64).collect();
            let head = self.head(inbox, upto);
            let mut news = InboxChanges { inbox: inbox.into(), first: after as u64 + 1, events, head };
            if let Some(tamper) = self.tamper {
                tamper(&mut news);
            }
            inboxes.push(news);
        }
        let next: Vec<String> = next.into_values().collect();
        let directory = query.contains("&directory=").then(|| self.directory());
        ok(&Changes { inboxes, cursor: next.join("."), more, directory, now: self.now })
    }

    pub(super) fn snapshot(&mut self, account: AccountId, key: KeyId) -> Response {
        self.cursors_gone = false;
        let inboxes = self.reach(account, key);
        let mut lots = BTreeMap::new();
        for group in self.groups.keys().copied() {
            let wallet = self.view.wallet(account, group).cloned().unwrap_or_default();
            lots.extend(wallet.lots().map(|lot| (lot.id, lot.clone())));
        }
        ok(&Snapshot {
            account,
            merchant: self.shop_of(key),
            till: self.device(key).map_or_else(TillStanding::default, |device| TillStanding {
                limits: self.staff(&device).map(|staff| staff.limits),
                certificate: device.certificate,
                pays_from: device.pays_from,
            }),
            debts: self.debts(account),
            holds: self.open_holds(account, self.shop_of(key)),
            lots: lots.into_values().collect(),
            passes: self.passes_for(account, key),
            waiting: self.waiting(account),
            standing: self
                .view
                .standing(account)
                .ok()
                .flatten()
                .map(|s| s.choice.clone())
                .unwrap_or_default(),
            marketing: self
                .view
                .standing(account)
                .ok()
                .flatten()
                .map(|known| Base64(canonical::encode(&known.marketing))),
            member: Some(member_secret(account)),
            invitations: self.invitations_for(key),
            join_requests: self.requests_for(key),
            heads: inboxes.iter().map(|inbox| self.head(*inbox, self.count(*inbox))).collect(),
            cursor: inboxes
                .iter()
                .map(|inbox| self.place(*inbox, self.count(*inbox)))
                .collect::<Vec<_>>()
                .join("."),
            now: self.now,
        })
    }

    fn directory(&self) -> Directory {
        let merchants: Vec<_> =
            self.merchants.iter().map(|merchant| self.merchant_entry(*merchant)).collect();
        let groups: BTreeMap<GroupId, GroupEntry> = merchants
            .iter()
            .flat_map(|merchant| merchant.groups.clone())
            .map(|group| (group, self.group_entry(group).unwrap()))
            .collect();
        let groups = groups.into_values().collect();
        Directory { merchants, groups, cursor: "end".into(), more: false }
    }

    pub(super) fn merchant_entry(&self, id: MerchantId) -> MerchantEntry {
        let merchant = self.view.merchant(id).unwrap().unwrap();
        let keys = self.devices.keys().filter_map(|key| self.device(*key));
        let keys: BTreeMap<KeyId, KeyEntry> = keys
            .filter(|device| device.sells_for(id) && device.signs(self.now))
            .map(|device| {
                (device.key, KeyEntry { id: device.key, public_key: Base64(device.public_key), till: true })
            })
            .collect();
        MerchantEntry {
            id,
            profile: merchant.profile.clone(),
            groups: self.groups_of(id),
            keys: keys.into_values().collect(),
        }
    }

    pub(super) fn group_entry(&self, id: GroupId) -> Option<GroupEntry> {
        let group: Group = self.view.group(id).ok()??.clone();
        let terms = self.view.terms(id, group.terms_version).unwrap()?.clone();
        let members = self.members_of(id);
        let amendment =
            self.view.amendment(id).ok().flatten().filter(|amendment| !amendment.decided).cloned();
        Some(GroupEntry { group, terms, members, amendment })
    }

    fn members_of(&self, group: GroupId) -> Vec<MerchantId> {
        let ever = self.groups.get(&group).into_iter().flatten().copied();
        let is = |merchant: &MerchantId| {
            let member = self.view.member(group, *merchant).ok().flatten();
            member.is_some_and(|member| member.left_at.is_none())
        };
        ever.filter(is).collect()
    }

    pub(super) fn groups_of(&self, merchant: MerchantId) -> Vec<GroupId> {
        let of = |group: &&GroupId| self.members_of(**group).contains(&merchant);
        self.groups.keys().filter(of).copied().collect()
    }

    fn debts(&self, account: AccountId) -> Vec<Debt> {
        let debts = self.view.debts(account).unwrap_or_default().iter();
        debts.filter(|debt| !debt.units.is_zero()).copied().collect()
    }

    fn open_holds(&self, account: AccountId, shop: Option<MerchantId>) -> Vec<Hold> {
        let holds = self.holds.iter().filter_map(|(merchant, hold)| self.view.hold(*merchant, *hold).ok()?);
        let ours = |hold: &&Hold| hold.account == account || Some(hold.merchant) == shop;
        holds.filter(ours).filter(|hold| hold.state == HoldState::Open).cloned().collect()
    }
}
