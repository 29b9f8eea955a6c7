//! The phone's own key store, as the host implements it: Android Keystore or StrongBox, Secure Enclave.

use std::sync::Arc;

use moa_phone::KeyStoreError as Why;

/// Why a key store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyStoreError {
    /// Not now: the phone is locked, or the person said no. It is asked again later; nothing is lost.
    #[error("{detail}")]
    Locked {
        /// For a report.
        detail: String,
    },
    /// Never again: the key was invalidated or deleted, or lies in another device. What it sealed is forgotten, and the
    /// number has to be confirmed again.
    #[error("{detail}")]
    Gone {
        /// For a report.
        detail: String,
    },
    /// Something else.
    #[error("{detail}")]
    Failed {
        /// For a report.
        detail: String,
    },
}

/// What the host threw that is none of the three.
impl From<uniffi::UnexpectedUniFFICallbackError> for KeyStoreError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

impl From<KeyStoreError> for Why {
    fn from(error: KeyStoreError) -> Self {
        match error {
            KeyStoreError::Locked { detail } => Self::Locked(detail),
            KeyStoreError::Gone { detail } => Self::Gone(detail),
            KeyStoreError::Failed { detail } => Self::Failed(detail),
        }
    }
}

/// A P-256 key that signs and a key that seals, neither of which leaves its key store. Called from threads of the app's
/// own, never two calls for one app's call; a call may ask the person and take its time.
#[uniffi::export(with_foreign)]
pub trait KeyStore: Send + Sync {
    /// The signing key's public half: the uncompressed point (65 bytes), or as Java's `PublicKey.getEncoded()` gives it (91
    /// bytes). Asked when the app is opened, which may be while the phone is locked.
    fn public_key(&self) -> Result<Vec<u8>, KeyStoreError>;

    /// ECDSA over this SHA-256 digest of 32 bytes, which must not be hashed again: r‖s (64 bytes) or DER.
    fn sign_digest(&self, digest: Vec<u8>) -> Result<Vec<u8>, KeyStoreError>;

    /// Encrypts and authenticates at most 1 KiB; gives back at most 1 KiB more.
    fn seal(&self, plain: Vec<u8>) -> Result<Vec<u8>, KeyStoreError>;

    /// What `seal` was given. `Gone`, if this key store can never open it.
    fn open(&self, sealed: Vec<u8>) -> Result<Vec<u8>, KeyStoreError>;
}

/// The host's key store as the phone asks it.
pub(crate) struct Host(pub(crate) Arc<dyn KeyStore>);

impl moa_phone::KeyStore for Host {
    fn public_key(&self) -> Result<Vec<u8>, Why> {
        Ok(self.0.public_key()?)
    }

    fn sign_digest(&self, digest: [u8; 32]) -> Result<Vec<u8>, Why> {
        Ok(self.0.sign_digest(digest.to_vec())?)
    }

    fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, Why> {
        Ok(self.0.seal(plain.to_vec())?)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Why> {
        Ok(self.0.open(sealed.to_vec())?)
    }
}
