//! Sync: a machine without sockets, threads or a clock. It says what to ask, and takes what came.
//!
//! Lanes run beside each other, each with one request under way at most: *push* sends the outbox, *session* has a token
//! ready when a read wants to go (ops never wait for it: they are signed), *pull* follows the inboxes and the directory (or takes a snapshot, and then nothing is pushed meanwhile, so that it is certain what the
//! snapshot holds), *look-up* asks for what screens wanted of the directory, *invitations* has the server send
//! those that go by mail or text message. A lane that fails
//! asks again later: full jitter up to 300 seconds, `Retry-After` honoured, kept in the store over restarts.
//!
//! ```text
//! loop { phone.choose_at_once()            -- signs, so no lock is held meanwhile
//!        work = machine.poll(phone, now)   -> give these up, send these; if work.endorse,
//!        machine.endorsed(phone, phone.endorse(), now)   -- signs too, beside everything else
//!        machine.receive(phone, id, answer, now)
//!        sleep until machine.next_wakeup() }
//! ```

mod again;
pub(crate) mod answer;
mod apply;
mod ask;
mod directory;
mod invite;
mod note;
mod pull;
mod push;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use moa_rules::id::OpId;
use moa_rules::time::Timestamp;
use moa_wire::api::MAX_OPS;
use moa_wire::channel::Channel;

use crate::environment::up_to;
use crate::error::PhoneError;
use crate::key_store::KeyStoreError;
use crate::lookup::Lookup;
use crate::phone::Phone;
use crate::session::{Kept, Stage};
use crate::store::bound::Bounds as DirectoryBounds;
use crate::store::lane::{self, Standing};
use crate::store::{invitation_links, meta, outbox};
use crate::transport::{Request, Response, TransportError};

pub use answer::Failure;

/// The longest that a lane waits of its own accord, in milliseconds.
const MOST_BACKOFF: u64 = 300_000;
/// The same while someone stands at the till.
const MOST_BACKOFF_AT_TILL: u64 = 4_000;
/// The least that a lane waits.
const LEAST_BACKOFF: i64 = 250;
/// The longest that a lane waits because the server asked, in seconds.
pub(crate) const MOST_RETRY_AFTER_S: u32 = 3_600;
/// How soon a key store is asked again that did not open the secrets.
const LOCKED: i64 = 5 * Timestamp::SECOND;
/// How often the directory is followed while the app is in the foreground.
const DIRECTORY_EVERY: i64 = 15 * Timestamp::MINUTE;

/// Names a request until its answer is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(u64);

/// Names a call of [`Machine::sync_now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What is to be done now.
#[derive(Debug, Default)]
pub struct Work {
    /// Requests whose answers are no longer wanted.
    pub give_up: Vec<RequestId>,
    /// Requests to be sent.
    pub send: Vec<(RequestId, Request)>,
    /// Whether [`Phone::endorse`] is to be called: the device key vouches for a session key, and may ask for a finger.
    /// Whatever comes of it goes to [`Machine::endorsed`]; the machine asks once until then.
    pub endorse: bool,
}

/// How the sync fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// Why the last request came to nothing; none if it came to something.
    pub failure: Option<Failure>,
    /// Whether everything that the server had was received since the phone was opened.
    pub caught_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Push,
    Session,
    Pull,
    LookUp,
    Invitations,
}

impl Lane {
    const ALL: [Self; 5] = [Self::Push, Self::Session, Self::Pull, Self::LookUp, Self::Invitations];

    fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Session => "session",
            Self::Pull => "pull",
            Self::LookUp => "look-up",
            Self::Invitations => "invitations",
        }
    }
}

/// What a request for changes is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// What is new.
    News,
    /// The same, and a page of the directory.
    NewsAndDirectory,
    /// Whatever comes next, and waits for it.
    Waits,
}

/// A request under way, with the tick at which it was sent.
#[derive(Clone)]
enum UnderWay {
    Push { ops: Vec<OpId> },
    Session(Box<Kept>),
    Changes { sent: u64, cursor: String, reads: Reads },
    Snapshot,
    Lookup(Lookup),
    Invitation { invitation: OpId, channel: Channel },
}

impl UnderWay {
    fn lane(&self) -> Lane {
        match self {
            Self::Push { .. } => Lane::Push,
            Self::Session(_) => Lane::Session,
            Self::Changes { .. } | Self::Snapshot => Lane::Pull,
            Self::Lookup(_) => Lane::LookUp,
            Self::Invitation { .. } => Lane::Invitations,
        }
    }
}

/// The sync of one phone. Whoever drives it gives it the phone's own clock.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; no two make up a state")]
pub struct Machine {
    next_id: u64,
    /// Orders what happened here: requests sent, verdicts received, tickets drawn.
    tick: u64,
    under_way: BTreeMap<RequestId, UnderWay>,
    lanes: BTreeMap<Lane, Standing>,
    foreground: bool,
    /// How many ops go in one request: fewer while one that the server does not take is being isolated.
    batch: usize,
    /// The last redemption that was not made to wait for its lane.
    hurried: Option<OpId>,
    /// The tick of the last verdicts that may have brought events.
    pushed: u64,
    /// The tick at which the last request was sent that brought everything there was.
    changes_complete: u64,
    directory_complete: u64,
    directory_wanted: bool,
    follows_directory: bool,
    /// How much of the directory is kept.
    bounds: DirectoryBounds,
    /// Whether the last cursor was gone when it was used.
    cursor_gone: bool,
    /// Whether the device key was asked to vouch for a session key, and has not answered.
    endorsing: bool,
    /// Whether a session is wanted beside the sync's own reads.
    session_wanted: bool,
    /// Lanes that the server denied, or told its time, and that asked again at once; until they succeed, or
    /// wait.
    again: BTreeSet<Lane>,
    open: Option<Ticket>,
    /// The first request that may be sent for the open ticket; those before were sent without it.
    asked_from: RequestId,
    /// The request whose answer is being taken.
    taking: RequestId,
    finished: Option<(Ticket, Result<(), Failure>)>,
    failure: Option<Failure>,
    wakeup: Option<Timestamp>,
}

impl Machine {
    /// The sync of this phone, as it stood when it was last stopped.
    ///
    /// # Errors
    /// Storage.
    pub fn new(phone: &Phone) -> Result<Self, PhoneError> {
        let mut lanes = BTreeMap::new();
        for lane in Lane::ALL {
            lanes.insert(lane, phone.store().read(|db| lane::get(db, lane.name()))?);
        }
        Ok(Self {
            next_id: 0,
            tick: 1,
            under_way: BTreeMap::new(),
            lanes,
            foreground: true,
            batch: MAX_OPS,
            hurried: None,
            pushed: 0,
            changes_complete: 0,
            directory_complete: 0,
            directory_wanted: false,
            follows_directory: true,
            bounds: DirectoryBounds::default(),
            cursor_gone: false,
            endorsing: false,
            session_wanted: false,
            again: BTreeSet::new(),
            open: None,
            asked_from: RequestId(0),
            taking: RequestId(0),
            finished: None,
            failure: None,
            wakeup: None,
        })
    }

    /// Whether the app is being looked at: only then is the server's long poll used.
    pub fn set_foreground(&mut self, foreground: bool) {
        self.foreground = foreground;
    }

    /// Whether the app is being looked at.
    pub fn is_foreground(&self) -> bool {
        self.foreground
    }

    /// Keeps another share of the directory than usual, from the next page on.
    pub fn set_directory_bounds(&mut self, bounds: DirectoryBounds) {
        self.bounds = bounds;
    }

    /// Whether the directory is followed. A till that only sells can do without: what it meets it looks up.
    pub fn set_follows_directory(&mut self, follows: bool) {
        self.follows_directory = follows;
    }

    /// How the sync fares.
    pub fn status(&self) -> SyncStatus {
        SyncStatus { failure: self.failure.clone(), caught_up: self.changes_complete > 0 }
    }

    /// Asks for everything at once: what waits is sent, what the server has is received, now and not when a lane
    /// would have tried again. See [`Self::finished`].
    ///
    /// # Errors
    /// Storage.
    pub fn sync_now(&mut self, phone: &Phone, now: Timestamp) -> Result<Ticket, PhoneError> {
        let ticket = Ticket(self.tick());
        self.open = Some(ticket);
        self.asked_from = RequestId(self.next_id);
        for (lane, standing) in &mut self.lanes {
            if standing.asked && now < patience(*standing, now) {
                self.finished = Some((ticket, Err(Failure::Busy { until: standing.not_before })));
                self.open = None;
            } else if standing.not_before > now {
                standing.not_before = now;
                phone.store().write(|db| lane::set(db, lane.name(), *standing))?;
            }
        }
        Ok(ticket)
    }

    /// What came of a ticket, once it is known: everything is answered and received, or the first thing that failed.
    pub fn finished(&self, ticket: Ticket) -> Option<Result<(), Failure>> {
        let (last, result) = self.finished.as_ref()?;
        (*last >= ticket).then(|| result.clone())
    }

    /// When to poll again, by the phone's own clock, if nothing happens before.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.wakeup
    }

    /// What is to be done now.
    ///
    /// # Errors
    /// Storage; nothing is lost, poll again.
    pub fn poll(&mut self, phone: &Phone, now: Timestamp) -> Result<Work, PhoneError> {
        let mut work = Work::default();
        self.wakeup = None;
        let (account, cursor) =
            phone.store().read(|db| Ok((meta::get(db, &meta::ACCOUNT)?, meta::get(db, &meta::CURSOR)?)))?;
        if account.is_none() {
            self.finish(Err(Failure::NotSignedIn));
            return Ok(work);
        }
        let session = match phone.session() {
            Err(PhoneError::Key(error)) => {
                self.locked(phone, error, now);
                return Ok(work);
            }
            session => session?,
        };
        // The snapshot comes first: it is asked for before anything new is pushed.
        let reader = match &session {
            Some(Stage::Ready(reader)) => Some(reader),
            _ => None,
        };
        let mut reads_wait = self.session_wanted;
        if session.is_some() {
            reads_wait |= !self.poll_pull(phone, reader, cursor.as_deref(), now, &mut work)?;
        }
        self.poll_push(phone, now, &mut work)?;
        if session.is_some() {
            reads_wait |= !self.poll_lookup(phone, reader, now, &mut work)?;
            reads_wait |= !self.poll_invitations(phone, reader, now, &mut work)?;
        }
        match session {
            Some(stage) if reads_wait => self.poll_session(phone, stage, now, &mut work)?,
            Some(_) => {}
            None => self.finish(Err(Failure::SignInAgain)),
        }
        self.settle(phone, now)?;
        Ok(work)
    }

    /// Takes the answer to a request. One that was given up is ignored.
    ///
    /// # Errors
    /// Storage; the answer was not taken, and its lane asks again.
    pub fn receive(
        &mut self,
        phone: &Phone,
        id: RequestId,
        answer: Result<Response, TransportError>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let Some(under_way) = self.under_way.remove(&id) else { return Ok(()) };
        let lane = under_way.lane();
        let before = self.failure.clone();
        self.taking = id;
        let taken = match under_way {
            UnderWay::Push { ops } => self.pushed(phone, &ops, answer, now),
            UnderWay::Session(asked) => self.session_answered(phone, *asked, answer, now),
            UnderWay::Changes { sent, cursor, reads } => {
                self.changes(phone, sent, (&cursor, reads), answer, now)
            }
            UnderWay::Snapshot => self.snapshot(phone, answer, now),
            UnderWay::Lookup(lookup) => self.looked_up(phone, lookup, answer, now),
            UnderWay::Invitation { invitation, channel } => {
                self.invitation_sent(phone, (invitation, channel), answer, now)
            }
        };
        if let Err(error) = &taken {
            self.failed(phone, lane, Failure::Storage(error.to_string()), None, now)?;
        }
        if self.failure != before {
            phone.changed();
        }
        taken?;
        self.settle(phone, now)
    }

    /// The key store does not open the secrets now. Nothing is sent without them; it is asked again soon.
    fn locked(&mut self, phone: &Phone, error: KeyStoreError, now: Timestamp) {
        let failure = Failure::Key(error);
        if self.failure.as_ref() != Some(&failure) {
            self.failure = Some(failure.clone());
            phone.changed();
        }
        self.finish(Err(failure));
        self.wake_at(now.plus(LOCKED));
    }

    fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    fn send(&mut self, work: &mut Work, under_way: UnderWay, request: Request) {
        let id = RequestId(self.next_id);
        self.next_id += 1;
        self.under_way.insert(id, under_way);
        work.send.push((id, request));
    }

    fn is_under_way(&self, lane: Lane) -> bool {
        self.under_way.values().any(|under_way| under_way.lane() == lane)
    }

    /// Whether a lane may ask now; if not, the machine wakes when it may.
    fn may_ask(&mut self, lane: Lane, now: Timestamp) -> bool {
        let not_before = patience(self.standing(lane), now);
        if not_before <= now {
            return true;
        }
        self.wake_at(not_before);
        false
    }

    fn standing(&self, lane: Lane) -> Standing {
        self.lanes.get(&lane).copied().unwrap_or_default()
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.wakeup = Some(self.wakeup.map_or(at, |wakeup| wakeup.min(at)));
    }

    /// A lane got what it asked for.
    fn succeeded(&mut self, phone: &Phone, lane: Lane) -> Result<(), PhoneError> {
        self.failure = None;
        self.again.remove(&lane);
        phone.heard_server()?;
        self.stand(phone, lane, Standing::default())
    }

    /// A lane got nothing: it asks again later, under the same ids.
    fn failed(
        &mut self,
        phone: &Phone,
        lane: Lane,
        failure: Failure,
        retry_after_s: Option<u32>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        tracing::debug!(lane = lane.name(), %failure, "asking again later");
        self.failure = Some(failure.clone());
        self.session_wanted &= lane != Lane::Session;
        self.again.remove(&lane);
        let overtaken = self.open.is_some() && self.taking < self.asked_from;
        if overtaken && retry_after_s.is_none() {
            // It failed before anyone asked for everything at once: the lane asks anew, the ticket stays open.
            let standing = Standing { not_before: now, ..self.standing(lane) };
            return self.stand(phone, lane, standing);
        }
        self.finish(Err(failure));
        self.back_off(phone, lane, retry_after_s, now)
    }

    /// A lane asks again later: the later, the more often it came to nothing.
    fn back_off(
        &mut self,
        phone: &Phone,
        lane: Lane,
        retry_after_s: Option<u32>,
        now: Timestamp,
    ) -> Result<(), PhoneError> {
        let failures = self.standing(lane).failures.saturating_add(1);
        let at_till = lane == Lane::Push && push::at_till(phone)?.is_some();
        let most = if at_till { MOST_BACKOFF_AT_TILL } else { MOST_BACKOFF };
        let wait = match retry_after_s {
            Some(seconds) => i64::from(seconds.clamp(1, MOST_RETRY_AFTER_S)) * Timestamp::SECOND,
            None => {
                let span = (1_000 << failures.saturating_sub(1).min(20)).min(most);
                i64::try_from(up_to(phone.environment(), span)).unwrap_or(LEAST_BACKOFF).max(LEAST_BACKOFF)
            }
        };
        let standing = Standing { failures, not_before: now.plus(wait), asked: retry_after_s.is_some() };
        self.stand(phone, lane, standing)
    }

    fn stand(&mut self, phone: &Phone, lane: Lane, standing: Standing) -> Result<(), PhoneError> {
        if self.lanes.insert(lane, standing) == Some(standing) {
            return Ok(());
        }
        phone.store().write(|db| lane::set(db, lane.name(), standing))
    }

    fn finish(&mut self, result: Result<(), Failure>) {
        if let Some(ticket) = self.open.take() {
            self.finished = Some((ticket, result));
        }
    }

    /// Closes the open ticket, if everything that it asked for has come.
    fn settle(&mut self, phone: &Phone, now: Timestamp) -> Result<(), PhoneError> {
        let Some(Ticket(asked)) = self.open else { return Ok(()) };
        if self.is_under_way(Lane::Push) || self.is_under_way(Lane::Invitations) {
            return Ok(());
        }
        let (waiting, due, breach) = phone.store().read(|db| {
            let due = !outbox::due(db, now, 1)?.is_empty();
            Ok((outbox::waiting(db)?.0, due, meta::get(db, &meta::BREACH)?))
        })?;
        if waiting > 0 {
            if !due {
                self.finish(Err(Failure::Later));
            }
            return Ok(());
        }
        if self.changes_complete > asked.max(self.pushed)
            && (self.directory_complete > asked || !self.follows_directory)
            && phone.wanted.first().is_none()
            && phone.to_choose_at_once()?.is_empty()
            && !phone.store().read(invitation_links::any_to_send)?
        {
            self.finish(breach.map_or(Ok(()), |breach| Err(Failure::Integrity(Box::new(breach)))));
        }
        Ok(())
    }
}

/// Until when a lane waits. A time further off than any lane waits was written before the clock was set back: then it
/// may ask now, or it would wait for a year.
fn patience(standing: Standing, now: Timestamp) -> Timestamp {
    let most = now.plus(i64::from(MOST_RETRY_AFTER_S) * Timestamp::SECOND);
    if standing.not_before > most { now } else { standing.not_before }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edge_30_a_clock_that_was_set_back_does_not_make_a_lane_wait() {
        let now = Timestamp(1_795_230_000_000);
        let until = |not_before| patience(Standing { not_before, ..Standing::default() }, now);
        let (soon, later) = (now.plus(Timestamp::MINUTE), now.plus(Timestamp::HOUR));
        assert_eq!((until(soon), until(later)), (soon, later));
        assert_eq!(until(now.plus(Timestamp::HOUR + 1)), now);
        assert_eq!(until(now.plus(365 * Timestamp::DAY)), now);
    }
}
