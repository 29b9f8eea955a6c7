//! Reversals: mileage that was taken comes back into the lots it came from. (rules.md "Redemption")
//!
//! What came from a lot that has ended comes back in a new lot linked to it, for a few days, once: undoing a redemption is
//! no way to make mileage last.

use chrono::Days;

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::Group;
use crate::id::{AccountId, GroupId, LotId, OpId};
use crate::lot::{Allocation, Lot};
use crate::quantity::Units;
use crate::redemption::Redemption;
use crate::refusal::Refusal;
use crate::time::{Day, Timestamp, end_of_day, local_day};
use crate::view::{Halt, Key, View};

/// The most days for which mileage from a lot that has ended can be used once it came back.
pub const REVIVED_DAYS: i32 = 7;

/// Gives back what is left of a redemption at the author's shop.
pub(crate) fn reverse(view: &View, author: &Author, id: OpId, now: Timestamp) -> Result<Decision, Halt> {
    let merchant = author.merchant()?;
    let redemption = view.redemption(merchant, id)?.ok_or(Refusal::UnknownRedemption)?;
    let left = redemption.units().checked_sub(redemption.returned).unwrap_or_default();
    if left.is_zero() {
        return Err(Refusal::AlreadyReversed.into());
    }
    let mut decision = Decision::default();
    give_back(view, author, &mut decision, (redemption, left), now)?;
    Ok(decision)
}

/// The account that holds what this one held: itself, or the one that it was merged into. None if it was closed.
pub(crate) fn heir(view: &View, account: AccountId) -> Result<Option<AccountId>, Halt> {
    let last = last(view, account)?;
    Ok((!view.is_closed(last)?).then_some(last))
}

/// The account itself, or the one that it was merged into in the end, closed or not.
pub(crate) fn last(view: &View, account: AccountId) -> Result<AccountId, Halt> {
    let mut last = account;
    while let Some(Some(into)) = view.closed(last)? {
        last = into;
    }
    Ok(last)
}

/// The last `units` of a redemption that have not come back do.
pub(crate) fn give_back(
    view: &View,
    author: &Author,
    decision: &mut Decision,
    (redemption, units): (&Redemption, Units),
    now: Timestamp,
) -> Result<(), Halt> {
    let Redemption { id, merchant, account: payer, group, till, .. } = *redemption;
    let parts = redemption.last(units);
    let heir = heir(view, payer)?;
    let account = heir.unwrap_or(payer);
    let lots = parts.iter().flat_map(|part| [(account, part.lot), (payer, part.lot)]);
    let wanted = lots.map(|(account, lot)| Key::Lot(account, group, lot));
    view.want(&wanted.chain([Key::Group(group)]).collect::<Vec<_>>())?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;

    let (mut lots, mut gone) = (Vec::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let back = Back { account, group: known, part, made_at: redemption.made_at, now };
        let lot = back.lot(view, author, payer, index)?;
        if heir.is_none() || lot.ends_at <= now {
            gone.push(lot.part(part.units));
        }
        lots.push(lot);
    }
    let redemption = id;
    decision
        .then(author, EventBody::Reversed { redemption, merchant, account, group, units, parts, lots, till });
    for allocation in gone {
        decision.then(author, EventBody::Expired { group, account, allocation });
    }
    Ok(())
}

/// One part that comes back.
struct Back<'a> {
    account: AccountId,
    group: &'a Group,
    part: &'a Allocation,
    made_at: Timestamp,
    now: Timestamp,
}

impl Back<'_> {
    /// The lot that it comes back into, as it stands since.
    fn lot(&self, view: &View, author: &Author, payer: AccountId, index: usize) -> Result<Lot, Halt> {
        let Self { account, group, part, now, .. } = *self;
        let own = view.lot(account, group.id, part.lot)?;
        let (held_here, lot) = match own {
            Some(lot) => (true, lot),
            None => (false, view.lot(payer, group.id, part.lot)?.ok_or(Refusal::UnknownRedemption)?),
        };
        let ended = group.usable(lot.worth.unit, now).ended(lot);
        let units = part.units;
        if !ended && held_here {
            let remaining = [lot.remaining, units].into_iter().sum();
            return Ok(Lot { remaining, ..lot.clone() });
        }
        let back =
            Lot { account, units, remaining: units, held: Units::ZERO, expired: Units::ZERO, ..lot.clone() };
        if !ended {
            // Merged accounts: it stands in the other one as it would have, had it been left over then.
            return Ok(Lot { units: lot.units, ..back });
        }
        let id = linked(author.op.id, index);
        if view.had_lot(account, group.id, id)? {
            return Err(Refusal::BadOpId.into());
        }
        let (last_day, ends_at) = self.until(view, lot)?;
        Ok(Lot { id, last_day, ends_at, revives: Some(lot.id), ..back })
    }

    /// Seven days, or the days that were left, if fewer; no time at all the second time, or after the group's end.
    fn until(&self, view: &View, lot: &Lot) -> Result<(Day, Timestamp), Halt> {
        let terms = view.terms(lot.group, lot.terms_version)?.ok_or(Refusal::UnknownGroup)?;
        let zone = terms.terms.tz();
        let over = self.group.closing.is_some_and(|closing| closing.ends_at <= self.now);
        if over || lot.revives.is_some() {
            let before = local_day(self.now, &zone).checked_sub_days(Days::new(1));
            return Ok((before.map_or(lot.last_day, Day::from), self.now));
        }
        let made = Day::from(local_day(self.made_at, &zone));
        let left = lot.last_day.0.saturating_sub(made.0).clamp(0, REVIVED_DAYS);
        let last_day = Day(Day::from(local_day(self.now, &zone)).0.saturating_add(left));
        Ok((last_day, end_of_day(last_day, &zone)))
    }
}

/// The id of an op's n-th new lot.
fn linked(op: OpId, index: usize) -> LotId {
    let LotId(mut id) = op.as_lot();
    let number = u16::try_from(index).unwrap_or(u16::MAX).to_be_bytes();
    id[14] ^= number[0];
    id[15] ^= number[1];
    LotId(id)
}

/// A lot where it is now, or where it was before its account was merged.
pub(crate) fn lot_of(
    view: &View,
    (account, before): (AccountId, AccountId),
    group: GroupId,
    lot: LotId,
) -> Result<Option<&Lot>, Halt> {
    view.want(&[Key::Lot(account, group, lot), Key::Lot(before, group, lot)])?;
    Ok(match view.lot(account, group, lot)? {
        Some(lot) => Some(lot),
        None => view.lot(before, group, lot)?,
    })
}
