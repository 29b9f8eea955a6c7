//! Pictures of groups, as the server made them of what people sent: beside the journal, which knows their ids.

use moa_rules::id::{AccountId, PictureId};
use moa_rules::time::Timestamp;

use super::StoreError;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPicture {
    /// By which it is found: the same bytes have the same.
    pub id: PictureId,
    /// Who sent it.
    pub account: AccountId,
    /// The JPEG.
    pub jpeg: Vec<u8>,
    /// When.
    pub made_at: Timestamp,
}

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKept {
    /// It is kept, now or since before.
    Kept,
    /// The account has sent as many as it may; the first of those at this instant.
    TooMany(Timestamp),
}

/// Pictures.
pub trait Pictures: Send + Sync {
    /// Keeps a picture, unless its account sent `most` others since an instant. One that is there stays its first sender's.
    fn keep_picture(
        &self,
        picture: &NewPicture,
        most: usize,
        since: Timestamp,
    ) -> Result<PictureKept, StoreError>;

    /// The JPEG of a picture.
    fn picture(&self, id: PictureId) -> Result<Option<Vec<u8>>, StoreError>;
}
