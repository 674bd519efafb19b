//! Schedules: at which hours of the week, in a time zone, a breach may begin.

use chrono::{DateTime, Datelike, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Maximum number of windows of a schedule.
pub const MAX_WINDOWS: usize = 20;

/// Weekly windows in a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The time zone, by its IANA name.
    pub time_zone: Tz,
    /// The windows; outside all of them no breach begins.
    pub windows: Vec<Window>,
}

/// Hours of the day on certain weekdays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The weekdays on which the window begins; every day when empty.
    #[serde(default)]
    pub days: Vec<Weekday>,
    /// The start, inclusive.
    pub from: NaiveTime,
    /// The end, exclusive. If it is not after `from`, it is on the next day.
    pub until: NaiveTime,
}

impl Schedule {
    /// Returns whether a time is in one of the windows.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.time_zone);
        self.windows.iter().any(|window| window.contains(local.weekday(), local.time()))
    }

    /// Returns the first error in the schedule, if any.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let in_range = (1..=MAX_WINDOWS).contains(&self.windows.len());
        (!in_range).then_some("a schedule must have 1 to 20 windows")
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
    fn hours_follow_daylight_saving_time() {
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
    fn a_window_across_midnight_belongs_to_the_day_on_which_it_begins() {
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
    fn a_window_with_equal_start_and_end_is_a_whole_day() {
        let saturday = schedule("Asia/Tokyo", &[Weekday::Sat], "00:00:00", "00:00:00");
        assert!(contains(&saturday, "2026-11-27T15:00:00Z") && contains(&saturday, "2026-11-28T14:59:59Z"));
        assert!(!contains(&saturday, "2026-11-27T14:59:59Z") && !contains(&saturday, "2026-11-28T15:00:00Z"));
    }

    #[test]
    fn a_schedule_without_windows_is_rejected() {
        let none = Schedule { time_zone: Tz::UTC, windows: vec![] };
        assert_eq!(none.problem(), Some("a schedule must have 1 to 20 windows"));
        assert_eq!(schedule("UTC", &[], "00:00:00", "00:00:00").problem(), None);
    }
}
