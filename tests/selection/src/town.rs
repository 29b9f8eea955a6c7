//! A town, in the format in which any town can be played.

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The largest town that is read, in bytes: 256 MiB.
pub const MAX_BYTES: u64 = 256 << 20;

/// A shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shop {
    /// Its place in the list.
    pub id: usize,
    /// Kilometres east.
    pub x_km: f64,
    /// Kilometres north.
    pub y_km: f64,
    /// How much it is visited, against others.
    #[serde(default = "one")]
    pub popularity: f64,
    /// What a purchase usually comes to.
    pub typical_won: f64,
}

/// A group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Its place in the list.
    pub id: usize,
    /// How wide it reaches.
    pub scope: String,
    /// Ten-thousandths of a purchase that come back.
    pub rate_bp: f64,
    /// Days until a lot expires.
    pub validity_days: f64,
    /// The balance from which it can be used, in won.
    pub minimum: f64,
    /// Its shops.
    pub members: Vec<usize>,
}

/// A purchase.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Visit {
    /// Days since the beginning.
    pub t_days: f64,
    /// Where.
    pub shop: usize,
    /// What it comes to.
    pub won: f64,
    /// Whether the buyer uses mileage that can be used.
    pub attentive: bool,
}

/// A buyer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Buyer {
    /// Its place in the list.
    pub id: usize,
    /// Purchases earn until then.
    pub decide_until_days: f64,
    /// In the order of time.
    pub visits: Vec<Visit>,
}

#[derive(Serialize, Deserialize)]
struct Raw {
    shops: Vec<Shop>,
    groups: Vec<Group>,
    buyers: Vec<Buyer>,
}

/// Shops, groups and buyers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Town {
    /// The shops, each at its id.
    pub shops: Vec<Shop>,
    /// The groups, each at its id.
    pub groups: Vec<Group>,
    /// The buyers, each at its id.
    pub buyers: Vec<Buyer>,
    /// The groups of each shop.
    #[serde(skip)]
    pub of: Vec<Vec<usize>>,
}

/// Why a town cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum BadTown {
    /// The file.
    #[error("the town cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Its form.
    #[error("not a town: {0}")]
    Json(#[from] serde_json::Error),
    /// Its size.
    #[error("a town of more than 256 MiB is not read")]
    TooLarge,
    /// What it says.
    #[error("{0}")]
    Wrong(String),
}

impl TryFrom<Raw> for Town {
    type Error = BadTown;

    fn try_from(Raw { shops, groups, buyers }: Raw) -> Result<Self, BadTown> {
        let wrong = |text: String| Err(BadTown::Wrong(text));
        for (place, shop) in shops.iter().enumerate() {
            let fine = [shop.x_km, shop.y_km].iter().all(|km| km.is_finite());
            if shop.id != place || !fine || !(shop.typical_won > 0.0 && shop.popularity > 0.0) {
                return wrong(format!(
                    "shop {place}: ids count up from 0; places are numbers; tickets and popularity are above 0"
                ));
            }
        }
        for (place, group) in groups.iter().enumerate() {
            let numbers = group.rate_bp >= 0.0
                && group.rate_bp <= 10_000.0
                && group.validity_days > 0.0
                && group.minimum >= 0.0;
            if group.id != place || !numbers || group.members.iter().any(|&member| member >= shops.len()) {
                return wrong(format!(
                    "group {place}: ids count up from 0; rate 0..=10000, validity above 0, members are shops"
                ));
            }
        }
        for (place, buyer) in buyers.iter().enumerate() {
            let ordered = buyer.visits.is_sorted_by(|a, b| a.t_days <= b.t_days);
            let fine = buyer
                .visits
                .iter()
                .all(|visit| visit.shop < shops.len() && visit.won >= 0.0 && visit.t_days.is_finite());
            if buyer.id != place || !ordered || !fine {
                return wrong(format!(
                    "buyer {place}: ids count up from 0; visits in the order of time, at shops of the town"
                ));
            }
        }
        Ok(Self::new(shops, groups, buyers))
    }
}

impl Town {
    /// A town of what is known to fit.
    pub fn new(shops: Vec<Shop>, groups: Vec<Group>, buyers: Vec<Buyer>) -> Self {
        let mut of = vec![Vec::new(); shops.len()];
        for group in &groups {
            for &member in &group.members {
                of[member].push(group.id);
            }
        }
        Self { shops, groups, buyers, of }
    }

    /// Reads a town.
    ///
    /// # Errors
    /// What is wrong with the file or with what it says.
    pub fn read(path: &Path) -> Result<Self, BadTown> {
        let mut text = String::new();
        std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(BadTown::TooLarge);
        }
        Ok(serde_json::from_str(&text)?)
    }
}

const fn one() -> f64 {
    1.0
}
