//! Redemptions: mileage as payment at any shop of its group. (A9, A10, rules.md "Redemption")

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, MerchantId};
use crate::lot::Allocation;
use crate::op::{Carried, OP_VERSION, RedemptionCode};
use crate::quantity::Units;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// Takes `units` from the wallet of whoever signed the code, at the author's shop.
///
/// Approved if and only if the shop is a member, the code is unused, in time and for so many, the balance covers
/// it, and the balance reaches the group's minimum.
pub(crate) fn redeem(
    view: &View,
    author: &Author,
    carried: &Carried,
    units: Units,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let Carried::Code(code) = carried else { return Err(Refusal::NotACode.into()) };
    let RedemptionCode { version, key, counter, expires, group, most } = *code;
    if version != OP_VERSION {
        return Err(Refusal::UnsupportedVersion.into());
    }
    view.want(&[
        Key::Device(key),
        Key::Counter(key, counter),
        Key::Member(group, merchant),
        Key::Group(group),
    ])?;

    let buyer = view.device(key)?.ok_or(Refusal::UnknownKey)?;
    let account = buyer.check_pays(now)?;
    // A shop's owner may pay at the own till: then one key signs both, each with a counter of its own.
    let own = (author.op.actor, author.op.counter) == (key, counter);
    if own || view.counter_used(key, counter)? {
        return Err(Refusal::CodeUsed.into());
    }
    if now > Timestamp::from_seconds(expires) {
        return Err(Refusal::CodeExpired.into());
    }
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    if units > most {
        return Err(Refusal::MoreThanCode { asked: units, most }.into());
    }
    let allocations = afford(view, (account, group), merchant, units, now)?;
    let till = author.till();
    let body = EventBody::Redeemed { group, merchant, account, units, allocations, till, pass: None };
    let mut decision = author.caused(body);
    decision.use_counter(key, counter);
    Ok(decision)
}

/// Which lots `units` at this shop come from: the shop is a member, and the balance covers them and reaches the minimum.
pub(crate) fn afford(
    view: &View,
    (account, group): (AccountId, GroupId),
    merchant: MerchantId,
    units: Units,
    now: Timestamp,
) -> Result<Vec<Allocation>, Halt> {
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    view.want(&[Key::Member(group, merchant), Key::Group(group)])?;
    let current = view.group(group)?.ok_or(Refusal::UnknownGroup)?.terms_version;
    if view.member(group, merchant)?.is_none() {
        return Err(Refusal::ShopNotInGroup.into());
    }
    view.want(&[Key::Terms(group, current), Key::Wallet(account, group)])?;
    let terms = &view.terms(group, current)?.ok_or(Refusal::UnknownGroup)?.terms;
    let wallet = view.wallet(account, group)?;
    let available = wallet.available(now);
    if available < terms.minimum {
        return Err(Refusal::BelowMinimum { minimum: terms.minimum, available }.into());
    }
    let not_enough = Refusal::NotEnough { asked: units, available };
    Ok(wallet.allocate(units, terms.order, now).ok_or(not_enough)?)
}
