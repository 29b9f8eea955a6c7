//! Invitations beside the journal: who shows one gets a ticket, who made one sees its way, and the server sends those that go
//! by mail or text message. (A3, A4; docs/invitations.md)

use moa_ledger::store::invitations::{Seen, Sending, SendingLimits, Sent, Trace, told_since};
use moa_ledger::store::{NewEffect, StoreError};
use moa_rules::id::{AccountId, KeyId, MerchantId, OpId};
use moa_rules::invitation::{Invitation, InvitationState, Invited, Ticket, TokenHash};
use moa_rules::time::{Timestamp, Zone, local_day};
use moa_wire::api::{
    Base64, GroupEntry, InvitationFound, InvitationSent, InvitationShown, InvitationToSend, InvitationTrace,
    MerchantEntry,
};
use moa_wire::canonical;
use moa_wire::channel::Channel;
use moa_wire::contact::Contact;
use moa_wire::invitation::{InvitationCode, InvitationToken};
use moa_wire::link::{Destination, link};
use moa_words::Lang;
use moa_words::invitation::{self as words, Invites, Offer};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::Caller;
use crate::devices;
use crate::night;
use crate::phone_number::PhoneNumber;
use crate::random::NoRandomness;

/// Codes that stand for nothing and that one account may try in an hour.
const MOST_TRIES: usize = 10;
/// For how long wrong codes are counted.
const TRIED_WITHIN: i64 = Timestamp::HOUR;
/// Invitations that the server sends to one number or address in a day, whoever sends them.
const SENT_TO_CONTACT: u32 = 5;
/// Invitations that the server sends for one shop in a day.
const SENT_BY_SHOP: u32 = 100;
/// For how long a trace is kept: as long as any invitation, and as long as it is told.
const TRACES_KEPT: i64 = 125 * Timestamp::DAY;
/// The most members of a group that an invitation shows by name.
const MOST_MEMBERS: usize = 200;

/// Why an invitation can't be opened or sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvitationError {
    #[error("no such invitation, or not any more")]
    Void,
    #[error("sent to someone else")]
    ForAnother,
    #[error("the caller has no shop")]
    NoShop,
    #[error("neither a number nor an address")]
    BadContact,
    #[error("too many wrong codes")]
    TooManyTries { retry_after_s: u64 },
    #[error("too many sent")]
    TooManySent { retry_after_s: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// What someone who is signed in holds of an invitation is given the ticket for it.
pub(crate) fn open(
    app: &App,
    caller: Caller,
    shown: &InvitationShown,
) -> Result<InvitationFound, InvitationError> {
    let account = caller.person().ok_or(InvitationError::NoShop)?;
    let found = match (&shown.token, &shown.code) {
        (Some(token), None) => by_token(app, token)?,
        (None, Some(code)) => by_code(app, account, code)?,
        _ => None,
    };
    let now = app.engine.now();
    let known = found.filter(|known| known.state(now) == InvitationState::Open);
    let known = known.ok_or(InvitationError::Void)?;
    check_contact(app, account, &known)?;
    let (issuer, group) = entries(app, &known)?;
    app.store().invitation_seen(known.issuer, known.id, Seen::Claimed, now)?;
    let mut members = Vec::new();
    for member in group.iter().flat_map(|group| &group.members).take(MOST_MEMBERS) {
        members.extend(app.store().merchant(*member)?.map(MerchantEntry::from));
    }
    let mac = Some(app.pepper.of_ticket(known.issuer, known.id, account));
    let ticket = Ticket { issuer: known.issuer, invitation: known.id, mac };
    let (invitation, ticket) = (Base64(canonical::encode(&known)), Base64(canonical::encode(&ticket)));
    Ok(InvitationFound { invitation, issuer, group, members, ticket })
}

/// The shop that invites and the group that it invites into, while the one is a member of the other.
fn entries(app: &App, known: &Invitation) -> Result<(MerchantEntry, Option<GroupEntry>), InvitationError> {
    let issuer = app.store().merchant(known.issuer)?.ok_or(InvitationError::Void)?;
    let group = match known.to {
        Invited::App => None,
        Invited::Group(id) => {
            let group = app.store().group(id)?.ok_or(InvitationError::Void)?;
            if !group.members.contains(&known.issuer) {
                return Err(InvitationError::Void);
            }
            Some(GroupEntry::from(group))
        }
    };
    Ok((MerchantEntry::from(issuer), group))
}

fn by_token(app: &App, token: &str) -> Result<Option<Invitation>, InvitationError> {
    let Ok(token) = token.parse::<InvitationToken>() else { return Ok(None) };
    Ok(app.store().invitation_by_hash(TokenHash(token.hash()))?)
}

/// The invitation for which eight characters stand. Who tries others is counted: thirty-five bits can be guessed.
fn by_code(app: &App, account: AccountId, typed: &str) -> Result<Option<Invitation>, InvitationError> {
    let Ok(code) = InvitationCode::read(typed) else { return Ok(None) };
    let (now, mac) = (app.engine.now(), app.pepper.of_invitation_code(code));
    let _one_at_a_time = app.guessing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let tries = app.store().wrong_digits_since(account.0, now.plus(-TRIED_WITHIN))?;
    if let Some(first) = tries.len().checked_sub(MOST_TRIES).and_then(|at| tries.get(at)) {
        let retry_after_s = seconds_until(first.plus(TRIED_WITHIN), now);
        return Err(InvitationError::TooManyTries { retry_after_s });
    }
    let found = app.store().invitation_by_code(mac)?;
    if found.is_none() {
        app.store().wrong_digits(account.0, mac, now)?;
    }
    Ok(found)
}

/// An invitation for one person that went to a phone number is that person's.
fn check_contact(app: &App, account: AccountId, known: &Invitation) -> Result<(), InvitationError> {
    if known.uses != 1 {
        return Ok(());
    }
    let trace = app.store().trace_of(known.issuer, known.id)?;
    let to_number = |trace: &Trace| trace.channel.as_deref() == Some(channel_name(Channel::Sms));
    let Some(number) = trace.filter(to_number).and_then(|trace| trace.contact_mac) else { return Ok(()) };
    if app.store().signed_up_with(number)? == Some(account) {
        Ok(())
    } else {
        Err(InvitationError::ForAnother)
    }
}

/// Whether an op's ticket is the server's word for its author.
pub(crate) fn is_genuine(app: &App, author: KeyId, ticket: &Ticket) -> Result<bool, StoreError> {
    let Some(mac) = ticket.mac else { return Ok(false) };
    let account = app.store().device(author)?.and_then(|device| device.account());
    let genuine = |account| mac == app.pepper.of_ticket(ticket.issuer, ticket.invitation, account);
    Ok(account.is_some_and(genuine))
}

/// The ways of the caller's shop's invitations, each with the characters that stand for it.
pub(crate) fn traces(app: &App, caller: Caller) -> Result<Vec<InvitationTrace>, InvitationError> {
    let (issuer, now) = (devices::owned_shop(app, caller)?.ok_or(InvitationError::NoShop)?, app.engine.now());
    let mut traces: std::collections::BTreeMap<OpId, Trace> =
        app.store().traces_of(issuer)?.into_iter().collect();
    let mut told = Vec::new();
    let made = app.store().invitations_of(issuer, told_since(now))?;
    for known in made.into_iter().filter(|known| known.issuer == issuer) {
        let trace = traces.remove(&known.id).unwrap_or_default();
        let code = if known.hash.is_some() && known.state(now) == InvitationState::Open {
            let code = app.pepper.invitation_code(known.id);
            let mac = app.pepper.of_invitation_code(code);
            if trace.code_mac != Some(mac) {
                app.store().name_invitation(issuer, known.id, mac, now)?;
            }
            Some(code.text())
        } else {
            None
        };
        // Asked for at night, it was not tried yet; by day it was, and may have been given up.
        let asked = trace.sent_at.filter(|_| trace.delivered_at.is_none());
        let waits_until = asked.and_then(night::waits_until).filter(|morning| *morning > now);
        let opened = trace.contact.as_deref().and_then(|sealed| app.pepper.unsealed(known.id, sealed));
        told.push(InvitationTrace {
            invitation: known.id,
            code,
            channel: trace.channel,
            contact: opened,
            sent_at: trace.sent_at,
            waits_until,
            delivered_at: trace.delivered_at,
            opened: trace.opened,
            claimed_at: trace.claimed_at,
        });
    }
    Ok(told)
}

/// An invitation on its way by mail or text message. The text is made when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    issuer: MerchantId,
    invitation: OpId,
    pub(crate) channel: Channel,
    pub(crate) to: String,
    token: String,
    lang: String,
}

impl Outgoing {
    /// The kind of effect.
    pub(crate) const KIND: &str = "invitation";
}

/// Sends an invitation of the caller's shop, once.
pub(crate) fn send(
    app: &App,
    caller: Caller,
    asked: &InvitationToSend,
    lang: Lang,
) -> Result<InvitationSent, InvitationError> {
    let (issuer, now) = (devices::owned_shop(app, caller)?.ok_or(InvitationError::NoShop)?, app.engine.now());
    let (to, contact_mac) = match asked.channel {
        Channel::Sms => {
            let number = PhoneNumber::read(&asked.to).ok_or(InvitationError::BadContact)?;
            (number.as_str().to_owned(), app.pepper.of_phone(&number))
        }
        Channel::Email => {
            let Ok(Contact::Email(address)) = Contact::read(&asked.to) else {
                return Err(InvitationError::BadContact);
            };
            let mac = app.pepper.of_mailbox(&address);
            (address, mac)
        }
        _ => return Err(InvitationError::BadContact),
    };
    let token = asked.token.parse::<InvitationToken>().map_err(|_| InvitationError::Void)?;
    let known = app.store().invitation(issuer, asked.invitation)?;
    let known = known.filter(|known| known.hash == Some(TokenHash(token.hash())));
    known.filter(|known| known.state(now) == InvitationState::Open).ok_or(InvitationError::Void)?;
    let invitation = asked.invitation;
    let lang = lang.tag().to_owned();
    let outgoing =
        Outgoing { issuer, invitation, channel: asked.channel, to: to.clone(), token: token.hex(), lang };
    let payload = serde_json::json!(outgoing).to_string();
    // Named by the invitation: a second one is the same.
    let effect = NewEffect { id: invitation.0, kind: Outgoing::KIND.to_owned(), payload, due_at: now };
    let since = now.plus(-Timestamp::DAY);
    let sending = Sending {
        issuer,
        invitation,
        channel: channel_name(asked.channel).to_owned(),
        contact_mac,
        contact: app.pepper.sealed(invitation, &to)?,
        effect,
        limits: SendingLimits { to_contact: SENT_TO_CONTACT, by_issuer: SENT_BY_SHOP, since },
    };
    match app.store().send_invitation(&sending, now)? {
        Sent::TooManyToContact | Sent::TooManyByIssuer => {
            let retry_after_s = u64::try_from(Timestamp::DAY / Timestamp::SECOND).unwrap_or(u64::MAX);
            Err(InvitationError::TooManySent { retry_after_s })
        }
        sent => {
            app.effects.notify_one();
            let before = sent == Sent::Before;
            Ok(InvitationSent { before, waits_until: night::waits_until(now).filter(|_| !before) })
        }
    }
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "sms",
        Channel::Email => "email",
        _ => "other",
    }
}

/// What is said in it.
pub(crate) enum Message {
    /// A text message.
    Sms(String),
    /// A mail.
    Mail(words::Mail),
}

/// What an invitation says that is about to be sent; nothing, if it can't be answered any more.
pub(crate) fn message(app: &App, outgoing: &Outgoing) -> Result<Option<Message>, StoreError> {
    let Outgoing { issuer, invitation, channel, token, lang, .. } = outgoing;
    let now = app.engine.now();
    let known = app.store().invitation(*issuer, *invitation)?;
    let known = known.filter(|known| known.state(now) == InvitationState::Open);
    let (Some(known), Ok(token)) = (known, token.parse::<InvitationToken>()) else { return Ok(None) };
    let (issuer, group) = match entries(app, &known) {
        Ok(entries) => entries,
        Err(InvitationError::Store(error)) => return Err(error),
        Err(_) => return Ok(None),
    };
    let link = link(Destination::Invitation(token), app.base());
    let lang: Lang = lang.parse().unwrap_or_default();
    let offer = group.as_ref().map(|group| Offer {
        group: &group.group.profile.name,
        terms: &group.terms.terms,
        members: group.group.members,
    });
    let zone = group.as_ref().map_or_else(Zone::default, |group| group.terms.terms.tz());
    let said = words::Invitation {
        from: &issuer.profile.name,
        invites: offer.map_or(Invites::Buyer(None), Invites::Shop),
        link: &link,
        code: None,
        last_day: Some(local_day(known.until.plus(-1), &zone).into()),
    };
    Ok(Some(match channel {
        Channel::Email => Message::Mail(words::mail(lang, &said)),
        _ => Message::Sms(words::sms(lang, &said)),
    }))
}

/// Whoever carries it has taken it.
pub(crate) fn delivered(app: &App, outgoing: &Outgoing) -> Result<(), StoreError> {
    let now = app.engine.now();
    app.store().invitation_seen(outgoing.issuer, outgoing.invitation, Seen::Delivered, now)
}

/// Forgets to whom invitations went that are long over.
pub(crate) fn forget(app: &App) -> Result<(), StoreError> {
    app.store().forget_traces(app.engine.now().plus(-TRACES_KEPT))
}

/// Whole seconds until an instant, one at least.
fn seconds_until(instant: Timestamp, now: Timestamp) -> u64 {
    let millis = instant.0.saturating_sub(now.0);
    u64::try_from(millis.div_euclid(1_000)).unwrap_or(0).max(1)
}
