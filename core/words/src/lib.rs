//! All texts shown to people, in Korean and English; money, dates, Korean particles.
//!
//! One function a subject, one arm a text, both languages side by side: a text that is missing in one does not
//! compile. Texts say what was asked, what stands in the way with the figures, and what to do. Korean is 해요체
//! throughout. No logic: who calls has decided what happened. `tests/texts.txt` has every text to be read in one go.

/// The text in `lang`: Korean first, then English, each a format string.
macro_rules! text {
    ($lang:expr, $ko:literal, $en:literal $(,)?) => {
        match $lang {
            $crate::Lang::Ko => format!($ko),
            $crate::Lang::En => format!($en),
        }
    };
}

mod access;
pub mod choice;
mod code;
pub mod group;
mod history;
pub mod html;
mod industry;
pub mod invitation;
mod invited;
mod joining;
mod label;
mod lang;
mod ledger;
pub mod marketing;
pub mod number;
mod opening;
mod page;
pub mod particle;
mod phone;
mod plan;
mod poster;
mod problem;
mod refusal;
mod sale;
mod screen;
mod search;
mod shop;
mod sign_in;
mod sms;
pub mod suggestion;
#[cfg(test)]
mod tests;
pub mod when;

pub use code::{not_a_contact, not_ours};
pub use history::{HistoryText, history};
pub use industry::{industry, industry_words};
pub use invited::{InvitationText, invited, votes};
pub use label::{Label, label};
pub use lang::Lang;
pub use number::Mileage;
pub use opening::{OpeningText, RowText, opening, opening_row};
pub use page::{PageText, among_members, page};
pub use phone::{PhoneText, phone};
pub use plan::{PlanText, plan};
pub use poster::{PosterText, poster};
pub use problem::{ProblemText, problem};
pub use refusal::{refusal, refusal_in};
pub use sale::{SaleText, sale};
pub use screen::{Line, Reason, Unsent, line, reason};
pub use search::{SuggestedText, distance, suggested};
pub use shop::{ShopText, shop};
pub use sign_in::{SignInText, sign_in};
pub use sms::enrolment_sms;
