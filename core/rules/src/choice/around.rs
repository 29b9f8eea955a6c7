//! The shops and groups that a buyer may meet, as the choice sees them.

use crate::merchant::Place;
use crate::terms::Terms;

/// A shop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Kilometres east and north of any fixed point; none where the shop gave no place.
    pub at: Option<(f64, f64)>,
    /// What a purchase there usually comes to, in minor units; above zero.
    pub ticket: f64,
    /// How much it is visited, against others; 1 where nothing is known.
    pub popularity: f64,
}

/// A group, with what one claim earns in it. Units are worth `unit` minor units each.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// How a purchase is turned into units.
    pub earning: Earning,
    /// What one unit is worth, in minor units; at least 1.
    pub unit: f64,
    /// How long units can be used, in days.
    pub days: f64,
    /// The balance from which they can be used, in units; of stamps a full card.
    pub minimum: f64,
    /// Units are redeemed in whole multiples of this; 1 for points.
    pub step: f64,
    /// Its members, as indices of [`Around::shops`].
    pub members: Vec<usize>,
}

/// What a purchase earns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Earning {
    /// So many ten-thousandths of the amount, rounded down.
    Share(f64),
    /// One unit for each so much, rounded down.
    Each(f64),
    /// One unit for a purchase from so much on.
    Visit(f64),
}

impl Offer {
    /// The units that `amount` earns.
    pub fn earns(&self, amount: f64) -> f64 {
        match self.earning {
            Earning::Share(rate) => (rate * amount / (10_000.0 * self.unit)).floor(),
            Earning::Each(per) => (amount / per).floor(),
            Earning::Visit(least) if amount >= least && amount > 0.0 => 1.0,
            Earning::Visit(_) => 0.0,
        }
    }

    /// What terms offer, to members that are filled in by the caller.
    pub fn of(terms: &Terms, members: Vec<usize>) -> Self {
        let unit = minor(terms.unit_value.0).max(1.0);
        let minimum = minor(terms.minimum.get());
        let days = f64::from(terms.validity.rough_days());
        let earning = match (terms.card, terms.kind) {
            (Some(card), _) => {
                card.per.map_or(Earning::Visit(0.0), |per| Earning::Each(minor(per.0).max(1.0)))
            }
            (None, crate::terms::Kind::Coupon) => {
                Earning::Visit(terms.least_purchase.map_or(0.0, |least| minor(least.0)))
            }
            (None, _) => Earning::Share(f64::from(terms.rate.get())),
        };
        let step = terms.card.map_or(1.0, |card| f64::from(card.stamps.max(1)));
        Self { earning, unit, days, minimum: minimum.max(step), step, members }
    }
}

/// Shops, groups, and which of the groups each shop is in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Around {
    shops: Vec<Spot>,
    groups: Vec<Offer>,
    of: Vec<Vec<usize>>,
}

impl Around {
    /// Members that are no index of a shop are left out.
    pub fn new(shops: Vec<Spot>, mut groups: Vec<Offer>) -> Self {
        let mut of = vec![Vec::new(); shops.len()];
        for (index, group) in groups.iter_mut().enumerate() {
            group.members.retain(|&member| member < shops.len());
            for &member in &group.members {
                of[member].push(index);
            }
        }
        Self { shops, groups, of }
    }

    /// The shops.
    pub fn shops(&self) -> &[Spot] {
        &self.shops
    }

    /// The groups.
    pub fn groups(&self) -> &[Offer] {
        &self.groups
    }

    /// The groups of a shop, as indices.
    pub fn of(&self, shop: usize) -> &[usize] {
        self.of.get(shop).map_or(&[], Vec::as_slice)
    }
}

/// Kilometres east and north of `origin`, on a plane that is good enough for a day's errands.
pub fn kilometres(place: Place, origin: Place) -> (f64, f64) {
    /// Kilometres in a millionth of a degree of latitude.
    const KM: f64 = 40_007.863 / 360.0 / 1_000_000.0;
    let shrink = libm::cos(f64::from(origin.lat_e6) / 1_000_000.0 * (std::f64::consts::PI / 180.0));
    let east = f64::from(place.lon_e6) - f64::from(origin.lon_e6);
    let north = f64::from(place.lat_e6) - f64::from(origin.lat_e6);
    (east * KM * shrink, north * KM)
}

/// An amount as a double: exact, amounts stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "amounts and balances are checked to be below 2^53")]
pub(crate) fn minor(amount: i64) -> f64 {
    amount as f64
}
