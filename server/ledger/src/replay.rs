//! Every event of a journal in an order that agrees with all of its inboxes at once.
//!
//! No table keeps such an order: each inbox numbers its own events. An event comes when it is the next one of every inbox
//! that it landed in. Only the next few events of an inbox are held; see [`HELD`].

use std::collections::{BTreeMap, VecDeque};

use moa_rules::event::{Event, Inbox};
use moa_wire::canonical;

use crate::journal::Journal;
use crate::store::StoreError;

/// Entries of an inbox that are read at once, while fewer than [`HELD`] are held.
const PAGE: usize = 64;
/// Entries of an inbox that are read at once beyond that.
const SMALL_PAGE: usize = 4;
/// Entries of all inboxes, beyond which they are read in small pages: about 20 MB.
const HELD: usize = 65_536;

/// Gives `visit` every event once, in such an order; entries of `inboxes` that are no events of theirs are passed over.
/// What is left, by inbox, never became the next one everywhere: something is missing from another inbox.
///
/// # Errors
/// [`StoreError`] of the journal, or of `visit`.
pub fn replay(
    journal: &mut dyn Journal,
    inboxes: impl IntoIterator<Item = Inbox>,
    visit: &mut dyn FnMut(&Event) -> Result<(), StoreError>,
) -> Result<BTreeMap<Inbox, u64>, StoreError> {
    let chains = inboxes.into_iter().map(|inbox| (inbox, Chain::default())).collect();
    let mut replay = Replay { journal, chains, held: 0 };
    let mut ready: VecDeque<Inbox> = replay.chains.keys().copied().collect();
    while let Some(inbox) = ready.pop_front() {
        while let Some((event, bytes)) = replay.next(inbox)? {
            let places = event.body.inboxes();
            if !replay.is_next(&places, &bytes)? {
                break;
            }
            places.iter().for_each(|place| replay.pass(*place));
            ready.extend(places.into_iter().filter(|place| *place != inbox));
            visit(&event)?;
        }
    }
    replay.left()
}

struct Replay<'a> {
    journal: &'a mut dyn Journal,
    chains: BTreeMap<Inbox, Chain>,
    /// Entries in all chains.
    held: usize,
}

/// The next entries of an inbox.
#[derive(Default)]
struct Chain {
    entries: VecDeque<Vec<u8>>,
    /// The number of the last entry read.
    read: u64,
    ended: bool,
}

impl Replay<'_> {
    /// The next event of an inbox, and its bytes.
    fn next(&mut self, inbox: Inbox) -> Result<Option<(Event, Vec<u8>)>, StoreError> {
        while let Some(bytes) = self.front(inbox)?.cloned() {
            match canonical::decode::<Event>(&bytes) {
                Ok(event) if event.body.inboxes().contains(&inbox) => return Ok(Some((event, bytes))),
                _ => self.pass(inbox),
            }
        }
        Ok(None)
    }

    fn is_next(&mut self, places: &[Inbox], bytes: &Vec<u8>) -> Result<bool, StoreError> {
        for place in places {
            if self.front(*place)? != Some(bytes) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn front(&mut self, inbox: Inbox) -> Result<Option<&Vec<u8>>, StoreError> {
        let Some(chain) = self.chains.get_mut(&inbox) else { return Ok(None) };
        if chain.entries.is_empty() && !chain.ended {
            let limit = if self.held < HELD { PAGE } else { SMALL_PAGE };
            let page = self.journal.page(inbox, chain.read, limit)?;
            chain.ended = page.len() < limit;
            chain.read = page.last().map_or(chain.read, |(number, _)| *number);
            self.held += page.len();
            chain.entries.extend(page.into_iter().map(|(_, bytes)| bytes));
        }
        Ok(chain.entries.front())
    }

    fn pass(&mut self, inbox: Inbox) {
        let passed = self.chains.get_mut(&inbox).and_then(|chain| chain.entries.pop_front());
        self.held -= usize::from(passed.is_some());
    }

    fn left(mut self) -> Result<BTreeMap<Inbox, u64>, StoreError> {
        let mut left = BTreeMap::new();
        let inboxes: Vec<Inbox> = self.chains.keys().copied().collect();
        for inbox in inboxes {
            let mut count = 0;
            while self.next(inbox)?.is_some() {
                self.pass(inbox);
                count += 1;
            }
            if count > 0 {
                left.insert(inbox, count);
            }
        }
        Ok(left)
    }
}
