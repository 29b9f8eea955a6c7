//! A running server: opens the data, listens, serves connections, stops cleanly.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use moa_ledger::engine::{Clock, Engine};
use moa_ledger::store::StoreError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::app::App;
use crate::carrier::{Carrier, Development};
use crate::config::{BadSetting, CarrierKind, Config};
use crate::data_dir::{DataDir, DataError};
use crate::http;
use crate::jobs;
use crate::keys::PublicKeys;
use crate::mailer::{self, Mailer};
use crate::peer::Connected;
use crate::poster::{FontError, Posters};
use crate::proof::Proofs;
use crate::sms_gateway::SmsGateway;
use crate::smtp::Smtp;
use crate::test_clock::TestClock;

/// For how long a client may take to send a request's head; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// For how long requests under way may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database can't be used.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// It can't listen there.
    #[error("{listen}: {source}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A clock that anyone may move is not for others' eyes.
    #[error("{0} can be reached by others: a server with a test clock listens on this machine alone")]
    TestClock(SocketAddr),
    /// The font for posters can't be used.
    #[error("the font for posters: {0}")]
    Font(#[from] FontError),
    /// A setting cannot be used.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// The API document can't be written, which is a bug.
    #[error("the API document: {0}")]
    Document(#[from] serde_json::Error),
}

/// A server that runs. Dropping it stops it too, without waiting.
pub struct Running {
    address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    connections: JoinHandle<()>,
    jobs: JoinHandle<()>,
    // Let go of last: the folder is free for another server only when the engine is done with it.
    _data: DataDir,
}

/// Starts a server that takes its time from `clock`; with a test clock, only where that begins.
///
/// # Errors
/// [`StartError`].
pub async fn start(config: &Config, clock: Clock) -> Result<Running, StartError> {
    let in_the_way = |source| StartError::Listen { listen: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(in_the_way)?;
    start_on(Sockets(listener), config, clock)
}

/// The same on a listener of whatever network, where [`Config::listen`] does not count: simulations bring their own.
///
/// # Errors
/// [`StartError`].
pub fn start_on(
    listener: impl Listener<Addr = SocketAddr>,
    config: &Config,
    clock: Clock,
) -> Result<Running, StartError> {
    let in_the_way = |source| StartError::Listen { listen: config.listen, source };
    let address = listener.local_addr().map_err(in_the_way)?;

    if config.test_clock && !address.ip().is_loopback() {
        return Err(StartError::TestClock(address));
    }
    let test_clock = config.test_clock.then(|| TestClock::new(clock()));
    let clock = test_clock.as_ref().map_or(clock, TestClock::clock);

    let data = DataDir::open(&config.data)?;
    let (server_key, pepper) = data.secrets(config.database.is_some())?;
    let store = data.store(config.database.as_deref(), &server_key, &pepper)?;
    let base = config.link_base.clone().unwrap_or_else(|| url(address));
    let (stop, stopping) = watch::channel(false);
    let (carrier, shown) = match &config.sms {
        Some(settings) => (Arc::new(SmsGateway::new(settings)?) as Arc<dyn Carrier>, None),
        None => carrier(config.carrier, address),
    };
    let mailer: Arc<dyn Mailer> = match &config.mail {
        Some(settings) => Arc::new(Smtp::new(settings)?),
        None => Arc::new(mailer::Development::default()),
    };
    let proofs = Proofs::since(clock());
    let posters = Posters::with_font(config.font.as_deref())?;
    let app = Arc::new(App {
        engine: Engine::start(store, clock),
        server_key,
        pepper,
        public_keys: PublicKeys::default(),
        carrier,
        mailer,
        shown,
        test_clock,
        effects: Notify::new(),
        enrolling: Mutex::new(()),
        guessing: Mutex::new(()),
        limits: config.limits.clone(),
        proofs,
        decoding: Semaphore::new(1),
        apps: config.apps.clone(),
        posters,
        link_base: config.link_base.clone(),
        address: url(address),
        stopping,
        openapi: http::served_document(&base, config.test_clock)?,
    });
    let service = http::service(app.clone());
    let connections = tokio::spawn(serve(listener, service, app.clone(), config.connections));
    let jobs = tokio::spawn(jobs::run(app.clone()));
    Ok(Running { address, app, stop, connections, jobs, _data: data })
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is reached: `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }

    /// What answers requests, without a socket: for whoever asks from this process.
    pub fn service(&self) -> Router {
        http::service(self.app.clone())
    }

    /// The development carrier, if its messages are shown.
    pub fn development(&self) -> Option<&Development> {
        self.app.shown.as_deref()
    }

    /// Stops: takes no more connections, lets requests under way answer, commits what waits.
    pub async fn shutdown(self) {
        // If nobody listens any more, that is as good as told.
        let _ = self.stop.send(true);
        for task in [self.connections, self.jobs] {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the server ended badly");
            }
        }
        self.app.blocking(|app| app.engine.stop()).await;
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// The carrier, and the development carrier once more where its messages may be shown over HTTP.
fn carrier(kind: CarrierKind, address: SocketAddr) -> (Arc<dyn Carrier>, Option<Arc<Development>>) {
    match kind {
        CarrierKind::Development => {
            let development = Arc::new(Development::default());
            let shown = address.ip().is_loopback();
            if !shown {
                tracing::warn!("the development carrier sends nothing: codes are in this log only");
            }
            (development.clone(), shown.then_some(development))
        }
    }
}

/// This system's sockets.
struct Sockets(TcpListener);

impl Listener for Sockets {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) => {
                    // Answers are small and awaited; a socket that does not take the option serves all the same.
                    drop(stream.set_nodelay(true));
                    return (stream, address);
                }
                Err(error) => {
                    // Out of files, most likely: others have to close first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Accepts connections until the server stops, never more than `most` at once.
async fn serve<L: Listener<Addr = SocketAddr>>(mut listener: L, service: Router, app: Arc<App>, most: usize) {
    let room = Arc::new(Semaphore::new(most));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            accepted = accepted => accepted,
            () = app.stopped() => break,
        };
        while connections.try_join_next().is_some() {}
        let connection = graceful.watch(connection(stream, peer, service.clone()));
        connections.spawn(async move {
            // Broken connections are everyday; what matters was answered and logged by the handler.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut that did not end in time");
    }
    connections.shutdown().await;
}

/// The service of one connection: its requests know where they come from.
struct Connection {
    service: TowerToHyperService<Router>,
    peer: SocketAddr,
}

impl Service<Request<Incoming>> for Connection {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(Connected(self.peer));
        self.service.call(request)
    }
}

fn connection<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    peer: SocketAddr,
    service: Router,
) -> http1::Connection<TokioIo<S>, Connection> {
    let service = Connection { service: TowerToHyperService::new(service), peer };
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}
