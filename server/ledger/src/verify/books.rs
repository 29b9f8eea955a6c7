//! The identities of rules.md "Books", on the live tables themselves.

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::books::{Account, Ledger, Party};
use moa_rules::hold::HoldState;
use moa_rules::id::{GroupId, LotId, MerchantId};
use moa_rules::lot::{Allocation, Lot};
use moa_rules::pass::PassState;
use moa_rules::state::Row;
use moa_rules::terms::Basis;

use super::Report;

/// Sums over everything that has passed.
#[derive(Default)]
pub(super) struct Books {
    /// Units of each issuer in all accounts, and outstanding. Issued is negative; what became of it brings it back to zero.
    units: BTreeMap<(GroupId, MerchantId), i128>,
    /// Money of all parties.
    positions: BTreeMap<GroupId, i128>,
    pools: BTreeMap<GroupId, i128>,
    /// What is outstanding and paid for, in money.
    value: BTreeMap<GroupId, i128>,
    /// What lots say is held of them, less what open passes and holds hold.
    held: BTreeMap<LotId, i128>,
    /// Accounts of units that name no issuer.
    nobodys: Vec<Account>,
}

impl Books {
    pub(super) fn row(&mut self, row: &Row) {
        match row {
            Row::Lot(lot) => self.lot(lot),
            Row::Pass(pass) if pass.state == PassState::Open => self.reserved(&pass.held),
            Row::Hold(hold) if hold.state == HoldState::Open => self.reserved(&hold.held),
            _ => {}
        }
    }

    fn reserved(&mut self, held: &[Allocation]) {
        held.iter().for_each(|part| self.hold(part.lot, -i128::from(part.units.get())));
    }

    fn lot(&mut self, lot: &Lot) {
        let remaining = i128::from(lot.remaining.get());
        *self.units.entry((lot.group, lot.issuer)).or_default() += remaining;
        if lot.worth.basis == Basis::OnIssue {
            *self.value.entry(lot.group).or_default() += remaining * i128::from(lot.worth.unit_value.0);
        }
        self.hold(lot.id, i128::from(lot.held.get()));
    }

    /// Only lots of which something is held are kept.
    fn hold(&mut self, lot: LotId, units: i128) {
        let sum = self.held.get(&lot).copied().unwrap_or_default() + units;
        if sum == 0 {
            self.held.remove(&lot);
        } else {
            self.held.insert(lot, sum);
        }
    }

    pub(super) fn balance(&mut self, account: Account, amount: i64) {
        let Account { group, party, ledger, issuer } = account;
        let amount = i128::from(amount);
        match (ledger, issuer) {
            (Ledger::Position, _) => {
                *self.positions.entry(group).or_default() += amount;
                if party == Party::Pool {
                    *self.pools.entry(group).or_default() += amount;
                }
            }
            (_, Some(issuer)) => *self.units.entry((group, issuer)).or_default() += amount,
            (_, None) => self.nobodys.push(account),
        }
    }

    pub(super) fn check(self, report: &mut Report) {
        for Account { group, ledger, .. } in self.nobodys {
            report.add(|| format!("{ledger:?} of {group} names no issuer"));
        }
        for ((group, issuer), left) in self.units.into_iter().filter(|(_, left)| *left != 0) {
            report.add(|| {
                format!(
                    "{group}: issued ≠ redeemed + sold to the exchange + expired + clawed back + adjusted away + \
                     outstanding for {issuer}, by {left} units"
                )
            });
        }
        for (group, sum) in self.positions.into_iter().filter(|(_, sum)| *sum != 0) {
            report.add(|| format!("{group}: what its parties owe and are owed sums to {sum}, not to zero"));
        }
        let groups: BTreeSet<GroupId> = self.pools.keys().chain(self.value.keys()).copied().collect();
        for group in groups {
            let of = |sums: &BTreeMap<GroupId, i128>| sums.get(&group).copied().unwrap_or_default();
            let (pool, value) = (of(&self.pools), of(&self.value));
            if pool != value {
                report
                    .add(|| format!("{group}: the pool's position is {pool}, the value outstanding {value}"));
            }
        }
        for (lot, sum) in self.held {
            report.add(|| {
                format!("lot {lot}: what it says is held, less what open passes and holds hold, is {sum}")
            });
        }
    }
}
