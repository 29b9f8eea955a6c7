//! What someone looks for, as the store is asked: words told from what they mean, limits kept.

use std::sync::LazyLock;

use moa_ledger::search::entry::Word;
use moa_ledger::search::place::FARTHEST_M;
use moa_ledger::search::{Bounds, Fact, Found, FoundWhat, Order, Query, Region, Target, Text};
use moa_rules::merchant::{Industry, Place};
use moa_wire::search::{
    FoundGroup, FoundShop, MAX_OFFSET, MAX_PAGE, MAX_TEXT, MAX_WORDS, SearchFor, SearchPage, SearchRequest,
    SearchSort,
};
use moa_words::industry_words;

/// The name of a parameter that cannot be meant.
pub(crate) type BadParameter = &'static str;

/// What people type who look for a trade.
static TRADES: LazyLock<Vec<(Text, Fact)>> = LazyLock::new(|| {
    let words = |industry: Industry| {
        industry_words(industry).map(move |word| (Text::new(word), Fact::industry(industry)))
    };
    Industry::ALL.into_iter().flat_map(words).collect()
});

/// The query of a request. It asks for one more than the page holds, to see whether there is more.
pub(crate) fn query(request: &SearchRequest) -> Result<Query, BadParameter> {
    let target = match request.what {
        SearchFor::Groups => Target::Groups,
        SearchFor::Shops => Target::Shops,
    };
    let words = match &request.text {
        Some(text) => words(text).ok_or("text")?,
        None => Vec::new(),
    };
    let mut facts = Vec::new();
    facts.extend(request.industry.map(Fact::industry));
    if let Some(area) = &request.area {
        facts.push(short(area).and_then(Fact::area).ok_or("area")?);
    }
    if let Some(building) = &request.building {
        facts.push(short(building).and_then(Fact::building).ok_or("building")?);
    }
    if let Some(scope) = request.scope {
        // A shop has none.
        if target == Target::Shops {
            return Err("scope");
        }
        facts.push(Fact::scope(scope));
    }
    let near = request.near.map(on_earth).transpose()?;
    let region = region(request, near)?;
    let from = near.or(match region {
        Some(Region::Bounds(bounds)) => Some(bounds.middle()),
        _ => None,
    });
    let order = match (request.sort, from) {
        (Some(SearchSort::Distance) | None, Some(_)) => Order::Distance,
        (Some(SearchSort::Distance), None) => return Err("sort"),
        (Some(SearchSort::Members) | None, _) => Order::Members,
        (Some(SearchSort::Rate), _) => Order::Rate,
    };
    if request.offset > MAX_OFFSET {
        return Err("offset");
    }
    let limit = request.limit.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err("limit");
    }
    let (offset, limit) = (request.offset as usize, limit as usize + 1);
    Ok(Query { target, words, facts, region, from, order, offset, limit })
}

/// The words of a text, with the trades that each may mean; none if it is too long.
fn words(text: &str) -> Option<Vec<Word>> {
    let words: Vec<Word> = short(text)?
        .split_whitespace()
        .map(Text::new)
        .filter(|word| !word.is_empty())
        .map(|text| {
            let meant = TRADES.iter().filter(|(trade, _)| trade.is_meant_by(&text));
            let mut trades: Vec<Fact> = meant.map(|(_, fact)| *fact).collect();
            trades.dedup();
            Word { text, trades }
        })
        .collect();
    (words.len() <= MAX_WORDS).then_some(words)
}

fn short(text: &str) -> Option<&str> {
    (text.chars().count() <= MAX_TEXT).then_some(text)
}

fn on_earth(place: Place) -> Result<Place, BadParameter> {
    if place.lat_e6.unsigned_abs() > 90_000_000 {
        Err("lat_e6")
    } else if place.lon_e6.unsigned_abs() > 180_000_000 {
        Err("lon_e6")
    } else {
        Ok(place)
    }
}

fn region(request: &SearchRequest, near: Option<Place>) -> Result<Option<Region>, BadParameter> {
    match (request.radius_m, near, request.bounds) {
        (None, _, None) => Ok(None),
        (Some(radius_m), Some(centre), None) if radius_m <= FARTHEST_M => {
            Ok(Some(Region::Circle { centre, radius_m }))
        }
        (Some(_), _, _) => Err("radius_m"),
        (None, _, Some(bounds)) => {
            let (south, north) = (bounds.south_e6, bounds.north_e6);
            let bounds = Bounds { south, west: bounds.west_e6, north, east: bounds.east_e6 };
            if bounds.is_one() { Ok(Some(Region::Bounds(bounds))) } else { Err("south_e6") }
        }
    }
}

/// The page of what was found by [`query`].
pub(crate) fn page(query: &Query, mut found: Vec<Found>) -> SearchPage {
    let mut page = SearchPage { more: found.len() == query.limit, ..SearchPage::default() };
    found.truncate(query.limit - 1);
    for Found { distance_m, what } in found {
        match what {
            FoundWhat::Shop(shop, groups) => {
                page.shops.push(FoundShop { id: shop.id, profile: shop.profile, groups, distance_m });
            }
            FoundWhat::Group(group, terms) => page.groups.push(FoundGroup { group, terms, distance_m }),
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trades(typed: &str) -> Vec<Industry> {
        let facts: Vec<Fact> = words(typed).unwrap().into_iter().flat_map(|word| word.trades).collect();
        Industry::ALL.into_iter().filter(|industry| facts.contains(&Fact::industry(*industry))).collect()
    }

    #[test]
    fn what_people_call_a_trade_means_it_in_either_language_and_by_its_first_letters() {
        for typed in ["카페", "ㅋㅍ", "cafe", "Café", "CAFE", "카ㅍ", "커피", "coffee"] {
            assert_eq!(trades(typed), [Industry::Cafe], "{typed}");
        }
        assert_eq!(trades("미용실"), [Industry::Hair]);
        assert_eq!(trades("약국"), [Industry::Health]);
        assert_eq!(trades("집"), [Industry::Home]);
        assert_eq!(trades("빵집 hair"), [Industry::Bakery, Industry::Hair]);
        // Neither a letter nor the end of a word says which trade; what is longer means something else.
        for typed in ["카페트", "페", "ㅋ", "c", "art", "other", "!?"] {
            assert_eq!(trades(typed), [], "{typed}");
        }
    }

    #[test]
    fn what_is_left_out_is_the_nearest_or_the_largest() {
        let near = Some(Place { lat_e6: 37_566_500, lon_e6: 126_978_000 });
        let asked = |request: SearchRequest| query(&request).unwrap();
        assert_eq!(asked(SearchRequest::default()).order, Order::Members);
        assert_eq!(asked(SearchRequest { near, ..SearchRequest::default() }).order, Order::Distance);
        let bounds = moa_wire::search::MapBox {
            south_e6: 0,
            west_e6: 170_000_000,
            north_e6: 10,
            east_e6: -170_000_000,
        };
        let on_map = asked(SearchRequest { bounds: Some(bounds), ..SearchRequest::default() });
        assert_eq!(on_map.order, Order::Distance);
        assert_eq!(on_map.from.unwrap().lat_e6, 5);
    }
}
