//! Moa's own choice, fed as a phone feeds it: the terms, the places, this buyer's purchases up to now.

use moa_rules::choice::around::{Around, Earning, Offer, Spot};
use moa_rules::choice::outlook::{CONSTANTS, Constants, Lot, Signs};
use moa_rules::choice::visits::{Rate, Seen, Total, rates};
use moa_rules::choice::weigh::{Purchase, first_habit, habit, weigh_by};

use crate::play::Wallet;
use crate::policy::{At, Chosen, Policy};
use crate::town::{Buyer, Town, Visit};

/// The choice for one buyer.
pub struct Moa<'a> {
    constants: Constants,
    /// The rates of each visit to come, if they are known already.
    known: Option<std::slice::Iter<'a, Vec<Rate>>>,
    around: Around,
    seen: Vec<(usize, Seen)>,
    total: Total,
    habits: Vec<Vec<f64>>,
    usual: Vec<Option<usize>>,
    /// What bears on each choice, where it is noted.
    noted: Option<Vec<Signs>>,
}

impl<'a> Moa<'a> {
    /// A buyer who has bought nothing yet.
    pub fn new(town: &Town) -> Self {
        let around = around(town);
        let habits = (0..town.shops.len())
            .map(|shop| town.of[shop].iter().map(|&group| first_habit(&around, shop, group)).collect())
            .collect();
        Self {
            constants: CONSTANTS,
            known: None,
            around,
            seen: Vec::new(),
            total: Total::default(),
            habits,
            usual: vec![None; town.shops.len()],
            noted: None,
        }
    }

    /// A buyer after all purchases, as far as what is kept of them goes.
    pub fn after(town: &Town, buyer: &Buyer) -> Self {
        let mut moa = Self::new(town);
        for visit in buyer.visits.iter().filter(|visit| visit.t_days < buyer.decide_until_days) {
            moa.see(visit);
        }
        moa
    }

    /// A buyer with other constants, and with the rates that [`rates_by_visit`] gives of them.
    pub fn with(town: &Town, constants: Constants, known: &'a [Vec<Rate>]) -> Self {
        Self { constants, known: Some(known.iter()), ..Self::new(town) }
    }

    /// The same, and what bears on each choice is noted.
    pub fn noting(town: &Town, constants: Constants, known: &'a [Vec<Rate>]) -> Self {
        Self { noted: Some(Vec::new()), ..Self::with(town, constants, known) }
    }

    /// What bore on each choice, in their order.
    pub fn noted(self) -> Vec<Signs> {
        self.noted.unwrap_or_default()
    }

    fn see(&mut self, visit: &Visit) {
        let (now, shop) = (visit.t_days, visit.shop);
        match self.seen.iter_mut().find(|(index, _)| *index == shop) {
            Some((_, seen)) => *seen = seen.again(now, visit.won),
            None => self.seen.push((shop, Seen::first(now, visit.won))),
        }
        self.total = self.total.again(now, Some(visit.attentive));
    }

    fn rates(&self, now: f64) -> Vec<Rate> {
        let mut found = Vec::new();
        rates(&self.around, &self.seen, &self.total, now, &mut found);
        found
    }

    /// What is kept for the buyer, in bytes: shops, groups, what was seen, habits.
    pub fn bytes(&self) -> usize {
        let groups = self.around.groups();
        let memberships: usize = groups.iter().map(|group| group.members.len()).sum();
        size_of_val(self.around.shops())
            + size_of_val(groups)
            // Members of groups, groups of shops, habits.
            + memberships * (2 * size_of::<usize>() + size_of::<f64>())
            + self.habits.len() * 2 * size_of::<Vec<f64>>()
            + size_of_val(self.seen.as_slice())
            + size_of_val(self.usual.as_slice())
            + size_of::<Self>()
    }
}

/// A town as the choice sees it.
pub fn around(town: &Town) -> Around {
    let shops = town.shops.iter();
    let shops = shops.map(|shop| Spot {
        at: Some((shop.x_km, shop.y_km)),
        ticket: shop.typical_won,
        popularity: shop.popularity,
    });
    let groups = town.groups.iter().map(|group| Offer {
        earning: Earning::Share(group.rate_bp),
        unit: 1.0,
        days: group.validity_days,
        minimum: group.minimum.max(1.0),
        step: 1.0,
        members: group.members.clone(),
    });
    Around::new(shops.collect(), groups.collect())
}

/// The visits a day of each shop, as they look at each visit of a buyer at which something can be earned.
pub fn rates_by_visit(town: &Town, buyer: &Buyer) -> Vec<Vec<Rate>> {
    let mut moa = Moa::new(town);
    let visits = buyer.visits.iter().filter(|visit| visit.t_days < buyer.decide_until_days);
    let rates = visits.map(|visit| {
        moa.see(visit);
        moa.rates(visit.t_days)
    });
    rates.collect()
}

/// What a phone has seen of its buyer.
#[derive(Debug, Clone)]
pub struct Glimpse {
    /// The shops visited.
    pub seen: Vec<(usize, Seen)>,
    /// All purchases together.
    pub total: Total,
    /// The day.
    pub now: f64,
}

/// What a phone has seen of a buyer by each of these days, which are in order.
pub fn glimpses(town: &Town, buyer: &Buyer, days: &[f64]) -> Vec<Glimpse> {
    let mut moa = Moa::new(town);
    let mut visits = buyer.visits.iter().peekable();
    let glimpse = |&now: &f64| {
        while let Some(visit) = visits.next_if(|visit| visit.t_days <= now) {
            moa.see(visit);
        }
        Glimpse { seen: moa.seen.clone(), total: moa.total, now }
    };
    days.iter().map(glimpse).collect()
}

impl Policy for Moa<'_> {
    fn choose(&mut self, at: &At<'_>, wallet: &mut Wallet) -> Option<Chosen> {
        let (now, shop) = (at.visit.t_days, at.visit.shop);
        self.see(at.visit);
        let known = self.known.as_mut().and_then(Iterator::next);
        if at.rest <= 0.0 || at.groups().is_empty() {
            return None;
        }
        let lots: Vec<(usize, Vec<Lot>)> = at
            .groups()
            .iter()
            .map(|&group| {
                wallet.balance(group, now);
                let lots =
                    wallet.lots(group).iter().map(|lot| Lot { days: lot.expires - now, units: lot.units });
                (group, lots.collect())
            })
            .collect();
        let around = &self.around;
        let by_habit = |shop: usize, group: usize| {
            let place = around.of(shop).iter().position(|&other| other == group);
            place.map_or(0.0, |place| self.habits[shop][place])
        };
        let in_group = |group: usize| {
            let found = lots.iter().find(|(other, _)| *other == group);
            found.map_or(&[] as &[Lot], |(_, lots)| lots.as_slice())
        };
        let purchase = Purchase {
            around,
            seen: &self.seen,
            total: &self.total,
            habit: &by_habit,
            lots: &in_group,
            plans: &[],
            shop,
            amount: at.rest,
            now,
            usual: self.usual[shop],
        };
        let found;
        let rates = match known {
            Some(rates) => rates,
            None => {
                found = self.rates(now);
                &found
            }
        };
        let weighed = weigh_by(&purchase, rates, &self.constants);
        let best = weighed.first()?;
        if let Some(noted) = &mut self.noted {
            noted.push(purchase.question(rates, best.group, &[]).signs(&self.constants));
        }
        for (place, &group) in around.of(shop).iter().enumerate() {
            let share = &mut self.habits[shop][place];
            *share = habit(*share, group == best.group);
        }
        self.usual[shop] = Some(best.group);
        Some(Chosen { group: best.group, expected: Some(best.expected_use as f64) })
    }
}
