//! Units, money and rates. Whole numbers only; products go through `i128`. (rules.md "Quantities")

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// The largest amount of one sale, in minor units: ten thousand million won.
///
/// Far above any till, far below where a sum of many could leave `i64`.
pub const MAX_AMOUNT: Money = Money(10_000_000_000);

/// A number that a type refuses, with the limits that it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{value} is outside {min}..={max}")]
pub struct OutOfRange {
    /// What was given.
    pub value: i64,
    /// The smallest that is taken.
    pub min: i64,
    /// The largest that is taken.
    pub max: i64,
}

/// Mileage: a whole number of units, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Encode)]
#[cbor(transparent)]
pub struct Units(#[n(0)] i64);

impl Units {
    /// None.
    pub const ZERO: Self = Self(0);

    /// `count` units.
    ///
    /// # Errors
    /// [`OutOfRange`] below zero.
    pub const fn new(count: i64) -> Result<Self, OutOfRange> {
        if count < 0 {
            return Err(OutOfRange { value: count, min: 0, max: i64::MAX });
        }
        Ok(Self(count))
    }

    /// The count.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether there is none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it fits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The rest, if `other` is no more than there is.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|rest| *rest >= 0).map(Self)
    }

    /// What these units are worth at `unit_value` each, if it fits.
    pub fn value(self, unit_value: Money) -> Option<Money> {
        self.0.checked_mul(unit_value.0).map(Money)
    }
}

impl Sum for Units {
    /// The sum, stopping at `i64::MAX`: only ever compared, never stored.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, |total, units| Self(total.0.saturating_add(units.0)))
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'b, C> Decode<'b, C> for Units {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.i64()?).map_err(minicbor::decode::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Units {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Money in whole minor units of a currency that its owner names (won have none smaller). May be negative: a debt.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Money(#[n(0)] pub i64);

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode)]
#[cbor(transparent)]
pub struct Currency(#[n(0)] [u8; 3]);

impl Currency {
    /// The Korean won, which has no minor unit.
    pub const KRW: Self = Self(*b"KRW");

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl TryFrom<&str> for Currency {
    type Error = String;

    fn try_from(code: &str) -> Result<Self, String> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(format!("{code:?} is not an ISO 4217 code")),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'b, C> Decode<'b, C> for Currency {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let letters = <[u8; 3]>::decode(d, ctx)?;
        let code = std::str::from_utf8(&letters).map_err(minicbor::decode::Error::custom)?;
        Self::try_from(code).map_err(minicbor::decode::Error::message)
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::try_from(code.as_str()).map_err(serde::de::Error::custom)
    }
}

/// A rate in hundredths of a percent, 1..=10 000: 300 is 3 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Encode)]
#[cbor(transparent)]
pub struct BasisPoints(#[n(0)] u16);

impl BasisPoints {
    /// The lowest rate, 0.01 %.
    pub const MIN: u16 = 1;
    /// The highest rate, 100 %.
    pub const MAX: u16 = 10_000;
    /// The lowest rate, as one.
    pub const LEAST: Self = Self(Self::MIN);

    /// `bp` hundredths of a percent.
    ///
    /// # Errors
    /// [`OutOfRange`] outside 1..=10 000.
    pub const fn new(bp: u16) -> Result<Self, OutOfRange> {
        if bp < Self::MIN || bp > Self::MAX {
            return Err(OutOfRange { value: bp as i64, min: Self::MIN as i64, max: Self::MAX as i64 });
        }
        Ok(Self(bp))
    }

    /// Hundredths of a percent.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl<'b, C> Decode<'b, C> for BasisPoints {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::new(d.u16()?).map_err(minicbor::decode::Error::custom)
    }
}

impl<'de> Deserialize<'de> for BasisPoints {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What `paid` earns: ⌊paid × rate ÷ 10 000 ÷ `unit_value`⌋; nothing for nothing. (rules.md "Quantities")
///
/// `unit_value` must be positive, as [`crate::terms::Terms::check`] makes sure.
pub fn earned(paid: Money, rate: BasisPoints, unit_value: Money) -> Units {
    if paid.0 <= 0 || unit_value.0 <= 0 {
        return Units::ZERO;
    }
    let units = i128::from(paid.0) * i128::from(rate.get()) / (10_000 * i128::from(unit_value.0));
    // A rate of at most 100 % and a unit of at least one keep it within `paid`.
    Units(i64::try_from(units).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bp(rate: u16) -> BasisPoints {
        BasisPoints::new(rate).unwrap()
    }

    #[test]
    fn edge_17_rounding_at_one_won_one_bp_and_the_whole() {
        assert_eq!(earned(Money(1), bp(1), Money(1)).get(), 0);
        assert_eq!(earned(Money(9_999), bp(1), Money(1)).get(), 0);
        assert_eq!(earned(Money(10_000), bp(1), Money(1)).get(), 1);
        assert_eq!(earned(Money(1), bp(10_000), Money(1)).get(), 1);
        assert_eq!(earned(Money(4_999), bp(300), Money(1)).get(), 149);
    }

    #[test]
    fn edge_17_items_may_earn_less_than_their_sum() {
        let items = [Money(333), Money(333), Money(334)];
        let apart: Units = items.iter().map(|item| earned(*item, bp(300), Money(1))).sum();
        assert_eq!((apart.get(), earned(Money(1_000), bp(300), Money(1)).get()), (28, 30));
    }

    #[test]
    fn edge_31_the_largest_amount_does_not_overflow() {
        assert_eq!(earned(Money(i64::MAX), bp(10_000), Money(1)).get(), i64::MAX);
        assert_eq!(Units(i64::MAX).checked_add(Units(1)), None);
        assert_eq!(Units(i64::MAX).value(Money(2)), None);
    }

    #[test]
    fn units_are_never_negative() {
        assert!(Units::new(-1).is_err());
        assert_eq!(Units(3).checked_sub(Units(4)), None);
        assert!(minicbor::decode::<Units>(&minicbor::to_vec(-5i64).unwrap()).is_err());
        assert!(minicbor::decode::<BasisPoints>(&minicbor::to_vec(0u16).unwrap()).is_err());
        assert!(minicbor::decode::<BasisPoints>(&minicbor::to_vec(10_001u16).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn earning_is_the_exact_floor(paid in 0..=MAX_AMOUNT.0, rate in 1u16..=10_000, value in 1i64..=100_000) {
            let units = i128::from(earned(Money(paid), bp(rate), Money(value)).get());
            let numerator = i128::from(paid) * i128::from(rate);
            let denominator = 10_000 * i128::from(value);
            prop_assert!(units * denominator <= numerator);
            prop_assert!((units + 1) * denominator > numerator);
        }
    }
}
