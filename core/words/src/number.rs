//! Counts, money and rates as people write them.

use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::terms::{Kind, Unit};

use crate::Lang;

/// So much of one kind of mileage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mileage {
    /// How much.
    pub units: Units,
    /// Of what.
    pub kind: Kind,
}

impl Mileage {
    /// So many points.
    pub fn points(units: Units) -> Self {
        Self { units, kind: Kind::Point }
    }

    /// So much of a unit; none is points.
    pub fn of(units: Units, unit: Option<Unit>) -> Self {
        Self { units, kind: Unit::kind(unit) }
    }

    /// Whether it is nothing.
    pub fn is_none(self) -> bool {
        self.units.is_zero()
    }
}

/// A whole number with commas between thousands: `10,000`. The same in both languages.
pub fn count(number: impl Into<i128>) -> String {
    let number = number.into();
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(number.unsigned_abs()))
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 sale`, `3 sales`. English only; Korean has no plural.
pub(crate) fn plural(number: impl Into<i128>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// Mileage in points: `135점`, `135 points`.
pub fn units(lang: Lang, units: Units) -> String {
    mileage(lang, Mileage::points(units))
}

/// Mileage of any kind: `135점`, `135 points`; `스탬프 7개`, `7 stamps`; `쿠폰 2장`, `2 coupons`; reserve as the won that it is.
pub fn mileage(lang: Lang, mileage: Mileage) -> String {
    let Mileage { units, kind } = mileage;
    let number = count(units.get());
    match (kind, lang) {
        (Kind::Point, Lang::Ko) => format!("{number}점"),
        (Kind::Point, Lang::En) => plural(units.get(), "point", "points"),
        (Kind::Stamp, Lang::Ko) => format!("스탬프 {number}개"),
        (Kind::Stamp, Lang::En) => plural(units.get(), "stamp", "stamps"),
        (Kind::Coupon, Lang::Ko) => format!("쿠폰 {number}장"),
        (Kind::Coupon, Lang::En) => plural(units.get(), "coupon", "coupons"),
        (Kind::Reserve, _) => money(lang, Money(units.get()), Currency::KRW),
    }
}

/// The same where it was just said of what: the number, with the counter that Korean wants behind it.
pub(crate) fn again(lang: Lang, mileage: Mileage) -> String {
    let number = count(mileage.units.get());
    match (mileage.kind, lang) {
        (Kind::Stamp, Lang::Ko) => format!("{number}개"),
        (Kind::Coupon, Lang::Ko) => format!("{number}장"),
        (Kind::Reserve, _) | (Kind::Point, Lang::Ko) => self::mileage(lang, mileage),
        (_, Lang::En) => number,
    }
}

/// Units whose kind is not known where they are said, or is: then they are named.
pub(crate) fn counted(lang: Lang, units: Units, kind: Option<Kind>) -> String {
    kind.map_or_else(|| count(units.get()), |kind| mileage(lang, Mileage { units, kind }))
}

/// As [`counted`], where it was just said of what.
pub(crate) fn counted_again(lang: Lang, units: Units, kind: Option<Kind>) -> String {
    kind.map_or_else(|| count(units.get()), |kind| again(lang, Mileage { units, kind }))
}

/// Money of any currency: `4,500원`, `₩4,500`; `$12.50`; `CHF 1,234.50`.
pub fn money(lang: Lang, money: Money, currency: Currency) -> String {
    let sign = if money.0 < 0 { "-" } else { "" };
    let amount = decimal(money.0.unsigned_abs().into(), decimals(currency));
    match (lang, currency.as_str()) {
        (Lang::Ko, "KRW") => format!("{sign}{amount}원"),
        (Lang::Ko, "USD") => format!("{sign}{amount}달러"),
        (Lang::Ko, "JPY") => format!("{sign}{amount}엔"),
        (Lang::En, "KRW") => format!("{sign}₩{amount}"),
        (Lang::En, "USD") => format!("{sign}${amount}"),
        (Lang::En, "JPY") => format!("{sign}¥{amount}"),
        (_, code) => format!("{code} {sign}{amount}"),
    }
}

/// How many decimals a currency's minor unit has (ISO 4217, list one of 2026).
pub fn decimals(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

fn decimal(minor: u128, decimals: u32) -> String {
    let one = 10u128.pow(decimals);
    match decimals {
        0 => grouped(minor),
        _ => format!("{}.{:0width$}", grouped(minor / one), minor % one, width = decimals as usize),
    }
}

/// A rate: `3%`, `2.5%`, `0.01%`. The same in both languages.
pub fn rate(rate: BasisPoints) -> String {
    let (whole, part) = (rate.get() / 100, rate.get() % 100);
    match part {
        0 => format!("{whole}%"),
        _ if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        _ => format!("{whole}.{part:02}%"),
    }
}

/// So many bytes in whole kilobytes of 1 024, rounded down: `640 KB`. The same in both languages.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{} KB", count(bytes / 1_024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        for (amount, code, ko, en) in [
            (4_500, "KRW", "4,500원", "₩4,500"),
            (-4_500, "KRW", "-4,500원", "-₩4,500"),
            (0, "KRW", "0원", "₩0"),
            (1_205, "USD", "12.05달러", "$12.05"),
            (1_200, "JPY", "1,200엔", "¥1,200"),
            (123_450, "CHF", "CHF 1,234.50", "CHF 1,234.50"),
            (-5, "EUR", "EUR -0.05", "EUR -0.05"),
            (1_234_567, "KWD", "KWD 1,234.567", "KWD 1,234.567"),
            (1_234_567, "VND", "VND 1,234,567", "VND 1,234,567"),
        ] {
            let currency = Currency::try_from(code).unwrap();
            let texts = Lang::ALL.map(|lang| money(lang, Money(amount), currency));
            assert_eq!(texts, [ko, en]);
        }
    }

    #[test]
    fn one_is_singular_in_english() {
        let of = |lang, count| units(lang, Units::new(count).unwrap());
        assert_eq!(
            [0, 1, 2, 1_000].map(|n| of(Lang::En, n)),
            ["0 points", "1 point", "2 points", "1,000 points"]
        );
        assert_eq!([0, 1, 10_000].map(|n| of(Lang::Ko, n)), ["0점", "1점", "10,000점"]);
    }

    #[test]
    fn rates_drop_their_trailing_zeros() {
        let of = |bp| rate(BasisPoints::new(bp).unwrap());
        assert_eq!([300, 250, 1, 10, 205, 10_000].map(of), ["3%", "2.5%", "0.01%", "0.1%", "2.05%", "100%"]);
    }

    #[test]
    fn the_ends_of_the_range_are_written_in_full() {
        assert_eq!(count(i64::MIN), "-9,223,372,036,854,775,808");
        assert_eq!(money(Lang::En, Money(i64::MIN), Currency::KRW), "-₩9,223,372,036,854,775,808");
    }

    proptest! {
        #[test]
        fn a_count_without_its_commas_is_the_number(number in any::<i64>()) {
            let text = count(number);
            prop_assert_eq!(text.replace(',', "").parse(), Ok(number));
            for group in text.trim_start_matches('-').split(',').skip(1) {
                prop_assert_eq!(group.len(), 3);
            }
        }
    }
}
