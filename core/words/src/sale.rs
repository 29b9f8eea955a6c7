//! Where a sale of the shop stands, in a few words beside its amount.

use moa_rules::time::{Timestamp, Zone};

use crate::Lang;
use crate::number::{self, Mileage};
use crate::when;

/// Where a sale stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaleText<'a> {
    /// Only the shop's phone knows of it.
    Unsent,
    /// The server has it, and nobody has claimed it.
    Recorded,
    /// A buyer turned it into mileage.
    Collected {
        /// How much.
        units: Mileage,
    },
    /// Its buyer is to choose the group.
    Waiting {
        /// The last instant at which that can be.
        until: Timestamp,
        /// The zone in which it is shown.
        zone: &'a Zone,
    },
    /// Its buyer did not choose in time.
    Lapsed,
    /// The shop said that it was a mistake.
    Voided,
    /// The server refused it.
    Refused,
}

/// Where a sale stands, in a few words.
pub fn sale(lang: Lang, sale: &SaleText) -> String {
    match *sale {
        SaleText::Unsent => text!(lang, "전송 대기", "Waiting to be sent"),
        SaleText::Recorded => text!(lang, "적립 전", "Not collected yet"),
        SaleText::Collected { units } => {
            let units = number::mileage(lang, units);
            text!(lang, "{units} 적립", "{units} collected")
        }
        SaleText::Waiting { until, zone } => {
            let until = when::moment(lang, until, zone);
            text!(lang, "손님이 고르는 중, {until}까지", "The customer chooses until {until}")
        }
        SaleText::Lapsed => text!(lang, "기한이 지나 적립 안 됨", "Not collected in time"),
        SaleText::Voided => text!(lang, "취소한 판매", "Cancelled"),
        SaleText::Refused => text!(lang, "거절된 판매", "Refused"),
    }
}
