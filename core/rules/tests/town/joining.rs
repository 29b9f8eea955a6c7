//! Invitations, and asking to join: named cases, and histories at random whose laws are counted from the events.

use moa_rules::admission::{ASK_AGAIN_DAYS, REQUEST_DAYS, RequestState};
use moa_rules::event::{Answered, EventBody};
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::{INVITATION_DAYS, Invited, Ticket, TicketMac, TokenHash};
use moa_rules::op::{Carried, OpBody};
use moa_rules::quantity::BasisPoints;
use moa_rules::refusal::Refusal;
use moa_rules::terms::{Admission, Terms};
use moa_rules::time::Timestamp;
use proptest::prelude::*;

use crate::driver::{Parcel, Shop, Town, points};

/// A group of one shop that lets others in as it says, and shops that are in none.
pub struct Street {
    pub town: Town,
    pub founder: Shop,
    pub others: Vec<Shop>,
    pub group: GroupId,
}

pub fn street(admission: Option<Admission>, others: usize) -> Street {
    let mut town = Town::new();
    let founder = town.shop();
    let others = (0..others).map(|_| town.shop()).collect();
    let group = town.group(founder, Terms { admission, ..points(300, 0) });
    Street { town, founder, others, group }
}

/// Half of the members.
pub fn half() -> Admission {
    Admission::Vote(BasisPoints::new(5_000).unwrap())
}

impl Street {
    pub fn invites(&mut self, by: Shop, shop: Option<Shop>, uses: u16, days: i64) -> Parcel {
        let number = self.town.number();
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let (to, hash) = (Invited::Group(self.group), shop.is_none().then_some(TokenHash(hash)));
        let expires = self.town.now.plus(days * Timestamp::DAY).seconds();
        let shop = shop.map(|shop| shop.merchant);
        self.town.op(by.owner.key, OpBody::Invite { to, hash, shop, uses, expires }).into()
    }

    pub fn invited(&mut self, by: Shop, shop: Option<Shop>, uses: u16) -> Ticket {
        let parcel = self.invites(by, shop, uses, 14);
        self.town.send(&parcel).unwrap();
        let mac = shop.is_none().then_some(TicketMac([1; 16]));
        Ticket { issuer: by.merchant, invitation: parcel.op.id, mac }
    }

    pub fn joins(&mut self, shop: Shop, invitation: Option<Ticket>) -> Parcel {
        let (group, terms_version) = (self.group, self.town.tables.groups[&self.group].terms_version);
        let op = self.town.op(shop.owner.key, OpBody::JoinGroup { group, terms_version, invitation });
        Parcel { op, carried: vouched(invitation) }
    }

    pub fn declines(&mut self, shop: Shop, ticket: Ticket) -> Parcel {
        let op = self.town.op(shop.owner.key, OpBody::DeclineInvitation { ticket });
        Parcel { op, carried: vouched(Some(ticket)) }
    }

    pub fn revokes(&mut self, by: Shop, invitation: OpId) -> Parcel {
        self.town.op(by.owner.key, OpBody::RevokeInvitation { invitation }).into()
    }

    pub fn answers(&mut self, by: Shop, merchant: MerchantId, request: OpId, admits: bool) -> Parcel {
        let group = self.group;
        self.town.op(by.owner.key, OpBody::AnswerJoin { group, merchant, request, admits }).into()
    }

    fn join(&mut self, shop: Shop, invitation: Option<Ticket>) -> Result<OpId, Refusal> {
        let parcel = self.joins(shop, invitation);
        self.town.send(&parcel).map(|_| parcel.op.id)
    }

    fn answer(&mut self, by: Shop, shop: Shop, request: OpId, admits: bool) -> Result<(), Refusal> {
        let parcel = self.answers(by, shop.merchant, request, admits);
        self.town.send(&parcel).map(drop)
    }

    fn is_member(&self, shop: Shop) -> bool {
        let member = self.town.tables.members.get(&(self.group, shop.merchant));
        member.is_some_and(|member| member.left_at.is_none())
    }

    fn state(&self, shop: Shop) -> RequestState {
        self.town.tables.join_requests[&(self.group, shop.merchant)].state
    }
}

/// What the server adds to an op with a ticket that it gave.
fn vouched(ticket: Option<Ticket>) -> Carried {
    if ticket.is_some_and(|ticket| ticket.mac.is_some()) { Carried::Ticket } else { Carried::None }
}

#[test]
fn of_ten_invited_eight_accept_and_eight_are_members() {
    let mut s = street(None, 10);
    let founder = s.founder;
    for (at, shop) in s.others.clone().into_iter().enumerate() {
        // Some by link, some in their app.
        let ticket = s.invited(founder, (at % 2 == 0).then_some(shop), 1);
        if at < 8 {
            s.join(shop, Some(ticket)).unwrap();
        } else {
            let declines = s.declines(shop, ticket);
            s.town.send(&declines).unwrap();
        }
    }
    assert_eq!(s.town.tables.groups[&s.group].members, 9);
    assert_eq!(s.others.iter().filter(|shop| s.is_member(**shop)).count(), 8);
}

#[test]
fn an_admins_invitation_lets_in_at_once_and_anothers_asks() {
    let mut s = street(Some(Admission::Admin), 3);
    let (admin, [member, invited, asks]) = (s.founder, [s.others[0], s.others[1], s.others[2]]);
    let ticket = s.invited(admin, None, 1);
    s.join(member, Some(ticket)).unwrap();
    assert!(s.is_member(member));

    let ticket = s.invited(member, None, 1);
    let request = s.join(invited, Some(ticket)).unwrap();
    assert!(!s.is_member(invited));
    assert_eq!(s.answer(member, invited, request, true), Err(Refusal::NotAllowed));
    s.answer(admin, invited, request, true).unwrap();
    assert!(s.is_member(invited));

    let request = s.join(asks, None).unwrap();
    s.answer(admin, asks, request, false).unwrap();
    assert_eq!((s.is_member(asks), s.state(asks)), (false, RequestState::Refused));
    assert_eq!(s.join(asks, None), Err(Refusal::AskedLately { days: ASK_AGAIN_DAYS }));
    let ticket = s.invited(member, None, 1);
    s.join(asks, Some(ticket)).unwrap();
    assert_eq!(s.state(asks), RequestState::Open);
}

#[test]
fn members_vote_and_an_invitation_is_a_vote() {
    let mut s = street(Some(half()), 4);
    let founder = s.founder;
    let [second, third, fourth, fifth] = [s.others[0], s.others[1], s.others[2], s.others[3]];
    let ticket = s.invited(founder, None, 4);
    // One of one, one of two: half is enough.
    s.join(second, Some(ticket)).unwrap();
    s.join(third, Some(ticket)).unwrap();
    assert!(s.is_member(second) && s.is_member(third));
    // One of three is not.
    let request = s.join(fourth, Some(ticket)).unwrap();
    assert!(!s.is_member(fourth));
    s.answer(second, fourth, request, true).unwrap();
    assert!(s.is_member(fourth));
    // Of four two have to be against it to lose half.
    let request = s.join(fifth, None).unwrap();
    s.answer(second, fifth, request, false).unwrap();
    s.answer(third, fifth, request, false).unwrap();
    assert_eq!(s.state(fifth), RequestState::Open);
    s.answer(fourth, fifth, request, false).unwrap();
    assert_eq!(s.state(fifth), RequestState::Refused);
    assert_eq!(s.answer(founder, fifth, request, true), Err(Refusal::UnknownRequest));
}

#[test]
fn a_vote_of_a_shop_that_left_does_not_count() {
    let mut s = street(Some(half()), 4);
    let founder = s.founder;
    let [second, third, fourth, asks] = [s.others[0], s.others[1], s.others[2], s.others[3]];
    let ticket = s.invited(founder, None, 2);
    s.join(second, Some(ticket)).unwrap();
    s.join(third, Some(ticket)).unwrap();
    let request = s.join(fourth, None).unwrap();
    for by in [founder, second] {
        s.answer(by, fourth, request, true).unwrap();
    }
    let request = s.join(asks, None).unwrap();
    s.answer(second, asks, request, true).unwrap();
    let leaves = s.town.leave(second.owner.key, s.group);
    s.town.send(&leaves).unwrap();
    // Of the three that remain one is for it, then two.
    s.answer(third, asks, request, true).unwrap();
    assert_eq!(s.state(asks), RequestState::Open);
    s.answer(fourth, asks, request, true).unwrap();
    assert!(s.is_member(asks));
}

#[test]
fn a_request_that_waited_too_long_is_none_and_may_come_again() {
    let mut s = street(Some(Admission::Admin), 1);
    let (admin, shop) = (s.founder, s.others[0]);
    let request = s.join(shop, None).unwrap();
    assert_eq!(s.join(shop, None), Err(Refusal::AlreadyAsked));
    s.town.now = s.town.now.plus(i64::from(REQUEST_DAYS) * Timestamp::DAY);
    assert_eq!(s.answer(admin, shop, request, true), Err(Refusal::UnknownRequest));
    let again = s.join(shop, None).unwrap();
    s.answer(shop, shop, again, false).unwrap();
    assert_eq!(s.state(shop), RequestState::Withdrawn);
    let third = s.join(shop, None).unwrap();
    assert_eq!(s.answer(shop, shop, third, true), Err(Refusal::NotAllowed));
    s.answer(admin, shop, third, true).unwrap();
    assert!(s.is_member(shop));
}

#[test]
fn whoever_asked_under_terms_that_changed_asks_again() {
    let mut s = street(Some(Admission::Admin), 1);
    let (admin, shop) = (s.founder, s.others[0]);
    let request = s.join(shop, None).unwrap();
    s.town.amend(s.group, Terms { admission: Some(Admission::Admin), ..points(500, 0) });
    assert_eq!(s.answer(admin, shop, request, true), Err(Refusal::RequestStale));
    let again = s.join(shop, None).unwrap();
    s.answer(admin, shop, again, true).unwrap();
    assert!(s.is_member(shop));
}

#[test]
fn a_shop_let_in_by_an_invitation_while_it_asks_is_let_in_once() {
    let mut s = street(Some(Admission::Admin), 1);
    let (admin, shop) = (s.founder, s.others[0]);
    let request = s.join(shop, None).unwrap();
    let ticket = s.invited(admin, None, 1);
    s.join(shop, Some(ticket)).unwrap();
    assert_eq!((s.is_member(shop), s.state(shop)), (true, RequestState::Admitted));
    assert_eq!(s.answer(admin, shop, request, true), Err(Refusal::UnknownRequest));
    assert_eq!(s.town.tables.groups[&s.group].members, 2);
}

#[test]
fn edge_45_an_invitation_forwarded_to_many_lets_one_in_and_none_after_it_was_revoked() {
    let mut s = street(None, 4);
    let founder = s.founder;
    let [first, second, third, member] = [s.others[0], s.others[1], s.others[2], s.others[3]];
    let ticket = s.invited(founder, None, 1);
    s.join(first, Some(ticket)).unwrap();
    assert_eq!(s.join(second, Some(ticket)), Err(Refusal::InvitationUsed));
    // Revoked.
    let ticket = s.invited(founder, None, 9);
    s.join(member, Some(ticket)).unwrap();
    let revokes = s.revokes(founder, ticket.invitation);
    s.town.send(&revokes).unwrap();
    assert_eq!(s.join(third, Some(ticket)), Err(Refusal::InvitationVoid));
    assert!(s.is_member(member), "who came by it stays");
    // A member already.
    let ticket = s.invited(founder, None, 1);
    assert_eq!(s.join(member, Some(ticket)), Err(Refusal::AlreadyMember));
    assert_eq!(s.town.tables.invitations[&(founder.merchant, ticket.invitation)].used, 0);
    // A ticket of one's own making.
    let forged = s.joins(third, Some(ticket));
    let forged = Parcel { carried: Carried::None, ..forged };
    assert_eq!(s.town.send(&forged).unwrap_err(), Refusal::InvitationVoid);
    // In an app that it was not for.
    let told = s.invited(founder, Some(second), 1);
    assert_eq!(s.join(third, Some(told)), Err(Refusal::InvitationVoid));
}

#[test]
fn edge_47_a_shop_invited_by_five_groups_at_once_joins_those_that_it_likes() {
    let mut s = street(None, 1);
    let shop = s.others[0];
    let hosts: Vec<(Shop, GroupId)> = (0..5)
        .map(|_| {
            let host = s.town.shop();
            (host, s.town.group(host, points(100, 0)))
        })
        .collect();
    let tickets: Vec<Ticket> = hosts
        .iter()
        .map(|(host, group)| {
            s.group = *group;
            s.invited(*host, Some(shop), 1)
        })
        .collect();
    for (at, ((_, group), ticket)) in hosts.iter().zip(tickets).enumerate() {
        s.group = *group;
        if at % 2 == 0 {
            s.join(shop, Some(ticket)).unwrap();
        } else {
            let declines = s.declines(shop, ticket);
            s.town.send(&declines).unwrap();
        }
    }
    let groups =
        hosts.iter().filter(|(_, group)| s.town.tables.members.contains_key(&(*group, shop.merchant)));
    assert_eq!(groups.count(), 3);
}

#[test]
fn an_invitation_dies_with_its_time_and_with_its_issuers_membership() {
    let mut s = street(None, 3);
    let (founder, member, shop) = (s.founder, s.others[0], s.others[1]);
    let ticket = s.invited(founder, None, 1);
    s.join(member, Some(ticket)).unwrap();
    let (early, late) = (s.invited(founder, None, 1), s.invited(member, None, 1));
    s.town.now = s.town.now.plus(14 * Timestamp::DAY);
    assert_eq!(s.join(shop, Some(early)), Err(Refusal::InvitationVoid));
    assert_eq!(s.join(shop, Some(late)), Err(Refusal::InvitationVoid));
    let fresh = s.invited(member, None, 1);
    let leaves = s.town.leave(member.owner.key, s.group);
    s.town.send(&leaves).unwrap();
    assert_eq!(s.join(shop, Some(fresh)), Err(Refusal::InvitationVoid));
    let longest = i64::from(INVITATION_DAYS);
    let parcel = s.invites(founder, None, 1, longest + 1);
    assert_eq!(s.town.send(&parcel).unwrap_err(), Refusal::BadDate { days: INVITATION_DAYS });
    let parcel = s.invites(founder, None, 1, longest);
    s.town.send(&parcel).unwrap();
}

/// What people do with invitations.
#[derive(Debug, Clone, Copy)]
enum Step {
    Invite { by: usize, shop: Option<usize>, uses: u16, days: i64 },
    Join { shop: usize, invitation: Option<usize>, shown: bool },
    Decline { shop: usize, invitation: usize },
    Revoke { by: usize, invitation: usize },
    Answer { by: usize, request: usize, admits: bool },
    Leave { shop: usize },
    Wait { hours: i64 },
}

const SHOPS: usize = 5;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let shop = 0..SHOPS;
    let step = prop_oneof![
        3 => (shop.clone(), proptest::option::of(shop.clone()), 1..4_u16, 1..30_i64)
            .prop_map(|(by, shop, uses, days)| Step::Invite { by, shop, uses, days }),
        6 => (shop.clone(), proptest::option::of(0..8_usize), proptest::bool::weighted(0.8))
            .prop_map(|(shop, invitation, shown)| Step::Join { shop, invitation, shown }),
        1 => (shop.clone(), 0..8_usize).prop_map(|(shop, invitation)| Step::Decline { shop, invitation }),
        1 => (shop.clone(), 0..8_usize).prop_map(|(by, invitation)| Step::Revoke { by, invitation }),
        4 => (shop.clone(), 0..8_usize, any::<bool>())
            .prop_map(|(by, request, admits)| Step::Answer { by, request, admits }),
        1 => shop.prop_map(|shop| Step::Leave { shop }),
        2 => (1..200_i64).prop_map(|hours| Step::Wait { hours }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What a reader of the events counts, without the rules.
#[derive(Default)]
struct Count {
    /// Made: whose, to be used how often, until when.
    made: Vec<(MerchantId, OpId, u16, Timestamp)>,
    used: Vec<(OpId, Timestamp)>,
    revoked: Vec<(OpId, Timestamp)>,
    inside: Vec<MerchantId>,
}

impl Count {
    fn of(town: &Town, group: GroupId) -> Self {
        let mut count = Self::default();
        for event in town.events() {
            let at = event.at;
            let mut follow = |answered: &Option<Answered>| {
                count.used.extend(answered.map(|answered| (answered.invitation, at)));
            };
            match &event.body {
                EventBody::InvitationMade { invitation, merchant, uses, until, .. } => {
                    count.made.push((*merchant, *invitation, *uses, *until));
                }
                EventBody::InvitationRevoked { invitation, .. } => count.revoked.push((*invitation, at)),
                EventBody::InvitationDeclined { invitation, .. } => count.used.push((*invitation, at)),
                EventBody::JoinAsked { invitation, .. } => follow(invitation),
                EventBody::MemberJoined { group: of, merchant, invitation, .. } if *of == group => {
                    follow(invitation);
                    assert!(!count.inside.contains(merchant), "joined twice");
                    count.inside.push(*merchant);
                }
                EventBody::MemberLeft { merchant, .. } => count.inside.retain(|inside| inside != merchant),
                _ => {}
            }
        }
        count
    }

    fn check(&self, s: &Street) {
        for (issuer, id, uses, until) in &self.made {
            let used: Vec<Timestamp> =
                self.used.iter().filter(|(of, _)| of == id).map(|(_, at)| *at).collect();
            assert!(used.len() <= usize::from(*uses), "{} of {uses} answers", used.len());
            let end = self.revoked.iter().find(|(of, _)| of == id).map_or(*until, |(_, at)| *until.min(at));
            assert!(used.iter().all(|at| *at < *until && *at <= end), "answered after its end");
            let row = &s.town.tables.invitations[&(*issuer, *id)];
            assert_eq!(usize::from(row.used), used.len());
        }
        assert_eq!(s.town.tables.groups[&s.group].members as usize, self.inside.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn invitations_are_never_overused_nobody_joins_twice_and_what_is_refused_changes_nothing(
        admission in prop_oneof![Just(None), Just(Some(Admission::Admin)), Just(Some(half()))],
        steps in steps(),
    ) {
        let mut s = street(admission, SHOPS - 1);
        let shops: Vec<Shop> = [s.founder].into_iter().chain(s.others.clone()).collect();
        let (mut tickets, mut requests): (Vec<Ticket>, Vec<(Shop, OpId)>) = (Vec::new(), Vec::new());
        for step in steps {
            let ticket = |at: usize| tickets.get(at % tickets.len().max(1)).copied();
            let parcel = match step {
                Step::Wait { hours } => {
                    s.town.now = s.town.now.plus(hours * Timestamp::HOUR);
                    continue;
                }
                Step::Invite { by, shop, uses, days } => {
                    Some(s.invites(shops[by], shop.map(|shop| shops[shop]), uses, days))
                }
                Step::Join { shop, invitation, shown } => {
                    let invitation = invitation.and_then(ticket);
                    let mut parcel = s.joins(shops[shop], invitation);
                    if !shown {
                        parcel.carried = Carried::None;
                    }
                    Some(parcel)
                }
                Step::Decline { shop, invitation } => {
                    ticket(invitation).map(|ticket| s.declines(shops[shop], ticket))
                }
                Step::Revoke { by, invitation } => {
                    ticket(invitation).map(|ticket| s.revokes(shops[by], ticket.invitation))
                }
                Step::Answer { by, request, admits } => {
                    let asked = requests.get(request % requests.len().max(1)).copied();
                    asked.map(|(shop, request)| s.answers(shops[by], shop.merchant, request, admits))
                }
                Step::Leave { shop } => Some(s.town.leave(shops[shop].owner.key, s.group)),
            };
            let Some(parcel) = parcel else { continue };
            let before = s.town.tables.clone();
            match s.town.send(&parcel) {
                Ok(_) => match (&parcel.op.body, step) {
                    (OpBody::Invite { hash, .. }, Step::Invite { by, .. }) => {
                        let mac = hash.map(|_| TicketMac([1; 16]));
                        tickets.push(Ticket { issuer: shops[by].merchant, invitation: parcel.op.id, mac });
                    }
                    (OpBody::JoinGroup { .. }, Step::Join { shop, .. }) => {
                        requests.push((shops[shop], parcel.op.id));
                    }
                    _ => {}
                },
                Err(_) => prop_assert_eq!(&s.town.tables, &before),
            }
            Count::of(&s.town, s.group).check(&s);
        }
    }
}
