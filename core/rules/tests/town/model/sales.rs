//! Sales, and what becomes of them: claimed, waiting, chosen, lapsed, taken for the best.

use moa_rules::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::standing::StandingChoice;
use moa_rules::terms::{Kind, Terms, Unit};
use moa_rules::time::Validity;

use super::calendar::{last_day, midnight_after};
use super::people::Stood;
use super::{DAY, Fact, MINUTE, Model, Owed, Stock, millis};

/// A sale as the facts leave it. Amounts are in won, times in milliseconds.
#[derive(Debug, Clone)]
pub struct Sale {
    pub id: OpId,
    pub shop: MerchantId,
    pub key: KeyId,
    /// Whose sale it is, if not the owner's.
    pub clerk: Option<AccountId>,
    pub amount: i64,
    pub time: i64,
    pub addressee: Option<AccountId>,
    /// The redemption that paid the rest, as the shop says.
    pub redemption: Option<OpId>,
    pub waits_for: Option<AccountId>,
    pub lapsed: bool,
    pub voided: bool,
    /// The lot that it became.
    pub claimed: Option<(LotId, AccountId, GroupId)>,
    pub refunds: Vec<Refund>,
}

/// A refund as it was decided.
#[derive(Debug, Clone, Copy)]
pub struct Refund {
    pub amount: i64,
    pub money: i64,
    /// Whether mileage counted as having paid a part.
    pub with_mileage: bool,
    /// Whether somebody had claimed the sale.
    pub claimed: bool,
    /// Units that it took back, debts and what had expired counted in.
    pub units: i64,
    /// Units among those that had expired.
    pub forgone: i64,
}

impl Sale {
    fn new(op: &Op, shop: MerchantId, clerk: Option<AccountId>) -> Self {
        let (amount, addressee, redemption) = match op.body {
            OpBody::RecordSale { amount, addressee, redemption } => (amount, addressee, redemption),
            OpBody::SellTo { amount, redemption, .. } => (amount, None, redemption),
            _ => panic!("a sale"),
        };
        Self {
            id: op.id,
            shop,
            key: op.actor,
            clerk,
            amount: amount.0,
            time: millis(op.time),
            addressee,
            redemption,
            waits_for: None,
            lapsed: false,
            voided: false,
            claimed: None,
            refunds: Vec::new(),
        }
    }

    pub fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    pub fn money_back(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.money).sum()
    }

    /// What of it earns something, or will.
    fn earns_on(&self) -> i64 {
        self.amount - self.money_back()
    }

    fn is_open(&self) -> bool {
        self.claimed.is_none() && !self.lapsed && !self.voided
    }
}

/// A group and its terms, by their version.
pub type Known<'a> = (GroupId, u32, &'a Terms);

impl Model {
    pub(super) fn sell(&self, op: &Op, now: i64) -> Result<Vec<Fact>, Refusal> {
        let time = millis(op.time);
        let shop = self.shop_of(op.actor, Some(time))?;
        let sale = Sale::new(op, shop, self.clerk(op.actor));
        check_amount(sale.amount)?;
        if time - now > DAY {
            return Err(Refusal::SaleDatedAhead { hours: 24 });
        }
        self.may_sell(op, shop, sale.amount)?;
        Ok(vec![Fact::Sold(Box::new(sale))])
    }

    pub(super) fn claim(
        &self,
        op: &Op,
        sale: &Op,
        choice: Option<(GroupId, u32)>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let OpBody::RecordSale { addressee, .. } = sale.body else { panic!("a sale") };
        let (account, sold) = (self.account_of(op.actor), millis(sale.time));
        let shop = self.shop_ever(sale.actor).ok_or(Refusal::NoMerchant)?;
        let mut facts = Vec::new();
        let known = match self.sales.get(&sale.id) {
            Some(known) if known.voided => return Err(Refusal::SaleVoided),
            Some(known) if known.claimed.is_some() => return Err(Refusal::SaleAlreadyClaimed),
            Some(known) => known.clone(),
            None => {
                if self.is_revoked(sale.actor) {
                    return Err(Refusal::RevokedKey);
                }
                if self.is_used(sale.actor, sale.counter) {
                    return Err(Refusal::CounterUsed { counter: sale.counter });
                }
                facts = self.sell(sale, now)?;
                facts.push(Fact::Used { key: sale.actor, counter: sale.counter });
                Sale::new(sale, shop, None)
            }
        };
        if self.is_own(shop, account, sold) {
            return Err(Refusal::OwnSale);
        }
        if addressee.is_some() && addressee != Some(account) {
            return Err(Refusal::NotAddressee);
        }
        if now - sold > 7 * DAY {
            return Err(Refusal::SaleTooOld { days: 7 });
        }
        if addressee.is_none() && millis(op.time) - sold > 15 * MINUTE {
            return Err(Refusal::VoucherExpired { minutes: 15 });
        }
        let into = self.picked(&known, choice, now)?;
        facts.extend(self.earn(op, (&known, account), into, now)?);
        Ok(facts)
    }

    /// The group and the terms that a buyer picked; or the best, if the buyer left it open.
    fn picked(&self, sale: &Sale, choice: Option<(GroupId, u32)>, now: i64) -> Result<Known<'_>, Refusal> {
        let Some((group, seen)) = choice else {
            let candidates = self.candidates(sale);
            return best(candidates, sale.earns_on()).ok_or(Refusal::SellerInNoGroup);
        };
        let known = &self.groups[&group];
        known.check_sells(sale.shop, sale.time)?;
        let (version, terms) = known.honoured(seen, now);
        Ok((group, version, terms))
    }

    fn candidates(&self, sale: &Sale) -> Vec<Known<'_>> {
        let groups = self.groups_of(sale.shop, sale.time);
        groups.into_iter().map(|(id, group)| (id, group.version(), group.terms())).collect()
    }

    /// Those in which a sale earns something.
    fn fitting(&self, sale: &Sale) -> Vec<Known<'_>> {
        let mut fitting = self.candidates(sale);
        fitting.retain(|(_, _, terms)| earned(sale.earns_on(), terms) > 0);
        fitting
    }

    pub(super) fn sell_to(
        &self,
        op: &Op,
        account: AccountId,
        signed_up: bool,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let shop = self.shop_of(op.actor, Some(millis(op.time)))?;
        if self.closed.contains_key(&account) {
            return Err(Refusal::AccountClosed);
        }
        if self.is_own(shop, account, millis(op.time)) {
            return Err(Refusal::OwnSale);
        }
        let mut facts = self.sell(op, now)?;
        let Some(Fact::Sold(sale)) = facts.last_mut() else { panic!("a sale") };
        sale.addressee = Some(account);
        let sale = sale.clone();
        if now > sale.time + 7 * DAY {
            return Ok(facts);
        }
        match self.settled(&sale, account) {
            _ if self.fitting(&sale).is_empty() => {}
            Some(into) if signed_up => facts.extend(self.earn(op, (&sale, account), into, now)?),
            _ => facts.push(Fact::Waits { sale: sale.id, account }),
        }
        Ok(facts)
    }

    /// The only group in which it earns, or the first of the buyer's standing choice.
    fn settled(&self, sale: &Sale, account: AccountId) -> Option<Known<'_>> {
        let fitting = self.fitting(sale);
        if let [only] = fitting[..] {
            return Some(only);
        }
        let wanted = &self.standings.get(&account)?.groups;
        wanted.iter().find_map(|group| fitting.iter().find(|(fits, ..)| fits == group)).copied()
    }

    /// A sale that its buyer, whose account has not ended, can still choose for.
    fn waiting(&self, sale: OpId, now: i64) -> Result<Option<(&Sale, AccountId)>, Refusal> {
        let sale = self.sales.get(&sale).ok_or(Refusal::UnknownSale)?;
        let waits = sale.is_open() && now <= sale.time + 7 * DAY;
        let buyer = sale.waits_for.filter(|account| waits && !self.closed.contains_key(account));
        Ok(buyer.map(|account| (sale, account)))
    }

    pub(super) fn offer_again(&self, op: &Op, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let waiting = self.waiting(sale, now)?.ok_or(Refusal::NotDue)?;
        let into = self.settled(waiting.0, waiting.1).ok_or(Refusal::NotDue)?;
        self.earn(op, waiting, into, now)
    }

    pub(super) fn take_best(&self, op: &Op, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let (sale, account) = self.waiting(sale, now)?.ok_or(Refusal::NotDue)?;
        let agreed = self.standings.get(&account).is_some_and(|stood| stood.best);
        if now < sale.time + DAY || !agreed {
            return Err(Refusal::NotDue);
        }
        let amount = sale.earns_on();
        let into = best(self.fitting(sale), amount).ok_or(Refusal::EarnsNothing { amount: Money(amount) })?;
        self.earn(op, (sale, account), into, now)
    }

    pub(super) fn choose(
        &self,
        op: &Op,
        sale: OpId,
        choice: Option<(GroupId, u32)>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let sale = self.sales.get(&sale).ok_or(Refusal::UnknownSale)?;
        let account = self.account_of(op.actor);
        if sale.waits_for != Some(account) {
            return Err(Refusal::NotYourSale);
        }
        if sale.voided {
            return Err(Refusal::SaleVoided);
        }
        if sale.claimed.is_some() {
            return Err(Refusal::SaleAlreadyClaimed);
        }
        if sale.lapsed || now > sale.time + 7 * DAY {
            return Err(Refusal::SaleLapsed { days: 7 });
        }
        let into = self.picked(sale, choice, now)?;
        self.earn(op, (sale, account), into, now)
    }

    pub(super) fn lapse(&self, sale: OpId, now: i64) -> Result<Vec<Fact>, Refusal> {
        let sale = self.sales.get(&sale).ok_or(Refusal::UnknownSale)?;
        if sale.waits_for.is_none() || !sale.is_open() || now <= sale.time + 7 * DAY {
            return Err(Refusal::NotLapsed);
        }
        Ok(vec![Fact::Lapsed { sale: sale.id }])
    }

    pub(super) fn stand(&self, op: &Op, choice: &StandingChoice) -> Vec<Fact> {
        let stood = Stood { groups: choice.groups.clone(), best: choice.best };
        vec![Fact::Stood { account: self.account_of(op.actor), stood }]
    }

    /// What a sale becomes under these terms, and which debts it pays at once; the op names the lot.
    fn earn(
        &self,
        op: &Op,
        (sale, account): (&Sale, AccountId),
        (group, version, terms): Known<'_>,
        now: i64,
    ) -> Result<Vec<Fact>, Refusal> {
        let amount = sale.earns_on();
        let units = earned(amount, terms);
        if units == 0 {
            return Err(Refusal::EarnsNothing { amount: Money(amount) });
        }
        let last_day = last_day(terms.validity, now, &terms.zone);
        let lot = Stock {
            account,
            group,
            lot: LotId(op.id.0),
            issuer: sale.shop,
            sale: sale.id,
            units,
            left: units,
            held: 0,
            expired: 0,
            issued: now,
            last_day,
            ends: midnight_after(last_day, &terms.zone),
            value: terms.unit_value.0,
            basis: terms.basis,
            unit: unit_of(terms),
            version,
            revives: None,
        };
        let mut debts: Vec<Owed> = self.debts.clone();
        debts.retain(|debt| (debt.account, debt.group, debt.unit) == (account, group, lot.unit));
        debts.sort_by_key(|debt| (debt.since, debt.shop));
        let mut facts = vec![Fact::Earned { sale: sale.id, lot: Box::new(lot) }];
        let (at, mut left) = (self.lots.len(), units);
        for debt in debts {
            let units = debt.units.min(left);
            left -= units;
            if units > 0 {
                facts.push(Fact::TakenBack { lot: at, units, shop: debt.shop });
                facts.push(Fact::Paid { debt, units });
            }
        }
        Ok(facts)
    }
}

pub fn check_amount(amount: i64) -> Result<(), Refusal> {
    if amount <= 0 {
        return Err(Refusal::AmountNotPositive);
    }
    if amount > 10_000_000_000 {
        return Err(Refusal::AmountTooLarge { max: Money(10_000_000_000) });
    }
    Ok(())
}

/// Points and reserve: the percentage first, then whole units of it. Stamps: one, or one for each so much. Coupons: one,
/// or none.
fn earned(amount: i64, terms: &Terms) -> i64 {
    if amount == 0 {
        return 0;
    }
    match terms.kind {
        Kind::Point | Kind::Reserve => {
            let share = i128::from(amount) * i128::from(terms.rate.get()) / 10_000;
            i64::try_from(share / i128::from(terms.unit_value.0)).unwrap()
        }
        Kind::Stamp => match terms.card.unwrap().per {
            Some(per) => amount / per.0,
            None => 1,
        },
        Kind::Coupon => match terms.least_purchase {
            Some(least) if amount < least.0 => 0,
            _ => 1,
        },
    }
}

pub fn unit_of(terms: &Terms) -> Option<Unit> {
    match terms.kind {
        Kind::Point => None,
        Kind::Stamp => Some(Unit::Stamp(terms.card.unwrap().stamps)),
        Kind::Coupon => Some(Unit::Coupon),
        Kind::Reserve => Some(Unit::Reserve),
    }
}

/// What gives most for a purchase, then what lasts longest, then the lowest id.
fn best(candidates: Vec<Known<'_>>, amount: i64) -> Option<Known<'_>> {
    let mut best: Option<Known<'_>> = None;
    for candidate in candidates {
        let better = |held: Known<'_>| {
            let new = (gives(amount, candidate.2), days(candidate.2.validity));
            let old = (gives(amount, held.2), days(held.2.validity));
            new > old || new == old && candidate.0 < held.0
        };
        if best.is_none_or(better) {
            best = Some(candidate);
        }
    }
    best
}

/// In ten-thousandths of a won: of points the rate, of stamps and coupons what they are worth.
fn gives(amount: i64, terms: &Terms) -> i128 {
    match terms.kind {
        Kind::Point | Kind::Reserve => i128::from(amount) * i128::from(terms.rate.get()),
        Kind::Stamp | Kind::Coupon => {
            i128::from(earned(amount, terms)) * i128::from(terms.unit_value.0) * 10_000
        }
    }
}

/// Days, a month as 30.44.
fn days(validity: Validity) -> u32 {
    match validity {
        Validity::Months(months) => u32::from(months) * 3_044 / 100,
        Validity::Days(days) => days.into(),
    }
}
