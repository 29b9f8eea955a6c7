//! What the histories came across: how often each kind of event happened, and in how many of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use moa_rules::event::EventBody;

use crate::driver::Town;

#[derive(Debug, Default)]
pub struct Coverage {
    histories: usize,
    /// By the kind's number: its name, how many histories, how many events.
    kinds: BTreeMap<u8, (String, usize, usize)>,
}

impl Coverage {
    pub fn count(&mut self, town: &Town) {
        self.histories += 1;
        let mut seen = BTreeSet::new();
        for event in town.events() {
            let kind = number(&event.body);
            let (_, histories, events) = self.kinds.entry(kind).or_insert_with(|| (name(&event.body), 0, 0));
            *events += 1;
            *histories += usize::from(seen.insert(kind));
        }
    }

    /// Of what a group's ledger knows, each kind happened in more than so many percent of the histories.
    pub fn assert_each_in(&self, percent: usize) {
        let ledger = [4, 5, 6, 7, 8, 9, 16, 17, 20].into_iter().chain(22..=39);
        for kind in ledger {
            let (name, histories, _) =
                self.kinds.get(&kind).unwrap_or_else(|| panic!("no event of kind {kind}"));
            assert!(
                histories * 100 > percent * self.histories,
                "{name} in {histories} of {}",
                self.histories
            );
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} histories", self.histories)?;
        for (kind, (name, histories, events)) in &self.kinds {
            let percent = histories * 100 / self.histories;
            writeln!(f, "{kind:>3} {name:<20} in {percent:>3} % of them, {events} in all")?;
        }
        Ok(())
    }
}

/// The number of an event's kind, as in its bytes.
fn number(body: &EventBody) -> u8 {
    let bytes = minicbor::to_vec(body).unwrap();
    let mut decoder = minicbor::Decoder::new(&bytes);
    decoder.array().unwrap();
    decoder.u8().unwrap()
}

fn name(body: &EventBody) -> String {
    let text = format!("{body:?}");
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}
