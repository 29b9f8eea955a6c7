//! Why an op was refused: one variant a reason, with the figures that a person needs to do better.
//!
//! The `code` is stable and travels in JSON; the texts, in Korean and English, are in `moa-words`.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::quantity::{Money, Units};

/// A reason, final for the id of the op that it answers. A refused op changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[error("{}", self.code())]
#[non_exhaustive]
pub enum Refusal {
    // The op itself.
    /// The bytes are not an op in canonical form.
    #[n(0)]
    MalformedOp,
    /// The bytes are more than any op may have.
    #[n(1)]
    OpTooLarge {
        /// Bytes that are taken at most.
        #[n(0)]
        max: u64,
    },
    /// The op's version is newer than this server.
    #[n(2)]
    UnsupportedVersion,
    /// No key of that id is registered.
    #[n(3)]
    UnknownKey,
    /// The signature does not match the bytes.
    #[n(4)]
    BadSignature,
    /// The key was revoked.
    #[n(5)]
    RevokedKey,
    /// The same id came before with another payload.
    #[n(6)]
    OpIdReused,
    /// The key has used this counter before.
    #[n(7)]
    CounterUsed {
        /// The counter.
        #[n(0)]
        counter: u64,
    },
    /// The id is not of the version that its author must use, or another thing bears it.
    #[n(8)]
    BadOpId,
    /// This actor may not do this kind of op.
    #[n(9)]
    NotAllowed,

    // Shops and groups.
    /// The key acts for a shop already; one key, one shop.
    #[n(20)]
    KeyHasMerchant,
    /// The key acts for no shop.
    #[n(21)]
    NoMerchant,
    /// A name that is empty, untrimmed, too long, or has control characters.
    #[n(22)]
    BadName {
        /// Characters that are taken at most.
        #[n(0)]
        max: u64,
    },
    /// A field of the terms outside its limits.
    #[n(23)]
    BadTerms {
        /// The field's name.
        #[n(0)]
        field: String,
        /// The least that is taken.
        #[n(1)]
        min: i64,
        /// The most that is taken.
        #[n(2)]
        max: i64,
    },
    /// The zone is not an IANA name.
    #[n(24)]
    UnknownZone,
    /// No such group.
    #[n(25)]
    UnknownGroup,
    /// The shop is a member already.
    #[n(26)]
    AlreadyMember,
    /// The terms agreed to are not those in force.
    #[n(27)]
    TermsChanged {
        /// The version in force.
        #[n(0)]
        current: u32,
    },
    /// The shop's money is not the group's.
    #[n(28)]
    CurrencyDiffers,
    /// A place outside the globe.
    #[n(29)]
    BadPlace,

    // Sales and claims.
    /// An amount of zero or less.
    #[n(40)]
    AmountNotPositive,
    /// An amount above the limit.
    #[n(41)]
    AmountTooLarge {
        /// Minor units that are taken at most.
        #[n(0)]
        max: Money,
    },
    /// The sale's time lies too far ahead of the server's.
    #[n(42)]
    SaleDatedAhead {
        /// Hours ahead that are taken at most.
        #[n(0)]
        hours: u32,
    },
    /// More than so many days have passed since the sale.
    #[n(43)]
    SaleTooOld {
        /// Days within which a sale can be claimed.
        #[n(0)]
        days: u32,
    },
    /// The voucher was scanned too late.
    #[n(44)]
    VoucherExpired {
        /// Minutes for which it can be claimed.
        #[n(0)]
        minutes: u32,
    },
    /// Someone claimed this sale before.
    #[n(45)]
    SaleAlreadyClaimed,
    /// The voucher is for another buyer.
    #[n(46)]
    NotAddressee,
    /// The sale's own shop's staff cannot claim it.
    #[n(47)]
    OwnSale,
    /// The token inside the op is not a sale.
    #[n(48)]
    NotASale,
    /// The selling shop is not an active member of the chosen group.
    #[n(49)]
    SellerNotInGroup,
    /// The selling shop is in no group.
    #[n(50)]
    SellerInNoGroup,
    /// The amount is too small to earn a unit.
    #[n(51)]
    EarnsNothing {
        /// The amount paid, in minor units.
        #[n(0)]
        amount: Money,
    },
    /// The member code is of nobody, or not of its tag's owner.
    #[n(52)]
    MemberCodeUnknown,
    /// The member code was not shown around the time of the sale.
    #[n(53)]
    MemberCodeExpired,
    /// The shop has no such sale.
    #[n(54)]
    UnknownSale,
    /// The sale waits for another buyer, or for none.
    #[n(55)]
    NotYourSale,
    /// The sale has waited for longer than it does.
    #[n(56)]
    SaleLapsed {
        /// Days for which a sale waits.
        #[n(0)]
        days: u32,
    },

    /// A standing choice of more groups than it may name.
    #[n(57)]
    TooManyGroups {
        /// Groups that it may name at most.
        #[n(0)]
        max: u64,
    },

    /// The digits stand for no member code.
    #[n(58)]
    OneTimeCodeUnknown,
    /// The sale was not made while the digits were good.
    #[n(59)]
    OneTimeCodeExpired,
    /// The digits named the buyer of another sale before.
    #[n(90)]
    OneTimeCodeUsed,
    /// The text is not a phone number that can be reached.
    #[n(91)]
    BadNumber,
    /// The sale names a phone number, and came without it.
    #[n(92)]
    NumberMissing,

    // Redemptions.
    /// Zero units asked for.
    #[n(60)]
    UnitsNotPositive,
    /// The wallet holds less than the group's minimum.
    #[n(61)]
    BelowMinimum {
        /// Units from which the group's mileage can be used.
        #[n(0)]
        minimum: Units,
        /// Units that this wallet can use.
        #[n(1)]
        available: Units,
    },
    /// The wallet holds less than was asked for.
    #[n(62)]
    NotEnough {
        /// Units asked for.
        #[n(0)]
        asked: Units,
        /// Units that this wallet can use.
        #[n(1)]
        available: Units,
    },
    /// The buyer's code allows less than was asked for.
    #[n(63)]
    MoreThanCode {
        /// Units asked for.
        #[n(0)]
        asked: Units,
        /// Units that the code allows.
        #[n(1)]
        most: Units,
    },
    /// The buyer's code has run out.
    #[n(64)]
    CodeExpired,
    /// The buyer's code was used before.
    #[n(65)]
    CodeUsed,
    /// The token inside the op is not a redemption code.
    #[n(66)]
    NotACode,
    /// The redeeming shop is not an active member of the group.
    #[n(67)]
    ShopNotInGroup,

    // Jobs.
    /// Nothing is there to expire.
    #[n(80)]
    NothingExpired,
    /// The sale does not wait, or has time left.
    #[n(81)]
    NotLapsed,
    /// The sale does not wait, or there is something for its buyer to choose yet.
    #[n(82)]
    NotDue,

    // Keys and roles.
    /// The browser was let in for a time that is over.
    #[n(10)]
    KeyExpired,
    /// The phone is new to its account and may not pay yet.
    #[n(100)]
    DeviceTooNew {
        /// Hours until it may, counted up.
        #[n(0)]
        hours: u32,
    },
    /// No such key, or none that this person answers for.
    #[n(101)]
    UnknownDevice,
    /// The account has as many keys as it may.
    #[n(102)]
    TooManyKeys {
        /// Keys that may sign at a time.
        #[n(0)]
        max: u64,
    },
    /// A browser can't be let in for so long.
    #[n(103)]
    SessionTooLong {
        /// Days that it may be let in at most.
        #[n(0)]
        days: u32,
    },
    /// The token inside the op is no invitation to a shop's staff.
    #[n(104)]
    NotAnInvitation,
    /// The invitation has run out.
    #[n(105)]
    InvitationExpired {
        /// Hours for which it is good.
        #[n(0)]
        hours: u32,
    },
    /// Someone joined on this invitation before.
    #[n(106)]
    InvitationUsed,
    /// The person is of the shop's staff already.
    #[n(107)]
    AlreadyStaff,
    /// The person is not of the shop's staff (any more).
    #[n(108)]
    NotStaff,
    /// More than the clerk may sell at once.
    #[n(109)]
    OverSaleLimit {
        /// Minor units that they may.
        #[n(0)]
        max: Money,
    },
    /// More than the clerk may sell in a day.
    #[n(110)]
    OverDayLimit {
        /// Minor units that they may.
        #[n(0)]
        max: Money,
        /// Minor units that they have sold that day.
        #[n(1)]
        sold: Money,
    },
    /// The till has not heard from the server for too long.
    #[n(111)]
    CertificateExpired {
        /// Days for which it may go without.
        #[n(0)]
        days: u32,
    },
    /// The till has sold as much as it may before it hears from the server.
    #[n(112)]
    CertificateUsed {
        /// Minor units that are left.
        #[n(0)]
        left: Money,
    },
    /// The shop's other tills have reserved all that it may sell before they sync.
    #[n(113)]
    NoAllowance,
    /// The till has been without the server for too long to sign another voucher. (On the phone.)
    #[n(114)]
    OfflineTooLong {
        /// Hours that it may be.
        #[n(0)]
        hours: u32,
    },
    /// The till has signed as many vouchers as it may without the server. (On the phone.)
    #[n(115)]
    TooManyOffline {
        /// Vouchers that it may sign.
        #[n(0)]
        max: u64,
    },

    // Approvals and passes.
    /// An approval can't be good for so long, or not any more.
    #[n(120)]
    ApprovalTooLong {
        /// Minutes that it may be good at most.
        #[n(0)]
        minutes: u32,
    },
    /// A pass can't be good for so long, or not any more.
    #[n(121)]
    PassTooLong {
        /// Hours that it may be good at most.
        #[n(0)]
        hours: u32,
    },
    /// More than a pass reserves.
    #[n(122)]
    PassTooLarge {
        /// Minor units that it may be worth.
        #[n(0)]
        max: Money,
    },
    /// As many passes as there may be are open in this group.
    #[n(123)]
    TooManyPasses {
        /// Passes that may be open.
        #[n(0)]
        max: u64,
    },
    /// The token inside the op is not a pass.
    #[n(124)]
    NotAPass,
    /// The shop has no such pass.
    #[n(125)]
    UnknownPass,
    /// The pass was spent before.
    #[n(126)]
    PassSpent,
    /// The till said too late that it took the pass: its mileage went back to the buyer.
    #[n(127)]
    PassReleased {
        /// Hours within which a till has to say so.
        #[n(0)]
        hours: u32,
    },
    /// The pass is for another till, or shown by another phone.
    #[n(128)]
    WrongTill,
    /// The approval was taken before, by this phone.
    #[n(129)]
    ApprovalSeen,
    /// The approval, or the pass, was not signed by the server, or is for another shop.
    #[n(130)]
    ApprovalWrong,

    // Accounts that end.
    /// The token inside the op is no consent of another account's.
    #[n(140)]
    NotAConsent,
    /// The account's keys act for a shop.
    #[n(141)]
    HasShop,
    /// Mileage of the account is reserved for shops, by passes or holds.
    #[n(142)]
    PassesOpen,
    /// The account has ended.
    #[n(143)]
    AccountClosed,
    /// The account holds mileage that would be lost. (On the phone.)
    #[n(144)]
    HasMileage {
        /// Units that can be used.
        #[n(0)]
        units: Units,
    },

    // Kinds and terms.
    /// Stamps are redeemed by the card.
    #[n(150)]
    WholeCards {
        /// Stamps that fill a card.
        #[n(0)]
        card: u64,
    },
    /// These terms can't follow those in force.
    #[n(151)]
    CannotFollow {
        /// The field that can't change.
        #[n(0)]
        field: String,
    },
    /// Nothing like it is proposed (any more).
    #[n(152)]
    UnknownAmendment,
    /// Terms can't begin in the past, nor so late.
    #[n(153)]
    BadDate {
        /// Days ahead that are taken at most.
        #[n(0)]
        days: u32,
    },

    // Members and groups that end.
    /// Another member has to administer the group first.
    #[n(160)]
    AdminStays,
    /// The last member closes the group.
    #[n(161)]
    LastMember,
    /// Other shops are members.
    #[n(162)]
    NotLastMember,
    /// The group is closing, or closed.
    #[n(163)]
    GroupClosing,
    /// The member is frozen: it has not settled.
    #[n(164)]
    MemberFrozen,

    // Holds, reversals, refunds.
    /// A hold can't last so long.
    #[n(170)]
    HoldTooLong {
        /// Hours that it may last at most.
        #[n(0)]
        hours: u32,
    },
    /// The shop has no such hold.
    #[n(171)]
    UnknownHold,
    /// The hold was captured, voided, or is over.
    #[n(172)]
    HoldOver,
    /// The shop has no such redemption.
    #[n(173)]
    UnknownRedemption,
    /// All of it came back before.
    #[n(174)]
    AlreadyReversed,
    /// More than what is left of the purchase.
    #[n(175)]
    RefundTooLarge {
        /// Minor units that are left.
        #[n(0)]
        left: Money,
    },
    /// The sale was voided.
    #[n(176)]
    SaleVoided,
    /// A sale can't be voided so late.
    #[n(177)]
    VoidTooLate {
        /// Minutes within which it can.
        #[n(0)]
        minutes: u32,
    },
    /// The sale was refunded, in part or in full.
    #[n(178)]
    SaleRefunded,

    // Adjustments.
    /// More than a shop may give at once.
    #[n(180)]
    GrantTooLarge {
        /// Minor units that it may be worth.
        #[n(0)]
        max: Money,
    },
    /// The shop can take away only what it issued and is still there.
    #[n(181)]
    NotSoMuchIssued {
        /// Units that it could take away.
        #[n(0)]
        left: Units,
    },
    /// The last day lies in the past, or too far ahead.
    #[n(182)]
    BadLastDay {
        /// Days ahead that are taken at most.
        #[n(0)]
        days: u32,
    },

    // Invitations and requests to join.
    /// There is no such invitation for whoever asks, or not any more.
    #[n(190)]
    InvitationVoid,
    /// An invitation without a link is for one other shop.
    #[n(191)]
    BadInvitation,
    /// More than may answer one invitation, or nobody.
    #[n(192)]
    BadUses {
        /// How many may at most.
        #[n(0)]
        max: u32,
    },
    /// The shop has made as many invitations today as it may.
    #[n(193)]
    TooManyInvitations {
        /// Invitations that a shop may make in a day.
        #[n(0)]
        most: u32,
    },
    /// There is no such shop.
    #[n(194)]
    UnknownShop,
    /// The shop's request to join waits for an answer.
    #[n(195)]
    AlreadyAsked,
    /// The shop was refused not long ago.
    #[n(196)]
    AskedLately {
        /// Days after which it may ask again.
        #[n(0)]
        days: u32,
    },
    /// No such request waits (any more).
    #[n(197)]
    UnknownRequest,
    /// The shop that asks has agreed to terms that changed since.
    #[n(198)]
    RequestStale,
}

impl Refusal {
    /// The stable `snake_case` word for the reason, as in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedOp => "malformed_op",
            Self::OpTooLarge { .. } => "op_too_large",
            Self::UnsupportedVersion => "unsupported_version",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::RevokedKey => "revoked_key",
            Self::OpIdReused => "op_id_reused",
            Self::CounterUsed { .. } => "counter_used",
            Self::BadOpId => "bad_op_id",
            Self::NotAllowed => "not_allowed",
            Self::KeyHasMerchant => "key_has_merchant",
            Self::NoMerchant => "no_merchant",
            Self::BadName { .. } => "bad_name",
            Self::BadTerms { .. } => "bad_terms",
            Self::UnknownZone => "unknown_zone",
            Self::UnknownGroup => "unknown_group",
            Self::AlreadyMember => "already_member",
            Self::TermsChanged { .. } => "terms_changed",
            Self::CurrencyDiffers => "currency_differs",
            Self::BadPlace => "bad_place",
            Self::AmountNotPositive => "amount_not_positive",
            Self::AmountTooLarge { .. } => "amount_too_large",
            Self::SaleDatedAhead { .. } => "sale_dated_ahead",
            Self::SaleTooOld { .. } => "sale_too_old",
            Self::VoucherExpired { .. } => "voucher_expired",
            Self::SaleAlreadyClaimed => "sale_already_claimed",
            Self::NotAddressee => "not_addressee",
            Self::OwnSale => "own_sale",
            Self::NotASale => "not_a_sale",
            Self::SellerNotInGroup => "seller_not_in_group",
            Self::SellerInNoGroup => "seller_in_no_group",
            Self::EarnsNothing { .. } => "earns_nothing",
            Self::MemberCodeUnknown => "member_code_unknown",
            Self::MemberCodeExpired => "member_code_expired",
            Self::UnknownSale => "unknown_sale",
            Self::NotYourSale => "not_your_sale",
            Self::SaleLapsed { .. } => "sale_lapsed",
            Self::TooManyGroups { .. } => "too_many_groups",
            Self::OneTimeCodeUnknown => "one_time_code_unknown",
            Self::OneTimeCodeExpired => "one_time_code_expired",
            Self::OneTimeCodeUsed => "one_time_code_used",
            Self::BadNumber => "bad_number",
            Self::NumberMissing => "number_missing",
            Self::UnitsNotPositive => "units_not_positive",
            Self::BelowMinimum { .. } => "below_minimum",
            Self::NotEnough { .. } => "not_enough",
            Self::MoreThanCode { .. } => "more_than_code",
            Self::CodeExpired => "code_expired",
            Self::CodeUsed => "code_used",
            Self::NotACode => "not_a_code",
            Self::ShopNotInGroup => "shop_not_in_group",
            Self::NothingExpired => "nothing_expired",
            Self::NotLapsed => "not_lapsed",
            Self::NotDue => "not_due",
            Self::KeyExpired => "key_expired",
            Self::DeviceTooNew { .. } => "device_too_new",
            Self::UnknownDevice => "unknown_device",
            Self::TooManyKeys { .. } => "too_many_keys",
            Self::SessionTooLong { .. } => "session_too_long",
            Self::NotAnInvitation => "not_an_invitation",
            Self::InvitationExpired { .. } => "invitation_expired",
            Self::InvitationUsed => "invitation_used",
            Self::AlreadyStaff => "already_staff",
            Self::NotStaff => "not_staff",
            Self::OverSaleLimit { .. } => "over_sale_limit",
            Self::OverDayLimit { .. } => "over_day_limit",
            Self::CertificateExpired { .. } => "certificate_expired",
            Self::CertificateUsed { .. } => "certificate_used",
            Self::NoAllowance => "no_allowance",
            Self::OfflineTooLong { .. } => "offline_too_long",
            Self::TooManyOffline { .. } => "too_many_offline",
            Self::ApprovalTooLong { .. } => "approval_too_long",
            Self::PassTooLong { .. } => "pass_too_long",
            Self::PassTooLarge { .. } => "pass_too_large",
            Self::TooManyPasses { .. } => "too_many_passes",
            Self::NotAPass => "not_a_pass",
            Self::UnknownPass => "unknown_pass",
            Self::PassSpent => "pass_spent",
            Self::PassReleased { .. } => "pass_released",
            Self::WrongTill => "wrong_till",
            Self::ApprovalSeen => "approval_seen",
            Self::ApprovalWrong => "approval_wrong",
            Self::NotAConsent => "not_a_consent",
            Self::HasShop => "has_shop",
            Self::PassesOpen => "passes_open",
            Self::AccountClosed => "account_closed",
            Self::HasMileage { .. } => "has_mileage",
            Self::WholeCards { .. } => "whole_cards",
            Self::CannotFollow { .. } => "cannot_follow",
            Self::UnknownAmendment => "unknown_amendment",
            Self::BadDate { .. } => "bad_date",
            Self::AdminStays => "admin_stays",
            Self::LastMember => "last_member",
            Self::NotLastMember => "not_last_member",
            Self::GroupClosing => "group_closing",
            Self::MemberFrozen => "member_frozen",
            Self::HoldTooLong { .. } => "hold_too_long",
            Self::UnknownHold => "unknown_hold",
            Self::HoldOver => "hold_over",
            Self::UnknownRedemption => "unknown_redemption",
            Self::AlreadyReversed => "already_reversed",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::SaleVoided => "sale_voided",
            Self::VoidTooLate { .. } => "void_too_late",
            Self::SaleRefunded => "sale_refunded",
            Self::GrantTooLarge { .. } => "grant_too_large",
            Self::NotSoMuchIssued { .. } => "not_so_much_issued",
            Self::BadLastDay { .. } => "bad_last_day",
            Self::InvitationVoid => "invitation_void",
            Self::BadInvitation => "bad_invitation",
            Self::BadUses { .. } => "bad_uses",
            Self::TooManyInvitations { .. } => "too_many_invitations",
            Self::UnknownShop => "unknown_shop",
            Self::AlreadyAsked => "already_asked",
            Self::AskedLately { .. } => "asked_lately",
            Self::UnknownRequest => "unknown_request",
            Self::RequestStale => "request_stale",
        }
    }
}
