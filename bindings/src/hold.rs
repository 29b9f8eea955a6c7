//! Holds: mileage reserved on a buyer's code until the goods are handed over.

use std::sync::Arc;

use moa_phone::{Fate, HoldItem};
use moa_words::{Mileage as Said, ShopText, shop};

use crate::app::{App, Inner, VERDICT};
use crate::convert::{self, Dress, country};
use crate::error::ApiError;
use crate::records::{Mileage, Redemption, Shop};

/// What came of asking for a hold. A refusal is an error.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum HoldAsked {
    /// The mileage is reserved.
    Held {
        /// The hold: for `captureHold` and `voidHold`.
        hold: String,
    },
    /// No answer came in time: it may have been reserved. `fate` tells once it is known.
    BeingChecked {
        /// The op that asks for it, and the hold if it stands.
        op: String,
    },
}

/// Mileage reserved for a shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Hold {
    /// Its id.
    pub hold: String,
    /// The shop.
    pub shop: Shop,
    /// The group's id.
    pub group: String,
    /// Its name, if known.
    pub group_name: Option<String>,
    /// How much.
    pub mileage: Mileage,
    /// The last instant at which it can be captured.
    pub until: i64,
    /// How much and until when, as a phrase.
    pub text: String,
    /// Whether that is over; what it held is about to come back.
    pub over: bool,
    /// Whether this phone captures or voids it, and the server has not answered.
    pub ending: bool,
}

impl Dress {
    fn hold(self, item: HoldItem) -> Hold {
        let units = Said::of(item.units, item.unit);
        let text = ShopText::Hold { units, until: item.until, zone: &country() };
        Hold {
            hold: item.hold.to_string(),
            shop: convert::shop(item.shop),
            group: item.group.to_string(),
            group_name: item.group_name,
            mileage: self.mileage(item.units, item.unit),
            until: item.until.0,
            text: shop(self.lang, &text),
            over: item.over,
            ending: item.ending.is_some(),
        }
    }
}

#[uniffi::export]
impl App {
    /// Reserves mileage on a buyer's code, or on twelve digits that stand for one: for so many seconds, or for ten minutes.
    #[uniffi::method(default(seconds = None))]
    pub async fn hold(&self, code: String, units: i64, seconds: Option<u32>) -> Result<HoldAsked, ApiError> {
        let units = self.units(units)?;
        let call = async move |app: Arc<Inner>| {
            let asked = app.client.hold(&code, units, seconds).await?;
            let fate = app.client.wait_for_verdict(asked.op, VERDICT).await;
            // It was asked for: whatever goes wrong from here on, the server may have reserved the mileage.
            Ok((asked.op, fate.unwrap_or(Fate::BeingChecked)))
        };
        match self.run(call).await? {
            (op, Fate::Applied) => Ok(HoldAsked::Held { hold: op.to_string() }),
            (op, Fate::Refused(refused)) => Err(ApiError::refused_op(self.dress().lang, op, refused)),
            (op, _) => Ok(HoldAsked::BeingChecked { op: op.to_string() }),
        }
    }

    /// Takes what a hold of this shop reserved, or a part of it; the rest comes back to the buyer.
    pub async fn capture_hold(&self, hold: String, units: i64) -> Result<Redemption, ApiError> {
        let (hold, units) = (self.op_id(&hold)?, self.units(units)?);
        let call = async move |app: Arc<Inner>| {
            let op = app.client.phone().capture_hold(hold, units)?;
            let fate = app.client.wait_for_verdict(op, VERDICT).await;
            Ok((op, fate.unwrap_or(Fate::BeingChecked)))
        };
        match self.run(call).await? {
            (op, Fate::Applied) => Ok(Redemption::Approved { op: op.to_string() }),
            (op, Fate::Refused(refused)) => Err(ApiError::refused_op(self.dress().lang, op, refused)),
            (op, _) => Ok(Redemption::BeingChecked { op: op.to_string() }),
        }
    }

    /// Gives back what a hold of this shop reserved. Gives the op.
    pub fn void_hold(&self, hold: String) -> Result<String, ApiError> {
        let hold = self.op_id(&hold)?;
        Ok(self.ask(self.phone()?.void_hold(hold))?.to_string())
    }

    /// The open holds of this phone's shop, oldest first.
    pub fn holds(&self) -> Result<Vec<Hold>, ApiError> {
        let holds = self.ask(self.phone()?.holds())?.into_iter();
        Ok(holds.map(|hold| self.dress().hold(hold)).collect())
    }

    /// The open holds of this buyer's mileage, at whatever shop, oldest first.
    pub fn held(&self) -> Result<Vec<Hold>, ApiError> {
        let holds = self.ask(self.phone()?.held())?.into_iter();
        Ok(holds.map(|hold| self.dress().hold(hold)).collect())
    }
}
