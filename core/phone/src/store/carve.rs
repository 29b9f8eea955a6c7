//! Ops in bytes that are no database any more: each is signed, so that it is told from anything else.
//!
//! A signed op has at most a few hundred bytes and lies in one piece in a page of its table and in the log. What was
//! found may have been answered already, or twice: the server answers the same id the same way.

use std::collections::BTreeMap;
use std::io::{self, Read};

use moa_rules::id::{KeyId, OpId};
use moa_rules::op::Op;
use moa_wire::token::{Sealed, Token};

/// How every token begins: `COSE_Sign1` with ES256 and nothing unprotected.
const BEGINNING: [u8; 6] = [0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0];
/// The signature's own beginning: a text of 64 bytes.
const SIGNATURE: [u8; 2] = [0x58, 0x40];
/// Bytes read at a time.
const BLOCK: u64 = 1 << 20;

/// Adds the ops by this key that are found.
pub(crate) fn ops(
    mut from: impl Read,
    key: KeyId,
    public_key: &[u8],
    found: &mut BTreeMap<OpId, Sealed<Op>>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let read = from.by_ref().take(BLOCK).read_to_end(&mut bytes)?;
        let mut at = 0;
        while let Some(next) = find(&bytes[at..]) {
            at += next;
            let op = length(&bytes[at..]).and_then(|length| bytes.get(at..at + length));
            match op.and_then(|op| Sealed::<Op>::parse(op).ok()) {
                Some(op) if op.unchecked().actor == key => {
                    let checked = op.clone().check(public_key);
                    found.extend(checked.ok().map(|checked| (checked.value().id, op)));
                }
                _ => {}
            }
            at += 1;
        }
        if read == 0 {
            return Ok(());
        }
        // An op may lie across two blocks.
        bytes.drain(..bytes.len().saturating_sub(Op::MAX_BYTES));
    }
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(BEGINNING.len()).position(|window| window == BEGINNING)
}

/// The bytes of the token that begins here, as far as that can be told without reading it.
fn length(token: &[u8]) -> Option<usize> {
    let (header, payload) = match *token.get(BEGINNING.len()..)? {
        [short @ 0x40..0x58, ..] => (1, usize::from(short - 0x40)),
        [0x58, length, ..] => (2, usize::from(length)),
        [0x59, high, low, ..] => (3, usize::from(u16::from_be_bytes([high, low]))),
        _ => return None,
    };
    let signature = BEGINNING.len() + header + payload;
    (token.get(signature..signature + 2)? == SIGNATURE).then_some(signature + 2 + 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moa_rules::op::{OP_VERSION, OpBody};
    use moa_rules::quantity::Money;
    use moa_wire::keys::{Signer, SoftwareKey};
    use moa_wire::token::Checked;
    use proptest::prelude::*;

    fn sale(key: &SoftwareKey, number: u8) -> Checked<Op> {
        let body = OpBody::RecordSale { amount: Money(4_500), addressee: None, redemption: None };
        let (id, actor, counter, time) = (OpId([number; 16]), key.key_id(), number.into(), 1_800_000_000);
        Checked::sign(Op { version: OP_VERSION, id, actor, counter, time, body }, key).unwrap()
    }

    fn carve(bytes: &[u8], key: &SoftwareKey) -> Vec<OpId> {
        let mut found = BTreeMap::new();
        ops(bytes, key.key_id(), &key.public_key(), &mut found).unwrap();
        found.into_keys().collect()
    }

    #[test]
    fn ops_are_found_wherever_they_lie_and_others_ops_are_not() {
        let (key, other) = (SoftwareKey::generate().unwrap().0, SoftwareKey::generate().unwrap().0);
        let block = usize::try_from(BLOCK).unwrap();
        let mut bytes = vec![0x84; 2 * block + 5_000];
        for (number, at) in (1..).zip([0, 700, block - 90, 2 * block - 1, 2 * block + 4_000]) {
            let op = sale(&key, number);
            bytes[at..at + op.bytes().len()].copy_from_slice(op.bytes());
        }
        let theirs = sale(&other, 9);
        bytes[2_000..2_000 + theirs.bytes().len()].copy_from_slice(theirs.bytes());
        assert_eq!(carve(&bytes, &key), [1, 2, 3, 4, 5].map(|number| OpId([number; 16])));
        bytes[800] ^= 1;
        assert_eq!(carve(&bytes, &key).len(), 4, "one whose bytes were changed is none");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_hold_no_ops(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = SoftwareKey::generate().unwrap().0;
            let bytes = [&BEGINNING[..], &bytes, &BEGINNING, &[0x59, 0xff]].concat();
            prop_assert!(carve(&bytes, &key).is_empty());
        }
    }
}
