//! Spending: redemptions, approvals, passes, holds, expiry.

use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{Op, RedemptionCode};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{SpendingOrder, Unit};

use super::{DAY, Fact, HOUR, MINUTE, Model, Stock, millis};
use crate::driver::units;

/// Mileage reserved by a pass, or by a hold.
#[derive(Debug, Clone)]
pub struct Reserved {
    pub id: OpId,
    pub shop: MerchantId,
    pub account: AccountId,
    pub group: GroupId,
    /// Of which lots how much.
    pub parts: Vec<(usize, i64)>,
    pub made: i64,
    /// The last instant at which it is good.
    pub until: i64,
    /// Of a pass: its till, and the key that shows it.
    pub pass: Option<(KeyId, KeyId)>,
    pub over: Option<Over>,
}

/// How what was reserved came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Taken,
    Voided,
    Lapsed,
}

impl Reserved {
    pub fn units(&self) -> i64 {
        self.parts.iter().map(|part| part.1).sum()
    }

    /// The first so many units.
    fn first(&self, asked: i64) -> Vec<(usize, i64)> {
        let (mut parts, mut open) = (Vec::new(), asked);
        for (lot, held) in &self.parts {
            let units = open.min(*held);
            open -= units;
            if units > 0 {
                parts.push((*lot, units));
            }
        }
        parts
    }
}

/// Mileage that a shop took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub id: OpId,
    pub shop: MerchantId,
    pub account: AccountId,
    pub group: GroupId,
    pub parts: Vec<(usize, i64)>,
    /// When it was decided that it would be.
    pub made: i64,
    /// Units that came back, those taken last first.
    pub returned: i64,
}

impl Model {
    pub(super) fn redeem(
        &self,
        op: &Op,
        code: &RedemptionCode,
        asked: i64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, None)?;
        let (account, parts) = self.on_code(shop, code, asked, now)?;
        let taken = Taken { id: op.id, shop, account, group: code.group, parts, made: now, returned: 0 };
        Ok(vec![Fact::Used { key: code.key, counter: code.counter }, Fact::Taken(taken)])
    }

    pub(super) fn hold(
        &self,
        op: &Op,
        code: &RedemptionCode,
        asked: i64,
        seconds: Option<u32>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, None)?;
        let lasts = i64::from(seconds.unwrap_or(600)) * 1_000;
        if lasts == 0 || lasts > DAY {
            return Err(Refusal::HoldTooLong { hours: 24 });
        }
        let (account, parts) = self.on_code(shop, code, asked, now)?;
        let (id, group, until) = (op.id, code.group, now + lasts);
        let reserved = Reserved { id, shop, account, group, parts, made: now, until, pass: None, over: None };
        Ok(vec![Fact::Used { key: code.key, counter: code.counter }, Fact::Reserved(reserved)])
    }

    pub(super) fn capture(&self, op: &Op, hold: OpId, asked: i64, now: i64) -> Result<Vec<Fact>, Refusal> {
        let hold = self.open_hold(self.shop_of(op.actor, None)?, hold)?;
        if now > hold.until {
            return Err(Refusal::HoldOver);
        }
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if asked > hold.units() {
            return Err(Refusal::MoreThanCode { asked: units(asked), most: units(hold.units()) });
        }
        check_whole(self.lots[hold.parts[0].0].unit, asked)?;
        Ok(take_of(hold, op.id, asked))
    }

    pub(super) fn void_hold(&self, op: &Op, hold: OpId) -> Result<Vec<Fact>, Refusal> {
        let hold = self.open_hold(self.shop_of(op.actor, None)?, hold)?;
        Ok(vec![Fact::Over { reserved: hold.id, how: Over::Voided }])
    }

    pub(super) fn lapse_hold(&self, shop: MerchantId, hold: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let hold = self.open_hold(shop, hold)?;
        if now <= hold.until {
            return Err(Refusal::NotDue);
        }
        Ok(vec![Fact::Over { reserved: hold.id, how: Over::Lapsed }])
    }

    fn open_hold(&self, shop: MerchantId, hold: OpId) -> Result<&Reserved, Refusal> {
        let own = |hold: &&Reserved| hold.shop == shop && hold.pass.is_none();
        let hold = self.reserved.get(&hold).filter(own).ok_or(Refusal::UnknownHold)?;
        if hold.over.is_none() { Ok(hold) } else { Err(Refusal::HoldOver) }
    }

    /// Whose code it is, and of which lots it takes how much.
    fn on_code(
        &self,
        shop: MerchantId,
        code: &RedemptionCode,
        asked: i64,
        now: i64,
    ) -> Result<(AccountId, Vec<(usize, i64)>), Refusal> {
        let account = self.pays(code.key, now)?;
        if self.is_used(code.key, code.counter) {
            return Err(Refusal::CodeUsed);
        }
        if now > millis(code.expires) {
            return Err(Refusal::CodeExpired);
        }
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if asked > code.most.get() {
            return Err(Refusal::MoreThanCode { asked: units(asked), most: code.most });
        }
        Ok((account, self.afford((account, code.group), shop, (asked, code.unit), now)?))
    }

    /// Of which lots so many units at this shop come.
    fn afford(
        &self,
        (account, group): (AccountId, GroupId),
        shop: MerchantId,
        (asked, unit): (i64, Option<Unit>),
        now: i64,
    ) -> Result<Vec<(usize, i64)>, Refusal> {
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        let known = &self.groups[&group];
        known.check_takes(shop)?;
        let usable = self.usable((account, group), unit, now);
        let mut available = 0;
        let mut minimum: Option<i64> = None;
        for at in &usable {
            let lot = &self.lots[*at];
            available += lot.left - lot.held;
            let (_, terms) = &known.versions[lot.version as usize - 1];
            minimum = Some(minimum.map_or(terms.minimum.get(), |least| least.min(terms.minimum.get())));
        }
        let now_in_force = known.terms();
        let same = super::sales::unit_of(now_in_force) == unit;
        let minimum = minimum.unwrap_or(if same { now_in_force.minimum.get() } else { 0 });
        if available < minimum {
            return Err(Refusal::BelowMinimum { minimum: units(minimum), available: units(available) });
        }
        check_whole(unit, asked)?;
        let (parts, missing) = self.take_of_these(usable, now_in_force.order, asked);
        if missing > 0 {
            return Err(Refusal::NotEnough { asked: units(asked), available: units(available) });
        }
        Ok(parts)
    }

    /// The lots of a wallet that can be used.
    pub(super) fn usable(
        &self,
        (account, group): (AccountId, GroupId),
        unit: Option<Unit>,
        now: i64,
    ) -> Vec<usize> {
        let known = &self.groups[&group];
        let mut usable = Vec::new();
        for (at, lot) in self.wallet(account, group) {
            let free = lot.left > lot.held && known.end_of(lot.ends) > now && !known.is_frozen(lot.issuer);
            if lot.unit == unit && free {
                usable.push(at);
            }
        }
        usable
    }

    pub fn available(&self, account: AccountId, group: GroupId, unit: Option<Unit>, now: i64) -> i64 {
        let usable = self.usable((account, group), unit, now);
        usable.into_iter().map(|at| self.lots[at].left - self.lots[at].held).sum()
    }

    /// Of these lots so many units, in spending order, and how many are missing.
    pub(super) fn take_of_these(
        &self,
        mut lots: Vec<usize>,
        order: SpendingOrder,
        asked: i64,
    ) -> (Vec<(usize, i64)>, i64) {
        let (mut parts, mut open) = (Vec::new(), asked);
        while open > 0 && !lots.is_empty() {
            // Again and again the one that goes before all others.
            let mut first = 0;
            for at in 1..lots.len() {
                if goes_before(&self.lots[lots[at]], &self.lots[lots[first]], order) {
                    first = at;
                }
            }
            let at = lots.swap_remove(first);
            let units = open.min(self.lots[at].left - self.lots[at].held);
            if units > 0 {
                parts.push((at, units));
            }
            open -= units;
        }
        (parts, open)
    }

    pub(super) fn sweep(&self, account: AccountId, group: GroupId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let mut facts = Vec::new();
        for (at, lot) in self.wallet(account, group) {
            let free = lot.left - lot.held;
            if free > 0 && self.groups[&group].end_of(lot.ends) <= now {
                facts.push(Fact::Gone { lot: at, units: free });
            }
        }
        if facts.is_empty() { Err(Refusal::NothingExpired) } else { Ok(facts) }
    }

    pub(super) fn pay(
        &self,
        op: &Op,
        (shop, group): (MerchantId, GroupId),
        wanted: (i64, Option<Unit>),
        expires: u64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let account = self.pays(op.actor, now)?;
        if millis(expires) < now || millis(expires) > now + 10 * MINUTE {
            return Err(Refusal::ApprovalTooLong { minutes: 10 });
        }
        let parts = self.afford((account, group), shop, wanted, now)?;
        Ok(vec![Fact::Taken(Taken { id: op.id, shop, account, group, parts, made: now, returned: 0 })])
    }

    pub(super) fn reserve(
        &self,
        op: &Op,
        (shop, till): (MerchantId, KeyId),
        group: GroupId,
        wanted: (i64, Option<Unit>),
        expires: u64,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let account = self.pays(op.actor, now)?;
        let until = millis(expires);
        if until < now || until > now + 72 * HOUR {
            return Err(Refusal::PassTooLong { hours: 72 });
        }
        let acts = self
            .phone(till)
            .is_some_and(|phone| phone.shop == Some(shop) && phone.left_at.is_none() && !phone.revoked);
        if !acts {
            return Err(Refusal::WrongTill);
        }
        let mut open = 0;
        for other in self.reserved.values() {
            let of_wallet = (other.account, other.group) == (account, group);
            if of_wallet && other.pass.is_some() && other.over.is_none() {
                open += 1;
            }
        }
        if open >= 5 {
            return Err(Refusal::TooManyPasses { max: 5 });
        }
        let parts = self.afford((account, group), shop, wanted, now)?;
        let worth: i64 = parts.iter().map(|(lot, units)| units * self.lots[*lot].value).sum();
        if worth > 100_000 {
            return Err(Refusal::PassTooLarge { max: Money(100_000) });
        }
        let (id, pass) = (op.id, Some((till, op.actor)));
        let reserved = Reserved { id, shop, account, group, parts, made: now, until, pass, over: None };
        Ok(vec![Fact::Reserved(reserved)])
    }

    pub(super) fn take_pass(
        &self,
        op: &Op,
        (pass, key): (OpId, KeyId),
        asked: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, Some(millis(op.time)))?;
        let reserved = self.pass_of(shop, pass)?;
        if reserved.pass != Some((op.actor, key)) {
            return Err(Refusal::WrongTill);
        }
        match reserved.over {
            Some(Over::Taken) => return Err(Refusal::PassSpent),
            Some(_) => return Err(Refusal::PassReleased { hours: 24 }),
            None => {}
        }
        if asked == 0 {
            return Err(Refusal::UnitsNotPositive);
        }
        if asked > reserved.units() {
            return Err(Refusal::MoreThanCode { asked: units(asked), most: units(reserved.units()) });
        }
        check_whole(self.lots[reserved.parts[0].0].unit, asked)?;
        Ok(take_of(reserved, op.id, asked))
    }

    pub(super) fn release(&self, shop: MerchantId, pass: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let reserved = self.pass_of(shop, pass)?;
        if reserved.over.is_some() || now <= reserved.until + DAY {
            return Err(Refusal::NotDue);
        }
        Ok(vec![Fact::Over { reserved: pass, how: Over::Lapsed }])
    }

    fn pass_of(&self, shop: MerchantId, pass: OpId) -> Result<&Reserved, Refusal> {
        let own = |pass: &&Reserved| pass.shop == shop && pass.pass.is_some();
        self.reserved.get(&pass).filter(own).ok_or(Refusal::UnknownPass)
    }
}

/// What was reserved is over, and so much of it taken.
fn take_of(reserved: &Reserved, op: OpId, asked: i64) -> Vec<Fact> {
    let Reserved { id, shop, account, group, made, .. } = *reserved;
    let taken = Taken { id: op, shop, account, group, parts: reserved.first(asked), made, returned: 0 };
    vec![Fact::Over { reserved: id, how: Over::Taken }, Fact::Taken(taken)]
}

fn goes_before(lot: &Stock, other: &Stock, order: SpendingOrder) -> bool {
    match order {
        SpendingOrder::SoonestExpiry => {
            (lot.ends, lot.issued, lot.lot) < (other.ends, other.issued, other.lot)
        }
        SpendingOrder::Oldest => (lot.issued, lot.lot) < (other.issued, other.lot),
    }
}

fn check_whole(unit: Option<Unit>, asked: i64) -> Result<(), Refusal> {
    match unit {
        Some(Unit::Stamp(card)) if asked % i64::from(card) != 0 => {
            Err(Refusal::WholeCards { card: card.into() })
        }
        _ => Ok(()),
    }
}
