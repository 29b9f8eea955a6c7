//! Amendments: other terms for a group, proposed by its admin, answered by its members, in force from a date on if enough
//! of them agree. (A1, rules.md "Joining, changing, leaving")

use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::{administered, check_member};
use crate::id::{GroupId, MerchantId, OpId};
use crate::refusal::Refusal;
use crate::terms::Terms;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// How far ahead terms can be proposed.
pub const DAYS_AHEAD: u32 = 366;

/// Terms that were proposed last, and what the members say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// The group.
    pub group: GroupId,
    /// The op that proposed it.
    pub id: OpId,
    /// What the group would promise.
    pub terms: Terms,
    /// From when, if enough members agree before.
    pub from: Timestamp,
    /// Members that agree, in order of id.
    pub agreed: Vec<MerchantId>,
    /// Members that do not, in order of id.
    pub declined: Vec<MerchantId>,
    /// Whether its date has come: the terms are in force, or rejected.
    pub decided: bool,
}

impl Amendment {
    /// With a member's answer, or without any of it.
    #[must_use]
    pub(crate) fn answered(mut self, merchant: MerchantId, agrees: Option<bool>) -> Self {
        self.agreed.retain(|member| *member != merchant);
        self.declined.retain(|member| *member != merchant);
        let list = match agrees {
            Some(true) => &mut self.agreed,
            Some(false) => &mut self.declined,
            None => return self,
        };
        list.push(merchant);
        list.sort_unstable();
        self
    }
}

/// Proposes terms; the author's shop agrees hereby.
pub(crate) fn propose(
    view: &View,
    author: &Author,
    group: GroupId,
    terms: &Terms,
    from: u64,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    let known = administered(view, group, merchant)?;
    if known.closing.is_some() {
        return Err(Refusal::GroupClosing.into());
    }
    terms.check()?;
    let current = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?;
    terms.check_follows(&current.terms)?;
    let from = Timestamp::from_seconds(from);
    let last = now.plus(i64::from(DAYS_AHEAD) * Timestamp::DAY);
    // A day is forgiven for clocks, and for a phone without signal.
    if from < now.plus(-Timestamp::DAY) || from > last {
        return Err(Refusal::BadDate { days: DAYS_AHEAD }.into());
    }
    let (amendment, terms, from) = (author.op.id, terms.clone(), from.max(now));
    Ok(author.caused(EventBody::AmendmentProposed { group, amendment, merchant, terms, from }))
}

/// Answers for the author's shop, before the date. The last answer counts.
pub(crate) fn answer(
    view: &View,
    author: &Author,
    (group, amendment): (GroupId, OpId),
    agrees: bool,
    now: Timestamp,
) -> Result<Decision, Halt> {
    let merchant = author.owner()?;
    view.want(&[Key::Amendment(group), Key::Member(group, merchant)])?;
    check_member(view, group, merchant)?;
    // What is counted does not hang on when the sweep comes by.
    if open(view, group, amendment)?.from <= now {
        return Err(Refusal::UnknownAmendment.into());
    }
    Ok(author.caused(EventBody::AmendmentAnswered { group, amendment, merchant, agrees }))
}

/// Counts the answers: the date has come.
pub(crate) fn decide(
    view: &View,
    author: &Author,
    (group, amendment): (GroupId, OpId),
    now: Timestamp,
) -> Result<Decision, Halt> {
    author.system()?;
    view.want(&[Key::Amendment(group), Key::Group(group)])?;
    let proposed = open(view, group, amendment)?;
    let known = view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    if now < proposed.from {
        return Err(Refusal::NotDue.into());
    }
    // The share that has to agree is that of the terms in force, not of those proposed.
    let current = view.terms(group, known.terms_version)?.ok_or(Refusal::UnknownGroup)?;
    let enough = current.terms.consents(proposed.agreed.len(), known.members);
    if !enough || known.closing.is_some() {
        return Ok(author.caused(EventBody::AmendmentRejected { group, amendment }));
    }
    let (version, terms) = (known.terms_version + 1, proposed.terms.clone());
    Ok(author.caused(EventBody::TermsAmended { group, amendment, version, terms }))
}

fn open(view: &View, group: GroupId, amendment: OpId) -> Result<&Amendment, Halt> {
    let proposed = view.amendment(group)?.filter(|known| known.id == amendment && !known.decided);
    Ok(proposed.ok_or(Refusal::UnknownAmendment)?)
}
