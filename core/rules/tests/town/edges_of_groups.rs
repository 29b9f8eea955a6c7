//! Cases that have broken other systems, by their numbers: kinds, terms that change, members that leave, groups that end.

use chrono_tz::Asia::Seoul;
use moa_rules::books::{Ledger, Party};
use moa_rules::event::EventBody;
use moa_rules::group::{NOTICE_DAYS, REDEEM_ONLY_DAYS};
use moa_rules::id::GroupId;
use moa_rules::op::{Choice, OpBody};
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Kind, StampCard, Terms, Unit};
use moa_rules::time::{Timestamp, Validity};

use crate::alley::{Alley, alley, at, below, not_enough};
use crate::driver::{Person, SYSTEM, Shop, points, units};

const DAYS: Validity = Validity::Days(10);

fn stamps(per: Option<i64>, card: u16, worth: i64) -> Terms {
    let reward = Money(worth * i64::from(card));
    Terms::stamps(StampCard { per: per.map(Money), stamps: card, reward }, DAYS)
}

fn coupons(face: i64, least: Option<i64>) -> Terms {
    Terms::coupons(Money(face), least.map(Money), DAYS)
}

fn reserve(rate: u16) -> Terms {
    Terms { kind: Kind::Reserve, validity: DAYS, ..points(rate, 0) }
}

impl Alley {
    fn of_unit(&self, unit: Option<Unit>) -> i64 {
        let usable = self.town.tables.groups[&self.group].usable(unit, self.town.now);
        self.town.tables.wallet(self.buyer.account, self.group).available(&usable).get()
    }

    fn redeem_of(&mut self, unit: Option<Unit>, asked: i64) -> Result<(), Refusal> {
        let code = self.town.code_for(self.buyer, self.group, (asked, unit));
        let parcel = self.town.redeem_with(self.baker, code, asked);
        self.send(&parcel).map(drop)
    }

    fn claim_at(&mut self, shop: Shop, amount: i64, sold_ago: i64) -> Result<(), Refusal> {
        let now = self.town.now;
        self.town.now = now.plus(-sold_ago);
        let sale = self.town.sale(shop, amount);
        let mut claim = self.town.claim(self.buyer, &sale, self.group);
        self.town.now = now;
        claim.op.time = sale.time;
        self.send(&claim).map(drop)
    }

    fn leave(&mut self, shop: Shop) -> Result<(), Refusal> {
        let parcel = self.town.leave(shop.owner.key, self.group);
        self.send(&parcel).map(drop)
    }

    fn freeze(&mut self, shop: Shop, frozen: bool) {
        let parcel = self.town.freeze(SYSTEM, self.group, shop.merchant, frozen);
        self.send(&parcel).unwrap();
    }

    /// The baker leaves and the café closes the group.
    fn close(&mut self) {
        self.leave(self.baker).unwrap();
        let parcel = self.town.close_group(self.cafe.owner.key, self.group);
        self.send(&parcel).unwrap();
    }
}

#[test]
fn edge_13_lots_of_every_kind_expire_with_a_row_and_return_to_their_issuer() {
    let of_points = Terms { validity: DAYS, ..points(1_000, 0) };
    for terms in [of_points, stamps(Some(1_000), 10, 300), coupons(3_000, None), reserve(500)] {
        let (unit, value) = (terms.unit(), terms.unit_value.0);
        let mut alley = alley(terms);
        let (cafe, pool) = (alley.cafe, Party::Pool);
        alley.earn(10_000);
        let earned = alley.of_unit(unit);
        assert!(earned > 0, "{unit:?}");
        assert_eq!(alley.position(cafe), -earned * value, "{unit:?}");
        alley.town.wait(11 * Timestamp::DAY);
        assert_eq!(alley.of_unit(unit), 0, "{unit:?}");
        let expired = alley.sweep().unwrap();
        assert!(matches!(expired[..], [EventBody::Expired { .. }]), "{expired:?}");
        assert_eq!(alley.units(pool, Ledger::Expired, cafe.merchant), earned);
        assert_eq!(alley.position(cafe), 0, "{unit:?}");
        assert_eq!(alley.sweep(), Err(Refusal::NothingExpired));
        alley.is_whole();
    }
}

#[test]
fn stamps_are_one_a_visit_or_one_for_each_so_much_and_go_by_the_card() {
    let mut visits = alley(stamps(None, 3, 500));
    let unit = Some(Unit::Stamp(3));
    for amount in [1, 9_999, 100_000] {
        visits.earn(amount);
    }
    assert_eq!(visits.of_unit(unit), 3);
    assert_eq!(visits.redeem_of(unit, 2), Err(Refusal::WholeCards { card: 3 }));
    assert_eq!(visits.redeem_of(None, 3), Err(not_enough(3, 0)), "stamps are no points");
    assert_eq!(visits.redeem_of(Some(Unit::Stamp(10)), 10), Err(not_enough(10, 0)), "nor of another card");
    visits.redeem_of(unit, 3).unwrap();
    assert_eq!(visits.position(visits.baker), 1_500, "the reward of a card");

    let mut spent = alley(stamps(Some(5_000), 3, 500));
    assert_eq!(spent.claim_at(spent.cafe, 4_999, 0), Err(Refusal::EarnsNothing { amount: Money(4_999) }));
    spent.earn(14_999);
    assert_eq!(spent.of_unit(unit), 2);
    spent.is_whole();
}

#[test]
fn coupons_are_one_a_purchase_from_the_least_on_and_go_whole() {
    let mut alley = alley(coupons(3_000, Some(10_000)));
    let (cafe, unit) = (alley.cafe, Some(Unit::Coupon));
    assert_eq!(alley.claim_at(cafe, 9_999, 0), Err(Refusal::EarnsNothing { amount: Money(9_999) }));
    alley.earn(10_000);
    alley.earn(1_000_000);
    assert_eq!(alley.of_unit(unit), 2);
    alley.redeem_of(unit, 1).unwrap();
    assert_eq!(alley.position(alley.baker), 3_000);
    alley.is_whole();
}

#[test]
fn a_hold_or_a_pass_of_stamps_is_taken_by_the_card() {
    let mut alley = alley(stamps(None, 3, 500));
    let (baker, unit) = (alley.baker, Some(Unit::Stamp(3)));
    (0..6).for_each(|_| alley.earn(1_000));
    let code = alley.town.code_for(alley.buyer, alley.group, (6, unit));
    let odd = alley.town.hold_with(baker.owner.key, code, 4, None);
    assert_eq!(alley.send(&odd), Err(Refusal::WholeCards { card: 3 }));
    let hold = alley.town.hold_with(baker.owner.key, code, 6, None);
    alley.send(&hold).unwrap();
    assert_eq!(alley.capture(baker, hold.op.id, 4), Err(Refusal::WholeCards { card: 3 }));
    alley.capture(baker, hold.op.id, 3).unwrap();
    assert_eq!(alley.of_unit(unit), 3);
    alley.is_whole();
}

#[test]
fn edge_18_the_minimum_of_old_lots_is_the_one_they_were_issued_under() {
    let mut alley = alley(points(10_000, 100));
    alley.earn(150);
    alley.town.amend(alley.group, points(10_000, 1_000));
    alley.redeem_at(alley.baker, 1).unwrap();
    alley.earn(10);
    alley.redeem_at(alley.baker, 60).unwrap();
    assert_eq!(alley.redeem_at(alley.baker, 1), Err(below(100, 99)), "while a lot of the old terms is left");
    alley.town.wait(1);
    alley.earn(2);
    alley.redeem_at(alley.baker, 101).unwrap();
    alley.earn(989);
    assert_eq!(alley.redeem_at(alley.baker, 1), Err(below(1_000, 989)), "none of the old is left");
    alley.earn(11);
    alley.redeem_at(alley.baker, 1_000).unwrap();
    assert_eq!(
        alley.redeem_at(alley.baker, 1),
        Err(below(1_000, 0)),
        "and for an empty wallet what is in force"
    );
}

#[test]
fn edge_19_old_points_stay_points_when_the_group_turns_to_stamps() {
    let mut alley = alley(Terms { validity: DAYS, ..points(1_000, 500) });
    alley.earn(10_000);
    alley.town.amend(alley.group, stamps(None, 3, 500));
    let stamp = Some(Unit::Stamp(3));
    (0..3).for_each(|_| alley.earn(10_000));
    assert_eq!((alley.of_unit(None), alley.of_unit(stamp)), (1_000, 3));
    assert_eq!(alley.redeem_of(None, 1_003), Err(not_enough(1_003, 1_000)), "they are never added up");
    alley.redeem_of(None, 400).unwrap();
    alley.redeem_of(stamp, 3).unwrap();
    assert_eq!((alley.of_unit(None), alley.of_unit(stamp)), (600, 0));
    assert_eq!(alley.position(alley.baker), 400 + 1_500);
    alley.is_whole();
}

#[test]
fn edge_19_a_debt_in_points_is_not_paid_in_stamps() {
    let mut alley = alley(Terms { validity: DAYS, ..points(1_000, 0) });
    let (cafe, baker) = (alley.cafe, alley.baker);
    let sale = alley.buy(cafe, 10_000, None);
    alley.take(baker, 1_000);
    alley.town.amend(alley.group, stamps(None, 3, 500));
    alley.refund(cafe, sale, 10_000).unwrap();
    alley.earn(10_000);
    assert_eq!((alley.of_unit(Some(Unit::Stamp(3))), alley.owed()), (1, 1_000));
    alley.town.amend(alley.group, Terms { validity: DAYS, ..points(1_000, 0) });
    alley.earn(15_000);
    assert_eq!((alley.of_unit(None), alley.owed()), (500, 0));
    alley.is_whole();
}

#[test]
fn edge_20_the_kind_the_rate_or_the_validity_may_change_between_the_sale_and_its_claim() {
    let stamp = Some(Unit::Stamp(3));
    for (version, points_then, stamps_then) in [(1, 1_000, 0), (2, 0, 1)] {
        let mut alley = alley(Terms { validity: DAYS, ..points(1_000, 0) });
        let sale = alley.town.sale(alley.cafe, 10_000);
        alley.town.amend(alley.group, stamps(None, 3, 500));
        let choice = Choice { group: alley.group, terms_version: version };
        let claim = alley.town.claim_for(alley.buyer, &sale, Some(choice));
        alley.send(&claim).unwrap();
        assert_eq!((alley.of_unit(None), alley.of_unit(stamp)), (points_then, stamps_then));
    }
}

#[test]
fn edge_21_who_leaves_issues_for_what_was_sold_before_and_goes_on_owing() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker) = (alley.cafe, alley.baker);
    alley.town.earn(baker, alley.buyer, alley.group, 10_000);
    alley.town.wait(Timestamp::DAY);
    alley.leave(baker).unwrap();
    assert_eq!(alley.claim_at(baker, 5_000, Timestamp::MINUTE), Ok(()), "sold a minute before it left");
    assert_eq!(alley.claim_at(baker, 5_000, 0), Err(Refusal::SellerNotInGroup), "sold as it left");
    assert_eq!(alley.redeem_at(baker, 100), Err(Refusal::ShopNotInGroup));
    assert_eq!(alley.leave(baker), Err(Refusal::ShopNotInGroup));
    alley.redeem_at(cafe, 1_500).unwrap();
    assert_eq!((alley.position(cafe), alley.position(baker)), (1_500, -1_500), "its mileage stays good");
    alley.town.join(baker, alley.group);
    assert_eq!(alley.claim_at(baker, 5_000, 0), Ok(()), "it may come back");
    alley.is_whole();
}

#[test]
fn edge_21_who_is_put_out_leaves_and_an_admin_or_the_last_stays() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, baker, group) = (alley.cafe, alley.baker, alley.group);
    assert_eq!(alley.leave(cafe), Err(Refusal::AdminStays));
    let own = alley.town.expel(cafe.owner.key, group, cafe.merchant);
    assert_eq!(alley.send(&own), Err(Refusal::AdminStays));
    let by_member = alley.town.expel(baker.owner.key, group, cafe.merchant);
    assert_eq!(alley.send(&by_member), Err(Refusal::NotAllowed));
    let expel = alley.town.expel(cafe.owner.key, group, baker.merchant);
    let events = alley.send(&expel).unwrap();
    assert!(matches!(events[..], [EventBody::MemberLeft { expelled: true, .. }]));
    assert_eq!(alley.claim_at(baker, 5_000, 0), Err(Refusal::SellerNotInGroup));
    assert_eq!(alley.leave(cafe), Err(Refusal::LastMember));
    alley.is_whole();
}

#[test]
fn edge_21_the_mileage_of_a_frozen_member_waits_and_does_not_last_longer() {
    let mut alley = alley(Terms { validity: DAYS, ..points(1_000, 0) });
    let (cafe, baker) = (alley.cafe, alley.baker);
    alley.earn(10_000);
    alley.town.earn(baker, alley.buyer, alley.group, 3_000);
    alley.town.wait(Timestamp::HOUR);
    alley.freeze(cafe, true);
    assert_eq!(alley.available(), 300, "only the baker's");
    assert_eq!(alley.redeem_at(cafe, 100), Err(Refusal::MemberFrozen));
    assert_eq!(alley.claim_at(cafe, 5_000, 0), Err(Refusal::MemberFrozen));
    assert_eq!(alley.claim_at(cafe, 5_000, Timestamp::MINUTE), Ok(()), "sold before");
    alley.freeze(cafe, false);
    assert_eq!(alley.available(), 1_800);
    alley.freeze(cafe, true);
    alley.town.wait(11 * Timestamp::DAY);
    alley.freeze(cafe, false);
    assert_eq!(alley.available(), 0, "their days went by");
    assert_eq!(alley.sweep().unwrap().len(), 3);
    alley.is_whole();
}

#[test]
fn edge_21_whoever_left_frozen_comes_back_frozen() {
    let mut alley = alley(points(1_000, 0));
    let baker = alley.baker;
    alley.freeze(baker, true);
    alley.leave(baker).unwrap();
    alley.town.join(baker, alley.group);
    assert_eq!(alley.claim_at(baker, 5_000, 0), Err(Refusal::MemberFrozen));
    alley.is_whole();
}

#[test]
fn edge_22_a_group_that_closes_issues_for_thirty_days_and_is_spent_for_sixty_more() {
    let mut alley = alley(points(1_000, 0));
    let (cafe, group) = (alley.cafe, alley.group);
    alley.earn(10_000);
    let early = alley.town.close_group(cafe.owner.key, group);
    assert_eq!(alley.send(&early), Err(Refusal::NotLastMember));
    alley.close();
    let (notice, all) = (
        alley.town.now.plus(i64::from(NOTICE_DAYS) * Timestamp::DAY),
        alley.town.now.plus(i64::from(NOTICE_DAYS + REDEEM_ONLY_DAYS) * Timestamp::DAY),
    );
    let join =
        alley.town.op(alley.baker.owner.key, OpBody::JoinGroup { group, terms_version: 1, invitation: None });
    assert_eq!(alley.send(&join.into()), Err(Refusal::GroupClosing));
    let again = alley.town.close_group(cafe.owner.key, group);
    assert_eq!(alley.send(&again), Err(Refusal::GroupClosing));
    let terms = alley.town.propose(cafe.owner.key, group, points(1, 0), alley.town.now);
    assert_eq!(alley.send(&terms), Err(Refusal::GroupClosing));

    alley.town.now = notice.plus(-Timestamp::SECOND);
    alley.earn(10_000);
    alley.town.now = notice;
    assert_eq!(alley.claim_at(cafe, 10_000, 0), Err(Refusal::GroupClosing));
    assert_eq!(alley.claim_at(cafe, 10_000, Timestamp::SECOND), Ok(()), "sold within the notice");
    let grant = alley.town.grant(cafe.owner.key, alley.buyer.account, group, 100, None);
    assert_eq!(alley.send(&grant), Err(Refusal::GroupClosing));

    alley.town.now = all.plus(-1);
    alley.redeem_at(cafe, 500).unwrap();
    let end = alley.town.end_group(group);
    assert_eq!(alley.send(&end), Err(Refusal::NotDue));
    alley.town.now = all;
    assert_eq!(alley.available(), 0);
    assert_eq!(alley.redeem_at(cafe, 500), Err(not_enough(500, 0)));
    assert_eq!(alley.sweep().unwrap().len(), 3, "what remains expires, as the notice said");
    let end = alley.town.end_group(group);
    alley.send(&end).unwrap();
    let end = alley.town.end_group(group);
    assert_eq!(alley.send(&end), Err(Refusal::NotDue), "once");
    assert_eq!(alley.position(cafe), 0, "nobody is left that it owes");
    alley.is_whole();
}

#[test]
fn edge_22_a_hold_across_the_groups_end_is_captured_and_its_rest_expires() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    alley.earn(10_000);
    alley.close();
    let days = i64::from(NOTICE_DAYS + REDEEM_ONLY_DAYS);
    alley.town.wait(days * Timestamp::DAY - Timestamp::MINUTE);
    let hold = alley.hold(cafe, 800);
    alley.town.wait(2 * Timestamp::MINUTE);
    assert_eq!(alley.sweep().unwrap().len(), 1);
    let taken = alley.town.capture(cafe.owner.key, hold, 500);
    alley.send(&taken).unwrap();
    assert_eq!(alley.sweep().unwrap().len(), 1);
    assert_eq!(alley.units(Party::Pool, Ledger::Expired, cafe.merchant), 500);

    let back = alley.reverse(cafe, taken.op.id).unwrap();
    assert!(matches!(back[..], [EventBody::Reversed { .. }, EventBody::Expired { .. }]), "{back:?}");
    assert_eq!(alley.units(Party::Pool, Ledger::Expired, cafe.merchant), 1_000);
    assert_eq!(alley.position(cafe), 0);
    alley.is_whole();
}

#[test]
fn edge_22_a_refund_after_the_groups_end_takes_what_is_left_and_expired_and_pays_back_the_money() {
    let mut alley = alley(points(1_000, 0));
    let cafe = alley.cafe;
    let sale = alley.buy(cafe, 10_000, None);
    alley.close();
    alley.town.wait(i64::from(NOTICE_DAYS + REDEEM_ONLY_DAYS) * Timestamp::DAY);
    alley.sweep().unwrap();
    let end = alley.town.end_group(alley.group);
    alley.send(&end).unwrap();
    let back = alley.refund(cafe, sale, 10_000).unwrap();
    assert_eq!((back.money, back.taken, back.debt), (10_000, 1_000, 0));
    alley.is_whole();
}

#[test]
fn edge_25_in_a_group_of_one_everything_comes_to_nothing() {
    for basis in [Basis::OnIssue, Basis::OnRedemption] {
        let mut alley = alley(Terms { basis, validity: DAYS, ..points(1_000, 0) });
        let cafe = alley.cafe;
        alley.leave(alley.baker).unwrap();
        let sale = alley.buy(cafe, 10_000, None);
        let redemption = alley.take(cafe, 400);
        alley.refund(cafe, sale, 5_000).unwrap();
        alley.reverse(cafe, redemption).unwrap();
        alley.town.wait(11 * Timestamp::DAY);
        alley.sweep().unwrap();
        assert_eq!((alley.position(cafe), alley.owed()), (0, 0), "{basis:?}");
        alley.is_whole();
    }
}

#[test]
fn terms_need_the_share_of_the_members_that_the_old_terms_say() {
    // Of three: how many agree beside the admin, and whether that is enough at this share.
    let cases = [(None, 1, false), (None, 2, true), (Some(5_000), 0, false), (Some(5_000), 1, true)];
    for (share, agreeing, enough) in cases {
        let consent = share.map(|share| moa_rules::quantity::BasisPoints::new(share).unwrap());
        let mut alley = alley(Terms { consent, ..points(1_000, 0) });
        let (cafe, baker, third) = (alley.cafe, alley.baker, alley.town.shop());
        alley.town.join(third, alley.group);
        let from = alley.town.now.plus(Timestamp::HOUR);
        let proposal = alley.town.propose(cafe.owner.key, alley.group, points(1, 0), from);
        alley.send(&proposal).unwrap();
        for (at, shop) in [baker, third].into_iter().enumerate() {
            for agrees in [false, at < agreeing] {
                let parcel = alley.town.answer(shop.owner.key, alley.group, proposal.op.id, agrees);
                alley.send(&parcel).unwrap();
            }
        }
        let count = alley.town.count(alley.group, proposal.op.id);
        assert_eq!(alley.send(&count), Err(Refusal::NotDue));
        alley.town.now = from;
        let late = alley.town.answer(third.owner.key, alley.group, proposal.op.id, true);
        assert_eq!(alley.send(&late), Err(Refusal::UnknownAmendment), "the date has come");
        let count = alley.town.count(alley.group, proposal.op.id);
        let events = alley.send(&count).unwrap();
        let in_force = matches!(events[..], [EventBody::TermsAmended { version: 2, .. }]);
        assert_eq!(in_force, enough, "{agreeing} at {share:?}: {events:?}");
        let count = alley.town.count(alley.group, proposal.op.id);
        assert_eq!(alley.send(&count), Err(Refusal::UnknownAmendment), "once");
        alley.is_whole();
    }
}

#[test]
fn the_answer_of_whoever_left_does_not_count() {
    let half = moa_rules::quantity::BasisPoints::new(6_700).unwrap();
    let mut alley = alley(Terms { consent: Some(half), ..points(1_000, 0) });
    let (cafe, baker, third) = (alley.cafe, alley.baker, alley.town.shop());
    alley.town.join(third, alley.group);
    let from = alley.town.now.plus(Timestamp::HOUR);
    let proposal = alley.town.propose(cafe.owner.key, alley.group, points(1, 0), from);
    alley.send(&proposal).unwrap();
    let answer = alley.town.answer(baker.owner.key, alley.group, proposal.op.id, true);
    alley.send(&answer).unwrap();
    alley.leave(baker).unwrap();
    alley.town.now = from;
    let count = alley.town.count(alley.group, proposal.op.id);
    let events = alley.send(&count).unwrap();
    assert!(matches!(events[..], [EventBody::AmendmentRejected { .. }]), "one of two: {events:?}");
}

#[test]
fn edge_18_a_present_counts_toward_the_minimum_and_is_taken_away_only_by_whoever_gave_it() {
    let mut alley = alley(points(10_000, 1_000));
    let (cafe, baker, group): (Shop, Shop, GroupId) = (alley.cafe, alley.baker, alley.group);
    let Person { account, .. } = alley.buyer;
    alley.earn(600);
    alley.town.wait(1);
    let grant = alley.town.grant(baker.owner.key, account, group, 400, None);
    alley.send(&grant).unwrap();
    alley.redeem_at(cafe, 1).unwrap();
    let taking = alley.town.take_away(baker.owner.key, account, group, (401, None));
    assert_eq!(alley.send(&taking), Err(Refusal::NotSoMuchIssued { left: units(400) }));
    let taking = alley.town.take_away(baker.owner.key, account, group, (400, None));
    alley.send(&taking).unwrap();
    assert_eq!(alley.units(Party::Member(baker.merchant), Ledger::Adjusted, baker.merchant), 400);
    assert_eq!((alley.available(), alley.position(baker)), (599, 0));
    alley.is_whole();
}

#[test]
fn edge_12_a_present_lasts_to_the_end_of_the_day_it_says_in_the_groups_zone() {
    let mut alley = alley(points(10_000, 0));
    let (cafe, group) = (alley.cafe, alley.group);
    alley.town.now = at(Seoul, 2026, 5, 1, 23);
    let zone = points(1, 0).tz();
    let today = moa_rules::time::Day::from(moa_rules::time::local_day(alley.town.now, &zone));
    let day = |days: i32| Some(moa_rules::time::Day(today.0 + days));
    for (last_day, taken) in [(day(-1), false), (day(0), true), (day(3_660), true), (day(3_661), false)] {
        let grant = alley.town.grant(cafe.owner.key, alley.buyer.account, group, 10, last_day);
        let expected = if taken { Ok(1) } else { Err(Refusal::BadLastDay { days: 3_660 }) };
        assert_eq!(alley.send(&grant).map(|events| events.len()), expected, "{last_day:?}");
    }
    assert_eq!(alley.available(), 20);
    alley.town.now = at(Seoul, 2026, 5, 2, 0);
    assert_eq!(alley.available(), 10);
}
