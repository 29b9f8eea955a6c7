//! Staff: invited, joined, selling, removed; and what a second phone is told.

mod support;

use moa_phone::{Code, Fate, PhoneError};
use moa_rules::id::OpId;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::staff::Limits;
use moa_rules::time::Timestamp;
use support::{Person, Town, offline};

const LIMITS: Limits = Limits { per_sale: Money(30_000), per_day: Money(100_000) };

fn refusal<T>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(refusal)) => refusal,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

fn refused(person: &Person, op: OpId) -> Refusal {
    match person.phone.fate(op).unwrap() {
        Some(Fate::Refused(refused)) => refused.reason.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// A clerk of the café's, in step.
fn clerk(town: &mut Town) -> Person {
    let mut clerk = Person::new(7);
    clerk.enrol(&mut town.server);
    clerk.environment.set(town.server.now);
    let invitation = town.cafe.phone.staff_invitation(LIMITS).unwrap();
    clerk.phone.join_staff(&invitation.text).unwrap();
    clerk.sync(&mut town.server).unwrap();
    clerk
}

#[test]
fn an_invitation_is_scanned_joined_and_sold_on_and_mileage_of_it_is_the_shops() {
    let mut town = Town::new();
    let mut clerk = Person::new(7);
    clerk.enrol(&mut town.server);
    let invitation = town.cafe.phone.staff_invitation(LIMITS).unwrap();
    assert_eq!(
        invitation.expires_at,
        Timestamp::from_seconds(town.cafe.now().plus(Timestamp::DAY).seconds())
    );
    let Code::Invitation(scanned) = clerk.phone.read_code(&invitation.text).unwrap() else {
        panic!("no invitation")
    };
    assert_eq!(scanned.limits, LIMITS);
    let joined = clerk.phone.join_staff(&invitation.text).unwrap();
    assert!(clerk.phone.own_shop().unwrap().is_none(), "not before the server has agreed");
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.fate(joined).unwrap(), Some(Fate::Applied));
    let shop = town.cafe.phone.own_shop().unwrap().unwrap().id;
    assert_eq!(clerk.phone.own_shop().unwrap().unwrap().id, shop);

    // Sold without a network; the buyer knows the key once it has synced.
    let voucher = clerk.phone.record_sale(Money(20_000), None).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert_eq!(scanned.shop.as_ref().map(|shop| shop.id), Some(shop));
    let choice = town.buyer.phone.choices(&scanned).unwrap().first().map(|best| best.choice);
    town.buyer.phone.claim(&scanned, choice).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    clerk.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    for person in [&clerk, &town.cafe] {
        let sales = person.phone.merchant_today().unwrap().sales;
        assert_eq!(sales.len(), 1, "in the clerk's day and in the owner's");
    }
    // The owner's own sale is not told to the clerk.
    town.cafe.phone.record_sale(Money(10_000), None).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.merchant_today().unwrap().sales.len(), 1);
}

#[test]
fn an_invitation_is_used_by_one_and_refused_to_the_next_who_learns_why() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.staff_invitation(LIMITS).unwrap();
    let mut second = Person::new(8);
    second.enrol(&mut town.server);
    town.buyer.phone.join_staff(&invitation.text).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let late = second.phone.join_staff(&invitation.text).unwrap();
    second.sync(&mut town.server).unwrap();
    assert_eq!(refused(&second, late), Refusal::InvitationUsed);
    assert!(second.phone.own_shop().unwrap().is_none());
}

#[test]
fn what_a_phone_knows_by_itself_it_refuses_without_a_network() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.staff_invitation(LIMITS).unwrap();
    let nothing = Limits { per_sale: Money(0), ..LIMITS };
    assert_eq!(refusal(town.cafe.phone.staff_invitation(nothing)), Refusal::AmountNotPositive);
    assert_eq!(refusal(town.buyer.phone.staff_invitation(LIMITS)), Refusal::NoMerchant);
    assert_eq!(refusal(town.bakery.phone.join_staff(&invitation.text)), Refusal::KeyHasMerchant);
    let voucher = town.cafe.phone.record_sale(Money(1_000), None).unwrap();
    assert_eq!(refusal(town.buyer.phone.join_staff(&voucher.text)), Refusal::NotAnInvitation);
    let clerk = clerk(&mut town);
    assert_eq!(refusal(clerk.phone.staff_invitation(LIMITS)), Refusal::NotAllowed);
    town.advance(Timestamp::DAY + Timestamp::SECOND);
    assert_eq!(
        refusal(town.buyer.phone.join_staff(&invitation.text)),
        Refusal::InvitationExpired { hours: 24 }
    );
}

#[test]
fn a_removed_clerk_sells_no_more_once_told_and_what_was_sold_before_is_sent_and_counts() {
    let mut town = Town::new();
    let mut clerk = clerk(&mut town);
    let account = clerk.phone.account().unwrap();
    let before = clerk.phone.record_sale(Money(20_000), None).unwrap();
    clerk.sync_over(&mut town.server, offline).unwrap_err();
    for person in [&clerk, &town.cafe] {
        person.environment.advance(Timestamp::MINUTE);
    }
    town.server.now = town.server.now.plus(Timestamp::MINUTE);
    town.cafe.phone.remove_staff(Some(account)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();

    // The clerk does not know yet.
    let after = clerk.phone.record_sale(Money(10_000), None).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.fate(before.sale).unwrap(), Some(Fate::Applied));
    assert_eq!(refused(&clerk, after.sale), Refusal::NotStaff);
    assert!(clerk.phone.own_shop().unwrap().is_none());
    assert_eq!(clerk.phone.till_state().unwrap(), None);
    assert_eq!(refusal(clerk.phone.record_sale(Money(1), None)), Refusal::NoMerchant);

    // Invited again, the same phone sells again.
    let invitation = town.cafe.phone.staff_invitation(LIMITS).unwrap();
    clerk.phone.join_staff(&invitation.text).unwrap();
    clerk.sync(&mut town.server).unwrap();
    let again = clerk.phone.record_sale(Money(10_000), None).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.fate(again.sale).unwrap(), Some(Fate::Applied));
}

#[test]
fn a_clerk_leaves_by_themselves() {
    let mut town = Town::new();
    let mut clerk = clerk(&mut town);
    clerk.phone.remove_staff(None).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert!(clerk.phone.own_shop().unwrap().is_none());
}

#[test]
fn a_clerk_earns_nothing_where_they_sell_and_learns_why() {
    let mut town = Town::new();
    let mut clerk = clerk(&mut town);
    let voucher = town.cafe.phone.record_sale(Money(20_000), None).unwrap();
    let scanned = clerk.scan(&voucher);
    let choice = clerk.phone.choices(&scanned).unwrap().first().map(|best| best.choice);
    // The phone may know by itself, the server does.
    match clerk.phone.claim(&scanned, choice) {
        Ok(claimed) => {
            clerk.sync(&mut town.server).unwrap();
            assert_eq!(refused(&clerk, claimed.op), Refusal::OwnSale);
        }
        Err(error) => assert_eq!(refusal::<()>(Err(error)), Refusal::OwnSale),
    }
}

#[test]
fn a_snapshot_brings_a_clerks_shop_and_limits_back() {
    let mut town = Town::new();
    let mut clerk = clerk(&mut town);
    town.server.cursors_gone = true;
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.till_state().unwrap().unwrap().limits, Some(LIMITS));
    let sale = clerk.phone.record_sale(Money(20_000), None).unwrap();
    clerk.sync(&mut town.server).unwrap();
    assert_eq!(clerk.phone.fate(sale.sale).unwrap(), Some(Fate::Applied));
    assert_eq!(clerk.phone.merchant_today().unwrap().sales.len(), 1);
}

#[test]
fn a_revoked_phone_is_told_and_the_other_goes_on() {
    let mut town = Town::new();
    town.earn(20_000);
    town.server.enrols_as = Some(town.account);
    let mut second = Person::new(8);
    second.enrol(&mut town.server);
    let revoked = town.buyer.phone.key();
    let op = second.phone.revoke_device(revoked).unwrap();
    second.sync(&mut town.server).unwrap();
    assert_eq!(second.phone.fate(op).unwrap(), Some(Fate::Applied));
    let code = town.buyer.phone.redemption_code(town.group, support::units(1_000)).unwrap();
    let asked = town.bakery.phone.redeem(&code.text, support::units(1_000)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(refused(&town.bakery, asked.op), Refusal::RevokedKey);
    let code = second.phone.redemption_code(town.group, support::units(1_000)).unwrap();
    let asked = town.bakery.phone.redeem(&code.text, support::units(1_000)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
}
