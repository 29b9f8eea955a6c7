//! Holds what is searched against what the journal makes of it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use moa_rules::id::{GroupId, MerchantId};

use super::Report;
use crate::journal::Journal;
use crate::search::{Cell, Entry, Id, Order, Target, Term};
use crate::store::StoreError;

/// How many postings there are, and the sum of their hashes: they come in an order that has nothing to do with whose they are.
#[derive(Default, PartialEq, Eq)]
struct Postings {
    count: u64,
    sum: u64,
}

impl Postings {
    fn add(&mut self, term: Term, cell: Cell) {
        let mut hasher = DefaultHasher::new();
        (term.0, cell.0).hash(&mut hasher);
        self.count += 1;
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

/// Compares every entry, and all that it is found by.
pub(super) fn compare(
    journal: &mut dyn Journal,
    mut entries: BTreeMap<(Target, Id), Entry>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut found: HashMap<(Target, Id), Postings> = HashMap::new();
    journal.postings(&mut |(term, cell, id)| {
        match term.target() {
            Some(target) => found.entry((target, id)).or_default().add(term, cell),
            None => report.add(|| format!("something is found by {}, which nothing is", term.0)),
        }
        Ok(())
    })?;
    for ((target, id), entry) in &entries {
        let mut right = Postings::default();
        entry.postings(*target).into_iter().for_each(|(term, cell)| right.add(term, cell));
        if found.remove(&(*target, *id)).unwrap_or_default() != right {
            report.add(|| format!("{} is not found by what it is by the journal", name(*target, *id)));
        }
    }
    for (target, id) in found.keys() {
        report.add(|| format!("{} is found, and is not in the journal", name(*target, *id)));
    }
    journal.searched(&mut |kept| {
        let name = || name(kept.target, kept.id);
        match entries.remove(&(kept.target, kept.id)) {
            Some(entry)
                if kept.ranks == (entry.rank(Order::Members), entry.rank(Order::Rate))
                    && kept.entry.as_ref() == Some(&entry) => {}
            Some(_) => report.add(|| format!("what is searched of {} differs from the journal", name())),
            None => report.add(|| format!("what is searched of {} is not in the journal", name())),
        }
        Ok(())
    })?;
    for (target, id) in entries.keys() {
        report.add(|| format!("what is searched of {} is missing", name(*target, *id)));
    }
    Ok(())
}

fn name(target: Target, id: Id) -> String {
    match target {
        Target::Shops => format!("shop {}", MerchantId(id)),
        Target::Groups => format!("group {}", GroupId(id)),
    }
}
