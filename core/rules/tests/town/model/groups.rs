//! Groups, their members and their terms.

use std::collections::BTreeMap;

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::Op;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Terms;
use moa_rules::time::Timestamp;

use super::{DAY, Fact, Model, millis};
use crate::driver::SYSTEM;

/// A group as the facts leave it.
#[derive(Debug)]
pub struct Group {
    pub admin: MerchantId,
    /// Its terms, and from when each version was in force.
    pub versions: Vec<(i64, Terms)>,
    /// Present or past.
    pub members: BTreeMap<MerchantId, Member>,
    pub proposal: Option<Proposal>,
    /// From when nothing is issued, and when what remains ends.
    pub closing: Option<(i64, i64)>,
    pub ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    pub left: Option<i64>,
    pub frozen: Option<i64>,
}

/// Terms that were proposed last.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub id: OpId,
    pub terms: Terms,
    pub from: i64,
    pub answers: BTreeMap<MerchantId, bool>,
    pub decided: bool,
}

impl Group {
    pub fn new(founder: MerchantId, terms: Terms, at: i64) -> Self {
        let members = [(founder, Member { left: None, frozen: None })].into();
        let versions = vec![(at, terms)];
        Self { admin: founder, versions, members, proposal: None, closing: None, ended: false }
    }

    pub fn terms(&self) -> &Terms {
        &self.versions.last().unwrap().1
    }

    /// How many are members now.
    pub fn count(&self) -> usize {
        self.members.values().filter(|member| member.left.is_none()).count()
    }

    fn belongs(&self, shop: MerchantId) -> bool {
        self.members.get(&shop).is_some_and(|member| member.left.is_none())
    }

    /// Whether the lots of a shop cannot be used.
    pub fn is_frozen(&self, shop: MerchantId) -> bool {
        self.members.get(&shop).is_some_and(|member| member.frozen.is_some())
    }

    /// When a lot that ends at `ends` ends here.
    pub fn end_of(&self, ends: i64) -> i64 {
        self.closing.map_or(ends, |(_, all)| all.min(ends))
    }

    /// Whether a shop's sale of an instant earns here.
    pub fn check_sells(&self, shop: MerchantId, sold: i64) -> Result<(), Refusal> {
        let Some(Member { left, frozen }) = self.members.get(&shop) else {
            return Err(Refusal::SellerNotInGroup);
        };
        let late = |since: &Option<i64>| since.is_some_and(|since| sold >= since);
        if late(left) || (late(frozen) && left.is_some()) {
            return Err(Refusal::SellerNotInGroup);
        }
        if late(frozen) {
            return Err(Refusal::MemberFrozen);
        }
        match self.closing {
            Some((redeem_only, _)) if sold >= redeem_only => Err(Refusal::GroupClosing),
            _ => Ok(()),
        }
    }

    /// Whether a shop takes mileage here.
    pub fn check_takes(&self, shop: MerchantId) -> Result<(), Refusal> {
        match self.members.get(&shop) {
            Some(Member { left: None, frozen: None }) => Ok(()),
            Some(Member { left: None, frozen: Some(_) }) => Err(Refusal::MemberFrozen),
            _ => Err(Refusal::ShopNotInGroup),
        }
    }

    /// The terms that a buyer saw, and their version, if they were in force within seven days; else those now in force.
    pub fn honoured(&self, seen: u32, now: i64) -> (u32, &Terms) {
        for (at, (_, terms)) in self.versions.iter().enumerate() {
            let lately = self.versions.get(at + 1).is_none_or(|(replaced, _)| *replaced > now - 7 * DAY);
            if at + 1 == seen as usize && lately {
                return (seen, terms);
            }
        }
        (self.version(), self.terms())
    }

    pub fn version(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap()
    }
}

impl Model {
    pub(super) fn found(&self, op: &Op, terms: &Terms, now: i64) -> Result<Vec<Fact>, Refusal> {
        let shop = self.owned_by(op.actor)?;
        Ok(vec![Fact::Founded { group: op.id.as_group(), shop, terms: terms.clone(), at: now }])
    }

    pub(super) fn join(&self, op: &Op, group: GroupId, agreed: u32) -> Result<Vec<Fact>, Refusal> {
        let (shop, known) = (self.owned_by(op.actor)?, &self.groups[&group]);
        if known.belongs(shop) {
            return Err(Refusal::AlreadyMember);
        }
        if known.closing.is_some() {
            return Err(Refusal::GroupClosing);
        }
        if agreed != known.version() {
            return Err(Refusal::TermsChanged { current: known.version() });
        }
        Ok(vec![Fact::Joined { group, shop }])
    }

    pub(super) fn leave(&self, op: &Op, group: GroupId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let (shop, known) = (self.owned_by(op.actor)?, &self.groups[&group]);
        if !known.belongs(shop) {
            return Err(Refusal::ShopNotInGroup);
        }
        if known.count() == 1 {
            return Err(Refusal::LastMember);
        }
        if known.admin == shop {
            return Err(Refusal::AdminStays);
        }
        Ok(vec![Fact::Left { group, shop, at: now }])
    }

    pub(super) fn expel(
        &self,
        op: &Op,
        group: GroupId,
        shop: MerchantId,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let admin = self.admin_of(op, group)?;
        if !self.groups[&group].belongs(shop) {
            return Err(Refusal::ShopNotInGroup);
        }
        if admin == shop {
            return Err(Refusal::AdminStays);
        }
        Ok(vec![Fact::Left { group, shop, at: now }])
    }

    pub(super) fn freeze(
        &self,
        op: &Op,
        (group, shop): (GroupId, MerchantId),
        frozen: bool,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        if op.actor != SYSTEM {
            self.check_operates(op.actor, now)?;
        }
        let member = self.groups[&group].members.get(&shop).ok_or(Refusal::ShopNotInGroup)?;
        if member.frozen.is_some() == frozen {
            return Ok(Vec::new());
        }
        Ok(vec![Fact::Frozen { group, shop, since: frozen.then_some(now) }])
    }

    pub(super) fn appoint(&self, op: &Op, group: GroupId, shop: MerchantId) -> Result<Vec<Fact>, Refusal> {
        self.admin_of(op, group)?;
        self.groups[&group].check_takes(shop)?;
        Ok(vec![Fact::Administers { group, shop }])
    }

    pub(super) fn propose(
        &self,
        op: &Op,
        group: GroupId,
        terms: &Terms,
        from: u64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.admin_of(op, group)?;
        let known = &self.groups[&group];
        if known.closing.is_some() {
            return Err(Refusal::GroupClosing);
        }
        let before = known.terms();
        let cannot = |field: &str| Err(Refusal::CannotFollow { field: field.to_owned() });
        if terms.currency != before.currency {
            return cannot("currency");
        }
        if terms.zone != before.zone {
            return cannot("zone");
        }
        if let (Some(new), Some(old)) = (terms.card, before.card)
            && new.stamps != old.stamps
        {
            return cannot("card");
        }
        let from = millis(from);
        if from < now - DAY || from > now + 366 * DAY {
            return Err(Refusal::BadDate { days: 366 });
        }
        let (terms, from, answers) = (terms.clone(), from.max(now), [(shop, true)].into());
        let proposal = Proposal { id: op.id, terms, from, answers, decided: false };
        Ok(vec![Fact::Proposed { group, proposal }])
    }

    pub(super) fn answer(
        &self,
        op: &Op,
        (group, amendment): (GroupId, OpId),
        agrees: bool,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.owned_by(op.actor)?;
        if !self.groups[&group].belongs(shop) {
            return Err(Refusal::ShopNotInGroup);
        }
        if now >= self.open(group, amendment)?.from {
            return Err(Refusal::UnknownAmendment);
        }
        Ok(vec![Fact::Answered { group, shop, agrees }])
    }

    pub(super) fn count(&self, group: GroupId, amendment: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let (known, proposal) = (&self.groups[&group], self.open(group, amendment)?);
        if now < proposal.from {
            return Err(Refusal::NotDue);
        }
        let mut agreed = 0;
        for (shop, agrees) in &proposal.answers {
            if *agrees && known.belongs(*shop) {
                agreed += 1;
            }
        }
        let share = known.terms().consent.map_or(10_000, |share| usize::from(share.get()));
        let enough = agreed * 10_000 >= known.count() * share && known.closing.is_none();
        Ok(vec![Fact::Decided { group, in_force: enough.then_some(now) }])
    }

    pub(super) fn close(&self, op: &Op, group: GroupId, now: i64) -> Result<Vec<Fact>, Refusal> {
        self.admin_of(op, group)?;
        let known = &self.groups[&group];
        if known.count() > 1 {
            return Err(Refusal::NotLastMember);
        }
        if known.closing.is_some() {
            return Err(Refusal::GroupClosing);
        }
        Ok(vec![Fact::Closing { group, redeem_only: now + 30 * DAY, ends: now + 90 * DAY }])
    }

    pub(super) fn end(&self, group: GroupId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let known = &self.groups[&group];
        match known.closing {
            Some((_, ends)) if ends <= now && !known.ended => Ok(vec![Fact::Ended { group }]),
            _ => Err(Refusal::NotDue),
        }
    }

    fn open(&self, group: GroupId, amendment: OpId) -> Result<&Proposal, Refusal> {
        let open = |proposal: &&Proposal| proposal.id == amendment && !proposal.decided;
        self.groups[&group].proposal.as_ref().filter(open).ok_or(Refusal::UnknownAmendment)
    }

    fn admin_of(&self, op: &Op, group: GroupId) -> Result<MerchantId, Refusal> {
        let shop = self.owned_by(op.actor)?;
        if self.groups[&group].admin == shop { Ok(shop) } else { Err(Refusal::NotAllowed) }
    }

    /// The groups in which a shop's sale of an instant earns, in order of id.
    pub(super) fn groups_of(&self, shop: MerchantId, sold: i64) -> Vec<(GroupId, &Group)> {
        let mut found = Vec::new();
        for (id, group) in &self.groups {
            if group.check_sells(shop, sold).is_ok() {
                found.push((*id, group));
            }
        }
        found
    }

    /// Every instant at which a group's terms were replaced, or are to be.
    pub fn next_date(&self, group: GroupId) -> Option<Timestamp> {
        let proposal = self.groups[&group].proposal.as_ref().filter(|proposal| !proposal.decided)?;
        Some(Timestamp(proposal.from))
    }
}
