//! Searches begin with what the own shop says of itself, and are the server's to answer.

mod support;

use moa_phone::Response;
use moa_phone::{Method, PhoneError, SearchFor, SearchPage, SearchRequest, Suggested};
use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::quantity::Currency;
use moa_rules::refusal::Refusal;
use proptest::prelude::*;
use support::{Town, ok, problem};

const PLACE: Place = Place { lat_e6: 37_566_500, lon_e6: 126_978_000 };

static PHONE: std::sync::LazyLock<support::Person> = std::sync::LazyLock::new(|| support::Person::new(9));

fn profile() -> MerchantProfile {
    MerchantProfile {
        industry: Some(Industry::Flowers),
        area: Some("서울 중구 정동".to_owned()),
        building: Some("정동 빌딩".to_owned()),
        ..MerchantProfile::new("꽃집", Currency::KRW, Some(PLACE))
    }
}

#[test]
fn a_search_begins_where_the_own_shop_is_and_suggestions_with_its_neighbours_and_its_trade() {
    let town = Town::new();
    let phone = &town.buyer.phone;
    assert_eq!(phone.search_from_here(SearchFor::Groups).unwrap(), SearchRequest::default());
    assert!(matches!(phone.suggestions(), Err(PhoneError::Refused(Refusal::NoMerchant))));

    phone.register_merchant(profile()).unwrap();
    let here = phone.search_from_here(SearchFor::Shops).unwrap();
    assert_eq!(here.query(), "what=shops&lat_e6=37566500&lon_e6=126978000");
    let suggested = phone.suggestions().unwrap();
    let why: Vec<Suggested> = suggested.iter().map(|(why, _)| *why).collect();
    assert_eq!(why, [Suggested::Building, Suggested::Area, Suggested::TradeNear, Suggested::Trade]);
    let searches: Vec<&SearchRequest> = suggested.iter().map(|(_, search)| search).collect();
    assert!(searches.iter().all(|search| search.near == Some(PLACE) && search.what == SearchFor::Shops));
    assert_eq!(searches[0].building.as_deref(), Some("정동 빌딩"));
    assert_eq!(searches[0].area, searches[1].area);
    assert_eq!((searches[2].radius_m, searches[3].radius_m), (Some(3_000), None));
    assert_eq!(searches[3].industry, Some(Industry::Flowers));
}

#[test]
fn the_answer_is_the_servers_without_the_own_shop() {
    let town = Town::new();
    let own = town.cafe.phone.own_shop().unwrap().unwrap().id;
    let search = SearchRequest { text: Some("꽃 & 잎".to_owned()), ..SearchRequest::default() };
    let request = town.cafe.phone.search_request(&search).unwrap();
    assert_eq!((request.method, request.body), (Method::Get, None));
    assert_eq!(request.path, "/v1/search?what=groups&text=%EA%BD%83%20%26%20%EC%9E%8E");
    assert!(request.headers.iter().any(|(name, _)| *name == "dpop"), "it is proved");

    let shop = |id: &str| {
        format!(r#"{{"id":"{id}","profile":{{"name":"A","currency":"KRW","place":null}},"groups":[]}}"#)
    };
    let other = "0192837465566778899aabbccddeeff0";
    let body = format!(r#"{{"shops":[{},{}],"more":true,"later":1}}"#, shop(&own.to_string()), shop(other));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let SearchPage { groups, shops, more } = town.cafe.phone.searched(Ok(ok(&body))).unwrap();
    assert_eq!((groups.len(), shops.len(), more), (0, 1, true));
    assert_eq!(shops[0].id.to_string(), other);

    let refused = problem(400, "bad_parameter");
    let told = town.cafe.phone.searched(Ok(refused));
    assert!(matches!(told, Err(PhoneError::Problem(problem)) if problem.code == "bad_parameter"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_typed_is_asked_in_one_line_and_whatever_answers_is_read_or_refused(
        text in ".{0,80}",
        area in ".{0,20}",
        body in prop_oneof![".{0,80}", Just(r#"{"shops":[{}],"more":1}"#.to_owned())],
    ) {
        let search = SearchRequest { text: Some(text), area: Some(area), ..SearchRequest::default() };
        prop_assert!(search.query().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
        prop_assert_eq!(search.query().matches('&').count(), 2);
        let phone = &PHONE.phone;
        let answer = Response { status: 200, retry_after_s: None, body: body.into_bytes() };
        prop_assert!(phone.searched(Ok(answer)).is_err());
    }
}
