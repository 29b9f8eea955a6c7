//! A server that was restored from yesterday's backup: what the phones had sent since is sent again, by itself, under the
//! same ids. (edges 42, 48, 50; docs/decisions/0012)

mod support;

use moa_phone::{Fate, Mismatch, Request, Response, TransportError};
use moa_rules::event::Inbox;
use moa_rules::id::OpId;
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use support::{Server, Town, offline, units};

/// A network that carries reads alone: what is sent again does not arrive yet.
fn reads_only(server: &mut Server, request: &Request) -> Result<Response, TransportError> {
    if request.path == "/v1/ops" { offline(server, request) } else { Ok(server.answer(request)) }
}

fn balance(town: &Town) -> (i64, i64) {
    let balances = town.buyer.phone.balances().unwrap();
    balances.first().map_or((0, 0), |balance| (balance.confirmed.get(), balance.pending.get()))
}

fn history(town: &Town) -> Vec<OpId> {
    town.buyer.phone.history(town.group).unwrap().iter().map(|item| item.op).collect()
}

#[test]
fn edge_50_what_was_sent_since_the_backup_is_sent_again_in_order_under_the_same_ids() {
    let mut town = Town::new();
    town.earn(20_000);
    let backup = town.server.backup();
    town.earn(30_000);
    town.earn(10_000);
    let (before, told) = (balance(&town), history(&town));
    town.server.restore(backup);
    town.server.received.clear();

    // The first to come back hears of it, and shows what is certain: the lot of the first day, and the rest as pending.
    assert!(town.buyer.sync_over(&mut town.server, reads_only).is_err());
    assert_eq!(town.buyer.phone.breach().unwrap().unwrap().what, Mismatch::WentBack);
    assert_eq!(balance(&town), (2_000, 4_000));
    assert_eq!(history(&town).len(), 1, "what the books no longer have is not told as having happened");

    town.buyer.sync(&mut town.server).unwrap();
    let mut expected = told[..2].to_vec();
    expected.reverse();
    assert_eq!(town.server.received, expected, "the two claims, in order; not what the server still has");
    assert_eq!((balance(&town), history(&town)), (before, told));
    assert_eq!(town.buyer.phone.breach().unwrap(), None, "the books agree again");
    assert!(town.buyer.phone.outbox().unwrap().is_empty());

    // The shop's own sales came inside the claims: duplicates.
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.breach().unwrap(), None);
    assert_eq!(town.cafe.phone.merchant_today().unwrap().sales.len(), 3);
    assert_eq!(town.server.wallet(town.account, town.group), units(before.0));
}

#[test]
fn edge_50_a_server_that_went_back_and_has_gone_on_another_way_is_noticed() {
    let mut town = Town::new();
    town.earn(20_000);
    let backup = town.server.backup();
    town.earn(30_000);
    town.server.restore(backup);
    // As many events as before, and more: by numbers alone nothing is missing.
    town.bakery.sync(&mut town.server).unwrap();
    let code = town.buyer.phone.member_code().unwrap();
    for _ in 0..3 {
        town.bakery.phone.record_sale_for(Money(10_000), &code.text).unwrap();
    }
    town.bakery.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town), (8_000, 0));
    assert_eq!(town.server.wallet(town.account, town.group), units(8_000));
    for person in [&town.buyer, &town.cafe, &town.bakery] {
        assert_eq!(person.phone.breach().unwrap(), None);
        assert!(person.phone.outbox().unwrap().is_empty());
    }
}

#[test]
fn edge_50_what_cannot_be_applied_any_more_is_refused_with_its_reason_and_shown() {
    let mut town = Town::new();
    town.earn(30_000);
    let backup = town.server.backup();
    let code = town.buyer.phone.redemption_code(town.group, units(1_000)).unwrap();
    let asked = town.cafe.phone.redeem(&code.text, units(1_000)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(asked.op).unwrap(), Some(Fate::Applied));
    assert_eq!(balance(&town).0, 2_000);

    town.advance(60 * 60_000);
    town.server.restore(backup);
    town.cafe.sync(&mut town.server).unwrap();
    let Some(Fate::Refused(refused)) = town.cafe.phone.fate(asked.op).unwrap() else { panic!("not refused") };
    assert_eq!(refused.reason, Some(Refusal::CodeExpired));
    let shown: Vec<OpId> = town.cafe.phone.outbox().unwrap().iter().map(|item| item.op).collect();
    assert_eq!(shown, [asked.op], "until it is dismissed");
    assert_eq!(town.cafe.phone.breach().unwrap(), None, "every op has its answer: the books agree");
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town), (3_000, 0));
    assert_eq!(town.buyer.phone.history(town.group).unwrap().len(), 1);
}

#[test]
fn edge_48_an_answer_whose_event_never_came_is_asked_for_again() {
    let mut town = Town::new();
    answered_and_lost(&mut town);
    // Another event moves the inbox to where the phone has been and beyond.
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    town.earn(10_000);
    assert_eq!(town.server.wallet(town.account, town.group).get(), balance(&town).0);
}

/// A claim that was applied and answered, and whose event was not read before the server went back.
fn answered_and_lost(town: &mut Town) -> OpId {
    town.earn(20_000);
    let backup = town.server.backup();
    let claim = town.buy(30_000);
    let ops_only = |server: &mut Server, request: &Request| {
        if request.path == "/v1/ops" { Ok(server.answer(request)) } else { offline(server, request) }
    };
    assert!(town.buyer.sync_over(&mut town.server, ops_only).is_err());
    assert_eq!(town.buyer.phone.fate(claim).unwrap(), Some(Fate::Applied));
    town.server.restore(backup);
    town.server.received.clear();
    claim
}

fn is_claimed_again_once(town: &mut Town, claim: OpId) {
    town.buyer.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.server.received, [claim]);
    assert_eq!(balance(town), (5_000, 0));
    assert_eq!(town.server.wallet(town.account, town.group), units(5_000));
}

#[test]
fn edge_48_an_answer_whose_event_is_not_there_is_asked_for_again_where_nothing_else_tells_of_the_loss() {
    // The server stands where the phone has been: neither the cursor nor a head shows that it went back.
    let mut town = Town::new();
    let claim = answered_and_lost(&mut town);
    is_claimed_again_once(&mut town, claim);
}

#[test]
fn edge_48_an_answer_whose_event_is_not_there_is_asked_for_again_after_a_snapshot() {
    let mut town = Town::new();
    let claim = answered_and_lost(&mut town);
    town.buyer.phone.start_over().unwrap();
    is_claimed_again_once(&mut town, claim);
}

#[test]
fn edge_48_nothing_is_asked_for_again_whose_event_came() {
    let mut town = Town::new();
    town.earn(20_000);
    town.buyer.phone.set_standing(vec![town.group], false).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    town.server.received.clear();
    town.buyer.phone.start_over().unwrap();
    for _ in 0..2 {
        town.buyer.sync(&mut town.server).unwrap();
        town.cafe.sync(&mut town.server).unwrap();
        town.bakery.sync(&mut town.server).unwrap();
    }
    assert_eq!(town.server.received, []);
}

#[test]
fn edge_42_a_phone_from_a_backup_before_the_servers_goes_on_without_a_breach() {
    let mut town = Town::new();
    town.earn(20_000);
    let directory = tempfile::tempdir().unwrap();
    let (then, now) = (directory.path().join("then"), directory.path().join("now"));
    let mut other = support::Person::on_disk(&now, 8);
    other.enrol(&mut town.server);
    other.phone.set_standing(vec![town.group], false).unwrap();
    other.sync(&mut town.server).unwrap();
    drop(other);
    std::fs::create_dir_all(&then).unwrap();
    for file in ["phone.db", "device.key"] {
        std::fs::copy(now.join(file), then.join(file)).unwrap();
    }
    let backup = town.server.backup();
    let mut other = support::Person::on_disk(&now, 9);
    let lost = other.phone.set_standing(Vec::new(), true).unwrap();
    other.sync(&mut town.server).unwrap();
    assert_eq!(other.phone.fate(lost).unwrap(), Some(Fate::Applied));
    drop(other);
    town.server.restore(backup);
    let mut restored = support::Person::on_disk(&then, 10);
    restored.sync(&mut town.server).unwrap();
    assert_eq!(restored.phone.breach().unwrap(), None);
    let set = restored.phone.set_standing(vec![town.group], true).unwrap();
    restored.sync(&mut town.server).unwrap();
    assert_eq!(restored.phone.fate(set).unwrap(), Some(Fate::Applied));
    let head = restored.phone.reckoned().unwrap();
    assert!(head.iter().any(|reckoned| matches!(Inbox::from(reckoned.inbox), Inbox::Account(_))));
}

#[test]
fn a_pass_that_was_open_when_the_snapshot_was_taken_gives_its_mileage_back() {
    let mut town = Town::new();
    town.earn(30_000);
    let merchant = town.cafe.phone.own_shop().unwrap().unwrap().id;
    let pass = town.buyer.phone.reserve_pass(merchant, town.group, units(1_000), 1).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(balance(&town).0, 2_000);
    // A new phone of the buyer's begins with a snapshot: it holds the lot, and what the pass holds of it.
    let mut tablet = support::Person::new(9);
    town.server.enrols_as = Some(town.account);
    tablet.enrol(&mut town.server);
    assert_eq!(tablet.phone.balances().unwrap()[0].confirmed, units(2_000));
    town.advance(26 * 60 * 60_000);
    town.server.job(OpBody::ReleasePass { merchant, pass }).unwrap();
    tablet.environment.advance(26 * 60 * 60_000);
    tablet.sync(&mut town.server).unwrap();
    assert_eq!(tablet.phone.balances().unwrap()[0].confirmed, units(3_000));
}

#[test]
fn what_a_shop_refunded_voided_and_gave_back_since_the_backup_is_taken_back_and_done_again() {
    let mut town = Town::new();
    town.earn(40_000);
    let code = town.buyer.phone.redemption_code(town.group, units(1_000)).unwrap();
    let taken = town.cafe.phone.redeem(&code.text, units(1_000)).unwrap().op;
    let voided = town.cafe.phone.record_sale(Money(500), None).unwrap().sale;
    town.cafe.sync(&mut town.server).unwrap();
    let sold = town.cafe.phone.merchant_today().unwrap().sales.iter().map(|sale| sale.sale).min().unwrap();
    let before = town.cafe.phone.merchant_today().unwrap();
    let backup = town.server.backup();

    town.cafe.phone.void_sale(voided).unwrap();
    town.cafe.phone.reverse(taken).unwrap();
    let refund = town.cafe.phone.refund(sold, Money(10_000)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let after = town.cafe.phone.merchant_today().unwrap();
    let told = town.cafe.phone.refund_of(refund).unwrap();
    assert_eq!((after.reversals.len(), balance(&town).0), (1, 3_000));

    town.server.restore(backup);
    assert!(town.cafe.sync_over(&mut town.server, reads_only).is_err());
    let seen = town.cafe.phone.merchant_today().unwrap();
    assert_eq!((seen.sales, seen.redemptions), (before.sales, before.redemptions), "as the books have it");
    assert_eq!((seen.refunds, seen.reversals), (before.refunds, before.reversals));
    assert_eq!(town.cafe.phone.refund_of(refund).unwrap(), None);

    town.cafe.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.merchant_today().unwrap(), after);
    assert_eq!(town.cafe.phone.refund_of(refund).unwrap(), told);
    assert_eq!(balance(&town).0, 3_000);
}

#[test]
fn a_group_that_the_server_no_longer_closes_is_not_closing_here_either() {
    let mut town = Town::new();
    town.bakery.phone.leave_group(town.group).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let backup = town.server.backup();
    town.cafe.phone.close_group(town.group).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    let closing = |town: &Town| {
        let info = town.cafe.phone.group(town.group).unwrap().unwrap();
        info.state.closing.is_some()
    };
    assert!(closing(&town));
    town.server.restore(backup);
    assert!(town.cafe.sync_over(&mut town.server, reads_only).is_err());
    assert!(!closing(&town), "as the books have it");
    town.cafe.sync(&mut town.server).unwrap();
    assert!(closing(&town), "and closed again");
}
