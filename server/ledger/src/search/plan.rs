//! How an index answers a query, reading little of it.
//!
//! Of all that is asked, one thing is looked up: what fewest have, counted so far as counting is cheap. If those are few, they
//! are read and judged one by one. If even they are many, nearly whatever is looked at is found: then the best are looked at
//! first, circle by circle or rank by rank, until there is a page of them.

use moa_rules::merchant::Place;

use super::entry::{Entry, Fact, Hit, Id, Order, Query, Target, Term};
use super::place::{Cell, FARTHEST_M, Region, common, distance_m};
use crate::store::StoreError;

/// What is looked at without a second thought: so many postings, and of groups, which may all have to be read, so many.
#[derive(Debug, Clone, Copy)]
struct Few {
    postings: usize,
    groups: usize,
}

const FEW: Few = Few { postings: 4_096, groups: 512 };
/// Entries that are read at once.
const AT_ONCE: usize = 64;
/// So many postings are read for less than one entry is.
const PER_ENTRY: usize = 4;
/// Ranges of cells that a place is covered with.
const RANGES: usize = 16;
/// The first circle, in metres, and by how much the next is wider.
const FIRST_M: u32 = 250;
const WIDER: u32 = 4;

/// A stretch of an index: what is this, between there and there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// What it is.
    pub term: Term,
    /// From this cell.
    pub first: Cell,
    /// To this.
    pub last: Cell,
}

/// Postings and entries, in whatever keeps them in order.
pub trait Index {
    /// How many postings each choice has, counted to `most`.
    fn counts(&mut self, choices: &[Vec<Range>], most: usize) -> Result<Vec<usize>, StoreError>;

    /// Postings of any of the ranges, at most so many.
    fn postings(&mut self, ranges: &[Range], most: usize) -> Result<Vec<(Cell, Id)>, StoreError>;

    /// Entries by their ids, in any order.
    fn entries(&mut self, target: Target, ids: &[Id]) -> Result<Vec<(Id, Entry)>, StoreError>;

    /// Entries in an order other than by distance, after a rank and id, at most so many.
    fn ranked(
        &mut self,
        target: Target,
        order: Order,
        after: (i64, Id),
        most: usize,
    ) -> Result<Vec<(Id, Entry)>, StoreError>;
}

/// What is found, the page of it that is asked for.
pub(crate) fn search(index: &mut dyn Index, query: &Query) -> Result<Vec<Hit>, StoreError> {
    search_among(index, query, FEW)
}

fn search_among(index: &mut dyn Index, query: &Query, few: Few) -> Result<Vec<Hit>, StoreError> {
    let region = query.region.map(|region| region.cells(RANGES));
    let choices = choices(query);
    let ranges: Vec<Vec<Range>> =
        choices.iter().map(|facts| ranges(query.target, facts, region.as_deref())).collect();
    let counts = index.counts(&ranges, few.postings)?;
    let mut fewest_first: Vec<usize> = (0..choices.len()).collect();
    fewest_first.sort_by_key(|at| counts.get(*at));
    let best = fewest_first.first().copied();
    let mut found = None;
    if let Some(best) = best.filter(|best| counts.get(*best).is_some_and(|count| *count < few.postings)) {
        let postings = index.postings(&ranges[best], few.postings)?;
        let others = fewest_first[1..].iter().map(|at| ranges[*at].as_slice());
        let postings = narrowed(index, query.target, postings, others)?;
        let readable = query.target == Target::Shops || ids(&postings).len() <= few.groups;
        found = readable.then_some(postings);
    }
    let hits = match (found, best) {
        (Some(found), _) => judge(index, query, found)?,
        (None, best) => match (query.order(), query.from) {
            (Order::Distance, Some(from)) => {
                let facts = best.map_or(&[Fact::THERE][..], |best| &choices[best]);
                let facts = if query.target == Target::Groups && facts.iter().any(|fact| fact.is_gram()) {
                    // Groups' names are nowhere.
                    &[Fact::THERE]
                } else {
                    facts
                };
                nearest(index, query, (from, few.postings), facts, region.as_deref())?
            }
            (order, _) => ranked(index, query, order)?,
        },
    };
    Ok(query.page(hits))
}

/// What could be looked up: of each choice, everything that is found is one of it.
fn choices(query: &Query) -> Vec<Vec<Fact>> {
    let mut choices: Vec<Vec<Fact>> = query.facts.iter().map(|fact| vec![*fact]).collect();
    for word in &query.words {
        let grams = word.text.wanted().into_iter().map(Fact::gram);
        choices.extend(grams.map(|gram| [&[gram], word.trades.as_slice()].concat()));
    }
    choices.extend(query.region.map(|_| vec![Fact::THERE]));
    choices
}

/// Where to look any of these up. Groups' names are nowhere, whatever the region.
fn ranges(target: Target, facts: &[Fact], region: Option<&[(Cell, Cell)]>) -> Vec<Range> {
    let mut ranges = Vec::new();
    for fact in facts {
        let term = Term::new(target, *fact);
        let nowhere = fact.is_gram() && target == Target::Groups;
        let cells = match region {
            _ if nowhere => &[(Cell::NOWHERE, Cell::NOWHERE)],
            Some(region) => region,
            None => &[(Cell::NOWHERE, Cell::LAST)][..],
        };
        ranges.extend(cells.iter().map(|(first, last)| Range { term, first: *first, last: *last }));
    }
    ranges
}

/// Of what was looked up, what is found in other choices too: whatever is found is in all of them. A choice of which more would
/// be read than that saves is left to the entries.
fn narrowed<'a>(
    index: &mut dyn Index,
    target: Target,
    mut found: Vec<(Cell, Id)>,
    others: impl Iterator<Item = &'a [Range]>,
) -> Result<Vec<(Cell, Id)>, StoreError> {
    for other in others {
        if found.len() <= AT_ONCE {
            break;
        }
        let most = PER_ENTRY * found.len();
        let also = match (target, span(&found)) {
            // All that a shop is, it is in one place.
            (Target::Shops, Some(span)) => index.postings(&within(other, span), most + 1)?,
            _ => index.postings(other, most + 1)?,
        };
        if also.len() <= most {
            let also = ids(&also);
            found.retain(|(_, id)| also.binary_search(id).is_ok());
        }
    }
    Ok(found)
}

/// The first and the last cell of these.
fn span(found: &[(Cell, Id)]) -> Option<(Cell, Cell)> {
    let cells = || found.iter().map(|(cell, _)| *cell);
    cells().min().zip(cells().max())
}

/// What of these ranges lies between two cells.
fn within(ranges: &[Range], (first, last): (Cell, Cell)) -> Vec<Range> {
    let clipped = ranges.iter().map(|range| Range {
        term: range.term,
        first: range.first.max(first),
        last: range.last.min(last),
    });
    clipped.filter(|range| range.first <= range.last).collect()
}

/// Whose postings these are, each once, in order.
fn ids(found: &[(Cell, Id)]) -> Vec<Id> {
    let mut ids: Vec<Id> = found.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Judges what postings name, those first that may come first: nothing is nearer than the nearest place that it is found at, and
/// of a shop that is all. Once enough is found that comes before all the rest may, the rest is left alone.
fn judge(index: &mut dyn Index, query: &Query, found: Vec<(Cell, Id)>) -> Result<Vec<Hit>, StoreError> {
    let nearest = |(cell, id): (Cell, Id)| {
        let rank = match (query.order(), query.from, query.target) {
            (Order::Distance, Some(from), _) => match (cell.place(), query.target) {
                (Some(place), _) => distance_m(from, place).into(),
                (None, Target::Shops) => i64::MAX,
                // Its name is nowhere, its members may be here.
                (None, Target::Groups) => 0,
            },
            (_, _, Target::Shops) => 0,
            (_, _, Target::Groups) => i64::MIN,
        };
        (id, rank)
    };
    let mut least: Vec<(Id, i64)> = found.into_iter().map(nearest).collect();
    least.sort_unstable();
    least.dedup_by_key(|(id, _)| *id);
    let mut order: Vec<(i64, Id)> = least.into_iter().map(|(id, rank)| (rank, id)).collect();
    order.sort_unstable();
    let enough = query.offset.saturating_add(query.limit);
    let (mut hits, mut rest): (Vec<Hit>, &[(i64, Id)]) = (Vec::new(), &order);
    while let Some(next) = rest.first() {
        if hits.len() >= enough && hits.iter().filter(|hit| (hit.rank, hit.id) < *next).count() >= enough {
            break;
        }
        let (some, others) = rest.split_at(rest.len().min(AT_ONCE));
        let ids: Vec<Id> = some.iter().map(|(_, id)| *id).collect();
        let entries = index.entries(query.target, &ids)?;
        hits.extend(entries.iter().filter_map(|(id, entry)| query.judge(*id, entry)));
        rest = others;
    }
    Ok(hits)
}

/// What is nearest, circle by circle.
fn nearest(
    index: &mut dyn Index,
    query: &Query,
    (from, few): (Place, usize),
    facts: &[Fact],
    region: Option<&[(Cell, Cell)]>,
) -> Result<Vec<Hit>, StoreError> {
    let enough = query.offset.saturating_add(query.limit);
    // All of `within` is known to be too little, all of `beyond` too much to read.
    let (mut within, mut beyond, mut radius_m) = (0, None, FIRST_M);
    let mut most = few;
    loop {
        let is_all = radius_m >= FARTHEST_M;
        let circle = Region::Circle { centre: from, radius_m }.cells(RANGES);
        let cells = match region {
            Some(region) if is_all => region.to_vec(),
            Some(region) => common(&circle, region),
            None if is_all => vec![(Cell::NOWHERE, Cell::LAST)],
            None => circle,
        };
        let can_narrow = radius_m - within > 1;
        let limit = if can_narrow { most + 1 } else { usize::MAX };
        let mut found = index.postings(&ranges(query.target, facts, Some(&cells)), limit)?;
        if can_narrow && found.len() > most {
            beyond = Some(radius_m);
            radius_m = within + (radius_m - within) / 2;
            continue;
        }
        // The next circle holds all of these again.
        most = most.max(4 * found.len());
        if !is_all {
            let near = |cell: &Cell| cell.place().is_some_and(|place| distance_m(from, place) <= radius_m);
            found.retain(|(cell, _)| near(cell));
        }
        let mut hits = judge(index, query, found)?;
        if !is_all {
            // A group's member that lies here may not be the one that is meant.
            hits.retain(|hit| hit.rank <= i64::from(radius_m));
        }
        if is_all || hits.len() >= enough {
            return Ok(hits);
        }
        within = radius_m;
        radius_m = match beyond {
            Some(beyond) if beyond > within => within + (beyond - within).div_ceil(2),
            _ => radius_m.saturating_mul(WIDER).min(FARTHEST_M),
        };
    }
}

/// What stands first in an order, as far as it takes.
fn ranked(index: &mut dyn Index, query: &Query, order: Order) -> Result<Vec<Hit>, StoreError> {
    let enough = query.offset.saturating_add(query.limit);
    let (mut hits, mut after) = (Vec::new(), (i64::MIN, [0; 16]));
    loop {
        let entries = index.ranked(query.target, order, after, AT_ONCE)?;
        hits.extend(entries.iter().filter_map(|(id, entry)| query.judge(*id, entry)));
        match entries.last() {
            Some((id, entry)) if entries.len() == AT_ONCE && hits.len() < enough => {
                after = (entry.rank(order), *id);
            }
            _ => return Ok(hits),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use moa_rules::group::Group;
    use moa_rules::id::{GroupId, MerchantId};
    use moa_rules::merchant::{Industry, MerchantProfile};
    use moa_rules::quantity::{BasisPoints, Currency, Units};
    use moa_rules::terms::{Profile, Scope, Terms};
    use moa_rules::time::Validity;
    use proptest::prelude::*;

    use super::*;
    use crate::search::entry::Word;
    use crate::search::place::Bounds;
    use crate::search::text::Text;

    /// Postings and entries in trees of this process.
    #[derive(Debug, Default)]
    struct Trees {
        postings: BTreeSet<(Term, Cell, Id)>,
        entries: BTreeMap<(Target, Id), Entry>,
        read: usize,
    }

    impl Trees {
        fn add(&mut self, target: Target, id: Id, entry: Entry) {
            self.postings.extend(entry.postings(target).into_iter().map(|(term, cell)| (term, cell, id)));
            self.entries.insert((target, id), entry);
        }

        fn of(&self, target: Target) -> impl Iterator<Item = (Id, &Entry)> {
            let entries = self.entries.iter().filter(move |((of, _), _)| *of == target);
            entries.map(|((_, id), entry)| (*id, entry))
        }

        /// Everything is looked at.
        fn naive(&self, query: &Query) -> Vec<Hit> {
            query.page(self.of(query.target).filter_map(|(id, entry)| query.judge(id, entry)).collect())
        }
    }

    impl Index for Trees {
        fn counts(&mut self, choices: &[Vec<Range>], most: usize) -> Result<Vec<usize>, StoreError> {
            choices.iter().map(|ranges| Ok(self.postings(ranges, most)?.len())).collect()
        }

        fn postings(&mut self, ranges: &[Range], most: usize) -> Result<Vec<(Cell, Id)>, StoreError> {
            let of = |range: &Range| {
                let (first, last) =
                    ((range.term, range.first, [0; 16]), (range.term, range.last, [0xff; 16]));
                self.postings.range(first..=last).map(|(_, cell, id)| (*cell, *id))
            };
            Ok(ranges.iter().flat_map(of).take(most).collect())
        }

        fn entries(&mut self, target: Target, ids: &[Id]) -> Result<Vec<(Id, Entry)>, StoreError> {
            self.read += ids.len();
            let entry = |id: &Id| Some((*id, self.entries.get(&(target, *id))?.clone()));
            Ok(ids.iter().filter_map(entry).collect())
        }

        fn ranked(
            &mut self,
            target: Target,
            order: Order,
            after: (i64, Id),
            most: usize,
        ) -> Result<Vec<(Id, Entry)>, StoreError> {
            let mut ranked: Vec<(i64, Id)> =
                self.of(target).map(|(id, entry)| (entry.rank(order), id)).filter(|at| *at > after).collect();
            ranked.sort_unstable();
            let ids: Vec<Id> = ranked.into_iter().take(most).map(|(_, id)| id).collect();
            self.entries(target, &ids)
        }
    }

    fn place() -> impl Strategy<Value = Place> {
        // A town, what lies far from it, and the edges of the map.
        let (town, country) = (37_560_000..37_570_000, 33_000_000..39_000_000);
        prop_oneof![
            6 => (town, 126_920_000..126_930_000),
            2 => (country, 125_000_000..130_000_000),
            1 => (-90_000_000..=90_000_000, prop_oneof![Just(180_000_000), Just(-180_000_000), Just(-179_990_000)]),
        ]
        .prop_map(|(lat_e6, lon_e6)| Place { lat_e6, lon_e6 })
    }

    fn industry() -> impl Strategy<Value = Industry> {
        prop_oneof![Just(Industry::Cafe), Just(Industry::Bakery), Just(Industry::Hair)]
    }

    const AREAS: [&str; 4] = ["서울 마포구 연남동", "서울 마포구 서교동", "서울 중구", "부산"];
    const BUILDINGS: [&str; 2] = ["연남 타워", "Seoul Mall"];

    fn shop() -> impl Strategy<Value = MerchantProfile> {
        let name =
            prop_oneof!["(청춘|연남|카|별)(카페|빵집|다방|미용실)?", "[가-깋]{1,4}", "(Cafe|Art) [A-D]"];
        let parts = (
            name,
            proptest::option::weighted(0.9, place()),
            proptest::option::of(industry()),
            proptest::option::of(proptest::sample::select(&AREAS[..])),
            proptest::option::of(proptest::sample::select(&BUILDINGS[..])),
        );
        parts.prop_map(|(name, place, industry, area, building)| MerchantProfile {
            industry,
            area: area.map(str::to_owned),
            building: building.map(str::to_owned),
            ..MerchantProfile::new(name, Currency::KRW, place)
        })
    }

    fn numbered(number: usize) -> Id {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&(number as u64).to_be_bytes());
        id
    }

    fn town(shops: &[MerchantProfile], groups: &[(Scope, u16, Vec<usize>)]) -> Trees {
        let mut trees = Trees::default();
        for (at, (scope, rate, members)) in groups.iter().enumerate() {
            let members: BTreeSet<usize> = members.iter().map(|member| member % shops.len()).collect();
            let names = ["청춘 골목", "연남동 상점가", "카페 연합", "Art Street", "별빛"];
            let group = Group {
                id: GroupId(numbered(at)),
                founder: MerchantId([0; 16]),
                profile: Profile::new(names[at % names.len()], *scope),
                terms_version: 1,
                members: u32::try_from(members.len()).unwrap(),
                admin: MerchantId([0; 16]),
                frozen: Vec::new(),
                closing: None,
                profile_version: 1,
            };
            let rate = BasisPoints::new(*rate).unwrap();
            let terms = Terms::points(rate, Validity::Months(6), Units::ZERO);
            let entry = Entry::group(&group, &terms, members.iter().map(|member| &shops[*member]));
            trees.add(Target::Groups, numbered(at), entry.unwrap());
        }
        for (at, shop) in shops.iter().enumerate() {
            trees.add(Target::Shops, numbered(at), Entry::shop(shop));
        }
        trees
    }

    fn scope() -> impl Strategy<Value = Scope> {
        prop_oneof![Just(Scope::Building), Just(Scope::Area), Just(Scope::Nationwide)]
    }

    fn towns() -> impl Strategy<Value = Trees> {
        let group = (scope(), 1_u16..5, proptest::collection::vec(0_usize..200, 1..8));
        let shops = proptest::collection::vec(shop(), 1..150);
        (shops, proptest::collection::vec(group, 0..60)).prop_map(|(shops, groups)| town(&shops, &groups))
    }

    fn word() -> impl Strategy<Value = Word> {
        let typed = prop_oneof!["카페|페|카ㅍ|청춘|별|ㅋㅍ|ㅊㅊ|ㅂ|cafe|art|a|골목|연남|가ㄱ|[가-깋]"];
        typed.prop_map(|typed| {
            let means_cafe = ["카페", "ㅋㅍ", "cafe"].contains(&typed.as_str());
            let trades = if means_cafe { vec![Fact::industry(Industry::Cafe)] } else { Vec::new() };
            Word { text: Text::new(&typed), trades }
        })
    }

    fn region() -> impl Strategy<Value = Region> {
        let circle = (place(), prop_oneof![0_u32..2_000, 0..FARTHEST_M])
            .prop_map(|(centre, radius_m)| Region::Circle { centre, radius_m });
        let bounds = (place(), place()).prop_map(|(one, other)| {
            let (south, north) = (one.lat_e6.min(other.lat_e6), one.lat_e6.max(other.lat_e6));
            Region::Bounds(Bounds { south, west: one.lon_e6, north, east: other.lon_e6 })
        });
        prop_oneof![circle, bounds]
    }

    fn query() -> impl Strategy<Value = Query> {
        let fact = prop_oneof![
            industry().prop_map(Fact::industry),
            scope().prop_map(Fact::scope),
            proptest::sample::select(vec!["서울", "서울 마포구", "부산"])
                .prop_map(|area| Fact::area(area).unwrap()),
            proptest::sample::select(&BUILDINGS[..]).prop_map(|building| Fact::building(building).unwrap()),
        ];
        let parts = (
            prop_oneof![Just(Target::Shops), Just(Target::Groups)],
            proptest::collection::vec(word(), 0..3),
            proptest::collection::vec(fact, 0..2),
            proptest::option::of(region()),
            proptest::option::of(place()),
            prop_oneof![Just(Order::Distance), Just(Order::Members), Just(Order::Rate)],
            (0_usize..20, 1_usize..20),
        );
        parts.prop_map(|(target, words, facts, region, from, order, (offset, limit))| Query {
            target,
            words,
            facts,
            region,
            from,
            order,
            offset,
            limit,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn an_index_finds_what_is_found_by_looking_at_everything_in_the_same_order(
            mut town in towns(),
            queries in proptest::collection::vec(query(), 1..40),
            few in prop_oneof![1_usize..12, Just(1_000)],
        ) {
            for query in queries {
                let found = search_among(&mut town, &query, Few { postings: few, groups: few }).unwrap();
                prop_assert_eq!(found, town.naive(&query), "{:?}", query);
            }
        }
    }

    #[test]
    fn of_many_that_would_do_only_the_nearest_are_read() {
        let at = |number: i32| Place {
            lat_e6: 37_000_000 + number % 100 * 1_000,
            lon_e6: 127_000_000 + number / 100 * 1_000,
        };
        let cafe = |number| MerchantProfile {
            industry: Some(Industry::Cafe),
            ..MerchantProfile::new("청춘카페", Currency::KRW, Some(at(number)))
        };
        let mut town = town(&(0..10_000).map(cafe).collect::<Vec<_>>(), &[]);
        let word = Word { text: Text::new("ㅊㅊㅋㅍ"), trades: Vec::new() };
        let query = Query {
            words: vec![word],
            from: Some(at(5_050)),
            order: Order::Distance,
            ..Query::new(Target::Shops)
        };
        let found = search(&mut town, &query).unwrap();
        assert_eq!(found, town.naive(&query));
        assert!(town.read <= 2 * AT_ONCE, "{} were read", town.read);
    }

    #[test]
    fn many_in_one_place_are_found_in_order_of_their_ids() {
        let here = Place { lat_e6: 37_000_000, lon_e6: 127_000_000 };
        let shop = MerchantProfile::new("노점", Currency::KRW, Some(here));
        let mut town = town(&vec![shop; 300], &[]);
        let from = Some(Place { lat_e6: 37_000_000, lon_e6: 128_000_000 });
        let query = Query { from, order: Order::Distance, offset: 100, ..Query::new(Target::Shops) };
        let few = Few { postings: 50, groups: 50 };
        assert_eq!(search_among(&mut town, &query, few).unwrap(), town.naive(&query));
    }
}
