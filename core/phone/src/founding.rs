//! Founding a group: what its shop may begin with, and what its own terms would cost it. (A16)
//!
//! Everything is reckoned here; nothing is asked of the server, and what a founder says of its margin stays on the phone.

use moa_rules::founding::{Draft, Plan, Weighed};
use moa_rules::refusal::Refusal;
use moa_rules::terms::Terms;

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::shop::own_currency;

impl Phone {
    /// Terms that a group may begin with, in the money of this phone's shop, and why. What is founded is up to the founder.
    ///
    /// # Errors
    /// `no_merchant`; `bad_terms`, with the figure of the plan that is beyond its limits.
    pub fn draft_group(&self, plan: Plan) -> Result<Draft, PhoneError> {
        Ok(self.in_own_money(plan)?.draft()?)
    }

    /// What terms cost that the founder changed, beside what is suggested for the like.
    ///
    /// # Errors
    /// As [`Self::draft_group`]; `currency_differs`, `unknown_zone`.
    pub fn weigh_terms(&self, plan: Plan, terms: &Terms) -> Result<Weighed, PhoneError> {
        let plan = self.in_own_money(plan)?;
        if terms.currency != plan.currency {
            return Err(Refusal::CurrencyDiffers.into());
        }
        Ok(plan.weigh(terms)?)
    }

    fn in_own_money(&self, plan: Plan) -> Result<Plan, PhoneError> {
        let currency = self.store().read(own_currency)?.unwrap_or(plan.currency);
        Ok(Plan { currency, ..plan })
    }
}
