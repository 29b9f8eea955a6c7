//! The directory is searched: the same answers in the same order from every store.

mod town;

use moa_ledger::search::entry::Word;
use moa_ledger::search::place::distance_m;
use moa_ledger::search::{Bounds, Fact, Found, FoundWhat, Order, Query, Region, Target, Text};
use moa_ledger::store::{Answer, Outcome};
use moa_rules::id::GroupId;
use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::op::OpBody;
use moa_rules::quantity::Currency;
use moa_rules::terms::{Basis, Profile, Scope};
use moa_rules::time::Timestamp;
use town::stores::{Subject, conformance};
use town::{Shop, Town, points};

conformance!(
    a_shop_is_found_by_its_name_its_trade_and_where_it_is,
    a_group_is_found_by_its_name_and_by_what_its_members_are,
    groups_come_nearest_first_largest_first_or_best_first,
    who_joins_or_leaves_moves_a_group_and_one_that_closes_is_found_no_more,
    a_shop_that_moves_takes_its_groups_along_and_new_names_take_the_place_of_old_ones,
    every_store_finds_what_is_found_by_looking_at_everything,
);

const CITY_HALL: Place = Place { lat_e6: 37_566_500, lon_e6: 126_978_000 };

/// So many metres north of the city hall.
fn north(metres: i32) -> Place {
    Place { lat_e6: CITY_HALL.lat_e6 + metres * 9, ..CITY_HALL }
}

fn word(typed: &str, trades: &[Industry]) -> Word {
    Word { text: Text::new(typed), trades: trades.iter().copied().map(Fact::industry).collect() }
}

fn profile(name: &str, metres: i32, industry: Industry) -> MerchantProfile {
    MerchantProfile {
        industry: Some(industry),
        ..MerchantProfile::new(name, Currency::KRW, Some(north(metres)))
    }
}

mod suite {
    use super::*;

    fn open<S: Subject>(town: &Town<S>, profile: MerchantProfile) -> Shop {
        let actor = town.enrol();
        let id = town.apply(&actor, OpBody::RegisterMerchant { profile }).as_merchant();
        Shop { actor, id }
    }

    fn found_group<S: Subject>(town: &Town<S>, profile: Profile, rate: u16, members: &[&Shop]) -> GroupId {
        let body = OpBody::FoundGroup { profile, terms: points(rate, 0, Basis::OnIssue) };
        let group = town.apply(&members[0].actor, body).as_group();
        for member in &members[1..] {
            join(town, group, member);
        }
        group
    }

    fn join<S: Subject>(town: &Town<S>, group: GroupId, member: &Shop) {
        town.apply(&member.actor, OpBody::JoinGroup { group, terms_version: 1, invitation: None });
    }

    /// The names of what is found, which is what is found by looking at everything.
    fn names<S: Subject>(town: &Town<S>, query: &Query) -> Vec<String> {
        let found = town.store.search(query).unwrap();
        assert_eq!(found, town.store.tables().search(query), "{query:?}");
        found
            .into_iter()
            .map(|found| match found.what {
                FoundWhat::Shop(shop, _) => shop.profile.name,
                FoundWhat::Group(group, _) => group.profile.name,
            })
            .collect()
    }

    fn shops() -> Query {
        Query { from: Some(CITY_HALL), order: Order::Distance, ..Query::new(Target::Shops) }
    }

    fn groups() -> Query {
        Query { target: Target::Groups, ..shops() }
    }

    pub fn a_shop_is_found_by_its_name_its_trade_and_where_it_is<S: Subject>(town: &mut Town<S>) {
        let inside = |area: &str, building: &str, profile: MerchantProfile| MerchantProfile {
            area: Some(area.to_owned()),
            building: Some(building.to_owned()),
            ..profile
        };
        for profile in [
            inside("서울 중구 정동", "정동 빌딩", profile("스타 카페", 300, Industry::Cafe)),
            inside("서울 중구 정동", "정동빌딩", profile("Café Été", 200, Industry::Cafe)),
            inside("서울 종로구", "종로 타워", profile("청춘다방", 900, Industry::Cafe)),
            profile("카페트 나라", 2_000, Industry::Home),
            MerchantProfile::new("어디든 분식", Currency::KRW, None),
        ] {
            open(town, profile);
        }
        let cafe = &[Industry::Cafe];
        for typed in ["카페", "ㅋㅍ", "cafe"] {
            // By trade all cafés, and by name what sells carpets.
            let mut found = vec!["Café Été", "스타 카페", "청춘다방"];
            if typed != "cafe" {
                found.push("카페트 나라");
            }
            assert_eq!(names(town, &Query { words: vec![word(typed, cafe)], ..shops() }), found, "{typed}");
        }
        for (typed, found) in [
            ("타카ㅍ", vec!["스타 카페"]),
            ("다방", vec!["청춘다방"]),
            ("ㅊㅊㄷㅂ", vec!["청춘다방"]),
            ("ete", vec!["Café Été"]),
            ("분식", vec!["어디든 분식"]),
            ("없는집", vec![]),
        ] {
            assert_eq!(names(town, &Query { words: vec![word(typed, &[])], ..shops() }), found, "{typed}");
        }
        let both = Query { words: vec![word("스타", &[]), word("카페", cafe)], ..shops() };
        assert_eq!(names(town, &both), ["스타 카페"]);

        let fact = |fact: Option<Fact>| Query { facts: vec![fact.unwrap()], ..shops() };
        assert_eq!(names(town, &fact(Fact::building("정동빌딩"))), ["Café Été", "스타 카페"]);
        assert_eq!(names(town, &fact(Fact::area("서울"))), ["Café Été", "스타 카페", "청춘다방"]);
        assert_eq!(names(town, &fact(Fact::area("서울 중구"))), ["Café Été", "스타 카페"]);
        assert_eq!(names(town, &fact(Some(Fact::industry(Industry::Home)))), ["카페트 나라"]);
        assert_eq!(names(town, &fact(Fact::area("중구"))), [""; 0]);

        let around = Region::Circle { centre: CITY_HALL, radius_m: 500 };
        assert_eq!(names(town, &Query { region: Some(around), ..shops() }), ["Café Été", "스타 카페"]);
        let (edge, far) = (north(250), north(5_000));
        let bounds =
            Bounds { south: edge.lat_e6, west: edge.lon_e6 - 1, north: far.lat_e6, east: far.lon_e6 };
        let on_map = Query { region: Some(Region::Bounds(bounds)), ..shops() };
        assert_eq!(names(town, &on_map), ["스타 카페", "청춘다방", "카페트 나라"]);

        // What lies nowhere comes last, and pages follow on each other.
        let all = names(town, &shops());
        assert_eq!(all.last().unwrap(), "어디든 분식");
        let page = |offset| names(town, &Query { offset, limit: 2, ..shops() });
        assert_eq!([page(0), page(2), page(4), page(6)].concat(), all);
        let first = &town.store.search(&shops()).unwrap()[0];
        assert_eq!(first.distance_m, Some(distance_m(CITY_HALL, north(200))));
    }

    pub fn a_group_is_found_by_its_name_and_by_what_its_members_are<S: Subject>(town: &mut Town<S>) {
        let cafe = open(town, profile("스타 카페", 300, Industry::Cafe));
        let baker = open(town, profile("빵굽는집", 3_000, Industry::Bakery));
        let hair = open(town, profile("머리방", 400, Industry::Hair));
        let nick =
            Profile { nickname: Some("골목".to_owned()), ..Profile::new("정동길 모임", Scope::Area) };
        found_group(town, nick, 300, &[&cafe, &baker]);
        found_group(town, Profile::new("카페 연합", Scope::Industry), 500, &[&hair]);

        let cafes = &[Industry::Cafe];
        let typed = |typed: &str, trades: &[Industry]| Query { words: vec![word(typed, trades)], ..groups() };
        assert_eq!(names(town, &typed("카페", cafes)), ["정동길 모임", "카페 연합"]);
        assert_eq!(names(town, &typed("ㄱㅁ", &[])), ["정동길 모임"]);
        assert_eq!(names(town, &typed("머리", &[])), [""; 0], "members are not looked for by name");
        let scope = Query { facts: vec![Fact::scope(Scope::Industry)], ..groups() };
        assert_eq!(names(town, &scope), ["카페 연합"]);
        // The café is near and the bakery is not: no one member is both.
        let near = Some(Region::Circle { centre: CITY_HALL, radius_m: 1_000 });
        let trade = |industry| Query { region: near, facts: vec![Fact::industry(industry)], ..groups() };
        assert_eq!(names(town, &trade(Industry::Cafe)), ["정동길 모임"]);
        assert_eq!(names(town, &trade(Industry::Bakery)), [""; 0]);
        // How far is told of the member that is meant.
        let bakeries = Query { facts: vec![Fact::industry(Industry::Bakery)], ..groups() };
        let found: Vec<Found> = town.store.search(&bakeries).unwrap();
        assert_eq!(found[0].distance_m, Some(distance_m(CITY_HALL, north(3_000))));
    }

    pub fn groups_come_nearest_first_largest_first_or_best_first<S: Subject>(town: &mut Town<S>) {
        let shops: Vec<Shop> =
            (1..=4).map(|at| open(town, profile("가게", at * 1_000, Industry::Other))).collect();
        let [one, two, three, four] = &shops[..] else { panic!("four shops") };
        found_group(town, Profile::new("near", Scope::Area), 100, &[one, four]);
        found_group(town, Profile::new("large", Scope::Area), 300, &[two, three, four]);
        found_group(town, Profile::new("generous", Scope::Area), 900, &[three]);
        for (order, found) in [
            (Order::Distance, ["near", "large", "generous"]),
            (Order::Members, ["large", "near", "generous"]),
            (Order::Rate, ["generous", "large", "near"]),
        ] {
            assert_eq!(names(town, &Query { order, ..groups() }), found);
        }
        // From nowhere, the largest.
        let nowhere = Query { from: None, ..groups() };
        assert_eq!(names(town, &nowhere), ["large", "near", "generous"]);
        assert_eq!(town.store.search(&nowhere).unwrap()[0].distance_m, None);
    }

    pub fn who_joins_or_leaves_moves_a_group_and_one_that_closes_is_found_no_more<S: Subject>(
        town: &mut Town<S>,
    ) {
        let cafe = open(town, profile("스타 카페", 300, Industry::Cafe));
        let baker = open(town, profile("빵굽는집", 3_000, Industry::Bakery));
        let group = found_group(town, Profile::new("모임", Scope::Area), 300, &[&cafe]);
        let bakeries = Query { facts: vec![Fact::industry(Industry::Bakery)], ..groups() };
        assert_eq!(names(town, &bakeries), [""; 0]);
        join(town, group, &baker);
        assert_eq!(names(town, &bakeries), ["모임"]);
        town.apply(&baker.actor, OpBody::LeaveGroup { group });
        assert_eq!(names(town, &bakeries), [""; 0]);
        // An op again changes nothing of it, and a refused one neither.
        let again = baker.actor.sign(baker.actor.op(OpBody::LeaveGroup { group }, town.now));
        assert!(matches!(town.submit(&again), Outcome::First(Answer::Refused(_))));
        assert_eq!(names(town, &groups()), ["모임"]);
        town.now = town.now.plus(Timestamp::MINUTE);
        town.apply(&cafe.actor, OpBody::CloseGroup { group });
        assert_eq!(names(town, &groups()), [""; 0]);
        assert_eq!(names(town, &shops()), ["스타 카페", "빵굽는집"]);
    }

    pub fn a_shop_that_moves_takes_its_groups_along_and_new_names_take_the_place_of_old_ones<S: Subject>(
        town: &mut Town<S>,
    ) {
        let cafe = open(town, profile("스타 카페", 300, Industry::Cafe));
        let group = found_group(town, Profile::new("정동 모임", Scope::Area), 300, &[&cafe]);
        let near = Region::Circle { centre: CITY_HALL, radius_m: 1_000 };
        let near = |query: Query| Query { region: Some(near), ..query };
        assert_eq!(names(town, &near(shops())), ["스타 카페"]);
        assert_eq!(names(town, &near(groups())), ["정동 모임"]);
        let moved = profile("달 빵집", 9_000, Industry::Bakery);
        town.apply(&cafe.actor, OpBody::AmendMerchant { profile: moved });
        let profile = Profile::new("별빛 모임", Scope::Industry);
        town.apply(&cafe.actor, OpBody::AmendProfile { group, profile });
        assert_eq!(names(town, &near(shops())), [""; 0]);
        assert_eq!(names(town, &near(groups())), [""; 0]);
        let typed = |typed: &str, query: Query| Query { words: vec![word(typed, &[])], ..query };
        assert_eq!(names(town, &typed("스타", shops())), [""; 0]);
        assert_eq!(names(town, &typed("ㄷㅃㅈ", shops())), ["달 빵집"]);
        assert_eq!(names(town, &typed("정동", groups())), [""; 0]);
        let bakeries = Query { facts: vec![Fact::industry(Industry::Bakery)], ..typed("별빛", groups()) };
        assert_eq!(names(town, &bakeries), ["별빛 모임"]);
    }

    /// Numbers that look like chance, the same in every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % most
        }

        fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
            &choices[self.below(choices.len())]
        }
    }

    pub fn every_store_finds_what_is_found_by_looking_at_everything<S: Subject>(town: &mut Town<S>) {
        let mut chance = Chance(7);
        let trades = [Industry::Cafe, Industry::Bakery, Industry::Hair, Industry::Bar];
        let areas = ["서울 중구 정동", "서울 중구", "서울 종로구", "부산"];
        let mut shops_there = Vec::new();
        for _ in 0..40 {
            let name = [
                *chance.of(&["별", "청춘", "스타", "Art", "동네"]),
                *chance.of(&["카페", "빵집", " 다방", ""]),
            ];
            let metres = i32::try_from(chance.below(20_000)).unwrap() - 10_000;
            let mut profile = profile(&name.concat(), metres, *chance.of(&trades));
            profile.area = (chance.below(4) > 0).then(|| (*chance.of(&areas)).to_owned());
            profile.building = (chance.below(3) == 0).then(|| "정동 빌딩".to_owned());
            if chance.below(8) == 0 {
                profile.place = None;
            }
            shops_there.push(open(town, profile));
        }
        for at in 0..12 {
            let name = format!("{} {at}", chance.of(&["정동 모임", "카페 연합", "별빛 거리"]));
            let first = chance.below(20);
            let members: Vec<&Shop> = shops_there.iter().skip(first).step_by(1 + chance.below(9)).collect();
            let scope = *chance.of(&[Scope::Area, Scope::Industry]);
            found_group(
                town,
                Profile::new(name, scope),
                100 * (1 + u16::try_from(at).unwrap() % 4),
                &members,
            );
        }
        let tables = town.store.tables();
        let mut found = 0;
        for _ in 0..200 {
            let mut query = Query::new(*chance.of(&[Target::Shops, Target::Groups]));
            query.order = *chance.of(&[Order::Distance, Order::Members, Order::Rate]);
            query.from = (chance.below(4) > 0).then(|| north(i32::try_from(chance.below(9_000)).unwrap()));
            for _ in 0..chance.below(3) {
                let typed = *chance.of(&["카페", "ㅋㅍ", "별", "빵", "ㅁㅇ", "art", "정동", "ㅂ", "다바"]);
                let means = if typed == "카페" { &trades[..1] } else { &[] };
                query.words.push(word(typed, means));
            }
            match chance.below(6) {
                0 => query.facts.push(Fact::industry(*chance.of(&trades))),
                1 => query.facts.extend(Fact::area(areas[chance.below(areas.len())])),
                2 => query.facts.extend(Fact::building("정동빌딩")),
                3 => query.facts.push(Fact::scope(Scope::Area)),
                _ => {}
            }
            if chance.below(3) == 0 {
                let radius_m = u32::try_from(chance.below(8_000)).unwrap();
                query.region = Some(Region::Circle { centre: north(1_000), radius_m });
            }
            (query.offset, query.limit) = (chance.below(4), 1 + chance.below(10));
            let answer = town.store.search(&query).unwrap();
            found += answer.len();
            assert_eq!(answer, tables.search(&query), "{query:?}");
        }
        assert!(found > 300, "{found} found in 200 searches say little");
    }
}
