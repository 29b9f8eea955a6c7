//! A server that has gone back: it was restored from a backup, and what happened since is not in its books. What this phone
//! had sent since is sent again, under the same ids; what it had learned since is taken back.
//! (docs/decisions/0012-a-server-that-went-back.md)

use std::collections::BTreeSet;

use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::OpId;
use moa_rules::op::{Op, OpBody};
use moa_rules::pass::PassState;
use moa_rules::quantity::Units;
use moa_wire::token::Head;
use rusqlite::Connection;

use crate::breach::{Breach, Mismatch};
use crate::error::PhoneError;
use crate::phone::Phone;
use crate::store::{
    directory, history, inbox, meta, new_devices, outbox, passes, redemptions, refunds, sales, waiting,
};

/// How far the server's inboxes still agree with what this phone has followed.
pub(super) struct Lost {
    /// What a person is told, where it is certain.
    pub breach: Option<Breach>,
    /// Of each inbox the last event on which both agree; none where that can't be told.
    agreed: Vec<(Inbox, Option<u64>)>,
}

/// Holds the heads of a snapshot against what was followed. None if the server stands where this phone has been.
///
/// An inbox that is ahead agrees, unless the server has said that it is on another way (`known_gone`).
pub(super) fn compare(db: &Connection, heads: &[Head], known_gone: bool) -> Result<Option<Lost>, PhoneError> {
    let mut lost = Lost { breach: None, agreed: Vec::new() };
    for (name, before) in inbox::all(db)? {
        let head = heads.iter().find(|head| head.inbox == name);
        let agreed = match head {
            Some(head) if (head.count, head.hash) == (before.count, before.hash) => Some(before.count),
            Some(head) if head.count > before.count => (!known_gone).then_some(before.count),
            Some(head) => {
                let number = head.count.min(before.count.saturating_sub(1)) + 1;
                lost.breach.get_or_insert(Breach { inbox: name.into(), number, what: Mismatch::WentBack });
                (inbox::hash_at(db, name, head.count)? == Some(head.hash)).then_some(head.count)
            }
            // Not read any more by this phone, or not there any more.
            None => (!known_gone).then_some(before.count),
        };
        lost.agreed.push((name, agreed));
    }
    Ok((known_gone || lost.breach.is_some()).then_some(lost))
}

/// Takes back what was learned from events that the server no longer has. The snapshot itself brings lots, debts, holds, and
/// sales that wait; the directory is read from its beginning, for groups as they stand.
pub(super) fn take_back(db: &Connection, lost: &Lost) -> Result<(), PhoneError> {
    meta::clear(db, &meta::DIRECTORY_CURSOR)?;
    for (name, agreed) in &lost.agreed {
        let Some(agreed) = *agreed else { continue };
        for (_, event) in inbox::events(db, *name)?.iter().rev().filter(|(number, _)| *number > agreed) {
            undo(db, *name, event)?;
        }
    }
    Ok(())
}

/// Puts every op that the server had applied back into the outbox, unless its event is among those on which both agree.
pub(super) fn send(db: &Connection, lost: &Lost) -> Result<(), PhoneError> {
    let (mut stand, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for (name, agreed) in &lost.agreed {
        let events = inbox::events(db, *name)?;
        if let Some(agreed) = *agreed {
            for (number, Event { actor, op, .. }) in events {
                if number <= agreed {
                    stand.insert((actor, op))
                } else {
                    gone.insert((actor, op))
                };
            }
        }
        inbox::forget_after(db, *name, agreed.unwrap_or(0))?;
    }
    if lost.breach.is_none() {
        // The snapshot may hold all of it.
        outbox::settle_applied(db)?;
    }
    let mut again = 0;
    for op in outbox::applied_ops(db)? {
        let name = (op.actor, op.id);
        if stand.contains(&name) {
            continue;
        }
        send_again(db, &op, gone.contains(&name))?;
        again += 1;
    }
    tracing::warn!(again, "the server has gone back: what it may have lost is sent again");
    Ok(())
}

/// Ops that the server answered, and whose event is not among all that there was to read afterwards. A server that stands where
/// this phone has been may have lost no more than them: no head tells of it. They are sent again, once; what it has
/// is a duplicate.
pub(super) fn send_unheard(db: &Connection) -> Result<(), PhoneError> {
    outbox::unheard_ops(db)?.iter().try_for_each(|op| send_again(db, op, false))
}

/// The same for a snapshot that was taken after the answers, and holds those that the server has: they pend no more.
pub(super) fn send_unheard_and_settle(db: &Connection) -> Result<(), PhoneError> {
    let unheard = outbox::unheard_ops(db)?;
    outbox::snapshot_taken(db)?;
    unheard.iter().try_for_each(|op| send_again(db, op, false))
}

fn send_again(db: &Connection, op: &Op, lost: bool) -> Result<(), PhoneError> {
    outbox::again(db, op.id, lost)?;
    match op.body {
        OpBody::ClaimWaiting { sale, .. } => waiting::claim(db, sale, op.id, true),
        _ => Ok(()),
    }
}

/// Everything there was has been received. If nothing that was sent again waits any more, the books agree.
pub(super) fn agreed(phone: &Phone) -> Result<(), PhoneError> {
    let over = phone.store().read(|db| {
        let went_back = meta::get(db, &meta::BREACH)?.is_some_and(|breach| breach.what == Mismatch::WentBack);
        Ok(went_back && !outbox::any_again(db)?)
    })?;
    if over { phone.write(|db| meta::clear(db, &meta::BREACH)) } else { Ok(()) }
}

/// Undoes what screens learned from an event, as its inbox saw it.
fn undo(db: &Connection, name: Inbox, event: &Event) -> Result<(), PhoneError> {
    let of_shop = matches!(name, Inbox::Merchant(_) | Inbox::Till(_));
    let ours = |op: OpId| Ok::<_, PhoneError>(outbox::entry(db, op)?.is_some());
    history::forget(db, event.op)?;
    match event.body {
        EventBody::SaleRecorded { sale, .. } if of_shop && !ours(sale)? => sales::delete(db, sale),
        EventBody::Accrued { sale, .. }
        | EventBody::SaleWaits { sale, .. }
        | EventBody::SaleLapsed { sale, .. }
            if of_shop =>
        {
            sales::unclaim(db, sale)
        }
        EventBody::PassReserved { pass, .. } => passes::forget(db, pass),
        EventBody::PassReleased { pass, .. } => reopen(db, pass),
        EventBody::Redeemed { pass, .. } => {
            if of_shop {
                redemptions::forget(db, event.op)?;
            }
            pass.map_or(Ok(()), |pass| reopen(db, pass))
        }
        EventBody::SaleVoided { sale, .. } if of_shop => sales::unvoid(db, sale),
        EventBody::Reversed { redemption, units, .. } if of_shop => {
            refunds::forget(db, event.op)?;
            redemptions::unreturn(db, redemption, units)
        }
        EventBody::Refunded { sale, amount, money, units, ref taken, debt, .. } if of_shop => {
            refunds::forget(db, event.op)?;
            let there: Units = taken.iter().map(|part| part.units).chain([debt]).sum();
            let forgone = units.checked_sub(there).unwrap_or_default();
            sales::unrefund(db, sale, (amount, money), (units, forgone))
        }
        EventBody::DeviceEnrolled { key, .. } => new_devices::gone(db, key),
        EventBody::MemberJoined { group, merchant, .. } => directory::remove_member(db, group, merchant),
        EventBody::MemberLeft { group, merchant, .. } => directory::add_member(db, group, merchant),
        _ => Ok(()),
    }
}

fn reopen(db: &Connection, pass: OpId) -> Result<(), PhoneError> {
    match passes::get(db, pass)? {
        Some(mut pass) => {
            pass.state = PassState::Open;
            passes::put(db, &pass)
        }
        None => Ok(()),
    }
}
