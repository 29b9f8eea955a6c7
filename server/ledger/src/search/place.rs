//! Places as cells: latitude and longitude with their bits by turns, so that what lies close together mostly lies close
//! together in a B-tree. A box or a circle is a few ranges of cells that cover it, and something beside it; who reads them
//! looks at each place again. A cell is exact: it is its place.

use moa_rules::merchant::Place;

/// Of the earth as a ball of its mean radius, in metres.
const EARTH_RADIUS_M: f64 = 6_371_008.8;
/// Half of the earth's circumference, rounded up: nothing is farther away.
pub const FARTHEST_M: u32 = 20_015_200;

/// A millionth of a degree in radians.
const RADIANS: f64 = std::f64::consts::PI / 180.0 / 1e6;
/// Half a turn, and a quarter, in millionths of a degree.
const HALF: i32 = 180_000_000;
const QUARTER: i32 = 90_000_000;

/// Bits of a cell on each axis: 2^29 is more than 360 000 000.
const BITS: u32 = 29;

/// Which place, as a number; [`Cell::NOWHERE`] before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell(pub i64);

impl Cell {
    /// No place.
    pub const NOWHERE: Self = Self(-1);
    /// After all places.
    pub const LAST: Self = Self(i64::MAX);

    /// A place's cell.
    pub fn of(place: Option<Place>) -> Self {
        let Some(place) = place else { return Self::NOWHERE };
        Self((spread(x(place.lon_e6)) | spread(y(place.lat_e6)) << 1).cast_signed())
    }

    /// The place again. The two names of the 180th meridian are one.
    pub fn place(self) -> Option<Place> {
        let bits = u64::try_from(self.0).ok()?;
        let (x, y) = (i64::from(gather(bits)), i64::from(gather(bits >> 1)));
        let lon_e6 = i32::try_from(x - i64::from(HALF)).ok()?;
        let lat_e6 = i32::try_from(y - i64::from(QUARTER)).ok()?;
        (lon_e6 < HALF && lat_e6 <= QUARTER).then_some(Place { lat_e6, lon_e6 })
    }
}

/// How far east of the 180th meridian.
fn x(lon_e6: i32) -> u32 {
    let east = (i64::from(lon_e6) + i64::from(HALF)).rem_euclid(2 * i64::from(HALF));
    u32::try_from(east).unwrap_or_default()
}

/// How far north of the south pole.
fn y(lat_e6: i32) -> u32 {
    u32::try_from(i64::from(lat_e6) + i64::from(QUARTER)).unwrap_or_default()
}

/// A zero after each bit.
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & 0x5555_5555_5555_5555
}

/// Every other bit.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    u32::try_from((bits | bits >> 16) & 0xffff_ffff).unwrap_or_default()
}

/// How far two places are from each other, in metres.
pub fn distance_m(one: Place, other: Place) -> u32 {
    let (lat, other_lat) = (f64::from(one.lat_e6) * RADIANS, f64::from(other.lat_e6) * RADIANS);
    let lon = (f64::from(one.lon_e6) - f64::from(other.lon_e6)) * RADIANS;
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let haversine = half(lat - other_lat) + lat.cos() * other_lat.cos() * half(lon);
    whole(2.0 * EARTH_RADIUS_M * haversine.clamp(0.0, 1.0).sqrt().asin())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=FARTHEST_M")]
fn whole(metres: f64) -> u32 {
    metres.round() as u32
}

/// A box on the map, in millionths of a degree, its edges included. West may be greater than east: then it lies across the
/// 180th meridian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The southern edge.
    pub south: i32,
    /// The western edge.
    pub west: i32,
    /// The northern edge.
    pub north: i32,
    /// The eastern edge.
    pub east: i32,
}

impl Bounds {
    /// Everywhere.
    pub const EARTH: Self = Self { south: -QUARTER, west: -HALF, north: QUARTER, east: HALF };

    /// Whether the edges are on the earth, and south of north.
    pub fn is_one(&self) -> bool {
        let on_earth = |edge: i32, most: i32| (-most..=most).contains(&edge);
        on_earth(self.south, QUARTER)
            && on_earth(self.north, QUARTER)
            && on_earth(self.west, HALF)
            && on_earth(self.east, HALF)
            && self.south <= self.north
    }

    /// The place in the middle.
    pub fn middle(&self) -> Place {
        let width = (i64::from(self.east) - i64::from(self.west)).rem_euclid(2 * i64::from(HALF));
        let whole = self.west == -HALF && self.east == HALF;
        let lon = i64::from(self.west) + if whole { i64::from(HALF) } else { width / 2 };
        let lon = if lon > i64::from(HALF) { lon - 2 * i64::from(HALF) } else { lon };
        let lat_e6 = self.south + (self.north - self.south) / 2;
        Place { lat_e6, lon_e6: i32::try_from(lon).unwrap_or_default() }
    }

    /// As ranges of x and y that do not cross the 180th meridian.
    fn sides(self) -> Vec<Side> {
        let (south, north) = (y(self.south), y(self.north));
        let side = |west: i32, east: i32| Side { south, west: x(west), north, east: x(east) };
        // The 180th meridian has two names: it is the westernmost there is, and east of it is nothing.
        match (self.west, self.east) {
            (west, east) if west > east => {
                let eastern = Side { east: x(HALF - 1), ..side(west, 0) };
                [(west < HALF).then_some(eastern), Some(side(-HALF, east))].into_iter().flatten().collect()
            }
            (west, HALF) if west < HALF => {
                vec![Side { east: x(HALF - 1), ..side(west, 0) }, side(-HALF, -HALF)]
            }
            (west, east) => vec![side(west, east)],
        }
    }
}

/// A box that crosses nothing.
#[derive(Debug, Clone, Copy)]
struct Side {
    south: u32,
    west: u32,
    north: u32,
    east: u32,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// In a box on the map.
    Bounds(Bounds),
    /// Around a place.
    Circle {
        /// The place.
        centre: Place,
        /// How far from it at most, in metres.
        radius_m: u32,
    },
}

impl Region {
    /// Whether a place lies in it.
    pub fn contains(&self, place: Place) -> bool {
        match self {
            Self::Circle { centre, radius_m } => distance_m(*centre, place) <= *radius_m,
            Self::Bounds(bounds) => {
                let (x, y) = (x(place.lon_e6), y(place.lat_e6));
                bounds.sides().iter().any(|side| {
                    (side.south..=side.north).contains(&y) && (side.west..=side.east).contains(&x)
                })
            }
        }
    }

    /// Ranges of cells, ascending, apart from each other, that hold every place in it, and others: at most `most`, or four if
    /// that is more.
    pub fn cells(&self, most: usize) -> Vec<(Cell, Cell)> {
        let bounds = match self {
            Self::Bounds(bounds) => *bounds,
            Self::Circle { centre, radius_m } => around(*centre, *radius_m),
        };
        cover(&bounds.sides(), most)
    }
}

/// A box that holds a circle.
fn around(centre: Place, radius_m: u32) -> Bounds {
    // A metre more for what is rounded.
    let angle = (f64::from(radius_m) + 1.0) / EARTH_RADIUS_M;
    let reach = e6(angle);
    let (south, north) = (centre.lat_e6.saturating_sub(reach), centre.lat_e6.saturating_add(reach));
    if south <= -QUARTER || north >= QUARTER {
        // A pole lies in it, and every meridian goes there.
        return Bounds { south: south.max(-QUARTER), north: north.min(QUARTER), ..Bounds::EARTH };
    }
    let widest = angle.sin() / (f64::from(centre.lat_e6) * RADIANS).cos();
    if angle >= std::f64::consts::FRAC_PI_2 || widest >= 1.0 {
        return Bounds { south, north, ..Bounds::EARTH };
    }
    let reach = e6(widest.asin());
    let (west, east) = (centre.lon_e6.saturating_sub(reach), centre.lon_e6.saturating_add(reach));
    let turned = |lon: i32| match lon {
        lon if lon < -HALF => lon + 2 * HALF,
        lon if lon > HALF => lon - 2 * HALF,
        lon => lon,
    };
    Bounds { south, west: turned(west), north, east: turned(east) }
}

/// An angle of at most half a turn in millionths of a degree, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "at most half a turn")]
fn e6(angle: f64) -> i32 {
    (angle / RADIANS).min(f64::from(HALF)).ceil() as i32 + 1
}

/// A square of the map: 2^`size` wide, beginning at a multiple of that.
#[derive(Debug, Clone, Copy)]
struct Square {
    x: u32,
    y: u32,
    size: u32,
}

impl Square {
    fn cells(self) -> (Cell, Cell) {
        let first = spread(self.x) | spread(self.y) << 1;
        let count = 1_u64 << (2 * self.size);
        (Cell(first.cast_signed()), Cell((first + count - 1).cast_signed()))
    }

    fn quarters(self) -> [Self; 4] {
        let size = self.size - 1;
        let half = 1 << size;
        [(0, 0), (half, 0), (0, half), (half, half)].map(|(x, y)| Self { x: self.x + x, y: self.y + y, size })
    }

    fn last(self) -> (u32, u32) {
        let more = (1 << self.size) - 1;
        (self.x + more, self.y + more)
    }

    fn meets(self, side: &Side) -> bool {
        let (last_x, last_y) = self.last();
        self.x <= side.east && side.west <= last_x && self.y <= side.north && side.south <= last_y
    }

    fn is_within(self, side: &Side) -> bool {
        let (last_x, last_y) = self.last();
        side.west <= self.x && last_x <= side.east && side.south <= self.y && last_y <= side.north
    }
}

/// Squares that cover the sides, all that an edge runs through quartered again and again while that makes no more ranges than
/// there may be.
fn cover(sides: &[Side], most: usize) -> Vec<(Cell, Cell)> {
    let (mut open, mut done) = (vec![Square { x: 0, y: 0, size: BITS }], Vec::new());
    let mut ranges = Vec::new();
    while !open.is_empty() {
        let quarters = open.iter().flat_map(|square| square.quarters());
        let mut edge = Vec::new();
        for quarter in quarters.filter(|quarter| sides.iter().any(|side| quarter.meets(side))) {
            if quarter.size == 0 || sides.iter().any(|side| quarter.is_within(side)) {
                done.push(quarter.cells());
            } else {
                edge.push(quarter);
            }
        }
        let finer = joined(done.iter().copied().chain(edge.iter().map(|square| square.cells())));
        if finer.len() > most && !ranges.is_empty() {
            break;
        }
        (open, ranges) = (edge, finer);
    }
    ranges
}

/// Ranges in order, those that follow on each other as one.
fn joined(ranges: impl Iterator<Item = (Cell, Cell)>) -> Vec<(Cell, Cell)> {
    let mut ranges: Vec<(Cell, Cell)> = ranges.collect();
    ranges.sort_unstable();
    let mut joined: Vec<(Cell, Cell)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first.0 <= end.0.saturating_add(1) => *end = last.max(*end),
            _ => joined.push((first, last)),
        }
    }
    joined
}

/// What lies in both of two lists of ranges, each ascending and apart.
pub fn common(one: &[(Cell, Cell)], other: &[(Cell, Cell)]) -> Vec<(Cell, Cell)> {
    let (mut common, mut from) = (Vec::new(), 0);
    for (first, last) in one {
        while other.get(from).is_some_and(|(_, end)| end < first) {
            from += 1;
        }
        let meeting = other[from..].iter().take_while(|(begin, _)| begin <= last);
        common.extend(meeting.map(|(begin, end)| (*begin.max(first), *end.min(last))));
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEOUL: Place = Place { lat_e6: 37_566_500, lon_e6: 126_978_000 };
    const BUSAN: Place = Place { lat_e6: 35_179_600, lon_e6: 129_075_600 };

    #[test]
    fn distances_are_those_of_the_map() {
        assert!((324_000..326_500).contains(&distance_m(SEOUL, BUSAN)), "{}", distance_m(SEOUL, BUSAN));
        assert_eq!(distance_m(SEOUL, SEOUL), 0);
        let place = |lat_e6, lon_e6| Place { lat_e6, lon_e6 };
        assert_eq!(distance_m(place(0, 180_000_000), place(0, -180_000_000)), 0);
        assert_eq!(distance_m(place(90_000_000, 5), place(90_000_000, -170_000_000)), 0);
        let antipodes = distance_m(place(-90_000_000, 0), place(90_000_000, 0));
        assert!(antipodes <= FARTHEST_M && antipodes > 20_015_000, "{antipodes}");
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    fn a_neighbourhood_is_a_few_ranges_of_little_else() {
        for radius_m in [50, 500, 5_000, 50_000] {
            let circle = Region::Circle { centre: SEOUL, radius_m };
            let ranges = circle.cells(16);
            assert!(ranges.len() <= 16, "{} ranges", ranges.len());
            let cells: f64 = ranges.iter().map(|(first, last)| (last.0 - first.0 + 1) as f64).sum();
            // A cell is 11 cm by 11 cm on the equator, and narrower here.
            let circle =
                f64::from(radius_m).powi(2) * std::f64::consts::PI / (0.111_195_f64.powi(2) * 0.7927);
            assert!(cells < circle * 4.0, "{radius_m} m: {:.1} times the circle", cells / circle);
        }
    }

    #[test]
    fn boxes_across_the_180th_meridian_hold_both_sides_of_it() {
        let fiji = Region::Bounds(Bounds {
            south: -20_000_000,
            west: 175_000_000,
            north: -12_000_000,
            east: -175_000_000,
        });
        for (lon, inside) in
            [(179, true), (180, true), (-180, true), (-179, true), (0, false), (174, false), (-174, false)]
        {
            let place = Place { lat_e6: -15_000_000, lon_e6: lon * 1_000_000 };
            assert_eq!(fiji.contains(place), inside, "{lon}");
        }
        let up_to = Region::Bounds(Bounds { west: 170_000_000, ..Bounds::EARTH });
        assert!(up_to.contains(Place { lat_e6: 0, lon_e6: -180_000_000 }));
        assert_eq!(
            Bounds { south: 0, west: 179_000_000, north: 2, east: -177_000_000 }.middle(),
            Place { lat_e6: 1, lon_e6: -179_000_000 }
        );
        assert_eq!(Bounds::EARTH.middle(), Place { lat_e6: 0, lon_e6: 0 });
    }

    fn places() -> impl Strategy<Value = Place> {
        let edge = prop_oneof![Just(-180_000_000), Just(180_000_000), Just(179_999_999), Just(0)];
        let lat =
            prop_oneof![8 => -90_000_000..=90_000_000_i32, 1 => Just(90_000_000), 1 => Just(-90_000_000)];
        let lon = prop_oneof![8 => -180_000_000..=180_000_000_i32, 2 => edge];
        (lat, lon).prop_map(|(lat_e6, lon_e6)| Place { lat_e6, lon_e6 })
    }

    /// Places near one, and far from it.
    fn around_one() -> impl Strategy<Value = (Place, Place, u32)> {
        let near = (places(), -40_000_i32..40_000, -40_000_i32..40_000).prop_map(|(place, lat, lon)| {
            let lat_e6 = (place.lat_e6 + lat).clamp(-QUARTER, QUARTER);
            let lon = i64::from(place.lon_e6) + i64::from(lon) + i64::from(HALF);
            let lon_e6 = i32::try_from(lon.rem_euclid(360_000_000) - i64::from(HALF)).unwrap();
            (place, Place { lat_e6, lon_e6 })
        });
        let pairs = prop_oneof![near, (places(), places())];
        (pairs, prop_oneof![0_u32..10_000, 0..=FARTHEST_M])
            .prop_map(|((one, other), radius)| (one, other, radius))
    }

    fn covers(ranges: &[(Cell, Cell)], place: Place) -> bool {
        let cell = Cell::of(Some(place));
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&cell))
    }

    proptest! {
        #[test]
        fn a_cell_is_its_place(place in places()) {
            let cell = Cell::of(Some(place));
            prop_assert!(cell > Cell::NOWHERE && cell < Cell::LAST);
            let west = if place.lon_e6 == HALF { -HALF } else { place.lon_e6 };
            prop_assert_eq!(cell.place(), Some(Place { lon_e6: west, ..place }));
        }

        #[test]
        fn numbers_that_are_no_cells_have_no_place(number: i64) {
            if let Some(place) = Cell(number).place() {
                prop_assert!(place.lat_e6.abs() <= QUARTER && place.lon_e6.abs() <= HALF);
            }
        }

        #[test]
        fn what_lies_in_a_circle_lies_in_its_ranges((centre, place, radius_m) in around_one(), most in 1_usize..40) {
            let circle = Region::Circle { centre, radius_m };
            let ranges = circle.cells(most);
            prop_assert!(ranges.len() <= most.max(4), "{} of {most}", ranges.len());
            prop_assert!(ranges.windows(2).all(|two| two[0].1.0 + 1 < two[1].0.0));
            prop_assert!(covers(&ranges, centre));
            if circle.contains(place) {
                prop_assert!(covers(&ranges, place), "{} m", distance_m(centre, place));
            }
        }

        #[test]
        fn what_lies_in_a_box_lies_in_its_ranges(corner in places(), other in places(), place in places(), most in 1_usize..40) {
            let (south, north) = (corner.lat_e6.min(other.lat_e6), corner.lat_e6.max(other.lat_e6));
            let bounds = Bounds { south, north, west: corner.lon_e6, east: other.lon_e6 };
            let region = Region::Bounds(bounds);
            prop_assert!(bounds.is_one() && region.contains(bounds.middle()), "{bounds:?} {:?}", bounds.middle());
            let ranges = region.cells(most);
            prop_assert!(ranges.len() <= most.max(4), "{} of {most}", ranges.len());
            for place in [place, corner, other] {
                // Asked of degrees, where the region asks of cells.
                let lon = |name: i32| if bounds.west <= bounds.east {
                    (bounds.west..=bounds.east).contains(&name)
                } else {
                    name >= bounds.west || name <= bounds.east
                };
                let on_180 = place.lon_e6.abs() == HALF;
                let inside = (south..=north).contains(&place.lat_e6)
                    && (lon(place.lon_e6) || (on_180 && (lon(HALF) || lon(-HALF))));
                prop_assert_eq!(region.contains(place), inside, "{:?} in {:?}", place, bounds);
                prop_assert!(!inside || covers(&ranges, place));
            }
        }

        #[test]
        fn what_two_lists_have_in_common_is_what_is_in_both(one in ranges(), other in ranges(), at in 0_i64..200) {
            let within = |ranges: &[(Cell, Cell)]| ranges.iter().any(|(first, last)| (first.0..=last.0).contains(&at));
            prop_assert_eq!(within(&common(&one, &other)), within(&one) && within(&other));
        }
    }

    fn ranges() -> impl Strategy<Value = Vec<(Cell, Cell)>> {
        proptest::collection::vec((0_i64..200, 0_i64..20), 0..8).prop_map(|ranges| {
            joined(ranges.into_iter().map(|(first, more)| (Cell(first), Cell(first + more))))
        })
    }
}
