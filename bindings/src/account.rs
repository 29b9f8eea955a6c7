//! Accounts that end.

use crate::app::App;
use crate::error::ApiError;
use crate::records::Qr;

/// The word of this account that it may end, to be scanned by the phone of the account that stays.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MergeConsent {
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// When it is void.
    pub expires_at: i64,
    /// The same, as a phrase.
    pub good_until_text: String,
}

#[uniffi::export]
impl App {
    /// Makes the word that this account goes, with all it holds, to whoever scans it. Needs no network.
    pub fn merge_consent(&self) -> Result<MergeConsent, ApiError> {
        let shown = self.ask(self.phone()?.merge_consent())?;
        Ok(MergeConsent {
            qr: self.qr(&shown.text)?,
            code: shown.text,
            expires_at: shown.expires_at.0,
            good_until_text: self.dress().good_until(shown.expires_at),
        })
    }

    /// Takes over what another account of this person's holds; that one ends. Gives the op.
    pub fn merge_account(&self, consent: String) -> Result<String, ApiError> {
        Ok(self.ask(self.phone()?.merge_account(&consent))?.to_string())
    }

    /// Ends this account. What it holds expires: refused with how much, unless that may be lost. Gives the op.
    pub fn close_account(&self, lose: bool) -> Result<String, ApiError> {
        Ok(self.ask(self.phone()?.close_account(lose))?.to_string())
    }
}
