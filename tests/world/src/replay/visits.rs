//! Who went where, and how often: two CSV files with a head line each.
//!
//! `venue_id,lat,lon` in degrees, and `user_id,venue_id,visits`. Other columns are passed over.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use moa_rules::merchant::Place;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The most bytes of a file that are read.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// The most visits of one user to one venue.
const MAX_VISITS: u32 = 10_000;
/// The most visits altogether.
const MAX_TOTAL: u64 = 10_000_000;

/// A file that is no list of venues or visits.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// It cannot be opened.
    #[error("{0}: {1}")]
    Unreadable(String, #[source] std::io::Error),
    /// It is too large.
    #[error("{0}: larger than 64 MB")]
    TooLarge(String),
    /// A line is not what it should be; the message names the line.
    #[error("{0}: {1}")]
    Line(String, #[source] csv::Error),
    /// A value is outside its range.
    #[error("{file}: line {line}: {what}")]
    Value {
        /// The file.
        file: String,
        /// The line, the head being the first.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Visits of one user to one venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visits {
    /// Who.
    pub user: u32,
    /// Where.
    pub venue: u32,
    /// How often, 1..=10 000.
    pub count: u32,
}

/// Venues, and visits to them in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct City {
    /// Each venue's place, by its id.
    pub venues: BTreeMap<u32, Place>,
    /// Who went where.
    pub visits: Vec<Visits>,
}

#[derive(Deserialize)]
struct VenueRow {
    venue_id: u32,
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
struct VisitsRow {
    user_id: u32,
    venue_id: u32,
    visits: u32,
}

impl City {
    /// Reads both files.
    ///
    /// # Errors
    /// [`BadFile`].
    pub fn read(venues: &Path, visits: &Path) -> Result<Self, BadFile> {
        let mut city = Self::default();
        each(venues, |VenueRow { venue_id, lat, lon }| {
            let place = place(lat, lon).ok_or("no place on the globe")?;
            city.venues.insert(venue_id, place).map_or(Ok(()), |_| Err("the venue came before"))
        })?;
        let mut total = 0;
        each(visits, |VisitsRow { user_id: user, venue_id: venue, visits: count }| {
            if !city.venues.contains_key(&venue) {
                return Err("no such venue");
            }
            if !(1..=MAX_VISITS).contains(&count) {
                return Err("visits are 1 to 10 000");
            }
            total += u64::from(count);
            if total > MAX_TOTAL {
                return Err("more than ten million visits");
            }
            city.visits.push(Visits { user, venue, count });
            Ok(())
        })?;
        Ok(city)
    }

    /// Visits altogether.
    pub fn total(&self) -> u64 {
        self.visits.iter().map(|visits| u64::from(visits.count)).sum()
    }
}

fn each<T: DeserializeOwned>(
    path: &Path,
    mut take: impl FnMut(T) -> Result<(), &'static str>,
) -> Result<(), BadFile> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|why| BadFile::Unreadable(name.clone(), why))?;
    let size = file.metadata().map_err(|why| BadFile::Unreadable(name.clone(), why))?.len();
    if size > MAX_FILE {
        return Err(BadFile::TooLarge(name));
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let mut rows = reader.deserialize::<T>();
    while let Some(row) = rows.next() {
        let row = row.map_err(|why| BadFile::Line(name.clone(), why))?;
        if let Err(what) = take(row) {
            return Err(BadFile::Value { file: name, line: rows.reader().position().line() - 1, what });
        }
    }
    Ok(())
}

fn place(lat: f64, lon: f64) -> Option<Place> {
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "within 180 million")]
    let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
    Some(Place { lat_e6: millionths(lat), lon_e6: millionths(lon) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENUES: &str = "venue_id,lat,lon\n0,1.303505,103.765547\n7,-1.5,-0.000001\n";
    const VISITS: &str = "user_id,venue_id,visits\n4,7,3\n1,0,1\n";

    fn read(venues: &[u8], visits: &[u8]) -> Result<City, BadFile> {
        let folder = tempfile::tempdir().unwrap();
        let (v, n) = (folder.path().join("venues.csv"), folder.path().join("visits.csv"));
        std::fs::write(&v, venues).unwrap();
        std::fs::write(&n, visits).unwrap();
        City::read(&v, &n)
    }

    #[test]
    fn places_are_kept_in_millionths_and_visits_in_the_order_of_the_file() {
        let city = read(VENUES.as_bytes(), VISITS.as_bytes()).unwrap();
        assert_eq!(city.venues[&0], Place { lat_e6: 1_303_505, lon_e6: 103_765_547 });
        assert_eq!(city.venues[&7], Place { lat_e6: -1_500_000, lon_e6: -1 });
        assert_eq!(city.visits[0], Visits { user: 4, venue: 7, count: 3 });
        assert_eq!((city.visits.len(), city.total()), (2, 4));
    }

    #[test]
    fn a_wrong_value_is_told_with_its_line() {
        for (row, what) in [
            ("4,9,1", "no such venue"),
            ("4,7,0", "visits are 1 to 10 000"),
            ("4,7,10001", "visits are 1 to 10 000"),
        ] {
            let error = read(VENUES.as_bytes(), format!("{VISITS}{row}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().ends_with(&format!("line 4: {what}")), "{error}");
        }
        for row in ["8,91,0", "8,0,181", "8,NaN,0", "8,inf,0", "7,0,0"] {
            let error = read(format!("{VENUES}{row}\n").as_bytes(), VISITS.as_bytes()).unwrap_err();
            assert!(matches!(error, BadFile::Value { line: 4, .. }), "{row}: {error}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        let garbage: [&[u8]; 5] = [
            b"\xff\xfe\x00",
            b"a,b\n1,2\n",
            b"venue_id,lat,lon\nx,y,z\n",
            b"venue_id,lat,lon\n1,2\n",
            &[0; 500],
        ];
        for bytes in garbage {
            assert!(read(bytes, VISITS.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(read(VENUES.as_bytes(), b"user_id,venue_id,visits\n1,0,-3\n").is_err());
        assert!(matches!(City::read(Path::new("not-there"), Path::new("x")), Err(BadFile::Unreadable(..))));
    }
}
