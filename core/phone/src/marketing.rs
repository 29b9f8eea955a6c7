//! Consent to advertising: said here by the person, kept by the server with the text and the time.

use moa_rules::id::OpId;
use moa_rules::marketing::{AgreedText, Marketing};
use moa_rules::op::OpBody;
use moa_wire::canonical;
use rusqlite::Connection;

use crate::error::{PhoneError, corrupt};
use crate::outbox::Kind;
use crate::phone::{Phone, account};
use crate::store::meta;
use crate::store::outbox::{self, Effect};

/// Whether this account may be sent advertising.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketingConsent {
    /// What was agreed to, and when the server decided that; while that is pending, the time of the consent before.
    pub marketing: Marketing,
    /// Whether the server has not confirmed this yet.
    pub pending: bool,
}

impl Phone {
    /// What this account said to advertising: here last, or else as confirmed.
    ///
    /// # Errors
    /// Storage.
    pub fn marketing(&self) -> Result<MarketingConsent, PhoneError> {
        self.store().read(|db| {
            let marketing = confirmed(db)?;
            let said = outbox::pending(db, Kind::Marketing)?.into_iter().next_back();
            Ok(match said.map(|said| said.body.body) {
                Some(OpBody::SetMarketing { agreed }) => {
                    MarketingConsent { marketing: Marketing { agreed, ..marketing }, pending: true }
                }
                _ => MarketingConsent { marketing, pending: false },
            })
        })
    }

    /// Agrees to be sent advertising, to this text; or, without one, withdraws that. On disk before it returns.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn set_marketing(&self, agreed: Option<AgreedText>) -> Result<OpId, PhoneError> {
        self.store().read(account)?;
        let op = self.submit(OpBody::SetMarketing { agreed }, |_| Effect::default(), |_, _| Ok(()))?;
        Ok(op.value().id)
    }
}

/// As the server has told.
pub(crate) fn confirmed(db: &Connection) -> Result<Marketing, PhoneError> {
    let kept = meta::get(db, &meta::MARKETING)?;
    kept.map_or(Ok(Marketing::default()), |kept| canonical::decode(&kept.0).map_err(|_| corrupt("marketing")))
}
