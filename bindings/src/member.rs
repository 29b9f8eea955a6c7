//! Buyers whom a shop can name, and the sales that wait for this buyer's choice.

use moa_rules::op::Choice;
use moa_rules::quantity::Currency;
use moa_words::number;

use crate::app::App;
use crate::convert;
use crate::error::ApiError;
use crate::records::{Claimed, GroupChoice, Qr, Shop};

/// A buyer's code, to be shown to a shop. Names the buyer and gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MemberCode {
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// When to ask for the next one.
    pub valid_until: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

/// A member code as scanned by a shop. Only the server can tell whose it is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannedMember {
    /// Whether it was shown too long ago to be taken now.
    pub expired: bool,
}

/// A sale that waits for this buyer's choice.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WaitingSale {
    /// The sale's id.
    pub sale: String,
    /// The shop.
    pub shop: Shop,
    /// What was paid.
    pub amount: i64,
    /// What was paid, such as `4,500원`.
    pub amount_text: String,
    /// When, by the shop's clock.
    pub sold_at: i64,
    /// The last instant at which it can be claimed.
    pub until: i64,
    /// The same, as a phrase.
    pub until_text: String,
    /// The groups to choose from, best first; empty while the directory has not told.
    pub choices: Vec<GroupChoice>,
    /// Whether a choice is made and the server has not answered.
    pub chosen: bool,
}

#[uniffi::export]
impl App {
    /// The member code to be shown now; another one every 30 seconds. Needs no network.
    pub fn member_code(&self) -> Result<MemberCode, ApiError> {
        let shown = self.ask(self.phone()?.member_code())?;
        Ok(MemberCode {
            qr: self.qr(&shown.text)?,
            code: shown.text,
            valid_until: shown.valid_until.0,
            good_until_text: self.dress().good_until(shown.valid_until),
        })
    }

    /// Records a sale of so many minor units to the buyer who shows this member code, or reads out twelve digits. On disk before it returns, and
    /// there is no voucher to show. With the redemption that paid the rest, if mileage paid a part. Gives the sale's id.
    #[uniffi::method(default(redemption = None))]
    pub fn record_sale_for(
        &self,
        amount: i64,
        buyer: String,
        redemption: Option<String>,
    ) -> Result<String, ApiError> {
        let purchase = self.purchase(amount, redemption)?;
        Ok(self.ask(self.phone()?.record_sale_for(purchase, &buyer))?.to_string())
    }

    /// Records a sale of so many minor units to whoever has this phone number, as typed. On disk before it returns. If its
    /// owner is not signed up, the sale waits for that, seven days at most. Gives the sale's id.
    #[uniffi::method(default(redemption = None))]
    pub fn record_sale_to_number(
        &self,
        amount: i64,
        number: String,
        redemption: Option<String>,
    ) -> Result<String, ApiError> {
        let purchase = self.purchase(amount, redemption)?;
        Ok(self.ask(self.phone()?.record_sale_to_number(purchase, &number))?.to_string())
    }

    /// Sales that wait for this buyer's choice, oldest first.
    pub fn waiting_sales(&self) -> Result<Vec<WaitingSale>, ApiError> {
        let dress = self.dress();
        let waiting = self.ask(self.phone()?.waiting_sales())?.into_iter();
        Ok(waiting
            .map(|waiting| WaitingSale {
                sale: waiting.sale.to_string(),
                shop: convert::shop(waiting.shop),
                amount: waiting.amount.0,
                amount_text: number::money(dress.lang, waiting.amount, Currency::KRW),
                sold_at: waiting.sold_at.0,
                until: waiting.until.0,
                until_text: dress.choose_until(waiting.until),
                choices: waiting.choices.into_iter().map(|choice| dress.choice(choice)).collect(),
                chosen: waiting.claim.is_some(),
            })
            .collect())
    }

    /// Chooses the group of a sale that waits; without a choice, the best. On disk before it returns.
    pub fn claim_waiting(&self, sale: String, choice: Option<GroupChoice>) -> Result<Claimed, ApiError> {
        let sale = self.op_id(&sale)?;
        let choice = self.choice(choice)?;
        Ok(self.dress().claimed(self.ask(self.phone()?.claim_waiting(sale, choice))?))
    }
}

impl App {
    /// The group that was chosen, for the phone.
    pub(crate) fn choice(&self, choice: Option<GroupChoice>) -> Result<Option<Choice>, ApiError> {
        let Some(GroupChoice { group, terms_version, .. }) = choice else { return Ok(None) };
        Ok(Some(Choice { group: self.group_id(&group)?, terms_version }))
    }
}
