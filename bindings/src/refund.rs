//! What a shop undoes: refunds, voids, corrections of its sales; redemptions that it gives back.

use moa_phone::Purchase;
use moa_rules::id::OpId;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::terms::Unit;
use moa_words::{Mileage as Said, ShopText, shop};

use crate::app::App;
use crate::convert::Dress;
use crate::error::ApiError;
use crate::records::{Mileage, Voucher};

/// What a refund is going to come to, as far as this phone can tell.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefundPreview {
    /// How much of the purchase, what mileage paid of it counted in.
    pub amount: i64,
    /// Of that in money.
    pub money: i64,
    /// What comes back to the buyer.
    pub mileage: Mileage,
    /// What is taken back of what the purchase earned.
    pub takes_back: Mileage,
    /// What could be refunded of the purchase before.
    pub left: i64,
    /// Whether all that the figures come of is known to this phone; the server decides anyway.
    pub whole: bool,
    /// All of it in one line.
    pub text: String,
}

/// What a refund came to.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Refund {
    /// The op that refunded.
    pub op: String,
    /// The sale.
    pub sale: String,
    /// When the server decided it.
    pub at: i64,
    /// How much of the purchase, what mileage paid of it counted in.
    pub amount: i64,
    /// Of that in money.
    pub money: i64,
    /// What came back to the buyer.
    pub mileage: Mileage,
    /// What was taken back.
    pub taken: Mileage,
    /// What was not there: the buyer's next earnings pay it.
    pub debt: Mileage,
    /// All of it in one line.
    pub text: String,
}

/// Mileage that the shop gave back without a refund.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Reversal {
    /// The op that gave it back.
    pub op: String,
    /// The redemption.
    pub redemption: String,
    /// When the server decided it.
    pub at: i64,
    /// The group's id.
    pub group: String,
    /// How much.
    pub mileage: Mileage,
    /// In one line.
    pub text: String,
}

/// How a sale is put right.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Correction {
    /// The difference is refunded, by this op.
    Refund {
        /// The op.
        op: String,
    },
    /// The difference is a sale of its own, to be shown to the buyer.
    Sale {
        /// Its voucher.
        voucher: Voucher,
    },
}

impl Dress {
    fn refund_text(
        self,
        money: Money,
        (mileage, of): (Units, Option<Unit>),
        (taken, debt, unit): (Units, Units, Option<Unit>),
    ) -> String {
        let (mileage, currency) = (Said::of(mileage, of), Currency::KRW);
        let [taken, debt] = [taken, debt].map(|units| Said::of(units, unit));
        shop(self.lang, &ShopText::Refund { money, currency, mileage, taken, debt })
    }

    pub(crate) fn refund(self, refund: moa_phone::RefundItem) -> Refund {
        let moa_phone::RefundItem { op, sale, at, amount, money, mileage, mileage_unit, taken, debt, unit } =
            refund;
        Refund {
            op: op.to_string(),
            sale: sale.to_string(),
            at: at.0,
            amount: amount.0,
            money: money.0,
            mileage: self.mileage(mileage, mileage_unit),
            taken: self.mileage(taken, unit),
            debt: self.mileage(debt, unit),
            text: self.refund_text(money, (mileage, mileage_unit), (taken, debt, unit)),
        }
    }

    pub(crate) fn reversal(self, reversal: moa_phone::ReversalItem) -> Reversal {
        let moa_phone::ReversalItem { op, redemption, at, group, units, unit } = reversal;
        Reversal {
            op: op.to_string(),
            redemption: redemption.to_string(),
            at: at.0,
            group: group.to_string(),
            mileage: self.mileage(units, unit),
            text: shop(self.lang, &ShopText::GaveBack { units: Said::of(units, unit) }),
        }
    }
}

#[uniffi::export]
impl App {
    /// Records the part of a purchase that was paid in money, after mileage paid the rest by that redemption.
    pub fn record_rest(&self, amount: i64, redemption: String) -> Result<Voucher, ApiError> {
        let redemption = self.op_id(&redemption)?;
        let voucher = self.ask(self.phone()?.record_rest(Money(amount), redemption))?;
        self.dress().voucher(voucher, |text| self.qr(text))
    }

    /// What a refund of so much of a purchase would come to.
    pub fn refund_preview(&self, sale: String, amount: i64) -> Result<RefundPreview, ApiError> {
        let sale = self.op_id(&sale)?;
        let preview = self.ask(self.phone()?.refund_preview(sale, Money(amount)))?;
        let dress = self.dress();
        let of = (preview.mileage, preview.mileage_unit);
        Ok(RefundPreview {
            amount: preview.amount.0,
            money: preview.money.0,
            mileage: dress.mileage(preview.mileage, preview.mileage_unit),
            takes_back: dress.mileage(preview.takes_back, preview.takes_unit),
            left: preview.left.0,
            whole: preview.whole,
            text: dress.refund_text(preview.money, of, (preview.takes_back, Units::ZERO, preview.takes_unit)),
        })
    }

    /// A purchase was paid back, so much of it: what mileage paid of it counted in. Gives the op; `refundOf` tells what it came
    /// to once the server has decided.
    pub fn refund(&self, sale: String, amount: i64) -> Result<String, ApiError> {
        let sale = self.op_id(&sale)?;
        Ok(self.ask(self.phone()?.refund(sale, Money(amount)))?.to_string())
    }

    /// What an op that refunded came to; none before the server has decided.
    pub fn refund_of(&self, op: String) -> Result<Option<Refund>, ApiError> {
        let op = self.op_id(&op)?;
        Ok(self.ask(self.phone()?.refund_of(op))?.map(|refund| self.dress().refund(refund)))
    }

    /// A sale was a mistake: within half an hour, and if nobody has claimed it. Gives the op.
    pub fn void_sale(&self, sale: String) -> Result<String, ApiError> {
        let sale = self.op_id(&sale)?;
        Ok(self.ask(self.phone()?.void_sale(sale))?.to_string())
    }

    /// A sale was of another amount: the difference is refunded, or a sale of its own.
    pub fn correct_sale(&self, sale: String, right_amount: i64) -> Result<Correction, ApiError> {
        let sale = self.op_id(&sale)?;
        Ok(match self.ask(self.phone()?.correct_sale(sale, Money(right_amount)))? {
            moa_phone::Correction::Refund(op) => Correction::Refund { op: op.to_string() },
            moa_phone::Correction::Sale(voucher) => {
                Correction::Sale { voucher: self.dress().voucher(voucher, |text| self.qr(text))? }
            }
        })
    }

    /// Gives back what is left of a redemption at this shop. Gives the op.
    pub fn reverse(&self, redemption: String) -> Result<String, ApiError> {
        let redemption = self.op_id(&redemption)?;
        Ok(self.ask(self.phone()?.reverse(redemption))?.to_string())
    }
}

impl App {
    /// What is bought, for the phone.
    pub(crate) fn purchase(&self, amount: i64, redemption: Option<String>) -> Result<Purchase, ApiError> {
        let redemption: Option<OpId> = redemption.map(|op| self.op_id(&op)).transpose()?;
        Ok(Purchase { amount: Money(amount), redemption })
    }
}
