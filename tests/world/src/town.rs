//! A town: a server, in this process or at an address, and phones that reach it over real HTTP.
//!
//! Every phone is a whole one: its own store, key, outbox and sync. They share one network (connections, TLS
//! settings), so that thousands of them can be opened and closed.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moa_phone::{Client, Data, Options, Phone, PhoneError, Transport};
use moa_server::{Config, Running, start, system_clock};
use moa_words::Lang;

use crate::messages::{self, Message};
use crate::network::{self, LINK_BASE, Network, Reception};
use crate::resident::Resident;

/// What was being done when it failed, and for whom.
#[derive(Debug, thiserror::Error)]
#[error("{who}: could not {doing}: {why}")]
pub struct TownError {
    doing: &'static str,
    who: String,
    #[source]
    why: Box<dyn Error + Send + Sync>,
}

impl TownError {
    pub(crate) fn new(
        doing: &'static str,
        who: impl Into<String>,
        why: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { doing, who: who.into(), why: why.into() }
    }

    /// What the phone said, if it was the phone.
    pub fn phone(&self) -> Option<&PhoneError> {
        self.why.downcast_ref()
    }
}

/// Says what was being done, and for whom.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, who: &Resident) -> Result<T, TownError>;
}

impl<T> Doing<T> for Result<T, PhoneError> {
    fn doing(self, doing: &'static str, who: &Resident) -> Result<T, TownError> {
        self.map_err(|why| TownError::new(doing, who.number(), why))
    }
}

/// A server and the network that leads to it.
pub struct Town {
    url: String,
    running: Option<Running>,
    network: Arc<Network>,
    lang: Lang,
}

impl Town {
    /// A town with a server of its own in this process, on a free port, with its data in `data`.
    ///
    /// # Errors
    /// If the server does not start.
    pub async fn start(data: &Path) -> Result<Self, TownError> {
        let config = Config { link_base: Some(LINK_BASE.to_owned()), ..Config::local(data) };
        let running = start(&config, system_clock()).await;
        let running = running.map_err(|why| TownError::new("start", "the server", why))?;
        let town = Self::at(&running.url())?;
        Ok(Self { running: Some(running), ..town })
    }

    /// A town around the server at `url`, which runs with the development inbox and knows itself as [`LINK_BASE`], wherever
    /// it listens.
    ///
    /// # Errors
    /// If that is no address of a server.
    pub fn at(url: &str) -> Result<Self, TownError> {
        let failed = |why| TownError::new("reach", url, why);
        let network = Arc::new(Network::new(network::http(url).map_err(failed)?));
        Ok(Self { url: url.to_owned(), running: None, network, lang: Lang::En })
    }

    /// The same town, whose phones ask the server for sentences in `lang`.
    #[must_use]
    pub fn speaking(self, lang: Lang) -> Self {
        Self { lang, ..self }
    }

    /// Where the server is reached.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server, if it runs in this process.
    pub fn server(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// The server is at another address now, reached this way: every phone's next request goes there.
    pub fn move_to(&mut self, url: &str, way: Arc<dyn Transport>) {
        self.network.lead(way);
        url.clone_into(&mut self.url);
    }

    /// Opens a phone, new or as it was closed. Nobody is signed in on a new one.
    ///
    /// # Errors
    /// Storage or key.
    pub fn open_phone(&self, number: &str, data: Data) -> Result<Resident, TownError> {
        let language = self.lang.tag().to_owned();
        let options = Options { link_base: LINK_BASE.to_owned(), language, ..Options::new(data) };
        self.open_phone_with(number, options)
    }

    /// Opens a phone with a clock, a key or a language of its own.
    ///
    /// # Errors
    /// Storage or key.
    pub fn open_phone_with(&self, number: &str, options: Options) -> Result<Resident, TownError> {
        let failed = |why| TownError::new("open the phone", number, why);
        let phone = Arc::new(Phone::open(options).map_err(failed)?);
        let reception = Arc::new(Reception::new(self.network.clone()));
        let client = Client::start(phone, reception.clone()).map_err(failed)?;
        client.set_foreground(false);
        Ok(Resident::new(number, client, reception))
    }

    /// Signs a phone in: asks for a code, reads the text message, types the code in. Gives the message.
    ///
    /// # Errors
    /// What the phone or the server says.
    pub async fn enrol(&self, resident: &Resident) -> Result<Message, TownError> {
        const DOING: &str = "sign in";
        let number = resident.number();
        let failed = |why| TownError::new(DOING, number, why);
        let way = self.network.way();
        let before = messages::messages(&*way, number).await.map_err(failed)?;
        resident.client().begin_enrolment(number).await.doing(DOING, resident)?;
        let new = |message: &Message| !before.contains(message);
        let message = messages::wait_for(&*way, number, new).await.map_err(failed)?;
        let code = message.code().ok_or_else(|| TownError::new(DOING, number, "a message without a code"))?;
        resident.client().confirm_enrolment(code, None).await.doing(DOING, resident)?;
        Ok(message)
    }

    /// Someone new with a phone in memory, signed in.
    ///
    /// # Errors
    /// What the phone or the server says.
    pub async fn newcomer(&self, number: &str) -> Result<Resident, TownError> {
        let resident = self.open_phone(number, Data::Memory)?;
        self.enrol(&resident).await?;
        Ok(resident)
    }

    /// Someone new whose phone keeps its data in `folder`, signed in.
    ///
    /// # Errors
    /// What the phone or the server says.
    pub async fn newcomer_on_disk(&self, number: &str, folder: PathBuf) -> Result<Resident, TownError> {
        let resident = self.open_phone(number, Data::Directory(folder))?;
        self.enrol(&resident).await?;
        Ok(resident)
    }

    /// Stops the server, if it runs in this process: what waits is committed first.
    pub async fn stop(self) {
        if let Some(running) = self.running {
            running.shutdown().await;
        }
    }
}

/// The phone number of the `nth` person, below a hundred million: `010-2000-0007`.
pub fn number(nth: u32) -> String {
    let nth = 20_000_000 + nth;
    format!("010-{:04}-{:04}", nth / 10_000 % 10_000, nth % 10_000)
}
