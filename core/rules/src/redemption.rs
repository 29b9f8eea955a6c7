//! Redemptions: mileage as payment at any shop of its group. (A9, A10, rules.md "Redemption")

use std::collections::BTreeSet;

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, KeyId, MerchantId, OpId};
use crate::lot::{Allocation, Lot};
use crate::op::{Carried, OP_VERSION, RedemptionCode};
use crate::quantity::{Money, Units};
use crate::refusal::Refusal;
use crate::terms::Unit;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// Mileage that a shop took, and what of it came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The op that took it.
    pub id: OpId,
    /// The shop.
    pub merchant: MerchantId,
    /// The buyer.
    pub account: AccountId,
    /// The group.
    pub group: GroupId,
    /// When it was decided that it would be taken: of a pass or a hold, when that was.
    pub made_at: Timestamp,
    /// From which lots.
    pub allocations: Vec<Allocation>,
    /// Units that came back: those that were taken last.
    pub returned: Units,
    /// The key that took it, if it is one of the staff's.
    pub till: Option<KeyId>,
}

impl Redemption {
    /// Units taken, those that came back among them.
    pub fn units(&self) -> Units {
        self.allocations.iter().map(|part| part.units).sum()
    }

    /// What it paid, in minor units.
    pub fn value(&self) -> Money {
        let value =
            |part: &Allocation| part.units.value(part.worth.unit_value).map_or(i64::MAX, |value| value.0);
        Money(self.allocations.iter().map(value).fold(0, i64::saturating_add))
    }

    /// Units that make up `value`, counted from those that were taken last, rounded down.
    pub(crate) fn units_of(&self, value: Money) -> Units {
        let (mut left, mut count) = (value.0.max(0), 0);
        for part in self.allocations.iter().rev() {
            let units = part.units.get().min(left / part.worth.unit_value.0.max(1));
            (left, count) = (left - units * part.worth.unit_value.0, count + units);
            if units < part.units.get() {
                break;
            }
        }
        Units::new(count).unwrap_or_default()
    }

    /// The next `units` to come back.
    pub(crate) fn last(&self, units: Units) -> Vec<Allocation> {
        let (mut skip, mut left, mut parts) = (self.returned, units, Vec::new());
        for part in self.allocations.iter().rev() {
            let skipped = skip.min(part.units);
            skip = skip.checked_sub(skipped).unwrap_or_default();
            let units = part.units.checked_sub(skipped).unwrap_or_default().min(left);
            left = left.checked_sub(units).unwrap_or_default();
            if !units.is_zero() {
                parts.push(Allocation { units, ..*part });
            }
        }
        parts
    }
}

/// What a buyer's code asks for, found to be right.
pub(crate) struct Asked {
    pub(crate) key: KeyId,
    pub(crate) counter: u64,
    pub(crate) account: AccountId,
    pub(crate) group: GroupId,
    pub(crate) allocations: Vec<Allocation>,
}

/// Takes `units` from the wallet of whoever signed the code, at the author's shop.
pub(crate) fn redeem(
    view: &View,
    author: &Author,
    carried: &Carried,
    units: Units,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let Asked { key, counter, account, group, allocations } =
        check_code(view, author, merchant, carried, units, now)?;
    check_fresh(view, author, merchant)?;
    let till = author.till();
    let mut decision = author.caused(EventBody::Redeemed {
        group,
        merchant,
        account,
        units,
        allocations,
        till,
        pass: None,
        hold: None,
    });
    decision.use_counter(key, counter);
    Ok(decision)
}

/// Approved if and only if the shop is a member, the code is unused, in time and for so many, the balance covers it, and
/// the balance reaches the group's minimum.
pub(crate) fn check_code(
    view: &View,
    author: &Author,
    merchant: MerchantId,
    carried: &Carried,
    units: Units,
    now: Timestamp,
) -> Result<Asked, Halt> {
    let Carried::Code(code) = carried else { return Err(Refusal::NotACode.into()) };
    let RedemptionCode { version, key, counter, expires, group, most, unit } = *code;
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
    let allocations = afford(view, (account, group), merchant, (units, unit), now)?;
    Ok(Asked { key, counter, account, group, allocations })
}

/// Refuses an op under whose id the shop took mileage before, by another key.
pub(crate) fn check_fresh(view: &View, author: &Author, merchant: MerchantId) -> Result<(), Halt> {
    match view.redemption(merchant, author.op.id)? {
        Some(_) => Err(Refusal::BadOpId.into()),
        None => Ok(()),
    }
}

/// Which lots `units` at this shop come from: the shop is a member, and the balance covers them and reaches the minimum.
///
/// The minimum is the lowest of the terms that the usable lots were issued under: terms never change for a lot that exists.
pub(crate) fn afford(
    view: &View,
    (account, group): (AccountId, GroupId),
    merchant: MerchantId,
    (units, unit): (Units, Option<Unit>),
    now: Timestamp,
) -> Result<Vec<Allocation>, Halt> {
    if units.is_zero() {
        return Err(Refusal::UnitsNotPositive.into());
    }
    view.want(&[Key::Member(group, merchant), Key::Group(group)])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    view.member(group, merchant)?.ok_or(Refusal::ShopNotInGroup)?.check_active()?;
    view.want(&[Key::Terms(group, known.terms_version), Key::Wallet(account, group)])?;
    let current = &view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?.terms;
    let usable = known.usable(unit, now);
    let wallet = view.wallet(account, group)?;
    let available = wallet.available(&usable);

    let versions: BTreeSet<u32> = usable_versions(wallet.lots(), &usable);
    view.want(&versions.iter().map(|version| Key::Terms(group, *version)).collect::<Vec<_>>())?;
    let mut minimum = None;
    for version in versions {
        let least = view.terms(group, version)?.map_or(Units::ZERO, |version| version.terms.minimum);
        minimum = Some(minimum.map_or(least, |lowest: Units| lowest.min(least)));
    }
    let of_now = if current.unit() == unit { current.minimum } else { Units::ZERO };
    let minimum = minimum.unwrap_or(of_now);
    if available < minimum {
        return Err(Refusal::BelowMinimum { minimum, available }.into());
    }
    Unit::check_whole(unit, units)?;
    let not_enough = Refusal::NotEnough { asked: units, available };
    Ok(wallet.allocate(units, current.order, &usable).ok_or(not_enough)?)
}

fn usable_versions<'a>(
    lots: impl IntoIterator<Item = &'a Lot>,
    usable: &crate::lot::Usable,
) -> BTreeSet<u32> {
    lots.into_iter().filter(|lot| lot.usable(usable)).map(|lot| lot.terms_version).collect()
}
