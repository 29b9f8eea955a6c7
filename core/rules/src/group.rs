//! Groups: founding and joining. (A1, A2, A5, A6)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::id::{GroupId, MerchantId};
use crate::refusal::Refusal;
use crate::terms::{Profile, TERMS_HONOURED_FOR, Terms, check_name};
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

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
}

/// Founds a group with the author's shop as first member.
pub(crate) fn found(
    view: &View,
    author: &Author,
    profile: &Profile,
    terms: &Terms,
) -> Result<Decision, Halt> {
    let founder = author.owner()?;
    check_name(&profile.name)?;
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
    decision.then(author, EventBody::MemberJoined { group, merchant: founder, terms_version: 1 });
    Ok(decision)
}

/// Joins an open group under the terms in force.
pub(crate) fn join(view: &View, author: &Author, group: GroupId, agreed: u32) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    view.want(&[
        Key::Merchant(merchant),
        Key::Memberships(merchant),
        Key::Member(group, merchant),
        Key::Group(group),
    ])?;
    let current = view.group(group)?.ok_or(Refusal::UnknownGroup)?.terms_version;
    if view.member(group, merchant)?.is_some() {
        return Err(Refusal::AlreadyMember.into());
    }
    if agreed != current {
        return Err(Refusal::TermsChanged { current }.into());
    }
    let currency = view.terms(group, current)?.ok_or(Refusal::UnknownGroup)?.terms.currency;
    if view.merchant(merchant)?.is_none_or(|merchant| merchant.profile.currency != currency) {
        return Err(Refusal::CurrencyDiffers.into());
    }
    Ok(author.caused(EventBody::MemberJoined { group, merchant, terms_version: agreed }))
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
    if view.group(group)?.ok_or(Refusal::UnknownGroup)?.admin != before {
        return Err(Refusal::NotAllowed.into());
    }
    if view.member(group, merchant)?.is_none() {
        return Err(Refusal::ShopNotInGroup.into());
    }
    Ok(author.caused(EventBody::AdminAppointed { group, merchant, before }))
}
