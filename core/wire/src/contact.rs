//! Whom an invitation is for, as picked from the address book or typed: a phone number in E.164, or an e-mail address.
//!
//! The phone does without the world's numbering plans: a library that has them would take its 4.5 MB beyond the 5 MB that
//! a phone may download, and most contacts are Korean or name their country. The server, which has them, reads again what
//! comes (`rlibphonenumber`), and decides.

use std::fmt;

/// The most bytes of a contact that are looked at.
pub const MAX_CONTACT: usize = 320;

/// Digits of a number in E.164, the country's code among them (ITU-T E.164, 6.2.1).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// The longest e-mail address, and the longest part before its `@` (RFC 5321, 4.5.3.1).
const MAX_EMAIL: (usize, usize) = (254, 64);

/// Someone to be invited.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contact {
    /// In E.164, such as `+821012345678`.
    Number(String),
    /// With its host in lower case.
    Email(String),
}

/// Why a text is no contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAContact {
    /// Nothing at all.
    #[error("empty")]
    Empty,
    /// No phone number that a person can have, as far as that can be told without the world's numbering plans.
    #[error("not a phone number")]
    Number,
    /// Meant as an e-mail address, and none.
    #[error("not an e-mail address")]
    Email,
}

impl NotAContact {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Empty, Self::Number, Self::Email];

    /// The stable `snake_case` word for the reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "contact_empty",
            Self::Number => "contact_not_a_number",
            Self::Email => "contact_not_an_email",
        }
    }
}

impl Contact {
    /// Reads a contact as it was picked or typed; a number that names no country is Korean.
    ///
    /// # Errors
    /// [`NotAContact`].
    pub fn read(typed: &str) -> Result<Self, NotAContact> {
        // Address books put marks of direction around numbers.
        let shown = |letter: char| !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let text: String = typed.chars().take(MAX_CONTACT + 1).filter(|letter| shown(*letter)).collect();
        let text = text.trim();
        if text.is_empty() {
            return Err(NotAContact::Empty);
        }
        if text.contains('@') {
            return email(text).map(Self::Email).ok_or(NotAContact::Email);
        }
        number(text).map(Self::Number).ok_or(NotAContact::Number)
    }

    /// The number or the address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Number(text) | Self::Email(text) => text,
        }
    }
}

/// Keeps people out of logs.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(…)",
            Self::Email(_) => "Email(…)",
        })
    }
}

fn number(text: &str) -> Option<String> {
    let (abroad, rest) = match text.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let between =
        |letter: char| letter.is_whitespace() || matches!(letter, '-' | '.' | '(' | ')' | '/' | '‐'..='―');
    if !rest.chars().all(|letter| letter.is_ascii_digit() || between(letter)) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    match (abroad, digits.strip_prefix("82")) {
        // Written with the zero that is only dialled at home, too: +82 (0)10 1234 5678.
        (true, Some(rest)) => korean(rest.strip_prefix('0').unwrap_or(rest)),
        (true, None) if DIGITS.contains(&digits.len()) && !digits.starts_with('0') => {
            Some(format!("+{digits}"))
        }
        (true, None) => None,
        (false, _) => korean(digits.strip_prefix('0')?),
    }
}

/// Of the digits behind the leading zero, which say how many there are. Those that begin with a zero again are dialled
/// through a carrier, to abroad.
fn korean(digits: &str) -> Option<String> {
    let lengths = match digits.as_bytes() {
        [b'0', ..] => return None,
        [b'1', b'0', ..] => 10..=10,
        [b'2', ..] => 8..=9,
        [b'5', b'0', ..] => 10..=11,
        _ => 9..=10,
    };
    lengths.contains(&digits.len()).then(|| format!("+82{digits}"))
}

fn email(text: &str) -> Option<String> {
    let (name, host) = text.split_once('@')?;
    let named = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    let good_name = !name.is_empty()
        && name.chars().all(named)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..");
    let good_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let good_host = host.split('.').count() >= 2 && host.split('.').all(good_label);
    // A host whose last label is a number is an address, and no name.
    let top =
        host.rsplit('.').next().is_some_and(|top| top.chars().any(|letter| letter.is_ascii_alphabetic()));
    let (most, most_name) = MAX_EMAIL;
    let good = good_name && good_host && top && text.len() <= most && name.len() <= most_name;
    good.then(|| format!("{name}@{}", host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_number_written_in_many_ways_is_one_number() {
        for typed in [
            "01012345678",
            "010-1234-5678",
            " 010 1234 5678 ",
            "010.1234.5678",
            "010–1234–5678",
            "(010) 1234\u{a0}5678",
            "+82 10-1234-5678",
            "+82 (0)10 1234 5678",
            "\u{202a}+82 10-1234-5678\u{202c}",
        ] {
            assert_eq!(Contact::read(typed), Ok(Contact::Number("+821012345678".into())), "{typed}");
        }
        for (typed, number) in [
            ("02-123-4567", "+8221234567"),
            ("031-123-4567", "+82311234567"),
            ("0505-1234-5678", "+8250512345678"),
            ("02-1234-5678", "+82212345678"),
            ("+1 650-253-0000", "+16502530000"),
            ("+44 20 7946 0958", "+442079460958"),
        ] {
            assert_eq!(Contact::read(typed).unwrap().as_str(), number, "{typed}");
        }
    }

    #[test]
    fn what_no_person_answers_to_is_no_number() {
        for typed in [
            "010",
            "112",
            "1588-1234",
            "hello",
            "행복카페",
            "010_1234_5678",
            "010-1234-56789",
            "001-1-650-253-0000",
            "+0 123 456 789",
            "++82 10 1234 5678",
            "+1234567",
            "+1234567890123456",
            "０１０１２３４５６７８",
        ] {
            assert_eq!(Contact::read(typed), Err(NotAContact::Number), "{typed}");
        }
        for nothing in ["", " ", "\u{202a}\u{202c}"] {
            assert_eq!(Contact::read(nothing), Err(NotAContact::Empty), "{nothing:?}");
        }
    }

    #[test]
    fn addresses_as_people_have_them_are_taken() {
        for (typed, address) in [
            ("hello@cafe.example", "hello@cafe.example"),
            (" Owner.Of+Shop@Mail.Cafe.EXAMPLE ", "Owner.Of+Shop@mail.cafe.example"),
            ("o'hara@xn--bj0bj06e.example", "o'hara@xn--bj0bj06e.example"),
        ] {
            assert_eq!(Contact::read(typed), Ok(Contact::Email(address.into())), "{typed}");
        }
    }

    #[test]
    fn what_no_mail_reaches_is_no_address() {
        let long = |name: usize, label: usize| format!("{}@{}.example", "a".repeat(name), "b".repeat(label));
        assert!(Contact::read(&long(64, 63)).is_ok());
        for typed in [
            "@".to_owned(),
            "a@b".to_owned(),
            "@cafe.example".to_owned(),
            "a@@cafe.example".to_owned(),
            "a@b@cafe.example".to_owned(),
            "a b@cafe.example".to_owned(),
            ".a@cafe.example".to_owned(),
            "a..b@cafe.example".to_owned(),
            "a@-cafe.example".to_owned(),
            "a@cafe..example".to_owned(),
            "a@127.0.0.1".to_owned(),
            "a@cafe.example\r\nBcc: b@cafe.example".to_owned(),
            "카페@cafe.example".to_owned(),
            "a@카페.example".to_owned(),
            long(65, 3),
            long(3, 64),
            format!("{}@{}", "a".repeat(64), ["b".repeat(60).as_str(); 4].join(".")),
        ] {
            assert_eq!(Contact::read(&typed), Err(NotAContact::Email), "{typed}");
        }
    }

    #[test]
    fn a_contact_does_not_show_in_logs() {
        let [number, email] = ["01012345678", "a@cafe.example"].map(|typed| Contact::read(typed).unwrap());
        assert_eq!(format!("{number:?} {email:?}"), "Number(…) Email(…)");
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic_and_what_is_read_reads_again(text in ".{0,400}", digits in "[+0-9 ()-]{0,24}") {
            for text in [text, digits] {
                if let Ok(contact) = Contact::read(&text) {
                    prop_assert_eq!(Contact::read(contact.as_str()), Ok(contact));
                }
            }
        }
    }
}
