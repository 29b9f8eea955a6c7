//! Planned purchases: what a buyer notes for themselves alone. They go into the choice of a group and never leave the
//! phone: no op, no request and no other device of the account has them. (A8, docs/decisions/choice.md)

use moa_rules::id::{MerchantId, OpId};
use moa_rules::quantity::Money;
use moa_rules::sale::check_amount;
use moa_rules::time::{Day, Timestamp, Validity, Zone, local_day};
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::phone::{Phone, account};
use crate::shop::{Shop, shop};
use crate::store::plans::{self, Planned};
use crate::store::{directory, visits};

/// The most plans at a time.
pub const MOST_PLANS: u32 = 50;
/// The most shops that are offered at a time.
const MOST_SHOPS: usize = 30;
/// How far ahead a plan may lie: five years.
const AHEAD: Validity = Validity::Months(60);
/// For so many days after its day a plan still counts.
const KEPT: i32 = 7;
/// From so many days before its day on, a purchase at the shop is the planned one.
const EARLY: i32 = 3;

/// A purchase that the buyer plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPurchase {
    /// Names it: for [`Phone::forget_plan`].
    pub id: OpId,
    /// Where.
    pub shop: Shop,
    /// What it is to come to, in minor units of the shop's money.
    pub amount: Money,
    /// On which day.
    pub day: Day,
    /// Whether that day is over. It counts for a week longer: purchases are put off.
    pub overdue: bool,
}

/// Why a purchase is not noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanFault {
    /// There are [`MOST_PLANS`] already.
    TooMany,
    /// The day is over, or too far ahead.
    BadDay {
        /// The first that can be planned for: today.
        first: Day,
        /// The last: five years ahead.
        last: Day,
    },
    /// The directory on this phone has no such shop. One that is [looked up](crate::Client::look_up_shop) is in it.
    UnknownShop,
}

impl PlanFault {
    /// The stable `snake_case` word.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooMany => "too_many_plans",
            Self::BadDay { .. } => "bad_plan_day",
            Self::UnknownShop => "plan_shop_unknown",
        }
    }
}

impl Phone {
    /// Notes that the buyer means to buy something, on a day from today to five years ahead. Known to this phone alone,
    /// which tells nobody; on disk before it returns.
    ///
    /// A purchase that is confirmed at the shop, from three days before the day on, fulfils the soonest such plan, which is
    /// forgotten then; one whose day is over by more than a week is forgotten too.
    ///
    /// # Errors
    /// `amount_not_positive`, `amount_too_large`; [`PlanFault`]: `bad_plan_day`, `plan_shop_unknown`, `too_many_plans`.
    pub fn plan_purchase(&self, shop: MerchantId, amount: Money, day: Day) -> Result<OpId, PhoneError> {
        check_amount(amount)?;
        let now = self.now();
        self.check_day(day)?;
        let id = self.op_id();
        self.write(|db| {
            account(db)?;
            if directory::merchant(db, shop)?.is_none() {
                return Err(PlanFault::UnknownShop.into());
            }
            plans::drop_before(db, kept_from(today(now)))?;
            if plans::count(db)? >= u64::from(MOST_PLANS) {
                return Err(PlanFault::TooMany.into());
            }
            plans::put(db, &Planned { id, merchant: shop, amount, day, noted_at: now })
        })?;
        Ok(id)
    }

    /// What the buyer means to buy, soonest first; at most [`MOST_PLANS`].
    ///
    /// # Errors
    /// Storage.
    pub fn planned_purchases(&self) -> Result<Vec<PlannedPurchase>, PhoneError> {
        let today = today(self.now());
        self.store().read(|db| {
            let all = all(db, today)?.into_iter();
            all.map(|planned| show(db, planned, today)).collect()
        })
    }

    /// Shops that a purchase can be planned at, at most 30: those whose name contains `text`, by name; or, without any text, those
    /// where the buyer has bought, the last one first. Of the directory on this phone: nobody hears what is looked for.
    ///
    /// # Errors
    /// Storage.
    pub fn shops_to_plan_at(&self, text: &str) -> Result<Vec<Shop>, PhoneError> {
        let wanted = text.trim().to_lowercase();
        self.store().read(|db| {
            if wanted.is_empty() {
                let mut visited = visits::all(db)?;
                visited.sort_by(|(_, a), (_, b)| b.last.total_cmp(&a.last));
                let shops = visited.into_iter().map(|(merchant, _)| shop(db, merchant));
                let named = |shop: &Result<Shop, PhoneError>| !matches!(shop, Ok(Shop { name: None, .. }));
                return shops.filter(named).take(MOST_SHOPS).collect();
            }
            let mut named = directory::names(db)?;
            named.retain(|(_, name)| name.to_lowercase().contains(&wanted));
            named.sort_by(|(a, one), (b, other)| one.cmp(other).then(a.cmp(b)));
            named.into_iter().take(MOST_SHOPS).map(|(merchant, _)| shop(db, merchant)).collect()
        })
    }

    /// Forgets a plan; one that is gone already is no error.
    ///
    /// # Errors
    /// Storage.
    pub fn forget_plan(&self, plan: OpId) -> Result<(), PhoneError> {
        let kept = kept_from(today(self.now()));
        self.write(|db| {
            plans::drop_before(db, kept)?;
            plans::remove(db, plan)
        })
    }

    /// The day in so many days, 0 for today, if a purchase can be planned for it.
    ///
    /// # Errors
    /// `bad_plan_day`.
    pub fn plan_day(&self, days: u32) -> Result<Day, PhoneError> {
        let day = i32::try_from(days).ok().and_then(|days| today(self.now()).0.checked_add(days));
        let day = Day(day.unwrap_or(i32::MAX));
        self.check_day(day)?;
        Ok(day)
    }

    fn check_day(&self, day: Day) -> Result<(), PhoneError> {
        let now = self.now();
        let (first, last) = (today(now), AHEAD.last_day(now, &zone()));
        if (first..=last).contains(&day) { Ok(()) } else { Err(PlanFault::BadDay { first, last }.into()) }
    }
}

/// The plans that count, soonest first.
pub(crate) fn all(db: &Connection, today: Day) -> Result<Vec<Planned>, PhoneError> {
    plans::from(db, kept_from(today))
}

/// A plan with its shop.
pub(crate) fn show(db: &Connection, planned: Planned, today: Day) -> Result<PlannedPurchase, PhoneError> {
    let Planned { id, merchant, amount, day, .. } = planned;
    Ok(PlannedPurchase { id, shop: shop(db, merchant)?, amount, day, overdue: day < today })
}

/// A purchase at a shop was confirmed: it was the soonest that was planned for about then.
pub(crate) fn purchased(db: &Connection, merchant: MerchantId, at: Timestamp) -> Result<(), PhoneError> {
    let day = today(at);
    plans::drop_before(db, kept_from(day))?;
    plans::fulfil(db, merchant, Day(day.0 + EARLY), at)
}

/// The day, where the buyer is.
pub(crate) fn today(at: Timestamp) -> Day {
    local_day(at, &zone()).into()
}

fn zone() -> Zone {
    Zone::named("Asia/Seoul").unwrap_or_default()
}

/// The first day whose plans still count.
fn kept_from(today: Day) -> Day {
    Day(today.0 - KEPT)
}
