//! What a group promises: its terms, versioned, and its profile. (A1, A2)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::quantity::{BasisPoints, Currency, Money, OutOfRange, Units, earned};
use crate::refusal::Refusal;
use crate::time::{Timestamp, Validity, Zone};

/// For how long terms that were replaced are still honoured after a sale: seven days. (rules.md "Time")
pub const TERMS_HONOURED_FOR: i64 = 7 * Timestamp::DAY;

/// The longest name of a shop or a group, in characters.
pub const MAX_NAME: usize = 60;

/// The kind of mileage. (A1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Kind {
    /// A share of the amount paid.
    #[n(0)]
    Point,
}

/// Who owes whom, and when. (rules.md "Settlement")
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Basis {
    /// The issuer owes the pool when it issues; the pool owes whoever redeems. The default.
    #[n(0)]
    OnIssue,
    /// The issuer owes the redeeming shop, when its mileage is redeemed there.
    #[n(1)]
    OnRedemption,
}

/// Which lots a redemption takes first. (A10)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum SpendingOrder {
    /// Soonest expiry, then oldest, then lowest id. The default.
    #[n(0)]
    SoonestExpiry,
    /// Oldest, then lowest id.
    #[n(1)]
    Oldest,
}

/// How wide a group is meant to reach: an attribute for search, never a bar to joining. (A1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Scope {
    /// The shops of one building.
    #[n(0)]
    Building,
    /// The shops of one street or district.
    #[n(1)]
    Area,
    /// The shops of one trade.
    #[n(2)]
    Industry,
    /// Anyone in the country.
    #[n(3)]
    Nationwide,
}

/// How a group presents itself. (A1)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Profile {
    /// Its name, 1..=60 characters.
    #[n(0)]
    pub name: String,
    /// How wide it is meant to reach.
    #[n(1)]
    pub scope: Scope,
}

/// One version of what a group promises. A lot keeps the version that it was issued under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Terms {
    /// The kind of mileage.
    #[n(0)]
    pub kind: Kind,
    /// The share of the amount that is earned.
    #[n(1)]
    pub rate: BasisPoints,
    /// How long it can be used.
    #[n(2)]
    pub validity: Validity,
    /// The least balance from which it can be used, in units; zero for none.
    #[n(3)]
    pub minimum: Units,
    /// What one unit is worth in settlement, in minor units; at least 1.
    #[n(4)]
    pub unit_value: Money,
    /// The money of the group.
    #[n(5)]
    pub currency: Currency,
    /// Who owes whom.
    #[n(6)]
    pub basis: Basis,
    /// Which lots go first.
    #[n(7)]
    pub order: SpendingOrder,
    /// The IANA zone in which days begin and end, such as `Asia/Seoul`.
    #[n(8)]
    pub zone: String,
}

impl Terms {
    /// Points at `rate`, usable for `validity` from `minimum`, one point one won, in Seoul, settled on issue.
    pub fn points(rate: BasisPoints, validity: Validity, minimum: Units) -> Self {
        Self {
            kind: Kind::Point,
            rate,
            validity,
            minimum,
            unit_value: Money(1),
            currency: Currency::KRW,
            basis: Basis::OnIssue,
            order: SpendingOrder::SoonestExpiry,
            zone: "Asia/Seoul".to_owned(),
        }
    }

    /// Refuses terms that no group can keep.
    ///
    /// # Errors
    /// `bad_terms`, with the field and its limits.
    pub fn check(&self) -> Result<(), Refusal> {
        let bad = |field: &str, range: OutOfRange| Refusal::BadTerms {
            field: field.to_owned(),
            min: range.min,
            max: range.max,
        };
        self.validity.check().map_err(|range| bad("validity", range))?;
        let within = |field, value: i64, min, max| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(bad(field, OutOfRange { value, min, max }))
            }
        };
        within("minimum", self.minimum.get(), 0, 1_000_000_000)?;
        within("unit_value", self.unit_value.0, 1, 1_000_000)?;
        if Zone::named(&self.zone).is_none() {
            return Err(Refusal::UnknownZone);
        }
        Ok(())
    }

    /// The group's zone. Terms are checked when they are made; a name unknown here reads as UTC.
    pub fn tz(&self) -> Zone {
        Zone::named(&self.zone).unwrap_or_default()
    }

    /// What `paid` earns under these terms.
    pub fn earns(&self, paid: Money) -> Units {
        match self.kind {
            Kind::Point => earned(paid, self.rate, self.unit_value),
        }
    }
}

/// Trims a name and refuses one that is empty, too long or has control characters in it.
///
/// # Errors
/// `bad_name`, with the longest length.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let length = name.chars().count();
    if name.trim().is_empty()
        || name.trim() != name
        || length > MAX_NAME
        || name.chars().any(char::is_control)
    {
        return Err(Refusal::BadName { max: MAX_NAME as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        Terms::points(BasisPoints::new(300).unwrap(), Validity::Months(6), Units::new(1_000).unwrap())
    }

    #[test]
    fn each_field_out_of_range_is_named() {
        type Case = (&'static str, fn(&mut Terms));
        let cases: [Case; 4] = [
            ("validity", |t| t.validity = Validity::Months(0)),
            ("validity", |t| t.validity = Validity::Days(3_661)),
            ("unit_value", |t| t.unit_value = Money(0)),
            ("minimum", |t| t.minimum = Units::new(1_000_000_001).unwrap()),
        ];
        assert_eq!(terms().check(), Ok(()));
        for (field, spoil) in cases {
            let mut terms = terms();
            spoil(&mut terms);
            assert!(
                matches!(terms.check(), Err(Refusal::BadTerms { field: f, .. }) if f == field),
                "{field}"
            );
        }
        assert_eq!(Terms { zone: "Mars/Olympus".into(), ..terms() }.check(), Err(Refusal::UnknownZone));
    }

    #[test]
    fn names_are_trimmed_printable_and_short() {
        assert_eq!(check_name("골목 카페"), Ok(()));
        for name in ["", "  ", " 카페", "a\u{7}b", &"가".repeat(61)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
