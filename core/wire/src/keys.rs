//! Signing keys: ES256, ECDSA on P-256 with SHA-256, the one curve that both phones' key stores have.

use moa_rules::id::KeyId;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};

/// Bytes of an uncompressed P-256 point.
pub const PUBLIC_KEY_BYTES: usize = 65;
/// Bytes of a signature, r‖s.
pub const SIGNATURE_BYTES: usize = 64;

/// Why the key did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Not now: the phone is locked, or the user said no. Later it may.
    #[error("the key is locked: {0}")]
    Locked(String),
    /// Never again.
    #[error("the key is gone: {0}")]
    Gone(String),
    /// Something else, that nobody can mend on the spot.
    #[error("the key did not sign: {0}")]
    Failed(String),
}

/// Something that signs: a key in software, or one that a phone's key store keeps to itself.
pub trait Signer: Send + Sync {
    /// The uncompressed P-256 point, 65 bytes.
    fn public_key(&self) -> Vec<u8>;

    /// ES256 over the message: 64 bytes, r‖s. May ask the user; hold no lock meanwhile.
    ///
    /// # Errors
    /// [`SignError`] if it did not sign.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The key's id.
    fn key_id(&self) -> KeyId {
        key_id(&self.public_key())
    }
}

/// The id of a public key: the first eight bytes of its SHA-256.
pub fn key_id(public_key: &[u8]) -> KeyId {
    let digest = sha256(&[public_key]);
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    KeyId(id)
}

/// SHA-256 over the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// Whether `signature` (r‖s) is that of `message` by `public_key`.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key).verify(message, signature).is_ok()
}

/// Whether the bytes are a point that can verify anything: 65 bytes, uncompressed.
pub fn plausible(public_key: &[u8]) -> bool {
    public_key.len() == PUBLIC_KEY_BYTES && public_key[0] == 4
}

/// A key in memory: for the server, desktops and tests.
pub struct SoftwareKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl SoftwareKey {
    /// Makes a new key; the bytes are its PKCS #8 form, to be kept secret.
    ///
    /// # Errors
    /// [`SignError`] if the system has no randomness to give.
    pub fn generate() -> Result<(Self, Vec<u8>), SignError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| SignError::Failed("no randomness".to_owned()))?;
        Ok((Self::from_pkcs8(document.as_ref())?, document.as_ref().to_vec()))
    }

    /// Reads a key back.
    ///
    /// # Errors
    /// [`SignError`] if the bytes are not a P-256 key in PKCS #8.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, SignError> {
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &random)
            .map(|pair| Self { pair, random })
            .map_err(|error| SignError::Failed(error.to_string()))
    }
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.pair
            .sign(&self.random, message)
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| SignError::Failed("no randomness".to_owned()))
    }
}
