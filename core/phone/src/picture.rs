//! Pictures of groups: sent as they were picked, made smaller and kept by the server, named by a group's profile; anyone may look. (A1)
//!
//! Requests and answers without a network; [`Client`](crate::Client) sends them.

use std::time::Duration;

use moa_rules::id::PictureId;
use moa_wire::api::PictureTaken;

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::transport::{Method, Request, Response, TransportError};

/// Phones send photos over slow networks.
const TIMEOUT: Duration = Duration::from_mins(1);
/// What every JPEG begins with.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];
/// The most bytes of a file that the server takes.
pub const MOST_PICTURE: usize = 5 * 1024 * 1024;

impl Phone {
    /// Sends a picture: PNG, JPEG or WebP. A larger one than [`MOST_PICTURE`] is cut behind that, so that the server can say how large
    /// one may be without all of it having travelled.
    ///
    /// # Errors
    /// As [`devices_request`](Self::devices_request).
    pub fn picture_request(&self, mut file: Vec<u8>) -> Result<Request, PhoneError> {
        file.truncate(MOST_PICTURE + 1);
        let headers = vec![
            ("accept", "application/json".to_owned()),
            ("accept-language", self.language().to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
        ];
        let path = "/v1/pictures".to_owned();
        self.as_caller(Request { method: Method::Post, path, headers, body: Some(file), timeout: TIMEOUT })
    }

    /// Takes the answer to [`Self::picture_request`].
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn picture_taken(&self, answer: Result<Response, TransportError>) -> Result<PictureId, PhoneError> {
        let PictureTaken { picture } = self.read_answer(answer)?;
        Ok(picture)
    }

    /// Asks for a picture. Nobody need be signed in.
    pub fn cover_request(&self, picture: PictureId) -> Request {
        let headers = vec![("accept", "image/jpeg, application/json".to_owned())];
        let path = format!("/p/{picture}.jpg");
        Request { method: Method::Get, path, headers, body: None, timeout: TIMEOUT }
    }

    /// Takes the answer to [`Self::cover_request`]: a JPEG.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] if there is none; [`PhoneError::NotOurServer`] for anything else; [`PhoneError::Offline`].
    pub fn cover_read(&self, answer: Result<Response, TransportError>) -> Result<Vec<u8>, PhoneError> {
        match answer {
            Ok(Response { status: 200, body, .. }) if body.starts_with(JPEG) => Ok(body),
            Ok(Response { status: 200, .. }) => Err(PhoneError::NotOurServer("no picture".to_owned())),
            Ok(Response { status: 404, .. }) => Err(PhoneError::NotHere),
            other => self.read_answer::<serde_json::Value>(other).and(Err(PhoneError::NotHere)),
        }
    }
}
