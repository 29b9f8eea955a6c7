//! Whom the shop is about to invite: a list that is put together before anything is sent, from the address book's picker, from
//! what was typed, from messengers, from the directory. (A3)

use moa_rules::id::{GroupId, MerchantId, OpId};
use moa_rules::invitation::{InvitationState as Known, Invited, TokenHash};
use moa_rules::op::OpBody;
use moa_rules::refusal::Refusal;
use moa_rules::terms::check_name;
use moa_wire::channel::Channel;
use moa_wire::contact::Contact;

use crate::error::PhoneError;
use crate::invitation::{InvitationStanding, all, effect};
use crate::phone::Phone;
use crate::sealing::Sealing;
use crate::shop::{Shop, shop};
use crate::store::invitees::{Listed, Who};
use crate::store::{directory, invitation_links, invitees, outbox};

/// How many may stand on the list that are not invited yet.
pub const MOST_LISTED: u32 = 300;

/// Where someone is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// At a number or an address, by a channel: from the address book, or typed.
    Contact(Channel, Contact),
    /// Wherever they are picked in the messenger itself.
    Messenger(Channel),
    /// In the app of a shop that Moa knows: a suggestion of the directory.
    Shop(MerchantId),
}

/// Someone on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitee {
    /// Names the row: for [`Phone::remove_invitee`].
    pub id: OpId,
    /// Into which group; none: to the app.
    pub group: Option<GroupId>,
    /// What the person calls them.
    pub name: String,
    /// By what they are reached.
    pub channel: Channel,
    /// Their number in E.164, or their address.
    pub contact: Option<String>,
    /// The shop, if Moa knows it.
    pub shop: Option<Shop>,
    /// The invitation, once it was made; for [`Phone::invitation_shared`].
    pub invitation: Option<OpId>,
    /// How that stands; none while it is not made.
    pub standing: Option<InvitationStanding>,
}

impl Phone {
    /// Puts someone on the list. Whoever is there already for the same group is given again, with the invitation if it can still be
    /// answered; otherwise they can be invited anew.
    ///
    /// # Errors
    /// `bad_name`; `too_many_invitations` beyond 300 that are not invited yet; [`PhoneError::Key`] while the key store is locked.
    pub fn add_invitee(&self, group: Option<GroupId>, name: &str, reach: &Reach) -> Result<OpId, PhoneError> {
        check_name(name)?;
        let (sealing, now) = (self.sealing()?, self.now());
        let (channel, contact, shop) = match reach {
            Reach::Contact(channel, contact) => (*channel, Some(contact.as_str().to_owned()), None),
            Reach::Messenger(channel) => (*channel, None, None),
            Reach::Shop(shop) => (Channel::InApp, None, Some(*shop)),
        };
        if shop.is_some() && group.is_none() {
            return Err(Refusal::BadInvitation.into());
        }
        let id = self.op_id();
        let who = Who { name: name.to_owned(), contact };
        self.write(|db| {
            let known = all(db, now)?;
            let same = |listed: &Listed| {
                listed.group == group
                    && listed.shop == shop
                    && if who.contact.is_some() || shop.is_some() {
                        listed.who.contact == who.contact
                    } else {
                        (listed.channel, &listed.who) == (channel, &who)
                    }
            };
            let before = invitees::all(db, &sealing)?.into_iter().find(same);
            if let Some(Listed { id, invitation, .. }) = before {
                let open =
                    |id| known.iter().any(|(known, _)| known.id == id && known.state(now) == Known::Open);
                if !invitation.is_none_or(open) {
                    invitees::invited(db, id, None)?;
                }
                return Ok(id);
            }
            if invitees::count(db)? >= u64::from(MOST_LISTED) {
                return Err(Refusal::TooManyInvitations { most: MOST_LISTED }.into());
            }
            invitees::put(db, &sealing, &Listed { id, group, shop, channel, who, invitation: None })?;
            Ok(id)
        })
    }

    /// Takes someone off the list. An invitation that was made stays: [`Self::revoke_invitation`].
    ///
    /// # Errors
    /// Storage.
    pub fn remove_invitee(&self, invitee: OpId) -> Result<(), PhoneError> {
        self.write(|db| invitees::remove(db, invitee))
    }

    /// The list for a group, or for the app, in the order in which it was put together.
    ///
    /// # Errors
    /// [`PhoneError::Key`] while the key store is locked.
    pub fn invitees(&self, group: Option<GroupId>) -> Result<Vec<Invitee>, PhoneError> {
        let sealing = self.sealing()?;
        let made = self.invitations()?;
        self.store().read(|db| {
            let listed = invitees::all(db, &sealing)?.into_iter().filter(|listed| listed.group == group);
            listed
                .map(|listed| {
                    let Listed { id, group, channel, who: Who { name, contact }, invitation, .. } = listed;
                    let of = invitation.and_then(|id| made.iter().find(|made| made.id == id));
                    let shop = listed.shop.map(|merchant| shop(db, merchant)).transpose()?;
                    let standing = of.map(|of| of.standing);
                    Ok(Invitee { id, group, name, channel, contact, shop, invitation, standing })
                })
                .collect()
        })
    }

    /// Invites everyone on the list for a group, or for the app, who is not invited yet: an invitation each, for one. The links are
    /// there when this returns: what is left to the shell is to share each, or to have the server send it.
    ///
    /// # Errors
    /// As [`Self::invite`]; `already_member` for a shop that is one.
    pub fn invite_listed(&self, group: Option<GroupId>, days: u32) -> Result<Vec<Invitee>, PhoneError> {
        let to = group.map_or(Invited::App, Invited::Group);
        self.check_invites(to, 1, days)?;
        let (sealing, expires) = (self.sealing()?, self.void_in(days));
        let listed = self.store().read(|db| {
            let members = group.map_or(Ok(Vec::new()), |group| directory::members(db, group))?;
            let mut listed = invitees::all(db, &sealing)?;
            listed.retain(|listed| listed.group == group && listed.invitation.is_none());
            if listed.iter().any(|listed| listed.shop.is_some_and(|shop| members.contains(&shop))) {
                return Err(Refusal::AlreadyMember.into());
            }
            Ok(listed)
        })?;
        let tokens: Vec<_> =
            listed.iter().map(|listed| listed.shop.is_none().then(|| self.draw_token())).collect();
        let bodies = listed.iter().zip(&tokens).map(|(listed, token)| {
            let hash = token.map(|token| TokenHash(token.hash()));
            OpBody::Invite { to, hash, shop: listed.shop, uses: 1, expires }
        });
        let ops = self.sign_all(bodies.collect())?;
        let at = self.now();
        self.write(|db| {
            for ((op, listed), token) in ops.iter().zip(&listed).zip(tokens) {
                // Taken off, or invited, while the key signed.
                let still = invitees::get(db, &sealing, listed.id)?;
                if still.is_none_or(|still| still.invitation.is_some()) {
                    continue;
                }
                let id = op.value().id;
                outbox::insert(db, op, effect(to)(id), at)?;
                if let Some(token) = token {
                    invitation_links::put(db, &sealing, id, token)?;
                }
                invitees::invited(db, listed.id, Some(id))?;
            }
            Ok(())
        })?;
        self.invitees(group)
    }

    /// The invitee's contact, for [`Self::send_invitation`].
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for whoever has none, or is not invited yet.
    pub(crate) fn invited_contact(
        &self,
        sealing: &Sealing,
        invitee: OpId,
    ) -> Result<(OpId, Contact), PhoneError> {
        let listed = self.store().read(|db| invitees::get(db, sealing, invitee))?;
        let Listed { who, invitation, .. } = listed.ok_or(PhoneError::NotHere)?;
        let contact = who.contact.and_then(|contact| Contact::read(&contact).ok());
        invitation.zip(contact).ok_or(PhoneError::NotHere)
    }

    /// Has the server send someone on the list their invitation: [`Self::send_invitation`].
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for whoever has no contact, or is not invited yet.
    pub fn send_to_invitee(&self, invitee: OpId) -> Result<(), PhoneError> {
        let sealing = self.sealing()?;
        let (invitation, contact) = self.invited_contact(&sealing, invitee)?;
        self.send_invitation(invitation, &contact)
    }
}
