//! The sync machine against a server that is slow, wrong, or gone.

mod support;

use std::collections::BTreeSet;

use moa_phone::sync::Failure;
use moa_phone::{Data, Fate, Mismatch, Response, SaleStanding, SignedIn, TransportError, VoucherStanding};
use moa_rules::event::Inbox;
use moa_rules::id::OpId;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, Verdict, Verdicts};
use proptest::prelude::*;
use support::{NOON, Person, Server, Town, offline, ok, problem, units};

fn html() -> Response {
    Response { status: 200, retry_after_s: None, body: b"<html>hotspot</html>".to_vec() }
}

#[test]
fn from_a_sale_without_signal_to_a_redemption_next_door() {
    let mut town = Town::new();
    town.buy(20_000);
    assert!(town.buyer.sync_over(&mut town.server, offline).is_err());
    town.buyer.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.usable), (units(2_000), units(2_000)));
    let claimed = SaleStanding::Claimed { group: town.group, units: units(2_000), unit: None };
    assert_eq!(town.cafe.phone.merchant_today().unwrap().sales[0].standing, claimed);

    let code = town.buyer.phone.redemption_code(town.group, units(1_500)).unwrap();
    let asked = town.bakery.phone.redeem(&code.text, units(1_500)).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
    town.buyer.sync(&mut town.server).unwrap();
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.usable, balance.to_minimum), (units(500), units(0), units(500)));

    let code = town.buyer.phone.redemption_code(town.group, units(500)).unwrap();
    let asked = town.cafe.phone.redeem(&code.text, units(500)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(asked.op).unwrap() else { panic!("not refused") };
    let reason = Refusal::BelowMinimum { minimum: units(1_000), available: units(500) };
    assert_eq!((refused.code.as_str(), refused.reason), ("below_minimum", Some(reason)));
}

#[test]
fn a_sale_is_followed_past_midnight() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(20_000), None).unwrap();
    town.buyer.phone.claim(&town.buyer.scan(&voucher), None).unwrap();
    town.advance(14 * Timestamp::HOUR);
    town.buyer.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert!(town.cafe.phone.merchant_today().unwrap().sales.is_empty(), "it is of yesterday");
    let sale = town.cafe.phone.sale(voucher.sale).unwrap().unwrap();
    assert_eq!(sale.standing, SaleStanding::Claimed { group: town.group, units: units(2_000), unit: None });
    assert_eq!(town.bakery.phone.sale(voucher.sale).unwrap(), None);
}

#[test]
fn pending_goes_away_only_with_the_event() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    // The verdict comes, the changes don't.
    let verdicts_only = |server: &mut Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" { Ok(server.answer(request)) } else { offline(server, request) }
    };
    assert!(town.buyer.sync_over(&mut town.server, verdicts_only).is_err());
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(0), units(2_000)));
    town.buyer.sync(&mut town.server).unwrap();
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(2_000), units(0)));
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    let lost = |server: &mut Server, request: &moa_phone::Request| {
        let answer = server.answer(request);
        if request.path == "/v1/ops" { Err(TransportError::TimedOut) } else { Ok(answer) }
    };
    assert!(town.buyer.sync_over(&mut town.server, lost).is_err());
    town.buyer.sync(&mut town.server).unwrap();
    let asked: Vec<OpId> = town.server.received.iter().filter(|op| **op == claim).copied().collect();
    assert_eq!(asked, [claim, claim]);
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn a_refusal_undoes_the_local_effect_and_stays_to_be_read() {
    let mut town = Town::new();
    let voucher = town.cafe.phone.record_sale(Money(20_000), None).unwrap();
    let mut rival = Person::new(4);
    rival.enrol(&mut town.server);
    rival.phone.claim(&rival.scan(&voucher), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    let claim = town.buyer.phone.claim(&scanned, None).unwrap();
    rival.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.buyer.phone.fate(claim.op).unwrap() else {
        panic!("not refused")
    };
    assert_eq!(refused.reason, Some(Refusal::SaleAlreadyClaimed));
    assert!(town.buyer.phone.balances().unwrap().is_empty());
    assert!(town.buyer.phone.pending_claims().unwrap().is_empty());
    assert_eq!(town.buyer.phone.outbox().unwrap().len(), 1);
    assert_eq!(town.buyer.scan(&voucher).standing, VoucherStanding::Gone);
    assert_eq!(rival.phone.balances().unwrap()[0].confirmed, units(2_000));
    // The shop's own push of a sale that came inside a claim is a duplicate, not a second sale.
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(voucher.sale).unwrap(), Some(Fate::Applied));
    assert_eq!(town.cafe.phone.merchant_today().unwrap().sales.len(), 1);
}

#[test]
fn a_tampered_event_is_not_applied() {
    type Tamper = fn(&mut moa_wire::api::InboxChanges);
    let cases: [(Tamper, Mismatch); 5] = [
        (|news| *news.events[0].0.last_mut().unwrap() ^= 1, Mismatch::Hash),
        (|news| news.first += 1, Mismatch::Numbering),
        (|news| drop(news.events.pop()), Mismatch::HeadElsewhere),
        (|news| *news.head.0.last_mut().unwrap() ^= 1, Mismatch::HeadSignature),
        (|news| news.head = Base64(vec![1, 2, 3]), Mismatch::HeadSignature),
    ];
    for (tamper, expected) in cases {
        let mut town = Town::new();
        town.earn(20_000);
        town.buy(30_000);
        town.server.tamper = Some(tamper);
        let failed = town.buyer.sync(&mut town.server);
        let Err(Failure::Integrity(breach)) = failed else { panic!("{failed:?}") };
        assert_eq!(breach.what, expected);
        assert_eq!(town.buyer.phone.breach().unwrap().as_ref(), Some(&*breach));
        let balance = &town.buyer.phone.balances().unwrap()[0];
        assert_eq!((balance.confirmed, balance.pending), (units(2_000), units(3_000)), "{expected:?}");

        // Later, honest events of that inbox are not applied either: they build on what was not checked.
        town.server.tamper = None;
        town.buy(10_000);
        assert!(matches!(town.buyer.sync(&mut town.server), Err(Failure::Integrity(_))));
        assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));

        // Until a person decides to take the server's word anew.
        town.buyer.phone.start_over().unwrap();
        town.buyer.sync(&mut town.server).unwrap();
        let balance = &town.buyer.phone.balances().unwrap()[0];
        assert_eq!((balance.confirmed, balance.pending), (units(6_000), units(0)));
        assert_eq!(town.buyer.phone.breach().unwrap(), None);
    }
}

#[test]
fn an_event_of_a_kind_that_is_not_known_yet_is_kept_and_skipped() {
    let mut town = Town::new();
    town.earn(20_000);
    // A later version's event: an array whose kind this app has never heard of.
    town.server.slip_in(Inbox::Account(town.account), vec![0x83, 0x02, 0x18, 0x63, 0x80]);
    town.earn(10_000);
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(3_000));
    assert_eq!(town.buyer.phone.breach().unwrap(), None);
}

#[test]
fn edge_49_a_captive_portals_page_and_half_an_answer_lose_nothing() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    let portal = town.buyer.sync_over(&mut town.server, |_, _| Ok(html()));
    assert!(matches!(portal, Err(Failure::NotOurServer(_))), "{portal:?}");
    let half = town.buyer.sync_over(&mut town.server, |server, request| {
        let mut answer = server.answer(request);
        answer.body.truncate(answer.body.len() / 2);
        Ok(answer)
    });
    assert!(half.is_err());
    assert_eq!(town.buyer.phone.signed_in().unwrap(), SignedIn::Yes(town.account));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn a_wrong_number_of_verdicts_is_no_answer() {
    let mut town = Town::new();
    for _ in 0..3 {
        town.buy(20_000);
    }
    for count in [0, 2, 4] {
        let answered = town.buyer.sync_over(&mut town.server, |server, request| {
            if request.path != "/v1/ops" {
                return Ok(server.answer(request));
            }
            Ok(ok(&Verdicts { verdicts: vec![Verdict::Applied; count], tokens: Vec::new(), now: server.now }))
        });
        assert!(matches!(answered, Err(Failure::NotOurServer(_))), "{count}");
        let waiting = town.buyer.phone.outbox().unwrap();
        assert!(waiting.len() == 3 && waiting.iter().all(|item| item.fate == Fate::Waiting));
    }
}

#[test]
fn a_device_that_the_server_no_longer_knows_signs_in_again_and_loses_nothing() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    town.server.forget_devices();
    assert_eq!(town.buyer.sync(&mut town.server), Err(Failure::SignInAgain));
    assert_eq!(town.buyer.phone.signed_in().unwrap(), SignedIn::Again(town.account));
    let again = town.buyer.enrol(&mut town.server);
    assert_eq!(again, town.account);
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn edge_50_410_takes_the_snapshot_and_keeps_the_outbox() {
    let mut town = Town::new();
    town.earn(20_000);
    let applied = town.buy(30_000);
    // The verdict comes; the event is never followed, because the cursor is gone by then.
    let verdicts_only = |server: &mut Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" { Ok(server.answer(request)) } else { offline(server, request) }
    };
    assert!(town.buyer.sync_over(&mut town.server, verdicts_only).is_err());
    let waiting = town.buy(40_000);
    town.server.cursors_gone = true;
    let no_push = |server: &mut Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" { offline(server, request) } else { Ok(server.answer(request)) }
    };
    assert!(town.buyer.sync_over(&mut town.server, no_push).is_err());
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(5_000), units(4_000)));
    // The server does not stand where the phone has been: whether it still has what it had applied is asked again.
    assert_eq!(town.buyer.phone.fate(applied).unwrap(), Some(Fate::Waiting));
    assert_eq!(town.buyer.phone.fate(waiting).unwrap(), Some(Fate::Waiting));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(applied).unwrap(), Some(Fate::Applied));
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(9_000), units(0)));
}

#[test]
fn what_lies_before_the_snapshot_does_not_stay_pending_for_ever() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    // Applied, but the answer is lost; then the cursor is gone, and the snapshot holds the lot already.
    let lost = |server: &mut Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" {
            server.answer(request);
        }
        offline(server, request)
    };
    assert!(town.buyer.sync_over(&mut town.server, lost).is_err());
    town.server.cursors_gone = true;
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(2_000), units(0)));
}

#[test]
fn a_whole_batch_that_is_not_taken_is_halved_and_the_one_op_set_apart() {
    let mut town = Town::new();
    let vouchers: Vec<OpId> =
        (0..9).map(|_| town.cafe.phone.record_sale(Money(1_000), None).unwrap().sale).collect();
    town.server.poison = Some(vouchers[5]);
    town.server.batches.clear();
    assert_eq!(town.cafe.sync(&mut town.server), Err(Failure::Later));
    let waiting: Vec<OpId> = town.cafe.phone.outbox().unwrap().iter().map(|item| item.op).collect();
    assert_eq!(waiting, [vouchers[5]], "the others are through: {:?}", town.server.batches);
    assert!(town.server.batches.len() < 10, "{:?}", town.server.batches);
    // It rests, and is tried again later.
    town.server.batches.clear();
    assert_eq!(town.cafe.sync(&mut town.server), Err(Failure::Later));
    assert!(town.server.batches.is_empty());
    town.server.poison = None;
    town.advance(6 * Timestamp::MINUTE);
    town.cafe.sync(&mut town.server).unwrap();
    assert!(town.cafe.phone.outbox().unwrap().is_empty());
}

#[test]
fn an_op_that_the_server_put_off_waits_under_the_same_id() {
    let mut town = Town::new();
    let claim = town.buy(20_000);
    let put_off = |server: &mut Server, request: &moa_phone::Request| {
        if request.path != "/v1/ops" {
            return Ok(server.answer(request));
        }
        Ok(ok(&Verdicts {
            verdicts: vec![Verdict::Retry { after_s: 40 }],
            tokens: Vec::new(),
            now: server.now,
        }))
    };
    assert_eq!(town.buyer.sync_over(&mut town.server, put_off), Err(Failure::Later));
    town.advance(39 * Timestamp::SECOND);
    assert_eq!(town.buyer.sync(&mut town.server), Err(Failure::Later));
    town.advance(Timestamp::SECOND);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
}

#[test]
fn retries_are_spread_grow_to_five_minutes_and_are_kept_over_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let mut town = Town::with_buyer(Person::on_disk(directory.path(), 3));
    town.buy(20_000);
    let mut waits = Vec::new();
    for _ in 0..40 {
        town.buyer.run(&mut town.server, offline);
        let wakeup = town.buyer.machine.next_wakeup().unwrap();
        waits.push(wakeup.0 - town.buyer.now().0);
        town.buyer.environment.set(wakeup);
    }
    assert!(waits.iter().all(|wait| (250..=300_000).contains(wait)), "{waits:?}");
    assert!(waits[0] <= 1_000 && waits[20..].iter().any(|wait| *wait > 60_000), "{waits:?}");
    assert!(waits.iter().collect::<BTreeSet<_>>().len() > 20, "full jitter: {waits:?}");

    town.buyer.run(&mut town.server, offline);
    let before = town.buyer.machine.next_wakeup().unwrap();
    let now = town.buyer.now();
    drop(town.buyer);
    let mut again = Person::open(Data::Directory(directory.path().to_owned()), 5, now);
    let sent = again.poll().send;
    assert!(sent.iter().all(|(_, request)| request.path != "/v1/ops"), "a restart does not make it earlier");
    assert_eq!(again.machine.next_wakeup(), Some(before));
    // A clock that was set back by a year does not make it wait for a year, nor hour after hour.
    again.environment.advance(-365 * Timestamp::DAY);
    assert!(again.poll().send.iter().any(|(_, request)| request.path == "/v1/ops"));
}

#[test]
fn edge_30_an_op_put_off_before_the_clock_was_set_back_is_sent() {
    let mut town = Town::new();
    town.buy(20_000);
    let put_off = |server: &mut Server, request: &moa_phone::Request| {
        if request.path != "/v1/ops" {
            return Ok(server.answer(request));
        }
        Ok(ok(&Verdicts {
            verdicts: vec![Verdict::Retry { after_s: 600 }],
            tokens: Vec::new(),
            now: server.now,
        }))
    };
    town.buyer.environment.advance(365 * Timestamp::DAY);
    town.buyer.run(&mut town.server, put_off);
    assert!(town.buyer.poll().send.is_empty(), "it waits for ten minutes");
    town.buyer.environment.advance(-365 * Timestamp::DAY);
    assert!(town.buyer.poll().send.iter().any(|(_, request)| request.path == "/v1/ops"));
}

#[test]
fn a_claim_that_waited_while_a_snapshot_was_taken_stays_pending_until_its_event_comes() {
    let mut town = Town::new();
    town.buyer.sync(&mut town.server).unwrap();
    town.buy(20_000);
    town.server.cursors_gone = true;
    let no_ops = |server: &mut Server, request: &moa_phone::Request| match request.path.as_str() {
        "/v1/ops" => offline(server, request),
        _ => Ok(server.answer(request)),
    };
    town.buyer.sync_over(&mut town.server, no_ops).unwrap_err();
    // Applied after the snapshot, and the answer is lost; asked again, it is a duplicate.
    let lost = |server: &mut Server, request: &moa_phone::Request| {
        if request.path == "/v1/ops" {
            server.answer(request);
        }
        offline(server, request)
    };
    town.buyer.sync_over(&mut town.server, lost).unwrap_err();
    let ops_only = |server: &mut Server, request: &moa_phone::Request| match request.path.as_str() {
        "/v1/ops" => Ok(server.answer(request)),
        _ => offline(server, request),
    };
    town.buyer.sync_over(&mut town.server, ops_only).unwrap_err();
    assert!(town.buyer.phone.outbox().unwrap().is_empty(), "it is answered");
    assert_eq!(town.buyer.phone.balances().unwrap()[0].pending, units(2_000));
    town.buyer.sync(&mut town.server).unwrap();
    let balance = &town.buyer.phone.balances().unwrap()[0];
    assert_eq!((balance.confirmed, balance.pending), (units(2_000), units(0)));
}

#[test]
fn retry_after_is_honoured_even_when_everything_is_wanted_now() {
    let mut town = Town::new();
    town.buy(20_000);
    let busy = |_: &mut Server, _: &moa_phone::Request| {
        Ok(Response { retry_after_s: Some(120), ..problem(503, "server_busy") })
    };
    let failed = town.buyer.sync_over(&mut town.server, busy);
    assert!(matches!(failed, Err(Failure::Problem(_))), "{failed:?}");
    town.advance(119 * Timestamp::SECOND);
    let failed = town.buyer.sync_over(&mut town.server, |_, request| panic!("{request:?}"));
    assert!(matches!(failed, Err(Failure::Busy { .. })), "{failed:?}");
    town.advance(Timestamp::SECOND);
    town.buyer.sync(&mut town.server).unwrap();
}

#[test]
fn a_redemption_goes_first_and_does_not_wait_for_a_lane_that_failed() {
    let mut town = Town::new();
    town.earn(50_000);
    for _ in 0..120 {
        town.bakery.phone.record_sale(Money(1_000), None).unwrap();
    }
    for _ in 0..12 {
        town.bakery.run(&mut town.server, offline);
        let wakeup = town.bakery.machine.next_wakeup().unwrap();
        town.bakery.environment.set(wakeup);
        town.server.now = wakeup;
        town.buyer.environment.set(wakeup);
    }
    town.bakery.run(&mut town.server, offline);
    assert!(town.bakery.poll().send.is_empty(), "the lane waits");
    let code = town.buyer.phone.redemption_code(town.group, units(1_000)).unwrap();
    let asked = town.bakery.phone.redeem(&code.text, units(1_000)).unwrap();
    town.server.received.clear();
    town.bakery.run(&mut town.server, |server, request| Ok(server.answer(request)));
    assert_eq!(town.server.received.first(), Some(&asked.op));
    assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
}

#[test]
fn a_redemption_without_an_answer_is_being_checked_and_its_fate_is_learned() {
    let mut town = Town::new();
    town.earn(50_000);
    for reaches_the_server in [true, false] {
        let code = town.buyer.phone.redemption_code(town.group, units(1_000)).unwrap();
        let asked = town.bakery.phone.redeem(&code.text, units(1_000)).unwrap();
        let lost = |server: &mut Server, request: &moa_phone::Request| {
            if reaches_the_server {
                server.answer(request);
            }
            offline(server, request)
        };
        assert!(town.bakery.sync_over(&mut town.server, lost).is_err());
        town.advance(4 * Timestamp::MINUTE);
        assert_eq!(town.bakery.phone.fate(asked.op).unwrap(), Some(Fate::BeingChecked));
        let today = town.bakery.phone.merchant_today().unwrap();
        assert_eq!(today.redemptions[0].fate, Fate::BeingChecked);
        town.bakery.sync(&mut town.server).unwrap();
        let fate = town.bakery.phone.fate(asked.op).unwrap().unwrap();
        if reaches_the_server {
            assert_eq!(fate, Fate::Applied);
        } else {
            let Fate::Refused(refused) = fate else { panic!("{fate:?}") };
            assert_eq!(refused.reason, Some(Refusal::CodeExpired));
        }
    }
    assert_eq!(town.server.wallet(town.account, town.group), units(4_000));
}

#[test]
fn edge_42_a_phone_restored_from_a_backup_goes_on_above_its_used_counters() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Server::new(NOON);
    let mut shop = Person::on_disk(first.path(), 1);
    shop.enrol(&mut server);
    shop.phone.register_merchant(support::profile("카페")).unwrap();
    shop.sync(&mut server).unwrap();
    drop(shop);
    for file in std::fs::read_dir(first.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), second.path().join(file.file_name())).unwrap();
    }
    let mut shop = Person::on_disk(first.path(), 2);
    for _ in 0..3 {
        shop.phone.record_sale(Money(1_000), None).unwrap();
    }
    shop.sync(&mut server).unwrap();
    let mut restored = Person::on_disk(second.path(), 3);
    let twice = restored.phone.record_sale(Money(2_000), None).unwrap();
    restored.sync(&mut server).unwrap();
    let Some(Fate::Refused(refused)) = restored.phone.fate(twice.sale).unwrap() else { panic!("taken") };
    assert_eq!(refused.code, "counter_used");
    let fresh = restored.phone.record_sale(Money(2_000), None).unwrap();
    restored.sync(&mut server).unwrap();
    assert_eq!(restored.phone.fate(fresh.sale).unwrap(), Some(Fate::Applied));
}

#[test]
fn setting_up_goes_one_by_one_so_that_nothing_is_refused_for_what_was_put_off() {
    let mut server = Server::new(NOON);
    let mut shop = Person::new(1);
    shop.enrol(&mut server);
    shop.phone.register_merchant(support::profile("카페")).unwrap();
    let sale = shop.phone.record_sale(Money(1_000), None).unwrap().sale;
    server.batches.clear();
    let put_off = |server: &mut Server, request: &moa_phone::Request| {
        if request.path != "/v1/ops" {
            return Ok(server.answer(request));
        }
        server.batches.push(0);
        Ok(ok(&Verdicts {
            verdicts: vec![Verdict::Retry { after_s: 10 }],
            tokens: Vec::new(),
            now: server.now,
        }))
    };
    assert_eq!(shop.sync_over(&mut server, put_off), Err(Failure::Later));
    assert_eq!(server.batches, [0], "the sale waits for its shop");
    shop.environment.advance(10 * Timestamp::SECOND);
    shop.sync(&mut server).unwrap();
    assert_eq!(shop.phone.fate(sale).unwrap(), Some(Fate::Applied));
}

#[test]
fn the_long_poll_is_for_the_foreground_and_gives_way() {
    let mut town = Town::new();
    town.buyer.machine.set_foreground(true);
    let work = town.buyer.poll();
    let [(waiting, request)] = work.send.as_slice() else { panic!("{work:?}") };
    assert!(request.path.ends_with("&wait=25"), "{request:?}");
    assert!(town.buyer.poll().send.is_empty(), "one request a lane");
    // Everything now: the one that waits is given up.
    let now = town.buyer.now();
    town.buyer.machine.sync_now(&town.buyer.phone, now).unwrap();
    let work = town.buyer.poll();
    assert_eq!(work.give_up, [*waiting]);
    let [(_, request)] = work.send.as_slice() else { panic!("{work:?}") };
    assert!(request.path.contains("&wait=0&directory="), "news and directory in one: {request:?}");
    let late = *waiting;
    town.buyer.receive(late, Ok(html()));
    for (id, request) in work.send {
        let answer = town.server.answer(&request);
        town.buyer.receive(id, Ok(answer));
    }
    let work = town.buyer.poll();
    let [(waiting, _)] = work.send.as_slice() else { panic!("{work:?}") };
    assert_ne!(*waiting, late);
    town.buyer.machine.set_foreground(false);
    let work = town.buyer.poll();
    assert_eq!((work.give_up, work.send.len()), (vec![*waiting], 0));
}

/// Requests that a phone with nothing to do sends in an hour, by a clock that is moved on; the server lets each wait for as
/// long as it was asked to.
fn requests_in_an_idle_hour(foreground: bool) -> usize {
    let mut town = Town::new();
    town.buyer.sync(&mut town.server).unwrap();
    town.buyer.machine.set_foreground(foreground);
    let (end, mut requests) = (town.buyer.now().plus(Timestamp::HOUR), 0);
    while town.buyer.now() < end {
        let mut work = town.buyer.poll().send;
        requests += work.len();
        // What does not wait at the server is answered first.
        work.sort_by_key(|(_, request)| request.path.ends_with("&wait=25"));
        for (id, request) in work {
            if request.path.ends_with("&wait=25") {
                town.advance(25 * Timestamp::SECOND);
            }
            let answer = town.server.answer(&request);
            town.buyer.receive(id, Ok(answer));
        }
        if !foreground {
            town.advance(Timestamp::MINUTE);
        }
    }
    requests
}

#[test]
fn an_idle_phone_asks_nothing_in_the_background_and_only_the_long_poll_in_the_foreground() {
    assert_eq!(requests_in_an_idle_hour(false), 0);
    // 144 long polls of 25 seconds, the directory every quarter of an hour, a token every ten minutes.
    let foreground = requests_in_an_idle_hour(true);
    assert!((144..=155).contains(&foreground), "{foreground}");
    println!("{foreground} requests in an idle hour in the foreground");
}

#[test]
fn an_answer_from_before_the_phone_started_over_is_not_applied() {
    let mut town = Town::new();
    town.earn(20_000);
    town.buyer.machine.set_foreground(true);
    let work = town.buyer.poll();
    let (id, request) = work.send.into_iter().next().unwrap();
    town.buy(10_000);
    let late = town.server.answer(&request);
    town.buyer.phone.start_over().unwrap();
    town.buyer.receive(id, Ok(late));
    town.buyer.machine.set_foreground(false);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.breach().unwrap(), None);
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(3_000));
}

#[test]
fn a_shop_never_met_is_looked_up_when_there_is_signal() {
    let mut town = Town::new();
    let mut stranger = Person::new(7);
    stranger.enrol(&mut town.server);
    stranger.phone.register_merchant(support::profile("새 가게")).unwrap();
    stranger.phone.join_group(town.group, 1).unwrap();
    stranger.sync(&mut town.server).unwrap();
    let voucher = stranger.phone.record_sale(Money(5_000), None).unwrap();
    assert!(town.buyer.scan(&voucher).shop.is_none());
    // Not a whole sync: the look-up alone.
    town.buyer.run(&mut town.server, |server, request| Ok(server.answer(request)));
    let scanned = town.buyer.scan(&voucher);
    assert_eq!(scanned.shop.as_ref().unwrap().name.as_deref(), Some("새 가게"));
    assert_eq!(town.buyer.phone.choices(&scanned).unwrap().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes back, in whatever order: nothing panics, nothing is lost, and an honest server mends it.
    #[test]
    fn arbitrary_answers_lose_nothing(
        answers in proptest::collection::vec((0u8..6, any::<u16>(), proptest::collection::vec(any::<u8>(), 0..40)), 1..30),
    ) {
        let mut town = Town::new();
        let claims: Vec<OpId> = (0..3).map(|_| town.buy(20_000)).collect();
        let mut answers = answers.into_iter();
        for _ in 0..4 {
            let _ = town.buyer.sync_over(&mut town.server, |server, request| match answers.next() {
                None => offline(server, request),
                Some((0, status, body)) => Ok(Response { status, retry_after_s: None, body }),
                Some((1, _, body)) => Ok(Response { status: 200, retry_after_s: None, body }),
                Some((2, status, _)) => Ok(problem(400 + status % 200, "any")),
                Some((3, cut, _)) => {
                    let mut answer = server.answer(request);
                    let keep = usize::from(cut) % (answer.body.len() + 1);
                    answer.body.truncate(keep);
                    Ok(answer)
                }
                Some((4, _, _)) => {
                    server.answer(request);
                    Err(TransportError::TimedOut)
                }
                Some(_) => Ok(server.answer(request)),
            });
            town.advance(10 * Timestamp::MINUTE);
        }
        if town.buyer.phone.signed_in().unwrap() != SignedIn::Yes(town.account) {
            town.buyer.enrol(&mut town.server);
        }
        town.advance(Timestamp::HOUR);
        town.buyer.sync(&mut town.server).unwrap();
        for claim in claims {
            prop_assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
        }
        prop_assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(6_000));
        prop_assert_eq!(town.buyer.phone.balances().unwrap()[0].pending, units(0));
    }
}

#[test]
fn what_failed_before_a_sync_was_asked_for_does_not_fail_it() {
    let mut town = Town::new();
    town.buy(20_000);
    // Requests leave while there is no signal; it returns, and the person pulls down to refresh.
    let under_way = town.buyer.poll().send;
    assert!(!under_way.is_empty());
    let now = town.buyer.now();
    let ticket = town.buyer.machine.sync_now(&town.buyer.phone, now).unwrap();
    for (id, _) in under_way {
        town.buyer.receive(id, Err(TransportError::Unreachable("no signal".to_owned())));
    }
    assert_eq!(town.buyer.machine.finished(ticket), None, "it was not this sync that failed");
    for _ in 0..20 {
        for (id, request) in town.buyer.poll().send {
            let answer = town.server.answer(&request);
            town.buyer.receive(id, Ok(answer));
        }
    }
    assert_eq!(town.buyer.machine.finished(ticket), Some(Ok(())));
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}
