//! Refunds, debts, voids and adjustments, as every store keeps them. (docs/rules.md U, J, S22)

mod town;

use moa_ledger::store::{Answer, Outcome};
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::id::{AccountId, GroupId};
use moa_rules::member::{Buyer, Found, NumberHash};
use moa_rules::op::{Carried, OpBody};
use moa_rules::quantity::{Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::standing::{StandingChoice, best_from};
use moa_rules::terms::{Basis, Terms, Unit};
use moa_rules::time::{Day, Timestamp, Validity};
use town::acts::{Asks, units};
use town::stores::{Subject, conformance};
use town::{START, Town, points};

conformance!(
    edge_06_a_full_refund_after_a_part_was_spent_takes_the_rest_elsewhere_and_leaves_a_debt,
    edge_32_the_next_earning_pays_the_debt_first,
    debts_are_listed_by_group_shop_and_unit_until_they_are_paid,
    edge_07_twenty_percent_twice_is_forty_and_the_rest_is_exact,
    edge_09_a_purchase_that_mileage_paid_in_part_goes_back_in_both,
    edge_05_refunds_that_cannot_be_change_nothing,
    a_refund_takes_what_expired_of_its_own_lot_for_taken,
    a_voided_sale_waits_no_more_and_earns_nothing,
    what_was_refunded_before_the_claim_earns_nothing,
    edge_33_a_merged_accounts_debts_go_over_and_a_closed_ones_end,
    a_grant_is_a_lot_of_the_terms_in_force_and_pays_no_debt,
    a_shop_takes_away_only_what_it_issued_and_is_still_there,
    a_number_that_holds_mileage_is_not_forgotten,
);

mod suite {
    use super::*;

    fn balance<S: Subject>(
        town: &Town<S>,
        group: GroupId,
        party: Party,
        ledger: Ledger,
        issuer: Option<moa_rules::id::MerchantId>,
    ) -> i64 {
        let account = Account { group, party, ledger, issuer };
        town.store.tables().balances.get(&account).copied().unwrap_or_default()
    }

    pub fn edge_06_a_full_refund_after_a_part_was_spent_takes_the_rest_elsewhere_and_leaves_a_debt<
        S: Subject,
    >(
        town: &mut Town<S>,
    ) {
        for basis in [Basis::OnIssue, Basis::OnRedemption] {
            let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
            let group = town.group(points(1_000, 0, basis), &[&cafe, &bakery]);
            let buyer = town.enrol();
            let sale = town.purchase(&cafe, &buyer, group, 10_000);
            town.now = town.now.plus(Timestamp::DAY);
            town.purchase(&bakery, &buyer, group, 3_000);
            town.take_mileage(&bakery, &buyer, group, 900);
            assert_eq!(town.left(&buyer), [(100, 0), (300, 0)]);
            // 1,000 to take back: 100 of its own lot, 300 of the bakery's, 600 are a debt.
            town.refund(&cafe, sale, 10_000);
            assert_eq!(town.left(&buyer), []);
            let debts = town.store.debts(buyer.account).unwrap();
            assert_eq!(debts.len(), 1);
            assert_eq!((debts[0].merchant, debts[0].units, debts[0].since), (cafe.id, units(600), town.now));
            let clawed =
                |issuer| balance(town, group, Party::Member(cafe.id), Ledger::ClawedBack, Some(issuer));
            assert_eq!((clawed(cafe.id), clawed(bakery.id)), (100, 300));
            let position = |party| balance(town, group, party, Ledger::Position, None);
            let positions = [Party::Member(cafe.id), Party::Member(bakery.id), Party::Pool].map(position);
            // The bakery took 900 of the café's, the café 300 of the bakery's.
            assert_eq!(positions, [-600, 600, 0]);
        }
    }

    pub fn edge_32_the_next_earning_pays_the_debt_first<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let other = town.group(points(1_000, 0, Basis::OnIssue), &[&bakery]);
        let buyer = town.enrol();
        let sale = town.purchase(&cafe, &buyer, group, 10_000);
        town.take_mileage(&bakery, &buyer, group, 1_000);
        town.refund(&cafe, sale, 10_000);
        let owed = || -> Vec<i64> {
            let debts = town.store.debts(buyer.account).unwrap();
            debts.iter().map(|debt| debt.units.get()).collect()
        };
        assert_eq!(owed(), [1_000]);
        town.purchase(&bakery, &buyer, other, 5_000);
        assert_eq!((owed(), town.balance(&buyer, other)), (vec![1_000], 500), "never from another group");
        town.purchase(&bakery, &buyer, group, 4_000);
        assert_eq!((owed(), town.balance(&buyer, group)), (vec![600], 0));
        town.purchase(&cafe, &buyer, group, 7_000);
        assert_eq!((owed(), town.balance(&buyer, group)), (vec![], 100));
        // The bakery's 400 settled as if redeemed at the café.
        let position =
            |shop: &town::Shop| balance(town, group, Party::Member(shop.id), Ledger::Position, None);
        assert_eq!((position(&cafe), position(&bakery)), (-1_000 + 400 - 700 + 600, 1_000 - 400));
    }

    pub fn debts_are_listed_by_group_shop_and_unit_until_they_are_paid<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let coupons = Terms::coupons(Money(500), None, Validity::Months(6));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let later = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        let mut owed = Vec::new();
        for group in [later, group] {
            let sale = town.purchase(&bakery, &buyer, group, 1_000);
            town.take_mileage(&cafe, &buyer, group, 100);
            town.refund(&bakery, sale, 1_000);
            owed.push((group, bakery.id, None, 100));
        }
        // Then one of the groups turns to coupons.
        let amendment = town.propose(&cafe, group, coupons);
        town.apply(&bakery.actor, OpBody::AnswerAmendment { group, amendment, agrees: true });
        town.now = town.now.plus(Timestamp::DAY);
        assert_eq!(town.sweep(), 1);
        let sale = town.purchase_under(2, (&bakery, &buyer), group, 1_000);
        town.accepted(&town.asks(Asks::Redeem, (&cafe, &buyer), group, (1, Some(Unit::Coupon))));
        town.refund(&bakery, sale, 1_000);
        owed.push((group, bakery.id, Some(Unit::Coupon), 1));
        owed.sort_unstable();
        let listed = |account| -> Vec<_> {
            let debts = town.store.debts(account).unwrap();
            debts.iter().map(|debt| (debt.group, debt.merchant, debt.unit, debt.units.get())).collect()
        };
        assert_eq!(listed(buyer.account), owed);
        assert_eq!(listed(cafe.actor.account), []);
        // A coupon pays what is owed in coupons, and no more.
        town.purchase_under(2, (&cafe, &buyer), group, 1_000);
        owed.retain(|(_, _, unit, _)| unit.is_none());
        assert_eq!(listed(buyer.account), owed);
    }

    pub fn edge_07_twenty_percent_twice_is_forty_and_the_rest_is_exact<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(333, 0, Basis::OnIssue), &[&cafe]);
        let [twice, once] = [(); 2].map(|()| town.enrol());
        // 10,003 won earn 333 points.
        let in_parts = town.purchase(&cafe, &twice, group, 10_003);
        let at_once = town.purchase(&cafe, &once, group, 10_003);
        for _ in 0..2 {
            town.refund(&cafe, in_parts, 2_000);
        }
        town.refund(&cafe, at_once, 4_000);
        assert_eq!((town.balance(&twice, group), town.balance(&once, group)), (200, 200));
        town.refund(&cafe, in_parts, 6_003);
        assert_eq!((town.balance(&twice, group), town.store.debts(twice.account).unwrap()), (0, vec![]));
        let tables = town.store.tables();
        let sale = &tables.sales[&(cafe.id, in_parts)];
        assert_eq!((sale.refunded, sale.money_back, sale.clawed), (Money(10_003), Money(10_003), units(333)));
    }

    pub fn edge_09_a_purchase_that_mileage_paid_in_part_goes_back_in_both<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.purchase(&cafe, &buyer, group, 30_000);
        let paid = town.take_mileage(&cafe, &buyer, group, 3_000);
        let sale = town.part_paid(&cafe, &buyer, group, (7_000, paid));
        assert_eq!(town.balance(&buyer, group), 700, "nothing is earned on what mileage paid");
        // A third of 10,000: 2,333 in money, 1,000 points come back, 233 are taken.
        town.refund(&cafe, sale, 3_333);
        let tables = town.store.tables();
        assert_eq!(tables.sales[&(cafe.id, sale)].money_back, Money(2_333));
        assert_eq!(tables.redemptions[&(cafe.id, paid)].returned, units(1_000));
        assert_eq!(town.balance(&buyer, group), 700 - 233 + 1_000);
        assert_eq!(
            town.refuse(&cafe.actor, OpBody::RefundSale { sale, amount: Money(6_668) }),
            Refusal::RefundTooLarge { left: Money(6_667) }
        );
        town.refund(&cafe, sale, 6_667);
        assert_eq!(town.balance(&buyer, group), 3_000);
        let reverse = OpBody::ReverseRedemption { redemption: paid };
        assert_eq!(town.refuse(&cafe.actor, reverse), Refusal::AlreadyReversed);
    }

    pub fn edge_05_refunds_that_cannot_be_change_nothing<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        let sale = town.purchase(&cafe, &buyer, group, 10_000);
        let others = town.purchase(&bakery, &buyer, group, 10_000);
        let before = town.store.tables();
        let refund =
            |sale, amount| town.refuse(&cafe.actor, OpBody::RefundSale { sale, amount: Money(amount) });
        for amount in [0, -1, i64::MIN] {
            assert_eq!(refund(sale, amount), Refusal::AmountNotPositive);
        }
        for amount in [10_001, i64::MAX] {
            assert_eq!(refund(sale, amount), Refusal::RefundTooLarge { left: Money(10_000) });
        }
        assert_eq!(refund(others, 1), Refusal::UnknownSale);
        assert_eq!(refund(moa_rules::id::OpId([9; 16]), 1), Refusal::UnknownSale);
        assert_eq!(town.store.tables(), before);
    }

    pub fn a_refund_takes_what_expired_of_its_own_lot_for_taken<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let terms = Terms { validity: Validity::Days(1), ..points(1_000, 0, Basis::OnIssue) };
        let group = town.group(terms, &[&cafe]);
        let buyer = town.enrol();
        let sale = town.purchase(&cafe, &buyer, group, 10_000);
        town.take_mileage(&cafe, &buyer, group, 400);
        let lot = town.only_lot(&buyer);
        town.now = lot.ends_at;
        assert_eq!(town.sweep(), 1);
        town.refund(&cafe, sale, 10_000);
        let owed = town.store.debts(buyer.account).unwrap();
        assert_eq!(owed.iter().map(|debt| debt.units.get()).collect::<Vec<_>>(), [400], "600 had expired");
        let tables = town.store.tables();
        let sale = &tables.sales[&(cafe.id, sale)];
        assert_eq!((sale.clawed, sale.forgone), (units(1_000), units(600)));
        assert_eq!(tables.lots[&(buyer.account, group, lot.id)].expired, units(600));
    }

    pub fn a_voided_sale_waits_no_more_and_earns_nothing<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        for _ in 0..2 {
            town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        }
        let group = *town.store.tables().groups.keys().next().unwrap();
        let buyer = town.enrol();
        let choice = StandingChoice { groups: Vec::new(), best: true };
        town.apply(&buyer, OpBody::SetStanding { choice });
        let [mistaken, right] = [(); 2].map(|()| town.sell_to(&cafe, &buyer, 10_000).0);
        town.now = town.now.plus(30 * Timestamp::MINUTE);
        town.apply(&cafe.actor, OpBody::VoidSale { sale: mistaken });
        let waiting = || -> Vec<_> {
            town.store.waiting_of(buyer.account).unwrap().iter().map(|sale| sale.id).collect()
        };
        assert_eq!(waiting(), [right]);
        let best: Vec<_> = town.store.sales_for_best(best_from(town.now.seconds()), 9).unwrap();
        assert_eq!(best.iter().map(|(sale, _)| sale.id).collect::<Vec<_>>(), [right]);
        let lapse: Vec<_> = town.store.sales_to_lapse(town.now.plus(8 * Timestamp::DAY), 9).unwrap();
        assert_eq!(lapse.iter().map(|sale| sale.id).collect::<Vec<_>>(), [right]);
        let claim = OpBody::ClaimWaiting { merchant: cafe.id, sale: mistaken, choice: None };
        assert_eq!(town.refuse(&buyer, claim), Refusal::SaleVoided);
        assert_eq!(town.refuse(&cafe.actor, OpBody::VoidSale { sale: mistaken }), Refusal::SaleVoided);
        let refund = OpBody::RefundSale { sale: mistaken, amount: Money(1) };
        assert_eq!(town.refuse(&cafe.actor, refund), Refusal::SaleVoided);
        town.now = town.now.plus(Timestamp::SECOND);
        let late = OpBody::VoidSale { sale: right };
        assert_eq!(town.refuse(&cafe.actor, late), Refusal::VoidTooLate { minutes: 30 });

        let voucher = town.sale(&cafe, 10_000);
        town.accepted(&voucher);
        town.apply(&cafe.actor, OpBody::VoidSale { sale: voucher.value().id });
        let claim = town.submit(&town.claim(&buyer, &voucher, group));
        assert_eq!(claim, Outcome::First(Answer::Refused(Refusal::SaleVoided)));
        let claimed = town.purchase(&cafe, &buyer, group, 10_000);
        assert_eq!(town.refuse(&cafe.actor, OpBody::VoidSale { sale: claimed }), Refusal::SaleAlreadyClaimed);
    }

    pub fn what_was_refunded_before_the_claim_earns_nothing<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let voucher = town.sale(&cafe, 10_000);
        town.accepted(&voucher);
        town.refund(&cafe, voucher.value().id, 4_000);
        town.accepted(&town.claim(&buyer, &voucher, group));
        assert_eq!(town.balance(&buyer, group), 600);
        town.refund(&cafe, voucher.value().id, 3_000);
        assert_eq!(town.balance(&buyer, group), 300);
        assert_eq!(
            town.refuse(&cafe.actor, OpBody::VoidSale { sale: voucher.value().id }),
            Refusal::SaleAlreadyClaimed
        );
        let other = town.sale(&cafe, 10_000);
        town.accepted(&other);
        town.refund(&cafe, other.value().id, 1);
        let void = OpBody::VoidSale { sale: other.value().id };
        assert_eq!(town.refuse(&cafe.actor, void), Refusal::SaleRefunded);
    }

    pub fn edge_33_a_merged_accounts_debts_go_over_and_a_closed_ones_end<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let [from, into] = [(); 2].map(|()| town.enrol());
        let mut sales = Vec::new();
        for buyer in [&from, &into] {
            let sale = town.purchase(&cafe, buyer, group, 10_000);
            town.take_mileage(&cafe, buyer, group, 700);
            town.refund(&cafe, sale, 5_000);
            sales.push(sale);
        }
        let owed = |account: AccountId| -> Vec<_> {
            let debts = town.store.debts(account).unwrap();
            debts.iter().map(|debt| (debt.units.get(), debt.since)).collect()
        };
        let first = town.now;
        assert_eq!((owed(from.account), owed(into.account)), (vec![(200, first)], vec![(200, first)]));
        town.now = town.now.plus(Timestamp::HOUR);
        let (key, counter) = (from.key_id(), from.next_counter());
        let expires = town.now.plus(Timestamp::MINUTE).seconds();
        let consent = moa_rules::account::MergeConsent { version: 1, key, counter, expires };
        let consent = moa_wire::token::Checked::sign(consent, &from.key).unwrap().bytes().to_vec();
        town.apply(&into, OpBody::MergeAccount { consent });
        assert_eq!((owed(from.account), owed(into.account)), (vec![], vec![(400, first)]));
        // A later refund of what the merged account bought is the heir's.
        town.refund(&cafe, sales[0], 5_000);
        assert_eq!(owed(into.account), [(900, first)]);

        town.apply(&into, OpBody::CloseAccount);
        assert_eq!(owed(into.account), []);
        town.refund(&cafe, sales[1], 5_000);
        assert_eq!(owed(into.account), [], "nobody is left to owe");
    }

    pub fn a_grant_is_a_lot_of_the_terms_in_force_and_pays_no_debt<S: Subject>(town: &mut Town<S>) {
        let (cafe, stranger) = (town.shop("카페"), town.shop("다른 집"));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let sale = town.purchase(&cafe, &buyer, group, 1_000);
        town.take_mileage(&cafe, &buyer, group, 100);
        town.refund(&cafe, sale, 1_000);
        let lot = town.grant(&cafe, &buyer, group, 300);
        let given = town.only_lot(&buyer);
        assert_eq!((given.id, given.units, given.issuer), (lot, units(300), cafe.id));
        assert_eq!(town.store.debts(buyer.account).unwrap().len(), 1, "only what is earned pays");
        let grant = |to: AccountId, count, last_day| OpBody::Grant {
            group,
            to: Grantee::Account(to),
            units: units(count),
            reason: Reason::OpeningBalance,
            last_day,
        };
        let (today, most) = (Day(given.last_day.0 - 184), Refusal::GrantTooLarge { max: Money(1_000_000) });
        assert_eq!(town.refuse(&cafe.actor, grant(buyer.account, 0, None)), Refusal::UnitsNotPositive);
        assert_eq!(town.refuse(&cafe.actor, grant(buyer.account, 1_000_001, None)), most);
        assert_eq!(town.refuse(&cafe.actor, grant(buyer.account, i64::MAX, None)), most);
        for day in [Day(today.0 - 1), Day(today.0 + 3_661), Day(i32::MIN), Day(i32::MAX)] {
            let refused = town.refuse(&cafe.actor, grant(buyer.account, 1, Some(day)));
            assert_eq!(refused, Refusal::BadLastDay { days: 3_660 }, "{day:?}");
        }
        let own = town.refuse(&cafe.actor, grant(cafe.actor.account, 1, None));
        assert_eq!(own, Refusal::OwnSale);
        let outside = town.refuse(&stranger.actor, grant(buyer.account, 1, None));
        assert_eq!(outside, Refusal::ShopNotInGroup);
        town.apply(&cafe.actor, grant(buyer.account, 1, Some(today)));
        assert_eq!(town.balance(&buyer, group), 301);
    }

    pub fn a_shop_takes_away_only_what_it_issued_and_is_still_there<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.purchase(&bakery, &buyer, group, 5_000);
        town.grant(&cafe, &buyer, group, 300);
        town.hold(&bakery, &buyer, group, 700);
        let take = |count| OpBody::TakeAway {
            group,
            account: buyer.account,
            units: units(count),
            reason: Reason::Misuse,
            unit: None,
        };
        let less = Refusal::NotSoMuchIssued { left: units(100) };
        assert_eq!(town.refuse(&cafe.actor, take(101)), less);
        assert_eq!(town.refuse(&cafe.actor, take(0)), Refusal::UnitsNotPositive);
        town.apply(&cafe.actor, take(100));
        let adjusted = balance(town, group, Party::Member(cafe.id), Ledger::Adjusted, Some(cafe.id));
        assert_eq!((adjusted, town.left(&buyer)), (100, vec![(500, 500), (200, 200)]));
        let position = balance(town, group, Party::Member(cafe.id), Ledger::Position, None);
        assert_eq!(position, -200, "what it took away it need not answer for");
    }

    pub fn a_number_that_holds_mileage_is_not_forgotten<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let (holds, spent) = ([1; 32], [2; 32]);
        let number = |mac, fresh, at| town.store.account_of_number(mac, AccountId([fresh; 16]), at).unwrap();
        let grant = |account: AccountId, last_day| {
            let to = Grantee::Buyer(Buyer::Number(NumberHash([7; 32])));
            let (units, reason) = (units(100), Reason::OpeningBalance);
            let body = OpBody::Grant { group, to, units, reason, last_day };
            let signed = cafe.actor.sign(cafe.actor.op(body, town.now));
            let mut submission = town.check(&signed).unwrap();
            let without = town.store.commit(&[submission.clone()], town.now).unwrap().outcomes.remove(0);
            assert_eq!(without, Outcome::First(Answer::Refused(Refusal::MemberCodeUnknown)));
            // Under another id: a refusal is final.
            let body = signed.value().body.clone();
            submission = town.check(&cafe.actor.sign(cafe.actor.op(body, town.now))).unwrap();
            submission.carried = Carried::Buyer(Found::Number { account, signed_up: false });
            let outcome = town.store.commit(&[submission], town.now).unwrap().outcomes.remove(0);
            assert_eq!(outcome, Outcome::First(Answer::Applied));
        };
        let (one, _) = number(holds, 1, START);
        let (other, _) = number(spent, 2, START);
        grant(one, None);
        grant(other, Some(Day(20_514)));
        let soon = town.store.lots(other).unwrap()[0].ends_at;
        town.now = soon.plus(20 * Timestamp::DAY);
        town.store.forget_numbers(START.plus(1)).unwrap();
        assert_eq!(number(spent, 9, START), (other, false), "nothing of it has expired yet, on paper");
        assert_eq!(town.sweep(), 1);
        town.store.forget_numbers(START.plus(1)).unwrap();
        assert_eq!(number(holds, 8, town.now), (one, false), "its owner finds what the shop gave");
        assert_eq!(number(spent, 9, town.now), (AccountId([9; 16]), false), "nothing is left there");
        assert_eq!(town.store.lots(one).unwrap()[0].remaining, units(100));
        assert_eq!(Units::ZERO, town.store.lots(other).unwrap().iter().map(|lot| lot.remaining).sum());
    }
}
