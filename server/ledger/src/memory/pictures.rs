//! Pictures in memory.

use moa_rules::id::PictureId;
use moa_rules::time::Timestamp;

use super::MemoryStore;
use crate::store::StoreError;
use crate::store::pictures::{NewPicture, PictureKept, Pictures};

impl Pictures for MemoryStore {
    fn keep_picture(
        &self,
        picture: &NewPicture,
        most: usize,
        since: Timestamp,
    ) -> Result<PictureKept, StoreError> {
        let mut state = self.lock();
        if state.pictures.contains_key(&picture.id) {
            return Ok(PictureKept::Kept);
        }
        let lately = |kept: &&NewPicture| kept.account == picture.account && kept.made_at > since;
        let mut sent: Vec<Timestamp> =
            state.pictures.values().filter(lately).map(|kept| kept.made_at).collect();
        sent.sort_unstable();
        if let Some(first) = sent.len().checked_sub(most).and_then(|at| sent.get(at)) {
            return Ok(PictureKept::TooMany(*first));
        }
        state.pictures.insert(picture.id, picture.clone());
        Ok(PictureKept::Kept)
    }

    fn picture(&self, id: PictureId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().pictures.get(&id).map(|kept| kept.jpeg.clone()))
    }
}
