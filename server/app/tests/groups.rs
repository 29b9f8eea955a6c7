//! Terms that change, members that leave or are frozen, groups that end, over HTTP: who reads what of them, and what they
//! refuse.

mod support;

use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::event::{Event, EventBody};
use moa_rules::group::{NOTICE_DAYS, REDEEM_ONLY_DAYS};
use moa_rules::id::{GroupId, OpId};
use moa_rules::op::{Choice, OpBody};
use moa_rules::period::{CutDay, Period};
use moa_rules::quantity::{BasisPoints, Currency, Money, Units};
use moa_rules::role::Role;
use moa_rules::terms::{Kind, StampCard, Terms};
use moa_rules::time::{Timestamp, Validity};
use moa_wire::api::{GroupEntry, InboxName, Verdict};
use moa_wire::canonical;
use support::subjects::{Street, Who};
use support::{Device, Shop, Town, refused};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const BUYER: &str = "010-3333-3333";

fn units(count: i64) -> Units {
    Units::new(count).unwrap()
}

fn points(bp: u16) -> Terms {
    Terms::points(BasisPoints::new(bp).unwrap(), Validity::Months(6), units(1_000))
}

async fn alley(town: &Town) -> (Shop, Shop, Device, GroupId) {
    let (cafe, bakery) = (town.shop(CAFE, "Cafe").await, town.shop(BAKERY, "Bakery").await);
    let (buyer, group) = (town.enrol(BUYER).await, town.found(&cafe).await);
    town.join(&bakery, group).await;
    (cafe, bakery, buyer, group)
}

async fn entry(town: &Town, device: &Device, group: GroupId) -> GroupEntry {
    let directory = town.directory(device, "").await;
    directory.groups.into_iter().find(|entry| entry.group.id == group).unwrap()
}

/// What the group's inbox tells a member after the first so many events.
async fn told(town: &Town, member: &Shop, group: GroupId, after: usize) -> Vec<EventBody> {
    let changes = town.changes(&member.device, "", 0).await;
    let inbox = changes.inboxes.into_iter().find(|changes| changes.inbox == InboxName::Group(group)).unwrap();
    let events = inbox.events.iter().map(|event| canonical::decode::<Event>(&event.0).unwrap().body);
    events.skip(after).collect()
}

async fn does(town: &Town, shop: &Shop, body: OpBody) -> OpId {
    let op = shop.device.op(town.now(), body);
    town.applied(&[&op]).await;
    op.value().id
}

async fn earn(town: &Town, shop: &Shop, buyer: &Device, (group, terms_version): (GroupId, u32)) {
    let sale = town.sale(shop, 100_000).bytes().to_vec();
    let choice = Some(Choice { group, terms_version });
    town.applied(&[&buyer.op(town.now(), OpBody::Claim { sale, choice })]).await;
}

#[tokio::test]
async fn amended_terms_are_in_force_from_their_date_if_the_members_agree() {
    let town = Town::open_with_test_clock().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    let from = town.now().plus(3 * Timestamp::DAY);
    let proposes = OpBody::AmendTerms { group, terms: points(500), from: from.seconds() };
    let amendment = does(&town, &cafe, proposes).await;
    let shown = entry(&town, &buyer, group).await.amendment.unwrap();
    assert_eq!((shown.id, shown.terms, shown.from), (amendment, points(500), from));
    assert_eq!((shown.agreed, shown.declined), (vec![cafe.merchant], vec![]));
    does(&town, &bakery, OpBody::AnswerAmendment { group, amendment, agrees: true }).await;

    town.move_to(from.plus(-1)).await;
    assert_eq!(entry(&town, &buyer, group).await.terms.version, 1);
    town.move_to(from).await;
    let shown = entry(&town, &buyer, group).await;
    assert_eq!((shown.terms.version, shown.terms.terms, shown.amendment), (2, points(500), None));
    earn(&town, &cafe, &buyer, (group, 1)).await;
    earn(&town, &cafe, &buyer, (group, 2)).await;
    town.move_to(from.plus(8 * Timestamp::DAY)).await;
    does(&town, &cafe, OpBody::RenewCertificate).await;
    earn(&town, &cafe, &buyer, (group, 1)).await;
    let mut lots = town.snapshot(&buyer).await.lots;
    lots.sort_by_key(|lot| (lot.issued_at, lot.units));
    let earned: Vec<_> = lots.iter().map(|lot| (lot.units.get(), lot.terms_version)).collect();
    assert_eq!(earned, [(3_000, 1), (5_000, 2), (5_000, 2)], "the old terms count for seven days");
    let events = told(&town, &bakery, group, 3).await;
    assert!(
        matches!(
            events.as_slice(),
            [
                EventBody::AmendmentProposed { .. },
                EventBody::AmendmentAnswered { agrees: true, .. },
                EventBody::TermsAmended { version: 2, .. }
            ]
        ),
        "{events:?}"
    );
    town.close().await;
}

#[tokio::test]
async fn terms_that_a_member_does_not_agree_to_are_rejected_at_their_date() {
    let town = Town::open_with_test_clock().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    let from = town.now().plus(Timestamp::DAY);
    let proposes = OpBody::AmendTerms { group, terms: points(1), from: from.seconds() };
    let amendment = does(&town, &cafe, proposes).await;
    does(&town, &bakery, OpBody::AnswerAmendment { group, amendment, agrees: false }).await;
    town.move_to(from).await;
    let shown = entry(&town, &buyer, group).await;
    assert_eq!((shown.terms.version, shown.amendment), (1, None));
    let events = told(&town, &bakery, group, 5).await;
    assert!(matches!(events.as_slice(), [EventBody::AmendmentRejected { .. }]), "{events:?}");
    town.close().await;
}

#[tokio::test]
async fn a_shop_that_leaves_or_is_put_out_is_in_the_directory_without_the_group() {
    let town = Town::open().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    earn(&town, &bakery, &buyer, (group, 1)).await;
    for leaves in [true, false] {
        if leaves {
            does(&town, &bakery, OpBody::LeaveGroup { group }).await;
        } else {
            does(&town, &cafe, OpBody::ExpelMember { group, merchant: bakery.merchant }).await;
        }
        let directory = town.directory(&buyer, "").await;
        let shop = directory.merchants.iter().find(|shop| shop.id == bakery.merchant).unwrap();
        assert_eq!(shop.groups, []);
        let shown = entry(&town, &buyer, group).await;
        assert_eq!((shown.members, shown.group.members), (vec![cafe.merchant], 1));
        let reason = town.submit_one(&town.redemption(&bakery, &buyer, group, 1_000)).await;
        assert_eq!(refused(&reason)["code"], "shop_not_in_group");
        town.applied(&[&town.redemption(&cafe, &buyer, group, 1_000)]).await;
        // The shop itself reads of it where it reads of itself.
        let changes = town.changes(&bakery.device, "", 0).await;
        let names: Vec<InboxName> = changes.inboxes.iter().map(|changes| changes.inbox).collect();
        assert!(!names.contains(&InboxName::Group(group)));
        let own = changes.inboxes.iter().find(|it| it.inbox == InboxName::Merchant(bakery.merchant)).unwrap();
        let left = own.events.iter().rev().find_map(|event| {
            match canonical::decode::<Event>(&event.0).unwrap().body {
                EventBody::MemberLeft { expelled, .. } => Some(expelled),
                _ => None,
            }
        });
        assert_eq!(left, Some(!leaves));
        town.join(&bakery, group).await;
    }
    assert_eq!(entry(&town, &buyer, group).await.members.len(), 2);
    town.close().await;
}

#[tokio::test]
async fn a_frozen_members_mileage_waits_until_an_operator_lets_it_go() {
    let street = Street::open().await;
    let (town, group, baker) = (&street.town, street.groups[0], &street.baker);
    let operator = street.subject(Who::Role(Role::Operator)).await.device;
    let freezes = |frozen| {
        let body = OpBody::FreezeMember { group, merchant: street.florist.merchant, frozen };
        operator.op(town.now(), body)
    };
    town.applied(&[&freezes(true)]).await;
    let shown = entry(town, &street.regular, group).await;
    assert_eq!(shown.group.frozen, [street.florist.merchant]);
    let spends = || town.redemption(baker, &street.regular, group, 1_000);
    let reason = refused(&town.submit_one(&spends()).await);
    assert_eq!((&reason["code"], &reason["available"]), (&"below_minimum".into(), &0.into()));
    let at = town.submit_one(&town.redemption(&street.florist, &street.regular, group, 1_000)).await;
    assert_eq!(refused(&at)["code"], "member_frozen");
    town.applied(&[&freezes(false)]).await;
    town.applied(&[&spends()]).await;
    let events = told(town, baker, group, 3).await;
    assert!(
        matches!(
            events.as_slice(),
            [EventBody::MemberFrozen { frozen: true, .. }, EventBody::MemberFrozen { frozen: false, .. }]
        ),
        "{events:?}"
    );
    street.town.close().await;
}

#[tokio::test]
async fn a_group_closes_and_ends_with_all_that_remained_expired() {
    let town = Town::open_with_test_clock().await;
    let (cafe, bakery, buyer, group) = alley(&town).await;
    earn(&town, &bakery, &buyer, (group, 1)).await;
    does(&town, &bakery, OpBody::LeaveGroup { group }).await;
    does(&town, &cafe, OpBody::CloseGroup { group }).await;
    let closing = entry(&town, &buyer, group).await.group.closing.unwrap();
    let days = |days: u32| i64::from(days) * Timestamp::DAY;
    assert_eq!(closing.redeem_only_from, town.now().plus(days(NOTICE_DAYS)));
    assert_eq!(closing.ends_at, closing.redeem_only_from.plus(days(REDEEM_ONLY_DAYS)));
    let joins = bakery.device.op(town.now(), OpBody::JoinGroup { group, terms_version: 1, invitation: None });
    assert_eq!(refused(&town.submit_one(&joins).await)["code"], "group_closing");

    town.move_to(closing.redeem_only_from.plus(-Timestamp::SECOND)).await;
    does(&town, &cafe, OpBody::RenewCertificate).await;
    earn(&town, &cafe, &buyer, (group, 1)).await;
    town.move_to(closing.redeem_only_from).await;
    let late = town.claim(&buyer, &town.sale(&cafe, 100_000), group);
    assert_eq!(refused(&town.submit_one(&late).await)["code"], "group_closing");
    let (to, reason) = (Grantee::Account(buyer.account), Reason::Goodwill);
    let gives = OpBody::Grant { group, to, units: units(100), reason, last_day: None };
    let gives = cafe.device.op(town.now(), gives);
    assert_eq!(refused(&town.submit_one(&gives).await)["code"], "group_closing");
    town.move_to(closing.ends_at.plus(-1)).await;
    town.applied(&[&town.redemption(&cafe, &buyer, group, 2_000)]).await;
    let code = buyer.code(town.now(), group, units(1_500)).bytes().to_vec();
    let hold = does(&town, &cafe, OpBody::Hold { code, units: units(1_500), seconds: None }).await;

    town.move_to(closing.ends_at).await;
    assert_eq!(town.balance(&buyer).await, 1_500, "what is held waits");
    assert!(!entry(&town, &buyer, group).await.group.closing.unwrap().ended);
    does(&town, &cafe, OpBody::CaptureHold { hold, units: units(1_000) }).await;
    town.move_to(closing.ends_at.plus(Timestamp::MINUTE)).await;
    assert!(town.snapshot(&buyer).await.lots.is_empty());
    assert!(entry(&town, &buyer, group).await.group.closing.unwrap().ended);
    let events = told(&town, &cafe, group, 3).await;
    assert!(
        matches!(
            events.as_slice(),
            [EventBody::MemberLeft { .. }, EventBody::GroupClosing { .. }, EventBody::GroupEnded { .. }]
        ),
        "{events:?}"
    );
    town.close().await;
}

#[tokio::test]
async fn what_members_cannot_do_is_refused_without_a_trace() {
    let town = Town::open().await;
    let (cafe, bakery, _, group) = alley(&town).await;
    let own = town.found(&bakery).await;
    let now = town.now().seconds();
    let from = |days: u64| now + days * 86_400;
    let amendment = does(&town, &cafe, OpBody::AmendTerms { group, terms: points(300), from: from(1) }).await;
    let amend = |terms, from| OpBody::AmendTerms { group, terms, from };
    let card = StampCard { per: None, stamps: 10, reward: Money(5_000) };
    let stamps = |card| Terms::stamps(card, Validity::Months(6));
    let period = |months, day, minute| Terms { period: Some(Period { months, day, minute }), ..points(300) };
    let nobody = GroupId([9; 16]);
    let answer = |amendment| OpBody::AnswerAmendment { group, amendment, agrees: true };
    let by_admin = [
        (amend(points(300), from(367)), "bad_date"),
        (amend(points(300), now - 2 * 86_400), "bad_date"),
        (amend(points(300), 0), "bad_date"),
        (amend(points(300), u64::MAX), "bad_date"),
        (amend(Terms { zone: "Asia/Tokyo".into(), ..points(300) }, from(1)), "cannot_follow"),
        (amend(Terms { zone: "x".repeat(3_000), ..points(300) }, from(1)), "unknown_zone"),
        (amend(Terms { unit_value: Money(0), ..points(300) }, from(1)), "bad_terms"),
        (amend(Terms { validity: Validity::Days(0), ..points(300) }, from(1)), "bad_terms"),
        (amend(stamps(StampCard { stamps: 0, ..card }), from(1)), "bad_terms"),
        (amend(stamps(StampCard { stamps: 3, ..card }), from(1)), "bad_terms"),
        (amend(stamps(StampCard { per: Some(Money(1)), ..card }), from(1)), "bad_terms"),
        (amend(Terms { card: Some(card), ..points(300) }, from(1)), "bad_terms"),
        (amend(Terms { kind: Kind::Stamp, ..points(300) }, from(1)), "bad_terms"),
        (amend(Terms { least_purchase: Some(Money(1)), ..points(300) }, from(1)), "bad_terms"),
        (amend(period(5, CutDay::Last, 0), from(1)), "bad_terms"),
        (amend(period(0, CutDay::Last, 0), from(1)), "bad_terms"),
        (amend(period(1, CutDay::Next(29), 0), from(1)), "bad_terms"),
        (amend(period(1, CutDay::Last, 1_441), from(1)), "bad_terms"),
        (answer(OpId([9; 16])), "unknown_amendment"),
        (OpBody::LeaveGroup { group }, "admin_stays"),
        (OpBody::LeaveGroup { group: own }, "shop_not_in_group"),
        (OpBody::ExpelMember { group, merchant: cafe.merchant }, "admin_stays"),
        (OpBody::ExpelMember { group, merchant: moa_rules::id::MerchantId([9; 16]) }, "shop_not_in_group"),
        (OpBody::CloseGroup { group }, "not_last_member"),
        (OpBody::CloseGroup { group: nobody }, "unknown_group"),
        (OpBody::FreezeMember { group, merchant: bakery.merchant, frozen: true }, "not_allowed"),
        (OpBody::DecideAmendment { group, amendment }, "not_allowed"),
        (OpBody::EndGroup { group }, "not_allowed"),
    ];
    let by_member = [
        (amend(points(300), from(1)), "not_allowed"),
        (OpBody::ExpelMember { group, merchant: cafe.merchant }, "not_allowed"),
        (OpBody::CloseGroup { group }, "not_allowed"),
        (OpBody::LeaveGroup { group: own }, "last_member"),
    ];
    let all = by_admin.map(|case| (&cafe, case)).into_iter().chain(by_member.map(|case| (&bakery, case)));
    let readable = async || {
        let shown = entry(&town, &cafe.device, group).await;
        let cursors = [town.snapshot(&cafe.device).await.cursor, town.snapshot(&bakery.device).await.cursor];
        format!("{shown:?} {cursors:?}")
    };
    let before = readable().await;
    for (shop, (body, expected)) in all {
        let op = shop.device.op(town.now(), body);
        let first = town.submit_one(&op).await;
        assert!(matches!(first, Verdict::Refused(_)), "{expected}: {:?}", op.value().body);
        assert_eq!(refused(&first)["code"], expected, "{:?}", op.value().body);
        assert_eq!(refused(&town.submit_one(&op).await)["code"], expected);
        assert_eq!(readable().await, before, "{expected}");
    }
    let dollars = Terms { currency: Currency::try_from("USD").unwrap(), ..points(300) };
    let refusal = town.submit_one(&cafe.device.op(town.now(), amend(dollars, from(1)))).await;
    assert_eq!(refused(&refusal)["field"], "currency");
    town.close().await;
}
