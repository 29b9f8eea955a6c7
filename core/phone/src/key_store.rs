//! The device key and what is sealed with it: in a phone's key store, or in software.
//!
//! A phone's key store ([`KeyStore`]: Android Keystore, StrongBox, Secure Enclave) signs a digest and encrypts a few
//! bytes; [`HostKeys`] makes of it what the phone needs ([`DeviceKeys`]), and trusts it with nothing that can be checked.
//! [`SoftwareKeys`] are for desktops, tests and simulations. Neither keeps secrets of ours: see `secrets`.

use std::sync::Arc;

use moa_wire::keys::{SIGNATURE_BYTES, SignError, Signer, SoftwareKey, plausible, sha256, verify};
use ring::hkdf;

use crate::sealing::{Sealing, Unsealed};

/// The most bytes that a key store is asked to seal.
pub const MAX_SEALED: usize = 1_024;
/// The most that sealing may add.
const MAX_OVERHEAD: usize = 1_024;

/// Why a key store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// Not now: the phone is locked, or the user said no. Later it may; nothing is lost.
    #[error("the key store is locked: {0}")]
    Locked(String),
    /// Never again: the key was invalidated or deleted. What it sealed is forgotten; without the key that signs, the phone is
    /// to be signed in again.
    #[error("the key is gone: {0}")]
    Gone(String),
    /// Something else, that nobody can mend on the spot.
    #[error("the key store failed: {0}")]
    Failed(String),
}

impl From<SignError> for KeyStoreError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Locked(why) => Self::Locked(why),
            SignError::Gone(why) => Self::Gone(why),
            SignError::Failed(why) => Self::Failed(why),
        }
    }
}

impl From<KeyStoreError> for SignError {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::Locked(why) => Self::Locked(why),
            KeyStoreError::Gone(why) => Self::Gone(why),
            KeyStoreError::Failed(why) => Self::Failed(why),
        }
    }
}

/// A phone's key store, as a host implements it: one P-256 key that signs, and a key that seals. Neither leaves it.
/// Calls may ask the user; no lock is held meanwhile.
pub trait KeyStore: Send + Sync {
    /// The signing key's public half: the uncompressed point (65 bytes), or its `SubjectPublicKeyInfo` (91 bytes), as
    /// Java's `PublicKey.getEncoded()` gives it. To be had while the phone is locked, too.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    fn public_key(&self) -> Result<Vec<u8>, KeyStoreError>;

    /// ECDSA over a SHA-256 digest, which is not hashed again: r‖s (64 bytes) or DER.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    fn sign_digest(&self, digest: [u8; 32]) -> Result<Vec<u8>, KeyStoreError>;

    /// Encrypts and authenticates at most [`MAX_SEALED`] bytes; gives back at most 1 KiB more than it got.
    ///
    /// # Errors
    /// [`KeyStoreError`].
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError>;

    /// What [`Self::seal`] was given.
    ///
    /// # Errors
    /// [`KeyStoreError`]; [`KeyStoreError::Gone`] if this key store can't open it, ever.
    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError>;
}

/// What a phone needs of its keys: to sign, and to seal.
pub trait DeviceKeys: Signer {
    /// As [`KeyStore::seal`].
    ///
    /// # Errors
    /// [`KeyStoreError`].
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError>;

    /// As [`KeyStore::unseal`].
    ///
    /// # Errors
    /// [`KeyStoreError`].
    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError>;
}

/// The keys of a host's key store.
pub struct HostKeys {
    store: Arc<dyn KeyStore>,
    public_key: Vec<u8>,
}

impl HostKeys {
    /// Asks for the public key, once.
    ///
    /// # Errors
    /// [`KeyStoreError`], if it gives none or something else.
    pub fn new(store: Arc<dyn KeyStore>) -> Result<Self, KeyStoreError> {
        let given = store.public_key()?;
        let public_key = point(&given)
            .ok_or_else(|| failed(format!("{} bytes are no public key of P-256", given.len())))?;
        Ok(Self { store, public_key })
    }
}

impl Signer for HostKeys {
    fn public_key(&self) -> Vec<u8> {
        self.public_key.clone()
    }

    /// A signature that does not verify (a host that hashes once more) is noticed here: the server would refuse the
    /// op for good.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let given = self.store.sign_digest(sha256(&[message]))?;
        // DER of 64 bytes is as good as never made, but may be.
        let readings = [Some(given.clone()), from_der(&given)].into_iter().flatten();
        let mut fixed = readings.filter(|signature| signature.len() == SIGNATURE_BYTES);
        fixed
            .find(|signature| verify(&self.public_key, message, signature))
            .ok_or_else(|| SignError::Failed(format!("{} bytes are no signature by this key", given.len())))
    }
}

impl DeviceKeys for HostKeys {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        if plain.len() > MAX_SEALED {
            return Err(failed(format!("{} bytes are too many to seal", plain.len())));
        }
        let sealed = self.store.seal(plain)?;
        if sealed.len() > plain.len() + MAX_OVERHEAD || sealed.windows(plain.len().max(1)).any(|w| w == plain)
        {
            return Err(failed("what it sealed is too long, or not sealed".to_owned()));
        }
        Ok(sealed)
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        if sealed.len() > MAX_SEALED + MAX_OVERHEAD {
            return Err(failed(format!("{} bytes are too many to open", sealed.len())));
        }
        self.store.unseal(sealed)
    }
}

/// Keys in this process: any signer, and a key for sealing that is derived from a secret.
///
/// With the secret in a file beside the data (as on desktops), sealing protects a copy of the database alone, such as
/// one in a backup or sent in with a question. It does not protect from who can read the whole folder.
pub struct SoftwareKeys {
    signer: Arc<dyn Signer>,
    sealing: Sealing,
}

impl SoftwareKeys {
    /// Signs with `signer`, seals with a key derived from `secret`, which should have 32 random bytes at least.
    pub fn new(signer: Arc<dyn Signer>, secret: &[u8]) -> Self {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"moa/seal").extract(secret);
        Self { signer, sealing: Sealing::derived(&extracted) }
    }

    /// A new key, for a phone whose data is nowhere either.
    pub(crate) fn generate() -> Result<Self, KeyStoreError> {
        let (key, secret) = SoftwareKey::generate()?;
        Ok(Self::new(Arc::new(key), &secret))
    }

    /// The key in these bytes of PKCS #8, which it also seals with.
    pub(crate) fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyStoreError> {
        Ok(Self::new(Arc::new(SoftwareKey::from_pkcs8(bytes)?), bytes))
    }
}

impl Signer for SoftwareKeys {
    fn public_key(&self) -> Vec<u8> {
        self.signer.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signer.sign(message)
    }
}

/// What software seals is for no place of its own: there is one thing only.
const PLACE: &str = "device";

impl DeviceKeys for SoftwareKeys {
    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        self.sealing.seal(PLACE, plain)
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
        self.sealing
            .open(PLACE, sealed)
            .map_err(|Unsealed| KeyStoreError::Gone("another key sealed this, or it was changed".to_owned()))
    }
}

fn failed(why: String) -> KeyStoreError {
    KeyStoreError::Failed(why)
}

/// What comes before the point in the `SubjectPublicKeyInfo` of a P-256 key.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The point of a public key, in either form.
fn point(public_key: &[u8]) -> Option<Vec<u8>> {
    let point = public_key.strip_prefix(&SPKI).unwrap_or(public_key);
    plausible(point).then(|| point.to_vec())
}

/// r‖s of a signature in DER: a sequence of two integers, none longer than it has to be.
fn from_der(signature: &[u8]) -> Option<Vec<u8>> {
    let [0x30, length, integers @ ..] = signature else { return None };
    if usize::from(*length) != integers.len() {
        return None;
    }
    let (r, rest) = integer(integers)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| [r, s].concat())
}

/// The first integer in DER as 32 bytes, and what follows it.
fn integer(der: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, rest @ ..] = der else { return None };
    let (value, rest) = rest.split_at_checked(usize::from(*length))?;
    let value = match value {
        [0, rest @ ..] if rest.first().is_some_and(|first| *first >= 0x80) => rest,
        [0 | 0x80.., ..] | [] => return None,
        value => value,
    };
    let mut fixed = [0; 32];
    fixed.get_mut(32_usize.checked_sub(value.len())?..)?.copy_from_slice(value);
    Some((fixed, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_wire::keys::PUBLIC_KEY_BYTES;
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::ecdsa::{DerSignature, Signature, SigningKey};
    use proptest::prelude::*;

    /// What a host does with the digest.
    #[derive(Clone, Copy)]
    enum Habit {
        Fixed,
        Der,
        HighS,
        HashesAgain,
        Short,
        Locked,
    }

    struct Host(SigningKey, Habit);

    impl Host {
        fn keys(habit: Habit) -> HostKeys {
            let key = SigningKey::from_slice(&[7; 32]).unwrap();
            HostKeys::new(Arc::new(Self(key, habit))).unwrap()
        }
    }

    impl KeyStore for Host {
        fn public_key(&self) -> Result<Vec<u8>, KeyStoreError> {
            let point = self.0.verifying_key().to_sec1_point(false).as_bytes().to_vec();
            Ok(if matches!(self.1, Habit::Der) { [&SPKI[..], &point].concat() } else { point })
        }

        fn sign_digest(&self, digest: [u8; 32]) -> Result<Vec<u8>, KeyStoreError> {
            let sign = |digest: &[u8]| -> Signature { self.0.sign_prehash(digest).unwrap() };
            let signature = sign(&digest);
            Ok(match self.1 {
                Habit::Fixed => signature.to_bytes().to_vec(),
                Habit::Der => DerSignature::from(signature).as_bytes().to_vec(),
                Habit::HighS => {
                    let (r, s) = signature.split_scalars();
                    Signature::from_scalars(r, -s).unwrap().to_bytes().to_vec()
                }
                Habit::HashesAgain => sign(&sha256(&[&digest])).to_bytes().to_vec(),
                Habit::Short => signature.to_bytes()[..63].to_vec(),
                Habit::Locked => return Err(KeyStoreError::Locked("no finger".to_owned())),
            })
        }

        fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            match self.1 {
                Habit::Short => Ok(plain.to_vec()),
                _ => Ok(plain.iter().rev().map(|byte| byte ^ 0x55).collect()),
            }
        }

        fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, KeyStoreError> {
            Ok(sealed.iter().rev().map(|byte| byte ^ 0x55).collect())
        }
    }

    #[test]
    fn r_s_and_der_and_a_high_s_are_all_taken_and_given_on_as_r_s() {
        for habit in [Habit::Fixed, Habit::Der, Habit::HighS] {
            let keys = Host::keys(habit);
            // Enough for integers of 31, 32 and 33 bytes.
            for message in 0..=255 {
                let signature = keys.sign(&[message]).unwrap();
                assert_eq!(signature.len(), SIGNATURE_BYTES);
                assert!(verify(&keys.public_key(), &[message], &signature));
            }
        }
    }

    #[test]
    fn what_is_no_signature_of_the_message_is_an_error_and_not_an_op() {
        for habit in [Habit::HashesAgain, Habit::Short] {
            assert!(matches!(Host::keys(habit).sign(b"sale"), Err(SignError::Failed(_))));
        }
        assert_eq!(Host::keys(Habit::Locked).sign(b"sale"), Err(SignError::Locked("no finger".to_owned())));
    }

    #[test]
    fn what_is_not_sealed_or_too_much_is_noticed() {
        assert!(matches!(Host::keys(Habit::Short).seal(&[1; 32]), Err(KeyStoreError::Failed(_))));
        let keys = Host::keys(Habit::Fixed);
        assert!(matches!(keys.seal(&[1; MAX_SEALED + 1]), Err(KeyStoreError::Failed(_))));
        assert!(matches!(keys.unseal(&[1; 2 * MAX_SEALED + 1]), Err(KeyStoreError::Failed(_))));
        assert_eq!(keys.unseal(&keys.seal(&[1; MAX_SEALED]).unwrap()).unwrap(), vec![1; MAX_SEALED]);
    }

    #[test]
    fn another_secret_opens_nothing() {
        let keys = |secret: &[u8]| SoftwareKeys::new(Arc::new(SoftwareKey::generate().unwrap().0), secret);
        let sealed = keys(b"one").seal(b"data key").unwrap();
        assert_eq!(keys(b"one").unseal(&sealed).unwrap(), b"data key");
        assert!(matches!(keys(b"two").unseal(&sealed), Err(KeyStoreError::Gone(_))));
        assert!(matches!(keys(b"one").unseal(&sealed[1..]), Err(KeyStoreError::Gone(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_signature_and_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Some(signature) = from_der(&bytes) {
                prop_assert_eq!(signature.len(), SIGNATURE_BYTES);
            }
            if let Some(point) = point(&bytes) {
                prop_assert_eq!(point.len(), PUBLIC_KEY_BYTES);
            }
        }
    }
}
