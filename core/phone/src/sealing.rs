//! Sealing of small values with AES-256-GCM: encrypted, and bound to the place where they are kept, so that a value
//! that was changed, or moved from one row to another, does not open.
//!
//! A sealed value is `[1, nonce (12), ciphertext, tag (16)]`. The nonce is random; a phone seals some thousand values a
//! year, far below the 2^32 at which random nonces of one key come too close.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{Okm, Prk};
use ring::rand::{SecureRandom, SystemRandom};

use crate::key_store::KeyStoreError;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// The form of sealed values.
const VERSION: u8 = 1;

/// A key that seals.
pub(crate) struct Sealing(LessSafeKey);

/// It does not open: changed, moved, or of another key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsealed;

impl Sealing {
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        // Fails for another length only.
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are a key")))
    }

    pub fn derived(from: &Prk) -> Self {
        // Fails for more than 8 KiB only.
        let key: Okm<_> = from.expand(&[b"aes-256-gcm"], &AES_256_GCM).expect("32 bytes can be derived");
        Self(LessSafeKey::new(UnboundKey::from(key)))
    }

    /// Seals a value for one place.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .map_err(|_| KeyStoreError::Failed("too long to seal".to_owned()))?;
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    /// The value that was sealed for this place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealed> {
        let [VERSION, rest @ ..] = sealed else { return Err(Unsealed) };
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unsealed)?;
        let (nonce, mut value) = (Nonce::assume_unique_for_key(*nonce), rest.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(place), &mut value).map_err(|_| Unsealed)?.len();
        value.truncate(length);
        Ok(value)
    }
}

/// Randomness of the system, not of the phone's [`Environment`](crate::Environment): a run that is repeated must not
/// repeat a nonce, and nothing that a phone does depends on it.
pub(crate) fn random(bytes: &mut [u8]) -> Result<(), KeyStoreError> {
    SystemRandom::new().fill(bytes).map_err(|_| KeyStoreError::Failed("no randomness".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_opens_in_its_own_place_and_unchanged() {
        let sealing = Sealing::new(&[7; KEY_BYTES]);
        let sealed = sealing.seal("secret/token", b"value").unwrap();
        assert_eq!(sealing.open("secret/token", &sealed).unwrap(), b"value");
        assert_eq!(sealing.open("secret/member", &sealed), Err(Unsealed));
        assert_eq!(Sealing::new(&[8; KEY_BYTES]).open("secret/token", &sealed), Err(Unsealed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealing.open("secret/token", &changed), Err(Unsealed), "byte {at}");
            assert_eq!(sealing.open("secret/token", &sealed[..at]), Err(Unsealed), "cut at {at}");
        }
        assert_ne!(sealing.seal("secret/token", b"value").unwrap(), sealed, "never the same twice");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(Sealing::new(&[7; KEY_BYTES]).open("place", &bytes), Err(Unsealed));
        }
    }
}
