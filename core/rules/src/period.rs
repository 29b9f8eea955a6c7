//! Settlement periods: so many calendar months of the group's zone, cut at the terms' day and time. (A1, rules.md
//! "Settlement")

use chrono::{Datelike, Months, NaiveDate};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::quantity::OutOfRange;
use crate::time::{Timestamp, Zone, local_day};

/// How often members settle, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
pub struct Period {
    /// Calendar months, counted from January: 1, 2, 3, 4, 6 or 12.
    #[n(0)]
    pub months: u8,
    /// The day of the cut-off.
    #[n(1)]
    pub day: CutDay,
    /// Its time, in minutes from midnight, 0..=1 440: the last is the day's end.
    #[n(2)]
    pub minute: u16,
}

/// The day on which a period is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
pub enum CutDay {
    /// The last day of the period's last month.
    #[n(0)]
    Last,
    /// This day, 1..=28, of the month after the period's last.
    #[n(1)]
    Next(#[n(0)] u8),
}

impl Default for Period {
    /// Each calendar month, cut at its end.
    fn default() -> Self {
        Self { months: 1, day: CutDay::Last, minute: 1_440 }
    }
}

impl Period {
    /// Refuses a period that the calendar does not have.
    pub(crate) fn check(self) -> Result<(), OutOfRange> {
        let within = |value: i64, min: i64, max: i64| {
            if (min..=max).contains(&value) { Ok(()) } else { Err(OutOfRange { value, min, max }) }
        };
        within(self.months.into(), 1, 12)?;
        if !12_u8.is_multiple_of(self.months) {
            return Err(OutOfRange { value: self.months.into(), min: 1, max: 12 });
        }
        within(self.minute.into(), 0, 1_440)?;
        match self.day {
            CutDay::Last => Ok(()),
            CutDay::Next(day) => within(day.into(), 1, 28),
        }
    }

    /// The first cut-off after `at`: what is decided before it belongs to the period that it ends.
    pub fn cut_after(self, at: Timestamp, zone: &Zone) -> Timestamp {
        // The cut of the period before last may still lie ahead, in the month after it.
        let months = u32::from(self.months.max(1));
        let first = first_of_period(local_day(at, zone), months);
        let mut last = first.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN);
        loop {
            let Some(next) = last.checked_add_months(Months::new(months)) else {
                return Timestamp(i64::MAX);
            };
            let cut = self.cut_of(next, zone);
            if cut > at {
                return cut;
            }
            last = next;
        }
    }

    /// The cut of the period before the one that begins on `next`.
    fn cut_of(self, next: NaiveDate, zone: &Zone) -> Timestamp {
        let day = match self.day {
            CutDay::Last => next.pred_opt().unwrap_or(next),
            CutDay::Next(day) => next.with_day(day.into()).unwrap_or(next),
        };
        zone.at(day, self.minute)
    }
}

/// The first day of the period of so many months that `day` lies in.
fn first_of_period(day: NaiveDate, months: u32) -> NaiveDate {
    let month0 = day.month0() / months * months;
    NaiveDate::from_ymd_opt(day.year(), month0 + 1, 1).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seoul() -> Zone {
        Zone::named("Asia/Seoul").unwrap()
    }

    fn at(year: i32, month: u32, day: u32, minute: u16) -> Timestamp {
        seoul().at(NaiveDate::from_ymd_opt(year, month, day).unwrap(), minute)
    }

    #[test]
    fn the_last_day_at_noon_and_the_first_at_nine() {
        let noon = Period { months: 1, day: CutDay::Last, minute: 720 };
        assert_eq!(noon.cut_after(at(2026, 2, 28, 719), &seoul()), at(2026, 2, 28, 720));
        assert_eq!(noon.cut_after(at(2026, 2, 28, 720), &seoul()), at(2026, 3, 31, 720));
        let nine = Period { months: 1, day: CutDay::Next(1), minute: 540 };
        assert_eq!(nine.cut_after(at(2026, 3, 1, 539), &seoul()), at(2026, 3, 1, 540));
        assert_eq!(nine.cut_after(at(2026, 3, 1, 540), &seoul()), at(2026, 4, 1, 540));
    }

    #[test]
    fn quarters_and_half_years_are_the_calendars() {
        let quarter = Period { months: 3, ..Period::default() };
        assert_eq!(quarter.cut_after(at(2026, 1, 1, 0), &seoul()), at(2026, 4, 1, 0));
        let half = Period { months: 6, day: CutDay::Next(15), minute: 0 };
        assert_eq!(half.cut_after(at(2026, 7, 14, 0), &seoul()), at(2026, 7, 15, 0));
        assert_eq!(half.cut_after(at(2026, 7, 15, 0), &seoul()), at(2027, 1, 15, 0));
    }

    #[test]
    fn what_the_calendar_does_not_have_is_refused() {
        let good = Period::default();
        assert_eq!(good.check(), Ok(()));
        for bad in [
            Period { months: 0, ..good },
            Period { months: 5, ..good },
            Period { months: 13, ..good },
            Period { minute: 1_441, ..good },
            Period { day: CutDay::Next(29), ..good },
            Period { day: CutDay::Next(0), ..good },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    proptest! {
        /// Every instant lies in one period: the next cut is ahead, and nothing is cut between.
        #[test]
        fn cuts_follow_each_other(
            ms in 0i64..4_000_000_000_000,
            months in prop::sample::select(vec![1u8, 2, 3, 4, 6, 12]),
            day in prop_oneof![Just(CutDay::Last), (1u8..=28).prop_map(CutDay::Next)],
            minute in 0u16..=1_440,
        ) {
            let period = Period { months, day, minute };
            let cut = period.cut_after(Timestamp(ms), &seoul());
            prop_assert!(cut.0 > ms);
            prop_assert_eq!(period.cut_after(cut.plus(-1), &seoul()), cut);
            let next = period.cut_after(cut, &seoul());
            let days = (next.0 - cut.0) / Timestamp::DAY;
            prop_assert!((28 * i64::from(months)..=31 * i64::from(months)).contains(&days));
        }
    }
}
