//! The driver: runs the sync machine on tokio, with a transport. Thin; what is decided is decided in the machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moa_rules::id::{GroupId, MerchantId, OpId, PictureId};
use moa_rules::quantity::Units;
use moa_rules::time::Timestamp;
use moa_wire::api::ShopStaff;
use moa_wire::code::{self, Scanned};
use moa_wire::search::{SearchPage, SearchRequest};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, Id, JoinHandle, JoinSet, spawn_blocking};

use crate::devices::OwnDevice;
use crate::enrolment::SignedUp;
use crate::error::PhoneError;
use crate::invited::ReceivedInvitation;
use crate::key_store::KeyStoreError;
use crate::lookup::Lookup;
use crate::one_time::{Purpose, ShownOneTime};
use crate::outbox::Fate;
use crate::phone::Phone;
use crate::redemption::Asked;
use crate::shop::{GroupInfo, ShopInfo};
use crate::sync::{Machine, RequestId, SyncStatus, Work};
use crate::transport::{Request, Response, Transport, TransportError};

/// The longest sleep: a clock that is set meanwhile is noticed by then.
const MOST_SLEEP: Duration = Duration::from_mins(1);
/// The pause after the phone's storage failed.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a look-up is waited for.
const LOOK_UP: Duration = Duration::from_secs(20);

/// A phone that keeps itself in step with the server. Dropping it stops that.
pub struct Client {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    phone: Arc<Phone>,
    transport: Arc<dyn Transport>,
    machine: Mutex<Machine>,
    wake: Notify,
    progress: watch::Sender<u64>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Client {
    /// Starts to keep a phone in step, in the foreground. To be called in a tokio runtime.
    ///
    /// # Errors
    /// Storage.
    pub fn start(phone: Arc<Phone>, transport: Arc<dyn Transport>) -> Result<Self, PhoneError> {
        let shared = Arc::new(Shared {
            machine: Mutex::new(Machine::new(&phone)?),
            phone,
            transport,
            wake: Notify::new(),
            progress: watch::Sender::new(0),
        });
        let task = tokio::spawn(run(Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// The phone.
    pub fn phone(&self) -> &Arc<Phone> {
        &self.shared.phone
    }

    /// How the sync fares.
    pub fn status(&self) -> SyncStatus {
        self.shared.machine().status()
    }

    /// Whether the app is being looked at. In the background nothing waits at the server.
    pub fn set_foreground(&self, foreground: bool) {
        self.shared.machine().set_foreground(foreground);
        self.shared.wake.notify_one();
    }

    /// Asks for a code to be sent to a phone number, as typed. Gives the instant at which it is void.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub async fn begin_enrolment(&self, number: &str) -> Result<Timestamp, PhoneError> {
        let request = self.shared.phone.begin_enrolment(number)?;
        self.shared.phone.enrolment_begun(self.shared.transport.send(request).await)
    }

    /// Sends the code that came, and the recovery code if there is one at hand: this phone is signed in. Then takes the
    /// first snapshot; without a network it is taken later.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::NoEnrolment`]; [`PhoneError::Offline`].
    pub async fn confirm_enrolment(
        &self,
        code: &str,
        recovery: Option<&str>,
    ) -> Result<SignedUp, PhoneError> {
        let request = self.shared.phone.confirm_enrolment(code, recovery)?;
        let answer = self.shared.transport.send(request).await;
        let signed_up = self.shared.phone.enrolment_confirmed(answer)?;
        if let Err(error) = self.sync_now().await {
            tracing::debug!(%error, "signed in, the snapshot comes later");
        }
        Ok(signed_up)
    }

    /// The account's devices, the one seen last first.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::SignInAgain`]; [`PhoneError::Offline`].
    pub async fn devices(&self) -> Result<Vec<OwnDevice>, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.devices_request()?;
        self.shared.phone.devices_read(self.ask(request).await?)
    }

    /// The staff and tills of the shop that this phone's person owns.
    ///
    /// # Errors
    /// As for [`Self::devices`]; `forbidden` for whoever does not own the shop.
    pub async fn staff(&self) -> Result<ShopStaff, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.staff_request()?;
        self.shared.phone.staff_read(self.ask(request).await?)
    }

    /// Waits until the session is ready.
    async fn session(&self) -> Result<(), PhoneError> {
        let mut progress = self.shared.progress.subscribe();
        if self.shared.blocking(Machine::want_session).await? {
            return Ok(());
        }
        self.shared.wake.notify_one();
        loop {
            let failure = {
                let machine = self.shared.machine();
                (!machine.wants_session()).then(|| machine.status().failure)
            };
            match failure {
                None => {}
                Some(None) => return Ok(()),
                Some(Some(failure)) => {
                    return Err(failure.into_error(None, self.shared.phone.environment().now()));
                }
            }
            // The sender lives as long as `self`.
            let _ = progress.changed().await;
        }
    }

    /// Sends a request of the session's; once more, with another proof, if the server told its time or took the token
    /// for void.
    async fn ask(&self, request: Request) -> Result<Result<Response, TransportError>, PhoneError> {
        let answer = self.shared.transport.send(request.clone()).await;
        if !self.shared.phone.may_ask_again(&answer)? {
            return Ok(answer);
        }
        self.session().await?;
        Ok(self.shared.transport.send(self.shared.phone.as_caller(request)?).await)
    }

    /// Sends everything that waits and receives everything that there is.
    ///
    /// # Errors
    /// The first thing that failed. What was written stays and is tried again.
    pub async fn sync_now(&self) -> Result<(), PhoneError> {
        let mut progress = self.shared.progress.subscribe();
        let ticket = self.shared.blocking(Machine::sync_now).await?;
        self.shared.wake.notify_one();
        loop {
            let finished = self.shared.machine().finished(ticket);
            if let Some(result) = finished {
                let now = self.shared.phone.environment().now();
                return result.map_err(|failure| failure.into_error(None, now));
            }
            // The sender lives as long as `self`.
            let _ = progress.changed().await;
        }
    }

    /// Waits for the server's verdict on an op of this phone. A redemption without one by then is *being checked*:
    /// it may have been applied, and the phone goes on asking.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] if the op is none of this phone's.
    pub async fn wait_for_verdict(&self, op: OpId, timeout: Duration) -> Result<Fate, PhoneError> {
        let phone = &self.shared.phone;
        let mut changes = phone.changes();
        let decided = async {
            loop {
                match phone.fate(op)?.ok_or(PhoneError::NotHere)? {
                    Fate::Waiting | Fate::BeingChecked => {}
                    fate => return Ok(fate),
                }
                // The sender lives as long as the phone.
                let _ = changes.changed().await;
            }
        };
        match tokio::time::timeout(timeout, decided).await {
            Ok(fate) => fate,
            Err(_) => phone.fate_undecided(op),
        }
    }

    /// Twelve digits that stand for a code of this phone's, good for three minutes and one use.
    ///
    /// # Errors
    /// As [`Phone::one_time_request`]; [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub async fn one_time_code(&self, purpose: Purpose) -> Result<ShownOneTime, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.one_time_request(purpose)?;
        self.shared.phone.one_time_made(self.ask(request).await?)
    }

    /// Groups to join, or shops to invite, as the server finds them.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub async fn search(&self, search: &SearchRequest) -> Result<SearchPage, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.search_request(search)?;
        self.shared.phone.searched(self.ask(request).await?)
    }

    /// Asks the server for `units` on a buyer's code, or on digits that stand for one. See [`Phone::redeem`].
    ///
    /// # Errors
    /// As [`Phone::redeem`] and [`Phone::one_time_lookup`]; [`PhoneError::Problem`] with the server's reason;
    /// [`PhoneError::Offline`].
    pub async fn redeem(&self, text: &str, units: Units) -> Result<Asked, PhoneError> {
        let code = self.code_behind(text).await?;
        self.shared.phone.redeem(&code, units)
    }

    /// Reserves `units` on a buyer's code, or on digits that stand for one. See [`Phone::hold`].
    ///
    /// # Errors
    /// As [`Phone::hold`] and [`Self::redeem`].
    pub async fn hold(&self, text: &str, units: Units, seconds: Option<u32>) -> Result<Asked, PhoneError> {
        let code = self.code_behind(text).await?;
        self.shared.phone.hold(&code, units, seconds)
    }

    /// The buyer's code that a text is, or that digits stand for.
    async fn code_behind(&self, text: &str) -> Result<String, PhoneError> {
        let phone = &self.shared.phone;
        if !matches!(code::read(text, phone.link_base()), Ok(Scanned::OneTime(_))) {
            return Ok(text.to_owned());
        }
        self.session().await?;
        let request = phone.one_time_lookup(text)?;
        phone.one_time_found(self.ask(request).await?)
    }

    /// What an invitation is to, by its link in any form or its eight characters; this person can answer it from now on.
    ///
    /// # Errors
    /// As [`Phone::open_request`] and [`Phone::opened`].
    pub async fn open_invitation(&self, text: &str) -> Result<ReceivedInvitation, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.open_request(text)?;
        self.shared.phone.opened(self.ask(request).await?)
    }

    /// Learns how far the server has seen this shop's invitations get, and the characters that open them: see
    /// [`Phone::invitations`].
    ///
    /// # Errors
    /// As for [`Self::devices`]; `forbidden` for whoever does not own the shop.
    pub async fn refresh_invitations(&self) -> Result<(), PhoneError> {
        self.session().await?;
        let request = self.shared.phone.invitations_request()?;
        self.shared.phone.invitations_read(self.ask(request).await?)
    }

    /// Asks the server for a group that this phone does not know, from a link say.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] if there is none; [`PhoneError::Offline`].
    pub async fn look_up_group(&self, group: GroupId) -> Result<GroupInfo, PhoneError> {
        let answered = self.look_up(Lookup::Group(group)).await;
        self.shared.phone.group(group)?.ok_or_else(|| not_found(answered))
    }

    /// A shop and its groups, from a link say: what this phone knows of them, and of the rest what the server says.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] if there is none; [`PhoneError::Offline`].
    pub async fn look_up_shop(&self, shop: MerchantId) -> Result<ShopInfo, PhoneError> {
        let phone = &self.shared.phone;
        let mut answered = true;
        if phone.shop_info(shop)?.is_none() {
            answered = self.look_up(Lookup::Merchant(shop)).await;
        }
        for group in phone.groups_unknown(shop)? {
            self.look_up(Lookup::Group(group)).await;
        }
        phone.shop_info(shop)?.ok_or_else(|| not_found(answered))
    }

    /// Waits until the server has answered; whether it did in time.
    async fn look_up(&self, lookup: Lookup) -> bool {
        let phone = &self.shared.phone;
        let mut changes = phone.changes();
        phone.want(lookup);
        let found = async {
            while phone.wanted.contains(lookup) {
                let _ = changes.changed().await;
            }
        };
        tokio::time::timeout(LOOK_UP, found).await.is_ok()
    }

    /// Has the server keep a picture, for a group's profile to name.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub async fn send_picture(&self, file: Vec<u8>) -> Result<PictureId, PhoneError> {
        self.session().await?;
        let request = self.shared.phone.picture_request(file)?;
        self.shared.phone.picture_taken(self.ask(request).await?)
    }

    /// A group's picture, as its profile names it: a JPEG.
    ///
    /// # Errors
    /// As [`Phone::cover_read`].
    pub async fn cover(&self, picture: PictureId) -> Result<Vec<u8>, PhoneError> {
        let phone = &self.shared.phone;
        phone.cover_read(self.shared.transport.send(phone.cover_request(picture)).await)
    }
}

/// Why something that was looked up is not here.
fn not_found(answered: bool) -> PhoneError {
    if answered { PhoneError::NotHere } else { PhoneError::Offline("no answer in time".to_owned()) }
}

impl Shared {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chooses for what waits, without the machine: the key may take its time.
    async fn choose_at_once(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        let foreground = self.machine().is_foreground();
        let chosen = spawn_blocking(move || {
            shared.phone.choose_at_once()?;
            // In the background a till wakes nobody for this: it is asked for when the app is opened.
            if foreground { shared.phone.renew_certificate_if_due().map(drop) } else { Ok(()) }
        });
        if let Ok(Err(error)) = chosen.await {
            tracing::error!(%error, "nothing was signed without a question");
        }
    }

    /// Has the device key vouch for a session key, without the machine: the key may take its time.
    async fn endorse(self: Arc<Self>) {
        let shared = Arc::clone(&self);
        let endorsed = spawn_blocking(move || shared.phone.endorse()).await;
        let endorsed =
            endorsed.unwrap_or_else(|error| Err(PhoneError::Key(KeyStoreError::Failed(error.to_string()))));
        let told = self.blocking(move |machine, phone, now| machine.endorsed(phone, endorsed, now)).await;
        if let Err(error) = told {
            tracing::error!(%error, "what came of a signature could not be kept");
        }
        self.wake.notify_one();
    }

    /// Runs a step of the machine where the disk may be waited for.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut Machine, &Phone, Timestamp) -> Result<T, PhoneError> + Send + 'static,
    ) -> Result<T, PhoneError> {
        let shared = Arc::clone(self);
        let done = spawn_blocking(move || {
            let now = shared.phone.environment().now();
            step(&mut shared.machine(), &shared.phone, now)
        });
        done.await.unwrap_or_else(|error| Err(PhoneError::Offline(error.to_string())))
    }
}

/// Requests under way, by the tasks that carry them.
#[derive(Default)]
struct Sent {
    tasks: JoinSet<Result<Response, TransportError>>,
    requests: HashMap<Id, (RequestId, AbortHandle)>,
    /// The device key at work: no request, and nothing waits for it here.
    endorsing: JoinSet<()>,
}

impl Sent {
    fn take_on(&mut self, work: Work, shared: &Arc<Shared>) {
        while self.endorsing.try_join_next().is_some() {}
        if work.endorse {
            self.endorsing.spawn(Arc::clone(shared).endorse());
        }
        let transport = &shared.transport;
        for given_up in work.give_up {
            for (id, handle) in self.requests.values() {
                if *id == given_up {
                    handle.abort();
                }
            }
        }
        for (id, request) in work.send {
            tracing::trace!(?request, "sent");
            let transport = Arc::clone(transport);
            let handle = self.tasks.spawn(async move { transport.send(request).await });
            self.requests.insert(handle.id(), (id, handle));
        }
    }

    /// The next answer. Never, if nothing is under way.
    async fn next(&mut self) -> (Option<RequestId>, Result<Response, TransportError>) {
        match self.tasks.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((task, answer))) => (self.requests.remove(&task).map(|(id, _)| id), answer),
            Some(Err(error)) => {
                let request = self.requests.remove(&error.id()).map(|(id, _)| id);
                (request, Err(TransportError::Broken(error.to_string())))
            }
        }
    }
}

async fn run(shared: Arc<Shared>) {
    let mut changes = shared.phone.changes();
    let mut sent = Sent::default();
    loop {
        changes.mark_unchanged();
        shared.choose_at_once().await;
        let polled = shared
            .blocking(|machine, phone, now| {
                let work = machine.poll(phone, now)?;
                Ok((work, machine.next_wakeup().map(|wakeup| wakeup.0.saturating_sub(now.0))))
            })
            .await;
        let sleep = match polled {
            Ok((work, wakeup)) => {
                sent.take_on(work, &shared);
                let wakeup = wakeup.map(|millis| u64::try_from(millis).unwrap_or(0).max(1));
                wakeup.map_or(MOST_SLEEP, Duration::from_millis).min(MOST_SLEEP)
            }
            Err(error) => {
                tracing::error!(%error, "the phone's storage failed");
                PAUSE
            }
        };
        shared.progress.send_modify(|progress| *progress += 1);
        tokio::select! {
            (id, answer) = sent.next() => {
                let Some(id) = id else { continue };
                let received = shared.blocking(move |machine, phone, now| machine.receive(phone, id, answer, now));
                if let Err(error) = received.await {
                    tracing::error!(%error, "an answer could not be taken");
                }
            }
            () = shared.wake.notified() => {}
            _ = changes.changed() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}
