//! What a new group begins with: terms that suit its reach and its kind, for the founder to change; and what changed ones cost.
//! (A1, A16)
//!
//! Rate and validity are [`suggest`]'s. A card of stamps and a coupon give back the share that points would: ten visits with a card
//! of ten bring that share of ten purchases.

use crate::quantity::{BasisPoints, Currency, Money, Units};
use crate::refusal::Refusal;
use crate::suggest::{
    BUDGET, Cost, MARGIN, MAX_MINIMUM, MAX_PURCHASES, Minimum, Reach, SuggestInput, Suggestion, cost,
    suggest, suggested, validity,
};
use crate::terms::{Kind, Scope, StampCard, Terms};
use crate::time::Validity;

/// What a buyer might spend at once, by which examples are told, in won.
const PURCHASE: i64 = 10_000;
/// Stamps that fill a card.
const STAMPS: u16 = 10;
/// Purchases' worth that a coupon is given for.
const COUPON: i64 = 3;
/// Money whose minor unit is a hundredth of what is spent like a thousand won; in others, as many minor units as won.
const IN_CENTS: [&str; 6] = ["USD", "EUR", "GBP", "AUD", "CAD", "SGD"];

/// A group that someone thinks of founding: what they said, and what they left to be suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How wide it is meant to reach.
    pub scope: Scope,
    /// Of an area, the metres across it.
    pub across_m: Option<u32>,
    /// What it gives.
    pub kind: Kind,
    /// Its money.
    pub currency: Currency,
    /// How many shops it is expected to have, 1..=100 000; none: as many as groups of that reach.
    pub members: Option<u32>,
    /// How long its mileage can be used; none: what is suggested.
    pub validity: Option<Validity>,
    /// What is usually spent at once, in minor units; none: [`example`].
    pub purchase: Option<Money>,
    /// What a shop puts into mileage, in hundredths of a percent of its sales, 10..=2 000.
    pub budget: u16,
    /// What a shop keeps of a sale after its goods are paid, in hundredths of a percent, 0..=9 500.
    pub margin: u16,
}

/// What a founder is shown to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Terms of a group, as they are.
    pub terms: Terms,
    /// Why so much is given, and what it costs.
    pub suggestion: Suggestion,
}

/// A founder's own terms beside what is suggested for such a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The share that comes back under the founder's terms.
    pub gives: BasisPoints,
    /// What that costs.
    pub cost: Cost,
    /// What is suggested with the founder's validity and minimum.
    pub suggestion: Suggestion,
}

impl Plan {
    /// Of somebody who said what it is to be, and no more.
    pub fn new(scope: Scope, kind: Kind, currency: Currency) -> Self {
        let (across_m, members, validity, purchase) = (None, None, None, None);
        Self { scope, across_m, kind, currency, members, validity, purchase, budget: BUDGET, margin: MARGIN }
    }

    /// Terms to begin with, and why.
    ///
    /// # Errors
    /// `bad_terms`, with the figure that is beyond its limits.
    pub fn draft(&self) -> Result<Draft, Refusal> {
        let asked = self.asked();
        let input = match self.validity {
            Some(validity) => SuggestInput { validity, ..asked },
            None => asked.at_suggested_validity()?,
        };
        let suggestion = suggest(&input)?;
        let terms = self.terms(&input, suggestion.rate);
        terms.check()?;
        Ok(Draft { terms, suggestion })
    }

    /// What terms would cost that the founder changed, and what would be suggested for the like. Their kind, validity and minimum
    /// count, not the plan's.
    ///
    /// # Errors
    /// As [`Terms::check`] and [`Self::draft`].
    pub fn weigh(&self, terms: &Terms) -> Result<Weighed, Refusal> {
        terms.check()?;
        let asked = self.asked();
        // Refuses the plan's figures before they are reckoned with.
        asked.check()?;
        let input =
            SuggestInput { validity: terms.validity, minimum: minimum(terms, asked.purchase), ..asked };
        let suggestion = suggest(&input)?;
        let gives = gives(terms, asked.purchase);
        Ok(Weighed { gives, cost: cost(&input, gives)?, suggestion })
    }

    /// What the rate depends on, but for a validity.
    fn asked(&self) -> SuggestInput {
        let reach = Reach::of(self.scope, self.across_m);
        let purchase = self.purchase.unwrap_or_else(|| example(self.currency));
        let usual = SuggestInput::new(reach, purchase);
        let minimum = match self.kind {
            Kind::Stamp => Minimum::Purchases(STAMPS),
            // A coupon is used whole, at the next purchase.
            Kind::Coupon => Minimum::Purchases(0),
            Kind::Point | Kind::Reserve => usual.minimum,
        };
        SuggestInput {
            members: self.members.unwrap_or(reach.members()),
            minimum,
            budget: self.budget,
            margin: self.margin,
            ..usual
        }
    }

    /// Terms that give back so much.
    fn terms(&self, input: &SuggestInput, rate: BasisPoints) -> Terms {
        let (purchase, validity) = (input.purchase.0, input.validity);
        let given_back =
            |purchases: i64| purchases * purchase * i64::from(rate.get()) / i64::from(BasisPoints::MAX);
        let round = |amount: i64, to: i64| Money((amount / to * to).max(to));
        let terms = match self.kind {
            Kind::Point | Kind::Reserve => {
                let least = match input.minimum {
                    Minimum::Balance(least) => least,
                    Minimum::Purchases(_) => Money(0),
                };
                let minimum = Units::new(least.0).unwrap_or_default();
                Terms { kind: self.kind, ..Terms::points(rate, validity, minimum) }
            }
            Kind::Stamp => {
                let reward = round(given_back(STAMPS.into()), STAMPS.into());
                Terms::stamps(StampCard { per: None, stamps: STAMPS, reward }, validity)
            }
            Kind::Coupon => {
                // To a hundredth of a purchase, as coupons are printed.
                let face = round(given_back(COUPON), (purchase / 100).max(1));
                Terms::coupons(face, Some(Money(COUPON * purchase)), validity)
            }
        };
        Terms { currency: self.currency, ..terms }
    }
}

/// Terms that a founder may begin with who said what the group is to be, and no more. Points and reserve can be used from what one
/// purchase of 10,000 won earns in a building, and what six do nationwide.
pub fn suggested_terms(scope: Scope, kind: Kind, currency: Currency) -> Terms {
    let plan = Plan::new(scope, kind, currency);
    // Every figure of a plan that says nothing is within its limits.
    let asked = plan.asked();
    let input = SuggestInput { validity: validity(&asked).0, ..asked };
    plan.terms(&input, suggested(&input).rate)
}

/// From when on mileage can be used under these terms.
fn minimum(terms: &Terms, purchase: Money) -> Minimum {
    match (terms.kind, terms.card) {
        (Kind::Stamp, Some(StampCard { per, stamps, .. })) => {
            let each = i128::from(per.map_or(1, |per| per.0));
            let of = i128::from(per.map_or(1, |_| purchase.0));
            // More purchases than a suggestion counts are no sooner used.
            let purchases = (i128::from(stamps) * each + of - 1) / of;
            Minimum::Purchases(u16::try_from(purchases).map_or(MAX_PURCHASES, |all| all.min(MAX_PURCHASES)))
        }
        (Kind::Coupon, _) => Minimum::Purchases(0),
        _ => {
            let value = terms.minimum.value(terms.unit_value).unwrap_or(MAX_MINIMUM);
            Minimum::Balance(value.min(MAX_MINIMUM))
        }
    }
}

/// The share that comes back of such purchases, at least the lowest there is.
fn gives(terms: &Terms, purchase: Money) -> BasisPoints {
    let back = match (terms.kind, terms.card.and_then(|card| card.per)) {
        // What is left over of one purchase is not lost on many.
        (Kind::Stamp, Some(per)) => i128::from(terms.unit_value.0) * 10_000 / i128::from(per.0.max(1)),
        _ => {
            // A coupon is given for its least purchase, where that is more than usual.
            let paid = purchase.max(terms.least_purchase.unwrap_or_default());
            terms.gives(paid) / i128::from(paid.0.max(1))
        }
    };
    let back =
        u16::try_from(back).map_or(BasisPoints::MAX, |back| back.clamp(BasisPoints::MIN, BasisPoints::MAX));
    BasisPoints::new(back).unwrap_or(BasisPoints::LEAST)
}

/// A purchase as an example: 10,000 won, 10 dollars.
pub fn example(currency: Currency) -> Money {
    Money(if IN_CENTS.contains(&currency.as_str()) { PURCHASE / 10 } else { PURCHASE })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 4] = [Kind::Point, Kind::Stamp, Kind::Coupon, Kind::Reserve];
    const SCOPES: [Scope; 4] = [Scope::Building, Scope::Area, Scope::Industry, Scope::Nationwide];

    fn plan(scope: Scope, kind: Kind) -> Plan {
        Plan::new(scope, kind, Currency::KRW)
    }

    #[test]
    fn every_suggestion_is_a_groups_terms_as_they_are() {
        for currency in ["KRW", "USD", "JPY", "EUR"].map(|code| Currency::try_from(code).unwrap()) {
            for (scope, kind) in SCOPES.into_iter().flat_map(|scope| KINDS.map(|kind| (scope, kind))) {
                let terms = suggested_terms(scope, kind, currency);
                assert_eq!(terms.check(), Ok(()), "{scope:?} {kind:?} {currency:?}");
                assert_eq!((terms.kind, terms.currency), (kind, currency));
                let enough = Money(3 * example(currency).0);
                assert!(terms.earns(enough).get() > 0, "{scope:?} {kind:?} earns nothing");
                assert_eq!(Plan::new(scope, kind, currency).draft().unwrap().terms, terms);
            }
        }
    }

    #[test]
    fn a_building_gives_most_and_a_country_longest() {
        let terms = SCOPES.map(|scope| suggested_terms(scope, Kind::Point, Currency::KRW));
        let said = terms.map(|terms| (terms.rate.get(), terms.validity));
        let months = Validity::Months;
        assert_eq!(said, [(1_000, months(3)), (610, months(6)), (320, months(12)), (190, months(12))]);
        let stamps = suggested_terms(Scope::Building, Kind::Stamp, Currency::KRW);
        assert_eq!(
            stamps.card.unwrap().reward,
            Money(10_000),
            "ten visits of 10,000 won at 10 %: the tenth is free"
        );
        assert_eq!(stamps.validity, Validity::Months(12), "ten visits three weeks apart");
        let coupon = suggested_terms(Scope::Area, Kind::Coupon, Currency::KRW);
        assert_eq!((coupon.unit_value, coupon.least_purchase), (Money(1_700), Some(Money(30_000))));
    }

    #[test]
    fn what_a_founder_says_is_what_the_suggestion_is_made_for() {
        let said = Plan {
            members: Some(60),
            validity: Some(Validity::Months(24)),
            across_m: Some(900),
            budget: 200,
            margin: 5_000,
            ..plan(Scope::Area, Kind::Point)
        };
        let Draft { terms, suggestion } = said.draft().unwrap();
        assert_eq!(terms.validity, Validity::Months(24));
        assert_eq!((terms.rate, suggestion.validity), (suggestion.rate, Validity::Months(12)));
        let thriftier = Plan { budget: 100, ..said }.draft().unwrap();
        assert!(thriftier.suggestion.rate < suggestion.rate, "{thriftier:?}");
        let dear = Plan { purchase: Some(Money(50_000)), ..said }.draft().unwrap();
        assert_eq!(dear.terms.minimum.get(), 5_000);
    }

    #[test]
    fn a_plan_weighed_with_its_own_draft_gives_what_is_suggested() {
        for (scope, kind) in SCOPES.into_iter().flat_map(|scope| KINDS.map(|kind| (scope, kind))) {
            let plan = plan(scope, kind);
            let Draft { terms, suggestion } = plan.draft().unwrap();
            let weighed = plan.weigh(&terms).unwrap();
            assert_eq!(weighed.suggestion, suggestion, "{scope:?} {kind:?}");
            // A coupon's face of three purchases is rounded down to a hundredth of one.
            let least = if kind == Kind::Coupon { suggestion.rate.get() - 33 } else { suggestion.rate.get() };
            assert!(
                (least..=suggestion.rate.get()).contains(&weighed.gives.get()),
                "{scope:?} {kind:?} {weighed:?}"
            );
            assert!(weighed.cost.mean <= suggestion.cost.mean);
        }
    }

    #[test]
    fn a_founders_own_rate_says_what_it_costs() {
        let plan = plan(Scope::Building, Kind::Point);
        let Draft { terms, .. } = plan.draft().unwrap();
        let generous = Terms { rate: BasisPoints::new(2_000).unwrap(), ..terms };
        let weighed = plan.weigh(&generous).unwrap();
        assert_eq!((weighed.gives.get(), weighed.cost.worst), (2_000, Money(200_000)));
        assert!(weighed.cost.mean.0 > 30_000, "above the budget of 3 %: {weighed:?}");
        assert_eq!(weighed.suggestion.rate.get(), 1_000);
        // A stamp for each 5,000 won, ten for 5,000 won: a tenth, after five purchases.
        let card = StampCard { per: Some(Money(5_000)), stamps: 10, reward: Money(5_000) };
        let stamps = Terms::stamps(card, Validity::Months(6));
        assert_eq!(minimum(&stamps, Money(10_000)), Minimum::Purchases(5));
        assert_eq!(plan.weigh(&stamps).unwrap().gives.get(), 1_000);
    }

    #[test]
    fn figures_that_no_suggestion_is_made_for_are_refused() {
        let fine = plan(Scope::Area, Kind::Point);
        let terms = fine.draft().unwrap().terms;
        for (wrong, plan) in [
            ("members", Plan { members: Some(0), ..fine }),
            ("members", Plan { members: Some(u32::MAX), ..fine }),
            ("purchase", Plan { purchase: Some(Money(i64::MIN)), ..fine }),
            ("purchase", Plan { purchase: Some(Money(i64::MAX)), ..fine }),
            ("budget", Plan { budget: u16::MAX, ..fine }),
            ("margin", Plan { margin: u16::MAX, ..fine }),
        ] {
            let named = |refusal| matches!(refusal, Refusal::BadTerms { field, .. } if field == wrong);
            assert!(plan.draft().is_err_and(named), "{wrong}");
            assert!(plan.weigh(&terms).is_err_and(named), "{wrong}");
        }
        assert!(Plan { validity: Some(Validity::Days(0)), ..fine }.draft().is_err());
        assert!(fine.weigh(&Terms { minimum: Units::new(i64::MAX).unwrap(), ..terms }).is_err());
    }
}
