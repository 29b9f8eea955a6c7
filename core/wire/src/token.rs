//! Tokens: what is signed. `COSE_Sign1` (RFC 9052), ES256, canonical CBOR inside.
//!
//! The kind of token is named in `external_aad`, so that one can't pass for another: a redemption code's signature
//! does not verify as an op. The type says what was checked: a [`Sealed`] is well-formed, a [`Checked`] was signed by
//! the key that it names.

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, iana};
use minicbor::{Decode, Encode};
use moa_rules::account::MergeConsent;
use moa_rules::event::Inbox;
use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::{OP_VERSION, Op, RedemptionCode};
use moa_rules::pass::{PassCode, PassToken};
use moa_rules::quantity::Units;
use moa_rules::staff::StaffInvitation;
use moa_rules::terms::Unit;

use crate::canonical;
use crate::keys::{self, PUBLIC_KEY_BYTES, SignError, Signer};

/// Something that is signed.
pub trait Token: Encode<()> + for<'b> Decode<'b, ()> {
    /// Names the kind of token in what is signed.
    const AAD: &'static [u8];
    /// The most bytes that a token of this kind has, signature and all.
    const MAX_BYTES: usize;
}

impl Token for Op {
    const AAD: &'static [u8] = b"moa/op";
    const MAX_BYTES: usize = 4_096;
}

impl Token for RedemptionCode {
    const AAD: &'static [u8] = b"moa/redemption-code";
    const MAX_BYTES: usize = 160;
}

impl Token for StaffInvitation {
    const AAD: &'static [u8] = b"moa/staff-invitation";
    const MAX_BYTES: usize = 160;
}

impl Token for MergeConsent {
    const AAD: &'static [u8] = b"moa/merge-consent";
    const MAX_BYTES: usize = 160;
}

impl Token for PassToken {
    const AAD: &'static [u8] = b"moa/pass";
    const MAX_BYTES: usize = 240;
}

impl Token for PassCode {
    const AAD: &'static [u8] = b"moa/pass-code";
    const MAX_BYTES: usize = 350;
}

/// The server's word that a redemption stands, for a shop without signal. Signed by the server's key.
///
/// In CBOR `[version, op, merchant, group, units, expires, unit]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Approval {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The op that redeems.
    #[n(1)]
    pub op: OpId,
    /// The shop that it is for.
    #[n(2)]
    pub merchant: MerchantId,
    /// The group whose mileage it is.
    #[n(3)]
    pub group: GroupId,
    /// Units taken.
    #[n(4)]
    pub units: Units,
    /// The second after which a shop no longer honours it.
    #[n(5)]
    pub expires: u64,
    /// What a unit is; none for points.
    #[n(6)]
    pub unit: Option<Unit>,
}

impl Token for Approval {
    const AAD: &'static [u8] = b"moa/approval";
    const MAX_BYTES: usize = 160;
}

/// The head of an inbox: how many events it has, and the hash over them all. Signed by the server's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The inbox.
    #[n(1)]
    pub inbox: Inbox,
    /// Events in it.
    #[n(2)]
    pub count: u64,
    /// The hash over them, in order. See [`crate::chain`].
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

impl Head {
    /// A head of the version that this code writes.
    pub fn new(inbox: Inbox, count: u64, hash: [u8; 32]) -> Self {
        Self { version: OP_VERSION, inbox, count, hash }
    }
}

impl Token for Head {
    const AAD: &'static [u8] = b"moa/head";
    const MAX_BYTES: usize = 200;
}

/// The device's word that it holds the key that it enrols. Signed by that key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Possession {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The enrolment.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub enrolment: [u8; 16],
}

impl Token for Possession {
    const AAD: &'static [u8] = b"moa/possession";
    const MAX_BYTES: usize = 128;
}

/// The device's word that a key in software speaks for it when it reads. Signed by the device key.
///
/// A key of a key store may ask for a finger, and is too slow for every request; so it signs this once a month.
/// In CBOR `[version, key, session public key, from, until]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SessionEndorsement {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The device key.
    #[n(1)]
    pub key: KeyId,
    /// The session key's uncompressed P-256 point.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub public_key: [u8; PUBLIC_KEY_BYTES],
    /// The second from which it holds, by the device's clock.
    #[n(3)]
    pub from: u64,
    /// The second after which it no longer does.
    #[n(4)]
    pub until: u64,
}

impl SessionEndorsement {
    /// The longest that one may hold, in seconds: 31 days.
    pub const MOST_SECONDS: u64 = 31 * 24 * 60 * 60;
}

impl Token for SessionEndorsement {
    const AAD: &'static [u8] = b"moa/session";
    const MAX_BYTES: usize = 256;
}

/// Why bytes are not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// More bytes than any token of this kind has.
    #[error("more than {max} bytes")]
    TooLarge {
        /// Bytes that are taken at most.
        max: usize,
    },
    /// Not a token of this kind, or not in its one form.
    #[error("not a token of this kind")]
    Malformed,
    /// The signature is not that of this key over these bytes.
    #[error("the signature does not match")]
    BadSignature,
}

/// A well-formed token. Its signature was not checked.
#[derive(Debug, Clone)]
pub struct Sealed<T> {
    value: T,
    bytes: Vec<u8>,
    sign1: CoseSign1,
}

/// The same bytes are the same token: there is one form.
impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T> Eq for Sealed<T> {}

impl<T: Token> Sealed<T> {
    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenError`] if it is over-long or not in its one form.
    pub fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() > T::MAX_BYTES {
            return Err(TokenError::TooLarge { max: T::MAX_BYTES });
        }
        let sign1 = CoseSign1::from_slice(bytes).map_err(|_| TokenError::Malformed)?;
        let payload = sign1.payload.as_deref().ok_or(TokenError::Malformed)?;
        let value = canonical::decode(payload).map_err(|_| TokenError::Malformed)?;
        let one_form = envelope(payload, sign1.signature.clone()).to_vec();
        if one_form.is_ok_and(|one_form| one_form != bytes) {
            return Err(TokenError::Malformed);
        }
        Ok(Self { value, bytes: bytes.to_vec(), sign1 })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`TokenError::BadSignature`].
    pub fn check(self, public_key: &[u8]) -> Result<Checked<T>, TokenError> {
        if signed_by(&self.sign1, T::AAD, public_key) {
            Ok(Checked(self))
        } else {
            Err(TokenError::BadSignature)
        }
    }

    /// What it says, if its signature is to be believed.
    pub fn unchecked(&self) -> &T {
        &self.value
    }

    /// The token as it travels.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of what was signed, without the signature: signing twice gives two signatures.
    pub fn payload_hash(&self) -> [u8; 32] {
        keys::sha256(&[self.sign1.payload.as_deref().unwrap_or_default()])
    }
}

/// A token whose signature was checked, or that was just signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T>(Sealed<T>);

impl<T: Token> Checked<T> {
    /// Signs a value.
    ///
    /// # Errors
    /// [`SignError`] if the key did not sign.
    pub fn sign(value: T, signer: &dyn Signer) -> Result<Self, SignError> {
        let payload = canonical::encode(&value);
        let mut sign1 = envelope(&payload, Vec::new());
        sign1.signature = signer.sign(&sign1.tbs_data(T::AAD))?;
        let bytes = sign1.clone().to_vec().map_err(|error| SignError::Failed(error.to_string()))?;
        Ok(Self(Sealed { value, bytes, sign1 }))
    }

    /// What it says.
    pub fn value(&self) -> &T {
        &self.0.value
    }

    /// The token as it travels.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of what was signed, without the signature.
    pub fn payload_hash(&self) -> [u8; 32] {
        self.0.payload_hash()
    }
}

fn envelope(payload: &[u8], signature: Vec<u8>) -> CoseSign1 {
    CoseSign1Builder::new()
        .protected(HeaderBuilder::new().algorithm(iana::Algorithm::ES256).build())
        .payload(payload.to_vec())
        .signature(signature)
        .build()
}

fn signed_by(sign1: &CoseSign1, aad: &[u8], public_key: &[u8]) -> bool {
    let es256 = RegisteredLabelWithPrivate::Assigned(iana::Algorithm::ES256);
    sign1.protected.header.alg == Some(es256)
        && keys::verify(public_key, &sign1.tbs_data(aad), &sign1.signature)
}

/// The key that a token of this kind names as its signer.
pub trait NamesKey {
    /// Its id.
    fn key(&self) -> KeyId;
}

impl NamesKey for Op {
    fn key(&self) -> KeyId {
        self.actor
    }
}

impl NamesKey for SessionEndorsement {
    fn key(&self) -> KeyId {
        self.key
    }
}

impl NamesKey for RedemptionCode {
    fn key(&self) -> KeyId {
        self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SoftwareKey;
    use coset::TaggedCborSerializable;
    use data_encoding::HEXLOWER;
    use moa_rules::op::OpBody;
    use moa_rules::quantity::Money;
    use proptest::prelude::*;

    fn sale(key: &SoftwareKey) -> Op {
        Op {
            version: OP_VERSION,
            id: OpId([7; 16]),
            actor: key.key_id(),
            counter: 1,
            time: 1_790_000_000,
            body: OpBody::RecordSale { amount: Money(4_500), addressee: None, redemption: None },
        }
    }

    /// RFC 9052 appendix C.2.1, from the COSE working group's examples: key "11" of appendix C.7.1.
    #[test]
    fn the_working_groups_es256_example_verifies() {
        let message = HEXLOWER
            .decode(
                b"d28443a10126a10442313154546869732069732074686520636f6e74656e742e58408eb33e4ca31d1c465ab05aac34cc6b23\
                  d58fef5c083106c4d25a91aef0b0117e2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
                    .iter()
                    .copied()
                    .filter(u8::is_ascii_hexdigit)
                    .collect::<Vec<_>>()
                    .as_slice(),
            )
            .unwrap();
        let public_key = HEXLOWER
            .decode(
                b"04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff\
                  20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
            )
            .unwrap();
        let sign1 = CoseSign1::from_tagged_slice(&message).unwrap();
        assert!(signed_by(&sign1, b"", &public_key));
        assert!(!signed_by(&sign1, b"moa/op", &public_key));
    }

    #[test]
    fn a_token_reads_back_and_its_signature_holds() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let signed = Checked::sign(sale(&key), &key).unwrap();
        let read = Sealed::<Op>::parse(signed.bytes()).unwrap().check(&key.public_key()).unwrap();
        assert_eq!(read, signed);
    }

    #[test]
    fn signing_twice_gives_two_signatures_and_one_payload_hash() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let [one, two] = [(); 2].map(|()| Checked::sign(sale(&key), &key).unwrap());
        assert_ne!(one.bytes(), two.bytes());
        assert_eq!(one.payload_hash(), two.payload_hash());
    }

    #[test]
    fn one_kind_of_token_cannot_pass_for_another() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let possession = Possession { version: OP_VERSION, enrolment: [1; 16] };
        let signed = Checked::sign(possession, &key).unwrap();
        let sign1 = CoseSign1::from_slice(signed.bytes()).unwrap();
        assert!(signed_by(&sign1, Possession::AAD, &key.public_key()));
        assert!(!signed_by(&sign1, Op::AAD, &key.public_key()));
        assert!(Sealed::<Op>::parse(signed.bytes()).is_err());
    }

    #[test]
    fn an_endorsement_fits_its_limit_and_is_no_other_token() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let public_key = key.public_key().try_into().unwrap();
        let (from, until) = (u64::MAX - SessionEndorsement::MOST_SECONDS, u64::MAX);
        let endorsement =
            SessionEndorsement { version: OP_VERSION, key: key.key_id(), public_key, from, until };
        let signed = Checked::sign(endorsement, &key).unwrap();
        assert!(signed.bytes().len() <= SessionEndorsement::MAX_BYTES, "{}", signed.bytes().len());
        let read = Sealed::<SessionEndorsement>::parse(signed.bytes()).unwrap();
        assert_eq!(read.check(&key.public_key()).unwrap().value(), &endorsement);
        assert_eq!(
            Sealed::<Possession>::parse(signed.bytes()).err(),
            Some(TokenError::TooLarge { max: 128 })
        );
        assert!(Sealed::<Op>::parse(signed.bytes()).is_err());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let signed = Checked::sign(sale(&key), &key).unwrap();
        for bit in 0..signed.bytes().len() * 8 {
            let mut bytes = signed.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = Sealed::<Op>::parse(&bytes).and_then(|sealed| sealed.check(&key.public_key()));
            assert!(read.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_longer_form_of_the_same_value_is_refused() {
        let (key, _) = SoftwareKey::generate().unwrap();
        let signed = Checked::sign(sale(&key), &key).unwrap();
        let sign1 = CoseSign1::from_slice(signed.bytes()).unwrap();
        let mut payload = sign1.payload.clone().unwrap();
        assert_eq!(payload[1], 1, "the version, in its shortest form");
        payload.splice(1..2, [0x18, 1]);
        let longer = envelope(&payload, sign1.signature).to_vec().unwrap();
        assert_eq!(Sealed::<Op>::parse(&longer), Err(TokenError::Malformed));
        assert_eq!(Sealed::<Op>::parse(&[signed.bytes(), &[0]].concat()), Err(TokenError::Malformed));
        assert_eq!(Sealed::<Op>::parse(&[0; 4_097]), Err(TokenError::TooLarge { max: 4_096 }));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Sealed::<Op>::parse(&bytes);
            let _ = Sealed::<RedemptionCode>::parse(&bytes);
            let _ = Sealed::<Approval>::parse(&bytes);
            let _ = Sealed::<Head>::parse(&bytes);
            let _ = Sealed::<SessionEndorsement>::parse(&bytes);
            let _ = canonical::decode::<Op>(&bytes);
            let _ = canonical::decode::<moa_rules::event::Event>(&bytes);
        }

        #[test]
        fn arbitrary_payloads_under_a_good_signature_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let bytes = envelope(&payload, vec![0; 64]).to_vec().unwrap();
            let _ = Sealed::<Op>::parse(&bytes);
            let _ = Sealed::<RedemptionCode>::parse(&bytes);
        }
    }
}
