//! Approvals and passes on phones: at a shop without signal, and with none on either side.

mod support;

use std::sync::Arc;

use moa_phone::{
    Code, Data, Fate, PassStanding, PhoneError, Request, Response, SoftwareKeys, Took, TransportError,
};
use moa_rules::id::{MerchantId, OpId};
use moa_rules::op::OpBody;
use moa_rules::quantity::Money;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::code;
use moa_wire::keys::SoftwareKey;
use moa_wire::token::{Approval, Checked, Sealed};
use support::{NOON, Person, Town, offline, units};

fn refusal<T>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(refusal)) => refusal,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// A town whose buyer has 5,000 units, the shop's till in step.
fn with_mileage() -> (Town, MerchantId) {
    let mut town = Town::new();
    town.earn(50_000);
    let shop = town.cafe.phone.own_shop().unwrap().unwrap().id;
    (town, shop)
}

/// The buyer pays at the café, which hears nothing of it.
fn approval(town: &mut Town, shop: MerchantId, asked: i64) -> String {
    let op = town.buyer.phone.pay(shop, town.group, units(asked)).unwrap();
    assert_eq!(town.buyer.phone.approval(op).unwrap(), None, "not before the server has agreed");
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(op).unwrap(), Some(Fate::Applied));
    town.buyer.phone.approval(op).unwrap().unwrap().text
}

/// A pass for the café's till, of so many hours, and nobody told the till.
fn reserve(town: &mut Town, shop: MerchantId, asked: i64, hours: u32) -> OpId {
    let pass = town.buyer.phone.reserve_pass(shop, town.group, units(asked), hours).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(town.buyer.phone.fate(pass).unwrap(), Some(Fate::Applied));
    pass
}

fn balance(person: &Person) -> i64 {
    person.phone.balances().unwrap().first().map_or(0, |balance| balance.confirmed.get())
}

fn standing(person: &Person, pass: OpId) -> PassStanding {
    person.phone.passes().unwrap().into_iter().find(|item| item.pass == pass).unwrap().standing
}

fn taken_today(person: &Person) -> Vec<i64> {
    let day = person.phone.merchant_today().unwrap();
    day.redemptions.iter().map(|redemption| redemption.units.get()).collect()
}

#[test]
fn an_approval_is_taken_once_without_a_network_and_the_event_does_not_count_it_again() {
    let (mut town, shop) = with_mileage();
    let text = approval(&mut town, shop, 3_000);
    assert_eq!(balance(&town.buyer), 2_000);
    let Code::Approval(scanned) = town.cafe.phone.read_code(&text).unwrap() else { panic!("no approval") };
    assert_eq!(scanned.units, units(3_000));
    let Took { group, units: took, .. } = town.cafe.phone.take_approval(&text).unwrap();
    assert_eq!((group, took), (town.group, units(3_000)));
    assert_eq!(refusal(town.cafe.phone.take_approval(&text)), Refusal::ApprovalSeen);
    assert_eq!(taken_today(&town.cafe), [3_000]);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(taken_today(&town.cafe), [3_000]);
    assert_eq!(refusal(town.cafe.phone.take_approval(&text)), Refusal::ApprovalSeen);
}

#[test]
fn an_approval_for_another_shop_too_old_or_not_the_servers_is_refused_without_a_network() {
    let (mut town, shop) = with_mileage();
    let text = approval(&mut town, shop, 3_000);
    assert_eq!(refusal(town.bakery.phone.take_approval(&text)), Refusal::ApprovalWrong);
    assert_eq!(refusal(town.buyer.phone.take_approval(&text)), Refusal::NoMerchant);

    let bytes = code::bytes(&text).unwrap();
    let genuine = *Sealed::<Approval>::parse(&bytes).unwrap().unchecked();
    let forger = SoftwareKey::generate().unwrap().0;
    let forged = Checked::sign(Approval { units: units(100_000), ..genuine }, &forger).unwrap();
    let forged = code::text(forged.bytes());
    assert_eq!(refusal(town.cafe.phone.take_approval(&forged)), Refusal::ApprovalWrong);
    let mut altered = bytes.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert_eq!(refusal(town.cafe.phone.take_approval(&code::text(&altered))), Refusal::ApprovalWrong);

    let left = Timestamp::from_seconds(genuine.expires).0 - town.cafe.now().0;
    town.advance(left + 1);
    assert_eq!(refusal(town.cafe.phone.take_approval(&text)), Refusal::CodeExpired);
    town.cafe.environment.set(Timestamp::from_seconds(genuine.expires));
    town.cafe.phone.take_approval(&text).unwrap();
}

#[test]
fn a_payment_that_the_server_refuses_gives_no_approval() {
    let (mut town, shop) = with_mileage();
    let op = town.buyer.phone.pay(shop, town.group, units(5_001)).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert!(
        matches!(town.buyer.phone.fate(op).unwrap(), Some(Fate::Refused(refused)) if refused.code == "not_enough")
    );
    assert_eq!(town.buyer.phone.approval(op).unwrap(), None);
    assert_eq!(refusal(town.buyer.phone.pay(shop, town.group, units(0))), Refusal::UnitsNotPositive);
    assert_eq!(balance(&town.buyer), 5_000);
}

#[test]
fn edge_48_an_approval_lost_with_its_answer_comes_when_the_phone_asks_again() {
    let (mut town, shop) = with_mileage();
    let op = town.buyer.phone.pay(shop, town.group, units(3_000)).unwrap();
    // The server decides, and its answer is lost.
    let lost = |server: &mut support::Server, request: &Request| {
        server.answer(request);
        offline(server, request)
    };
    town.buyer.sync_over(&mut town.server, lost).unwrap_err();
    assert_eq!(town.buyer.phone.approval(op).unwrap(), None);
    town.buyer.sync(&mut town.server).unwrap();
    let text = town.buyer.phone.approval(op).unwrap().unwrap().text;
    town.cafe.phone.take_approval(&text).unwrap();
    assert_eq!(balance(&town.buyer), 2_000, "taken once");
}

/// Ops arrive and the answers to them do not; what changed is told.
fn no_verdict(server: &mut support::Server, request: &Request) -> Result<Response, TransportError> {
    let answer = server.answer(request);
    if request.path == "/v1/ops" { offline(server, request) } else { Ok(answer) }
}

#[test]
fn an_approval_and_a_pass_are_asked_for_until_they_come_though_their_events_came_before() {
    let (mut town, shop) = with_mileage();
    let paid = town.buyer.phone.pay(shop, town.group, units(1_000)).unwrap();
    let pass = town.buyer.phone.reserve_pass(shop, town.group, units(2_000), 24).unwrap();
    for _ in 0..2 {
        town.buyer.sync_over(&mut town.server, no_verdict).unwrap_err();
    }
    assert_eq!(balance(&town.buyer), 2_000, "the events came");
    assert_eq!(town.buyer.phone.approval(paid).unwrap(), None);
    for op in [paid, pass] {
        assert_eq!(town.buyer.phone.fate(op).unwrap(), Some(Fate::Waiting), "there is nothing to show yet");
    }
    town.advance(Timestamp::MINUTE);
    town.buyer.sync(&mut town.server).unwrap();
    for op in [paid, pass] {
        assert_eq!(town.buyer.phone.fate(op).unwrap(), Some(Fate::Applied));
    }
    let approval = town.buyer.phone.approval(paid).unwrap().unwrap();
    town.cafe.phone.take_approval(&approval.text).unwrap();
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    town.cafe.phone.take_pass(&shown.text, units(2_000)).unwrap();
    assert_eq!(balance(&town.buyer), 2_000, "taken once");
}

#[test]
fn a_pass_is_shown_and_taken_with_both_sides_offline_and_both_learn_the_same() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    assert_eq!(balance(&town.buyer), 2_000, "what is reserved is no balance");
    let item = town.buyer.phone.passes().unwrap().remove(0);
    assert_eq!((item.units, item.standing, item.shop.id), (units(3_000), PassStanding::Open, shop));

    // From here on nobody is online.
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let Code::Pass(scanned) = town.cafe.phone.read_code(&shown.text).unwrap() else { panic!("no pass") };
    assert_eq!((scanned.units, scanned.refused.clone()), (units(3_000), None));
    assert_eq!(
        refusal(town.cafe.phone.take_pass(&shown.text, units(3_001))),
        Refusal::MoreThanCode { asked: units(3_001), most: units(3_000) }
    );
    assert_eq!(refusal(town.cafe.phone.take_pass(&shown.text, units(0))), Refusal::UnitsNotPositive);
    let took = town.cafe.phone.take_pass(&shown.text, units(1_200)).unwrap();
    assert_eq!(taken_today(&town.cafe), [1_200]);
    // A screenshot, and the pass shown anew.
    assert_eq!(refusal(town.cafe.phone.take_pass(&shown.text, units(100))), Refusal::PassSpent);
    let again = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(refusal(town.cafe.phone.take_pass(&again.text, units(100))), Refusal::PassSpent);

    town.advance(2 * Timestamp::HOUR);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(took.op).unwrap(), Some(Fate::Applied));
    assert_eq!(taken_today(&town.cafe), [1_200]);
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!((balance(&town.buyer), standing(&town.buyer, pass)), (3_800, PassStanding::Spent));
    assert_eq!(town.server.wallet(town.account, town.group), units(3_800));
    assert_eq!(refusal(town.cafe.phone.take_pass(&again.text, units(100))).code(), "code_expired");
}

#[test]
fn a_till_that_knows_the_pass_beforehand_takes_it_the_same() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    town.cafe.sync(&mut town.server).unwrap();
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let took = town.cafe.phone.take_pass(&shown.text, units(3_000)).unwrap();
    // The verdict comes and the event is lost; it comes later.
    let no_events = |server: &mut support::Server, request: &Request| {
        if request.path.starts_with("/v1/changes") {
            offline(server, request)
        } else {
            Ok(server.answer(request))
        }
    };
    town.cafe.sync_over(&mut town.server, no_events).unwrap_err();
    assert_eq!(town.cafe.phone.fate(took.op).unwrap(), Some(Fate::Applied));
    let again = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(refusal(town.cafe.phone.take_pass(&again.text, units(1))), Refusal::PassSpent);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(refusal(town.cafe.phone.take_pass(&again.text, units(1))), Refusal::PassSpent);
    assert_eq!(taken_today(&town.cafe), [3_000]);
}

#[test]
fn the_event_may_come_before_the_verdict() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let took = town.cafe.phone.take_pass(&shown.text, units(2_000)).unwrap();
    for _ in 0..2 {
        town.cafe.sync_over(&mut town.server, no_verdict).unwrap_err();
    }
    assert_eq!(town.cafe.phone.fate(took.op).unwrap(), Some(Fate::Applied), "its event says so");
    let again = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(refusal(town.cafe.phone.take_pass(&again.text, units(1))), Refusal::PassSpent);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(took.op).unwrap(), Some(Fate::Applied));
    assert_eq!(taken_today(&town.cafe), [2_000]);
    assert_eq!(town.server.wallet(town.account, town.group), units(3_000));
}

#[test]
fn a_pass_is_refused_at_another_shop_at_another_till_and_from_another_phone() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(refusal(town.bakery.phone.take_pass(&shown.text, units(1))), Refusal::UnknownPass);
    assert_eq!(refusal(town.buyer.phone.take_pass(&shown.text, units(1))), Refusal::UnknownPass);
    let voucher = town.cafe.phone.record_sale(Money(1_000), None).unwrap();
    assert_eq!(refusal(town.cafe.phone.take_pass(&voucher.text, units(1))), Refusal::NotAPass);

    // Another phone of the owner's is another till.
    town.server.enrols_as = Some(town.cafe.phone.account().unwrap());
    let mut second = Person::new(8);
    second.enrol(&mut town.server);
    second.phone.act_for(shop).unwrap();
    second.sync(&mut town.server).unwrap();
    assert_eq!(refusal(second.phone.take_pass(&shown.text, units(1))), Refusal::WrongTill);

    // A thief has the server's word from the screen and signs the showing anew.
    let bytes = code::bytes(&shown.text).unwrap();
    let mut stolen = Sealed::<moa_rules::pass::PassCode>::parse(&bytes).unwrap().unchecked().clone();
    stolen.shown += 1;
    let thief = SoftwareKey::generate().unwrap().0;
    let stolen = code::text(Checked::sign(stolen, &thief).unwrap().bytes());
    assert_eq!(refusal(town.cafe.phone.take_pass(&stolen, units(1))), Refusal::ApprovalWrong);
    // The other phone of the buyer's own holds no pass to show.
    town.server.enrols_as = Some(town.account);
    let mut other = Person::new(9);
    other.enrol(&mut town.server);
    assert!(matches!(other.phone.show_pass(pass), Err(PhoneError::NotHere)));
    town.cafe.phone.take_pass(&shown.text, units(1)).unwrap();
}

#[test]
fn a_code_is_good_for_three_minutes_and_a_pass_until_its_last_second() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 1);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let at = town.cafe.now();
    for (later, good) in [(180_000, true), (180_001, false), (-180_000, true), (-180_001, false)] {
        town.cafe.environment.set(at.plus(later));
        let Code::Pass(scanned) = town.cafe.phone.read_code(&shown.text).unwrap() else { panic!("no pass") };
        assert_eq!(scanned.refused, (!good).then_some(Refusal::CodeExpired), "{later}");
    }
    town.cafe.environment.set(at);
    let end = town.buyer.phone.passes().unwrap()[0].expires_at;
    town.advance(end.0 - town.buyer.now().0);
    let last = town.buyer.phone.show_pass(pass).unwrap();
    town.advance(1);
    assert_eq!(refusal(town.cafe.phone.take_pass(&last.text, units(1))), Refusal::CodeExpired);
    assert_eq!(refusal(town.buyer.phone.show_pass(pass)), Refusal::CodeExpired);
    assert_eq!(standing(&town.buyer, pass), PassStanding::Over);
}

#[test]
fn what_a_pass_reserved_comes_back_when_the_server_says_so_and_a_till_that_is_late_learns_it() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 1);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let took = town.cafe.phone.take_pass(&shown.text, units(3_000)).unwrap();
    town.advance(25 * Timestamp::HOUR);
    town.server.job(OpBody::ReleasePass { merchant: shop, pass }).unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!((balance(&town.buyer), standing(&town.buyer, pass)), (5_000, PassStanding::Released));
    town.cafe.sync(&mut town.server).unwrap();
    let late = town.cafe.phone.fate(took.op).unwrap();
    assert!(matches!(late, Some(Fate::Refused(refused)) if refused.code == "pass_released"));
    assert!(taken_today(&town.cafe).is_empty(), "what was refused is not in the day");
}

#[test]
fn a_pass_of_a_phone_that_was_revoked_meanwhile_is_honoured() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    town.server.enrols_as = Some(town.account);
    let mut other = Person::new(9);
    other.enrol(&mut town.server);
    other.phone.revoke_device(town.buyer.phone.key()).unwrap();
    other.sync(&mut town.server).unwrap();
    let took = town.cafe.phone.take_pass(&shown.text, units(3_000)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.cafe.phone.fate(took.op).unwrap(), Some(Fate::Applied));
}

#[test]
fn a_till_that_the_server_sent_away_takes_no_pass() {
    let (mut town, shop) = with_mileage();
    let pass = reserve(&mut town, shop, 3_000, 24);
    town.server.forget_devices();
    assert!(town.cafe.sync(&mut town.server).is_err());
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    let taken = town.cafe.phone.take_pass(&shown.text, units(3_000));
    assert!(matches!(taken, Err(PhoneError::NotSignedIn)), "{taken:?}");
    assert!(taken_today(&town.cafe).is_empty());
}

#[test]
fn a_snapshot_brings_back_what_passes_hold_and_their_end_is_understood_after_it() {
    let (mut town, shop) = with_mileage();
    let (taken, back) = (reserve(&mut town, shop, 1_000, 1), reserve(&mut town, shop, 3_000, 1));
    // Another phone of the same buyer, which knows of the passes from a snapshot alone.
    town.server.enrols_as = Some(town.account);
    let mut other = Person::new(9);
    town.server.cursors_gone = true;
    other.enrol(&mut town.server);
    assert_eq!(balance(&other), 1_000);
    assert_eq!(other.phone.passes().unwrap().len(), 2);

    let shown = town.buyer.phone.show_pass(taken).unwrap();
    town.cafe.phone.take_pass(&shown.text, units(400)).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    other.sync(&mut town.server).unwrap();
    assert_eq!((balance(&other), standing(&other, taken)), (1_600, PassStanding::Spent));
    town.advance(26 * Timestamp::HOUR);
    other.environment.advance(26 * Timestamp::HOUR);
    town.server.job(OpBody::ReleasePass { merchant: shop, pass: back }).unwrap();
    other.sync(&mut town.server).unwrap();
    assert_eq!((balance(&other), standing(&other, back)), (4_600, PassStanding::Released));
    assert_eq!(town.server.wallet(town.account, town.group), units(4_600));
}

#[test]
fn a_till_that_starts_anew_knows_which_passes_it_took() {
    let mut town = Town::new();
    town.earn(50_000);
    let keys = Arc::new(SoftwareKeys::new(Arc::new(SoftwareKey::generate().unwrap().0), &[5; 32]));
    let open = || Person::with_keys(Data::Memory, Some(keys.clone()), 8, NOON);
    let mut till = open();
    till.enrol(&mut town.server);
    let shop = till.phone.register_merchant(support::profile("골목 책방")).unwrap();
    till.sync(&mut town.server).unwrap();
    till.phone.join_group(town.group, 1).unwrap();
    till.sync(&mut town.server).unwrap();
    town.buyer.phone.start_over().unwrap();
    town.buyer.sync(&mut town.server).unwrap();
    let pass = reserve(&mut town, shop, 1_000, 24);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    till.phone.take_pass(&shown.text, units(400)).unwrap();
    till.sync(&mut town.server).unwrap();

    // The same key on storage that knows nothing.
    let mut anew = open();
    town.server.cursors_gone = true;
    anew.enrol(&mut town.server);
    let shown = town.buyer.phone.show_pass(pass).unwrap();
    assert_eq!(refusal(anew.phone.take_pass(&shown.text, units(100))), Refusal::PassSpent);
}

#[test]
fn what_can_be_no_pass_is_refused_before_it_is_asked_for() {
    let (town, shop) = with_mileage();
    let phone = &town.buyer.phone;
    let ask = |asked, hours| refusal(phone.reserve_pass(shop, town.group, units(asked), hours));
    assert_eq!(ask(0, 24), Refusal::UnitsNotPositive);
    assert_eq!(ask(100, 0), Refusal::PassTooLong { hours: 72 });
    assert_eq!(ask(100, 73), Refusal::PassTooLong { hours: 72 });
    let unknown = phone.reserve_pass(MerchantId([9; 16]), town.group, units(100), 24);
    assert_eq!(refusal(unknown), Refusal::WrongTill);
}
