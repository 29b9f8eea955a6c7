//! Names as they are typed. Hangul is taken apart into the letters that a keyboard has, so that what is half typed (카ㅍ, 캎)
//! is a part of what it becomes (카페); `ㅋㅍ` finds the same by the first letters of its syllables. Latin letters lose case
//! and accents, everything loses spaces and punctuation: 스타 카페 and 스타카페 are one name.
//!
//! What contains what is decided here. A *gram* is what an index finds it by: a few letters from where a syllable begins.
//! Everything that contains a text has all the text's grams; what has them may still not contain it.

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Between names that are searched together: no text contains it.
const BREAK: char = '\n';

/// The letters that a syllable begins with, in Unicode's order.
const LEADS: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
    'ㅍ', 'ㅎ',
];
/// Its vowels, as they are typed.
const VOWELS: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ", "ㅜㅓ", "ㅜㅔ",
    "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
/// What it may end with, as it is typed. The first is nothing.
const TAILS: [&str; 28] = [
    "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ", "ㄹㅍ",
    "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];

/// A text, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The letters as they are typed.
    strokes: String,
    /// The first letter of each syllable; what is no Hangul as it is.
    initials: String,
}

/// A few letters by which a text is found, at most [`Gram::LONGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gram {
    /// Whether they are the first letters of syllables.
    pub initials: bool,
    /// The letters, a byte each: exact for Hangul and ASCII, else one of 63 that stand for many.
    pub letters: u32,
}

impl Gram {
    /// The most letters.
    pub const LONGEST: usize = 4;

    fn of(initials: bool, letters: &[char]) -> Self {
        let letters = letters.iter().fold(0, |all, letter| all << 8 | code(*letter));
        Self { initials, letters }
    }
}

/// A letter in a byte.
fn code(letter: char) -> u32 {
    match letter {
        'ㄱ'..='ㅣ' => 0x80 + (letter as u32 - 'ㄱ' as u32),
        letter if letter.is_ascii() => letter as u32,
        letter => 0xc0 + letter as u32 % 63,
    }
}

fn is_consonant(letter: char) -> bool {
    ('ㄱ'..='ㅎ').contains(&letter)
}

fn is_vowel(letter: char) -> bool {
    ('ㅏ'..='ㅣ').contains(&letter)
}

impl Text {
    /// A text as someone typed it.
    pub fn new(text: &str) -> Self {
        let mut taken = Self::default();
        taken.add(text);
        taken
    }

    /// Names that are searched together, none across another.
    pub fn all<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut taken = Self::default();
        for name in names {
            if !taken.strokes.is_empty() {
                taken.strokes.push(BREAK);
                taken.initials.push(BREAK);
            }
            taken.add(name);
        }
        taken
    }

    fn add(&mut self, text: &str) {
        match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => text.chars().for_each(|letter| self.letter(letter)),
            // Syllables may come in parts, and are to be told from letters that stand alone.
            IsNormalized::No | IsNormalized::Maybe => text.nfc().for_each(|letter| self.letter(letter)),
        }
    }

    fn letter(&mut self, letter: char) {
        // The two that nearly all names are made of, without tables.
        match letter {
            '가'..='힣' => {
                let at = letter as usize - '가' as usize;
                self.lead(at / (21 * 28));
                self.vowel(at / 28 % 21);
                self.tail(at % 28);
            }
            letter if letter.is_ascii() => self.other(letter.to_ascii_lowercase()),
            letter => {
                let parts = std::iter::once(letter).nfkd().flat_map(char::to_lowercase);
                parts.nfkd().for_each(|part| self.part(part));
            }
        }
    }

    /// What a letter is made of.
    fn part(&mut self, part: char) {
        let at = |first: u32| (part as u32 - first) as usize;
        match part {
            '\u{1100}'..='\u{1112}' => self.lead(at(0x1100)),
            '\u{1161}'..='\u{1175}' => self.vowel(at(0x1161)),
            '\u{11a8}'..='\u{11c2}' => {
                // One alone, as a keyboard joins two that were typed one after the other (ㄳ): first letters, both.
                self.initials.push_str(TAILS[at(0x11a7)]);
                self.tail(at(0x11a7));
            }
            part if is_combining_mark(part) => {}
            part => self.other(part),
        }
    }

    fn lead(&mut self, at: usize) {
        self.strokes.push(LEADS[at]);
        self.initials.push(LEADS[at]);
    }

    fn vowel(&mut self, at: usize) {
        self.strokes.push_str(VOWELS[at]);
    }

    fn tail(&mut self, at: usize) {
        self.strokes.push_str(TAILS[at]);
    }

    fn other(&mut self, letter: char) {
        if letter.is_alphanumeric() {
            self.strokes.push(letter);
            self.initials.push(letter);
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty()
    }

    /// The letters as they are typed: the same for texts that are the same but for case, accents, spaces.
    pub fn strokes(&self) -> &str {
        &self.strokes
    }

    /// Whether it is first letters of syllables alone.
    fn is_initials(&self) -> bool {
        !self.is_empty() && self.strokes.chars().all(is_consonant)
    }

    /// Whether someone who typed `part` means this. Nothing is meant by nothing.
    pub fn contains(&self, part: &Self) -> bool {
        match (part.is_empty(), part.is_initials()) {
            (true, _) => false,
            // As typed: a keyboard may have joined two.
            (_, true) => self.initials.contains(&part.strokes),
            _ => self.strokes.contains(&part.strokes),
        }
    }

    /// Whether someone who typed `part` may well mean this word: it begins so, and not by a mere letter, or has just these
    /// first letters.
    pub fn is_meant_by(&self, part: &Self) -> bool {
        if part.strokes.chars().nth(1).is_none() {
            false
        } else if part.is_initials() {
            self.initials == part.strokes
        } else {
            self.strokes.starts_with(&part.strokes)
        }
    }

    /// What it is found by, each once, in order.
    pub fn grams(&self) -> Vec<Gram> {
        let mut grams = Vec::new();
        let strokes: Vec<char> = self.strokes.chars().collect();
        for start in (0..strokes.len()).filter(|start| begins(&strokes[*start..])) {
            grams.extend([2, 4].into_iter().filter_map(|length| gram(false, &strokes, start, length)));
        }
        let initials: Vec<char> = self.initials.chars().collect();
        for start in 0..initials.len() {
            let lengths = [2, 3].into_iter().filter_map(|length| gram(true, &initials, start, length));
            grams.extend(lengths);
        }
        grams.sort_unstable();
        grams.dedup();
        grams
    }

    /// Grams that everything has that contains this, the longest at each place. None if it is too short, or begins within a
    /// syllable.
    pub fn wanted(&self) -> Vec<Gram> {
        let letters: Vec<char> = self.strokes.chars().collect();
        let initials = self.is_initials();
        let lengths = if initials { [3, 2] } else { [4, 2] };
        let starts = (0..letters.len()).filter(|start| initials || begins(&letters[*start..]));
        let mut grams: Vec<Gram> = starts
            .filter_map(|start| {
                lengths.into_iter().find_map(|length| gram(initials, &letters, start, length))
            })
            .collect();
        grams.sort_unstable();
        grams.dedup();
        grams
    }
}

/// Whether a syllable begins here, by what is here alone: in whatever these letters are found, one begins there too.
fn begins(letters: &[char]) -> bool {
    match letters {
        [BREAK, ..] | [] => false,
        [first, then, ..] if is_consonant(*first) => is_vowel(*then),
        [first, ..] => !is_consonant(*first) && !is_vowel(*first),
    }
}

/// So many letters from there, if there are so many, within one name, and if they are to be first letters, Hangul.
fn gram(initials: bool, letters: &[char], start: usize, length: usize) -> Option<Gram> {
    let letters = letters.get(start..start + length)?;
    let fits = |letter: &char| if initials { is_consonant(*letter) } else { *letter != BREAK };
    letters.iter().all(fits).then(|| Gram::of(initials, letters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn finds(typed: &str, name: &str) -> bool {
        Text::new(name).contains(&Text::new(typed))
    }

    #[test]
    fn a_name_is_found_by_its_parts_and_by_what_is_half_typed() {
        for typed in ["카페", "페", "카", "카ㅍ", "캎", "ㅋㅍ", "ㅇㄴㅋㅍ", "ㅋ", "연남 카", "남카ㅍ"]
        {
            assert!(finds(typed, "연남카페"), "{typed}");
        }
        for typed in ["가페", "페카", "ㅍㅋ", "카펭", "", " ", "!", "연남동"] {
            assert!(!finds(typed, "연남카페"), "{typed}");
        }
    }

    #[test]
    fn a_syllable_is_found_at_every_stroke_of_the_keyboard() {
        for (name, strokes) in [
            ("과일", ["ㄱ", "고", "과", "광", "과이", "과일"]),
            ("값진", ["ㄱ", "가", "갑", "값", "값ㅈ", "값지"]),
            ("의사", ["ㅇ", "으", "의", "읫", "의사", "의사"]),
        ] {
            // 광 and 읫 are what stands on the screen before the next vowel takes its lead.
            strokes.into_iter().for_each(|typed| assert!(finds(typed, name), "{typed} {name}"));
        }
    }

    #[test]
    fn case_accents_widths_and_spaces_are_one() {
        for (typed, name) in [
            ("cafe", "Café Été"),
            ("CAFÉ", "le cafe"),
            ("ete", "CAFÉ ÉTÉ"),
            ("gs25", "ＧＳ２５ 연남점"),
            ("스타카페", "스타 카페"),
            ("스타-카페", "스타카페"),
            ("카페", "\u{110f}\u{1161}\u{1111}\u{1166}"),
            ("ｶﾌｪ", "カフェ"),
            ("찻집", "茶 찻집"),
            ("茶", "茶 찻집"),
        ] {
            assert!(finds(typed, name), "{typed} {name}");
        }
        assert!(!finds("café", "커피"));
    }

    #[test]
    fn letters_that_a_keyboard_joined_are_first_letters_both() {
        // ㄱ and ㅅ typed one after the other stand there as ㄳ.
        assert!(finds("ㄳ", "감성다방") && finds("ㄱㅅ", "감성다방") && finds("ㄳㄷㅂ", "감성다방"));
        assert!(finds("ㅋㅋ", "ㅋㅋ치킨") && finds("ㅋㅊ", "ㅋㅋ치킨"));
        assert!(!finds("ㄳ", "값진"), "a tail is no first letter");
    }

    #[test]
    fn names_beside_each_other_are_not_searched_across() {
        let both = Text::all(["연남", "동네"]);
        for (typed, found) in
            [("연남", true), ("동네", true), ("남동", false), ("ㄴㄷ", false), ("ㅇㄴ", true)]
        {
            assert_eq!(both.contains(&Text::new(typed)), found, "{typed}");
        }
        assert!(both.grams().iter().all(|gram| !gram.letters.to_be_bytes().contains(&(BREAK as u8))));
    }

    /// A syllable as its parts: the first letter, and all letters as typed.
    fn taken_apart(letter: char) -> (char, Vec<char>) {
        let at = letter as usize - '가' as usize;
        let typed = [VOWELS[at / 28 % 21], TAILS[at % 28]].concat();
        let lead = LEADS[at / 588];
        (lead, [lead].into_iter().chain(typed.chars()).collect())
    }

    /// The same question, asked of the syllables one by one from every place.
    fn naive(typed: &str, name: &str) -> bool {
        let name: Vec<(char, Vec<char>)> = name.chars().map(taken_apart).collect();
        let starts = 0..name.len();
        if typed.chars().all(is_consonant) {
            let typed: Vec<char> = typed.chars().collect();
            return starts.into_iter().any(|start| {
                name[start..].len() >= typed.len()
                    && typed.iter().zip(&name[start..]).all(|(typed, (lead, _))| typed == lead)
            });
        }
        let typed: Vec<char> = typed
            .chars()
            .flat_map(|letter| if is_consonant(letter) { vec![letter] } else { taken_apart(letter).1 })
            .collect();
        starts.into_iter().any(|start| {
            let rest: Vec<char> = name[start..].iter().flat_map(|(_, letters)| letters.clone()).collect();
            rest.starts_with(&typed)
        })
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_someone_finds_who_compares_syllable_by_syllable(
            name in "[가각갂값과광카캎페펲파남나동도의]{1,8}",
            typed in prop_oneof!["[ㄱㄲㅋㅍㄴㄷㅇ]{1,3}", "[가각값과카캎페나도의]{1,3}[ㄱㅍㄴㅅ]?"],
        ) {
            prop_assert_eq!(finds(&typed, &name), naive(&typed, &name), "{} in {}", typed, name);
        }

        #[test]
        fn a_part_of_a_name_finds_it(name in "[가각값과광카캎페남동의a-cㅇ]{1,10}", from in 0_usize..10, length in 1_usize..6) {
            let part: String = name.chars().skip(from).take(length).collect();
            // Lone letters within a syllable text are strokes there and first letters alone.
            prop_assume!(!part.is_empty() && !part.contains('ㅇ'));
            prop_assert!(finds(&part, &name), "{} in {}", part, name);
        }

        #[test]
        fn whatever_contains_a_text_has_its_grams(
            name in "([가-힣]|[a-c ]|[ㄱ-ㅣ]|é|茶){1,10}",
            typed in "([가-힣]|[a-c]|[ㄱ-ㅣ]|é|茶){1,4}",
            before in "[가-힣a-cㄱ-ㅎ]{0,3}",
        ) {
            for name in [name.clone(), format!("{before}{typed}{name}"), format!("{name}{typed}")] {
                let (name, typed) = (Text::new(&name), Text::new(&typed));
                let grams = name.grams();
                if name.contains(&typed) {
                    prop_assert!(typed.wanted().iter().all(|gram| grams.contains(gram)));
                }
            }
        }

        #[test]
        fn arbitrary_texts_never_panic(one in ".{0,80}", other in ".{0,80}") {
            let (one, other) = (Text::new(&one), Text::new(&other));
            one.contains(&other);
            prop_assert!(one.grams().len() <= 4 * (one.strokes.len() + one.initials.len()));
            prop_assert_eq!(Text::new(&other.strokes), Text { initials: Text::new(&other.strokes).initials, ..other });
        }
    }
}
