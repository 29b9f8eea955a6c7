//! Turmoil's network for both sides: a listener that the server serves, and the way there for phones.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, to_bytes};
use axum::serve::Listener;
use hyper::Request as HttpRequest;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, RETRY_AFTER};
use hyper_util::rt::TokioIo;
use moa_phone::{Answer, MAX_ANSWER, Method, Request, Response, Transport, TransportError};
use turmoil::net::{TcpListener, TcpStream};

/// The server's name on the network.
pub const SERVER: &str = "server";
const PORT: u16 = 80;

/// Where the server listens.
pub struct Door(TcpListener);

impl Door {
    /// Opens it. To be called on the server's host.
    ///
    /// # Errors
    /// If it is open already.
    pub async fn open() -> io::Result<Self> {
        Ok(Self(TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?))
    }
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // Whoever knocked has gone.
            let Ok(accepted) = self.0.accept().await else { continue };
            return accepted;
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// One phone's way to the server. A connection that is whole is used again.
#[derive(Default)]
pub struct Way {
    idle: Mutex<Option<SendRequest<Body>>>,
}

impl Way {
    fn idle(&self, put: Option<SendRequest<Body>>) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *idle, put)
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let mut sender = match self.idle(None).filter(SendRequest::is_ready) {
            Some(sender) => sender,
            None => connect().await?,
        };
        let method = match request.method {
            Method::Get => hyper::Method::GET,
            Method::Post => hyper::Method::POST,
        };
        let mut asked = HttpRequest::builder().method(method).uri(request.path).header(HOST, SERVER);
        for (name, value) in request.headers {
            asked = asked.header(name, value);
        }
        let asked = asked.body(Body::from(request.body.unwrap_or_default()));
        let asked = asked.map_err(|error| TransportError::NotSent(error.to_string()))?;
        let answer = sender.send_request(asked).await.map_err(broken)?;
        let (head, body) = answer.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = to_bytes(Body::new(body), MAX_ANSWER).await.map_err(broken)?;
        self.idle(Some(sender));
        Ok(Response { status: head.status.as_u16(), retry_after_s: retry_after, body: body.into() })
    }
}

async fn connect() -> Result<SendRequest<Body>, TransportError> {
    let unreachable = |error: &dyn std::error::Error| TransportError::Unreachable(error.to_string());
    let stream = TcpStream::connect((SERVER, PORT)).await.map_err(|error| unreachable(&error))?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
    // How it ends is told by the requests on it.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn broken(error: impl std::error::Error) -> TransportError {
    TransportError::Broken(error.to_string())
}

impl Transport for Way {
    fn send(&self, request: Request) -> Answer<'_> {
        Box::pin(async move {
            let in_time = tokio::time::timeout(request.timeout, self.exchange(request));
            in_time.await.unwrap_or(Err(TransportError::TimedOut))
        })
    }
}
