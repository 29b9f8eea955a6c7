//! HTTP: the transport of real phones, on reqwest.
//!
//! TLS is rustls with ring and the roots of webpki-roots, configured here and handed over ready: reqwest's own choice, the
//! platform's verifier, panics on Android unless it was initialised through JNI. One server, no redirects, no proxies, no
//! cookies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moa_wire::dpop;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};

use crate::transport::{Answer, MAX_ANSWER, Method, Request, Response, Transport, TransportError};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept: less than servers and NATs do.
const IDLE: Duration = Duration::from_secs(50);

/// An address that no request is sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadServer {
    /// Not `https://host[:port]`, perhaps with a path.
    #[error("not the address of a server: {0}")]
    NotAnAddress(String),
    /// Without TLS, and neither on this machine nor in a private network.
    #[error("no encryption: {0}")]
    NotEncrypted(String),
    /// The roots can't be used.
    #[error("TLS: {0}")]
    Tls(String),
}

/// How to reach the server.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// Roots to trust instead of the web's, in DER. For tests and private servers.
    pub roots: Option<Vec<Vec<u8>>>,
    /// Whether `http://` is good enough anywhere. Without it, only on this machine and in private networks.
    pub allow_unencrypted: bool,
}

/// Carries requests over HTTP/1.1.
pub struct HttpTransport {
    client: Client,
    base: String,
}

impl HttpTransport {
    /// A transport to the server at `base`, such as `https://moa.example`.
    ///
    /// # Errors
    /// [`BadServer`].
    pub fn new(base: &str, options: HttpOptions) -> Result<Self, BadServer> {
        let base = base.trim_end_matches('/').to_owned();
        let url: Url = base.parse().map_err(|_| BadServer::NotAnAddress(base.clone()))?;
        let host = url.host_str().ok_or_else(|| BadServer::NotAnAddress(base.clone()))?;
        match url.scheme() {
            "https" => {}
            "http" if options.allow_unencrypted || is_near(host) => {}
            "http" => return Err(BadServer::NotEncrypted(base)),
            _ => return Err(BadServer::NotAnAddress(base)),
        }
        let tls = tls(options.roots).map_err(|error| BadServer::Tls(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| BadServer::Tls(reasons(&error)))?;
        Ok(Self { client, base })
    }

    async fn exchange(&self, request: reqwest::Request) -> Result<Response, TransportError> {
        let mut response = self.client.execute(request).await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, retry_after_s, body })
    }

    fn request(&self, request: Request) -> Result<reqwest::Request, String> {
        let url = format!("{}{}", self.base, request.path);
        let mut built = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        for (name, value) in request.headers {
            let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
            let mut value = HeaderValue::try_from(value).map_err(|error| error.to_string())?;
            value.set_sensitive(name == reqwest::header::AUTHORIZATION || name == dpop::HEADER);
            built = built.header(name, value);
        }
        let built = built.timeout(request.timeout).body(request.body.unwrap_or_default());
        built.build().map_err(|error| reasons(&error))
    }
}

fn failed(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        TransportError::TimedOut
    } else if error.is_connect() {
        TransportError::Unreachable(reasons(error))
    } else {
        TransportError::Broken(reasons(error))
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let request = self.request(request).map_err(TransportError::NotSent)?;
            self.exchange(request).await
        })
    }
}

/// Whether a host is this machine, or in a private network: a server under development.
fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Err(_) => host == "localhost",
    }
}

fn tls(roots: Option<Vec<Vec<u8>>>) -> Result<ClientConfig, rustls::Error> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(roots) => {
            for root in roots {
                store.add(root.into())?;
            }
        }
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

/// An error and what lies behind it.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
