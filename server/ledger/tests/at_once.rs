//! What is asked at the same instant, by real threads: exactly as much is granted as there is, whichever way it comes in.
//!
//! Each runs on every store twice: straight into the store from several threads, and through two committers.

mod town;

use std::sync::{Arc, Barrier};

use moa_ledger::engine::Engine;
use moa_ledger::store::{Answer, Outcome, Store};
use moa_rules::hold::HoldState;
use moa_rules::id::GroupId;
use moa_rules::invitation::{Invited, Ticket, TicketMac, TokenHash};
use moa_rules::op::{Op, OpBody};
use moa_rules::quantity::Money;
use moa_rules::terms::Basis;
use moa_rules::time::Timestamp;
use moa_wire::submission::Submission;
use moa_wire::token::Checked;
use town::acts::{Asks, units};
use town::stores::{Subject, conformance};
use town::{Actor, Shop, Town, points};

conformance!(
    edge_01_one_op_sent_by_everyone_at_once_holds_once,
    edge_03_a_hundred_requests_of_a_hundred_over_2500_are_25,
    holds_and_redemptions_at_once_share_the_balance,
    edge_04_refunds_at_once_never_pay_back_more_than_the_purchase,
    edge_15_a_hold_is_captured_or_voided_and_not_both,
    a_reversal_and_a_refund_at_once_give_back_once,
    a_voucher_is_claimed_or_voided_and_not_both,
    edge_32_earnings_at_once_pay_a_debt_once,
    what_is_taken_away_at_once_is_not_spent_too,
    whoever_joins_a_group_that_closes_is_in_or_out,
    edge_45_of_fifty_on_one_link_for_one_one_joins,
);

const THREADS: usize = 4;

/// How requests come in.
#[derive(Debug, Clone, Copy)]
enum By {
    /// Each thread commits by itself.
    Commits,
    /// Each thread asks one of two committers.
    Committers,
}

const WAYS: [By; 2] = [By::Commits, By::Committers];

/// All of them at once, from threads that start together, each its share in turn: the outcomes, in the order of the ops.
fn at_once<S: Store + 'static>(town: &Town<S>, by: By, ops: &[Checked<Op>]) -> Vec<Outcome> {
    let checked: Vec<Submission> = ops.iter().map(|op| town.check(op).unwrap()).collect();
    let now = town.now;
    let store: Arc<dyn Store> = town.store.clone();
    let engines: Vec<Engine> = match by {
        By::Commits => Vec::new(),
        By::Committers => (0..2).map(|_| Engine::start(store.clone(), Arc::new(move || now))).collect(),
    };
    let start = Barrier::new(THREADS);
    let ask = |thread: usize| -> Vec<(usize, Outcome)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let share = checked.iter().enumerate().skip(thread).step_by(THREADS);
        start.wait();
        let one = |op: &Submission| match engines.get(thread % 2) {
            None => store.commit(std::slice::from_ref(op), now).unwrap().outcomes.remove(0),
            Some(engine) => runtime.block_on(engine.submit(vec![op.clone()])).unwrap().remove(0),
        };
        share.map(|(at, op)| (at, one(op))).collect()
    };
    let mut outcomes: Vec<(usize, Outcome)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || ask(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    engines.iter().for_each(Engine::stop);
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn applied(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| **outcome == Outcome::First(Answer::Applied)).count()
}

mod suite {
    use super::*;

    /// Two shops of a group of 10 %, and a buyer with so many points.
    fn alley<S: Store>(town: &Town<S>, count: i64) -> (Shop, Shop, GroupId, Actor) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        if count > 0 {
            town.purchase(&cafe, &buyer, group, count * 10);
        }
        (cafe, bakery, group, buyer)
    }

    fn op<S: Store>(town: &Town<S>, shop: &Shop, body: OpBody) -> Checked<Op> {
        shop.actor.sign(shop.actor.op(body, town.now))
    }

    pub fn edge_01_one_op_sent_by_everyone_at_once_holds_once<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, _, group, buyer) = alley(town, 2_500);
            let redemption = town.asks(Asks::Redeem, (&cafe, &buyer), group, (2_500, None));
            let outcomes = at_once(town, by, &vec![redemption; 40]);
            let again = outcomes.iter().filter(|it| **it == Outcome::Again(Answer::Applied)).count();
            assert_eq!((applied(&outcomes), again, town.balance(&buyer, group)), (1, 39, 0), "{by:?}");
        }
    }

    pub fn edge_03_a_hundred_requests_of_a_hundred_over_2500_are_25<S: Subject + 'static>(
        town: &mut Town<S>,
    ) {
        for by in WAYS {
            let (cafe, bakery, group, buyer) = alley(town, 2_500);
            let asks = |at: usize| {
                let shop = if at.is_multiple_of(3) { &bakery } else { &cafe };
                town.asks(Asks::Redeem, (shop, &buyer), group, (100, None))
            };
            let outcomes = at_once(town, by, &(0..100).map(asks).collect::<Vec<_>>());
            assert_eq!((applied(&outcomes), town.balance(&buyer, group)), (25, 0), "{by:?}");
        }
    }

    pub fn holds_and_redemptions_at_once_share_the_balance<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, bakery, group, buyer) = alley(town, 2_500);
            let asks = |at: usize| match at % 2 {
                0 => town.asks(Asks::Hold, (&cafe, &buyer), group, (100, None)),
                _ => town.asks(Asks::Redeem, (&bakery, &buyer), group, (100, None)),
            };
            let outcomes = at_once(town, by, &(0..100).map(asks).collect::<Vec<_>>());
            assert_eq!((applied(&outcomes), town.balance(&buyer, group)), (25, 0), "{by:?}");
            let held = town.store.open_holds(buyer.account, None).unwrap();
            let lots = town.store.lots(buyer.account).unwrap();
            let (left, of_lots): (i64, i64) =
                lots.iter().fold((0, 0), |(l, h), lot| (l + lot.remaining.get(), h + lot.held.get()));
            let of_holds: i64 = held.iter().map(|hold| hold.units().get()).sum();
            assert_eq!((left, of_lots), (of_holds, of_holds), "{by:?}");
            let taken = town.store.tables().redemptions.values().filter(|it| it.group == group).count();
            assert_eq!(taken + held.len(), 25, "{by:?}");
        }
    }

    pub fn edge_04_refunds_at_once_never_pay_back_more_than_the_purchase<S: Subject + 'static>(
        town: &mut Town<S>,
    ) {
        for by in WAYS {
            let (cafe, _, group, buyer) = alley(town, 0);
            let sales = [(); 2].map(|()| town.purchase(&cafe, &buyer, group, 10_000));
            let [whole, parts] = sales;
            let refund = |sale, amount| op(town, &cafe, OpBody::RefundSale { sale, amount: Money(amount) });
            let mut asked: Vec<_> = (0..2).map(|_| refund(whole, 10_000)).collect();
            asked.extend((0..38).map(|_| refund(parts, 700)));
            let outcomes = at_once(town, by, &asked);
            assert_eq!((applied(&outcomes[..2]), applied(&outcomes[2..])), (1, 14), "{by:?}");
            let tables = town.store.tables();
            let back = sales.map(|sale| tables.sales[&(cafe.id, sale)].money_back);
            assert_eq!(back, [Money(10_000), Money(9_800)], "{by:?}");
            assert_eq!(town.balance(&buyer, group), 20, "{by:?}");
        }
    }

    pub fn edge_15_a_hold_is_captured_or_voided_and_not_both<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, _, group, buyer) = alley(town, 2_000);
            let holds: Vec<_> = (0..20).map(|_| town.hold(&cafe, &buyer, group, 100)).collect();
            let mut asked = Vec::new();
            for hold in &holds {
                let (hold, part) = (*hold, units(60));
                asked.push(op(town, &cafe, OpBody::CaptureHold { hold, units: part }));
                asked.push(op(town, &cafe, OpBody::VoidHold { hold }));
                asked.push(op(town, &cafe, OpBody::CaptureHold { hold, units: units(100) }));
            }
            let outcomes = at_once(town, by, &asked);
            let tables = town.store.tables();
            let mut taken = 0;
            for (hold, outcomes) in holds.iter().zip(outcomes.chunks(3)) {
                assert_eq!(applied(outcomes), 1, "{by:?}");
                let won = outcomes.iter().position(|it| *it == Outcome::First(Answer::Applied)).unwrap();
                taken += [60, 0, 100][won];
                let state = [HoldState::Captured, HoldState::Voided, HoldState::Captured][won];
                assert_eq!(tables.holds[&(cafe.id, *hold)].state, state, "{by:?}");
            }
            assert_eq!(town.balance(&buyer, group), 2_000 - taken, "{by:?}");
            assert!(town.store.lots(buyer.account).unwrap().iter().all(|lot| lot.held.is_zero()), "{by:?}");
        }
    }

    pub fn a_reversal_and_a_refund_at_once_give_back_once<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, _, group, buyer) = alley(town, 1_000);
            let mut asked = Vec::new();
            for _ in 0..10 {
                let paid = town.take_mileage(&cafe, &buyer, group, 100);
                let sale = town.part_paid(&cafe, &buyer, group, (10, paid));
                asked.push(op(town, &cafe, OpBody::ReverseRedemption { redemption: paid }));
                asked.push(op(town, &cafe, OpBody::RefundSale { sale, amount: Money(110) }));
                asked.push(op(town, &cafe, OpBody::ReverseRedemption { redemption: paid }));
            }
            at_once(town, by, &asked);
            assert_eq!(town.balance(&buyer, group), 1_000, "{by:?}");
            let tables = town.store.tables();
            let mut of_group = tables.redemptions.values().filter(|it| it.group == group);
            assert!(of_group.all(|it| it.returned == units(100)), "{by:?}");
        }
    }

    pub fn a_voucher_is_claimed_or_voided_and_not_both<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, _, group, one) = alley(town, 0);
            let two = town.enrol();
            let mut asked = Vec::new();
            for _ in 0..12 {
                let voucher = town.sale(&cafe, 1_000);
                town.accepted(&voucher);
                asked.push(town.claim(&one, &voucher, group));
                asked.push(op(town, &cafe, OpBody::VoidSale { sale: voucher.value().id }));
                asked.push(town.claim(&two, &voucher, group));
            }
            let outcomes = at_once(town, by, &asked);
            let mut claimed = 0;
            for outcomes in outcomes.chunks(3) {
                assert_eq!(applied(outcomes), 1, "{by:?}");
                claimed += i64::from(outcomes[1] != Outcome::First(Answer::Applied));
            }
            assert_eq!(town.balance(&one, group) + town.balance(&two, group), claimed * 100, "{by:?}");
        }
    }

    pub fn edge_32_earnings_at_once_pay_a_debt_once<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, bakery, group, buyer) = alley(town, 0);
            let sale = town.purchase(&cafe, &buyer, group, 10_000);
            town.take_mileage(&bakery, &buyer, group, 1_000);
            town.refund(&cafe, sale, 10_000);
            let earn = |at: usize| {
                let shop = if at.is_multiple_of(2) { &bakery } else { &cafe };
                town.claim(&buyer, &town.sale(shop, 1_500), group)
            };
            let outcomes = at_once(town, by, &(0..20).map(earn).collect::<Vec<_>>());
            assert_eq!(applied(&outcomes), 20, "{by:?}");
            assert_eq!(town.balance(&buyer, group), 20 * 150 - 1_000, "{by:?}");
            assert_eq!(town.store.debts(buyer.account).unwrap(), [], "{by:?}");
        }
    }

    pub fn what_is_taken_away_at_once_is_not_spent_too<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, bakery, group, buyer) = alley(town, 1_000);
            let (account, reason) = (buyer.account, moa_rules::adjustment::Reason::Misuse);
            let take = OpBody::TakeAway { group, account, units: units(100), reason, unit: None };
            let asks = |at: usize| match at % 2 {
                0 => op(town, &cafe, take.clone()),
                _ => town.asks(Asks::Redeem, (&bakery, &buyer), group, (100, None)),
            };
            let outcomes = at_once(town, by, &(0..40).map(asks).collect::<Vec<_>>());
            assert_eq!((applied(&outcomes), town.balance(&buyer, group)), (10, 0), "{by:?}");
        }
    }

    pub fn edge_45_of_fifty_on_one_link_for_one_one_joins<S: Subject + 'static>(town: &mut Town<S>) {
        for (by, mark) in WAYS.into_iter().zip(1..) {
            let cafe = town.shop("카페");
            let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
            let (to, hash) = (Invited::Group(group), Some(TokenHash([mark; 32])));
            let expires = town.now.plus(Timestamp::DAY).seconds();
            let invites = OpBody::Invite { to, hash, shop: None, uses: 1, expires };
            let invitation = town.apply(&cafe.actor, invites);
            let invitation = Some(Ticket { issuer: cafe.id, invitation, mac: Some(TicketMac([1; 16])) });
            let joins = OpBody::JoinGroup { group, terms_version: 1, invitation };
            let asked: Vec<_> = (0..50).map(|_| op(town, &town.shop("가게"), joins.clone())).collect();
            let outcomes = at_once(town, by, &asked);
            assert_eq!(applied(&outcomes), 1, "{by:?}");
            assert_eq!(town.store.group(group).unwrap().unwrap().members.len(), 2, "{by:?}");
        }
    }

    pub fn whoever_joins_a_group_that_closes_is_in_or_out<S: Subject + 'static>(town: &mut Town<S>) {
        for by in WAYS {
            let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
            let mut asked = Vec::new();
            let groups: Vec<_> =
                (0..8).map(|_| town.group(points(500, 0, Basis::OnIssue), &[&cafe])).collect();
            for group in &groups {
                asked.push(op(town, &cafe, OpBody::CloseGroup { group: *group }));
                asked.push(op(
                    town,
                    &bakery,
                    OpBody::JoinGroup { group: *group, terms_version: 1, invitation: None },
                ));
            }
            let outcomes = at_once(town, by, &asked);
            for (group, outcomes) in groups.iter().zip(outcomes.chunks(2)) {
                assert_eq!(applied(outcomes), 1, "{by:?}");
                let known = town.store.group(*group).unwrap().unwrap();
                assert_eq!(known.members.len() == 1, known.group.closing.is_some(), "{by:?}");
            }
        }
    }
}
