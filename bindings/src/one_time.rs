//! Twelve digits, for a reader that takes barcodes only, or to be read aloud.

use std::sync::Arc;

use moa_phone::{Purpose, ShownOneTime};

use crate::app::{App, Inner};
use crate::error::ApiError;
use crate::records::MileageUnit;

/// Digits to be shown to a shop, or read aloud.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OneTimeCode {
    /// In one run: what a barcode (Code 128) says.
    pub digits: String,
    /// In three groups of four, for people.
    pub text: String,
    /// When they are void.
    pub expires_at: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

#[uniffi::export]
impl App {
    /// Asks the server for digits that let a shop take up to `most` units within three minutes; of what the group gives now,
    /// unless a unit is named. The shop gives them to `redeem` or `hold`.
    #[uniffi::method(default(unit = None))]
    pub async fn one_time_code_for_paying(
        &self,
        group: String,
        most: i64,
        unit: Option<MileageUnit>,
    ) -> Result<OneTimeCode, ApiError> {
        let (group, most) = (self.group_id(&group)?, self.units(most)?);
        let unit = self.unit_of(group, unit)?;
        self.one_time_code(Purpose::Pay { group, most, unit }).await
    }

    /// Asks the server for digits that name this account as the buyer of one sale within three minutes. The shop gives
    /// them to `record_sale_for`.
    pub async fn one_time_code_for_earning(&self) -> Result<OneTimeCode, ApiError> {
        self.one_time_code(Purpose::Earn).await
    }
}

impl App {
    async fn one_time_code(&self, purpose: Purpose) -> Result<OneTimeCode, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.one_time_code(purpose).await;
        let ShownOneTime { digits, text, expires_at } = self.run(call).await?;
        let good_until_text = self.dress().good_until(expires_at);
        Ok(OneTimeCode { digits, text, expires_at: expires_at.0, good_until_text })
    }
}
