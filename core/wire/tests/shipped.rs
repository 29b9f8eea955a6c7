//! Ops as phones keep them, maybe for years, before they are sent: whatever was shipped once is read for ever, byte for byte.
//!
//! `shipped.txt` has one line an op: what it is, and its payload in hex. Lines are added when a kind or a field is added, and
//! never changed.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use moa_rules::op::{OP_VERSION, Op};
use moa_rules::role::TABLE;
use moa_wire::canonical;
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::{Checked, Sealed};

#[test]
fn every_op_that_was_ever_shipped_is_read_and_written_as_it_was() {
    let key = SoftwareKey::generate().unwrap().0;
    let mut kinds = BTreeSet::new();
    for line in include_str!("shipped.txt").lines().filter(|line| !line.starts_with('#')) {
        let (name, hex) = line.split_once(": ").expect("a name and a payload");
        let payload = HEXLOWER.decode(hex.as_bytes()).expect("hex");
        let op: Op = canonical::decode(&payload).unwrap_or_else(|_| panic!("{name} is not read any more"));
        assert_eq!(canonical::encode(&op), payload, "{name} is written otherwise");
        assert_eq!(op.version, OP_VERSION);
        kinds.insert(op.body.kind().number);
        // Under a signature of its own it goes through the whole way in.
        let op = Op { actor: key.key_id(), ..op };
        let signed = Checked::sign(op, &key).unwrap();
        let read = Sealed::<Op>::parse(signed.bytes()).unwrap().check(&key.public_key()).unwrap();
        assert_eq!(read, signed, "{name}");
    }
    let missing: Vec<&str> = TABLE
        .iter()
        .map(|(kind, _)| *kind)
        .filter(|kind| !kinds.contains(&kind.number))
        .map(|kind| kind.name)
        .collect();
    assert!(missing.is_empty(), "no line of shipped.txt has {missing:?}");
}
