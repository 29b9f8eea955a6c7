//! What a poster says beside the name and the code.

use crate::Lang;

/// A text of a poster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PosterText {
    /// What to do with the code of a shop.
    CollectHere,
    /// What to do with the code of a group.
    CollectTogether,
    /// For who cannot scan: stands before the address.
    OrOpen,
}

impl PosterText {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CollectHere, Self::CollectTogether, Self::OrOpen];
}

/// A text of a poster: one line, no sentence.
pub fn poster(lang: Lang, what: PosterText) -> String {
    match what {
        PosterText::CollectHere => {
            text!(lang, "코드를 읽고 여기서 모아 이웃에서 쓰기", "Scan: collect here, spend next door",)
        }
        PosterText::CollectTogether => text!(
            lang,
            "코드를 읽고 함께하는 가게에서 모으고 쓰기",
            "Scan: collect and spend at every member",
        ),
        PosterText::OrOpen => text!(lang, "또는 주소로 열기", "Or open"),
    }
}
