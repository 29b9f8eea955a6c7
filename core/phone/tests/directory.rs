//! A phone keeps what its buyer can meet, and no more; what was used works without a network.

mod support;

use moa_phone::{DirectoryBounds, Request, Response};
use moa_rules::id::MerchantId;
use moa_rules::merchant::MerchantProfile;
use moa_rules::quantity::{Currency, Money};
use moa_wire::api::{Directory, MerchantEntry};

use support::{Person, Server, Town, ok, profile};

const STRANGERS: u16 = 300;

/// The real directory, and strangers far away who change all the time.
fn among_strangers(server: &mut Server, request: &Request) -> Response {
    let answer = server.answer(request);
    if !request.path.starts_with("/v1/directory") {
        return answer;
    }
    let mut page: Directory = serde_json::from_slice(&answer.body).unwrap();
    page.merchants.extend((0..STRANGERS).map(|number| {
        let mut id = [0xee; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        let profile = MerchantProfile::new(format!("{number}호점"), Currency::KRW, None);
        MerchantEntry { id: MerchantId(id), profile, groups: Vec::new(), keys: Vec::new() }
    }));
    ok(&page)
}

#[test]
fn a_claim_at_a_shop_that_was_used_needs_no_network_whatever_else_the_directory_holds() {
    let mut town = Town::new();
    town.earn(10_000);
    town.buyer.machine.set_directory_bounds(DirectoryBounds { shops: 5, groups: 1 });
    for _ in 0..3 {
        town.advance(3_600_000);
        town.buyer
            .sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request)))
            .unwrap();
        let voucher = town.cafe.phone.record_sale(Money(5_000), None).unwrap();
        let scanned = town.buyer.scan(&voucher);
        assert_eq!(scanned.shop.as_ref().unwrap().name.as_deref(), Some("골목 카페"));
        let choices = town.buyer.phone.choices(&scanned).unwrap();
        assert_eq!(choices.len(), 1);
        town.buyer.phone.claim(&scanned, Some(choices[0].choice)).unwrap();
    }
    town.buyer.sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request))).unwrap();
    assert!(town.buyer.phone.pending_claims().unwrap().is_empty(), "all three were taken");
}

#[test]
fn a_shop_that_was_dropped_is_looked_up_when_it_is_met_and_kept_once_it_was_used() {
    let mut town = Town::new();
    let mut met = Person::new(7);
    met.enrol(&mut town.server);
    met.phone.register_merchant(profile("새 가게")).unwrap();
    met.phone.join_group(town.group, 1).unwrap();
    met.sync(&mut town.server).unwrap();
    town.buyer.machine.set_directory_bounds(DirectoryBounds { shops: 0, groups: 0 });
    town.advance(3_600_000);
    met.environment.advance(3_600_000);
    town.buyer.sync(&mut town.server).unwrap();
    let voucher = met.phone.record_sale(Money(5_000), None).unwrap();
    assert!(town.buyer.scan(&voucher).shop.is_none(), "nothing was used, nothing is kept");
    // Not a whole sync: the look-ups alone.
    town.buyer.run(&mut town.server, |server, request| Ok(server.answer(request)));
    let scanned = town.buyer.scan(&voucher);
    let choices = town.buyer.phone.choices(&scanned).unwrap();
    town.buyer.phone.claim(&scanned, Some(choices[0].choice)).unwrap();
    town.advance(3_600_000);
    met.environment.advance(3_600_000);
    town.buyer.sync_over(&mut town.server, |server, request| Ok(among_strangers(server, request))).unwrap();
    let again = met.phone.record_sale(Money(7_000), None).unwrap();
    assert_eq!(town.buyer.phone.choices(&town.buyer.scan(&again)).unwrap().len(), 1);
}
