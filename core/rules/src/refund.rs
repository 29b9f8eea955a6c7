//! Refunds: a purchase paid back, in part or in full; what it earned is taken back, what mileage paid of it comes back.
//! Voids: a sale that was a mistake. (rules.md "Refund of a purchase", "Sales and claims")

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, MerchantId, OpId};
use crate::lot::{Allocation, Lot, take};
use crate::quantity::{Money, Units};
use crate::redemption::Redemption;
use crate::refusal::Refusal;
use crate::reversal::{give_back, heir, last, lot_of};
use crate::sale::{Claimed, Sale};
use crate::terms::Unit;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long after a sale it can be voided.
pub const VOID_MINUTES: u32 = 30;

/// What `part` of `whole` comes to of another amount, rounded down: 0 ≤ part ≤ whole.
fn share(of: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    // No more than `of`, as the part is no more than the whole.
    i64::try_from(i128::from(of) * i128::from(part) / i128::from(whole)).unwrap_or(of)
}

/// What a refund of a purchase comes to, as far as the sale and the redemption that paid the rest of it tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// What goes back in money.
    pub money: Money,
    /// Units of the mileage that paid, which come back.
    pub mileage: Units,
    /// What could be refunded before this one: of the whole purchase, in minor units.
    pub left: Money,
    /// What goes back in money, this one and those before together.
    all_money: Money,
}

impl Parts {
    /// What a refund of `amount` comes to.
    ///
    /// Money back = ⌊money paid × refunded so far ÷ total⌋ less what went back; mileage back = what that leaves of what was
    /// refunded so far, in whole units, less what went back. So refunds in parts add up to the whole, to the unit.
    ///
    /// # Errors
    /// `sale_voided`, `amount_not_positive`, `refund_too_large` with what is left.
    pub fn of(sale: &Sale, mileage: Option<&Redemption>, amount: Money) -> Result<Self, Refusal> {
        if sale.voided {
            return Err(Refusal::SaleVoided);
        }
        if amount.0 <= 0 {
            return Err(Refusal::AmountNotPositive);
        }
        let total = sale.amount.0.saturating_add(mileage.map_or(0, |redemption| redemption.value().0));
        let left = Money(total - sale.refunded.0);
        if amount > left {
            return Err(Refusal::RefundTooLarge { left });
        }
        let refunded = sale.refunded.0 + amount.0;
        let all_money = Money(share(sale.amount.0, refunded, total));
        let back = mileage.map(|redemption| {
            let back = redemption.units_of(Money(refunded) - all_money);
            back.checked_sub(redemption.returned).unwrap_or_default()
        });
        let money = all_money - sale.money_back;
        Ok(Self { money, mileage: back.unwrap_or_default(), left, all_money })
    }

    /// Units that it takes back of a sale that had earned so many.
    pub fn takes_back(&self, sale: &Sale, earned: Units) -> Units {
        let since = self.all_money - sale.unearned;
        let due = share(earned.get(), since.0, (sale.amount - sale.unearned).0) - sale.clawed.get();
        Units::new(due).unwrap_or_default()
    }
}

/// The author's shop has paid back `amount` of a purchase, what mileage paid of it counted in.
pub(crate) fn refund(
    view: &View,
    author: &Author,
    id: OpId,
    amount: Money,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let sale = view.sale(merchant, id)?.ok_or(Refusal::UnknownSale)?;
    let mileage = paid_with(view, sale)?;
    let parts = Parts::of(sale, mileage, amount)?;
    let taken = take_back(view, sale, &parts, now)?;

    let mut decision = Decision::default();
    if let Some(redemption) = mileage
        && !parts.mileage.is_zero()
    {
        give_back(view, author, &mut decision, (redemption, parts.mileage), now)?;
    }
    let money = parts.money;
    let group = sale.claimed.map(|claimed| claimed.group);
    let Taken { account, unit, units, parts, debt } = taken;
    let (taken, till) = (parts, sale.till());
    decision.then(
        author,
        EventBody::Refunded {
            sale: id,
            merchant,
            amount,
            money,
            account,
            group,
            units,
            taken,
            debt,
            unit,
            till,
        },
    );
    Ok(decision)
}

/// The redemption that paid a part of the purchase: one of the same shop and, as far as is known, of the same buyer.
///
/// What the first refund found holds for those that follow: a sale claimed meanwhile, or accounts merged, would change what
/// the whole is of which parts went back.
fn paid_with<'a>(view: &'a View, sale: &Sale) -> Result<Option<&'a Redemption>, Halt> {
    let Some(id) = sale.redemption else { return Ok(None) };
    let Some(redemption) = view.redemption(sale.merchant, id)? else { return Ok(None) };
    if sale.refunded.0 > 0 {
        // Where mileage paid a part, less than was refunded went back in money.
        return Ok((sale.money_back < sale.refunded).then_some(redemption));
    }
    let buyer = sale.claimed.as_ref().map(|claimed| claimed.account).or(sale.addressee);
    let same = match buyer {
        Some(buyer) => buyer == redemption.account || last(view, buyer)? == last(view, redemption.account)?,
        None => true,
    };
    Ok(same.then_some(redemption))
}

/// What a refund takes back, and from whom.
#[derive(Default)]
struct Taken {
    account: Option<AccountId>,
    unit: Option<Unit>,
    /// All of it, what had expired counted in.
    units: Units,
    parts: Vec<Allocation>,
    debt: Units,
}

/// Units to take back = ⌊earned × money refunded so far ÷ money paid⌋ less those taken back already: from the lot that the
/// purchase made, what has expired of it counted as taken; then from the buyer's others of the group; what is not there is
/// a debt.
fn take_back(view: &View, sale: &Sale, refund: &Parts, now: Timestamp) -> Result<Taken, Halt> {
    let Some(Claimed { lot, account: buyer, group }) = sale.claimed else {
        return Ok(Taken::default());
    };
    let heir = heir(view, buyer)?;
    let account = heir.unwrap_or(buyer);
    view.want(&[Key::Group(group), Key::Lot(account, group, lot), Key::Lot(buyer, group, lot)])?;
    let Some(own) = lot_of(view, (account, buyer), group, lot)? else {
        return Ok(Taken::default());
    };
    let unit = own.worth.unit;
    let units = refund.takes_back(sale, own.units);
    let nothing = Taken { account: Some(account), unit, units, ..Taken::default() };
    if units.is_zero() || heir.is_none() {
        // A closed account holds nothing and owes nothing: all that it had has expired.
        return Ok(nothing);
    }

    let here = own.account == account;
    let mut parts = if here { take([own], units) } else { Vec::new() };
    let mut left = units.checked_sub(parts.iter().map(|part| part.units).sum()).unwrap_or_default();
    let expired = own.expired.checked_sub(sale.forgone).unwrap_or_default();
    left = left.checked_sub(left.min(expired)).unwrap_or_default();
    if !left.is_zero() {
        let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
        view.want(&[Key::Wallet(account, group), Key::Terms(group, known.terms_version)])?;
        let order = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?.terms.order;
        let wallet = view.wallet(account, group)?;
        let usable = known.usable(unit, now);
        let others = wallet.in_order(order, &usable).into_iter().filter(|other: &&Lot| other.id != lot);
        let more = take(others, left);
        left = left.checked_sub(more.iter().map(|part| part.units).sum()).unwrap_or_default();
        parts.extend(more);
    }
    Ok(Taken { parts, debt: left, ..nothing })
}

/// Voids a sale of the author's shop: within half an hour by the shop's clock, and if nobody has claimed it.
pub(crate) fn void(view: &View, author: &Author, id: OpId) -> Result<Decision, Halt> {
    let merchant: MerchantId = author.merchant()?;
    let sale = view.sale(merchant, id)?.ok_or(Refusal::UnknownSale)?;
    if sale.voided {
        return Err(Refusal::SaleVoided.into());
    }
    if sale.claimed.is_some() {
        return Err(Refusal::SaleAlreadyClaimed.into());
    }
    if sale.refunded.0 > 0 {
        return Err(Refusal::SaleRefunded.into());
    }
    if author.op.time > sale.time.saturating_add(u64::from(VOID_MINUTES) * 60) {
        return Err(Refusal::VoidTooLate { minutes: VOID_MINUTES }.into());
    }
    let account = sale.addressee.filter(|_| sale.waits());
    Ok(author.caused(EventBody::SaleVoided { sale: id, merchant, account, till: sale.till() }))
}
