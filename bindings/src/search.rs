//! The directory is searched: groups to join, shops to invite.

use moa_phone as phone;
use moa_rules::merchant::{self, Industry as Trade};
use moa_words::{SuggestedText, distance, group as words, industry, suggested, when};

use crate::app::App;
use crate::convert::Dress;
use crate::error::ApiError;
use crate::records::{Place, Scope};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SearchFor {
    /// Groups, to join.
    Groups,
    /// Shops, to invite.
    Shops,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SearchSort {
    /// What is nearest.
    Distance,
    /// Groups with most members.
    Members,
    /// Groups that give most.
    Rate,
}

/// A box on the map, in millionths of a degree. West may be greater than east.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
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
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Search {
    /// Groups or shops.
    pub what: SearchFor,
    /// Up to 8 words as typed: parts of the name, the first letters of its syllables (`ㅋㅍ`), or words for the trade.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// From where distances are told; the middle of the box unless given.
    #[uniffi(default = None)]
    pub near: Option<Place>,
    /// How far from there at most, in metres.
    #[uniffi(default = None)]
    pub radius_m: Option<u32>,
    /// Where on the map. Not beside a radius.
    #[uniffi(default = None)]
    pub bounds: Option<MapBox>,
    /// The trade, by its code.
    #[uniffi(default = None)]
    pub industry: Option<String>,
    /// The district, or one that it is a part of.
    #[uniffi(default = None)]
    pub area: Option<String>,
    /// The building.
    #[uniffi(default = None)]
    pub building: Option<String>,
    /// How wide a group is meant to reach.
    #[uniffi(default = None)]
    pub scope: Option<Scope>,
    /// What comes first; nearest unless given, or the largest where it is not said from where.
    #[uniffi(default = None)]
    pub sort: Option<SearchSort>,
    /// So many are left out: those of the pages before.
    #[uniffi(default = 0)]
    pub offset: u32,
}

/// A trade.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Industry {
    /// Its code, the same in every language.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A search that may find whom to invite.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Suggestion {
    /// A title over what it finds.
    pub title: String,
    /// The search.
    pub search: Search,
}

/// A group that was found. `look_up_group` has its members and all of its terms.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundGroup {
    /// Its id.
    pub group: String,
    /// Its name.
    pub name: String,
    /// What people call it for short.
    pub nickname: Option<String>,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// How many shops are members.
    pub members: u32,
    /// The version of its terms in force.
    pub terms_version: u32,
    /// What is earned.
    pub rate_text: String,
    /// What it promises, in a sentence.
    pub promise_text: String,
    /// How long it can be used.
    pub validity_text: String,
    /// How far its nearest member is of those that are meant, in metres.
    pub distance_m: Option<u32>,
    /// The same; empty if it cannot be told.
    pub distance_text: String,
}

/// A shop that was found.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundShop {
    /// Its id.
    pub merchant: String,
    /// Its name.
    pub name: String,
    /// Its trade.
    pub industry: Option<Industry>,
    /// Its district.
    pub area: Option<String>,
    /// Its building.
    pub building: Option<String>,
    /// Where it is.
    pub place: Option<Place>,
    /// Its groups.
    pub groups: Vec<String>,
    /// How far away it is, in metres.
    pub distance_m: Option<u32>,
    /// The same; empty if it cannot be told.
    pub distance_text: String,
}

/// What was found, in order.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SearchPage {
    /// Groups, if those were looked for.
    pub groups: Vec<FoundGroup>,
    /// Shops, if those were.
    pub shops: Vec<FoundShop>,
    /// Whether there is more behind them.
    pub more: bool,
}

/// A trade's code: the word that stands for it in the API.
fn code(trade: Trade) -> String {
    serde_json::to_value(trade).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

fn place(place: merchant::Place) -> Place {
    Place { lat_e6: place.lat_e6, lon_e6: place.lon_e6 }
}

impl From<phone::SearchRequest> for Search {
    fn from(search: phone::SearchRequest) -> Self {
        Self {
            what: match search.what {
                phone::SearchFor::Groups => SearchFor::Groups,
                phone::SearchFor::Shops => SearchFor::Shops,
            },
            text: search.text,
            near: search.near.map(place),
            radius_m: search.radius_m,
            bounds: search.bounds.map(|bounds| MapBox {
                south_e6: bounds.south_e6,
                west_e6: bounds.west_e6,
                north_e6: bounds.north_e6,
                east_e6: bounds.east_e6,
            }),
            industry: search.industry.map(code),
            area: search.area,
            building: search.building,
            scope: search.scope.map(Into::into),
            sort: search.sort.map(|sort| match sort {
                phone::SearchSort::Distance => SearchSort::Distance,
                phone::SearchSort::Members => SearchSort::Members,
                phone::SearchSort::Rate => SearchSort::Rate,
            }),
            offset: search.offset,
        }
    }
}

impl TryFrom<Search> for phone::SearchRequest {
    type Error = serde_json::Error;

    fn try_from(search: Search) -> Result<Self, serde_json::Error> {
        Ok(Self {
            what: match search.what {
                SearchFor::Groups => phone::SearchFor::Groups,
                SearchFor::Shops => phone::SearchFor::Shops,
            },
            text: search.text,
            near: search.near.map(|near| merchant::Place { lat_e6: near.lat_e6, lon_e6: near.lon_e6 }),
            radius_m: search.radius_m,
            bounds: search.bounds.map(|bounds| phone::MapBox {
                south_e6: bounds.south_e6,
                west_e6: bounds.west_e6,
                north_e6: bounds.north_e6,
                east_e6: bounds.east_e6,
            }),
            industry: search.industry.map(|code| serde_json::from_value(code.into())).transpose()?,
            area: search.area,
            building: search.building,
            scope: search.scope.map(Into::into),
            sort: search.sort.map(|sort| match sort {
                SearchSort::Distance => phone::SearchSort::Distance,
                SearchSort::Members => phone::SearchSort::Members,
                SearchSort::Rate => phone::SearchSort::Rate,
            }),
            offset: search.offset,
            limit: None,
        })
    }
}

impl Dress {
    fn industry(self, trade: Trade) -> Industry {
        Industry { code: code(trade), name: industry(self.lang, trade).to_owned() }
    }

    fn found_group(self, found: phone::FoundGroup) -> FoundGroup {
        let phone::FoundGroup { group, terms, distance_m } = found;
        FoundGroup {
            group: group.id.to_string(),
            name: group.profile.name,
            nickname: group.profile.nickname,
            scope: group.profile.scope.into(),
            members: group.members,
            terms_version: terms.version,
            rate_text: words::share(self.lang, &terms.terms),
            promise_text: words::promise(self.lang, &terms.terms),
            validity_text: when::validity(self.lang, terms.terms.validity),
            distance_m,
            distance_text: distance_m.map_or_else(String::new, |metres| distance(self.lang, metres)),
        }
    }

    fn found_shop(self, found: phone::FoundShop) -> FoundShop {
        let phone::FoundShop { id, profile, groups, distance_m } = found;
        FoundShop {
            merchant: id.to_string(),
            name: profile.name,
            industry: profile.industry.map(|trade| self.industry(trade)),
            area: profile.area,
            building: profile.building,
            place: profile.place.map(place),
            groups: groups.iter().map(ToString::to_string).collect(),
            distance_m,
            distance_text: distance_m.map_or_else(String::new, |metres| distance(self.lang, metres)),
        }
    }
}

#[uniffi::export]
impl App {
    /// Asks the server for groups to join or shops to invite: a page of at most 50, without the own shop.
    pub async fn search(&self, search: Search) -> Result<SearchPage, ApiError> {
        let search = phone::SearchRequest::try_from(search).map_err(|error| self.invalid(error))?;
        let dress = self.dress();
        let phone::SearchPage { groups, shops, more } =
            self.run(async move |app| app.client.search(&search).await).await?;
        Ok(SearchPage {
            groups: groups.into_iter().map(|found| dress.found_group(found)).collect(),
            shops: shops.into_iter().map(|found| dress.found_shop(found)).collect(),
            more,
        })
    }

    /// What a search begins with: everything, from where the own shop is.
    pub fn search_from_here(&self, what: SearchFor) -> Result<Search, ApiError> {
        let what = match what {
            SearchFor::Groups => phone::SearchFor::Groups,
            SearchFor::Shops => phone::SearchFor::Shops,
        };
        Ok(self.ask(self.phone()?.search_from_here(what))?.into())
    }

    /// Searches for whom this phone's shop may want to invite: in its building, its district, of its trade.
    pub fn suggestions(&self) -> Result<Vec<Suggestion>, ApiError> {
        let suggestion = |(why, search): (phone::Suggested, phone::SearchRequest)| {
            let why = match why {
                phone::Suggested::Building => SuggestedText::Building,
                phone::Suggested::Area => SuggestedText::Area,
                phone::Suggested::TradeNear => SuggestedText::TradeNear,
                phone::Suggested::Trade => SuggestedText::Trade,
            };
            Suggestion { title: suggested(self.dress().lang, why), search: search.into() }
        };
        Ok(self.ask(self.phone()?.suggestions())?.into_iter().map(suggestion).collect())
    }

    /// Every trade, to be picked from.
    pub fn industries(&self) -> Vec<Industry> {
        Trade::ALL.into_iter().map(|trade| self.dress().industry(trade)).collect()
    }
}
