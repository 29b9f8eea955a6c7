//! How an invitation leaves the phone: what a shell has to open, for each channel. (A3, A4)
//!
//! The shell opens it and says afterwards whether the person went through with it; it writes no text and encodes no
//! address. Where a platform has a better way than a URL (a composer for text messages, a sharing SDK), the parts are
//! there too. `docs/invitations.md` names the source of each form.

use moa_rules::id::GroupId;
use moa_rules::refusal::Refusal;
use moa_rules::staff::{INVITATION_HOURS, Limits};
use moa_rules::time::Timestamp;
use moa_wire::channel::Channel;
use moa_wire::code::{self, Scanned};
use moa_wire::contact::Contact;
use moa_wire::invitation::InvitationToken;
use moa_wire::link::{self, Destination};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::PhoneError;
use crate::phone::Phone;
use crate::shop::GroupInfo;

/// All but what RFC 3986 calls unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is to be shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToShare {
    /// An invitation of a shop to a group.
    Group {
        /// The group.
        group: GroupId,
        /// The invitation's token.
        token: InvitationToken,
    },
    /// An invitation to the shop's staff, by its code: [`crate::ShownInvitation`].
    Staff {
        /// `MOA1:…`.
        code: String,
    },
    /// An invitation of a buyer to the app.
    App {
        /// The group in which they might collect.
        group: Option<GroupId>,
        /// The invitation's token.
        token: InvitationToken,
    },
}

/// What there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The shop that invites, by name; none for a buyer.
    pub from: Option<String>,
    /// The group, if one is named.
    pub group: Option<GroupInfo>,
    /// What one of the staff may sell; of an invitation to the staff.
    pub limits: Option<Limits>,
    /// When it is void, if that is known from the invitation itself.
    pub expires_at: Option<Timestamp>,
    /// Where it is opened.
    pub link: String,
    /// What the QR of it says: shorter to draw than the link where the link has two cases.
    pub qr: String,
    /// The parameter with which `KakaoTalk` opens the app: name and value. None for the staff: their link is the only way.
    pub parameter: Option<(&'static str, String)>,
}

/// The texts of an invitation, ready to be sent: `moa_words::invitation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// For a text message, with the link.
    pub sms: String,
    /// For a chat, with the link.
    pub chat: String,
    /// The same without the link, for an app that takes it apart.
    pub beside_link: String,
    /// A subject for an e-mail, and a title for the system's sheet.
    pub subject: String,
    /// An e-mail's text, with the link.
    pub mail: String,
    /// Title, description and button of a feed.
    pub feed: [String; 3],
    /// What is copied.
    pub copied: String,
}

/// What a shell does to send an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        /// `androidExecutionParams` and `iosExecutionParams`: name and value; none if there is only the link.
        parameter: Option<(&'static str, String)>,
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
}

impl Phone {
    /// What there is to say of an invitation, from what this phone knows.
    ///
    /// # Errors
    /// [`PhoneError::NotHere`] for a group that the directory has not told yet; `not_an_invitation` for another code;
    /// `invitation_expired`.
    pub fn to_share(&self, what: &ToShare) -> Result<Shared, PhoneError> {
        let base = self.link_base();
        let from = self.own_shop()?.and_then(|shop| shop.profile).map(|profile| profile.name);
        match what {
            ToShare::Staff { code } => {
                let Scanned::StaffInvitation(sealed) = code::read(code, base)? else {
                    return Err(Refusal::NotAnInvitation.into());
                };
                let expires_at = Timestamp::from_seconds(sealed.unchecked().expires);
                if self.now() > expires_at {
                    return Err(Refusal::InvitationExpired { hours: INVITATION_HOURS }.into());
                }
                Ok(Shared {
                    from,
                    group: None,
                    limits: Some(sealed.unchecked().limits),
                    expires_at: Some(expires_at),
                    link: link::token_link(sealed.bytes(), base),
                    qr: code::text(sealed.bytes()),
                    parameter: None,
                })
            }
            ToShare::Group { group, token } => self.invited(from, Some(*group), *token),
            ToShare::App { group, token } => self.invited(from, *group, *token),
        }
    }

    fn invited(
        &self,
        from: Option<String>,
        group: Option<GroupId>,
        token: InvitationToken,
    ) -> Result<Shared, PhoneError> {
        let group = match group {
            Some(group) => Some(self.group(group)?.ok_or(PhoneError::NotHere)?),
            None => None,
        };
        let (base, screen) = (self.link_base(), Destination::Invitation(token));
        Ok(Shared {
            from,
            group,
            limits: None,
            expires_at: None,
            link: link::link(screen, base),
            qr: link::poster(screen, base),
            parameter: Some(link::parameter(screen)),
        })
    }
}

/// What a shell does to send an invitation by `channel`, to a contact where one was picked. None where the shell has
/// nothing to do: a notice in the app is the server's to send.
pub fn intent(channel: Channel, to: Option<&Contact>, shared: &Shared, said: Said) -> Option<ShareIntent> {
    let number = to.and_then(|to| if let Contact::Number(number) = to { Some(number.clone()) } else { None });
    let address =
        to.and_then(|to| if let Contact::Email(address) = to { Some(address.clone()) } else { None });
    let open = |url| Some(ShareIntent::OpenUrl { url });
    match channel {
        Channel::Sms => {
            let (url, to) = (sms_url(number.as_deref(), &said.sms), number);
            Some(ShareIntent::Sms { to, body: said.sms, url })
        }
        Channel::Email => {
            let url = mail_url(address.as_deref(), &said.subject, &said.mail);
            Some(ShareIntent::Mail { to: address, subject: said.subject, body: said.mail, url })
        }
        Channel::KakaoTalk => {
            let ([title, description, button], link) = (said.feed, shared.link.clone());
            let parameter = shared.parameter.clone();
            Some(ShareIntent::Kakao { title, description, button, link, parameter })
        }
        Channel::Line => open(format!("https://line.me/R/share?text={}", component(&said.chat))),
        Channel::Telegram => {
            let (link, text) = (component(&shared.link), component(&said.beside_link));
            open(format!("https://t.me/share/url?url={link}&text={text}"))
        }
        Channel::WhatsApp => {
            let number = number.as_deref().map_or("", |number| number.trim_start_matches('+'));
            open(format!("https://wa.me/{number}?text={}", component(&said.chat)))
        }
        Channel::Messenger => open(format!("fb-messenger://share?link={}", component(&shared.link))),
        Channel::Sheet => Some(ShareIntent::Sheet { title: said.subject, text: said.chat }),
        Channel::Copy => Some(ShareIntent::Copy { text: said.copied }),
        Channel::InApp => None,
    }
}

fn component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// RFC 5724. iOS reads the body behind `&`, others behind `?`: `?&` is both.
fn sms_url(to: Option<&str>, body: &str) -> String {
    format!("sms:{}?&body={}", to.unwrap_or_default(), component(body))
}

/// RFC 6068: lines end in CR LF, and a space is never a plus.
fn mail_url(to: Option<&str>, subject: &str, body: &str) -> String {
    let to = to.and_then(|to| to.split_once('@'));
    let to = to.map_or_else(String::new, |(name, host)| format!("{}@{}", component(name), component(host)));
    format!("mailto:{to}?subject={}&body={}", component(subject), component(&body.replace('\n', "\r\n")))
}
