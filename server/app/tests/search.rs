//! The directory is searched over HTTP: what is found, in which order, and what cannot be asked.

mod support;

use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::quantity::{BasisPoints, Currency, Units};
use moa_rules::terms::{Profile, Scope, Terms};
use moa_rules::time::Validity;
use moa_wire::search::{SearchFor, SearchPage, SearchRequest, SearchSort};
use support::{Device, Shop, Town, problem, read};

use moa_rules::op::OpBody;

/// So many metres north of the city hall.
fn north(metres: i32) -> Place {
    Place { lat_e6: 37_566_500 + metres * 9, lon_e6: 126_978_000 }
}

async fn open(town: &Town, number: &str, name: &str, metres: i32, industry: Industry) -> Shop {
    let device = town.enrol(number).await;
    let profile = MerchantProfile {
        industry: Some(industry),
        area: Some("서울 중구 정동".to_owned()),
        building: Some("정동 빌딩".to_owned()),
        ..MerchantProfile::new(name, Currency::KRW, Some(north(metres)))
    };
    let op = device.op(town.now(), OpBody::RegisterMerchant { profile });
    town.applied(&[&op]).await;
    Shop { device, merchant: op.value().id.as_merchant() }
}

async fn search(town: &Town, device: &Device, request: &SearchRequest) -> SearchPage {
    read(town.get(&format!("/v1/search?{}", request.query()), device).await).await
}

fn names(page: &SearchPage) -> Vec<&str> {
    let groups = page.groups.iter().map(|found| found.group.profile.name.as_str());
    groups.chain(page.shops.iter().map(|found| found.profile.name.as_str())).collect()
}

#[tokio::test]
async fn cafes_are_found_by_what_people_type_with_their_groups_and_how_far_they_are() {
    let town = Town::open().await;
    let far = open(&town, "010-1111-1111", "청춘다방", 900, Industry::Cafe).await;
    open(&town, "010-1111-2222", "Étoile", 300, Industry::Cafe).await;
    open(&town, "010-1111-3333", "정동 빵집", 100, Industry::Bakery).await;
    let profile = Profile::new("정동길 모임", Scope::Area);
    let terms = Terms::points(BasisPoints::new(500).unwrap(), Validity::Months(6), Units::ZERO);
    let op = far.device.op(town.now(), OpBody::FoundGroup { profile, terms });
    town.applied(&[&op]).await;

    let buyer = town.enrol("010-2222-2222").await;
    let shops = SearchRequest { what: SearchFor::Shops, near: Some(north(0)), ..SearchRequest::default() };
    for typed in ["카페", "ㅋㅍ", "cafe"] {
        let page =
            search(&town, &buyer, &SearchRequest { text: Some(typed.to_owned()), ..shops.clone() }).await;
        assert_eq!((names(&page), page.more), (vec!["Étoile", "청춘다방"], false), "{typed}");
        assert_eq!(page.shops[1].groups, [op.value().id.as_group()]);
        assert!((890..910).contains(&page.shops[1].distance_m.unwrap()));
    }
    let page = search(&town, &buyer, &SearchRequest { limit: Some(2), ..shops.clone() }).await;
    assert_eq!((names(&page), page.more), (vec!["정동 빵집", "Étoile"], true));
    let page = search(&town, &buyer, &SearchRequest { limit: Some(2), offset: 2, ..shops.clone() }).await;
    assert_eq!((names(&page), page.more), (vec!["청춘다방"], false));
    let near = SearchRequest { radius_m: Some(500), industry: Some(Industry::Cafe), ..shops };
    assert_eq!(names(&search(&town, &buyer, &near).await), ["Étoile"]);

    let groups = SearchRequest {
        text: Some("ㅁㅇ".to_owned()),
        area: Some("서울 중구".to_owned()),
        building: Some("정동빌딩".to_owned()),
        scope: Some(Scope::Area),
        sort: Some(SearchSort::Rate),
        ..SearchRequest::default()
    };
    let page = search(&town, &buyer, &groups).await;
    assert_eq!((names(&page), page.groups[0].distance_m), (vec!["정동길 모임"], None));
    assert_eq!((page.groups[0].group.members, page.groups[0].terms.version), (1, 1));
    town.close().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_named() {
    let town = Town::open().await;
    let buyer = town.enrol("010-1111-1111").await;
    let long = "가".repeat(61);
    let nine = "a+b+c+d+e+f+g+h+i";
    for (query, name) in [
        ("what=people", "what"),
        (&format!("text={long}"), "text"),
        (&format!("text={nine}"), "text"),
        (&format!("area={long}"), "area"),
        ("area=!", "area"),
        ("building=", "building"),
        ("lat_e6=1", "lon_e6"),
        ("lon_e6=1", "lat_e6"),
        ("lat_e6=90000001&lon_e6=1", "lat_e6"),
        ("lat_e6=1&lon_e6=-180000001", "lon_e6"),
        ("lat_e6=1.5&lon_e6=1", "lat_e6"),
        ("radius_m=100", "radius_m"),
        ("lat_e6=1&lon_e6=1&radius_m=20015201", "radius_m"),
        ("lat_e6=1&lon_e6=1&radius_m=-1", "radius_m"),
        ("south_e6=1&west_e6=1&north_e6=2", "east_e6"),
        ("south_e6=3&west_e6=1&north_e6=2&east_e6=2", "south_e6"),
        ("south_e6=1&west_e6=1&north_e6=2&east_e6=2&lat_e6=1&lon_e6=1&radius_m=5", "radius_m"),
        ("industry=spaceport", "industry"),
        ("scope=town", "scope"),
        ("what=shops&scope=area", "scope"),
        ("sort=distance", "sort"),
        ("sort=best", "sort"),
        ("offset=1001", "offset"),
        ("limit=0", "limit"),
        ("limit=51", "limit"),
    ] {
        let told = problem(town.get(&format!("/v1/search?{query}"), &buyer).await).await;
        assert_eq!((told.status, told.code.as_str()), (400, "bad_parameter"), "{query}");
        assert_eq!(told.figures["name"], name, "{query}");
    }
    town.close().await;
}
