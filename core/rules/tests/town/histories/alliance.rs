//! What becomes of groups, at random: who joins, leaves, is put out or frozen; which terms are proposed; how one closes.

use moa_rules::id::{GroupId, KeyId, MerchantId};
use moa_rules::op::OpBody;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{GROUPS, History, SHOPS, pick, some_terms};
use crate::driver::{SYSTEM, Shop};

/// What happens to a group.
#[derive(Debug, Clone)]
pub enum Move {
    /// A shop joins, having read the terms now in force or older ones.
    Join {
        shop: usize,
        group: usize,
        versions_back: u32,
    },
    Leave {
        shop: usize,
        group: usize,
    },
    /// By the admin, or by another shop.
    Expel {
        group: usize,
        shop: usize,
        by: Option<usize>,
    },
    Appoint {
        group: usize,
        shop: usize,
        by: Option<usize>,
    },
    /// By the server or the operator, or by whoever has no say in it.
    Freeze {
        group: usize,
        shop: usize,
        frozen: bool,
        by: Freezer,
    },
    /// Terms are proposed, agreed to by all members and in force at once.
    Amend {
        group: usize,
        terms: Terms,
    },
    /// Terms are proposed from so many seconds from now, in the group's own zone or not.
    Propose {
        group: usize,
        terms: Terms,
        own_zone: bool,
        seconds: i64,
        by: Option<usize>,
    },
    Answer {
        group: usize,
        shop: usize,
        agrees: bool,
    },
    Count {
        group: usize,
    },
    /// Time passes until just before, at, or after the date of proposed terms, and they are counted.
    WaitForDate {
        group: usize,
        millis_after: i64,
    },
    Close {
        group: usize,
        by: Option<usize>,
    },
    /// The admin puts all others out and closes; in the place of the group a new one is founded.
    WindDown {
        group: usize,
        terms: Terms,
    },
    End {
        group: Index,
    },
    /// Time passes until just before, at, or after the end of a group's notice, or its own.
    WaitForEnd {
        group: Index,
        whole: bool,
        millis_after: i64,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum Freezer {
    Server,
    Operator,
    Owner,
}

pub fn some_move() -> impl Strategy<Value = Move> {
    let by = || prop::option::weighted(0.1, 0..SHOPS);
    let seconds = prop_oneof![
        4 => 1i64..200_000,
        2 => -86_400i64..=0,
        1 => select(vec![-86_401, 366 * 86_400, 366 * 86_400 + 1])
    ];
    let freezer =
        prop_oneof![4 => Just(Freezer::Server), 3 => Just(Freezer::Operator), 1 => Just(Freezer::Owner)];
    prop_oneof![
        8 => (0..SHOPS, 0..GROUPS, select(vec![0, 0, 0, 1]))
            .prop_map(|(shop, group, versions_back)| Move::Join { shop, group, versions_back }),
        2 => (0..SHOPS, 0..GROUPS).prop_map(|(shop, group)| Move::Leave { shop, group }),
        1 => (0..GROUPS, 0..SHOPS, by()).prop_map(|(group, shop, by)| Move::Expel { group, shop, by }),
        4 => (0..GROUPS, 0..SHOPS, by()).prop_map(|(group, shop, by)| Move::Appoint { group, shop, by }),
        7 => (0..GROUPS, 0..SHOPS, prop::bool::weighted(0.4), freezer)
            .prop_map(|(group, shop, frozen, by)| Move::Freeze { group, shop, frozen, by }),
        2 => (0..GROUPS, some_terms()).prop_map(|(group, terms)| Move::Amend { group, terms }),
        5 => (0..GROUPS, some_terms(), prop::bool::weighted(0.9), seconds, by()).prop_map(
            |(group, terms, own_zone, seconds, by)| Move::Propose { group, terms, own_zone, seconds, by }
        ),
        6 => (0..GROUPS, 0..SHOPS, prop::bool::weighted(0.5))
            .prop_map(|(group, shop, agrees)| Move::Answer { group, shop, agrees }),
        1 => (0..GROUPS).prop_map(|group| Move::Count { group }),
        8 => (0..GROUPS, -1i64..=1).prop_map(|(group, millis_after)| Move::WaitForDate { group, millis_after }),
        1 => (0..GROUPS, by()).prop_map(|(group, by)| Move::Close { group, by }),
        1 => (0..GROUPS, some_terms()).prop_map(|(group, terms)| Move::WindDown { group, terms }),
        1 => any::<Index>().prop_map(|group| Move::End { group }),
        1 => (any::<Index>(), any::<bool>(), -1i64..=1)
            .prop_map(|(group, whole, millis_after)| Move::WaitForEnd { group, whole, millis_after }),
    ]
}

impl History {
    pub(super) fn found(&mut self, shop: Shop, terms: Terms) -> GroupId {
        let profile = Profile::new("골목", Scope::Area);
        let op = self.town.op(shop.owner.key, OpBody::FoundGroup { profile, terms });
        let group = op.id.as_group();
        self.send(&op.into());
        self.groups.push(group);
        group
    }

    pub(super) fn join(&mut self, shop: Shop, group: GroupId, versions_back: u32) {
        let terms_version = self.version(group, versions_back);
        let op = self.town.op(shop.owner.key, OpBody::JoinGroup { group, terms_version, invitation: None });
        self.send(&op.into());
    }

    fn admin(&self, group: GroupId, by: Option<usize>) -> KeyId {
        let admin = self.town.tables.groups[&group].admin;
        by.map_or(self.shop_named(admin), |by| self.shops[by]).owner.key
    }

    fn members(&self, group: GroupId) -> Vec<MerchantId> {
        let members = &self.model.group(group).members;
        members.iter().filter(|(_, member)| member.left.is_none()).map(|(shop, _)| *shop).collect()
    }

    /// Every group that there ever was.
    fn all_groups(&self) -> Vec<GroupId> {
        self.town.tables.groups.keys().copied().collect()
    }

    pub(super) fn make(&mut self, step: Move) {
        match step {
            Move::Join { shop, group, versions_back } => {
                self.join(self.shops[shop], self.groups[group], versions_back);
            }
            Move::Leave { shop, group } => {
                let parcel = self.town.leave(self.shops[shop].owner.key, self.groups[group]);
                self.send(&parcel);
            }
            Move::Expel { group, shop, by } => {
                let group = self.groups[group];
                let by = self.admin(group, by);
                let parcel = self.town.expel(by, group, self.shops[shop].merchant);
                self.send(&parcel);
            }
            Move::Appoint { group, shop, by } => {
                let group = self.groups[group];
                let by = self.admin(group, by);
                let parcel = self.town.appoint(by, group, self.shops[shop].merchant);
                self.send(&parcel);
            }
            Move::Freeze { group, shop, frozen, by } => {
                let by = match by {
                    Freezer::Server => SYSTEM,
                    Freezer::Operator => self.operator.key,
                    Freezer::Owner => self.shops[shop].owner.key,
                };
                let parcel = self.town.freeze(by, self.groups[group], self.shops[shop].merchant, frozen);
                self.send(&parcel);
            }
            Move::Amend { group, terms } => self.amend(self.groups[group], &terms),
            Move::Propose { group, terms, own_zone, seconds, by } => {
                let group = self.groups[group];
                let terms = if own_zone { self.following(group, &terms) } else { terms };
                let from = self.town.now.plus(seconds * Timestamp::SECOND);
                let by = self.admin(group, by);
                let parcel = self.town.propose(by, group, terms, from);
                self.send(&parcel);
            }
            Move::Answer { group, shop, agrees } => {
                let group = self.groups[group];
                let Some(amendment) = self.town.tables.amendments.get(&group).map(|known| known.id) else {
                    return;
                };
                let parcel = self.town.answer(self.shops[shop].owner.key, group, amendment, agrees);
                self.send(&parcel);
            }
            Move::Count { group } => {
                let group = self.groups[group];
                let Some(amendment) = self.town.tables.amendments.get(&group).map(|known| known.id) else {
                    return;
                };
                let parcel = self.town.count(group, amendment);
                self.send(&parcel);
            }
            Move::WaitForDate { group, millis_after } => {
                if let Some(date) = self.model.next_date(self.groups[group]) {
                    // Who proposed for in a year does not make everything end.
                    if date < self.town.now.plus(3 * Timestamp::DAY) {
                        self.town.now = self.town.now.max(date.plus(millis_after));
                    }
                }
                self.make(Move::Count { group });
            }
            Move::Close { group, by } => {
                let group = self.groups[group];
                let by = self.admin(group, by);
                let parcel = self.town.close_group(by, group);
                self.send(&parcel);
            }
            Move::WindDown { group, terms } => {
                let old = self.groups[group];
                self.wind_down(old);
                let founder = self.shops[group % SHOPS];
                self.found(founder, terms);
                let new = self.groups.pop().unwrap();
                self.groups[group] = new;
                for shop in self.shops.clone() {
                    self.join(shop, new, 0);
                }
            }
            Move::End { group } => {
                let group = pick(group, &self.all_groups()).unwrap();
                let parcel = self.town.end_group(group);
                self.send(&parcel);
            }
            Move::WaitForEnd { group, whole, millis_after } => {
                let mut closing = self.all_groups();
                closing.retain(|group| self.model.group(*group).closing.is_some());
                let Some(group) = pick(group, &closing) else { return };
                let (redeem_only, ends) = self.model.group(group).closing.unwrap();
                let at = Timestamp(if whole { ends } else { redeem_only }).plus(millis_after);
                self.town.now = self.town.now.max(at);
            }
        }
    }

    /// Terms that can follow a group's: of its zone, and of its card if both have one.
    fn following(&self, group: GroupId, terms: &Terms) -> Terms {
        let before = self.model.group(group).terms();
        let zone = before.zone.clone();
        match (terms.card, before.card) {
            (Some(card), Some(known)) if card.stamps != known.stamps => {
                Terms { zone, card: before.card, unit_value: before.unit_value, ..terms.clone() }
            }
            _ => Terms { zone, ..terms.clone() },
        }
    }

    fn amend(&mut self, group: GroupId, terms: &Terms) {
        let terms = self.following(group, terms);
        let from = self.town.now.plus(Timestamp::SECOND);
        let by = self.admin(group, None);
        let proposal = self.town.propose(by, group, terms, from);
        self.send(&proposal);
        for member in self.members(group) {
            let owner = self.shop_named(member).owner.key;
            let parcel = self.town.answer(owner, group, proposal.op.id, true);
            self.send(&parcel);
        }
        self.town.now = Timestamp::from_seconds(from.seconds());
        let parcel = self.town.count(group, proposal.op.id);
        self.send(&parcel);
    }

    /// The admin puts all others out and closes the group.
    pub(super) fn wind_down(&mut self, group: GroupId) {
        let by = self.admin(group, None);
        for member in self.members(group) {
            if member != self.town.tables.groups[&group].admin {
                let parcel = self.town.expel(by, group, member);
                self.send(&parcel);
            }
        }
        let parcel = self.town.close_group(by, group);
        self.send(&parcel);
    }

    /// In the end every group is closed, what is left in it ends, and so does the group.
    pub(super) fn end(&mut self) {
        assert_eq!(self.town.rebuilt(), self.town.tables, "the journal tells all");
        for group in self.all_groups() {
            self.wind_down(group);
        }
        // Longer than any notice, than any validity, and than any grant lasts.
        self.town.wait(600 * Timestamp::DAY);
        self.release_all();
        let wallets: Vec<_> =
            self.town.tables.lots.keys().map(|(account, group, _)| (*account, *group)).collect();
        for (account, group) in wallets {
            let parcel = self.town.sweep(account, group);
            self.send(&parcel);
        }
        for group in self.all_groups() {
            let parcel = self.town.end_group(group);
            self.send(&parcel);
        }
        self.check();
        assert!(self.town.tables.lots.values().all(|lot| lot.remaining.is_zero() && lot.held.is_zero()));
        assert!(self.all_groups().iter().all(|group| self.model.group(*group).ended));
        assert_eq!(self.town.rebuilt(), self.town.tables, "the journal tells all");
    }
}
