//! Seeds of terms that change, members, groups that end, holds, refunds and adjustments.

use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::admission::RequestState;
use moa_rules::amendment::Amendment;
use moa_rules::books::Worth;
use moa_rules::debt::Debt;
use moa_rules::event::{Answered, Captured, EventBody};
use moa_rules::group::{Closing, Group, TermsVersion};
use moa_rules::hold::{Hold, HoldState};
use moa_rules::id::{KeyId, LotId, MerchantId, OpId, PictureId};
use moa_rules::invitation::{Invited, Ticket, TicketMac, TokenHash};
use moa_rules::lot::{Allocation, Lot};
use moa_rules::marketing::{AgreedText, TextLanguage};
use moa_rules::member::Buyer;
use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::op::OpBody;
use moa_rules::period::{CutDay, Period};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Basis, Profile, StampCard, Terms, Unit};
use moa_rules::time::{Day, Timestamp, Validity};
use moa_wire::api::GroupEntry;
use moa_wire::number;

use super::{GROUP, MERCHANT, NOON, NUMBER, SALT, group_profile, member_code, terms};
use crate::answers::ACCOUNT;

const OTHER: MerchantId = MerchantId([12; 16]);
const TILL: KeyId = KeyId([4; 8]);
const HOLD: OpId = OpId([9; 16]);
const SALE: OpId = OpId([4; 16]);
const PAID: OpId = OpId([10; 16]);
const AMENDMENT: OpId = OpId([11; 16]);
const INVITATION: OpId = OpId([13; 16]);
const AGREED: AgreedText = AgreedText { version: 1, language: TextLanguage::Korean, hash: [15; 32] };
const REQUEST: OpId = OpId([14; 16]);

fn units(count: i64) -> Units {
    Units::new(count).expect("in range")
}

/// Stamps of which ten make ₩5,000, one for each ₩4,000; settled each quarter, agreed to by two thirds.
fn stamps() -> Terms {
    let card = StampCard { per: Some(Money(4_000)), stamps: 10, reward: Money(5_000) };
    let period = Some(Period { months: 3, day: CutDay::Next(1), minute: 540 });
    Terms { period, consent: BasisPoints::new(6_667).ok(), ..Terms::stamps(card, Validity::Months(12)) }
}

fn worth() -> Worth {
    Worth { unit_value: Money(500), basis: Basis::OnIssue, unit: Some(Unit::Stamp(10)) }
}

fn part(issuer: MerchantId, count: i64) -> Allocation {
    Allocation { lot: LotId([6; 16]), issuer, units: units(count), worth: worth() }
}

/// A lot that stands in the place of one that has ended.
fn lot() -> Lot {
    Lot {
        id: LotId([7; 16]),
        group: GROUP,
        account: ACCOUNT,
        issuer: MERCHANT,
        sale: SALE,
        units: units(20),
        remaining: units(10),
        worth: worth(),
        terms_version: 2,
        issued_at: Timestamp(NOON),
        last_day: Day(20_800),
        ends_at: Timestamp(NOON).plus(7 * Timestamp::DAY),
        held: units(10),
        expired: Units::ZERO,
        revives: Some(LotId([6; 16])),
    }
}

/// What ops ask for, by their names.
pub(super) fn ops(code: &[u8]) -> Vec<(&'static str, OpBody)> {
    let (merchant, group, account) = (MERCHANT, GROUP, ACCOUNT);
    let from = Timestamp(NOON).plus(30 * Timestamp::DAY).seconds();
    let coupons = Terms::coupons(Money(1_000), Some(Money(8_000)), Validity::Days(90));
    let grant = |to, last_day| {
        let (units, reason) = (units(10), Reason::OpeningBalance);
        OpBody::Grant { group, to, units, reason, last_day }
    };
    let number = Buyer::Number(number::hash(&SALT, NUMBER));
    vec![
        ("group-of-coupons", OpBody::FoundGroup { profile: group_profile(), terms: coupons }),
        (
            "sale-part-paid",
            OpBody::RecordSale { amount: Money(7_000), addressee: None, redemption: Some(PAID) },
        ),
        (
            "pay-stamps",
            OpBody::Pay { merchant, group, units: units(10), expires: from, unit: Some(Unit::Stamp(10)) },
        ),
        ("amend", OpBody::AmendTerms { group, terms: stamps(), from }),
        ("answer", OpBody::AnswerAmendment { group, amendment: AMENDMENT, agrees: true }),
        ("decide", OpBody::DecideAmendment { group, amendment: AMENDMENT }),
        ("leave", OpBody::LeaveGroup { group }),
        ("expel", OpBody::ExpelMember { group, merchant }),
        ("freeze", OpBody::FreezeMember { group, merchant, frozen: true }),
        ("close", OpBody::CloseGroup { group }),
        ("end", OpBody::EndGroup { group }),
        ("hold", OpBody::Hold { code: code.to_vec(), units: units(500), seconds: Some(3_600) }),
        ("capture", OpBody::CaptureHold { hold: HOLD, units: units(10) }),
        ("void-hold", OpBody::VoidHold { hold: HOLD }),
        ("lapse-hold", OpBody::LapseHold { merchant, hold: HOLD }),
        ("reverse", OpBody::ReverseRedemption { redemption: PAID }),
        ("refund", OpBody::RefundSale { sale: SALE, amount: Money(3_500) }),
        ("void-sale", OpBody::VoidSale { sale: SALE }),
        ("grant", grant(Grantee::Account(account), None)),
        ("grant-to-member", grant(Grantee::Buyer(Buyer::Member(member_code())), None)),
        ("grant-to-number", grant(Grantee::Buyer(number), Some(Day(20_999)))),
        (
            "take-away",
            OpBody::TakeAway {
                group,
                account,
                units: units(10),
                reason: Reason::Misuse,
                unit: Some(Unit::Stamp(10)),
            },
        ),
        ("expire", OpBody::ExpireLots { group, account }),
        ("lapse", OpBody::LapseSale { merchant, sale: SALE }),
        ("best", OpBody::TakeBest { merchant, sale: SALE }),
        ("offer", OpBody::OfferAgain { merchant, sale: SALE }),
        ("close-account", OpBody::CloseAccount),
        ("join-invited", OpBody::JoinGroup { group, terms_version: 1, invitation: Some(ticket(true)) }),
        ("invite", invite(Invited::Group(group), None)),
        ("invite-shop", invite(Invited::App, Some(OTHER))),
        ("revoke-invitation", OpBody::RevokeInvitation { invitation: INVITATION }),
        ("decline-invitation", OpBody::DeclineInvitation { ticket: ticket(false) }),
        ("answer-join", OpBody::AnswerJoin { group, merchant, request: REQUEST, admits: true }),
        ("amend-profile", OpBody::AmendProfile { group, profile: pictured() }),
        ("amend-merchant", OpBody::AmendMerchant { profile: located() }),
        ("set-marketing", OpBody::SetMarketing { agreed: Some(AGREED) }),
    ]
}

fn invite(to: Invited, shop: Option<MerchantId>) -> OpBody {
    let expires = Timestamp(NOON).plus(14 * Timestamp::DAY).seconds();
    OpBody::Invite { to, hash: Some(TokenHash([0x5a; 32])), shop, uses: 20, expires }
}

fn ticket(shown: bool) -> Ticket {
    let mac = shown.then_some(TicketMac([0x3c; 16]));
    Ticket { issuer: OTHER, invitation: INVITATION, mac }
}

/// A group with a nickname and a picture.
fn pictured() -> Profile {
    Profile { nickname: Some("연남".to_owned()), picture: Some(PictureId([0x77; 16])), ..group_profile() }
}

/// A shop that says all there is to say.
fn located() -> MerchantProfile {
    let place = Some(Place { lat_e6: 37_560_000, lon_e6: 126_925_000 });
    MerchantProfile {
        industry: Some(Industry::Books),
        area: Some("서울 마포구 연남동".to_owned()),
        building: Some("달빛빌딩".to_owned()),
        ..MerchantProfile::new("달빛책방", Currency::KRW, place)
    }
}

/// What happened, by its names.
pub(super) fn events() -> Vec<(&'static str, EventBody)> {
    let (merchant, group, account) = (MERCHANT, GROUP, ACCOUNT);
    let (later, till) = (Timestamp(NOON).plus(30 * Timestamp::DAY), Some(TILL));
    let answered = Some(Answered { issuer: OTHER, invitation: INVITATION });
    let refunded = |account, debt| EventBody::Refunded {
        sale: SALE,
        merchant,
        amount: Money(3_500),
        money: Money(3_000),
        account,
        group: account.map(|_| group),
        units: units(3),
        taken: vec![part(merchant, 1), part(OTHER, 1)],
        debt: units(debt),
        unit: Some(Unit::Stamp(10)),
        till,
    };
    vec![
        (
            "amendment-proposed",
            EventBody::AmendmentProposed {
                group,
                amendment: AMENDMENT,
                merchant,
                terms: stamps(),
                from: later,
            },
        ),
        (
            "amendment-answered",
            EventBody::AmendmentAnswered { group, amendment: AMENDMENT, merchant: OTHER, agrees: false },
        ),
        ("amended", EventBody::TermsAmended { group, amendment: AMENDMENT, version: 2, terms: stamps() }),
        ("rejected", EventBody::AmendmentRejected { group, amendment: AMENDMENT }),
        ("left", EventBody::MemberLeft { group, merchant, expelled: true }),
        ("frozen", EventBody::MemberFrozen { group, merchant, frozen: true }),
        (
            "closing",
            EventBody::GroupClosing {
                group,
                merchant,
                redeem_only_from: later,
                ends_at: later.plus(60 * Timestamp::DAY),
            },
        ),
        ("ended", EventBody::GroupEnded { group, merchant }),
        (
            "held",
            EventBody::HoldMade {
                hold: HOLD,
                merchant,
                account,
                group,
                held: vec![part(merchant, 10), part(OTHER, 10)],
                until: Timestamp(NOON).plus(Timestamp::HOUR),
                till,
            },
        ),
        (
            "hold-released",
            EventBody::HoldReleased {
                hold: HOLD,
                merchant,
                account,
                group,
                held: vec![part(merchant, 20)],
                lapsed: true,
                till,
            },
        ),
        (
            "captured",
            EventBody::Redeemed {
                group,
                merchant,
                account,
                units: units(10),
                allocations: vec![part(merchant, 10)],
                till,
                pass: None,
                hold: Some(Captured { hold: HOLD, held: vec![part(merchant, 20)] }),
            },
        ),
        (
            "reversed",
            EventBody::Reversed {
                redemption: PAID,
                merchant,
                account,
                group,
                units: units(10),
                parts: vec![part(merchant, 10)],
                lots: vec![lot()],
                till,
            },
        ),
        ("refunded", refunded(Some(account), 1)),
        ("refunded-unclaimed", refunded(None, 0)),
        ("voided", EventBody::SaleVoided { sale: SALE, merchant, account: Some(account), till }),
        (
            "granted",
            EventBody::Granted {
                lot: LotId([8; 16]),
                group,
                merchant,
                account,
                units: units(10),
                worth: worth(),
                terms_version: 2,
                last_day: Day(20_999),
                ends_at: later,
                reason: Reason::OpeningBalance,
            },
        ),
        (
            "taken-away",
            EventBody::TakenAway {
                group,
                merchant,
                account,
                units: units(10),
                taken: vec![part(merchant, 10)],
                reason: Reason::Misuse,
            },
        ),
        (
            "joined-invited",
            EventBody::MemberJoined { group, merchant, terms_version: 2, invitation: answered },
        ),
        (
            "invited",
            EventBody::InvitationMade {
                invitation: INVITATION,
                merchant,
                to: Invited::Group(group),
                hash: Some(TokenHash([0x5a; 32])),
                shop: Some(OTHER),
                uses: 20,
                until: later,
            },
        ),
        ("revoked", EventBody::InvitationRevoked { invitation: INVITATION, merchant, shop: None }),
        ("declined", EventBody::InvitationDeclined { invitation: INVITATION, merchant, shop: OTHER }),
        (
            "asked",
            EventBody::JoinAsked {
                group,
                merchant,
                request: REQUEST,
                terms_version: 2,
                invitation: answered,
            },
        ),
        (
            "join-answered",
            EventBody::JoinAnswered {
                group,
                merchant,
                request: REQUEST,
                by: OTHER,
                admits: true,
                state: RequestState::Open,
            },
        ),
        ("profile-amended", EventBody::ProfileAmended { group, merchant, version: 2, profile: pictured() }),
        ("marketing-set", EventBody::MarketingSet { account, agreed: Some(AGREED) }),
        ("merchant-amended", EventBody::MerchantAmended { merchant, profile: located() }),
        ("debt-paid", EventBody::DebtPaid { group, account, merchant: OTHER, taken: part(merchant, 1) }),
    ]
}

/// What a snapshot says of lots, debts and holds.
pub(super) fn standing() -> (Vec<Lot>, Vec<Debt>, Vec<Hold>) {
    let (merchant, account, group) = (MERCHANT, ACCOUNT, GROUP);
    let unit = Some(Unit::Stamp(10));
    let debt = Debt { account, group, merchant, unit, units: units(1), since: Timestamp(NOON) };
    let until = Timestamp(NOON).plus(Timestamp::HOUR);
    let (held, made_at, state) = (vec![part(merchant, 10)], Timestamp(NOON), HoldState::Open);
    let hold = Hold { id: HOLD, merchant, account, group, held, made_at, until, state, till: Some(TILL) };
    (vec![lot()], vec![debt], vec![hold])
}

/// A group in the directory that is closing, with a frozen member and terms that are proposed.
pub(super) fn group() -> GroupEntry {
    let now = Timestamp(NOON);
    let closing = Closing {
        redeem_only_from: now.plus(30 * Timestamp::DAY),
        ends_at: now.plus(90 * Timestamp::DAY),
        ended: false,
    };
    let group = Group {
        id: GROUP,
        founder: MERCHANT,
        profile: group_profile(),
        terms_version: 1,
        members: 1,
        admin: MERCHANT,
        frozen: vec![OTHER],
        closing: Some(closing),
        profile_version: 1,
    };
    let (version, in_force_from) = (1, now);
    let in_force =
        TermsVersion { group: GROUP, version, terms: terms(), in_force_from, in_force_until: None };
    let amendment = Amendment {
        group: GROUP,
        id: AMENDMENT,
        terms: stamps(),
        from: now.plus(30 * Timestamp::DAY),
        agreed: vec![MERCHANT],
        declined: vec![OTHER],
        decided: false,
    };
    GroupEntry { group, terms: in_force, members: vec![MERCHANT], amendment: Some(amendment) }
}
