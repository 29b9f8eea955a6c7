//! Accounts that end: closed, or merged into another of the same person's. (docs/rules.md A)

use moa_rules::account::{CONSENT_MINUTES, MergeConsent};
use moa_rules::id::OpId;
use moa_rules::op::{OP_VERSION, OpBody};
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};
use moa_wire::token::Checked;

use crate::error::PhoneError;
use crate::phone::{Phone, account, own_shop};

/// The word of the account on this phone that it may end, to be scanned by the phone of the account that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownConsent {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// When it is void, by the server's clock.
    pub expires_at: Timestamp,
}

impl Phone {
    /// Makes the word that the account on this phone goes, with all it holds, to whoever scans it. Good once, for ten
    /// minutes; needs no network.
    ///
    /// # Errors
    /// `has_shop`; key.
    pub fn merge_consent(&self) -> Result<ShownConsent, PhoneError> {
        self.free_to_end()?;
        let expires = self.now().plus(i64::from(CONSENT_MINUTES) * Timestamp::MINUTE).seconds();
        let (version, key, counter) = (OP_VERSION, self.key(), self.take_counter()?);
        let signed = Checked::sign(MergeConsent { version, key, counter, expires }, self.signer())?;
        let expires_at = Timestamp::from_seconds(expires);
        Ok(ShownConsent { text: code::text(signed.bytes()), expires_at })
    }

    /// Takes over what another account of this person's holds; that one ends.
    ///
    /// # Errors
    /// `not_a_consent`, `code_expired`.
    pub fn merge_account(&self, text: &str) -> Result<OpId, PhoneError> {
        let Scanned::MergeConsent(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotAConsent.into());
        };
        if self.now() > Timestamp::from_seconds(sealed.unchecked().expires) {
            return Err(Refusal::CodeExpired.into());
        }
        self.ask(OpBody::MergeAccount { consent: sealed.bytes().to_vec() })
    }

    /// Ends the account on this phone. What it holds expires: not unless that may be lost.
    ///
    /// # Errors
    /// `has_mileage` with the largest balance that would be lost; `has_shop`.
    pub fn close_account(&self, lose: bool) -> Result<OpId, PhoneError> {
        self.free_to_end()?;
        let left = self.balances()?.iter().map(|balance| balance.confirmed).max().unwrap_or_default();
        if !left.is_zero() && !lose {
            return Err(Refusal::HasMileage { units: left }.into());
        }
        self.ask(OpBody::CloseAccount)
    }

    fn free_to_end(&self) -> Result<(), PhoneError> {
        self.store().read(|db| {
            account(db)?;
            if own_shop(db)?.is_some() { Err(Refusal::HasShop.into()) } else { Ok(()) }
        })
    }
}
