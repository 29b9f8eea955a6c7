//! Certificates: what a till may sell before it has to hear from the server again, so that every voucher that it signs in
//! a basement is honoured. (docs/rules.md C)
//!
//! A certificate is an event in the till's inbox, no token: only the till itself and the server need it. What it reserves
//! counts towards the shop's allowance until it is renewed or runs out.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::device::Device;
use crate::event::EventBody;
use crate::id::MerchantId;
use crate::quantity::Money;
use crate::refusal::Refusal;
use crate::role;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long a certificate is good.
pub const CERTIFICATE_DAYS: u32 = 7;
/// What a shop's tills may sell together before they sync, in minor units, unless an operator sets it.
pub const ALLOWANCE: Money = Money(1_000_000_000);
/// The most that an operator may set that to: no limit to speak of, and no sum that leaves `i64`.
pub const MOST_ALLOWANCE: Money = Money(crate::quantity::MAX_AMOUNT.0 * 100_000);

/// Vouchers or hours without a sync after which a till reminds its shop.
pub const SOFT: Offline = Offline { vouchers: 50, hours: 24 };
/// Vouchers or hours without a sync after which a till signs no more.
pub const HARD: Offline = Offline { vouchers: 300, hours: 72 };

/// How far a till has gone without a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offline {
    /// Sales signed that the server has not confirmed.
    pub vouchers: u64,
    /// Hours since the server was last heard.
    pub hours: u32,
}

/// What a till may sell, and what it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Certificate {
    /// Sales dated after this instant are not honoured under it.
    #[n(0)]
    pub until: Timestamp,
    /// Minor units that may be sold under it.
    #[n(1)]
    pub most: Money,
    /// Minor units sold under it that the server knows of.
    #[n(2)]
    pub used: Money,
}

impl Certificate {
    /// A fresh one, decided at `now`.
    pub fn new(most: Money, now: Timestamp) -> Self {
        Self { until: until(now), most, used: Money(0) }
    }

    /// Refuses a sale of `amount` dated `time` that it does not cover.
    ///
    /// # Errors
    /// `certificate_expired`, `certificate_used`.
    pub fn check(&self, amount: Money, time: Timestamp) -> Result<(), Refusal> {
        if time > self.until {
            return Err(Refusal::CertificateExpired { days: CERTIFICATE_DAYS });
        }
        let left = self.most.0.saturating_sub(self.used.0);
        if amount.0 > left {
            return Err(Refusal::CertificateUsed { left: Money(left.max(0)) });
        }
        Ok(())
    }
}

/// When a certificate decided at `now` runs out.
pub fn until(now: Timestamp) -> Timestamp {
    now.plus(i64::from(CERTIFICATE_DAYS) * Timestamp::DAY)
}

/// What a certificate of this till reserves: half of what the shop's other tills have left of its allowance, so that a
/// further till always finds something.
pub(crate) fn share(view: &View, merchant: MerchantId, till: &Device, now: Timestamp) -> Result<Money, Halt> {
    view.want(&[Key::Merchant(merchant), Key::Tills(merchant)])?;
    let allowance = view.merchant(merchant)?.map_or(ALLOWANCE, |shop| shop.allowance);
    let tills = view.tills(merchant)?;
    view.want(&tills.iter().map(|key| Key::Device(*key)).collect::<Vec<_>>())?;
    let mut left = allowance.0;
    for key in tills.iter().filter(|key| **key != till.key) {
        let Some(other) = view.device(*key)?.filter(|other| other.signs(now)) else { continue };
        let reserved = other.certificate.filter(|certificate| certificate.until > now);
        left = left.saturating_sub(reserved.map_or(0, |certificate| certificate.most.0));
    }
    Ok(Money((left / 2).max(0)))
}

/// Renews the author's certificate.
pub(crate) fn renew(view: &View, author: &Author, now: Timestamp) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let most = share(view, merchant, author.device, now)?;
    if most.0 == 0 {
        return Err(Refusal::NoAllowance.into());
    }
    let (key, till) = (author.device.key, author.till());
    Ok(author.caused(EventBody::CertificateIssued { merchant, key, most, until: until(now), till }))
}

/// An operator sets what a shop's tills may sell together before they sync.
pub(crate) fn set_allowance(
    view: &View,
    author: &Author,
    merchant: MerchantId,
    most: Money,
    now: Timestamp,
) -> Result<Decision, Halt> {
    role::check_operator(view, author, now)?;
    if most.0 < 0 {
        return Err(Refusal::AmountNotPositive.into());
    }
    if most > MOST_ALLOWANCE {
        return Err(Refusal::AmountTooLarge { max: MOST_ALLOWANCE }.into());
    }
    view.merchant(merchant)?.ok_or(Refusal::NoMerchant)?;
    Ok(author.caused(EventBody::AllowanceSet { merchant, most }))
}
