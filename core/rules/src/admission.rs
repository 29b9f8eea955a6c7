//! Admission: a shop asks to join a group that does not take everyone, and the members answer. (A5)

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::{Group, Member};
use crate::id::{GroupId, MerchantId, OpId};
use crate::quantity::BasisPoints;
use crate::refusal::Refusal;
use crate::terms::Admission;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// For how many days a request waits for answers.
pub const REQUEST_DAYS: u32 = 14;
/// How many days a shop that was refused leaves be before it asks again; an invitation shortens that.
pub const ASK_AGAIN_DAYS: u32 = 7;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum RequestState {
    /// It waits, for [`REQUEST_DAYS`].
    #[n(0)]
    Open,
    /// The shop was let in.
    #[n(1)]
    Admitted,
    /// It was not.
    #[n(2)]
    Refused,
    /// It asks no more.
    #[n(3)]
    Withdrawn,
}

/// A shop's request to join a group: the last one that it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct JoinRequest {
    /// The group.
    #[n(0)]
    pub group: GroupId,
    /// The shop that asks.
    #[n(1)]
    pub merchant: MerchantId,
    /// The op that asked.
    #[n(2)]
    pub id: OpId,
    /// The version of the terms that it agreed to.
    #[n(3)]
    pub terms_version: u32,
    /// When.
    #[n(4)]
    pub asked_at: Timestamp,
    /// Members for it, in order of id.
    #[n(5)]
    pub for_it: Vec<MerchantId>,
    /// Members against it, in order of id.
    #[n(6)]
    pub against: Vec<MerchantId>,
    /// What became of it.
    #[n(7)]
    pub state: RequestState,
    /// When it ended.
    #[n(8)]
    pub ended_at: Option<Timestamp>,
}

impl JoinRequest {
    /// Whether members can still answer at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let until = self.asked_at.plus(i64::from(REQUEST_DAYS) * Timestamp::DAY);
        self.state == RequestState::Open && now < until
    }

    /// With a member's answer in place of the one before.
    #[must_use]
    pub(crate) fn answered(mut self, by: MerchantId, admits: bool) -> Self {
        self.for_it.retain(|member| *member != by);
        self.against.retain(|member| *member != by);
        let list = if admits { &mut self.for_it } else { &mut self.against };
        list.push(by);
        list.sort_unstable();
        self
    }
}

/// What the members' answers come to: in, out, or not yet settled.
fn outcome(rule: Admission, known: &Group, for_it: &[MerchantId], against: &[MerchantId]) -> Option<bool> {
    match rule {
        Admission::Admin if for_it.contains(&known.admin) => Some(true),
        Admission::Admin if against.contains(&known.admin) => Some(false),
        Admission::Admin => None,
        Admission::Vote(share) => {
            let enough = |votes: usize| {
                votes as u64 * u64::from(BasisPoints::MAX)
                    >= u64::from(known.members) * u64::from(share.get())
            };
            let could = (known.members as usize).saturating_sub(against.len());
            if enough(for_it.len()) { Some(true) } else { (!enough(could)).then_some(false) }
        }
    }
}

/// Whether an invitation by this member lets a shop in at once.
pub(crate) fn admits(rule: Option<Admission>, known: &Group, inviter: Option<MerchantId>) -> bool {
    let Some(rule) = rule else { return true };
    inviter.is_some_and(|inviter| outcome(rule, known, &[inviter], &[]) == Some(true))
}

/// Refuses a shop that asks twice, or too soon after it was refused.
pub(crate) fn check_asks(
    view: &View,
    group: GroupId,
    merchant: MerchantId,
    (current, invited): (u32, bool),
    now: Timestamp,
) -> Result<(), Halt> {
    let Some(before) = view.join_request(group, merchant)? else { return Ok(()) };
    // Terms that changed meanwhile have to be read again.
    if before.is_open(now) && before.terms_version == current {
        return Err(Refusal::AlreadyAsked.into());
    }
    let soon = |ended: Timestamp| now < ended.plus(i64::from(ASK_AGAIN_DAYS) * Timestamp::DAY);
    if !invited && before.state == RequestState::Refused && before.ended_at.is_some_and(soon) {
        return Err(Refusal::AskedLately { days: ASK_AGAIN_DAYS }.into());
    }
    Ok(())
}

/// A member answers a shop's request, or the shop itself asks no more.
pub(crate) fn answer(
    view: &View,
    author: &Author,
    (group, merchant, request): (GroupId, MerchantId, OpId),
    admits: bool,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let by = author.owner()?;
    view.want(&[Key::Group(group), Key::JoinRequest(group, merchant), Key::Member(group, by)])?;
    let asked = view.join_request(group, merchant)?.filter(|asked| asked.id == request && asked.is_open(now));
    let asked = asked.ok_or(Refusal::UnknownRequest)?;
    let answered = |state| EventBody::JoinAnswered { group, merchant, request, by, admits, state };
    if by == merchant {
        let withdrawn = answered(RequestState::Withdrawn);
        return if admits { Err(Refusal::NotAllowed.into()) } else { Ok(author.caused(withdrawn)) };
    }
    view.member(group, by)?.ok_or(Refusal::ShopNotInGroup)?.check_active()?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    let terms = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?;
    // Opened meanwhile: any member's word will do.
    let rule = terms.terms.admission.unwrap_or(Admission::Vote(BasisPoints::LEAST));
    if rule == Admission::Admin && known.admin != by {
        return Err(Refusal::NotAllowed.into());
    }
    let counted = asked.clone().answered(by, admits);
    let (for_it, against) = (members(view, group, &counted.for_it)?, members(view, group, &counted.against)?);
    let outcome = outcome(rule, known, &for_it, &against);
    if outcome == Some(true) {
        check_joins(known, asked)?;
        let mut decision = author.caused(answered(RequestState::Admitted));
        let terms_version = asked.terms_version;
        decision.then(author, EventBody::MemberJoined { group, merchant, terms_version, invitation: None });
        return Ok(decision);
    }
    let state = if outcome.is_some() { RequestState::Refused } else { RequestState::Open };
    Ok(author.caused(answered(state)))
}

/// Refuses to let a shop into a group that ends, or under terms that it has not read.
fn check_joins(known: &Group, asked: &JoinRequest) -> Result<(), Refusal> {
    if known.closing.is_some() {
        return Err(Refusal::GroupClosing);
    }
    if asked.terms_version != known.terms_version {
        return Err(Refusal::RequestStale);
    }
    Ok(())
}

/// Those who are still members.
fn members(view: &View, group: GroupId, answered: &[MerchantId]) -> Result<Vec<MerchantId>, Halt> {
    view.want(&answered.iter().map(|member| Key::Member(group, *member)).collect::<Vec<_>>())?;
    let mut there = Vec::new();
    for member in answered {
        if let Some(Member { left_at: None, .. }) = view.member(group, *member)? {
            there.push(*member);
        }
    }
    Ok(there)
}
