//! Groups and their members: founding, joining, leaving, freezing, closing. (A1, A2, A5, A6, rules.md "Joining, changing,
//! leaving")

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::admission;
use crate::decide::{Author, Decision};
use crate::event::{Answered, EventBody};
use crate::id::{GroupId, MerchantId};
use crate::invitation::{self, Ticket};
use crate::lot::Usable;
use crate::op::Carried;
use crate::refusal::Refusal;
use crate::role;
use crate::terms::{Profile, TERMS_HONOURED_FOR, Terms, Unit};
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how long a group that is to end still issues: its notice.
pub const NOTICE_DAYS: u32 = 30;
/// For how long its mileage can be used after that.
pub const REDEEM_ONLY_DAYS: u32 = 60;

/// An alliance of shops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Group {
    /// Its id.
    #[n(0)]
    pub id: GroupId,
    /// The shop that founded it.
    #[n(1)]
    pub founder: MerchantId,
    /// How it presents itself.
    #[n(2)]
    pub profile: Profile,
    /// The version of the terms now in force.
    #[n(3)]
    pub terms_version: u32,
    /// How many shops are members.
    #[n(4)]
    pub members: u32,
    /// The member that administers it: the founder, until it appoints another.
    #[n(5)]
    pub admin: MerchantId,
    /// Members, present or past, whose lots cannot be used, in order of id.
    #[n(6)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<MerchantId>,
    /// How it ends, if it does.
    #[n(7)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
    /// The version of the profile, from 1.
    #[n(8)]
    pub profile_version: u32,
}

/// The end of a group, as its notice said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct Closing {
    /// From when nothing is issued.
    #[n(0)]
    pub redeem_only_from: Timestamp,
    /// When what remains expires.
    #[n(1)]
    pub ends_at: Timestamp,
    /// Whether nothing remains.
    #[n(2)]
    pub ended: bool,
}

impl Group {
    /// Which of its lots count at `now`.
    pub fn usable(&self, unit: Option<Unit>, now: Timestamp) -> Usable<'_> {
        Usable { unit, now, ends_at: self.closing.map(|closing| closing.ends_at), frozen: &self.frozen }
    }

    /// Whether a sale of that instant can still earn in it.
    pub fn issues(&self, sold: Timestamp) -> bool {
        self.closing.is_none_or(|closing| sold < closing.redeem_only_from)
    }
}

/// One version of a group's terms, and when it was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct TermsVersion {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// From 1.
    #[n(1)]
    pub version: u32,
    /// The terms.
    #[n(2)]
    pub terms: Terms,
    /// From this instant.
    #[n(3)]
    pub in_force_from: Timestamp,
    /// Until before this instant, if they were replaced.
    #[n(4)]
    pub in_force_until: Option<Timestamp>,
}

impl TermsVersion {
    /// Whether a claim decided at `now` may still name this version: in force at any time in the seven days
    /// before. (rules.md "Time")
    pub fn honoured_at(&self, now: Timestamp) -> bool {
        let replaced_lately = |until: Timestamp| until > now.plus(-TERMS_HONOURED_FOR);
        self.in_force_from <= now && self.in_force_until.is_none_or(replaced_lately)
    }
}

/// A shop in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The group.
    pub group: GroupId,
    /// The shop.
    pub merchant: MerchantId,
    /// When it joined.
    pub joined_at: Timestamp,
    /// The version of the terms that it agreed to.
    pub terms_version: u32,
    /// When it left, or was put out.
    pub left_at: Option<Timestamp>,
    /// Since when it is frozen.
    pub frozen_at: Option<Timestamp>,
}

impl Member {
    /// Whether a sale of its at that instant earns: whoever left or was frozen answers for what was signed before.
    pub fn issues(&self, sold: Timestamp) -> bool {
        self.left_at.is_none_or(|left| sold < left) && self.frozen_at.is_none_or(|frozen| sold < frozen)
    }

    /// Refuses to take mileage at a shop that left or is frozen.
    ///
    /// # Errors
    /// `shop_not_in_group`, `member_frozen`.
    pub fn check_active(&self) -> Result<(), Refusal> {
        match (self.left_at, self.frozen_at) {
            (Some(_), _) => Err(Refusal::ShopNotInGroup),
            (None, Some(_)) => Err(Refusal::MemberFrozen),
            (None, None) => Ok(()),
        }
    }
}

/// Founds a group with the author's shop as first member.
pub(crate) fn found(
    view: &View,
    author: &Author,
    profile: &Profile,
    terms: &Terms,
) -> Result<Decision, Halt> {
    let founder = author.owner()?;
    profile.check()?;
    terms.check()?;
    let group = author.op.id.as_group();
    view.want(&[Key::Merchant(founder), Key::Memberships(founder), Key::Group(group)])?;
    if view.group(group)?.is_some() {
        return Err(Refusal::BadOpId.into());
    }
    if view.merchant(founder)?.is_none_or(|merchant| merchant.profile.currency != terms.currency) {
        return Err(Refusal::CurrencyDiffers.into());
    }
    let (profile, terms) = (profile.clone(), terms.clone());
    let mut decision = author.caused(EventBody::GroupFounded { group, founder, profile, terms });
    let terms_version = 1;
    decision
        .then(author, EventBody::MemberJoined { group, merchant: founder, terms_version, invitation: None });
    Ok(decision)
}

/// Joins a group under the terms in force; or asks to, where members let shops in and nobody who can has invited it.
pub(crate) fn join(
    view: &View,
    author: &Author,
    group: GroupId,
    agreed: u32,
    invitation: Option<(&Ticket, &Carried)>,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    view.want(&[
        Key::Merchant(merchant),
        Key::Memberships(merchant),
        Key::Member(group, merchant),
        Key::Group(group),
    ])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let current = known.terms_version;
    if view.member(group, merchant)?.is_some_and(|member| member.left_at.is_none()) {
        return Err(Refusal::AlreadyMember.into());
    }
    if known.closing.is_some() {
        return Err(Refusal::GroupClosing.into());
    }
    if agreed != current {
        return Err(Refusal::TermsChanged { current }.into());
    }
    let terms = &view.terms(group, current)?.ok_or(Refusal::UnknownGroup)?.terms;
    let currency = terms.currency;
    if view.merchant(merchant)?.is_none_or(|merchant| merchant.profile.currency != currency) {
        return Err(Refusal::CurrencyDiffers.into());
    }
    let invited = |(ticket, carried)| invitation::into_group(view, group, ticket, carried, (merchant, now));
    let followed = invitation.map(invited).transpose()?;
    let invitation = followed.map(|known| Answered { issuer: known.issuer, invitation: known.id });
    let inviter = invitation.map(|answered| answered.issuer);
    if admission::admits(terms.admission, known, inviter) {
        let joined = EventBody::MemberJoined { group, merchant, terms_version: agreed, invitation };
        return Ok(author.caused(joined));
    }
    admission::check_asks(view, group, merchant, (current, inviter.is_some()), now)?;
    let request = author.op.id;
    Ok(author.caused(EventBody::JoinAsked { group, merchant, request, terms_version: agreed, invitation }))
}

/// The group's admin changes how it presents itself.
pub(crate) fn amend_profile(
    view: &View,
    author: &Author,
    group: GroupId,
    profile: &Profile,
) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    let known = administered(view, group, merchant)?;
    profile.check()?;
    let (version, profile) = (known.profile_version + 1, profile.clone());
    Ok(author.caused(EventBody::ProfileAmended { group, merchant, version, profile }))
}

/// The group's admin hands that over to another member.
pub(crate) fn appoint_admin(
    view: &View,
    author: &Author,
    group: GroupId,
    merchant: MerchantId,
) -> Result<Decision, Halt> {
    let before = author.owner()?;
    view.want(&[Key::Group(group), Key::Member(group, merchant)])?;
    administered(view, group, before)?;
    view.member(group, merchant)?.ok_or(Refusal::ShopNotInGroup)?.check_active()?;
    Ok(author.caused(EventBody::AdminAppointed { group, merchant, before }))
}

/// The group, which this shop administers.
pub(crate) fn administered(view: &View, group: GroupId, merchant: MerchantId) -> Result<&Group, Halt> {
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    if known.admin == merchant { Ok(known) } else { Err(Refusal::NotAllowed.into()) }
}

/// Refuses a shop that is no member, or no more. A frozen one is.
pub(crate) fn check_member(view: &View, group: GroupId, merchant: MerchantId) -> Result<(), Halt> {
    match view.member(group, merchant)? {
        Some(Member { left_at: None, .. }) => Ok(()),
        _ => Err(Refusal::ShopNotInGroup.into()),
    }
}

/// The author's shop leaves. An admin appoints another before; the last member closes the group.
pub(crate) fn leave(view: &View, author: &Author, group: GroupId) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    view.want(&[Key::Group(group), Key::Member(group, merchant)])?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    check_member(view, group, merchant)?;
    if known.members <= 1 {
        return Err(Refusal::LastMember.into());
    }
    if known.admin == merchant {
        return Err(Refusal::AdminStays.into());
    }
    Ok(author.caused(EventBody::MemberLeft { group, merchant, expelled: false }))
}

/// The group's admin puts a member out.
pub(crate) fn expel(
    view: &View,
    author: &Author,
    group: GroupId,
    merchant: MerchantId,
) -> Result<Decision, Halt> {
    let admin = author.owner()?;
    view.want(&[Key::Group(group), Key::Member(group, merchant)])?;
    administered(view, group, admin)?;
    check_member(view, group, merchant)?;
    if merchant == admin {
        return Err(Refusal::AdminStays.into());
    }
    Ok(author.caused(EventBody::MemberLeft { group, merchant, expelled: true }))
}

/// An operator or the server freezes a member, present or past, or lets it go on.
pub(crate) fn freeze(
    view: &View,
    author: &Author,
    (group, merchant): (GroupId, MerchantId),
    frozen: bool,
    now: Timestamp,
) -> Result<Decision, Halt> {
    if author.system().is_err() {
        role::check_operator(view, author, now)?;
    }
    view.want(&[Key::Group(group), Key::Member(group, merchant)])?;
    view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let member = view.member(group, merchant)?.ok_or(Refusal::ShopNotInGroup)?;
    if member.frozen_at.is_some() == frozen {
        return Ok(Decision::default());
    }
    Ok(author.caused(EventBody::MemberFrozen { group, merchant, frozen }))
}

/// The last member gives notice that the group ends.
pub(crate) fn close(view: &View, author: &Author, group: GroupId, now: Timestamp) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    let known = administered(view, group, merchant)?;
    if known.members > 1 {
        return Err(Refusal::NotLastMember.into());
    }
    if known.closing.is_some() {
        return Err(Refusal::GroupClosing.into());
    }
    let redeem_only_from = now.plus(i64::from(NOTICE_DAYS) * Timestamp::DAY);
    let ends_at = redeem_only_from.plus(i64::from(REDEEM_ONLY_DAYS) * Timestamp::DAY);
    Ok(author.caused(EventBody::GroupClosing { group, merchant, redeem_only_from, ends_at }))
}

/// The server found that nothing remains of a group whose end has come.
pub(crate) fn end(view: &View, author: &Author, group: GroupId, now: Timestamp) -> Result<Decision, Halt> {
    author.system()?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let due = known.closing.is_some_and(|closing| !closing.ended && closing.ends_at <= now);
    if !due {
        return Err(Refusal::NotDue.into());
    }
    Ok(author.caused(EventBody::GroupEnded { group, merchant: known.admin }))
}
