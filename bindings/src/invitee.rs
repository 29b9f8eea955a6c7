//! The list of those who are to be invited, before anything is sent.

use moa_phone as phone;

use crate::app::App;
use crate::convert::{self, Dress};
use crate::error::ApiError;
use crate::invitation::InvitationState;
use crate::records::Shop;
use crate::share::Channel;

/// Where someone is reached.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Reach {
    /// At a number or an address: picked from the address book, or typed.
    Contact {
        /// By what.
        channel: Channel,
        /// As typed or picked.
        to: String,
    },
    /// Wherever they are picked in the messenger itself.
    Messenger {
        /// Which.
        channel: Channel,
    },
    /// In the app of a shop that Moa knows.
    Shop {
        /// The shop's id.
        merchant: String,
    },
}

/// Someone on the list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Invitee {
    /// Names the row.
    pub id: String,
    /// What the person calls them.
    pub name: String,
    /// By what they are reached.
    pub channel: Channel,
    /// Their number in E.164, or their address.
    pub contact: Option<String>,
    /// The shop, if Moa knows it.
    pub shop: Option<Shop>,
    /// The id of the invitation, once it was made.
    pub invitation: Option<String>,
    /// How that stands.
    pub state: Option<InvitationState>,
    /// The same in words; empty while it is not made.
    pub state_text: String,
}

impl Dress {
    fn invitee(self, invitee: phone::Invitee) -> Invitee {
        let state = invitee.standing.map(InvitationState::from);
        Invitee {
            id: invitee.id.to_string(),
            name: invitee.name,
            channel: invitee.channel.into(),
            contact: invitee.contact,
            shop: invitee.shop.map(convert::shop),
            invitation: invitee.invitation.map(|invitation| invitation.to_string()),
            state,
            state_text: state.map_or_else(String::new, |state| self.state(state)),
        }
    }
}

#[uniffi::export]
impl App {
    /// Puts someone on the list for a group, or for the app. Who is there already keeps the invitation that is still good. Gives the row's
    /// id.
    pub fn add_invitee(&self, group: Option<String>, name: String, reach: Reach) -> Result<String, ApiError> {
        let group = group.map(|group| self.group_id(&group)).transpose()?;
        let reach = match reach {
            Reach::Contact { channel, to } => phone::Reach::Contact(channel.into(), self.read_contact(&to)?),
            Reach::Messenger { channel } => phone::Reach::Messenger(channel.into()),
            Reach::Shop { merchant } => phone::Reach::Shop(self.merchant_id(&merchant)?),
        };
        Ok(self.ask(self.phone()?.add_invitee(group, &name, &reach))?.to_string())
    }

    /// Takes someone off the list.
    pub fn remove_invitee(&self, invitee: String) -> Result<(), ApiError> {
        let invitee = self.op_id(&invitee)?;
        self.ask(self.phone()?.remove_invitee(invitee))
    }

    /// The list for a group, or for the app.
    pub fn invitees(&self, group: Option<String>) -> Result<Vec<Invitee>, ApiError> {
        let group = group.map(|group| self.group_id(&group)).transpose()?;
        let invitees = self.ask(self.phone()?.invitees(group))?.into_iter();
        Ok(invitees.map(|invitee| self.dress().invitee(invitee)).collect())
    }

    /// Makes an invitation for everyone on the list who has none. Needs no network.
    pub fn invite_listed(&self, group: Option<String>, days: u32) -> Result<Vec<Invitee>, ApiError> {
        let group = group.map(|group| self.group_id(&group)).transpose()?;
        let invitees = self.ask(self.phone()?.invite_listed(group, days))?.into_iter();
        Ok(invitees.map(|invitee| self.dress().invitee(invitee)).collect())
    }

    /// Has the server send someone on the list their invitation, to the number or the address: once.
    pub fn send_to_invitee(&self, invitee: String) -> Result<(), ApiError> {
        let invitee = self.op_id(&invitee)?;
        self.ask(self.phone()?.send_to_invitee(invitee))
    }
}
