//! The two languages, and which of them a caller wants.

use std::fmt;
use std::str::FromStr;

/// A language that Moa speaks. Korean unless someone asks for English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// Korean.
    #[default]
    Ko,
    /// English.
    En,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The tag of BCP 47, as in `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }

    /// The language of ours that an `Accept-Language` header (RFC 9110) likes best; the first among equals; Korean
    /// if it names neither.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best = (0, Self::default());
        for range in header.split(',') {
            let (tag, weight) = match range.split_once(';') {
                Some((tag, weight)) => (tag, thousandths(weight)),
                None => (range, 1_000),
            };
            if let Ok(lang) = tag.parse()
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }
}

/// The weight `q=0.8` as 800; zero, so never taken, if it is not a weight.
fn thousandths(weight: &str) -> u16 {
    let Some(value) = weight.trim().strip_prefix("q=").or_else(|| weight.trim().strip_prefix("Q=")) else {
        return 0;
    };
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1_000,
        "0" => format!("{decimals:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

impl FromStr for Lang {
    type Err = String;

    /// Reads a tag such as `ko`, `ko-KR` or `en_US`.
    fn from_str(tag: &str) -> Result<Self, String> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or("");
        Self::ALL
            .into_iter()
            .find(|lang| primary.eq_ignore_ascii_case(lang.tag()))
            .ok_or_else(|| format!("{tag:?} is neither ko nor en"))
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_of_either_language_are_read() {
        for (tag, lang) in [("ko", Lang::Ko), ("ko-KR", Lang::Ko), ("EN", Lang::En), (" en_US ", Lang::En)] {
            assert_eq!(tag.parse(), Ok(lang), "{tag}");
        }
        for tag in ["", "fr", "kok", "english", "*"] {
            assert!(tag.parse::<Lang>().is_err(), "{tag}");
        }
    }

    #[test]
    fn the_header_s_favourite_wins() {
        for (header, lang) in [
            ("", Lang::Ko),
            ("*", Lang::Ko),
            ("fr-FR, de;q=0.9", Lang::Ko),
            ("en", Lang::En),
            ("en-GB,en;q=0.9,ko;q=0.8", Lang::En),
            ("fr, ko;q=0.7, en;q=0.75", Lang::En),
            ("en;q=0, ko;q=0.1", Lang::Ko),
            ("en;q=0", Lang::Ko),
            ("ko, en", Lang::Ko),
            ("en, ko", Lang::En),
            ("en;q=2, ko;q=0.001", Lang::Ko),
        ] {
            assert_eq!(Lang::from_accept_language(header), lang, "{header}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(header in ".{0,200}", weight in "[0-9.]{0,8}") {
            Lang::from_accept_language(&header);
            Lang::from_accept_language(&format!("en;q={weight}"));
        }
    }
}
