//! What every store keeps beside the journal, alike: enrolments and their codes, sessions, devices' names, effects, digits,
//! numbers and tags.

mod town;

use moa_ledger::store::pictures::{NewPicture, PictureKept};
use moa_ledger::store::{
    CodeCheck, CodeTry, CountedBy, KnownDevice, NewEffect, NewEnrolment, NewOneTime, NewToken, OneTimeKept,
    Session, TakenOneTime,
};
use moa_rules::id::{AccountId, KeyId, PictureId};
use moa_rules::time::Timestamp;
use town::stores::{Subject, conformance};
use town::{START, Town};

conformance!(
    a_code_opens_one_account_per_number,
    codes_are_counted_by_number_key_address_and_country,
    a_silent_accounts_number_begins_a_new_account_unless_the_recovery_code_is_shown,
    a_recovery_code_may_be_tried_so_often,
    a_session_is_found_by_its_tokens_until_the_next_one_begins,
    a_session_keeps_its_last_two_tokens_and_ends_whole,
    devices_are_known_by_name_and_by_when_they_were_seen,
    effects_wait_until_they_are_done,
    an_effect_that_was_taken_is_nobody_elses_for_a_while,
    the_first_pepper_is_the_pepper,
    digits_are_taken_once_by_who_asks_first_and_forgotten_in_the_end,
    an_account_is_handed_out_so_many_digits_and_no_more,
    a_shops_wrong_digits_count_once_each,
    a_number_has_an_account_before_its_owner_signs_up,
    an_account_keeps_one_member_tag,
    a_picture_is_kept_once_and_an_account_sends_so_many,
);

mod suite {
    use super::*;

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

    pub fn a_picture_is_kept_once_and_an_account_sends_so_many<S: Subject>(town: &mut Town<S>) {
        let picture = |id: u8, account: u8, at: i64| NewPicture {
            id: PictureId([id; 16]),
            account: AccountId([account; 16]),
            jpeg: vec![id; 300],
            made_at: START.plus(at),
        };
        let keep = |picture: &NewPicture| town.store.keep_picture(picture, 2, START).unwrap();
        assert_eq!([keep(&picture(1, 1, 1)), keep(&picture(2, 1, 2))], [PictureKept::Kept; 2]);
        assert_eq!(keep(&picture(3, 1, 3)), PictureKept::TooMany(START.plus(1)));
        assert_eq!(keep(&picture(2, 1, 4)), PictureKept::Kept, "the same again is no other");
        assert_eq!(keep(&picture(3, 2, 3)), PictureKept::Kept, "another account's");
        let since = town.store.keep_picture(&picture(4, 1, 5), 2, START.plus(1)).unwrap();
        assert_eq!(since, PictureKept::Kept, "the first is long ago");
        assert_eq!(town.store.picture(PictureId([3; 16])).unwrap(), Some(vec![3; 300]));
        assert_eq!(town.store.picture(PictureId([9; 16])).unwrap(), None);
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
