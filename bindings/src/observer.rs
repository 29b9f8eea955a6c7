//! Observers: told the state at once, then whenever it has changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use moa_phone::sync::Failure;
use moa_phone::{Kind, PhoneError, SignedIn};
use moa_words::{Line, PhoneText, line, phone as phone_text};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::app::Inner;
use crate::error::offline_code;
use crate::records::Balance;
use crate::till::TillState;

/// Refusals that come with the state. A person reads one at a time.
const REFUSALS: usize = 8;

/// An op of this phone that the server refused.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefusedItem {
    /// Its id, for `dismiss`.
    pub op: String,
    /// The stable word for the reason.
    pub code: String,
    /// What stood in the way, and what to do.
    pub text: String,
}

/// What a screen shows of the whole app.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppState {
    /// Whether someone is signed in.
    pub signed_in: bool,
    /// Whether the last request came to nothing.
    pub offline: bool,
    /// The stable word for why, as in `ApiError.Offline`: `no_connection`, `not_our_server`, `server_busy`. Empty if not
    /// offline.
    pub offline_code: String,
    /// What to say of that, with what waits: `no connection, 3 sales waiting to be sent`. Empty if not offline.
    pub offline_text: String,
    /// Ops that wait for the server.
    pub waiting: u32,
    /// Sales among them.
    pub sales_waiting: u32,
    /// Refusals not yet dismissed.
    pub refused: u32,
    /// The oldest of them, at most eight, to be shown one by one.
    pub refusals: Vec<RefusedItem>,
    /// Whether what came from the server did not match what it signed: shown until `start_over`.
    pub integrity_broken: bool,
    /// What to say of that, and what to do; empty if all matches.
    pub integrity_text: String,
    /// The buyer's mileage by group.
    pub balances: Vec<Balance>,
    /// How the till stands without the server; none if the phone acts for no shop.
    pub till: Option<TillState>,
}

impl AppState {
    pub(crate) fn now(app: &Inner) -> Result<Self, PhoneError> {
        let phone = app.phone();
        let (mut waiting, mut sales_waiting, mut refused) = (0, 0, 0);
        let mut refusals = Vec::new();
        for item in phone.outbox()? {
            match item.fate {
                moa_phone::Fate::Refused(why) => {
                    refused += 1;
                    if refusals.len() < REFUSALS {
                        let (op, text) = (item.op.to_string(), app.dress().refusal(&why));
                        refusals.push(RefusedItem { op, code: why.code, text });
                    }
                }
                moa_phone::Fate::Applied => {}
                moa_phone::Fate::Waiting | moa_phone::Fate::BeingChecked => {
                    waiting += 1;
                    sales_waiting += u32::from(item.kind == Kind::RecordSale);
                }
            }
        }
        let broken = phone.breach()?.is_some();
        let failure = app.client.status().failure;
        let offline_line = match failure {
            Some(Failure::NotOurServer(_)) => Line::NotOurServer { sales: sales_waiting, waiting },
            _ => Line::NoNetwork { sales: sales_waiting, waiting },
        };
        Ok(Self {
            signed_in: matches!(phone.signed_in()?, SignedIn::Yes(_)),
            offline: failure.is_some(),
            offline_code: failure.as_ref().map_or("", offline_code).to_owned(),
            offline_text: failure.map_or_else(String::new, |_| line(app.lang, &offline_line)),
            waiting,
            sales_waiting,
            refused,
            refusals,
            integrity_broken: broken,
            integrity_text: if broken { phone_text(app.lang, PhoneText::Integrity) } else { String::new() },
            till: TillState::now(app)?,
            balances: phone.balances()?.into_iter().map(|balance| app.dress().balance(balance)).collect(),
        })
    }
}

/// Told of the app's state. Called on a thread of the app's own: hand over to the screen's.
#[uniffi::export(with_foreign)]
pub trait Observer: Send + Sync {
    /// The state now.
    fn changed(&self, state: AppState);
}

/// An observer's subscription. Cancel it or give it up, and the observer is not called again.
#[derive(uniffi::Object)]
pub struct Subscription {
    task: AbortHandle,
    /// A call that has only been queued looks here before it is made.
    ended: Arc<AtomicBool>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[uniffi::export]
impl Subscription {
    /// No more calls, but for one that may be under way.
    pub fn cancel(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

impl Subscription {
    pub(crate) fn start(
        runtime: &Runtime,
        app: Weak<Inner>,
        mut changes: watch::Receiver<u64>,
        observer: Arc<dyn Observer>,
    ) -> Arc<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        let task = runtime.spawn(async move {
            loop {
                changes.mark_unchanged();
                let Some(app) = app.upgrade() else { return };
                let (observer, is_ended) = (Arc::clone(&observer), Arc::clone(&is_ended));
                // The disk and the observer may take their time: not on a thread that others wait for.
                let told = tokio::task::spawn_blocking(move || {
                    let is_ended = || is_ended.load(Ordering::Relaxed);
                    if is_ended() {
                        return;
                    }
                    match AppState::now(&app) {
                        Ok(state) if !is_ended() => observer.changed(state),
                        _ => {} // Storage that cannot be read is told by the calls that fail.
                    }
                });
                // An observer that throws is called again at the next change.
                drop(told.await);
                if changes.changed().await.is_err() {
                    return;
                }
            }
        });
        Arc::new(Self { task: task.abort_handle(), ended })
    }
}
