//! A shop, its clerk and a buyer without phones, who do something of everything that an op can do.

use std::sync::Arc;

use moa_phone::Transport;
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::device::KeyKind;
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::staff::Limits;
use moa_rules::standing::StandingChoice;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::api::Base64;
use moa_wire::keys::{Signer, SoftwareKey, key_id};
use moa_wire::token::Checked;
use moa_world::Failure;
use moa_world::raw::Client;

use crate::{Dice, EARNED, PRICE};

/// What the mix holds: each kind has to be applied in a run.
pub const KINDS: [&str; 20] = [
    "record_sale",
    "claim",
    "redeem",
    "pay",
    "reserve_pass",
    "set_standing",
    "renew_certificate",
    "add_key",
    "revoke_device",
    "join_staff",
    "remove_staff",
    "hold",
    "capture_hold",
    "void_hold",
    "reverse_redemption",
    "refund_sale",
    "void_sale",
    "grant",
    "take_away",
    "amend_terms",
];

pub struct Mix {
    owner: Client,
    clerk: Client,
    buyer: Client,
    merchant: MerchantId,
    group: GroupId,
    /// A group of the shop's own, and what it might promise.
    own: GroupId,
    terms: Terms,
    /// What was done so far: by turns, so that a run of any length holds everything.
    turns: usize,
    /// What nobody has answered yet: sent again before anything else.
    unanswered: Vec<Base64>,
}

impl Mix {
    /// Opens the shop in a group.
    pub async fn open(clients: [Client; 3], group: GroupId) -> Result<Self, Failure> {
        let [owner, clerk, buyer] = clients;
        let profile = MerchantProfile::new("Mix", Currency::KRW, None);
        let opening = owner.sign(OpBody::RegisterMerchant { profile })?;
        let joining = owner.sign(OpBody::JoinGroup { group, terms_version: 1, invitation: None })?;
        let merchant = opening.value().id.as_merchant();
        let profile = Profile::new("Mix", Scope::Building);
        let terms = Terms::points(BasisPoints::new(300)?, Validity::Months(3), Units::new(1)?);
        let founding = owner.sign(OpBody::FoundGroup { profile, terms: terms.clone() })?;
        let own = founding.value().id.as_group();
        owner.send(&[opening, joining, founding]).await?;
        Ok(Self { owner, clerk, buyer, merchant, group, own, terms, turns: 0, unanswered: Vec::new() })
    }

    pub fn move_to(&mut self, way: &Arc<dyn Transport>) {
        for client in [&mut self.owner, &mut self.clerk, &mut self.buyer] {
            client.move_to(way.clone());
        }
    }

    /// Something of everything, until the server is gone.
    pub async fn load(mut self, dice: Dice) -> Self {
        loop {
            for _ in 0..=dice.below(3) {
                let ops = self.some(&dice).unwrap();
                self.unanswered.extend(ops.iter().map(|op| Base64::from(op.bytes())));
            }
            if self.flush().await.is_err() {
                return self;
            }
        }
    }

    pub async fn flush(&mut self) -> Result<(), Failure> {
        self.owner.flush(&mut self.unanswered).await
    }

    fn some(&mut self, dice: &Dice) -> Result<Vec<Checked<Op>>, Failure> {
        let units = Units::new(EARNED)?;
        let (merchant, group) = (self.merchant, self.group);
        let in_an_hour = moa_world::now().plus(Timestamp::HOUR);
        self.turns += 1;
        let ops = match self.turns % 14 {
            turn @ (0 | 3 | 5 | 7 | 10) => {
                let seller = if turn == 3 { &self.clerk } else { &self.owner };
                let sale = seller.sign(recorded(None))?;
                let claim = self.buyer.claim(&sale, group)?;
                // A sale may come inside its claim alone, before it, and after it.
                match dice.below(3) {
                    0 => vec![claim],
                    1 => vec![sale, claim],
                    _ => vec![claim, sale],
                }
            }
            1 => {
                let public_key = SoftwareKey::generate()?.0.public_key();
                let (key, kind) = (key_id(&public_key), KeyKind::Browser { until: in_an_hour });
                let added = self.buyer.sign(OpBody::AddKey { key, public_key, kind })?;
                vec![added, self.buyer.sign(OpBody::RevokeDevice { key })?]
            }
            2 => {
                let limits = Limits { per_sale: PRICE, per_day: Money(PRICE.0 * 1_000) };
                let invitation = self.owner.invitation(limits)?;
                vec![self.clerk.sign(OpBody::JoinStaff { invitation })?]
            }
            4 => {
                let code = self.buyer.code(group, units)?;
                let redeemed = self.owner.sign(OpBody::Redeem { code, units })?;
                let redemption = redeemed.value().id;
                vec![redeemed, self.owner.sign(OpBody::ReverseRedemption { redemption })?]
            }
            6 => {
                let expires = moa_world::now().plus(5 * Timestamp::MINUTE).seconds();
                let body = OpBody::Pay { merchant, group, units, expires, unit: None };
                vec![self.buyer.sign(body)?]
            }
            8 => {
                let (till, expires) = (self.owner.key_id(), in_an_hour.seconds());
                let choice = StandingChoice { groups: vec![group], best: dice.below(2) == 0 };
                let body = OpBody::ReservePass { merchant, till, group, units, expires, unit: None };
                vec![self.buyer.sign(body)?, self.buyer.sign(OpBody::SetStanding { choice })?]
            }
            9 => vec![
                self.owner.sign(OpBody::RenewCertificate)?,
                self.owner.sign(OpBody::RemoveStaff { merchant, account: self.clerk.account() })?,
            ],
            11 => {
                let code = self.buyer.code(group, units)?;
                let held = self.owner.sign(OpBody::Hold { code, units, seconds: None })?;
                let hold = held.value().id;
                let part = Units::new(EARNED / 2)?;
                let captured = self.owner.sign(OpBody::CaptureHold { hold, units: part })?;
                let code = self.buyer.code(group, units)?;
                let other = self.owner.sign(OpBody::Hold { code, units, seconds: None })?;
                let voided = self.owner.sign(OpBody::VoidHold { hold: other.value().id })?;
                vec![held, captured, other, voided]
            }
            12 => {
                // Paid in part with mileage, and taken back in two parts; and a mistake at the till.
                let code = self.buyer.code(group, units)?;
                let redeemed = self.owner.sign(OpBody::Redeem { code, units })?;
                let sale = self.owner.sign(recorded(Some(redeemed.value().id)))?;
                let id = sale.value().id;
                let claim = self.buyer.claim(&sale, group)?;
                let refund = |amount| self.owner.sign(OpBody::RefundSale { sale: id, amount });
                let (some, more) = (refund(Money(PRICE.0 / 3))?, refund(Money(PRICE.0 / 2))?);
                let mistake = self.owner.sign(recorded(None))?;
                let voided = self.owner.sign(OpBody::VoidSale { sale: mistake.value().id })?;
                vec![redeemed, claim, some, more, mistake, voided]
            }
            _ => {
                let (account, reason) = (self.buyer.account(), Reason::Correction);
                let to = Grantee::Account(account);
                let grant = OpBody::Grant { group, to, units, reason, last_day: None };
                let away = OpBody::TakeAway { group, account, units, reason, unit: None };
                let own = self.own;
                let (terms, from) = (self.terms.clone(), in_an_hour.seconds());
                let amend = OpBody::AmendTerms { group: own, terms, from };
                vec![self.owner.sign(grant)?, self.owner.sign(away)?, self.owner.sign(amend)?]
            }
        };
        Ok(ops)
    }
}

fn recorded(redemption: Option<OpId>) -> OpBody {
    OpBody::RecordSale { amount: PRICE, addressee: None, redemption }
}
