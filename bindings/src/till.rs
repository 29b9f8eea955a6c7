//! A till without signal: what it may still sell.

use moa_words::refusal;

use crate::app::{App, Inner};
use crate::error::ApiError;
use crate::staff::StaffLimits;

/// How this phone's till stands without the server.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TillState {
    /// Sales that the server has not confirmed.
    pub unconfirmed: u64,
    /// Minor units that may be sold before it is heard again.
    pub left: i64,
    /// What this person may sell, if they are of the shop's staff.
    pub limits: Option<StaffLimits>,
    /// Whether it is time to go online.
    pub remind: bool,
    /// Why it signs no more vouchers, and what to do; empty if it does.
    pub refuses_text: String,
}

impl TillState {
    pub(crate) fn now(app: &Inner) -> Result<Option<Self>, moa_phone::PhoneError> {
        let Some(till) = app.phone().till_state()? else { return Ok(None) };
        Ok(Some(Self {
            unconfirmed: till.unconfirmed,
            left: till.left.0,
            limits: till.limits.map(StaffLimits::from),
            remind: till.remind,
            refuses_text: till.refuses.map(|reason| refusal(app.lang, &reason)).unwrap_or_default(),
        }))
    }
}

#[uniffi::export]
impl App {
    /// How this phone's till stands without the server; none if the phone acts for no shop. Comes with `AppState` too.
    pub fn till_state(&self) -> Result<Option<TillState>, ApiError> {
        let inner = self.inner()?;
        self.ask(TillState::now(&inner))
    }
}
