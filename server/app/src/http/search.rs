//! The directory is searched: groups to join, shops to invite. The same for every caller.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use moa_rules::merchant::Place;
use moa_wire::search::{MapBox, SearchPage, SearchRequest};
use moa_words::ProblemText;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problems::{Fault, ProblemResponse};
use super::requests::{Named, Parameters};
use crate::app::App;
use crate::auth::Caller;
use crate::search;

/// As they come, so that an answer can name the one that is wrong. (`moa_wire::search::SearchRequest`)
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Asked {
    /// `groups`, to join, or `shops`, to invite; groups unless given.
    what: Option<String>,
    /// Up to 8 words: each is a part of the name, the first letters of its syllables (`ㅋㅍ`), or a word for the trade.
    #[param(max_length = 60)]
    text: Option<String>,
    /// From where distances are told, in millionths of a degree; the middle of the box unless given.
    #[param(value_type = Option<i32>)]
    lat_e6: Option<String>,
    /// The same, east.
    #[param(value_type = Option<i32>)]
    lon_e6: Option<String>,
    /// How far from there at most, in metres.
    #[param(value_type = Option<u32>)]
    radius_m: Option<String>,
    /// The edges of a box on the map, in millionths of a degree: all four, and not beside a radius.
    #[param(value_type = Option<i32>)]
    south_e6: Option<String>,
    /// West may be greater than east: across the 180th meridian.
    #[param(value_type = Option<i32>)]
    west_e6: Option<String>,
    /// The northern edge.
    #[param(value_type = Option<i32>)]
    north_e6: Option<String>,
    /// The eastern edge.
    #[param(value_type = Option<i32>)]
    east_e6: Option<String>,
    /// The trade, such as `cafe`.
    industry: Option<String>,
    /// The district, or one that it is a part of: `서울 마포구`.
    #[param(max_length = 60)]
    area: Option<String>,
    /// The building.
    #[param(max_length = 60)]
    building: Option<String>,
    /// How wide groups are meant to reach: `building`, `area`, `industry`, `nationwide`.
    scope: Option<String>,
    /// `distance`, `members` or `rate`; nearest first if it is said from where, else the largest.
    sort: Option<String>,
    /// So many are left out, at most 1 000.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
    /// So many at most, 1..=50.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

impl Named for Asked {
    const NAME: &'static str = "text";
}

impl Asked {
    fn read(self) -> Result<SearchRequest, Fault> {
        let near = match (number("lat_e6", self.lat_e6)?, number("lon_e6", self.lon_e6)?) {
            (Some(lat_e6), Some(lon_e6)) => Some(Place { lat_e6, lon_e6 }),
            (None, None) => None,
            (None, Some(_)) => return Err(bad("lat_e6")),
            (Some(_), None) => return Err(bad("lon_e6")),
        };
        let edges = (
            number("south_e6", self.south_e6)?,
            number("west_e6", self.west_e6)?,
            number("north_e6", self.north_e6)?,
            number("east_e6", self.east_e6)?,
        );
        let bounds = match edges {
            (Some(south_e6), Some(west_e6), Some(north_e6), Some(east_e6)) => {
                Some(MapBox { south_e6, west_e6, north_e6, east_e6 })
            }
            (None, None, None, None) => None,
            (None, ..) => return Err(bad("south_e6")),
            (_, None, ..) => return Err(bad("west_e6")),
            (_, _, None, _) => return Err(bad("north_e6")),
            (.., None) => return Err(bad("east_e6")),
        };
        Ok(SearchRequest {
            what: word("what", self.what)?.unwrap_or_default(),
            text: self.text,
            near,
            radius_m: number("radius_m", self.radius_m)?,
            bounds,
            industry: word("industry", self.industry)?,
            area: self.area,
            building: self.building,
            scope: word("scope", self.scope)?,
            sort: word("sort", self.sort)?,
            offset: number("offset", self.offset)?.unwrap_or_default(),
            limit: number("limit", self.limit)?,
        })
    }
}

fn bad(name: &'static str) -> Fault {
    Fault(ProblemText::BadParameter { name })
}

fn number<T: FromStr>(name: &'static str, text: Option<String>) -> Result<Option<T>, Fault> {
    text.map(|text| text.parse().map_err(|_| bad(name))).transpose()
}

/// One of the words that stand for a value in JSON.
fn word<T: DeserializeOwned>(name: &'static str, text: Option<String>) -> Result<Option<T>, Fault> {
    text.map(|text| serde_json::from_value(text.into()).map_err(|_| bad(name))).transpose()
}

/// Groups to join, or shops to invite, by name, trade, district, building, and where they are.
#[utoipa::path(
    get,
    path = "/v1/search",
    tag = "reads",
    operation_id = "search",
    params(Asked),
    security(("token" = [], "proof" = [])),
    responses(
        (status = 200, description = "What was found, in order", body = SearchPage),
        (status = 400, response = ProblemResponse),
        (status = 401, response = ProblemResponse),
        (status = 500, response = ProblemResponse),
        (status = 503, response = ProblemResponse),
    )
)]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    _: Caller,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<SearchPage>, Fault> {
    let query = search::query(&asked.read()?).map_err(bad)?;
    app.blocking(move |app| Ok(Json(search::page(&query, app.store().search(&query)?)))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Query;
    use moa_rules::merchant::Industry;
    use moa_rules::terms::Scope;
    use moa_wire::search::{SearchFor, SearchSort};

    fn read(query: &str) -> Result<SearchRequest, Fault> {
        let uri = format!("http://moa.example/v1/search?{query}").parse().unwrap();
        let Query(asked) = Query::<Asked>::try_from_uri(&uri).unwrap();
        asked.read()
    }

    #[test]
    fn what_a_phone_asks_is_read_as_it_was_meant() {
        let everything = SearchRequest {
            what: SearchFor::Shops,
            text: Some("카페 & \"Bar\" +1".to_owned()),
            near: Some(Place { lat_e6: -37_566_500, lon_e6: 126_978_000 }),
            radius_m: Some(500),
            bounds: Some(MapBox { south_e6: -1, west_e6: 2, north_e6: 3, east_e6: -4 }),
            industry: Some(Industry::Cafe),
            area: Some("서울 마포구".to_owned()),
            building: Some("100% 빌딩=#1".to_owned()),
            scope: Some(Scope::Nationwide),
            sort: Some(SearchSort::Rate),
            offset: 50,
            limit: Some(20),
        };
        for request in [everything, SearchRequest::default()] {
            assert_eq!(read(&request.query()).ok(), Some(request));
        }
    }
}
