//! Invitations: those of this phone's shop and how each stands, and those to its person.

use std::sync::Arc;

use moa_phone as phone;
use moa_rules::invitation::Invited;
use moa_words::{InvitationText, invited};

use crate::app::{App, Inner};
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::records::{Group, Shop};
use crate::share::{Channel, Invite};

/// How an invitation stands. Of one for several: the furthest that any of them got, until all have answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum InvitationState {
    /// On this phone; its link opens once the server has it.
    Draft,
    /// It can be sent.
    Minted,
    /// An app was opened to send it, or the server was asked to.
    Shared,
    /// The server sends it in the morning: at night no advertising is sent.
    Scheduled,
    /// The mail server or the carrier has taken it, or it lies in the app.
    Delivered,
    /// Its page was opened.
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

/// How a shop answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
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

/// A shop that answered an invitation.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct InvitationAnswer {
    /// The shop.
    pub shop: Shop,
    /// How.
    pub how: HowAnswered,
    /// The same in words.
    pub text: String,
}

/// Why the server did not send an invitation.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct UnsentInvitation {
    /// The stable word for the reason.
    pub code: String,
    /// The reason.
    pub text: String,
}

/// An invitation of this phone's shop.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Invitation {
    /// Its id.
    pub id: String,
    /// The id of the group; none of one to the app.
    pub group: Option<String>,
    /// The group's name.
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
    pub until: i64,
    /// The same, as a phrase.
    pub until_text: String,
    /// How it stands.
    pub state: InvitationState,
    /// The same in words.
    pub state_text: String,
    /// Whether it is being taken back.
    pub revoking: bool,
    /// Its link, while this phone has it.
    pub link: Option<String>,
    /// For `share_intent` and `invitation_qr`, while this phone has the link.
    pub share: Option<Invite>,
    /// The eight characters that open it too; known after `refresh_invitations`.
    pub code: Option<String>,
    /// By what it left last.
    pub channel: Option<Channel>,
    /// To which number or address the server sent it.
    pub contact: Option<String>,
    /// Whether the server is still to be asked to send it.
    pub to_send: bool,
    /// Why the server did not send it.
    pub unsent: Option<UnsentInvitation>,
    /// Who answered.
    pub answers: Vec<InvitationAnswer>,
}

/// An invitation to this phone's person.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ReceivedInvitation {
    /// Its id.
    pub id: String,
    /// The shop that invites.
    pub from: Shop,
    /// Whether it is one to collect at that shop, rather than into a group.
    pub to_app: bool,
    /// The group: terms and members by name. None until the directory has told.
    pub group: Option<Group>,
    /// Until before this instant it is good.
    pub until: i64,
    /// The same, as a phrase.
    pub until_text: String,
    /// How it stands.
    pub state: InvitationState,
    /// The same in words.
    pub state_text: String,
    /// What this phone has just answered: whether it comes.
    pub answering: Option<bool>,
}

/// One row a state: in the core, here, in words.
macro_rules! states {
    ($($name:ident),*) => {
        impl From<phone::InvitationStanding> for InvitationState {
            fn from(standing: phone::InvitationStanding) -> Self {
                match standing { $(phone::InvitationStanding::$name => Self::$name,)* }
            }
        }

        impl From<InvitationState> for InvitationText {
            fn from(state: InvitationState) -> Self {
                match state { $(InvitationState::$name => Self::$name,)* }
            }
        }
    };
}
states!(
    Draft,
    Minted,
    Shared,
    Scheduled,
    Delivered,
    Opened,
    Claimed,
    PendingApproval,
    Joined,
    Declined,
    Expired,
    Revoked,
    Exhausted
);

impl Dress {
    pub(crate) fn state(self, state: InvitationState) -> String {
        invited(self.lang, state.into())
    }

    fn answer(self, answer: phone::InvitationAnswer) -> InvitationAnswer {
        let (how, text) = match answer.how {
            phone::HowAnswered::Asked => (HowAnswered::Asked, InvitationText::PendingApproval),
            phone::HowAnswered::Joined => (HowAnswered::Joined, InvitationText::Joined),
            phone::HowAnswered::Declined => (HowAnswered::Declined, InvitationText::Declined),
            phone::HowAnswered::NotAdmitted => (HowAnswered::NotAdmitted, InvitationText::NotAdmitted),
        };
        InvitationAnswer { shop: convert::shop(answer.shop), how, text: invited(self.lang, text) }
    }

    fn invitation(self, own: phone::OwnInvitation) -> Invitation {
        let group = match own.to {
            Invited::Group(group) => Some(group.to_string()),
            Invited::App => None,
        };
        let share = own.link.as_ref().map(|link| {
            let (token, code, expires_at) = (link.token.hex(), own.code.clone(), Some(own.until.0));
            match &group {
                Some(group) => Invite::Group { group: group.clone(), token, code, expires_at },
                None => Invite::App { group: None, token, code, expires_at },
            }
        });
        let state = own.standing.into();
        Invitation {
            id: own.id.to_string(),
            group,
            group_name: own.group_name,
            shop: own.shop.map(convert::shop),
            uses: own.uses,
            used: own.used,
            declined: own.declined,
            until: own.until.0,
            until_text: self.moment(own.until),
            state,
            state_text: self.state(state),
            revoking: own.revoking,
            link: own.link.map(|link| link.link),
            share,
            code: own.code,
            channel: own.channel.map(Into::into),
            contact: own.contact,
            to_send: own.to_send,
            unsent: own.unsent.map(|why| UnsentInvitation { code: why.code, text: why.text }),
            answers: own.answers.into_iter().map(|answer| self.answer(answer)).collect(),
        }
    }

    fn received(self, received: phone::ReceivedInvitation) -> ReceivedInvitation {
        let state = received.standing.into();
        ReceivedInvitation {
            id: received.id.to_string(),
            from: convert::shop(received.from),
            to_app: received.to == Invited::App,
            group: received.group.map(|group| self.group(group)),
            until: received.until.0,
            until_text: self.moment(received.until),
            state,
            state_text: self.state(state),
            answering: received.answering,
        }
    }
}

#[uniffi::export]
impl App {
    /// Invites whoever is given the link into a group, or to the app: so many of them, for so many days. Needs no network: the link and
    /// its QR are there at once, and open once the server has the invitation.
    pub fn invite(&self, group: Option<String>, uses: u16, days: u32) -> Result<Invitation, ApiError> {
        let group = group.map(|group| self.group_id(&group)).transpose()?;
        let to = group.map_or(Invited::App, Invited::Group);
        let made = self.ask(self.phone()?.invite(to, uses, days))?.to_string();
        let invitation = self.invitations()?.into_iter().find(|invitation| invitation.id == made);
        invitation.ok_or_else(|| self.invalid("no such invitation"))
    }

    /// Invites a shop that Moa knows, in its app. Gives the invitation's id.
    pub fn invite_shop(&self, group: String, merchant: String, days: u32) -> Result<String, ApiError> {
        let (group, merchant) = (self.group_id(&group)?, self.merchant_id(&merchant)?);
        Ok(self.ask(self.phone()?.invite_shop(group, merchant, days))?.to_string())
    }

    /// The invitations of this phone's shop, the newest first.
    pub fn invitations(&self) -> Result<Vec<Invitation>, ApiError> {
        let invitations = self.ask(self.phone()?.invitations())?.into_iter();
        Ok(invitations.map(|own| self.dress().invitation(own)).collect())
    }

    /// Learns how far the server has seen them get, and the characters that open them. To be called when their screen opens.
    pub async fn refresh_invitations(&self) -> Result<(), ApiError> {
        self.run(async move |app: Arc<Inner>| app.client.refresh_invitations().await).await
    }

    /// Takes an invitation back; who has followed it stays. Gives the op.
    pub fn revoke_invitation(&self, invitation: String) -> Result<String, ApiError> {
        let invitation = self.op_id(&invitation)?;
        Ok(self.ask(self.phone()?.revoke_invitation(invitation))?.to_string())
    }

    /// The shell has opened the other app with it, as `share_intent` said.
    pub fn invitation_shared(&self, invitation: String, by: Channel) -> Result<(), ApiError> {
        let invitation = self.op_id(&invitation)?;
        self.ask(self.phone()?.invitation_shared(invitation, by.into()))
    }

    /// Has the server send it to a number or an address, as typed or picked: once, as soon as there is a network.
    pub fn send_invitation(&self, invitation: String, to: String) -> Result<(), ApiError> {
        let (invitation, to) = (self.op_id(&invitation)?, self.read_contact(&to)?);
        self.ask(self.phone()?.send_invitation(invitation, &to))
    }

    /// What an invitation is to, by its link in any form or its eight characters; it can be answered from now on.
    pub async fn open_invitation(&self, text: String) -> Result<ReceivedInvitation, ApiError> {
        let call = async move |app: Arc<Inner>| app.client.open_invitation(&text).await;
        Ok(self.dress().received(self.run(call).await?))
    }

    /// The invitations to this phone's person: in the app, and those that were opened here.
    pub fn received_invitations(&self) -> Result<Vec<ReceivedInvitation>, ApiError> {
        let received = self.ask(self.phone()?.received_invitations())?.into_iter();
        Ok(received.map(|received| self.dress().received(received)).collect())
    }

    /// Follows an invitation into its group, under the version of its terms that the merchant has read; asks to join, where the group does
    /// not take everyone. Gives the op.
    pub fn accept_invitation(&self, invitation: String, terms_version: u32) -> Result<String, ApiError> {
        let invitation = self.op_id(&invitation)?;
        Ok(self.ask(self.phone()?.accept_invitation(invitation, terms_version))?.to_string())
    }

    /// Declines. Gives the op.
    pub fn decline_invitation(&self, invitation: String) -> Result<String, ApiError> {
        let invitation = self.op_id(&invitation)?;
        Ok(self.ask(self.phone()?.decline_invitation(invitation))?.to_string())
    }
}
