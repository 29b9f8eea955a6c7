//! Standing choices: what a buyer wants done with a sale that would wait for a choice. (A8, docs/rules.md S14, S15)

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::decide::{Author, Decision};
use crate::event::EventBody;
use crate::group::TermsVersion;
use crate::id::{AccountId, GroupId};
use crate::marketing::Marketing;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::view::{Halt, Key, View};

/// The most groups that one standing choice names.
pub const MAX_GROUPS: usize = 20;

/// For how long a sale waits before the best is taken for a buyer who agreed to that: 24 hours.
pub const BEST_AFTER: i64 = Timestamp::DAY;

/// A buyer's standing choice. Empty and not agreed: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
pub struct StandingChoice {
    /// *Always this group*: the first of these that earns at the shop is taken at once.
    #[n(0)]
    pub groups: Vec<GroupId>,
    /// Whether the best may be taken for the buyer once a sale has waited for 24 hours.
    #[n(1)]
    pub best: bool,
}

impl StandingChoice {
    /// The first of its groups that is among these.
    pub(crate) fn pick<'a>(&self, fitting: &[&'a TermsVersion]) -> Option<&'a TermsVersion> {
        self.groups.iter().find_map(|group| fitting.iter().find(|terms| terms.group == *group).copied())
    }
}

/// The standing choice of an account, as it was set last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account: AccountId,
    /// What was chosen.
    pub choice: StandingChoice,
    /// When that was decided.
    pub since: Timestamp,
    /// Whether they may be sent advertising.
    pub marketing: Marketing,
}

/// The first instant at which the best may be taken of a sale of second `sold`.
pub fn best_from(sold: u64) -> Timestamp {
    Timestamp::from_seconds(sold).plus(BEST_AFTER)
}

/// Sets the standing choice of the author's account, in place of the one before.
pub(crate) fn set(view: &View, author: &Author, choice: &StandingChoice) -> Result<Decision, Halt> {
    let account = author.person()?;
    check(choice)?;
    let named: BTreeSet<GroupId> = choice.groups.iter().copied().collect();
    view.want(&named.iter().map(|group| Key::Group(*group)).collect::<Vec<_>>())?;
    for group in named {
        view.group(group)?.ok_or(Refusal::UnknownGroup)?;
    }
    Ok(author.caused(EventBody::StandingSet { account, choice: choice.clone() }))
}

/// Refuses a standing choice of too many groups.
///
/// # Errors
/// `too_many_groups`.
pub fn check(choice: &StandingChoice) -> Result<(), Refusal> {
    if choice.groups.len() > MAX_GROUPS {
        return Err(Refusal::TooManyGroups { max: MAX_GROUPS as u64 });
    }
    Ok(())
}
