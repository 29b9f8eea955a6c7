//! Paying where one side has no signal, or neither: approvals and passes. (A9; docs/rules.md P)

use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{OP_VERSION, OpBody, RedemptionCode};
use moa_rules::pass::{APPROVAL_MINUTES, PASS_HOURS, Pass, PassCode, PassState, PassToken};
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;
use moa_wire::code::{self, Scanned};
use moa_wire::keys;
use moa_wire::token::{Approval, Checked, Sealed};

use crate::enrolment::server_key;
use crate::error::PhoneError;
use crate::phone::{Phone, SignedIn, account, own_shop};
use crate::redemption::check_units;
use crate::shop::Shop;
use crate::store::outbox::Effect;
use crate::store::{directory, passes, redemptions};

/// The server's word that mileage was taken, to be shown to the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownApproval {
    /// The op that paid.
    pub op: OpId,
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// Units taken.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When the shop no longer honours it, by the server's clock.
    pub expires_at: Timestamp,
}

/// How a pass of this buyer's stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassStanding {
    /// It can be shown.
    Open,
    /// Its time is over; what the till did not take comes back.
    Over,
    /// The till took some of it, or all.
    Spent,
    /// It came back.
    Released,
}

/// A pass of this buyer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassItem {
    /// The op that reserved it.
    pub pass: OpId,
    /// The shop that it is for.
    pub shop: Shop,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units reserved.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When the till takes it no more.
    pub expires_at: Timestamp,
    /// How it stands.
    pub standing: PassStanding,
}

/// A pass as it is shown to the till, for three minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPass {
    /// To be drawn as a QR: `MOA1:…`.
    pub text: String,
    /// Units that the till may take.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// When another is to be shown in its place.
    pub good_until: Timestamp,
}

/// A pass as scanned, both signatures checked without a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedPass {
    /// The op that reserved it.
    pub pass: OpId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units that may be taken.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// Why this till can't take it, if so.
    pub refused: Option<Refusal>,
    /// The code itself, for [`Phone::take_pass`].
    pub text: String,
    pub(crate) token: Vec<u8>,
    pub(crate) inner: PassToken,
}

/// Mileage that this shop took on an approval or a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// The op by which it was taken.
    pub op: OpId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// Units.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
}

impl Phone {
    /// Pays at a shop that has no signal, in what the group gives now. To be waited for with
    /// [`Client::wait_for_verdict`](crate::Client::wait_for_verdict); then [`Self::approval`] is to be shown.
    ///
    /// # Errors
    /// `units_not_positive`, `whole_cards`; key.
    pub fn pay(&self, merchant: MerchantId, group: GroupId, units: Units) -> Result<OpId, PhoneError> {
        let unit = self.unit_in_force(group)?;
        self.pay_with(merchant, group, (units, unit))
    }

    /// The same in units of another kind: none for points.
    ///
    /// # Errors
    /// `units_not_positive`, `whole_cards`; key.
    pub fn pay_with(
        &self,
        merchant: MerchantId,
        group: GroupId,
        (units, unit): (Units, Option<Unit>),
    ) -> Result<OpId, PhoneError> {
        check_units(units, unit)?;
        self.store().read(account)?;
        let expires = self.now().plus(i64::from(APPROVAL_MINUTES) * Timestamp::MINUTE).seconds();
        // The server's clock may be some seconds behind.
        let expires = expires.saturating_sub(30);
        let effect = Effect { group: Some(group), units: Some(units), unit };
        let body = OpBody::Pay { merchant, group, units, expires, unit };
        Ok(self.submit(body, |_| effect, |_, _| Ok(()))?.value().id)
    }

    /// What is to be shown to the shop once a payment was approved; none before that.
    ///
    /// # Errors
    /// Storage.
    pub fn approval(&self, op: OpId) -> Result<Option<ShownApproval>, PhoneError> {
        let Some(token) = self.store().read(|db| passes::token(db, op))? else { return Ok(None) };
        let Ok(sealed) = Sealed::<Approval>::parse(&token) else { return Ok(None) };
        let Approval { units, unit, expires, .. } = *sealed.unchecked();
        let expires_at = Timestamp::from_seconds(expires);
        Ok(Some(ShownApproval { op, text: code::text(&token), units, unit, expires_at }))
    }

    /// Takes an approval that a buyer shows: the goods may be handed over. Needs no network.
    ///
    /// # Errors
    /// `approval_wrong` if the server did not sign it or it is for another shop; `code_expired`; `approval_seen`.
    pub fn take_approval(&self, text: &str) -> Result<Took, PhoneError> {
        let Scanned::Approval(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotACode.into());
        };
        let now = self.now();
        self.write(|db| {
            let approval = sealed.check(&server_key(db)?).map_err(|_| Refusal::ApprovalWrong)?;
            let Approval { op, merchant, group, units, unit, expires, .. } = *approval.value();
            if own_shop(db)?.ok_or(Refusal::NoMerchant)? != merchant {
                return Err(Refusal::ApprovalWrong.into());
            }
            if now > Timestamp::from_seconds(expires) {
                return Err(Refusal::CodeExpired.into());
            }
            if !passes::see(db, op, now)? {
                return Err(Refusal::ApprovalSeen.into());
            }
            redemptions::confirm(db, op, group, (units, unit), now)?;
            Ok(Took { op, group, units, unit })
        })
    }

    /// Reserves mileage for one till, for up to 72 hours, to be spent there while both are offline, in what the group gives
    /// now. Needs the network; the pass is there once the server has agreed.
    ///
    /// # Errors
    /// `units_not_positive`, `whole_cards`, `pass_too_long`, `wrong_till` for a shop whose tills this phone does not know.
    pub fn reserve_pass(
        &self,
        merchant: MerchantId,
        group: GroupId,
        units: Units,
        hours: u32,
    ) -> Result<OpId, PhoneError> {
        let unit = self.unit_in_force(group)?;
        self.reserve_pass_of(merchant, group, (units, unit), hours)
    }

    /// The same in units of another kind: none for points.
    ///
    /// # Errors
    /// As [`Self::reserve_pass`].
    pub fn reserve_pass_of(
        &self,
        merchant: MerchantId,
        group: GroupId,
        (units, unit): (Units, Option<Unit>),
        hours: u32,
    ) -> Result<OpId, PhoneError> {
        check_units(units, unit)?;
        if hours == 0 || hours > PASS_HOURS {
            return Err(Refusal::PassTooLong { hours: PASS_HOURS }.into());
        }
        let till = self.store().read(|db| {
            account(db)?;
            Ok(directory::tills_of(db, merchant)?.into_iter().next().ok_or(Refusal::WrongTill)?)
        })?;
        let expires = self.now().plus(i64::from(hours) * Timestamp::HOUR).seconds().saturating_sub(30);
        let effect = Effect { group: Some(group), units: Some(units), unit };
        let body = OpBody::ReservePass { merchant, till, group, units, expires, unit };
        Ok(self.submit(body, |_| effect, |_, _| Ok(()))?.value().id)
    }

    /// This buyer's passes, oldest first.
    ///
    /// # Errors
    /// Storage.
    pub fn passes(&self) -> Result<Vec<PassItem>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let me = account(db)?;
            let mut items = Vec::new();
            for pass in passes::all(db)?.into_iter().filter(|pass| pass.account == me) {
                let expires_at = Timestamp::from_seconds(pass.expires);
                let standing = match pass.state {
                    PassState::Open if now > expires_at => PassStanding::Over,
                    PassState::Open => PassStanding::Open,
                    PassState::Spent => PassStanding::Spent,
                    PassState::Released => PassStanding::Released,
                };
                let shop = crate::shop::shop(db, pass.merchant)?;
                let (units, unit) = (pass.units(), pass.held.first().and_then(|part| part.worth.unit));
                let (pass, group) = (pass.id, pass.group);
                items.push(PassItem { pass, shop, group, units, unit, expires_at, standing });
            }
            Ok(items)
        })
    }

    /// Makes the code that shows a pass to its till now. Needs no network.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] if this phone holds no such pass; `code_expired`; key.
    pub fn show_pass(&self, pass: OpId) -> Result<ShownPass, PhoneError> {
        let now = self.now();
        let token = self.store().read(|db| passes::token(db, pass))?.ok_or(PhoneError::NotHere)?;
        let sealed = Sealed::<PassToken>::parse(&token).map_err(|_| PhoneError::NotHere)?;
        let PassToken { units, unit, expires, .. } = *sealed.unchecked();
        if now > Timestamp::from_seconds(expires) {
            return Err(Refusal::CodeExpired.into());
        }
        let code = PassCode { version: OP_VERSION, pass: token, shown: now.seconds() };
        let signed = Checked::sign(code, self.signer())?;
        let good_until = now.plus(RedemptionCode::LIFETIME);
        Ok(ShownPass { text: code::text(signed.bytes()), units, unit, good_until })
    }

    /// Takes `units` of a pass that a buyer shows to this till. Needs no network: the server's word and the buyer's are
    /// checked here, and the till knows what it took before.
    ///
    /// # Errors
    /// `not_a_pass`, `approval_wrong`, `wrong_till`, `code_expired`, `pass_spent`, `units_not_positive`, `whole_cards`,
    /// `more_than_code`; [`PhoneError::NotSignedIn`] once the server has sent this phone away.
    pub fn take_pass(&self, text: &str, units: Units) -> Result<Took, PhoneError> {
        let Scanned::Pass(sealed) = code::read(text, self.link_base())? else {
            return Err(Refusal::NotAPass.into());
        };
        let scanned = self.read_pass(text, *sealed)?;
        if let Some(refusal) = scanned.refused {
            return Err(refusal.into());
        }
        // What a till takes that the server has sent away is refused in the end, when the goods are gone.
        if !matches!(self.signed_in()?, SignedIn::Yes(_)) {
            return Err(PhoneError::NotSignedIn);
        }
        check_units(units, scanned.unit)?;
        if units > scanned.units {
            return Err(Refusal::MoreThanCode { asked: units, most: scanned.units }.into());
        }
        let (now, group, unit) = (self.now(), scanned.group, scanned.unit);
        let pass = kept(&scanned.inner);
        let op = self.submit(
            OpBody::RedeemPass { code: scanned.token, units },
            |_| Effect { group: Some(group), units: Some(units), unit },
            |db, op| {
                // Asked again: the lock was not held while the key signed.
                if spent(db, pass.id)? {
                    return Err(Refusal::PassSpent.into());
                }
                passes::take(db, &pass, op.value().id)?;
                redemptions::confirm(db, op.value().id, group, (units, unit), now)
            },
        )?;
        Ok(Took { op: op.value().id, group, units, unit })
    }

    /// Reads a pass and checks both of its signatures.
    pub(crate) fn read_pass(&self, text: &str, sealed: Sealed<PassCode>) -> Result<ScannedPass, PhoneError> {
        let (now, me) = (self.now(), self.key());
        let (server_key, own) = self.store().read(|db| Ok((server_key(db)?, own_shop(db)?)))?;
        let wrong = |_| Refusal::ApprovalWrong;
        let inner = Sealed::<PassToken>::parse(&sealed.unchecked().pass).map_err(wrong)?;
        let inner = inner.check(&server_key).map_err(wrong)?.value().clone();
        let token = sealed.bytes().to_vec();
        let sealed = sealed.check(&inner.public_key).map_err(wrong)?;
        let shown = Timestamp::from_seconds(sealed.value().shown);
        let fresh = now.0.abs_diff(shown.0) <= RedemptionCode::LIFETIME.unsigned_abs();
        let refused = if own != Some(inner.merchant) {
            Some(Refusal::UnknownPass)
        } else if inner.till != me {
            Some(Refusal::WrongTill)
        } else if !fresh || now > Timestamp::from_seconds(inner.expires) {
            Some(Refusal::CodeExpired)
        } else if self.store().read(|db| spent(db, inner.pass))? {
            Some(Refusal::PassSpent)
        } else {
            None
        };
        Ok(ScannedPass {
            pass: inner.pass,
            group: inner.group,
            units: inner.units,
            unit: inner.unit,
            refused,
            text: text.trim().to_owned(),
            token,
            inner,
        })
    }
}

/// Whether this till took a pass, or was told that it is spent.
fn spent(db: &rusqlite::Connection, pass: OpId) -> Result<bool, PhoneError> {
    let told = passes::get(db, pass)?.is_some_and(|pass| pass.state != PassState::Open);
    Ok(told || passes::taken(db, pass)?)
}

/// A pass as the till keeps it until the server's event tells the rest.
fn kept(token: &PassToken) -> Pass {
    let key: KeyId = keys::key_id(&token.public_key);
    Pass {
        id: token.pass,
        merchant: token.merchant,
        till: token.till,
        account: moa_rules::id::AccountId([0; 16]),
        key,
        group: token.group,
        held: Vec::new(),
        expires: token.expires,
        state: PassState::Open,
        made_at: Timestamp::default(),
    }
}
