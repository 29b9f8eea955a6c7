//! Approvals and passes: mileage taken where one side has no signal, or neither. (docs/rules.md P)

use moa_rules::event::EventBody;
use moa_rules::id::{GroupId, KeyId, MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::pass::{APPROVAL_MINUTES, MOST_PASSES, PASS_HOURS, PASS_MOST, PassState, RELEASE_HOURS};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::Terms;
use moa_rules::time::{Timestamp, Validity};

use crate::driver::{Parcel, Person, Shop, Town, points, units};

/// A shop, its clerk, and a buyer with 10,000 units of its group.
struct Till {
    town: Town,
    shop: Shop,
    clerk: Person,
    group: GroupId,
    buyer: Person,
}

fn till() -> Till {
    till_of(points(1_000, 0))
}

fn till_of(terms: Terms) -> Till {
    let mut town = Town::new();
    let shop = town.shop();
    let group = town.group(shop, terms);
    let clerk = town.clerk(shop, 100_000, 100_000);
    let buyer = town.person();
    town.earn(shop, buyer, group, 100_000);
    Till { town, shop, clerk, group, buyer }
}

impl Till {
    fn available(&self) -> i64 {
        self.town.available(self.buyer.account, self.group)
    }

    fn reserve(&mut self, asked: i64) -> OpId {
        self.town.pass(self.buyer, (self.shop, self.shop.owner.key), self.group, asked)
    }

    fn reserve_for(&mut self, key: KeyId, asked: i64, millis: i64) -> Parcel {
        self.town.reserve(self.buyer, (self.shop, key), self.group, asked, millis)
    }

    fn take(&mut self, pass: OpId, asked: i64) -> Parcel {
        self.town.redeem_pass(self.shop.owner.key, pass, self.buyer.key, asked)
    }

    fn state(&self, pass: OpId) -> PassState {
        self.town.tables.passes[&(self.shop.merchant, pass)].state
    }

    /// Units that are left, held or not.
    fn left(&self) -> i64 {
        let wallet = self.town.tables.wallet(self.buyer.account, self.group);
        wallet.lots().map(|lot| lot.remaining.get()).sum()
    }

    fn held(&self) -> i64 {
        let wallet = self.town.tables.wallet(self.buyer.account, self.group);
        wallet.lots().map(|lot| lot.held.get()).sum()
    }

    /// Until the pass's mileage may come back, to the millisecond.
    fn wait_until_released(&mut self, pass: OpId) {
        self.town.now = self.town.tables.passes[&(self.shop.merchant, pass)].released_from();
    }
}

fn not_enough(asked: i64, available: i64) -> Refusal {
    Refusal::NotEnough { asked: units(asked), available: units(available) }
}

fn released() -> Refusal {
    Refusal::PassReleased { hours: RELEASE_HOURS }
}

#[test]
fn paying_takes_what_a_redemption_would_and_an_approval_lasts_ten_minutes_at_most() {
    let mut s = till();
    let merchant = s.shop.merchant;
    let pay = |s: &mut Till, expires: u64| -> Parcel {
        let (group, units) = (s.group, units(3_000));
        s.town.op(s.buyer.key, OpBody::Pay { merchant, group, units, expires, unit: None }).into()
    };
    let now = s.town.now.seconds();
    let too_long = Refusal::ApprovalTooLong { minutes: APPROVAL_MINUTES };
    for expires in [now - 1, now + 601, u64::MAX] {
        let parcel = pay(&mut s, expires);
        assert_eq!(s.town.refused(&parcel), too_long);
    }
    for expires in [now, now + 600] {
        let parcel = pay(&mut s, expires);
        s.town.applied(&parcel);
    }
    assert_eq!(s.available(), 4_000);
    let parcel = s.town.pay(s.buyer, s.shop, s.group, 4_001);
    assert_eq!(s.town.refused(&parcel), not_enough(4_001, 4_000));
    let parcel = s.town.pay(s.buyer, s.shop, s.group, 0);
    assert_eq!(s.town.refused(&parcel), Refusal::UnitsNotPositive);
}

#[test]
fn paying_needs_a_member_and_the_groups_minimum() {
    let mut s = till_of(points(1_000, 10_000));
    let outsider = s.town.shop();
    let parcel = s.town.pay(s.buyer, outsider, s.group, 100);
    assert_eq!(s.town.refused(&parcel), Refusal::ShopNotInGroup);
    let nowhere = Shop { merchant: MerchantId([5; 16]), ..s.shop };
    let parcel = s.town.pay(s.buyer, nowhere, s.group, 100);
    assert_eq!(s.town.refused(&parcel), Refusal::ShopNotInGroup);
    let parcel = s.town.pay(s.buyer, s.shop, GroupId([5; 16]), 100);
    assert_eq!(s.town.refused(&parcel), Refusal::UnknownGroup);
    let parcel = s.town.pay(s.buyer, s.shop, s.group, 1);
    s.town.applied(&parcel);
    let below = Refusal::BelowMinimum { minimum: units(10_000), available: units(9_999) };
    let parcel = s.town.pay(s.buyer, s.shop, s.group, 1);
    assert_eq!(s.town.refused(&parcel), below);
}

#[test]
fn what_a_pass_reserves_is_no_balance_and_no_lots_end_until_the_pass_does() {
    let mut s = till();
    let books = s.town.books.clone();
    s.reserve(9_000);
    assert_eq!((s.available(), s.left(), s.held()), (1_000, 10_000, 9_000));
    assert_eq!(s.town.books, books, "reserved is not spent");
    let redemption = s.town.redeem(s.shop, s.buyer, s.group, 1_001);
    assert_eq!(s.town.refused(&redemption), not_enough(1_001, 1_000));
    let redemption = s.town.redeem(s.shop, s.buyer, s.group, 1_000);
    s.town.applied(&redemption);
    // Every lot of the wallet is held now, to the last unit.
    assert_eq!((s.available(), s.left(), s.held()), (0, 9_000, 9_000));
    let second = s.reserve_for(s.shop.owner.key, 1, Timestamp::HOUR);
    assert_eq!(s.town.refused(&second), not_enough(1, 0));
    let parcel = s.town.pay(s.buyer, s.shop, s.group, 1);
    assert_eq!(s.town.refused(&parcel), not_enough(1, 0));
}

#[test]
fn a_pass_taken_in_part_gives_the_rest_back_at_once() {
    let mut s = till();
    let pass = s.reserve(9_000);
    let take = s.take(pass, 2_500);
    s.town.applied(&take);
    assert_eq!((s.available(), s.left(), s.held()), (7_500, 7_500, 0));
    assert_eq!(s.state(pass), PassState::Spent);
    let again = s.take(pass, 1);
    assert_eq!(s.town.refused(&again), Refusal::PassSpent);
    let sweep = s.town.release(s.shop, pass);
    assert_eq!(s.town.refused(&sweep), Refusal::NotDue);
}

#[test]
fn a_pass_over_several_lots_takes_those_that_end_first() {
    let mut s = till();
    s.town.wait(Timestamp::DAY);
    s.town.earn(s.shop, s.buyer, s.group, 50_000);
    let pass = s.reserve(12_000);
    let take = s.take(pass, 10_500);
    s.town.applied(&take);
    let wallet = s.town.tables.wallet(s.buyer.account, s.group);
    let left: Vec<(i64, i64)> = wallet.lots().map(|lot| (lot.remaining.get(), lot.held.get())).collect();
    assert_eq!(left, [(4_500, 0)]);
}

#[test]
fn two_passes_on_one_lot_end_each_by_itself() {
    let mut s = till();
    let (first, second) = (s.reserve(4_000), s.reserve(6_000));
    assert_eq!((s.available(), s.held()), (0, 10_000));
    let take = s.take(second, 5_000);
    s.town.applied(&take);
    assert_eq!((s.available(), s.left(), s.held()), (1_000, 5_000, 4_000));
    let take = s.take(first, 4_000);
    s.town.applied(&take);
    assert_eq!((s.available(), s.left(), s.held()), (1_000, 1_000, 0));
}

#[test]
fn a_pass_comes_back_a_day_after_its_end_to_the_millisecond_and_only_by_the_sweep() {
    let mut s = till();
    let pass = s.reserve(9_000);
    s.wait_until_released(pass);
    let sweep = s.town.release(s.shop, pass);
    assert_eq!(s.town.refused(&sweep), Refusal::NotDue);
    s.town.wait(1);
    assert_eq!(s.available(), 1_000);
    let by_hand: Parcel =
        s.town.op(s.buyer.key, OpBody::ReleasePass { merchant: s.shop.merchant, pass }).into();
    assert_eq!(s.town.refused(&by_hand), Refusal::NotAllowed);
    let sweep = s.town.release(s.shop, pass);
    s.town.applied(&sweep);
    assert_eq!((s.available(), s.held(), s.state(pass)), (10_000, 0, PassState::Released));
    let late = s.take(pass, 9_000);
    assert_eq!(s.town.refused(&late), released());
}

#[test]
fn what_a_till_took_in_time_is_honoured_until_the_mileage_came_back() {
    let mut s = till();
    let pass = s.reserve(9_000);
    let take = s.take(pass, 9_000);
    s.wait_until_released(pass);
    s.town.wait(3 * Timestamp::DAY);
    s.town.applied(&take);
    assert_eq!((s.available(), s.left(), s.held()), (1_000, 1_000, 0));
}

#[test]
fn edge_14_a_lot_held_over_its_expiry_is_taken_by_its_pass_and_else_expires_when_it_comes_back() {
    for taken in [true, false] {
        let mut s = till_of(Terms { validity: Validity::Days(1), ..points(1_000, 0) });
        let ends = s.town.tables.wallet(s.buyer.account, s.group).lots().next().unwrap().ends_at;
        s.town.now = ends.plus(-Timestamp::HOUR);
        let pass = s.reserve(9_000);
        s.town.now = ends;
        assert_eq!((s.available(), s.left()), (0, 10_000));
        // The sweep takes what is free and leaves what is held.
        let sweep = s.town.sweep(s.buyer.account, s.group);
        s.town.applied(&sweep);
        assert_eq!((s.left(), s.held()), (9_000, 9_000));
        let sweep = s.town.sweep(s.buyer.account, s.group);
        assert_eq!(s.town.refused(&sweep), Refusal::NothingExpired);
        if taken {
            let take = s.take(pass, 2_000);
            s.town.applied(&take);
            assert_eq!((s.left(), s.held(), s.available()), (7_000, 0, 0));
        } else {
            s.wait_until_released(pass);
            s.town.wait(1);
            let release = s.town.release(s.shop, pass);
            s.town.applied(&release);
            assert_eq!((s.left(), s.held(), s.available()), (9_000, 0, 0), "no trick to extend validity");
        }
        let sweep = s.town.sweep(s.buyer.account, s.group);
        s.town.applied(&sweep);
        assert_eq!(s.left(), 0);
    }
}

#[test]
fn a_pass_lasts_72_hours_at_most_is_of_100_000_at_most_and_there_are_five() {
    let mut s = till();
    s.town.earn(s.shop, s.buyer, s.group, 2_000_000);
    let too_long = Refusal::PassTooLong { hours: PASS_HOURS };
    let hours = i64::from(PASS_HOURS) * Timestamp::HOUR;
    for millis in [-Timestamp::SECOND, hours + Timestamp::SECOND] {
        let parcel = s.reserve_for(s.shop.owner.key, 100, millis);
        assert_eq!(s.town.refused(&parcel), too_long);
    }
    let parcel = s.reserve_for(s.shop.owner.key, 0, hours);
    assert_eq!(s.town.refused(&parcel), Refusal::UnitsNotPositive);
    let parcel = s.reserve_for(s.shop.owner.key, 100_001, hours);
    assert_eq!(s.town.refused(&parcel), Refusal::PassTooLarge { max: PASS_MOST });
    let parcel = s.reserve_for(s.shop.owner.key, 100_000, hours);
    s.town.applied(&parcel);
    let mut last = parcel.op.id;
    for _ in 1..MOST_PASSES {
        last = s.reserve(10);
    }
    let parcel = s.reserve_for(s.shop.owner.key, 10, hours);
    assert_eq!(s.town.refused(&parcel), Refusal::TooManyPasses { max: MOST_PASSES as u64 });
    let take = s.take(last, 1);
    s.town.applied(&take);
    let parcel = s.reserve_for(s.shop.owner.key, 10, hours);
    s.town.applied(&parcel);
}

#[test]
fn the_most_of_a_pass_is_counted_in_money_and_not_in_units() {
    let mut s = till_of(Terms { unit_value: Money(10), ..points(1_000, 0) });
    s.town.earn(s.shop, s.buyer, s.group, 2_000_000);
    let parcel = s.reserve_for(s.shop.owner.key, 10_001, Timestamp::HOUR);
    assert_eq!(s.town.refused(&parcel), Refusal::PassTooLarge { max: PASS_MOST });
    let parcel = s.reserve_for(s.shop.owner.key, 10_000, Timestamp::HOUR);
    s.town.applied(&parcel);
}

#[test]
fn a_pass_is_for_a_phone_that_sells_for_that_shop_now() {
    let mut s = till();
    let other = s.town.shop();
    s.town.join(other, s.group);
    let browser = s.town.browser_until(s.shop.owner.key, Timestamp::DAY).unwrap();
    let (buyers, unknown) = (s.buyer.key, KeyId([8; 8]));
    for key in [other.owner.key, browser, buyers, unknown] {
        let parcel = s.reserve_for(key, 100, Timestamp::HOUR);
        assert_eq!(s.town.refused(&parcel), Refusal::WrongTill);
    }
    let parcel = s.reserve_for(s.clerk.key, 100, Timestamp::HOUR);
    s.town.applied(&parcel);
    let removal = s.town.remove_staff(s.shop.owner.key, s.shop, s.clerk.account);
    s.town.applied(&removal);
    let parcel = s.reserve_for(s.clerk.key, 100, Timestamp::HOUR);
    assert_eq!(s.town.refused(&parcel), Refusal::WrongTill, "of someone who left");
    let (reviver, lost) = (s.town.device(s.shop.owner.account), s.shop.owner.key);
    let revocation = s.town.revoke(reviver.key, lost);
    s.town.applied(&revocation);
    let parcel = s.reserve_for(lost, 100, Timestamp::HOUR);
    assert_eq!(s.town.refused(&parcel), Refusal::WrongTill, "revoked");
}

#[test]
fn a_pass_is_taken_by_its_till_of_the_phone_that_reserved_it_and_by_no_other() {
    let mut s = till();
    let other = s.town.shop();
    s.town.join(other, s.group);
    let second_phone = s.town.device(s.buyer.account);
    let pass = s.reserve(500);
    let at_another_shop = s.town.redeem_pass(other.owner.key, pass, s.buyer.key, 500);
    assert_eq!(s.town.refused(&at_another_shop), Refusal::UnknownPass);
    let at_another_till = s.town.redeem_pass(s.clerk.key, pass, s.buyer.key, 500);
    assert_eq!(s.town.refused(&at_another_till), Refusal::WrongTill);
    let of_another_phone = s.town.redeem_pass(s.shop.owner.key, pass, second_phone.key, 500);
    assert_eq!(s.town.refused(&of_another_phone), Refusal::WrongTill);
    let too_much = s.take(pass, 501);
    assert_eq!(s.town.refused(&too_much), Refusal::MoreThanCode { asked: units(501), most: units(500) });
    let nothing = s.take(pass, 0);
    assert_eq!(s.town.refused(&nothing), Refusal::UnitsNotPositive);
    let unknown = s.take(OpId([0x77; 16]), 1);
    assert_eq!(s.town.refused(&unknown), Refusal::UnknownPass);
    let empty = s.town.op(s.shop.owner.key, OpBody::RedeemPass { code: Vec::new(), units: units(1) });
    assert_eq!(s.town.refused(&empty.into()), Refusal::NotAPass);
    let take = s.take(pass, 500);
    s.town.applied(&take);
}

#[test]
fn a_pass_reserved_before_its_buyers_phone_was_revoked_is_honoured_at_a_till_that_could_not_know() {
    let mut s = till();
    let pass = s.reserve(500);
    let second = s.town.device(s.buyer.account);
    let revocation = s.town.revoke(second.key, s.buyer.key);
    s.town.applied(&revocation);
    let take = s.take(pass, 500);
    s.town.applied(&take);
    let another = s.reserve_for(s.shop.owner.key, 100, Timestamp::HOUR);
    assert_eq!(s.town.refused(&another), Refusal::RevokedKey);
}

#[test]
fn a_pass_that_a_clerk_took_before_leaving_is_honoured_and_one_of_a_revoked_till_comes_back() {
    let mut s = till();
    let reserve = |s: &mut Till| {
        let parcel = s.reserve_for(s.clerk.key, 500, Timestamp::HOUR);
        s.town.applied(&parcel);
        parcel.op.id
    };
    let (first, second, third) = (reserve(&mut s), reserve(&mut s), reserve(&mut s));
    let before = s.town.redeem_pass(s.clerk.key, first, s.buyer.key, 500);
    let lost = s.town.redeem_pass(s.clerk.key, third, s.buyer.key, 500);
    s.town.wait(Timestamp::SECOND);
    let removal = s.town.remove_staff(s.shop.owner.key, s.shop, s.clerk.account);
    s.town.applied(&removal);
    let after = s.town.redeem_pass(s.clerk.key, second, s.buyer.key, 500);
    assert_eq!(s.town.refused(&after), Refusal::NotStaff);
    s.town.applied(&before);

    let operator = s.town.operator();
    let revocation = s.town.revoke(operator.key, s.clerk.key);
    s.town.applied(&revocation);
    assert_eq!(s.town.refused(&lost), Refusal::RevokedKey);
    s.wait_until_released(third);
    s.town.wait(1);
    for pass in [second, third] {
        let release = s.town.release(s.shop, pass);
        s.town.applied(&release);
    }
    assert_eq!((s.available(), s.held()), (9_500, 0));
}

#[test]
fn two_phones_of_one_account_reserve_and_spend_the_same_units_once() {
    let mut s = till();
    let second = s.town.device(s.buyer.account);
    s.reserve(6_000);
    let parcel = s.town.reserve(second, (s.shop, s.shop.owner.key), s.group, 6_000, Timestamp::HOUR);
    assert_eq!(s.town.refused(&parcel), not_enough(6_000, 4_000));
    let redemption = s.town.redeem(s.shop, second, s.group, 4_001);
    assert_eq!(s.town.refused(&redemption), not_enough(4_001, 4_000));
}

#[test]
fn a_pass_and_a_payment_tell_the_shop_its_clerk_and_the_buyer() {
    let mut s = till();
    let parcel = s.reserve_for(s.clerk.key, 500, Timestamp::HOUR);
    s.town.applied(&parcel);
    let take = s.town.redeem_pass(s.clerk.key, parcel.op.id, s.buyer.key, 200);
    s.town.applied(&take);
    let told: Vec<(bool, usize)> = s
        .town
        .events()
        .skip_while(|event| !matches!(event.body, EventBody::PassReserved { .. }))
        .map(|event| (event.body.till() == Some(s.clerk.key), event.body.inboxes().len()))
        .collect();
    assert_eq!(told, [(true, 3), (true, 3)], "the buyer, the shop, the till");
}

#[test]
fn edge_03_a_pass_a_payment_and_a_redemption_share_one_balance() {
    let mut s = till();
    let other = s.town.shop();
    s.town.join(other, s.group);
    let (redemption, pay) =
        (s.town.redeem(other, s.buyer, s.group, 10_000), s.town.pay(s.buyer, s.shop, s.group, 10_000));
    let pass = s.reserve(1);
    assert_eq!(s.town.refused(&redemption), not_enough(10_000, 9_999));
    assert_eq!(s.town.refused(&pay), not_enough(10_000, 9_999));
    let take = s.take(pass, 1);
    s.town.applied(&take);
    let redemption = s.town.redeem(other, s.buyer, s.group, 9_999);
    s.town.applied(&redemption);
    assert_eq!(s.left(), 0);
}
