//! A key that was revoked: its vouchers stop at once at the server, and at the next sync on the phones that scan them.

mod support;

use moa_phone::{Code, Fate};
use moa_rules::quantity::Money;
use support::Town;

#[test]
fn a_revoked_keys_vouchers_are_unverified_after_the_next_sync_and_refused_by_the_server() {
    let mut town = Town::new();
    let scan = |town: &Town, text: &str| match town.buyer.phone.read_code(text).unwrap() {
        Code::Voucher(scanned) => scanned,
        code => panic!("no voucher: {code:?}"),
    };
    let voucher = town.cafe.phone.record_sale(Money(20_000), None).unwrap();
    assert!(scan(&town, &voucher.text).shop.is_some(), "the key is known, offline too");

    // Stolen: the voucher never reached the server before the key was ended.
    let key = town.cafe.phone.key();
    town.server.revoke(key);
    assert!(scan(&town, &voucher.text).shop.is_some(), "offline nobody knows yet");
    town.buyer.sync(&mut town.server).unwrap();
    let scanned = scan(&town, &voucher.text);
    assert!(scanned.shop.is_none(), "a key that is no shop's any more");
    let claim = town.buyer.phone.claim(&scanned, None).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.buyer.phone.fate(claim.op).unwrap() else { panic!("taken") };
    assert_eq!(refused.code, "revoked_key");
}
