//! What a phone does by itself: writes, codes, balances.

mod support;

use moa_phone::{
    Code, Data, Fate, Kind, Mismatch, Options, Phone, PhoneError, SaleStanding, VoucherStanding,
};
use moa_rules::id::{AccountId, OpId};
use moa_rules::quantity::{MAX_AMOUNT, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Profile, Scope};
use moa_rules::time::{Timestamp, parts};
use moa_wire::code::NotOurs;
use moa_wire::keys::Signer;
use moa_wire::token::{Approval, Checked, Sealed};
use proptest::prelude::*;
use support::{NOON, Person, Server, Town, offline, profile, terms, units};

fn refusal<T: std::fmt::Debug>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sale_is_on_disk_before_its_voucher_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut shop = Person::on_disk(directory.path(), 1);
    shop.enrol(&mut server);
    shop.phone.register_merchant(profile("카페")).unwrap();
    let voucher = shop.phone.record_sale(Money(4_500), None).unwrap();
    // Another connection sees it while the first is still open: it was committed.
    let again = Person::on_disk(directory.path(), 2);
    let items = again.phone.outbox().unwrap();
    let sale = items.iter().find(|item| item.op == voucher.sale).unwrap();
    assert_eq!((sale.kind, sale.amount, &sale.fate), (Kind::RecordSale, Some(Money(4_500)), &Fate::Waiting));
    let today = again.phone.merchant_today().unwrap();
    assert_eq!(today.sales[0].standing, SaleStanding::Unsent);
    assert_eq!((today.amount, today.claimed), (Money(4_500), 0));
}

#[test]
fn counters_never_repeat_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut seen = Vec::new();
    for boot in 0..5 {
        let mut shop = Person::on_disk(directory.path(), boot);
        if boot == 0 {
            shop.enrol(&mut server);
            shop.phone.register_merchant(profile("카페")).unwrap();
        }
        for amount in 1..4 {
            let voucher = shop.phone.record_sale(Money(amount), None).unwrap();
            let bytes = token(&voucher.text);
            seen.push(Sealed::<moa_rules::op::Op>::parse(&bytes).unwrap().unchecked().counter);
            shop.phone.redemption_code(moa_rules::id::GroupId([1; 16]), units(1)).unwrap();
        }
        // Dropped without a goodbye, as in a crash: the process's memory is gone, the file is not.
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
}

fn token(text: &str) -> Vec<u8> {
    base45::decode(text.strip_prefix("MOA1:").unwrap()).unwrap()
}

#[test]
fn the_phone_works_on_only_for_the_key_that_it_was_signed_in_with() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut shop = Person::on_disk(directory.path(), 1);
    let account = shop.enrol(&mut server);
    shop.phone.register_merchant(profile("카페")).unwrap();
    drop(shop);
    std::fs::remove_file(directory.path().join("device.key")).unwrap();
    let restored = Person::on_disk(directory.path(), 2);
    assert_eq!(restored.phone.signed_in().unwrap(), moa_phone::SignedIn::Again(account));
    assert_eq!(restored.phone.outbox().unwrap().len(), 1, "what was written is still to be sent");
}

#[test]
fn nobody_signed_in_writes_nothing() {
    let phone = Phone::open(Options::new(Data::Memory)).unwrap();
    assert!(matches!(phone.register_merchant(profile("카페")), Err(PhoneError::NotSignedIn)));
    assert!(matches!(
        phone.redemption_code(moa_rules::id::GroupId([1; 16]), units(1)),
        Err(PhoneError::NotSignedIn)
    ));
    assert!(phone.outbox().unwrap().is_empty());
}

#[test]
fn obviously_wrong_inputs_are_refused_here_and_leave_nothing() {
    let town = Town::new();
    let cafe = &town.cafe.phone;
    assert_eq!(refusal(cafe.record_sale(Money(0), None)), Refusal::AmountNotPositive);
    assert_eq!(refusal(cafe.record_sale(Money(-5), None)), Refusal::AmountNotPositive);
    let large = Money(1_000_000_000_000_000);
    assert_eq!(refusal(cafe.record_sale(large, None)), Refusal::AmountTooLarge { max: MAX_AMOUNT });
    assert_eq!(refusal(cafe.register_merchant(profile("둘째"))), Refusal::KeyHasMerchant);
    assert_eq!(refusal(cafe.join_group(town.group, 1)), Refusal::AlreadyMember);
    let empty = Profile::new(" ", Scope::Area);
    assert!(matches!(refusal(cafe.found_group(empty, terms(300, 0))), Refusal::BadName { .. }));
    let mut dollars = terms(300, 0);
    dollars.currency = "USD".try_into().unwrap();
    let group = Profile::new("골목", Scope::Area);
    assert_eq!(refusal(cafe.found_group(group.clone(), dollars)), Refusal::CurrencyDiffers);
    let mut nowhere = terms(300, 0);
    nowhere.zone = "Mars/Olympus".into();
    assert_eq!(refusal(cafe.found_group(group, nowhere)), Refusal::UnknownZone);
    assert_eq!(refusal(town.buyer.phone.record_sale(Money(1), None)), Refusal::NoMerchant);
    assert_eq!(refusal(town.buyer.phone.redemption_code(town.group, units(0))), Refusal::UnitsNotPositive);
    assert!(cafe.outbox().unwrap().is_empty());
}

#[test]
fn a_known_shops_voucher_is_verified_and_shows_what_it_would_earn_where() {
    let mut town = Town::new();
    let generous = Profile::new("전국", Scope::Nationwide);
    let second = town.cafe.phone.found_group(generous, terms(1_500, 0)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert_eq!(scanned.shop.as_ref().unwrap().name.as_deref(), Some("골목 카페"));
    assert_eq!((scanned.amount, scanned.standing), (Money(4_500), VoucherStanding::Open));
    assert_eq!(scanned.claim_until, NOON.plus(15 * Timestamp::MINUTE));

    let choices = town.buyer.phone.choices(&scanned).unwrap();
    let shown: Vec<_> =
        choices.iter().map(|c| (c.choice.group, c.earns.get(), c.terms.minimum.get())).collect();
    assert_eq!(shown, [(second, 675, 0), (town.group, 450, 1_000)], "best first");
    assert_eq!(parts(choices[0].usable_at_least_until), (2027, 5, 21));
    let members: Vec<_> = choices[1].members.iter().map(|shop| shop.name.as_deref().unwrap()).collect();
    assert_eq!(members.len(), 2);
    assert!(members.contains(&"골목 빵집"));
}

#[test]
fn an_unknown_shops_voucher_is_unverified_and_still_claimable() {
    let mut server = Server::new(NOON);
    let mut buyer = Person::new(9);
    buyer.enrol(&mut server);
    let mut shop = Person::new(8);
    shop.enrol(&mut server);
    shop.phone.register_merchant(profile("새 가게")).unwrap();
    let voucher = shop.phone.record_sale(Money(10_000), None).unwrap();
    let scanned = buyer.scan(&voucher);
    assert_eq!((scanned.shop.is_some(), scanned.standing), (false, VoucherStanding::Open));
    assert!(buyer.phone.choices(&scanned).unwrap().is_empty());
    let claimed = buyer.phone.claim(&scanned, None).unwrap();
    assert_eq!((claimed.group, claimed.earns), (None, None));
    let pending = buyer.phone.pending_claims().unwrap();
    assert_eq!((pending.len(), pending[0].group), (1, None));
    assert!(buyer.phone.balances().unwrap().is_empty(), "nobody knows yet of which group");
}

#[test]
fn a_forged_voucher_is_refused() {
    let town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    let mut bytes = token(&voucher.text);
    *bytes.last_mut().unwrap() ^= 1;
    let forged = moa_wire::code::text(&bytes);
    assert_eq!(refusal(town.buyer.phone.read_code(&forged)), Refusal::BadSignature);
}

#[test]
fn claiming_the_same_voucher_twice_is_refused_here() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    let claim = town.buyer.phone.claim(&scanned, None).unwrap();
    assert_eq!(refusal(town.buyer.phone.claim(&scanned, None)), Refusal::SaleAlreadyClaimed);
    assert_eq!(town.buyer.scan(&voucher).standing, VoucherStanding::Claimed { claim: claim.op });
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(refusal(town.buyer.phone.claim(&scanned, None)), Refusal::SaleAlreadyClaimed);
    assert_eq!(town.server.wallet(town.account, town.group), units(450));
}

#[test]
fn a_voucher_scanned_too_late_is_refused_here() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    let early = town.buyer.scan(&voucher);
    town.advance(15 * Timestamp::MINUTE);
    assert_eq!(town.buyer.scan(&voucher).standing, VoucherStanding::Open);
    town.advance(Timestamp::SECOND);
    assert_eq!(town.buyer.scan(&voucher).standing, VoucherStanding::Expired);
    assert_eq!(refusal(town.buyer.phone.claim(&early, None)), Refusal::VoucherExpired { minutes: 15 });
}

#[test]
fn an_addressed_voucher_is_for_its_buyer_alone_and_for_seven_days() {
    let mut town = Town::new();
    let theirs = town.cafe.phone.record_sale(Money(4_500), Some(town.account)).unwrap();
    let others = town.cafe.phone.record_sale(Money(4_500), Some(AccountId([0xaa; 16]))).unwrap();
    town.advance(6 * Timestamp::DAY);
    assert_eq!(town.buyer.scan(&others).standing, VoucherStanding::ForAnother);
    assert_eq!(refusal(town.buyer.phone.claim(&town.buyer.scan(&others), None)), Refusal::NotAddressee);
    town.buyer.phone.claim(&town.buyer.scan(&theirs), None).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(450));
}

#[test]
fn a_shop_cannot_claim_its_own_sale() {
    let town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    let scanned = town.cafe.scan(&voucher);
    assert_eq!(scanned.standing, VoucherStanding::Own);
    assert_eq!(refusal(town.cafe.phone.claim(&scanned, None)), Refusal::OwnSale);
}

#[test]
fn a_sale_dated_two_days_ahead_and_one_that_earns_nothing_are_refused_here() {
    let town = Town::new();
    let small = town.cafe.phone.record_sale(Money(9), None).unwrap();
    assert_eq!(
        refusal(town.buyer.phone.claim(&town.buyer.scan(&small), None)),
        Refusal::EarnsNothing { amount: Money(9) }
    );
    town.cafe.environment.advance(2 * Timestamp::DAY);
    let ahead = town.cafe.phone.record_sale(Money(4_500), None).unwrap();
    assert_eq!(
        refusal(town.buyer.phone.claim(&town.buyer.scan(&ahead), None)),
        Refusal::SaleDatedAhead { hours: 24 }
    );
}

#[test]
fn pending_never_counts_toward_a_minimum() {
    let mut town = Town::new();
    town.earn(6_000);
    town.buy(9_000);
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(600), units(900)));
    assert_eq!((balance.usable, balance.to_minimum), (units(0), units(400)));
    assert_eq!((balance.minimum, balance.name.as_deref()), (Some(units(1_000)), Some("골목")));
    town.buyer.sync(&mut town.server).unwrap();
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(1_500), units(0)));
    assert_eq!((balance.usable, balance.to_minimum), (units(1_500), units(0)));
}

#[test]
fn expired_lots_are_not_counted_and_those_expiring_soon_are_told() {
    let mut town = Town::new();
    town.earn(10_000);
    town.advance(170 * Timestamp::DAY);
    town.cafe.sync(&mut town.server).unwrap();
    town.earn(20_000);
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.expiring_soon), (units(3_000), units(1_000)));
    assert_eq!(balance.next_expiry.map(parts), Some((2027, 5, 21)));
    // No sweep has come by: the balance is read right all the same.
    town.advance(20 * Timestamp::DAY);
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.expiring_soon), (units(2_000), units(0)));
}

#[test]
fn a_redemption_code_is_read_by_the_shop_and_used_once() {
    let mut town = Town::new();
    town.earn(50_000);
    let code = town.buyer.phone.redemption_code(town.group, units(2_000)).unwrap();
    assert_eq!(code.expires_at, NOON.plus(3 * Timestamp::MINUTE));
    let Code::Redemption(scanned) = town.bakery.phone.read_code(&code.text).unwrap() else {
        panic!("no code")
    };
    assert_eq!((scanned.group_name.as_deref(), scanned.most), (Some("골목"), units(2_000)));
    let redeem = |count| town.bakery.phone.redeem(&scanned.text, units(count));
    assert_eq!(refusal(redeem(0)), Refusal::UnitsNotPositive);
    let more = Refusal::MoreThanCode { asked: units(2_001), most: units(2_000) };
    assert_eq!(refusal(redeem(2_001)), more);
    let asked = redeem(1_500).unwrap();
    assert_eq!(refusal(redeem(100)), Refusal::CodeUsed);
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Waiting));
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
    let today = town.bakery.phone.merchant_today().unwrap();
    assert_eq!((today.redemptions[0].units, &today.redemptions[0].fate), (units(1_500), &Fate::Applied));
    town.buyer.sync(&mut town.server).unwrap();
    let history = town.buyer.phone.history(town.group).unwrap();
    let rows: Vec<_> = history.iter().map(|row| (row.units.get(), row.shop.name.clone().unwrap())).collect();
    assert_eq!(rows, [(1_500, "골목 빵집".to_owned()), (5_000, "골목 카페".to_owned())]);
    let voucher = town.cafe.phone.record_sale(Money(1), None).unwrap();
    assert_eq!(refusal(town.bakery.phone.redeem(&voucher.text, units(1))), Refusal::NotACode);
}

#[test]
fn a_code_that_has_run_out_is_refused_here_by_the_servers_clock() {
    let mut town = Town::new();
    // The bakery's clock is an hour fast; it learned that from the server.
    town.bakery.environment.advance(Timestamp::HOUR);
    town.bakery.sync(&mut town.server).unwrap();
    let code = town.buyer.phone.redemption_code(town.group, units(10)).unwrap();
    town.bakery.phone.redeem(&code.text, units(1)).unwrap();
    let late = town.buyer.phone.redemption_code(town.group, units(10)).unwrap();
    town.advance(4 * Timestamp::MINUTE);
    assert_eq!(refusal(town.bakery.phone.redeem(&late.text, units(1))), Refusal::CodeExpired);
}

#[test]
fn a_refused_code_may_be_tried_for_less() {
    let mut town = Town::new();
    town.earn(20_000);
    let code = town.buyer.phone.redemption_code(town.group, units(5_000)).unwrap();
    let asked = town.bakery.phone.redeem(&code.text, units(5_000)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.bakery.phone.fate(asked.op).unwrap() else {
        panic!("not refused")
    };
    let reason = Refusal::NotEnough { asked: units(5_000), available: units(2_000) };
    assert_eq!((refused.code.as_str(), refused.reason), ("not_enough", Some(reason)));
    let less = town.bakery.phone.redeem(&code.text, units(2_000)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(less.op).unwrap(), Some(Fate::Applied));
    let shown: Vec<OpId> = town.bakery.phone.outbox().unwrap().iter().map(|item| item.op).collect();
    assert_eq!(shown, [asked.op]);
    town.bakery.phone.dismiss(asked.op).unwrap();
    assert!(town.bakery.phone.outbox().unwrap().is_empty());
}

#[test]
fn an_approval_counts_only_with_the_servers_signature() {
    let town = Town::new();
    let merchant = town.bakery.phone.own_shop().unwrap().unwrap().id;
    let approval = |signer: &dyn Signer| {
        let (op, group) = (OpId([5; 16]), town.group);
        let expires = NOON.plus(Timestamp::MINUTE).seconds();
        let approval = Approval { version: 1, op, merchant, group, units: units(7), expires, unit: None };
        moa_wire::code::text(Checked::sign(approval, signer).unwrap().bytes())
    };
    let Code::Approval(read) = town.bakery.phone.read_code(&approval(&town.server.key)).unwrap() else {
        panic!("no approval")
    };
    assert_eq!((read.for_us, read.expired, read.units), (true, false, units(7)));
    let (stranger, _) = moa_wire::keys::SoftwareKey::generate().unwrap();
    assert_eq!(refusal(town.bakery.phone.read_code(&approval(&stranger))), Refusal::BadSignature);
}

#[test]
fn a_strangers_code_is_named() {
    let town = Town::new();
    for (text, expected) in [
        ("", NotOurs::Empty),
        ("00020101021229300012D156000000000510A93FO3230Q", NotOurs::PaymentCode),
        ("https://pay.example/abc", NotOurs::ForeignLink),
        ("8801234567890", NotOurs::Unknown),
        ("MOA1:ABC", NotOurs::Damaged),
    ] {
        let read = town.buyer.phone.read_code(text);
        assert!(matches!(&read, Err(PhoneError::NotOurs(what)) if *what == expected), "{text}: {read:?}");
    }
    let link = format!("MOA://g/{}", town.group).to_uppercase();
    assert!(matches!(town.buyer.phone.read_code(&link), Ok(Code::Link(_))));
}

#[test]
fn a_shop_that_is_being_opened_can_found_and_sell_at_once() {
    let mut server = Server::new(NOON);
    let mut shop = Person::new(1);
    shop.enrol(&mut server);
    let merchant = shop.phone.register_merchant(profile("카페")).unwrap();
    let alley = Profile::new("골목", Scope::Area);
    let group = shop.phone.found_group(alley, terms(300, 0)).unwrap();
    shop.phone.record_sale(Money(1_000), None).unwrap();
    let own = shop.phone.own_shop().unwrap().unwrap();
    assert_eq!((own.id, own.confirmed), (merchant, false));
    let groups = shop.phone.own_groups().unwrap();
    assert_eq!((groups[0].id, groups[0].confirmed), (group, false));
    assert_eq!(groups[0].info.as_ref().unwrap().profile.name, "골목");

    assert!(shop.sync_over(&mut server, offline).is_err());
    shop.sync(&mut server).unwrap();
    let own = shop.phone.own_shop().unwrap().unwrap();
    assert_eq!((own.id, own.confirmed), (merchant, true));
    let groups = shop.phone.own_groups().unwrap();
    assert_eq!((groups[0].confirmed, groups[0].info.as_ref().unwrap().members.len()), (true, 1));
    assert_eq!(shop.phone.merchant_today().unwrap().sales[0].standing, SaleStanding::Recorded);
    assert_eq!(shop.phone.breach().unwrap().map(|breach| breach.what), None::<Mismatch>);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_codes_never_panic_and_change_nothing(text in ".{0,200}", body in "[0-9A-Z $%*+./:-]{0,240}") {
        thread_local!(static TOWN: Town = Town::new());
        TOWN.with(|town| {
            for text in [&text, &format!("MOA1:{body}")] {
                let _ = town.buyer.phone.read_code(text);
                let _ = town.bakery.phone.redeem(text, units(1));
            }
            assert!(town.bakery.phone.outbox().unwrap().is_empty());
        });
    }
}
