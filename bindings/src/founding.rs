//! Founding a group, and how groups and shops present themselves.

use moa_rules::founding::{Plan, example, suggested_terms};
use moa_rules::merchant::{self, MerchantProfile};
use moa_rules::quantity::{Currency, Money};
use moa_rules::suggest::{self, Bound};
use moa_rules::terms::{self, Kind, Profile};
use moa_words::group as words;
use moa_words::{number, suggestion, when};

use crate::app::App;
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::records::{Founding, Place, Scope, ShopProfile, Terms, Validity};

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

/// A group that someone thinks of founding: what they say of it, and what they leave to be suggested.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundingPlan {
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// What it gives.
    pub kind: MileageKind,
    /// Of an area, the metres across it: a street up to 400, a district beyond; none: a street.
    #[uniffi(default = None)]
    pub across_m: Option<u32>,
    /// How many shops it is expected to have, 1..=100 000; none: as many as such groups.
    #[uniffi(default = None)]
    pub members: Option<u32>,
    /// How long its mileage can be used; none: what is suggested.
    #[uniffi(default = None)]
    pub validity: Option<Validity>,
    /// What is usually spent at once, in minor units; none: 10,000 won.
    #[uniffi(default = None)]
    pub purchase: Option<i64>,
    /// What a shop puts into mileage, in hundredths of a percent of its sales, 10..=2 000; none: 3 %.
    #[uniffi(default = None)]
    pub budget_bp: Option<u16>,
    /// What a shop keeps of a sale after its goods are paid, in hundredths of a percent, 0..=9 500; none: two thirds. It stays
    /// on the phone.
    #[uniffi(default = None)]
    pub margin_bp: Option<u16>,
}

/// What a rate costs a shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RateCost {
    /// On average, for sales of a million won, in minor units.
    pub mean: i64,
    /// At most, if all were used, and at other shops.
    pub worst: i64,
    /// Both: `for ₩1,000,000 of sales ₩29,694 on average, ₩88,000 at most`.
    pub text: String,
}

/// What keeps a rate from what the budget alone would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RateBound {
    /// No lower rate is suggested for such a group: it costs more than the budget gives.
    Lowest,
    /// No higher rate is suggested for such a group: the budget is not used up.
    Highest,
}

/// A rate and a validity that suit a group, and why.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RateSuggestion {
    /// The share that comes back, in hundredths of a percent.
    pub rate_bp: u16,
    /// The same, such as `8.8%`.
    pub rate_text: String,
    /// The validity that suits the group. The rate is that of the validity planned, if one was.
    pub validity: Validity,
    /// The same, such as `3 months`.
    pub validity_text: String,
    /// The bound that keeps the rate, if one does; a reason says so too.
    pub bound: Option<RateBound>,
    /// What the rate costs.
    pub cost: RateCost,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
}

/// What a founder begins with: terms to be founded as they are, or changed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FoundingDraft {
    /// The terms. Of stamps and coupons, a card and a face that give back the rate suggested.
    pub terms: Terms,
    /// Why so much.
    pub suggestion: RateSuggestion,
}

/// A founder's own terms beside what is suggested.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WeighedTerms {
    /// The share that comes back under them, in hundredths of a percent.
    pub gives_bp: u16,
    /// The same, such as `8.8%`.
    pub gives_text: String,
    /// What that costs.
    pub cost: RateCost,
    /// What is suggested for their validity and minimum.
    pub suggestion: RateSuggestion,
}

impl From<FoundingPlan> for Plan {
    fn from(plan: FoundingPlan) -> Self {
        let FoundingPlan { scope, kind, across_m, members, validity, purchase, budget_bp, margin_bp } = plan;
        let said = Self::new(scope.into(), kind.into(), Currency::KRW);
        Self {
            across_m,
            members,
            validity: validity.map(convert::validity),
            purchase: purchase.map(Money),
            budget: budget_bp.unwrap_or(said.budget),
            margin: margin_bp.unwrap_or(said.margin),
            ..said
        }
    }
}

impl From<Bound> for RateBound {
    fn from(bound: Bound) -> Self {
        match bound {
            Bound::Lowest => Self::Lowest,
            Bound::Highest => Self::Highest,
        }
    }
}

impl Dress {
    fn rate_cost(self, cost: &suggest::Cost, currency: Currency) -> RateCost {
        let text = suggestion::cost(self.lang, cost, currency);
        RateCost { mean: cost.mean.0, worst: cost.worst.0, text }
    }

    fn rate_suggestion(self, suggested: suggest::Suggestion, currency: Currency) -> RateSuggestion {
        let suggest::Suggestion { rate, validity, bound, cost, reasons } = suggested;
        RateSuggestion {
            rate_bp: rate.get(),
            rate_text: number::rate(rate),
            validity: validity.into(),
            validity_text: when::validity(self.lang, validity),
            bound: bound.map(Into::into),
            cost: self.rate_cost(&cost, currency),
            reasons: reasons.into_iter().map(|reason| suggestion::reason(self.lang, reason)).collect(),
        }
    }
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

    /// Terms to begin with for a group that someone thinks of, what they cost and why. Needs no network.
    pub fn founding_draft(&self, plan: FoundingPlan) -> Result<FoundingDraft, ApiError> {
        let draft = self.ask(self.phone()?.draft_group(plan.into()))?;
        let suggestion = self.dress().rate_suggestion(draft.suggestion, draft.terms.currency);
        Ok(FoundingDraft { terms: (&draft.terms).into(), suggestion })
    }

    /// What terms cost that the founder changed, beside what is suggested: any rate may be founded.
    pub fn weigh_terms(&self, plan: FoundingPlan, terms: Terms) -> Result<WeighedTerms, ApiError> {
        let terms = terms::Terms::try_from(terms).map_err(|error| self.invalid(error))?;
        let weighed = self.ask(self.phone()?.weigh_terms(plan.into(), &terms))?;
        let dress = self.dress();
        Ok(WeighedTerms {
            gives_bp: weighed.gives.get(),
            gives_text: number::rate(weighed.gives),
            cost: dress.rate_cost(&weighed.cost, terms.currency),
            suggestion: dress.rate_suggestion(weighed.suggestion, terms.currency),
        })
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
