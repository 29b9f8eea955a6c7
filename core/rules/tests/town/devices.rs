//! Keys: the 48 hours, admission, revocation, browsers and shops' computers. (docs/rules.md D)

use moa_rules::device::{BROWSER_DAYS, KeyKind, MOST_KEYS};
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;

use crate::driver::{Person, SYSTEM, Town, points};

const WAIT: i64 = 48 * Timestamp::HOUR;

fn too_new(hours: u32) -> Refusal {
    Refusal::DeviceTooNew { hours }
}

#[test]
fn an_accounts_first_phone_pays_at_once_and_a_further_one_after_48_hours_to_the_millisecond() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let first = town.person();
    town.earn(shop, first, group, 100_000);
    let further = town.further_phone(first.account);

    let redemption = town.redeem(shop, further, group, 100);
    assert_eq!(town.refused(&redemption), too_new(48));
    let (pay, reserve) = (
        town.pay(further, shop, group, 100),
        town.reserve(further, (shop, shop.owner.key), group, 100, WAIT),
    );
    assert_eq!(town.refused(&pay), too_new(48));
    assert_eq!(town.refused(&reserve), too_new(48));

    town.wait(WAIT - 1);
    let redemption = town.redeem(shop, further, group, 100);
    assert_eq!(town.refused(&redemption), too_new(1));
    town.wait(1);
    let redemption = town.redeem(shop, further, group, 100);
    town.applied(&redemption);
}

#[test]
fn a_further_phone_earns_and_chooses_from_its_first_moment() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let first = town.person();
    let further = town.further_phone(first.account);
    town.earn(shop, further, group, 100_000);
    assert_eq!(town.available(first.account, group), 10_000);
}

#[test]
fn an_older_phone_admits_a_new_one_and_a_new_one_neither_itself_nor_another() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let first = town.person();
    town.earn(shop, first, group, 100_000);
    let (second, third) = (town.further_phone(first.account), town.further_phone(first.account));

    let itself = town.admit(second.key, second.key);
    assert_eq!(town.refused(&itself), too_new(48));
    let other = town.admit(second.key, third.key);
    assert_eq!(town.refused(&other), too_new(48));
    let stranger = town.person();
    let anothers = town.admit(stranger.key, second.key);
    assert_eq!(town.refused(&anothers), Refusal::UnknownDevice);

    let admission = town.admit(first.key, second.key);
    town.applied(&admission);
    let redemption = town.redeem(shop, second, group, 100);
    town.applied(&redemption);
    // The admitted one is old enough now to agree to the third.
    let admission = town.admit(second.key, third.key);
    town.applied(&admission);
}

#[test]
fn a_phone_enrolled_twice_waits_no_longer_than_before_and_not_at_all_once_its_person_proved_more() {
    let mut town = Town::new();
    let first = town.person();
    let further = town.further_phone(first.account);
    let from = town.tables.devices[&further.key].pays_from;

    town.wait(Timestamp::HOUR);
    town.enrol(first.account, further.key, false);
    assert_eq!(town.tables.devices[&further.key].pays_from, from);
    town.enrol(first.account, further.key, true);
    assert_eq!(town.tables.devices[&further.key].pays_from, town.now);
    let at = town.now;
    town.wait(Timestamp::HOUR);
    town.enrol(first.account, further.key, true);
    assert_eq!(town.tables.devices[&further.key].pays_from, at, "what pays is left as it is");
    assert_eq!(town.rebuilt(), town.tables);
}

#[test]
fn an_account_whose_only_phone_was_revoked_waits_with_its_next() {
    let mut town = Town::new();
    let first = town.person();
    let revocation = town.revoke(first.key, first.key);
    town.applied(&revocation);
    let next = town.further_phone(first.account);
    assert_eq!(town.tables.devices[&next.key].pays_from, town.now.plus(WAIT));
}

#[test]
fn a_revoked_key_signs_nothing_is_not_enrolled_again_and_is_not_revoked_twice() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let (first, stranger) = (town.person(), town.person());
    town.earn(shop, first, group, 100_000);
    let second = town.device(first.account);
    let code = town.code(first, group, 100);
    let revocation = town.revoke(second.key, first.key);
    town.applied(&revocation);

    let late = town.redeem_with(shop, code, 100);
    assert_eq!(town.refused(&late), Refusal::RevokedKey, "a code made before is void");
    let admission = town.admit(first.key, second.key);
    assert_eq!(town.refused(&admission), Refusal::RevokedKey);
    let back = town.admit(second.key, first.key);
    assert_eq!(town.refused(&back), Refusal::RevokedKey);
    for account in [first.account, stranger.account] {
        let body =
            OpBody::EnrolDevice { account, key: first.key, public_key: vec![4; 65], proved: Some(true) };
        let op = town.op(SYSTEM, body);
        assert_eq!(town.refused(&op.into()), Refusal::RevokedKey);
    }
    let again = town.revoke(second.key, first.key);
    assert_eq!(town.refused(&again), Refusal::RevokedKey);
}

#[test]
fn a_phone_that_does_not_pay_yet_ends_itself_and_no_older_one() {
    let mut town = Town::new();
    let first = town.person();
    let thief = town.further_phone(first.account);
    let takeover = town.revoke(thief.key, first.key);
    assert_eq!(town.refused(&takeover), too_new(48));
    let leaving = town.revoke(thief.key, thief.key);
    town.applied(&leaving);
}

#[test]
fn an_owner_ends_a_clerks_key_only_while_they_are_a_clerk() {
    let mut town = Town::new();
    let (shop, other) = (town.shop(), town.shop());
    let (clerk, former) = (town.clerk(shop, 10_000, 10_000), town.clerk(shop, 10_000, 10_000));

    let by_stranger = town.revoke(other.owner.key, clerk.key);
    assert_eq!(town.refused(&by_stranger), Refusal::UnknownDevice);
    let by_clerk = town.revoke(clerk.key, shop.owner.key);
    assert_eq!(town.refused(&by_clerk), Refusal::UnknownDevice);
    let by_owner = town.revoke(shop.owner.key, clerk.key);
    town.applied(&by_owner);

    let removal = town.remove_staff(shop.owner.key, shop, former.account);
    town.applied(&removal);
    let spite = town.revoke(shop.owner.key, former.key);
    assert_eq!(town.refused(&spite), Refusal::UnknownDevice, "their phone is theirs alone again");
}

#[test]
fn an_operator_ends_anyones_key_and_a_new_phone_of_an_operators_does_nothing() {
    let mut town = Town::new();
    let (shop, operator) = (town.shop(), town.operator());
    let new = town.further_phone(operator.account);
    let taken_over = town.set_allowance(new.key, shop, 0);
    assert_eq!(town.refused(&taken_over), too_new(48));
    let taken_over = town.revoke(new.key, shop.owner.key);
    assert_eq!(town.refused(&taken_over), too_new(48));
    let revocation = town.revoke(operator.key, shop.owner.key);
    town.applied(&revocation);

    let op = town.op(SYSTEM, OpBody::AppointOperator { account: operator.account, operator: false });
    town.applied(&op.into());
    let former = town.set_allowance(operator.key, shop, 0);
    assert_eq!(town.refused(&former), Refusal::NotAllowed);
}

#[test]
fn a_browser_signs_until_its_time_is_over_to_the_millisecond_and_never_pays() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let buyer = town.person();
    town.earn(shop, buyer, group, 100_000);
    let day = Timestamp::DAY;
    let most = i64::from(BROWSER_DAYS) * day;
    let too_long = Err(Refusal::SessionTooLong { days: BROWSER_DAYS });
    assert_eq!(town.browser_until(buyer.key, most + 1), too_long);
    assert_eq!(town.browser_until(buyer.key, 0), too_long);
    let browser = Person { key: town.browser_until(buyer.key, most).unwrap(), ..buyer };

    let code = town.code(browser, group, 100);
    let redemption = town.redeem_with(shop, code, 100);
    assert_eq!(town.refused(&redemption), Refusal::NotAllowed);
    let pay = town.pay(browser, shop, group, 100);
    assert_eq!(town.refused(&pay), Refusal::NotAllowed);
    let end = town.revoke(browser.key, buyer.key);
    assert_eq!(town.refused(&end), Refusal::NotAllowed);
    assert_eq!(town.browser_until(browser.key, day), Err(Refusal::NotAllowed));

    town.wait(most - 1);
    let choice = town.stand(browser, &[group], false);
    town.applied(&choice);
    town.wait(1);
    let choice = town.stand(browser, &[group], true);
    assert_eq!(town.refused(&choice), Refusal::KeyExpired);
}

#[test]
fn a_shops_computer_sells_and_redeems_and_that_is_all() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let buyer = town.person();
    town.earn(shop, buyer, group, 100_000);
    let key = town.add_key(shop.owner.key, KeyKind::Service).unwrap();
    let unrenewed = town.sale_by(key, 1_000);
    assert_eq!(town.refused(&unrenewed.into()), Refusal::CertificateUsed { left: Money(0) });
    town.renew(key);
    let sale = town.sale_by(key, 1_000);
    town.applied(&sale.into());
    let mut redemption = town.redeem(shop, buyer, group, 100);
    redemption.op.actor = key;
    town.applied(&redemption);

    let op = town.op(key, OpBody::SetStanding { choice: moa_rules::standing::StandingChoice::default() });
    assert_eq!(town.refused(&op.into()), Refusal::NotAllowed);
    let invitation = town.invitation(key, 1_000, 1_000);
    let joining = town.person();
    let joining = town.join_staff(joining, invitation);
    assert_eq!(town.refused(&joining), Refusal::NotAnInvitation, "a computer invites nobody");
    let pass = town.reserve(buyer, (shop, key), group, 100, Timestamp::HOUR);
    assert_eq!(town.refused(&pass), Refusal::WrongTill, "a computer takes no passes");
}

#[test]
fn a_computer_is_let_in_by_its_shops_owner_and_not_by_a_clerk_or_a_buyer() {
    let mut town = Town::new();
    let shop = town.shop();
    let (clerk, buyer) = (town.clerk(shop, 1_000, 1_000), town.person());
    assert_eq!(town.add_key(clerk.key, KeyKind::Service), Err(Refusal::NotAllowed));
    assert_eq!(town.add_key(buyer.key, KeyKind::Service), Err(Refusal::NoMerchant));
    assert_eq!(town.add_key(shop.owner.key, KeyKind::Phone), Err(Refusal::NotAllowed));
    // A clerk's browser is the clerk's as a buyer: no limits of its own to sell within.
    let browser = town.browser_until(clerk.key, Timestamp::DAY).unwrap();
    assert_eq!(town.tables.devices[&browser].merchant, None);
}

#[test]
fn an_account_has_fifty_keys_that_sign_and_another_once_one_is_revoked() {
    let mut town = Town::new();
    let buyer = town.person();
    let mut last = buyer.key;
    for _ in 1..MOST_KEYS {
        last = town.browser_until(buyer.key, Timestamp::DAY).unwrap();
    }
    let full = Err(Refusal::TooManyKeys { max: MOST_KEYS as u64 });
    assert_eq!(town.browser_until(buyer.key, Timestamp::DAY), full);
    let revocation = town.revoke(buyer.key, last);
    town.applied(&revocation);
    town.browser_until(buyer.key, Timestamp::DAY).unwrap();
    assert_eq!(town.browser_until(buyer.key, Timestamp::DAY), full);
    // Those whose time is over count no more.
    town.wait(Timestamp::DAY);
    town.browser_until(buyer.key, Timestamp::DAY).unwrap();
}

#[test]
fn another_phone_of_the_owners_acts_for_the_shop_once_it_pays_and_for_one_shop_only() {
    let mut town = Town::new();
    let shop = town.shop();
    let second = town.further_phone(shop.owner.account);
    let early = town.act_for(second.key, shop.merchant);
    assert_eq!(town.refused(&early), too_new(48));
    town.wait(WAIT);
    let buyer = town.person();
    let anothers = town.act_for(buyer.key, shop.merchant);
    assert_eq!(town.refused(&anothers), Refusal::NotAllowed);
    let acting = town.act_for(second.key, shop.merchant);
    town.applied(&acting);
    let again = town.act_for(second.key, shop.merchant);
    assert_eq!(town.refused(&again), Refusal::KeyHasMerchant);

    town.renew(second.key);
    let sale = town.sale_by(second.key, 1_000);
    town.applied(&sale.into());
}

#[test]
fn a_revoked_tills_vouchers_are_refused_unless_the_server_knew_the_sale() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let (clerk, buyer) = (town.clerk(shop, 10_000, 100_000), town.person());
    let (known, unknown) = (town.sale_by(clerk.key, 5_000), town.sale_by(clerk.key, 6_000));
    town.applied(&known.clone().into());
    let revocation = town.revoke(shop.owner.key, clerk.key);
    town.applied(&revocation);

    let claim = town.claim(buyer, &unknown, group);
    assert_eq!(town.refused(&claim), Refusal::RevokedKey);
    let claim = town.claim(buyer, &known, group);
    town.applied(&claim);
    assert_eq!(town.available(buyer.account, group), 500);
}

#[test]
fn edge_43_a_number_that_belongs_to_someone_else_now_spends_nothing_of_the_old_account_for_48_hours() {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let owner = town.person();
    town.earn(shop, owner, group, 100_000);
    // Whoever has the number now shows its code and nothing more.
    let thief = town.further_phone(owner.account);
    for parcel in [
        town.redeem(shop, thief, group, 1),
        town.pay(thief, shop, group, 1),
        town.admit(thief.key, thief.key),
        town.revoke(thief.key, owner.key),
    ] {
        assert_eq!(town.refused(&parcel), too_new(48));
    }
    // The owner notices, and ends it.
    let revocation = town.revoke(owner.key, thief.key);
    town.applied(&revocation);
    town.wait(WAIT);
    let late = town.redeem(shop, thief, group, 1);
    assert_eq!(town.refused(&late), Refusal::RevokedKey);
}
