//! Invitations on the phones of those who invite and of those who come: links without a network, channels, answers, requests to
//! join, and what a phone that begins anew is told.

mod support;

use moa_phone::{
    Code, Data, Fate, HowAnswered, InvitationStanding, OwnInvitation, PhoneError, Reach, ReceivedInvitation,
    TransportError,
};
use moa_rules::admission::RequestState;
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::Invited;
use moa_rules::merchant::{Industry, MerchantProfile};
use moa_rules::quantity::{BasisPoints, Money};
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Admission, Profile, Scope, Terms};
use moa_rules::time::Timestamp;
use moa_wire::api::{Base64, InvitationFound};
use moa_wire::channel::Channel;
use moa_wire::contact::Contact;
use moa_wire::link::Destination;

use support::{NOON, Person, Server, Town, offline, profile, terms, units};

fn shop(person: &Person) -> MerchantId {
    person.phone.own_shop().unwrap().unwrap().id
}

fn refused<T: std::fmt::Debug>(result: Result<T, PhoneError>) -> Refusal {
    match result {
        Err(PhoneError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn fate(person: &Person, op: OpId) -> Fate {
    person.phone.fate(op).unwrap().unwrap()
}

/// The invitation as its maker sees it.
fn own(person: &Person, id: OpId) -> OwnInvitation {
    person.phone.invitations().unwrap().into_iter().find(|own| own.id == id).unwrap()
}

fn refresh(person: &Person, server: &mut Server) {
    let request = person.phone.invitations_request().unwrap();
    person.phone.invitations_read(Ok(server.answer(&request))).unwrap();
}

/// Someone opens an invitation by what they hold of it.
fn open(person: &Person, server: &mut Server, text: &str) -> Result<ReceivedInvitation, PhoneError> {
    let request = person.phone.open_request(text)?;
    person.phone.opened(Ok(server.answer(&request)))
}

/// A florist with a shop, in step.
fn florist(server: &mut Server, seed: u64) -> Person {
    let mut florist = Person::new(seed);
    florist.enrol(server);
    florist.phone.register_merchant(profile("골목 꽃집")).unwrap();
    florist.sync(server).unwrap();
    florist
}

/// A group of the café's in which it alone is, and that does not take everyone.
fn closed_group(town: &mut Town, admission: Admission) -> GroupId {
    let terms = Terms { admission: Some(admission), ..terms(300, 0) };
    let group = town.cafe.phone.found_group(Profile::new("건물", Scope::Building), terms).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    group
}

fn names(person: &Person, group: GroupId) -> Vec<String> {
    let members = person.phone.group(group).unwrap().unwrap().members;
    let mut names: Vec<_> = members.into_iter().filter_map(|shop| shop.name).collect();
    names.sort();
    names
}

#[test]
fn a_link_is_there_without_a_network_and_whoever_follows_it_is_a_member_on_every_phone() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    let draft = own(&town.cafe, invitation);
    let link = draft.link.unwrap();
    assert_eq!((draft.standing, draft.group_name.as_deref()), (InvitationStanding::Draft, Some("골목")));
    assert!(link.link.starts_with("https://moa.example/i/"), "{}", link.link);
    assert_eq!(link.poster, link.link.to_uppercase());
    assert!(matches!(
        town.bakery.phone.read_code(&link.poster).unwrap(),
        Code::Link(Destination::Invitation(token)) if token == link.token
    ));
    let mut florist = florist(&mut town.server, 9);
    let early = open(&florist, &mut town.server, &link.link);
    assert!(matches!(early, Err(PhoneError::Problem(problem)) if problem.code == "invitation_void"));

    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Minted);
    town.cafe.phone.invitation_shared(invitation, Channel::KakaoTalk).unwrap();
    let shared = own(&town.cafe, invitation);
    assert_eq!((shared.standing, shared.channel), (InvitationStanding::Shared, Some(Channel::KakaoTalk)));

    let received = open(&florist, &mut town.server, &link.link).unwrap();
    assert_eq!((received.id, received.from.name.as_deref()), (invitation, Some("골목 카페")));
    let group = received.group.unwrap();
    assert_eq!(group.members.len(), 2);
    assert_eq!(group.terms.rate.get(), 1_000);
    refresh(&town.cafe, &mut town.server);
    let claimed = own(&town.cafe, invitation);
    assert_eq!(claimed.standing, InvitationStanding::Claimed);
    assert_eq!(claimed.code.unwrap().len(), 9);

    let joined = florist.phone.accept_invitation(invitation, group.terms_version).unwrap();
    assert_eq!(florist.phone.received_invitations().unwrap()[0].answering, Some(true));
    assert!(!florist.phone.own_groups().unwrap()[0].confirmed);
    florist.sync(&mut town.server).unwrap();
    assert_eq!(fate(&florist, joined), Fate::Applied);
    let received = &florist.phone.received_invitations().unwrap()[0];
    assert_eq!((received.standing, received.answering), (InvitationStanding::Joined, None));
    town.cafe.sync(&mut town.server).unwrap();
    let done = own(&town.cafe, invitation);
    assert_eq!((done.standing, done.used, done.answers.len()), (InvitationStanding::Joined, 1, 1));
    assert_eq!(done.answers[0].shop.name.as_deref(), Some("골목 꽃집"));
    for person in [&mut town.bakery, &mut town.buyer] {
        person.sync(&mut town.server).unwrap();
        assert_eq!(names(person, town.group), ["골목 꽃집", "골목 빵집", "골목 카페"]);
    }
}

#[test]
fn a_claim_at_a_shop_that_joined_by_invitation_needs_no_network_afterwards() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let mut florist = florist(&mut town.server, 9);
    let link = own(&town.cafe, invitation).link.unwrap().link;
    open(&florist, &mut town.server, &link).unwrap();
    florist.phone.accept_invitation(invitation, 1).unwrap();
    florist.sync(&mut town.server).unwrap();
    town.buyer.sync(&mut town.server).unwrap();

    let voucher = florist.phone.record_sale(Money(20_000), None).unwrap();
    let scanned = town.buyer.scan(&voucher);
    assert_eq!(scanned.shop.clone().unwrap().name.as_deref(), Some("골목 꽃집"), "its key is known");
    let choices = town.buyer.phone.choices(&scanned).unwrap();
    assert_eq!((choices[0].choice.group, choices[0].earns), (town.group, units(2_000)));
    let claim = town.buyer.phone.claim(&scanned, Some(choices[0].choice)).unwrap();
    let no_signal = town.buyer.sync_over(&mut town.server, offline);
    assert!(no_signal.is_err());
    assert_eq!(town.buyer.phone.balances().unwrap()[0].pending, units(2_000));
    town.buyer.sync(&mut town.server).unwrap();
    assert_eq!(fate(&town.buyer, claim.op), Fate::Applied);
    assert_eq!(town.buyer.phone.balances().unwrap()[0].confirmed, units(2_000));
}

#[test]
fn a_buyer_opens_an_invitation_by_its_characters_and_collects_offline() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::App, 100, 30).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    refresh(&town.cafe, &mut town.server);
    let code = own(&town.cafe, invitation).code.unwrap();
    let mut stranger = Person::new(17);
    stranger.enrol(&mut town.server);
    let received = open(&stranger, &mut town.server, &code.to_lowercase()).unwrap();
    assert_eq!((received.to, received.group), (Invited::App, None));
    let voucher = town.cafe.phone.record_sale(Money(3_000), None).unwrap();
    assert!(stranger.scan(&voucher).shop.is_some());
    assert_eq!(refused(stranger.phone.accept_invitation(invitation, 1)), Refusal::NoMerchant);
    let own_word = town.cafe.phone.accept_invitation(invitation, 1);
    assert!(matches!(own_word, Err(PhoneError::NotHere)), "it is the one who invites");
}

#[test]
fn edge_47_a_shop_invited_by_five_groups_at_once_answers_each_for_itself() {
    let mut town = Town::new();
    let mut florist = florist(&mut town.server, 9);
    let groups: Vec<_> = (0..5)
        .map(|number| {
            let profile = Profile::new(format!("모임 {number}"), Scope::Area);
            town.cafe.phone.found_group(profile, terms(300, 0)).unwrap()
        })
        .collect();
    town.cafe.sync(&mut town.server).unwrap();
    let invited: Vec<_> =
        groups.iter().map(|group| town.cafe.phone.invite_shop(*group, shop(&florist), 14).unwrap()).collect();
    assert_eq!(town.cafe.phone.invite_shop(groups[0], shop(&florist), 14).unwrap(), invited[0], "not twice");
    town.cafe.sync(&mut town.server).unwrap();
    florist.sync(&mut town.server).unwrap();

    let received = florist.phone.received_invitations().unwrap();
    assert_eq!(received.len(), 5);
    for received in &received {
        assert_eq!(received.standing, InvitationStanding::Delivered);
        let name = received.group.as_ref().unwrap().profile.name.clone();
        assert!(name.starts_with("모임"), "{name}");
    }
    for (at, id) in invited.iter().enumerate() {
        if at == 4 {
            florist.phone.decline_invitation(*id).unwrap();
        } else {
            florist.phone.accept_invitation(*id, 1).unwrap();
        }
    }
    florist.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(florist.phone.own_groups().unwrap().len(), 4);
    let standings = invited.iter().map(|id| own(&town.cafe, *id).standing);
    let mut expected = vec![InvitationStanding::Joined; 4];
    expected.push(InvitationStanding::Declined);
    assert_eq!(standings.collect::<Vec<_>>(), expected);
    assert_eq!(refused(florist.phone.accept_invitation(invited[4], 1)), Refusal::InvitationUsed);
    let again = town.cafe.phone.invite_shop(groups[0], shop(&florist), 14);
    assert_eq!(refused(again), Refusal::AlreadyMember);
    assert_ne!(town.cafe.phone.invite_shop(groups[4], shop(&florist), 14).unwrap(), invited[4], "anew");
}

#[test]
fn edge_45_an_invitation_that_was_taken_back_opens_no_more_and_who_has_joined_stays() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 5, 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let link = own(&town.cafe, invitation).link.unwrap().link;
    let mut joined = florist(&mut town.server, 9);
    let mut late = Person::new(10);
    late.enrol(&mut town.server);
    late.phone.register_merchant(profile("골목 책방")).unwrap();
    late.sync(&mut town.server).unwrap();
    for person in [&joined, &late, &town.bakery] {
        open(person, &mut town.server, &link).unwrap();
    }
    let member = town.bakery.phone.accept_invitation(invitation, 1);
    assert_eq!(refused(member), Refusal::AlreadyMember, "a member stays one, and uses nothing up");
    joined.phone.accept_invitation(invitation, 1).unwrap();
    joined.sync(&mut town.server).unwrap();

    town.cafe.phone.revoke_invitation(invitation).unwrap();
    let revoking = own(&town.cafe, invitation);
    assert_eq!((revoking.revoking, revoking.standing), (true, InvitationStanding::Minted));
    town.cafe.sync(&mut town.server).unwrap();
    let revoked = own(&town.cafe, invitation);
    assert_eq!((revoked.revoking, revoked.standing), (false, InvitationStanding::Revoked));
    assert_eq!((revoked.used, revoked.answers[0].how), (1, HowAnswered::Joined));

    let op = late.phone.accept_invitation(invitation, 1).unwrap();
    late.sync(&mut town.server).unwrap();
    let Fate::Refused(refused) = fate(&late, op) else { panic!("it was taken back") };
    assert_eq!(refused.code, "invitation_void");
    let void = open(&late, &mut town.server, &link);
    assert!(matches!(void, Err(PhoneError::Problem(problem)) if problem.code == "invitation_void"));
    assert_eq!(names(&town.cafe, town.group).len(), 3);
}

#[test]
fn a_list_becomes_an_invitation_each_and_the_same_contact_gets_no_second_one_while_the_first_is_good() {
    let mut town = Town::new();
    let florist = florist(&mut town.server, 9);
    town.cafe.sync(&mut town.server).unwrap();
    let phone = &town.cafe.phone;
    let contact = |typed: &str| Contact::read(typed).unwrap();
    let add = |name: &str, reach: &Reach| phone.add_invitee(Some(town.group), name, reach).unwrap();
    let by_sms = Reach::Contact(Channel::Sms, contact("010-2345-6789"));
    let first = add("옆집 사장님", &by_sms);
    let by_mail = Reach::Contact(Channel::Email, contact("shop@moa.example"));
    let second = add("책방", &by_mail);
    add("카톡 친구", &Reach::Messenger(Channel::KakaoTalk));
    let neighbour = add("골목 꽃집", &Reach::Shop(shop(&florist)));
    let gone = add("잘못", &Reach::Messenger(Channel::Line));
    phone.remove_invitee(gone).unwrap();
    let same = Reach::Contact(Channel::WhatsApp, contact("+82 10 2345 6789"));
    assert_eq!(add("사장님", &same), first, "one number is one person");
    assert_eq!(phone.invitees(None).unwrap(), [], "the app's list is another");
    assert!(phone.invitees(Some(town.group)).unwrap().iter().all(|invitee| invitee.standing.is_none()));

    let listed = phone.invite_listed(Some(town.group), 14).unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|invitee| invitee.standing == Some(InvitationStanding::Draft)));
    let invitation = listed[0].invitation.unwrap();
    assert_eq!(phone.invite_listed(Some(town.group), 14).unwrap(), listed, "nobody is left to invite");
    assert_eq!(add("옆집 사장님", &by_sms), first);
    assert_eq!(phone.invitees(Some(town.group)).unwrap()[0].invitation, Some(invitation), "still good");
    let links = phone.invitations().unwrap();
    let with_link = links.iter().filter(|own| own.link.is_some()).count();
    assert_eq!((links.len(), with_link), (4, 3), "a shop that Moa knows is told in its app");

    phone.send_to_invitee(first).unwrap();
    phone.send_to_invitee(second).unwrap();
    assert!(matches!(phone.send_to_invitee(neighbour), Err(PhoneError::NotHere)));
    assert!(own(&town.cafe, invitation).to_send);
    // An answer that is lost: it is asked again, and sent once.
    let mut lost = 0;
    let cut = town.cafe.sync_over(&mut town.server, |server, request| {
        let answer = server.answer(request);
        if request.path == "/v1/invitations/send" {
            lost += 1;
            return Err(TransportError::Broken("cut off".into()));
        }
        Ok(answer)
    });
    assert!(cut.is_err() && lost == 1);
    town.cafe.sync(&mut town.server).unwrap();
    let sent: Vec<_> = town.server.sent.iter().map(|sent| (sent.channel, sent.to.clone())).collect();
    let to = |channel, to: &str| (channel, to.to_owned());
    assert_eq!(sent, [to(Channel::Sms, "+821023456789"), to(Channel::Email, "shop@moa.example")]);
    let shown = own(&town.cafe, invitation);
    assert_eq!((shown.to_send, shown.standing), (false, InvitationStanding::Shared));
    refresh(&town.cafe, &mut town.server);
    let shown = own(&town.cafe, invitation);
    assert_eq!(
        (shown.standing, shown.contact.as_deref()),
        (InvitationStanding::Delivered, Some("+821023456789"))
    );

    town.advance(14 * Timestamp::DAY);
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Expired);
    assert_eq!(town.cafe.phone.add_invitee(Some(town.group), "옆집 사장님", &by_sms).unwrap(), first);
    let anew = town.cafe.phone.invite_listed(Some(town.group), 14).unwrap();
    assert_ne!(anew[0].invitation, Some(invitation), "it is over: they are invited anew");
    assert_eq!(anew[0].standing, Some(InvitationStanding::Draft));
}

#[test]
fn what_the_server_is_asked_at_night_to_send_is_not_said_to_be_sent_before_the_morning() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    refresh(&town.cafe, &mut town.server);
    let code = own(&town.cafe, invitation).code;
    town.server.morning = Some(town.server.now.plus(2 * Timestamp::HOUR));
    town.cafe.phone.send_invitation(invitation, &Contact::read("bakery@alley.example").unwrap()).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let shown = own(&town.cafe, invitation);
    assert_eq!(
        (shown.standing, &shown.code),
        (InvitationStanding::Scheduled, &code),
        "at once, and nothing is forgotten"
    );
    refresh(&town.cafe, &mut town.server);
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Scheduled);

    town.advance(2 * Timestamp::HOUR);
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Shared, "without a network");
    town.server.morning = None;
    town.cafe.sync(&mut town.server).unwrap();
    refresh(&town.cafe, &mut town.server);
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Delivered);
}

#[test]
fn what_the_server_will_not_send_is_told_and_not_asked_for_ever() {
    let mut town = Town::new();
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    let nobody = Contact::read("nobody@bounces.example").unwrap();
    town.cafe.phone.send_invitation(invitation, &nobody).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let told = own(&town.cafe, invitation);
    assert_eq!((told.to_send, told.unsent.unwrap().code.as_str()), (false, "bad_contact"));
    let better = Contact::read("somebody@moa.example").unwrap();
    town.cafe.phone.send_invitation(invitation, &better).unwrap();
    assert_eq!(own(&town.cafe, invitation).unsent, None);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(town.server.sent[0].to, "somebody@moa.example");
    let elsewhere = town.bakery.phone.send_invitation(invitation, &better);
    assert!(matches!(elsewhere, Err(PhoneError::NotHere)), "the link is the other phone's");
}

#[test]
fn a_shop_asks_to_join_the_members_vote_and_each_phone_says_how_it_stands() {
    let mut town = Town::new();
    let group = closed_group(&mut town, Admission::Vote(BasisPoints::new(10_000).unwrap()));
    // The bakery comes by the café's invitation: the only member's vote is all of them.
    let invitation = town.cafe.phone.invite_shop(group, shop(&town.bakery), 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.bakery.phone.accept_invitation(invitation, 1).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.own_groups().unwrap().len(), 2);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Joined);

    // With two members, one's invitation is one of two votes.
    let mut florist = florist(&mut town.server, 9);
    town.cafe.sync(&mut town.server).unwrap();
    let invitation = town.cafe.phone.invite_shop(group, shop(&florist), 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    florist.sync(&mut town.server).unwrap();
    florist.phone.accept_invitation(invitation, 1).unwrap();
    florist.sync(&mut town.server).unwrap();
    let waits = &florist.phone.own_groups().unwrap()[0];
    assert_eq!((waits.id, waits.confirmed, waits.asked_at.is_some()), (group, false, true));
    assert_eq!(
        florist.phone.received_invitations().unwrap()[0].standing,
        InvitationStanding::PendingApproval
    );
    assert_eq!(refused(florist.phone.join_group(group, 1)), Refusal::AlreadyAsked);
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::PendingApproval);
    town.bakery.sync(&mut town.server).unwrap();
    let asked = &town.bakery.phone.join_requests().unwrap()[0];
    assert_eq!((asked.shop.name.as_deref(), asked.own, asked.answer), (Some("골목 꽃집"), false, None));
    assert_eq!(asked.for_it[0].id, shop(&town.cafe), "who invites is for it");
    let answer = town.bakery.phone.answer_join(group, shop(&florist), true).unwrap();
    assert_eq!(town.bakery.phone.join_requests().unwrap()[0].answer, Some(true), "not sent yet");
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(fate(&town.bakery, answer), Fate::Applied);
    for person in [&mut florist, &mut town.cafe, &mut town.buyer] {
        person.sync(&mut town.server).unwrap();
        assert_eq!(names(person, group), ["골목 꽃집", "골목 빵집", "골목 카페"]);
    }
    assert!(florist.phone.own_groups().unwrap()[0].confirmed);
    assert_eq!(florist.phone.received_invitations().unwrap()[0].standing, InvitationStanding::Joined);
    assert_eq!(own(&town.cafe, invitation).standing, InvitationStanding::Joined);
    assert!(town.bakery.phone.join_requests().unwrap().is_empty(), "nobody waits");
}

#[test]
fn the_admin_refuses_and_a_shop_withdraws() {
    let mut town = Town::new();
    let group = closed_group(&mut town, Admission::Admin);
    town.bakery.sync(&mut town.server).unwrap();
    town.bakery.phone.join_group(group, 1).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.bakery.phone.withdraw_request(group).unwrap();
    assert_eq!(town.bakery.phone.join_requests().unwrap()[0].answer, Some(false), "being withdrawn");
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.join_requests().unwrap()[0].state, RequestState::Withdrawn);
    assert!(town.bakery.phone.own_groups().unwrap().iter().all(|own| own.id != group));
    assert_eq!(refused(town.bakery.phone.withdraw_request(group)), Refusal::UnknownRequest);

    town.bakery.phone.join_group(group, 1).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let own_word = town.bakery.phone.answer_join(group, shop(&town.bakery), true);
    assert_eq!(refused(own_word), Refusal::NotAllowed);
    town.cafe.phone.answer_join(group, shop(&town.bakery), false).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert!(town.cafe.phone.join_requests().unwrap().is_empty());
    town.bakery.sync(&mut town.server).unwrap();
    assert_eq!(town.bakery.phone.join_requests().unwrap()[0].state, RequestState::Refused);
    assert_eq!(names(&town.cafe, group), ["골목 카페"]);
}

#[test]
fn a_phone_that_begins_anew_is_told_its_invitations_and_requests_and_has_lost_the_links_alone() {
    let mut town = Town::new();
    let group = closed_group(&mut town, Admission::Admin);
    let invitation = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.bakery.phone.join_group(group, 1).unwrap();
    town.bakery.sync(&mut town.server).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let before = own(&town.cafe, invitation);
    town.cafe.phone.start_over().unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    assert_eq!(own(&town.cafe, invitation), before, "the same phone still has the link");
    assert_eq!(town.cafe.phone.join_requests().unwrap().len(), 1);

    // The owner's other phone acts for the shop: it made none of them.
    town.server.enrols_as = Some(moa_rules::id::AccountId([1; 16]));
    let mut other = Person::new(23);
    other.enrol(&mut town.server);
    other.phone.act_for(shop(&town.cafe)).unwrap();
    other.sync(&mut town.server).unwrap();
    other.phone.start_over().unwrap();
    other.sync(&mut town.server).unwrap();
    let told = own(&other, invitation);
    assert_eq!((told.link, told.standing), (None, InvitationStanding::Minted));
    refresh(&other, &mut town.server);
    let code = own(&other, invitation).code.unwrap();
    assert!(open(&town.bakery, &mut town.server, &code).is_ok(), "the characters open it still");
    assert_eq!(other.phone.join_requests().unwrap().len(), 1);
}

#[test]
fn a_link_made_without_a_network_outlives_the_app() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new(NOON);
    let mut cafe = Person::on_disk(directory.path(), 1);
    cafe.enrol(&mut server);
    cafe.phone.register_merchant(profile("카페")).unwrap();
    let group = cafe.phone.found_group(Profile::new("골목", Scope::Area), terms(300, 0)).unwrap();
    let invitation = cafe.phone.invite(Invited::Group(group), 1, 14).unwrap();
    let link = own(&cafe, invitation).link.unwrap();
    let neighbour = Reach::Contact(Channel::Sms, Contact::read("010-2345-6789").unwrap());
    cafe.phone.add_invitee(Some(group), "Next Door Bakery", &neighbour).unwrap();
    drop(cafe);
    let file = std::fs::read(directory.path().join("phone.db")).unwrap();
    let log = std::fs::read(directory.path().join("phone.db-wal")).unwrap_or_default();
    for bytes in [file, log] {
        assert!(bytes.windows(16).all(|window| window != link.token.0), "the token lies there in the open");
        for known in [&b"+821023456789"[..], b"Next Door Bakery"] {
            assert!(bytes.windows(known.len()).all(|window| window != known), "someone's address lies there");
        }
    }
    let mut cafe = Person::on_disk(directory.path(), 2);
    assert_eq!(own(&cafe, invitation).link, Some(link.clone()));
    let listed = &cafe.phone.invitees(Some(group)).unwrap()[0];
    assert_eq!(
        (listed.name.as_str(), listed.contact.as_deref()),
        ("Next Door Bakery", Some("+821023456789"))
    );
    cafe.sync(&mut server).unwrap();
    assert_eq!(fate(&cafe, invitation), Fate::Applied, "shop, group and invitation, in that order");
    let florist = florist(&mut server, 9);
    assert_eq!(open(&florist, &mut server, &link.link).unwrap().group.unwrap().id, group);
    let other = Person::open(Data::Memory, 3, NOON);
    assert!(matches!(other.phone.open_request(&link.link), Err(PhoneError::NotSignedIn)));
}

#[test]
fn an_invitation_that_the_server_tells_wrongly_is_not_kept() {
    let mut town = Town::new();
    let one = town.cafe.phone.invite(Invited::Group(town.group), 1, 14).unwrap();
    let two = town.cafe.phone.invite(Invited::App, 1, 14).unwrap();
    town.cafe.sync(&mut town.server).unwrap();
    let florist = florist(&mut town.server, 9);
    let mut told = |id| -> InvitationFound {
        let link = own(&town.cafe, id).link.unwrap().link;
        let request = florist.phone.open_request(&link).unwrap();
        serde_json::from_slice(&town.server.answer(&request).body).unwrap()
    };
    let (good, other) = (told(one), told(two));
    let garbage = || Base64(vec![0xff; 40]);
    for spoilt in [
        InvitationFound { invitation: garbage(), ..good.clone() },
        InvitationFound { ticket: garbage(), ..good.clone() },
        InvitationFound { ticket: other.ticket.clone(), ..good.clone() },
        InvitationFound {
            issuer: good.members.iter().find(|member| member.id != good.issuer.id).unwrap().clone(),
            ..good.clone()
        },
    ] {
        let told = florist.phone.opened(Ok(support::ok(&spoilt)));
        assert!(matches!(told, Err(PhoneError::NotOurServer(_))), "{told:?}");
    }
    assert!(florist.phone.received_invitations().unwrap().is_empty());
    assert!(florist.phone.opened(Ok(support::ok(&good))).is_ok());
}

#[test]
fn what_an_invitation_cannot_be_is_refused_at_once() {
    let town = Town::new();
    let (phone, to) = (&town.cafe.phone, Invited::Group(town.group));
    assert_eq!(refused(phone.invite(to, 0, 14)), Refusal::BadUses { max: 1_000 });
    assert_eq!(refused(phone.invite(to, 1_001, 14)), Refusal::BadUses { max: 1_000 });
    assert_eq!(refused(phone.invite(to, 1, 0)), Refusal::BadDate { days: 90 });
    assert_eq!(refused(phone.invite(to, 1, 91)), Refusal::BadDate { days: 90 });
    let elsewhere = Invited::Group(GroupId([9; 16]));
    assert_eq!(refused(phone.invite(elsewhere, 1, 14)), Refusal::ShopNotInGroup);
    assert_eq!(refused(town.buyer.phone.invite(Invited::App, 1, 14)), Refusal::NoMerchant);
    assert_eq!(refused(phone.invite_shop(town.group, shop(&town.cafe), 14)), Refusal::BadInvitation);
    assert_eq!(refused(phone.invite_shop(town.group, shop(&town.bakery), 14)), Refusal::AlreadyMember);
    let group = format!("https://moa.example/g/{}", town.group);
    assert_eq!(refused(phone.open_request(&group)), Refusal::NotAnInvitation);
    assert!(matches!(phone.open_request("000201"), Err(PhoneError::NotOurs(_))));
    assert!(matches!(phone.decline_invitation(OpId([9; 16])), Err(PhoneError::NotHere)));
    assert!(matches!(phone.revoke_invitation(OpId([9; 16])), Err(PhoneError::NotHere)));
    let nameless = phone.add_invitee(Some(town.group), " ", &Reach::Messenger(Channel::Line));
    assert_eq!(refused(nameless), Refusal::BadName { max: 60 });
}

#[test]
fn a_group_and_a_shop_present_themselves_otherwise_on_every_phone() {
    let mut town = Town::new();
    let alley =
        Profile { nickname: Some("골목".into()), ..Profile::new("골목 상점가", Scope::Building) };
    assert_eq!(
        refused(town.bakery.phone.amend_group_profile(town.group, alley.clone())),
        Refusal::NotAllowed
    );
    town.cafe.phone.amend_group_profile(town.group, alley.clone()).unwrap();
    let pending = town.cafe.phone.group(town.group).unwrap().unwrap();
    assert_eq!((pending.profile.name.as_str(), pending.state.presenting), ("골목", Some(alley.clone())));

    let cafe = MerchantProfile {
        industry: Some(Industry::Cafe),
        area: Some("서울 마포구 연남동".into()),
        ..profile("연남 카페")
    };
    town.cafe.phone.amend_shop(cafe.clone()).unwrap();
    let own = town.cafe.phone.own_shop().unwrap().unwrap();
    assert_eq!((own.profile.unwrap().name.as_str(), own.amending), ("골목 카페", Some(cafe.clone())));
    town.cafe.sync(&mut town.server).unwrap();
    let own = town.cafe.phone.own_shop().unwrap().unwrap();
    assert_eq!((own.profile, own.amending), (Some(cafe), None));
    for person in [&mut town.bakery, &mut town.buyer, &mut town.cafe] {
        person.sync(&mut town.server).unwrap();
        let group = person.phone.group(town.group).unwrap().unwrap();
        assert_eq!((group.profile, group.state.presenting), (alley.clone(), None));
        assert!(group.members.iter().any(|shop| shop.name.as_deref() == Some("연남 카페")));
    }
    let dollars = MerchantProfile { currency: "USD".try_into().unwrap(), ..profile("카페") };
    assert_eq!(refused(town.cafe.phone.amend_shop(dollars)), Refusal::CurrencyDiffers);
    assert_eq!(refused(town.buyer.phone.amend_shop(profile("가게"))), Refusal::NoMerchant);
}
