//! Plays a buyer's visits: mileage is used first, the rest of the purchase earns.

use std::time::{Duration, Instant};

use crate::policy::{At, Policy};
use crate::town::{Buyer, Town, Visit};

/// What a visit earned, as far as it is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// The day on which it expires.
    pub expires: f64,
    /// What is left of it.
    pub units: f64,
    /// The place of the visit among the buyer's.
    visit: usize,
}

/// What a buyer has, by group; lots in the order in which they expire.
#[derive(Debug, Clone)]
pub struct Wallet {
    lots: Vec<Vec<Held>>,
    spent: Vec<usize>,
    balance: Vec<f64>,
    /// What was used of what each visit earned.
    used: Vec<f64>,
}

impl Wallet {
    /// An empty one.
    pub fn new(town: &Town) -> Self {
        let groups = town.groups.len();
        Self {
            lots: vec![Vec::new(); groups],
            spent: vec![0; groups],
            balance: vec![0.0; groups],
            used: Vec::new(),
        }
    }

    fn clear(&mut self) {
        self.lots.iter_mut().for_each(Vec::clear);
        self.spent.fill(0);
        self.balance.fill(0.0);
        self.used.clear();
    }

    /// What can be used of a group at a time, were there no minimum.
    pub fn balance(&mut self, group: usize, now: f64) -> f64 {
        let lots = &self.lots[group];
        while let Some(lot) = lots.get(self.spent[group]).filter(|lot| lot.expires <= now) {
            self.balance[group] -= lot.units;
            self.spent[group] += 1;
        }
        self.balance[group]
    }

    /// The lots of a group, soonest expiry first.
    pub fn lots(&self, group: usize) -> &[Held] {
        &self.lots[group][self.spent[group]..]
    }

    /// Uses what a visit can use: of the shop's groups whose balance reaches the minimum, the one with the
    /// soonest-expiring lot first. What it took off the price.
    pub fn redeem(&mut self, town: &Town, visit: &Visit) -> f64 {
        let mut left = visit.won;
        if !visit.attentive {
            return 0.0;
        }
        let mut tried = 0_u64;
        while left > 0.0 {
            let mut soonest: Option<(f64, usize)> = None;
            for (place, &group) in town.of[visit.shop].iter().enumerate().take(64) {
                let balance = self.balance(group, visit.t_days);
                if tried >> place & 1 == 1 || balance <= 0.0 || balance < town.groups[group].minimum {
                    continue;
                }
                let expires = self.lots[group][self.spent[group]].expires;
                if soonest.is_none_or(|(other, _)| expires < other) {
                    soonest = Some((expires, place));
                }
            }
            let Some((_, place)) = soonest else { break };
            tried |= 1 << place;
            let group = town.of[visit.shop][place];
            while left > 0.0 && self.balance[group] > 0.0 {
                let lot = &mut self.lots[group][self.spent[group]];
                let part = lot.units.min(left);
                lot.units -= part;
                left -= part;
                self.balance[group] -= part;
                self.used[lot.visit] += part;
                if lot.units <= 0.0 {
                    self.spent[group] += 1;
                }
            }
        }
        visit.won - left
    }

    /// Earns in a group, at the visit of this place among the buyer's; the units.
    pub fn earn(&mut self, town: &Town, group: usize, visit: usize, now: f64, won: f64) -> f64 {
        let terms = &town.groups[group];
        let units = (terms.rate_bp * won / 10_000.0).floor();
        if units > 0.0 {
            self.lots[group].push(Held { expires: now + terms.validity_days, units, visit });
            self.balance[group] += units;
            self.used.resize(self.used.len().max(visit + 1), 0.0);
        }
        units
    }
}

/// How a buyer fared.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// The group of each visit; none where nothing was earned.
    pub groups: Vec<Option<usize>>,
    /// What was used, in won.
    pub redeemed: f64,
    /// What was earned.
    pub issued: f64,
    /// What the policy expected to be used of what each choice earned.
    pub expected: Vec<Option<f64>>,
    /// What each choice earned.
    pub earned: Vec<f64>,
    /// What was used of that.
    pub used: Vec<f64>,
    /// How long each choice took.
    pub took: Vec<Duration>,
}

/// Plays a buyer under a policy.
pub fn play(town: &Town, buyer: &Buyer, policy: &mut dyn Policy) -> Played {
    let mut wallet = Wallet::new(town);
    let mut played = Played::default();
    for (place, visit) in buyer.visits.iter().enumerate() {
        let used = wallet.redeem(town, visit);
        played.redeemed += used;
        let (mut group, mut expected, mut earned) = (None, None, 0.0);
        if visit.t_days < buyer.decide_until_days {
            let at = At { town, visit, used, rest: visit.won - used };
            let start = Instant::now();
            let choice = policy.choose(&at, &mut wallet);
            let took = start.elapsed();
            if let Some(choice) = choice.filter(|_| at.rest > 0.0) {
                played.took.push(took);
                group = Some(choice.group);
                expected = choice.expected;
                earned = wallet.earn(town, choice.group, place, visit.t_days, at.rest);
                played.issued += earned;
            }
        }
        played.groups.push(group);
        played.expected.push(expected);
        played.earned.push(earned);
    }
    wallet.used.resize(buyer.visits.len(), 0.0);
    played.used = wallet.used;
    played
}

/// What a buyer uses if each visit earns in the group that is named for it.
pub fn redeemed(town: &Town, buyer: &Buyer, groups: &[Option<usize>], wallet: &mut Wallet) -> f64 {
    wallet.clear();
    let mut sum = 0.0;
    for (place, (visit, group)) in buyer.visits.iter().zip(groups).enumerate() {
        let used = wallet.redeem(town, visit);
        sum += used;
        if let Some(group) = group.filter(|_| visit.t_days < buyer.decide_until_days && visit.won > used) {
            wallet.earn(town, group, place, visit.t_days, visit.won - used);
        }
    }
    sum
}
