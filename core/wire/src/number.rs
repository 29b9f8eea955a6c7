//! Phone numbers beside ops: an op lasts for ever and says only a salted hash; the number travels beside it, for the
//! server to find out whose it is and to drop. (docs/rules.md B6, S19)

use moa_rules::id::OpId;
use moa_rules::member::NumberHash;
use serde::{Deserialize, Serialize};

use crate::api::Base64;
use crate::keys::sha256;

/// Bytes of the salt: nobody can try out all numbers without it.
pub const SALT_BYTES: usize = 16;

/// The most bytes of a number as typed.
pub const MAX_TYPED: usize = 64;

/// A phone number as typed, and the salt under which an op names it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TypedNumber {
    /// The op that names it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub op: OpId,
    /// 16 random bytes.
    pub salt: Base64,
    /// As typed; read as Korean without a country code.
    pub number: String,
}

/// Keeps the number out of logs.
impl std::fmt::Debug for TypedNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypedNumber(…)")
    }
}

impl TypedNumber {
    /// Whether this is what an op's hash names.
    pub fn is(&self, named: NumberHash) -> bool {
        let fits = self.salt.0.len() == SALT_BYTES && self.number.len() <= MAX_TYPED;
        fits && hash(&self.salt.0, &self.number) == named
    }
}

/// What an op says of a number: SHA-256 over salt and number as typed.
pub fn hash(salt: &[u8], number: &str) -> NumberHash {
    NumberHash(sha256(&[b"moa/number:", salt, number.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_salt_and_its_number_alone() {
        let typed = TypedNumber {
            op: OpId([1; 16]),
            salt: Base64(vec![7; SALT_BYTES]),
            number: "010-1234-5678".to_owned(),
        };
        let named = hash(&[7; SALT_BYTES], "010-1234-5678");
        assert!(typed.is(named));
        assert!(!TypedNumber { number: "010-1234-5679".to_owned(), ..typed.clone() }.is(named));
        assert!(!TypedNumber { salt: Base64(vec![8; SALT_BYTES]), ..typed.clone() }.is(named));
        // A salt that takes some of the number's characters is no salt.
        let shifted = TypedNumber { salt: Base64([&[7; 16][..], b"0"].concat()), ..typed.clone() };
        assert!(!TypedNumber { number: "10-1234-5678".to_owned(), ..shifted }.is(named));
        assert_eq!(format!("{typed:?}"), "TypedNumber(…)");
    }
}
