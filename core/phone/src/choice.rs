//! What the choice of a group is made from, on this phone alone: the terms, the places, this buyer's own purchases.
//! (A8, docs/decisions/choice.md)

use std::collections::{BTreeMap, HashMap};

use moa_rules::choice::around::{Around, Offer, Spot, kilometres};
use moa_rules::choice::outlook::Lot;
use moa_rules::choice::visits::Seen;
use moa_rules::choice::weigh::{Plan, Purchase, Reason, Weighed, first_habit, habit, weigh};
use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::Place;
use moa_rules::quantity::{Money, Units};
use moa_rules::time::Timestamp;
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::plan::{self, PlannedPurchase};
use crate::shop::{Shop, members};
use crate::store::plans::Planned;
use crate::store::visits::{self, Habit};
use crate::store::{directory, lots, meta};

/// The most members of one group that a choice looks at: those visited, then those nearest to the shop.
const MEMBERS: usize = 300;
/// Paying with mileage and earning for the rest belong to one visit within two hours.
const ONE_VISIT: i64 = 2 * Timestamp::HOUR;
/// What a purchase is taken to come to where this buyer has bought nothing yet, in minor units.
const TICKET: f64 = 12_000.0;

/// A group of the shop, in its place.
pub(crate) struct Suggestion {
    /// Its terms in force.
    pub version: TermsVersion,
    /// What is known of it.
    pub group: Group,
    /// What the purchase would earn.
    pub earns: Units,
    /// What is expected to be used of that, in minor units.
    pub expected_use: Money,
    /// Why it stands there.
    pub reasons: Vec<Reason>,
    /// The purchase that is planned, if one of the reasons is about it.
    pub planned: Option<PlannedPurchase>,
    /// Its members: those that are visited most first, then the nearest.
    pub members: Vec<Shop>,
    /// What this buyer can use of it.
    pub balance: Units,
}

/// The groups of a shop, the one worth most to this buyer first.
pub(crate) fn suggest(
    db: &Connection,
    shop: MerchantId,
    amount: Money,
    versions: Vec<TermsVersion>,
    now: Timestamp,
) -> Result<Vec<Suggestion>, PhoneError> {
    let day = days(now);
    let seen: BTreeMap<MerchantId, Seen> = visits::all(db)?.into_iter().collect();
    let total = visits::total(db)?;
    // This purchase is one too.
    let mut seen_now = seen.clone();
    let this = seen
        .get(&shop)
        .map_or_else(|| Seen::first(day, whole(amount.0)), |seen| seen.again(day, whole(amount.0)));
    seen_now.insert(shop, this);
    let total = total.again(day, None);
    let usual_ticket = usual_ticket(&seen_now);

    // The shop is first, and the point that distances are measured from.
    let mut known =
        Known { index: HashMap::new(), spots: Vec::new(), origin: None, usual_ticket, seen: &seen_now };
    let here = crate::shop::shop(db, shop)?;
    known.origin = here.place;
    let shop_index = known.index(&here);
    let today = plan::today(now);
    let planned = plan::all(db, today)?;
    let mut offers = Vec::new();
    let mut found = Vec::new();
    for version in versions {
        let Some(group) = directory::group(db, version.group)? else { continue };
        let mut listed = members(db, version.group)?;
        order(&mut listed, &seen, here.place, day);
        let (first, rest) = listed.split_at(listed.len().min(MEMBERS));
        let rest = rest.iter().filter(|member| planned.iter().any(|plan| plan.merchant == member.id));
        let near: Vec<usize> = first.iter().chain(rest).map(|member| known.index(member)).collect();
        let (wallet, usable) = (lots::wallet(db, version.group)?, group.usable(version.terms.unit(), now));
        let mut owned: Vec<Lot> = wallet
            .lots()
            .filter(|lot| lot.usable(&usable))
            .map(|lot| Lot { days: days(usable.end(lot)) - day, units: whole(lot.free().get()) })
            .filter(|lot| lot.days > 0.0)
            .collect();
        owned.sort_by(|a, b| a.days.total_cmp(&b.days));
        let mut offer = Offer::of(&version.terms, near);
        if !offer.members.contains(&shop_index) {
            offer.members.push(shop_index);
        }
        offers.push(offer);
        let balance = wallet.available(&usable);
        found.push((Some((version, group, listed, balance)), owned));
    }
    for &merchant in seen.keys() {
        let visited = crate::shop::shop(db, merchant)?;
        known.index(&visited);
    }
    let (index, spots) = (known.index, known.spots);
    let around = Around::new(spots, offers);

    let places: Vec<(usize, Seen)> =
        seen_now.iter().map(|(merchant, seen)| (index[merchant], *seen)).collect();

    let group_index = |group: GroupId| {
        found.iter().position(|(it, _)| it.as_ref().is_some_and(|(version, ..)| version.group == group))
    };
    let mut shares: HashMap<(usize, usize), f64> = HashMap::new();
    let mut usual = None;
    for Habit { merchant, group, share, usual: last } in visits::habits(db, None)? {
        let (Some(&place), Some(group)) = (index.get(&merchant), group_index(group)) else { continue };
        shares.insert((place, group), share);
        if last && merchant == shop {
            usual = Some(group);
        }
    }
    let by_habit = |shop: usize, group: usize| {
        shares.get(&(shop, group)).copied().unwrap_or_else(|| first_habit(&around, shop, group))
    };
    let owned = |group: usize| found[group].1.as_slice();
    // At shops of no group here, none can be served.
    let planned: Vec<(usize, Planned)> =
        planned.into_iter().filter_map(|planned| Some((*index.get(&planned.merchant)?, planned))).collect();
    let plans: Vec<Plan> = planned
        .iter()
        .map(|(place, planned)| Plan {
            shop: *place,
            days: f64::from(planned.day.0.saturating_sub(today.0).max(0)),
            amount: whole(planned.amount.0),
        })
        .collect();
    let weighed = weigh(&Purchase {
        around: &around,
        seen: &places,
        total: &total,
        habit: &by_habit,
        lots: &owned,
        plans: &plans,
        shop: shop_index,
        amount: whole(amount.0),
        now: day,
        usual,
    });
    let mut rows: Vec<_> = found.into_iter().map(|(row, _)| row).collect();
    let mut suggested = Vec::new();
    for Weighed { group, expected_use, mut reasons, .. } in weighed {
        let Some((version, group, members, balance)) = rows[group].take() else { continue };
        let earns = version.terms.earns(amount);
        let last_day = version.terms.validity.last_day(now, &version.terms.tz());
        let mut served = None;
        // Weighed is by months of a length; what is said is true to the day.
        reasons.retain(|reason| match reason {
            Reason::PlannedPurchase { plan } => {
                served = Some(planned[*plan].1).filter(|planned| planned.day <= last_day);
                served.is_some()
            }
            _ => true,
        });
        suggested.push(Suggestion {
            version,
            group,
            earns,
            expected_use: Money(expected_use),
            reasons,
            planned: served.map(|planned| plan::show(db, planned, today)).transpose()?,
            members,
            balance,
        });
    }
    Ok(suggested)
}

/// A phone that knows of no purchase takes each lot for one: what this buyer bought before it was theirs, at some shop on some
/// day, for what a purchase usually comes to.
pub(crate) fn begin(db: &Connection, lots: &[moa_rules::lot::Lot]) -> Result<(), PhoneError> {
    if visits::total(db)?.last.is_some() {
        return Ok(());
    }
    let mut earned: Vec<_> = lots.iter().filter(|lot| lot.revives.is_none()).collect();
    earned.sort_by_key(|lot| (lot.issued_at, lot.id));
    for lot in earned {
        visits::add(db, lot.issuer, days(lot.issued_at), TICKET)?;
    }
    Ok(())
}

/// A purchase of this buyer was confirmed, and the group that it went to.
pub(crate) fn purchased(
    db: &Connection,
    merchant: MerchantId,
    (group, earned): (GroupId, Units),
    amount: Money,
    at: Timestamp,
) -> Result<(), PhoneError> {
    visits::add(db, merchant, days(at), whole(amount.0))?;
    plan::purchased(db, merchant, at)?;
    let before = visits::habits(db, Some(merchant))?;
    let mut groups = directory::groups_of(db, merchant)?;
    if !groups.contains(&group) {
        groups.push(group);
    }
    let just_used = meta::get(db, &meta::USED_AT)?
        .is_some_and(|(shop, used)| shop == merchant && at < used.plus(ONE_VISIT));
    if !just_used && could_use(db, &groups, (group, earned), at)? {
        visits::attended(db, false)?;
    }
    let best = highest_rate(db, &groups, amount)?;
    for other in groups {
        let known = before.iter().find(|habit| habit.group == other).map(|habit| habit.share);
        let share = known.unwrap_or_else(|| f64::from(u8::from(best == Some(other))));
        let chosen = other == group;
        visits::put_habit(db, Habit { merchant, group: other, share: habit(share, chosen), usual: chosen })?;
    }
    Ok(())
}

/// Mileage of this buyer was used at a shop.
pub(crate) fn used(db: &Connection, merchant: MerchantId, at: Timestamp) -> Result<(), PhoneError> {
    meta::set(db, &meta::USED_AT, &(merchant, at))?;
    visits::attended(db, true)
}

/// Whether a purchase could have been paid with mileage of one of these groups, that apart which it has just earned.
fn could_use(
    db: &Connection,
    groups: &[GroupId],
    (into, earned): (GroupId, Units),
    at: Timestamp,
) -> Result<bool, PhoneError> {
    for &id in groups {
        let (Some(group), Some(version)) = (directory::group(db, id)?, directory::terms(db, id)?) else {
            continue;
        };
        let balance = lots::wallet(db, id)?.available(&group.usable(version.terms.unit(), at));
        let earned = if id == into { earned } else { Units::ZERO };
        let before = balance.checked_sub(earned).unwrap_or_default();
        if !before.is_zero() && before >= version.terms.minimum {
            return Ok(true);
        }
    }
    Ok(false)
}

fn highest_rate(db: &Connection, groups: &[GroupId], amount: Money) -> Result<Option<GroupId>, PhoneError> {
    let mut versions = Vec::new();
    for &group in groups {
        versions.extend(directory::terms(db, group)?);
    }
    let best = versions.iter().min_by_key(|version| moa_rules::choice::by_rate(version, amount));
    Ok(best.map(|version| version.group))
}

/// The shops that have an index.
struct Known<'a> {
    index: HashMap<MerchantId, usize>,
    spots: Vec<Spot>,
    origin: Option<Place>,
    usual_ticket: f64,
    seen: &'a BTreeMap<MerchantId, Seen>,
}

impl Known<'_> {
    fn index(&mut self, shop: &Shop) -> usize {
        if let Some(&index) = self.index.get(&shop.id) {
            return index;
        }
        let origin = self.origin.or(shop.place);
        self.origin = origin;
        let ticket = self.seen.get(&shop.id).map_or(self.usual_ticket, Seen::ticket).max(1.0);
        let at = shop.place.zip(origin).map(|(place, origin)| kilometres(place, origin));
        self.spots.push(Spot { at, ticket, popularity: 1.0 });
        self.index.insert(shop.id, self.spots.len() - 1);
        self.spots.len() - 1
    }
}

/// What a purchase of this buyer usually comes to.
fn usual_ticket(seen: &BTreeMap<MerchantId, Seen>) -> f64 {
    let visits: f64 = seen.values().map(|seen| seen.visits).sum();
    let spent: f64 = seen.values().map(|seen| seen.spent).sum();
    if visits > 0.0 { spent / visits } else { TICKET }
}

/// Those that are visited most first, then the nearest, then by name.
fn order(shops: &mut [Shop], seen: &BTreeMap<MerchantId, Seen>, here: Option<Place>, day: f64) {
    let visits = |shop: &Shop| seen.get(&shop.id).map_or(0.0, |seen| seen.counts(day));
    let far = |shop: &Shop| {
        let apart = shop.place.zip(here).map(|(place, here)| kilometres(place, here));
        apart.map_or(f64::INFINITY, |(east, north)| east * east + north * north)
    };
    shops.sort_by(|a, b| {
        let by_visits = visits(b).total_cmp(&visits(a));
        by_visits.then(far(a).total_cmp(&far(b))).then_with(|| a.name.cmp(&b.name)).then(a.id.cmp(&b.id))
    });
}

/// Days since 1970.
fn days(at: Timestamp) -> f64 {
    whole(at.0) / whole(Timestamp::DAY)
}

/// A whole number as a double.
#[expect(clippy::cast_precision_loss, reason = "amounts and milliseconds stay below 2^53")]
fn whole(number: i64) -> f64 {
    number as f64
}
