//! Which group is worth most to a buyer. (A7, A8)
//!
//! For now the order of what comes back; the heuristic that knows the buyer's own visits takes this call's place.

use std::cmp::Reverse;

use crate::group::TermsVersion;
use crate::quantity::{Money, Units};
use crate::terms::Terms;

/// A group that a sale could be claimed into.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its terms now in force.
    pub terms: &'a TermsVersion,
}

/// A candidate in its place, with what the sale would earn there.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    /// The candidate.
    pub candidate: Candidate<'a>,
    /// What the sale would earn.
    pub earns: Units,
}

/// The candidates, best first: the highest share that comes back, then the longest validity, then the lowest id.
pub fn rank<'a>(amount: Money, candidates: impl IntoIterator<Item = Candidate<'a>>) -> Vec<Ranked<'a>> {
    let mut ranked: Vec<Ranked> = candidates
        .into_iter()
        .map(|candidate| Ranked { candidate, earns: candidate.terms.terms.earns(amount) })
        .collect();
    ranked.sort_by_key(|ranked| by_rate(ranked.candidate.terms, amount));
    ranked
}

/// The key by which terms stand in order of what they give for `amount`: smaller is better. Points stand in order of their
/// rates, whatever the amount.
pub(crate) fn by_rate(version: &TermsVersion, amount: Money) -> impl Ord + use<> {
    let Terms { validity, .. } = &version.terms;
    (Reverse(version.terms.gives(amount)), Reverse(validity.rough_days()), version.group)
}
