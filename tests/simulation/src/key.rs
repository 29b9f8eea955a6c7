//! Keys that follow from a seed. ECDSA takes a random number for each signature; RFC 6979 derives it from the key
//! and the message instead, so that the same run signs the same bytes.

use std::sync::atomic::{AtomicBool, Ordering};

use moa_wire::keys::{SignError, Signer, sha256};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

/// A signing key of one seed.
pub(crate) struct SeededKey {
    key: SigningKey,
    public_key: Vec<u8>,
    locked: AtomicBool,
}

impl SeededKey {
    /// The key of this name in this seed.
    pub(crate) fn new(seed: u64, name: &str) -> Self {
        let mut attempt = 0_u8;
        let key = loop {
            let secret = sha256(&[b"moa/simulation", &seed.to_be_bytes(), name.as_bytes(), &[attempt]]);
            // Nearly every number of 32 bytes is a key.
            match SigningKey::from_slice(&secret) {
                Ok(key) => break key,
                Err(_) => attempt += 1,
            }
        };
        let public_key = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
        Self { key, public_key, locked: AtomicBool::new(false) }
    }

    /// From now on the owner says no when asked for a finger, or yes again.
    pub(crate) fn lock(&self, locked: bool) {
        self.locked.store(locked, Ordering::Relaxed);
    }
}

impl Signer for SeededKey {
    fn public_key(&self) -> Vec<u8> {
        self.public_key.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        if self.locked.load(Ordering::Relaxed) {
            return Err(SignError::Locked("the owner said no".to_owned()));
        }
        let signature: Signature = self.key.sign(message);
        Ok(signature.to_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::keys::verify;

    #[test]
    fn one_seed_signs_the_same_bytes_and_the_other_side_takes_them() {
        let [one, again] = [(); 2].map(|()| SeededKey::new(7, "shop"));
        let signature = one.sign(b"message").unwrap();
        assert_eq!(signature, again.sign(b"message").unwrap());
        assert!(verify(&again.public_key(), b"message", &signature));
        assert_ne!(one.public_key(), SeededKey::new(8, "shop").public_key());
        assert_ne!(one.public_key(), SeededKey::new(7, "buyer").public_key());
    }
}
