//! What happened to a wallet beside earning, using and expiring, which are [`Line`](crate::Line)s. Fragments, not sentences:
//! no full stop.

use moa_rules::adjustment::Reason;
use moa_rules::time::Day;

use crate::Lang;
use crate::number::{self, Mileage};
use crate::particle::{Particle, with};
use crate::when;

/// A row of a wallet's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryText<'a> {
    /// Mileage that was used came back.
    Reversed {
        /// The shop's name.
        shop: &'a str,
        /// How much.
        units: Mileage,
    },
    /// A purchase was refunded, and what it earned taken back.
    ClawedBack {
        /// The shop's name.
        shop: &'a str,
        /// How much was taken.
        units: Mileage,
        /// How much was not there.
        debt: Mileage,
    },
    /// What was earned paid what a refund had left.
    DebtPaid {
        /// The shop's name that it was owed to.
        shop: &'a str,
        /// How much.
        units: Mileage,
    },
    /// A shop gave mileage.
    Granted {
        /// The shop's name.
        shop: &'a str,
        /// How much.
        units: Mileage,
        /// Why.
        reason: Reason,
        /// The last day on which it can be used.
        last_day: Day,
    },
    /// A shop took away mileage that it had given.
    TakenAway {
        /// The shop's name.
        shop: &'a str,
        /// How much.
        units: Mileage,
        /// Why.
        reason: Reason,
    },
}

/// The row's words.
pub fn history(lang: Lang, row: &HistoryText) -> String {
    let words = |mileage: Mileage| number::mileage(lang, mileage);
    match *row {
        HistoryText::Reversed { shop, units } => {
            let units = words(units);
            text!(lang, "{shop}에서 쓴 {units} 돌려받음", "{units} used at {shop} came back")
        }
        HistoryText::ClawedBack { shop, units, debt } if debt.is_none() => {
            let units = words(units);
            text!(lang, "{shop} 환불로 {units} 회수", "{units} taken back after a refund at {shop}")
        }
        HistoryText::ClawedBack { shop, units, debt } if units.is_none() => {
            let debt = words(debt);
            text!(
                lang,
                "{shop} 환불로 갚을 {debt}, 다음 적립에서 갚음",
                "{debt} owed after a refund at {shop}, paid by what you earn next",
            )
        }
        HistoryText::ClawedBack { shop, units, debt } => {
            let (units, debt) = (words(units), number::again(lang, debt));
            let topic = with(&debt, Particle::Topic);
            text!(
                lang,
                "{shop} 환불로 {units} 회수, {topic} 다음 적립에서",
                "{units} taken back after a refund at {shop}, {debt} to be paid by what you earn next",
            )
        }
        HistoryText::DebtPaid { shop, units } => {
            let units = words(units);
            text!(
                lang,
                "{shop} 환불로 모자랐던 {units} 갚음",
                "{units} paid what a refund at {shop} had left"
            )
        }
        HistoryText::Granted { shop, units, reason, last_day } => {
            let (units, why, until) = (words(units), self::reason(lang, reason), when::until(lang, last_day));
            text!(
                lang,
                "{shop}에서 {units} 받음({why}), {until} 사용",
                "{units} from {shop} ({why}), usable {until}"
            )
        }
        HistoryText::TakenAway { shop, units, reason } => {
            let (units, why) = (words(units), self::reason(lang, reason));
            let object = with(&units, Particle::Object);
            text!(lang, "{shop}에서 {object} 거둠({why})", "{units} taken away by {shop} ({why})")
        }
    }
}

/// Why a shop gave or took away, in a word.
pub(crate) fn reason(lang: Lang, reason: Reason) -> String {
    match reason {
        Reason::OpeningBalance => text!(lang, "예전 잔액", "earlier balance"),
        Reason::Goodwill => text!(lang, "선물", "a present"),
        Reason::Correction => text!(lang, "정정", "a correction"),
        Reason::Misuse => text!(lang, "부정 사용", "misuse"),
        Reason::Other => text!(lang, "기타", "other"),
    }
}
