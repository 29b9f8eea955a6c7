//! Phone numbers: read as people type them, kept and compared in E.164.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// The most bytes of a typed number that are looked at.
const MAX_TYPED: usize = 64;

/// A number that can exist, in E.164: `+821012345678`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PhoneNumber {
    e164: String,
    dial_code: u16,
}

impl PhoneNumber {
    /// Reads a number as it was typed; as Korean if it names no country.
    pub(crate) fn read(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let number = PHONE_NUMBER_UTIL.parse(typed, Some(Region::KR)).ok()?;
        let dial_code = u16::try_from(number.country_code).ok()?;
        let e164 = || number.format_as(PhoneNumberFormat::E164).into_owned();
        number.is_valid().then(|| Self { e164: e164(), dial_code })
    }

    /// The number in E.164.
    pub(crate) fn as_str(&self) -> &str {
        &self.e164
    }

    /// Its country calling code, such as 82.
    pub(crate) fn dial_code(&self) -> u16 {
        self.dial_code
    }
}

/// Keeps the number out of logs.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_number_typed_in_many_ways_is_one_number() {
        for typed in
            ["01012345678", "010-1234-5678", " 010 1234 5678 ", "+82 10-1234-5678", "+82 (0)10 1234 5678"]
        {
            assert_eq!(PhoneNumber::read(typed).unwrap().as_str(), "+821012345678", "{typed}");
        }
        let abroad = PhoneNumber::read("+1 650-253-0000").unwrap();
        assert_eq!((abroad.as_str(), abroad.dial_code()), ("+16502530000", 1));
    }

    #[test]
    fn what_no_phone_answers_to_is_refused() {
        for typed in
            ["", "010", "112", "hello", "+82 10 1234 56789 012", &"0".repeat(65), "++82", "+999 12345678"]
        {
            assert_eq!(PhoneNumber::read(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_number_does_not_show_in_logs() {
        assert!(!format!("{:?}", PhoneNumber::read("01012345678")).contains("1234"));
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(typed in ".{0,80}") {
            PhoneNumber::read(&typed);
        }
    }
}
