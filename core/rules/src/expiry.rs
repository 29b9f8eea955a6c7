//! Expiry: nothing vanishes without a row. (rules.md "Time")
//!
//! A balance never counts what has expired, whether or not the sweep has come by; the sweep writes it down.

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId};
use crate::lot::Allocation;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, View};

/// Writes down what has expired in one wallet.
pub(crate) fn expire(
    view: &View,
    author: &Author,
    group: GroupId,
    account: AccountId,
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    let wallet = view.wallet(account, group)?;
    let mut decision = Decision::default();
    // What a pass reserves waits for the pass.
    for lot in wallet.lots().iter().filter(|lot| lot.ends_at <= now && !lot.free().is_zero()) {
        let allocation = Allocation { lot: lot.id, issuer: lot.issuer, units: lot.free(), worth: lot.worth };
        decision.then(author, EventBody::Expired { group, account, allocation });
    }
    if decision.events.is_empty() {
        return Err(Refusal::NothingExpired.into());
    }
    Ok(decision)
}
