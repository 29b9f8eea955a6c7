//! The directory is searched at the server: groups to join, shops to invite, from where the own shop is. (A3, A5)
//!
//! Requests and answers without a network; [`Client`](crate::Client) sends them.

use std::time::Duration;

use moa_rules::refusal::Refusal;
use moa_wire::search::{SearchFor, SearchPage, SearchRequest};

use crate::error::PhoneError;
use crate::phone::{Phone, own_shop};
use crate::transport::{Method, Request, Response, TransportError};

const TIMEOUT: Duration = Duration::from_secs(15);
/// How far away a shop of the same trade is still near, in metres.
const NEAR_M: u32 = 3_000;

/// Why shops may be worth inviting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suggested {
    /// They are in the same building.
    Building,
    /// They are in the same district.
    Area,
    /// They are of the same trade, and near.
    TradeNear,
    /// They are of the same trade, anywhere.
    Trade,
}

impl Phone {
    /// What a search begins with: everything, from where the own shop is; in its district, if it does not say where it is.
    ///
    /// # Errors
    /// Storage.
    pub fn search_from_here(&self, what: SearchFor) -> Result<SearchRequest, PhoneError> {
        let profile = self.own_shop()?.and_then(|shop| shop.profile);
        let everything = SearchRequest { what, ..SearchRequest::default() };
        Ok(match profile {
            Some(profile) if profile.place.is_some() => SearchRequest { near: profile.place, ..everything },
            Some(profile) => SearchRequest { area: profile.area, ..everything },
            None => everything,
        })
    }

    /// Whom the own shop may want to invite, by what it says of itself; nearest first, where it says where it is.
    ///
    /// # Errors
    /// `no_merchant`.
    pub fn suggestions(&self) -> Result<Vec<(Suggested, SearchRequest)>, PhoneError> {
        let profile = self.own_shop()?.ok_or(Refusal::NoMerchant)?.profile;
        let Some(profile) = profile else { return Ok(Vec::new()) };
        let shops = SearchRequest { what: SearchFor::Shops, near: profile.place, ..SearchRequest::default() };
        let mut suggested = Vec::new();
        if let Some(building) = profile.building {
            // Buildings of one name stand in many towns.
            let (building, area) = (Some(building), profile.area.clone());
            suggested.push((Suggested::Building, SearchRequest { building, area, ..shops.clone() }));
        }
        if let Some(area) = profile.area {
            suggested.push((Suggested::Area, SearchRequest { area: Some(area), ..shops.clone() }));
        }
        if let Some(industry) = profile.industry {
            let trade = SearchRequest { industry: Some(industry), ..shops };
            if trade.near.is_some() {
                let near = SearchRequest { radius_m: Some(NEAR_M), ..trade.clone() };
                suggested.push((Suggested::TradeNear, near));
            }
            suggested.push((Suggested::Trade, trade));
        }
        Ok(suggested)
    }

    /// Asks the server.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn search_request(&self, search: &SearchRequest) -> Result<Request, PhoneError> {
        let path = format!("/v1/search?{}", search.query());
        let headers =
            vec![("accept", "application/json".to_owned()), ("accept-language", self.language().to_owned())];
        self.as_caller(Request { method: Method::Get, path, headers, body: None, timeout: TIMEOUT })
    }

    /// Takes the answer to [`Self::search_request`]. The own shop is left out: nobody looks for it here.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn searched(&self, answer: Result<Response, TransportError>) -> Result<SearchPage, PhoneError> {
        let mut page: SearchPage = self.read_answer(answer)?;
        let own = self.store().read(own_shop)?;
        page.shops.retain(|shop| Some(shop.id) != own);
        Ok(page)
    }
}
