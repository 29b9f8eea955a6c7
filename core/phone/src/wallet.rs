//! The buyer's mileage: balances and what happened to them. *Confirmed* and *pending* apart; pending counts toward
//! nothing.

use std::collections::BTreeSet;

use moa_rules::group::TermsVersion;
use moa_rules::id::{GroupId, OpId};
use moa_rules::lot::Usable;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::time::{Day, Timestamp};

use crate::error::PhoneError;
use crate::lookup::Lookup;
use crate::outbox::Kind;
use crate::phone::Phone;
use crate::shop::{Shop, shop};
use crate::store::{directory, history, lots, outbox};

/// What counts as expiring soon: 30 days. (rules.md "Time")
pub const SOON: i64 = 30 * Timestamp::DAY;

/// The most rows of one call for a history.
const HISTORY: u32 = 500;

/// The buyer's mileage in one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The group.
    pub group: GroupId,
    /// Its name; none while the directory has not told.
    pub name: Option<String>,
    /// What the server has confirmed and has not expired.
    pub confirmed: Units,
    /// What claims are going to bring that the server has not confirmed. Counts toward nothing yet.
    pub pending: Units,
    /// What can be paid with now: all that is confirmed, or nothing below the minimum.
    pub usable: Units,
    /// What of it expires within 30 days.
    pub expiring_soon: Units,
    /// The next day on which some of it expires, in the group's zone.
    pub next_expiry: Option<Day>,
    /// The balance from which mileage can be used; none while the directory has not told.
    pub minimum: Option<Units>,
    /// What is missing to the minimum.
    pub to_minimum: Units,
    /// What one unit is worth, if the directory has told.
    pub unit_value: Option<(Money, Currency)>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The shop: where it was bought or redeemed; of an expiry, the shop that had issued it.
    pub shop: Shop,
    /// Units earned, redeemed or expired.
    pub units: Units,
    /// The op that caused it.
    pub op: OpId,
}

impl Phone {
    /// The buyer's mileage by group.
    ///
    /// # Errors
    /// Storage.
    pub fn balances(&self) -> Result<Vec<Balance>, PhoneError> {
        let now = self.now();
        let balances = self.store().read(|db| {
            let claims = outbox::pending(db, Kind::Claim)?;
            let mut groups: BTreeSet<GroupId> = lots::groups(db)?.into_iter().collect();
            groups.extend(claims.iter().filter_map(|claim| claim.effect.group));
            let mut balances = Vec::new();
            for group in groups {
                let wallet = lots::wallet(db, group)?;
                let known = directory::group(db, group)?;
                let usable = known.as_ref().map_or(Usable::new(None, now), |group| group.usable(None, now));
                let confirmed = wallet.available(&usable);
                let pending = claims.iter().filter(|claim| claim.effect.group == Some(group));
                let terms = directory::terms(db, group)?.map(|TermsVersion { terms, .. }| terms);
                let minimum = terms.as_ref().map(|terms| terms.minimum);
                let missing = minimum.and_then(|minimum| minimum.checked_sub(confirmed));
                let usable_lots = wallet.lots().filter(|lot| lot.usable(&usable));
                balances.push(Balance {
                    group,
                    name: known.as_ref().map(|group| group.profile.name.clone()),
                    confirmed,
                    pending: pending.filter_map(|claim| claim.effect.units).sum(),
                    usable: if missing.is_none_or(Units::is_zero) { confirmed } else { Units::ZERO },
                    expiring_soon: wallet.expiring(&usable, SOON),
                    next_expiry: usable_lots.map(|lot| lot.last_day).min(),
                    minimum,
                    to_minimum: missing.unwrap_or(Units::ZERO),
                    unit_value: terms.map(|terms| (terms.unit_value, terms.currency)),
                });
            }
            Ok(balances)
        })?;
        for unknown in balances.iter().filter(|balance| balance.minimum.is_none()) {
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
            rows.map(|row| {
                let history::Row { happened, at, merchant, units, op, .. } = row;
                Ok(HistoryItem { happened, at, shop: shop(db, merchant)?, units, op })
            })
            .collect()
        })
    }
}
