//! What holds of all texts, and all of them in one file: `tests/texts.txt`, made anew with `MOA_BLESS=1`.

use std::fmt::Write;
use std::sync::OnceLock;
use std::{env, fs};

use chrono::NaiveDate;
use moa_rules::adjustment::Reason as Why;
use moa_rules::choice::weigh::Reason as Ahead;
use moa_rules::merchant::Industry;
use moa_rules::period::{CutDay, Period};
use moa_rules::quantity::{BasisPoints, Currency, MAX_AMOUNT, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::suggest::{self, Cost, Reach};
use moa_rules::terms::{Admission, Kind, StampCard, Terms};
use moa_rules::time::{Day, Timestamp, Validity, Zone};
use moa_wire::code::NotOurs;
use moa_wire::contact::NotAContact;

use crate::refusal::unknown;
use crate::{
    HistoryText, InvitationText, Label, Lang, Line, Mileage, OpeningText, PageText, PhoneText, PlanText,
    PosterText, ProblemText, Reason, RowText, SaleText, ShopText, SignInText, SuggestedText, Unsent,
    among_members, choice, distance, enrolment_sms, group, history, industry, industry_words, invited, label,
    line, marketing, not_a_contact, not_ours, number, opening, opening_row, page, phone, plan, poster,
    problem, reason, refusal, refusal_in, sale, shop, sign_in, suggested, suggestion, votes, when,
};

fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

fn points(count: i64) -> Mileage {
    Mileage::points(units(count))
}

fn of(kind: Kind, count: i64) -> Mileage {
    Mileage { units: units(count), kind }
}

fn refusals() -> Vec<Refusal> {
    use Refusal as R;
    vec![
        R::MalformedOp,
        R::OpTooLarge { max: 4_096 },
        R::UnsupportedVersion,
        R::UnknownKey,
        R::BadSignature,
        R::RevokedKey,
        R::OpIdReused,
        R::CounterUsed { counter: 1_207 },
        R::BadOpId,
        R::NotAllowed,
        R::KeyHasMerchant,
        R::NoMerchant,
        R::BadName { max: 60 },
        R::BadTerms { field: "validity".into(), min: 1, max: 120 },
        R::BadTerms { field: "minimum".into(), min: 0, max: 1_000_000_000 },
        R::BadTerms { field: "unit_value".into(), min: 1, max: 1_000_000 },
        R::BadTerms { field: "members".into(), min: 1, max: 100_000 },
        R::BadTerms { field: "purchase".into(), min: 1, max: 100_000_000 },
        R::BadTerms { field: "another".into(), min: 2, max: 9 },
        R::UnknownZone,
        R::UnknownGroup,
        R::AlreadyMember,
        R::TermsChanged { current: 2 },
        R::CurrencyDiffers,
        R::BadPlace,
        R::AmountNotPositive,
        R::AmountTooLarge { max: MAX_AMOUNT },
        R::SaleDatedAhead { hours: 24 },
        R::SaleTooOld { days: 7 },
        R::VoucherExpired { minutes: 15 },
        R::SaleAlreadyClaimed,
        R::NotAddressee,
        R::OwnSale,
        R::NotASale,
        R::SellerNotInGroup,
        R::SellerInNoGroup,
        R::EarnsNothing { amount: Money(33) },
        R::MemberCodeUnknown,
        R::MemberCodeExpired,
        R::UnknownSale,
        R::NotYourSale,
        R::SaleLapsed { days: 7 },
        R::TooManyGroups { max: 20 },
        R::OneTimeCodeUnknown,
        R::OneTimeCodeExpired,
        R::OneTimeCodeUsed,
        R::BadNumber,
        R::NumberMissing,
        R::UnitsNotPositive,
        R::BelowMinimum { minimum: units(10_000), available: units(9_400) },
        R::BelowMinimum { minimum: units(1), available: units(0) },
        R::NotEnough { asked: units(12_000), available: units(11_350) },
        R::NotEnough { asked: units(1), available: units(0) },
        R::MoreThanCode { asked: units(3_000), most: units(2_000) },
        R::CodeExpired,
        R::CodeUsed,
        R::NotACode,
        R::ShopNotInGroup,
        R::NothingExpired,
        R::NotLapsed,
        R::NotDue,
        R::KeyExpired,
        R::DeviceTooNew { hours: 47 },
        R::UnknownDevice,
        R::TooManyKeys { max: 50 },
        R::SessionTooLong { days: 31 },
        R::NotAnInvitation,
        R::InvitationExpired { hours: 24 },
        R::InvitationUsed,
        R::AlreadyStaff,
        R::NotStaff,
        R::OverSaleLimit { max: Money(50_000) },
        R::OverDayLimit { max: Money(300_000), sold: Money(280_000) },
        R::CertificateExpired { days: 7 },
        R::CertificateUsed { left: Money(12_000) },
        R::NoAllowance,
        R::OfflineTooLong { hours: 72 },
        R::TooManyOffline { max: 300 },
        R::ApprovalTooLong { minutes: 10 },
        R::PassTooLong { hours: 72 },
        R::PassTooLarge { max: Money(100_000) },
        R::TooManyPasses { max: 5 },
        R::NotAPass,
        R::UnknownPass,
        R::PassSpent,
        R::PassReleased { hours: 24 },
        R::WrongTill,
        R::ApprovalSeen,
        R::ApprovalWrong,
        R::NotAConsent,
        R::HasShop,
        R::PassesOpen,
        R::AccountClosed,
        R::HasMileage { units: units(1_200) },
        R::WholeCards { card: 10 },
        R::CannotFollow { field: "card".into() },
        R::CannotFollow { field: "zone".into() },
        R::CannotFollow { field: "currency".into() },
        R::UnknownAmendment,
        R::BadDate { days: 366 },
        R::AdminStays,
        R::LastMember,
        R::NotLastMember,
        R::GroupClosing,
        R::MemberFrozen,
        R::HoldTooLong { hours: 24 },
        R::UnknownHold,
        R::HoldOver,
        R::UnknownRedemption,
        R::AlreadyReversed,
        R::RefundTooLarge { left: Money(7_000) },
        R::SaleVoided,
        R::VoidTooLate { minutes: 30 },
        R::SaleRefunded,
        R::GrantTooLarge { max: Money(1_000_000) },
        R::NotSoMuchIssued { left: units(300) },
        R::BadLastDay { days: 3_660 },
        R::InvitationVoid,
        R::BadInvitation,
        R::BadUses { max: 1_000 },
        R::TooManyInvitations { most: 300 },
        R::UnknownShop,
        R::AlreadyAsked,
        R::AskedLately { days: 7 },
        R::UnknownRequest,
        R::RequestStale,
    ]
}

/// Those that name mileage, where it is known of what kind.
fn refusals_of_kinds() -> Vec<(Kind, Refusal)> {
    vec![
        (Kind::Point, Refusal::BelowMinimum { minimum: units(10_000), available: units(9_400) }),
        (Kind::Point, Refusal::NotEnough { asked: units(12_000), available: units(11_350) }),
        (Kind::Stamp, Refusal::NotEnough { asked: units(10), available: units(7) }),
        (Kind::Coupon, Refusal::NotEnough { asked: units(1), available: units(0) }),
        (Kind::Reserve, Refusal::MoreThanCode { asked: units(3_000), most: units(2_000) }),
        (Kind::Stamp, Refusal::MoreThanCode { asked: units(20), most: units(10) }),
        (Kind::Stamp, Refusal::NotSoMuchIssued { left: units(3) }),
    ]
}

const NOT_OURS: [NotOurs; 9] = [
    NotOurs::Empty,
    NotOurs::TooLong,
    NotOurs::Damaged,
    NotOurs::PaymentCode,
    NotOurs::ForeignLink,
    NotOurs::Mistyped,
    NotOurs::InvitationMistyped,
    NotOurs::BrokenLink,
    NotOurs::Unknown,
];

const PROBLEMS: [ProblemText; 47] = [
    ProblemText::NotFound,
    ProblemText::MethodNotAllowed,
    ProblemText::NotJson,
    ProblemText::BrokenJson,
    ProblemText::BodyTooLarge { max_bytes: 655_360 },
    ProblemText::BadParameter { name: "wait" },
    ProblemText::Unauthorized,
    ProblemText::ProofWrong,
    ProblemText::ProofStale { now_ms: 1_790_000_000_000 },
    ProblemText::ProofReused,
    ProblemText::SessionOver,
    ProblemText::EndorsementWrong,
    ProblemText::DeviceNameTooLong { max: 60 },
    ProblemText::Forbidden,
    ProblemText::BadCursor,
    ProblemText::CursorGone,
    ProblemText::BadPhoneNumber,
    ProblemText::BadPublicKey,
    ProblemText::KeyTaken,
    ProblemText::TooManyCodes { retry_after_s: 90 },
    ProblemText::CodeWrong { tries_left: 4 },
    ProblemText::CodeWrong { tries_left: 1 },
    ProblemText::CodeWrong { tries_left: 0 },
    ProblemText::RecoveryWrong { tries_left: 4 },
    ProblemText::RecoveryWrong { tries_left: 1 },
    ProblemText::RecoveryWrong { tries_left: 0 },
    ProblemText::EnrolmentVoid,
    ProblemText::PossessionWrong,
    ProblemText::BadOneTimeCode,
    ProblemText::TooManyOneTimeCodes { retry_after_s: 90 },
    ProblemText::NoPosterFont,
    ProblemText::OneTimeCodeUnknown,
    ProblemText::OneTimeCodeExpired,
    ProblemText::OneTimeCodeUsed,
    ProblemText::TooManyTries { retry_after_s: 1_500 },
    ProblemText::InvitationVoid,
    ProblemText::InvitationForAnother,
    ProblemText::BadContact,
    ProblemText::TooManyInvitationsSent { retry_after_s: 7_200 },
    ProblemText::NotAPicture,
    ProblemText::PictureTooLarge { max_megapixels: 40 },
    ProblemText::TooManyPictures { retry_after_s: 86_400 },
    ProblemText::NoOps,
    ProblemText::TooManyOps { max: 100 },
    ProblemText::ClockOutOfReach { now_ms: 1_790_000_000_000, most_ms: 2_106_224_000_000 },
    ProblemText::ServerBusy { after_s: 1 },
    ProblemText::Internal,
];

const PHONE: [PhoneText; 22] = [
    PhoneText::Offline,
    PhoneText::NotOurServer,
    PhoneText::NotSignedIn,
    PhoneText::StorageFull,
    PhoneText::StorageUnavailable,
    PhoneText::StorageNewer,
    PhoneText::Integrity,
    PhoneText::WentBack,
    PhoneText::KeyUnavailable,
    PhoneText::KeyLocked,
    PhoneText::KeyGone,
    PhoneText::Unsent(Unsent { ops: 1, sales: 1, claims: 0 }),
    PhoneText::Unsent(Unsent { ops: 4, sales: 3, claims: 1 }),
    PhoneText::SetAside { brought: 3, whole: true },
    PhoneText::SetAside { brought: 1, whole: false },
    PhoneText::SetAside { brought: 0, whole: true },
    PhoneText::SetAside { brought: 0, whole: false },
    PhoneText::ClockOff,
    PhoneText::Closed,
    PhoneText::BadInput,
    PhoneText::NotHere,
    PhoneText::NewDevices { devices: 1 },
];

fn reasons() -> Vec<Reason> {
    vec![
        Reason::OnlyGroup,
        Reason::HigherRate,
        Reason::LongerValidity,
        Reason::MoreShops { visited: 1 },
        Reason::MoreShops { visited: 3 },
        Reason::NearMinimum { missing: points(600) },
        Reason::PlannedPurchase,
    ]
}

fn last_day() -> Day {
    NaiveDate::from_ymd_opt(2027, 5, 31).unwrap().into()
}

/// 31 May 2027, 14:05 in Seoul.
const AT: Timestamp = Timestamp(1_811_739_900_000);

fn lines(zone: &Zone) -> Vec<Line<'_>> {
    let (group, shop, last_day) = ("골목 그룹", "모퉁이 카페", last_day());
    let (as_of, tomorrow) = (AT, AT.plus(Timestamp::DAY));
    let [half_year, month, stamps, coupons] = TERMS.get_or_init(terms);
    vec![
        Line::Balance { group, confirmed: points(1_350), pending: points(0) },
        Line::Balance { group, confirmed: points(1), pending: points(135) },
        Line::Balance { group, confirmed: of(Kind::Stamp, 7), pending: of(Kind::Stamp, 1) },
        Line::Balance { group, confirmed: of(Kind::Coupon, 1), pending: of(Kind::Coupon, 1) },
        Line::Balance { group, confirmed: of(Kind::Reserve, 1_350), pending: of(Kind::Reserve, 135) },
        Line::Cards { full: 0, stamps: 7, missing: 3 },
        Line::Cards { full: 2, stamps: 0, missing: 10 },
        Line::Cards { full: 1, stamps: 1, missing: 9 },
        Line::Held { units: points(300) },
        Line::Frozen { units: points(300) },
        Line::Owed { units: points(300) },
        Line::GroupEnds { at: AT, zone },
        Line::Minimum { minimum: points(10_000), missing: points(8_650) },
        Line::Minimum { minimum: points(10_000), missing: points(0) },
        Line::Expiring { units: points(135), days: 30, last_day },
        Line::LetInBrowser,
        Line::Missing { numbers: 1 },
        Line::Missing { numbers: 2 },
        Line::AtMost { units: points(1_200) },
        Line::ScanUntil { at: AT, zone },
        Line::GoodUntil { at: AT, zone },
        Line::ChooseUntil { at: AT, zone },
        Line::Choice { group, terms: half_year, shops: 1, earns: points(112) },
        Line::Choice { group, terms: month, shops: 12, earns: points(1) },
        Line::Choice { group, terms: stamps, shops: 3, earns: of(Kind::Stamp, 1) },
        Line::Choice { group, terms: coupons, shops: 3, earns: of(Kind::Coupon, 1) },
        Line::Sale { shop, amount: Money(4_500), currency: Currency::KRW },
        Line::Claimed { units: points(135), last_day },
        Line::Earned { units: points(135), last_day },
        Line::Redeemed { shop, units: points(1_000), left: points(350) },
        Line::Spent { shop, units: points(1_000) },
        Line::Moved { units: points(20) },
        Line::Expired { units: points(20) },
        Line::Shops { shops: 1 },
        Line::Shops { shops: 12 },
        Line::NoNetwork { sales: 0, waiting: 0 },
        Line::NoNetwork { sales: 0, waiting: 2 },
        Line::NoNetwork { sales: 1, waiting: 3 },
        Line::NoNetwork { sales: 4, waiting: 4 },
        Line::NotOurServer { sales: 0, waiting: 0 },
        Line::NotOurServer { sales: 0, waiting: 2 },
        Line::NotOurServer { sales: 1, waiting: 3 },
        Line::Offline { as_of, now: AT, zone, unsent: Unsent::default() },
        Line::Offline { as_of, now: AT, zone, unsent: Unsent { ops: 1, sales: 1, claims: 0 } },
        Line::Offline { as_of, now: AT, zone, unsent: Unsent { ops: 3, sales: 3, claims: 0 } },
        Line::Offline { as_of, now: AT, zone, unsent: Unsent { ops: 2, sales: 0, claims: 2 } },
        Line::Offline { as_of, now: AT, zone, unsent: Unsent { ops: 4, sales: 0, claims: 0 } },
        Line::Offline { as_of, now: tomorrow, zone, unsent: Unsent { ops: 5, sales: 3, claims: 1 } },
        Line::Synced { as_of, zone },
    ]
}

static TERMS: OnceLock<[Terms; 4]> = OnceLock::new();

/// Points for half a year and for a month, stamps, coupons.
fn terms() -> [Terms; 4] {
    let rate = BasisPoints::new(250).unwrap();
    let half_year = Terms::points(rate, Validity::Months(6), Units::ZERO);
    let month = Terms { validity: Validity::Days(30), ..half_year.clone() };
    let card = StampCard { per: Some(Money(10_000)), stamps: 10, reward: Money(5_000) };
    let stamps = Terms::stamps(card, Validity::Months(6));
    let coupons = Terms::coupons(Money(3_000), Some(Money(10_000)), Validity::Months(1));
    [half_year, month, stamps, coupons]
}

/// What is said of groups.
fn groups(zone: &Zone) -> Vec<(&'static str, [String; 2])> {
    let [points, _, stamps, coupons] = terms();
    let visit = Terms { card: stamps.card.map(|card| StampCard { per: None, ..card }), ..stamps.clone() };
    let any = Terms { least_purchase: None, ..coupons.clone() };
    let reserve = Terms { kind: Kind::Reserve, ..points.clone() };
    let mut all = Vec::new();
    for terms in [&points, &reserve, &stamps, &visit, &coupons, &any] {
        all.push(("promise", Lang::ALL.map(|lang| group::promise(lang, terms))));
    }
    let minimum = Terms { minimum: units(1_000), ..points.clone() };
    for terms in [&points, &minimum, &stamps] {
        all.push(("usable", Lang::ALL.map(|lang| group::usable(lang, terms))));
    }
    for terms in [&points, &reserve, &visit, &coupons] {
        all.push(("example", Lang::ALL.map(|lang| group::example(lang, terms, Money(10_000)))));
    }
    for admission in [None, Some(Admission::Admin), BasisPoints::new(5_000).ok().map(Admission::Vote)] {
        all.push(("admission", Lang::ALL.map(|lang| group::admission(lang, admission))));
    }
    let noon = Period { months: 1, day: CutDay::Last, minute: 720 };
    for period in [
        Period::default(),
        noon,
        Period { months: 2, ..noon },
        Period { months: 3, day: CutDay::Next(1), minute: 540 },
        Period { months: 6, ..noon },
        Period { months: 12, ..noon },
    ] {
        all.push(("period", Lang::ALL.map(|lang| group::period(lang, period))));
    }
    for share in [BasisPoints::new(6_700).ok(), None] {
        all.push(("consent", Lang::ALL.map(|lang| group::consent(lang, share))));
    }
    for (agreed, needed) in [(1, 3), (0, 1), (3, 3)] {
        all.push(("amendment", Lang::ALL.map(|lang| group::amendment(lang, last_day(), agreed, needed))));
    }
    let ends = AT.plus(60 * Timestamp::DAY);
    all.push(("closing", Lang::ALL.map(|lang| group::closing(lang, AT, ends, zone))));
    all.push(("frozen", Lang::ALL.map(group::frozen)));
    let vote = BasisPoints::new(5_000).ok().map(Admission::Vote);
    for admission in [None, Some(Admission::Admin), vote] {
        let terms = Terms { admission, ..points.clone() };
        let joining =
            |lang| among_members(lang, &terms).into_iter().map(|(name, what)| format!("{name} {what}"));
        all.push(("among members", Lang::ALL.map(|lang| joining(lang).collect::<Vec<_>>().join(" · "))));
    }
    all
}

fn histories() -> Vec<HistoryText<'static>> {
    let (shop, last_day) = ("모퉁이 카페", last_day());
    let given = |reason| HistoryText::Granted { shop, units: points(500), reason, last_day };
    vec![
        HistoryText::Reversed { shop, units: of(Kind::Stamp, 10) },
        HistoryText::ClawedBack { shop, units: points(20), debt: points(0) },
        HistoryText::ClawedBack { shop, units: points(0), debt: points(20) },
        HistoryText::ClawedBack { shop, units: of(Kind::Stamp, 1), debt: of(Kind::Stamp, 2) },
        HistoryText::DebtPaid { shop, units: points(20) },
        given(Why::OpeningBalance),
        given(Why::Goodwill),
        given(Why::Correction),
        given(Why::Other),
        HistoryText::TakenAway { shop, units: points(20), reason: Why::Misuse },
    ]
}

fn of_shops(zone: &Zone) -> Vec<ShopText<'_>> {
    let currency = Currency::KRW;
    let (money, none) = (Money(4_500), points(0));
    vec![
        ShopText::Hold { units: of(Kind::Stamp, 10), until: AT, zone },
        ShopText::GaveBack { units: points(300) },
        ShopText::PaidBack { money, currency },
        ShopText::Refund { money, currency, mileage: none, taken: none, debt: none },
        ShopText::Refund { money, currency, mileage: points(300), taken: points(20), debt: points(5) },
        ShopText::Refund { money: Money(0), currency, mileage: points(300), taken: none, debt: none },
    ]
}

fn opening_faults(zone: &Zone) -> Vec<OpeningText<'_>> {
    let (ko, en) = ("전화번호", "phone");
    vec![
        OpeningText::TooLarge { max_bytes: 1_048_576 },
        OpeningText::NotText,
        OpeningText::NotCsv,
        OpeningText::ColumnMissing { ko, en },
        OpeningText::ColumnTwice { ko, en },
        OpeningText::TooManyRows { max: 5_000 },
        OpeningText::NothingToImport,
        OpeningText::AlreadyImported { at: AT, zone },
    ]
}

fn opening_lines() -> Vec<OpeningText<'static>> {
    let (value, currency) = (Money(120_000), Currency::KRW);
    vec![
        OpeningText::Preview { people: 1, units: points(120_000), value, currency },
        OpeningText::Preview { people: 42, units: of(Kind::Stamp, 240), value, currency },
        OpeningText::LeftOut { rows: 1 },
        OpeningText::LeftOut { rows: 3 },
        OpeningText::Progress { given: 40, waiting: 2, refused: 1 },
    ]
}

fn choice_reasons() -> Vec<Vec<Ahead>> {
    let visited = |shops, monthly_tenths| Ahead::ShopsYouVisit { shops, monthly_tenths };
    let close = |now| Ahead::CloseToMinimum { usable: 3_120, now };
    vec![
        vec![Ahead::HigherRate],
        vec![Ahead::LongerValidity],
        vec![visited(1, 5)],
        vec![visited(3, 40)],
        vec![close(true)],
        vec![close(false)],
        vec![Ahead::HigherRate, visited(3, 86)],
        vec![close(true), Ahead::LongerValidity],
        vec![visited(2, 10), Ahead::LongerValidity, Ahead::HigherRate],
    ]
}

/// Reasons that a plan is among: with its day, with the day over, with a shop that is not known by name.
fn planned_reasons(lang: Lang) -> Vec<String> {
    let plan = Ahead::PlannedPurchase { plan: 0 };
    let close = Ahead::CloseToMinimum { usable: 3_120, now: true };
    let (shop, day) = (text!(lang, "모아문고", "Moa Books"), Day::parse("2027-02-03"));
    let on = |day| Some(choice::Planned { shop: &shop, day });
    let said = [
        (vec![plan], on(day)),
        (vec![plan], on(None)),
        (vec![plan], None),
        (vec![plan, Ahead::HigherRate], on(day)),
        (vec![close, plan], on(day)),
        (vec![plan, Ahead::LongerValidity], on(None)),
    ];
    said.map(|(what, planned)| choice::reasons(lang, &what, Currency::KRW, planned).expect("a reason")).into()
}

fn plan_faults() -> [PlanText; 3] {
    let [first, last] = ["2026-11-22", "2031-11-22"].map(|day| Day::parse(day).unwrap());
    [PlanText::TooMany { most: 50 }, PlanText::BadDay { first, last }, PlanText::UnknownShop]
}

fn suggestions() -> Vec<suggest::Reason> {
    use suggest::Reason as R;
    let bp = |rate| BasisPoints::new(rate).unwrap();
    let mut all: Vec<R> =
        Reach::ALL.into_iter().map(|reach| R::Reach { reach, weight: reach.weight() }).collect();
    all.extend([
        R::AtHome { share: 7_619 },
        R::Used { share: 5_478 },
        R::Reckoned { share: 6_000 },
        R::NoMoreThan(Reach::Building),
        R::NoMoreThan(Reach::City),
        R::Lowest(bp(75)),
        R::Highest(bp(1_000)),
        R::ValidityOfSize { members: 1 },
        R::ValidityOfSize { members: 1_000 },
        R::ValidityForMinimum { days: 126 },
    ]);
    all
}

/// The whole sentences: what it answers, and the text in each language.
fn sentences() -> Vec<(String, [String; 2])> {
    let mut all = Vec::new();
    for (kind, what) in refusals_of_kinds() {
        let said = Lang::ALL.map(|lang| refusal_in(lang, &what, Currency::KRW, Some(kind)));
        all.push((format!("refusal {} of {kind:?}", what.code()), said));
    }
    for what in refusals() {
        all.push((format!("refusal {}", what.code()), Lang::ALL.map(|lang| refusal(lang, &what))));
    }
    all.push(("refusal of another kind".into(), Lang::ALL.map(unknown)));
    for what in NOT_OURS {
        all.push((what.code().to_owned(), Lang::ALL.map(|lang| not_ours(lang, what))));
    }
    for what in NotAContact::ALL {
        all.push((what.code().to_owned(), Lang::ALL.map(|lang| not_a_contact(lang, what))));
    }
    for what in PROBLEMS {
        all.push((format!("problem {what:?}"), Lang::ALL.map(|lang| problem(lang, &what))));
    }
    for what in PHONE {
        all.push((format!("phone {what:?}"), Lang::ALL.map(|lang| phone(lang, what))));
    }
    for what in SignInText::SENTENCES {
        all.push((format!("sign-in page {what:?}"), Lang::ALL.map(|lang| sign_in(lang, what))));
    }
    for what in PageText::SENTENCES {
        all.push((format!("page {}", first_word(&what)), Lang::ALL.map(|lang| page(lang, what))));
    }
    let seoul = Zone::named("Asia/Seoul").unwrap();
    for what in opening_faults(&seoul) {
        all.push((format!("opening {}", first_word(&what)), Lang::ALL.map(|lang| opening(lang, &what))));
    }
    for row in [RowText::UnitsUnreadable, RowText::LastDayUnreadable, RowText::SameNumber { line: 12 }] {
        let said = Lang::ALL.map(|lang| opening_row(lang, &row, Currency::KRW, Kind::Point));
        all.push((format!("opening row {}", first_word(&row)), said));
    }
    for what in choice_reasons() {
        let said = Lang::ALL.map(|lang| choice::reasons(lang, &what, Currency::KRW, None).expect("a reason"));
        all.push((format!("choice {what:?}"), said));
    }
    for (ko, en) in planned_reasons(Lang::Ko).into_iter().zip(planned_reasons(Lang::En)) {
        all.push(("choice, planned".into(), [ko, en]));
    }
    for what in plan_faults() {
        all.push((format!("plan {}", first_word(&what)), Lang::ALL.map(|lang| plan(lang, what))));
    }
    all.push(("plans stay here".into(), Lang::ALL.map(|lang| plan(lang, PlanText::StaysHere))));
    for amount in [0, 7, 450, 2_142, 12_999] {
        let said = Lang::ALL.map(|lang| choice::expected_use(lang, Money(amount), Currency::KRW));
        all.push((format!("choice, expected use {amount}"), said));
    }
    for what in suggestions() {
        all.push((format!("suggestion {what:?}"), Lang::ALL.map(|lang| suggestion::reason(lang, what))));
    }
    for field in ["budget", "margin"] {
        let what = Refusal::BadTerms { field: field.into(), min: 0, max: 2_000 };
        all.push((format!("refusal bad_terms of {field}"), Lang::ALL.map(|lang| refusal(lang, &what))));
    }
    all.push(("enrolment message".into(), Lang::ALL.map(|lang| enrolment_sms(lang, "482913"))));
    all
}

fn first_word(what: &impl std::fmt::Debug) -> String {
    format!("{what:?}").split(' ').next().unwrap_or_default().to_owned()
}

/// Words, figures and lines, which are no sentences.
fn fragments() -> Vec<(String, [String; 2])> {
    let mut all = Vec::new();
    for why in [SuggestedText::Building, SuggestedText::Area, SuggestedText::TradeNear, SuggestedText::Trade]
    {
        all.push((format!("suggested {why:?}"), Lang::ALL.map(|lang| suggested(lang, why))));
    }
    for metres in [350, 1_250, 12_000] {
        all.push((format!("distance {metres}"), Lang::ALL.map(|lang| distance(lang, metres))));
    }
    for what in Industry::ALL {
        all.push((format!("trade {what:?}"), Lang::ALL.map(|lang| industry(lang, what).to_owned())));
    }
    for what in Label::ALL {
        all.push((format!("label {what:?}"), Lang::ALL.map(|lang| label(lang, *what).to_owned())));
    }
    for what in SignInText::LABELS {
        all.push((format!("sign-in page {what:?}"), Lang::ALL.map(|lang| sign_in(lang, what))));
    }
    for what in PageText::LABELS {
        all.push((format!("page {}", first_word(&what)), Lang::ALL.map(|lang| page(lang, what))));
    }
    for what in reasons() {
        all.push((format!("reason {what:?}"), Lang::ALL.map(|lang| reason(lang, what))));
    }
    let seoul = Zone::named("Asia/Seoul").unwrap();
    for what in lines(&seoul) {
        let name = first_word(&what);
        all.push((format!("line {name}"), Lang::ALL.map(|lang| line(lang, &what))));
    }
    for what in PosterText::ALL {
        all.push((format!("poster {what:?}"), Lang::ALL.map(|lang| poster(lang, what))));
    }
    let until = AT;
    for what in [
        SaleText::Unsent,
        SaleText::Recorded,
        SaleText::Collected { units: points(225) },
        SaleText::Collected { units: of(Kind::Stamp, 2) },
        SaleText::Waiting { until, zone: &seoul },
        SaleText::Lapsed,
        SaleText::Voided,
        SaleText::Refused,
    ] {
        let name = first_word(&what);
        all.push((format!("sale {name}"), Lang::ALL.map(|lang| sale(lang, &what))));
    }
    all.extend(groups(&seoul).into_iter().map(|(name, said)| (format!("group {name}"), said)));
    for what in InvitationText::ALL {
        all.push((format!("invitation {what:?}"), Lang::ALL.map(|lang| invited(lang, what))));
    }
    all.push(("votes".into(), Lang::ALL.map(|lang| votes(lang, 2, 1))));
    for what in histories() {
        all.push((format!("history {}", first_word(&what)), Lang::ALL.map(|lang| history(lang, &what))));
    }
    for what in of_shops(&seoul) {
        all.push((format!("shop {}", first_word(&what)), Lang::ALL.map(|lang| shop(lang, &what))));
    }
    for what in opening_lines() {
        all.push((format!("opening {}", first_word(&what)), Lang::ALL.map(|lang| opening(lang, &what))));
    }
    let cost =
        Cost { used: 6_858, at_home: 7_619, per_used: 4_920, mean: Money(29_694), worst: Money(88_000) };
    for code in ["KRW", "USD"] {
        let currency = Currency::try_from(code).unwrap();
        let said = Lang::ALL.map(|lang| suggestion::cost(lang, &cost, currency));
        all.push((format!("suggestion's cost in {code}"), said));
    }
    for (amount, code) in [(4_500, "KRW"), (-1_205, "USD"), (1_200, "JPY"), (123_450, "CHF")] {
        let currency = Currency::try_from(code).unwrap();
        all.push((
            format!("money {code}"),
            Lang::ALL.map(|lang| number::money(lang, Money(amount), currency)),
        ));
    }
    all.push(("moment".into(), Lang::ALL.map(|lang| when::moment(lang, AT, &seoul))));
    all.push(("duration".into(), Lang::ALL.map(|lang| when::duration(lang, 3 * 3_600 + 90))));
    all
}

#[test]
fn the_texts_are_those_that_were_read_and_agreed_to() {
    let mut found = String::from("Every text, in Korean and English, with sample figures.\n");
    let consent =
        ("consent to advertising".to_owned(), Lang::ALL.map(|lang| marketing::text(lang).to_owned()));
    for (name, [ko, en]) in sentences().into_iter().chain(fragments()).chain([consent]) {
        write!(found, "\n{name}\n  {ko}\n  {en}\n").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/texts.txt");
    if env::var_os("MOA_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(path, &found).unwrap();
    }
    let agreed = fs::read_to_string(path).unwrap_or_default();
    for (line, (found, agreed)) in found.lines().zip(agreed.lines()).enumerate() {
        assert_eq!(found, agreed, "line {} of tests/texts.txt; MOA_BLESS=1 writes it anew", line + 1);
    }
    assert_eq!(found, agreed, "tests/texts.txt is of another length; MOA_BLESS=1 writes it anew");
}

#[test]
fn every_refusal_is_in_the_table() {
    let source = include_str!("../../rules/src/refusal.rs");
    let codes = source.split_once("pub fn code(").unwrap().1.matches("Self::").count();
    let mut known: Vec<&str> = refusals().iter().map(Refusal::code).collect();
    known.dedup();
    assert_eq!(known.len(), codes, "a refusal is missing from the samples above");
    for what in refusals() {
        for lang in Lang::ALL {
            assert_ne!(refusal(lang, &what), unknown(lang), "{} has no text", what.code());
        }
    }
}

#[test]
fn every_figure_of_a_refusal_is_in_its_text() {
    for what in refusals() {
        let written = format!("{what:?}");
        let figures = written.split(|letter: char| !letter.is_ascii_digit()).filter(|run| !run.is_empty());
        for figure in figures {
            let figure = number::count(figure.parse::<i64>().unwrap());
            for lang in Lang::ALL {
                let text = refusal(lang, &what);
                let told = text.split(|letter: char| !letter.is_ascii_digit() && letter != ',');
                assert!(told.into_iter().any(|run| run.trim_matches(',') == figure), "{figure} in {text:?}");
            }
        }
    }
}

#[test]
fn no_two_reasons_read_alike_and_the_languages_differ() {
    let all = sentences();
    for (at, (name, [ko, en])) in all.iter().enumerate() {
        assert_ne!(ko, en, "{name}");
        for (other, [other_ko, other_en]) in &all[..at] {
            assert!(ko != other_ko && en != other_en, "{name} and {other}");
        }
    }
}

#[test]
fn korean_is_polite_in_one_style_and_free_of_latin_words() {
    for (name, [ko, _]) in sentences() {
        let latin: Vec<&str> = ko
            .split(|letter: char| !letter.is_ascii_alphabetic())
            .filter(|word| !["", "KB", "JSON", "wait"].contains(word))
            .collect();
        assert!(latin.is_empty(), "{name}: {latin:?} in {ko}");
        for sentence in ko.split(". ") {
            assert!(sentence.trim_end_matches('.').ends_with('요'), "{name}: {sentence}");
        }
        assert!(ko.ends_with('.'), "{name}: {ko}");
    }
    for (name, [ko, _]) in fragments() {
        let latin = ko.chars().any(|letter| letter.is_ascii_alphabetic());
        assert!(!latin || name == "money CHF", "{name}: {ko}");
    }
}

#[test]
fn english_has_no_korean_in_it_and_ends_its_sentences() {
    for (name, [_, en]) in sentences() {
        assert!(en.ends_with('.') && en.starts_with(|first: char| !first.is_lowercase()), "{name}: {en}");
        assert!(!en.chars().any(|letter| ('가'..='힣').contains(&letter)), "{name}: {en}");
    }
}

#[test]
fn sentences_are_short_enough_for_a_till() {
    for (name, [ko, en]) in sentences() {
        assert!(ko.chars().count() <= 70, "{name}: {} letters in {ko}", ko.chars().count());
        assert!(en.chars().count() <= 120, "{name}: {} letters in {en}", en.chars().count());
    }
}

#[test]
fn below_the_minimum_names_both_numbers_and_what_is_missing() {
    let what = Refusal::BelowMinimum { minimum: units(10_000), available: units(9_400) };
    assert_eq!(
        Lang::ALL.map(|lang| refusal_in(lang, &what, Currency::KRW, Some(Kind::Point))),
        [
            "10,000점부터 쓸 수 있는데 이 지갑에는 9,400점이 있어요. 600점을 더 모아 주세요.",
            "Usable from 10,000 points; this wallet has 9,400. Collect 600 more.",
        ]
    );
}

#[test]
fn a_trade_is_looked_for_by_its_name_in_both_languages_and_no_word_is_two_trades() {
    let mut seen = std::collections::BTreeMap::new();
    for what in Industry::ALL.into_iter().filter(|what| *what != Industry::Other) {
        let words: Vec<&str> = industry_words(what).collect();
        for lang in Lang::ALL {
            let name = industry(lang, what);
            assert!(name.split('·').all(|part| words.contains(&part)), "{name} is not among {words:?}");
        }
        for word in words {
            assert_eq!(seen.insert(word.to_lowercase(), what), None, "{word}");
        }
    }
    assert_eq!(industry_words(Industry::Other).count(), 0);
}
