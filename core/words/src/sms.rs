//! Text messages: one segment each, since every further one is paid for and may come late.

use crate::Lang;

/// The message with the code of an enrolment, six digits.
///
/// Phones offer to fill the code in: it stands alone, and the message says what it is.
pub fn enrolment_sms(lang: Lang, code: &str) -> String {
    text!(
        lang,
        "[모아] 인증번호는 {code}번이에요. 다른 사람에게 알려 주지 마세요.",
        "[Moa] Your code is {code}. Do not share it with anyone.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The basic table of GSM 03.38, as far as ASCII goes.
    fn is_gsm7(letter: char) -> bool {
        letter.is_ascii_alphanumeric() || " !\"#%&'()*+,-./:;<=>?@$_\n".contains(letter)
    }

    #[test]
    fn the_korean_message_is_one_segment() {
        let text = enrolment_sms(Lang::Ko, "123456");
        assert!(text.encode_utf16().count() <= 70, "{text}");
        // Domestic carriers count bytes of EUC-KR: two a syllable, 90 at most, 80 on old networks.
        let bytes: usize = text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum();
        assert!(bytes <= 80, "{bytes} bytes");
        assert!(text.contains("123456"));
    }

    #[test]
    fn the_english_message_is_one_segment_of_gsm_7() {
        let text = enrolment_sms(Lang::En, "123456");
        // Brackets take two septets each.
        let septets: usize = text.chars().map(|letter| if "[]".contains(letter) { 2 } else { 1 }).sum();
        assert!(septets <= 160, "{septets} septets");
        assert!(text.chars().all(|letter| is_gsm7(letter) || "[]".contains(letter)), "{text}");
        assert!(text.contains("123456"));
    }
}
