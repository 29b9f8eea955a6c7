//! Sales: a purchase as the shop recorded it. (rules.md "Sales and claims")

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, KeyId, LotId, MerchantId, OpId};
use crate::quantity::{MAX_AMOUNT, Money, Units};
use crate::refusal::Refusal;
use crate::staff;
use crate::time::Timestamp;
use crate::view::{Halt, View};

/// How far a shop's clock may run ahead of the server's: a day.
pub const HOURS_AHEAD: u32 = 24;
/// For how long an unaddressed voucher can be claimed, by the claiming phone's clock.
pub const VOUCHER_MINUTES: u32 = 15;
/// For how long after the sale the server accepts a claim.
pub const CLAIM_DAYS: u32 = 7;

/// A purchase that a shop recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// The op that recorded it.
    pub id: OpId,
    /// The shop.
    pub merchant: MerchantId,
    /// The key that signed it.
    pub key: KeyId,
    /// What was paid in money.
    pub amount: Money,
    /// The shop's clock, in seconds since 1970.
    pub time: u64,
    /// The one buyer who may claim it, if known.
    pub addressee: Option<AccountId>,
    /// The lot that it became.
    pub claimed: Option<Claimed>,
    /// The last instant at which its buyer can choose, if it waits or waited for that.
    pub waits_until: Option<Timestamp>,
    /// Whether nobody chose in time.
    pub lapsed: bool,
    /// Whether the key is one of the staff's.
    pub staff: bool,
    /// Whether its shop said that it was a mistake.
    pub voided: bool,
    /// The redemption that paid the rest of the purchase, as its shop says.
    pub redemption: Option<OpId>,
    /// How much of the purchase was paid back, what mileage paid of it counted in.
    pub refunded: Money,
    /// How much of that in money.
    pub money_back: Money,
    /// Money that had gone back when it was claimed, on which nothing was earned.
    pub unearned: Money,
    /// Units that refunds took back, debts and what had expired counted in.
    pub clawed: Units,
    /// Units among those that had expired.
    pub forgone: Units,
}

/// The lot that a sale became, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The lot.
    pub lot: LotId,
    /// The buyer.
    pub account: AccountId,
    /// The group.
    pub group: GroupId,
}

impl Sale {
    /// A sale as it is recorded.
    pub fn new(id: OpId, merchant: MerchantId, key: KeyId, amount: Money, time: u64) -> Self {
        Self {
            id,
            merchant,
            key,
            amount,
            time,
            addressee: None,
            claimed: None,
            waits_until: None,
            lapsed: false,
            staff: false,
            voided: false,
            redemption: None,
            refunded: Money(0),
            money_back: Money(0),
            unearned: Money(0),
            clawed: Units::ZERO,
            forgone: Units::ZERO,
        }
    }

    /// What it earns on, in minor units: what was paid and has not gone back.
    pub fn earns_on(&self) -> Money {
        self.amount - self.money_back
    }

    /// The key that signed it, if it is one of the staff's.
    pub fn till(&self) -> Option<KeyId> {
        self.staff.then_some(self.key)
    }

    /// Whether it waits for its buyer's choice.
    pub fn waits(&self) -> bool {
        self.waits_until.is_some() && self.claimed.is_none() && !self.lapsed && !self.voided
    }
}

/// Records a sale of the author's shop.
///
/// However late it arrives: it is the shop's record. Whether it can still be claimed is the claim's question.
pub(crate) fn record(
    view: &View,
    author: &Author,
    amount: Money,
    (addressee, redemption): (Option<AccountId>, Option<OpId>),
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.seller()?;
    check_amount(amount)?;
    if Timestamp::from_seconds(author.op.time) > now.plus(i64::from(HOURS_AHEAD) * Timestamp::HOUR) {
        return Err(Refusal::SaleDatedAhead { hours: HOURS_AHEAD }.into());
    }
    if view.sale(merchant, author.op.id)?.is_some() {
        return Err(Refusal::BadOpId.into());
    }
    staff::check_sale(view, author, merchant, amount)?;
    let (sale, key, time, till) = (author.op.id, author.device.key, author.op.time, author.till());
    if let Some(certificate) = author.device.certificate {
        certificate.check(amount, Timestamp::from_seconds(time))?;
    }
    Ok(author.caused(EventBody::SaleRecorded {
        sale,
        merchant,
        key,
        amount,
        time,
        addressee,
        till,
        redemption,
    }))
}

/// Refuses an amount that no sale has.
///
/// # Errors
/// `amount_not_positive`, `amount_too_large`.
pub fn check_amount(amount: Money) -> Result<(), Refusal> {
    if amount.0 <= 0 {
        return Err(Refusal::AmountNotPositive);
    }
    if amount > MAX_AMOUNT {
        return Err(Refusal::AmountTooLarge { max: MAX_AMOUNT });
    }
    Ok(())
}
