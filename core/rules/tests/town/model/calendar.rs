//! Days, counted one by one.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use moa_rules::time::Validity;

/// The day of an instant, in a zone.
pub fn day_of(at: i64, zone: &str) -> NaiveDate {
    DateTime::from_timestamp_millis(at).unwrap().with_timezone(&tz(zone)).date_naive()
}

/// So many days later.
pub fn days_after(mut day: NaiveDate, days: i64) -> NaiveDate {
    for _ in 0..days {
        day = day.succ_opt().unwrap();
    }
    day
}

/// Days from one to a later one; none if it is not later.
pub fn days_between(mut day: NaiveDate, later: NaiveDate) -> i64 {
    let mut days = 0;
    while day < later {
        day = day.succ_opt().unwrap();
        days += 1;
    }
    days
}

/// The last usable day of what is issued at an instant.
pub fn last_day(validity: Validity, at: i64, zone: &str) -> NaiveDate {
    let day = day_of(at, zone);
    match validity {
        Validity::Days(days) => days_after(day, days.into()),
        Validity::Months(months) => {
            let (mut year, mut month) = (day.year(), day.month());
            for _ in 0..months {
                (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            }
            // The same day of that month, or the last that it has.
            (1..=day.day()).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day)).unwrap()
        }
    }
}

/// The instant at which a day ends.
pub fn midnight_after(day: NaiveDate, zone: &str) -> i64 {
    let next = day.succ_opt().unwrap();
    tz(zone)
        .with_ymd_and_hms(next.year(), next.month(), next.day(), 0, 0, 0)
        .earliest()
        .unwrap()
        .timestamp_millis()
}

fn tz(zone: &str) -> Tz {
    zone.parse().unwrap()
}
