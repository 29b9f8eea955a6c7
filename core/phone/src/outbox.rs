//! What this phone has asked for and what became of it, for screens.

use moa_rules::id::{GroupId, OpId};
use moa_rules::invitation::Invited;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::Kind as Mileage;
use moa_rules::time::Timestamp;
use moa_wire::api::Refused;
use serde::{Deserialize, Serialize};

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::store::outbox::{self, Answer, Entry};

/// What an op of a phone asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To open a shop.
    RegisterMerchant,
    /// To found a group.
    FoundGroup,
    /// To join a group.
    JoinGroup,
    /// To record a sale.
    RecordSale,
    /// To turn a sale into mileage.
    Claim,
    /// To take mileage as payment.
    Redeem,
    /// To set a standing choice.
    Standing,
    /// To end a key.
    RevokeDevice,
    /// To let a new phone pay.
    AdmitDevice,
    /// To sell for a shop that is another's.
    JoinStaff,
    /// To end someone's selling for a shop.
    RemoveStaff,
    /// To go on selling without the server.
    RenewCertificate,
    /// To pay at a shop without signal.
    Pay,
    /// To reserve mileage for a till.
    ReservePass,
    /// To take mileage of a pass.
    RedeemPass,
    /// To let in a browser, or a shop's computer.
    AddKey,
    /// To act for the owner's shop.
    ActFor,
    /// To set what a shop may sell before it syncs.
    SetAllowance,
    /// To hand over a group.
    AppointAdmin,
    /// To end the account.
    CloseAccount,
    /// To take over another account.
    MergeAccount,
    /// To propose other terms.
    AmendTerms,
    /// To answer to proposed terms.
    AnswerAmendment,
    /// To leave a group.
    LeaveGroup,
    /// To put a member out of a group.
    ExpelMember,
    /// To freeze a member, or let it go on.
    FreezeMember,
    /// To close a group.
    CloseGroup,
    /// To reserve mileage for the shop.
    Hold,
    /// To take what a hold reserved.
    CaptureHold,
    /// To give back what a hold reserved.
    VoidHold,
    /// To give back a redemption.
    Reverse,
    /// To refund a purchase.
    Refund,
    /// To void a sale.
    VoidSale,
    /// To give mileage without a sale.
    Grant,
    /// To take away mileage.
    TakeAway,
    /// To invite someone.
    Invite,
    /// To take an invitation back.
    RevokeInvitation,
    /// To decline an invitation.
    DeclineInvitation,
    /// To answer a shop that asks to join.
    AnswerJoin,
    /// To change how a group presents itself.
    AmendProfile,
    /// To change how the shop presents itself.
    AmendMerchant,
    /// To agree to advertising, or to withdraw that.
    Marketing,
    /// What only the server does.
    Other,
}

impl Kind {
    const ALL: [Self; 43] = [
        Self::RegisterMerchant,
        Self::FoundGroup,
        Self::JoinGroup,
        Self::RecordSale,
        Self::Claim,
        Self::Redeem,
        Self::Standing,
        Self::RevokeDevice,
        Self::AdmitDevice,
        Self::JoinStaff,
        Self::RemoveStaff,
        Self::RenewCertificate,
        Self::Pay,
        Self::ReservePass,
        Self::RedeemPass,
        Self::AddKey,
        Self::ActFor,
        Self::SetAllowance,
        Self::AppointAdmin,
        Self::CloseAccount,
        Self::MergeAccount,
        Self::AmendTerms,
        Self::AnswerAmendment,
        Self::LeaveGroup,
        Self::ExpelMember,
        Self::FreezeMember,
        Self::CloseGroup,
        Self::Hold,
        Self::CaptureHold,
        Self::VoidHold,
        Self::Reverse,
        Self::Refund,
        Self::VoidSale,
        Self::Grant,
        Self::TakeAway,
        Self::Invite,
        Self::RevokeInvitation,
        Self::DeclineInvitation,
        Self::AnswerJoin,
        Self::AmendProfile,
        Self::AmendMerchant,
        Self::Marketing,
        Self::Other,
    ];

    /// The kind of an op.
    pub fn of(body: &OpBody) -> Self {
        match body {
            OpBody::RegisterMerchant { .. } => Self::RegisterMerchant,
            OpBody::FoundGroup { .. } => Self::FoundGroup,
            OpBody::JoinGroup { .. } => Self::JoinGroup,
            OpBody::RecordSale { .. } | OpBody::SellTo { .. } => Self::RecordSale,
            OpBody::Claim { .. } | OpBody::ClaimWaiting { .. } => Self::Claim,
            OpBody::Redeem { .. } => Self::Redeem,
            OpBody::SetStanding { .. } => Self::Standing,
            OpBody::RevokeDevice { .. } => Self::RevokeDevice,
            OpBody::AdmitDevice { .. } => Self::AdmitDevice,
            OpBody::JoinStaff { .. } => Self::JoinStaff,
            OpBody::RemoveStaff { .. } => Self::RemoveStaff,
            OpBody::RenewCertificate => Self::RenewCertificate,
            OpBody::Pay { .. } => Self::Pay,
            OpBody::ReservePass { .. } => Self::ReservePass,
            OpBody::RedeemPass { .. } => Self::RedeemPass,
            OpBody::AddKey { .. } => Self::AddKey,
            OpBody::ActFor { .. } => Self::ActFor,
            OpBody::SetAllowance { .. } => Self::SetAllowance,
            OpBody::AppointAdmin { .. } => Self::AppointAdmin,
            OpBody::CloseAccount => Self::CloseAccount,
            OpBody::MergeAccount { .. } => Self::MergeAccount,
            OpBody::EnrolDevice { .. }
            | OpBody::ExpireLots { .. }
            | OpBody::LapseSale { .. }
            | OpBody::OfferAgain { .. }
            | OpBody::ReleasePass { .. }
            | OpBody::AppointOperator { .. }
            | OpBody::TakeBest { .. }
            | OpBody::DecideAmendment { .. }
            | OpBody::EndGroup { .. }
            | OpBody::LapseHold { .. } => Self::Other,
            OpBody::AmendTerms { .. } => Self::AmendTerms,
            OpBody::AnswerAmendment { .. } => Self::AnswerAmendment,
            OpBody::LeaveGroup { .. } => Self::LeaveGroup,
            OpBody::ExpelMember { .. } => Self::ExpelMember,
            OpBody::FreezeMember { .. } => Self::FreezeMember,
            OpBody::CloseGroup { .. } => Self::CloseGroup,
            OpBody::Hold { .. } => Self::Hold,
            OpBody::CaptureHold { .. } => Self::CaptureHold,
            OpBody::VoidHold { .. } => Self::VoidHold,
            OpBody::ReverseRedemption { .. } => Self::Reverse,
            OpBody::RefundSale { .. } => Self::Refund,
            OpBody::VoidSale { .. } => Self::VoidSale,
            OpBody::Grant { .. } => Self::Grant,
            OpBody::TakeAway { .. } => Self::TakeAway,
            OpBody::Invite { .. } => Self::Invite,
            OpBody::RevokeInvitation { .. } => Self::RevokeInvitation,
            OpBody::DeclineInvitation { .. } => Self::DeclineInvitation,
            OpBody::AnswerJoin { .. } => Self::AnswerJoin,
            OpBody::AmendProfile { .. } => Self::AmendProfile,
            OpBody::AmendMerchant { .. } => Self::AmendMerchant,
            OpBody::SetMarketing { .. } => Self::Marketing,
        }
    }

    /// The stable `snake_case` word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegisterMerchant => "register_merchant",
            Self::FoundGroup => "found_group",
            Self::JoinGroup => "join_group",
            Self::RecordSale => "record_sale",
            Self::Claim => "claim",
            Self::Redeem => "redeem",
            Self::Standing => "standing",
            Self::RevokeDevice => "revoke_device",
            Self::AdmitDevice => "admit_device",
            Self::JoinStaff => "join_staff",
            Self::RemoveStaff => "remove_staff",
            Self::RenewCertificate => "renew_certificate",
            Self::Pay => "pay",
            Self::ReservePass => "reserve_pass",
            Self::RedeemPass => "redeem_pass",
            Self::AddKey => "add_key",
            Self::ActFor => "act_for",
            Self::SetAllowance => "set_allowance",
            Self::AppointAdmin => "appoint_admin",
            Self::CloseAccount => "close_account",
            Self::MergeAccount => "merge_account",
            Self::AmendTerms => "amend_terms",
            Self::AnswerAmendment => "answer_amendment",
            Self::LeaveGroup => "leave_group",
            Self::ExpelMember => "expel_member",
            Self::FreezeMember => "freeze_member",
            Self::CloseGroup => "close_group",
            Self::Hold => "hold",
            Self::CaptureHold => "capture_hold",
            Self::VoidHold => "void_hold",
            Self::Reverse => "reverse",
            Self::Refund => "refund",
            Self::VoidSale => "void_sale",
            Self::Grant => "grant",
            Self::TakeAway => "take_away",
            Self::Invite => "invite",
            Self::RevokeInvitation => "revoke_invitation",
            Self::DeclineInvitation => "decline_invitation",
            Self::AnswerJoin => "answer_join",
            Self::AmendProfile => "amend_profile",
            Self::AmendMerchant => "amend_merchant",
            Self::Marketing => "marketing",
            Self::Other => "other",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why the server refused an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedOp {
    /// The stable word for the reason.
    pub code: String,
    /// The reason with its figures; none, if the server is newer than this app and the reason is new.
    pub reason: Option<Refusal>,
    /// The server's sentence, in the language that the phone asked for.
    pub text: String,
    /// What units in the reason are, as the op asked for them; none if it named none.
    #[serde(skip)]
    pub mileage: Option<Mileage>,
}

impl From<Refused> for RefusedOp {
    fn from(Refused { reason, text }: Refused) -> Self {
        Self { code: reason.code().to_owned(), reason: Some(reason), text, mileage: None }
    }
}

/// What became of an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Not yet answered.
    Waiting,
    /// Not answered in time, for a redemption or a hold: it may have been applied. To be shown as being checked, never as
    /// approved; the same id is asked again until the server tells.
    BeingChecked,
    /// It holds.
    Applied,
    /// It does not, for good.
    Refused(RefusedOp),
}

/// An op that waits, or that was refused and not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its id.
    pub op: OpId,
    /// What it asks for.
    pub kind: Kind,
    /// When it was written.
    pub created_at: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// The money in it: a sale's amount.
    pub amount: Option<Money>,
    /// The units in it: those to redeem, to hold, to give.
    pub units: Option<Units>,
    /// What they are.
    pub mileage: Option<Mileage>,
    /// The group in it, if it names one.
    pub group: Option<GroupId>,
}

impl Phone {
    /// What waits for the server, and what it refused until that is [dismissed](Self::dismiss). Oldest first.
    ///
    /// # Errors
    /// Storage.
    pub fn outbox(&self) -> Result<Vec<OutboxItem>, PhoneError> {
        let now = self.now();
        let entries = self.store().read(outbox::shown)?;
        Ok(entries.iter().map(|entry| item(entry, now)).collect())
    }

    /// What became of an op of this phone; nothing, if it is none.
    ///
    /// # Errors
    /// Storage.
    pub fn fate(&self, op: OpId) -> Result<Option<Fate>, PhoneError> {
        let now = self.now();
        Ok(self.store().read(|db| outbox::entry(db, op))?.map(|entry| fate(&entry, now)))
    }

    /// What became of an op when waiting for its verdict is given up.
    pub(crate) fn fate_undecided(&self, op: OpId) -> Result<Fate, PhoneError> {
        let now = self.now();
        let entry = self.store().read(|db| outbox::entry(db, op))?.ok_or(PhoneError::NotHere)?;
        Ok(match fate(&entry, now) {
            Fate::Waiting if matches!(entry.kind, Kind::Redeem | Kind::Hold) => Fate::BeingChecked,
            fate => fate,
        })
    }

    /// A refusal was read; it is no longer shown.
    ///
    /// # Errors
    /// Storage.
    pub fn dismiss(&self, op: OpId) -> Result<(), PhoneError> {
        self.write(|db| outbox::dismiss(db, op))
    }
}

fn fate(entry: &Entry, now: Timestamp) -> Fate {
    match &entry.answer {
        Answer::Applied => Fate::Applied,
        Answer::Refused(refused) => Fate::Refused(refused.clone()),
        Answer::Waiting => match crate::redemption::deadline(&entry.body.body) {
            Some(deadline) if deadline < now => Fate::BeingChecked,
            _ => Fate::Waiting,
        },
    }
}

fn item(entry: &Entry, now: Timestamp) -> OutboxItem {
    let fate = fate(entry, now);
    let (mut amount, mut units, mut group) = (None, None, None);
    match entry.body.body {
        OpBody::RecordSale { amount: paid, .. } | OpBody::SellTo { amount: paid, .. } => amount = Some(paid),
        OpBody::RefundSale { amount: back, .. } => amount = Some(back),
        OpBody::Redeem { units: asked, .. }
        | OpBody::Hold { units: asked, .. }
        | OpBody::CaptureHold { units: asked, .. }
        | OpBody::RedeemPass { units: asked, .. } => units = Some(asked),
        OpBody::Grant { group: of, units: given, .. } | OpBody::TakeAway { group: of, units: given, .. } => {
            (group, units) = (Some(of), Some(given));
        }
        OpBody::Pay { group: of, units: asked, .. } | OpBody::ReservePass { group: of, units: asked, .. } => {
            (group, units) = (Some(of), Some(asked));
        }
        OpBody::JoinGroup { group: of, .. }
        | OpBody::AmendTerms { group: of, .. }
        | OpBody::AnswerAmendment { group: of, .. }
        | OpBody::LeaveGroup { group: of }
        | OpBody::ExpelMember { group: of, .. }
        | OpBody::FreezeMember { group: of, .. }
        | OpBody::AnswerJoin { group: of, .. }
        | OpBody::AmendProfile { group: of, .. }
        | OpBody::CloseGroup { group: of }
        | OpBody::Invite { to: Invited::Group(of), .. } => group = Some(of),
        OpBody::FoundGroup { .. } => group = Some(entry.op.as_group()),
        OpBody::Claim { choice, .. } | OpBody::ClaimWaiting { choice, .. } => {
            group = choice.map(|choice| choice.group);
        }
        _ => {}
    }
    let (op, kind, created_at, mileage) = (entry.op, entry.kind, entry.created_at, entry.mileage);
    OutboxItem { op, kind, created_at, fate, amount, units, mileage, group }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("sale"), None);
    }
}
