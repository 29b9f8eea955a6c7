//! Invitations on their way out: whom for, what they say, what the shell opens.

use moa_phone::{self as phone, Said, Shared, ToShare};
use moa_rules::time::{Timestamp, local_day};
use moa_wire::channel;
use moa_wire::contact::{self, NotAContact};
use moa_wire::invitation::InvitationToken;
use moa_words::invitation::{self as words, Invites, Offer};
use moa_words::not_a_contact;

use crate::app::App;
use crate::convert::country;
use crate::error::ApiError;
use crate::records::Qr;

/// A way by which an invitation leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Channel {
    /// A text message.
    Sms,
    /// `KakaoTalk`, by its sharing SDK.
    KakaoTalk,
    /// LINE.
    Line,
    /// Telegram.
    Telegram,
    /// `WhatsApp`.
    WhatsApp,
    /// Facebook Messenger.
    Messenger,
    /// E-mail.
    Email,
    /// The inbox of a shop that uses Moa already: the server's to send.
    InApp,
    /// Whatever app is picked in the system's sheet.
    Sheet,
    /// The clipboard.
    Copy,
}

impl From<Channel> for channel::Channel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::KakaoTalk => Self::KakaoTalk,
            Channel::Line => Self::Line,
            Channel::Telegram => Self::Telegram,
            Channel::WhatsApp => Self::WhatsApp,
            Channel::Messenger => Self::Messenger,
            Channel::Email => Self::Email,
            Channel::InApp => Self::InApp,
            Channel::Sheet => Self::Sheet,
            Channel::Copy => Self::Copy,
        }
    }
}

impl From<channel::Channel> for Channel {
    fn from(channel: channel::Channel) -> Self {
        match channel {
            channel::Channel::Sms => Self::Sms,
            channel::Channel::KakaoTalk => Self::KakaoTalk,
            channel::Channel::Line => Self::Line,
            channel::Channel::Telegram => Self::Telegram,
            channel::Channel::WhatsApp => Self::WhatsApp,
            channel::Channel::Messenger => Self::Messenger,
            channel::Channel::Email => Self::Email,
            channel::Channel::InApp => Self::InApp,
            channel::Channel::Sheet => Self::Sheet,
            channel::Channel::Copy => Self::Copy,
        }
    }
}

/// Someone to be invited, as the core keeps them.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Contact {
    /// A phone number.
    Number {
        /// In E.164, such as `+821012345678`.
        number: String,
    },
    /// An e-mail address.
    Email {
        /// With its host in lower case.
        address: String,
    },
}

/// What is to be shared.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Invite {
    /// A shop, to a group.
    Group {
        /// The group's id.
        group: String,
        /// The invitation's token, 32 hex digits.
        token: String,
        /// The eight characters that open it too, once the server has told them.
        code: Option<String>,
        /// When it is void.
        expires_at: Option<i64>,
    },
    /// Someone, to this shop's staff.
    Staff {
        /// The code of [`crate::StaffInvitation`].
        invitation: String,
    },
    /// A buyer, to the app.
    App {
        /// The id of the group in which they might collect.
        group: Option<String>,
        /// The invitation's token, 32 hex digits.
        token: String,
        /// The eight characters that open it too, once the server has told them.
        code: Option<String>,
        /// When it is void.
        expires_at: Option<i64>,
    },
}

/// What the shell does to send an invitation.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ShareIntent {
    /// Opens a URL, which leads to the other app.
    OpenUrl {
        /// The URL.
        url: String,
    },
    /// Shows the composer of text messages; where there is none to call, the URL opens it.
    Sms {
        /// The number in E.164; none if it is yet to be picked.
        to: Option<String>,
        /// The message.
        body: String,
        /// `sms:` with both.
        url: String,
    },
    /// Shows the composer of mails; where there is none to call, the URL opens it.
    Mail {
        /// The address; none if it is yet to be picked.
        to: Option<String>,
        /// The subject.
        subject: String,
        /// The text.
        body: String,
        /// `mailto:` with all of them.
        url: String,
    },
    /// Hands a feed to `KakaoTalk`'s sharing SDK.
    Kakao {
        /// The title.
        title: String,
        /// The description.
        description: String,
        /// The text of the one button.
        button: String,
        /// For the button and the feed itself, as web link and as mobile web link.
        link: String,
        /// `androidExecutionParams` and `iosExecutionParams`; none if there is only the link.
        parameter: Option<Parameter>,
    },
    /// Shows the system's sheet.
    Sheet {
        /// For apps that show one.
        title: String,
        /// What is shared, with the link in it.
        text: String,
    },
    /// Copies it, and says so.
    Copy {
        /// What is copied.
        text: String,
    },
    /// Nothing: the server tells the invited shop in the app.
    Nothing,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

#[uniffi::export]
impl App {
    /// A contact as it was picked from the address book or typed: the number in E.164, or the e-mail address.
    pub fn contact(&self, typed: String) -> Result<Contact, ApiError> {
        Ok(match self.read_contact(&typed)? {
            contact::Contact::Number(number) => Contact::Number { number },
            contact::Contact::Email(address) => Contact::Email { address },
        })
    }

    /// What the shell does to send an invitation by a channel; to someone as typed or picked, where the channel can name
    /// them. `from` is what a buyer calls themselves; a shop's name goes before it.
    #[uniffi::method(default(to = None, from = None))]
    pub fn share_intent(
        &self,
        invite: Invite,
        channel: Channel,
        to: Option<String>,
        from: Option<String>,
    ) -> Result<ShareIntent, ApiError> {
        let to = to.map(|typed| self.read_contact(&typed)).transpose()?;
        let shared = self.shared(&invite)?;
        let said = self.said(&invite, &shared, from);
        Ok(phone::intent(channel.into(), to.as_ref(), &shared, said).into())
    }

    /// The QR of an invitation, for who stands beside.
    pub fn invitation_qr(&self, invite: Invite) -> Result<Qr, ApiError> {
        self.qr(&self.shared(&invite)?.qr)
    }
}

impl App {
    pub(crate) fn read_contact(&self, typed: &str) -> Result<contact::Contact, ApiError> {
        contact::Contact::read(typed).map_err(|what| self.no_contact(what))
    }

    fn no_contact(&self, what: NotAContact) -> ApiError {
        let (code, text) = (what.code().to_owned(), not_a_contact(self.dress().lang, what));
        ApiError::Refused { code, text, figures: [].into(), op: None }
    }

    fn shared(&self, invite: &Invite) -> Result<Shared, ApiError> {
        let token = |text: &str| text.parse::<InvitationToken>().map_err(|error| self.invalid(error));
        let what = match invite {
            Invite::Group { group, token: text, .. } => {
                ToShare::Group { group: self.group_id(group)?, token: token(text)? }
            }
            Invite::Staff { invitation } => ToShare::Staff { code: invitation.clone() },
            Invite::App { group, token: text, .. } => {
                let group = group.as_deref().map(|group| self.group_id(group)).transpose()?;
                ToShare::App { group, token: token(text)? }
            }
        };
        self.ask(self.phone()?.to_share(&what))
    }

    /// The texts of an invitation, in the app's language.
    fn said(&self, invite: &Invite, shared: &Shared, from: Option<String>) -> Said {
        let lang = self.dress().lang;
        let offer = shared.group.as_ref().map(|group| Offer {
            group: &group.profile.name,
            terms: &group.terms,
            members: u32::try_from(group.members.len()).unwrap_or(u32::MAX),
        });
        let invites = match (invite, offer, shared.limits) {
            (Invite::Group { .. }, Some(offer), _) => Invites::Shop(offer),
            (_, _, Some(limits)) => Invites::Staff(limits),
            (_, offer, None) => Invites::Buyer(offer),
        };
        let (code, expires_at) = match invite {
            Invite::Group { code, expires_at, .. } | Invite::App { code, expires_at, .. } => {
                (code.as_deref(), expires_at.map(Timestamp))
            }
            Invite::Staff { .. } => (None, shared.expires_at),
        };
        let from = shared.from.clone().or(from).unwrap_or_else(|| words::somebody(lang));
        let last_day = expires_at.map(|at| local_day(at, &country()).into());
        let invitation = words::Invitation { from: &from, invites, link: &shared.link, code, last_day };
        let (feed, mail) = (words::kakao(lang, &invitation), words::mail(lang, &invitation));
        Said {
            sms: words::sms(lang, &invitation),
            chat: words::chat(lang, &invitation),
            beside_link: words::beside_link(lang, &invitation),
            subject: mail.subject,
            mail: mail.plain,
            feed: [feed.title, feed.description, feed.button],
            copied: words::copied(&invitation),
        }
    }
}

impl From<Option<phone::ShareIntent>> for ShareIntent {
    fn from(intent: Option<phone::ShareIntent>) -> Self {
        match intent {
            Some(phone::ShareIntent::OpenUrl { url }) => Self::OpenUrl { url },
            Some(phone::ShareIntent::Sms { to, body, url }) => Self::Sms { to, body, url },
            Some(phone::ShareIntent::Mail { to, subject, body, url }) => {
                Self::Mail { to, subject, body, url }
            }
            Some(phone::ShareIntent::Kakao { title, description, button, link, parameter }) => {
                let parameter = parameter.map(|(name, value)| Parameter { name: name.to_owned(), value });
                Self::Kakao { title, description, button, link, parameter }
            }
            Some(phone::ShareIntent::Sheet { title, text }) => Self::Sheet { title, text },
            Some(phone::ShareIntent::Copy { text }) => Self::Copy { text },
            None => Self::Nothing,
        }
    }
}
