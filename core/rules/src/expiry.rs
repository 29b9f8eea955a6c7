//! Expiry: nothing vanishes without a row. (rules.md "Time")
//!
//! A balance never counts what has expired, whether or not the sweep has come by; the sweep writes it down.

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId};
use crate::lot::Lot;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// Writes down what has expired in one wallet.
pub(crate) fn expire(
    view: &View,
    author: &Author,
    group: GroupId,
    account: AccountId,
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    view.want(&[Key::Wallet(account, group), Key::Group(group)])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let wallet = view.wallet(account, group)?;
    let mut decision = Decision::default();
    // What a pass or a hold reserves waits for that.
    let ended = |lot: &&Lot| known.usable(lot.worth.unit, now).ended(lot) && !lot.free().is_zero();
    for lot in wallet.lots().filter(ended) {
        let allocation = lot.part(lot.free());
        decision.then(author, EventBody::Expired { group, account, allocation });
    }
    if decision.events.is_empty() {
        return Err(Refusal::NothingExpired.into());
    }
    Ok(decision)
}
