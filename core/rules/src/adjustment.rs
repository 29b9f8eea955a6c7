//! Adjustments: mileage that a shop gives or takes away without a sale, with a reason. Opening balances of an older
//! programme are such grants. (rules.md "Books")

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, MerchantId};
use crate::lot::{Lot, take};
use crate::member::Buyer;
use crate::op::Carried;
use crate::quantity::{Money, Units};
use crate::refusal::Refusal;
use crate::staff;
use crate::terms::{Terms, Unit};
use crate::time::{Day, Timestamp, end_of_day, local_day};
use crate::view::{Halt, Key, View};

/// The most that a grant is worth, in minor units.
pub const MOST_GRANT: Money = Money(1_000_000);
/// How far ahead the last day of a grant may lie.
pub const GRANT_DAYS: u32 = 3_660;

/// Why mileage was given or taken away. The author stands with the event; free text would be a place for personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Reason {
    /// A balance of an older programme, or of paper.
    #[n(0)]
    OpeningBalance,
    /// An apology, a present, a prize.
    #[n(1)]
    Goodwill,
    /// A mistake at the till is put right.
    #[n(2)]
    Correction,
    /// It was got by cheating.
    #[n(3)]
    Misuse,
    /// Something else.
    #[n(4)]
    Other,
}

/// To whom a shop gives mileage.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Grantee {
    /// An account that the shop knows from its books.
    #[n(0)]
    Account(#[n(0)] AccountId),
    /// A buyer, as the shop can name them at the till.
    #[n(1)]
    Buyer(#[n(0)] Buyer),
}

/// What a shop gives.
pub(crate) struct Gift {
    pub(crate) group: GroupId,
    pub(crate) units: Units,
    pub(crate) reason: Reason,
    pub(crate) last_day: Option<Day>,
}

/// Gives a buyer mileage of the author's shop, of the kind that the group's terms now have.
pub(crate) fn grant(
    view: &View,
    author: &Author,
    carried: &Carried,
    to: &Grantee,
    gift: &Gift,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let Gift { group, units, reason, last_day } = *gift;
    let merchant = author.owner()?;
    let account = grantee(author, carried, to)?;
    view.want(&[Key::Group(group), Key::Member(group, merchant), Key::Closed(account)])?;
    if view.is_closed(account)? {
        return Err(Refusal::AccountClosed.into());
    }
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    view.member(group, merchant)?.ok_or(Refusal::ShopNotInGroup)?.check_active()?;
    if !known.issues(now) {
        return Err(Refusal::GroupClosing.into());
    }
    staff::check_buyer(view, merchant, account, now.seconds())?;
    let version = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?;
    let terms = &version.terms;
    let last_day = check_gift(terms, units, last_day, now)?;
    let lot = author.op.id.as_lot();
    if view.had_lot(account, group, lot)? {
        return Err(Refusal::BadOpId.into());
    }
    Ok(author.caused(EventBody::Granted {
        lot,
        group,
        merchant,
        account,
        units,
        worth: terms.worth(),
        terms_version: version.version,
        last_day,
        ends_at: end_of_day(last_day, &terms.tz()),
        reason,
    }))
}

/// The last day of a gift of so many units under these terms: the one asked for, or that of what is earned now.
///
/// # Errors
/// `units_not_positive`, `grant_too_large`, `bad_last_day`.
pub fn check_gift(
    terms: &Terms,
    units: Units,
    last_day: Option<Day>,
    now: Timestamp,
) -> Result<Day, Refusal> {
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive);
    }
    if units.value(terms.unit_value).is_none_or(|value| value > MOST_GRANT) {
        return Err(Refusal::GrantTooLarge { max: MOST_GRANT });
    }
    let zone = terms.tz();
    let today = Day::from(local_day(now, &zone));
    let latest = today.0.saturating_add(i32::try_from(GRANT_DAYS).unwrap_or(i32::MAX));
    let last_day = last_day.unwrap_or_else(|| terms.validity.last_day(now, &zone));
    if last_day < today || last_day.0 > latest {
        return Err(Refusal::BadLastDay { days: GRANT_DAYS });
    }
    Ok(last_day)
}

fn grantee(author: &Author, carried: &Carried, to: &Grantee) -> Result<AccountId, Refusal> {
    match (to, carried) {
        (Grantee::Account(account), _) => Ok(*account),
        (Grantee::Buyer(buyer), Carried::Buyer(found)) => Ok(found.at(buyer, author.op.time)?.0),
        _ => Err(Refusal::MemberCodeUnknown),
    }
}

/// What a shop takes away.
pub(crate) struct Taking {
    pub(crate) group: GroupId,
    pub(crate) account: AccountId,
    pub(crate) units: Units,
    pub(crate) unit: Option<Unit>,
    pub(crate) reason: Reason,
}

/// Takes away mileage that the author's shop issued, in spending order.
pub(crate) fn take_away(
    view: &View,
    author: &Author,
    taking: &Taking,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let Taking { group, account, units, unit, reason } = *taking;
    let merchant: MerchantId = author.owner()?;
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    view.want(&[Key::Group(group), Key::Wallet(account, group)])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let order = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?.terms.order;
    let wallet = view.wallet(account, group)?;
    // Frozen or not: what the shop issued it may take away.
    let usable = crate::lot::Usable { frozen: &[], ..known.usable(unit, now) };
    let own = wallet.in_order(order, &usable).into_iter().filter(|lot: &&Lot| lot.issuer == merchant);
    let taken = take(own, units);
    let left: Units = taken.iter().map(|part| part.units).sum();
    if left < units {
        return Err(Refusal::NotSoMuchIssued { left }.into());
    }
    Ok(author.caused(EventBody::TakenAway { group, merchant, account, units, taken, reason }))
}
