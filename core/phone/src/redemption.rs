//! Mileage as payment: the buyer's code, and the shop that takes it. (A9, A10)

use moa_rules::id::{GroupId, OpId};
use moa_rules::op::{OP_VERSION, OpBody, RedemptionCode};
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};
use moa_wire::token::{Checked, Sealed};

use crate::error::PhoneError;
use crate::phone::{Phone, account, own_shop};
use crate::store::outbox::Effect;
use crate::store::redemptions;

/// A buyer's permission to take mileage, to be shown to a shop. Good for one redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// The group whose mileage may be taken.
    pub group: GroupId,
    /// Units that may be taken at most.
    pub most: Units,
    /// When it is void, by the server's clock.
    pub expires_at: Timestamp,
}

/// A redemption that the server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The op; its verdict is to be waited for.
    pub op: OpId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units.
    pub units: Units,
    /// When the buyer's code runs out: without an answer by then, the redemption is *being checked*.
    pub deadline: Timestamp,
}

impl Phone {
    /// Makes a code that lets a shop take up to `most` units, for three minutes. Whether the balance covers it is
    /// the server's question when the shop asks.
    ///
    /// # Errors
    /// `units_not_positive`.
    pub fn redemption_code(&self, group: GroupId, most: Units) -> Result<ShownCode, PhoneError> {
        if most.is_zero() {
            return Err(Refusal::UnitsNotPositive.into());
        }
        self.store().read(account)?;
        let expires = self.now().plus(RedemptionCode::LIFETIME).seconds();
        let counter = self.take_counter()?;
        let code = RedemptionCode {
            version: OP_VERSION,
            key: self.key(),
            counter,
            expires,
            group,
            most,
            unit: None,
        };
        let signed = Checked::sign(code, self.signer())?;
        let expires_at = Timestamp::from_seconds(expires);
        Ok(ShownCode { text: code::text(signed.bytes()), group, most, expires_at })
    }

    /// Asks the server for `units` on a buyer's code. To be waited for with
    /// [`Client::wait_for_verdict`](crate::Client::wait_for_verdict): until the server has said so, nothing was paid.
    ///
    /// # Errors
    /// `no_merchant`, `not_a_code`, `units_not_positive`, `more_than_code`, `code_expired`, `code_used`.
    pub fn redeem(&self, text: &str, units: Units) -> Result<Asked, PhoneError> {
        let Scanned::RedemptionCode(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotACode.into());
        };
        let code = *sealed.unchecked();
        if units.is_zero() {
            return Err(Refusal::UnitsNotPositive.into());
        }
        if units > code.most {
            return Err(Refusal::MoreThanCode { asked: units, most: code.most }.into());
        }
        let (now, deadline) = (self.now(), Timestamp::from_seconds(code.expires));
        if now > deadline {
            return Err(Refusal::CodeExpired.into());
        }
        self.store().read(|db| {
            account(db)?;
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            check_unused(redemptions::asked_with(db, &code)?)
        })?;
        let op = self.submit(
            OpBody::Redeem { code: sealed.bytes().to_vec(), units },
            |_| Effect { group: Some(code.group), units: Some(units) },
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                check_unused(redemptions::asked_with(db, &code)?)?;
                redemptions::ask(db, op.value().id, &code, units, now)
            },
        )?;
        Ok(Asked { op: op.value().id, group: code.group, units, deadline })
    }
}

fn check_unused(asked_before: bool) -> Result<(), PhoneError> {
    if asked_before { Err(Refusal::CodeUsed.into()) } else { Ok(()) }
}

/// When the code in a redemption, or the approval of a payment, runs out; none for other ops.
pub(crate) fn deadline(body: &OpBody) -> Option<Timestamp> {
    match body {
        OpBody::Redeem { code, .. } => {
            let code = Sealed::<RedemptionCode>::parse(code).ok()?;
            Some(Timestamp::from_seconds(code.unchecked().expires))
        }
        OpBody::Pay { expires, .. } => Some(Timestamp::from_seconds(*expires)),
        _ => None,
    }
}
