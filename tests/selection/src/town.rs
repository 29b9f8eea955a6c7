//! A town, in the format in which any town can be played.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
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

    /// Reads a town, packed with gzip or not.
    ///
    /// # Errors
    /// What is wrong with the file or with what it says.
    pub fn read(path: &Path) -> Result<Self, BadTown> {
        Ok(serde_json::from_str(&read_text(path)?)?)
    }
}

/// A file's text, unpacked if it is packed with gzip; no more than [`MAX_BYTES`] of it.
///
/// # Errors
/// If it cannot be read, or is larger.
pub fn read_text(path: &Path) -> Result<String, BadTown> {
    let mut file = BufReader::new(std::fs::File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let mut text = String::new();
    if packed {
        GzDecoder::new(file).take(MAX_BYTES + 1).read_to_string(&mut text)?;
    } else {
        file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(BadTown::TooLarge);
    }
    Ok(text)
}

const fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::generate::{REGIMES, town};

    fn read(bytes: &[u8]) -> Result<Town, BadTown> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Town::read(file.path())
    }

    #[test]
    fn a_town_that_is_written_is_read_back_packed_or_not() {
        let text = serde_json::to_vec(&town(5, &REGIMES[4], 3)).unwrap();
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&text).unwrap();
        for bytes in [text.clone(), packed.finish().unwrap()] {
            let again = read(&bytes).unwrap();
            assert_eq!(serde_json::to_vec(&again).unwrap(), text);
            assert_eq!(again.of, town(5, &REGIMES[4], 3).of);
        }
    }

    #[test]
    fn garbage_is_no_town() {
        for garbage in [&b""[..], b"[]", b"{}", b"\xff\xfe", b"\x1f\x8b garbage", &[0; 4_096], b"[[[[[[[["] {
            assert!(read(garbage).is_err(), "{garbage:?}");
        }
        assert!(matches!(Town::read(Path::new("not-there.json")), Err(BadTown::Io(_))));
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        let wrong = |shop: &str, group: &str, visits: &str| {
            let text = format!(
                r#"{{"shops":[{{"id":0,"x_km":0,"y_km":0,{shop}}}],"groups":[{{"id":0,"scope":"street",{group}}}],
                "buyers":[{{"id":0,"decide_until_days":1,"visits":[{visits}]}}]}}"#
            );
            read(text.as_bytes()).map_err(|error| error.to_string())
        };
        let (shop, group) =
            (r#""typical_won":1"#, r#""rate_bp":1,"validity_days":1,"minimum":0,"members":[0]"#);
        let visit = |at: i32, shop: i32, won: i32| {
            format!(r#"{{"t_days":{at},"shop":{shop},"won":{won},"attentive":true}}"#)
        };
        assert!(wrong(shop, group, &visit(0, 0, 1)).is_ok());
        assert!(wrong(r#""typical_won":0"#, group, "").unwrap_err().starts_with("shop 0: "));
        assert!(wrong(r#""typical_won":1e999"#, group, "").unwrap_err().starts_with("not a town: "));
        for group in [
            r#""rate_bp":-1,"validity_days":1,"minimum":0,"members":[0]"#,
            r#""rate_bp":1,"validity_days":0,"minimum":0,"members":[0]"#,
            r#""rate_bp":1,"validity_days":1,"minimum":-1,"members":[0]"#,
            r#""rate_bp":1,"validity_days":1,"minimum":0,"members":[1]"#,
        ] {
            assert!(wrong(shop, group, "").unwrap_err().starts_with("group 0: "), "{group}");
        }
        let late = format!("{},{}", visit(2, 0, 1), visit(1, 0, 1));
        for visits in [visit(0, 1, 1), visit(0, 0, -1), late] {
            assert!(wrong(shop, group, &visits).unwrap_err().starts_with("buyer 0: "), "{visits}");
        }
    }
}
