//! Roles: who may do what to whose. One table; `docs/roles.md` is printed from it, every decision passes through it, and a
//! test tries every cell of it over HTTP. (A9; docs/rules.md F)
//!
//! A person is a buyer, and may beside that be of a shop's staff or its owner, administer a group by that shop, or run the
//! server for everyone. What a role may do to its own things is here; whose a thing is, each rule finds out for itself.

use crate::decide::{Author, Decision};
use crate::device::{Device, Holder, KeyKind};
use crate::event::EventBody;
use crate::id::AccountId;
use crate::op::OpBody;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, View};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Anyone with a phone.
    Buyer,
    /// Someone who sells for a shop that is not theirs.
    Staff,
    /// The owner of a shop.
    Owner,
    /// The owner of the shop that administers a group.
    GroupAdmin,
    /// Someone who runs the server for everyone.
    Operator,
    /// A browser that a phone let in, for whatever its person may do else.
    Browser,
    /// A shop's own computer.
    Service,
    /// The server itself.
    Server,
}

impl Role {
    /// All, as the table has them.
    pub const ALL: [Self; 8] = [
        Self::Buyer,
        Self::Staff,
        Self::Owner,
        Self::GroupAdmin,
        Self::Operator,
        Self::Browser,
        Self::Service,
        Self::Server,
    ];

    /// The role's name, in `snake_case`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Staff => "staff",
            Self::Owner => "owner",
            Self::GroupAdmin => "group_admin",
            Self::Operator => "operator",
            Self::Browser => "browser",
            Self::Service => "service",
            Self::Server => "server",
        }
    }
}

/// To whose things a role may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// To nobody's.
    No,
    /// To its own.
    Own,
    /// To anyone's.
    Any,
}

/// The kind of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpKind {
    /// Its number, as in the op's bytes.
    pub number: u8,
    /// Its name, in `snake_case`.
    pub name: &'static str,
}

/// A row of the table: the op, and what each of [`Role::ALL`] may do with it.
pub type Row = (OpKind, [May; 8]);

const fn row(number: u8, name: &'static str, may: [May; 8]) -> Row {
    (OpKind { number, name }, may)
}

const NO: May = May::No;
const OWN: May = May::Own;
const ANY: May = May::Any;

/// Who may do what. A browser may do what is marked for it and what its person may do.
#[rustfmt::skip]
pub const TABLE: [Row; 54] = [
    //                              buyer staff owner admin oper. brow. serv. server
    row(0, "enrol_device",         [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(1, "register_merchant",    [OWN,  NO,   NO,   NO,   NO,   NO,   NO,   NO]),
    row(2, "found_group",          [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(3, "join_group",           [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(4, "record_sale",          [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(5, "claim",                [OWN,  OWN,  OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(6, "redeem",               [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(7, "expire_lots",          [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(8, "sell_to",              [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(9, "claim_waiting",        [OWN,  OWN,  OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(10, "lapse_sale",          [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(11, "set_standing",        [OWN,  OWN,  OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(12, "take_best",           [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(13, "offer_again",         [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(14, "revoke_device",       [OWN,  OWN,  OWN,  NO,   ANY,  OWN,  NO,   NO]),
    row(15, "admit_device",        [OWN,  OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(16, "join_staff",          [OWN,  NO,   NO,   NO,   NO,   NO,   NO,   NO]),
    row(17, "remove_staff",        [NO,   OWN,  OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(18, "renew_certificate",   [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(19, "pay",                 [OWN,  OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(20, "reserve_pass",        [OWN,  OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(21, "redeem_pass",         [NO,   OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(22, "release_pass",        [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(23, "add_key",             [OWN,  OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(24, "act_for",             [OWN,  NO,   OWN,  NO,   NO,   NO,   NO,   NO]),
    row(25, "set_allowance",       [NO,   NO,   NO,   NO,   ANY,  ANY,  NO,   NO]),
    row(26, "appoint_admin",       [NO,   NO,   NO,   OWN,  NO,   OWN,  NO,   NO]),
    row(27, "appoint_operator",    [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(28, "close_account",       [OWN,  NO,   NO,   NO,   NO,   NO,   NO,   NO]),
    row(29, "merge_account",       [OWN,  OWN,  OWN,  NO,   NO,   NO,   NO,   NO]),
    row(30, "amend_terms",         [NO,   NO,   NO,   OWN,  NO,   OWN,  NO,   NO]),
    row(31, "answer_amendment",    [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(32, "decide_amendment",    [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(33, "leave_group",         [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(34, "expel_member",        [NO,   NO,   NO,   OWN,  NO,   OWN,  NO,   NO]),
    row(35, "freeze_member",       [NO,   NO,   NO,   NO,   ANY,  ANY,  NO,   ANY]),
    row(36, "close_group",         [NO,   NO,   NO,   OWN,  NO,   OWN,  NO,   NO]),
    row(37, "end_group",           [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(38, "hold",                [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(39, "capture_hold",        [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(40, "void_hold",           [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(41, "lapse_hold",          [NO,   NO,   NO,   NO,   NO,   NO,   NO,   ANY]),
    row(42, "reverse_redemption",  [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(43, "refund_sale",         [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(44, "void_sale",           [NO,   OWN,  OWN,  NO,   NO,   OWN,  OWN,  NO]),
    row(45, "grant",               [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(46, "take_away",           [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(47, "invite",              [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(48, "revoke_invitation",   [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(49, "decline_invitation",  [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(50, "answer_join",         [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(51, "amend_profile",       [NO,   NO,   NO,   OWN,  NO,   OWN,  NO,   NO]),
    row(52, "amend_merchant",      [NO,   NO,   OWN,  NO,   NO,   OWN,  NO,   NO]),
    row(53, "set_marketing",       [OWN,  OWN,  OWN,  NO,   NO,   OWN,  NO,   NO]),
];

impl OpBody {
    /// The op's kind.
    pub fn kind(&self) -> OpKind {
        let number: usize = match self {
            Self::EnrolDevice { .. } => 0,
            Self::RegisterMerchant { .. } => 1,
            Self::FoundGroup { .. } => 2,
            Self::JoinGroup { .. } => 3,
            Self::RecordSale { .. } => 4,
            Self::Claim { .. } => 5,
            Self::Redeem { .. } => 6,
            Self::ExpireLots { .. } => 7,
            Self::SellTo { .. } => 8,
            Self::ClaimWaiting { .. } => 9,
            Self::LapseSale { .. } => 10,
            Self::SetStanding { .. } => 11,
            Self::TakeBest { .. } => 12,
            Self::OfferAgain { .. } => 13,
            Self::RevokeDevice { .. } => 14,
            Self::AdmitDevice { .. } => 15,
            Self::JoinStaff { .. } => 16,
            Self::RemoveStaff { .. } => 17,
            Self::RenewCertificate => 18,
            Self::Pay { .. } => 19,
            Self::ReservePass { .. } => 20,
            Self::RedeemPass { .. } => 21,
            Self::ReleasePass { .. } => 22,
            Self::AddKey { .. } => 23,
            Self::ActFor { .. } => 24,
            Self::SetAllowance { .. } => 25,
            Self::AppointAdmin { .. } => 26,
            Self::AppointOperator { .. } => 27,
            Self::CloseAccount => 28,
            Self::MergeAccount { .. } => 29,
            Self::AmendTerms { .. } => 30,
            Self::AnswerAmendment { .. } => 31,
            Self::DecideAmendment { .. } => 32,
            Self::LeaveGroup { .. } => 33,
            Self::ExpelMember { .. } => 34,
            Self::FreezeMember { .. } => 35,
            Self::CloseGroup { .. } => 36,
            Self::EndGroup { .. } => 37,
            Self::Hold { .. } => 38,
            Self::CaptureHold { .. } => 39,
            Self::VoidHold { .. } => 40,
            Self::LapseHold { .. } => 41,
            Self::ReverseRedemption { .. } => 42,
            Self::RefundSale { .. } => 43,
            Self::VoidSale { .. } => 44,
            Self::Grant { .. } => 45,
            Self::TakeAway { .. } => 46,
            Self::Invite { .. } => 47,
            Self::RevokeInvitation { .. } => 48,
            Self::DeclineInvitation { .. } => 49,
            Self::AnswerJoin { .. } => 50,
            Self::AmendProfile { .. } => 51,
            Self::AmendMerchant { .. } => 52,
            Self::SetMarketing { .. } => 53,
        };
        TABLE[number].0
    }
}

/// What a role may do with an op of this kind.
pub fn may(role: Role, kind: OpKind) -> May {
    TABLE[usize::from(kind.number)].1[role as usize]
}

/// Refuses what no role that the key could have may do. Whether its person has that role, and whether the thing is theirs,
/// is for the op's own rule.
pub(crate) fn check(device: &Device, body: &OpBody) -> Result<(), Refusal> {
    let kind = body.kind();
    let able = |role: Role| may(role, kind) != May::No;
    let allowed = match (device.holder, device.kind) {
        (Holder::System, _) => able(Role::Server),
        (Holder::Account(_), KeyKind::Service) => able(Role::Service),
        (Holder::Account(_), KeyKind::Browser { .. }) => able(Role::Browser) && person(device).any(able),
        (Holder::Account(_), KeyKind::Phone) => person(device).any(able),
    };
    // A shop's op from a key without one is told so.
    if !allowed && device.merchant.is_none() && able(Role::Owner) && device.kind == KeyKind::Phone {
        return match device.holder {
            Holder::Account(_) => Err(Refusal::NoMerchant),
            Holder::System => Err(Refusal::NotAllowed),
        };
    }
    if allowed { Ok(()) } else { Err(Refusal::NotAllowed) }
}

/// The roles that a person's key could have, as far as the key itself tells.
fn person(device: &Device) -> impl Iterator<Item = Role> {
    let of_shop: &[Role] = match (device.merchant, device.staff) {
        (None, _) => &[],
        (Some(_), true) => &[Role::Staff],
        (Some(_), false) => &[Role::Owner, Role::GroupAdmin],
    };
    [Role::Buyer, Role::Operator].into_iter().chain(of_shop.iter().copied())
}

/// The server is told, where it runs, that a person runs it for everyone, or does no more.
pub(crate) fn appoint_operator(
    view: &View,
    author: &Author,
    account: AccountId,
    operator: bool,
) -> Result<Decision, Halt> {
    author.system()?;
    if view.is_operator(account)? == operator {
        return Ok(Decision::default());
    }
    Ok(author.caused(EventBody::OperatorAppointed { account, operator }))
}

/// Refuses whoever does not run the server for everyone, on a phone that pays or in a browser that one let in.
///
/// # Errors
/// `not_allowed`, `device_too_new`.
pub(crate) fn check_operator(view: &View, author: &Author, now: Timestamp) -> Result<(), Halt> {
    if !view.is_operator(author.person()?)? {
        return Err(Refusal::NotAllowed.into());
    }
    if author.device.kind == KeyKind::Phone {
        author.device.check_pays(now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_order_of_their_numbers() {
        for (at, (kind, _)) in TABLE.iter().enumerate() {
            assert_eq!(usize::from(kind.number), at, "{}", kind.name);
        }
    }
}
