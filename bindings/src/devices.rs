//! Signing in, and the devices of an account.

use std::sync::Arc;

use crate::app::{App, Inner};
use crate::convert::Dress;
use crate::error::ApiError;

/// Who signed in.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignedUp {
    /// The account's id.
    pub account: String,
    /// The account's recovery code, if the account begins here: to be shown once, for the person to write down. Nobody can
    /// tell it again.
    pub recovery_code: Option<String>,
}

/// A device of the account.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Device {
    /// Its key's id.
    pub id: String,
    /// What the person calls it; empty if nothing was said.
    pub name: String,
    /// When it was enrolled.
    pub since: i64,
    /// The same, for a screen.
    pub since_text: String,
    /// When it was last there.
    pub seen: i64,
    /// The same, for a screen.
    pub seen_text: String,
    /// Whether it is this phone.
    pub this_phone: bool,
}

impl From<moa_phone::SignedUp> for SignedUp {
    fn from(signed_up: moa_phone::SignedUp) -> Self {
        Self { account: signed_up.account.to_string(), recovery_code: signed_up.recovery_code }
    }
}

impl Dress {
    fn device(self, device: moa_phone::OwnDevice) -> Device {
        Device {
            id: device.key.to_string(),
            name: device.name,
            since: device.since.0,
            since_text: self.moment(device.since),
            seen: device.seen.0,
            seen_text: self.moment(device.seen),
            this_phone: device.here,
        }
    }
}

#[uniffi::export]
impl App {
    /// Has a six-digit code sent to a phone number, as typed. Gives the instant at which it is void.
    pub async fn begin_enrolment(&self, phone_number: String) -> Result<i64, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.begin_enrolment(&phone_number).await;
        Ok(self.run(call).await?.0)
    }

    /// Sends the code that came: this phone is signed in.
    pub async fn confirm_enrolment(&self, code: String) -> Result<SignedUp, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.confirm_enrolment(&code, None).await;
        Ok(self.run(call).await?.into())
    }

    /// Sends the code that came and the account's recovery code, as typed: a second proof, with which a new phone may pay at
    /// once, and a number that was not used for long leads to its account.
    pub async fn confirm_enrolment_with_recovery(
        &self,
        code: String,
        recovery_code: String,
    ) -> Result<SignedUp, ApiError> {
        let call =
            async move |app: Arc<Inner>| app.client.confirm_enrolment(&code, Some(&recovery_code)).await;
        Ok(self.run(call).await?.into())
    }

    /// The account's devices, the one that was there last first. Needs a network.
    pub async fn devices(&self) -> Result<Vec<Device>, ApiError> {
        let devices = self.run(async move |app: Arc<Inner>| app.client.devices().await).await?;
        Ok(devices.into_iter().map(|device| self.dress().device(device)).collect())
    }
}
