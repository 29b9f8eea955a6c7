//! Holds, and what was taken that comes back, as every store keeps them. (docs/rules.md R)

mod town;

use moa_ledger::store::{Answer, Outcome};
use moa_rules::hold::{HOLD_MINUTES, HoldState};
use moa_rules::lot::Usable;
use moa_rules::op::OpBody;
use moa_rules::quantity::Units;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, StampCard, Terms, Unit};
use moa_rules::time::{Timestamp, Validity};
use town::acts::{Asks, units};
use town::stores::{Subject, conformance};
use town::{Town, points};

conformance!(
    edge_16_what_is_held_is_no_balance,
    edge_15_a_hold_is_captured_voided_or_lapses_once,
    a_hold_that_is_captured_in_part_gives_back_the_rest,
    edge_14_a_hold_outlives_its_lots_and_its_shops_membership,
    holds_lapse_after_their_time_those_first_that_ended_first,
    open_holds_are_those_of_the_buyer_and_those_of_the_shop,
    a_code_makes_one_hold,
    stamps_are_held_and_taken_by_the_card,
    a_reversal_puts_the_units_back_where_they_came_from,
    edge_08_undo_after_expiry_gives_a_linked_lot_once,
);

mod suite {
    use super::*;

    pub fn edge_16_what_is_held_is_no_balance<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let hold = town.hold(&bakery, &buyer, group, 300);
        assert_eq!(town.left(&buyer), [(500, 300)]);
        let lot = town.only_lot(&buyer);
        assert!(lot.usable(&Usable::new(None, town.now)));
        let refused = Refusal::NotEnough { asked: units(201), available: units(200) };
        assert_eq!(town.redeem(&cafe, &buyer, group, 201), Outcome::First(Answer::Refused(refused.clone())));
        let again = town.asks(Asks::Hold, (&cafe, &buyer), group, (201, None));
        assert_eq!(town.submit(&again), Outcome::First(Answer::Refused(refused)));
        assert_eq!(town.redeem(&cafe, &buyer, group, 200), Outcome::First(Answer::Applied));
        assert_eq!(town.left(&buyer), [(300, 300)]);
        town.apply(&bakery.actor, OpBody::CaptureHold { hold, units: units(300) });
        assert_eq!(town.left(&buyer), []);
    }

    pub fn edge_15_a_hold_is_captured_voided_or_lapses_once<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let [captured, voided, lapsed] = [(); 3].map(|()| town.hold(&cafe, &buyer, group, 100));
        let capture = |hold| OpBody::CaptureHold { hold, units: units(100) };
        let void = |hold| OpBody::VoidHold { hold };
        assert_eq!(town.refuse(&bakery.actor, capture(captured)), Refusal::UnknownHold, "another shop");
        let more = OpBody::CaptureHold { hold: captured, units: units(101) };
        let too_many = Refusal::MoreThanCode { asked: units(101), most: units(100) };
        assert_eq!(town.refuse(&cafe.actor, more), too_many);
        town.apply(&cafe.actor, capture(captured));
        town.apply(&cafe.actor, void(voided));
        town.now = town.now.plus(i64::from(HOLD_MINUTES) * Timestamp::MINUTE + 1);
        assert_eq!(town.refuse(&cafe.actor, capture(lapsed)), Refusal::HoldOver, "its time is over");
        assert_eq!(town.sweep(), 1);
        let tables = town.store.tables();
        let state = |hold| tables.holds[&(cafe.id, hold)].state;
        assert_eq!(
            [captured, voided, lapsed].map(state),
            [HoldState::Captured, HoldState::Voided, HoldState::Lapsed]
        );
        for hold in [captured, voided, lapsed] {
            assert_eq!(town.refuse(&cafe.actor, capture(hold)), Refusal::HoldOver);
            assert_eq!(town.refuse(&cafe.actor, void(hold)), Refusal::HoldOver);
        }
        assert_eq!(town.left(&buyer), [(400, 0)]);
        assert_eq!(town.store.tables(), tables);
    }

    pub fn a_hold_that_is_captured_in_part_gives_back_the_rest<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        town.now = town.now.plus(Timestamp::DAY);
        town.earn(&cafe, &buyer, group, 10_000);
        let hold = town.hold(&cafe, &buyer, group, 700);
        assert_eq!(town.left(&buyer), [(500, 500), (500, 200)]);
        let taken = town.apply(&cafe.actor, OpBody::CaptureHold { hold, units: units(600) });
        assert_eq!(town.left(&buyer), [(400, 0)]);
        let tables = town.store.tables();
        let redemption = &tables.redemptions[&(cafe.id, taken)];
        let (hold, took) = (&tables.holds[&(cafe.id, hold)], redemption.units());
        assert_eq!((took, hold.units(), redemption.made_at), (units(600), units(700), hold.made_at));
    }

    pub fn edge_14_a_hold_outlives_its_lots_and_its_shops_membership<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let terms = Terms { validity: Validity::Days(1), ..points(500, 0, Basis::OnIssue) };
        let group = town.group(terms, &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let ends_at = town.only_lot(&buyer).ends_at;
        town.now = ends_at.plus(-1);
        let hold = town.hold(&bakery, &buyer, group, 300);
        town.apply(&bakery.actor, OpBody::LeaveGroup { group });

        town.now = ends_at;
        assert_eq!(town.store.wallets_to_expire(town.now, 10).unwrap(), [(buyer.account, group)]);
        assert_eq!(town.sweep(), 1, "what is free expires");
        assert_eq!(town.left(&buyer), [(300, 300)]);
        assert_eq!(town.store.wallets_to_expire(town.now, 10).unwrap(), [], "what is held does not");
        town.apply(&bakery.actor, OpBody::CaptureHold { hold, units: units(200) });
        assert_eq!((town.left(&buyer), town.balance(&buyer, group)), (vec![(100, 0)], 0));
        assert_eq!(town.sweep(), 1, "what came back has ended");
        assert_eq!(town.left(&buyer), []);
    }

    pub fn holds_lapse_after_their_time_those_first_that_ended_first<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let first = town.hold(&bakery, &buyer, group, 100);
        town.now = town.now.plus(Timestamp::MINUTE);
        let second = town.hold(&cafe, &buyer, group, 100);
        let until = |id| {
            town.store
                .open_holds(buyer.account, None)
                .unwrap()
                .into_iter()
                .find_map(|hold| (hold.id == id).then_some(hold.until))
        };
        let (one, two) = (until(first).unwrap(), until(second).unwrap());
        let due = |now, limit| -> Vec<_> {
            let due = town.store.holds_to_lapse(now, limit).unwrap();
            due.into_iter().map(|hold| hold.id).collect()
        };
        assert_eq!((due(one, 9), due(one.plus(1), 9), due(two, 9)), (vec![], vec![first], vec![first]));
        assert_eq!((due(two.plus(1), 9), due(two.plus(1), 1)), (vec![first, second], vec![first]));
        let early = town.system_op(OpBody::LapseHold { merchant: bakery.id, hold: first });
        assert_eq!(town.submit(&early), Outcome::First(Answer::Refused(Refusal::NotDue)));
        town.now = one.plus(1);
        assert_eq!((town.sweep(), town.left(&buyer)), (1, vec![(500, 100)]));
        town.now = two.plus(1);
        assert_eq!((town.sweep(), town.left(&buyer)), (1, vec![(500, 0)]));
        assert_eq!(town.store.holds_to_lapse(two.plus(Timestamp::DAY), 9).unwrap(), []);
        assert_eq!(town.sweep(), 0);
    }

    pub fn open_holds_are_those_of_the_buyer_and_those_of_the_shop<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let (one, other) = (town.enrol(), town.enrol());
        for buyer in [&one, &other] {
            town.earn(&cafe, buyer, group, 10_000);
        }
        let here = town.hold(&cafe, &one, group, 100);
        let there = town.hold(&bakery, &one, group, 100);
        let others = town.hold(&cafe, &other, group, 100);
        let over = town.hold(&cafe, &one, group, 50);
        town.apply(&cafe.actor, OpBody::VoidHold { hold: over });
        let open = |account, merchant| -> Vec<_> {
            let open = town.store.open_holds(account, merchant).unwrap();
            open.into_iter().map(|hold| (hold.merchant, hold.id)).collect()
        };
        let sorted = |mut holds: Vec<_>| {
            holds.sort_unstable();
            holds
        };
        let [here, there, others] = [(cafe.id, here), (bakery.id, there), (cafe.id, others)];
        assert_eq!(open(one.account, None), sorted(vec![here, there]));
        assert_eq!(open(one.account, Some(cafe.id)), sorted(vec![here, there, others]));
        assert_eq!(open(cafe.actor.account, Some(bakery.id)), [there]);
        assert_eq!(open(bakery.actor.account, None), []);
        let clerk = town.enrol();
        town.hire(&cafe, &clerk, 10_000, 20_000);
        let till = town::Shop { actor: clerk, id: cafe.id };
        let made = town.hold(&till, &other, group, 10);
        let open = town.store.open_holds(other.account, None).unwrap();
        let of_till = open.iter().find(|hold| hold.id == made).unwrap();
        assert_eq!((of_till.till, of_till.units()), (Some(till.actor.key_id()), units(10)));
        town.apply(&cafe.actor, OpBody::CaptureHold { hold: made, units: units(10) });
    }

    pub fn a_code_makes_one_hold<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let code = buyer.code(group, 100, town.now);
        let hold = |seconds| OpBody::Hold { code: code.clone(), units: units(100), seconds };
        for seconds in [0, 24 * 3_600 + 1, u32::MAX] {
            let refused = town.refuse(&cafe.actor, hold(Some(seconds)));
            assert_eq!(refused, Refusal::HoldTooLong { hours: 24 });
        }
        town.apply(&cafe.actor, hold(Some(24 * 3_600)));
        assert_eq!(town.refuse(&cafe.actor, hold(None)), Refusal::CodeUsed);
        let redeem = OpBody::Redeem { code, units: units(100) };
        assert_eq!(town.refuse(&cafe.actor, redeem), Refusal::CodeUsed);
        assert_eq!(town.left(&buyer), [(500, 100)]);
    }

    pub fn stamps_are_held_and_taken_by_the_card<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let card = StampCard { per: None, stamps: 3, reward: moa_rules::quantity::Money(3_000) };
        let group = town.group(Terms::stamps(card, Validity::Months(6)), &[&cafe]);
        let buyer = town.enrol();
        for _ in 0..7 {
            town.earn(&cafe, &buyer, group, 4_500);
        }
        let unit = Some(Unit::Stamp(3));
        let asks = |count, unit| town.submit(&town.asks(Asks::Hold, (&cafe, &buyer), group, (count, unit)));
        let refused = |refusal| Outcome::First(Answer::Refused(refusal));
        assert_eq!(asks(4, unit), refused(Refusal::WholeCards { card: 3 }));
        let none = Refusal::NotEnough { asked: units(3), available: Units::ZERO };
        assert_eq!(asks(3, None), refused(none), "stamps are no points");
        let hold = town.accepted(&town.asks(Asks::Hold, (&cafe, &buyer), group, (6, unit)));
        let part = OpBody::CaptureHold { hold, units: units(4) };
        assert_eq!(town.refuse(&cafe.actor, part), Refusal::WholeCards { card: 3 });
        town.apply(&cafe.actor, OpBody::CaptureHold { hold, units: units(3) });
        let left: i64 = town.left(&buyer).iter().map(|(left, held)| left - held).sum();
        assert_eq!(left, 4);
    }

    pub fn a_reversal_puts_the_units_back_where_they_came_from<S: Subject>(town: &mut Town<S>) {
        for basis in [Basis::OnIssue, Basis::OnRedemption] {
            let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
            let group = town.group(points(500, 0, basis), &[&cafe, &bakery]);
            let buyer = town.enrol();
            town.earn(&cafe, &buyer, group, 10_000);
            town.now = town.now.plus(Timestamp::DAY);
            town.earn(&cafe, &buyer, group, 10_000);
            let (before, lots) = (town.store.tables().balances, town.store.lots(buyer.account).unwrap());
            let taken = town.take_mileage(&bakery, &buyer, group, 700);
            assert_ne!(town.store.tables().balances, before);
            let reverse = OpBody::ReverseRedemption { redemption: taken };
            assert_eq!(town.refuse(&cafe.actor, reverse.clone()), Refusal::UnknownRedemption);
            town.apply(&bakery.actor, reverse.clone());
            assert_eq!(town.store.lots(buyer.account).unwrap(), lots);
            assert_eq!(town.store.tables().balances, before, "what was owed for them is owed back");
            assert_eq!(town.refuse(&bakery.actor, reverse), Refusal::AlreadyReversed);
        }
    }

    pub fn edge_08_undo_after_expiry_gives_a_linked_lot_once<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let terms = Terms { validity: Validity::Days(3), ..points(500, 0, Basis::OnIssue) };
        let group = town.group(terms, &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let lot = town.only_lot(&buyer);
        // Two days before its last: so many it gets again.
        town.now = lot.ends_at.plus(-2 * Timestamp::DAY - 1);
        let taken = town.take_mileage(&cafe, &buyer, group, 500);
        town.now = lot.ends_at.plus(Timestamp::HOUR);
        town.apply(&cafe.actor, OpBody::ReverseRedemption { redemption: taken });
        let linked = town.only_lot(&buyer);
        assert_eq!((linked.revives, linked.units, linked.issuer), (Some(lot.id), units(500), cafe.id));
        assert_eq!(
            linked.ends_at,
            lot.ends_at.plus(3 * Timestamp::DAY),
            "the day of the reversal and two more"
        );
        assert_eq!(town.balance(&buyer, group), 500);

        let taken = town.take_mileage(&cafe, &buyer, group, 500);
        town.now = linked.ends_at;
        town.apply(&cafe.actor, OpBody::ReverseRedemption { redemption: taken });
        assert_eq!((town.left(&buyer), town.sweep()), (vec![], 0), "the second time it expires at once");
    }
}
