//! Pictures of groups.

use std::sync::Arc;

use crate::app::{App, Inner};
use crate::error::ApiError;

#[uniffi::export]
impl App {
    /// Has the server keep a picture as it was picked (PNG, JPEG or WebP, at most 5 MB): made smaller, without where it was taken. Gives
    /// the id by which a group's profile names it.
    pub async fn send_picture(&self, file: Vec<u8>) -> Result<String, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.send_picture(file).await;
        Ok(self.run(call).await?.to_string())
    }

    /// A group's picture, by the id in its profile: a JPEG of at most 1 200 pixels a side.
    pub async fn picture(&self, id: String) -> Result<Vec<u8>, ApiError> {
        let id = id.parse().map_err(|error| self.invalid(error))?;
        self.run(async move |app: Arc<Inner>| app.client.cover(id).await).await
    }
}
