//! Mileage as payment: the buyer's code, and the shop that takes it. (A9, A10)

use moa_rules::id::{GroupId, OpId};
use moa_rules::op::{OP_VERSION, OpBody, RedemptionCode};
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};
use moa_wire::token::{Checked, Sealed};

use crate::error::PhoneError;
use crate::phone::{Phone, account, own_shop};
use crate::store::outbox::Effect;
use crate::store::{directory, redemptions};

/// A buyer's permission to take mileage, to be shown to a shop. Good for one redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCode {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// The group whose mileage may be taken.
    pub group: GroupId,
    /// Units that may be taken at most.
    pub most: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When it is void, by the server's clock.
    pub expires_at: Timestamp,
}

/// A redemption, or a hold, that the server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The op; its verdict is to be waited for.
    pub op: OpId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When the buyer's code runs out: without an answer by then, the redemption is *being checked*.
    pub deadline: Timestamp,
}

impl Phone {
    /// Makes a code that lets a shop take up to `most` units of what the group gives now, for three minutes. Whether the
    /// balance covers it is the server's question when the shop asks.
    ///
    /// # Errors
    /// `units_not_positive`.
    pub fn redemption_code(&self, group: GroupId, most: Units) -> Result<ShownCode, PhoneError> {
        let unit = self.unit_in_force(group)?;
        self.redemption_code_of(group, most, unit)
    }

    /// The same for units of another kind, of old points say: none for points.
    ///
    /// # Errors
    /// `units_not_positive`, `whole_cards`.
    pub fn redemption_code_of(
        &self,
        group: GroupId,
        most: Units,
        unit: Option<Unit>,
    ) -> Result<ShownCode, PhoneError> {
        check_units(most, unit)?;
        self.store().read(account)?;
        let expires = self.now().plus(RedemptionCode::LIFETIME).seconds();
        let counter = self.take_counter()?;
        let (version, key) = (OP_VERSION, self.key());
        let code = RedemptionCode { version, key, counter, expires, group, most, unit };
        let signed = Checked::sign(code, self.signer())?;
        let expires_at = Timestamp::from_seconds(expires);
        Ok(ShownCode { text: code::text(signed.bytes()), group, most, unit, expires_at })
    }

    /// What a group gives now, as far as this phone knows; none for points.
    ///
    /// # Errors
    /// Storage.
    pub fn unit_in_force(&self, group: GroupId) -> Result<Option<Unit>, PhoneError> {
        let terms = self.store().read(|db| directory::terms(db, group))?;
        Ok(terms.and_then(|version| version.terms.unit()))
    }

    /// Asks the server for `units` on a buyer's code. To be waited for with
    /// [`Client::wait_for_verdict`](crate::Client::wait_for_verdict): until the server has said so, nothing was paid.
    ///
    /// # Errors
    /// `no_merchant`, `not_a_code`, `units_not_positive`, `more_than_code`, `whole_cards`, `code_expired`, `code_used`.
    pub fn redeem(&self, text: &str, units: Units) -> Result<Asked, PhoneError> {
        let (code, bytes) = self.code_for(text, units)?;
        let now = self.now();
        let op = self.submit(
            OpBody::Redeem { code: bytes, units },
            |_| effect(&code, units),
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                check_unused(redemptions::asked_with(db, &code)?)?;
                redemptions::ask(db, op.value().id, &code, units, now)
            },
        )?;
        Ok(asked(op.value().id, &code, units))
    }

    /// Gives back what is left of a redemption at this shop: whoever paid with it has it again.
    ///
    /// # Errors
    /// `no_merchant`, `already_reversed`.
    pub fn reverse(&self, redemption: OpId) -> Result<OpId, PhoneError> {
        let left = self.store().read(|db| {
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            let known = redemptions::get(db, redemption)?.filter(|taken| taken.from.is_some());
            Ok(known.map(|taken| taken.units.checked_sub(taken.returned).unwrap_or_default()))
        })?;
        if left.is_some_and(Units::is_zero) {
            return Err(Refusal::AlreadyReversed.into());
        }
        self.ask(OpBody::ReverseRedemption { redemption })
    }

    /// A buyer's code that this shop may ask with for so many units.
    pub(crate) fn code_for(&self, text: &str, units: Units) -> Result<(RedemptionCode, Vec<u8>), PhoneError> {
        let Scanned::RedemptionCode(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotACode.into());
        };
        let code = *sealed.unchecked();
        check_units(units, code.unit)?;
        if units > code.most {
            return Err(Refusal::MoreThanCode { asked: units, most: code.most }.into());
        }
        if self.now() > Timestamp::from_seconds(code.expires) {
            return Err(Refusal::CodeExpired.into());
        }
        self.store().read(|db| {
            account(db)?;
            own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            check_unused(redemptions::asked_with(db, &code)?)
        })?;
        Ok((code, sealed.bytes().to_vec()))
    }
}

/// Refuses none at all, and stamps that are no full cards.
pub(crate) fn check_units(units: Units, unit: Option<Unit>) -> Result<(), Refusal> {
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive);
    }
    Unit::check_whole(unit, units)
}

pub(crate) fn effect(code: &RedemptionCode, units: Units) -> Effect {
    Effect { group: Some(code.group), units: Some(units), unit: code.unit }
}

pub(crate) fn asked(op: OpId, code: &RedemptionCode, units: Units) -> Asked {
    let RedemptionCode { group, unit, expires, .. } = *code;
    Asked { op, group, units, unit, deadline: Timestamp::from_seconds(expires) }
}

pub(crate) fn check_unused(asked_before: bool) -> Result<(), PhoneError> {
    if asked_before { Err(Refusal::CodeUsed.into()) } else { Ok(()) }
}

/// When the code in a redemption or a hold, or the approval of a payment, runs out; none for other ops.
pub(crate) fn deadline(body: &OpBody) -> Option<Timestamp> {
    match body {
        OpBody::Redeem { code, .. } | OpBody::Hold { code, .. } => {
            let code = Sealed::<RedemptionCode>::parse(code).ok()?;
            Some(Timestamp::from_seconds(code.unchecked().expires))
        }
        OpBody::Pay { expires, .. } => Some(Timestamp::from_seconds(*expires)),
        _ => None,
    }
}
