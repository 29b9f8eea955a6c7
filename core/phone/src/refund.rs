//! What a shop undoes of its sales: refunds, in part or in full; voids; corrections. (docs/rules.md U, S22)

use moa_rules::id::OpId;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::redemption::Redemption;
use moa_rules::refund::{Parts, VOID_MINUTES};
use moa_rules::refusal::Refusal;
use moa_rules::sale::{Sale, check_amount};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::phone::{Phone, own_shop};
use crate::sale::Voucher;
use crate::store::refunds::{self, Refund};
use crate::store::{redemptions, sales};

/// What a refund is going to come to, as far as this phone can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPreview {
    /// How much of the purchase, what mileage paid of it counted in.
    pub amount: Money,
    /// Of that in money.
    pub money: Money,
    /// Units that come back to the buyer.
    pub mileage: Units,
    /// What a unit of them is; none for points.
    pub mileage_unit: Option<Unit>,
    /// Units of what the purchase earned that are taken back.
    pub takes_back: Units,
    /// What a unit of them is; none for points.
    pub takes_unit: Option<Unit>,
    /// What could be refunded of the purchase before this one.
    pub left: Money,
    /// Whether all that the figures come of is known here: the sale, and the redemption that paid the rest of it.
    pub whole: bool,
}

/// What a refund came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundItem {
    /// The op that refunded.
    pub op: OpId,
    /// The sale.
    pub sale: OpId,
    /// When the server decided it.
    pub at: Timestamp,
    /// How much of the purchase, what mileage paid of it counted in.
    pub amount: Money,
    /// Of that in money.
    pub money: Money,
    /// Units that came back to the buyer.
    pub mileage: Units,
    /// What a unit of them is; none for points.
    pub mileage_unit: Option<Unit>,
    /// Units that were taken back.
    pub taken: Units,
    /// Units that were not there: what the buyer earns next pays them.
    pub debt: Units,
    /// What a unit of those is; none for points.
    pub unit: Option<Unit>,
}

/// How a sale is put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Correction {
    /// The difference is refunded, by this op.
    Refund(OpId),
    /// The difference is a sale of its own, whose voucher the buyer scans.
    Sale(Voucher),
}

impl Phone {
    /// What a refund of so much of a purchase would come to.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for a sale that this phone does not know; `sale_voided`, `amount_not_positive`,
    /// `refund_too_large` with what is left.
    pub fn refund_preview(&self, sale: OpId, amount: Money) -> Result<RefundPreview, PhoneError> {
        self.store().read(|db| preview(db, sale, amount)?.ok_or(PhoneError::NotHere))
    }

    /// A purchase was paid back, so much of it: what mileage paid of it counted in. What that comes to the server decides;
    /// [`Self::refund_of`] tells once its event has come.
    ///
    /// # Errors
    /// `no_merchant`, `sale_voided`, `amount_not_positive`, `refund_too_large` with what is left.
    pub fn refund(&self, sale: OpId, amount: Money) -> Result<OpId, PhoneError> {
        check_amount(amount)?;
        self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            // What is not known here may be known to the server.
            preview(db, sale, amount).map(drop)
        })?;
        self.ask(OpBody::RefundSale { sale, amount })
    }

    /// What an op that refunded came to; none before its event has come.
    ///
    /// # Errors
    /// Storage.
    pub fn refund_of(&self, op: OpId) -> Result<Option<RefundItem>, PhoneError> {
        self.store().read(|db| refunds::by(db, op)?.map(|refund| item(db, &refund)).transpose())
    }

    /// A sale was a mistake: within half an hour, and if nobody has claimed it.
    ///
    /// # Errors
    /// `no_merchant`, `sale_voided`, `sale_already_claimed`, `sale_refunded`, `void_too_late`.
    pub fn void_sale(&self, sale: OpId) -> Result<OpId, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            Ok(sales::get(db, sale)?.map_or(Ok(()), |sale| check_void(&sale, now))?)
        })?;
        self.ask(OpBody::VoidSale { sale })
    }

    /// A sale was of another amount. Of a lower one: the difference is refunded. Of a higher one: the difference is a second
    /// sale, for the same buyer if this phone knows them, whose voucher is to be scanned.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for a sale that this phone does not know; as [`Self::refund`] and [`Self::record_sale`];
    /// `amount_not_positive` if it is of that amount already.
    pub fn correct_sale(&self, sale: OpId, right: Money) -> Result<Correction, PhoneError> {
        let known = self.store().read(|db| sales::get(db, sale)?.ok_or(PhoneError::NotHere))?;
        if right.0 < 0 {
            return Err(Refusal::AmountNotPositive.into());
        }
        let paid = known.earns_on();
        if right < paid {
            return self.refund(sale, paid - right).map(Correction::Refund);
        }
        if known.voided {
            return Err(Refusal::SaleVoided.into());
        }
        let buyer = known.claimed.map(|claimed| claimed.account).or(known.addressee);
        self.record_sale(right - paid, buyer).map(Correction::Sale)
    }
}

fn check_void(sale: &Sale, now: Timestamp) -> Result<(), Refusal> {
    if sale.voided {
        return Err(Refusal::SaleVoided);
    }
    if sale.claimed.is_some() {
        return Err(Refusal::SaleAlreadyClaimed);
    }
    if sale.refunded.0 > 0 {
        return Err(Refusal::SaleRefunded);
    }
    if now.seconds() > sale.time.saturating_add(u64::from(VOID_MINUTES) * 60) {
        return Err(Refusal::VoidTooLate { minutes: VOID_MINUTES });
    }
    Ok(())
}

fn preview(db: &Connection, sale: OpId, amount: Money) -> Result<Option<RefundPreview>, PhoneError> {
    let Some(sales::Sold { sale, earned }) = sales::sold(db, sale)? else { return Ok(None) };
    let taken = sale.redemption.map(|op| redemptions::get(db, op)).transpose()?.flatten();
    let paid_with = taken.and_then(|taken| taken.redemption(sale.merchant));
    let buyer = sale.claimed.map(|claimed| claimed.account).or(sale.addressee);
    let counts = |paid: &Redemption| match sale.refunded {
        // Accounts that were merged only the server tells apart.
        Money(0) => buyer.is_none_or(|buyer| buyer == paid.account),
        // What the first refund found holds: where mileage paid a part, less than all went back in money.
        _ => sale.money_back < sale.refunded,
    };
    let counted = paid_with.as_ref().filter(|paid| counts(paid));
    let parts = match Parts::of(&sale, counted, amount) {
        // The part that mileage paid may make up for it.
        Err(Refusal::RefundTooLarge { .. }) if sale.redemption.is_some() && counted.is_none() => {
            return Ok(None);
        }
        parts => parts?,
    };
    let (units, unit) = earned.unwrap_or_default();
    Ok(Some(RefundPreview {
        amount,
        money: parts.money,
        mileage: parts.mileage,
        mileage_unit: counted.and_then(|paid| paid.allocations.first()?.worth.unit),
        takes_back: parts.takes_back(&sale, units),
        takes_unit: unit,
        left: parts.left,
        whole: sale.redemption.is_none() || counted.is_some(),
    }))
}

/// What a refund came to, with the mileage that came back by it.
pub(crate) fn item(db: &Connection, refund: &Refund) -> Result<RefundItem, PhoneError> {
    let Refund { op, sale, at, amount, money, taken, debt, unit } = *refund;
    let back = refunds::reversal_by(db, op)?;
    let (mileage, mileage_unit) = back.map_or((Units::ZERO, None), |back| (back.units, back.unit));
    Ok(RefundItem { op, sale, at, amount, money, mileage, mileage_unit, taken, debt, unit })
}
