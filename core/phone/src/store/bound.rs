//! How much of the directory is kept: what was used, always; then the nearest to that, up to a bound.
//!
//! Used is whatever another table names: shops where this phone claimed, holds or owes something, that it invited or was invited
//! by, its own; groups of lots and passes, of requests and of the standing choice. So nothing is noted for this, and nothing
//! can be forgotten to be. A used shop is kept with its groups and their terms, so that a claim there needs no network; then, in
//! this order, the members of used groups and everyone else, each the nearer to a used shop the sooner, and each with all its
//! groups or not at all: what is known of a shop is whole. A shop that is dropped is looked up again when it is met.
//!
//! Some 8,000 shops are in a city's district: [`Bounds::default`] is two or three of them, some 20 MB.

use std::collections::BTreeSet;

use moa_rules::id::{GroupId, MerchantId};
use moa_rules::invitation::Invited;
use moa_rules::merchant::Place;
use moa_rules::op::OpBody;
use rusqlite::Connection;
use serde::Deserialize;

use super::{
    debts, directory, holds, invitations, join_requests, lots, meta, outbox, parse, passes, unsigned, waiting,
};
use crate::error::PhoneError;
use crate::outbox::Kind;

const COUNT: &str = "SELECT (SELECT count(*) FROM merchant), (SELECT count(*) FROM \"group\")";
const SHOPS: &str = "SELECT id, body FROM merchant";
const MEMBERSHIPS: &str = "SELECT merchant, \"group\" FROM member ORDER BY merchant";
const GROUPS: &str = "SELECT id FROM \"group\"";
const CLAIMED_AT: &str = "SELECT DISTINCT merchant FROM voucher JOIN merchant_key ON key = seller";
const SOLD_FOR: &str = "SELECT DISTINCT merchant FROM sale
    UNION SELECT merchant FROM visit UNION SELECT merchant FROM habit UNION SELECT merchant FROM shop_standing
    UNION SELECT merchant FROM plan";
const REDEEMED_IN: &str = "SELECT DISTINCT \"group\" FROM redemption
    UNION SELECT \"group\" FROM habit
    UNION SELECT \"group\" FROM shop_standing WHERE \"group\" IS NOT NULL
    UNION SELECT \"group\" FROM opening UNION SELECT \"group\" FROM history
    UNION SELECT \"group\" FROM pending WHERE \"group\" IS NOT NULL
    UNION SELECT \"group\" FROM invitee WHERE \"group\" IS NOT NULL";
const INVITED: &str = "SELECT DISTINCT shop FROM invitee WHERE shop IS NOT NULL
    UNION SELECT merchant FROM invitation_answer";
const HISTORY: &str = "SELECT body FROM history ORDER BY seq DESC";

/// What keeping fewer shops takes: they, their keys.
const DROP_SHOP: [&str; 2] =
    ["DELETE FROM merchant WHERE id = ?1", "DELETE FROM merchant_key WHERE merchant = ?1"];
/// What keeping fewer groups takes: they, their terms, who is in them.
const DROP_GROUP: [&str; 4] = [
    "DELETE FROM \"group\" WHERE id = ?1",
    "DELETE FROM terms WHERE \"group\" = ?1",
    "DELETE FROM amendment WHERE \"group\" = ?1",
    "DELETE FROM member WHERE \"group\" = ?1",
];

/// Places from which nearness is told: the shops visited last are in the same few streets.
const MOST_PLACES: usize = 32;

/// How many shops and groups are kept. What was used stays, even if that alone is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Shops.
    pub shops: usize,
    /// Groups.
    pub groups: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { shops: 20_000, groups: 2_000 }
    }
}

impl Bounds {
    /// The most that there is at any time: a tenth more, so that not every page is sorted anew.
    fn most(self) -> Self {
        Self { shops: self.shops + self.shops / 10, groups: self.groups + self.groups / 10 }
    }
}

/// Shops and groups that other tables name.
#[derive(Debug, Default)]
struct Used {
    shops: BTreeSet<MerchantId>,
    groups: BTreeSet<GroupId>,
    /// Shops in the order of the last visits, the newest first.
    visited: Vec<MerchantId>,
}

/// What of a profile tells where a shop is.
#[derive(Deserialize)]
struct Located {
    place: Option<Place>,
}

/// What of a history's row tells at which shop.
#[derive(Deserialize)]
struct At {
    merchant: MerchantId,
}

/// Drops what is more than the bounds, once it is a tenth more.
pub(crate) fn trim(db: &Connection, bounds: Bounds) -> Result<(), PhoneError> {
    let (shops, groups): (i64, i64) =
        db.prepare_cached(COUNT)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (shops, groups, most) = (unsigned(shops), unsigned(groups), bounds.most());
    if shops <= most.shops as u64 && groups <= most.groups as u64 {
        return Ok(());
    }
    let used = used(db)?;
    let (kept_shops, kept_groups) = kept(db, &used, bounds)?;
    for id in ids(db, SHOPS)?.into_iter().map(MerchantId).filter(|shop| !kept_shops.contains(shop)) {
        DROP_SHOP.iter().try_for_each(|sql| db.prepare_cached(sql)?.execute([id.0]).map(drop))?;
    }
    for id in ids(db, GROUPS)?.into_iter().map(GroupId).filter(|group| !kept_groups.contains(group)) {
        DROP_GROUP.iter().try_for_each(|sql| db.prepare_cached(sql)?.execute([id.0]).map(drop))?;
    }
    Ok(())
}

/// What stays.
fn kept(
    db: &Connection,
    used: &Used,
    bounds: Bounds,
) -> Result<(BTreeSet<MerchantId>, BTreeSet<GroupId>), PhoneError> {
    let memberships = memberships(db)?;
    let groups_of = |shop: MerchantId| {
        let from = memberships.partition_point(|(merchant, _)| *merchant < shop);
        memberships[from..].iter().take_while(move |(merchant, _)| *merchant == shop).map(|(_, group)| *group)
    };
    let mut groups = used.groups.clone();
    groups.extend(used.shops.iter().flat_map(|shop| groups_of(*shop)));
    let (mut shops, used_groups) = (used.shops.clone(), groups.clone());
    let places = places(db, used)?;
    let mut others: Vec<(bool, i64, MerchantId)> = located(db)?
        .into_iter()
        .filter(|(shop, _)| !shops.contains(shop))
        .map(|(shop, place)| {
            let stranger = !groups_of(shop).any(|group| used_groups.contains(&group));
            (stranger, nearest(&places, place), shop)
        })
        .collect();
    others.sort_unstable();
    for (_, _, shop) in others {
        if shops.len() >= bounds.shops {
            break;
        }
        let fresh: Vec<GroupId> = groups_of(shop).filter(|group| !groups.contains(group)).collect();
        if fresh.is_empty() || groups.len() + fresh.len() <= bounds.groups {
            groups.extend(fresh);
            shops.insert(shop);
        }
    }
    Ok((shops, groups))
}

fn used(db: &Connection) -> Result<Used, PhoneError> {
    let mut used = Used::default();
    let Used { shops, groups, visited } = &mut used;
    let mut history = db.prepare_cached(HISTORY)?;
    for body in history.query_map([], |row| row.get::<_, String>(0))? {
        let At { merchant } = parse(&body?, "history")?;
        if shops.insert(merchant) {
            visited.push(merchant);
        }
    }
    shops.extend(meta::get(db, &meta::MERCHANT)?);
    for sql in [CLAIMED_AT, SOLD_FOR, INVITED] {
        shops.extend(ids(db, sql)?.into_iter().map(MerchantId));
    }
    shops.extend(waiting::all(db)?.into_iter().map(|waiting| waiting.sale.merchant));
    groups.extend(ids(db, REDEEMED_IN)?.into_iter().map(GroupId));
    groups.extend(lots::groups(db)?);
    groups.extend(meta::get(db, &meta::STANDING)?.unwrap_or_default().groups);
    for pending in outbox::pending(db, Kind::Standing)? {
        if let OpBody::SetStanding { choice } = pending.body.body {
            groups.extend(choice.groups);
        }
    }
    let named = debts::all(db)?.into_iter().map(|debt| (debt.group, debt.merchant));
    let named = named.chain(holds::all(db)?.into_iter().map(|hold| (hold.group, hold.merchant)));
    let named = named.chain(passes::all(db)?.into_iter().map(|pass| (pass.group, pass.merchant)));
    let named = named.chain(join_requests::all(db)?.into_iter().map(|asked| (asked.group, asked.merchant)));
    for (group, shop) in named {
        groups.insert(group);
        shops.insert(shop);
    }
    for invitation in invitations::all(db)? {
        groups.extend(match invitation.to {
            Invited::Group(group) => Some(group),
            Invited::App => None,
        });
        shops.extend([Some(invitation.issuer), invitation.shop].into_iter().flatten());
    }
    for found in invitations::all_found(db)? {
        groups.extend(found.group.map(|group| group.group.id));
        shops.insert(found.issuer.id);
    }
    Ok(used)
}

/// Where used shops are: the own one, those of the last visits, others.
fn places(db: &Connection, used: &Used) -> Result<Vec<Place>, PhoneError> {
    let own = meta::get(db, &meta::MERCHANT)?;
    let mut places = Vec::new();
    let visited = used.visited.iter().copied();
    for shop in own.into_iter().chain(visited).chain(used.shops.iter().copied()) {
        if places.len() == MOST_PLACES {
            break;
        }
        places.extend(directory::merchant(db, shop)?.and_then(|profile| profile.place));
    }
    Ok(places)
}

/// How far a place is from the nearest of these: a measure to compare by, the square of millionths of a degree of latitude.
/// What is nowhere is farthest.
fn nearest(places: &[Place], place: Option<Place>) -> i64 {
    let Some(place) = place else { return i64::MAX };
    let squared = |from: &Place| {
        let north = i64::from(place.lat_e6) - i64::from(from.lat_e6);
        let around = (i64::from(place.lon_e6) - i64::from(from.lon_e6)).abs();
        // Meridians are closer to each other away from the equator; this is right to some per cent, which order does not need.
        let shrink = 1_000 - i64::from(place.lat_e6).pow(2) / 8_100_000_000_000;
        let east = around.min(360_000_000 - around) * shrink / 1_000;
        north * north + east * east
    };
    places.iter().map(squared).min().unwrap_or_default()
}

fn located(db: &Connection) -> Result<Vec<(MerchantId, Option<Place>)>, PhoneError> {
    let mut statement = db.prepare_cached(SHOPS)?;
    let mut rows = statement.query([])?;
    let mut located = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        located.push((MerchantId(row.get(0)?), parse::<Located>(&body, "directory")?.place));
    }
    Ok(located)
}

fn memberships(db: &Connection) -> Result<Vec<(MerchantId, GroupId)>, PhoneError> {
    let mut statement = db.prepare_cached(MEMBERSHIPS)?;
    let rows = statement.query_map([], |row| Ok((MerchantId(row.get(0)?), GroupId(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn ids(db: &Connection, sql: &'static str) -> Result<Vec<[u8; 16]>, PhoneError> {
    let mut statement = db.prepare_cached(sql)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use moa_rules::group::{Group, TermsVersion};
    use moa_rules::id::{KeyId, OpId};
    use moa_rules::merchant::MerchantProfile;
    use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
    use moa_rules::terms::{Profile, Scope, Terms};
    use moa_rules::time::{Timestamp, Validity};
    use moa_wire::api::{Base64, GroupEntry, KeyEntry, MerchantEntry, WaitingSale};
    use proptest::prelude::*;

    use super::*;
    use crate::store::Store;

    fn id(kind: u8, number: usize) -> [u8; 16] {
        let mut id = [kind; 16];
        id[8..].copy_from_slice(&(number as u64).to_be_bytes());
        id
    }

    fn shop(number: usize) -> MerchantId {
        MerchantId(id(1, number))
    }

    fn group(number: usize) -> GroupId {
        GroupId(id(2, number))
    }

    fn key(number: usize) -> KeyId {
        KeyId((number as u64).to_be_bytes())
    }

    /// A shop on a road to the east, a kilometre after the one before.
    fn put_shop(db: &Connection, number: usize, groups: &[usize]) {
        let lon_e6 = 127_000_000 + i32::try_from(number).unwrap() * 11_000;
        let place = Place { lat_e6: 37_000_000, lon_e6 };
        let entry = MerchantEntry {
            id: shop(number),
            profile: MerchantProfile::new(format!("{number}"), Currency::KRW, Some(place)),
            groups: groups.iter().map(|number| group(*number)).collect(),
            keys: vec![KeyEntry { id: key(number), public_key: Base64(vec![4; 65]), till: true }],
        };
        directory::put_merchant(db, &entry).unwrap();
    }

    fn put_group(db: &Connection, number: usize, members: &[usize]) {
        let members: Vec<MerchantId> = members.iter().map(|number| shop(*number)).collect();
        let rate = BasisPoints::new(500).unwrap();
        let entry = GroupEntry {
            group: Group {
                id: group(number),
                founder: shop(0),
                profile: Profile::new("골목", Scope::Area),
                terms_version: 1,
                members: u32::try_from(members.len()).unwrap(),
                admin: shop(0),
                frozen: Vec::new(),
                closing: None,
                profile_version: 1,
            },
            terms: TermsVersion {
                group: group(number),
                version: 1,
                terms: Terms::points(rate, Validity::Months(6), Units::ZERO),
                in_force_from: Timestamp(0),
                in_force_until: None,
            },
            members,
            amendment: None,
        };
        directory::put_group(db, &entry).unwrap();
    }

    /// A sale there waits for this buyer.
    fn visit(db: &Connection, number: usize) {
        let sale = WaitingSale {
            sale: OpId(id(3, number)),
            merchant: shop(number),
            amount: Money(1_000),
            time: 0,
            until: Timestamp(1),
        };
        waiting::put(db, &sale).unwrap();
    }

    fn known_shops(db: &Connection) -> Vec<usize> {
        let number = |id: [u8; 16]| id[8..].iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
        ids(db, SHOPS).unwrap().into_iter().map(number).collect()
    }

    #[test]
    fn the_nearest_to_where_someone_shops_are_kept_and_strangers_far_away_go() {
        let store = Store::open(None).unwrap();
        store
            .write(|db| {
                (0..100).for_each(|number| put_shop(db, number, &[]));
                visit(db, 50);
                trim(db, Bounds { shops: 11, groups: 10 })
            })
            .unwrap();
        assert_eq!(store.read(|db| Ok(known_shops(db))).unwrap(), (45..=55).collect::<Vec<_>>());
    }

    #[test]
    fn members_of_a_used_group_are_kept_before_nearer_strangers() {
        let store = Store::open(None).unwrap();
        store
            .write(|db| {
                (0..100).for_each(|number| put_shop(db, number, if number % 49 == 1 { &[7] } else { &[] }));
                put_group(db, 7, &[1, 50, 99]);
                visit(db, 50);
                trim(db, Bounds { shops: 5, groups: 10 })
            })
            .unwrap();
        assert_eq!(store.read(|db| Ok(known_shops(db))).unwrap(), [1, 49, 50, 51, 99]);
        let members = store.read(|db| directory::members(db, group(7))).unwrap();
        assert_eq!(members.len(), 3);
    }

    #[test]
    fn a_tenth_more_is_left_alone() {
        let store = Store::open(None).unwrap();
        let bounds = Bounds { shops: 20, groups: 10 };
        store
            .write(|db| {
                (0..22).for_each(|number| put_shop(db, number, &[]));
                trim(db, bounds)
            })
            .unwrap();
        assert_eq!(store.read(|db| Ok(known_shops(db).len())).unwrap(), 22);
        store
            .write(|db| {
                put_shop(db, 22, &[]);
                trim(db, bounds)
            })
            .unwrap();
        assert_eq!(store.read(|db| Ok(known_shops(db).len())).unwrap(), 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_comes_there_is_never_more_than_the_bound_and_what_was_used_stays_whole(
            pages in proptest::collection::vec(
                proptest::collection::vec((0_usize..120, proptest::collection::vec(0_usize..30, 0..4)), 1..40), 1..8),
            visited in proptest::collection::btree_set(0_usize..120, 0..6),
            shops in 10_usize..40,
            groups in 20_usize..40,
        ) {
            let bounds = Bounds { shops, groups };
            let store = Store::open(None).unwrap();
            let mut members: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); 30];
            for page in pages {
                for (number, of) in &page {
                    for (group, members) in members.iter_mut().enumerate() {
                        if of.contains(&group) { members.insert(*number); } else { members.remove(number); }
                    }
                }
                let of = |number: usize| -> Vec<usize> {
                    members.iter().enumerate().filter(|(_, of)| of.contains(&number)).map(|(at, _)| at).collect()
                };
                store.write(|db| {
                    for (number, _) in &page {
                        for group in of(*number) {
                            put_group(db, group, &members[group].iter().copied().collect::<Vec<_>>());
                        }
                    }
                    page.iter().for_each(|(number, _)| put_shop(db, *number, &of(*number)));
                    trim(db, bounds)
                }).unwrap();
                let looked_at: Result<(), TestCaseError> = store.read(|db| Ok((|| {
                    let known = known_shops(db);
                    prop_assert!(known.len() <= bounds.most().shops, "{} shops", known.len());
                    prop_assert!(ids(db, GROUPS).unwrap().len() <= bounds.most().groups);
                    for number in known {
                        prop_assert!(directory::key(db, key(number)).unwrap().is_some());
                        let groups = directory::groups_of(db, shop(number)).unwrap();
                        prop_assert_eq!(groups.len(), of(number).len());
                        for group in groups {
                            prop_assert!(directory::terms(db, group).unwrap().is_some());
                        }
                    }
                    Ok(())
                })())).unwrap();
                looked_at?;
                // Whoever is visited was there when that happened, and is from then on.
                store.write(|db| {
                    let known = known_shops(db);
                    visited.iter().filter(|number| known.contains(number)).for_each(|number| visit(db, *number));
                    Ok(())
                }).unwrap();
            }
            let waiting = store.read(waiting::all).unwrap();
            store.write(|db| trim(db, Bounds { shops: 0, groups: 0 })).unwrap();
            let known = store.read(|db| Ok(known_shops(db))).unwrap();
            prop_assert_eq!(known.len(), waiting.len());
        }
    }
}
