//! How a group is chosen: simple rules to measure against.

use crate::chance::Chance;
use crate::play::Wallet;
use crate::town::{Town, Visit};

/// A purchase that is about to earn.
pub struct At<'a> {
    /// Where all of it happens.
    pub town: &'a Town,
    /// The purchase.
    pub visit: &'a Visit,
    /// What mileage took off its price.
    pub used: f64,
    /// What is left to pay; earns nothing if that is nothing.
    pub rest: f64,
}

impl At<'_> {
    /// The shop's groups.
    pub fn groups(&self) -> &[usize] {
        &self.town.of[self.visit.shop]
    }
}

/// A choice.
#[derive(Debug, Clone, Copy)]
pub struct Chosen {
    /// The group.
    pub group: usize,
    /// What is expected to be used of what it earns, in won, if the policy says.
    pub expected: Option<f64>,
}

/// Chooses for one buyer, from what was seen so far.
pub trait Policy {
    /// The group for a purchase; none if the shop is in none.
    fn choose(&mut self, at: &At<'_>, wallet: &mut Wallet) -> Option<Chosen>;
}

/// The rules by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// What Moa suggests.
    Moa,
    /// The highest rate.
    HighestRate,
    /// Any, by chance.
    Random,
    /// The largest balance, then the highest rate.
    LargestBalance,
    /// The longest validity.
    LongestValidity,
    /// The most members.
    MostMembers,
    /// Rate, validity, members and balance, each as a share of the best, added up.
    WeightedSum,
}

impl Rule {
    /// All of them, Moa's first.
    pub const ALL: [Self; 7] = [
        Self::Moa,
        Self::HighestRate,
        Self::Random,
        Self::LargestBalance,
        Self::LongestValidity,
        Self::MostMembers,
        Self::WeightedSum,
    ];

    /// Its name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moa => "moa",
            Self::HighestRate => "highest_rate",
            Self::Random => "random",
            Self::LargestBalance => "largest_balance",
            Self::LongestValidity => "longest_validity",
            Self::MostMembers => "most_members",
            Self::WeightedSum => "weighted_sum",
        }
    }

    /// The rule of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// The rule, for one buyer of a town.
    pub fn policy<'a>(self, town: &'a Town, buyer: usize) -> Box<dyn Policy + 'a> {
        match self {
            Self::Moa => Box::new(crate::moa::Moa::new(town)),
            Self::Random => Box::new(Random(Chance::new(buyer as u64 + 1))),
            simple => Box::new(Simple(simple)),
        }
    }
}

struct Random(Chance);

impl Policy for Random {
    fn choose(&mut self, at: &At<'_>, _: &mut Wallet) -> Option<Chosen> {
        let groups = at.groups();
        (!groups.is_empty()).then(|| Chosen { group: groups[self.0.below(groups.len())], expected: None })
    }
}

struct Simple(Rule);

impl Policy for Simple {
    fn choose(&mut self, at: &At<'_>, wallet: &mut Wallet) -> Option<Chosen> {
        let groups = at.groups();
        let most =
            |measure: &dyn Fn(usize) -> f64| groups.iter().map(|&group| measure(group)).fold(1e-9, f64::max);
        let terms = |group: usize| &at.town.groups[group];
        let now = at.visit.t_days;
        let mut balances = vec![0.0; at.town.groups.len()];
        for &group in groups {
            balances[group] = wallet.balance(group, now);
        }
        let rate = |group: usize| terms(group).rate_bp;
        let days = |group: usize| terms(group).validity_days;
        let size = |group: usize| terms(group).members.len() as f64;
        let worth = |group: usize| match self.0 {
            Rule::LargestBalance => balances[group] + rate(group) / 1e6,
            Rule::LongestValidity => days(group),
            Rule::MostMembers => size(group),
            Rule::WeightedSum => {
                rate(group) / most(&rate)
                    + days(group) / most(&days)
                    + size(group) / most(&size)
                    + balances[group] / most(&|group| balances[group])
            }
            _ => rate(group),
        };
        let best = groups
            .iter()
            .copied()
            .reduce(|best, other| if worth(other) > worth(best) { other } else { best })?;
        Some(Chosen { group: best, expected: None })
    }
}
