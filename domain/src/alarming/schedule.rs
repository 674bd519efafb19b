//! When a rule may breach: hours of the calendar in a time zone.

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Most windows of one schedule.
pub const MAX_WINDOWS: usize = 20;

/// Windows of the week by the clocks of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The place, a name of the IANA time zone database.
    pub time_zone: Tz,
    /// The windows; outside all of them no breach begins.
    pub windows: Vec<Window>,
}

/// Hours of some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The days on which it begins; every day when empty.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// Its first moment.
    pub from: NaiveTime,
    /// The first moment after it; at or before `from` it is on the next day.
    pub until: NaiveTime,
}

impl Schedule {
    /// Tells whether a time lies in one of the windows.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.time_zone);
        self.windows.iter().any(|window| window.contains(local.weekday(), local.time()))
    }

    /// Says what makes no sense in it.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let in_range = (1..=MAX_WINDOWS).contains(&self.windows.len());
        (!in_range).then_some("a schedule has 1 to 20 windows")
    }
}

impl Window {
    fn contains(&self, day: Weekday, time: NaiveTime) -> bool {
        let begins_on = |day: Weekday| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.until {
            return begins_on(day) && (self.from..self.until).contains(&time);
        }
        (begins_on(day) && time >= self.from) || (begins_on(day.pred()) && time < self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(time_zone: &str, days: &[Weekday], from: &str, until: &str) -> Schedule {
        let window = Window { days: days.to_vec(), from: from.parse().unwrap(), until: until.parse().unwrap() };
        Schedule { time_zone: time_zone.parse().unwrap(), windows: vec![window] }
    }

    fn contains(schedule: &Schedule, at: &str) -> bool {
        schedule.contains(at.parse().unwrap())
    }

    #[test]
    fn hours_are_those_of_the_place_in_summer_and_winter() {
        let office = schedule("Europe/Berlin", &[], "08:00:00", "17:00:00");
        let table = [
            ("2026-07-01T06:00:00Z", true),
            ("2026-07-01T05:59:59Z", false),
            ("2026-12-01T06:30:00Z", false),
            ("2026-12-01T07:00:00Z", true),
            ("2026-12-01T15:59:59Z", true),
            ("2026-12-01T16:00:00Z", false),
        ];
        for (at, expected) in table {
            assert_eq!(contains(&office, at), expected, "{at}");
        }
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = schedule("UTC", &[Weekday::Fri], "22:00:00", "06:00:00");
        // 2026-11-27 is a Friday.
        let table = [
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T05:59:59Z", true),
            ("2026-11-28T06:00:00Z", false),
            ("2026-11-28T22:00:00Z", false),
            ("2026-11-27T05:00:00Z", false),
        ];
        for (at, expected) in table {
            assert_eq!(contains(&night, at), expected, "{at}");
        }
    }

    #[test]
    fn a_window_from_and_until_one_time_is_a_whole_day() {
        let saturday = schedule("Asia/Tokyo", &[Weekday::Sat], "00:00:00", "00:00:00");
        assert!(contains(&saturday, "2026-11-27T15:00:00Z") && contains(&saturday, "2026-11-28T14:59:59Z"));
        assert!(!contains(&saturday, "2026-11-27T14:59:59Z") && !contains(&saturday, "2026-11-28T15:00:00Z"));
    }

    #[test]
    fn a_schedule_has_windows() {
        let none = Schedule { time_zone: Tz::UTC, windows: vec![] };
        assert_eq!(none.problem(), Some("a schedule has 1 to 20 windows"));
        assert_eq!(schedule("UTC", &[], "00:00:00", "00:00:00").problem(), None);
    }
}
