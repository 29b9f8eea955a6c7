//! What must hold of refunds, debts and what came back, read off the events alone: nothing comes back into what has ended,
//! nothing is taken from another group, nobody keeps what is owed, and no purchase is paid back twice.

use std::collections::BTreeMap;

use moa_ledger::tables::Tables;
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{AccountId, GroupId, LotId, MerchantId, OpId};
use moa_rules::lot::{Allocation, Lot};
use moa_rules::terms::Unit;
use moa_rules::time::Timestamp;

use crate::Step;
use crate::check::Inboxes;

/// The longest that what came back from a lot that had ended may last: seven days, and the rest of the day.
const REVIVED: i64 = 8 * Timestamp::DAY + Timestamp::HOUR;

/// Checks every account's and every shop's inbox.
pub(crate) fn check(inboxes: &Inboxes, live: &Tables) -> Step {
    let mut all_owed: BTreeMap<Owed, i64> = BTreeMap::new();
    for (inbox, events) in inboxes {
        match inbox {
            Inbox::Account(account) => {
                let (lots, owed) = (BTreeMap::new(), BTreeMap::new());
                let mut buyer = Buyer { account: *account, lots, owed, to_pay: None };
                for event in events {
                    buyer.see(event).map_err(|why| format!("op {} of {account}: {why}", event.op))?;
                }
                buyer.settled()?;
                all_owed.extend(buyer.owed.into_iter().filter(|(_, units)| *units != 0));
            }
            Inbox::Merchant(merchant) => {
                let mut shop = Shop::default();
                for event in events {
                    shop.see(*merchant, event)
                        .map_err(|why| format!("op {} at shop {merchant}: {why}", event.op))?;
                }
            }
            _ => {}
        }
    }
    let kept = live.debts.values().filter(|debt| !debt.units.is_zero());
    let kept: BTreeMap<Owed, i64> =
        kept.map(|debt| ((debt.account, debt.group, debt.merchant, debt.unit), debt.units.get())).collect();
    if kept == all_owed {
        Ok(())
    } else {
        Err(format!("the events leave {all_owed:?} owed, the books {kept:?}"))
    }
}

type Owed = (AccountId, GroupId, MerchantId, Option<Unit>);

/// A lot as it was issued: its group, its unit, its end, and whether it stands in the place of another.
#[derive(Clone, Copy)]
struct Issued {
    group: GroupId,
    unit: Option<Unit>,
    issuer: MerchantId,
    ends_at: Timestamp,
    revived: bool,
}

struct Buyer {
    account: AccountId,
    lots: BTreeMap<LotId, Issued>,
    owed: BTreeMap<Owed, i64>,
    /// What an earning has still to pay: its op, its lot, how much.
    to_pay: Option<(OpId, LotId, i64)>,
}

impl Buyer {
    fn see(&mut self, event: &Event) -> Step {
        if self.to_pay.is_some_and(|(op, ..)| op != event.op) {
            self.settled()?;
        }
        match &event.body {
            EventBody::Accrued { lot, group, merchant, units, worth, ends_at, .. } => {
                self.issue(*lot, (*group, worth.unit), *merchant, *ends_at);
                let here = |(_, of, _, unit): &Owed| (*of, *unit) == (*group, worth.unit);
                let owed: i64 = self.owed.iter().filter(|(key, _)| here(key)).map(|(_, units)| units).sum();
                let pays = owed.min(units.get());
                self.to_pay = (pays > 0).then_some((event.op, *lot, pays));
            }
            EventBody::Granted { lot, group, merchant, worth, ends_at, .. } => {
                self.issue(*lot, (*group, worth.unit), *merchant, *ends_at);
            }
            EventBody::DebtPaid { group, merchant, taken, .. } => {
                self.is_of(*group, taken)?;
                let Some((_, lot, left)) = &mut self.to_pay else {
                    return Err("a debt is paid out of nothing".to_owned());
                };
                *left -= taken.units.get();
                if *lot != taken.lot || *left < 0 {
                    return Err("a debt is paid from what was not earned".to_owned());
                }
                let key = (self.account, *group, *merchant, taken.worth.unit);
                let owed = self.owed.entry(key).or_default();
                *owed -= taken.units.get();
                if *owed < 0 {
                    return Err(format!("more is paid to {merchant} than is owed"));
                }
            }
            EventBody::Refunded { merchant, group: Some(group), taken, debt, unit, .. } => {
                for part in taken {
                    self.is_of(*group, part)?;
                    if part.worth.unit != *unit {
                        return Err("a refund takes another unit".to_owned());
                    }
                }
                *self.owed.entry((self.account, *group, *merchant, *unit)).or_default() += debt.get();
            }
            EventBody::TakenAway { group, merchant, taken, .. } => {
                for part in taken {
                    self.is_of(*group, part)?;
                    if part.issuer != *merchant {
                        return Err("a shop takes away what another gave".to_owned());
                    }
                }
            }
            EventBody::Reversed { parts, lots, .. } => {
                for (part, lot) in parts.iter().zip(lots) {
                    self.came_back(part, lot, event.at)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn issue(
        &mut self,
        lot: LotId,
        (group, unit): (GroupId, Option<Unit>),
        issuer: MerchantId,
        ends_at: Timestamp,
    ) {
        self.lots.insert(lot, Issued { group, unit, issuer, ends_at, revived: false });
    }

    /// Whether a part was taken from a lot of that group.
    fn is_of(&self, group: GroupId, part: &Allocation) -> Step {
        match self.lots.get(&part.lot) {
            Some(lot) if (lot.group, lot.unit, lot.issuer) == (group, part.worth.unit, part.issuer) => Ok(()),
            Some(_) => Err(format!("takes from lot {}, which is of another group, unit or shop", part.lot)),
            None => Err(format!("takes from lot {}, which was never issued", part.lot)),
        }
    }

    /// What was taken comes back: into its lot while that lasts, else for some days in one that stands in its place, once.
    fn came_back(&mut self, part: &Allocation, lot: &Lot, at: Timestamp) -> Step {
        let Some(from) = self.lots.get(&part.lot).copied() else {
            return Err(format!("comes back from lot {}, which was never issued", part.lot));
        };
        if lot.id == part.lot {
            let same = lot.ends_at == from.ends_at;
            return if at < from.ends_at && same {
                Ok(())
            } else {
                Err("comes back into what has ended".into())
            };
        }
        let most = if from.revived { at } else { at.plus(REVIVED) };
        if at < from.ends_at || lot.revives != Some(part.lot) || lot.ends_at > most {
            return Err(format!("comes back in lot {}, which lasts until {:?}", lot.id, lot.ends_at));
        }
        self.lots.insert(lot.id, Issued { ends_at: lot.ends_at, revived: true, ..from });
        Ok(())
    }

    /// What was earned last has paid what was owed.
    fn settled(&mut self) -> Step {
        match self.to_pay.take() {
            Some((op, _, left)) if left > 0 => Err(format!("op {op}: earned, and left {left} owed")),
            _ => Ok(()),
        }
    }
}

/// A shop's purchases and redemptions, as its events make them.
#[derive(Default)]
struct Shop {
    /// Of each sale: what was paid in money, what was refunded, and of that in money; the redemption that paid the rest.
    sales: BTreeMap<OpId, ([i64; 3], Option<OpId>)>,
    /// Of each redemption: units and worth, and units that came back.
    redemptions: BTreeMap<OpId, [i64; 3]>,
}

impl Shop {
    fn see(&mut self, merchant: MerchantId, event: &Event) -> Step {
        match &event.body {
            EventBody::SaleRecorded { sale, amount, redemption, .. } => {
                self.sales.insert(*sale, ([amount.0, 0, 0], *redemption));
            }
            EventBody::Redeemed { merchant: at, units, allocations, .. } if *at == merchant => {
                let value = |part: &Allocation| part.units.get() * part.worth.unit_value.0;
                let value = allocations.iter().map(value).sum();
                self.redemptions.insert(event.op, [units.get(), value, 0]);
            }
            EventBody::Reversed { redemption, merchant: at, units, parts, .. } if *at == merchant => {
                let sum: i64 = parts.iter().map(|part| part.units.get()).sum();
                let known = self.redemptions.get_mut(redemption).ok_or("undoes what was never taken")?;
                known[2] += sum;
                if sum != units.get() || known[2] > known[0] {
                    return Err(format!("{} of {} came back", known[2], known[0]));
                }
            }
            EventBody::Refunded { sale, merchant: at, amount, money, .. } if *at == merchant => {
                let ([paid, refunded, back], redemption) =
                    self.sales.get_mut(sale).ok_or("refunds what was never sold")?;
                // Looked up now: a till's redemption may reach the server after the sale that names it.
                let rest = redemption.and_then(|redemption| self.redemptions.get(&redemption));
                let rest = rest.map_or(0, |[_, value, _]| *value);
                *refunded += amount.0;
                *back += money.0;
                let whole = *refunded == *paid + rest;
                if money.0 < 0 || *back > *paid || *refunded > *paid + rest || (whole && back != paid) {
                    return Err(format!("{refunded} refunded, {back} in money, of {paid} and {rest}"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
