//! Korean particles, which follow the sound of the word before them: 카페는, 상점은.
//!
//! Names come from people, so the word may end in a digit, a Latin letter, a bracket or a quote. A closing quote is
//! passed over; a remark in brackets does not count, the word before it does (National Institute of Korean
//! Language, on 한글 맞춤법). Where nobody can tell how a word sounds, both forms are written: 은(는).

/// A particle with two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Particle {
    /// 은/는, what is spoken of.
    Topic,
    /// 이/가, who does.
    Subject,
    /// 을/를, what it is done to.
    Object,
    /// 과/와, together with.
    With,
    /// 으로/로, toward, by means of. Also 로 after ㄹ.
    Toward,
    /// 이라/라, is.
    Being,
    /// 이에요/예요, is, at the end of a sentence.
    Is,
}

/// How a word ends, as far as a particle hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sound {
    Vowel,
    Rieul,
    Consonant,
    Unknown,
}

impl Particle {
    /// The form that follows `word`.
    pub fn after(self, word: &str) -> &'static str {
        let (consonant, vowel, both) = match self {
            Self::Topic => ("은", "는", "은(는)"),
            Self::Subject => ("이", "가", "이(가)"),
            Self::Object => ("을", "를", "을(를)"),
            Self::With => ("과", "와", "과(와)"),
            Self::Toward => ("으로", "로", "(으)로"),
            Self::Being => ("이라", "라", "(이)라"),
            Self::Is => ("이에요", "예요", "이에요(예요)"),
        };
        match sound(word) {
            Sound::Vowel => vowel,
            Sound::Rieul if self == Self::Toward => vowel,
            Sound::Rieul | Sound::Consonant => consonant,
            Sound::Unknown => both,
        }
    }
}

/// `word` with the particle behind it.
pub fn with(word: &str, particle: Particle) -> String {
    format!("{word}{}", particle.after(word))
}

fn sound(word: &str) -> Sound {
    let heard = heard(word);
    match heard.chars().next_back() {
        Some(last @ '가'..='힣') => of_syllable(last),
        Some(last @ 'ㄱ'..='ㅎ') => {
            if last == 'ㄹ' {
                Sound::Rieul
            } else {
                Sound::Consonant
            }
        }
        Some('ㅏ'..='ㅣ' | '%' | '℃') => Sound::Vowel,
        Some('0'..='9') => of_number(heard),
        Some('a'..='z' | 'A'..='Z') => of_latin(heard),
        _ => Sound::Unknown,
    }
}

/// The part of a word that is spoken last: without closing marks and without a remark in brackets behind it.
fn heard(word: &str) -> &str {
    const BRACKETS: [(char, char); 5] = [('(', ')'), ('[', ']'), ('（', '）'), ('{', '}'), ('〔', '〕')];
    let mut heard = word;
    loop {
        let Some(last) = heard.chars().next_back() else { return heard };
        if let Some((open, close)) = BRACKETS.into_iter().find(|(_, close)| *close == last) {
            let before = heard.rfind(open).map(|at| heard[..at].trim_end());
            heard = match before {
                Some(before) if before.chars().any(char::is_alphanumeric) => before,
                _ => heard.trim_end_matches(close),
            };
        } else if last.is_alphanumeric() || last == '%' || last == '℃' {
            return heard;
        } else {
            heard = &heard[..heard.len() - last.len_utf8()];
        }
    }
}

fn of_syllable(syllable: char) -> Sound {
    // Syllables stand in blocks of 28 by their final consonant: none first, ㄹ eighth.
    match (u32::from(syllable) - u32::from('가')) % 28 {
        0 => Sound::Vowel,
        8 => Sound::Rieul,
        _ => Sound::Consonant,
    }
}

/// Read as a Sino-Korean number: 1,000 is 천, 10 is 십, 2 is 이.
fn of_number(word: &str) -> Sound {
    let start = word.rfind(|letter: char| !letter.is_ascii_digit() && letter != ',').map_or(0, |at| at + 1);
    // A match of one of several bytes may end inside a letter; its end is the start of what follows.
    let start = (start..=word.len()).find(|at| word.is_char_boundary(*at)).unwrap_or(word.len());
    let number: String = word[start..].chars().filter(char::is_ascii_digit).collect();
    let decimals = word[..start].ends_with('.');
    let zeros = number.len() - number.trim_end_matches('0').len();
    match number.bytes().next_back() {
        Some(b'2' | b'4' | b'5' | b'9') => Sound::Vowel,
        Some(b'1' | b'7' | b'8') => Sound::Rieul,
        // 조 is the one of 십, 백, 천, 만, 억, 조, 경 without a final consonant; a bare zero is 영.
        Some(b'0') if (12..16).contains(&zeros) && zeros < number.len() && !decimals => Sound::Vowel,
        _ => Sound::Consonant,
    }
}

/// Letter by letter where the word ends in a capital, else by how English spelling mostly sounds.
fn of_latin(word: &str) -> Sound {
    let tail: Vec<u8> = word.bytes().rev().take_while(u8::is_ascii_alphabetic).collect();
    let lower: Vec<u8> = tail.iter().map(u8::to_ascii_lowercase).collect();
    let vowel = |at: usize| lower.get(at).is_some_and(|letter| b"aeiou".contains(letter));
    let spelled = tail.len() == 1 || tail[0].is_ascii_uppercase();
    match lower[0] {
        b'l' => Sound::Rieul,
        b'r' if spelled => Sound::Rieul,
        b'm' | b'n' => Sound::Consonant,
        _ if spelled => Sound::Vowel,
        b'e' if lower.get(1) == Some(&b'l') && !vowel(2) => Sound::Rieul,
        b'e' if matches!(lower.get(1), Some(b'm' | b'n')) && vowel(2) => Sound::Consonant,
        b'g' if lower.get(1) == Some(&b'n') => Sound::Consonant,
        b'k' if lower.get(1) == Some(&b'c') => Sound::Consonant,
        b'b' | b'c' | b'k' | b'p' | b't' if vowel(1) && !vowel(2) => Sound::Consonant,
        b'k' | b'p' | b't' if lower[1..].starts_with(b"oo") => Sound::Consonant,
        _ => Sound::Vowel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn topic(word: &str) -> String {
        with(word, Particle::Topic)
    }

    fn toward(word: &str) -> String {
        with(word, Particle::Toward)
    }

    #[test]
    fn each_particle_has_its_two_forms() {
        for (particle, cafe, market) in [
            (Particle::Topic, "카페는", "시장은"),
            (Particle::Subject, "카페가", "시장이"),
            (Particle::Object, "카페를", "시장을"),
            (Particle::With, "카페와", "시장과"),
            (Particle::Toward, "카페로", "시장으로"),
            (Particle::Being, "카페라", "시장이라"),
            (Particle::Is, "카페예요", "시장이에요"),
        ] {
            assert_eq!([with("카페", particle), with("시장", particle)], [cafe, market]);
        }
    }

    #[test]
    fn toward_is_short_after_rieul() {
        assert_eq!(["서울", "집", "가게"].map(toward), ["서울로", "집으로", "가게로"]);
        assert_eq!(with("서울", Particle::Object), "서울을");
    }

    #[test]
    fn digits_are_read_as_numbers() {
        for (word, expected) in [
            ("0", "0은"),
            ("1", "1은"),
            ("2", "2는"),
            ("3", "3은"),
            ("4", "4는"),
            ("5", "5는"),
            ("6", "6은"),
            ("7", "7은"),
            ("8", "8은"),
            ("9", "9는"),
            ("10", "10은"),
            ("2,000", "2,000은"),
            ("100,000,000", "100,000,000은"),
            ("1,000,000,000,000", "1,000,000,000,000는"),
            ("0.000000000000", "0.000000000000은"),
            ("1.5", "1.5는"),
            ("3%", "3%는"),
            ("카페24", "카페24는"),
        ] {
            assert_eq!(topic(word), expected);
        }
        assert_eq!(["1", "3", "6", "7", "10"].map(toward), ["1로", "3으로", "6으로", "7로", "10으로"]);
    }

    #[test]
    fn latin_words_go_by_their_sound_and_capitals_by_their_names() {
        for (word, expected) in [
            ("A", "A는"),
            ("KTX", "KTX는"),
            ("GM", "GM은"),
            ("LG", "LG는"),
            ("Moa", "Moa는"),
            ("Coffee", "Coffee는"),
            ("Mall", "Mall은"),
            ("Apple", "Apple은"),
            ("Shop", "Shop은"),
            ("Park", "Park는"),
            ("Book", "Book은"),
            ("Week", "Week는"),
            ("Black", "Black은"),
            ("Kitchen", "Kitchen은"),
            ("Home", "Home은"),
            ("Bring", "Bring은"),
            ("Mart", "Mart는"),
        ] {
            assert_eq!(topic(word), expected);
        }
        assert_eq!(["Mall", "VR", "URL"].map(toward), ["Mall로", "VR로", "URL로"]);
    }

    #[test]
    fn a_remark_in_brackets_does_not_count_and_quotes_are_passed_over() {
        for (word, expected) in [
            ("카페(역삼점)", "카페(역삼점)는"),
            ("시장 (지하)", "시장 (지하)은"),
            ("(주)", "(주)는"),
            ("‘시장’", "‘시장’은"),
            ("\"카페\"", "\"카페\"는"),
            ("『골목』", "『골목』은"),
            ("카페!", "카페!는"),
            ("시장 [1층] (뒤)", "시장 [1층] (뒤)은"),
        ] {
            assert_eq!(topic(word), expected);
        }
    }

    #[test]
    fn unknown_sounds_get_both_forms() {
        for word in ["", "咖啡", "☕", "()", "…"] {
            assert_eq!(topic(word), format!("{word}은(는)"));
        }
    }

    /// Unicode orders the syllables by initial, vowel, final; the finals in the order of this table.
    #[test]
    fn every_hangul_syllable_takes_the_particle_of_its_final() {
        let finals: Vec<char> = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ".chars().collect();
        let syllables: Vec<char> = ('가'..='힣').collect();
        assert_eq!((finals.len(), syllables.len()), (28, 19 * 21 * 28));
        for (at, syllable) in syllables.into_iter().enumerate() {
            let last = finals[at % finals.len()];
            let word = format!("나{syllable}");
            let short = if last == ' ' { "는" } else { "은" };
            let way = if last == ' ' || last == 'ㄹ' { "로" } else { "으로" };
            assert_eq!(topic(&word), format!("{word}{short}"));
            assert_eq!(toward(&word), format!("{word}{way}"));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_words_never_panic_and_keep_their_letters(word in "\\PC{0,12}", tail in "[0-9,.()가-힣a-zA-Z’” ]{0,8}") {
            let word = format!("{word}{tail}");
            for particle in [Particle::Topic, Particle::Toward, Particle::Is] {
                prop_assert!(with(&word, particle).starts_with(&word));
            }
        }

        #[test]
        fn a_quote_changes_nothing(word in "[가-힣]{1,6}") {
            let quoted = format!("‘{word}’");
            prop_assert_eq!(Particle::Subject.after(&quoted), Particle::Subject.after(&word));
        }
    }
}
