//! What happened, as lines a person can read, and a digest over all of it.

use std::collections::VecDeque;

use moa_rules::time::Timestamp;
use moa_wire::keys::sha256;

use crate::START;

/// Lines that a failing seed shows.
const TAIL: usize = 120;

/// The trace of a run.
pub(crate) struct Trace {
    digest: [u8; 32],
    tail: VecDeque<String>,
    aloud: bool,
}

impl Trace {
    /// An empty trace; `aloud` prints each line as it comes.
    pub(crate) fn new(aloud: bool) -> Self {
        Self { digest: [0; 32], tail: VecDeque::new(), aloud }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, at: Timestamp, line: &str) {
        let line = format!("{} {line}", moment(at));
        self.digest = sha256(&[&self.digest, line.as_bytes()]);
        if self.aloud {
            println!("{line}");
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }

    /// Adds bytes that travelled to the digest.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.digest = sha256(&[&self.digest, bytes]);
    }

    /// SHA-256 over all lines and bytes so far, one after the other.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }
}

/// Day, hour, minute, second and thousandth since the start.
pub(crate) fn moment(at: Timestamp) -> String {
    let millis = at.0 - START.0;
    let (days, rest) = (millis.div_euclid(Timestamp::DAY), millis.rem_euclid(Timestamp::DAY));
    let (hours, rest) = (rest / Timestamp::HOUR, rest % Timestamp::HOUR);
    let (minutes, rest) = (rest / Timestamp::MINUTE, rest % Timestamp::MINUTE);
    format!("day {} {hours:02}:{minutes:02}:{:02}.{:03}", days + 1, rest / 1_000, rest % 1_000)
}
