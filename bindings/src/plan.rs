//! Planned purchases: what a buyer notes for themselves alone. They never leave the phone.

use std::collections::HashMap;

use moa_phone::{self as phone, MOST_PLANS, PlanFault};
use moa_rules::quantity::Money;
use moa_words::{Lang, PlanText, plan as words, when};

use crate::app::App;
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::records::Shop;

/// A purchase that the buyer plans: known to this phone alone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PlannedPurchase {
    /// Names it, for `forget_plan`.
    pub id: String,
    /// Where.
    pub shop: Shop,
    /// What it is to come to, in minor units.
    pub amount: i64,
    /// The same, such as `30,000원`.
    pub amount_text: String,
    /// The day, such as `2027-05-31`.
    pub day: String,
    /// The same, such as `31 May 2027`.
    pub day_text: String,
    /// Whether that day is over. It is kept for a week longer.
    pub overdue: bool,
}

/// A day that a purchase can be planned for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PlanDay {
    /// For `plan_purchase`, such as `2027-05-31`.
    pub day: String,
    /// The same, such as `31 May 2027`.
    pub text: String,
}

impl Dress {
    fn planned(self, planned: phone::PlannedPurchase) -> PlannedPurchase {
        PlannedPurchase {
            id: planned.id.to_string(),
            shop: convert::shop(planned.shop),
            amount: planned.amount.0,
            amount_text: self.won(planned.amount),
            day: planned.day.date().to_string(),
            day_text: when::date(self.lang, planned.day),
            overdue: planned.overdue,
        }
    }
}

#[uniffi::export]
impl App {
    /// Notes that the buyer means to buy something at a shop that this phone knows, for so many minor units, on a day such as
    /// `2027-05-31`, from today to five years ahead; at most 50. Never leaves the phone; on disk before it returns. A purchase
    /// confirmed there from three days before the day on fulfils it. Gives its id.
    pub fn plan_purchase(&self, shop: String, amount: i64, day: String) -> Result<String, ApiError> {
        let (shop, day) = (self.merchant_id(&shop)?, self.day(&day)?);
        Ok(self.ask(self.phone()?.plan_purchase(shop, Money(amount), day))?.to_string())
    }

    /// What the buyer means to buy, soonest first. A plan whose day is over by more than a week is no longer among them.
    pub fn planned_purchases(&self) -> Result<Vec<PlannedPurchase>, ApiError> {
        let planned = self.ask(self.phone()?.planned_purchases())?.into_iter();
        Ok(planned.map(|planned| self.dress().planned(planned)).collect())
    }

    /// Shops that a purchase can be planned at, at most 30: those whose name contains `text`, by name; or, without any text, those
    /// where the buyer has bought, the last one first. Of what this phone knows: nobody hears what is looked for.
    pub fn shops_to_plan_at(&self, text: String) -> Result<Vec<Shop>, ApiError> {
        self.ask(self.phone()?.shops_to_plan_at(&text)).map(convert::shops)
    }

    /// Forgets a plan.
    pub fn forget_plan(&self, plan: String) -> Result<(), ApiError> {
        let plan = self.op_id(&plan)?;
        self.ask(self.phone()?.forget_plan(plan))
    }

    /// The day in so many days, 0 for today: as far as a purchase can be planned.
    pub fn plan_day(&self, days: u32) -> Result<PlanDay, ApiError> {
        let day = self.ask(self.phone()?.plan_day(days))?;
        Ok(PlanDay { day: day.date().to_string(), text: when::date(self.dress().lang, day) })
    }

    /// What a person who notes a plan has to know: that nobody else is told. A sentence or two.
    pub fn plans_text(&self) -> String {
        words(self.dress().lang, PlanText::StaysHere)
    }
}

/// Why a purchase was not noted, in words.
pub(crate) fn fault_text(lang: Lang, fault: PlanFault) -> String {
    let what = match fault {
        PlanFault::TooMany => PlanText::TooMany { most: MOST_PLANS },
        PlanFault::BadDay { first, last } => PlanText::BadDay { first, last },
        PlanFault::UnknownShop => PlanText::UnknownShop,
    };
    words(lang, what)
}

/// The numbers in those words, by name.
pub(crate) fn figures(fault: PlanFault) -> HashMap<String, i64> {
    match fault {
        PlanFault::TooMany => HashMap::from([("most".to_owned(), MOST_PLANS.into())]),
        PlanFault::BadDay { .. } | PlanFault::UnknownShop => HashMap::new(),
    }
}
