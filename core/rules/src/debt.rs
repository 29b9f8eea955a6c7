//! Debts: what a refund should have taken back and did not find. Later earnings in the same group pay it first.
//! (rules.md "Refund of a purchase")

use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, GroupId, MerchantId};
use crate::lot::Allocation;
use crate::quantity::Units;
use crate::terms::Unit;
use crate::time::Timestamp;
use crate::view::{Halt, View};

/// What a buyer owes a shop in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debt {
    /// The buyer.
    pub account: AccountId,
    /// The group whose mileage it is.
    pub group: GroupId,
    /// The shop.
    pub merchant: MerchantId,
    /// What a unit is; none for points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Units owed; none once it is paid.
    pub units: Units,
    /// When it began.
    pub since: Timestamp,
}

impl Debt {
    /// What tells it from others of the same account.
    pub fn key(&self) -> (GroupId, MerchantId, Option<Unit>) {
        (self.group, self.merchant, self.unit)
    }
}

/// Pays debts in the lot's group from a lot that was just earned, those first that began first.
pub(crate) fn pay(
    view: &View,
    author: &Author,
    decision: &mut Decision,
    (account, group): (AccountId, GroupId),
    earned: &Allocation,
) -> Result<(), Halt> {
    let mut debts: Vec<&Debt> = view.debts(account)?.iter().collect();
    debts.retain(|debt| debt.group == group && debt.unit == earned.worth.unit && !debt.units.is_zero());
    debts.sort_by_key(|debt| (debt.since, debt.merchant));
    let mut left = earned.units;
    for Debt { merchant, units, .. } in debts {
        let units = left.min(*units);
        if units.is_zero() {
            break;
        }
        left = left.checked_sub(units).unwrap_or_default();
        let taken = Allocation { units, ..*earned };
        decision.then(author, EventBody::DebtPaid { group, account, merchant: *merchant, taken });
    }
    Ok(())
}
