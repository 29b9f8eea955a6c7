//! The one object: an app's data directory, its phone, and the runtime that keeps it in step with the server.

use std::future::Future;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use moa_phone::{
    Client, Data, DeviceKeys, Fate, HostKeys, HttpOptions, HttpTransport, Options, Phone, PhoneError,
    SignedIn,
};
use moa_rules::id::{GroupId, OpId};
use moa_rules::merchant::{self, MerchantProfile};
use moa_rules::quantity::{Currency, Money, Units};
use moa_wire::{link, qr};
use moa_words::{Lang, number};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::key_store::{Host, KeyStore};
use crate::labels::Labels;
use crate::observer::{AppState, Observer, Subscription};
use crate::records::{
    self as out, Balance, Claimed, Founding, Group, GroupChoice, HistoryItem, MerchantDay, MileageUnit,
    OutboxItem, OwnGroup, OwnShop, Place, Qr, Redemption, RedemptionCode, SaleItem, Voucher,
};
use crate::scan::Scan;

/// How long a shop waits for the server's word on a redemption before it is shown as being checked.
pub(crate) const VERDICT: Duration = Duration::from_secs(8);
/// Threads that wait for the disk or tell observers. More observers than that take turns.
const WAITING_THREADS: usize = 16;

/// How to open an app.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AppConfig {
    /// A directory that is the app's alone. Made if need be.
    pub data_dir: String,
    /// The server as it knows itself (its `--link-base`), such as `https://moa.example`: reads are proved for this address.
    /// Without TLS only on this machine and in private networks.
    pub server_url: String,
    /// The language of every text: `ko` or `en`.
    pub language: String,
    /// What the person calls this device, such as the name that the system knows: shown among the account's devices. At most
    /// 60 characters.
    #[uniffi(default = None)]
    pub device_name: Option<String>,
}

/// An app: one per data directory. Sales, claims and codes need no network; what is written is on disk when the call
/// returns, and is sent when there is one. Calls that write wait for the disk: some milliseconds.
///
/// Give it up (Kotlin `close()`, Swift: let go of it) and it stops; [`Self::shut_down`] stops it whoever still has it. What
/// waits is sent the next time.
#[derive(uniffi::Object)]
pub struct App {
    lang: Lang,
    /// None once it was shut down.
    running: RwLock<Option<Running>>,
}

struct Running {
    inner: Arc<Inner>,
    runtime: Runtime,
}

pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) lang: Lang,
}

impl Inner {
    pub(crate) fn phone(&self) -> &Phone {
        self.client.phone()
    }

    pub(crate) fn dress(&self) -> Dress {
        Dress { lang: self.lang }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl App {
    /// Runs a call on the app's own runtime; it is given up together with the caller's wait.
    pub(crate) async fn run<T, F>(&self, call: impl FnOnce(Arc<Inner>) -> F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PhoneError>> + Send + 'static,
    {
        let lang = self.lang;
        let mut task = self.running(|app| GivenUp(app.runtime.spawn(call(Arc::clone(&app.inner)))))?;
        match (&mut task.0).await {
            Ok(result) => result.map_err(|error| ApiError::new(lang, error)),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => resume_unwind(panic), // The caller is told, as in a call that does not wait.
                Err(_) => Err(ApiError::closed(lang)),
            },
        }
    }

    fn running<T>(&self, f: impl FnOnce(&Running) -> T) -> Result<T, ApiError> {
        let running = self.running.read().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(f).ok_or_else(|| ApiError::closed(self.lang))
    }

    pub(crate) fn inner(&self) -> Result<Arc<Inner>, ApiError> {
        self.running(|app| Arc::clone(&app.inner))
    }

    pub(crate) fn phone(&self) -> Result<Arc<Phone>, ApiError> {
        self.running(|app| Arc::clone(app.inner.client.phone()))
    }

    pub(crate) fn dress(&self) -> Dress {
        Dress { lang: self.lang }
    }

    /// Asks the phone, in the app's language if it says no.
    pub(crate) fn ask<T>(&self, asked: Result<T, PhoneError>) -> Result<T, ApiError> {
        asked.map_err(|error| ApiError::new(self.lang, error))
    }

    pub(crate) fn invalid(&self, cause: impl std::fmt::Display) -> ApiError {
        ApiError::invalid(self.lang, cause)
    }

    pub(crate) fn group_id(&self, text: &str) -> Result<GroupId, ApiError> {
        text.parse().map_err(|error| self.invalid(error))
    }

    pub(crate) fn op_id(&self, text: &str) -> Result<OpId, ApiError> {
        text.parse().map_err(|error| self.invalid(error))
    }

    pub(crate) fn units(&self, count: i64) -> Result<Units, ApiError> {
        Units::new(count).map_err(|error| self.invalid(error))
    }

    /// The voucher in a scanned text.
    pub(crate) fn voucher(&self, text: &str) -> Result<moa_phone::ScannedVoucher, ApiError> {
        match self.ask(self.phone()?.read_code(text))? {
            moa_phone::Code::Voucher(voucher) => Ok(voucher),
            _ => Err(ApiError::refused(self.lang, &moa_rules::refusal::Refusal::NotASale)),
        }
    }
}

/// Aborts its task when dropped.
struct GivenUp<T>(JoinHandle<T>);

impl<T> Drop for GivenUp<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[uniffi::export]
impl App {
    /// Opens an app, and keeps it in step with the server from now on. With a key store, the app's key lies there and
    /// its secrets are sealed there; without one both are kept with the data, as desktops and tests do it.
    #[uniffi::constructor(default(key_store = None))]
    pub fn open(config: AppConfig, key_store: Option<Arc<dyn KeyStore>>) -> Result<Arc<Self>, ApiError> {
        let lang = Lang::from_accept_language(&config.language);
        let invalid = |cause: String| ApiError::invalid(lang, cause);
        if config.data_dir.is_empty() {
            return Err(invalid("no data directory".to_owned()));
        }
        let http = HttpTransport::new(&config.server_url, HttpOptions::default())
            .map_err(|error| invalid(error.to_string()))?;
        let keys = match key_store {
            Some(host) => {
                let keys = HostKeys::new(Arc::new(Host(host)));
                let keys: Arc<dyn DeviceKeys> =
                    Arc::new(keys.map_err(|error| ApiError::new(lang, error.into()))?);
                Some(keys)
            }
            None => None,
        };
        let options = Options {
            keys,
            link_base: config.server_url,
            device_name: config.device_name.unwrap_or_default(),
            language: convert::tag(lang).to_owned(),
            ..Options::new(Data::Directory(PathBuf::from(config.data_dir)))
        };
        let phone = Phone::open(options).map_err(|error| ApiError::new(lang, error))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(WAITING_THREADS)
            .thread_name("moa")
            .enable_all()
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        let client = {
            let _inside = runtime.enter();
            Client::start(Arc::new(phone), Arc::new(http)).map_err(|error| ApiError::new(lang, error))?
        };
        let running = Running { inner: Arc::new(Inner { client, lang }), runtime };
        Ok(Arc::new(Self { lang, running: RwLock::new(Some(running)) }))
    }

    /// Titles and buttons in the app's language.
    pub fn labels(&self) -> Labels {
        Labels::of(self.lang)
    }

    /// An amount as it is being keyed in, such as `4,500원`: minor units.
    pub fn amount_text(&self, amount: i64) -> String {
        number::money(self.lang, Money(amount), Currency::KRW)
    }

    /// Mileage as it is being keyed in, such as `1,200 points`; points unless a unit is named. None below zero.
    #[uniffi::method(default(unit = None))]
    pub fn units_text(&self, units: i64, unit: Option<MileageUnit>) -> Result<String, ApiError> {
        Ok(self.dress().units_text(self.units(units)?, unit.and_then(Into::into)))
    }

    /// The server's clock, as far as this phone can tell: what every instant here is by. A phone's own may be off.
    pub fn now(&self) -> Result<i64, ApiError> {
        Ok(self.phone()?.now().0)
    }

    /// Whether someone is signed in, and the server still knows this phone.
    pub fn signed_in(&self) -> Result<bool, ApiError> {
        Ok(matches!(self.ask(self.phone()?.signed_in())?, SignedIn::Yes(_)))
    }

    /// Opens a shop; this phone acts for it from now on. Gives its id.
    pub fn register_merchant(&self, name: String, place: Option<Place>) -> Result<String, ApiError> {
        let place = place.map(|place| merchant::Place { lat_e6: place.lat_e6, lon_e6: place.lon_e6 });
        let profile = MerchantProfile::new(name, Currency::KRW, place);
        Ok(self.ask(self.phone()?.register_merchant(profile))?.to_string())
    }

    /// The shop that this phone acts for.
    pub fn own_shop(&self) -> Result<Option<OwnShop>, ApiError> {
        Ok(self.ask(self.phone()?.own_shop())?.map(convert::own_shop))
    }

    /// Founds a group with this phone's shop as first member. Gives its id.
    pub fn found_group(&self, founding: Founding) -> Result<String, ApiError> {
        let (profile, terms) = self.founding(founding)?;
        Ok(self.ask(self.phone()?.found_group(profile, terms))?.to_string())
    }

    /// Joins an open group under the version of its terms that the merchant has read.
    pub fn join_group(&self, group: String, terms_version: u32) -> Result<(), ApiError> {
        let group = self.group_id(&group)?;
        self.ask(self.phone()?.join_group(group, terms_version)).map(drop)
    }

    /// The groups of this phone's shop.
    pub fn own_groups(&self) -> Result<Vec<OwnGroup>, ApiError> {
        let groups = self.ask(self.phone()?.own_groups())?.into_iter();
        Ok(groups.map(|group| self.dress().own_group(group)).collect())
    }

    /// A group, if this phone knows it.
    pub fn group(&self, group: String) -> Result<Option<Group>, ApiError> {
        let group = self.group_id(&group)?;
        Ok(self.ask(self.phone()?.group(group))?.map(|group| self.dress().group(group)))
    }

    /// Records a sale of so many minor units, paid in money. On disk before the voucher is returned.
    pub fn record_sale(&self, amount: i64) -> Result<Voucher, ApiError> {
        let voucher = self.ask(self.phone()?.record_sale(Money(amount), None))?;
        self.dress().voucher(voucher, |text| self.qr(text))
    }

    /// One sale of this shop, of whatever day; none if this phone does not know it.
    pub fn sale(&self, sale: String) -> Result<Option<SaleItem>, ApiError> {
        let sale = self.op_id(&sale)?;
        Ok(self.ask(self.phone()?.sale(sale))?.map(|sale| self.dress().sale(sale)))
    }

    /// This shop's day so far.
    pub fn merchant_today(&self) -> Result<MerchantDay, ApiError> {
        Ok(self.dress().day(self.ask(self.phone()?.merchant_today())?))
    }

    /// Says what a camera saw, or a person pasted, without a network.
    pub fn read_code(&self, text: String) -> Result<Scan, ApiError> {
        Ok(self.dress().scan(self.ask(self.phone()?.read_code(&text))?))
    }

    /// The groups of a voucher's shop, best first. Empty for a shop never met: the server then takes the best.
    pub fn choices(&self, voucher: String) -> Result<Vec<GroupChoice>, ApiError> {
        let voucher = self.voucher(&voucher)?;
        let choices = self.ask(self.phone()?.choices(&voucher))?.into_iter();
        Ok(choices.map(|choice| self.dress().choice(choice)).collect())
    }

    /// Turns a sale into mileage of the chosen group; without one, of the best. On disk before it returns.
    pub fn claim(&self, voucher: String, choice: Option<GroupChoice>) -> Result<Claimed, ApiError> {
        let voucher = self.voucher(&voucher)?;
        let choice = self.choice(choice)?;
        Ok(self.dress().claimed(self.ask(self.phone()?.claim(&voucher, choice))?))
    }

    /// The buyer's mileage by group and unit.
    pub fn balances(&self) -> Result<Vec<Balance>, ApiError> {
        let balances = self.ask(self.phone()?.balances())?.into_iter();
        Ok(balances.map(|balance| self.dress().balance(balance)).collect())
    }

    /// What happened in one group, newest first, as confirmed: the last 500 rows.
    pub fn history(&self, group: String) -> Result<Vec<HistoryItem>, ApiError> {
        let group = self.group_id(&group)?;
        let rows = self.ask(self.phone()?.history(group))?.into_iter();
        Ok(rows.map(|row| self.dress().history(row)).collect())
    }

    /// Makes a code that lets a shop take up to `most` units within three minutes; of what the group gives now, unless a unit is
    /// named.
    #[uniffi::method(default(unit = None))]
    pub fn redemption_code(
        &self,
        group: String,
        most: i64,
        unit: Option<MileageUnit>,
    ) -> Result<RedemptionCode, ApiError> {
        let (group, most) = (self.group_id(&group)?, self.units(most)?);
        let unit = self.unit_of(group, unit)?;
        let shown = self.ask(self.phone()?.redemption_code_of(group, most, unit))?;
        Ok(RedemptionCode {
            qr: self.qr(&shown.text)?,
            code: shown.text,
            group: shown.group.to_string(),
            most: shown.most.get(),
            unit: shown.unit.into(),
            most_text: self.dress().units_text(shown.most, shown.unit),
            expires_at: shown.expires_at.0,
            good_until_text: self.dress().good_until(shown.expires_at),
        })
    }

    /// What waits for the server, and what it refused until that is dismissed. Oldest first.
    pub fn outbox(&self) -> Result<Vec<OutboxItem>, ApiError> {
        let items = self.ask(self.phone()?.outbox())?.into_iter();
        Ok(items.map(|item| self.dress().outbox_item(item)).collect())
    }

    /// What became of an op of this phone; none if it is none of this phone's.
    pub fn fate(&self, op: String) -> Result<Option<out::Fate>, ApiError> {
        let op = self.op_id(&op)?;
        Ok(self.ask(self.phone()?.fate(op))?.map(|fate| self.dress().fate(fate)))
    }

    /// The refusal of an op was read.
    pub fn dismiss(&self, op: String) -> Result<(), ApiError> {
        let op = self.op_id(&op)?;
        self.ask(self.phone()?.dismiss(op))
    }

    /// The link to a group, and the QR of a poster with it.
    pub fn group_poster(&self, group: String) -> Result<Qr, ApiError> {
        let destination = link::Destination::Group(self.group_id(&group)?);
        self.qr(&link::poster(destination, self.phone()?.link_base()))
    }

    /// Whether the app is being looked at. In the background nothing waits at the server.
    pub fn set_foreground(&self, foreground: bool) {
        // Nothing to do for an app that was shut down.
        let _ = self.running(|app| app.inner.client.set_foreground(foreground));
    }

    /// Takes the server's word anew, after it did not match: the next sync begins from a snapshot. The outbox stays.
    pub fn start_over(&self) -> Result<(), ApiError> {
        self.ask(self.phone()?.start_over())
    }

    /// What a screen shows of the whole app, now.
    pub fn state(&self) -> Result<AppState, ApiError> {
        let inner = self.inner()?;
        self.ask(AppState::now(&inner))
    }

    /// Tells an observer the state at once, and again whenever it has changed, until the subscription is cancelled or
    /// given up. From one task, never two calls at once; changes that come quickly are told together.
    pub fn subscribe(&self, observer: Arc<dyn Observer>) -> Result<Arc<Subscription>, ApiError> {
        self.running(|app| {
            let changes = app.inner.phone().changes();
            Subscription::start(&app.runtime, Arc::downgrade(&app.inner), changes, observer)
        })
    }

    /// Stops the app, whoever still has it: calls under way end, observers hear no more but for a call under way, and
    /// every call from now on is `Closed`. What waits is sent when the directory is opened again, which it can be once
    /// those calls have ended.
    pub fn shut_down(&self) {
        let running = self.running.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            // Whoever calls may itself be a task: what runs is left to end by itself.
            running.runtime.shutdown_background();
        }
    }
}

#[uniffi::export]
impl App {
    /// Sends everything that waits and receives everything that there is.
    pub async fn sync_now(&self) -> Result<(), ApiError> {
        self.run(async move |app: Arc<Inner>| app.client.sync_now().await).await
    }

    /// Asks the server for a group that this phone does not know, from a link say.
    pub async fn look_up_group(&self, group: String) -> Result<Group, ApiError> {
        let group = self.group_id(&group)?;
        let found = self.run(async move |app: Arc<Inner>| app.client.look_up_group(group).await).await?;
        Ok(self.dress().group(found))
    }

    /// Takes mileage as payment on a buyer's code, or on twelve digits that stand for one. Approved only if the server says
    /// so; a refusal is an error with its reason.
    pub async fn redeem(&self, code: String, units: i64) -> Result<Redemption, ApiError> {
        let units = self.units(units)?;
        let call = async move |app: Arc<Inner>| {
            let op = app.client.redeem(&code, units).await?.op;
            let fate = app.client.wait_for_verdict(op, VERDICT).await;
            // It was asked for: whatever goes wrong from here on, the server may have taken the mileage.
            Ok((op, fate.unwrap_or(Fate::BeingChecked)))
        };
        match self.run(call).await? {
            (op, Fate::Applied) => Ok(Redemption::Approved { op: op.to_string() }),
            (op, Fate::Waiting | Fate::BeingChecked) => Ok(Redemption::BeingChecked { op: op.to_string() }),
            (op, Fate::Refused(refused)) => Err(ApiError::refused_op(self.lang, op, refused)),
        }
    }
}

impl App {
    pub(crate) fn qr(&self, text: &str) -> Result<Qr, ApiError> {
        let matrix = qr::matrix(text).map_err(|error| self.invalid(error))?;
        let side = u32::try_from(matrix.side).map_err(|error| self.invalid(error))?;
        Ok(Qr { side, modules: matrix.dark.into_iter().map(u8::from).collect() })
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_panic_on_the_apps_own_threads_comes_to_the_caller_and_the_app_goes_on() {
        let folder = std::env::temp_dir().join(format!("moa-bindings-{}", std::process::id()));
        let config = AppConfig {
            data_dir: folder.display().to_string(),
            server_url: "http://127.0.0.1:9".to_owned(),
            language: "en".to_owned(),
            device_name: None,
        };
        let app = App::open(config, None).unwrap();
        let caller = Builder::new_current_thread().build().unwrap();
        let call = app.run(async |_| -> Result<(), PhoneError> { panic!("the ball was dropped") });
        let panic = catch_unwind(AssertUnwindSafe(|| caller.block_on(call))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the ball was dropped"));
        assert_eq!(caller.block_on(app.run(async |_| Ok(1))), Ok(1));
        assert_eq!(app.signed_in(), Ok(false));
        drop(app);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
