//! Shops.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{AccountId, MerchantId};
use crate::quantity::{Currency, Money};
use crate::refusal::Refusal;
use crate::terms::check_name;
use crate::time::Day;
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

/// A trade, by which shops find each other. (A3, A5)
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Industry {
    /// Coffee, tea, desserts.
    #[n(0)]
    Cafe,
    /// Meals.
    #[n(1)]
    Restaurant,
    /// Bread and cakes.
    #[n(2)]
    Bakery,
    /// Drinks in the evening.
    #[n(3)]
    Bar,
    /// A little of everything, around the clock.
    #[n(4)]
    Convenience,
    /// Food to take home: fruit, meat, side dishes.
    #[n(5)]
    Grocery,
    /// Clothes, shoes, jewellery.
    #[n(6)]
    Fashion,
    /// Skin, nails, cosmetics.
    #[n(7)]
    Beauty,
    /// Hairdressers.
    #[n(8)]
    Hair,
    /// Clinics, pharmacies, opticians.
    #[n(9)]
    Health,
    /// Gyms, studios, pools.
    #[n(10)]
    Fitness,
    /// Books and stationery.
    #[n(11)]
    Books,
    /// Flowers and plants.
    #[n(12)]
    Flowers,
    /// Devices and their repair.
    #[n(13)]
    Electronics,
    /// Cleaning and mending of clothes.
    #[n(14)]
    Laundry,
    /// What animals need.
    #[n(15)]
    Pets,
    /// Schools and lessons.
    #[n(16)]
    Education,
    /// Hotels and rooms.
    #[n(17)]
    Lodging,
    /// Games, karaoke, cinemas.
    #[n(18)]
    Leisure,
    /// Furniture, household, repair.
    #[n(19)]
    Home,
    /// Anything else.
    #[n(20)]
    Other,
}

impl Industry {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Cafe,
        Self::Restaurant,
        Self::Bakery,
        Self::Bar,
        Self::Convenience,
        Self::Grocery,
        Self::Fashion,
        Self::Beauty,
        Self::Hair,
        Self::Health,
        Self::Fitness,
        Self::Books,
        Self::Flowers,
        Self::Electronics,
        Self::Laundry,
        Self::Pets,
        Self::Education,
        Self::Lodging,
        Self::Leisure,
        Self::Home,
        Self::Other,
    ];
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
    /// Its trade.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub industry: Option<Industry>,
    /// The district of its registered address, as people write it, 1..=60 characters: `서울 마포구 연남동`.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The building that it is in, as its neighbours write it, 1..=60 characters.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<String>,
}

impl MerchantProfile {
    /// A name, its money, perhaps a place, and nothing else.
    pub fn new(name: impl Into<String>, currency: Currency, place: Option<Place>) -> Self {
        Self { name: name.into(), currency, place, industry: None, area: None, building: None }
    }

    /// Refuses a profile that no shop has.
    ///
    /// # Errors
    /// `bad_name`, `bad_place`.
    pub fn check(&self) -> Result<(), Refusal> {
        check_name(&self.name)?;
        [&self.area, &self.building].into_iter().flatten().try_for_each(|text| check_name(text))?;
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
    /// The day on which it last invited someone, and how often.
    pub invited: (Day, u16),
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

/// The author's shop presents itself otherwise from now on. The money it takes stays.
pub(crate) fn amend(view: &View, author: &Author, profile: &MerchantProfile) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    profile.check()?;
    if view.merchant(merchant)?.is_none_or(|known| known.profile.currency != profile.currency) {
        return Err(Refusal::CurrencyDiffers.into());
    }
    Ok(author.caused(EventBody::MerchantAmended { merchant, profile: profile.clone() }))
}
