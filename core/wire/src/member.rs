//! Member codes: 28 bytes, tag ‖ step ‖ HMAC-SHA-256 cut to eight, drawn as a QR of 47 characters. They prove nothing
//! offline; the server checks them when the sale arrives.

use moa_rules::member::{MemberCode, STEP_SECONDS};
use moa_rules::time::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::api::Base64;
use crate::code;

/// Bytes of a member code: no other code of ours has so few.
pub const MEMBER_CODE_BYTES: usize = 28;

/// What a phone makes its member codes of. Not to be shown, nor to stand in a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberSecret {
    /// The account's handle, 16 bytes.
    pub tag: Base64,
    /// The key of the HMAC, 32 bytes.
    pub secret: Base64,
}

impl std::fmt::Debug for MemberSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemberSecret(…)")
    }
}

impl MemberSecret {
    /// The secret of a tag.
    pub fn new(tag: [u8; 16], secret: [u8; 32]) -> Self {
        Self { tag: Base64(tag.to_vec()), secret: Base64(secret.to_vec()) }
    }

    /// The code to be shown at `now`, and the instant from which the next one is. None if the tag is not one.
    pub fn code(&self, now: Timestamp) -> Option<(MemberCode, Timestamp)> {
        let tag: [u8; 16] = self.tag.0.as_slice().try_into().ok()?;
        let step = now.seconds() / STEP_SECONDS;
        let ends = Timestamp::from_seconds((step + 1) * STEP_SECONDS);
        let step = u32::try_from(step).ok()?;
        Some((MemberCode { tag, step, mac: mac(&self.secret.0, tag, step) }, ends))
    }

    /// Whether a code was made of this secret.
    pub fn made(&self, code: &MemberCode) -> bool {
        // Eight bytes that nobody can try out but by sending a signed op for each: no timing to hide.
        self.tag.0 == code.tag && mac(&self.secret.0, code.tag, code.step) == code.mac
    }
}

fn mac(secret: &[u8], tag: [u8; 16], step: u32) -> [u8; 8] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(b"moa/member:");
    context.update(&tag);
    context.update(&step.to_be_bytes());
    let mut mac = [0; 8];
    mac.copy_from_slice(&context.sign().as_ref()[..8]);
    mac
}

/// The text of a member code, to be drawn as a QR.
pub fn text(member: &MemberCode) -> String {
    code::text(&[&member.tag[..], &member.step.to_be_bytes(), &member.mac].concat())
}

/// The member code of these bytes, if they are as many as it has.
pub fn parse(bytes: &[u8]) -> Option<MemberCode> {
    let bytes: &[u8; MEMBER_CODE_BYTES] = bytes.try_into().ok()?;
    let (tag, rest) = bytes.split_first_chunk::<16>()?;
    let (step, mac) = rest.split_first_chunk::<4>()?;
    Some(MemberCode { tag: *tag, step: u32::from_be_bytes(*step), mac: mac.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{Scanned, read};
    use crate::qr;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_hmac_matches_the_rfcs_vector() {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"Jefe"), b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(HEXLOWER.encode(tag.as_ref()), expected);
    }

    #[test]
    fn a_fixed_secret_and_time_give_a_fixed_text() {
        let secret = MemberSecret::new([0xa7; 16], [0x5e; 32]);
        let (code, ends) = secret.code(Timestamp(1_795_230_012_345)).unwrap();
        assert_eq!((code.step, ends), (59_841_000, Timestamp(1_795_230_030_000)));
        let text = text(&code);
        assert_eq!(text, GOLDEN);
        assert_eq!((text.len(), qr::matrix(&text).unwrap().side), (47, 29), "version 3");
        assert_eq!(read(&text, "https://moa.example"), Ok(Scanned::Member(code)));
        assert!(secret.made(&code));
    }

    const GOLDEN: &str = "MOA1:Y8LY8LY8LY8LY8LY8LY8LY8LDK0HC35X8$WT8QRT$N";

    #[test]
    fn every_flipped_bit_is_noticed() {
        let secret = MemberSecret::new([1; 16], [2; 32]);
        let (code, _) = secret.code(Timestamp(1_795_230_000_000)).unwrap();
        let bytes = base45::decode(text(&code).strip_prefix(code::PREFIX).unwrap()).unwrap();
        for bit in 0..MEMBER_CODE_BYTES * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!secret.made(&parse(&bytes).unwrap()), "bit {bit}");
        }
    }

    #[test]
    fn a_secret_does_not_show_in_logs() {
        assert_eq!(format!("{:?}", MemberSecret::new([1; 16], [2; 32])), "MemberSecret(…)");
    }

    proptest! {
        #[test]
        fn only_as_many_bytes_as_it_has_are_a_member_code(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(parse(&bytes).is_some(), bytes.len() == MEMBER_CODE_BYTES);
        }
    }
}
