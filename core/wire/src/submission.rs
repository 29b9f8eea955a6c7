//! An op as it arrives at the server: parsed, its keys looked up, every signature in it checked.

use moa_rules::account::MergeConsent;
use moa_rules::id::KeyId;
use moa_rules::op::{Carried, Op, OpBody, RedemptionCode};
use moa_rules::pass::{PassCode, PassToken};
use moa_rules::refusal::Refusal;
use moa_rules::staff::StaffInvitation;

use crate::keys;
use crate::token::{Checked, Sealed, Token, TokenError};

/// An op whose form is good. Its signatures were not checked.
#[derive(Debug, Clone)]
pub struct Parsed {
    op: Sealed<Op>,
    carried: CarriedToken,
}

#[derive(Debug, Clone)]
enum CarriedToken {
    None,
    Sale(Sealed<Op>),
    Code(Sealed<RedemptionCode>),
    Invitation(Sealed<StaffInvitation>),
    Consent(Sealed<MergeConsent>),
    /// The server's own word inside is not checked again: the pass is in its books, with the key that shows it.
    Pass(Sealed<PassCode>, Box<PassToken>),
}

/// An op of which every signature was checked: its own and that of what it carries. The engine takes no other.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The op.
    pub op: Checked<Op>,
    /// The signed sale inside a claim.
    pub sale: Option<Checked<Op>>,
    /// What it carries, for the rules.
    pub carried: Carried,
}

impl Parsed {
    /// Reads an op and what it carries.
    ///
    /// # Errors
    /// `op_too_large`, `malformed_op`, `not_a_sale`, `not_a_code`, `not_an_invitation`, `not_a_consent`, `not_a_pass`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let op = Sealed::<Op>::parse(bytes).map_err(|error| match error {
            TokenError::TooLarge { .. } => Refusal::OpTooLarge { max: Op::MAX_BYTES as u64 },
            TokenError::Malformed | TokenError::BadSignature => Refusal::MalformedOp,
        })?;
        let carried = match &op.unchecked().body {
            OpBody::Claim { sale, .. } => {
                let sale = Sealed::<Op>::parse(sale).map_err(|_| Refusal::NotASale)?;
                if !matches!(sale.unchecked().body, OpBody::RecordSale { .. }) {
                    return Err(Refusal::NotASale);
                }
                CarriedToken::Sale(sale)
            }
            OpBody::Redeem { code, .. } | OpBody::Hold { code, .. } => {
                CarriedToken::Code(Sealed::parse(code).map_err(|_| Refusal::NotACode)?)
            }
            OpBody::JoinStaff { invitation } => {
                let invitation = Sealed::parse(invitation).map_err(|_| Refusal::NotAnInvitation)?;
                CarriedToken::Invitation(invitation)
            }
            OpBody::MergeAccount { consent } => {
                CarriedToken::Consent(Sealed::parse(consent).map_err(|_| Refusal::NotAConsent)?)
            }
            OpBody::RedeemPass { code, .. } => {
                let code = Sealed::<PassCode>::parse(code).map_err(|_| Refusal::NotAPass)?;
                let pass = Sealed::<PassToken>::parse(&code.unchecked().pass);
                let pass = pass.map_err(|_| Refusal::NotAPass)?.unchecked().clone();
                CarriedToken::Pass(code, Box::new(pass))
            }
            _ => CarriedToken::None,
        };
        Ok(Self { op, carried })
    }

    /// The op, if its signature is to be believed.
    pub fn unchecked(&self) -> &Op {
        self.op.unchecked()
    }

    /// The keys whose public halves [`Self::check`] will ask for.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> {
        let carried = match &self.carried {
            CarriedToken::None => None,
            CarriedToken::Sale(sale) => Some(sale.unchecked().actor),
            CarriedToken::Code(code) => Some(code.unchecked().key),
            CarriedToken::Invitation(invitation) => Some(invitation.unchecked().key),
            CarriedToken::Consent(consent) => Some(consent.unchecked().key),
            CarriedToken::Pass(_, pass) => Some(keys::key_id(&pass.public_key)),
        };
        [self.op.unchecked().actor].into_iter().chain(carried)
    }

    /// Checks every signature.
    ///
    /// # Errors
    /// `unknown_key`, `bad_signature`.
    pub fn check(self, public_key: impl Fn(KeyId) -> Option<Vec<u8>>) -> Result<Submission, Refusal> {
        let key = |id| public_key(id).ok_or(Refusal::UnknownKey);
        let bad = |_| Refusal::BadSignature;
        let actor = key(self.op.unchecked().actor)?;
        let op = self.op.check(&actor).map_err(bad)?;
        let (sale, carried) = match self.carried {
            CarriedToken::None => (None, Carried::None),
            CarriedToken::Sale(sale) => {
                let seller = key(sale.unchecked().actor)?;
                let sale = sale.check(&seller).map_err(bad)?;
                let carried = Carried::Sale(Box::new(sale.value().clone()));
                (Some(sale), carried)
            }
            CarriedToken::Code(code) => {
                let buyer = key(code.unchecked().key)?;
                (None, Carried::Code(*code.check(&buyer).map_err(bad)?.value()))
            }
            CarriedToken::Invitation(invitation) => {
                let owner = key(invitation.unchecked().key)?;
                (None, Carried::Invitation(*invitation.check(&owner).map_err(bad)?.value()))
            }
            CarriedToken::Consent(consent) => {
                let other = key(consent.unchecked().key)?;
                (None, Carried::Consent(*consent.check(&other).map_err(bad)?.value()))
            }
            CarriedToken::Pass(code, pass) => {
                let shown_by = keys::key_id(&pass.public_key);
                code.check(&key(shown_by)?).map_err(bad)?;
                (None, Carried::Pass { pass: pass.pass, key: shown_by })
            }
        };
        Ok(Submission { op, sale, carried })
    }
}
