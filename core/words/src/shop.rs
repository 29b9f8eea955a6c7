//! What a shop did beside selling and taking mileage: holds, refunds, what it gave back. Fragments, not sentences: no full
//! stop.

use moa_rules::quantity::{Currency, Money};
use moa_rules::time::{Timestamp, Zone};

use crate::Lang;
use crate::number::{self, Mileage};
use crate::when;

/// Something of a shop's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopText<'a> {
    /// Mileage is reserved.
    Hold {
        /// How much.
        units: Mileage,
        /// Until when.
        until: Timestamp,
        /// The zone in which that is shown.
        zone: &'a Zone,
    },
    /// A redemption was given back.
    GaveBack {
        /// How much.
        units: Mileage,
    },
    /// What a refund comes to, or came to.
    Refund {
        /// In money.
        money: Money,
        /// In which currency.
        currency: Currency,
        /// Mileage that comes back to the customer.
        mileage: Mileage,
        /// Mileage that is taken back.
        taken: Mileage,
        /// Mileage that was not there to be taken back.
        debt: Mileage,
    },
    /// How much of a sale was paid back in money.
    PaidBack {
        /// How much.
        money: Money,
        /// In which currency.
        currency: Currency,
    },
}

/// Its words.
pub fn shop(lang: Lang, what: &ShopText) -> String {
    let words = |mileage: Mileage| number::mileage(lang, mileage);
    match *what {
        ShopText::Hold { units, until, zone } => {
            let (units, clock) = (words(units), when::clock(until, zone));
            text!(lang, "{units} 잡아 둠, {clock}까지", "{units} held until {clock}")
        }
        ShopText::GaveBack { units } => {
            let units = words(units);
            text!(lang, "{units} 돌려줌", "{units} given back")
        }
        ShopText::PaidBack { money, currency } => {
            let money = number::money(lang, money, currency);
            text!(lang, "{money} 환불", "{money} refunded")
        }
        ShopText::Refund { money, currency, mileage, taken, debt } => {
            let mut parts = Vec::new();
            if money.0 > 0 {
                let money = number::money(lang, money, currency);
                parts.push(text!(lang, "{money} 환불", "{money} refunded"));
            }
            if !mileage.is_none() {
                let mileage = words(mileage);
                parts.push(text!(lang, "{mileage} 돌려줌", "{mileage} given back"));
            }
            if !taken.is_none() {
                let taken = words(taken);
                parts.push(text!(lang, "{taken} 회수", "{taken} taken back"));
            }
            if !debt.is_none() {
                let debt = words(debt);
                parts.push(text!(lang, "{debt} 모자람", "{debt} still owed"));
            }
            parts.join(", ")
        }
    }
}
