//! What is searched: a shop, or a group with all its members. A group lies where its members lie and is of their trades; what
//! is asked of place and trade, district and building, one member has to be all of.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use moa_rules::group::Group;
use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::quantity::Money;
use moa_rules::terms::{Scope, Terms};
use moa_wire::keys::sha256;

use super::place::{Cell, Region, distance_m};
use super::text::{Gram, Text};

/// The first words of a district that count: `서울 마포구 연남동` are three.
const AREA_WORDS: usize = 6;
/// For what purchase rates are compared, in minor units.
const COMPARED_AT: Money = Money(10_000);

/// The id of a shop or a group.
pub type Id = [u8; 16];

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Shops, to invite.
    Shops,
    /// Groups, to join.
    Groups,
}

impl Target {
    /// As a column.
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Shops => 0,
            Self::Groups => 1,
        }
    }

    /// The column again.
    pub(crate) fn of(code: i64) -> Option<Self> {
        [Self::Shops, Self::Groups].into_iter().find(|target| target.code() == code)
    }
}

/// Something that a shop is, in a number: its trade, its district, its building; or that a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Fact(#[n(0)] i64);

impl Fact {
    /// It is somewhere, or nowhere.
    pub(super) const THERE: Self = Self(0);

    /// Its name has a gram.
    pub(super) fn gram(gram: Gram) -> Self {
        Self::new(if gram.initials { 2 } else { 1 }, gram.letters.into())
    }

    /// Its trade.
    pub fn industry(industry: Industry) -> Self {
        Self::new(3, industry as u64)
    }

    /// Its district, or one that this is a part of: `서울 마포구` holds `서울 마포구 연남동`. None of no words.
    pub fn area(area: &str) -> Option<Self> {
        Self::areas(area).pop()
    }

    /// A district, and those that it is a part of.
    fn areas(area: &str) -> Vec<Self> {
        let mut whole = String::new();
        let mut areas = Vec::new();
        for word in area.split_whitespace().map(Text::new).filter(|word| !word.is_empty()).take(AREA_WORDS) {
            whole.push_str(word.strokes());
            whole.push(' ');
            areas.push(Self::named(4, &whole));
        }
        areas
    }

    /// Its building. None of no letters.
    pub fn building(building: &str) -> Option<Self> {
        let name = Text::new(building);
        (!name.is_empty()).then(|| Self::named(5, name.strokes()))
    }

    /// How wide a group is meant to reach.
    pub fn scope(scope: Scope) -> Self {
        Self::new(6, scope as u64)
    }

    fn named(kind: u8, name: &str) -> Self {
        let hash = sha256(&[name.as_bytes()]);
        Self::new(kind, hash[..7].iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    }

    /// A kind, and 56 bits.
    fn new(kind: u8, bits: u64) -> Self {
        Self((u64::from(kind) << 56 | bits).cast_signed())
    }

    /// Whether it is of a name.
    pub(super) fn is_gram(self) -> bool {
        matches!(self.0 >> 56, 1 | 2)
    }
}

/// What an index is asked by: a fact of shops or of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub i64);

impl Term {
    /// Of shops, or of groups.
    pub(crate) fn target(self) -> Option<Target> {
        Target::of(self.0 >> 60)
    }

    pub(super) fn new(target: Target, fact: Fact) -> Self {
        Self(target.code() << 60 | fact.0)
    }
}

/// A place, and what is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    cell: i64,
    facts: Vec<Fact>,
}

/// Places in one piece, each a cell, how many facts, and the facts, eight bytes a number: a group is judged by dozens of them, and
/// hundreds of groups for one page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct Spots(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl Spots {
    fn new(spots: impl IntoIterator<Item = Spot>) -> Self {
        let mut bytes = Vec::new();
        for Spot { cell, facts } in spots {
            bytes.extend(cell.to_be_bytes());
            // Those of a district's words and four more.
            bytes.push(u8::try_from(facts.len()).unwrap_or_default());
            bytes.extend(facts.iter().flat_map(|fact| fact.0.to_be_bytes()));
        }
        Self(bytes)
    }

    /// Each place, and its facts. Ends where the bytes are no place.
    fn iter(&self) -> impl Iterator<Item = (Cell, &[[u8; 8]])> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (cell, [count, after @ ..]) = rest.split_first_chunk()? else { return None };
            let (facts, after) = after.split_at_checked(8 * usize::from(*count))?;
            rest = after;
            Some((Cell(i64::from_be_bytes(*cell)), facts.as_chunks().0))
        })
    }

    fn is_whole(&self) -> bool {
        let read: usize = self.iter().map(|(_, facts)| 9 + 8 * facts.len()).sum();
        read == self.0.len()
    }
}

/// What is searched of a shop or a group.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// Its names.
    #[n(0)]
    names: Vec<String>,
    /// Where it is: a shop once, a group wherever its members are.
    #[n(1)]
    spots: Spots,
    /// Members of a group; of a shop, none.
    #[n(2)]
    members: u32,
    /// What a group gives for [`COMPARED_AT`], in basis points; a shop, nothing.
    #[n(3)]
    rate: u32,
}

fn spot(profile: &MerchantProfile, scope: Option<Scope>) -> Spot {
    let mut facts: Vec<Fact> = profile.area.as_deref().map(Fact::areas).unwrap_or_default();
    facts.extend(profile.industry.map(Fact::industry));
    facts.extend(profile.building.as_deref().and_then(Fact::building));
    facts.extend(scope.map(Fact::scope));
    facts.sort_unstable();
    Spot { cell: Cell::of(profile.place).0, facts }
}

impl Entry {
    /// A shop's.
    pub fn shop(profile: &MerchantProfile) -> Self {
        let spots = Spots::new([spot(profile, None)]);
        Self { names: vec![profile.name.clone()], spots, members: 0, rate: 0 }
    }

    /// A group's, with its terms in force and its members; none of one that is closing, which nobody can join.
    pub fn group<'a>(
        group: &Group,
        terms: &Terms,
        members: impl IntoIterator<Item = &'a MerchantProfile>,
    ) -> Option<Self> {
        if group.closing.is_some() {
            return None;
        }
        let spots: BTreeSet<Spot> =
            members.into_iter().map(|member| spot(member, Some(group.profile.scope))).collect();
        let names = [Some(&group.profile.name), group.profile.nickname.as_ref()];
        Some(Self {
            names: names.into_iter().flatten().cloned().collect(),
            spots: Spots::new(spots),
            members: group.members,
            rate: u32::try_from(terms.gives(COMPARED_AT) / i128::from(COMPARED_AT.0)).unwrap_or(u32::MAX),
        })
    }

    /// Reads what [`Self::bytes`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().filter(|entry: &Self| entry.spots.is_whole())
    }

    /// As it is kept.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        moa_wire::canonical::encode(self)
    }

    /// Its place in an order other than by distance: less comes first.
    pub(crate) fn rank(&self, order: Order) -> i64 {
        match order {
            Order::Distance => 0,
            Order::Members => -i64::from(self.members),
            Order::Rate => -i64::from(self.rate),
        }
    }

    /// Where an index has it: what it is, and where that is. A group's names are nowhere.
    pub(crate) fn postings(&self, target: Target) -> BTreeSet<(Term, Cell)> {
        let mut postings = BTreeSet::new();
        for (cell, facts) in self.spots.iter() {
            let facts = facts.iter().map(|fact| Fact(i64::from_be_bytes(*fact))).chain([Fact::THERE]);
            postings.extend(facts.map(|fact| (Term::new(target, fact), cell)));
        }
        let at = match (target, self.spots.iter().next()) {
            (Target::Shops, Some((cell, _))) => cell,
            _ => Cell::NOWHERE,
        };
        let grams = Text::all(self.names.iter().map(String::as_str)).grams();
        postings.extend(grams.into_iter().map(|gram| (Term::new(target, Fact::gram(gram)), at)));
        postings
    }
}

/// By what is found first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What is nearest; by members, if it is not said from where.
    Distance,
    /// What has most members.
    Members,
    /// What gives most.
    Rate,
}

/// A word that someone typed, and the trades that it may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: Text,
    /// What has any of these is found too, whatever its name.
    pub trades: Vec<Fact>,
}

/// What someone looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Shops or groups.
    pub target: Target,
    /// Every one of these words has to be in its name, or mean its trade.
    pub words: Vec<Word>,
    /// It has to be all of these.
    pub facts: Vec<Fact>,
    /// It has to lie there.
    pub region: Option<Region>,
    /// From where distances are told.
    pub from: Option<Place>,
    /// What comes first. What is alike comes in order of id.
    pub order: Order,
    /// So many are left out.
    pub offset: usize,
    /// So many at most.
    pub limit: usize,
}

impl Query {
    /// Everything there is, the first page of it.
    pub fn new(target: Target) -> Self {
        let (words, facts) = (Vec::new(), Vec::new());
        let order = Order::Members;
        Self { target, words, facts, region: None, from: None, order, offset: 0, limit: 50 }
    }

    /// The order that is meant.
    pub(super) fn order(&self) -> Order {
        if self.from.is_none() && self.order == Order::Distance { Order::Members } else { self.order }
    }

    /// Where an entry comes among what is found, if it is.
    pub(crate) fn judge(&self, id: Id, entry: &Entry) -> Option<Hit> {
        let name = if self.words.is_empty() {
            Text::default()
        } else {
            Text::all(entry.names.iter().map(String::as_str))
        };
        // A word that is in the name asks nothing of any spot.
        let asked: Vec<&Word> = self.words.iter().filter(|word| !name.contains(&word.text)).collect();
        if asked.iter().any(|word| word.trades.is_empty()) {
            return None;
        }
        let (mut found, mut nearest): (bool, Option<u32>) = (false, None);
        for (cell, facts) in entry.spots.iter() {
            let is = |fact: &Fact| facts.contains(&fact.0.to_be_bytes());
            if !self.facts.iter().all(is) || !asked.iter().all(|word| word.trades.iter().any(is)) {
                continue;
            }
            let place = cell.place();
            let distance = self.from.zip(place).map(|(from, place)| distance_m(from, place));
            let there = match self.region {
                None => true,
                // Mostly it is around whoever asks: told once how far that is.
                Some(Region::Circle { centre, radius_m }) if self.from == Some(centre) => {
                    distance.is_some_and(|distance| distance <= radius_m)
                }
                Some(region) => place.is_some_and(|place| region.contains(place)),
            };
            if !there {
                continue;
            }
            (found, nearest) = (true, [nearest, distance].into_iter().flatten().min());
        }
        let rank = match self.order() {
            Order::Distance => nearest.map_or(i64::MAX, i64::from),
            order => entry.rank(order),
        };
        found.then_some(Hit { rank, id, distance_m: nearest })
    }

    /// The page of all that was found.
    pub(crate) fn page(&self, mut hits: Vec<Hit>) -> Vec<Hit> {
        hits.sort_unstable();
        hits.into_iter().skip(self.offset).take(self.limit).collect()
    }
}

/// What was found, in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Less comes first.
    pub(super) rank: i64,
    /// Which shop or group.
    pub id: Id,
    /// How far away, if that can be told: of a group, its nearest member that is meant.
    pub distance_m: Option<u32>,
}
