//! Mileage that a shop gives or takes away without a sale, and opening balances from a file.

use std::sync::Arc;

use moa_phone::{MAX_FILE, MAX_ROWS, OpeningFault, RowFault};
use moa_rules::adjustment::Reason;
use moa_rules::id::{AccountId, BadId};
use moa_rules::quantity::Units;
use moa_rules::terms::Unit;
use moa_rules::time::Day;
use moa_words::{Lang, Mileage as Said, OpeningText, RowText, opening, opening_row, when};

use crate::app::{App, Inner};
use crate::convert::country;
use crate::error::ApiError;
use crate::records::{Mileage, MileageUnit};

/// Why mileage is given or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum GrantReason {
    /// A balance of an older programme, or of paper.
    OpeningBalance,
    /// An apology, a present, a prize.
    Goodwill,
    /// A mistake at the till is put right.
    Correction,
    /// It was got by cheating.
    Misuse,
    /// Something else.
    Other,
}

impl From<GrantReason> for Reason {
    fn from(reason: GrantReason) -> Self {
        match reason {
            GrantReason::OpeningBalance => Self::OpeningBalance,
            GrantReason::Goodwill => Self::Goodwill,
            GrantReason::Correction => Self::Correction,
            GrantReason::Misuse => Self::Misuse,
            GrantReason::Other => Self::Other,
        }
    }
}

/// To whom a shop gives mileage.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Recipient {
    /// A buyer whom the shop knows from its books: the `buyer` of a sale.
    Account {
        /// The account's id.
        id: String,
    },
    /// Whoever shows this member code, or reads out these twelve digits.
    Code {
        /// As scanned or typed.
        text: String,
    },
    /// Whoever has this phone number, whether or not they have signed up.
    Number {
        /// As typed.
        text: String,
    },
}

/// A row of a file of opening balances.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OpeningRow {
    /// Its line in the file.
    pub line: u64,
    /// The phone number, as written.
    pub number: String,
    /// How much, if that could be read.
    pub mileage: Option<Mileage>,
    /// The last day on which it can be used, such as `31 May 2027`; empty: as long as what is earned now.
    pub last_day_text: String,
    /// Whether it would be imported.
    pub good: bool,
    /// Why it is left out, or that its number stands in another line too; empty otherwise.
    pub note: String,
}

/// What importing a file would give, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OpeningPreview {
    /// The group's id.
    pub group: String,
    /// The rows, in the file's order.
    pub rows: Vec<OpeningRow>,
    /// Rows that would be imported.
    pub good: u64,
    /// Different numbers among them.
    pub people: u64,
    /// What would be given in all.
    pub total: Mileage,
    /// What that is worth, in minor units.
    pub value: i64,
    /// All of that in one line.
    pub text: String,
    /// How many rows are left out, as a phrase; empty if none.
    pub left_out_text: String,
    /// That the same file was imported before, and when; empty if not. Then it is not imported again.
    pub imported_text: String,
}

/// A file of opening balances that was read. Nothing of it is sent before it is given to `importOpening`.
#[derive(uniffi::Object)]
pub struct Opening {
    lang: Lang,
    preview: moa_phone::OpeningPreview,
}

#[uniffi::export]
impl Opening {
    /// What importing it would give.
    pub fn preview(&self) -> OpeningPreview {
        let moa_phone::OpeningPreview { unit, ref rows, good, people, units, value, currency, .. } =
            self.preview;
        let (lang, kind) = (self.lang, Unit::kind(unit));
        let mileage = |units| Mileage {
            units: Units::get(units),
            unit: unit.into(),
            text: moa_words::number::mileage(lang, Said::of(units, unit)),
        };
        let left_out = (rows.len() - good) as u64;
        let said =
            OpeningText::Preview { people: people as u64, units: Said::of(units, unit), value, currency };
        let row = |row: &moa_phone::OpeningRow| {
            let note = match (&row.fault, row.same_as) {
                (Some(RowFault::UnitsUnreadable), _) => Some(RowText::UnitsUnreadable),
                (Some(RowFault::LastDayUnreadable), _) => Some(RowText::LastDayUnreadable),
                (Some(RowFault::Refused(reason)), _) => Some(RowText::Refused(reason)),
                (None, Some(line)) => Some(RowText::SameNumber { line }),
                (None, None) => None,
            };
            OpeningRow {
                line: row.line,
                number: row.number.clone(),
                mileage: row.units.map(mileage),
                last_day_text: row.last_day.map(|day| when::date(lang, day)).unwrap_or_default(),
                good: row.fault.is_none(),
                note: note.map(|note| opening_row(lang, &note, currency, kind)).unwrap_or_default(),
            }
        };
        let imported =
            self.preview.imported_at.map(|at| fault_text(lang, OpeningFault::AlreadyImported { at }));
        OpeningPreview {
            group: self.preview.group.to_string(),
            rows: rows.iter().map(row).collect(),
            good: good as u64,
            people: people as u64,
            total: mileage(units),
            value: value.0,
            text: opening(lang, &said),
            left_out_text: match left_out {
                0 => String::new(),
                rows => opening(lang, &OpeningText::LeftOut { rows }),
            },
            imported_text: imported.unwrap_or_default(),
        }
    }
}

/// Why a file is not read or not imported, in a sentence.
pub(crate) fn fault_text(lang: Lang, fault: OpeningFault) -> String {
    let zone = &country();
    let what = match fault {
        OpeningFault::TooLarge => OpeningText::TooLarge { max_bytes: MAX_FILE as u64 },
        OpeningFault::NotText => OpeningText::NotText,
        OpeningFault::NotCsv => OpeningText::NotCsv,
        OpeningFault::ColumnMissing(column) => {
            OpeningText::ColumnMissing { ko: column.as_korean(), en: column.as_str() }
        }
        OpeningFault::ColumnTwice(column) => {
            OpeningText::ColumnTwice { ko: column.as_korean(), en: column.as_str() }
        }
        OpeningFault::TooManyRows => OpeningText::TooManyRows { max: MAX_ROWS as u64 },
        OpeningFault::NothingToImport => OpeningText::NothingToImport,
        OpeningFault::AlreadyImported { at } => OpeningText::AlreadyImported { at, zone },
    };
    opening(lang, &what)
}

/// A line of an imported file that the server refused.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefusedLine {
    /// The line.
    pub line: u64,
    /// The stable word for the reason.
    pub code: String,
    /// What stood in the way.
    pub text: String,
}

/// A file that was imported, and how far that has come.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ImportedFile {
    /// The group's id.
    pub group: String,
    /// When it was imported.
    pub at: i64,
    /// The same, for a screen.
    pub at_text: String,
    /// Rows that wait for the server.
    pub waiting: u64,
    /// Rows that are given.
    pub given: u64,
    /// Lines that the server refused.
    pub refused: Vec<RefusedLine>,
    /// How far it has come, in one line.
    pub text: String,
}

#[uniffi::export]
impl App {
    /// Gives a buyer mileage of what the group gives now, with a reason; up to a last day, as `2027-05-31`, or as long as what is
    /// earned now. Gives the op.
    #[uniffi::method(default(last_day = None))]
    pub fn grant(
        &self,
        group: String,
        to: Recipient,
        units: i64,
        reason: GrantReason,
        last_day: Option<String>,
    ) -> Result<String, ApiError> {
        let (group, units) = (self.group_id(&group)?, self.units(units)?);
        let to = match to {
            Recipient::Account { id } => moa_phone::Recipient::Account(self.account_id(&id)?),
            Recipient::Code { text } => moa_phone::Recipient::Code(text),
            Recipient::Number { text } => moa_phone::Recipient::Number(text),
        };
        let last_day = last_day.map(|day| self.day(&day)).transpose()?;
        Ok(self.ask(self.phone()?.grant(group, &to, units, reason.into(), last_day))?.to_string())
    }

    /// Takes away mileage that this shop gave a buyer; of what the group gives now, unless a unit is named. Gives the op.
    #[uniffi::method(default(unit = None))]
    pub fn take_away(
        &self,
        group: String,
        account: String,
        units: i64,
        reason: GrantReason,
        unit: Option<MileageUnit>,
    ) -> Result<String, ApiError> {
        let (group, account) = (self.group_id(&group)?, self.account_id(&account)?);
        let units = (self.units(units)?, self.unit_of(group, unit)?);
        Ok(self.ask(self.phone()?.take_away(group, account, units, reason.into()))?.to_string())
    }

    /// Reads a file of opening balances: a table with commas in UTF-8, whose first line names the columns `phone` (`전화번호`),
    /// `units` (`점수`, `개수`) and perhaps `last_day` (`유효기간`, as 2027-05-31). Nothing is sent.
    pub fn preview_opening(&self, group: String, file: Vec<u8>) -> Result<Arc<Opening>, ApiError> {
        let group = self.group_id(&group)?;
        let preview = self.ask(self.phone()?.preview_opening(group, &file))?;
        Ok(Arc::new(Opening { lang: self.dress().lang, preview }))
    }

    /// Gives what a file says, to the last good row or not at all. Signs each row: a slow key store takes its time. Gives the
    /// number of rows.
    pub async fn import_opening(&self, opening: Arc<Opening>) -> Result<u64, ApiError> {
        let call = async move |app: Arc<Inner>| {
            let phone = Arc::clone(app.client.phone());
            let imported = tokio::task::spawn_blocking(move || phone.import_opening(&opening.preview)).await;
            match imported {
                Ok(imported) => imported,
                Err(ended) => std::panic::resume_unwind(ended.into_panic()),
            }
        };
        Ok(self.run(call).await? as u64)
    }

    /// The files that this phone imported, newest first, and how far each has come.
    pub fn openings(&self) -> Result<Vec<ImportedFile>, ApiError> {
        let dress = self.dress();
        let file = |file: moa_phone::OpeningItem| {
            let (given, waiting, refused) = (file.given, file.waiting, file.refused.len() as u64);
            ImportedFile {
                group: file.group.to_string(),
                at: file.at.0,
                at_text: dress.moment(file.at),
                waiting,
                given,
                text: opening(dress.lang, &OpeningText::Progress { given, waiting, refused }),
                refused: file
                    .refused
                    .into_iter()
                    .map(|(line, why)| RefusedLine { line, text: dress.refusal(&why), code: why.code })
                    .collect(),
            }
        };
        Ok(self.ask(self.phone()?.openings())?.into_iter().map(file).collect())
    }
}

impl App {
    pub(crate) fn account_id(&self, text: &str) -> Result<AccountId, ApiError> {
        text.parse().map_err(|error: BadId| self.invalid(error))
    }

    pub(crate) fn day(&self, text: &str) -> Result<Day, ApiError> {
        Day::parse(text).ok_or_else(|| self.invalid(format!("{text:?} is no date such as 2027-05-31")))
    }
}
