//! What is said of a purchase that a buyer plans. Sentences.

use moa_rules::time::Day;

use crate::Lang;
use crate::number::{count, plural};
use crate::when;

/// What is said of plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanText {
    /// Nobody else is told of them.
    StaysHere,
    /// Refused: there are as many as are kept.
    TooMany {
        /// How many that is.
        most: u32,
    },
    /// Refused: the day is over, or too far ahead.
    BadDay {
        /// The first day that can be planned for.
        first: Day,
        /// The last.
        last: Day,
    },
    /// Refused: the phone does not know the shop.
    UnknownShop,
}

/// The words.
pub fn plan(lang: Lang, what: PlanText) -> String {
    match what {
        PlanText::StaysHere => text!(
            lang,
            "살 계획은 이 휴대폰에만 남고 아무에게도 보내지 않아요. 적립할 곳을 고를 때만 써요.",
            "Your plans stay on this phone and are sent to nobody. They only help to choose where to collect.",
        ),
        PlanText::TooMany { most } => {
            let (ko, en) = (count(most), plural(most, "plan", "plans"));
            text!(
                lang,
                "살 계획은 {ko}개까지 적을 수 있어요. 필요 없는 것을 지우고 다시 적어 주세요.",
                "There is room for {en}. Forget one and try again.",
            )
        }
        PlanText::BadDay { first, last } => {
            let [first, last] = [first, last].map(|day| when::date(lang, day));
            text!(
                lang,
                "{first}부터 {last}까지 정할 수 있어요. 날을 다시 골라 주세요.",
                "The day can be from {first} to {last}. Choose again.",
            )
        }
        PlanText::UnknownShop => text!(
            lang,
            "이 휴대폰이 아직 모르는 가게예요. 연결해서 가게를 찾은 뒤에 다시 적어 주세요.",
            "This phone does not know that shop yet. Connect, find the shop, and note it again.",
        ),
    }
}
