//! Copying the log of writes back into the file while commits go on: the pages of a batch lie all over a large file, and whoever
//! commits would wait until the disk has all of them.
//!
//! The log begins anew once all of it is copied, and under a load that never pauses something always comes behind. So every
//! [`TURNS`]th time the writer waits for the thread and copies what is left itself: that is little, and bounds the log.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::{configure, doing};
use crate::store::StoreError;

/// Rows written from one copying to the next. Of a batch nearly each is on a page of its own.
const ROWS: u64 = 1_000;
/// Of so many copyings one is the writer's.
const TURNS: u64 = 4;

const SYNC: &str = "PRAGMA synchronous = FULL";
/// Waits for nobody, and leaves what someone still reads.
const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Who copies, and when. It belongs to the writer of a file.
pub struct Checkpoints {
    path: PathBuf,
    /// Rows at which it is time again.
    next: u64,
    turn: u64,
    thread: Option<Thread>,
}

struct Thread {
    /// Whether to copy; taken once it is done with what it was at.
    orders: SyncSender<bool>,
    handle: JoinHandle<()>,
}

impl Checkpoints {
    /// For the file at a path. A thread begins with the first copying.
    pub fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), next: ROWS, turn: 0, thread: None }
    }

    /// After a commit.
    pub fn committed(&mut self, writer: &Connection) {
        let rows = writer.total_changes();
        if rows < self.next {
            return;
        }
        self.next = rows + ROWS;
        self.turn += 1;
        if self.thread.is_none() {
            self.thread = Thread::start(&self.path).ok();
        }
        match &self.thread {
            Some(thread) if !self.turn.is_multiple_of(TURNS) => {
                // It may still be at it: then the next time.
                let _ = thread.orders.try_send(true);
            }
            Some(thread) => {
                let _ = thread.orders.send(false);
                copy(writer);
            }
            None => copy(writer),
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some(Thread { orders, handle }) = self.thread.take() {
            drop(orders);
            drop(handle.join());
        }
    }
}

impl Thread {
    fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(doing("opening the database"))?;
        configure(&connection)?;
        connection.execute_batch(SYNC).map_err(doing("configuring the connection"))?;
        let (orders, taken) = sync_channel(0);
        let handle = std::thread::spawn(move || run(&connection, &taken));
        Ok(Self { orders, handle })
    }
}

fn run(connection: &Connection, orders: &Receiver<bool>) {
    while let Ok(now) = orders.recv() {
        if now {
            copy(connection);
        }
    }
}

/// What is committed is in the log and stays there. A disk that takes no copy takes no commit either, which tells why.
fn copy(connection: &Connection) {
    drop(connection.query_row(COPY, [], |_| Ok(())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_written_without_a_pause_stays_short_and_is_gone_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("moa.db"), folder.path().join("moa.db-wal"));
        let writer = Connection::open(&path).unwrap();
        let begin =
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE pages (bytes BLOB);";
        writer.execute_batch(begin).unwrap();
        let mut checkpoints = Checkpoints::of(&path);
        for _ in 0..100 {
            // A page each.
            let fill =
                "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 250)
                INSERT INTO pages SELECT zeroblob(3000) FROM series";
            writer.execute_batch(fill).unwrap();
            checkpoints.committed(&writer);
        }
        let pages = std::fs::metadata(&log).unwrap().len() / 4_096;
        assert!(pages < 2 * TURNS * ROWS, "{pages} pages of 25,000");
        drop(checkpoints);
        drop(writer);
        assert!(!log.exists());
    }
}
