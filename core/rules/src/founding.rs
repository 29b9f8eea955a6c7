//! What a new group begins with: terms that suit its reach and its kind, for the founder to change. (A1, A16)
//!
//! The nearer the shops, the more they gain from each other's customers, and the more they can give: 10 % in one building, 3 %
//! nationwide. The wider a group, the longer it takes to come back to a member: 3 months in a building, 12 nationwide.

use crate::quantity::{BasisPoints, Currency, Money, Units};
use crate::terms::{Kind, Scope, StampCard, Terms};
use crate::time::Validity;

/// What a buyer might spend at once, by which examples are told, in won.
const PURCHASE: i64 = 10_000;
/// Stamps that fill a card.
const STAMPS: u16 = 10;
/// Money whose minor unit is a hundredth of what is spent like a thousand won; in others, as many minor units as won.
const IN_CENTS: [&str; 6] = ["USD", "EUR", "GBP", "AUD", "CAD", "SGD"];

/// The rate that suits a reach.
pub fn rate(scope: Scope) -> BasisPoints {
    let bp = match scope {
        Scope::Building => 1_000,
        Scope::Area => 500,
        Scope::Industry => 400,
        Scope::Nationwide => 300,
    };
    // All of them are rates.
    BasisPoints::new(bp).unwrap_or(BasisPoints::LEAST)
}

/// The validity that suits a reach.
pub fn validity(scope: Scope) -> Validity {
    Validity::Months(match scope {
        Scope::Building => 3,
        Scope::Area | Scope::Industry => 6,
        Scope::Nationwide => 12,
    })
}

/// Terms that a founder may begin with. Points and reserve can be used from what ten purchases or so earn nationwide and one in a
/// building; a card of ten stamps, and a coupon, give back about as much as the rate.
pub fn suggested(scope: Scope, kind: Kind, currency: Currency) -> Terms {
    let (rate, validity, purchase) = (rate(scope), validity(scope), example(currency).0);
    let given_back =
        |purchases: i64| purchases * purchase * i64::from(rate.get()) / i64::from(BasisPoints::MAX);
    let terms = match kind {
        Kind::Point => Terms::points(rate, validity, minimum(purchase)),
        Kind::Reserve => Terms { kind, ..Terms::points(rate, validity, minimum(purchase)) },
        Kind::Stamp => {
            let reward = Money(given_back(STAMPS.into()).max(STAMPS.into()));
            Terms::stamps(StampCard { per: None, stamps: STAMPS, reward }, validity)
        }
        Kind::Coupon => Terms::coupons(Money(given_back(3)), Some(Money(3 * purchase)), validity),
    };
    Terms { currency, ..terms }
}

/// A tenth of a purchase.
fn minimum(purchase: i64) -> Units {
    Units::new(purchase / 10).unwrap_or_default()
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

    #[test]
    fn every_suggestion_is_a_groups_terms_as_they_are() {
        for currency in ["KRW", "USD", "JPY", "EUR"].map(|code| Currency::try_from(code).unwrap()) {
            for (scope, kind) in SCOPES.into_iter().flat_map(|scope| KINDS.map(|kind| (scope, kind))) {
                let terms = suggested(scope, kind, currency);
                assert_eq!(terms.check(), Ok(()), "{scope:?} {kind:?} {currency:?}");
                assert_eq!((terms.kind, terms.currency), (kind, currency));
                let enough = Money(3 * example(currency).0);
                assert!(terms.earns(enough).get() > 0, "{scope:?} {kind:?} earns nothing");
            }
        }
    }

    #[test]
    fn a_building_gives_most_and_a_country_longest() {
        let terms = |scope| suggested(scope, Kind::Point, Currency::KRW);
        assert_eq!((terms(Scope::Building).rate.get(), terms(Scope::Nationwide).rate.get()), (1_000, 300));
        assert_eq!(terms(Scope::Building).validity, Validity::Months(3));
        assert_eq!(terms(Scope::Nationwide).validity, Validity::Months(12));
        for [near, far] in [[SCOPES[0], SCOPES[1]], [SCOPES[1], SCOPES[2]], [SCOPES[2], SCOPES[3]]] {
            assert!(rate(near) > rate(far), "{near:?} gives more than {far:?}");
        }
        let stamps = suggested(Scope::Building, Kind::Stamp, Currency::KRW);
        assert_eq!(stamps.card.unwrap().reward, Money(10_000), "ten visits of 10,000 won at 10 %");
        let coupon = suggested(Scope::Area, Kind::Coupon, Currency::KRW);
        assert_eq!((coupon.unit_value, coupon.least_purchase), (Money(1_500), Some(Money(30_000))));
    }
}
