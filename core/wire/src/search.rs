//! `GET /v1/search`: what is asked, as a query, and what is found.

use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::{Industry, MerchantProfile, Place};
use moa_rules::terms::Scope;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The most characters of a text, and of a district's or a building's name.
pub const MAX_TEXT: usize = 60;
/// The most words of a text.
pub const MAX_WORDS: usize = 8;
/// The most that one answer holds.
pub const MAX_PAGE: u32 = 50;
/// How many can be left out before a page: who wants more asks for less at once.
pub const MAX_OFFSET: u32 = 1_000;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SearchFor {
    /// Groups, to join.
    #[default]
    Groups,
    /// Shops, to invite.
    Shops,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SearchSort {
    /// What is nearest.
    Distance,
    /// Groups with most members.
    Members,
    /// Groups that give most.
    Rate,
}

/// A box on the map, in millionths of a degree, its edges included. West may be greater than east: across the 180th meridian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapBox {
    /// The southern edge.
    pub south_e6: i32,
    /// The western edge.
    pub west_e6: i32,
    /// The northern edge.
    pub north_e6: i32,
    /// The eastern edge.
    pub east_e6: i32,
}

/// What someone looks for. All of it has to be so; of a group, of one of its members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchRequest {
    /// Groups or shops.
    pub what: SearchFor,
    /// Words, each a part of the name, the first letters of its syllables, or a word for the trade.
    pub text: Option<String>,
    /// From where distances are told; the middle of the box unless given.
    pub near: Option<Place>,
    /// How far from there at most, in metres.
    pub radius_m: Option<u32>,
    /// Where on the map. Not beside a radius.
    pub bounds: Option<MapBox>,
    /// The trade.
    pub industry: Option<Industry>,
    /// The district, or one that it is a part of: `서울 마포구`.
    pub area: Option<String>,
    /// The building.
    pub building: Option<String>,
    /// How wide a group is meant to reach.
    pub scope: Option<Scope>,
    /// What comes first: by default what is nearest if it is said from where, else by members.
    pub sort: Option<SearchSort>,
    /// So many are left out.
    pub offset: u32,
    /// So many at most, 1..=50; by default all 50.
    pub limit: Option<u32>,
}

impl SearchRequest {
    /// As it stands behind the `?`.
    pub fn query(&self) -> String {
        let mut query = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            query.extend(
                value.map(|value| format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC))),
            );
        };
        add("what", word(&self.what));
        add("text", self.text.clone());
        add("lat_e6", self.near.map(|near| near.lat_e6.to_string()));
        add("lon_e6", self.near.map(|near| near.lon_e6.to_string()));
        add("radius_m", self.radius_m.map(|radius| radius.to_string()));
        add("south_e6", self.bounds.map(|bounds| bounds.south_e6.to_string()));
        add("west_e6", self.bounds.map(|bounds| bounds.west_e6.to_string()));
        add("north_e6", self.bounds.map(|bounds| bounds.north_e6.to_string()));
        add("east_e6", self.bounds.map(|bounds| bounds.east_e6.to_string()));
        add("industry", self.industry.as_ref().and_then(word));
        add("area", self.area.clone());
        add("building", self.building.clone());
        add("scope", self.scope.as_ref().and_then(word));
        add("sort", self.sort.as_ref().and_then(word));
        add("offset", (self.offset > 0).then(|| self.offset.to_string()));
        add("limit", self.limit.map(|limit| limit.to_string()));
        query.join("&")
    }
}

/// The word that stands for a value in JSON.
fn word<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_owned)
}

/// What was found, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchPage {
    /// Groups, if those were looked for.
    #[serde(default)]
    pub groups: Vec<FoundGroup>,
    /// Shops, if those were.
    #[serde(default)]
    pub shops: Vec<FoundShop>,
    /// Whether there is more behind them.
    pub more: bool,
}

/// A group that was found. Who its members are is read at `GET /v1/groups/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundGroup {
    /// The group.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub group: Group,
    /// Its terms now in force.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub terms: TermsVersion,
    /// How far its nearest member is of those that are meant, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<u32>,
}

/// A shop that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundShop {
    /// The shop.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: MerchantId,
    /// How it presents itself.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub profile: MerchantProfile,
    /// Its groups, in order of id.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub groups: Vec<GroupId>,
    /// How far away it is, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<u32>,
}
