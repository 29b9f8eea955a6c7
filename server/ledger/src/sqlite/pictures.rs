//! Pictures.

use moa_rules::id::PictureId;
use moa_rules::time::Timestamp;
use rusqlite::params;

use super::SqliteStore;
use super::load::{all, one};
use super::save::run;
use crate::rows;
use crate::store::StoreError;
use crate::store::pictures::{NewPicture, PictureKept, Pictures};

const PICTURE: &str = "SELECT jpeg FROM pictures WHERE id = ?1";
const KNOWN: &str = "SELECT made_at FROM pictures WHERE id = ?1";
const LATELY: &str = "SELECT made_at FROM pictures WHERE account = ?1 AND made_at > ?2 ORDER BY made_at";
const KEEP: &str = "INSERT INTO pictures (id, account, jpeg, made_at) VALUES (?1, ?2, ?3, ?4)";

impl Pictures for SqliteStore {
    fn keep_picture(
        &self,
        picture: &NewPicture,
        most: usize,
        since: Timestamp,
    ) -> Result<PictureKept, StoreError> {
        let NewPicture { id, account, jpeg, made_at } = picture;
        let (id, account) = (id.as_ref(), account.as_ref());
        self.write("keeping a picture", |tx| {
            let instant = |row: &dyn rows::Columns| rows::instant(row, "made_at");
            if one(tx, KNOWN, [id], instant)?.is_some() {
                return Ok(PictureKept::Kept);
            }
            let sent = all(tx, LATELY, (account, since.0), instant)?;
            if let Some(first) = sent.len().checked_sub(most).and_then(|at| sent.get(at)) {
                return Ok(PictureKept::TooMany(*first));
            }
            run(tx, KEEP, params![id, account, jpeg, made_at.0])?;
            Ok(PictureKept::Kept)
        })
    }

    fn picture(&self, id: PictureId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|tx| one(tx, PICTURE, [id.as_ref()], |row| rows::at(row, "jpeg")))
    }
}
