//! Names of things. Sixteen random or time-ordered bytes each, written as 32 lower-case hex digits.
//!
//! A thing is named by the op that made it: a group bears the id of the op that founded it, a lot that of the
//! claim. So a phone knows the name before the server has answered, and nobody has to hand out numbers.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is not the hex form of an id of the expected length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hex digits")]
pub struct BadId {
    /// Digits that a well-formed id has.
    pub expected: usize,
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] #[cbor(with = "minicbor::bytes")] pub [u8; $len]);

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                // Without the length that an array is hashed with: always the same, and a decision hashes hundreds of ids.
                state.write(&self.0);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                let bad = BadId { expected: $len * 2 };
                let digits = text.as_bytes();
                if digits.len() != $len * 2 {
                    return Err(bad);
                }
                let mut bytes = [0; $len];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    match (hex_digit(pair[0]), hex_digit(pair[1])) {
                        (Some(high), Some(low)) => *byte = high << 4 | low,
                        _ => return Err(bad),
                    }
                }
                Ok(Self(bytes))
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = BadId;

            fn try_from(bytes: &[u8]) -> Result<Self, BadId> {
                bytes.try_into().map(Self).map_err(|_| BadId { expected: $len * 2 })
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A signed command: a `UUIDv7` made by its author, or a `UUIDv8` derived by a job of the server.
    OpId,
    16
);
id!(
    /// A person's account. Random; the phone number that opened it is kept elsewhere.
    AccountId,
    16
);
id!(
    /// A shop: the id of the op that registered it.
    MerchantId,
    16
);
id!(
    /// An alliance of shops: the id of the op that founded it.
    GroupId,
    16
);
id!(
    /// One earning in a wallet: the id of the claim that made it.
    LotId,
    16
);
id!(
    /// A picture: the first sixteen bytes of the SHA-256 of the JPEG that the server made of it.
    PictureId,
    16
);
id!(
    /// A signing key: the first eight bytes of the SHA-256 of its uncompressed public point.
    KeyId,
    8
);

impl OpId {
    /// The UUID version written into the id: 7 for authors, 8 for jobs of the server.
    pub fn version(self) -> u8 {
        self.0[6] >> 4
    }

    /// The group that an op of this id founds.
    pub fn as_group(self) -> GroupId {
        GroupId(self.0)
    }

    /// The merchant that an op of this id registers.
    pub fn as_merchant(self) -> MerchantId {
        MerchantId(self.0)
    }

    /// The lot that a claim of this id makes.
    pub fn as_lot(self) -> LotId {
        LotId(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = GroupId([0xa7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn upper_case_short_and_foreign_texts_are_refused() {
        for text in ["", "A7", &"A7".repeat(16), &"a7".repeat(15), &"zz".repeat(16), "가나다라마바사아자차카"]
        {
            assert_eq!(text.parse::<GroupId>(), Err(BadId { expected: 32 }), "{text}");
        }
    }
}
