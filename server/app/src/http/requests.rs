//! What handlers read from a request: a JSON body, parameters, an id, the caller's language.

use std::convert::Infallible;
use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use moa_wire::api::MAX_BODY;
use moa_words::{Lang, ProblemText};
use serde::de::DeserializeOwned;

use super::problems::Fault;

/// For how long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// An over-long body is read and thrown away up to here, so that its sender gets to read the answer.
const THROWN_AWAY: usize = 8 * MAX_BODY;

/// A JSON body of at most [`MAX_BODY`] bytes.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let says_json = says_json(request.headers());
        let bytes = tokio::time::timeout(BODY_TIMEOUT, read(request.into_body()));
        let bytes = bytes.await.map_err(|_| Fault::BUSY)??;
        if !says_json {
            return Err(Fault(ProblemText::NotJson));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|_| Fault(ProblemText::BrokenJson))
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    media_type.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<Vec<u8>, Fault> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        // The connection broke, or the body's framing did.
        let chunk: Bytes = chunk.map_err(|_| Fault(ProblemText::BrokenJson))?;
        length = length.saturating_add(chunk.len());
        if length > THROWN_AWAY {
            break;
        }
        if length > MAX_BODY {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&chunk);
        }
    }
    if length > MAX_BODY {
        return Err(Fault(ProblemText::BodyTooLarge { max_bytes: MAX_BODY as u64 }));
    }
    Ok(kept)
}

/// The parameters behind the `?`.
pub(super) struct Parameters<T>(pub(super) T);

/// Parameters that know their name, to be told apart in an error.
pub(super) trait Named {
    /// The parameter that can be malformed.
    const NAME: &'static str;
}

impl<S: Send + Sync, T: DeserializeOwned + Named> FromRequestParts<S> for Parameters<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(query)| Self(query)).map_err(|_| Fault(ProblemText::BadParameter { name: T::NAME }))
    }
}

/// The id in the path. What is no id names nothing.
pub(super) struct Id<T>(pub(super) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for Id<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = path.and_then(|Path(text)| text.parse().ok());
        id.map(Self).ok_or(Fault(ProblemText::NotFound))
    }
}

/// The language that the caller asked for.
pub(super) struct Language(pub(super) Lang);

impl<S: Send + Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(language(&parts.headers)))
    }
}

/// The language of an `Accept-Language` header.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    header.map(Lang::from_accept_language).unwrap_or_default()
}
