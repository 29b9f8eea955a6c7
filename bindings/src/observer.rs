//! Observers: told the state at once, then whenever it has changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use moa_phone::sync::Failure;
use moa_phone::{Kind, Mismatch, PhoneError, SetAside, SignedIn};
use moa_words::{Lang, Line, PhoneText, Unsent, line, phone as phone_text};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::app::Inner;
use crate::convert::country;
use crate::devices::NewDevice;
use crate::error::{ApiError, offline_code};
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
    /// Claims among them.
    pub claims_waiting: u32,
    /// When the server was last heard, by its clock: how old is what this phone shows. None before it was heard at all.
    pub heard_at: Option<i64>,
    /// The same with what waits: `As of 14:05, 3 sales waiting`, or `Up to date at 14:05`; empty before it was heard.
    pub as_of_text: String,
    /// What to do about a key store that is locked or fails, and holds the sync up; empty if it does not.
    pub key_text: String,
    /// That the phone's storage was broken and made anew, and what was saved of it; empty if not, and once
    /// `set_aside_read` was called.
    pub set_aside_text: String,
    /// Refusals not yet dismissed.
    pub refused: u32,
    /// The oldest of them, at most eight, to be shown one by one.
    pub refusals: Vec<RefusedItem>,
    /// Whether what came from the server did not match what it signed: shown until `start_over`.
    pub integrity_broken: bool,
    /// What to say of that, and what to do; empty if all matches.
    pub integrity_text: String,
    /// That the server was restored from a backup, and this phone sends again what it had sent since; empty if not, and once
    /// the books agree again.
    pub restored_text: String,
    /// Devices that joined the account without this phone's doing, until they are admitted, revoked, or `deviceSeen`.
    pub new_devices: Vec<NewDevice>,
    /// What to say of them, and what to do; empty if there are none.
    pub new_devices_text: String,
    /// The buyer's mileage by group and unit.
    pub balances: Vec<Balance>,
    /// How the till stands without the server; none if the phone acts for no shop.
    pub till: Option<TillState>,
}

impl AppState {
    pub(crate) fn now(app: &Inner) -> Result<Self, PhoneError> {
        let phone = app.phone();
        let (mut waiting, mut sales_waiting, mut claims_waiting, mut refused) = (0, 0, 0, 0);
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
                    claims_waiting += u32::from(item.kind == Kind::Claim);
                }
            }
        }
        let new_devices = phone.new_devices()?;
        let breach = phone.breach()?;
        let restored = breach.as_ref().is_some_and(|breach| breach.what == Mismatch::WentBack);
        let broken = breach.is_some() && !restored;
        let failure = app.client.status().failure;
        let key_text = match &failure {
            Some(Failure::Key(error)) => ApiError::new(app.lang, error.clone().into()).to_string(),
            _ => String::new(),
        };
        let offline = failure.is_some() && key_text.is_empty();
        let unsent = Unsent { ops: waiting, sales: sales_waiting, claims: claims_waiting };
        let heard_at = phone.heard_at();
        let as_of = |as_of| {
            if offline {
                line(app.lang, &Line::Offline { as_of, now: phone.now(), zone: &country(), unsent })
            } else {
                line(app.lang, &Line::Synced { as_of, zone: &country() })
            }
        };
        let aside = phone.set_aside()?;
        let set_aside_text = if aside.is_empty() { String::new() } else { set_aside(app.lang, &aside) };
        let offline_line = match failure {
            Some(Failure::NotOurServer(_)) => Line::NotOurServer { sales: sales_waiting, waiting },
            _ => Line::NoNetwork { sales: sales_waiting, waiting },
        };
        Ok(Self {
            signed_in: matches!(phone.signed_in()?, SignedIn::Yes(_)),
            offline,
            offline_code: failure.as_ref().filter(|_| offline).map_or("", offline_code).to_owned(),
            offline_text: if offline { line(app.lang, &offline_line) } else { String::new() },
            waiting,
            sales_waiting,
            claims_waiting,
            heard_at: heard_at.map(|at| at.0),
            as_of_text: heard_at.map(as_of).unwrap_or_default(),
            key_text,
            set_aside_text,
            refused,
            refusals,
            integrity_broken: broken,
            integrity_text: if broken { phone_text(app.lang, PhoneText::Integrity) } else { String::new() },
            restored_text: if restored { phone_text(app.lang, PhoneText::WentBack) } else { String::new() },
            till: TillState::now(app)?,
            new_devices_text: match u32::try_from(new_devices.len()).unwrap_or(u32::MAX) {
                0 => String::new(),
                devices => phone_text(app.lang, PhoneText::NewDevices { devices }),
            },
            new_devices: new_devices.into_iter().map(|device| app.dress().new_device(device)).collect(),
            balances: phone.balances()?.into_iter().map(|balance| app.dress().balance(balance)).collect(),
        })
    }
}

/// What is said of databases that were set aside.
fn set_aside(lang: Lang, all: &[SetAside]) -> String {
    let brought = all.iter().map(|aside| aside.ops).sum::<u64>();
    let brought = u32::try_from(brought).unwrap_or(u32::MAX);
    phone_text(lang, PhoneText::SetAside { brought, whole: all.iter().all(|aside| aside.whole) })
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
