//! What screens want to know of an event beside the rows that it changes: the buyer's history, the shop's day.

use moa_rules::event::{Event, EventBody};
use moa_rules::id::{AccountId, GroupId, MerchantId};
use moa_rules::lot::Allocation;
use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use moa_wire::api::WaitingSale;
use rusqlite::Connection;

use crate::choice;
use crate::error::PhoneError;
use crate::store::history::{self, Place};
use crate::store::refunds::{self, Refund, Reversal};
use crate::store::{redemptions, sales, waiting};
use crate::wallet::Happened;

/// What happened to the mileage of this phone's account, in its own inbox.
pub(super) fn own(db: &Connection, me: AccountId, event: &Event) -> Result<(), PhoneError> {
    let place = |part| Place { op: event.op, event: event.index, part };
    let at = event.at;
    let add = |group: GroupId, happened, merchant: MerchantId, (units, unit)| {
        history::add(db, group, place(0), &history::Row { happened, at, merchant, units, unit })
    };
    let note = |group, happened, merchant, units| add(group, happened, merchant, units).map(drop);
    match event.body {
        EventBody::Accrued { group, merchant, sale, units, worth, amount, last_day, .. } => {
            waiting::gone(db, sale)?;
            if add(group, Happened::Accrual { amount, last_day }, merchant, (units, worth.unit))? {
                choice::purchased(db, merchant, (group, units), amount, at)?;
            }
            Ok(())
        }
        EventBody::Granted { group, merchant, units, worth, reason, last_day, .. } => {
            note(group, Happened::Grant { reason, last_day }, merchant, (units, worth.unit))
        }
        EventBody::Redeemed { group, merchant, units, ref allocations, .. } => {
            if add(group, Happened::Redemption, merchant, (units, unit_of(allocations)))? {
                choice::used(db, merchant, at)?;
            }
            Ok(())
        }
        EventBody::Reversed { group, merchant, units, ref parts, .. } => {
            note(group, Happened::Reversal, merchant, (units, unit_of(parts)))
        }
        EventBody::Refunded { group: Some(group), merchant, amount, ref taken, debt, unit, .. } => {
            let units: Units = taken.iter().map(|part| part.units).sum();
            if units.is_zero() && debt.is_zero() {
                return Ok(());
            }
            note(group, Happened::Clawback { amount, debt }, merchant, (units, unit))
        }
        EventBody::DebtPaid { group, merchant, ref taken, .. } => {
            note(group, Happened::DebtPaid, merchant, (taken.units, taken.worth.unit))
        }
        EventBody::TakenAway { group, merchant, units, ref taken, reason, .. } => {
            note(group, Happened::TakenAway { reason }, merchant, (units, unit_of(taken)))
        }
        EventBody::Expired { group, ref allocation, .. } => {
            note(group, Happened::Expiry, allocation.issuer, (allocation.units, allocation.worth.unit))
        }
        EventBody::LotsMoved { group, into, ref lots, .. } if into == me => {
            for (part, lot) in (0..).zip(lots) {
                let (merchant, units, unit) = (lot.issuer, lot.remaining, lot.worth.unit);
                let happened = Happened::Moved;
                history::add(db, group, place(part), &history::Row { happened, at, merchant, units, unit })?;
            }
            Ok(())
        }
        EventBody::SaleWaits { sale, merchant, amount, time, until, .. } => {
            waiting::put(db, &WaitingSale { sale, merchant, amount, time, until })
        }
        EventBody::SaleLapsed { sale, .. } | EventBody::SaleVoided { sale, .. } => waiting::gone(db, sale),
        _ => Ok(()),
    }
}

/// What happened at this phone's shop.
pub(super) fn shop(db: &Connection, event: &Event) -> Result<(), PhoneError> {
    let (op, at) = (event.op, event.at);
    match event.body {
        EventBody::Accrued { sale, units, worth, .. } => sales::earned(db, sale, units, worth.unit),
        EventBody::Redeemed { group, units, ref allocations, .. } => {
            redemptions::confirm(db, op, group, (units, unit_of(allocations)), at)
        }
        EventBody::Reversed { redemption, group, units, ref parts, .. } => {
            let unit = unit_of(parts);
            refunds::put_reversal(db, &Reversal { op, redemption, at, group, units, unit })
        }
        EventBody::Refunded { sale, amount, money, ref taken, debt, unit, .. } => {
            let taken = taken.iter().map(|part| part.units).sum();
            refunds::put(db, &Refund { op, sale, at, amount, money, taken, debt, unit })
        }
        _ => Ok(()),
    }
}

fn unit_of(parts: &[Allocation]) -> Option<Unit> {
    parts.first().and_then(|part| part.worth.unit)
}
