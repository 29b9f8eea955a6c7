//! Invitations over HTTP: a link opened and followed, eight characters typed, an invitation for one number, and those that the
//! server sends.

mod support;

use moa_rules::id::{GroupId, OpId};
use moa_rules::invitation::{Invitation, Invited, Ticket, TicketMac, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::time::Timestamp;
use moa_wire::api::{
    InvitationFound, InvitationSent, InvitationShown, InvitationToSend, InvitationTrace, InvitationTraces,
};
use moa_wire::canonical;
use moa_wire::channel::Channel;
use moa_wire::invitation::InvitationToken;
use moa_wire::problem::Problem;
use reqwest::{Method, Response};
use serde::Serialize;
use support::{Device, Shop, Town, eventually, refused};

const CAFE: &str = "010-1111-1111";
const BAKERY: &str = "010-2222-2222";
const FLORIST: &str = "010-3333-3333";

async fn post(town: &Town, device: &Device, path: &str, body: &impl Serialize) -> Response {
    let request = town.request(Method::POST, path, device).await.header("accept-language", "en");
    request.json(body).send().await.unwrap()
}

async fn open(town: &Town, device: &Device, shown: &InvitationShown) -> Response {
    post(town, device, "/v1/invitations/open", shown).await
}

async fn read<T: serde::de::DeserializeOwned>(response: Response) -> T {
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    let problem: Problem = response.json().await.unwrap();
    assert!(!problem.detail.is_empty());
    problem.code
}

fn token(mark: u8) -> InvitationToken {
    InvitationToken([mark; 16])
}

fn by_token(mark: u8) -> InvitationShown {
    InvitationShown { token: Some(token(mark).hex()), code: None }
}

fn by_code(code: &str) -> InvitationShown {
    InvitationShown { token: None, code: Some(code.to_owned()) }
}

async fn invite(town: &Town, by: &Shop, group: GroupId, mark: u8, uses: u16) -> OpId {
    let hash = Some(TokenHash(token(mark).hash()));
    let expires = town.now().plus(14 * Timestamp::DAY).seconds();
    let body = OpBody::Invite { to: Invited::Group(group), hash, shop: None, uses, expires };
    let op = by.device.op(town.now(), body);
    town.applied(&[&op]).await;
    op.value().id
}

fn ticket(found: &InvitationFound) -> Ticket {
    canonical::decode(&found.ticket.0).unwrap()
}

fn follows(group: GroupId, ticket: Ticket) -> OpBody {
    OpBody::JoinGroup { group, terms_version: 1, invitation: Some(ticket) }
}

async fn trace(town: &Town, shop: &Shop, invitation: OpId) -> InvitationTrace {
    let traces: InvitationTraces = read(town.get("/v1/invitations", &shop.device).await).await;
    traces.traces.into_iter().find(|trace| trace.invitation == invitation).unwrap()
}

/// A café with a group, a bakery and a florist.
async fn alley() -> (Town, Shop, Shop, Shop, GroupId) {
    let town = Town::open().await;
    let (cafe, bakery) = (town.shop(CAFE, "Cafe").await, town.shop(BAKERY, "Bakery").await);
    let florist = town.shop(FLORIST, "Florist").await;
    let group = town.found(&cafe).await;
    (town, cafe, bakery, florist, group)
}

#[tokio::test]
async fn a_link_shows_the_group_and_lets_in_whoever_was_shown_it() {
    let (town, cafe, bakery, florist, group) = alley().await;
    let invitation = invite(&town, &cafe, group, 1, 1).await;
    let found: InvitationFound = read(open(&town, &bakery.device, &by_token(1)).await).await;
    let known: Invitation = canonical::decode(&found.invitation.0).unwrap();
    assert_eq!((known.id, found.issuer.id), (invitation, cafe.merchant));
    let shown = found.group.as_ref().unwrap();
    assert_eq!((shown.group.id, shown.members.len(), found.members.len()), (group, 1, 1));
    assert!(!town.holds(&token(1).hex()), "the token is kept nowhere");

    // The ticket is the bakery's alone.
    let stolen = florist.device.op(town.now(), follows(group, ticket(&found)));
    assert_eq!(refused(&town.submit_one(&stolen).await)["code"], "invitation_void");
    let forged = Ticket { mac: Some(TicketMac([7; 16])), ..ticket(&found) };
    let forged = bakery.device.op(town.now(), follows(group, forged));
    assert_eq!(refused(&town.submit_one(&forged).await)["code"], "invitation_void");
    let joins = bakery.device.op(town.now(), follows(group, ticket(&found)));
    town.applied(&[&joins]).await;

    assert_eq!(problem(open(&town, &florist.device, &by_token(1)).await, 404).await, "invitation_void");
    assert_eq!(trace(&town, &cafe, invitation).await.claimed_at, Some(town.now()));
    let told = town.snapshot(&cafe.device).await.invitations;
    let told: Invitation = canonical::decode(&told[0].0).unwrap();
    assert_eq!((told.id, told.used), (invitation, 1));
    town.close().await;
}

#[tokio::test]
async fn what_never_was_is_over_or_was_taken_back_is_answered_alike() {
    let (town, cafe, bakery, _, group) = alley().await;
    let revoked = invite(&town, &cafe, group, 1, 1).await;
    let revokes = cafe.device.op(town.now(), OpBody::RevokeInvitation { invitation: revoked });
    town.applied(&[&revokes]).await;
    invite(&town, &cafe, group, 2, 1).await;
    let answer = async |shown: InvitationShown| {
        let response = open(&town, &bakery.device, &shown).await;
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let never = answer(by_token(9)).await;
    assert_eq!(never.0, 404);
    assert_eq!(answer(by_token(1)).await, never);
    town.pass(14 * Timestamp::DAY);
    assert_eq!(answer(by_token(2)).await, never);
    for shown in [
        by_code("0000-0000"),
        by_code(&"X".repeat(10_000)),
        InvitationShown { token: Some("no hex".to_owned()), code: None },
        InvitationShown::default(),
        InvitationShown { token: Some(token(2).hex()), code: Some("7K3M-9QXW".to_owned()) },
    ] {
        assert_eq!(answer(shown).await, never);
    }
    assert_eq!(town.get("/v1/invitations/open", &bakery.device).await.status(), 405, "no GET opens anything");
    town.close().await;
}

#[tokio::test]
async fn eight_characters_open_it_too_and_guesses_are_counted() {
    let (town, cafe, bakery, florist, group) = alley().await;
    let invitation = invite(&town, &cafe, group, 1, 5).await;
    let code = trace(&town, &cafe, invitation).await.code.unwrap();
    let typed = code.to_lowercase().replace('-', " ");
    let found: InvitationFound = read(open(&town, &bakery.device, &by_code(&typed)).await).await;
    let joins = bakery.device.op(town.now(), follows(group, ticket(&found)));
    town.applied(&[&joins]).await;
    assert!(!town.holds(&code.replace('-', "")), "the characters are kept nowhere");

    for guess in 0..10 {
        let guess = moa_wire::invitation::InvitationCode::of(guess).text();
        assert_eq!(
            problem(open(&town, &florist.device, &by_code(&guess)).await, 404).await,
            "invitation_void"
        );
    }
    assert_eq!(problem(open(&town, &florist.device, &by_code(&code)).await, 429).await, "too_many_tries");
    town.pass(Timestamp::HOUR);
    read::<InvitationFound>(open(&town, &florist.device, &by_code(&code)).await).await;
    town.close().await;
}

#[tokio::test]
async fn a_text_message_invites_its_number_and_no_other_and_is_sent_once() {
    let (town, cafe, bakery, florist, group) = alley().await;
    let invitation = invite(&town, &cafe, group, 1, 1).await;
    let to = |channel, to: &str| InvitationToSend {
        invitation,
        token: token(1).hex(),
        channel,
        to: to.to_owned(),
    };
    let send = async |by: &Shop, asked: &InvitationToSend| {
        post(&town, &by.device, "/v1/invitations/send", asked).await
    };
    let asked = to(Channel::Sms, BAKERY);
    assert_eq!(problem(send(&bakery, &asked).await, 404).await, "invitation_void", "it is the café's");
    assert_eq!(problem(send(&cafe, &to(Channel::Sms, "12")).await, 422).await, "bad_contact");
    assert_eq!(problem(send(&cafe, &to(Channel::Email, "bakery")).await, 422).await, "bad_contact");
    assert_eq!(problem(send(&cafe, &to(Channel::Line, BAKERY)).await, 422).await, "bad_contact");
    let wrong = InvitationToSend { token: token(2).hex(), ..asked.clone() };
    assert_eq!(problem(send(&cafe, &wrong).await, 404).await, "invitation_void");

    assert_eq!(
        read::<InvitationSent>(send(&cafe, &asked).await).await,
        InvitationSent { before: false, waits_until: None }
    );
    assert_eq!(
        read::<InvitationSent>(send(&cafe, &asked).await).await,
        InvitationSent { before: true, waits_until: None }
    );
    let text = eventually(async || {
        let path = format!("/v1/development/inbox?phone={BAKERY}");
        let inbox: moa_server::http::DevelopmentInbox = read(town.get(&path, None).await).await;
        let mut texts = inbox.messages.into_iter().map(|message| message.text);
        texts.find(|text| text.contains(&token(1).hex()))
    })
    .await;
    assert!(text.contains("Alley") && text.contains("/i/"), "{text}");
    let sent = eventually(async || {
        Some(trace(&town, &cafe, invitation).await).filter(|trace| trace.delivered_at.is_some())
    })
    .await;
    assert_eq!(sent.contact.as_deref(), Some("+821022222222"));

    let another = open(&town, &florist.device, &by_token(1)).await;
    assert_eq!(problem(another, 403).await, "invitation_for_another");
    read::<InvitationFound>(open(&town, &bakery.device, &by_token(1)).await).await;
    town.close().await;
}
