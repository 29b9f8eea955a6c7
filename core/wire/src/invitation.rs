//! What an invitation is opened with: the token in its link, or eight characters that a person can read aloud.
//!
//! The token is drawn on the phone that invites, so that a link exists without a network; the server learns its hash
//! and keeps nothing that would open it. The characters come from the server; they are short, so who tries them is
//! counted there.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::keys::sha256;

/// Sixteen random bytes: whoever knows them may open the invitation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InvitationToken(pub [u8; 16]);

impl InvitationToken {
    /// SHA-256 of the token: what the op that invites says of it.
    pub fn hash(self) -> [u8; 32] {
        sha256(&[&self.0])
    }

    /// In lower-case hex, 32 digits, as a link has it.
    pub fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

/// Keeps the token out of logs.
impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationToken(…)")
    }
}

/// A text that is not 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hex digits")]
pub struct NoToken;

impl FromStr for InvitationToken {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| NoToken)?;
        bytes.try_into().map(Self).map_err(|_| NoToken)
    }
}

/// Crockford's base 32: digits and capitals without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a code, the check character among them.
pub const CHARACTERS: usize = 8;

/// Bits that a code carries without its check character.
pub const CODE_BITS: u32 = 35;

/// Eight characters for an invitation, the last one a check character.
///
/// The characters are elements of the field of 32; weighted by powers of a primitive element they add up to zero. The
/// weights are non-zero and all different, so that one wrong character is noticed, and any two that changed places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvitationCode(u64);

/// Why a text is not a code of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoInvitationCode {
    /// Not eight characters of the alphabet.
    #[error("not eight letters and digits")]
    OtherText,
    /// Eight characters, of which one is wrong at least.
    #[error("mistyped")]
    Mistyped,
}

impl InvitationCode {
    /// The code that carries the lowest [`CODE_BITS`] bits of `bits`.
    pub fn of(bits: u64) -> Self {
        let mut values = [0; CHARACTERS];
        for (at, value) in values[..CHARACTERS - 1].iter_mut().enumerate() {
            *value = five_bits(bits, CHARACTERS - 2 - at);
        }
        let check = weighed(values);
        Self((bits % (1 << CODE_BITS)) << 5 | u64::from(check))
    }

    /// Reads eight characters as people type them: of either case, with spaces and hyphens, `o` for zero, `i` and `l`
    /// for one.
    ///
    /// # Errors
    /// [`NoInvitationCode`].
    pub fn read(typed: &str) -> Result<Self, NoInvitationCode> {
        if typed.len() > 8 * CHARACTERS {
            return Err(NoInvitationCode::OtherText);
        }
        let mut values = [0; CHARACTERS];
        let mut count = 0;
        for letter in typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
            let value = value(letter).ok_or(NoInvitationCode::OtherText)?;
            *values.get_mut(count).ok_or(NoInvitationCode::OtherText)? = value;
            count += 1;
        }
        if count != CHARACTERS {
            return Err(NoInvitationCode::OtherText);
        }
        if weighed(values) != 0 {
            return Err(NoInvitationCode::Mistyped);
        }
        Ok(Self(values.iter().fold(0, |code, value| code << 5 | u64::from(*value))))
    }

    /// The characters in one run, as a link has them.
    pub fn characters(self) -> String {
        (0..CHARACTERS).rev().map(|at| char::from(ALPHABET[usize::from(five_bits(self.0, at))])).collect()
    }

    /// In two groups of four, to be read aloud: `7K3M-9QXW`.
    pub fn text(self) -> String {
        let characters = self.characters();
        // ASCII, eight of them.
        let (first, last) = characters.split_at(CHARACTERS / 2);
        format!("{first}-{last}")
    }

    /// The bits that the code carries.
    pub fn bits(self) -> u64 {
        self.0 >> 5
    }
}

/// Keeps the characters out of logs.
impl fmt::Debug for InvitationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InvitationCode(…)")
    }
}

/// The five bits of the character `at`, counted from the last.
fn five_bits(bits: u64, at: usize) -> u8 {
    // Below 32.
    (bits >> (5 * at) & 31) as u8
}

fn value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET.iter().position(|known| char::from(*known) == letter)?;
    u8::try_from(at).ok()
}

/// The weighted sum, the last character's weight being one. With a zero for the last it is the check character.
fn weighed(values: [u8; CHARACTERS]) -> u8 {
    values.into_iter().fold(0, |sum, value| doubled(sum) ^ value)
}

/// Times a primitive element of the field of 32, modulo x⁵ + x² + 1.
fn doubled(value: u8) -> u8 {
    if value & 16 == 0 { value << 1 } else { value << 1 ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reads(characters: &[u8]) -> Result<InvitationCode, NoInvitationCode> {
        InvitationCode::read(std::str::from_utf8(characters).unwrap())
    }

    #[test]
    fn doubling_goes_through_every_element_of_the_field_but_zero() {
        let mut seen: Vec<u8> =
            std::iter::successors(Some(1), |value| Some(doubled(*value))).take(31).collect();
        assert_eq!(doubled(seen[30]), 1);
        seen.sort_unstable();
        assert_eq!(seen, (1..32).collect::<Vec<_>>());
    }

    /// The code is linear, so what holds of the differences holds of all codes: every difference there is, not a sample.
    #[test]
    fn no_single_mistake_and_no_two_characters_that_changed_places_add_up_to_zero() {
        for at in 0..CHARACTERS {
            for mistake in 1..32 {
                let mut values = [0; CHARACTERS];
                values[at] = mistake;
                assert_ne!(weighed(values), 0);
                for other in (0..CHARACTERS).filter(|other| *other != at) {
                    // a and b that changed places differ from what they were by a ^ b, in both places.
                    let mut values = values;
                    values[other] = mistake;
                    assert_ne!(weighed(values), 0, "{at} and {other}");
                }
            }
        }
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = InvitationCode::of(0b00000_00001_01010_11111_00000_00001_10000);
        let text = code.text();
        assert_eq!(&text[..8], "01AZ-01G");
        let check = &text[8..];
        for typed in [
            text.clone(),
            text.to_lowercase(),
            format!(" oiaz oLg{check}\n"),
            format!("0 1 a z-0 1 g-{check}"),
            format!("OlAZOiG{check}"),
            code.characters(),
        ] {
            assert_eq!(InvitationCode::read(&typed), Ok(code), "{typed}");
        }
        assert_eq!(
            format!("{code:?} {:?}", InvitationToken([0xa5; 16])),
            "InvitationCode(…) InvitationToken(…)"
        );
    }

    #[test]
    fn what_is_not_eight_characters_is_something_else() {
        for text in ["", "0000000", "000000000", "0000000U", "모아모아모아모아", "0000_0000", "０0000000"]
        {
            assert_eq!(InvitationCode::read(text), Err(NoInvitationCode::OtherText), "{text}");
        }
        assert_eq!(InvitationCode::read(&"0 ".repeat(40)), Err(NoInvitationCode::OtherText));
    }

    /// The hash is that of another program: `printf '\245%.0s' {1..16} | sha256sum`.
    #[test]
    fn a_token_reads_back_and_is_hashed_with_sha_256() {
        let token = InvitationToken([0xa5; 16]);
        assert_eq!(token.hex().parse(), Ok(token));
        assert_eq!(
            HEXLOWER.encode(&token.hash()),
            "57f52e8a0c54a7f08350c602fa6852ff59e4e246fbe38aa369bdd7b7e89e013f"
        );
        for bad in ["", "a5", &"A5".repeat(16), &"a5".repeat(17), &"zz".repeat(16)] {
            assert_eq!(bad.parse::<InvitationToken>(), Err(NoToken), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn bits_survive(bits in any::<u64>()) {
            let code = InvitationCode::of(bits);
            prop_assert_eq!(code.bits(), bits % (1 << CODE_BITS));
            prop_assert_eq!(InvitationCode::read(&code.text()), Ok(code));
        }

        #[test]
        fn one_wrong_character_is_always_noticed(bits in any::<u64>(), at in 0..CHARACTERS, by in 1usize..32) {
            let mut characters = InvitationCode::of(bits).characters().into_bytes();
            let right = ALPHABET.iter().position(|known| *known == characters[at]).unwrap();
            characters[at] = ALPHABET[(right + by) % 32];
            prop_assert_eq!(reads(&characters), Err(NoInvitationCode::Mistyped));
        }

        #[test]
        fn two_neighbours_that_changed_places_are_always_noticed(bits in any::<u64>(), at in 0..CHARACTERS - 1) {
            let mut characters = InvitationCode::of(bits).characters().into_bytes();
            prop_assume!(characters[at] != characters[at + 1]);
            characters.swap(at, at + 1);
            prop_assert_eq!(reads(&characters), Err(NoInvitationCode::Mistyped));
        }

        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,80}") {
            let _ = InvitationCode::read(&text);
            let _ = text.parse::<InvitationToken>();
        }
    }
}
