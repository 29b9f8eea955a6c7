//! Codes that a camera reads: `MOA1:` and base45 (RFC 9285), so that a QR takes its denser alphanumeric mode.
//!
//! [`read`] is the one way in for any text from outside: scanned, pasted, typed, a link that the system hands over, what
//! `KakaoLink` or an install referrer says.

use moa_rules::account::MergeConsent;
use moa_rules::member::MemberCode;
use moa_rules::one_time::{NotOneTime, OneTimeCode};
use moa_rules::op::{Op, OpBody, RedemptionCode};
use moa_rules::pass::PassCode;
use moa_rules::staff::StaffInvitation;

use crate::invitation::{InvitationCode, NoInvitationCode};
use crate::link::{self, Destination, Target};
use crate::member;
use crate::token::{Approval, Sealed, Token};

/// What every code of ours begins with.
pub const PREFIX: &str = "MOA1:";

/// The most characters that a code of ours has: the largest QR that a cheap camera reads at arm's length, version 8
/// with medium correction, holds 221.
pub const MAX_CODE: usize = 220;

/// The most characters of a pass, which holds two signatures and a key: a version 13 QR with medium correction.
pub const MAX_PASS: usize = 480;

/// The most characters of a scanned text that are looked at.
pub const MAX_SCANNED: usize = 2_048;

/// What people write around a link.
const AROUND_LINKS: [char; 14] = ['<', '>', '(', ')', '[', ']', '"', '\'', '.', ',', '!', '“', '”', '…'];

/// The text of a token, to be drawn as a QR.
pub fn text(token: &[u8]) -> String {
    format!("{PREFIX}{}", base45::encode(token))
}

/// The bytes in the text of a code of ours; none if it is something else.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    base45::decode(text.strip_prefix(PREFIX)?).ok()
}

/// What a camera saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// A sale, to be claimed.
    Voucher(Box<Sealed<Op>>),
    /// A buyer's permission to take mileage.
    RedemptionCode(Sealed<RedemptionCode>),
    /// The server's word that a redemption stands.
    Approval(Sealed<Approval>),
    /// A buyer, to be named in a sale.
    Member(MemberCode),
    /// Digits that stand for a redemption code or a member code: only the server knows which.
    OneTime(OneTimeCode),
    /// An owner's word that its reader may sell for the shop.
    StaffInvitation(Sealed<StaffInvitation>),
    /// The word of an account that is to end.
    MergeConsent(Sealed<MergeConsent>),
    /// Mileage that the server reserved for one till, shown by its buyer.
    Pass(Box<Sealed<PassCode>>),
    /// A link to a screen.
    Link(Destination),
}

/// What a camera saw that is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// Nothing at all.
    #[error("empty")]
    Empty,
    /// More than any code has.
    #[error("too long")]
    TooLong,
    /// Begins like ours, and is broken.
    #[error("damaged")]
    Damaged,
    /// A payment code (EMV QR).
    #[error("a payment code")]
    PaymentCode,
    /// A link to somewhere else.
    #[error("a stranger's link")]
    ForeignLink,
    /// Twelve digits, of which one is wrong at least.
    #[error("mistyped")]
    Mistyped,
    /// Eight characters as an invitation has them, of which one is wrong at least.
    #[error("no code of an invitation")]
    InvitationMistyped,
    /// A link of ours that is cut off, or of a newer app.
    #[error("a broken link")]
    BrokenLink,
    /// Something else.
    #[error("not a code of Moa")]
    Unknown,
}

impl NotOurs {
    /// The stable `snake_case` word for the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "code_empty",
            Self::TooLong => "code_too_long",
            Self::Damaged => "code_damaged",
            Self::PaymentCode => "code_is_payment",
            Self::ForeignLink => "code_is_foreign_link",
            Self::Mistyped => "code_mistyped",
            Self::InvitationMistyped => "code_invitation_mistyped",
            Self::BrokenLink => "code_broken_link",
            Self::Unknown => "code_unknown",
        }
    }
}

/// Reads what a camera saw, a person pasted or typed, or another app opened this one with. `link_base` is the address of
/// our own links.
///
/// # Errors
/// [`NotOurs`], saying what it is instead.
pub fn read(scanned: &str, link_base: &str) -> Result<Scanned, NotOurs> {
    let scanned = scanned.trim();
    if scanned.is_empty() {
        return Err(NotOurs::Empty);
    }
    if scanned.len() > MAX_SCANNED {
        return Err(NotOurs::TooLong);
    }
    if let Some(body) = scanned.strip_prefix(PREFIX) {
        if body.len() > MAX_PASS {
            return Err(NotOurs::TooLong);
        }
        return read_token(&base45::decode(body).map_err(|_| NotOurs::Damaged)?);
    }
    match OneTimeCode::read(scanned) {
        Ok(code) => return Ok(Scanned::OneTime(code)),
        Err(NotOneTime::Mistyped) => return Err(NotOurs::Mistyped),
        Err(NotOneTime::OtherText) => {}
    }
    match InvitationCode::read(scanned) {
        Ok(code) => return Ok(Scanned::Link(Destination::InvitationCode(code))),
        Err(NoInvitationCode::Mistyped) => return Err(NotOurs::InvitationMistyped),
        Err(NoInvitationCode::OtherText) => {}
    }
    if let Some(target) = link_in(scanned, link_base) {
        return match target {
            Target::Screen(destination) => Ok(Scanned::Link(destination)),
            Target::Token(bytes) => read_token(&bytes),
            Target::Broken => Err(NotOurs::BrokenLink),
        };
    }
    if scanned.starts_with("000201") {
        return Err(NotOurs::PaymentCode);
    }
    if scanned.contains("://") {
        return Err(NotOurs::ForeignLink);
    }
    Err(NotOurs::Unknown)
}

/// The link that a text is, or the first of ours in a message that was pasted whole.
fn link_in(scanned: &str, link_base: &str) -> Option<Target> {
    let word = |word: &str| link::target(word.trim_matches(AROUND_LINKS), link_base);
    link::target(scanned, link_base).or_else(|| scanned.split_whitespace().find_map(word))
}

fn read_token(bytes: &[u8]) -> Result<Scanned, NotOurs> {
    if let Some(code) = member::parse(bytes) {
        return Ok(Scanned::Member(code));
    }
    if let Ok(op) = Sealed::<Op>::parse(bytes) {
        return match op.unchecked().body {
            OpBody::RecordSale { .. } => Ok(Scanned::Voucher(Box::new(op))),
            _ => Err(NotOurs::Damaged),
        };
    }
    // The kinds differ in the lengths of their fields, so that at most one of them reads.
    let code = Sealed::<RedemptionCode>::parse(bytes).map(Scanned::RedemptionCode);
    code.or_else(|_| Sealed::<Approval>::parse(bytes).map(Scanned::Approval))
        .or_else(|_| Sealed::<StaffInvitation>::parse(bytes).map(Scanned::StaffInvitation))
        .or_else(|_| Sealed::<MergeConsent>::parse(bytes).map(Scanned::MergeConsent))
        .or_else(|_| Sealed::<PassCode>::parse(bytes).map(|pass| Scanned::Pass(Box::new(pass))))
        .map_err(|_| NotOurs::Damaged)
}

const _: () = assert!(
    RedemptionCode::MAX_BYTES <= 160 && Approval::MAX_BYTES <= 160 && StaffInvitation::MAX_BYTES <= 160
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invitation::InvitationToken;
    use crate::keys::{Signer, SoftwareKey};
    use crate::qr;
    use crate::token::Checked;
    use moa_rules::id::{GroupId, MerchantId, OpId};
    use moa_rules::op::OP_VERSION;
    use moa_rules::pass::PassToken;
    use moa_rules::quantity::{MAX_AMOUNT, Money, Units};
    use moa_rules::staff::Limits;
    use moa_rules::terms::Unit;
    use proptest::prelude::*;

    const BASE: &str = "https://moa.example";

    const LARGEST_UNIT: Option<Unit> = Some(Unit::Stamp(u16::MAX));

    /// A voucher names its buyer, or the redemption that paid a part and so tells who that is.
    fn largest_voucher(key: &SoftwareKey) -> Checked<Op> {
        let body =
            OpBody::RecordSale { amount: MAX_AMOUNT, addressee: None, redemption: Some(OpId([0xff; 16])) };
        let (id, actor, counter, time) =
            (OpId([0xff; 16]), key.key_id(), u64::from(u32::MAX), u64::from(u32::MAX));
        Checked::sign(Op { version: OP_VERSION, id, actor, counter, time, body }, key).unwrap()
    }

    /// RFC 9285, sections 4.3 and 4.4.
    #[test]
    fn base45_matches_the_rfcs_vectors() {
        for (plain, coded) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")]
        {
            assert_eq!(base45::encode(plain.as_bytes()), coded);
            assert_eq!(base45::decode(coded).unwrap(), plain.as_bytes());
        }
        assert!(base45::decode("FGW").is_ok(), "65 535 is the most that three characters hold");
        for bad in ["GGW", "GGX", ":::", "A", "gg"] {
            assert!(base45::decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_largest_codes_fit_a_version_8_qr() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let voucher = text(largest_voucher(&key).bytes());
        let code = RedemptionCode {
            version: OP_VERSION,
            key: key.key_id(),
            counter: u64::from(u32::MAX),
            expires: u64::from(u32::MAX),
            group: GroupId([0xff; 16]),
            most: Units::new(i64::MAX).unwrap(),
            unit: LARGEST_UNIT,
        };
        let code = text(Checked::sign(code, &key).unwrap().bytes());
        let approval = |units, unit| {
            let (op, merchant, group) = (OpId([0xff; 16]), MerchantId([0xff; 16]), GroupId([0xff; 16]));
            let (version, units, expires) = (OP_VERSION, Units::new(units).unwrap(), u64::from(u32::MAX));
            let approval = Approval { version, op, merchant, group, units, expires, unit };
            text(Checked::sign(approval, &key).unwrap().bytes())
        };
        let [points, stamps] =
            [approval(1_000_000_000_000, None), approval(i64::from(u32::MAX), Some(Unit::Stamp(100)))];
        let limits = Limits { per_sale: MAX_AMOUNT, per_day: MAX_AMOUNT };
        let (version, counter, expires) = (OP_VERSION, u64::from(u32::MAX), u64::from(u32::MAX));
        let invitation = StaffInvitation { version, key: key.key_id(), counter, expires, limits };
        let invitation = text(Checked::sign(invitation, &key).unwrap().bytes());
        for text in [voucher, code, points, stamps, invitation] {
            assert!(text.len() <= MAX_CODE, "{} characters", text.len());
            assert!(qr::matrix(&text).unwrap().side <= 49, "version 8 is 49 modules wide");
        }
    }

    #[test]
    fn the_largest_pass_fits_a_version_13_qr_and_reads_back() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let pass = PassToken {
            version: OP_VERSION,
            pass: OpId([0xff; 16]),
            merchant: MerchantId([0xff; 16]),
            till: key.key_id(),
            group: GroupId([0xff; 16]),
            units: Units::new(1_000_000_000_000).unwrap(),
            expires: u64::from(u32::MAX),
            public_key: key.public_key(),
            unit: LARGEST_UNIT,
        };
        let pass = Checked::sign(pass, &key).unwrap().bytes().to_vec();
        let code = PassCode { version: OP_VERSION, pass, shown: u64::from(u32::MAX) };
        let code = Checked::sign(code, &key).unwrap();
        let text = text(code.bytes());
        assert!(text.len() - PREFIX.len() <= MAX_PASS, "{} characters", text.len());
        assert!(qr::matrix(&text).unwrap().side <= 69, "version 13 is 69 modules wide");
        let Ok(Scanned::Pass(back)) = read(&text, BASE) else { panic!("no pass") };
        assert_eq!(back.check(&key.public_key()).unwrap(), code);
    }

    #[test]
    fn each_kind_reads_back_as_itself() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let voucher = largest_voucher(&key);
        let Ok(Scanned::Voucher(back)) = read(&text(voucher.bytes()), BASE) else { panic!("no voucher") };
        assert_eq!(back.check(&key.public_key()).unwrap(), voucher);
    }

    #[test]
    fn twelve_digits_are_a_one_time_code_however_they_are_typed() {
        let code = OneTimeCode::of(98_765_432_109).unwrap();
        for typed in [code.digits(), code.text(), format!(" {} ", code.text())] {
            assert_eq!(read(&typed, BASE), Ok(Scanned::OneTime(code)), "{typed}");
        }
    }

    #[test]
    fn eight_characters_are_a_code_of_an_invitation_however_they_are_typed() {
        let code = InvitationCode::of(98_765_432_109);
        let read_back = Ok(Scanned::Link(Destination::InvitationCode(code)));
        for typed in [code.text(), code.characters(), format!(" {} ", code.text().to_lowercase())] {
            assert_eq!(read(&typed, BASE), read_back, "{typed}");
        }
    }

    #[test]
    fn a_message_that_was_pasted_whole_leads_where_its_link_leads() {
        let token = InvitationToken([0xd7; 16]);
        let link = link::link(Destination::Invitation(token), BASE);
        for message in [
            format!("감나무 골목에서 초대했어요.\n{link}\n코드 없이 열려요"),
            format!("(see <{link}>, please!)"),
            format!("\u{202e}שלום {link}."),
            format!("https://elsewhere.example/ and {link}"),
        ] {
            assert_eq!(read(&message, BASE), Ok(Scanned::Link(Destination::Invitation(token))), "{message}");
        }
    }

    #[test]
    fn tokens_have_links_that_read_as_their_codes_do() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let limits = Limits { per_sale: MAX_AMOUNT, per_day: MAX_AMOUNT };
        let (version, counter, expires) = (OP_VERSION, 7, u64::from(u32::MAX));
        let invitation = StaffInvitation { version, key: key.key_id(), counter, expires, limits };
        let (invitation, voucher) = (Checked::sign(invitation, &key).unwrap(), largest_voucher(&key));
        let link = |bytes: &[u8]| read(&link::token_link(bytes, BASE), BASE);
        let Ok(Scanned::StaffInvitation(back)) = link(invitation.bytes()) else { panic!("no invitation") };
        assert_eq!(back.check(&key.public_key()).unwrap(), invitation);
        assert!(matches!(link(voucher.bytes()), Ok(Scanned::Voucher(_))));
        assert_eq!(link(&voucher.bytes()[1..]), Err(NotOurs::Damaged));
    }

    #[test]
    fn strangers_codes_are_named() {
        let cases = [
            ("", NotOurs::Empty),
            ("00020101021229300012D156000000000510A93FO3230Q", NotOurs::PaymentCode),
            ("https://pay.example/abc", NotOurs::ForeignLink),
            ("8801234567890", NotOurs::Unknown),
            ("1234 5678 9012", NotOurs::Mistyped),
            ("40170725", NotOurs::InvitationMistyped),
            ("https://moa.example/i/d7d7", NotOurs::BrokenLink),
            ("utm_source=google-play&utm_medium=organic", NotOurs::Unknown),
            ("MOA1:", NotOurs::Damaged),
            ("MOA1:GGX", NotOurs::Damaged),
        ];
        for (scanned, expected) in cases {
            assert_eq!(read(scanned, BASE), Err(expected), "{scanned}");
        }
        assert_eq!(read(&"A".repeat(MAX_SCANNED + 1), BASE), Err(NotOurs::TooLong));
        assert_eq!(read(&format!("{PREFIX}{}", "A".repeat(MAX_PASS + 1)), BASE), Err(NotOurs::TooLong));
    }

    #[test]
    fn an_op_that_is_no_sale_is_no_voucher() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let mut op = largest_voucher(&key).value().clone();
        op.body = OpBody::JoinGroup { group: GroupId([1; 16]), terms_version: 1, invitation: None };
        let signed = Checked::sign(op, &key).unwrap();
        assert_eq!(read(&text(signed.bytes()), BASE), Err(NotOurs::Damaged));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(scanned in ".{0,300}", body in "[0-9A-Z $%*+./:-]{0,240}") {
            let _ = read(&scanned, BASE);
            let _ = read(&format!("{PREFIX}{body}"), BASE);
        }

        #[test]
        fn amounts_survive_the_code(amount in 1..=MAX_AMOUNT.0, counter in any::<u32>()) {
            let (key, _) = SoftwareKey::generate().unwrap();
            let mut op = largest_voucher(&key).value().clone();
            op.counter = counter.into();
            op.body = OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None };
            let signed = Checked::sign(op.clone(), &key).unwrap();
            let Ok(Scanned::Voucher(back)) = read(&text(signed.bytes()), BASE) else { panic!("no voucher") };
            prop_assert_eq!(back.unchecked(), &op);
        }
    }
}
