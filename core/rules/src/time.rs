//! Instants, civil days and validity. (rules.md "Time")
//!
//! No clock here: whoever decides passes `now` in. A lot keeps its last usable *day* in the group's zone, and
//! beside it the instant at which that day ends, so that a phone in another zone agrees to the millisecond. The
//! world's zones come with the library, one version for phone and server, in the 200 kB of their own file format.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::quantity::OutOfRange;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

impl Timestamp {
    /// One second, in milliseconds.
    pub const SECOND: i64 = 1_000;
    /// One minute, in milliseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour, in milliseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day of 24 hours, in milliseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// The instant so many milliseconds later (earlier, if negative), stopping at the ends of time.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// From whole seconds, as codes and ops carry them.
    pub fn from_seconds(seconds: u64) -> Self {
        Self(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(Self::SECOND))
    }

    /// Whole seconds, rounded down; zero before 1970.
    pub fn seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(Self::SECOND)).unwrap_or(0)
    }
}

/// A calendar day, kept as days since 1970-01-01.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Day(#[n(0)] pub i32);

impl Day {
    /// The calendar date.
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_epoch_days(self.0).unwrap_or(NaiveDate::MAX)
    }

    /// Reads an ISO date such as `2027-05-31`, of the years 1..=9999.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let form = text.len() == 10 && [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(digits);
        let date = form.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
        date.filter(|date| date.year() >= 1).map(Self::from)
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date.to_epoch_days())
    }
}

/// How long mileage can be used: the civil span from the day of issue. (A1)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// So many calendar months, 1..=120.
    #[n(0)]
    Months(#[n(0)] u16),
    /// So many days, 1..=3 660.
    #[n(1)]
    Days(#[n(0)] u16),
}

impl Validity {
    /// Refuses a span outside the limits of its unit.
    pub(crate) fn check(self) -> Result<(), OutOfRange> {
        let (value, max) = match self {
            Self::Months(months) => (months, 120),
            Self::Days(days) => (days, 3_660),
        };
        if value == 0 || value > max {
            return Err(OutOfRange { value: value.into(), min: 1, max: max.into() });
        }
        Ok(())
    }

    /// The span in days for comparing two: a month counts 30.44.
    pub(crate) fn rough_days(self) -> u32 {
        match self {
            Self::Months(months) => u32::from(months) * 3_044 / 100,
            Self::Days(days) => days.into(),
        }
    }

    /// The last day on which mileage issued at `issued` can be used.
    ///
    /// Months clamp to the month's end, counted from the original day: 31 January and one month is 28 (29)
    /// February. Days count from the day after issue: one day issued on the 1st lasts through the 2nd.
    pub fn last_day(self, issued: Timestamp, zone: &Zone) -> Day {
        let day = local_day(issued, zone);
        let last = match self {
            Self::Months(months) => day.checked_add_months(Months::new(months.into())),
            Self::Days(days) => day.checked_add_days(Days::new(days.into())),
        };
        last.unwrap_or(NaiveDate::MAX).into()
    }
}

/// A time zone of the world, under its IANA name. Cheap to clone; the default is UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of that name, spelt as IANA spells it.
    pub fn named(name: &str) -> Option<Self> {
        static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
        ZONES.get(name).ok().filter(|zone| zone.iana_name() == Some(name)).map(Self)
    }

    /// The date and time of day that clocks show at `at`; none beyond the ends of the calendar.
    pub fn clocks(&self, at: Timestamp) -> Option<DateTime<FixedOffset>> {
        let offset = self.0.to_offset(jiff::Timestamp::from_millisecond(at.0).ok()?);
        let offset = FixedOffset::east_opt(offset.seconds())?;
        DateTime::from_timestamp_millis(at.0).map(|utc| utc.with_timezone(&offset))
    }

    /// The instant at which clocks show so many minutes of a day, or first show later.
    pub(crate) fn at(&self, day: NaiveDate, minute: u16) -> Timestamp {
        let local = day.and_time(NaiveTime::MIN).and_utc().timestamp() + i64::from(minute) * 60;
        let reached = self.reaches(local);
        reached.map_or(Timestamp(i64::MAX), |second| Timestamp(second.saturating_mul(Timestamp::SECOND)))
    }

    /// The first instant, in seconds, at which clocks show `local` or later; none beyond the calendar's ends.
    ///
    /// Where a change of clocks skips `local`, the instant of the change; where it repeats it, the earlier.
    fn reaches(&self, local: i64) -> Option<i64> {
        // No zone is more than a day away from UTC.
        let mut from =
            jiff::Timestamp::from_second(local.checked_sub(Timestamp::DAY / Timestamp::SECOND)?).ok()?;
        let mut changes = self.0.following(from);
        loop {
            let reached = local - i64::from(self.0.to_offset(from).seconds());
            if reached <= from.as_second() {
                return Some(from.as_second());
            }
            match changes.next() {
                Some(change) if change.timestamp().as_second() <= reached => from = change.timestamp(),
                _ => return Some(reached),
            }
        }
    }
}

/// The calendar day that `at` falls on in `zone`; the last there is, beyond the ends of the calendar.
pub fn local_day(at: Timestamp, zone: &Zone) -> NaiveDate {
    zone.clocks(at).map_or(NaiveDate::MAX, |clocks| clocks.date_naive())
}

/// The instant at which `day` is over in `zone`: the first moment of the day after.
pub fn end_of_day(day: Day, zone: &Zone) -> Timestamp {
    let midnight = day.date().succ_opt().map(|next| next.and_time(NaiveTime::MIN).and_utc().timestamp());
    let over = midnight.and_then(|midnight| zone.reaches(midnight));
    over.map_or(Timestamp(i64::MAX), |seconds| Timestamp(seconds.saturating_mul(Timestamp::SECOND)))
}

/// Year, month and day of a calendar day, for formatting.
pub fn parts(day: Day) -> (i32, u32, u32) {
    let date = day.date();
    (date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Offset, TimeDelta, TimeZone as _, Utc};
    use chrono_tz::{America::New_York, Asia::Beirut, Asia::Seoul, Tz};
    use proptest::prelude::*;

    fn at(zone: Tz, y: i32, m: u32, d: u32, hour: u32) -> Timestamp {
        Timestamp(zone.with_ymd_and_hms(y, m, d, hour, 0, 0).unwrap().timestamp_millis())
    }

    fn ours(zone: Tz) -> Zone {
        Zone::named(zone.name()).unwrap()
    }

    fn last(y: i32, m: u32, d: u32, validity: Validity) -> (i32, u32, u32) {
        parts(validity.last_day(at(Seoul, y, m, d, 12), &ours(Seoul)))
    }

    #[test]
    fn edge_12_months_clamp_to_the_months_end() {
        assert_eq!(last(2026, 1, 31, Validity::Months(1)), (2026, 2, 28));
        assert_eq!(last(2028, 1, 31, Validity::Months(1)), (2028, 2, 29));
        assert_eq!(last(2024, 2, 29, Validity::Months(12)), (2025, 2, 28));
        assert_eq!(last(2026, 11, 30, Validity::Months(3)), (2027, 2, 28));
        assert_eq!(last(2026, 8, 31, Validity::Months(6)), (2027, 2, 28));
        assert_eq!(last(2026, 12, 31, Validity::Days(1)), (2027, 1, 1));
    }

    #[test]
    fn edge_11_the_last_day_belongs_to_the_groups_zone() {
        // 23:30 on the 31st in Seoul is still the 31st at 14:30 UTC.
        let issued = at(Seoul, 2026, 1, 31, 23);
        let day = Validity::Months(1).last_day(issued, &ours(Seoul));
        assert_eq!(parts(day), (2026, 2, 28));
        assert_eq!(end_of_day(day, &ours(Seoul)), at(Seoul, 2026, 3, 1, 0));
    }

    #[test]
    fn edge_30_summer_time_makes_days_of_23_and_25_hours() {
        let spring = Day::from(NaiveDate::from_ymd_opt(2026, 3, 8).unwrap());
        let autumn = Day::from(NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
        let zone = ours(New_York);
        let hours =
            |day: Day| (end_of_day(day, &zone).0 - end_of_day(Day(day.0 - 1), &zone).0) / Timestamp::HOUR;
        assert_eq!((hours(spring), hours(autumn)), (23, 25));
    }

    #[test]
    fn edge_30_a_midnight_that_does_not_exist_ends_the_day_when_the_clock_goes_on() {
        // Beirut springs forward at midnight: 28 March 2027 begins at 01:00.
        let day = Day::from(NaiveDate::from_ymd_opt(2027, 3, 27).unwrap());
        assert_eq!(end_of_day(day, &ours(Beirut)), at(Beirut, 2027, 3, 28, 1));
    }

    #[test]
    fn a_zone_is_spelt_as_iana_spells_it() {
        for name in
            ["", "Mars/Olympus", "asia/seoul", "Asia/Seoul ", "KST-9", "../etc/localtime", "Etc/Unknown"]
        {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert_eq!(Zone::named("UTC"), Some(Zone::default()));
    }

    #[test]
    fn edge_30_a_day_that_a_country_left_out_ends_with_the_day_before() {
        // Samoa went from 29 to 31 December 2011 over the date line.
        let [before, skipped] =
            [29, 30].map(|day| Day::from(NaiveDate::from_ymd_opt(2011, 12, day).unwrap()));
        let apia = ours(chrono_tz::Pacific::Apia);
        assert_eq!(end_of_day(before, &apia), end_of_day(skipped, &apia));
        assert_eq!(end_of_day(before, &apia), at(chrono_tz::Pacific::Apia, 2011, 12, 31, 0));
    }

    proptest! {
        // Zones whose rules have been settled for long, since the model's data may be older than ours.
        #[test]
        fn days_end_when_another_library_says_so(
            zone in proptest::sample::select(vec![
                Seoul, New_York, Beirut, chrono_tz::UTC, chrono_tz::Europe::London, chrono_tz::Asia::Tokyo,
                chrono_tz::Atlantic::Azores, chrono_tz::Australia::Lord_Howe, chrono_tz::America::St_Johns,
                chrono_tz::America::Havana, chrono_tz::Pacific::Chatham, chrono_tz::Asia::Kathmandu,
            ]),
            date in 3_652..36_524_i32, // 1980 to 2069
            second in 0..86_400_i64,
        ) {
            let midnight = Day(date).date().succ_opt().unwrap().and_time(NaiveTime::MIN);
            let over = (0..=24 * 4).find_map(|quarters| {
                zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarters))).earliest()
            });
            prop_assert_eq!(end_of_day(Day(date), &ours(zone)).0, over.unwrap().timestamp_millis());

            let at = Timestamp((i64::from(date) * 86_400 + second) * 1_000);
            let utc = DateTime::from_timestamp_millis(at.0).unwrap();
            let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
            prop_assert_eq!(ours(zone).clocks(at), Some(utc.with_timezone(&offset)));
        }
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].map(|end| end.timestamp_millis());
        for at in ends.into_iter().chain([i64::MIN, i64::MAX]) {
            for zone in [Seoul, New_York, Beirut].map(ours) {
                let day = Validity::Months(120).last_day(Timestamp(at), &zone);
                for days in [-2, -1, 0, 1] {
                    end_of_day(Day(day.0.saturating_add(days)), &zone);
                }
            }
        }
        for days in [i32::MIN, i32::MAX] {
            end_of_day(Day(days), &ours(Seoul));
        }
    }
}
