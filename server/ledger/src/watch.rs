//! Waiting for something new in inboxes: what this server commits wakes at once, what another commits on the same database is
//! looked for every second.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use moa_rules::event::Inbox;
use tokio::sync::Notify;

use crate::store::{Store, StoreError};

/// How often what other servers committed is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Inboxes that are looked at in one question.
const AT_ONCE: usize = 1_000;

/// Everyone who waits.
#[derive(Default)]
pub(crate) struct Watchers {
    by_inbox: Mutex<HashMap<Inbox, Vec<Waiting>>>,
}

/// Someone who waits for what comes after the events that they have.
struct Waiting {
    notify: Weak<Notify>,
    seen: u64,
}

impl Watchers {
    /// Watches inboxes, of each of which so many events are known.
    pub(crate) fn watch(self: &Arc<Self>, inboxes: &[(Inbox, u64)]) -> Watch {
        let notify = Arc::new(Notify::new());
        let mut by_inbox = lock(&self.by_inbox);
        for (inbox, seen) in inboxes {
            let waiting = Waiting { notify: Arc::downgrade(&notify), seen: *seen };
            by_inbox.entry(*inbox).or_default().push(waiting);
        }
        Watch { notify, inboxes: inboxes.iter().map(|(inbox, _)| *inbox).collect(), watchers: self.clone() }
    }

    /// Something landed in these.
    pub(crate) fn wake(&self, touched: &[Inbox]) {
        let by_inbox = lock(&self.by_inbox);
        let waiting = touched.iter().filter_map(|inbox| by_inbox.get(inbox)).flatten();
        waiting.filter_map(|waiting| waiting.notify.upgrade()).for_each(|notify| notify.notify_one());
    }

    /// Wakes whoever waits for events that are there.
    fn look(&self, store: &dyn Store) -> Result<(), StoreError> {
        let inboxes: Vec<Inbox> = lock(&self.by_inbox).keys().copied().collect();
        for some in inboxes.chunks(AT_ONCE) {
            let heads = store.heads(some)?;
            let by_inbox = lock(&self.by_inbox);
            for (inbox, head) in some.iter().zip(heads) {
                let waiting = by_inbox.get(inbox).into_iter().flatten();
                let behind = waiting.filter(|waiting| waiting.seen < head.count);
                behind.filter_map(|waiting| waiting.notify.upgrade()).for_each(|notify| notify.notify_one());
            }
        }
        Ok(())
    }

    /// Looks for what other servers commit, until what is returned is let go of.
    pub(crate) fn look_elsewhere(self: &Arc<Self>, store: Arc<dyn Store>) -> Sender<()> {
        let (stop, stopped) = channel();
        let watchers = self.clone();
        thread::spawn(move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = watchers.look(store.as_ref()) {
                    tracing::warn!(%error, "what other servers committed could not be looked for");
                }
            }
        });
        stop
    }
}

/// Resolves when one of its inboxes has something new.
pub struct Watch {
    notify: Arc<Notify>,
    inboxes: Vec<Inbox>,
    watchers: Arc<Watchers>,
}

impl Watch {
    /// Waits until something landed in one of the inboxes since the watch began, or since this returned last.
    pub async fn changed(&mut self) {
        self.notify.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut by_inbox = lock(&self.watchers.by_inbox);
        for inbox in &self.inboxes {
            if let Some(waiting) = by_inbox.get_mut(inbox) {
                waiting.retain(|waiting| waiting.notify.as_ptr() != Arc::as_ptr(&self.notify));
                if waiting.is_empty() {
                    by_inbox.remove(inbox);
                }
            }
        }
    }
}

/// A panic while the lock was held leaves whole values behind: every critical section is a single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
