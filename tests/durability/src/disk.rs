//! What a disk keeps of what a program did to a folder, when the power goes.
//!
//! A file's bytes are safe once the file was synced; a name (made, changed, removed) once the folder was. Of everything
//! else the disk may keep all, nothing, a beginning, or any sectors at all: the seed says which.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Failure;
use crate::random::Random;

/// The bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files of a folder, by name. Shared memory of SQLite is not among them: it does not outlive the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(pub BTreeMap<String, Vec<u8>>);

impl Files {
    /// Reads a folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.ends_with("-shm") {
                files.insert(name, fs::read(entry.path())?);
            }
        }
        Ok(Self(files))
    }

    /// Makes the folder hold these files and no others.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        for entry in fs::read_dir(folder)? {
            fs::remove_file(entry?.path())?;
        }
        for (name, bytes) in &self.0 {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }
}

/// A step that a program took.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Open { inode: u64, name: String, created: bool, emptied: bool },
    Change { inode: u64, change: Change },
    Sync { inode: u64 },
    SyncNames,
    Name(NameChange),
}

/// What happened to a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

/// What happened to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NameChange {
    Make { name: String, file: usize },
    Move { from: String, to: String },
    Remove { name: String },
}

/// How much of what was not synced is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Nothing,
    Everything,
    /// The steps before one of them; of that, its first sectors.
    Beginning,
    /// Any sectors, in no order.
    Sectors,
}

#[derive(Debug, Clone, Default)]
struct File {
    safe: Vec<u8>,
    unsafe_yet: Vec<Change>,
}

/// What the disk keeps: `before` is the folder when the program started, `log` what the shim wrote down.
///
/// # Errors
/// If the log is not one.
pub fn after_power_cut(before: &Files, log: &[u8], random: &mut Random) -> Result<Files, Failure> {
    let kept = match random.below(4) {
        0 => Kept::Nothing,
        1 => Kept::Everything,
        2 => Kept::Beginning,
        _ => Kept::Sectors,
    };
    let mut disk = Disk::new(before);
    for step in read_log(log)? {
        disk.take(step)?;
    }
    Ok(disk.cut(kept, random))
}

/// Steps in a log that a disk takes: what [`crate::shim::Trouble::cut_at`] counts.
///
/// # Errors
/// If the log is not one.
pub fn steps(log: &[u8]) -> Result<usize, Failure> {
    Ok(read_log(log)?.iter().filter(|step| !matches!(step, Step::Open { .. })).count())
}

struct Disk {
    files: Vec<File>,
    by_inode: BTreeMap<u64, usize>,
    /// As the program sees them.
    names: BTreeMap<String, usize>,
    safe_names: BTreeMap<String, usize>,
    unsafe_names: Vec<NameChange>,
}

impl Disk {
    fn new(before: &Files) -> Self {
        let files: Vec<File> =
            before.0.values().map(|bytes| File { safe: bytes.clone(), unsafe_yet: Vec::new() }).collect();
        let names: BTreeMap<String, usize> =
            before.0.keys().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        Self {
            files,
            by_inode: BTreeMap::new(),
            names: names.clone(),
            safe_names: names,
            unsafe_names: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::Open { inode, name, created, emptied } => {
                if created {
                    self.files.push(File::default());
                    let file = self.files.len() - 1;
                    self.rename(NameChange::Make { name: name.clone(), file });
                }
                let file =
                    *self.names.get(&name).ok_or_else(|| format!("{name} was opened, but is not there"))?;
                self.by_inode.insert(inode, file);
                if emptied && !created {
                    self.files[file].unsafe_yet.push(Change::Length(0));
                }
            }
            Step::Change { inode, change } => self.file(inode)?.unsafe_yet.push(change),
            Step::Sync { inode } => {
                let file = self.file(inode)?;
                for change in std::mem::take(&mut file.unsafe_yet) {
                    apply(&mut file.safe, &change);
                }
            }
            Step::SyncNames => {
                for change in std::mem::take(&mut self.unsafe_names) {
                    apply_name(&mut self.safe_names, &change);
                }
            }
            Step::Name(change) => self.rename(change),
        }
        Ok(())
    }

    fn file(&mut self, inode: u64) -> Result<&mut File, Failure> {
        let file = *self.by_inode.get(&inode).ok_or("a file was written that was never opened")?;
        Ok(&mut self.files[file])
    }

    fn rename(&mut self, change: NameChange) {
        apply_name(&mut self.names, &change);
        self.unsafe_names.push(change);
    }

    fn cut(mut self, kept: Kept, random: &mut Random) -> Files {
        // A journal keeps the order of names, so that what is kept of them is a beginning.
        let names = match kept {
            Kept::Nothing => 0,
            Kept::Everything => self.unsafe_names.len(),
            Kept::Beginning | Kept::Sectors => {
                usize::try_from(random.below(self.unsafe_names.len() as u64 + 1)).unwrap_or(0)
            }
        };
        for change in &self.unsafe_names[..names] {
            apply_name(&mut self.safe_names, change);
        }
        for file in &mut self.files {
            let changes = std::mem::take(&mut file.unsafe_yet);
            keep(&mut file.safe, &changes, kept, random);
        }
        let files = &self.files;
        Files(self.safe_names.iter().map(|(name, file)| (name.clone(), files[*file].safe.clone())).collect())
    }
}

fn apply_name(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Make { name, file } => {
            names.insert(name.clone(), *file);
        }
        NameChange::Move { from, to } => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        NameChange::Remove { name } => {
            names.remove(name);
        }
    }
}

fn apply(safe: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { offset, bytes } => put(safe, *offset, bytes),
        Change::Length(length) => safe.resize(*length, 0),
    }
}

fn put(safe: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if safe.len() < end {
        safe.resize(end, 0);
    }
    safe[offset..end].copy_from_slice(bytes);
}

fn keep(safe: &mut Vec<u8>, changes: &[Change], kept: Kept, random: &mut Random) {
    match kept {
        Kept::Nothing => {}
        Kept::Everything => changes.iter().for_each(|change| apply(safe, change)),
        Kept::Beginning => {
            let whole = usize::try_from(random.below(changes.len() as u64 + 1)).unwrap_or(0);
            changes[..whole].iter().for_each(|change| apply(safe, change));
            if let Some(Change::Write { offset, bytes }) = changes.get(whole) {
                let sectors = usize::try_from(random.below((bytes.len() / SECTOR) as u64 + 1)).unwrap_or(0);
                put(safe, *offset, &bytes[..(sectors * SECTOR).min(bytes.len())]);
            }
        }
        Kept::Sectors => {
            for change in changes {
                match change {
                    Change::Length(_) => {
                        if random.coin() {
                            apply(safe, change);
                        }
                    }
                    Change::Write { offset, bytes } => {
                        for (sector, bytes) in in_sectors(*offset, bytes) {
                            if random.coin() {
                                put(safe, sector, bytes);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The parts of a write, each within a sector of the file.
fn in_sectors(mut offset: usize, mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let room = SECTOR - offset % SECTOR;
        let (part, rest) = bytes.split_at(room.min(bytes.len()));
        parts.push((offset, part));
        offset += part.len();
        bytes = rest;
    }
    parts
}

const CREATED: u64 = 1;
const EMPTIED: u64 = 2;

fn read_log(mut log: &[u8]) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    while !log.is_empty() {
        // A record is one write of the shim's: it is there whole, or not at all.
        let kind = *take(&mut log, 1)?.first().ok_or("no kind")?;
        let (inode, offset) = (number(&mut log)?, number(&mut log)?);
        let length = u32::from_le_bytes(take(&mut log, 4)?.try_into()?);
        let bytes = take(&mut log, usize::try_from(length)?)?;
        let text = || String::from_utf8_lossy(bytes).into_owned();
        steps.push(match kind {
            b'O' => Step::Open {
                inode,
                name: text(),
                created: offset & CREATED != 0,
                emptied: offset & EMPTIED != 0,
            },
            b'W' => {
                let change = Change::Write { offset: usize::try_from(offset)?, bytes: bytes.to_vec() };
                Step::Change { inode, change }
            }
            b'T' => Step::Change { inode, change: Change::Length(usize::try_from(offset)?) },
            b'S' => Step::Sync { inode },
            b'D' => Step::SyncNames,
            b'R' => {
                let both = text();
                let (from, to) = both.split_once('\0').ok_or("a move without a name to go to")?;
                Step::Name(NameChange::Move { from: from.to_owned(), to: to.to_owned() })
            }
            b'U' => Step::Name(NameChange::Remove { name: text() }),
            other => return Err(format!("a step of kind {other}").into()),
        });
    }
    Ok(steps)
}

fn take<'l>(log: &mut &'l [u8], count: usize) -> Result<&'l [u8], Failure> {
    let (taken, rest) = log.split_at_checked(count).ok_or("the log ends within a record")?;
    *log = rest;
    Ok(taken)
}

fn number(log: &mut &[u8]) -> Result<u64, Failure> {
    Ok(u64::from_le_bytes(take(log, 8)?.try_into()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, inode: u64, offset: u64, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        [&[kind][..], &inode.to_le_bytes(), &offset.to_le_bytes(), &length, bytes].concat()
    }

    fn cut(before: &Files, log: &[Vec<u8>], kept: Kept) -> Files {
        let mut disk = Disk::new(before);
        read_log(&log.concat()).unwrap().into_iter().for_each(|step| disk.take(step).unwrap());
        disk.cut(kept, &mut Random::new(7))
    }

    fn one(name: &str, bytes: &[u8]) -> Files {
        Files([(name.to_owned(), bytes.to_vec())].into())
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_go() {
        let before = one("a", b"....");
        let log = [
            record(b'O', 5, 0, b"a"),
            record(b'W', 5, 0, b"xx"),
            record(b'S', 5, 0, b""),
            record(b'W', 5, 2, b"yyyy"),
        ];
        assert_eq!(cut(&before, &log, Kept::Nothing), one("a", b"xx.."));
        assert_eq!(cut(&before, &log, Kept::Everything), one("a", b"xxyyyy"));
        assert_eq!(steps(&log.concat()).unwrap(), 3);
    }

    #[test]
    fn a_new_file_is_there_only_once_its_folder_was_synced() {
        let log = [record(b'O', 5, CREATED, b"new"), record(b'W', 5, 0, b"x"), record(b'S', 5, 0, b"")];
        assert_eq!(cut(&Files::default(), &log, Kept::Nothing), Files::default());
        let log = [&log[..], &[record(b'D', 0, 0, b"")]].concat();
        assert_eq!(cut(&Files::default(), &log, Kept::Nothing), one("new", b"x"));
    }

    #[test]
    fn a_file_moved_over_another_is_the_old_or_the_new_one() {
        let log = [
            record(b'O', 5, CREATED, b"a.new"),
            record(b'W', 5, 0, b"new"),
            record(b'S', 5, 0, b""),
            record(b'R', 0, 0, b"a.new\0a"),
        ];
        assert_eq!(cut(&one("a", b"old"), &log, Kept::Nothing), one("a", b"old"));
        assert_eq!(cut(&one("a", b"old"), &log, Kept::Everything), one("a", b"new"));
    }

    #[test]
    fn sectors_of_a_write_come_and_go_by_themselves() {
        let before = one("a", &vec![0; 64 * SECTOR]);
        let log = [record(b'O', 5, 0, b"a"), record(b'W', 5, 0, &vec![1; 64 * SECTOR])];
        let Files(files) = cut(&before, &log, Kept::Sectors);
        let sectors: Vec<&[u8]> = files["a"].chunks(SECTOR).collect();
        assert!(sectors.iter().all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        let written = sectors.iter().filter(|sector| sector[0] == 1).count();
        assert!((16..48).contains(&written), "{written}");
        assert_eq!(in_sectors(SECTOR - 2, b"abcde"), [(SECTOR - 2, &b"ab"[..]), (SECTOR, &b"cde"[..])]);
    }

    #[test]
    fn a_log_that_ends_within_a_record_is_refused() {
        let log = record(b'W', 5, 0, b"xx");
        assert!(read_log(&log[..log.len() - 1]).is_err());
    }
}
