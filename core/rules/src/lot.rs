//! Lots, wallets and the order in which they are spent. (rules.md "Lots", A10)

use std::collections::BTreeMap;
use std::collections::btree_map::Values;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::books::Worth;
use crate::id::{AccountId, GroupId, LotId, MerchantId, OpId};
use crate::quantity::Units;
use crate::terms::{SpendingOrder, Unit};
use crate::time::{Day, Timestamp};

/// One earning. What it was issued under never changes; only what is left, held and expired of it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Lot {
    /// Its id: that of the claim.
    #[n(0)]
    pub id: LotId,
    /// The group whose mileage it is.
    #[n(1)]
    pub group: GroupId,
    /// The buyer.
    #[n(2)]
    pub account: AccountId,
    /// The shop that issued it and answers for it.
    #[n(3)]
    pub issuer: MerchantId,
    /// The sale that earned it.
    #[n(4)]
    pub sale: OpId,
    /// Units issued.
    #[n(5)]
    pub units: Units,
    /// Units left.
    #[n(6)]
    pub remaining: Units,
    /// What one unit is worth and who owes whom for it, as when it was issued.
    #[n(7)]
    pub worth: Worth,
    /// The version of the terms that it was issued under.
    #[n(8)]
    pub terms_version: u32,
    /// When it was decided.
    #[n(9)]
    pub issued_at: Timestamp,
    /// The last day on which it can be used, in the group's zone.
    #[n(10)]
    pub last_day: Day,
    /// The instant at which that day ends: usable before, gone from then on.
    #[n(11)]
    pub ends_at: Timestamp,
    /// Units of what is left that passes and holds reserve.
    #[n(12)]
    #[serde(default)]
    pub held: Units,
    /// Units that nobody used in time.
    #[n(13)]
    #[serde(default)]
    pub expired: Units,
    /// The lot in whose place this one stands: what was taken of that came back after its end, and lasts a little longer,
    /// once.
    #[n(14)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revives: Option<LotId>,
}

/// Which lots count: of one unit, at an instant, in their group as it stands.
#[derive(Debug, Clone, Copy)]
pub struct Usable<'a> {
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// The instant.
    pub now: Timestamp,
    /// When the group ends, if it is closing.
    pub ends_at: Option<Timestamp>,
    /// Members whose lots cannot be used.
    pub frozen: &'a [MerchantId],
}

impl Usable<'static> {
    /// Those of a group that is not closing and has no frozen members, as far as is known.
    pub fn new(unit: Option<Unit>, now: Timestamp) -> Self {
        Self { unit, now, ends_at: None, frozen: &[] }
    }
}

impl Usable<'_> {
    /// Whether the instant lies beyond the lot's end, or its group's.
    pub fn ended(&self, lot: &Lot) -> bool {
        self.end(lot) <= self.now
    }

    /// When a lot ends: by itself, or with its group.
    pub fn end(&self, lot: &Lot) -> Timestamp {
        self.ends_at.map_or(lot.ends_at, |end| end.min(lot.ends_at))
    }
}

impl Lot {
    /// Units left that nothing reserves.
    pub fn free(&self) -> Units {
        self.remaining.checked_sub(self.held).unwrap_or_default()
    }

    /// Whether something is left, not reserved, and can be used.
    pub fn usable(&self, usable: &Usable) -> bool {
        self.worth.unit == usable.unit
            && !self.free().is_zero()
            && !usable.ended(self)
            && !usable.frozen.contains(&self.issuer)
    }

    /// A part of it.
    pub fn part(&self, units: Units) -> Allocation {
        Allocation { lot: self.id, issuer: self.issuer, units, worth: self.worth }
    }
}

/// A part taken from a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Allocation {
    /// The lot.
    #[n(0)]
    pub lot: LotId,
    /// The shop that issued it.
    #[n(1)]
    pub issuer: MerchantId,
    /// Units taken from it.
    #[n(2)]
    pub units: Units,
    /// What a unit of it is worth and who owes whom for it.
    #[n(3)]
    pub worth: Worth,
}

/// The lots of one buyer in one group that have something left, in order of id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wallet {
    // Thousands of lots come and go one by one: a list would move all that follow, each time.
    lots: BTreeMap<LotId, Lot>,
}

impl Wallet {
    /// That of someone who has nothing.
    pub const EMPTY: &'static Self = &Self { lots: BTreeMap::new() };

    /// A wallet of these lots; those with nothing left are dropped.
    pub fn new(lots: Vec<Lot>) -> Self {
        let left = lots.into_iter().filter(|lot| !lot.remaining.is_zero());
        Self { lots: left.map(|lot| (lot.id, lot)).collect() }
    }

    /// The lots, in order of id.
    pub fn lots(&self) -> Values<'_, LotId, Lot> {
        self.lots.values()
    }

    /// One lot.
    pub fn lot(&self, id: LotId) -> Option<&Lot> {
        self.lots.get(&id)
    }

    /// Puts a lot in, in place of one with the same id; takes it out if nothing is left of it.
    pub fn put(&mut self, lot: Lot) {
        if lot.remaining.is_zero() {
            self.lots.remove(&lot.id);
        } else {
            self.lots.insert(lot.id, lot);
        }
    }

    /// What can be used: Σ (remaining − held) over unexpired lots. (rules.md "Redemption")
    pub fn available(&self, usable: &Usable) -> Units {
        self.lots().filter(|lot| lot.usable(usable)).map(Lot::free).sum()
    }

    /// What can be used now and no longer `within` milliseconds later.
    pub fn expiring(&self, usable: &Usable, within: i64) -> Units {
        let soon = |lot: &&Lot| lot.usable(usable) && usable.end(lot) <= usable.now.plus(within);
        self.lots().filter(soon).map(Lot::free).sum()
    }

    /// Which lots `asked` units come from, in spending order; `None` if there are not so many.
    pub fn allocate(&self, asked: Units, order: SpendingOrder, usable: &Usable) -> Option<Vec<Allocation>> {
        let parts = take(self.in_order(order, usable), asked);
        let taken: Units = parts.iter().map(|part| part.units).sum();
        (taken == asked).then_some(parts)
    }

    /// The usable lots, in spending order.
    pub fn in_order(&self, order: SpendingOrder, usable: &Usable) -> Vec<&Lot> {
        let mut lots: Vec<&Lot> = self.lots().filter(|lot| lot.usable(usable)).collect();
        match order {
            SpendingOrder::SoonestExpiry => lots.sort_by_key(|lot| (lot.ends_at, lot.issued_at, lot.id)),
            SpendingOrder::Oldest => lots.sort_by_key(|lot| (lot.issued_at, lot.id)),
        }
        lots
    }
}

/// Up to `asked` free units of these lots, in their order.
pub(crate) fn take<'a>(lots: impl IntoIterator<Item = &'a Lot>, asked: Units) -> Vec<Allocation> {
    let mut left = asked;
    let mut parts = Vec::new();
    for lot in lots {
        let units = left.min(lot.free());
        left = left.checked_sub(units).unwrap_or_default();
        if !units.is_zero() {
            parts.push(lot.part(units));
        }
        if left.is_zero() {
            break;
        }
    }
    parts
}
