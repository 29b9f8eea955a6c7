//! Consent to advertising.

use moa_words::marketing;

use crate::app::App;
use crate::error::ApiError;

/// Whether this account may be sent advertising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct MarketingConsent {
    /// Whether it may.
    pub agreed: bool,
    /// When that was decided; none if it never was, or is not yet.
    pub since: Option<i64>,
    /// Whether the server has not confirmed this yet.
    pub pending: bool,
}

#[uniffi::export]
impl App {
    /// The text to be agreed to, in the app's language. To be shown whole beside the switch, which begins off.
    pub fn marketing_text(&self) -> String {
        marketing::text(self.dress().lang).to_owned()
    }

    /// Whether this account may be sent advertising, by what was said last.
    pub fn marketing_consent(&self) -> Result<MarketingConsent, ApiError> {
        let said = self.ask(self.phone()?.marketing())?;
        let since = Some(said.marketing.since.0).filter(|since| *since > 0 && !said.pending);
        Ok(MarketingConsent { agreed: said.marketing.agreed.is_some(), since, pending: said.pending })
    }

    /// Agrees to the text that [`App::marketing_text`] gives, or withdraws that.
    pub fn set_marketing_consent(&self, agrees: bool) -> Result<(), ApiError> {
        let text = agrees.then(|| marketing::agreed(self.dress().lang));
        self.ask(self.phone()?.set_marketing(text)).map(drop)
    }
}
