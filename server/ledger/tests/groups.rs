//! Terms that change, members that leave or are frozen, groups that end, as every store keeps them. (docs/rules.md M)

mod town;

use moa_ledger::store::{Answer, Outcome};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Basis, Terms, Unit};
use moa_rules::time::{Timestamp, Validity};
use town::acts::{Asks, units};
use town::stores::{Subject, conformance};
use town::{Actor, START, Shop, Town, points};

conformance!(
    edge_19_terms_change_from_points_to_coupons_and_old_points_stay,
    edge_20_a_claim_may_name_the_old_terms_for_seven_days,
    an_amendment_is_due_at_its_date_and_is_decided_once,
    an_amendment_needs_the_share_that_the_terms_say,
    edge_21_a_member_that_left_answers_for_what_it_sold_before,
    whoever_joins_again_is_listed_once,
    a_frozen_members_lots_cannot_be_used_until_it_is_let_go,
    edge_22_a_group_closes_with_a_hold_open_and_ends_when_nothing_remains,
    a_group_that_ends_is_found_at_its_end_and_once,
    the_last_member_stays_until_it_closes_the_group,
);

mod suite {
    use super::*;

    /// A café that administers a group with a bakery.
    fn two<S: Subject>(town: &Town<S>) -> (Shop, Shop, GroupId) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        (cafe, bakery, group)
    }

    fn coupons() -> Terms {
        Terms::coupons(Money(1_000), Some(Money(5_000)), Validity::Months(3))
    }

    /// The group's terms become these, a day later.
    fn amend<S: Subject>(
        town: &mut Town<S>,
        (cafe, others): (&Shop, &[&Shop]),
        group: GroupId,
        terms: Terms,
    ) {
        let amendment = town.propose(cafe, group, terms);
        for shop in others {
            town.apply(&shop.actor, OpBody::AnswerAmendment { group, amendment, agrees: true });
        }
        town.now = town.now.plus(Timestamp::DAY);
        assert_eq!(town.sweep(), 1);
    }

    fn refused<S: Subject>(town: &Town<S>, signed: &moa_wire::token::Checked<moa_rules::op::Op>) -> Refusal {
        match town.submit(signed) {
            Outcome::First(Answer::Refused(refusal)) => refusal,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    pub fn edge_19_terms_change_from_points_to_coupons_and_old_points_stay<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        let buyer = town.enrol();
        town.purchase(&cafe, &buyer, group, 10_000);
        let old = town.only_lot(&buyer);
        amend(town, (&cafe, &[&bakery]), group, coupons());
        let shown = town.store.group(group).unwrap().unwrap();
        assert_eq!((shown.terms.version, shown.terms.terms.clone(), shown.amendment), (2, coupons(), None));
        assert_eq!(shown.terms.in_force_from, town.now);
        let tables = town.store.tables();
        assert_eq!(tables.terms[&(group, 1)].in_force_until, Some(town.now));

        town.purchase_under(2, (&bakery, &buyer), group, 10_000);
        assert_eq!(town.left(&buyer), [(1, 0), (500, 0)]);
        assert_eq!(town.store.lots(buyer.account).unwrap().iter().filter(|lot| **lot == old).count(), 1);
        let coupon = town.asks(Asks::Redeem, (&bakery, &buyer), group, (1, Some(Unit::Coupon)));
        town.accepted(&coupon);
        town.take_mileage(&bakery, &buyer, group, 500);
        assert_eq!(town.left(&buyer), []);
    }

    pub fn edge_20_a_claim_may_name_the_old_terms_for_seven_days<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        amend(town, (&cafe, &[&bakery]), group, points(1_000, 0, Basis::OnIssue));
        let changed = town.now;
        let buyer = town.enrol();
        let earned = |town: &Town<S>| {
            let sale = town.sale(&cafe, 10_000);
            let claim = town.claim_under(1, &buyer, &sale, group);
            town.accepted(&claim);
            let tables = town.store.tables();
            tables.lots[&(buyer.account, group, claim.value().id.as_lot())].clone()
        };
        town.now = changed.plus(7 * Timestamp::DAY - 1);
        town.apply(&cafe.actor, OpBody::RenewCertificate);
        let lot = earned(town);
        assert_eq!((lot.units, lot.terms_version), (units(500), 1));
        town.now = changed.plus(7 * Timestamp::DAY);
        let lot = earned(town);
        assert_eq!((lot.units, lot.terms_version), (units(1_000), 2));
    }

    pub fn an_amendment_is_due_at_its_date_and_is_decided_once<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        let other = town.group(points(300, 0, Basis::OnIssue), &[&bakery]);
        let first = town.propose(&cafe, group, coupons());
        town.now = town.now.plus(Timestamp::HOUR);
        let second = town.propose(&bakery, other, coupons());
        let shown = |group| town.store.group(group).unwrap().unwrap().amendment.unwrap();
        assert_eq!((shown(group).id, shown(group).agreed), (first, vec![cafe.id]));
        let answer = |agrees| OpBody::AnswerAmendment { group, amendment: first, agrees };
        town.apply(&bakery.actor, answer(true));
        town.apply(&bakery.actor, answer(false));
        assert_eq!((shown(group).agreed, shown(group).declined), (vec![cafe.id], vec![bakery.id]));
        let (one, two) = (shown(group).from, shown(other).from);
        let due = |now, limit| -> Vec<OpId> {
            town.store.amendments_due(now, limit).unwrap().into_iter().map(|due| due.id).collect()
        };
        assert_eq!((due(one.plus(-1), 9), due(one, 9)), (vec![], vec![first]));
        assert_eq!((due(two, 9), due(two, 1)), (vec![first, second], vec![first]));

        let early = town.system_op(OpBody::DecideAmendment { group, amendment: first });
        assert_eq!(town.submit(&early), Outcome::First(Answer::Refused(Refusal::NotDue)));
        // Another proposal takes the place of the open one.
        town.now = town.now.plus(Timestamp::HOUR);
        let third = town.propose(&cafe, group, coupons());
        assert_eq!(town.refuse(&bakery.actor, answer(true)), Refusal::UnknownAmendment);
        town.now = shown(group).from;
        assert_eq!((due(two, 9), due(town.now, 9)), (vec![second], vec![second, third]));
        assert_eq!((town.sweep(), due(town.now.plus(Timestamp::DAY), 9), town.sweep()), (2, vec![], 0));
        let version = |group| town.store.group(group).unwrap().unwrap().terms.version;
        assert_eq!((version(group), version(other)), (1, 2), "the bakery had not agreed to the third");
        let late = OpBody::AnswerAmendment { group, amendment: third, agrees: true };
        assert_eq!(town.refuse(&bakery.actor, late), Refusal::UnknownAmendment);
    }

    pub fn an_amendment_needs_the_share_that_the_terms_say<S: Subject>(town: &mut Town<S>) {
        let [cafe, bakery, kiosk] = ["카페", "빵집", "매점"].map(|name| town.shop(name));
        let half = BasisPoints::new(5_000).ok();
        let terms = Terms { consent: half, ..points(500, 0, Basis::OnIssue) };
        let group = town.group(terms, &[&cafe, &bakery, &kiosk]);
        amend(town, (&cafe, &[&bakery]), group, points(400, 0, Basis::OnIssue));
        let version = |town: &Town<S>| town.store.group(group).unwrap().unwrap().terms.version;
        assert_eq!(version(town), 2, "two of three are more than half");
        amend(town, (&cafe, &[&bakery]), group, points(300, 0, Basis::OnIssue));
        assert_eq!(version(town), 2, "now all have to agree");
        let amendment = town.propose(&cafe, group, points(300, 0, Basis::OnIssue));
        for shop in [&bakery, &kiosk] {
            town.apply(&shop.actor, OpBody::AnswerAmendment { group, amendment, agrees: true });
        }
        town.apply(&kiosk.actor, OpBody::LeaveGroup { group });
        let agreed = town.store.group(group).unwrap().unwrap().amendment.unwrap().agreed;
        assert_eq!(agreed.len(), 2, "whoever left has no say");
        town.now = town.now.plus(Timestamp::DAY);
        assert_eq!((town.sweep(), version(town)), (1, 3));
        let follows = |terms| {
            let from = town.now.seconds();
            town.refuse(&cafe.actor, OpBody::AmendTerms { group, terms, from })
        };
        let moved = Terms { zone: "Europe/Berlin".into(), ..points(300, 0, Basis::OnIssue) };
        assert_eq!(follows(moved), Refusal::CannotFollow { field: "zone".into() });
        let unheard = Terms { zone: "Mars/Olympus".into(), ..points(300, 0, Basis::OnIssue) };
        assert_eq!(follows(unheard), Refusal::UnknownZone);
    }

    pub fn edge_21_a_member_that_left_answers_for_what_it_sold_before<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        let buyer = town.enrol();
        let [before, unnamed] = [(); 2].map(|()| town.sale(&bakery, 10_000));
        town.now = town.now.plus(Timestamp::MINUTE);
        town.apply(&bakery.actor, OpBody::LeaveGroup { group });
        let shown = town.store.group(group).unwrap().unwrap();
        assert_eq!((shown.members, shown.group.members), (vec![cafe.id], 1));
        assert_eq!(town.store.merchant(bakery.id).unwrap().unwrap().groups, []);
        let tables = town.store.tables();
        assert_eq!(tables.memberships[&bakery.id], [group], "it is known that it was a member");
        assert_eq!(tables.members[&(group, bakery.id)].left_at, Some(town.now));

        town.accepted(&town.claim(&buyer, &before, group));
        let body = OpBody::Claim { sale: unnamed.bytes().to_vec(), choice: None };
        town.apply(&buyer, body);
        assert_eq!(town.balance(&buyer, group), 1_000, "named or not");
        let after = town.sale(&bakery, 10_000);
        assert_eq!(refused(town, &town.claim(&buyer, &after, group)), Refusal::SellerNotInGroup);
        let body = OpBody::Claim { sale: after.bytes().to_vec(), choice: None };
        assert_eq!(town.refuse(&buyer, body), Refusal::SellerInNoGroup);
        let spend = town.asks(Asks::Redeem, (&bakery, &buyer), group, (100, None));
        assert_eq!(refused(town, &spend), Refusal::ShopNotInGroup);
        town.take_mileage(&cafe, &buyer, group, 1_000);
        assert_eq!(town.refuse(&bakery.actor, OpBody::LeaveGroup { group }), Refusal::ShopNotInGroup);
    }

    pub fn whoever_joins_again_is_listed_once<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        town.now = START.plus(5);
        town.apply(&cafe.actor, OpBody::ExpelMember { group, merchant: bakery.id });
        let changed = |after: i64| -> usize {
            town.store.directory((START.plus(after), MerchantId([0xff; 16])), 9).unwrap().len()
        };
        assert_eq!(changed(4), 2, "the shop that left, and the one whose group it was");
        town.now = START.plus(6);
        town.apply(&bakery.actor, OpBody::JoinGroup { group, terms_version: 1, invitation: None });
        assert_eq!(changed(5), 2);
        let mut members = vec![cafe.id, bakery.id];
        members.sort_unstable();
        let shown = town.store.group(group).unwrap().unwrap();
        assert_eq!((shown.members, shown.group.members), (members, 2));
        assert_eq!(town.store.merchant(bakery.id).unwrap().unwrap().groups, [group]);
        let member = &town.store.tables().members[&(group, bakery.id)];
        assert_eq!((member.joined_at, member.left_at), (town.now, None));
    }

    pub fn a_frozen_members_lots_cannot_be_used_until_it_is_let_go<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        let (operator, buyer) = (town.enrol(), town.enrol());
        town.appoint(operator.account, true);
        town.purchase(&bakery, &buyer, group, 10_000);
        town.purchase(&cafe, &buyer, group, 2_000);
        let hold = town.hold(&cafe, &buyer, group, 550);
        let unsold = town.sale(&bakery, 10_000);
        town.now = town.now.plus(Timestamp::MINUTE);
        let freeze =
            |by: &Actor, frozen| town.apply(by, OpBody::FreezeMember { group, merchant: bakery.id, frozen });
        freeze(&operator, true);
        assert_eq!(town.store.group(group).unwrap().unwrap().group.frozen, [bakery.id]);
        let few = Refusal::NotEnough { asked: units(51), available: units(50) };
        let asks = |count| town.asks(Asks::Redeem, (&cafe, &buyer), group, (count, None));
        assert_eq!(refused(town, &asks(51)), few);
        let at = town.asks(Asks::Redeem, (&bakery, &buyer), group, (50, None));
        assert_eq!(refused(town, &at), Refusal::MemberFrozen);
        let late = town.sale(&bakery, 10_000);
        assert_eq!(refused(town, &town.claim(&buyer, &late, group)), Refusal::MemberFrozen);
        town.accepted(&town.claim(&buyer, &unsold, group));
        town.apply(&cafe.actor, OpBody::CaptureHold { hold, units: units(550) });
        freeze(&operator, false);
        assert_eq!(town.store.group(group).unwrap().unwrap().group.frozen, []);
        assert_eq!(town.store.tables().members[&(group, bakery.id)].frozen_at, None);
        town.accepted(&asks(550));
        let not = OpBody::FreezeMember { group, merchant: bakery.id, frozen: true };
        assert_eq!(town.refuse(&cafe.actor, not), Refusal::NotAllowed);
    }

    pub fn edge_22_a_group_closes_with_a_hold_open_and_ends_when_nothing_remains<S: Subject>(
        town: &mut Town<S>,
    ) {
        let (cafe, bakery, group) = two(town);
        let buyer = town.enrol();
        town.purchase(&bakery, &buyer, group, 10_000);
        town.purchase(&cafe, &buyer, group, 10_000);
        town.apply(&bakery.actor, OpBody::LeaveGroup { group });
        town.apply(&cafe.actor, OpBody::CloseGroup { group });
        let closing = town.store.group(group).unwrap().unwrap().group.closing.unwrap();
        assert_eq!(closing.ends_at, town.now.plus(90 * Timestamp::DAY));
        assert_eq!(
            town.refuse(&bakery.actor, OpBody::JoinGroup { group, terms_version: 1, invitation: None }),
            Refusal::GroupClosing
        );
        town.now = closing.redeem_only_from.plus(-Timestamp::SECOND);
        town.apply(&cafe.actor, OpBody::RenewCertificate);
        let last = town.purchase(&cafe, &buyer, group, 10_000);
        town.now = closing.redeem_only_from;
        let late = town.sale(&cafe, 10_000);
        assert_eq!(refused(town, &town.claim(&buyer, &late, group)), Refusal::GroupClosing);

        town.now = closing.ends_at.plus(-1);
        let hold = town.hold(&cafe, &buyer, group, 600);
        assert_eq!((town.store.groups_to_end(town.now, 9).unwrap(), town.sweep()), (vec![], 0));
        town.now = closing.ends_at;
        let spend = town.asks(Asks::Redeem, (&cafe, &buyer), group, (1, None));
        assert_eq!(refused(town, &spend), Refusal::NotEnough { asked: units(1), available: units(0) });
        assert_eq!(town.sweep(), 1, "what is free expires; what is held waits");
        assert_eq!(town.left(&buyer).iter().map(|(left, _)| left).sum::<i64>(), 600);
        assert!(!ended(town, group));
        town.apply(&cafe.actor, OpBody::CaptureHold { hold, units: units(500) });
        assert_eq!((town.sweep(), town.left(&buyer)), (2, vec![]), "the rest expires, and the group ends");
        assert!(ended(town, group));
        assert_eq!((town.store.groups_to_end(town.now, 9).unwrap(), town.sweep()), (vec![], 0));
        // Undone afterwards, it comes back and expires at once.
        town.refund(&cafe, last, 10_000);
        let taken = town.store.tables().redemptions.keys().next().unwrap().1;
        town.apply(&cafe.actor, OpBody::ReverseRedemption { redemption: taken });
        assert_eq!((town.left(&buyer), town.sweep()), (vec![], 0));
    }

    fn ended<S: Subject>(town: &Town<S>, group: GroupId) -> bool {
        town.store.group(group).unwrap().unwrap().group.closing.is_some_and(|closing| closing.ended)
    }

    pub fn a_group_that_ends_is_found_at_its_end_and_once<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let [first, second] = [(); 2].map(|()| town.group(points(500, 0, Basis::OnIssue), &[&cafe]));
        let stays = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyers = [(); 3].map(|()| town.enrol());
        for buyer in &buyers {
            for group in [first, stays] {
                town.purchase(&cafe, buyer, group, 10_000);
            }
        }
        town.apply(&cafe.actor, OpBody::CloseGroup { group: first });
        town.now = town.now.plus(1);
        town.apply(&cafe.actor, OpBody::CloseGroup { group: second });
        let end = town.now.plus(90 * Timestamp::DAY);
        let due = |now, limit| -> Vec<GroupId> {
            town.store.groups_to_end(now, limit).unwrap().into_iter().map(|group| group.id).collect()
        };
        assert_eq!((due(end.plus(-2), 9), due(end.plus(-1), 9)), (vec![], vec![first]));
        assert_eq!((due(end, 9), due(end, 1)), (vec![first, second], vec![first]));
        let left = |group, limit| -> Vec<_> {
            let mut left = town.store.lots_left(group, limit).unwrap();
            left.sort_by_key(|lot| lot.account);
            left.into_iter().map(|lot| lot.account).collect()
        };
        assert_eq!(left(first, 9), buyers.each_ref().map(|buyer| buyer.account));
        assert_eq!((left(first, 2).len(), left(second, 9).len()), (2, 0));
        let early = town.system_op(OpBody::EndGroup { group: first });
        assert_eq!(town.submit(&early), Outcome::First(Answer::Refused(Refusal::NotDue)));
        town.now = end;
        assert_eq!(town.sweep(), 5, "three wallets, two groups");
        assert_eq!((due(end, 9), left(first, 9).len(), left(stays, 9).len()), (vec![], 0, 3));
    }

    pub fn the_last_member_stays_until_it_closes_the_group<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery, group) = two(town);
        let close = OpBody::CloseGroup { group };
        assert_eq!(town.refuse(&cafe.actor, OpBody::LeaveGroup { group }), Refusal::AdminStays);
        assert_eq!(town.refuse(&cafe.actor, close.clone()), Refusal::NotLastMember);
        town.apply(&cafe.actor, OpBody::AppointAdmin { group, merchant: bakery.id });
        assert_eq!(town.refuse(&cafe.actor, close.clone()), Refusal::NotAllowed);
        town.apply(&cafe.actor, OpBody::LeaveGroup { group });
        assert_eq!(town.refuse(&bakery.actor, OpBody::LeaveGroup { group }), Refusal::LastMember);
        town.apply(&bakery.actor, close.clone());
        assert_eq!(town.refuse(&bakery.actor, close), Refusal::GroupClosing);
        let from = town.now.seconds();
        let amend = OpBody::AmendTerms { group, terms: coupons(), from };
        assert_eq!(town.refuse(&bakery.actor, amend), Refusal::GroupClosing);
    }
}
