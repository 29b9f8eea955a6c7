//! Approvals and passes, out of the list of everything that happened.

use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::Op;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::SpendingOrder;
use moa_rules::time::Timestamp;

use super::{DAY, Fact, Model, millis};
use crate::driver::units;

const HOUR: i64 = DAY / 24;
const MINUTE: i64 = HOUR / 60;

/// Mileage reserved for a till.
#[derive(Debug, Clone)]
pub struct Reserved {
    pub pass: OpId,
    pub shop: MerchantId,
    pub till: KeyId,
    pub account: AccountId,
    pub key: KeyId,
    pub group: GroupId,
    /// Of which lots, counted from zero, how much.
    pub parts: Vec<(usize, i64)>,
    /// In milliseconds.
    pub expires: i64,
}

impl Reserved {
    pub fn units(&self) -> i64 {
        self.parts.iter().map(|part| part.1).sum()
    }
}

impl Model {
    /// Every pass there ever was.
    pub fn passes(&self) -> Vec<Reserved> {
        let reserved = |fact: &Fact| match fact {
            Fact::Reserved(reserved) => Some(reserved.clone()),
            _ => None,
        };
        self.facts.iter().filter_map(reserved).collect()
    }

    /// Whether a pass is over, and if so whether its till took it.
    pub fn ended(&self, of: OpId) -> Option<bool> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Ended { pass, taken } if *pass == of => Some(*taken),
            _ => None,
        })
    }

    /// Which lots `asked` units at this shop come from.
    pub(super) fn afford(
        &self,
        (account, group): (AccountId, GroupId),
        shop: MerchantId,
        asked: i64,
        now: i64,
    ) -> Result<Vec<(usize, i64)>, Refusal> {
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if !self.is_member(shop, group) {
            return Err(Refusal::ShopNotInGroup);
        }
        let versions = self.versions(group);
        let (_, terms) = versions.last().unwrap();
        let available = self.available(account, group, Timestamp(now));
        let mut minimum: Option<i64> = None;
        for lot in self.stock() {
            if lot.account == account && lot.group == group && lot.left > lot.held && lot.ends > now {
                minimum = Some(minimum.map_or(lot.minimum, |other| other.min(lot.minimum)));
            }
        }
        let minimum = minimum.unwrap_or(terms.minimum.get());
        if available < minimum {
            return Err(Refusal::BelowMinimum { minimum: units(minimum), available: units(available) });
        }
        if available < asked {
            return Err(Refusal::NotEnough { asked: units(asked), available: units(available) });
        }

        let mut parts = Vec::new();
        let mut stock = self.stock();
        let mut open = asked;
        while open > 0 {
            // Again and again the one lot that goes before all others.
            let mut first: Option<usize> = None;
            for (at, lot) in stock.iter().enumerate() {
                if lot.account != account || lot.group != group || lot.left == lot.held || lot.ends <= now {
                    continue;
                }
                let before = first.is_none_or(|first| match terms.order {
                    SpendingOrder::SoonestExpiry => {
                        let other = &stock[first];
                        (lot.ends, lot.issued, lot.lot) < (other.ends, other.issued, other.lot)
                    }
                    SpendingOrder::Oldest => (lot.issued, lot.lot) < (stock[first].issued, stock[first].lot),
                });
                if before {
                    first = Some(at);
                }
            }
            let lot = &mut stock[first.unwrap()];
            let taken = open.min(lot.left - lot.held);
            parts.push((lot.number, taken));
            lot.left -= taken;
            open -= taken;
        }
        Ok(parts)
    }

    pub(super) fn pay(
        &self,
        op: &Op,
        (shop, group): (MerchantId, GroupId),
        asked: i64,
        expires: u64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let account = self.pays(op.actor, now)?;
        if millis(expires) < now || millis(expires) > now + 10 * MINUTE {
            return Err(Refusal::ApprovalTooLong { minutes: 10 });
        }
        let parts = self.afford((account, group), shop, asked, now)?;
        Ok(parts.into_iter().map(|(lot, units)| Fact::Spent { lot, units, shop }).collect())
    }

    pub(super) fn reserve(
        &self,
        op: &Op,
        (shop, till): (MerchantId, KeyId),
        group: GroupId,
        asked: i64,
        expires: u64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let account = self.pays(op.actor, now)?;
        let expires = millis(expires);
        if expires < now || expires > now + 72 * HOUR {
            return Err(Refusal::PassTooLong { hours: 72 });
        }
        let acts = self
            .phone(till)
            .is_some_and(|phone| phone.shop == Some(shop) && phone.left_at.is_none() && !phone.revoked);
        if !acts {
            return Err(Refusal::WrongTill);
        }
        let mut open = 0;
        for other in self.passes() {
            if (other.account, other.group) == (account, group) && self.ended(other.pass).is_none() {
                open += 1;
            }
        }
        if open >= 5 {
            return Err(Refusal::TooManyPasses { max: 5 });
        }
        let parts = self.afford((account, group), shop, asked, now)?;
        let stock = self.stock();
        let worth: i64 = parts.iter().map(|(lot, units)| units * stock[*lot].value).sum();
        if worth > 100_000 {
            return Err(Refusal::PassTooLarge { max: Money(100_000) });
        }
        let (pass, key) = (op.id, op.actor);
        Ok(vec![Fact::Reserved(Reserved { pass, shop, till, account, key, group, parts, expires })])
    }

    pub(super) fn take_pass(
        &self,
        op: &Op,
        (pass, key): (OpId, KeyId),
        asked: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, Some(millis(op.time)))?;
        let reserved = self.passes().into_iter().find(|other| (other.pass, other.shop) == (pass, shop));
        let reserved = reserved.ok_or(Refusal::UnknownPass)?;
        if reserved.till != op.actor || reserved.key != key {
            return Err(Refusal::WrongTill);
        }
        match self.ended(pass) {
            Some(true) => return Err(Refusal::PassSpent),
            Some(false) => return Err(Refusal::PassReleased { hours: 24 }),
            None => {}
        }
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if asked > reserved.units() {
            return Err(Refusal::MoreThanCode { asked: units(asked), most: units(reserved.units()) });
        }
        let mut facts = vec![Fact::Ended { pass, taken: true }];
        let mut open = asked;
        for (lot, held) in reserved.parts {
            let units = held.min(open);
            open -= units;
            if units > 0 {
                facts.push(Fact::Spent { lot, units, shop });
            }
        }
        Ok(facts)
    }

    pub(super) fn release(&self, shop: MerchantId, pass: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let reserved = self.passes().into_iter().find(|other| (other.pass, other.shop) == (pass, shop));
        let reserved = reserved.ok_or(Refusal::UnknownPass)?;
        if self.ended(pass).is_some() || now <= reserved.expires + DAY {
            return Err(Refusal::NotDue);
        }
        Ok(vec![Fact::Ended { pass, taken: false }])
    }
}
