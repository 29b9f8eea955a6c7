//! What every store decides and keeps alike.

mod town;

use std::sync::Barrier;

use moa_ledger::store::{Answer, InboxHead, Outcome};
use moa_ledger::tables::Tables;
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::MerchantId;
use moa_rules::marketing::{AgreedText, Marketing, TextLanguage};
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::refusal::Refusal;
use moa_rules::standing::{Standing, StandingChoice, best_from};
use moa_rules::terms::Basis;
use moa_rules::time::Timestamp;
use moa_wire::{canonical, chain};
use town::stores::{Subject, conformance};
use town::{START, Town, points};

conformance!(
    a_sale_claimed_and_spent_next_door_moves_the_books,
    a_repeated_op_gets_its_first_answer,
    another_payload_under_a_known_id_is_refused,
    a_sale_known_from_its_claim_is_a_duplicate_when_its_shop_sends_it,
    the_first_claim_of_a_sale_wins,
    edge_03_two_shops_cannot_spend_the_same_balance,
    exactly_as_many_redemptions_succeed_as_the_balance_covers,
    a_refused_op_changes_nothing,
    what_expired_is_written_down_and_goes_back_to_its_issuer,
    a_batch_sees_what_its_earlier_ops_did,
    inboxes_are_numbered_chained_and_paged,
    the_directory_tells_what_changed,
    a_sale_to_a_known_buyer_waits_until_it_is_chosen_for_or_lapses,
    the_best_is_due_a_day_after_the_sale_for_buyers_who_agreed,
);

mod suite {
    use super::*;

    fn position(tables: &Tables, group: moa_rules::id::GroupId, party: Party) -> i64 {
        let account = Account { group, party, ledger: Ledger::Position, issuer: None };
        tables.balances.get(&account).copied().unwrap_or_default()
    }

    pub fn a_sale_claimed_and_spent_next_door_moves_the_books<S: Subject>(town: &mut Town<S>) {
        for basis in [Basis::OnIssue, Basis::OnRedemption] {
            let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
            let group = town.group(points(500, 100, basis), &[&cafe, &bakery]);
            let buyer = town.enrol();
            town.earn(&cafe, &buyer, group, 10_000);
            assert_eq!(town.balance(&buyer, group), 500);
            assert_eq!(town.redeem(&bakery, &buyer, group, 200), Outcome::First(Answer::Applied));
            assert_eq!(town.balance(&buyer, group), 300);
            let tables = town.store.tables();
            let positions = [Party::Member(cafe.id), Party::Member(bakery.id), Party::Pool]
                .map(|party| position(&tables, group, party));
            match basis {
                Basis::OnIssue => assert_eq!(positions, [-500, 200, 300]),
                Basis::OnRedemption => assert_eq!(positions, [-200, 200, 0]),
            }
        }
    }

    pub fn a_repeated_op_gets_its_first_answer<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 1_000, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let claim = town.claim(&buyer, &town.sale(&cafe, 10_000), group);
        assert_eq!(town.submit(&claim), Outcome::First(Answer::Applied));
        let again = buyer.sign(claim.value().clone());
        assert_ne!(again.bytes(), claim.bytes(), "signed anew");
        let before = town.store.tables();
        // Edge 2: after eight days offline too.
        town.now = START.plus(8 * Timestamp::DAY);
        assert_eq!(town.submit(&again), Outcome::Again(Answer::Applied));
        assert_eq!(town.store.tables(), before);
        town.apply(&cafe.actor, OpBody::RenewCertificate);

        let code = buyer.code(group, 500, town.now);
        let body = OpBody::Redeem { code, units: Units::new(500).unwrap() };
        let redeem = cafe.actor.sign(cafe.actor.op(body, town.now));
        let below = Refusal::BelowMinimum {
            minimum: Units::new(1_000).unwrap(),
            available: Units::new(500).unwrap(),
        };
        assert_eq!(town.submit(&redeem), Outcome::First(Answer::Refused(below.clone())));
        town.earn(&cafe, &buyer, group, 20_000);
        assert_eq!(town.submit(&redeem), Outcome::Again(Answer::Refused(below)), "final for that id");
    }

    pub fn another_payload_under_a_known_id_is_refused<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let sale = town.sale(&cafe, 4_500);
        assert_eq!(town.submit(&sale), Outcome::First(Answer::Applied));
        let mut other = sale.value().clone();
        other.body = OpBody::RecordSale { amount: Money(45_000), addressee: None, redemption: None };
        let before = town.store.tables();
        let other = cafe.actor.sign(other);
        assert_eq!(town.submit(&other), Outcome::First(Answer::Refused(Refusal::OpIdReused)));
        assert_eq!(town.store.tables(), before);

        // The same inside a claim.
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let claim = town.claim(&buyer, &other, group);
        assert_eq!(town.submit(&claim), Outcome::First(Answer::Refused(Refusal::OpIdReused)));
    }

    pub fn a_sale_known_from_its_claim_is_a_duplicate_when_its_shop_sends_it<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let sale = town.sale(&cafe, 4_500);
        assert_eq!(town.submit(&town.claim(&buyer, &sale, group)), Outcome::First(Answer::Applied));
        assert_eq!(town.submit(&sale), Outcome::Again(Answer::Applied));
    }

    pub fn the_first_claim_of_a_sale_wins<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let groups = [(); 2].map(|()| town.group(points(500, 0, Basis::OnIssue), &[&cafe]));
        let [one, two] = [(); 2].map(|()| town.enrol());
        let sale = town.sale(&cafe, 4_500);
        let claims = [town.claim(&one, &sale, groups[0]), town.claim(&two, &sale, groups[1])];
        assert_eq!(town.submit(&claims[0]), Outcome::First(Answer::Applied));
        let late = Outcome::First(Answer::Refused(Refusal::SaleAlreadyClaimed));
        assert_eq!(town.submit(&claims[1]), late);
        assert_eq!((town.balance(&one, groups[0]), town.balance(&two, groups[1])), (225, 0));
    }

    pub fn edge_03_two_shops_cannot_spend_the_same_balance<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let outcomes = [town.redeem(&cafe, &buyer, group, 400), town.redeem(&bakery, &buyer, group, 400)];
        let (asked, available) = (Units::new(400).unwrap(), Units::new(100).unwrap());
        let refused = Outcome::First(Answer::Refused(Refusal::NotEnough { asked, available }));
        assert_eq!(outcomes, [Outcome::First(Answer::Applied), refused]);
    }

    pub fn exactly_as_many_redemptions_succeed_as_the_balance_covers<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 25_000);
        let redemptions: Vec<_> = (0..100)
            .map(|_| {
                let body = OpBody::Redeem {
                    code: buyer.code(group, 100, town.now),
                    units: Units::new(100).unwrap(),
                };
                town.check(&cafe.actor.sign(cafe.actor.op(body, town.now))).unwrap()
            })
            .collect();
        let start = Barrier::new(4);
        let (store, now) = (&town.store, town.now);
        let applied: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = redemptions
                .chunks(25)
                .map(|chunk| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        let outcomes = chunk
                            .iter()
                            .map(|one| store.commit(std::slice::from_ref(one), now).unwrap().outcomes);
                        outcomes
                            .flatten()
                            .filter(|outcome| *outcome == Outcome::First(Answer::Applied))
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((applied, town.balance(&buyer, group)), (25, 0));
    }

    pub fn a_refused_op_changes_nothing<S: Subject>(town: &mut Town<S>) {
        let (cafe, stranger) = (town.shop("카페"), town.shop("다른 집"));
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let two_days = 2 * Timestamp::DAY;
        let sale = |amount| OpBody::RecordSale { amount: Money(amount), addressee: None, redemption: None };
        let claim = |sale: &moa_wire::token::Checked<moa_rules::op::Op>| OpBody::Claim {
            sale: sale.bytes().to_vec(),
            choice: Some(moa_rules::op::Choice { group, terms_version: 1 }),
        };
        let ahead = cafe.actor.sign(cafe.actor.op(sale(4_500), town.now.plus(two_days)));
        let old = cafe.actor.sign(cafe.actor.op(sale(4_500), town.now.plus(-8 * Timestamp::DAY)));
        let stale = cafe.actor.sign(cafe.actor.op(sale(4_500), town.now.plus(-16 * Timestamp::MINUTE)));
        let elsewhere = town.sale(&stranger, 4_500);
        let before = town.store.tables();
        let heads = [Inbox::Merchant(cafe.id), Inbox::Account(buyer.account)]
            .map(|inbox| town.store.head(inbox).unwrap());

        assert_eq!(town.refuse(&cafe.actor, sale(0)), Refusal::AmountNotPositive);
        assert_eq!(town.refuse(&cafe.actor, sale(-1)), Refusal::AmountNotPositive);
        let huge = town.refuse(&cafe.actor, sale(1_000_000_000_000_000));
        assert_eq!(huge, Refusal::AmountTooLarge { max: Money(10_000_000_000) });
        assert_eq!(
            town.submit(&ahead),
            Outcome::First(Answer::Refused(Refusal::SaleDatedAhead { hours: 24 }))
        );
        assert_eq!(town.refuse(&buyer, claim(&old)), Refusal::SaleTooOld { days: 7 });
        assert_eq!(town.refuse(&buyer, claim(&stale)), Refusal::VoucherExpired { minutes: 15 });
        assert_eq!(town.refuse(&buyer, claim(&elsewhere)), Refusal::SellerNotInGroup);
        assert_eq!(town.refuse(&cafe.actor, claim(&town.sale(&cafe, 4_500))), Refusal::OwnSale);
        assert_eq!(
            town.refuse(&buyer, claim(&town.sale(&cafe, 10))),
            Refusal::EarnsNothing { amount: Money(10) }
        );
        assert_eq!(town.refuse(&buyer, sale(4_500)), Refusal::NoMerchant);
        assert_eq!(
            town.refuse(&stranger.actor, OpBody::JoinGroup { group, terms_version: 2, invitation: None }),
            Refusal::TermsChanged { current: 1 }
        );

        let mut reused = cafe.actor.op(sale(4_500), town.now);
        reused.counter = 1;
        assert_eq!(
            town.submit(&cafe.actor.sign(reused)),
            Outcome::First(Answer::Refused(Refusal::CounterUsed { counter: 1 }))
        );
        let forged = buyer.sign(cafe.actor.op(sale(4_500), town.now));
        assert_eq!(town.submit(&forged), Outcome::First(Answer::Refused(Refusal::BadSignature)));

        assert_eq!(town.store.tables(), before);
        let after = [Inbox::Merchant(cafe.id), Inbox::Account(buyer.account)]
            .map(|inbox| town.store.head(inbox).unwrap());
        assert_eq!(after, heads);
    }

    pub fn what_expired_is_written_down_and_goes_back_to_its_issuer<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        town.earn(&cafe, &buyer, group, 10_000);
        let ends_at = town.store.lots(buyer.account).unwrap()[0].ends_at;
        let sweep = OpBody::ExpireLots { group, account: buyer.account };

        town.now = ends_at.plus(-1);
        assert_eq!(town.balance(&buyer, group), 500);
        assert_eq!(town.store.wallets_to_expire(town.now, 10).unwrap(), []);
        let early = town.submit(&town.system_op(sweep.clone()));
        assert_eq!(early, Outcome::First(Answer::Refused(Refusal::NothingExpired)));

        town.now = ends_at;
        assert_eq!(town.balance(&buyer, group), 0, "gone when read, before the sweep");
        assert_eq!(town.store.wallets_to_expire(town.now, 10).unwrap(), [(buyer.account, group)]);
        assert_eq!(town.refuse(&buyer, sweep.clone()), Refusal::NotAllowed);
        assert_eq!(town.submit(&town.system_op(sweep)), Outcome::First(Answer::Applied));
        assert_eq!(town.store.wallets_to_expire(town.now, 10).unwrap(), []);
        let tables = town.store.tables();
        assert_eq!(position(&tables, group, Party::Pool), 0);
        assert_eq!(position(&tables, group, Party::Member(cafe.id)), 0);
    }

    pub fn a_batch_sees_what_its_earlier_ops_did<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(1_000, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        let sale = town.sale(&cafe, 10_000);
        let claim = town.claim(&buyer, &sale, group);
        let redeem = |units| {
            let body = OpBody::Redeem {
                code: buyer.code(group, units, town.now),
                units: Units::new(units).unwrap(),
            };
            cafe.actor.sign(cafe.actor.op(body, town.now))
        };
        let ops = [claim.clone(), redeem(600), redeem(600), sale, claim, redeem(400)];
        let batch: Vec<_> = ops.iter().map(|op| town.check(op).unwrap()).collect();
        let (asked, available) = (Units::new(600).unwrap(), Units::new(400).unwrap());
        let committed = town.store.commit(&batch, town.now).unwrap();
        assert_eq!(
            committed.outcomes,
            [
                Outcome::First(Answer::Applied),
                Outcome::First(Answer::Applied),
                Outcome::First(Answer::Refused(Refusal::NotEnough { asked, available })),
                Outcome::Again(Answer::Applied),
                Outcome::Again(Answer::Applied),
                Outcome::First(Answer::Applied),
            ]
        );
        assert_eq!(committed.touched, [Inbox::Account(buyer.account), Inbox::Merchant(cafe.id)]);
    }

    pub fn inboxes_are_numbered_chained_and_paged<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let buyer = town.enrol();
        for _ in 0..100 {
            town.earn(&cafe, &buyer, group, 10_000);
        }
        // Registered, founded, joined; then a sale and an accrual each.
        let inbox = Inbox::Merchant(cafe.id);
        let end = town.store.head(inbox).unwrap();
        assert_eq!(end.count, 203);
        let mut reached = InboxHead { count: 0, hash: chain::start(inbox) };
        while reached.count < end.count {
            let page = town.store.inbox(inbox, reached.count, 17).unwrap();
            for bytes in &page.events {
                reached.count += 1;
                reached.hash = chain::next(reached.hash, reached.count, bytes);
            }
            assert_eq!((page.head, page.count), (reached, end.count));
        }
        assert_eq!(reached, end);
        let beyond = town.store.inbox(inbox, 1_000, 10).unwrap();
        assert_eq!((beyond.events.len(), beyond.head), (0, end));
        let accrual = town.store.inbox(Inbox::Account(buyer.account), 1, 1).unwrap().events.remove(0);
        let event: Event = canonical::decode(&accrual).unwrap();
        assert!(matches!(event.body, EventBody::Accrued { units, .. } if units.get() == 500));
        assert_eq!(
            town.store.inbox(inbox, 4, 1).unwrap().events,
            [accrual],
            "the same bytes in both inboxes"
        );
    }

    pub fn the_directory_tells_what_changed<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        town.now = START.plus(1);
        let bakery = town.shop("빵집");
        let from_start = (Timestamp(0), MerchantId([0; 16]));
        let names = |after, limit| -> Vec<String> {
            let found = town.store.directory(after, limit).unwrap();
            found.into_iter().map(|entry| entry.merchant.profile.name).collect()
        };
        assert_eq!(names(from_start, 10), ["카페", "빵집"]);
        assert_eq!(names(from_start, 1), ["카페"]);
        assert_eq!(names((START, cafe.id), 10), ["빵집"]);
        town.now = START.plus(2);
        let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let found = town.store.directory((START.plus(1), MerchantId([0xff; 16])), 10).unwrap();
        assert_eq!(found.len(), 1, "the founder");
        assert_eq!(
            (found[0].groups.as_slice(), found[0].keys[0].key),
            ([group].as_slice(), cafe.actor.key_id())
        );
        town.now = START.plus(3);
        town.apply(&bakery.actor, OpBody::JoinGroup { group, terms_version: 1, invitation: None });
        let found = town.store.directory((START.plus(2), MerchantId([0xff; 16])), 10).unwrap();
        assert_eq!(found.len(), 2, "the joiner and every member");
        let mut members = vec![cafe.id, bakery.id];
        members.sort_unstable();
        let shown = town.store.group(group).unwrap().unwrap();
        assert_eq!((shown.members, shown.group.members, shown.terms.version), (members, 2, 1));
        assert_eq!(town.store.merchant(MerchantId([9; 16])).unwrap(), None);
    }

    pub fn a_sale_to_a_known_buyer_waits_until_it_is_chosen_for_or_lapses<S: Subject>(town: &mut Town<S>) {
        let (cafe, kiosk) = (town.shop("카페"), town.shop("매점"));
        let one = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &kiosk]);
        let other = town.group(points(300, 0, Basis::OnRedemption), &[&cafe]);
        let buyer = town.enrol();
        let (_, at_once) = town.sell_to(&kiosk, &buyer, 10_000);
        assert_eq!((at_once, town.balance(&buyer, one)), (Outcome::First(Answer::Applied), 500));
        assert!(town.store.waiting_of(buyer.account).unwrap().is_empty());

        let (chosen, _) = town.sell_to(&cafe, &buyer, 10_000);
        town.now = town.now.plus(Timestamp::MINUTE);
        let (forgotten, _) = town.sell_to(&cafe, &buyer, 20_000);
        let waiting = town.store.waiting_of(buyer.account).unwrap();
        assert_eq!(waiting.iter().map(|sale| sale.id).collect::<Vec<_>>(), [chosen, forgotten]);
        assert!(town.store.waiting_of(cafe.actor.account).unwrap().is_empty());
        let choice = Some(moa_rules::op::Choice { group: other, terms_version: 1 });
        town.apply(&buyer, OpBody::ClaimWaiting { merchant: cafe.id, sale: chosen, choice });
        assert_eq!(town.balance(&buyer, other), 300);
        let waiting = town.store.waiting_of(buyer.account).unwrap();
        assert_eq!(waiting.iter().map(|sale| sale.id).collect::<Vec<_>>(), [forgotten]);

        let until = waiting[0].waits_until.unwrap();
        assert!(town.store.sales_to_lapse(until, 10).unwrap().is_empty());
        assert!(town.store.sales_to_lapse(until.plus(1), 0).unwrap().is_empty());
        town.now = until.plus(1);
        assert_eq!(town.store.sales_to_lapse(town.now, 10).unwrap(), waiting);
        let sweep = town.system_op(OpBody::LapseSale { merchant: cafe.id, sale: forgotten });
        assert_eq!(town.submit(&sweep), Outcome::First(Answer::Applied));
        assert_eq!(town.submit(&sweep), Outcome::Again(Answer::Applied));
        assert!(town.store.sales_to_lapse(town.now, 10).unwrap().is_empty());
        assert!(town.store.waiting_of(buyer.account).unwrap().is_empty());
        let refused =
            town.refuse(&buyer, OpBody::ClaimWaiting { merchant: cafe.id, sale: forgotten, choice: None });
        assert_eq!(refused, Refusal::SaleLapsed { days: 7 });
    }

    pub fn the_best_is_due_a_day_after_the_sale_for_buyers_who_agreed<S: Subject>(town: &mut Town<S>) {
        let cafe = town.shop("카페");
        let best = town.group(points(500, 0, Basis::OnIssue), &[&cafe]);
        let other = town.group(points(300, 0, Basis::OnIssue), &[&cafe]);
        let (agreed, undecided) = (town.enrol(), town.enrol());
        assert_eq!(town.store.standing(agreed.account).unwrap(), None);
        let choice = StandingChoice { groups: Vec::new(), best: true };
        town.apply(&agreed, OpBody::SetStanding { choice: choice.clone() });
        let since = town.now;
        let standing = Standing { account: agreed.account, choice, since, marketing: Marketing::default() };
        assert_eq!(town.store.standing(agreed.account).unwrap(), Some(standing.clone()));
        let text = AgreedText { version: 1, language: TextLanguage::Korean, hash: [7; 32] };
        town.apply(&agreed, OpBody::SetMarketing { agreed: Some(text) });
        let marketing = Marketing { agreed: Some(text), since };
        let standing = Some(Standing { marketing, ..standing });
        assert_eq!(town.store.standing(agreed.account).unwrap(), standing);

        town.now = town.now.plus(Timestamp::MINUTE);
        let (sale, _) = town.sell_to(&cafe, &agreed, 10_000);
        town.sell_to(&cafe, &undecided, 10_000);
        let due = best_from(town.now.seconds());
        let found = |now| -> Vec<_> {
            let found = town.store.sales_for_best(now, 10).unwrap().into_iter();
            found.map(|(sale, since)| (sale.id, since)).collect()
        };
        assert_eq!((found(due.plus(-1)), found(due)), (Vec::new(), vec![(sale, since)]));
        let until = due.plus(6 * Timestamp::DAY);
        assert_eq!((found(until), found(until.plus(1))), (vec![(sale, since)], Vec::new()));
        assert!(town.store.sales_for_best(due, 0).unwrap().is_empty());

        town.now = due;
        let sweep = town.system_op(OpBody::TakeBest { merchant: cafe.id, sale });
        assert_eq!(town.submit(&sweep), Outcome::First(Answer::Applied));
        assert_eq!(town.submit(&sweep), Outcome::Again(Answer::Applied));
        assert!(town.store.sales_for_best(town.now, 10).unwrap().is_empty());
        assert_eq!((town.balance(&agreed, best), town.balance(&agreed, other)), (500, 0));

        // With a standing choice of a group, the next sale does not wait at all.
        let choice = StandingChoice { groups: vec![other], best: false };
        town.apply(&agreed, OpBody::SetStanding { choice });
        town.sell_to(&cafe, &agreed, 10_000);
        assert_eq!((town.balance(&agreed, best), town.balance(&agreed, other)), (500, 300));
    }
}
