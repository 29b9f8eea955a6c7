//! Who may sell for a shop, and which devices may sign for a person.

use moa_rules::id::{AccountId, KeyId};
use moa_rules::quantity::Money;
use moa_rules::staff::Limits;

use crate::app::App;
use crate::error::ApiError;
use crate::records::{Qr, Shop};

/// What one of a shop's staff may sell, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct StaffLimits {
    /// In one sale.
    pub per_sale: i64,
    /// In one day.
    pub per_day: i64,
}

impl From<Limits> for StaffLimits {
    fn from(limits: Limits) -> Self {
        Self { per_sale: limits.per_sale.0, per_day: limits.per_day.0 }
    }
}

impl From<StaffLimits> for Limits {
    fn from(limits: StaffLimits) -> Self {
        Self { per_sale: Money(limits.per_sale), per_day: Money(limits.per_day) }
    }
}

/// An owner's invitation, to be shown to whoever is to sell for the shop: for one person, for a day.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct StaffInvitation {
    /// What the QR says.
    pub code: String,
    /// To be shown.
    pub qr: Qr,
    /// When it is void.
    pub expires_at: i64,
}

/// An owner's invitation as scanned.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ScannedInvitation {
    /// The shop, if this phone knows it: its signature checked.
    pub shop: Option<Shop>,
    /// What whoever joins may sell.
    pub limits: StaffLimits,
    /// When it is void.
    pub expires_at: i64,
}

#[uniffi::export]
impl App {
    /// Makes an invitation to this shop's staff, with limits. Needs no network.
    pub fn staff_invitation(&self, limits: StaffLimits) -> Result<StaffInvitation, ApiError> {
        let shown = self.ask(self.phone()?.staff_invitation(limits.into()))?;
        let (qr, expires_at) = (self.qr(&shown.text)?, shown.expires_at.0);
        Ok(StaffInvitation { code: shown.text, qr, expires_at })
    }

    /// Joins a shop's staff on the owner's invitation. Gives the op: this phone sells once the server has agreed.
    pub fn join_staff(&self, invitation: String) -> Result<String, ApiError> {
        Ok(self.ask(self.phone()?.join_staff(&invitation))?.to_string())
    }

    /// Ends someone's selling for this shop; without an account, one's own. What was sold before is honoured.
    pub fn remove_staff(&self, account: Option<String>) -> Result<String, ApiError> {
        let account = account.map(|id| id.parse::<AccountId>()).transpose();
        let account = account.map_err(|error| self.invalid(error))?;
        Ok(self.ask(self.phone()?.remove_staff(account))?.to_string())
    }

    /// Ends a device: one of this person's, or of the shop's staff and computers. Nothing that it signed and that has not
    /// reached the server counts any more.
    pub fn revoke_device(&self, key: String) -> Result<String, ApiError> {
        let key = self.key_id(&key)?;
        Ok(self.ask(self.phone()?.revoke_device(key))?.to_string())
    }

    /// Lets a new phone of this person's pay before its 48 hours are over.
    pub fn admit_device(&self, key: String) -> Result<String, ApiError> {
        let key = self.key_id(&key)?;
        Ok(self.ask(self.phone()?.admit_device(key))?.to_string())
    }

    /// Acts for a shop that another phone of this person's opened.
    pub fn act_for(&self, merchant: String) -> Result<String, ApiError> {
        let merchant = self.merchant_id(&merchant)?;
        Ok(self.ask(self.phone()?.act_for(merchant))?.to_string())
    }

    /// Lets in the browser of a scanned code ([`Scan::Browser`]) for so many days, 31 at most. Only after the person has said
    /// yes to `question_text`.
    pub fn let_in_browser(&self, public_key: Vec<u8>, days: u32) -> Result<String, ApiError> {
        Ok(self.ask(self.phone()?.let_in_browser(public_key, days))?.to_string())
    }

    /// Registers a computer of this shop, by the public point of its key (65 bytes): it may sell and redeem.
    pub fn register_service(&self, public_key: Vec<u8>) -> Result<String, ApiError> {
        Ok(self.ask(self.phone()?.register_service(public_key))?.to_string())
    }
}

impl App {
    pub(crate) fn key_id(&self, text: &str) -> Result<KeyId, ApiError> {
        text.parse().map_err(|error| self.invalid(error))
    }
}
