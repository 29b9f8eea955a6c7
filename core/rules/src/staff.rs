//! Staff: who sells for a shop that is not theirs, within limits. (A9; docs/rules.md F)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, KeyId, MerchantId};
use crate::op::{Carried, OP_VERSION};
use crate::quantity::Money;
use crate::refusal::Refusal;
use crate::time::{Day, Timestamp, Zone, end_of_day, local_day};
use crate::view::{Halt, Key, View};

/// For how long an owner's invitation is good.
pub const INVITATION_HOURS: u32 = 24;

/// The zone in which a clerk's day begins and ends.
const ZONE: &str = "Asia/Seoul";

/// What a clerk may sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Limits {
    /// In one sale, 1..=[`crate::quantity::MAX_AMOUNT`] minor units.
    #[n(0)]
    pub per_sale: Money,
    /// In one day, by the sales' own time, 1..=[`crate::quantity::MAX_AMOUNT`] minor units.
    #[n(1)]
    pub per_day: Money,
}

impl Limits {
    /// Refuses limits that let nothing through, or everything.
    ///
    /// # Errors
    /// `amount_not_positive`, `amount_too_large`.
    pub fn check(self) -> Result<(), Refusal> {
        crate::sale::check_amount(self.per_sale)?;
        crate::sale::check_amount(self.per_day)
    }

    /// Refuses a sale of `amount` by someone who has sold `sold` that day.
    ///
    /// # Errors
    /// `over_sale_limit`, `over_day_limit`.
    pub fn allow(self, amount: Money, sold: Money) -> Result<(), Refusal> {
        if amount > self.per_sale {
            return Err(Refusal::OverSaleLimit { max: self.per_sale });
        }
        if sold.0.saturating_add(amount.0) > self.per_day.0 {
            return Err(Refusal::OverDayLimit { max: self.per_day, sold });
        }
        Ok(())
    }
}

/// An owner's word that whoever shows it may sell for the shop. Signed by the owner's phone, shown as a QR code.
///
/// In CBOR `[version, key, counter, expires, limits]`. Good for one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct StaffInvitation {
    /// [`OP_VERSION`].
    #[n(0)]
    pub version: u8,
    /// The owner's key.
    #[n(1)]
    pub key: KeyId,
    /// From the same series as the key's ops.
    #[n(2)]
    pub counter: u64,
    /// The second after which it is void: [`INVITATION_HOURS`] after it was made.
    #[n(3)]
    pub expires: u64,
    /// What the clerk may sell.
    #[n(4)]
    pub limits: Limits,
}

/// Someone who sells, or sold, for a shop that is not theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staff {
    /// The shop.
    pub merchant: MerchantId,
    /// The person.
    pub account: AccountId,
    /// The person's phone that sells.
    pub key: KeyId,
    /// What they may sell.
    pub limits: Limits,
    /// When they joined.
    pub joined_at: Timestamp,
    /// When they left.
    pub left_at: Option<Timestamp>,
}

/// The day of a sale of second `sold`, for a clerk's limit.
pub fn sales_day(sold: u64) -> Day {
    local_day(Timestamp::from_seconds(sold), &Zone::named(ZONE).unwrap_or_default()).into()
}

/// From when to when a clerk's day lasts.
pub fn day_span(day: Day) -> (Timestamp, Timestamp) {
    let zone = Zone::named(ZONE).unwrap_or_default();
    (end_of_day(Day(day.0.saturating_sub(1)), &zone), end_of_day(day, &zone))
}

/// Joins a shop's staff on the owner's invitation; the author's phone sells for the shop from now on.
pub(crate) fn join(
    view: &View,
    author: &Author,
    carried: &Carried,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let account = author.phone()?;
    let Carried::Invitation(invitation) = carried else { return Err(Refusal::NotAnInvitation.into()) };
    let StaffInvitation { version, key, counter, expires, limits } = *invitation;
    if version != OP_VERSION {
        return Err(Refusal::UnsupportedVersion.into());
    }
    view.want(&[Key::Device(key), Key::Counter(key, counter)])?;
    let owner = view.device(key)?.ok_or(Refusal::UnknownKey)?;
    if !owner.signs(now) {
        return Err(Refusal::RevokedKey.into());
    }
    let Some(merchant) = owner.merchant.filter(|_| owner.speaks_for_shop()) else {
        return Err(Refusal::NotAnInvitation.into());
    };
    if view.counter_used(key, counter)? {
        return Err(Refusal::InvitationUsed.into());
    }
    let end = Timestamp::from_seconds(expires);
    let most = now.plus(i64::from(INVITATION_HOURS) * Timestamp::HOUR + Timestamp::HOUR);
    if now > end || end > most {
        return Err(Refusal::InvitationExpired { hours: INVITATION_HOURS }.into());
    }
    limits.check()?;
    if owner.account() == Some(account) {
        return Err(Refusal::NotAllowed.into());
    }
    // Who left may come back with the same phone; a phone sells for one shop only, in all its life.
    let returns = author.device.staff && author.device.left_at.is_some();
    if author.device.merchant.is_some_and(|shop| !(returns && shop == merchant)) {
        return Err(Refusal::KeyHasMerchant.into());
    }
    if let Some(staff) = view.staff(merchant, account)?.filter(|staff| staff.left_at.is_none())
        // Who lost the phone comes with another.
        && view.device(staff.key)?.is_some_and(|till| till.signs(now))
    {
        return Err(Refusal::AlreadyStaff.into());
    }
    let most = crate::certificate::share(view, merchant, author.device, now)?;
    let joined = EventBody::StaffJoined { merchant, account, key: author.device.key, limits };
    let mut decision = author.caused(joined);
    let (key, till, until) = (author.device.key, Some(author.device.key), crate::certificate::until(now));
    decision.then(author, EventBody::CertificateIssued { merchant, key, most, until, till });
    decision.use_counter(invitation.key, counter);
    Ok(decision)
}

/// Ends someone's selling for a shop: by its owner, or by themselves.
pub(crate) fn remove(
    view: &View,
    author: &Author,
    merchant: MerchantId,
    account: AccountId,
) -> Result<Decision, Halt> {
    let by = author.account()?;
    if by != account && author.owner().ok() != Some(merchant) {
        return Err(Refusal::NotStaff.into());
    }
    let staff = view.staff(merchant, account)?.filter(|staff| staff.left_at.is_none());
    let staff = staff.ok_or(Refusal::NotStaff)?;
    Ok(author.caused(EventBody::StaffLeft { merchant, account, key: staff.key }))
}

/// Refuses a sale that the author's limits as one of the staff do not allow.
pub(crate) fn check_sale(
    view: &View,
    author: &Author,
    merchant: MerchantId,
    amount: Money,
) -> Result<(), Halt> {
    if !author.device.staff {
        return Ok(());
    }
    let account = author.account()?;
    let day = sales_day(author.op.time);
    view.want(&[Key::Staff(merchant, account), Key::StaffDay(merchant, account, day)])?;
    let staff = view.staff(merchant, account)?.ok_or(Refusal::NotStaff)?;
    Ok(staff.limits.allow(amount, view.staff_day(merchant, account, day)?)?)
}

/// Refuses mileage of a shop's sale of second `sold` to its own owner, and to whoever was of its staff then.
///
/// # Errors
/// `own_sale`.
pub(crate) fn check_buyer(
    view: &View,
    merchant: MerchantId,
    account: AccountId,
    sold: u64,
) -> Result<(), Halt> {
    view.want(&[Key::Merchant(merchant), Key::Staff(merchant, account)])?;
    let owns = view.merchant(merchant)?.is_some_and(|shop| shop.owner == account);
    let sold = Timestamp::from_seconds(sold);
    let of_staff = |staff: &Staff| {
        // The sale's time is its shop's word: whoever is of the staff now is refused whatever it says.
        staff.left_at.is_none_or(|left| sold < left)
    };
    if owns || view.staff(merchant, account)?.is_some_and(of_staff) {
        return Err(Refusal::OwnSale.into());
    }
    Ok(())
}
