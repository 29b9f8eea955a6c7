//! Shops.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, MerchantId};
use crate::quantity::{Currency, Money};
use crate::refusal::Refusal;
use crate::terms::check_name;
use crate::view::{Halt, View};

/// A point on the globe, in millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Place {
    /// Latitude, −90 000 000..=90 000 000, north positive.
    #[n(0)]
    pub lat_e6: i32,
    /// Longitude, −180 000 000..=180 000 000, east positive.
    #[n(1)]
    pub lon_e6: i32,
}

/// How a shop presents itself. Public: anyone who may see the directory sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct MerchantProfile {
    /// Its name, 1..=60 characters.
    #[n(0)]
    pub name: String,
    /// The money it takes.
    #[n(1)]
    pub currency: Currency,
    /// Where it is.
    #[n(2)]
    pub place: Option<Place>,
}

impl MerchantProfile {
    /// Refuses a profile that no shop has.
    ///
    /// # Errors
    /// `bad_name`, `bad_place`.
    pub fn check(&self) -> Result<(), Refusal> {
        check_name(&self.name)?;
        if self.place.is_some_and(|place| {
            place.lat_e6.unsigned_abs() > 90_000_000 || place.lon_e6.unsigned_abs() > 180_000_000
        }) {
            return Err(Refusal::BadPlace);
        }
        Ok(())
    }
}

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Its owner, who cannot claim its sales.
    pub owner: AccountId,
    /// How it presents itself.
    pub profile: MerchantProfile,
    /// What its tills may sell together before they sync, in minor units.
    pub allowance: Money,
}

/// Opens a shop for the author's account; the author's key acts for it from now on.
pub(crate) fn register(view: &View, author: &Author, profile: &MerchantProfile) -> Result<Decision, Halt> {
    let owner = author.phone()?;
    if author.device.merchant.is_some() {
        return Err(Refusal::KeyHasMerchant.into());
    }
    profile.check()?;
    let merchant = author.op.id.as_merchant();
    if view.merchant(merchant)?.is_some() {
        return Err(Refusal::BadOpId.into());
    }
    let (key, profile) = (author.device.key, profile.clone());
    Ok(author.caused(EventBody::MerchantRegistered { merchant, owner, key, profile }))
}
