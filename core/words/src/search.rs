//! What is said of what was found: how far, and why it is shown.

use crate::Lang;
use crate::number;

/// Why shops are shown to someone who invites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuggestedText {
    /// They are in the same building.
    Building,
    /// They are in the same district.
    Area,
    /// They are of the same trade, and near.
    TradeNear,
    /// They are of the same trade, anywhere.
    Trade,
}

/// A title over shops that may be worth inviting.
pub fn suggested(lang: Lang, why: SuggestedText) -> String {
    match why {
        SuggestedText::Building => text!(lang, "같은 건물 가게", "In your building"),
        SuggestedText::Area => text!(lang, "같은 동네 가게", "In your neighbourhood"),
        SuggestedText::TradeNear => text!(lang, "가까운 같은 업종 가게", "Your trade, nearby"),
        SuggestedText::Trade => text!(lang, "전국의 같은 업종 가게", "Your trade, across the country"),
    }
}

/// How far away something is: metres up to a kilometre, to the ten; then kilometres, to the tenth up to ten.
pub fn distance(lang: Lang, metres: u32) -> String {
    match metres {
        0..995 => {
            let tens = (metres + 5) / 10 * 10;
            text!(lang, "{tens}미터", "{tens} m")
        }
        995..9_950 => {
            let (whole, tenths) = ((metres + 50) / 1_000, (metres + 50) / 100 % 10);
            text!(lang, "{whole}.{tenths}킬로미터", "{whole}.{tenths} km")
        }
        _ => {
            let whole = number::count(i64::from((metres + 500) / 1_000));
            text!(lang, "{whole}킬로미터", "{whole} km")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_as_finely_as_anyone_wants_to_know() {
        for (metres, en) in [
            (0, "0 m"),
            (4, "0 m"),
            (347, "350 m"),
            (994, "990 m"),
            (995, "1.0 km"),
            (1_250, "1.3 km"),
            (9_949, "9.9 km"),
            (9_950, "10 km"),
            (325_400, "325 km"),
            (12_000_000, "12,000 km"),
        ] {
            assert_eq!(distance(Lang::En, metres), en);
        }
        assert_eq!(distance(Lang::Ko, 1_250), "1.3킬로미터");
    }
}
