//! A country of shops that are searched: how long each kind of query takes on SQLite, beside looking at everything.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use moa_ledger::copy::Import;
use moa_ledger::search::entry::Word;
use moa_ledger::search::{Bounds, Fact, FoundWhat, Order, Query, Region, Target, Text};
use moa_ledger::sqlite::{SqliteImport, SqliteStore};
use moa_ledger::store::Store;
use moa_ledger::tables::{Tables, system_device};
use moa_rules::group::{Group, Member, TermsVersion};
use moa_rules::id::{AccountId, GroupId, MerchantId};
use moa_rules::merchant::{Industry, Merchant, MerchantProfile, Place};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::state::Row;
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::{Day, Timestamp, Validity};
use moa_wire::keys::{Signer, SoftwareKey};
use moa_words::industry_words;

use super::{Figure, median, millis};
use crate::Failure;

const SHOPS: usize = 100_000;
const GROUPS: usize = 5_000;
/// Districts, in which shops lie within a kilometre or so of the middle.
const DISTRICTS: usize = 200;
/// Queries of each kind.
const QUERIES: usize = 400;
/// Of those, answered by looking at everything too, and compared.
const COMPARED: usize = 8;
/// Rows that are written at once.
const AT_ONCE: usize = 10_000;

/// What names are made of.
const SYLLABLES: [&str; 48] = [
    "달", "별", "꽃", "빛", "솔", "봄", "숲", "산", "강", "들", "해", "눈", "비", "콩", "밀", "쌀", "청",
    "춘", "연", "남", "서", "교", "정", "동", "은", "하", "미", "소", "나", "래", "다", "온", "새", "터",
    "큰", "작", "우", "리", "늘", "푸", "른", "누", "리", "가", "람", "윤", "슬", "결",
];
/// What some shops write behind it.
const BRANCHES: [&str; 6] = ["", "", "", " 본점", " 2호점", " 역앞"];

/// Numbers that look like chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % most.max(1) as u64).unwrap_or_default()
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

struct Country {
    shops: Vec<Merchant>,
    tables: Tables,
    chance: Chance,
}

fn id(kind: u8, number: usize) -> [u8; 16] {
    // As phones make them, one after the other; the rest scattered.
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    id[8..].copy_from_slice(&(number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id[8] = kind;
    id
}

impl Country {
    fn found() -> Result<Self, Failure> {
        let mut chance = Chance(11);
        let cities = ["서울", "부산", "대구", "인천", "광주", "대전", "울산", "수원", "전주", "제주"];
        let middles: Vec<(String, Place)> = (0..DISTRICTS)
            .map(|at| {
                let city = at % cities.len();
                let name = format!(
                    "{} {}구 {}동",
                    cities[city],
                    SYLLABLES[at / 10 % 5],
                    SYLLABLES[at % 48].repeat(1 + at / 48)
                );
                let (lat, lon) = (chance.below(120_000), chance.below(120_000));
                let lat_e6 = 35_000_000 + i32::try_from(city * 250_000 + lat)?;
                let lon_e6 = 126_700_000 + i32::try_from(city * 240_000 + lon)?;
                Ok::<_, Failure>((name, Place { lat_e6, lon_e6 }))
            })
            .collect::<Result<_, _>>()?;
        let mut shops = Vec::with_capacity(SHOPS);
        for number in 0..SHOPS {
            let (area, middle) = chance.of(&middles).clone();
            // Two throws: more in the middle than at the edge.
            let mut off =
                || i32::try_from(chance.below(10_000) + chance.below(10_000)).map(|off| off - 10_000);
            let place = Place { lat_e6: middle.lat_e6 + off()?, lon_e6: middle.lon_e6 + off()? };
            // A third are cafés, restaurants and the like, as in a street.
            let industry = if chance.below(3) == 0 {
                Industry::ALL[chance.below(4)]
            } else {
                Industry::ALL[chance.below(Industry::ALL.len())]
            };
            let words: Vec<&str> = industry_words(industry).filter(|word| !word.is_ascii()).collect();
            let what = if words.is_empty() || chance.below(3) == 0 { "" } else { *chance.of(&words) };
            let name = [
                chance.of(&SYLLABLES),
                chance.of(&SYLLABLES),
                chance.of(&SYLLABLES),
                what,
                chance.of(&BRANCHES),
            ]
            .concat();
            let building = (chance.below(5) == 0).then(|| format!("{}빌딩", SYLLABLES[chance.below(5)]));
            let profile = MerchantProfile {
                industry: Some(industry),
                area: Some(area),
                building,
                ..MerchantProfile::new(name, Currency::KRW, Some(place))
            };
            let (merchant, owner) = (MerchantId(id(1, number)), AccountId(id(2, number)));
            shops.push(Merchant { id: merchant, owner, profile, allowance: Money(0), invited: (Day(0), 0) });
        }
        let mut country = Self { shops, tables: Tables::default(), chance };
        let shops = country.shops.clone();
        shops.into_iter().for_each(|shop| country.tables.put(&Row::Merchant(shop)));
        country.unite()?;
        Ok(country)
    }

    /// Shops of a district unite, and some of a trade all over the country.
    fn unite(&mut self) -> Result<(), Failure> {
        let mut by_district: Vec<usize> = (0..self.shops.len()).collect();
        by_district.sort_by_key(|shop| self.shops[*shop].profile.area.clone());
        let mut by_trade: Vec<usize> = (0..self.shops.len()).collect();
        by_trade.sort_by_key(|shop| self.shops[*shop].profile.industry);
        for number in 0..GROUPS {
            let nationwide = self.chance.below(5) == 0;
            let order = if nationwide { &by_trade } else { &by_district };
            let (size, first) = (5 + self.chance.below(31), self.chance.below(order.len() - 200));
            let members: Vec<MerchantId> =
                (0..size).map(|member| self.shops[order[first + member * 5]].id).collect();
            let scope = if nationwide { Scope::Industry } else { Scope::Area };
            let name = [
                *self.chance.of(&SYLLABLES),
                *self.chance.of(&SYLLABLES),
                *self.chance.of(&["골목", " 상점가", " 모임", " 거리"]),
            ];
            let group = Group {
                id: GroupId(id(3, number)),
                founder: members[0],
                profile: Profile::new(name.concat(), scope),
                terms_version: 1,
                members: u32::try_from(members.len())?,
                admin: members[0],
                frozen: Vec::new(),
                closing: None,
                profile_version: 1,
            };
            let rate = BasisPoints::new(50 * (1 + u16::try_from(self.chance.below(20))?))?;
            let terms = Terms::points(rate, Validity::Months(12), Units::ZERO);
            let in_force_from = Timestamp(0);
            let terms =
                TermsVersion { group: group.id, version: 1, terms, in_force_from, in_force_until: None };
            for merchant in members {
                let member = Member {
                    group: group.id,
                    merchant,
                    joined_at: Timestamp(0),
                    terms_version: 1,
                    left_at: None,
                    frozen_at: None,
                };
                self.tables.put(&Row::Member(member));
            }
            self.tables.put(&Row::Terms(terms));
            self.tables.put(&Row::Group(group));
        }
        Ok(())
    }

    /// A file of it.
    fn keep(&self, path: &Path) -> Result<SqliteStore, Failure> {
        let mut import = Box::new(SqliteImport::create(path)?);
        let rows: Vec<Row> = self.tables.rows().collect();
        rows.chunks(AT_ONCE).try_for_each(|rows| import.rows(rows))?;
        let entries: Vec<_> = self.tables.entries().into_iter().collect();
        entries.chunks(AT_ONCE).try_for_each(|entries| import.searched(entries))?;
        import.finish()?;
        let (key, _) = SoftwareKey::generate()?;
        Ok(SqliteStore::open(path, &system_device(key.public_key()))?)
    }

    fn shop(&mut self) -> &Merchant {
        let at = self.chance.below(self.shops.len());
        &self.shops[at]
    }

    /// Where someone stands who asks: at a shop.
    fn here(&mut self) -> Place {
        self.shop().profile.place.unwrap_or(Place { lat_e6: 0, lon_e6: 0 })
    }

    fn query(&mut self, kind: Kind) -> Query {
        let target = if kind.is_of_groups() { Target::Groups } else { Target::Shops };
        let near = Query { from: Some(self.here()), order: Order::Distance, limit: 51, ..Query::new(target) };
        let typed = |typed: &str, trades: Vec<Fact>| vec![Word { text: Text::new(typed), trades }];
        let part =
            |name: &str, from: usize, length: usize| name.chars().skip(from).take(length).collect::<String>();
        match kind {
            Kind::Name => {
                let name = part(&self.shop().profile.name.clone(), 0, 3);
                Query { words: typed(&name, Vec::new()), ..near }
            }
            Kind::Part => {
                let from = self.chance.below(2);
                let name = part(&self.shop().profile.name.clone(), from, 2);
                Query { words: typed(&name, Vec::new()), ..near }
            }
            Kind::HalfTyped => {
                let name = self.shop().profile.name.clone();
                let lead = Text::new(&part(&name, 2, 1)).strokes().chars().next();
                let typing: String = part(&name, 0, 2).chars().chain(lead).collect();
                Query { words: typed(&typing, Vec::new()), ..near }
            }
            Kind::Initials => {
                let name = self.shop().profile.name.clone();
                let length = 2 + self.chance.below(3);
                let leads = part(&name, 0, length);
                let leads: String = leads
                    .chars()
                    .filter_map(|letter| Text::new(&letter.to_string()).strokes().chars().next())
                    .collect();
                Query { words: typed(&leads, Vec::new()), ..near }
            }
            Kind::Trade => {
                let word = *self.chance.of(&["카페", "ㅋㅍ", "cafe"]);
                Query { words: typed(word, vec![Fact::industry(Industry::Cafe)]), ..near }
            }
            Kind::TradeAnywhere => {
                let word = typed("cafe", vec![Fact::industry(Industry::Cafe)]);
                Query { words: word, from: None, order: Order::Members, ..near }
            }
            Kind::MapBox => {
                let middle = self.here();
                let half = i32::try_from(1_000 + self.chance.below(30_000)).unwrap_or_default();
                let bounds = Bounds {
                    south: middle.lat_e6 - half,
                    west: middle.lon_e6 - half,
                    north: middle.lat_e6 + half,
                    east: middle.lon_e6 + half,
                };
                Query { region: Some(Region::Bounds(bounds)), from: Some(bounds.middle()), ..near }
            }
            Kind::Building => {
                let profile = loop {
                    let profile = self.shop().profile.clone();
                    if profile.building.is_some() {
                        break profile;
                    }
                };
                let facts = [
                    profile.building.as_deref().and_then(Fact::building),
                    profile.area.as_deref().and_then(Fact::area),
                ];
                Query { facts: facts.into_iter().flatten().collect(), ..near }
            }
            Kind::AreaAndTrade => {
                let profile = self.shop().profile.clone();
                let facts =
                    [profile.industry.map(Fact::industry), profile.area.as_deref().and_then(Fact::area)];
                Query { facts: facts.into_iter().flatten().collect(), ..near }
            }
            Kind::GroupsNear => near,
            Kind::GroupsByName => {
                let name =
                    [*self.chance.of(&SYLLABLES), *self.chance.of(&["골", "상", "모", "거리"])].concat();
                Query { words: typed(&name, Vec::new()), ..near }
            }
            Kind::GroupsByRate => {
                let word = typed("ㅋㅍ", vec![Fact::industry(Industry::Cafe)]);
                Query { words: word, order: Order::Rate, ..near }
            }
            Kind::GroupsAround => {
                let radius_m = u32::try_from(300 + self.chance.below(3_000)).unwrap_or_default();
                let region = near.from.map(|centre| Region::Circle { centre, radius_m });
                Query { region, order: Order::Members, ..near }
            }
        }
    }
}

/// What someone asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Part,
    HalfTyped,
    Initials,
    Trade,
    TradeAnywhere,
    MapBox,
    Building,
    AreaAndTrade,
    GroupsNear,
    GroupsByName,
    GroupsByRate,
    GroupsAround,
}

impl Kind {
    const ALL: [(Self, &str); 13] = [
        (Self::Name, "shops: the first three syllables of a name, nearest first"),
        (Self::Part, "shops: two syllables of a name, from its middle too"),
        (Self::HalfTyped, "shops: a name at its third syllable's first letter"),
        (Self::Initials, "shops: two to four first letters"),
        (Self::Trade, "shops: 카페, ㅋㅍ, cafe, nearest first"),
        (Self::TradeAnywhere, "shops: cafe, anywhere"),
        (Self::MapBox, "shops: a box of 0.2 to 7 km"),
        (Self::Building, "shops: in the same building"),
        (Self::AreaAndTrade, "shops: of the same trade in the district"),
        (Self::GroupsNear, "groups: nearest first"),
        (Self::GroupsByName, "groups: a part of the name, nearest first"),
        (Self::GroupsByRate, "groups: with cafés, best first"),
        (Self::GroupsAround, "groups: within 0.3 to 3.3 km, largest first"),
    ];

    fn is_of_groups(self) -> bool {
        matches!(self, Self::GroupsNear | Self::GroupsByName | Self::GroupsByRate | Self::GroupsAround)
    }
}

/// Measures each kind of query.
///
/// # Errors
/// If something is found that looking at everything does not find, or the other way round.
#[expect(clippy::cast_precision_loss, reason = "figures to be read, not reckoned with")]
pub fn measure(folder: &Path) -> Result<Vec<Figure>, Failure> {
    fs::create_dir_all(folder)?;
    let path = folder.join("moa.db");
    let mut country = Country::found()?;
    let began = Instant::now();
    let store = country.keep(&path)?;
    let mut figures = vec![
        Figure::new("kept, written anew", began.elapsed().as_secs_f64(), "s"),
        Figure::new("the file", fs::metadata(&path)?.len() as f64 / 1e6, "MB"),
    ];
    let (mut all, mut all_ours, mut scans) = (Vec::new(), Vec::new(), Vec::new());
    for (kind, what) in Kind::ALL {
        let queries: Vec<Query> = (0..QUERIES).map(|_| country.query(kind)).collect();
        let (mut times, mut ours, mut found) = (Vec::with_capacity(QUERIES), Vec::with_capacity(QUERIES), 0);
        for (at, query) in queries.iter().enumerate() {
            let (began, ran) = (Instant::now(), processor_time()?);
            let page = store.search(query)?;
            ours.push(processor_time()?.saturating_sub(ran));
            times.push(began.elapsed());
            found += page.len();
            if at < COMPARED {
                let began = Instant::now();
                let right = country.tables.search(query);
                scans.push(began.elapsed());
                let names = |found: &[moa_ledger::search::Found]| -> Vec<[u8; 16]> {
                    let id = |what: &FoundWhat| match what {
                        FoundWhat::Shop(shop, _) => shop.id.0,
                        FoundWhat::Group(group, _) => group.id.0,
                    };
                    found.iter().map(|found| id(&found.what)).collect()
                };
                if names(&page) != names(&right) {
                    return Err(format!("{query:?} finds something else than looking at everything").into());
                }
            }
        }
        all.extend_from_slice(&times);
        all_ours.extend_from_slice(&ours);
        println!(
            "{what:58} p50 {:6.2} ms   p99 {:6.2} ms   of the processor {:6.2} ms, {:6.2} ms   {:4.1} found",
            millis(percentile(&mut times, 50)),
            millis(percentile(&mut times, 99)),
            millis(percentile(&mut ours, 50)),
            millis(percentile(&mut ours, 99)),
            found as f64 / QUERIES as f64,
        );
    }
    let p99 = millis(percentile(&mut all, 99));
    let scan = median(scans);
    figures.extend([
        Figure::new("any of these, p50", millis(percentile(&mut all, 50)), "ms"),
        Figure::new("any of these, p99", p99, "ms").at_most(5.0),
        Figure::new("the same of the processor, p99", millis(percentile(&mut all_ours, 99)), "ms")
            .at_most(5.0),
        Figure::new("looking at everything, in memory, p50", millis(scan), "ms"),
        Figure::new("that ÷ p99", millis(scan) / p99, "×"),
    ]);
    Ok(figures)
}

/// What this thread has had of a processor: beside other programs a query waits longer than it works.
fn processor_time() -> Result<Duration, Failure> {
    let told = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = told.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanos))
}

fn percentile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort_unstable();
    times
        .get((times.len() * hundredths / 100).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
