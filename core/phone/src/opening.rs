//! Opening balances: what an older programme, or paper, left in customers' hands, read from a CSV file and given to them
//! after a look at the preview. (docs/rules.md J4)
//!
//! Columns stand in any order under a header: `phone` or `전화번호`, `units`, `점수` or `개수`, and if the file has it
//! `last_day` or `유효기간`, as 2027-05-31. Others are passed over. Nothing is sent before the import is confirmed; then each
//! good row is a grant to its number, all written at once, and a file is imported once.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};
use moa_rules::adjustment::{Grantee, Reason, check_gift};
use moa_rules::id::GroupId;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Currency, Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Terms, Unit};
use moa_rules::time::{Day, Timestamp};
use moa_wire::keys::sha256;

use crate::error::PhoneError;
use crate::number::{self, Typed};
use crate::outbox::RefusedOp;
use crate::phone::Phone;
use crate::store::openings::{self, Imported};
use crate::store::outbox::{self, Effect};
use crate::store::{directory, numbers};

/// The most bytes of a file.
pub const MAX_FILE: usize = 1024 * 1024;
/// The most rows of a file, its header not counted.
pub const MAX_ROWS: usize = 5_000;

/// A column of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Whose it is: `phone`, `전화번호`.
    Phone,
    /// How much: `units`, `점수`, `개수`.
    Units,
    /// Until when: `last_day`, `유효기간`.
    LastDay,
}

impl Column {
    const ALL: [Self; 3] = [Self::Phone, Self::Units, Self::LastDay];

    /// The names that it may have in the header.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Phone => &["phone", "전화번호"],
            Self::Units => &["units", "점수", "개수"],
            Self::LastDay => &["last_day", "유효기간"],
        }
    }

    /// The stable `snake_case` word, which the header may have.
    pub fn as_str(self) -> &'static str {
        self.names()[0]
    }

    /// Its Korean name, which the header may have.
    pub fn as_korean(self) -> &'static str {
        self.names()[1]
    }
}

/// Why a file is not read, or not imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpeningFault {
    /// More bytes than [`MAX_FILE`].
    TooLarge,
    /// It is no text in UTF-8.
    NotText,
    /// It is no CSV.
    NotCsv,
    /// A column is missing from the header.
    ColumnMissing(Column),
    /// A column stands there twice.
    ColumnTwice(Column),
    /// More rows than [`MAX_ROWS`].
    TooManyRows,
    /// No row can be imported.
    NothingToImport,
    /// It was imported before.
    AlreadyImported {
        /// When.
        at: Timestamp,
    },
}

impl OpeningFault {
    /// The stable `snake_case` word.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "file_too_large",
            Self::NotText => "file_not_text",
            Self::NotCsv => "file_not_csv",
            Self::ColumnMissing(_) => "column_missing",
            Self::ColumnTwice(_) => "column_twice",
            Self::TooManyRows => "too_many_rows",
            Self::NothingToImport => "nothing_to_import",
            Self::AlreadyImported { .. } => "file_already_imported",
        }
    }
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFault {
    /// What stands for the units is no whole number.
    UnitsUnreadable,
    /// What stands for the last day is no date.
    LastDayUnreadable,
    /// The rules say no: to the number, to so much, to that day.
    Refused(Refusal),
}

/// A row as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningRow {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The phone number, as written.
    pub number: String,
    /// How much, if that could be read.
    pub units: Option<Units>,
    /// The last day on which it can be used; none: as long as what is earned now.
    pub last_day: Option<Day>,
    /// Why it is left out, if it is.
    pub fault: Option<RowFault>,
    /// An earlier line of the same number: both count.
    pub same_as: Option<u64>,
}

/// What importing a file would give, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningPreview {
    /// The group.
    pub group: GroupId,
    /// What a unit is; none for points.
    pub unit: Option<Unit>,
    /// The rows, in the file's order.
    pub rows: Vec<OpeningRow>,
    /// Rows that would be imported.
    pub good: usize,
    /// Different numbers among them.
    pub people: usize,
    /// Units in them.
    pub units: Units,
    /// What those are worth, in minor units.
    pub value: Money,
    /// The money of the group.
    pub currency: Currency,
    /// When the same file was imported, if it was: it is not imported again.
    pub imported_at: Option<Timestamp>,
    /// The terms that it was read under.
    terms_version: u32,
    hash: [u8; 32],
}

/// A file that was imported, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningItem {
    /// The group.
    pub group: GroupId,
    /// When it was imported.
    pub at: Timestamp,
    /// Rows that wait for the server.
    pub waiting: u64,
    /// Rows that are given.
    pub given: u64,
    /// Lines that the server refused, and why.
    pub refused: Vec<(u64, RefusedOp)>,
}

impl Phone {
    /// Reads a file of opening balances. Nothing is written and nothing is sent.
    ///
    /// # Errors
    /// [`PhoneError::Opening`]; `no_merchant`, `shop_not_in_group`, `group_closing`, `member_frozen`;
    /// [`PhoneError::NotHere`] while the directory has not told of the group.
    pub fn preview_opening(&self, group: GroupId, file: &[u8]) -> Result<OpeningPreview, PhoneError> {
        let (terms_version, terms) = self.opened_under(group)?;
        let mut rows = read(file)?;
        let now = self.now();
        let mut lines: HashMap<String, u64> = HashMap::new();
        for row in &mut rows {
            let units = row.units.unwrap_or_default();
            if row.fault.is_none() {
                let judged =
                    number::check(&row.number).and_then(|()| check_gift(&terms, units, row.last_day, now));
                row.fault = judged.err().map(RowFault::Refused);
            }
            if row.fault.is_none() {
                let first = *lines.entry(plain(&row.number)).or_insert(row.line);
                row.same_as = Some(first).filter(|first| *first != row.line);
            }
        }
        let good = rows.iter().filter(|row| row.fault.is_none());
        let units: Units = good.clone().filter_map(|row| row.units).sum();
        let hash = sha256(&[file]);
        Ok(OpeningPreview {
            group,
            unit: terms.unit(),
            good: good.count(),
            people: lines.len(),
            units,
            value: units.value(terms.unit_value).unwrap_or(Money(i64::MAX)),
            currency: terms.currency,
            imported_at: self.store().read(|db| openings::imported_at(db, &hash))?,
            terms_version,
            hash,
            rows,
        })
    }

    /// Gives what the preview says, to the last good row or not at all. Signs each row: where the key store is slow it takes
    /// its time. On disk before it returns. Gives the number of rows.
    ///
    /// # Errors
    /// [`PhoneError::Opening`] for a file that was imported before, or without a good row; `terms_changed` if the group has
    /// other terms by now; as [`Self::preview_opening`].
    pub fn import_opening(&self, preview: &OpeningPreview) -> Result<usize, PhoneError> {
        let (terms_version, terms) = self.opened_under(preview.group)?;
        if terms_version != preview.terms_version {
            return Err(Refusal::TermsChanged { current: terms_version }.into());
        }
        let (group, hash, now) = (preview.group, preview.hash, self.now());
        let check = |at: Option<Timestamp>| match at {
            Some(at) => Err(PhoneError::Opening(OpeningFault::AlreadyImported { at })),
            None => Ok(()),
        };
        check(self.store().read(|db| openings::imported_at(db, &hash))?)?;
        let (mut lines, mut typed, mut bodies, mut effects) = (vec![], vec![], vec![], vec![]);
        for row in preview.rows.iter().filter(|row| row.fault.is_none()) {
            let units = row.units.unwrap_or_default();
            // A day may have ended since the preview.
            if check_gift(&terms, units, row.last_day, now).is_err() {
                continue;
            }
            let number = Typed::new(self, &row.number)?;
            let (to, reason) = (Grantee::Buyer(number.buyer()), Reason::OpeningBalance);
            bodies.push(OpBody::Grant { group, to, units, reason, last_day: row.last_day });
            effects.push(Effect { group: Some(group), units: Some(units), unit: terms.unit() });
            lines.push(row.line);
            typed.push(number);
        }
        if bodies.is_empty() {
            return Err(PhoneError::Opening(OpeningFault::NothingToImport));
        }
        let sealing = self.sealing()?;
        let ops = self.sign_all(bodies)?;
        self.write(|db| {
            // Asked again: the lock was not held while the key signed.
            check(openings::imported_at(db, &hash)?)?;
            openings::put(db, &Imported { hash, group, at: now })?;
            for (((op, effect), line), number) in ops.iter().zip(effects).zip(lines).zip(typed) {
                outbox::insert(db, op, effect, now)?;
                numbers::put(db, &sealing, &number.beside(op.value().id))?;
                openings::put_row(db, &hash, op.value().id, line)?;
            }
            Ok(())
        })?;
        Ok(ops.len())
    }

    /// The files that this phone imported, newest first, and how far each has come.
    ///
    /// # Errors
    /// Storage.
    pub fn openings(&self) -> Result<Vec<OpeningItem>, PhoneError> {
        self.store().read(|db| {
            let imported = openings::all(db)?.into_iter();
            imported
                .map(|Imported { hash, group, at }| {
                    let states = openings::states(db, &hash)?;
                    let refused = openings::refused(db, &hash)?;
                    Ok(OpeningItem { group, at, waiting: states.waiting, given: states.applied, refused })
                })
                .collect()
        })
    }

    /// The terms in force under which this shop gives, and their version.
    fn opened_under(&self, group: GroupId) -> Result<(u32, Terms), PhoneError> {
        let terms = self.giving(group)?.ok_or(PhoneError::NotHere)?;
        let version = self.store().read(|db| directory::group(db, group))?.ok_or(PhoneError::NotHere)?;
        Ok((version.terms_version, terms))
    }
}

/// The rows of a file, as far as they can be read.
fn read(file: &[u8]) -> Result<Vec<OpeningRow>, PhoneError> {
    let fault = PhoneError::Opening;
    if file.len() > MAX_FILE {
        return Err(fault(OpeningFault::TooLarge));
    }
    let text = std::str::from_utf8(file).map_err(|_| fault(OpeningFault::NotText))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| fault(OpeningFault::NotCsv))?;
    let columns = Columns::of(header).map_err(fault)?;
    let (mut rows, mut lines) = (Vec::new(), Lines { text, counted: 0, line: 1 });
    for record in reader.records() {
        if rows.len() == MAX_ROWS {
            return Err(fault(OpeningFault::TooManyRows));
        }
        let record = record.map_err(|_| fault(OpeningFault::NotCsv))?;
        let byte = record.position().map_or(0, csv::Position::byte);
        rows.push(columns.row(&record, lines.of(usize::try_from(byte).unwrap_or(usize::MAX))));
    }
    Ok(rows)
}

/// Counts lines. The reader's own count is short by one behind a carriage return, and after empty lines.
struct Lines<'a> {
    text: &'a str,
    /// Bytes in which lines were counted.
    counted: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of what begins at this byte, or behind the ends of lines there.
    fn of(&mut self, byte: usize) -> u64 {
        let rest = self.text.as_bytes().get(byte..).unwrap_or_default();
        let ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.text.as_bytes().get(self.counted..byte + ends).unwrap_or_default();
        self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.counted += passed.len();
        self.line
    }
}

/// Where the columns stand.
struct Columns {
    phone: usize,
    units: usize,
    last_day: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, OpeningFault> {
        let place = |column: Column| {
            let named = |cell: &&str| column.names().iter().any(|name| cell.eq_ignore_ascii_case(name));
            let mut places = header.iter().enumerate().filter(|(_, cell)| named(cell)).map(|(at, _)| at);
            match (places.next(), places.next()) {
                (_, Some(_)) => Err(OpeningFault::ColumnTwice(column)),
                (place, None) => Ok(place),
            }
        };
        let [phone, units, last_day] = Column::ALL.map(place);
        let must = |place: Result<Option<usize>, OpeningFault>, column| {
            place?.ok_or(OpeningFault::ColumnMissing(column))
        };
        Ok(Self {
            phone: must(phone, Column::Phone)?,
            units: must(units, Column::Units)?,
            last_day: last_day?,
        })
    }

    fn row(&self, record: &StringRecord, line: u64) -> OpeningRow {
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let (units, units_fault) = match units(cell(self.units)) {
            Some(count) if count > 0 => (Units::new(count).ok(), None),
            Some(_) => (None, Some(RowFault::Refused(Refusal::UnitsNotPositive))),
            None => (None, Some(RowFault::UnitsUnreadable)),
        };
        let (last_day, day_fault) = match self.last_day.map(cell).filter(|cell| !cell.is_empty()) {
            Some(cell) => match Day::parse(cell) {
                Some(day) => (Some(day), None),
                None => (None, Some(RowFault::LastDayUnreadable)),
            },
            None => (None, None),
        };
        let number = cell(self.phone).to_owned();
        OpeningRow { line, number, units, last_day, fault: units_fault.or(day_fault), same_as: None }
    }
}

/// A whole number as people and their tables write it: `1200`, `1,200`, `1,200점`.
fn units(cell: &str) -> Option<i64> {
    let number = cell.trim_end_matches(['점', '개', '장', '원']).trim_end();
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, number),
    };
    let groups: Vec<&str> = digits.split(',').collect();
    let grouped = groups.len() == 1
        || ((1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3));
    let digits = groups.concat();
    if !grouped || digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok().map(|number| sign * number)
}

/// A number without what people write differently in it, to find it twice in a file. A table may have dropped its zero.
fn plain(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let own = if number.starts_with('+') { digits.strip_prefix("82") } else { None };
    own.unwrap_or(&digits).trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(file: &str) -> Vec<OpeningRow> {
        read(file.as_bytes()).unwrap()
    }

    fn fault(file: &[u8]) -> OpeningFault {
        match read(file) {
            Err(PhoneError::Opening(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_with_a_mark_carriage_returns_and_quotes_is_read_under_either_header() {
        for file in [
            "\u{feff}이름,점수,전화번호,유효기간\r\n홍,\"1,200\",010-1234-5678,2027-05-31\r\n",
            "UNITS , Last_Day ,PHONE\n\"1,200점\", 2027-05-31 , 010-1234-5678 \n\n",
        ] {
            let [row] = &rows(file)[..] else { panic!("{file}") };
            assert_eq!((row.number.as_str(), row.units), ("010-1234-5678", Units::new(1_200).ok()));
            assert_eq!(row.last_day, Day::parse("2027-05-31"));
            assert_eq!((row.fault.clone(), row.line), (None, 2));
        }
    }

    #[test]
    fn a_row_knows_its_line_behind_empty_lines_and_lines_within_quotes() {
        let file = "phone,units,note\r\n\r\n1,1,\"two\r\nlines\"\r\n\n2,1,\n3,1,";
        let lines: Vec<_> = rows(file).iter().map(|row| (row.number.clone(), row.line)).collect();
        assert_eq!(lines, [("1".into(), 3), ("2".into(), 6), ("3".into(), 7)]);
    }

    #[test]
    fn what_cannot_be_read_is_told_of_its_row_and_the_others_stay() {
        let rows = rows("phone,개수,유효기간\n010-1,7,\n010-2,일곱,\n010-3,-7,\n010-4,7,내일\n010-5\n");
        let faults: Vec<_> = rows.iter().map(|row| row.fault.clone()).collect();
        let none = RowFault::Refused(Refusal::UnitsNotPositive);
        assert_eq!(
            faults,
            [
                None,
                Some(RowFault::UnitsUnreadable),
                Some(none),
                Some(RowFault::LastDayUnreadable),
                Some(RowFault::UnitsUnreadable),
            ]
        );
    }

    #[test]
    fn a_file_that_is_none_is_refused_with_the_reason() {
        assert_eq!(fault(b"\xff\xfe\x01"), OpeningFault::NotText);
        assert_eq!(fault(b""), OpeningFault::ColumnMissing(Column::Phone));
        assert_eq!(fault(b"phone,when\n1,2\n"), OpeningFault::ColumnMissing(Column::Units));
        assert_eq!(fault("phone,units,점수\n".as_bytes()), OpeningFault::ColumnTwice(Column::Units));
        assert_eq!(fault(&vec![b'a'; MAX_FILE + 1]), OpeningFault::TooLarge);
        let row = "010-1234-5678,1\n";
        assert_eq!(rows(&format!("phone,units\n{}", row.repeat(MAX_ROWS))).len(), MAX_ROWS);
        let more = format!("phone,units\n{}", row.repeat(MAX_ROWS + 1));
        assert_eq!(fault(more.as_bytes()), OpeningFault::TooManyRows);
    }

    #[test]
    fn whole_numbers_are_read_as_tables_write_them() {
        for (cell, number) in
            [("7", 7), ("1200", 1_200), ("1,200", 1_200), ("1,234,567 점", 1_234_567), ("-3", -3)]
        {
            assert_eq!(units(cell), Some(number), "{cell}");
        }
        for cell in ["", "점", "1.5", "1,2", "12,00", "1200,", "+7", "seven", "99999999999999999999"] {
            assert_eq!(units(cell), None, "{cell}");
        }
    }

    #[test]
    fn one_number_written_differently_is_one_number() {
        for number in
            ["010-1234-5678", "01012345678", "+82 10 1234 5678", "+82 (0)10-1234-5678", "1012345678"]
        {
            assert_eq!(plain(number), "1012345678", "{number}");
        }
        assert_ne!(plain("+1 010 1234 5678"), plain("010-1234-5678"));
    }

    proptest! {
        #[test]
        fn arbitrary_files_never_panic(file in proptest::collection::vec(any::<u8>(), 0..300), rest in ".{0,200}") {
            let _ = read(&file);
            let _ = read(format!("phone,units,last_day\n{rest}").as_bytes());
        }
    }
}
