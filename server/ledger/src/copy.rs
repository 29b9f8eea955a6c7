//! Writes a store anew from another's journal, between any two engines.
//!
//! The journal and the people go over as they are. The live tables are computed from the journal, so that a source whose
//! live tables were damaged gives right ones. What was written is proved before anyone can use it.

use moa_rules::books::Account;
use moa_rules::event::Inbox;
use moa_rules::id::MerchantId;
use moa_rules::state::Row;
use moa_rules::time::Timestamp;

use crate::journal::{Journal, KeptEntry, KeptOp};
use crate::search::{Entry, Id, Target};
use crate::store::{InboxHead, StoreError};
use crate::tables::Tables;
use crate::verify::{self, Report};

/// Things that are written at once.
const AT_ONCE: usize = 1_000;
/// Rows of people that are written at once, if pictures are in them: up to a megabyte each.
const PICTURES_AT_ONCE: usize = 16;

/// A value of a table that is copied as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number, an instant, yes (1) or no (0).
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A table beside the journal, whose rows are copied as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
}

/// Every table of people, and what is to be sent to them. The same names in every database.
pub const PEOPLE: [PeopleTable; 13] = [
    PeopleTable { name: "accounts", columns: &["phone_mac", "account", "named_at"] },
    PeopleTable { name: "recoveries", columns: &["account", "mac", "tries"] },
    PeopleTable { name: "known_devices", columns: &["account", "key", "name", "since", "seen"] },
    PeopleTable { name: "member_tags", columns: &["tag", "account"] },
    PeopleTable {
        name: "one_time_codes",
        columns: &["mac", "account", "code", "made_at", "expires_at", "kept_until", "taken_by"],
    },
    PeopleTable { name: "wrong_digits", columns: &["asker", "mac", "at"] },
    PeopleTable {
        name: "invitation_traces",
        columns: &[
            "issuer",
            "invitation",
            "code_mac",
            "channel",
            "contact_mac",
            "contact",
            "sent_at",
            "delivered_at",
            "opened",
            "opened_at",
            "claimed_at",
            "begun_at",
        ],
    },
    PeopleTable { name: "pictures", columns: &["id", "account", "jpeg", "made_at"] },
    PeopleTable {
        name: "enrolments",
        columns: &[
            "id",
            "phone_mac",
            "public_key",
            "code_mac",
            "address_mac",
            "dial_code",
            "begun_at",
            "expires_at",
            "tries",
            "account",
            "begins",
            "proved",
        ],
    },
    PeopleTable { name: "sessions", columns: &["key", "account", "thumbprint", "refresh_hash", "until"] },
    PeopleTable { name: "tokens", columns: &["hash", "key", "thumbprint", "expires_at"] },
    PeopleTable { name: "peppers", columns: &["mac"] },
    PeopleTable { name: "effects", columns: &["id", "kind", "payload", "due_at", "attempts", "done_at"] },
];

/// A shop or a group, and what is searched of it.
pub type Searched = ((Target, Id), Entry);

/// An empty store that is being filled. Nobody can use it before [`Import::finish`]; if that is never called, nothing is
/// left of it.
pub trait Import {
    /// Writes ops. One that carries another comes before what it carries.
    fn ops(&mut self, ops: &[KeptOp]) -> Result<(), StoreError>;

    /// Writes heads: all of them before the first entry.
    fn heads(&mut self, heads: &[(Inbox, InboxHead)]) -> Result<(), StoreError>;

    /// Writes entries of inboxes. An entry comes after its home.
    fn entries(&mut self, entries: &[KeptEntry]) -> Result<(), StoreError>;

    /// Writes rows of the live tables, and counters.
    fn rows(&mut self, rows: &[Row]) -> Result<(), StoreError>;

    /// Writes when what the directory shows of each shop last changed. The shops are there.
    fn changed(&mut self, changed: &[(MerchantId, Timestamp)]) -> Result<(), StoreError>;

    /// Writes what is searched, and by what it is found.
    fn searched(&mut self, entries: &[Searched]) -> Result<(), StoreError>;

    /// Writes accounts of the books.
    fn balances(&mut self, balances: &[(Account, i64)]) -> Result<(), StoreError>;

    /// Writes rows of a table of people, each with a value for every column.
    fn people(&mut self, table: &PeopleTable, rows: &[Vec<Value>]) -> Result<(), StoreError>;

    /// Reads what was written.
    fn journal(&mut self) -> Result<Box<dyn Journal + '_>, StoreError>;

    /// Makes it durable, and usable.
    fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// What was found in the source. Differences of its live tables are mended in the target.
    pub source: Report,
    /// What was found in the target. None if nothing was written, because the source's journal itself does not hold.
    pub target: Option<Report>,
}

impl Copied {
    /// Whether there is a target, and all of it holds.
    pub fn is_good(&self) -> bool {
        self.target.as_ref().is_some_and(Report::is_clean)
    }
}

/// Fills `target` from `source`, and proves it. It is finished only if everything in it holds.
///
/// # Errors
/// [`StoreError`] of either.
pub fn copy(source: &mut dyn Journal, mut target: Box<dyn Import>) -> Result<Copied, StoreError> {
    let mut report = Report::default();
    let proved = verify::prove_journal(source, &mut report)?;
    if report.in_journal > 0 {
        return Ok(Copied { source: report, target: None });
    }
    write_journal(source, &mut *target)?;
    write_tables(&proved.tables, &mut *target)?;
    for table in &PEOPLE {
        let mut rows = Chunks::new(|rows: &[Vec<Value>]| target.people(table, rows));
        rows.at_once = if table.name == "pictures" { PICTURES_AT_ONCE } else { AT_ONCE };
        source.people(table, &mut |row| rows.add(row))?;
        rows.end()?;
    }
    if let Err(error) = verify::compare(source, proved, &mut report) {
        report.add(|| format!("its tables cannot all be read: {error}"));
    }
    let written = verify::verify(&mut *target.journal()?)?;
    if written.is_clean() {
        target.finish()?;
    }
    Ok(Copied { source: report, target: Some(written) })
}

fn write_journal(source: &mut dyn Journal, target: &mut dyn Import) -> Result<(), StoreError> {
    let mut ops = Chunks::new(|ops: &[KeptOp]| target.ops(ops));
    source.ops(&mut |op| ops.add(op))?;
    ops.end()?;
    let mut heads = Chunks::new(|heads: &[(Inbox, InboxHead)]| target.heads(heads));
    source.heads(&mut |head| heads.add(head))?;
    heads.end()?;
    let mut entries = Chunks::new(|entries: &[KeptEntry]| target.entries(entries));
    for at_home in [true, false] {
        source.entries(&mut |entry| {
            if entry.home.is_none() == at_home { entries.add(entry) } else { Ok(()) }
        })?;
    }
    entries.end()
}

fn write_tables(tables: &Tables, target: &mut dyn Import) -> Result<(), StoreError> {
    let mut rows = Chunks::new(|rows: &[Row]| target.rows(rows));
    tables.rows().try_for_each(|row| rows.add(row))?;
    rows.end()?;
    let mut changed = Chunks::new(|changed: &[(MerchantId, Timestamp)]| target.changed(changed));
    tables.changed.iter().try_for_each(|(merchant, at)| changed.add((*merchant, *at)))?;
    changed.end()?;
    let mut searched = Chunks::new(|entries: &[Searched]| target.searched(entries));
    tables.entries().into_iter().try_for_each(|entry| searched.add(entry))?;
    searched.end()?;
    let mut balances = Chunks::new(|balances: &[(Account, i64)]| target.balances(balances));
    tables.balances.iter().try_for_each(|(account, amount)| balances.add((*account, *amount)))?;
    balances.end()
}

/// Gathers what is written at once.
struct Chunks<T, W> {
    gathered: Vec<T>,
    at_once: usize,
    write: W,
}

impl<T, W: FnMut(&[T]) -> Result<(), StoreError>> Chunks<T, W> {
    fn new(write: W) -> Self {
        Self { gathered: Vec::with_capacity(AT_ONCE), at_once: AT_ONCE, write }
    }

    fn add(&mut self, thing: T) -> Result<(), StoreError> {
        self.gathered.push(thing);
        if self.gathered.len() < self.at_once {
            return Ok(());
        }
        (self.write)(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    fn end(mut self) -> Result<(), StoreError> {
        if self.gathered.is_empty() { Ok(()) } else { (self.write)(&self.gathered) }
    }
}
