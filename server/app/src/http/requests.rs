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
use crate::pictures::MOST_BYTES;

/// For how long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// For how long a picture may: phones send it over slow networks.
const PICTURE_TIMEOUT: Duration = Duration::from_secs(30);
/// Of an over-long body so many times what it may have is read and thrown away, so that its sender gets to read the answer.
const THROWN_AWAY: usize = 8;

/// A JSON body of at most [`MAX_BODY`] bytes.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let says_json = says_json(request.headers());
        let bytes = tokio::time::timeout(BODY_TIMEOUT, read(request.into_body(), MAX_BODY));
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

/// A file that may be a picture, of at most [`MOST_BYTES`]. What it is, its bytes say.
pub(super) struct PictureBody(pub(super) Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for PictureBody {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let bytes = tokio::time::timeout(PICTURE_TIMEOUT, read(request.into_body(), MOST_BYTES));
        bytes.await.map_err(|_| Fault::BUSY)?.map(Self)
    }
}

/// A body of at most `most` bytes.
async fn read(body: Body, most: usize) -> Result<Vec<u8>, Fault> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        // The connection broke, or the body's framing did.
        let chunk: Bytes = chunk.map_err(|_| Fault(ProblemText::BrokenJson))?;
        length = length.saturating_add(chunk.len());
        if length > most.saturating_mul(THROWN_AWAY) {
            break;
        }
        if length > most {
            kept = Vec::new();
        } else {
            kept.extend_from_slice(&chunk);
        }
    }
    if length > most {
        return Err(Fault(ProblemText::BodyTooLarge { max_bytes: most as u64 }));
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
