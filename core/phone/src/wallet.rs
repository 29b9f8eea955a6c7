//! The buyer's mileage: balances and what happened to them. *Confirmed* and *pending* apart; pending counts toward
//! nothing. Mileage of different units is never added up: old points stay beside stamps.

use std::collections::BTreeSet;

use moa_rules::adjustment::Reason;
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, OpId};
use moa_rules::lot::{Lot, Usable, Wallet};
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::terms::{Terms, Unit};
use moa_rules::time::{Day, Timestamp};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::PhoneError;
use crate::lookup::Lookup;
use crate::outbox::Kind;
use crate::phone::Phone;
use crate::shop::{Shop, shop};
use crate::store::{debts, directory, history, lots, outbox};

/// What counts as expiring soon: 30 days. (rules.md "Time")
pub const SOON: i64 = 30 * Timestamp::DAY;

/// The most rows of one call for a history.
const HISTORY: u32 = 500;

/// The buyer's mileage of one unit in one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The group.
    pub group: GroupId,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// The group's name; none while the directory has not told.
    pub name: Option<String>,
    /// What the server has confirmed, has not expired, and is neither held nor frozen.
    pub confirmed: Units,
    /// What claims are going to bring that the server has not confirmed. Counts toward nothing yet.
    pub pending: Units,
    /// What can be paid with now: all that is confirmed, of stamps the full cards; or nothing below the minimum.
    pub usable: Units,
    /// What passes and holds reserve.
    pub held: Units,
    /// What cannot be used because the shop that issued it has not settled.
    pub frozen: Units,
    /// What refunds left to be paid by what is earned next.
    pub owed: Units,
    /// What of it expires within 30 days.
    pub expiring_soon: Units,
    /// The next day on which some of it expires, in the group's zone.
    pub next_expiry: Option<Day>,
    /// When what remains ends with its group, if the group is closing.
    pub group_ends_at: Option<Timestamp>,
    /// The balance from which mileage can be used; none while nothing has told.
    pub minimum: Option<Units>,
    /// What is missing to the minimum.
    pub to_minimum: Units,
    /// What one unit is worth, if that is known.
    pub unit_value: Option<(Money, Currency)>,
}

impl Balance {
    /// Stamps that are missing to the next full card; none of what is no stamp.
    pub fn to_full_card(&self) -> Option<Units> {
        let card = self.card()?;
        let over = self.confirmed.get() % card;
        Units::new(card - over).ok()
    }

    /// Full cards; none of what is no stamp.
    pub fn full_cards(&self) -> Option<u64> {
        u64::try_from(self.confirmed.get() / self.card()?).ok()
    }

    fn card(&self) -> Option<i64> {
        match self.unit {
            Some(Unit::Stamp(card)) => Some(i64::from(card.max(1))),
            _ => None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happened {
    /// A purchase earned mileage.
    Accrual {
        /// What was paid in money.
        amount: Money,
        /// The last day on which it can be used.
        last_day: Day,
    },
    /// Mileage was paid with.
    Redemption,
    /// Mileage that was paid with came back.
    Reversal,
    /// A purchase was refunded, and what it earned taken back.
    Clawback {
        /// How much of the purchase was refunded.
        amount: Money,
        /// Units that were not there: what is earned next pays them.
        debt: Units,
    },
    /// What was earned paid what a refund had left.
    DebtPaid,
    /// A shop gave mileage.
    Grant {
        /// Why.
        reason: Reason,
        /// The last day on which it can be used.
        last_day: Day,
    },
    /// A shop took away mileage that it had given.
    TakenAway {
        /// Why.
        reason: Reason,
    },
    /// Mileage could no longer be used.
    Expiry,
    /// Mileage came with another account of this person's.
    Moved,
}

/// A row of a group's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// What happened.
    pub happened: Happened,
    /// When the server decided it.
    pub at: Timestamp,
    /// The shop: where it was bought, redeemed, refunded or given; of an expiry, the shop that had issued it.
    pub shop: Shop,
    /// How much.
    pub units: Units,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// The op that caused it.
    pub op: OpId,
}

impl Phone {
    /// The buyer's mileage by group and unit.
    ///
    /// # Errors
    /// Storage.
    pub fn balances(&self) -> Result<Vec<Balance>, PhoneError> {
        let now = self.now();
        let balances = self.store().read(|db| balances(db, now))?;
        for unknown in balances.iter().filter(|balance| balance.name.is_none()) {
            self.want_once(Lookup::Group(unknown.group));
        }
        Ok(balances)
    }

    /// What happened in one group, newest first, as confirmed: the last 500 rows.
    ///
    /// # Errors
    /// Storage.
    pub fn history(&self, group: GroupId) -> Result<Vec<HistoryItem>, PhoneError> {
        self.store().read(|db| {
            let rows = history::of_group(db, group, HISTORY)?.into_iter();
            rows.map(|(op, row)| {
                let history::Row { happened, at, merchant, units, unit } = row;
                Ok(HistoryItem { happened, at, shop: shop(db, merchant)?, units, unit, op })
            })
            .collect()
        })
    }
}

fn balances(db: &Connection, now: Timestamp) -> Result<Vec<Balance>, PhoneError> {
    let claims = outbox::pending(db, Kind::Claim)?;
    let pending: Vec<_> = claims
        .iter()
        .filter_map(|claim| Some((claim.effect.group?, claim.effect.unit, claim.effect.units)))
        .collect();
    let owed = debts::all(db)?;
    let mut groups: BTreeSet<GroupId> = lots::groups(db)?.into_iter().collect();
    groups.extend(pending.iter().map(|(group, ..)| *group));
    groups.extend(owed.iter().map(|debt| debt.group));

    let mut balances = Vec::new();
    for group in groups {
        let wallet = lots::wallet(db, group)?;
        let mut units: BTreeSet<Option<Unit>> = wallet.lots().map(|lot| lot.worth.unit).collect();
        let known = Known::of(db, group, &wallet)?;
        let claimed = pending.iter().filter(|(claimed, ..)| *claimed == group);
        units.extend(claimed.clone().map(|(_, unit, count)| match count {
            Some(_) => *unit,
            // How much it will be is not known, nor of what: shown beside what the group gives now.
            None => known.terms.as_ref().and_then(Terms::unit),
        }));
        units.extend(owed.iter().filter(|debt| debt.group == group).map(|debt| debt.unit));
        for unit in units {
            let pending = claimed.clone().filter(|(_, of, _)| *of == unit).filter_map(|(.., count)| *count);
            let owed = owed.iter().filter(|debt| (debt.group, debt.unit) == (group, unit));
            balances.push(Balance {
                pending: pending.sum(),
                owed: owed.map(|debt| debt.units).sum(),
                ..known.balance(&wallet, (group, unit), now)
            });
        }
    }
    Ok(balances)
}

/// What this phone knows of a group, and of the terms that a wallet's lots were issued under.
pub(crate) struct Known {
    group: Option<Group>,
    /// Those in force.
    terms: Option<Terms>,
    /// The minimum of each version that some lot was issued under, as far as this phone has seen it.
    minimums: Vec<(u32, Option<Units>)>,
}

impl Known {
    /// What this phone knows.
    pub(crate) fn of(db: &Connection, group: GroupId, wallet: &Wallet) -> Result<Self, PhoneError> {
        let versions: BTreeSet<u32> = wallet.lots().map(|lot| lot.terms_version).collect();
        let mut minimums = Vec::new();
        for version in versions {
            let seen = directory::terms_of(db, group, version)?;
            minimums.push((version, seen.map(|version| version.terms.minimum)));
        }
        let terms = directory::terms(db, group)?.map(|TermsVersion { terms, .. }| terms);
        Ok(Self { group: directory::group(db, group)?, terms, minimums })
    }

    fn usable(&self, unit: Option<Unit>, now: Timestamp) -> Usable<'_> {
        self.group.as_ref().map_or(Usable::new(unit, now), |group| group.usable(unit, now))
    }

    /// The minimum of mileage of a unit: the lowest of the terms that its usable lots were issued under, where this phone has
    /// seen those; else that of the terms in force, if they give the same. (docs/rules.md R4)
    fn minimum(&self, wallet: &Wallet, usable: &Usable) -> Option<Units> {
        let in_force = self.terms.as_ref().filter(|terms| terms.unit() == usable.unit);
        let in_force = in_force.map(|terms| terms.minimum);
        let of = |lot: &Lot| {
            let seen = self.minimums.iter().find(|(version, _)| *version == lot.terms_version);
            seen.and_then(|(_, minimum)| *minimum).or(in_force)
        };
        let lots = wallet.lots().filter(|lot| lot.usable(usable));
        lots.filter_map(of).min().or(in_force)
    }

    /// What of a unit a wallet has that can be paid with.
    pub(crate) fn balance(
        &self,
        wallet: &Wallet,
        (group, unit): (GroupId, Option<Unit>),
        now: Timestamp,
    ) -> Balance {
        let usable = self.usable(unit, now);
        let confirmed = wallet.available(&usable);
        let minimum = self.minimum(wallet, &usable);
        let missing = minimum.and_then(|minimum| minimum.checked_sub(confirmed)).unwrap_or_default();
        let whole = match unit {
            Some(Unit::Stamp(card)) => {
                let over = Units::new(confirmed.get() % i64::from(card.max(1))).unwrap_or_default();
                confirmed.checked_sub(over).unwrap_or_default()
            }
            _ => confirmed,
        };
        let of_unit = wallet.lots().filter(|lot| lot.worth.unit == unit && !usable.ended(lot));
        let frozen = of_unit.clone().filter(|lot| usable.frozen.contains(&lot.issuer));
        let worth = of_unit.clone().map(|lot| lot.worth.unit_value).next_back();
        let terms = self.terms.as_ref();
        let value = terms.filter(|terms| terms.unit() == unit).map(|terms| terms.unit_value).or(worth);
        let usable_lots = wallet.lots().filter(|lot| lot.usable(&usable));
        Balance {
            group,
            unit,
            name: self.group.as_ref().map(|group| group.profile.name.clone()),
            confirmed,
            pending: Units::ZERO,
            usable: if missing.is_zero() { whole } else { Units::ZERO },
            held: of_unit.map(|lot| lot.held).sum(),
            frozen: frozen.map(Lot::free).sum(),
            owed: Units::ZERO,
            expiring_soon: wallet.expiring(&usable, SOON),
            next_expiry: usable_lots.map(|lot| lot.last_day).min(),
            group_ends_at: usable.ends_at,
            minimum,
            to_minimum: missing,
            unit_value: value.zip(terms.map(|terms| terms.currency)),
        }
    }
}
