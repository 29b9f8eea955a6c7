//! Cursors: how far a caller has come. Opaque to the caller: base64url of canonical CBOR.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use minicbor::{Decode, Encode};
use moa_ledger::reach;
use moa_ledger::store::{Store, StoreError};
use moa_rules::event::Inbox;
use moa_rules::id::MerchantId;
use moa_rules::time::Timestamp;
use moa_wire::canonical;

/// The most characters of a cursor that are looked at: over a thousand groups.
const MAX_CURSOR: usize = 40_000;

/// Text that is not a cursor of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor")]
pub(crate) struct BadCursor;

/// How many events of each inbox the caller has, and the beginning of the hash over them. An inbox that is not named was
/// never read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ChangesCursor(BTreeMap<Inbox, (u64, u32)>);

impl ChangesCursor {
    /// Events that the caller has of an inbox.
    pub(crate) fn count(&self, inbox: Inbox) -> u64 {
        self.0.get(&inbox).map_or(0, |(count, _)| *count)
    }

    /// Moves on to `count` events of an inbox, with this hash over them.
    pub(crate) fn set(&mut self, inbox: Inbox, count: u64, hash: [u8; 32]) {
        if count > 0 {
            self.0.insert(inbox, (count, reach::brief(hash)));
        }
    }

    /// Whether every inbox has the events that the caller has. If not, the database was restored to a time before the
    /// caller read it.
    pub(crate) fn stands(&self, store: &dyn Store) -> Result<bool, StoreError> {
        for (inbox, place) in &self.0 {
            if !reach::stands(store, *inbox, *place)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The cursor as it travels.
    pub(crate) fn text(&self) -> String {
        let places: Vec<(Inbox, u64, u32)> =
            self.0.iter().map(|(inbox, (count, hash))| (*inbox, *count, *hash)).collect();
        encode(&places)
    }

    /// Reads a cursor; without one, from the beginning.
    pub(crate) fn read(text: Option<&str>) -> Result<Self, BadCursor> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Self::default()) };
        let places: Vec<(Inbox, u64, u32)> = decode(text)?;
        if !places.is_sorted_by(|(one, ..), (next, ..)| one < next) {
            return Err(BadCursor);
        }
        Ok(Self(places.into_iter().map(|(inbox, count, hash)| (inbox, (count, hash))).collect()))
    }
}

/// The last shop of the directory that the caller has: when it changed, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DirectoryCursor(pub Timestamp, pub MerchantId);

impl DirectoryCursor {
    /// Before everything.
    pub(crate) const START: Self = Self(Timestamp(i64::MIN), MerchantId([0; 16]));

    /// The cursor as it travels.
    pub(crate) fn text(self) -> String {
        encode(&(self.0, self.1))
    }

    /// Reads a cursor; without one, from the beginning.
    pub(crate) fn read(text: Option<&str>) -> Result<Self, BadCursor> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Self::START) };
        let (time, merchant) = decode(text)?;
        Ok(Self(time, merchant))
    }
}

fn encode<T: Encode<()>>(value: &T) -> String {
    BASE64URL_NOPAD.encode(&canonical::encode(value))
}

fn decode<T: Encode<()> + for<'b> Decode<'b, ()>>(text: &str) -> Result<T, BadCursor> {
    if text.len() > MAX_CURSOR {
        return Err(BadCursor);
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| BadCursor)?;
    canonical::decode(&bytes).map_err(|_| BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_rules::id::{AccountId, GroupId};
    use proptest::prelude::*;

    #[test]
    fn cursors_read_back() {
        let mut cursor = ChangesCursor::default();
        cursor.set(Inbox::Group(GroupId([3; 16])), 70_000, [9; 32]);
        cursor.set(Inbox::Account(AccountId([9; 16])), 1, [8; 32]);
        cursor.set(Inbox::Merchant(MerchantId([1; 16])), 0, [7; 32]);
        assert_eq!(ChangesCursor::read(Some(&cursor.text())), Ok(cursor.clone()));
        assert_eq!(cursor.count(Inbox::Group(GroupId([3; 16]))), 70_000);
        assert_eq!(cursor.count(Inbox::Merchant(MerchantId([1; 16]))), 0);
        let cursor = DirectoryCursor(Timestamp(1_790_000_000_000), MerchantId([7; 16]));
        assert_eq!(DirectoryCursor::read(Some(&cursor.text())), Ok(cursor));
        assert_eq!(DirectoryCursor::read(None), Ok(DirectoryCursor::START));
    }

    #[test]
    fn an_inbox_named_twice_or_out_of_order_is_no_cursor() {
        let inbox = Inbox::Account(AccountId([1; 16]));
        let lower = Inbox::Account(AccountId([0; 16]));
        for counts in [vec![(inbox, 1, 1_u32), (inbox, 2, 1)], vec![(inbox, 1, 1), (lower, 1, 1)]] {
            assert_eq!(ChangesCursor::read(Some(&encode(&counts))), Err(BadCursor));
        }
    }

    proptest! {
        #[test]
        fn garbage_is_refused_without_panic(text in ".{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for text in [text, BASE64URL_NOPAD.encode(&bytes)] {
                let _ = ChangesCursor::read(Some(&text));
                let _ = DirectoryCursor::read(Some(&text));
            }
        }
    }
}
