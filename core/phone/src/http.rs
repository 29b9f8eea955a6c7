//! HTTP: the transport of real phones.
//!
//! TLS is rustls with ring and the roots of webpki-roots. reqwest, which does more than is needed here, can't be
//! built with rustls and without the platform verifier, which wants to be initialised through JNI on Android; so this
//! is hyper's own client. One server, no redirects, no proxies, no cookies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Uri, http};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
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
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
}

impl HttpTransport {
    /// A transport to the server at `base`, such as `https://moa.example`.
    ///
    /// # Errors
    /// [`BadServer`].
    pub fn new(base: &str, options: HttpOptions) -> Result<Self, BadServer> {
        let base = base.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| BadServer::NotAnAddress(base.clone()))?;
        let host = uri.host().ok_or_else(|| BadServer::NotAnAddress(base.clone()))?;
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if options.allow_unencrypted || is_near(host) => {}
            Some("http") => return Err(BadServer::NotEncrypted(base)),
            _ => return Err(BadServer::NotAnAddress(base)),
        }
        let tls = tls(options.roots).map_err(|error| BadServer::Tls(error.to_string()))?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(https);
        Ok(Self { client, base })
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<Response, TransportError> {
        let response = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                TransportError::Unreachable(reasons(&error))
            } else {
                TransportError::Broken(reasons(&error))
            }
        })?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                TransportError::TooLarge
            } else {
                TransportError::Broken(error.to_string())
            }
        })?;
        Ok(Response { status, retry_after_s, body: body.to_bytes().to_vec() })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let timeout = request.timeout;
            let request =
                self.request(request).map_err(|error| TransportError::NotSent(error.to_string()))?;
            match tokio::time::timeout(timeout, self.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(TransportError::TimedOut),
            }
        })
    }
}

impl HttpTransport {
    fn request(&self, request: Request) -> http::Result<http::Request<Full<Bytes>>> {
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
        };
        let mut built = http::Request::builder().method(method).uri(format!("{}{}", self.base, request.path));
        for (name, value) in request.headers {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(name == "authorization");
            built = built.header(name, value);
        }
        built.body(Full::from(request.body.unwrap_or_default()))
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
