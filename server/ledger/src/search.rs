//! The directory is searched: groups to join, shops to invite. (A3, A5)
//!
//! What is searched of a shop or a group is its *entry*: names, and places with what is there. An entry is derived from the
//! live tables and kept beside them, in the transaction that changes them; so are its *postings*, a row for each thing that it
//! is and each place where it is that. One table of postings, in order, answers by name, place, trade, district and building,
//! on every engine. (docs/decisions/0016)
//!
//! | room | what lives there |
//! |---|---|
//! | [`text`] | names as they are typed: strokes, initials, grams |
//! | [`place`] | places as cells, boxes and circles as ranges of cells |
//! | [`entry`] | what is searched, what is asked, and whether the one is meant by the other |
//! | [`plan`] | how an index answers, reading little |

pub mod entry;
pub mod place;
pub mod plan;
pub mod text;

use std::collections::BTreeSet;

use moa_rules::group::{Group, TermsVersion};
use moa_rules::id::{GroupId, MerchantId};
use moa_rules::merchant::Merchant;
use moa_rules::state::Row;

pub use entry::{Entry, Fact, Hit, Id, Order, Query, Target, Term, Word};
pub use place::{Bounds, Cell, Region};
pub use text::Text;

/// A shop or a group that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How far away, if that was asked and can be told: of a group, its nearest member that is meant.
    pub distance_m: Option<u32>,
    /// What it is.
    pub what: FoundWhat,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundWhat {
    /// A shop, and its groups in order of id.
    Shop(Merchant, Vec<GroupId>),
    /// A group, and its terms in force.
    Group(Group, TermsVersion),
}

/// Whose entries may be others after rows were written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Shops; with each, the groups that it is in.
    pub(crate) shops: BTreeSet<MerchantId>,
    /// Groups.
    pub(crate) groups: BTreeSet<GroupId>,
}

impl Touched {
    /// By these rows.
    pub(crate) fn by(rows: &[Row]) -> Self {
        let mut touched = Self::default();
        for row in rows {
            match row {
                Row::Merchant(merchant) => drop(touched.shops.insert(merchant.id)),
                Row::Group(group) => drop(touched.groups.insert(group.id)),
                Row::Terms(terms) => drop(touched.groups.insert(terms.group)),
                Row::Member(member) => drop(touched.groups.insert(member.group)),
                _ => {}
            }
        }
        touched
    }

    /// Whether nothing is.
    pub(crate) fn is_nothing(&self) -> bool {
        self.shops.is_empty() && self.groups.is_empty()
    }
}

/// Under what an entry is found, in one cell of the map.
pub(crate) type Posting = (Term, Cell);

/// The postings that go and those that come, when an entry becomes another.
pub(crate) fn difference(
    target: Target,
    before: Option<&Entry>,
    after: Option<&Entry>,
) -> (Vec<Posting>, Vec<Posting>) {
    let of = |entry: Option<&Entry>| entry.map(|entry| entry.postings(target)).unwrap_or_default();
    let (before, after) = (of(before), of(after));
    (before.difference(&after).copied().collect(), after.difference(&before).copied().collect())
}
