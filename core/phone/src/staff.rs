//! Staff and devices: who may act for a shop or an account. (A9; docs/rules.md D, F)

use moa_rules::device::{BROWSER_DAYS, KeyKind};
use moa_rules::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{OP_VERSION, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::{INVITATION_HOURS, Limits, StaffInvitation};
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};
use moa_wire::keys;
use moa_wire::token::Checked;

use crate::error::PhoneError;
use crate::phone::{Phone, account, own_shop};
use crate::store::meta;
use crate::store::outbox::Effect;

/// An owner's invitation, to be shown to whoever is to sell for the shop. Good for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownInvitation {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// What the person may sell.
    pub limits: Limits,
    /// When it is void, by the server's clock.
    pub expires_at: Timestamp,
}

impl Phone {
    /// Makes an invitation to this shop's staff. Needs no network.
    ///
    /// # Errors
    /// `no_merchant`, `not_allowed` for one of the staff; `amount_not_positive`, `amount_too_large`; key.
    pub fn staff_invitation(&self, limits: Limits) -> Result<ShownInvitation, PhoneError> {
        limits.check()?;
        self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            let till = meta::get(db, &meta::TILL)?.unwrap_or_default();
            if till.limits.is_some() { Err(Refusal::NotAllowed.into()) } else { Ok(()) }
        })?;
        let expires = self.now().plus(i64::from(INVITATION_HOURS) * Timestamp::HOUR).seconds();
        let (version, key, counter) = (OP_VERSION, self.key(), self.take_counter()?);
        let invitation = StaffInvitation { version, key, counter, expires, limits };
        let signed = Checked::sign(invitation, self.signer())?;
        let expires_at = Timestamp::from_seconds(expires);
        Ok(ShownInvitation { text: code::text(signed.bytes()), limits, expires_at })
    }

    /// Joins a shop's staff on the owner's invitation: this phone sells for the shop once the server has agreed.
    ///
    /// # Errors
    /// `not_an_invitation`, `invitation_expired`, `key_has_merchant`.
    pub fn join_staff(&self, text: &str) -> Result<OpId, PhoneError> {
        let Scanned::StaffInvitation(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotAnInvitation.into());
        };
        if self.now() > Timestamp::from_seconds(sealed.unchecked().expires) {
            return Err(Refusal::InvitationExpired { hours: INVITATION_HOURS }.into());
        }
        self.store().read(|db| {
            account(db)?;
            if own_shop(db)?.is_some() { Err(Refusal::KeyHasMerchant.into()) } else { Ok(()) }
        })?;
        self.ask(OpBody::JoinStaff { invitation: sealed.bytes().to_vec() })
    }

    /// Ends someone's selling for this shop, or one's own.
    ///
    /// # Errors
    /// `no_merchant`.
    pub fn remove_staff(&self, person: Option<AccountId>) -> Result<OpId, PhoneError> {
        let (merchant, me) =
            self.store().read(|db| Ok((own_shop(db)?.ok_or(Refusal::NoMerchant)?, account(db)?)))?;
        self.ask(OpBody::RemoveStaff { merchant, account: person.unwrap_or(me) })
    }

    /// Ends a key: one of this account's, or of this shop's staff and computers.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn revoke_device(&self, key: KeyId) -> Result<OpId, PhoneError> {
        self.ask(OpBody::RevokeDevice { key })
    }

    /// Lets a new phone of this account pay before its 48 hours are over.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn admit_device(&self, key: KeyId) -> Result<OpId, PhoneError> {
        self.ask(OpBody::AdmitDevice { key })
    }

    /// Acts for a shop that another phone of its owner's opened.
    ///
    /// # Errors
    /// `key_has_merchant`.
    pub fn act_for(&self, merchant: MerchantId) -> Result<OpId, PhoneError> {
        if self.store().read(own_shop)?.is_some() {
            return Err(Refusal::KeyHasMerchant.into());
        }
        self.ask(OpBody::ActFor { merchant })
    }

    /// Lets in a browser for so many days, 31 at most, by the public point of its key.
    ///
    /// # Errors
    /// `unknown_device` for what is no point, `session_too_long`.
    pub fn let_in_browser(&self, public_key: Vec<u8>, days: u32) -> Result<OpId, PhoneError> {
        if days == 0 || days > BROWSER_DAYS {
            return Err(Refusal::SessionTooLong { days: BROWSER_DAYS }.into());
        }
        // The clocks may differ by a little, and a month is the most that the server takes.
        let until = self.now().plus(i64::from(days) * Timestamp::DAY - 10 * Timestamp::MINUTE);
        self.add_key(public_key, KeyKind::Browser { until })
    }

    /// Registers a computer of this shop, by the public point of its key: it may sell and redeem.
    ///
    /// # Errors
    /// `unknown_device` for what is no point.
    pub fn register_service(&self, public_key: Vec<u8>) -> Result<OpId, PhoneError> {
        self.add_key(public_key, KeyKind::Service)
    }

    fn add_key(&self, public_key: Vec<u8>, kind: KeyKind) -> Result<OpId, PhoneError> {
        if !keys::plausible(&public_key) {
            return Err(Refusal::UnknownDevice.into());
        }
        self.ask(OpBody::AddKey { key: keys::key_id(&public_key), public_key, kind })
    }

    /// Sets what a shop's tills may sell together before they sync; for operators.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn set_allowance(&self, merchant: MerchantId, most: Money) -> Result<OpId, PhoneError> {
        self.ask(OpBody::SetAllowance { merchant, most })
    }

    /// Hands a group that this shop administers over to another member.
    ///
    /// # Errors
    /// `no_merchant`.
    pub fn appoint_admin(&self, group: GroupId, merchant: MerchantId) -> Result<OpId, PhoneError> {
        self.store().read(own_shop)?.ok_or(Refusal::NoMerchant)?;
        self.ask(OpBody::AppointAdmin { group, merchant })
    }

    /// Puts an op in the outbox that changes nothing here before the server has agreed.
    pub(crate) fn ask(&self, body: OpBody) -> Result<OpId, PhoneError> {
        self.store().read(account)?;
        let op = self.submit(body, |_| Effect::default(), |_, _| Ok(()))?;
        Ok(op.value().id)
    }
}
