//! What a group promises: its terms, versioned, and its profile. (A1, A2)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::books::Worth;
use crate::id::PictureId;
use crate::period::Period;
use crate::quantity::{BasisPoints, Currency, MAX_AMOUNT, Money, OutOfRange, Units, earned};
use crate::refusal::Refusal;
use crate::time::{Timestamp, Validity, Zone};

/// For how long terms that were replaced are still honoured after a sale: seven days. (rules.md "Time")
pub const TERMS_HONOURED_FOR: i64 = 7 * Timestamp::DAY;

/// The longest name of a shop or a group, in characters.
pub const MAX_NAME: usize = 60;
/// The longest nickname of a group, in characters.
pub const MAX_NICKNAME: usize = 20;

/// The kind of mileage. (A1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Kind {
    /// A share of the amount paid.
    #[n(0)]
    Point,
    /// One a visit, or one for each so much spent; redeemed in whole cards.
    #[n(1)]
    Stamp,
    /// One a purchase, from a least amount on; redeemed whole. Discounts count as coupons.
    #[n(2)]
    Coupon,
    /// A share of the amount paid, in money put by.
    #[n(3)]
    Reserve,
}

/// What a unit of mileage is, where it is not a point. Mileage of different units is never added up, so that old points
/// stay points when a group turns to stamps.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A stamp, of a card of so many.
    #[n(0)]
    Stamp(#[n(0)] u16),
    /// A coupon.
    #[n(1)]
    Coupon,
    /// A minor unit of reserve, or as many as its terms say.
    #[n(2)]
    Reserve,
}

impl Unit {
    /// Its kind; none is points.
    pub fn kind(unit: Option<Self>) -> Kind {
        match unit {
            None => Kind::Point,
            Some(Self::Stamp(_)) => Kind::Stamp,
            Some(Self::Coupon) => Kind::Coupon,
            Some(Self::Reserve) => Kind::Reserve,
        }
    }

    /// Refuses stamps that are no whole cards.
    ///
    /// # Errors
    /// `whole_cards`, with the stamps of a card.
    pub fn check_whole(unit: Option<Self>, units: Units) -> Result<(), Refusal> {
        match unit {
            Some(Self::Stamp(card)) if units.get() % i64::from(card.max(1)) != 0 => {
                Err(Refusal::WholeCards { card: u64::from(card) })
            }
            _ => Ok(()),
        }
    }
}

/// How stamps are given, and what a full card is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct StampCard {
    /// One stamp for each so much spent, in minor units; without it, one a visit.
    #[n(0)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Money>,
    /// Stamps that fill a card, 1..=100.
    #[n(1)]
    pub stamps: u16,
    /// What a full card is good for, in minor units; `stamps` must divide it.
    #[n(2)]
    pub reward: Money,
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

/// Who lets a shop in that asks to join. (A5)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// The member that administers the group.
    #[n(0)]
    Admin,
    /// The members: this share of them has to be for it.
    #[n(1)]
    Vote(#[n(0)] BasisPoints),
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
    /// What people call it for short, 1..=20 characters.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Its cover picture.
    #[n(3)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureId>,
}

impl Profile {
    /// A name and a scope, and nothing else.
    pub fn new(name: impl Into<String>, scope: Scope) -> Self {
        Self { name: name.into(), scope, nickname: None, picture: None }
    }

    /// Refuses a profile that no group has.
    ///
    /// # Errors
    /// `bad_name`.
    pub fn check(&self) -> Result<(), Refusal> {
        check_name(&self.name)?;
        self.nickname.as_deref().map_or(Ok(()), |nickname| check_text(nickname, MAX_NICKNAME))
    }
}

/// One version of what a group promises. A lot keeps the version that it was issued under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Terms {
    /// The kind of mileage.
    #[n(0)]
    pub kind: Kind,
    /// The share of the amount that is earned, of points and reserve. Of stamps and coupons it says nothing, and is the
    /// least there is.
    #[n(1)]
    pub rate: BasisPoints,
    /// How long it can be used.
    #[n(2)]
    pub validity: Validity,
    /// The least balance from which it can be used, in units; zero for none.
    #[n(3)]
    pub minimum: Units,
    /// What one unit is worth in settlement, in minor units; at least 1. A stamp's is its share of the reward, a coupon's
    /// its face value.
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
    /// Of stamps, and of nothing else.
    #[n(9)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<StampCard>,
    /// The least purchase that earns a coupon, in minor units; none for any. Of nothing but coupons.
    #[n(10)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_purchase: Option<Money>,
    /// How often members settle; none: each calendar month, at its end.
    #[n(11)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The share of the members that has to agree to a change of the terms; none: all.
    #[n(12)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<BasisPoints>,
    /// Who lets a shop in that asks to join; none: any shop joins at once.
    #[n(13)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
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
            card: None,
            least_purchase: None,
            period: None,
            consent: None,
            admission: None,
        }
    }

    /// Stamps on a card, usable for `validity`, a whole card at a time; else as [`Self::points`].
    ///
    /// A reward that the card's stamps do not divide is refused by [`Self::check`].
    pub fn stamps(card: StampCard, validity: Validity) -> Self {
        let unit_value = Money(card.reward.0 / i64::from(card.stamps.max(1)));
        let points = Self::points(BasisPoints::LEAST, validity, Units::ZERO);
        Self { kind: Kind::Stamp, unit_value, card: Some(card), ..points }
    }

    /// Coupons of a face value, one a purchase from a least amount on, usable for `validity`; else as [`Self::points`].
    pub fn coupons(face: Money, least_purchase: Option<Money>, validity: Validity) -> Self {
        let points = Self::points(BasisPoints::LEAST, validity, Units::ZERO);
        Self { kind: Kind::Coupon, unit_value: face, least_purchase, ..points }
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
        match (self.kind, self.card) {
            (Kind::Stamp, Some(StampCard { per, stamps, reward })) => {
                within("card", stamps.into(), 1, 100)?;
                // A stamp is never worth more than what was paid for it, where that is told.
                within("per", per.map_or(self.unit_value.0, |per| per.0), self.unit_value.0, MAX_AMOUNT.0)?;
                let whole = self.unit_value.0 * i64::from(stamps);
                within("reward", reward.0, whole, whole)?;
            }
            (Kind::Stamp, None) => within("card", 0, 1, 100)?,
            (_, Some(card)) => within("card", card.stamps.into(), 0, 0)?,
            (_, None) => {}
        }
        match (self.kind, self.least_purchase) {
            (Kind::Coupon, Some(least)) => within("least_purchase", least.0, 1, MAX_AMOUNT.0)?,
            (_, Some(least)) => within("least_purchase", least.0, 0, 0)?,
            (_, None) => {}
        }
        if matches!(self.kind, Kind::Stamp | Kind::Coupon) {
            let least = BasisPoints::LEAST.get().into();
            within("rate", self.rate.get().into(), least, least)?;
        }
        if let Some(period) = self.period {
            period.check().map_err(|range| bad("period", range))?;
        }
        if Zone::named(&self.zone).is_none() {
            return Err(Refusal::UnknownZone);
        }
        Ok(())
    }

    /// The group's zone. Terms are checked when they are made; a name unknown here reads as UTC.
    pub fn tz(&self) -> Zone {
        Zone::named(&self.zone).unwrap_or_default()
    }

    /// What a unit is, if not a point.
    pub fn unit(&self) -> Option<Unit> {
        match self.kind {
            Kind::Point => None,
            Kind::Stamp => Some(Unit::Stamp(self.card.map_or(1, |card| card.stamps))),
            Kind::Coupon => Some(Unit::Coupon),
            Kind::Reserve => Some(Unit::Reserve),
        }
    }

    /// What a unit issued under these terms is worth, and who owes whom for it.
    pub fn worth(&self) -> Worth {
        Worth { unit_value: self.unit_value, basis: self.basis, unit: self.unit() }
    }

    /// What `paid` earns under these terms. (rules.md "Quantities")
    pub fn earns(&self, paid: Money) -> Units {
        let count = match self.kind {
            Kind::Point | Kind::Reserve => return earned(paid, self.rate, self.unit_value),
            Kind::Stamp => match self.card.and_then(|card| card.per) {
                Some(per) => paid.0.max(0) / per.0.max(1),
                None => i64::from(paid.0 > 0),
            },
            Kind::Coupon => i64::from(paid.0 >= self.least_purchase.map_or(1, |least| least.0)),
        };
        Units::new(count).unwrap_or_default()
    }

    /// How much of `paid` comes back, in ten-thousandths of a minor unit, before it is rounded to units: what terms are
    /// compared by.
    pub fn gives(&self, paid: Money) -> i128 {
        match self.kind {
            Kind::Point | Kind::Reserve => i128::from(paid.0) * i128::from(self.rate.get()),
            Kind::Stamp | Kind::Coupon => {
                i128::from(self.earns(paid).get()) * i128::from(self.unit_value.0) * 10_000
            }
        }
    }

    /// Refuses terms that cannot follow these: another currency, another zone, another size of the same card.
    ///
    /// # Errors
    /// `cannot_follow`, with the field.
    pub fn check_follows(&self, before: &Self) -> Result<(), Refusal> {
        let stamps = |terms: &Self| terms.card.map(|card| card.stamps);
        let both = stamps(self).zip(stamps(before));
        let changed = [
            ("currency", self.currency != before.currency),
            ("zone", self.zone != before.zone),
            ("card", both.is_some_and(|(new, old)| new != old)),
        ];
        match changed.iter().find(|(_, changed)| *changed) {
            Some((field, _)) => Err(Refusal::CannotFollow { field: (*field).to_owned() }),
            None => Ok(()),
        }
    }

    /// Whether so many of the members agreeing is enough.
    pub fn consents(&self, agreed: usize, members: u32) -> bool {
        let share = u64::from(self.consent.map_or(BasisPoints::MAX, BasisPoints::get));
        agreed as u64 * u64::from(BasisPoints::MAX) >= u64::from(members) * share
    }
}

/// Trims a name and refuses one that is empty, too long or has control characters in it.
///
/// # Errors
/// `bad_name`, with the longest length.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    check_text(name, MAX_NAME)
}

/// The same of what may be so long.
///
/// # Errors
/// `bad_name`, with the longest length.
pub(crate) fn check_text(text: &str, max: usize) -> Result<(), Refusal> {
    let trimmed = !text.is_empty() && text.trim() == text;
    if !trimmed || text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(Refusal::BadName { max: max as u64 });
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
