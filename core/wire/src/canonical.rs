//! Deterministic CBOR: one value, one form.
//!
//! Encoding is deterministic because fields are numbered and integers take their shortest form. Decoding makes sure
//! of it by encoding again: what differs has an unknown field, a longer form, or something behind it.

use minicbor::{Decode, Encode};

/// Bytes that are not the canonical form of what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not in canonical form")]
pub struct NotCanonical;

/// The one form of a value.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    match minicbor::encode(value, &mut bytes) {
        Ok(()) => bytes,
        // Writing into a `Vec` has no way to fail.
        Err(error) => match error.into_write() {
            Some(never) => match never {},
            None => unreachable!("our own types encode"),
        },
    }
}

/// The value that these bytes are the one form of.
///
/// # Errors
/// [`NotCanonical`] for anything else.
pub fn decode<'b, T: Decode<'b, ()> + Encode<()>>(bytes: &'b [u8]) -> Result<T, NotCanonical> {
    let value: T = minicbor::decode(bytes).map_err(|_| NotCanonical)?;
    if encode(&value) == bytes { Ok(value) } else { Err(NotCanonical) }
}
