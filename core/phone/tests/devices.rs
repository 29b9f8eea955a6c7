//! Devices of an account: an old phone is told of a new one; a key that was revoked stops at once at the server, and its
//! vouchers at the next sync on the phones that scan them.

mod support;

use moa_phone::{Code, Fate};
use moa_rules::quantity::Money;
use support::{Person, Town};

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

/// A second phone of the buyer's account.
fn second_phone(town: &mut Town, seed: u64) -> Person {
    town.server.enrols_as = Some(town.account);
    let mut second = Person::new(seed);
    assert_eq!(second.enrol(&mut town.server), town.account);
    town.server.enrols_as = None;
    second
}

#[test]
fn an_old_phone_is_told_of_a_new_one_until_someone_has_looked_at_it() {
    let mut town = Town::new();
    assert!(town.buyer.phone.new_devices().unwrap().is_empty(), "its own joining is no news");
    let second = second_phone(&mut town, 70);
    town.buyer.sync(&mut town.server).unwrap();
    let [told] = town.buyer.phone.new_devices().unwrap()[..] else { panic!("one device") };
    assert_eq!((told.key, told.phone, told.joined_at), (second.phone.key(), true, town.server.now));
    assert!(second.phone.new_devices().unwrap().is_empty(), "the new one is not told of itself");
    town.buyer.phone.device_seen(told.key).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert!(town.buyer.phone.new_devices().unwrap().is_empty());
}

#[test]
fn a_new_device_that_is_revoked_or_admitted_is_no_longer_told_of() {
    let mut town = Town::new();
    for seed in [71, 72] {
        let second = second_phone(&mut town, seed);
        town.buyer.sync(&mut town.server).unwrap();
        let key = second.phone.key();
        let told = town.buyer.phone.new_devices().unwrap();
        assert_eq!(told.iter().map(|device| device.key).collect::<Vec<_>>(), [key]);
        if seed == 71 {
            town.buyer.phone.revoke_device(key).unwrap();
        } else {
            town.buyer.phone.admit_device(key).unwrap();
        }
        town.buyer.sync(&mut town.server).unwrap();
        assert!(town.buyer.phone.new_devices().unwrap().is_empty(), "{seed}");
    }
}
