//! One-time codes: twelve digits that a person can read aloud, and a reader of barcodes can read. (docs/rules.md S17, S18)
//!
//! The digits say nothing by themselves: the server drew them at random and knows which code they stand for. The last
//! one is a check digit (Damm's), which notices any one wrong digit and any two neighbours that changed places, without
//! a network.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::refusal::Refusal;
use crate::time::Timestamp;

/// For how long the digits are good: three minutes, as a redemption code.
pub const LIFETIME: i64 = 3 * Timestamp::MINUTE;

/// How far two clocks may differ, before and after: a minute, as for member codes.
pub const BESIDE: i64 = Timestamp::MINUTE;

/// How many digits there are, the check digit among them.
pub const DIGITS: usize = 12;

/// How many numbers there are without the check digit.
pub const PAYLOADS: u64 = 100_000_000_000;

/// A quasigroup of order ten that is totally anti-symmetric, with zeroes on its diagonal (H. M. Damm, 2004).
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// Twelve digits, as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OneTimeCode(#[n(0)] u64);

/// Why a text is not a one-time code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOneTime {
    /// Not twelve digits.
    #[error("not twelve digits")]
    OtherText,
    /// Twelve digits, of which one is wrong at least.
    #[error("mistyped")]
    Mistyped,
}

impl OneTimeCode {
    /// The code of a number below [`PAYLOADS`]; none above.
    pub fn of(payload: u64) -> Option<Self> {
        let check = damm(&format!("{payload:011}"));
        (payload < PAYLOADS).then(|| Self(payload * 10 + u64::from(check)))
    }

    /// Reads twelve digits; spaces and hyphens between them do not matter.
    ///
    /// # Errors
    /// [`NotOneTime`].
    pub fn read(typed: &str) -> Result<Self, NotOneTime> {
        if typed.len() > 4 * DIGITS {
            return Err(NotOneTime::OtherText);
        }
        let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(NotOneTime::OtherText);
        }
        if damm(&digits) != 0 {
            return Err(NotOneTime::Mistyped);
        }
        digits.parse().map(Self).map_err(|_| NotOneTime::OtherText)
    }

    /// The twelve digits in one run: what a barcode (Code 128) says.
    pub fn digits(self) -> String {
        format!("{:012}", self.0)
    }

    /// The digits in three groups of four, to be read aloud.
    pub fn text(self) -> String {
        let digits = self.digits();
        // A code that came off the wire may have more digits than were ever handed out: the rest stays with the last.
        let (first, rest) = digits.split_at(4);
        let (second, last) = rest.split_at(4);
        format!("{first} {second} {last}")
    }
}

/// Keeps the digits out of logs: they are good for three minutes.
impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

fn damm(digits: &str) -> u8 {
    let step = |interim: u8, digit: u8| DAMM[usize::from(interim)][usize::from(digit - b'0')];
    digits.bytes().filter(u8::is_ascii_digit).fold(0, step)
}

/// Refuses a sale of second `sold` that was not made while digits made at `made` were good.
///
/// # Errors
/// `one_time_code_expired`.
pub fn check_time(made: Timestamp, sold: u64) -> Result<(), Refusal> {
    let sold = Timestamp::from_seconds(sold);
    if sold < made.plus(-BESIDE) || sold > made.plus(LIFETIME + BESIDE) {
        return Err(Refusal::OneTimeCodeExpired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_digit_is_damms() {
        // The example of Damm's dissertation: 572 has the check digit 4.
        assert_eq!(damm("572"), 4);
        assert_eq!(damm("5724"), 0);
    }

    #[test]
    fn digits_read_back_however_they_are_spaced() {
        let code = OneTimeCode::of(12_345_678_901).unwrap();
        let digits = code.digits();
        assert_eq!((digits.len(), &digits[..11]), (12, "12345678901"));
        let spaced = code.text();
        assert_eq!((spaced.len(), &spaced[4..5], &spaced[9..10]), (14, " ", " "));
        for typed in [digits.clone(), spaced, format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..])]
        {
            assert_eq!(OneTimeCode::read(&typed), Ok(code), "{typed}");
        }
        assert_eq!(OneTimeCode::of(7).unwrap().digits().len(), 12, "zeroes in front stay");
        assert_eq!(OneTimeCode::of(PAYLOADS), None);
        assert_eq!(format!("{code:?}"), "OneTimeCode(…)");
    }

    #[test]
    fn what_is_not_twelve_digits_is_something_else() {
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "１２３４５６７８９０１２",
            "+82 10 1234 5678",
            "12345678901a",
        ] {
            assert_eq!(OneTimeCode::read(text), Err(NotOneTime::OtherText), "{text}");
        }
    }

    #[test]
    fn a_sale_may_lie_a_minute_beside_the_three_to_the_second() {
        let made = Timestamp(1_795_230_000_000);
        for (beside, good) in [(-61, false), (-60, true), (240, true), (241, false)] {
            let sold = made.seconds().checked_add_signed(beside).unwrap();
            let expected = if good { Ok(()) } else { Err(Refusal::OneTimeCodeExpired) };
            assert_eq!(check_time(made, sold), expected, "{beside}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(payload in 0..PAYLOADS, at in 0..DIGITS, by in 1u8..10) {
            let mut digits = OneTimeCode::of(payload).unwrap().digits().into_bytes();
            digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
            prop_assert_eq!(OneTimeCode::read(std::str::from_utf8(&digits).unwrap()), Err(NotOneTime::Mistyped));
        }

        #[test]
        fn two_neighbours_that_changed_places_are_always_noticed(payload in 0..PAYLOADS, at in 0..DIGITS - 1) {
            let mut digits = OneTimeCode::of(payload).unwrap().digits().into_bytes();
            prop_assume!(digits[at] != digits[at + 1]);
            digits.swap(at, at + 1);
            prop_assert_eq!(OneTimeCode::read(std::str::from_utf8(&digits).unwrap()), Err(NotOneTime::Mistyped));
        }

        #[test]
        fn arbitrary_texts_never_panic(text in ".{0,60}", number in any::<u64>()) {
            let _ = OneTimeCode::read(&text);
            prop_assert!(OneTimeCode(number).text().len() >= 14);
        }
    }
}
