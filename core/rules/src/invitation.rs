//! Invitations: a member's word that another shop may join its group, or a shop's that a person may come. (A3, A4)
//!
//! A link or a QR holds sixteen random bytes that the phone made; the op says only their SHA-256. Whoever shows them, or the
//! short code that stands for them, to the server is given a [`Ticket`], which names the invitation in their own op. So
//! the journal holds nothing that lets anyone in.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{GroupId, MerchantId, OpId};
use crate::op::Carried;
use crate::refusal::Refusal;
use crate::staff::sales_day;
use crate::time::{Day, Timestamp};
use crate::view::{Halt, Key, View};

/// For how many days an invitation is good at most.
pub const INVITATION_DAYS: u32 = 90;
/// How many may answer one invitation at most.
pub const MOST_USES: u16 = 1_000;
/// How many invitations a shop may make in a day.
pub const INVITATIONS_A_DAY: u16 = 300;

/// What someone is invited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Invited {
    /// A shop, to join a group.
    #[n(0)]
    Group(#[n(0)] GroupId),
    /// A buyer, to collect at the shop that invites.
    #[n(1)]
    App,
}

/// The SHA-256 of an invitation's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct TokenHash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

/// An invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Invitation {
    /// The op that made it.
    #[n(0)]
    pub id: OpId,
    /// The shop that invites.
    #[n(1)]
    pub issuer: MerchantId,
    /// To what.
    #[n(2)]
    pub to: Invited,
    /// By what a link is known, if there is one.
    #[n(3)]
    pub hash: Option<TokenHash>,
    /// The shop that is told in its app, if it is one that Moa knows.
    #[n(4)]
    pub shop: Option<MerchantId>,
    /// How many may answer it, 1..=1 000.
    #[n(5)]
    pub uses: u16,
    /// How many have.
    #[n(6)]
    pub used: u16,
    /// How many of these declined.
    #[n(7)]
    pub declined: u16,
    /// When it was decided.
    #[n(8)]
    pub made_at: Timestamp,
    /// Until before this instant it is good.
    #[n(9)]
    pub until: Timestamp,
    /// Whether it was taken back.
    #[n(10)]
    pub revoked: bool,
}

/// How an invitation stands, as far as the books know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationState {
    /// It can be answered.
    Open,
    /// Everyone whom it was for has answered.
    Exhausted,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Invitation {
    /// How it stands at `now`.
    pub fn state(&self, now: Timestamp) -> InvitationState {
        if self.revoked {
            InvitationState::Revoked
        } else if self.used >= self.uses {
            InvitationState::Exhausted
        } else if self.until <= now {
            InvitationState::Expired
        } else {
            InvitationState::Open
        }
    }
}

/// The least by which the server knows that a person was shown an invitation: a MAC over invitation and account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct TicketMac(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Names an invitation in the op of whoever answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Ticket {
    /// The shop that invites.
    #[n(0)]
    pub issuer: MerchantId,
    /// The invitation.
    #[n(1)]
    pub invitation: OpId,
    /// That the author was shown it; of no use to anyone else. None from a shop that was told in its app.
    #[n(2)]
    pub mac: Option<TicketMac>,
}

/// What an invitation is to be.
pub(crate) struct Wanted {
    pub(crate) to: Invited,
    pub(crate) hash: Option<TokenHash>,
    pub(crate) shop: Option<MerchantId>,
    pub(crate) uses: u16,
    pub(crate) expires: u64,
}

/// Invites in the name of the author's shop.
pub(crate) fn invite(
    view: &View,
    author: &Author,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    let Wanted { to, hash, shop, uses, expires } = *wanted;
    // By a link, or in the app of the one shop that it is for: nobody else could ever answer.
    let alone = shop.is_none() || uses == 1;
    if (hash.is_none() && shop.is_none()) || !alone || shop == Some(merchant) {
        return Err(Refusal::BadInvitation.into());
    }
    if !(1..=MOST_USES).contains(&uses) {
        return Err(Refusal::BadUses { max: MOST_USES.into() }.into());
    }
    let until = Timestamp::from_seconds(expires);
    // An hour is forgiven for clocks.
    let last = now.plus(i64::from(INVITATION_DAYS) * Timestamp::DAY + Timestamp::HOUR);
    if until <= now || until > last {
        return Err(Refusal::BadDate { days: INVITATION_DAYS }.into());
    }
    view.want(&[Key::Merchant(merchant)])?;
    if let Some(shop) = shop {
        view.merchant(shop)?.ok_or(Refusal::UnknownShop)?;
    }
    match to {
        Invited::Group(group) => check_invites(view, group, merchant, shop)?,
        Invited::App => {}
    }
    let own = view.merchant(merchant)?.ok_or(Refusal::NoMerchant)?;
    let (day, made) = own.invited;
    if day == today(now) && made >= INVITATIONS_A_DAY {
        return Err(Refusal::TooManyInvitations { most: INVITATIONS_A_DAY.into() }.into());
    }
    let invitation = author.op.id;
    Ok(author.caused(EventBody::InvitationMade { invitation, merchant, to, hash, shop, uses, until }))
}

/// The day by which invitations are counted.
pub(crate) fn today(now: Timestamp) -> Day {
    sales_day(now.seconds())
}

/// Refuses to invite into a group from outside, or to its end, or a member.
fn check_invites(
    view: &View,
    group: GroupId,
    merchant: MerchantId,
    shop: Option<MerchantId>,
) -> Result<(), Halt> {
    view.want(&[Key::Group(group), Key::Member(group, merchant)])?;
    if view.group(group)?.ok_or(Refusal::UnknownGroup)?.closing.is_some() {
        return Err(Refusal::GroupClosing.into());
    }
    view.member(group, merchant)?.ok_or(Refusal::ShopNotInGroup)?.check_active()?;
    match shop.map(|shop| view.member(group, shop)).transpose()?.flatten() {
        Some(member) if member.left_at.is_none() => Err(Refusal::AlreadyMember.into()),
        _ => Ok(()),
    }
}

/// Takes an invitation of the author's shop back. Whoever has joined by it stays.
pub(crate) fn revoke(view: &View, author: &Author, invitation: OpId) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    let known = view.invitation(merchant, invitation)?.ok_or(Refusal::InvitationVoid)?;
    if known.revoked {
        return Ok(Decision::default());
    }
    let shop = known.shop;
    Ok(author.caused(EventBody::InvitationRevoked { invitation, merchant, shop }))
}

/// Declines for the author's shop.
pub(crate) fn decline(
    view: &View,
    author: &Author,
    ticket: &Ticket,
    carried: &Carried,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let shop = author.owner()?;
    let known = open(view, ticket, carried, shop, now)?;
    let (invitation, merchant) = (known.id, known.issuer);
    if merchant == shop {
        return Err(Refusal::NotAllowed.into());
    }
    Ok(author.caused(EventBody::InvitationDeclined { invitation, merchant, shop }))
}

/// The invitation that a ticket of this shop's names, while it can be answered.
///
/// # Errors
/// `invitation_void` for one that is not there, over, taken back, or not this shop's: all the same to who asks;
/// `invitation_used`.
pub(crate) fn open<'a>(
    view: &'a View,
    ticket: &Ticket,
    carried: &Carried,
    shop: MerchantId,
    now: Timestamp,
) -> Result<&'a Invitation, Halt> {
    let known = view.invitation(ticket.issuer, ticket.invitation)?.ok_or(Refusal::InvitationVoid)?;
    let shown = *carried == Carried::Ticket || known.shop == Some(shop);
    match known.state(now) {
        InvitationState::Open if shown => Ok(known),
        InvitationState::Exhausted if shown => Err(Refusal::InvitationUsed.into()),
        _ => Err(Refusal::InvitationVoid.into()),
    }
}

/// The invitation into this group that a ticket names; its issuer must still be a member.
pub(crate) fn into_group<'a>(
    view: &'a View,
    group: GroupId,
    ticket: &Ticket,
    carried: &Carried,
    (shop, now): (MerchantId, Timestamp),
) -> Result<&'a Invitation, Halt> {
    let known = open(view, ticket, carried, shop, now)?;
    let inside = view.member(group, known.issuer)?.is_some_and(|member| member.left_at.is_none());
    if known.to == Invited::Group(group) && inside { Ok(known) } else { Err(Refusal::InvitationVoid.into()) }
}
