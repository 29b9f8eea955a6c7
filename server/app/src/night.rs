//! Advertising is not sent at night: between 21:00 and 08:00 in Seoul it waits for the morning. (정보통신망법 제50조 제3항, which asks for
//! a consent of its own to be sent some then; nobody is asked for that.)
//!
//! What counts: invitations that the server sends, for they may come to people who are nobody's customers. A code that someone
//! asked for does not.

use moa_rules::time::Timestamp;

/// Seoul's clocks before those of UTC; they have not been changed since 1988.
const SEOUL: i64 = 9 * Timestamp::HOUR;
/// When the night begins, and when it ends.
const EVENING: i64 = 21 * Timestamp::HOUR;
const MORNING: i64 = 8 * Timestamp::HOUR;

/// The morning for which advertising waits; none by day.
pub(crate) fn waits_until(now: Timestamp) -> Option<Timestamp> {
    let clock = (now.0 + SEOUL).rem_euclid(Timestamp::DAY);
    match clock {
        ..MORNING => Some(now.plus(MORNING - clock)),
        EVENING.. => Some(now.plus(Timestamp::DAY - clock + MORNING)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes after midnight of 22 November 2026 in Seoul.
    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp(1_795_273_200_000 + hour * Timestamp::HOUR + minute * Timestamp::MINUTE)
    }

    #[test]
    fn the_night_is_from_nine_to_eight_and_waits_for_the_next_morning() {
        for (hour, minute, until) in [
            (0, 0, Some(at(8, 0))),
            (7, 59, Some(at(8, 0))),
            (8, 0, None),
            (12, 0, None),
            (20, 59, None),
            (21, 0, Some(at(32, 0))),
            (23, 59, Some(at(32, 0))),
            (24, 0, Some(at(32, 0))),
        ] {
            assert_eq!(waits_until(at(hour, minute)), until, "{hour}:{minute:02}");
        }
        assert_eq!(waits_until(Timestamp(at(21, 0).0 - 1)), None);
        assert_eq!(waits_until(Timestamp(at(8, 0).0 - 1)), Some(at(8, 0)));
    }
}
