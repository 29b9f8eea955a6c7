//! The committer: takes everything that waits, commits it as one batch, answers.
//!
//! While one commit runs, the next batch gathers. So one op alone pays one sync of the disk, and sixty-four at once pay one
//! together. Those who were just answered ask again a moment later, one after another: taken at once, the first of them would
//! be a batch of its own, and the others wait for it. So as long as fewer wait than were answered last, a small share of the
//! last commit's time is given to them. Whoever is alone never waits for anyone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use moa_rules::event::Inbox;
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;
use tokio::sync::oneshot;

use crate::store::{Committed, Outcome, Store, StoreError};
use crate::watch::{Watch, Watchers};

/// The most ops in one transaction.
pub const MAX_BATCH: usize = 256;
/// The most requests that wait; one more is told to come again.
pub const MAX_WAITING: usize = 4_096;

/// The part of the last commit's time that a batch may wait for more.
const GATHER: u32 = 10;

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Not decided: the disk did not take it, too much waits, or the server stops. The same op may come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not decided")]
pub struct NotDecided;

struct Job {
    ops: Vec<Submission>,
    answer: oneshot::Sender<Result<Vec<Outcome>, NotDecided>>,
    _undecided: Undecided,
}

/// Ops that were handed over. They are decided even if nobody waits for it.
pub(crate) struct Sent(oneshot::Receiver<Result<Vec<Outcome>, NotDecided>>);

impl Sent {
    /// Blocks until they are on disk.
    ///
    /// # Errors
    /// As [`Engine::submit`].
    pub(crate) fn wait(self) -> Result<Vec<Outcome>, NotDecided> {
        self.0.blocking_recv().map_err(|_| NotDecided)?
    }
}

/// Counts a request until it is answered, or dropped without.
struct Undecided(Arc<AtomicUsize>);

impl Undecided {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A handle on the committer. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    queue: Mutex<Option<SyncSender<Job>>>,
    committer: Mutex<Option<JoinHandle<()>>>,
    watchers: Arc<Watchers>,
    /// Ends the thread that looks for what other servers committed, when it is let go of.
    elsewhere: Mutex<Option<Sender<()>>>,
    undecided: Arc<AtomicUsize>,
}

impl Engine {
    /// Starts the committer on a thread of its own.
    pub fn start(store: Arc<dyn Store>, clock: Clock) -> Self {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let watchers = Arc::new(Watchers::default());
        let committer = Committer {
            store: store.clone(),
            clock: clock.clone(),
            watchers: watchers.clone(),
            last: Timestamp(i64::MIN),
            answered: 0,
            took: Duration::ZERO,
        };
        let thread = std::thread::spawn(move || committer.run(&receiver));
        let (queue, committer) = (Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        let elsewhere = Mutex::new(store.is_shared().then(|| watchers.look_elsewhere(store.clone())));
        let undecided = Arc::default();
        Self { shared: Arc::new(Shared { store, clock, queue, committer, watchers, elsewhere, undecided }) }
    }

    /// Commits ops in this order, together with whatever else waits. Returns once they are on disk.
    ///
    /// # Errors
    /// [`NotDecided`]; some may have been decided all the same, and say so when they come again.
    pub async fn submit(&self, ops: Vec<Submission>) -> Result<Vec<Outcome>, NotDecided> {
        self.send(ops)?.0.await.map_err(|_| NotDecided)?
    }

    /// Hands ops over to be committed like those of [`Self::submit`], and returns at once.
    ///
    /// # Errors
    /// [`NotDecided`], if too much waits or the engine has stopped.
    pub(crate) fn send(&self, ops: Vec<Submission>) -> Result<Sent, NotDecided> {
        let queue = lock(&self.shared.queue).clone().ok_or(NotDecided)?;
        let (answer, answered) = oneshot::channel();
        let job = Job { ops, answer, _undecided: Undecided::new(&self.shared.undecided) };
        queue.try_send(job).map_err(|_| NotDecided)?;
        Ok(Sent(answered))
    }

    /// Requests that wait for the committer or are being committed.
    pub fn undecided(&self) -> usize {
        self.shared.undecided.load(Ordering::SeqCst)
    }

    /// Watches inboxes from now on, of each of which so many events are known: call it before reading them, and nothing is
    /// missed.
    pub fn watch(&self, inboxes: &[(Inbox, u64)]) -> Watch {
        self.shared.watchers.watch(inboxes)
    }

    /// The store, for reads.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// The server's clock.
    pub fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    /// Decides what waits, then refuses what comes. Blocks until the last commit is on disk.
    pub fn stop(&self) {
        drop(lock(&self.shared.queue).take());
        drop(lock(&self.shared.elsewhere).take());
        if let Some(thread) = lock(&self.shared.committer).take() {
            // A committer that panicked has answered `NotDecided` by dropping its jobs.
            drop(thread.join());
        }
    }
}

struct Committer {
    store: Arc<dyn Store>,
    clock: Clock,
    watchers: Arc<Watchers>,
    /// Decisions never go back in time, even if the clock does.
    last: Timestamp,
    /// Requests that were answered together last.
    answered: usize,
    /// How long their commit took.
    took: Duration,
}

impl Committer {
    fn run(mut self, queue: &Receiver<Job>) {
        let mut held: Option<Job> = None;
        while let Some(first) = held.take().or_else(|| queue.recv().ok()) {
            let jobs;
            (jobs, held) = self.gather(first, queue);
            self.last = self.last.max((self.clock)());
            let (began, together) = (Instant::now(), jobs.len());
            self.commit(jobs);
            (self.took, self.answered) = (began.elapsed(), together);
        }
    }

    /// A batch that begins with this request; and the request that is too large for it, if that ended it.
    fn gather(&self, first: Job, queue: &Receiver<Job>) -> (Vec<Job>, Option<Job>) {
        let began = Instant::now();
        let mut count = first.ops.len();
        let mut jobs = vec![first];
        while count < MAX_BATCH {
            let Some(job) = self.next(queue, jobs.len(), began) else { break };
            if count + job.ops.len() > MAX_BATCH {
                return (jobs, Some(job));
            }
            count += job.ops.len();
            jobs.push(job);
        }
        (jobs, None)
    }

    /// What else waits; or comes in time, while so few are gathered since `began`.
    fn next(&self, queue: &Receiver<Job>, gathered: usize, began: Instant) -> Option<Job> {
        if let Ok(job) = queue.try_recv() {
            return Some(job);
        }
        let left = (self.took / GATHER).checked_sub(began.elapsed())?;
        if gathered < self.answered { queue.recv_timeout(left).ok() } else { None }
    }

    fn commit(&self, mut jobs: Vec<Job>) {
        let batch: Vec<Submission> = jobs.iter_mut().flat_map(|job| job.ops.iter().cloned()).collect();
        let mut outcomes = self.attempt(&batch).into_iter();
        for job in jobs {
            let answers: Option<Vec<Outcome>> = outcomes.by_ref().take(job.ops.len()).collect();
            // Whoever asked may have gone; the ops are decided all the same.
            drop(job.answer.send(answers.ok_or(NotDecided)));
        }
    }

    /// One outcome an op; none where it could not be decided. A panic is isolated by halving the batch.
    fn attempt(&self, batch: &[Submission]) -> Vec<Option<Outcome>> {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.store.commit(batch, self.last)));
        match attempt {
            Ok(Ok(Committed { outcomes, touched })) => {
                self.watchers.wake(&touched);
                outcomes.into_iter().map(Some).collect()
            }
            Ok(Err(error)) => {
                report(&error);
                vec![None; batch.len()]
            }
            Err(_) if batch.len() > 1 => {
                let (left, right) = batch.split_at(batch.len() / 2);
                [self.attempt(left), self.attempt(right)].concat()
            }
            Err(_) => {
                let poison = batch.first().map(|submission| submission.op.value().id.to_string());
                tracing::error!(op = poison, "an op made the engine panic; it was not decided");
                vec![None; batch.len()]
            }
        }
    }
}

fn report(error: &StoreError) {
    tracing::error!(%error, "a batch could not be committed; nothing of it was kept");
}

/// A panic while the lock was held leaves whole values behind: every critical section is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::tables::system_device;
    use moa_wire::keys::{Signer, SoftwareKey};

    /// A committer whose last commit took an hour and answered so many requests.
    fn answered(requests: usize) -> Committer {
        let (key, _) = SoftwareKey::generate().unwrap();
        Committer {
            store: Arc::new(MemoryStore::new(&system_device(key.public_key()))),
            clock: Arc::new(|| Timestamp(0)),
            watchers: Arc::default(),
            last: Timestamp(0),
            answered: requests,
            took: Duration::from_hours(1),
        }
    }

    fn job() -> Job {
        Job { ops: Vec::new(), answer: oneshot::channel().0, _undecided: Undecided::new(&Arc::default()) }
    }

    #[test]
    fn as_many_as_were_answered_together_are_waited_for_and_no_more() {
        let (sender, queue) = sync_channel(MAX_WAITING);
        let others = std::thread::spawn(move || {
            (0..3).for_each(|_| sender.send(job()).unwrap());
            sender
        });
        let (jobs, held) = answered(3).gather(job(), &queue);
        assert!(jobs.len() >= 3 && held.is_none());
        drop(others.join().unwrap());
    }

    #[test]
    fn whoever_is_alone_waits_for_nobody() {
        let (_sender, queue) = sync_channel(MAX_WAITING);
        for requests in [0, 1] {
            assert_eq!(answered(requests).gather(job(), &queue).0.len(), 1);
        }
    }
}
