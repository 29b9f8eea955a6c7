//! A town in which something of everything has happened.

use moa_ledger::store::invitations::{Invitations, Seen, Sending, SendingLimits, Sent};
use moa_ledger::store::pictures::{NewPicture, Pictures};
use moa_ledger::store::{
    Answer, CodeTry, NewEffect, NewEnrolment, NewOneTime, NewToken, Outcome, People, Session, Store,
};
use moa_rules::adjustment::{Grantee, Reason};
use moa_rules::device::KeyKind;
use moa_rules::id::{AccountId, KeyId, MerchantId, OpId, PictureId};
use moa_rules::invitation::{Invited, Ticket, TicketMac, TokenHash};
use moa_rules::marketing::{AgreedText, TextLanguage};
use moa_rules::merchant::MerchantProfile;
use moa_rules::op::OpBody;
use moa_rules::quantity::{Money, Units};
use moa_rules::standing::StandingChoice;
use moa_rules::terms::{Admission, Basis, Profile, Terms};
use moa_rules::time::Timestamp;
use moa_wire::keys::{Signer, SoftwareKey, key_id};

use super::{Actor, START, Shop, Town, alley, points, shop_profile};

/// A shop, two buyers, sales, redemptions, an expiry, keys of every kind, staff, passes: every table has rows.
pub fn history<S: Store>(town: &mut Town<S>) {
    let (cafe, bakery) = (town.shop("카페"), town.shop("빵집"));
    let group = town.group(points(500, 0, Basis::OnIssue), &[&cafe, &bakery]);
    let buyers = [(); 2].map(|()| town.enrol());
    for buyer in &buyers {
        for _ in 0..40 {
            town.earn(&cafe, buyer, group, 10_000);
        }
        town.redeem(&bakery, buyer, group, 700);
    }
    // Two sales that wait, of which one lapses.
    let other = town.group(points(300, 0, Basis::OnIssue), &[&bakery]);
    town.apply(&cafe.actor, OpBody::JoinGroup { group: other, terms_version: 1, invitation: None });
    let waiting = [(); 2].map(|()| town.sell_to(&cafe, &buyers[1], 10_000).0);
    let choice = StandingChoice { groups: vec![other], best: true };
    let agreed = Some(AgreedText { version: 1, language: TextLanguage::English, hash: [7; 32] });
    town.apply(&buyers[0], OpBody::SetMarketing { agreed });
    town.apply(&buyers[0], OpBody::SetStanding { choice });
    let clerk = keys_and_staff(town, &cafe);
    // Passes: one open, one taken in part, one to come back.
    let still_open = town.reserve(&buyers[1], (&cafe, &clerk), group, 100, 72);
    let taken = town.reserve(&buyers[1], (&cafe, &clerk), group, 300, 1);
    town.take(&buyers[1], &clerk, taken, 200);
    let back = town.reserve(&buyers[1], (&cafe, &cafe.actor), group, 100, 1);
    town.now = town.now.plus(26 * Timestamp::HOUR);
    town.submit(&town.system_op(OpBody::ReleasePass { merchant: cafe.id, pass: back }));
    assert_ne!(still_open, back);
    town.now = town.now.plus(200 * Timestamp::DAY);
    let lapse = OpBody::LapseSale { merchant: cafe.id, sale: waiting[0] };
    town.submit(&town.system_op(lapse));
    let sweep = OpBody::ExpireLots { group, account: buyers[0].account };
    town.submit(&town.system_op(sweep));
}

/// An operator, a browser, a computer, a second phone, and two clerks, of whom one left; the other, who sold, is returned.
fn keys_and_staff<S: Store>(town: &Town<S>, cafe: &Shop) -> Actor {
    let (operator, clerk, former) = (town.enrol(), town.enrol(), town.enrol());
    town.appoint(operator.account, true);
    town.apply(&operator, OpBody::SetAllowance { merchant: cafe.id, most: Money(2_000_000_000) });
    town.hire(cafe, &clerk, 10_000, 20_000);
    town.hire(cafe, &former, 10_000, 20_000);
    town.apply(&clerk, OpBody::RecordSale { amount: Money(7_000), addressee: None, redemption: None });
    town.apply(&cafe.actor, OpBody::RemoveStaff { merchant: cafe.id, account: former.account });
    let second = town.further(&cafe.actor, false);
    town.apply(&cafe.actor, OpBody::AdmitDevice { key: second.key_id() });
    for kind in [KeyKind::Service, KeyKind::Browser { until: town.now.plus(Timestamp::DAY) }] {
        let public_key = SoftwareKey::generate().unwrap().0.public_key();
        town.apply(&cafe.actor, OpBody::AddKey { key: key_id(&public_key), public_key, kind });
    }
    town.apply(&cafe.actor, OpBody::RevokeDevice { key: second.key_id() });
    clerk
}

/// What can become of mileage, of terms and of members beside that: every live table has rows, in all their states.
pub fn vicissitudes<S: Store>(town: &mut Town<S>) {
    let shops = ["꽃집", "양복점", "서점"].map(|name| town.shop(name));
    let [florist, tailor, books] = &shops;
    let group = town.group(points(500, 0, Basis::OnIssue), &[florist, tailor, books]);
    let (buyer, debtor) = (town.enrol(), town.enrol());
    for _ in 0..4 {
        town.earn(florist, &buyer, group, 10_000);
    }
    let units = |units| Units::new(units).unwrap();

    // Holds: one open, one captured in part, one voided, one lapsed.
    let hold = |town: &Town<S>, of: i64| {
        let code = buyer.code(group, of, town.now);
        town.apply(&tailor.actor, OpBody::Hold { code, units: units(of), seconds: None })
    };
    let [captured, voided, lapsed] = [200, 100, 50].map(|of| hold(town, of));
    town.apply(&tailor.actor, OpBody::CaptureHold { hold: captured, units: units(150) });
    town.apply(&tailor.actor, OpBody::VoidHold { hold: voided });
    town.now = town.now.plus(11 * Timestamp::MINUTE);
    let over = town.system_op(OpBody::LapseHold { merchant: tailor.id, hold: lapsed });
    assert_eq!(town.submit(&over), Outcome::First(Answer::Applied));
    hold(town, 70);

    // A redemption that is undone, a sale that is voided, refunds of which one leaves a debt.
    let taken = |town: &Town<S>, buyer: &Actor, of: i64| {
        let body = OpBody::Redeem { code: buyer.code(group, of, town.now), units: units(of) };
        town.apply(&books.actor, body)
    };
    let undone = taken(town, &buyer, 300);
    town.apply(&books.actor, OpBody::ReverseRedemption { redemption: undone });
    let mistake = town.sale(florist, 5_000);
    assert_eq!(town.submit(&mistake), Outcome::First(Answer::Applied));
    town.apply(&florist.actor, OpBody::VoidSale { sale: mistake.value().id });
    let sale = town.sale(florist, 20_000);
    assert_eq!(town.submit(&town.claim(&debtor, &sale, group)), Outcome::First(Answer::Applied));
    let spent = taken(town, &debtor, 700);
    for amount in [5_000, 15_000] {
        town.apply(&florist.actor, OpBody::RefundSale { sale: sale.value().id, amount: Money(amount) });
    }

    // Of the debt a part is paid from what is earned next.
    town.earn(florist, &debtor, group, 2_000);

    // Given and taken away.
    let gift = |account, given| OpBody::Grant {
        group,
        to: Grantee::Account(account),
        units: units(given),
        reason: Reason::Goodwill,
        last_day: None,
    };
    town.apply(&florist.actor, gift(buyer.account, 40));
    let (account, reason) = (buyer.account, Reason::Correction);
    town.apply(&florist.actor, OpBody::TakeAway { group, account, units: units(10), reason, unit: None });

    // Terms that come into force, terms that wait; a member that leaves, one that is frozen; a group that closes.
    let amend = |town: &Town<S>, rate: u16| {
        let from = town.now.plus(Timestamp::HOUR).seconds();
        let amended = points(rate, 0, Basis::OnRedemption);
        let amendment = town.apply(&florist.actor, OpBody::AmendTerms { group, terms: amended, from });
        for shop in [tailor, books] {
            town.apply(&shop.actor, OpBody::AnswerAmendment { group, amendment, agrees: true });
        }
        amendment
    };
    let amendment = amend(town, 300);
    town.now = town.now.plus(2 * Timestamp::HOUR);
    let due = town.system_op(OpBody::DecideAmendment { group, amendment });
    assert_eq!(town.submit(&due), Outcome::First(Answer::Applied));
    amend(town, 200);
    town.apply(&books.actor, OpBody::LeaveGroup { group });
    let merchant = tailor.id;
    let frozen = town.system_op(OpBody::FreezeMember { group, merchant, frozen: true });
    assert_eq!(town.submit(&frozen), Outcome::First(Answer::Applied));
    let alone = town.group(points(100, 0, Basis::OnIssue), &[tailor]);
    town.apply(&tailor.actor, OpBody::CloseGroup { group: alone });

    joining(town, tailor, books);

    // What was spent comes back when its lot has ended: in a new one, and a part of it pays the debt.
    town.now = town.now.plus(200 * Timestamp::DAY);
    let sweep = OpBody::ExpireLots { group, account: buyer.account };
    assert_eq!(town.submit(&town.system_op(sweep)), Outcome::First(Answer::Applied));
    town.apply(&books.actor, OpBody::ReverseRedemption { redemption: spent });
}

/// Invitations used, declined, revoked and open, by links and in an app; requests that were answered and one that waits; a group
/// and a shop that present themselves otherwise.
fn joining<S: Store>(town: &Town<S>, host: &Shop, guest: &Shop) {
    let terms = Terms { admission: Some(Admission::Admin), ..points(100, 0, Basis::OnIssue) };
    let group = town.group(terms, &[host]);
    let expires = town.now.plus(14 * Timestamp::DAY).seconds();
    let invite = |to, shop: Option<&Shop>, mark: u8| {
        let hash = shop.is_none().then_some(TokenHash([mark; 32]));
        let shop = shop.map(|shop| shop.id);
        let uses = if shop.is_none() { 5 } else { 1 };
        let invitation = town.apply(&host.actor, OpBody::Invite { to, hash, shop, uses, expires });
        Ticket { issuer: host.id, invitation, mac: hash.map(|_| TicketMac([1; 16])) }
    };
    let by_link = invite(Invited::Group(group), None, 1);
    invite(Invited::App, None, 2);
    let in_app = invite(Invited::Group(group), Some(guest), 3);
    let revoked = invite(Invited::Group(group), None, 4);
    town.apply(&host.actor, OpBody::RevokeInvitation { invitation: revoked.invitation });
    town.apply(&guest.actor, OpBody::DeclineInvitation { ticket: in_app });
    let join = |invitation| OpBody::JoinGroup { group, terms_version: 1, invitation };
    town.apply(&guest.actor, join(Some(by_link)));
    for admits in [true, false] {
        let asks = town.shop("약국");
        let (merchant, request) = (asks.id, town.apply(&asks.actor, join(None)));
        town.apply(&host.actor, OpBody::AnswerJoin { group, merchant, request, admits });
    }
    let waits = town.shop("문구점");
    town.apply(&waits.actor, join(None));
    let profile = Profile { nickname: Some("옆집".to_owned()), ..alley() };
    town.apply(&host.actor, OpBody::AmendProfile { group, profile });
    let profile =
        MerchantProfile { area: Some("서울 마포구 연남동".to_owned()), ..shop_profile("양복점") };
    town.apply(&host.actor, OpBody::AmendMerchant { profile });
}

/// Rows in every table of people, and something to be sent.
pub fn persons(people: &(impl People + Invitations + Pictures)) {
    let account = AccountId([1; 16]);
    for id in 0..40 {
        let picture = NewPicture { id: PictureId([id; 16]), account, jpeg: vec![id; 3_000], made_at: START };
        people.keep_picture(&picture, 99, START).unwrap();
    }
    assert!(people.keep_pepper([6; 32]).unwrap(), "the first one");
    for (id, address_mac) in [(1, None), (2, Some([5; 32]))] {
        let enrolment = NewEnrolment {
            id: [id; 16],
            phone_mac: [id; 32],
            public_key: vec![4; 65],
            code_mac: [id; 32],
            address_mac,
            dial_code: 82,
            expires_at: START.plus(Timestamp::MINUTE),
            effect: NewEffect {
                id: [id; 16],
                kind: "sms".into(),
                payload: "{\"to\":\"모아\"}".into(),
                due_at: START,
            },
        };
        people.begin_enrolment(&enrolment).unwrap();
    }
    let attempt = CodeTry {
        enrolment: [1; 16],
        code_mac: [1; 32],
        tries: 2,
        fresh: account,
        fresh_recovery: [1; 32],
        recovery: None,
        recovery_tries: 3,
        silent_since: START,
    };
    people.try_code(&attempt, START).unwrap();
    people.account_of_number([9; 32], AccountId([9; 16]), START).unwrap();
    people.effect_done([1; 16], START).unwrap();
    people.device_enrolled(account, KeyId([1; 8]), START).unwrap();
    let until = START.plus(Timestamp::DAY);
    let session = Session { key: KeyId([1; 8]), account, thumbprint: [2; 32], until };
    people
        .begin_session(&session, [7; 32], NewToken { hash: [8; 32], expires_at: until }, "폰", START)
        .unwrap();
    people.member_tag(account, [3; 16]).unwrap();
    for (mac, code) in [(1, None), (2, Some(vec![7]))] {
        let (mac, made_at, expires_at, kept_until) = ([mac; 32], START, START.plus(5), START.plus(9));
        let one_time = NewOneTime { mac, account, code, made_at, expires_at, kept_until };
        people.keep_one_time(&one_time, 9, START).unwrap();
    }
    people.take_one_time([2; 32], true, b"one").unwrap();
    people.wrong_digits([1; 16], [9; 32], START).unwrap();
    let (issuer, invitation) = (MerchantId([1; 16]), OpId([2; 16]));
    people.name_invitation(issuer, invitation, [3; 32], START).unwrap();
    let sending = Sending {
        issuer,
        invitation,
        channel: "email".to_owned(),
        contact_mac: [4; 32],
        contact: vec![5; 40],
        effect: NewEffect {
            id: invitation.0,
            kind: "invitation".into(),
            payload: "{}".into(),
            due_at: START,
        },
        limits: SendingLimits { to_contact: 1, by_issuer: 1, since: START },
    };
    assert_eq!(people.send_invitation(&sending, START).unwrap(), Sent::Now);
    people.invitation_seen(issuer, invitation, Seen::Opened, START).unwrap();
}
