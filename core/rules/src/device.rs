//! Signing keys: whose they are, what kind, for which shop they act, since when they may pay, until when they may sign.
//! (A9, C11; docs/rules.md D)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::certificate::Certificate;
use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, KeyId, MerchantId};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long a further device of an account can't pay, unless an older one agrees: time for its owner to notice.
pub const NEW_DEVICE_HOURS: u32 = 48;
/// The longest that a browser may stay signed in: a month.
pub const BROWSER_DAYS: u32 = 31;
/// The most keys of one account that may sign at a time.
pub const MOST_KEYS: usize = 50;

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

/// What a key lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(flat)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// A phone. The server's own key counts as one.
    #[n(0)]
    Phone,
    /// A browser, which a phone let in. May do what its phone may, but not pay and not answer for other keys.
    #[n(1)]
    Browser {
        /// Until then.
        #[n(0)]
        until: Timestamp,
    },
    /// A shop's own computer: records sales and redeems, and that is all. (A11)
    #[n(2)]
    Service,
}

/// A signing key's record. A key acts for one shop at most, so a voucher need not name the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The key's id.
    pub key: KeyId,
    /// Who holds it.
    pub holder: Holder,
    /// What it lives in.
    pub kind: KeyKind,
    /// The uncompressed P-256 point.
    pub public_key: Vec<u8>,
    /// From when it may sign.
    pub enrolled_at: Timestamp,
    /// From when it may pay and answer for other keys.
    pub pays_from: Timestamp,
    /// From when it may no longer sign.
    pub revoked_at: Option<Timestamp>,
    /// The shop that it acts for.
    pub merchant: Option<MerchantId>,
    /// Whether it acts there for one of the staff, not for the owner.
    pub staff: bool,
    /// When its holder left that staff. What it signed before is honoured.
    pub left_at: Option<Timestamp>,
    /// What it may sell before it renews that.
    pub certificate: Option<Certificate>,
}

impl Device {
    /// A key that acts for no shop, good from `at` on.
    pub fn new(key: KeyId, holder: Holder, public_key: Vec<u8>, at: Timestamp) -> Self {
        Self {
            key,
            holder,
            kind: KeyKind::Phone,
            public_key,
            enrolled_at: at,
            pays_from: at,
            revoked_at: None,
            merchant: None,
            staff: false,
            left_at: None,
            certificate: None,
        }
    }

    /// The server's own key.
    pub fn system(key: KeyId, public_key: Vec<u8>) -> Self {
        Self::new(key, Holder::System, public_key, Timestamp(0))
    }

    /// Whether it may sign at `now`.
    pub fn signs(&self, now: Timestamp) -> bool {
        let over = matches!(self.kind, KeyKind::Browser { until } if now >= until);
        self.revoked_at.is_none() && !over
    }

    /// Whether it is a phone of its shop's owner's.
    pub fn speaks_for_shop(&self) -> bool {
        self.merchant.is_some() && !self.staff && self.kind == KeyKind::Phone
    }

    /// Whether it sells for this shop, its holder not having left the staff.
    pub fn sells_for(&self, merchant: MerchantId) -> bool {
        self.merchant == Some(merchant) && self.left_at.is_none()
    }

    /// The account that holds it.
    pub fn account(&self) -> Option<AccountId> {
        match self.holder {
            Holder::Account(account) => Some(account),
            Holder::System => None,
        }
    }

    /// Refuses to let the key pay, or answer for other keys.
    ///
    /// # Errors
    /// `revoked_key`, `key_expired`, `not_allowed`, `device_too_new`.
    pub fn check_pays(&self, now: Timestamp) -> Result<AccountId, Refusal> {
        if self.revoked_at.is_some() {
            return Err(Refusal::RevokedKey);
        }
        match (self.kind, self.account()) {
            (KeyKind::Phone, Some(_)) if now < self.pays_from => {
                let left = self.pays_from.0.saturating_sub(now.0).saturating_add(Timestamp::HOUR - 1);
                let hours = u32::try_from(left / Timestamp::HOUR).unwrap_or(NEW_DEVICE_HOURS);
                Err(Refusal::DeviceTooNew { hours })
            }
            (KeyKind::Phone, Some(account)) => Ok(account),
            _ => Err(Refusal::NotAllowed),
        }
    }
}

/// Enrols a phone's key for an account, once. A second time for the same account is no change, but that a phone which waits
/// to pay waits no longer if its person has `proved` more by now.
///
/// The account's first phone pays at once; so does one whose person `proved` who they are by more than the number.
pub(crate) fn enrol(
    view: &View,
    author: &Author,
    (account, key, public_key): (AccountId, KeyId, &[u8]),
    proved: bool,
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    view.want(&[Key::Device(key), Key::DevicesOf(account), Key::Closed(account)])?;
    if view.is_closed(account)? {
        return Err(Refusal::AccountClosed.into());
    }
    match view.device(key)? {
        Some(device) if device.holder == Holder::Account(account) && device.revoked_at.is_none() => {
            if proved && now < device.pays_from {
                return Ok(author.caused(EventBody::DeviceAdmitted { account, key }));
            }
            return Ok(Decision::default());
        }
        Some(device) if device.revoked_at.is_some() => return Err(Refusal::RevokedKey.into()),
        Some(_) => return Err(Refusal::NotAllowed.into()),
        None => {}
    }
    let first = check_room(view, account, now)?;
    let wait = if first || proved { 0 } else { i64::from(NEW_DEVICE_HOURS) * Timestamp::HOUR };
    let (kind, pays_from, public_key) = (KeyKind::Phone, now.plus(wait), public_key.to_vec());
    let enrolled = EventBody::DeviceEnrolled { account, key, public_key, kind, pays_from, merchant: None };
    Ok(author.caused(enrolled))
}

/// Refuses one key too many. Says whether the account never had one.
fn check_room(view: &View, account: AccountId, now: Timestamp) -> Result<bool, Halt> {
    let known = view.devices_of(account)?;
    view.want(&known.iter().map(|key| Key::Device(*key)).collect::<Vec<_>>())?;
    let mut signing = 0;
    for key in known {
        signing += usize::from(view.device(*key)?.is_some_and(|device| device.signs(now)));
    }
    if signing >= MOST_KEYS {
        return Err(Refusal::TooManyKeys { max: MOST_KEYS as u64 }.into());
    }
    Ok(known.is_empty())
}

/// Lets in a browser, or a computer of the author's shop.
pub(crate) fn add_key(
    view: &View,
    author: &Author,
    (key, public_key): (KeyId, &[u8]),
    kind: KeyKind,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.device.check_pays(now)?;
    let merchant = match kind {
        KeyKind::Phone => return Err(Refusal::NotAllowed.into()),
        KeyKind::Browser { until } => {
            let most = now.plus(i64::from(BROWSER_DAYS) * Timestamp::DAY);
            if until <= now || until > most {
                return Err(Refusal::SessionTooLong { days: BROWSER_DAYS }.into());
            }
            // A clerk's browser would have no limits of its own.
            author.device.merchant.filter(|_| !author.device.staff)
        }
        KeyKind::Service => Some(author.owner()?),
    };
    view.want(&[Key::Device(key), Key::DevicesOf(account)])?;
    if view.device(key)?.is_some() {
        return Err(Refusal::NotAllowed.into());
    }
    check_room(view, account, now)?;
    let public_key = public_key.to_vec();
    let enrolled = EventBody::DeviceEnrolled { account, key, public_key, kind, pays_from: now, merchant };
    Ok(author.caused(enrolled))
}

/// Ends a key: any of the author's own, a clerk's of the author's shop while they are one, or anyone's if the author is an operator.
pub(crate) fn revoke(view: &View, author: &Author, key: KeyId, now: Timestamp) -> Result<Decision, Halt> {
    let own = author.account()?;
    view.want(&[Key::Device(key), Key::Operator(own)])?;
    let device = view.device(key)?.ok_or(Refusal::UnknownDevice)?;
    let account = device.account().ok_or(Refusal::UnknownDevice)?;
    // The phone of someone who has left the staff is theirs alone again.
    let of_shop = author.owner().is_ok_and(|shop| device.sells_for(shop));
    if !(account == own || of_shop || view.is_operator(own)?) {
        return Err(Refusal::UnknownDevice.into());
    }
    if key != author.device.key {
        author.device.check_pays(now)?;
    }
    if device.revoked_at.is_some() {
        return Err(Refusal::RevokedKey.into());
    }
    let (merchant, till) = (device.merchant, device.staff.then_some(key));
    Ok(author.caused(EventBody::DeviceRevoked { account, key, merchant, till }))
}

/// An older phone agrees that a new one of the same account may pay.
pub(crate) fn admit(view: &View, author: &Author, key: KeyId, now: Timestamp) -> Result<Decision, Halt> {
    let account = author.device.check_pays(now)?;
    let device = view.device(key)?.ok_or(Refusal::UnknownDevice)?;
    if device.account() != Some(account) {
        return Err(Refusal::UnknownDevice.into());
    }
    if device.revoked_at.is_some() {
        return Err(Refusal::RevokedKey.into());
    }
    Ok(author.caused(EventBody::DeviceAdmitted { account, key }))
}

/// The owner's phone begins to act for a shop that another of the owner's phones opened.
pub(crate) fn act_for(
    view: &View,
    author: &Author,
    merchant: MerchantId,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.device.check_pays(now)?;
    let shop = view.merchant(merchant)?.ok_or(Refusal::NoMerchant)?;
    if shop.owner != account {
        return Err(Refusal::NotAllowed.into());
    }
    if author.device.merchant.is_some() {
        return Err(Refusal::KeyHasMerchant.into());
    }
    Ok(author.caused(EventBody::TillAdded { merchant, account, key: author.device.key }))
}
