//! How requests travel. The core says what to ask and reads the answer; a transport carries both.

use std::fmt::{self, Write};
use std::pin::Pin;
use std::time::Duration;

/// The most bytes of an answer that are read. The largest, 500 events, stays well below.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
}

impl Method {
    /// As HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub method: Method,
    /// Path and query, such as `/v1/changes?wait=25`.
    pub path: String,
    /// Name and value.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, for a [`Method::Post`].
    pub body: Option<Vec<u8>>,
    /// How long to wait for the whole answer.
    pub timeout: Duration,
}

/// Without headers, which carry the token, and without the body, which may carry a phone number.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.method, self.path)
    }
}

/// An answer, of whoever gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The seconds in `Retry-After`, if it had any.
    pub retry_after_s: Option<u32>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// None in time.
    #[error("no answer in time")]
    TimedOut,
    /// It broke off.
    #[error("the answer broke off: {0}")]
    Broken(String),
    /// More than [`MAX_ANSWER`] bytes.
    #[error("the answer is too large")]
    TooLarge,
    /// The request can't be sent, to any server.
    #[error("not sent: {0}")]
    NotSent(String),
}

/// An answer to come. Dropping it gives the request up.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Carries requests to the server.
pub trait Transport: Send + Sync {
    /// Sends a request and reads the whole answer.
    fn send(&self, request: Request) -> Answer<'_>;
}

/// A text as a value in a query: everything but letters, digits and `-._~` as `%XX`.
pub(crate) fn query_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            value.push(byte.into());
        } else {
            // Writing into a `String` has no way to fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_value_is_escaped() {
        assert_eq!(query_value("aZ9-._~"), "aZ9-._~");
        assert_eq!(query_value("a&b=ㅁ %"), "a%26b%3D%E3%85%81%20%25");
    }

    #[test]
    fn tokens_and_numbers_do_not_reach_the_log() {
        let request = Request {
            method: Method::Post,
            path: "/v1/enrolments".into(),
            headers: vec![("authorization", "Bearer secret".into())],
            body: Some(b"01012345678".to_vec()),
            timeout: Duration::from_secs(1),
        };
        assert_eq!(format!("{request:?}"), "Post /v1/enrolments");
    }
}
