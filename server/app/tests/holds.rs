//! Holds, reversals, refunds, voids and adjustments over HTTP: who reads what of them, and what they refuse.

mod support;

use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::device::KeyKind;
use moa_rules::event::{Event, EventBody};
use moa_rules::id::{GroupId, OpId};
use moa_rules::member::Buyer;
use moa_rules::op::{OP_VERSION, Op, OpBody, RedemptionCode};
use moa_rules::pass::PassToken;
use moa_rules::quantity::{Money, Units};
use moa_rules::terms::{Profile, Scope, Terms, Unit};
use moa_rules::time::{Day, Timestamp, Validity};
use moa_wire::api::{Base64, InboxName, Ops, Verdict, Verdicts};
use moa_wire::canonical;
use moa_wire::number::{SALT_BYTES, TypedNumber, hash};
use moa_wire::token::{Approval, Checked, Sealed};
use support::subjects::{Street, Who, show};
use support::{Device, Shop, Town, read, refused};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

/// Two shops in a group, and a buyer with 3,000 points of the first's.
async fn alley(town: &Town) -> (Shop, Shop, Device, GroupId) {
    let (cafe, bakery) = (town.shop(CAFE, "Cafe").await, town.shop(BAKERY, "Bakery").await);
    let (buyer, group) = (town.enrol(BUYER).await, town.found(&cafe).await);
    town.join(&bakery, group).await;
    town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 100_000), group)]).await;
    (cafe, bakery, buyer, group)
}

fn hold(town: &Town, shop: &Device, buyer: &Device, group: GroupId, count: i64) -> Checked<Op> {
    let code = buyer.code(town.now(), group, units(count)).bytes().to_vec();
    shop.op(town.now(), OpBody::Hold { code, units: units(count), seconds: None })
}

/// What an inbox tells after the first so many events.
async fn told(town: &Town, device: &Device, inbox: InboxName, after: usize) -> Vec<EventBody> {
    let changes = town.changes(device, "", 0).await;
    let inbox = changes.inboxes.into_iter().find(|changes| changes.inbox == inbox).unwrap();
    let events = inbox.events.iter().map(|event| canonical::decode::<Event>(&event.0).unwrap().body);
    events.skip(after).collect()
}

async fn submit(town: &Town, op: &Checked<Op>, numbers: Vec<TypedNumber>) -> Verdicts {
    read(town.post("/v1/ops", &Ops { ops: vec![Base64::from(op.bytes())], numbers }).await).await
}

#[tokio::test]
async fn a_hold_is_captured_in_part_undone_and_read_by_both() {
    let town = Town::open().await;
    let (_, bakery, buyer, group) = alley(&town).await;
    let held = hold(&town, &bakery.device, &buyer, group, 2_000);
    town.applied(&[&held]).await;
    let id = held.value().id;
    for device in [&buyer, &bakery.device] {
        let holds = town.snapshot(device).await.holds;
        assert_eq!(
            holds.iter().map(|hold| (hold.id, hold.units())).collect::<Vec<_>>(),
            [(id, units(2_000))]
        );
    }
    assert_eq!(town.snapshot(&buyer).await.lots[0].free(), units(1_000));

    let capture = bakery.device.op(town.now(), OpBody::CaptureHold { hold: id, units: units(1_500) });
    town.applied(&[&capture]).await;
    assert_eq!(town.submit_one(&capture).await, Verdict::Duplicate { refused: None });
    assert!(town.snapshot(&buyer).await.holds.is_empty());
    assert_eq!(town.balance(&buyer).await, 1_500);
    let void = bakery.device.op(town.now(), OpBody::VoidHold { hold: id });
    assert_eq!(refused(&town.submit_one(&void).await)["code"], "hold_over");
    let reverse = OpBody::ReverseRedemption { redemption: capture.value().id };
    town.applied(&[&bakery.device.op(town.now(), reverse)]).await;
    assert_eq!(town.balance(&buyer).await, 3_000);

    let inboxes = [
        told(&town, &buyer, InboxName::Account(buyer.account), 2).await,
        told(&town, &bakery.device, InboxName::Merchant(bakery.merchant), 2).await,
    ];
    for events in &inboxes {
        let [EventBody::HoldMade { .. }, EventBody::Redeemed { hold, .. }, EventBody::Reversed { lots, .. }] =
            events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!(hold.as_ref().map(|captured| captured.hold), Some(id));
        assert_eq!(lots[0].remaining, units(3_000));
    }
    assert_eq!(inboxes[0], inboxes[1]);
    town.close().await;
}

#[tokio::test]
async fn a_clerk_reads_the_holds_of_the_own_till_and_a_computer_those_of_the_shop() {
    let street = Street::open().await;
    let (town, group) = (&street.town, street.groups[0]);
    let clerk = street.subject(Who::Role(moa_rules::role::Role::Staff)).await;
    let owner = clerk.owner.as_ref().unwrap();
    let computer = street.till(owner, KeyKind::Service).await;
    let by_clerk = hold(town, &clerk.device, &street.regular, group, 1_000);
    let by_owner = hold(town, owner, &street.regular, group, 1_100);
    let elsewhere = hold(town, &street.florist.device, &street.regular, group, 1_200);
    town.applied(&[&by_clerk, &by_owner, &elsewhere]).await;
    let read = async |device: &Device| -> Vec<i64> {
        let mut holds: Vec<i64> =
            town.snapshot(device).await.holds.iter().map(|hold| hold.units().get()).collect();
        holds.sort_unstable();
        holds
    };
    assert_eq!(read(&clerk.device).await, [1_000]);
    assert_eq!((read(owner).await, read(&computer).await), (vec![1_000, 1_100], vec![1_000, 1_100]));
    assert_eq!(read(&street.regular).await, [1_000, 1_100, 1_200]);
    // Whose hold it is does not matter for taking it: it is the shop's.
    let capture = OpBody::CaptureHold { hold: by_owner.value().id, units: units(1_100) };
    town.applied(&[&clerk.device.op(town.now(), capture)]).await;
    let till = InboxName::Till(clerk.device.key_id());
    let events = told(town, &clerk.device, till, 0).await;
    assert!(matches!(events.last(), Some(EventBody::Redeemed { .. })), "{events:?}");
    street.town.close().await;
}

#[tokio::test]
async fn a_hold_lapses_when_the_clock_passes_its_time() {
    let town = Town::open_with_test_clock().await;
    let (_, bakery, buyer, group) = alley(&town).await;
    let held = hold(&town, &bakery.device, &buyer, group, 2_000);
    town.applied(&[&held]).await;
    let until = town.snapshot(&buyer).await.holds[0].until;
    town.move_to(until).await;
    assert_eq!(town.snapshot(&buyer).await.holds.len(), 1);
    town.move_to(until.plus(1)).await;
    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((snapshot.holds.len(), snapshot.lots[0].free()), (0, units(3_000)));
    let events = told(&town, &buyer, InboxName::Account(buyer.account), 3).await;
    assert!(matches!(events.as_slice(), [EventBody::HoldReleased { lapsed: true, .. }]), "{events:?}");
    town.close().await;
}

#[tokio::test]
async fn a_refund_leaves_a_debt_that_the_next_purchase_pays() {
    let town = Town::open().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    let sale = town.sale(&cafe, 100_000);
    town.applied(&[&town.claim(&buyer, &sale, group)]).await;
    town.applied(&[&town.redemption(&bakery, &buyer, group, 5_000)]).await;
    let refund = OpBody::RefundSale { sale: sale.value().id, amount: Money(50_000) };
    town.applied(&[&cafe.device.op(town.now(), refund)]).await;
    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((snapshot.lots.len(), snapshot.debts[0].units), (0, units(500)));
    assert_eq!(snapshot.debts[0].merchant, cafe.merchant);

    town.applied(&[&town.claim(&buyer, &town.sale(&bakery, 20_000), group)]).await;
    let snapshot = town.snapshot(&buyer).await;
    assert_eq!((snapshot.debts.len(), town.balance(&buyer).await), (0, 100));
    let events = told(&town, &buyer, InboxName::Account(buyer.account), 4).await;
    assert!(
        matches!(
            events.as_slice(),
            [EventBody::Refunded { .. }, EventBody::Accrued { .. }, EventBody::DebtPaid { .. }]
        ),
        "{events:?}"
    );
    let shop = told(&town, &cafe.device, InboxName::Merchant(cafe.merchant), 0).await;
    assert!(matches!(shop.last(), Some(EventBody::DebtPaid { .. })), "{shop:?}");
    town.close().await;
}

#[tokio::test]
async fn a_purchase_that_mileage_paid_in_part_is_refunded_in_both() {
    let town = Town::open().await;
    let (cafe, _, buyer, group) = alley(&town).await;
    let paid = town.redemption(&cafe, &buyer, group, 2_000);
    town.applied(&[&paid]).await;
    let redemption = Some(paid.value().id);
    let body = OpBody::RecordSale { amount: Money(8_000), addressee: None, redemption };
    let sale = cafe.device.op(town.now(), body);
    town.applied(&[&town.claim(&buyer, &sale, group)]).await;
    assert_eq!(town.balance(&buyer).await, 1_240);
    let refund = OpBody::RefundSale { sale: sale.value().id, amount: Money(10_000) };
    town.applied(&[&cafe.device.op(town.now(), refund)]).await;
    assert_eq!(town.balance(&buyer).await, 3_000);
    let events = told(&town, &buyer, InboxName::Account(buyer.account), 4).await;
    let [EventBody::Reversed { units: back, .. }, EventBody::Refunded { money, units: taken, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*back, *money, *taken), (units(2_000), Money(8_000), units(240)));
    town.close().await;
}

#[tokio::test]
async fn a_voided_sale_leaves_the_buyers_list() {
    let town = Town::open().await;
    let (cafe, _, buyer, _) = alley(&town).await;
    town.found(&cafe).await;
    let code = town.snapshot(&buyer).await.member.unwrap().code(town.now()).unwrap().0;
    let body = OpBody::SellTo { amount: Money(50_000), buyer: Buyer::Member(code), redemption: None };
    let sale = cafe.device.op(town.now(), body);
    town.applied(&[&sale]).await;
    assert_eq!(town.snapshot(&buyer).await.waiting.len(), 1);
    let void = OpBody::VoidSale { sale: sale.value().id };
    town.applied(&[&cafe.device.op(town.now(), void)]).await;
    assert!(town.snapshot(&buyer).await.waiting.is_empty());
    let events = told(&town, &buyer, InboxName::Account(buyer.account), 2).await;
    assert!(
        matches!(events.as_slice(), [EventBody::SaleWaits { .. }, EventBody::SaleVoided { .. }]),
        "{events:?}"
    );
    town.close().await;
}

fn grant(group: GroupId, to: Grantee, count: i64, last_day: Option<Day>) -> OpBody {
    OpBody::Grant { group, to, units: units(count), reason: Reason::OpeningBalance, last_day }
}

/// A grant to a number, and the number beside it.
fn grant_to_number(town: &Town, cafe: &Shop, group: GroupId, number: &str) -> (Checked<Op>, TypedNumber) {
    let salt = vec![9; SALT_BYTES];
    let to = Grantee::Buyer(Buyer::Number(hash(&salt, number)));
    let op = cafe.device.op(town.now(), grant(group, to, 700, None));
    let beside = TypedNumber { op: op.value().id, salt: Base64(salt), number: number.to_owned() };
    (op, beside)
}

#[tokio::test]
async fn an_opening_balance_waits_for_the_owner_of_its_number() {
    let town = Town::open().await;
    let (cafe, _, buyer, group) = alley(&town).await;
    let newcomer = "010-4444-4444";
    let (op, beside) = grant_to_number(&town, &cafe, group, newcomer);
    assert_eq!(submit(&town, &op, vec![beside.clone()]).await.verdicts, [Verdict::Applied]);
    let again = submit(&town, &op, vec![beside]).await.verdicts.remove(0);
    assert_eq!(again, Verdict::Duplicate { refused: None });
    let (known, beside) = grant_to_number(&town, &cafe, group, BUYER);
    assert_eq!(submit(&town, &known, vec![beside]).await.verdicts, [Verdict::Applied]);
    assert_eq!(town.balance(&buyer).await, 3_700);
    // The shop learns of neither whether it was known.
    let shop = told(&town, &cafe.device, InboxName::Merchant(cafe.merchant), 5).await;
    assert!(matches!(shop.as_slice(), [EventBody::Granted { .. }, EventBody::Granted { .. }]), "{shop:?}");
    // Longer than a sale would wait.
    let town = town.reopen(60 * Timestamp::DAY).await;
    let owner = town.enrol(newcomer).await;
    assert_eq!(town.balance(&owner).await, 700);
    town.close().await;
}

#[tokio::test]
async fn a_shop_gives_and_takes_away_and_the_buyer_reads_why() {
    let town = Town::open().await;
    let (_, bakery, buyer, group) = alley(&town).await;
    let code = town.snapshot(&buyer).await.member.unwrap().code(town.now()).unwrap().0;
    let gives = grant(group, Grantee::Buyer(Buyer::Member(code)), 400, None);
    town.applied(&[&bakery.device.op(town.now(), gives)]).await;
    let (account, reason) = (buyer.account, Reason::Misuse);
    let takes = OpBody::TakeAway { group, account, units: units(150), reason, unit: None };
    town.applied(&[&bakery.device.op(town.now(), takes)]).await;
    assert_eq!(town.balance(&buyer).await, 3_250);
    let events = told(&town, &buyer, InboxName::Account(buyer.account), 2).await;
    let [EventBody::Granted { reason: why, .. }, EventBody::TakenAway { reason: because, .. }] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*why, *because), (Reason::OpeningBalance, Reason::Misuse));
    town.close().await;
}

#[tokio::test]
async fn approvals_and_passes_say_what_a_unit_is() {
    let town = Town::open().await;
    let (cafe, buyer) = (town.shop(CAFE, "Cafe").await, town.enrol(BUYER).await);
    let terms = Terms::coupons(Money(1_000), None, Validity::Months(6));
    let profile = Profile::new("Alley", Scope::Area);
    let founds = cafe.device.op(town.now(), OpBody::FoundGroup { profile, terms });
    town.applied(&[&founds]).await;
    let group = founds.value().id.as_group();
    for _ in 0..2 {
        town.applied(&[&town.claim(&buyer, &town.sale(&cafe, 5_000), group)]).await;
    }
    let (merchant, till, unit) = (cafe.merchant, cafe.device.key_id(), Some(Unit::Coupon));
    let expires = town.now().plus(Timestamp::MINUTE).seconds();
    let one = units(1);
    let points = OpBody::Pay { merchant, group, units: one, expires, unit: None };
    let answer = submit(&town, &buyer.op(town.now(), points), Vec::new()).await;
    assert_eq!(refused(&answer.verdicts[0])["code"], "not_enough", "coupons are no points");
    assert!(answer.tokens.is_empty());

    let pays = buyer.op(town.now(), OpBody::Pay { merchant, group, units: one, expires, unit });
    let answer = submit(&town, &pays, Vec::new()).await;
    let approval = Sealed::<Approval>::parse(&answer.tokens[0].token.0).unwrap();
    assert_eq!(approval.check(&buyer.server_key).unwrap().value().unit, unit);
    let body = OpBody::ReservePass { merchant, till, group, units: one, expires, unit };
    let answer = submit(&town, &buyer.op(town.now(), body), Vec::new()).await;
    let pass = answer.tokens[0].token.0.clone();
    let token = Sealed::<PassToken>::parse(&pass).unwrap().check(&buyer.server_key).unwrap();
    assert_eq!(token.value().unit, unit);
    let code = show(&buyer, pass, town.now());
    town.applied(&[&cafe.device.op(town.now(), OpBody::RedeemPass { code, units: one })]).await;
    assert_eq!(town.balance(&buyer).await, 0);
    town.close().await;
}

/// Every op that must not hold is refused with its code, twice the same, and leaves what everyone reads as it was.
#[tokio::test]
async fn what_cannot_be_held_refunded_or_given_is_refused_without_a_trace() {
    let town = Town::open().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    let now = town.now();
    let others = town.sale(&bakery, 50_000);
    let own = town.sale(&cafe, 50_000);
    let open = hold(&town, &cafe.device, &buyer, group, 1_000);
    let taken = town.redemption(&bakery, &buyer, group, 1_000);
    town.applied(&[&others, &own, &open, &taken]).await;
    let (sale, open) = (own.value().id, open.value().id);
    let code = |most: i64, change: fn(&mut RedemptionCode)| {
        let expires = now.plus(RedemptionCode::LIFETIME).seconds();
        let (version, key, counter) = (OP_VERSION, buyer.key_id(), buyer.next_counter());
        let mut code =
            RedemptionCode { version, key, counter, expires, group, most: units(most), unit: None };
        change(&mut code);
        Checked::sign(code, &buyer.key).unwrap().bytes().to_vec()
    };
    let good = |most| code(most, |_| {});
    let hold = |code, count, seconds| OpBody::Hold { code, units: units(count), seconds };
    let unsigned = {
        let mut code = good(1_000);
        *code.last_mut().unwrap() ^= 1;
        code
    };
    let refund = |sale, amount| OpBody::RefundSale { sale, amount: Money(amount) };
    let to = || Grantee::Account(buyer.account);
    let take = |count, unit| {
        let (account, reason) = (buyer.account, Reason::Other);
        OpBody::TakeAway { group, account, units: units(count), reason, unit }
    };
    let nobody = OpId([0xee; 16]);
    let numbered = Grantee::Buyer(Buyer::Number(hash(&[7; SALT_BYTES], BUYER)));
    let cases = [
        (hold(good(1_000), 1_000, Some(0)), "hold_too_long"),
        (hold(good(1_000), 1_000, Some(86_401)), "hold_too_long"),
        (hold(good(1_000), 0, None), "units_not_positive"),
        (hold(good(1_000), 1_001, None), "more_than_code"),
        (hold(good(9_000), 9_000, None), "not_enough"),
        (hold(code(1_000, |code| code.unit = Some(Unit::Stamp(0))), 1_000, None), "not_enough"),
        (hold(code(1_000, |code| code.group = GroupId([9; 16])), 1_000, None), "unknown_group"),
        (hold(code(1_000, |code| code.expires = 1), 1_000, None), "code_expired"),
        (hold(code(1_000, |code| code.version = 9), 1_000, None), "unsupported_version"),
        (hold(Vec::new(), 1_000, None), "not_a_code"),
        (hold(vec![0xd2; 160], 1_000, None), "not_a_code"),
        (hold(own.bytes().to_vec(), 1_000, None), "not_a_code"),
        (hold(unsigned, 1_000, None), "bad_signature"),
        (OpBody::CaptureHold { hold: open, units: units(1_001) }, "more_than_code"),
        (OpBody::CaptureHold { hold: open, units: units(0) }, "units_not_positive"),
        (OpBody::CaptureHold { hold: nobody, units: units(1) }, "unknown_hold"),
        (OpBody::VoidHold { hold: sale }, "unknown_hold"),
        (OpBody::ReverseRedemption { redemption: taken.value().id }, "unknown_redemption"),
        (OpBody::ReverseRedemption { redemption: sale }, "unknown_redemption"),
        (refund(sale, 0), "amount_not_positive"),
        (refund(sale, -1), "amount_not_positive"),
        (refund(sale, 50_001), "refund_too_large"),
        (refund(sale, i64::MAX), "refund_too_large"),
        (refund(others.value().id, 1), "unknown_sale"),
        (refund(nobody, 1), "unknown_sale"),
        (OpBody::VoidSale { sale: others.value().id }, "unknown_sale"),
        (grant(group, to(), 0, None), "units_not_positive"),
        (grant(group, to(), 1_000_001, None), "grant_too_large"),
        (grant(group, to(), i64::MAX, None), "grant_too_large"),
        (grant(group, to(), 1, Some(Day(0))), "bad_last_day"),
        (grant(group, to(), 1, Some(Day(i32::MIN))), "bad_last_day"),
        (grant(group, to(), 1, Some(Day(i32::MAX))), "bad_last_day"),
        (grant(group, Grantee::Account(cafe.device.account), 1, None), "own_sale"),
        (grant(GroupId([9; 16]), to(), 1, None), "unknown_group"),
        (grant(group, numbered, 1, None), "number_missing"),
        (take(0, None), "units_not_positive"),
        (take(2_001, None), "not_so_much_issued"),
        (take(1, Some(Unit::Coupon)), "not_so_much_issued"),
    ];
    for (body, expected) in cases {
        let before = readable(&town, &[&cafe.device, &bakery.device, &buyer]).await;
        let op = cafe.device.op(now, body);
        let first = town.submit_one(&op).await;
        assert!(matches!(first, Verdict::Refused(_)), "{expected}: {first:?}");
        assert_eq!(refused(&first)["code"], expected, "{:?}", op.value().body);
        assert_eq!(refused(&town.submit_one(&op).await)["code"], expected);
        assert_eq!(readable(&town, &[&cafe.device, &bakery.device, &buyer]).await, before, "{expected}");
    }
    let large = cafe.device.unsigned(now, hold(vec![7; 5_000], 1, None));
    let large = town.submit_one(&cafe.device.sign(large)).await;
    assert_eq!(refused(&large)["code"], "op_too_large");
    town.close().await;
}

/// A grant to a number with what is beside it missing, of another op, of another number, or no number at all.
#[tokio::test]
async fn a_grant_to_a_number_needs_that_number_beside_it() {
    let town = Town::open().await;
    let (cafe, _, buyer, group) = alley(&town).await;
    let wrong: [fn(TypedNumber) -> Vec<TypedNumber>; 5] = [
        |_| Vec::new(),
        |beside| vec![TypedNumber { op: OpId([9; 16]), ..beside }],
        |beside| vec![TypedNumber { number: "010-9999-9999".to_owned(), ..beside }],
        |beside| vec![TypedNumber { salt: Base64(Vec::new()), ..beside }],
        |beside| vec![TypedNumber { number: String::new(), ..beside }],
    ];
    for spoil in wrong {
        let (op, beside) = grant_to_number(&town, &cafe, group, BUYER);
        let answer = submit(&town, &op, spoil(beside)).await;
        assert_eq!(refused(&answer.verdicts[0])["code"], "number_missing");
    }
    let long = "1".repeat(200);
    for (number, expected) in
        [("", "bad_number"), ("112", "bad_number"), ("no number", "bad_number"), (&long, "number_missing")]
    {
        let (op, beside) = grant_to_number(&town, &cafe, group, number);
        let answer = submit(&town, &op, vec![beside]).await;
        assert_eq!(refused(&answer.verdicts[0])["code"], expected, "{number}");
    }
    assert_eq!(town.balance(&buyer).await, 3_000);
    town.close().await;
}

/// All that these devices read, but for signatures and times, which differ.
async fn readable(town: &Town, devices: &[&Device]) -> Vec<String> {
    let mut all = Vec::new();
    for device in devices {
        let snapshot = town.snapshot(device).await;
        let (lots, debts, holds, cursor) = (snapshot.lots, snapshot.debts, snapshot.holds, snapshot.cursor);
        all.push(format!("{lots:?} {debts:?} {holds:?} {cursor}"));
    }
    all
}
