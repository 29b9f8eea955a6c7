//! What every store does alike. Each test runs on the memory store and on SQLite.

mod town;

use std::sync::Barrier;

use moa_ledger::store::{
    Answer, CodeCheck, CodeTry, CountedBy, InboxHead, KnownDevice, NewEffect, NewEnrolment, NewOneTime,
    NewToken, OneTimeKept, Outcome, Session, TakenOneTime,
};
use moa_ledger::tables::Tables;
use moa_rules::books::{Account, Ledger, Party};
use moa_rules::event::{Event, EventBody, Inbox};
use moa_rules::id::{AccountId, KeyId, MerchantId};
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
    a_code_opens_one_account_per_number,
    effects_wait_until_they_are_done,
    an_effect_that_was_taken_is_nobody_elses_for_a_while,
    the_first_pepper_is_the_pepper,
    a_session_is_found_by_its_tokens_until_the_next_one_begins,
    a_session_keeps_its_last_two_tokens_and_ends_whole,
    codes_are_counted_by_number_key_address_and_country,
    a_silent_accounts_number_begins_a_new_account_unless_the_recovery_code_is_shown,
    a_recovery_code_may_be_tried_so_often,
    devices_are_known_by_name_and_by_when_they_were_seen,
    a_sale_to_a_known_buyer_waits_until_it_is_chosen_for_or_lapses,
    the_best_is_due_a_day_after_the_sale_for_buyers_who_agreed,
    an_account_keeps_one_member_tag,
    digits_are_taken_once_by_who_asks_first_and_forgotten_in_the_end,
    an_account_is_handed_out_so_many_digits_and_no_more,
    a_shops_wrong_digits_count_once_each,
    a_number_has_an_account_before_its_owner_signs_up,
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

    /// An enrolment of a number with a key, whose right code is its own number.
    fn enrolment(id: u8, phone: u8, begun_at: Timestamp) -> NewEnrolment {
        NewEnrolment {
            id: [id; 16],
            phone_mac: [phone; 32],
            public_key: vec![4; 65],
            code_mac: [id; 32],
            address_mac: None,
            dial_code: 82,
            expires_at: begun_at.plus(5 * Timestamp::MINUTE),
            effect: NewEffect { id: [id; 16], kind: "sms".into(), payload: "{}".into(), due_at: begun_at },
        }
    }

    /// A try of a code for it; a new account has the enrolment's number, and so has its recovery code.
    fn code_try(id: u8, code: u8, recovery: Option<u8>) -> CodeTry {
        CodeTry {
            enrolment: [id; 16],
            code_mac: [code; 32],
            tries: 2,
            fresh: AccountId([id; 16]),
            fresh_recovery: [id; 32],
            recovery: recovery.map(|recovery| [recovery; 32]),
            recovery_tries: 3,
            silent_since: START,
        }
    }

    fn right(account: u8, begins: bool, proved: bool) -> CodeCheck {
        CodeCheck::Right { account: AccountId([account; 16]), public_key: vec![4; 65], begins, proved }
    }

    pub fn a_code_opens_one_account_per_number<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        for (id, phone) in [(1, 1), (2, 1), (3, 3)] {
            store.begin_enrolment(&enrolment(id, phone, START)).unwrap();
        }
        let check = |id: u8, code: u8, now| store.try_code(&code_try(id, code, None), now).unwrap();
        assert_eq!(check(1, 1, START), right(1, true, false));
        assert_eq!(check(1, 1, START), right(1, true, false), "a lost answer is asked for again");
        assert_eq!(check(2, 2, START), right(1, false, false), "the same number, the same account");
        assert_eq!(check(3, 9, START), CodeCheck::Wrong { tries_left: 1 });
        assert_eq!(check(3, 9, START), CodeCheck::Wrong { tries_left: 0 });
        assert_eq!(check(3, 3, START), CodeCheck::Void);
        assert_eq!(check(2, 2, START.plus(6 * Timestamp::MINUTE)), CodeCheck::Void);
        assert_eq!(check(9, 9, START), CodeCheck::Void);
    }

    pub fn codes_are_counted_by_number_key_address_and_country<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        let (here, there) = (Some([5; 32]), Some([6; 32]));
        for (id, phone, key, address_mac, dial_code) in
            [(1, 1, 4, here, 82), (2, 1, 4, here, 82), (3, 2, 4, there, 82), (4, 3, 7, None, 1)]
        {
            let at = START.plus(i64::from(id));
            let begun = enrolment(id, phone, at);
            let begun = NewEnrolment { public_key: vec![key; 65], address_mac, dial_code, ..begun };
            store.begin_enrolment(&begun).unwrap();
        }
        let count = |by: CountedBy<'_>, since| store.enrolments_since(by, START.plus(since)).unwrap();
        assert_eq!([1, 2, 9].map(|phone| count(CountedBy::Number([phone; 32]), 0)), [2, 1, 0]);
        assert_eq!([4, 7, 9].map(|key| count(CountedBy::Key(&[key; 65]), 0)), [3, 1, 0]);
        assert_eq!([5, 6, 9].map(|address| count(CountedBy::Address([address; 32]), 0)), [2, 1, 0]);
        assert_eq!([82, 1, 81].map(|code| count(CountedBy::DialCode(code), 0)), [3, 1, 0]);
        assert_eq!([1, 2, 3, 4].map(|since| count(CountedBy::DialCode(82), since)), [3, 2, 1, 0]);
        store.forget_enrolments(START.plus(3)).unwrap();
        assert_eq!([82, 1].map(|code| count(CountedBy::DialCode(code), 0)), [1, 1]);
    }

    pub fn a_silent_accounts_number_begins_a_new_account_unless_the_recovery_code_is_shown<S: Subject>(
        town: &mut Town<S>,
    ) {
        let store = &town.store;
        for id in 1..=6 {
            store.begin_enrolment(&enrolment(id, 1, START)).unwrap();
        }
        let check = |id: u8, recovery, silent_since: i64| {
            let attempt = CodeTry { silent_since: START.plus(silent_since), ..code_try(id, id, recovery) };
            store.try_code(&attempt, START).unwrap()
        };
        assert_eq!(check(1, None, 0), right(1, true, false));
        let old = AccountId([1; 16]);
        assert_eq!(check(2, None, 1), right(1, false, false), "an account without a device is not silent");
        store.device_enrolled(old, KeyId([1; 8]), START.plus(-5)).unwrap();
        store.device_enrolled(old, KeyId([2; 8]), START).unwrap();
        assert_eq!(check(3, None, 0), right(1, false, false), "one device was seen");
        assert_eq!(check(4, Some(1), 1), right(1, false, true), "silent, but the second proof was shown");
        assert_eq!(check(5, None, 1), right(5, true, false));
        assert_eq!(check(5, None, 1), right(5, true, false), "a lost answer is asked for again");
        assert_eq!(check(6, Some(1), 1), CodeCheck::RecoveryWrong { tries_left: 2 }, "another's code");
        assert_eq!(check(6, Some(5), 1), right(5, false, true));
        assert_eq!(store.known_devices(old).unwrap().len(), 2, "the old account keeps its devices");
        assert_eq!(
            store.account_of_number([1; 32], AccountId([9; 16]), START).unwrap().0,
            AccountId([5; 16])
        );
    }

    pub fn a_recovery_code_may_be_tried_so_often<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        for id in 1..=3 {
            store.begin_enrolment(&enrolment(id, 1, START)).unwrap();
        }
        let check = |id: u8, recovery| store.try_code(&code_try(id, id, recovery), START).unwrap();
        assert_eq!(check(1, Some(7)), right(1, true, false), "there is nothing to recover yet");
        assert_eq!(check(2, Some(7)), CodeCheck::RecoveryWrong { tries_left: 2 });
        assert_eq!(check(2, Some(8)), CodeCheck::RecoveryWrong { tries_left: 1 });
        assert_eq!(check(2, Some(1)), right(1, false, true), "which gives the tries back");
        for tries_left in [2, 1, 0, 0] {
            assert_eq!(check(3, Some(7)), CodeCheck::RecoveryWrong { tries_left });
        }
        assert_eq!(check(3, Some(1)), CodeCheck::RecoveryWrong { tries_left: 0 }, "void for good");
        assert_eq!(check(3, None), right(1, false, false), "and no more than a number");
    }

    fn session(key: u8, thumbprint: u8) -> Session {
        let until = START.plus(Timestamp::DAY);
        Session { key: KeyId([key; 8]), account: AccountId([1; 16]), thumbprint: [thumbprint; 32], until }
    }

    fn token(hash: u8) -> NewToken {
        NewToken { hash: [hash; 32], expires_at: START.plus(i64::from(hash)) }
    }

    pub fn a_session_is_found_by_its_tokens_until_the_next_one_begins<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        let (one, next) = (session(1, 1), session(1, 2));
        store.begin_session(&one, [7; 32], token(1), "", START).unwrap();
        store.begin_session(&session(2, 3), [8; 32], token(2), "", START).unwrap();
        assert_eq!(store.token([1; 32]).unwrap(), Some((one, START.plus(1))));
        assert_eq!(store.session([7; 32]).unwrap(), Some(one));
        assert_eq!((store.token([9; 32]).unwrap(), store.session([1; 32]).unwrap()), (None, None));
        store.begin_session(&next, [9; 32], token(3), "", START).unwrap();
        assert_eq!((store.token([1; 32]).unwrap(), store.session([7; 32]).unwrap()), (None, None));
        assert_eq!(store.token([3; 32]).unwrap(), Some((next, START.plus(3))));
        assert_eq!(store.session([8; 32]).unwrap(), Some(session(2, 3)), "another device's");
    }

    pub fn a_session_keeps_its_last_two_tokens_and_ends_whole<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        let one = session(1, 1);
        store.begin_session(&one, [7; 32], token(1), "", START).unwrap();
        store.begin_session(&session(2, 3), [8; 32], token(9), "", START).unwrap();
        store.refresh_session(&one, token(2), START).unwrap();
        store.refresh_session(&one, token(3), START).unwrap();
        let good = |hash: u8| store.token([hash; 32]).unwrap().is_some();
        assert_eq!([1, 2, 3, 9].map(good), [false, true, true, true]);
        store.forget_sessions(START.plus(3)).unwrap();
        assert_eq!([2, 3, 9].map(good), [false, true, true]);
        store.end_session(KeyId([1; 8])).unwrap();
        assert_eq!([3, 9].map(good), [false, true]);
        assert_eq!(store.session([7; 32]).unwrap(), None);
        store.forget_sessions(START.plus(Timestamp::DAY + 1)).unwrap();
        assert_eq!((good(9), store.session([8; 32]).unwrap()), (false, None));
    }

    pub fn devices_are_known_by_name_and_by_when_they_were_seen<S: Subject>(town: &mut Town<S>) {
        let store = &town.store;
        let account = AccountId([1; 16]);
        let device = |key: u8, name: &str, since, seen| KnownDevice {
            key: KeyId([key; 8]),
            name: name.to_owned(),
            since: START.plus(since),
            seen: START.plus(seen),
        };
        store.device_enrolled(account, KeyId([1; 8]), START).unwrap();
        store.device_enrolled(account, KeyId([2; 8]), START.plus(1)).unwrap();
        store.device_enrolled(AccountId([2; 16]), KeyId([3; 8]), START).unwrap();
        assert_eq!(store.known_devices(account).unwrap(), [device(2, "", 1, 1), device(1, "", 0, 0)]);
        store.begin_session(&session(1, 1), [7; 32], token(1), "폰", START.plus(2)).unwrap();
        assert_eq!(store.known_devices(account).unwrap(), [device(1, "폰", 0, 2), device(2, "", 1, 1)]);
        store.refresh_session(&session(1, 1), token(2), START.plus(9)).unwrap();
        store.device_enrolled(account, KeyId([1; 8]), START.plus(3)).unwrap();
        assert_eq!(store.known_devices(account).unwrap()[0], device(1, "폰", 0, 9));
        assert_eq!(store.known_devices(AccountId([9; 16])).unwrap(), []);
    }

    pub fn effects_wait_until_they_are_done<S: Subject>(town: &mut Town<S>) {
        let effect =
            |id: u8, due_at| NewEffect { id: [id; 16], kind: "sms".into(), payload: "{}".into(), due_at };
        for (id, due) in [(1, START.plus(5)), (2, START)] {
            let enrolment = NewEnrolment { effect: effect(id, due), ..enrolment(id, id, START) };
            town.store.begin_enrolment(&enrolment).unwrap();
        }
        let take = |at, until| -> Vec<(u8, u32)> {
            let taken = town.store.take_effects(START.plus(at), START.plus(until), 10).unwrap();
            taken.into_iter().map(|effect| (effect.effect.id[0], effect.attempts)).collect()
        };
        assert_eq!(take(0, 4), [(2, 0)]);
        assert_eq!(take(4, 4), [(2, 0)]);
        assert_eq!(take(5, 5), [(2, 0), (1, 0)]);
        town.store.effect_failed([2; 16], START.plus(9)).unwrap();
        assert_eq!(take(9, 9), [(1, 0), (2, 1)]);
        town.store.effect_done([1; 16], START).unwrap();
        assert_eq!(take(9, 9), [(2, 1)]);
    }

    pub fn an_effect_that_was_taken_is_nobody_elses_for_a_while<S: Subject>(town: &mut Town<S>) {
        for id in 1..=3 {
            let effect = NewEffect { id: [id; 16], kind: "sms".into(), payload: "{}".into(), due_at: START };
            let enrolment = NewEnrolment { effect, ..enrolment(id, id, START) };
            town.store.begin_enrolment(&enrolment).unwrap();
        }
        let take = |at, limit| -> Vec<u8> {
            let taken = town.store.take_effects(START.plus(at), START.plus(at + 10), limit).unwrap();
            assert!(taken.iter().all(|taken| taken.attempts == 0));
            taken.into_iter().map(|taken| taken.effect.id[0]).collect()
        };
        // Two that ask at once, as servers on one database do, share them out.
        let [mut one, other] = std::thread::scope(|scope| {
            [(); 2].map(|()| scope.spawn(|| take(0, 2))).map(|asked| asked.join().unwrap())
        });
        one.extend(other);
        one.extend(take(0, 2));
        one.sort_unstable();
        assert_eq!(one, [1, 2, 3]);
        assert!(take(9, 3).is_empty());
        town.store.effect_done([2; 16], START.plus(9)).unwrap();
        // Whoever took the others never came back.
        assert_eq!(take(10, 3), [1, 3]);
        assert!(take(10, 3).is_empty());
    }

    pub fn the_first_pepper_is_the_pepper<S: Subject>(town: &mut Town<S>) {
        for (pepper, is) in [(1, true), (2, false), (1, true), (3, false)] {
            assert_eq!(town.store.keep_pepper([pepper; 32]).unwrap(), is);
        }
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
        let standing = Standing { account: agreed.account, choice, since };
        assert_eq!(town.store.standing(agreed.account).unwrap(), Some(standing));

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

    fn digits(mac: u8, account: u8, code: Option<Vec<u8>>, made_at: Timestamp) -> NewOneTime {
        let (expires_at, kept_until) = (made_at.plus(5), made_at.plus(9));
        NewOneTime {
            mac: [mac; 32],
            account: AccountId([account; 16]),
            code,
            made_at,
            expires_at,
            kept_until,
        }
    }

    pub fn digits_are_taken_once_by_who_asks_first_and_forgotten_in_the_end<S: Subject>(town: &mut Town<S>) {
        let people = &town.store;
        let (pay, name) = (digits(1, 1, Some(vec![7]), START), digits(2, 1, None, START));
        for one_time in [&pay, &name] {
            assert_eq!(people.keep_one_time(one_time, 9, START).unwrap(), OneTimeKept::Kept);
        }
        let others = digits(1, 2, None, START);
        assert_eq!(people.keep_one_time(&others, 9, START).unwrap(), OneTimeKept::Known);
        // For the wrong purpose they stand for nothing, and nobody has taken them by that.
        assert_eq!(people.take_one_time([1; 32], false, b"x").unwrap(), None);
        assert_eq!(people.take_one_time([3; 32], true, b"x").unwrap(), None);
        for (mac, paying, one_time) in [([1; 32], true, pay), ([2; 32], false, name)] {
            let taken = TakenOneTime { one_time, taken_by: b"one".to_vec() };
            for by in [b"one", b"two", b"one"] {
                assert_eq!(people.take_one_time(mac, paying, by).unwrap(), Some(taken.clone()));
            }
        }
        people.forget_one_time(START.plus(9), START).unwrap();
        assert!(people.take_one_time([1; 32], true, b"one").unwrap().is_some());
        people.forget_one_time(START.plus(10), START).unwrap();
        assert_eq!(people.take_one_time([1; 32], true, b"one").unwrap(), None);
    }

    pub fn an_account_is_handed_out_so_many_digits_and_no_more<S: Subject>(town: &mut Town<S>) {
        for at in 0..3_u8 {
            let made_at = START.plus(i64::from(at));
            let one_time = digits(at, 1, None, made_at);
            assert_eq!(town.store.keep_one_time(&one_time, 3, START.plus(-1)).unwrap(), OneTimeKept::Kept);
        }
        let (fourth, anothers) = (digits(4, 1, None, START.plus(3)), digits(5, 2, None, START));
        let kept = |one_time, since| town.store.keep_one_time(one_time, 3, START.plus(since)).unwrap();
        assert_eq!(kept(&fourth, -1), OneTimeKept::TooMany(START));
        assert_eq!(kept(&anothers, -1), OneTimeKept::Kept);
        assert_eq!(kept(&fourth, 0), OneTimeKept::Kept, "the first was long ago");
    }

    pub fn a_shops_wrong_digits_count_once_each<S: Subject>(town: &mut Town<S>) {
        let (cafe, bakery) = ([1; 16], [2; 16]);
        for (merchant, mac, at) in [(cafe, 1, 5), (cafe, 1, 6), (cafe, 2, 3), (bakery, 1, 4)] {
            town.store.wrong_digits(merchant, [mac; 32], START.plus(at)).unwrap();
        }
        let tries = |since| town.store.wrong_digits_since(cafe, START.plus(since)).unwrap();
        assert_eq!((tries(0), tries(3)), (vec![START.plus(3), START.plus(5)], vec![START.plus(5)]));
        town.store.forget_one_time(START, START.plus(5)).unwrap();
        assert_eq!(tries(0), [START.plus(5)]);
    }

    pub fn a_number_has_an_account_before_its_owner_signs_up<S: Subject>(town: &mut Town<S>) {
        let people = &town.store;
        let [one, two, three] = [1, 2, 3].map(|id| AccountId([id; 16]));
        assert_eq!(people.account_of_number([7; 32], one, START).unwrap(), (one, false));
        assert_eq!(people.account_of_number([7; 32], two, START.plus(5)).unwrap(), (one, false));
        assert_eq!(people.account_of_number([8; 32], two, START).unwrap(), (two, false));
        // Named since: kept. The other is forgotten, and its number gets another account.
        people.forget_numbers(START.plus(1)).unwrap();
        assert_eq!(people.account_of_number([7; 32], three, START.plus(5)).unwrap(), (one, false));
        assert_eq!(people.account_of_number([8; 32], three, START.plus(5)).unwrap(), (three, false));

        people.begin_enrolment(&enrolment(9, 7, START)).unwrap();
        let ended = people.try_code(&code_try(9, 9, None), START).unwrap();
        assert_eq!(ended, right(1, true, false), "the owner finds the account that sales have named");
        assert_eq!(people.account_of_number([7; 32], two, START.plus(6)).unwrap(), (one, true));
        people.forget_numbers(START.plus(100)).unwrap();
        assert_eq!(people.account_of_number([7; 32], two, START.plus(6)).unwrap(), (one, true));
    }

    pub fn an_account_keeps_one_member_tag<S: Subject>(town: &mut Town<S>) {
        let (one, other) = (AccountId([1; 16]), AccountId([2; 16]));
        assert_eq!(town.store.member_tag(one, [3; 16]).unwrap(), [3; 16]);
        assert_eq!(town.store.member_tag(one, [4; 16]).unwrap(), [3; 16]);
        assert_eq!(town.store.member_tag(other, [5; 16]).unwrap(), [5; 16]);
        assert_eq!(town.store.account_of_tag([3; 16]).unwrap(), Some(one));
        assert_eq!(town.store.account_of_tag([4; 16]).unwrap(), None);
    }
}
