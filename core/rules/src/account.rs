//! Accounts that end: closed by their person, or merged into another of the same person's. (docs/rules.md A)
//!
//! The journal knows accounts by random ids, so it stays as it is; who the person was is erased beside it. No mileage is
//! lost unseen: what a closed account held expires, in events; what a merged one held is in the other.

use minicbor::{Decode, Encode};

use crate::decide::{Author, Decision};
use crate::device::Device;
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, KeyId};
use crate::lot::Lot;
use crate::op::{Carried, OP_VERSION};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long a consent to merge is good.
pub const CONSENT_MINUTES: u32 = 10;

/// A person's word, on the phone of the account that is to end, that all it holds goes to whoever shows it. Shown as a QR
/// code to the phone of the account that stays.
///
/// In CBOR `[version, key, counter, expires]`. Good once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MergeConsent {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// A key of the account that is to end.
    #[n(1)]
    pub key: KeyId,
    /// From the same series as the key's ops.
    #[n(2)]
    pub counter: u64,
    /// The second after which it is void: [`CONSENT_MINUTES`] after it was made.
    #[n(3)]
    pub expires: u64,
}

/// Closes the author's account: what it holds expires, and its keys may sign no more.
pub(crate) fn close(view: &View, author: &Author, now: Timestamp) -> Result<Decision, Halt> {
    let account = author.device.check_pays(now)?;
    check_free(view, account, now)?;
    let mut decision = Decision::default();
    for (group, lots) in holdings(view, account)? {
        for lot in lots {
            let allocation = lot.part(lot.remaining);
            decision.then(author, EventBody::Expired { group, account, allocation });
        }
    }
    decision.then(author, EventBody::AccountClosed { account, into: None });
    Ok(decision)
}

/// Takes over all that another account of the same person's holds, on its consent; the other one ends.
pub(crate) fn merge(
    view: &View,
    author: &Author,
    carried: &Carried,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let into = author.device.check_pays(now)?;
    let Carried::Consent(consent) = carried else { return Err(Refusal::NotAConsent.into()) };
    let MergeConsent { version, key, counter, expires } = *consent;
    if version != OP_VERSION {
        return Err(Refusal::UnsupportedVersion.into());
    }
    view.want(&[Key::Device(key), Key::Counter(key, counter)])?;
    let from = view.device(key)?.ok_or(Refusal::UnknownKey)?.check_pays(now)?;
    if from == into {
        return Err(Refusal::NotAConsent.into());
    }
    if view.counter_used(key, counter)? {
        return Err(Refusal::CodeUsed.into());
    }
    let end = Timestamp::from_seconds(expires);
    let most = now.plus(i64::from(CONSENT_MINUTES + 1) * Timestamp::MINUTE);
    if now > end || end > most {
        return Err(Refusal::CodeExpired.into());
    }
    check_free(view, from, now)?;
    let mut decision = Decision::default();
    for (group, lots) in holdings(view, from)? {
        for lot in &lots {
            // Two phones could sign under the same id; the second lot would take the first one's place.
            if view.had_lot(into, group, lot.id)? {
                return Err(Refusal::BadOpId.into());
            }
        }
        decision.then(author, EventBody::LotsMoved { group, from, into, lots });
    }
    decision.then(author, EventBody::AccountClosed { account: from, into: Some(into) });
    decision.use_counter(key, counter);
    Ok(decision)
}

/// Refuses to end an account that others count on: a shop's owner's, one of its staff's, one with passes out.
fn check_free(view: &View, account: AccountId, now: Timestamp) -> Result<(), Halt> {
    let keys = view.devices_of(account)?;
    view.want(&keys.iter().map(|key| Key::Device(*key)).collect::<Vec<_>>())?;
    for key in keys {
        let acts = |device: &Device| device.merchant.is_some() && device.left_at.is_none();
        if view.device(*key)?.is_some_and(|device| device.signs(now) && acts(device)) {
            return Err(Refusal::HasShop.into());
        }
    }
    // What passes and holds reserve is not the account's to end.
    let held = |(_, lots): &(GroupId, Vec<Lot>)| lots.iter().any(|lot| !lot.held.is_zero());
    if holdings(view, account)?.iter().any(held) { Err(Refusal::PassesOpen.into()) } else { Ok(()) }
}

/// What an account holds, by group, what has ended and was not swept yet among it.
fn holdings(view: &View, account: AccountId) -> Result<Vec<(GroupId, Vec<Lot>)>, Halt> {
    let groups = view.wallets_of(account)?;
    view.want(&groups.iter().map(|group| Key::Wallet(account, *group)).collect::<Vec<_>>())?;
    let mut found = Vec::new();
    for group in groups {
        let lots: Vec<Lot> = view.wallet(account, *group)?.lots().cloned().collect();
        if !lots.is_empty() {
            found.push((*group, lots));
        }
    }
    Ok(found)
}
