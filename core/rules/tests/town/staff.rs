//! Staff: joining, selling within limits, leaving, and who may not earn where. (docs/rules.md F)

use moa_rules::event::{EventBody, Inbox};
use moa_rules::id::GroupId;
use moa_rules::op::{Carried, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::INVITATION_HOURS;
use moa_rules::time::Timestamp;

use crate::driver::{Parcel, Person, START, Shop, Town, points};

/// A shop with a group, a clerk who may sell 30,000 at once and 50,000 a day, and a buyer.
struct Counter {
    town: Town,
    shop: Shop,
    group: GroupId,
    clerk: Person,
    buyer: Person,
}

fn counter() -> Counter {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, points(1_000, 0));
    let clerk = town.clerk(shop, 30_000, 50_000);
    let buyer = town.person();
    Counter { town, shop, group, clerk, buyer }
}

impl Counter {
    fn remove(&mut self) {
        let removal = self.town.remove_staff(self.shop.owner.key, self.shop, self.clerk.account);
        self.town.applied(&removal);
    }

    fn sell(&mut self, amount: i64) -> Result<(), Refusal> {
        let sale = self.town.sale_by(self.clerk.key, amount);
        self.town.send(&sale.into()).map(drop)
    }
}

fn expired() -> Refusal {
    Refusal::InvitationExpired { hours: INVITATION_HOURS }
}

#[test]
fn an_invitation_is_good_for_one_person_and_until_its_last_second() {
    let mut s = counter();
    let (first, second) = (s.town.person(), s.town.person());
    let invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    let end = Timestamp::from_seconds(invitation.expires);
    s.town.now = end.plus(1);
    let late = s.town.join_staff(first, invitation);
    assert_eq!(s.town.refused(&late), expired());
    s.town.now = end;
    let joining = s.town.join_staff(first, invitation);
    s.town.applied(&joining);
    let again = s.town.join_staff(second, invitation);
    assert_eq!(s.town.refused(&again), Refusal::InvitationUsed);
}

#[test]
fn an_invitation_for_longer_than_a_day_and_an_hour_is_void() {
    let mut s = counter();
    let person = s.town.person();
    let mut invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    invitation.expires += 3_601;
    let joining = s.town.join_staff(person, invitation);
    assert_eq!(s.town.refused(&joining), expired());
    invitation.expires -= 1;
    let joining = s.town.join_staff(person, invitation);
    s.town.applied(&joining);
}

#[test]
fn an_invitation_and_an_op_share_the_series_of_counters() {
    let mut s = counter();
    let (first, second) = (s.town.person(), s.town.person());
    let used = s.town.tables.counters.iter().find(|(key, _)| *key == s.shop.owner.key).unwrap().1;
    let mut invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    invitation.counter = used;
    let joining = s.town.join_staff(first, invitation);
    assert_eq!(s.town.refused(&joining), Refusal::InvitationUsed);

    let invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    let joining = s.town.join_staff(second, invitation);
    s.town.applied(&joining);
    let mut sale = s.town.sale(s.shop, 1_000);
    sale.counter = invitation.counter;
    let refused = Refusal::CounterUsed { counter: invitation.counter };
    assert_eq!(s.town.refused(&sale.into()), refused);
}

#[test]
fn a_person_joins_once_and_the_second_invitation_stays_good_for_another() {
    let mut s = counter();
    let second = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    let again = s.town.join_staff(s.clerk, second);
    assert_eq!(s.town.refused(&again), Refusal::KeyHasMerchant);
    let other_phone = s.town.device(s.clerk.account);
    let again = s.town.join_staff(other_phone, second);
    assert_eq!(s.town.refused(&again), Refusal::AlreadyStaff);
    let other = s.town.person();
    let joining = s.town.join_staff(other, second);
    s.town.applied(&joining);
}

#[test]
fn a_clerk_who_lost_the_phone_joins_with_another_once_the_first_is_revoked() {
    let mut s = counter();
    let revocation = s.town.revoke(s.shop.owner.key, s.clerk.key);
    s.town.applied(&revocation);
    let other_phone = s.town.device(s.clerk.account);
    s.town.hire(s.shop, other_phone, 1_000, 1_000);
    let sale = s.town.sale_by(other_phone.key, 1_000);
    s.town.applied(&sale.into());
    let staff = s.town.tables.staff[&(s.shop.merchant, s.clerk.account)];
    assert_eq!((staff.key, staff.left_at), (other_phone.key, None));
}

#[test]
fn an_invitation_is_an_owners_phones_and_of_nobody_else() {
    let mut s = counter();
    let person = s.town.person();
    let browser = s.town.browser_until(s.shop.owner.key, Timestamp::DAY).unwrap();
    for (key, refusal) in [
        (s.clerk.key, Refusal::NotAnInvitation),
        (s.buyer.key, Refusal::NotAnInvitation),
        (browser, Refusal::NotAnInvitation),
        (moa_rules::id::KeyId([9; 8]), Refusal::UnknownKey),
    ] {
        let invitation = s.town.invitation(key, 1_000, 1_000);
        let joining = s.town.join_staff(person, invitation);
        assert_eq!(s.town.refused(&joining), refusal);
    }
    let invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    let (revoker, lost) = (s.town.device(s.shop.owner.account), s.shop.owner.key);
    let revocation = s.town.revoke(revoker.key, lost);
    s.town.applied(&revocation);
    let joining = s.town.join_staff(person, invitation);
    assert_eq!(s.town.refused(&joining), Refusal::RevokedKey);
}

#[test]
fn an_owner_does_not_join_the_own_staff_and_a_shops_key_no_others() {
    let mut s = counter();
    let other = s.town.shop();
    let second_phone = s.town.device(s.shop.owner.account);
    let invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    let joining = s.town.join_staff(second_phone, invitation);
    assert_eq!(s.town.refused(&joining), Refusal::NotAllowed);
    let joining = s.town.join_staff(other.owner, invitation);
    assert_eq!(s.town.refused(&joining), Refusal::KeyHasMerchant);
    // The owner of another shop sells here with another phone.
    let other_phone = s.town.device(other.owner.account);
    let joining = s.town.join_staff(other_phone, invitation);
    s.town.applied(&joining);
}

#[test]
fn limits_hold_to_the_unit_in_a_sale_and_in_a_day_of_seoul() {
    let mut s = counter();
    assert_eq!(s.sell(30_001), Err(Refusal::OverSaleLimit { max: Money(30_000) }));
    s.sell(30_000).unwrap();
    let full = Refusal::OverDayLimit { max: Money(50_000), sold: Money(30_000) };
    assert_eq!(s.sell(20_001), Err(full));
    s.sell(20_000).unwrap();
    let full = Refusal::OverDayLimit { max: Money(50_000), sold: Money(50_000) };
    assert_eq!(s.sell(1), Err(full.clone()));
    // It is noon in Seoul: twelve hours to the end of the day.
    s.town.now = START.plus(12 * Timestamp::HOUR - Timestamp::SECOND);
    assert_eq!(s.sell(1), Err(full));
    s.town.wait(Timestamp::SECOND);
    s.sell(30_000).unwrap();
}

#[test]
fn a_day_is_that_of_the_sale_and_not_of_its_sending_and_all_kinds_of_sales_count() {
    let mut s = counter();
    let early = s.town.sale_by(s.clerk.key, 30_000);
    let mut named = s.town.sell_to(s.shop, 20_000, s.buyer);
    named.op.actor = s.clerk.key;
    s.town.wait(Timestamp::DAY);
    s.sell(30_000).unwrap();
    s.town.applied(&early.into());
    s.town.applied(&named);
    let mut claimed = s.town.sale_by(s.clerk.key, 1);
    claimed.time = START.seconds();
    let claim = s.town.claim(s.buyer, &claimed, s.group);
    let full = Refusal::OverDayLimit { max: Money(50_000), sold: Money(50_000) };
    assert_eq!(s.town.refused(&claim), full);
}

#[test]
fn an_owner_has_no_limits_and_a_clerk_does_not_join_with_limits_that_are_none() {
    let mut s = counter();
    let sale = s.town.sale(s.shop, 10_000_000);
    s.town.applied(&sale.into());
    let person = s.town.person();
    for (per_sale, per_day, code) in [
        (0, 1, "amount_not_positive"),
        (1, -1, "amount_not_positive"),
        (10_000_000_001, 1, "amount_too_large"),
        (1, i64::MAX, "amount_too_large"),
    ] {
        let invitation = s.town.invitation(s.shop.owner.key, per_sale, per_day);
        let joining = s.town.join_staff(person, invitation);
        assert_eq!(s.town.refused(&joining).code(), code);
    }
}

#[test]
fn what_a_clerk_signed_before_leaving_is_honoured_and_nothing_after() {
    let mut s = counter();
    let (pushed, claimed) = (s.town.sale_by(s.clerk.key, 10_000), s.town.sale_by(s.clerk.key, 10_000));
    s.town.wait(Timestamp::MINUTE);
    let at_last = s.town.sale_by(s.clerk.key, 10_000);
    s.remove();
    let after = s.town.sale_by(s.clerk.key, 10_000);
    // In the very second of leaving is after.
    assert_eq!(s.town.refused(&at_last.into()), Refusal::NotStaff);
    assert_eq!(s.town.refused(&after.clone().into()), Refusal::NotStaff);
    let claim = s.town.claim(s.buyer, &after, s.group);
    assert_eq!(s.town.refused(&claim), Refusal::NotStaff);

    s.town.wait(Timestamp::HOUR);
    s.town.applied(&pushed.into());
    let mut claim = s.town.claim(s.buyer, &claimed, s.group);
    claim.op.time = claimed.time;
    s.town.applied(&claim);
    // The limits of that day still hold.
    let mut backdated = s.town.sale_by(s.clerk.key, 30_001);
    backdated.time = START.seconds();
    assert_eq!(s.town.refused(&backdated.into()), Refusal::OverSaleLimit { max: Money(30_000) });
}

#[test]
fn a_sale_known_from_a_claim_is_refused_when_the_clerk_sends_it_and_counted_once() {
    let mut s = counter();
    let sale = s.town.sale_by(s.clerk.key, 30_000);
    let claim = s.town.claim(s.buyer, &sale, s.group);
    s.town.applied(&claim);
    let counter = sale.counter;
    assert_eq!(s.town.refused(&sale.into()), Refusal::CounterUsed { counter });
    s.sell(20_000).unwrap();
}

#[test]
fn someone_who_left_takes_no_mileage_and_renews_nothing() {
    let mut s = counter();
    s.town.earn(s.shop, s.buyer, s.group, 100_000);
    let taking = |s: &mut Counter| {
        let mut redemption = s.town.redeem(s.shop, s.buyer, s.group, 100);
        redemption.op.actor = s.clerk.key;
        redemption
    };
    let redemption = taking(&mut s);
    s.town.applied(&redemption);
    s.remove();
    let redemption = taking(&mut s);
    assert_eq!(s.town.refused(&redemption), Refusal::NotStaff);
    let renewal = s.town.renewal(s.clerk.key);
    assert_eq!(s.town.refused(&renewal), Refusal::NotStaff);
    let removal = s.town.remove_staff(s.clerk.key, s.shop, s.clerk.account);
    assert_eq!(s.town.refused(&removal), Refusal::NotStaff);
}

#[test]
fn someone_who_left_comes_back_with_the_same_phone_and_joins_no_other_shop_with_it() {
    let mut s = counter();
    let other = s.town.shop();
    s.sell(30_000).unwrap();
    s.remove();
    let elsewhere = s.town.invitation(other.owner.key, 1_000, 1_000);
    let joining = s.town.join_staff(s.clerk, elsewhere);
    assert_eq!(s.town.refused(&joining), Refusal::KeyHasMerchant, "a voucher of its need not name its shop");
    s.town.hire(s.shop, s.clerk, 30_000, 50_000);
    // The day's sales before are not forgotten.
    let full = Refusal::OverDayLimit { max: Money(50_000), sold: Money(30_000) };
    assert_eq!(s.sell(20_001), Err(full));
    s.sell(20_000).unwrap();
}

#[test]
fn a_clerk_leaves_and_an_owner_removes_and_nobody_else() {
    let mut s = counter();
    let other = s.town.shop();
    let colleague = s.town.clerk(s.shop, 1_000, 1_000);
    for by in [other.owner.key, colleague.key] {
        let removal = s.town.remove_staff(by, s.shop, s.clerk.account);
        assert_eq!(s.town.refused(&removal), Refusal::NotStaff);
    }
    let by_buyer = s.town.remove_staff(s.buyer.key, s.shop, s.clerk.account);
    assert_eq!(s.town.refused(&by_buyer), Refusal::NoMerchant);
    let leaving = s.town.remove_staff(colleague.key, s.shop, colleague.account);
    s.town.applied(&leaving);
    let never = s.town.remove_staff(s.shop.owner.key, s.shop, s.buyer.account);
    assert_eq!(s.town.refused(&never), Refusal::NotStaff);
}

#[test]
fn edge_34_neither_owner_nor_staff_earn_at_their_shop_whatever_key_sold() {
    let mut s = counter();
    let colleague = s.town.clerk(s.shop, 30_000, 50_000);
    for seller in [s.shop.owner.key, s.clerk.key, colleague.key] {
        for buyer in [s.shop.owner, s.clerk, colleague] {
            let sale = s.town.sale_by(seller, 1_000);
            let claim = s.town.claim(buyer, &sale, s.group);
            assert_eq!(s.town.refused(&claim), Refusal::OwnSale);
            let mut named = s.town.sell_to(s.shop, 1_000, buyer);
            named.op.actor = seller;
            assert_eq!(s.town.refused(&named), Refusal::OwnSale);
        }
    }
    // With another phone of theirs neither.
    let other_phone = s.town.device(s.clerk.account);
    let sale = s.town.sale_by(colleague.key, 1_000);
    let claim = s.town.claim(other_phone, &sale, s.group);
    assert_eq!(s.town.refused(&claim), Refusal::OwnSale);
}

#[test]
fn edge_41_a_voucher_photographed_by_two_is_the_firsts_and_by_the_shops_own_staff_nobodys() {
    let mut s = counter();
    let second = s.town.person();
    let sale = s.town.sale_by(s.clerk.key, 10_000);
    let by_staff = s.town.claim(s.clerk, &sale, s.group);
    assert_eq!(s.town.refused(&by_staff), Refusal::OwnSale);
    let (first_claim, second_claim) =
        (s.town.claim(s.buyer, &sale, s.group), s.town.claim(second, &sale, s.group));
    s.town.applied(&first_claim);
    assert_eq!(s.town.refused(&second_claim), Refusal::SaleAlreadyClaimed);
    assert_eq!(s.town.available(s.buyer.account, s.group), 1_000);
    assert_eq!(s.town.available(second.account, s.group), 0);
}

#[test]
fn who_left_earns_there_as_anyone_on_sales_after_and_never_on_those_before() {
    let mut s = counter();
    let before = s.town.sale(s.shop, 10_000);
    s.town.wait(Timestamp::SECOND);
    s.remove();
    let claim = s.town.claim(s.clerk, &before, s.group);
    assert_eq!(s.town.refused(&claim), Refusal::OwnSale);
    let after = s.town.sale(s.shop, 10_000);
    let claim = s.town.claim(s.clerk, &after, s.group);
    s.town.applied(&claim);
}

#[test]
fn a_sale_that_waits_since_before_its_buyer_joined_is_still_theirs() {
    let mut s = counter();
    let second = s.town.group(s.shop, points(500, 0));
    let waiting = s.town.sell_to(s.shop, 10_000, s.buyer);
    s.town.applied(&waiting);
    s.town.hire(s.shop, s.buyer, 1_000, 1_000);
    let choice = s.town.choose(s.buyer, s.shop, waiting.op.id, second);
    s.town.applied(&choice);
    assert_eq!(s.town.available(s.buyer.account, second), 500);
}

#[test]
fn what_a_clerk_does_is_in_the_tills_inbox_and_in_the_shops() {
    let mut s = counter();
    s.sell(1_000).unwrap();
    let sold = s.town.events().last().unwrap();
    assert!(matches!(sold.body, EventBody::SaleRecorded { .. }));
    assert_eq!(sold.body.inboxes(), [Inbox::Merchant(s.shop.merchant), Inbox::Till(s.clerk.key)]);
    let sale = s.town.sale(s.shop, 1_000);
    s.town.applied(&sale.into());
    let sold = s.town.events().last().unwrap();
    assert_eq!(sold.body.inboxes(), [Inbox::Merchant(s.shop.merchant)], "the owner's own is no clerk's");
}

#[test]
fn staff_found_join_and_let_in_nothing_for_the_shop() {
    let mut s = counter();
    let profile = moa_rules::terms::Profile::new("시장", moa_rules::terms::Scope::Area);
    let bodies = [
        OpBody::FoundGroup { profile, terms: points(100, 0) },
        OpBody::JoinGroup { group: s.group, terms_version: 1, invitation: None },
        OpBody::AppointAdmin { group: s.group, merchant: s.shop.merchant },
        OpBody::ActFor { merchant: s.shop.merchant },
        OpBody::SetAllowance { merchant: s.shop.merchant, most: Money(1) },
    ];
    for body in bodies {
        let op = s.town.op(s.clerk.key, body);
        assert_eq!(s.town.refused(&op.into()), Refusal::NotAllowed);
    }
}

#[test]
fn an_op_to_join_without_an_invitation_in_it_is_told_so() {
    let mut s = counter();
    let op = s.town.op(s.buyer.key, OpBody::JoinStaff { invitation: Vec::new() });
    assert_eq!(s.town.refused(&op.into()), Refusal::NotAnInvitation);
    let mut invitation = s.town.invitation(s.shop.owner.key, 1_000, 1_000);
    invitation.version += 1;
    let joining = s.town.join_staff(s.buyer, invitation);
    assert_eq!(s.town.refused(&joining), Refusal::UnsupportedVersion);
    let Parcel { op, .. } = joining;
    assert_eq!(s.town.refused(&Parcel { op, carried: Carried::None }), Refusal::NotAnInvitation);
}
