//! Paying where one side has no signal, or neither.

use std::sync::Arc;

use moa_phone::{Fate, PassStanding};
use moa_rules::id::{BadId, MerchantId, OpId};

use crate::app::{App, Inner, VERDICT};
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::records::{MileageUnit, Qr, Shop};

/// What came of paying at a shop without signal.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Payment {
    /// The server took the mileage: show this to the shop.
    Approved {
        /// To be shown.
        approval: Approval,
    },
    /// No answer yet: it may have been taken. `fate(op)` tells, and then `approval(op)`.
    BeingChecked {
        /// The op.
        op: String,
    },
}

/// The server's word that mileage was taken.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Approval {
    /// The op that paid.
    pub op: String,
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// Units taken.
    pub units: i64,
    /// The same, such as `1,200 points`.
    pub units_text: String,
    /// When the shop no longer honours it.
    pub expires_at: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

/// How a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PassState {
    /// It can be shown.
    Open,
    /// Its time is over; what the till did not take comes back.
    Over,
    /// The till took some of it, or all.
    Spent,
    /// It came back.
    Released,
}

/// Mileage of this buyer's, reserved for one till.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Pass {
    /// Its id.
    pub pass: String,
    /// The shop that it is for.
    pub shop: Shop,
    /// The group whose mileage it is.
    pub group: String,
    /// Units reserved.
    pub units: i64,
    /// The same, such as `1,200 points`.
    pub units_text: String,
    /// When the till takes it no more.
    pub expires_at: i64,
    /// How it stands.
    pub state: PassState,
}

/// A pass as it is shown to the till.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ShownPass {
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// Units that the till may take.
    pub units: i64,
    /// The same, such as `1,200 points`.
    pub units_text: String,
    /// When to ask for the next code.
    pub good_until: i64,
}

/// A pass as scanned, its signatures checked.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannedPass {
    /// The group whose mileage it is.
    pub group: String,
    /// Units that may be taken.
    pub units: i64,
    /// What a unit is.
    pub unit: MileageUnit,
    /// The same, such as `1,200 points`.
    pub units_text: String,
    /// Why this till can't take it, and what to do; empty if it can.
    pub refused_text: String,
}

/// Mileage that this shop took without asking the server.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Took {
    /// The op by which it was taken.
    pub op: String,
    /// The group whose mileage it is.
    pub group: String,
    /// Units.
    pub units: i64,
    /// The same, such as `1,200 points`.
    pub units_text: String,
}

#[uniffi::export]
impl App {
    /// Pays at a shop that has no signal, in what the group gives now unless a unit is named: the server takes the mileage, and
    /// the shop checks its word without a network.
    #[uniffi::method(default(unit = None))]
    pub async fn pay(
        &self,
        merchant: String,
        group: String,
        units: i64,
        unit: Option<MileageUnit>,
    ) -> Result<Payment, ApiError> {
        let (merchant, group) = (self.merchant_id(&merchant)?, self.group_id(&group)?);
        let units = (self.units(units)?, self.unit_of(group, unit)?);
        let call = async move |app: Arc<Inner>| {
            let phone = Arc::clone(app.client.phone());
            let op = phone.pay_with(merchant, group, units)?;
            let fate = app.client.wait_for_verdict(op, VERDICT).await;
            // It was asked for: whatever goes wrong from here on, the server may have taken the mileage.
            Ok((op, fate.unwrap_or(Fate::BeingChecked)))
        };
        match self.run(call).await? {
            (op, Fate::Refused(refused)) => Err(self.refused_op(op, refused)),
            (op, _) => Ok(match self.approval(op.to_string())? {
                Some(approval) => Payment::Approved { approval },
                None => Payment::BeingChecked { op: op.to_string() },
            }),
        }
    }

    /// What is to be shown to the shop for a payment; none before the server has approved it.
    pub fn approval(&self, op: String) -> Result<Option<Approval>, ApiError> {
        let op = self.op_id(&op)?;
        let Some(shown) = self.ask(self.phone()?.approval(op))? else { return Ok(None) };
        Ok(Some(Approval {
            op: shown.op.to_string(),
            qr: self.qr(&shown.text)?,
            code: shown.text,
            units: shown.units.get(),
            units_text: self.dress().units_text(shown.units, shown.unit),
            expires_at: shown.expires_at.0,
            good_until_text: self.dress().good_until(shown.expires_at),
        }))
    }

    /// Takes an approval that a buyer shows: the goods may be handed over. Needs no network; good once.
    pub fn take_approval(&self, code: String) -> Result<Took, ApiError> {
        Ok(self.dress().took(self.ask(self.phone()?.take_approval(&code))?))
    }

    /// Reserves mileage for a shop's till, of what the group gives now unless a unit is named, for up to 72 hours, to be spent
    /// there while both are offline. Gives the pass's id.
    #[uniffi::method(default(unit = None))]
    pub async fn reserve_pass(
        &self,
        merchant: String,
        group: String,
        units: i64,
        hours: u32,
        unit: Option<MileageUnit>,
    ) -> Result<String, ApiError> {
        let (merchant, group) = (self.merchant_id(&merchant)?, self.group_id(&group)?);
        let units = (self.units(units)?, self.unit_of(group, unit)?);
        let call = async move |app: Arc<Inner>| {
            let phone = Arc::clone(app.client.phone());
            let op = phone.reserve_pass_of(merchant, group, units, hours)?;
            Ok((op, app.client.wait_for_verdict(op, VERDICT).await?))
        };
        match self.run(call).await? {
            (op, Fate::Refused(refused)) => Err(self.refused_op(op, refused)),
            (op, _) => Ok(op.to_string()),
        }
    }

    /// This buyer's passes, oldest first.
    pub fn passes(&self) -> Result<Vec<Pass>, ApiError> {
        let passes = self.ask(self.phone()?.passes())?.into_iter();
        let item = |item: moa_phone::PassItem| Pass {
            pass: item.pass.to_string(),
            shop: convert::shop(item.shop),
            group: item.group.to_string(),
            units: item.units.get(),
            units_text: self.dress().units_text(item.units, item.unit),
            expires_at: item.expires_at.0,
            state: match item.standing {
                PassStanding::Open => PassState::Open,
                PassStanding::Over => PassState::Over,
                PassStanding::Spent => PassState::Spent,
                PassStanding::Released => PassState::Released,
            },
        };
        Ok(passes.map(item).collect())
    }

    /// The code that shows a pass to its till now, for three minutes. Needs no network.
    pub fn show_pass(&self, pass: String) -> Result<ShownPass, ApiError> {
        let pass = self.op_id(&pass)?;
        let shown = self.ask(self.phone()?.show_pass(pass))?;
        let (qr, units, good_until) = (self.qr(&shown.text)?, shown.units.get(), shown.good_until.0);
        let units_text = self.dress().units_text(shown.units, shown.unit);
        Ok(ShownPass { code: shown.text, qr, units, units_text, good_until })
    }

    /// Takes units of a pass that a buyer shows. Needs no network: this till knows what it took before.
    pub fn take_pass(&self, code: String, units: i64) -> Result<Took, ApiError> {
        let units = self.units(units)?;
        Ok(self.dress().took(self.ask(self.phone()?.take_pass(&code, units))?))
    }
}

impl App {
    pub(crate) fn merchant_id(&self, text: &str) -> Result<MerchantId, ApiError> {
        text.parse().map_err(|error: BadId| self.invalid(error))
    }

    fn refused_op(&self, op: OpId, refused: moa_phone::RefusedOp) -> ApiError {
        ApiError::refused_op(self.dress().lang, op, refused)
    }
}

impl Dress {
    fn took(self, took: moa_phone::Took) -> Took {
        let units_text = self.units_text(took.units, took.unit);
        Took { op: took.op.to_string(), group: took.group.to_string(), units: took.units.get(), units_text }
    }
}
