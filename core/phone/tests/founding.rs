//! Founding a group with what is suggested, and otherwise.

mod support;

use moa_phone::PhoneError;
use moa_rules::founding::{Draft, Plan};
use moa_rules::merchant::MerchantProfile;
use moa_rules::quantity::{BasisPoints, Currency, Money};
use moa_rules::refusal::Refusal;
use moa_rules::suggest::Bound;
use moa_rules::terms::{Kind, Profile, Scope, Terms};
use moa_rules::time::Validity;

use support::{NOON, Person, Server, Town};

fn plan(scope: Scope) -> Plan {
    Plan::new(scope, Kind::Point, Currency::KRW)
}

#[test]
fn a_group_is_founded_as_suggested() {
    let mut town = Town::new();
    let Draft { terms, suggestion } = town.cafe.phone.draft_group(plan(Scope::Building)).unwrap();
    assert_eq!((suggestion.rate.get(), suggestion.bound), (1_000, Some(Bound::Highest)));
    let tower =
        town.cafe.phone.found_group(Profile::new("모아빌딩", Scope::Building), terms.clone()).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.group(tower).unwrap().unwrap().terms, terms);
}

#[test]
fn a_founder_who_gives_more_is_told_what_that_costs_and_founds_it_so() {
    let mut town = Town::new();
    let asked = Plan { members: Some(25), across_m: Some(300), ..plan(Scope::Area) };
    let Draft { terms, suggestion } = town.cafe.phone.draft_group(asked).unwrap();
    let own = Terms { rate: BasisPoints::new(1_000).unwrap(), validity: Validity::Months(12), ..terms };
    let weighed = town.cafe.phone.weigh_terms(asked, &own).unwrap();
    assert_eq!((weighed.gives, weighed.cost.worst), (own.rate, Money(100_000)));
    assert!(weighed.cost.mean > suggestion.cost.mean && weighed.suggestion.rate < suggestion.rate);
    let street = town.cafe.phone.found_group(Profile::new("연남동", Scope::Area), own.clone()).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.group(street).unwrap().unwrap().terms, own, "the founder decides");
}

#[test]
fn a_suggestion_is_in_the_money_of_the_shop() {
    let mut server = Server::new(NOON);
    let mut shop = Person::new(5);
    shop.enrol(&mut server);
    let refused = shop.phone.draft_group(plan(Scope::Area));
    assert!(matches!(refused, Err(PhoneError::Refused(Refusal::NoMerchant))), "{refused:?}");
    let dollars = Currency::try_from("USD").unwrap();
    shop.phone.register_merchant(MerchantProfile::new("Corner", dollars, None)).unwrap();
    let terms = shop.phone.draft_group(plan(Scope::Area)).unwrap().terms;
    assert_eq!((terms.currency, terms.minimum.get()), (dollars, 100), "a dollar");
    let won = Terms { currency: Currency::KRW, ..terms };
    let refused = shop.phone.weigh_terms(plan(Scope::Area), &won);
    assert!(matches!(refused, Err(PhoneError::Refused(Refusal::CurrencyDiffers))), "{refused:?}");
}

#[test]
fn figures_beyond_their_limits_are_refused_by_name() {
    let town = Town::new();
    let refused = town.cafe.phone.draft_group(Plan { budget: 2_001, ..plan(Scope::Area) });
    assert!(
        matches!(&refused, Err(PhoneError::Refused(Refusal::BadTerms { field, max: 2_000, .. })) if field == "budget"),
        "{refused:?}"
    );
}
