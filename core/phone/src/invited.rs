//! Invitations to this phone's person: in the app, by a link, by eight characters; following one, or not. (A4)

use moa_rules::id::OpId;
use moa_rules::invitation::{Invitation, InvitationState as Known, Invited, Ticket};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::time::Timestamp;
use moa_wire::api::{InvitationFound, InvitationShown};
use moa_wire::canonical;
use moa_wire::code::{self, Scanned};
use moa_wire::link::Destination;
use rusqlite::Connection;

use crate::error::{PhoneError, corrupt};
use crate::invitation::{InvitationStanding, Way, answers, effect, standing};
use crate::outbox::Kind;
use crate::phone::{Phone, own_shop};
use crate::shop::{GroupInfo, Shop, info, shop};
use crate::store::outbox::{self, Pending};
use crate::store::{directory, invitations};
use crate::transport::{Request, Response, TransportError};

/// An invitation to this phone's person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedInvitation {
    /// The invitation.
    pub id: OpId,
    /// The shop that invites.
    pub from: Shop,
    /// To what.
    pub to: Invited,
    /// The group: its terms, and its members by name. None of one to the app, and until the directory has told.
    pub group: Option<GroupInfo>,
    /// Until before this instant it is good.
    pub until: Timestamp,
    /// How it stands.
    pub standing: InvitationStanding,
    /// What this phone has just answered, and the server has not decided yet: whether it comes.
    pub answering: Option<bool>,
}

impl Phone {
    /// Asks what an invitation is to, by what someone holds of it: its link in any form, or the eight characters.
    ///
    /// # Errors
    /// `not_an_invitation` for another code; [`PhoneError::NotOurs`], saying what it is; as
    /// [`devices_request`](Self::devices_request).
    pub fn open_request(&self, text: &str) -> Result<Request, PhoneError> {
        let shown = match code::read(text, self.link_base())? {
            Scanned::Link(Destination::Invitation(token)) => {
                InvitationShown { token: Some(token.hex()), code: None }
            }
            Scanned::Link(Destination::InvitationCode(code)) => {
                InvitationShown { token: None, code: Some(code.characters()) }
            }
            _ => return Err(Refusal::NotAnInvitation.into()),
        };
        self.post_as_caller("/v1/invitations/open", &shown)
    }

    /// Takes the answer to [`Self::open_request`]: the invitation is kept, with what lets this person answer it; shop, group and
    /// members are in the directory from now on.
    ///
    /// # Errors
    /// [`PhoneError::Problem`] with the server's reason, the same for one that is void and one that never was;
    /// [`PhoneError::Offline`].
    pub fn opened(&self, answer: Result<Response, TransportError>) -> Result<ReceivedInvitation, PhoneError> {
        let found: InvitationFound = self.read_answer(answer)?;
        let known = read(&found)?;
        let broken = || PhoneError::NotOurServer("an invitation without its ticket".to_owned());
        let ticket: Ticket = canonical::decode(&found.ticket.0).map_err(|_| broken())?;
        if (ticket.issuer, ticket.invitation) != (known.issuer, known.id) || found.issuer.id != known.issuer {
            return Err(broken());
        }
        let now = self.now();
        self.write(|db| {
            invitations::found(db, known.id, &found, now)?;
            directory::put_merchant(db, &found.issuer)?;
            found.members.iter().try_for_each(|member| directory::put_merchant(db, member))?;
            found.group.as_ref().map_or(Ok(()), |group| directory::put_group(db, group))
        })?;
        self.store().read(|db| received(db, &known, now))
    }

    /// The invitations to this phone's person: those in the app, then those that were opened here, the last first.
    ///
    /// # Errors
    /// Storage.
    pub fn received_invitations(&self) -> Result<Vec<ReceivedInvitation>, PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let own = own_shop(db)?;
            let mut known = invitations::all(db)?;
            known.retain(|known| own.is_some() && known.shop == own);
            for found in invitations::all_found(db)? {
                let found = read(&found)?;
                if known.iter().all(|known| known.id != found.id) && Some(found.issuer) != own {
                    known.push(found);
                }
            }
            known.iter().map(|known| received(db, known, now)).collect()
        })
    }

    /// Follows an invitation into its group, under the version of its terms that the merchant has read. Where the group does not take
    /// everyone, and who invited can't let in alone, this asks to join.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for one that this phone was not shown; `invitation_void`, `invitation_used`; as
    /// [`join_group`](Self::join_group).
    pub fn accept_invitation(&self, invitation: OpId, terms_version: u32) -> Result<OpId, PhoneError> {
        let (known, ticket) = self.answerable(invitation)?;
        let Invited::Group(group) = known.to else { return Err(Refusal::NotAnInvitation.into()) };
        self.join(group, terms_version, Some(ticket))
    }

    /// Declines for this phone's shop.
    ///
    /// # Errors
    /// `no_merchant`; [`PhoneError::NotHere`] for one that this phone was not shown; `invitation_void`, `invitation_used`.
    pub fn decline_invitation(&self, invitation: OpId) -> Result<OpId, PhoneError> {
        let (known, ticket) = self.answerable(invitation)?;
        let op = self.submit(OpBody::DeclineInvitation { ticket }, effect(known.to), |_, _| Ok(()))?;
        Ok(op.value().id)
    }

    /// An invitation that this phone's shop can answer, and what names it in the answer.
    fn answerable(&self, invitation: OpId) -> Result<(Invitation, Ticket), PhoneError> {
        let now = self.now();
        self.store().read(|db| {
            let own = own_shop(db)?.ok_or(Refusal::NoMerchant)?;
            let told = invitations::get(db, invitation)?.filter(|known| known.shop == Some(own));
            let (known, ticket) = match (told, invitations::get_found(db, invitation)?) {
                (Some(known), _) => (known, Ticket { issuer: known.issuer, invitation, mac: None }),
                (None, Some(found)) => {
                    let ticket = canonical::decode(&found.ticket.0);
                    (read(&found)?, ticket.map_err(|_| corrupt("ticket"))?)
                }
                (None, None) => return Err(PhoneError::NotHere),
            };
            match known.state(now) {
                Known::Open => Ok((known, ticket)),
                Known::Exhausted => Err(Refusal::InvitationUsed.into()),
                Known::Expired | Known::Revoked => Err(Refusal::InvitationVoid.into()),
            }
        })
    }
}

fn read(found: &InvitationFound) -> Result<Invitation, PhoneError> {
    let broken = |_| PhoneError::NotOurServer("an invitation that is none".to_owned());
    canonical::decode(&found.invitation.0).map_err(broken)
}

fn received(db: &Connection, known: &Invitation, now: Timestamp) -> Result<ReceivedInvitation, PhoneError> {
    let own = own_shop(db)?;
    let mut own_answers = answers(db, known)?;
    own_answers.retain(|answer| Some(answer.shop.id) == own);
    // Whatever the way, it has arrived.
    let standing = match standing(known, &Way { here: None, trace: None, answers: &own_answers }, now) {
        InvitationStanding::Minted if known.shop.is_some() => InvitationStanding::Delivered,
        InvitationStanding::Minted => InvitationStanding::Claimed,
        other => other,
    };
    let group = match known.to {
        Invited::Group(group) => info(db, group)?,
        Invited::App => None,
    };
    let (from, answering) = (shop(db, known.issuer)?, answering(db, known.id)?);
    Ok(ReceivedInvitation {
        id: known.id,
        from,
        to: known.to,
        group,
        until: known.until,
        standing,
        answering,
    })
}

/// What this phone has just answered, until the event has come.
fn answering(db: &Connection, invitation: OpId) -> Result<Option<bool>, PhoneError> {
    let mut pending = outbox::pending(db, Kind::JoinGroup)?;
    pending.extend(outbox::pending(db, Kind::DeclineInvitation)?);
    pending.sort_by_key(|pending| pending.op);
    let answer = |pending: Pending| match pending.body.body {
        OpBody::JoinGroup { invitation: Some(ticket), .. } if ticket.invitation == invitation => Some(true),
        OpBody::DeclineInvitation { ticket } if ticket.invitation == invitation => Some(false),
        _ => None,
    };
    Ok(pending.into_iter().rev().find_map(answer))
}
