//! Days, instants and spans of time as people write them.

use chrono::Timelike;
use moa_rules::time::{Day, Timestamp, Validity, Zone, local_day, parts};

use crate::Lang;
use crate::number::{count, plural};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A calendar day: `2027년 5월 31일`, `31 May 2027`.
pub fn date(lang: Lang, day: Day) -> String {
    let (year, month, date) = parts(day);
    // A calendar's months are 1..=12.
    let name = MONTHS[month as usize - 1];
    text!(lang, "{year}년 {month}월 {date}일", "{date} {name} {year}")
}

/// The last day on which something can be used: `2027년 5월 31일까지`, `until 31 May 2027`.
pub fn until(lang: Lang, last_day: Day) -> String {
    let date = date(lang, last_day);
    text!(lang, "{date}까지", "until {date}")
}

/// The same, before the server has dated it: it will not be sooner.
pub fn at_least_until(lang: Lang, last_day: Day) -> String {
    let date = date(lang, last_day);
    text!(lang, "적어도 {date}까지", "at least until {date}")
}

/// The time of day in `zone`, of 24 hours: `14:05`. The same in both languages.
pub fn clock(at: Timestamp, zone: &Zone) -> String {
    let clocks = zone.clocks(at).unwrap_or_default();
    format!("{:02}:{:02}", clocks.hour(), clocks.minute())
}

/// The time of day to the second, of what is good for a few minutes: `14:05:30`. The same in both languages.
pub fn clock_to_second(at: Timestamp, zone: &Zone) -> String {
    let clocks = zone.clocks(at).unwrap_or_default();
    format!("{:02}:{:02}:{:02}", clocks.hour(), clocks.minute(), clocks.second())
}

/// Day and time of day in `zone`: `2027년 5월 31일 14:05`, `31 May 2027, 14:05`.
pub fn moment(lang: Lang, at: Timestamp, zone: &Zone) -> String {
    let (date, clock) = (date(lang, local_day(at, zone).into()), clock(at, zone));
    text!(lang, "{date} {clock}", "{date}, {clock}")
}

/// The time of day, of an instant on the day of `now`; day and time of any other.
pub fn clock_or_moment(lang: Lang, at: Timestamp, now: Timestamp, zone: &Zone) -> String {
    if local_day(at, zone) == local_day(now, zone) { clock(at, zone) } else { moment(lang, at, zone) }
}

/// How long mileage can be used: `6개월`, `6 months`; `30일`, `30 days`.
pub fn validity(lang: Lang, validity: Validity) -> String {
    match validity {
        Validity::Months(months) => {
            let (ko, en) = (count(months), plural(months, "month", "months"));
            text!(lang, "{ko}개월", "{en}")
        }
        Validity::Days(days) => {
            let (ko, en) = (count(days), plural(days, "day", "days"));
            text!(lang, "{ko}일", "{en}")
        }
    }
}

/// A span in seconds, exactly, in the units it fills: `3분`, `1시간 30초`; `3 minutes`, `1 hour 30 seconds`.
pub fn duration(lang: Lang, seconds: u64) -> String {
    let spans = [
        (seconds / 86_400, "일", "day", "days"),
        (seconds / 3_600 % 24, "시간", "hour", "hours"),
        (seconds / 60 % 60, "분", "minute", "minutes"),
        (seconds % 60, "초", "second", "seconds"),
    ];
    let written: Vec<String> = spans
        .into_iter()
        .filter(|(number, _, unit, _)| *number > 0 || (seconds == 0 && *unit == "second"))
        .map(|(number, ko, one, many)| match lang {
            Lang::Ko => format!("{}{ko}", count(number)),
            Lang::En => plural(number, one, many),
        })
        .collect();
    written.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    fn day(year: i32, month: u32, day: u32) -> Day {
        NaiveDate::from_ymd_opt(year, month, day).unwrap().into()
    }

    #[test]
    fn days_are_written_in_each_languages_order() {
        let last = day(2027, 5, 31);
        assert_eq!(Lang::ALL.map(|lang| date(lang, last)), ["2027년 5월 31일", "31 May 2027"]);
        assert_eq!(Lang::ALL.map(|lang| until(lang, last)), ["2027년 5월 31일까지", "until 31 May 2027"]);
    }

    #[test]
    fn an_instant_is_shown_in_the_zone_asked_for() {
        // 2027-05-31T15:05:00Z: already June in Seoul.
        let at = Timestamp(1_811_775_900_000);
        let [seoul, new_york] = ["Asia/Seoul", "America/New_York"].map(|name| Zone::named(name).unwrap());
        assert_eq!((clock(at, &seoul), clock(at, &new_york)), ("00:05".into(), "11:05".into()));
        assert_eq!(clock_to_second(Timestamp(at.0 + 59_999), &seoul), "00:05:59");
        assert_eq!(moment(Lang::Ko, at, &seoul), "2027년 6월 1일 00:05");
        assert_eq!(moment(Lang::En, at, &new_york), "31 May 2027, 11:05");
    }

    #[test]
    fn spans_are_written_in_the_units_they_fill() {
        for (seconds, ko, en) in [
            (0, "0초", "0 seconds"),
            (1, "1초", "1 second"),
            (180, "3분", "3 minutes"),
            (3_630, "1시간 30초", "1 hour 30 seconds"),
            (90_061, "1일 1시간 1분 1초", "1 day 1 hour 1 minute 1 second"),
        ] {
            assert_eq!(Lang::ALL.map(|lang| duration(lang, seconds)), [ko, en]);
        }
        assert_eq!(validity(Lang::En, Validity::Months(1)), "1 month");
        assert_eq!(validity(Lang::Ko, Validity::Days(30)), "30일");
    }

    proptest! {
        #[test]
        fn no_instant_and_no_day_panics(at in any::<i64>(), days in any::<i32>(), seconds in any::<u64>()) {
            for lang in Lang::ALL {
                moment(lang, Timestamp(at), &Zone::default());
                at_least_until(lang, Day(days));
                duration(lang, seconds);
            }
        }
    }
}
