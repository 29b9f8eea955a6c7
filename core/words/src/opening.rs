//! Opening balances from a file: why it is not read, what its rows are, what importing it would give.

use moa_rules::quantity::{Currency, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::Kind;
use moa_rules::time::{Timestamp, Zone};

use crate::Lang;
use crate::number::{self, Mileage, count, kilobytes, plural};
use crate::particle::{Particle, with};
use crate::refusal::refusal_in;
use crate::when;

/// What is said of a file as a whole. The faults are sentences, the others lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpeningText<'a> {
    /// More bytes than are taken.
    TooLarge {
        /// How many are.
        max_bytes: u64,
    },
    /// No text in UTF-8.
    NotText,
    /// No CSV.
    NotCsv,
    /// A column is missing from the header.
    ColumnMissing {
        /// Its name, as the header may have it in Korean.
        ko: &'a str,
        /// And in English.
        en: &'a str,
    },
    /// A column stands there twice.
    ColumnTwice {
        /// Its name in Korean.
        ko: &'a str,
        /// And in English.
        en: &'a str,
    },
    /// More rows than are taken.
    TooManyRows {
        /// How many are.
        max: u64,
    },
    /// No row can be imported.
    NothingToImport,
    /// It was imported before.
    AlreadyImported {
        /// When.
        at: Timestamp,
        /// The zone in which that is shown.
        zone: &'a Zone,
    },
    /// A line: what would be given.
    Preview {
        /// To how many numbers.
        people: u64,
        /// How much.
        units: Mileage,
        /// What that is worth.
        value: Money,
        /// In which currency.
        currency: Currency,
    },
    /// A line: how many rows are left out.
    LeftOut {
        /// How many.
        rows: u64,
    },
    /// A line: how far an import has come.
    Progress {
        /// Rows that are given.
        given: u64,
        /// Rows that wait for the server.
        waiting: u64,
        /// Rows that the server refused.
        refused: u64,
    },
}

/// What is said of a file.
pub fn opening(lang: Lang, what: &OpeningText) -> String {
    match *what {
        OpeningText::TooLarge { max_bytes } => {
            let max = kilobytes(max_bytes);
            text!(
                lang,
                "파일이 너무 커요. {max}까지 받아요. 나누어서 올려 주세요.",
                "The file is too large: {max} at most. Split it.",
            )
        }
        OpeningText::NotText => text!(
            lang,
            "글자를 읽을 수 없는 파일이에요. 표 프로그램에서 쉼표로 나눈 유니코드 파일로 다시 저장해 주세요.",
            "The file is no text that can be read. Save it anew as CSV in UTF-8.",
        ),
        OpeningText::NotCsv => text!(
            lang,
            "쉼표로 나눈 표가 아니에요. 표 프로그램에서 그렇게 다시 저장해 주세요.",
            "The file is no table with commas. Save it anew as CSV.",
        ),
        OpeningText::ColumnMissing { ko, en } => text!(
            lang,
            "첫 줄에 '{ko}' 칸이 없어요. 이름을 적고 다시 올려 주세요.",
            "The first line has no column '{en}'. Name it and try again.",
        ),
        OpeningText::ColumnTwice { ko, en } => text!(
            lang,
            "첫 줄에 '{ko}' 칸이 두 번 있어요. 하나만 남기고 다시 올려 주세요.",
            "The first line has the column '{en}' twice. Leave one and try again.",
        ),
        OpeningText::TooManyRows { max } => {
            let (ko, en) = (count(max), plural(max, "row", "rows"));
            text!(
                lang,
                "줄이 너무 많아요. {ko}줄까지 받아요. 나누어서 올려 주세요.",
                "There are too many rows: {en} at most. Split the file.",
            )
        }
        OpeningText::NothingToImport => text!(
            lang,
            "가져올 줄이 없어요. 미리 보기의 줄을 고치고 다시 올려 주세요.",
            "No row can be imported. Correct those in the preview and try again.",
        ),
        OpeningText::AlreadyImported { at, zone } => {
            let at = when::moment(lang, at, zone);
            text!(
                lang,
                "{at}에 이미 가져온 파일이에요. 다른 파일을 골라 주세요.",
                "This file was imported on {at}. Choose another.",
            )
        }
        OpeningText::Preview { people, units, value, currency } => {
            let (units, value) = (number::mileage(lang, units), number::money(lang, value, currency));
            let (ko, en) = (count(people), plural(people, "customer", "customers"));
            text!(lang, "손님 {ko}명에게 모두 {units}, {value}어치", "{units} for {en}, worth {value}")
        }
        OpeningText::LeftOut { rows } => {
            let (ko, en) = (count(rows), plural(rows, "row", "rows"));
            text!(lang, "{ko}줄은 빠짐", "{en} left out")
        }
        OpeningText::Progress { given, waiting, refused } => {
            let [given, waiting, refused] = [given, waiting, refused].map(count);
            text!(
                lang,
                "{given}줄 지급, {waiting}줄 전송 대기, {refused}줄 거절",
                "{given} given, {waiting} waiting, {refused} refused",
            )
        }
    }
}

/// What is said of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowText<'a> {
    /// What stands for the units is no whole number.
    UnitsUnreadable,
    /// What stands for the last day is no date.
    LastDayUnreadable,
    /// The rules say no.
    Refused(&'a Refusal),
    /// It is of the same number as an earlier one; both count.
    SameNumber {
        /// The line of that.
        line: u64,
    },
}

/// What is said of a row, in a sentence.
pub fn opening_row(lang: Lang, row: &RowText, currency: Currency, kind: Kind) -> String {
    match row {
        RowText::UnitsUnreadable => text!(
            lang,
            "수량을 읽을 수 없어요. 1,200처럼 적어 주세요.",
            "The units can't be read. Write them as 1,200.",
        ),
        RowText::LastDayUnreadable => text!(
            lang,
            "유효기간을 읽을 수 없어요. 2027-05-31처럼 적어 주세요.",
            "The last day can't be read. Write it as 2027-05-31.",
        ),
        RowText::Refused(reason) => refusal_in(lang, reason, currency, Some(kind)),
        RowText::SameNumber { line } => {
            let line = count(*line);
            let with_line = with(&format!("{line}번째 줄"), Particle::With);
            text!(
                lang,
                "{with_line} 같은 번호예요. 둘 다 더해져요.",
                "The same number as in line {line}. Both count.",
            )
        }
    }
}
