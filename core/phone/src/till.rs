//! A till without signal: what it may still sell, and what it should say about that. (docs/rules.md C)

use moa_rules::certificate::{ALLOWANCE, Certificate, HARD, SOFT, until};
use moa_rules::id::MerchantId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::{Limits, day_span, sales_day};
use moa_rules::time::Timestamp;
use moa_wire::api::TillStanding;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, own_shop};
use crate::store::outbox::{self, Effect};
use crate::store::{meta, sales};

/// A certificate is renewed once it has been good for so long: once a day.
const RENEW_AFTER: i64 = Timestamp::DAY;
/// No sooner than so long after it was last asked for.
const ASK_AGAIN: i64 = 10 * Timestamp::MINUTE;

/// How a till stands without the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TillState {
    /// Sales that the server has not confirmed.
    pub unconfirmed: u64,
    /// Minor units that may be sold before it is heard again.
    pub left: Money,
    /// What this person may sell, if they are of the shop's staff.
    pub limits: Option<Limits>,
    /// Whether it is time to go online.
    pub remind: bool,
    /// Why it signs no more vouchers, if so.
    pub refuses: Option<Refusal>,
}

impl Phone {
    /// How this till stands without the server; none if the phone acts for no shop.
    ///
    /// # Errors
    /// Storage.
    pub fn till_state(&self) -> Result<Option<TillState>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            if own_shop(db)?.is_none() {
                return Ok(None);
            }
            let (count, sum) = sales::unconfirmed(db, self.key())?;
            let (certificate, limits) = standing(db, now)?;
            let hours = hours_since(self.heard_at(), now);
            let left = certificate.most.0.saturating_sub(certificate.used.0).saturating_sub(sum.0).max(0);
            Ok(Some(TillState {
                unconfirmed: count,
                left: Money(left),
                limits,
                remind: count >= SOFT.vouchers || hours >= SOFT.hours,
                refuses: check_offline(db, self, Money(1), now).err(),
            }))
        })
    }

    /// The shop of a sale that this till may sign now.
    pub(crate) fn selling(&self, amount: Money) -> Result<MerchantId, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let merchant = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            check_sale(db, self, amount, now)?;
            Ok(merchant)
        })
    }

    /// Signs a renewal of this till's certificate, if it is time. To be called where the key may take its time, before
    /// the outbox is sent; nobody is told if it is refused.
    ///
    /// # Errors
    /// Storage, key.
    pub fn renew_certificate_if_due(&self) -> Result<bool, PhoneError> {
        let now = self.now();
        if !self.store().read(|db| is_due(db, self, now))? {
            return Ok(false);
        }
        self.submit(
            OpBody::RenewCertificate,
            |_| Effect::default(),
            |db, op| {
                outbox::quiet(db, op.value().id)?;
                meta::set(db, &meta::RENEWED_AT, &now)
            },
        )?;
        Ok(true)
    }
}

fn is_due(db: &Connection, phone: &Phone, now: Timestamp) -> Result<bool, PhoneError> {
    if meta::get(db, &meta::MERCHANT)?.is_none() {
        return Ok(false);
    }
    if !outbox::pending(db, Kind::RenewCertificate)?.is_empty() {
        return Ok(false);
    }
    let certificate = meta::get(db, &meta::TILL)?.and_then(|till| till.certificate);
    // A clock that was set back must not make it wait, nor does one that was asked for and has come.
    let lately = |asked: Timestamp| asked <= now && now < asked.plus(ASK_AGAIN);
    let came = |asked: Timestamp| certificate.is_some_and(|given| given.until >= until(asked));
    if meta::get(db, &meta::RENEWED_AT)?.is_some_and(|asked| lately(asked) && !came(asked)) {
        return Ok(false);
    }
    let Some(certificate) = certificate else { return Ok(true) };
    let (_, unconfirmed) = sales::unconfirmed(db, phone.key())?;
    let used = certificate.used.0.saturating_add(unconfirmed.0);
    let fresh = until(now).plus(-RENEW_AFTER);
    // A further phone of the owner's begins with nothing at all.
    Ok(certificate.until < fresh || used > certificate.most.0 / 2 || certificate.most.0 == 0)
}

/// What this till may sell, as far as it knows. A shop that has just opened has what every new shop gets.
fn standing(db: &Connection, now: Timestamp) -> Result<(Certificate, Option<Limits>), PhoneError> {
    let till: TillStanding = meta::get(db, &meta::TILL)?.unwrap_or_default();
    let first = || Certificate::new(Money(ALLOWANCE.0 / 2), now);
    Ok((till.certificate.unwrap_or_else(first), till.limits))
}

fn hours_since(heard_at: Option<Timestamp>, now: Timestamp) -> u32 {
    let since = heard_at.map_or(0, |heard| now.0.saturating_sub(heard.0));
    u32::try_from(since / Timestamp::HOUR).unwrap_or(0)
}

/// Refuses a sale that this till may not sign now.
///
/// # Errors
/// `too_many_offline`, `offline_too_long`, `certificate_expired`, `certificate_used`, `over_sale_limit`, `over_day_limit`.
fn check_sale(db: &Connection, phone: &Phone, amount: Money, now: Timestamp) -> Result<(), PhoneError> {
    check_offline(db, phone, amount, now)?;
    if let (_, Some(limits)) = standing(db, now)? {
        let today = day_span(sales_day(now.seconds()));
        limits.allow(amount, sales::sold_between(db, phone.key(), today)?)?;
    }
    Ok(())
}

fn check_offline(db: &Connection, phone: &Phone, amount: Money, now: Timestamp) -> Result<(), Refusal> {
    // What can't be read refuses nothing here: the write that follows will say so.
    let (count, sum) = sales::unconfirmed(db, phone.key()).unwrap_or_default();
    if count >= HARD.vouchers {
        return Err(Refusal::TooManyOffline { max: HARD.vouchers });
    }
    if hours_since(phone.heard_at(), now) >= HARD.hours {
        return Err(Refusal::OfflineTooLong { hours: HARD.hours });
    }
    let Ok((certificate, _)) = standing(db, now) else { return Ok(()) };
    let used = Money(certificate.used.0.saturating_add(sum.0));
    Certificate { used, ..certificate }.check(amount, now)
}
