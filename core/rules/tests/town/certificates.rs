//! Certificates: what a till may sell before it hears from the server, and what a shop's tills share. (docs/rules.md C)

use moa_rules::certificate::{ALLOWANCE, CERTIFICATE_DAYS, Certificate, MOST_ALLOWANCE};
use moa_rules::id::KeyId;
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Currency, Money};
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;

use crate::driver::{Person, Shop, Town, points};

const WEEK: i64 = 7 * Timestamp::DAY;

/// A shop whose tills may sell so much together, its owner's till renewed.
fn shop_with(allowance: i64) -> (Town, Shop, Person) {
    let mut town = Town::new();
    let (shop, operator) = (town.shop(), town.operator());
    let set = town.set_allowance(operator.key, shop, allowance);
    town.applied(&set);
    town.renew(shop.owner.key);
    (town, shop, operator)
}

fn certificate(town: &Town, key: KeyId) -> Certificate {
    town.tables.devices[&key].certificate.unwrap()
}

fn most(town: &Town, key: KeyId) -> i64 {
    certificate(town, key).most.0
}

fn used_up(left: i64) -> Refusal {
    Refusal::CertificateUsed { left: Money(left) }
}

#[test]
fn a_new_shop_sells_half_of_what_every_shop_is_allowed_without_asking() {
    let mut town = Town::new();
    let owner = town.person();
    let profile = MerchantProfile::new("새 가게", Currency::KRW, None);
    let op = town.op(owner.key, OpBody::RegisterMerchant { profile });
    town.applied(&op.into());
    let given = certificate(&town, owner.key);
    let until = town.now.plus(WEEK);
    assert_eq!(given, Certificate { until, most: Money(ALLOWANCE.0 / 2), used: Money(0) });
}

#[test]
fn a_certificate_is_used_to_the_unit_and_good_to_the_last_second_of_its_week() {
    let (mut town, shop, _) = shop_with(2_000);
    let key = shop.owner.key;
    assert_eq!(most(&town, key), 1_000);
    let sale = town.sale_by(key, 1_001);
    assert_eq!(town.refused(&sale.into()), used_up(1_000));
    let sale = town.sale_by(key, 600);
    town.applied(&sale.into());
    let sale = town.sale_by(key, 401);
    assert_eq!(town.refused(&sale.into()), used_up(400));

    town.wait(WEEK);
    let in_time = town.sale_by(key, 300);
    town.wait(Timestamp::SECOND);
    let late = town.sale_by(key, 100);
    assert_eq!(town.refused(&late.into()), Refusal::CertificateExpired { days: CERTIFICATE_DAYS });
    town.wait(3 * Timestamp::DAY);
    town.applied(&in_time.into());
    town.renew(key);
    let sale = town.sale_by(key, 1_000);
    town.applied(&sale.into());
}

#[test]
fn a_voucher_within_the_certificate_is_honoured_for_its_buyer_and_counted_when_it_comes() {
    let (mut town, shop, _) = shop_with(20_000);
    let group = town.group(shop, points(1_000, 0));
    let buyer = town.person();
    let (first, second) = (town.sale_by(shop.owner.key, 6_000), town.sale_by(shop.owner.key, 6_000));
    let claim = town.claim(buyer, &first, group);
    town.applied(&claim);
    let claim = town.claim(buyer, &second, group);
    assert_eq!(town.refused(&claim), used_up(4_000), "a till that signed more than it might");
    assert_eq!(certificate(&town, shop.owner.key).used, Money(6_000));
}

#[test]
fn each_further_till_finds_half_of_what_the_others_leave() {
    let (mut town, shop, _) = shop_with(10_000);
    let second = town.clerk(shop, 10_000, 10_000);
    let third = town.clerk(shop, 10_000, 10_000);
    assert_eq!(
        [most(&town, shop.owner.key), most(&town, second.key), most(&town, third.key)],
        [5_000, 2_500, 1_250]
    );
    // A renewal counts the others and not the till's own.
    town.renew(second.key);
    assert_eq!(most(&town, second.key), (10_000 - 5_000 - 1_250) / 2);
    let reserved: i64 = [shop.owner.key, second.key, third.key].map(|key| most(&town, key)).iter().sum();
    assert!(reserved <= 10_000);
}

#[test]
fn what_a_revoked_till_or_a_certificate_that_ran_out_reserved_is_free_for_the_others() {
    let (mut town, shop, _) = shop_with(10_000);
    let second = town.clerk(shop, 10_000, 10_000);
    assert_eq!(most(&town, second.key), 2_500);
    town.renew(shop.owner.key);
    assert_eq!(most(&town, shop.owner.key), 3_750);
    let revocation = town.revoke(shop.owner.key, second.key);
    town.applied(&revocation);
    town.renew(shop.owner.key);
    assert_eq!(most(&town, shop.owner.key), 5_000);

    let third = town.clerk(shop, 10_000, 10_000);
    town.wait(WEEK - 1);
    town.renew(third.key);
    assert_eq!(most(&town, third.key), 2_500, "the owner's is good for a millisecond more");
    town.wait(1);
    town.renew(third.key);
    assert_eq!(most(&town, third.key), 5_000);
}

#[test]
fn what_a_clerk_who_left_reserved_is_kept_for_what_they_signed_before() {
    let (mut town, shop, _) = shop_with(10_000);
    let second = town.clerk(shop, 10_000, 10_000);
    let before = town.sale_by(second.key, 2_500);
    town.wait(Timestamp::SECOND);
    let removal = town.remove_staff(shop.owner.key, shop, second.account);
    town.applied(&removal);
    town.renew(shop.owner.key);
    assert_eq!(most(&town, shop.owner.key), 3_750);
    town.applied(&before.into());
}

#[test]
fn a_shop_without_an_allowance_gets_no_certificate_and_keeps_what_it_has() {
    let (mut town, shop, operator) = shop_with(10_000);
    let nothing = town.set_allowance(operator.key, shop, 0);
    town.applied(&nothing);
    let renewal = town.renewal(shop.owner.key);
    assert_eq!(town.refused(&renewal), Refusal::NoAllowance);
    let sale = town.sale_by(shop.owner.key, 5_000);
    town.applied(&sale.into());
    let clerk = town.clerk(shop, 1_000, 1_000);
    let sale = town.sale_by(clerk.key, 1);
    assert_eq!(town.refused(&sale.into()), used_up(0));
}

#[test]
fn an_allowance_is_an_operators_to_set_and_within_bounds() {
    let (mut town, shop, operator) = shop_with(10_000);
    let by_owner = town.set_allowance(shop.owner.key, shop, 1);
    assert_eq!(town.refused(&by_owner), Refusal::NotAllowed);
    let negative = town.set_allowance(operator.key, shop, -1);
    assert_eq!(town.refused(&negative), Refusal::AmountNotPositive);
    let too_large = town.set_allowance(operator.key, shop, MOST_ALLOWANCE.0 + 1);
    assert_eq!(town.refused(&too_large), Refusal::AmountTooLarge { max: MOST_ALLOWANCE });
    let nowhere = Shop { merchant: moa_rules::id::MerchantId([3; 16]), ..shop };
    let nowhere = town.set_allowance(operator.key, nowhere, 1);
    assert_eq!(town.refused(&nowhere), Refusal::NoMerchant);
    let browser = town.browser_until(operator.key, Timestamp::DAY).unwrap();
    let by_browser = town.set_allowance(browser, shop, 2_000);
    town.applied(&by_browser);
    town.renew(shop.owner.key);
    assert_eq!(most(&town, shop.owner.key), 1_000);
}

#[test]
fn edge_30_a_clock_a_day_ahead_still_sells_and_one_set_back_is_taken_at_its_word() {
    let (mut town, shop, _) = shop_with(10_000);
    let mut ahead = town.sale_by(shop.owner.key, 100);
    ahead.time += 86_400;
    town.applied(&ahead.into());
    let mut back = town.sale_by(shop.owner.key, 100);
    back.time -= 30 * 86_400;
    town.applied(&back.into());
    assert_eq!(certificate(&town, shop.owner.key).used, Money(200));
    // In its last day a clock that runs ahead finds the certificate over.
    town.wait(WEEK - Timestamp::HOUR);
    let mut ahead = town.sale_by(shop.owner.key, 100);
    ahead.time += 86_400;
    assert_eq!(town.refused(&ahead.into()), Refusal::CertificateExpired { days: CERTIFICATE_DAYS });
}
