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

mod lang;
pub mod number;
mod problem;
mod sms;
pub mod when;

pub use lang::Lang;
pub use problem::{ProblemText, problem};
pub use sms::enrolment_sms;
