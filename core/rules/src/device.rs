//! Signing keys: whose they are, and for which shop they act.

use minicbor::{Decode, Encode};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, KeyId, MerchantId};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, View};

/// Who holds a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Holder {
    /// The server: jobs, enrolments.
    #[n(0)]
    System,
    /// A person, on one of their devices.
    #[n(1)]
    Account(#[n(0)] AccountId),
}

/// A signing key's record. A key acts for one shop at most, so a voucher need not name the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The key's id.
    pub key: KeyId,
    /// Who holds it.
    pub holder: Holder,
    /// The shop that it acts for.
    pub merchant: Option<MerchantId>,
    /// The uncompressed P-256 point.
    pub public_key: Vec<u8>,
    /// From when it may no longer sign.
    pub revoked_at: Option<Timestamp>,
}

/// Enrols a key for an account, once. A second time for the same account is no change.
pub(crate) fn enrol(
    view: &View,
    author: &Author,
    (account, key, public_key): (AccountId, KeyId, &[u8]),
) -> Result<Decision, Halt> {
    author.system()?;
    match view.device(key)? {
        Some(device) if device.holder == Holder::Account(account) => Ok(Decision::default()),
        Some(_) => Err(Refusal::NotAllowed.into()),
        None => {
            let public_key = public_key.to_vec();
            Ok(author.caused(EventBody::DeviceEnrolled { account, key, public_key }))
        }
    }
}
