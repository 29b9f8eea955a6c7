//! Founding a group, and how groups and shops present themselves.

use moa_rules::founding::{example, suggested_terms};
use moa_rules::merchant::{self, MerchantProfile};
use moa_rules::quantity::Currency;
use moa_rules::terms::{self, Kind, Profile};
use moa_words::group as words;
use moa_words::when;

use crate::app::App;
use crate::error::ApiError;
use crate::records::{Founding, Place, Scope, ShopProfile, Terms};

/// The kind of mileage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum MileageKind {
    /// Points.
    Points,
    /// Stamps on a card.
    Stamps,
    /// Coupons.
    Coupons,
    /// Money put by.
    Reserve,
}

impl From<MileageKind> for Kind {
    fn from(kind: MileageKind) -> Self {
        match kind {
            MileageKind::Points => Self::Point,
            MileageKind::Stamps => Self::Stamp,
            MileageKind::Coupons => Self::Coupon,
            MileageKind::Reserve => Self::Reserve,
        }
    }
}

/// How a group presents itself.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GroupProfile {
    /// Its name, 1..=60 characters.
    pub name: String,
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// What people call it for short, 1..=20 characters.
    #[uniffi(default = None)]
    pub nickname: Option<String>,
    /// The id of its cover picture, 32 hex digits.
    #[uniffi(default = None)]
    pub picture: Option<String>,
}

/// What a buyer will see of a group that is about to be founded.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundingPreview {
    /// Its name.
    pub name: String,
    /// What it gives, in a word or two: `5%`.
    pub rate_text: String,
    /// What it gives, in full.
    pub promise_text: String,
    /// What a purchase earns: `1,000 points for ₩10,000`.
    pub example_text: String,
    /// How long mileage can be used, such as `6 months`.
    pub validity_text: String,
    /// From which balance: `from 1,000 points`.
    pub usable_text: String,
    /// Who lets shops in, such as `any shop joins at once`: for the founder.
    pub admission_text: String,
}

impl From<MerchantProfile> for ShopProfile {
    fn from(profile: MerchantProfile) -> Self {
        let MerchantProfile { name, place, industry, area, building, .. } = profile;
        let place = place.map(|place| Place { lat_e6: place.lat_e6, lon_e6: place.lon_e6 });
        let industry = industry.and_then(|trade| serde_json::to_value(trade).ok());
        let industry = industry.and_then(|code| code.as_str().map(str::to_owned));
        Self { name, place, industry, area, building }
    }
}

#[uniffi::export]
impl App {
    /// Terms that a group of this reach and kind may begin with; the founder changes what they like.
    pub fn suggested_terms(&self, scope: Scope, kind: MileageKind) -> Terms {
        (&suggested_terms(scope.into(), kind.into(), Currency::KRW)).into()
    }

    /// What a buyer will see. Refuses what could not be founded.
    pub fn founding_preview(&self, founding: Founding) -> Result<FoundingPreview, ApiError> {
        let (profile, terms) = self.founding(founding)?;
        self.ask(profile.check().and_then(|()| terms.check()).map_err(Into::into))?;
        let (lang, paid) =
            (self.dress().lang, example(terms.currency).max(terms.least_purchase.unwrap_or_default()));
        Ok(FoundingPreview {
            name: profile.name,
            rate_text: words::share(lang, &terms),
            promise_text: words::promise(lang, &terms),
            example_text: words::example(lang, &terms, paid),
            validity_text: when::validity(lang, terms.validity),
            usable_text: words::usable(lang, &terms),
            admission_text: words::admission(lang, terms.admission),
        })
    }

    /// Presents a group otherwise that this shop administers. Gives the op.
    pub fn amend_group_profile(&self, group: String, profile: GroupProfile) -> Result<String, ApiError> {
        let (group, profile) = (self.group_id(&group)?, self.profile(profile)?);
        Ok(self.ask(self.phone()?.amend_group_profile(group, profile))?.to_string())
    }

    /// Opens a shop; this phone acts for it from now on. Gives its id.
    pub fn register_shop(&self, profile: ShopProfile) -> Result<String, ApiError> {
        let profile = self.shop_profile(profile)?;
        Ok(self.ask(self.phone()?.register_merchant(profile))?.to_string())
    }

    /// Presents this phone's shop otherwise. Gives the op.
    pub fn amend_shop(&self, profile: ShopProfile) -> Result<String, ApiError> {
        let profile = self.shop_profile(profile)?;
        Ok(self.ask(self.phone()?.amend_shop(profile))?.to_string())
    }
}

impl App {
    pub(crate) fn founding(&self, founding: Founding) -> Result<(Profile, terms::Terms), ApiError> {
        let Founding { name, scope, terms, nickname, picture } = founding;
        let terms = terms::Terms::try_from(terms).map_err(|error| self.invalid(error))?;
        Ok((self.profile(GroupProfile { name, scope, nickname, picture })?, terms))
    }

    fn profile(&self, profile: GroupProfile) -> Result<Profile, ApiError> {
        let GroupProfile { name, scope, nickname, picture } = profile;
        let picture =
            picture.map(|picture| picture.parse().map_err(|error| self.invalid(error))).transpose()?;
        Ok(Profile { nickname, picture, ..Profile::new(name, scope.into()) })
    }

    fn shop_profile(&self, profile: ShopProfile) -> Result<MerchantProfile, ApiError> {
        let ShopProfile { name, place, industry, area, building } = profile;
        let place = place.map(|place| merchant::Place { lat_e6: place.lat_e6, lon_e6: place.lon_e6 });
        let trade = |code: String| serde_json::from_value(code.into()).map_err(|error| self.invalid(error));
        let industry = industry.map(trade).transpose()?;
        Ok(MerchantProfile { industry, area, building, ..MerchantProfile::new(name, Currency::KRW, place) })
    }
}
