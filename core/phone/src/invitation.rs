//! Invitations that this shop makes: a link and a QR at once, without a network; how each stands; taking one back. (A3, A4)
//!
//! What the books decided, what the server has seen and what only this phone knows are three tables: who begins anew on
//! another phone loses the links, not the invitations, and can read out the eight characters instead.

use moa_rules::admission::RequestState;
use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::{
    INVITATION_DAYS, Invitation, InvitationState as Known, Invited, MOST_USES, TokenHash,
};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::api::{InvitationTrace, InvitationTraces};
use moa_wire::channel::Channel;
use moa_wire::contact::Contact;
use moa_wire::invitation::InvitationToken;
use moa_wire::link::{self, Destination};
use rusqlite::Connection;

use crate::error::PhoneError;
use crate::outbox::Kind;
use crate::phone::{Phone, own_shop};
use crate::shop::{Shop, inviting_group, shop};
use crate::store::invitation_links::{Link, ToSend, Unsent};
use crate::store::invitations::Answer;
use crate::store::outbox::{self, Effect, Pending};
use crate::store::{directory, invitation_links, invitations, join_requests};
use crate::transport::{Request, Response, TransportError};

/// How an invitation stands. Of one for several it says the furthest that any of them got, until all have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationStanding {
    /// On this phone; the server has not decided it yet. Its link can be handed on, and opens once it has.
    Draft,
    /// It can be answered; nobody was shown it yet.
    Minted,
    /// An app was opened to send it, or the server was asked to.
    Shared,
    /// The server sends it in the morning: at night no advertising is sent.
    Scheduled,
    /// The mail server or the carrier has taken it, or it lies in the shop's app.
    Delivered,
    /// Its page was opened. Programs that look at links count too.
    Opened,
    /// Someone who is signed in has taken it up.
    Claimed,
    /// A shop followed it, and waits for the members.
    PendingApproval,
    /// A shop followed it, and is a member.
    Joined,
    /// A shop will not follow it.
    Declined,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// Everyone whom it was for has answered.
    Exhausted,
}

/// How a shop answered an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HowAnswered {
    /// It waits for the members.
    Asked,
    /// It is a member.
    Joined,
    /// It will not come.
    Declined,
    /// The members did not let it in, or it asks no more.
    NotAdmitted,
}

/// A shop that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationAnswer {
    /// The shop.
    pub shop: Shop,
    /// How.
    pub how: HowAnswered,
}

/// The link of an invitation: whoever has it may answer.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationLink {
    /// What the link carries.
    pub token: InvitationToken,
    /// To be handed on.
    pub link: String,
    /// What a QR or a poster says: upper case, which makes it smaller.
    pub poster: String,
}

/// Keeps the link out of logs.
impl std::fmt::Debug for InvitationLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InvitationLink(…)")
    }
}

/// An invitation of this phone's shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnInvitation {
    /// The op that made it.
    pub id: OpId,
    /// To what.
    pub to: Invited,
    /// The group's name, if it is to one and the directory has told.
    pub group_name: Option<String>,
    /// The shop that is told in its app.
    pub shop: Option<Shop>,
    /// How many may answer.
    pub uses: u16,
    /// How many have.
    pub used: u16,
    /// How many of these declined.
    pub declined: u16,
    /// Until before this instant it is good.
    pub until: Timestamp,
    /// How it stands.
    pub standing: InvitationStanding,
    /// Whether this phone has asked to take it back, and the server has not decided that yet.
    pub revoking: bool,
    /// Its link; none of an invitation in the app, nor of one that another phone made.
    pub link: Option<InvitationLink>,
    /// The eight characters that open it too, once the server has told them ([`Client::refresh_invitations`](crate::Client::refresh_invitations)).
    pub code: Option<String>,
    /// By what it left last.
    pub channel: Option<Channel>,
    /// To which number or address the server sent it.
    pub contact: Option<String>,
    /// Whether the server is still to be asked to send it.
    pub to_send: bool,
    /// Why the server did not send it.
    pub unsent: Option<Unsent>,
    /// Who answered, as far as this phone has heard.
    pub answers: Vec<InvitationAnswer>,
}

impl Phone {
    /// Invites whoever is given the link: `uses` of them, for so many days. The link is there when this returns, and opens once
    /// the server has the op.
    ///
    /// # Errors
    /// `no_merchant`, `bad_uses`, `bad_date`, `shop_not_in_group`, `group_closing`; [`PhoneError::Key`] while the key store is
    /// locked.
    pub fn invite(&self, to: Invited, uses: u16, days: u32) -> Result<OpId, PhoneError> {
        self.check_invites(to, uses, days)?;
        let token = self.draw_token();
        let hash = Some(TokenHash(token.hash()));
        let sealing = self.sealing()?;
        let body = OpBody::Invite { to, hash, shop: None, uses, expires: self.void_in(days) };
        let op = self
            .submit(body, effect(to), |db, op| invitation_links::put(db, &sealing, op.value().id, token))?;
        Ok(op.value().id)
    }

    /// Invites a shop that Moa knows, in its app: no link, nothing to send. One that is open already is given again.
    ///
    /// # Errors
    /// As [`Self::invite`]; `bad_invitation` for this phone's own shop, `already_member`.
    pub fn invite_shop(&self, group: GroupId, invited: MerchantId, days: u32) -> Result<OpId, PhoneError> {
        let to = Invited::Group(group);
        self.check_invites(to, 1, days)?;
        let now = self.now();
        let open = self.store().read(|db| {
            if own_shop(db)? == Some(invited) {
                return Err(Refusal::BadInvitation.into());
            }
            if directory::members(db, group)?.contains(&invited) {
                return Err(Refusal::AlreadyMember.into());
            }
            let is = |invitation: &Invitation| invitation.shop == Some(invited) && invitation.to == to;
            let all = all(db, now)?;
            Ok(all
                .into_iter()
                .map(|(known, _)| known)
                .find(|known| is(known) && known.state(now) == Known::Open))
        })?;
        if let Some(open) = open {
            return Ok(open.id);
        }
        let expires = self.void_in(days);
        let body = OpBody::Invite { to, hash: None, shop: Some(invited), uses: 1, expires };
        Ok(self.submit(body, effect(to), |_, _| Ok(()))?.value().id)
    }

    /// Takes an invitation of this phone's shop back. Who has followed it stays.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`].
    pub fn revoke_invitation(&self, invitation: OpId) -> Result<OpId, PhoneError> {
        let known = self.store().read(|db| {
            let own = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            let known = all(db, self.now())?.into_iter().find(|(known, _)| known.id == invitation);
            known.filter(|(known, _)| known.issuer == own).ok_or(PhoneError::NotHere)
        })?;
        let op = self.submit(OpBody::RevokeInvitation { invitation }, effect(known.0.to), |_, _| Ok(()))?;
        Ok(op.value().id)
    }

    /// The invitations of this phone's shop, the newest first: those on their way to the server too.
    ///
    /// # Errors
    /// [`PhoneError::Key`] while the key store is locked.
    pub fn invitations(&self) -> Result<Vec<OwnInvitation>, PhoneError> {
        let (sealing, now) = (self.sealing()?, self.now());
        let link = |token: InvitationToken| {
            let (base, screen) = (self.link_base(), Destination::Invitation(token));
            InvitationLink { token, link: link::link(screen, base), poster: link::poster(screen, base) }
        };
        self.store().read(|db| {
            let Some(own) = own_shop(db)? else { return Ok(Vec::new()) };
            let revoking = revoking(db)?;
            let mut invitations = Vec::new();
            for (known, confirmed) in all(db, now)?.into_iter().filter(|(known, _)| known.issuer == own) {
                let id = known.id;
                let here = invitation_links::get(db, &sealing, id)?;
                let trace = invitation_links::trace(db, &sealing, id)?;
                let answers = answers(db, &known)?;
                let way = Way { here: here.as_ref(), trace: trace.as_ref(), answers: &answers };
                let standing =
                    if confirmed { standing(&known, &way, now) } else { InvitationStanding::Draft };
                let group = match known.to {
                    Invited::Group(group) => directory::group(db, group)?.map(|group| group.profile.name),
                    Invited::App => None,
                };
                invitations.push(OwnInvitation {
                    id,
                    to: known.to,
                    group_name: group,
                    shop: known.shop.map(|invited| shop(db, invited)).transpose()?,
                    uses: known.uses,
                    used: known.used,
                    declined: known.declined,
                    until: known.until,
                    standing,
                    revoking: revoking.contains(&id) && !known.revoked,
                    link: here.as_ref().and_then(|here| here.token).map(link),
                    code: trace.as_ref().and_then(|trace| trace.code.clone()),
                    channel: channel(here.as_ref(), &known),
                    contact: trace.and_then(|trace| trace.contact),
                    to_send: here.as_ref().is_some_and(|here| here.to_send),
                    unsent: here.and_then(|here| here.unsent),
                    answers,
                });
            }
            Ok(invitations)
        })
    }

    /// The shell has opened the other app with this invitation, as [`ShareIntent`](crate::ShareIntent) said.
    ///
    /// # Errors
    /// Storage.
    pub fn invitation_shared(&self, invitation: OpId, by: Channel) -> Result<(), PhoneError> {
        let now = self.now();
        self.write(|db| invitation_links::shared(db, invitation, by, now))
    }

    /// Has the server send an invitation of this phone's, by mail or text message as the contact is. It is kept until the server has
    /// answered; however often it is asked, the server sends an invitation once.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for one that this phone did not make; [`PhoneError::Key`] while the key store is locked.
    pub fn send_invitation(&self, invitation: OpId, to: &Contact) -> Result<(), PhoneError> {
        let sealing = self.sealing()?;
        let channel = match to {
            Contact::Number(_) => Channel::Sms,
            Contact::Email(_) => Channel::Email,
        };
        let to = ToSend { channel, to: to.as_str().to_owned() };
        self.write(|db| {
            let here = invitation_links::get(db, &sealing, invitation)?;
            here.filter(|here| here.token.is_some()).ok_or(PhoneError::NotHere)?;
            invitation_links::send(db, &sealing, invitation, &to)
        })
    }

    /// Asks how far the server has seen this shop's invitations get.
    ///
    /// # Errors
    /// As [`Self::devices_request`].
    pub fn invitations_request(&self) -> Result<Request, PhoneError> {
        self.look("/v1/invitations")
    }

    /// Takes the answer to [`Self::invitations_request`].
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason; [`PhoneError::Offline`].
    pub fn invitations_read(&self, answer: Result<Response, TransportError>) -> Result<(), PhoneError> {
        let InvitationTraces { traces } = self.outcome(answer)?;
        let sealing = self.sealing()?;
        self.write(|db| invitation_links::replace_traces(db, &sealing, &traces))
    }

    /// Refuses what the server would.
    pub(crate) fn check_invites(&self, to: Invited, uses: u16, days: u32) -> Result<(), PhoneError> {
        if !(1..=MOST_USES).contains(&uses) {
            return Err(Refusal::BadUses { max: MOST_USES.into() }.into());
        }
        if !(1..=INVITATION_DAYS).contains(&days) {
            return Err(Refusal::BadDate { days: INVITATION_DAYS }.into());
        }
        self.store().read(|db| match to {
            Invited::Group(group) => inviting_group(db, group),
            Invited::App => own_shop(db)?.map(drop).ok_or(Refusal::NoMerchant.into()),
        })
    }

    pub(crate) fn draw_token(&self) -> InvitationToken {
        let mut token = [0; 16];
        self.environment().random(&mut token);
        InvitationToken(token)
    }

    /// The second from which something is void that is good for so many days.
    pub(crate) fn void_in(&self, days: u32) -> u64 {
        self.now().plus(i64::from(days) * Timestamp::DAY).seconds()
    }
}

/// What an op that is about an invitation concerns.
pub(crate) fn effect(to: Invited) -> impl FnOnce(OpId) -> Effect {
    let group = match to {
        Invited::Group(group) => Some(group),
        Invited::App => None,
    };
    move |_| Effect { group, ..Effect::default() }
}

/// Every invitation that this phone knows, the newest first, and whether it is decided: those under way come first.
pub(crate) fn all(db: &Connection, now: Timestamp) -> Result<Vec<(Invitation, bool)>, PhoneError> {
    let Some(issuer) = own_shop(db)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let confirmed = invitations::all(db)?;
    for Pending { op: id, body, .. } in outbox::pending(db, Kind::Invite)?.into_iter().rev() {
        let OpBody::Invite { to, hash, shop, uses, expires } = body.body else { continue };
        let until = Timestamp::from_seconds(expires);
        if confirmed.iter().any(|known| known.id == id) {
            continue;
        }
        found.push((
            Invitation {
                id,
                issuer,
                to,
                hash,
                shop,
                uses,
                used: 0,
                declined: 0,
                made_at: now,
                until,
                revoked: false,
            },
            false,
        ));
    }
    found.extend(confirmed.into_iter().map(|known| (known, true)));
    Ok(found)
}

fn revoking(db: &Connection) -> Result<Vec<OpId>, PhoneError> {
    let pending = outbox::pending(db, Kind::RevokeInvitation)?.into_iter();
    let invitation = |pending: Pending| match pending.body.body {
        OpBody::RevokeInvitation { invitation } => Some(invitation),
        _ => None,
    };
    Ok(pending.filter_map(invitation).collect())
}

/// Who answered, and what came of it since.
pub(crate) fn answers(db: &Connection, known: &Invitation) -> Result<Vec<InvitationAnswer>, PhoneError> {
    let mut answers = Vec::new();
    for (merchant, answer) in invitations::answers(db, known.id)? {
        let how = match answer {
            Answer::Joined => HowAnswered::Joined,
            Answer::Declined => HowAnswered::Declined,
            Answer::Asked => match known.to {
                Invited::Group(group) => {
                    match join_requests::get(db, group, merchant)?.map(|asked| asked.state) {
                        Some(RequestState::Admitted) => HowAnswered::Joined,
                        Some(RequestState::Refused | RequestState::Withdrawn) => HowAnswered::NotAdmitted,
                        Some(RequestState::Open) | None => HowAnswered::Asked,
                    }
                }
                Invited::App => HowAnswered::Asked,
            },
        };
        answers.push(InvitationAnswer { shop: shop(db, merchant)?, how });
    }
    Ok(answers)
}

/// What is known of the way of an invitation.
pub(crate) struct Way<'a> {
    pub here: Option<&'a Link>,
    pub trace: Option<&'a InvitationTrace>,
    pub answers: &'a [InvitationAnswer],
}

/// How an invitation stands that the server has decided.
pub(crate) fn standing(known: &Invitation, way: &Way, now: Timestamp) -> InvitationStanding {
    use InvitationStanding as Is;
    // The one whom it was for has answered: that tells more than that nobody else can.
    if known.uses == 1
        && let Some(answer) = way.answers.last()
    {
        match answer.how {
            HowAnswered::Asked => return Is::PendingApproval,
            HowAnswered::Joined => return Is::Joined,
            HowAnswered::Declined => return Is::Declined,
            HowAnswered::NotAdmitted => {}
        }
    }
    match known.state(now) {
        Known::Revoked => return Is::Revoked,
        // Of one that another phone has followed up, the count tells.
        Known::Exhausted if known.declined == known.uses => return Is::Declined,
        Known::Exhausted => return Is::Exhausted,
        Known::Expired => return Is::Expired,
        Known::Open => {}
    }
    let seen = |seen: fn(&InvitationTrace) -> bool| way.trace.is_some_and(seen);
    let left = way.here.is_some_and(|here| here.shared.is_some() || here.sent_by.is_some());
    if seen(|trace| trace.claimed_at.is_some()) {
        Is::Claimed
    } else if seen(|trace| trace.opened > 0) {
        Is::Opened
    } else if known.shop.is_some() || seen(|trace| trace.delivered_at.is_some()) {
        Is::Delivered
    } else if way.trace.is_some_and(|trace| trace.waits_until > Some(now)) {
        Is::Scheduled
    } else if left || seen(|trace| trace.sent_at.is_some()) {
        Is::Shared
    } else {
        Is::Minted
    }
}

fn channel(here: Option<&Link>, known: &Invitation) -> Option<Channel> {
    if known.shop.is_some() {
        return Some(Channel::InApp);
    }
    let here = here?;
    here.sent_by.or(here.shared.map(|(by, _)| by))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_230_000_000);

    fn invitation(uses: u16) -> Invitation {
        Invitation {
            id: OpId([1; 16]),
            issuer: MerchantId([2; 16]),
            to: Invited::App,
            hash: None,
            shop: None,
            uses,
            used: 0,
            declined: 0,
            made_at: NOW,
            until: NOW.plus(Timestamp::DAY),
            revoked: false,
        }
    }

    fn answered(how: HowAnswered) -> Vec<InvitationAnswer> {
        let shop = Shop { id: MerchantId([3; 16]), name: None, place: None, currency: None };
        vec![InvitationAnswer { shop, how }]
    }

    fn trace() -> InvitationTrace {
        InvitationTrace::of(OpId([1; 16]))
    }

    #[test]
    fn an_invitation_goes_from_minted_to_claimed_as_it_is_seen_further_away() {
        let link = |shared| Link { token: None, shared, to_send: false, sent_by: None, unsent: None };
        let (here, gone) = (link(None), link(Some((Channel::Line, NOW))));
        let ways: [(&Link, InvitationTrace, InvitationStanding); 8] = [
            (&here, trace(), InvitationStanding::Minted),
            (&gone, trace(), InvitationStanding::Shared),
            (&here, InvitationTrace { sent_at: Some(NOW), ..trace() }, InvitationStanding::Shared),
            (
                &here,
                InvitationTrace { sent_at: Some(NOW), waits_until: Some(NOW.plus(1)), ..trace() },
                InvitationStanding::Scheduled,
            ),
            (
                &here,
                InvitationTrace { sent_at: Some(NOW), waits_until: Some(NOW), ..trace() },
                InvitationStanding::Shared,
            ),
            (&gone, InvitationTrace { delivered_at: Some(NOW), ..trace() }, InvitationStanding::Delivered),
            (&gone, InvitationTrace { opened: 2, ..trace() }, InvitationStanding::Opened),
            (
                &gone,
                InvitationTrace { opened: 2, claimed_at: Some(NOW), ..trace() },
                InvitationStanding::Claimed,
            ),
        ];
        for (here, trace, is) in ways {
            let way = Way { here: Some(here), trace: Some(&trace), answers: &[] };
            assert_eq!(standing(&invitation(1), &way, NOW), is);
            let over = Invitation { revoked: true, ..invitation(1) };
            assert_eq!(standing(&over, &way, NOW), InvitationStanding::Revoked);
            let later = NOW.plus(Timestamp::DAY);
            assert_eq!(standing(&invitation(1), &way, later), InvitationStanding::Expired);
        }
    }

    #[test]
    fn an_invitation_to_a_shop_in_its_app_is_delivered_as_soon_as_the_server_has_it() {
        let way = Way { here: None, trace: None, answers: &[] };
        let in_app = Invitation { shop: Some(MerchantId([3; 16])), ..invitation(1) };
        assert_eq!(standing(&in_app, &way, NOW), InvitationStanding::Delivered);
        assert_eq!(standing(&invitation(1), &way, NOW), InvitationStanding::Minted);
    }

    #[test]
    fn of_an_invitation_for_one_the_answer_tells_of_one_for_several_the_count() {
        let stands = |known: Invitation, how: Option<HowAnswered>| {
            let answers = how.map(answered).unwrap_or_default();
            standing(&known, &Way { here: None, trace: None, answers: &answers }, NOW)
        };
        let one = || Invitation { used: 1, ..invitation(1) };
        assert_eq!(stands(one(), Some(HowAnswered::Joined)), InvitationStanding::Joined);
        assert_eq!(stands(one(), Some(HowAnswered::Asked)), InvitationStanding::PendingApproval);
        assert_eq!(stands(one(), Some(HowAnswered::Declined)), InvitationStanding::Declined);
        assert_eq!(stands(one(), Some(HowAnswered::NotAdmitted)), InvitationStanding::Exhausted);
        assert_eq!(stands(one(), None), InvitationStanding::Exhausted, "a new phone has not heard who");
        assert_eq!(stands(Invitation { declined: 1, ..one() }, None), InvitationStanding::Declined);
        let several = Invitation { used: 1, ..invitation(3) };
        assert_eq!(stands(several, Some(HowAnswered::Joined)), InvitationStanding::Minted);
        let all = Invitation { used: 3, ..invitation(3) };
        assert_eq!(stands(all, Some(HowAnswered::Joined)), InvitationStanding::Exhausted);
    }
}
