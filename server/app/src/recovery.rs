//! Recovery codes: the second proof of an account, shown once when it begins. With it a new phone pays at once, and a
//! number that was silent leads to its old account. (docs/rules.md A3, A4)

use std::fmt;

/// Crockford's base 32: no I, L, O or U to be taken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The most bytes of a typed code that are looked at.
const MAX_TYPED: usize = 64;

/// Ten letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RecoveryCode(String);

impl RecoveryCode {
    /// Characters of a code, without the dash that people are shown.
    pub(crate) const LENGTH: usize = 10;

    /// The code of random bytes: five bits of each.
    pub(crate) fn of(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
    }

    /// Reads a code as people type it. None if it cannot be one.
    pub(crate) fn read(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let letters =
            typed.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            });
        let code: String = letters.collect();
        let known = code.bytes().all(|byte| ALPHABET.contains(&byte));
        (known && code.len() == Self::LENGTH).then_some(Self(code))
    }

    /// The characters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is shown: in two halves.
    pub(crate) fn shown(&self) -> String {
        let (one, other) = self.0.split_at(Self::LENGTH / 2);
        format!("{one}-{other}")
    }
}

/// Keeps the code out of logs.
impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        let code = RecoveryCode::of([0, 1, 9, 10, 31, 32, 63, 200, 17, 18]);
        assert_eq!((code.as_str(), code.shown().as_str()), ("019AZ0Z8HJ", "019AZ-0Z8HJ"));
        for typed in ["019AZ-0Z8HJ", "o19az 0z8hj", " OL9AZ0Z8HJ ", "0i9AZ--0Z8HJ"] {
            assert_eq!(RecoveryCode::read(typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in ["", "019AZ0Z8H", "019AZ0Z8HJ0", "019AZ0Z8HU", "019AZ0Z8Hé", &"0".repeat(65)] {
            assert_eq!(RecoveryCode::read(typed), None, "{typed}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(typed in ".{0,80}") {
            RecoveryCode::read(&typed);
        }

        #[test]
        fn what_is_shown_reads_back(bytes: [u8; RecoveryCode::LENGTH]) {
            let code = RecoveryCode::of(bytes);
            prop_assert_eq!(RecoveryCode::read(&code.shown()), Some(code));
        }
    }
}
