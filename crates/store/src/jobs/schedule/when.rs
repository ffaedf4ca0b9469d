//! When something recurs, by the wall clock of a time zone.

use std::fmt;

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Weekday};
use chrono_tz::Tz;
use kernel::DateTime;

/// When something recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Every so many minutes, counted from the beginning of 1970, so that every node means the same moments.
    EveryMinutes(u32),
    /// Each day at hour and minute.
    Daily(u32, u32),
    /// Each week on a day at hour and minute.
    Weekly(Weekday, u32, u32),
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryMinutes(minutes) => write!(out, "every {minutes} min"),
            Self::Daily(hour, minute) => write!(out, "daily {hour:02}:{minute:02}"),
            Self::Weekly(day, hour, minute) => write!(out, "{day} {hour:02}:{minute:02}"),
        }
    }
}

impl When {
    /// The first time after a moment. A time that the clock leaves out is right after the gap, and one that it shows twice is the first.
    pub fn after(self, moment: DateTime, zone: Tz) -> DateTime {
        let (hour, minute, day) = match self {
            Self::EveryMinutes(minutes) => {
                let step = i64::from(minutes.max(1)) * 60;
                let next = (moment.timestamp().div_euclid(step) + 1) * step;
                return DateTime::from_timestamp(next, 0).unwrap_or(DateTime::MAX_UTC);
            }
            Self::Daily(hour, minute) => (hour, minute, None),
            Self::Weekly(day, hour, minute) => (hour, minute, Some(day)),
        };
        let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
        // from the day before, whose time may lie behind a gap that ends today
        let today = moment.with_timezone(&zone).date_naive();
        let first = today.pred_opt().unwrap_or(today);
        let days = (0..10).filter_map(|step| first.checked_add_days(Days::new(step)));
        let days = days.filter(|date: &NaiveDate| day.is_none_or(|day| date.weekday() == day));
        days.map(|date| moment_of(date.and_time(time), zone)).find(|next| *next > moment).unwrap_or(DateTime::MAX_UTC)
    }
}

/// The moment at which a clock on the wall shows this for the first time, or the first one at which it shows more.
fn moment_of(shown: NaiveDateTime, zone: Tz) -> DateTime {
    if let Some(found) = zone.from_local_datetime(&shown).earliest() {
        return found.to_utc();
    }
    // in a gap: between a moment that is surely before it and one that is surely after, the clock passes `shown` once
    let seconds = shown.and_utc().timestamp();
    let (mut before, mut after) = (seconds - 2 * 86_400, seconds + 2 * 86_400);
    let is_passed =
        |second: i64| DateTime::from_timestamp(second, 0).is_none_or(|moment| moment.with_timezone(&zone).naive_local() >= shown);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if is_passed(middle) {
            after = middle;
        } else {
            before = middle;
        }
    }
    DateTime::from_timestamp(after, 0).unwrap_or(DateTime::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use chrono::{Duration, Offset as _};
    use proptest::prelude::*;

    use super::*;

    const ZONES: &[Tz] = &[
        chrono_tz::UTC,
        chrono_tz::Europe::Athens,
        chrono_tz::Europe::London,
        chrono_tz::America::New_York,
        // changes at midnight
        chrono_tz::America::Havana,
        // by half an hour
        chrono_tz::Australia::Lord_Howe,
        // leaves a whole day out at the end of 2011
        chrono_tz::Pacific::Apia,
        chrono_tz::Africa::Casablanca,
        chrono_tz::Asia::Kathmandu,
    ];

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_that_does_not_exist_is_right_after_the_gap_and_one_that_exists_twice_is_once() {
        let athens = chrono_tz::Europe::Athens;
        let at_half_past_three = When::Daily(3, 30);
        // 2026-03-29: 03:00 becomes 04:00, which is 01:00 UTC
        let next = at_half_past_three.after(at("2026-03-28T12:00:00Z"), athens);
        assert_eq!(next, at("2026-03-29T01:00:00Z"));
        assert_eq!(at_half_past_three.after(next, athens), at("2026-03-30T00:30:00Z"));
        // 2026-10-25: 04:00 becomes 03:00; half past three is at 00:30 and at 01:30 UTC
        let next = at_half_past_three.after(at("2026-10-24T12:00:00Z"), athens);
        assert_eq!(next, at("2026-10-25T00:30:00Z"));
        assert_eq!(at_half_past_three.after(next, athens), at("2026-10-26T01:30:00Z"));
        // 2011-12-30 is no day in Samoa
        let apia = chrono_tz::Pacific::Apia;
        let next = When::Daily(8, 0).after(at("2011-12-29T19:00:00Z"), apia);
        assert_eq!(next.with_timezone(&apia).to_rfc3339(), "2011-12-31T00:00:00+14:00");
    }

    #[test]
    fn what_is_every_so_often_is_at_the_same_moments_everywhere() {
        for (minutes, expected) in [(15, "2026-01-01T10:15:00Z"), (60, "2026-01-01T11:00:00Z"), (360, "2026-01-01T12:00:00Z")] {
            for zone in ZONES {
                assert_eq!(When::EveryMinutes(minutes).after(at("2026-01-01T10:00:00Z"), *zone), at(expected));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn each_day_has_its_one_time(zone in 0..ZONES.len(), start in 1_200_000_000_i64..2_000_000_000, hour in 0_u32..24, minute in 0_u32..60) {
            let (zone, when) = (ZONES[zone], When::Daily(hour, minute));
            let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
            let mut moment = DateTime::from_timestamp(start, 0).unwrap();
            let mut days = Vec::new();
            for _ in 0..8 {
                let next = when.after(moment, zone);
                prop_assert!(next > moment);
                // nothing that is asked for a little later is skipped or repeated
                prop_assert_eq!(when.after(next - Duration::seconds(1), zone), next);
                let local = next.with_timezone(&zone);
                if local.time() != time {
                    // the clock leaves it out, and a second before it showed less
                    let before = (next - Duration::seconds(1)).with_timezone(&zone);
                    prop_assert!(before.offset().fix() != local.offset().fix(), "{} {}", zone, next);
                    let wanted = [before.date_naive(), local.date_naive()].map(|date| date.and_time(time));
                    prop_assert!(wanted.iter().any(|wanted| before.naive_local() < *wanted && *wanted < local.naive_local())
                        || local.date_naive() > before.date_naive() + Days::new(1), "{} {}", zone, next);
                } else {
                    // the first of two
                    prop_assert_eq!(zone.from_local_datetime(&local.naive_local()).earliest(), Some(local));
                    days.push(local.date_naive());
                }
                moment = next;
            }
            let mut once = days.clone();
            once.dedup();
            prop_assert_eq!(&once, &days, "a day has two");
            let span = (*days.last().unwrap() - days[0]).num_days();
            prop_assert!(span <= 8 && span >= days.len() as i64 - 1);
        }

        #[test]
        fn a_week_has_its_one_time(zone in 0..ZONES.len(), start in 1_200_000_000_i64..2_000_000_000, hour in 0_u32..24) {
            let (zone, when) = (ZONES[zone], When::Weekly(Weekday::Sun, hour, 0));
            let first = when.after(DateTime::from_timestamp(start, 0).unwrap(), zone);
            let second = when.after(first, zone);
            let apart = second - first;
            prop_assert!(apart >= Duration::days(7) - Duration::hours(25) && apart <= Duration::days(7) + Duration::hours(25));
            let local = first.with_timezone(&zone);
            prop_assert!(local.weekday() == Weekday::Sun || local.time().signed_duration_since(NaiveTime::MIN) < Duration::hours(1));
        }
    }
}
