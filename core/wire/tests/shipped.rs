//! Ops as phones keep them, maybe for years, before they are sent: whatever was shipped once is read for ever, byte for byte.
//!
//! `shipped.txt` has one line an op: what it is, and its payload in hex. Lines are added when a kind or a field is added, and
//! never changed. `shown.txt` has the same of codes and tokens that one phone shows another, which may be the older one.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use minicbor::{Decode, Encode};
use moa_rules::account::MergeConsent;
use moa_rules::op::{OP_VERSION, Op, RedemptionCode};
use moa_rules::pass::{PassCode, PassToken};
use moa_rules::role::TABLE;
use moa_rules::staff::StaffInvitation;
use moa_wire::canonical;
use moa_wire::keys::{Signer, SoftwareKey};
use moa_wire::token::{Approval, Checked, Sealed};

#[test]
fn every_op_that_was_ever_shipped_is_read_and_written_as_it_was() {
    let key = SoftwareKey::generate().unwrap().0;
    let mut kinds = BTreeSet::new();
    for (name, payload) in lines(include_str!("shipped.txt")) {
        let op: Op = same(name, &payload);
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

#[test]
fn every_code_that_was_ever_shown_is_read_and_written_as_it_was() {
    for (name, payload) in lines(include_str!("shown.txt")) {
        match name.split(',').next() {
            Some("redemption code") => drop(same::<RedemptionCode>(name, &payload)),
            Some("approval") => drop(same::<Approval>(name, &payload)),
            Some("pass") => drop(same::<PassToken>(name, &payload)),
            Some("pass code") => drop(same::<PassCode>(name, &payload)),
            Some("invitation") => drop(same::<StaffInvitation>(name, &payload)),
            Some("merge consent") => drop(same::<MergeConsent>(name, &payload)),
            _ => panic!("{name} is of no kind"),
        }
    }
}

/// The names and payloads of a file.
fn lines(file: &str) -> impl Iterator<Item = (&str, Vec<u8>)> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (name, hex) = line.split_once(": ").expect("a name and a payload");
        (name, HEXLOWER.decode(hex.as_bytes()).expect("hex"))
    })
}

/// Reads a payload, and writes it the same.
fn same<T: Encode<()> + for<'b> Decode<'b, ()>>(name: &str, payload: &[u8]) -> T {
    let value: T = canonical::decode(payload).unwrap_or_else(|_| panic!("{name} is not read any more"));
    assert_eq!(canonical::encode(&value), payload, "{name} is written otherwise");
    value
}
