//! The network of a town: the way to the server, and whether a phone has a signal.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use moa_phone::{Answer, HttpOptions, HttpTransport, Method, Request, Transport, TransportError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::Failure;

/// What a town's server knows itself as, wherever it listens: reads are proved for this address.
pub const LINK_BASE: &str = "https://moa.example";

/// The way to the server at `url` over HTTP. Connections are kept and shared.
///
/// # Errors
/// If that is no address of a server.
pub fn http(url: &str) -> Result<Arc<dyn Transport>, Failure> {
    Ok(Arc::new(HttpTransport::new(url, HttpOptions::default())?))
}

/// Reads from the server, without a phone.
///
/// # Errors
/// If it does not answer, or not with a `T`.
pub async fn get<T: DeserializeOwned>(way: &dyn Transport, path: String) -> Result<T, Failure> {
    exchange(way, Method::Get, path, None).await
}

/// Writes to the server, without a phone.
///
/// # Errors
/// If it does not answer, or not with a `T`.
pub async fn post<T: DeserializeOwned>(
    way: &dyn Transport,
    path: String,
    body: &impl Serialize,
) -> Result<T, Failure> {
    exchange(way, Method::Post, path, Some(serde_json::to_vec(body)?)).await
}

async fn exchange<T: DeserializeOwned>(
    way: &dyn Transport,
    method: Method,
    path: String,
    body: Option<Vec<u8>>,
) -> Result<T, Failure> {
    let headers = vec![("content-type", "application/json".to_owned())];
    let request = Request { method, path: path.clone(), headers, body, timeout: Duration::from_secs(30) };
    let answer = way.send(request).await?;
    if !(200..300).contains(&answer.status) {
        return Err(format!("{path}: {}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

/// The way to the server, which all phones of a town share. It can be led elsewhere while they run.
pub struct Network {
    way: RwLock<Arc<dyn Transport>>,
}

impl Network {
    /// A network that leads this way.
    pub fn new(way: Arc<dyn Transport>) -> Self {
        Self { way: RwLock::new(way) }
    }

    /// From now on requests go this way; those under way stay on the old one.
    pub fn lead(&self, way: Arc<dyn Transport>) {
        *self.way.write().unwrap_or_else(PoisonError::into_inner) = way;
    }

    /// The way as it leads now, whatever the reception.
    pub fn way(&self) -> Arc<dyn Transport> {
        self.way.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One phone's reception: without a signal nothing leaves the phone, and what was under way breaks off.
pub struct Reception {
    network: Arc<Network>,
    signal: watch::Sender<bool>,
}

impl Reception {
    /// Full reception.
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, signal: watch::Sender::new(true) }
    }

    /// Gives or takes the signal.
    pub fn set_signal(&self, signal: bool) {
        self.signal.send_replace(signal);
    }

    /// Whether there is a signal.
    pub fn has_signal(&self) -> bool {
        *self.signal.borrow()
    }
}

impl Transport for Reception {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let mut signal = self.signal.subscribe();
            if !*signal.borrow_and_update() {
                return Err(TransportError::Unreachable("no signal".to_owned()));
            }
            let gone = async { drop(signal.wait_for(|signal| !signal).await) };
            let way = self.network.way();
            tokio::select! {
                biased;
                () = gone => Err(TransportError::Broken("the signal went".to_owned())),
                answer = way.send(request) => answer,
            }
        })
    }
}
