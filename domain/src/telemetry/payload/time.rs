//! The time of a reading as devices write it. What does not live here: whether it is plausible.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Numbers from here on are milliseconds since 1970 (this many milliseconds are in 1973, this many seconds in 5138).
const FIRST_MILLISECOND: f64 = 1e11;

/// Reads seconds or milliseconds since 1970, told apart by their magnitude, as whole microseconds.
pub(super) fn of_number(number: f64) -> Option<DateTime<Utc>> {
    let microseconds = if number.abs() < FIRST_MILLISECOND { number * 1e6 } else { number * 1e3 };
    // Beyond this a float cannot hold whole microseconds, and no clock is there.
    let plausible = microseconds.is_finite() && microseconds.abs() < 9e18;
    plausible.then(|| DateTime::from_timestamp_micros(microseconds.round() as i64)).flatten()
}

/// Reads whole seconds or milliseconds since 1970, told apart by their magnitude.
pub(super) fn of_integer(number: i64) -> Option<DateTime<Utc>> {
    if number.unsigned_abs() < FIRST_MILLISECOND as u64 {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

/// Reads a time of RFC 3339, cut to whole microseconds.
pub(super) fn of_text(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    time.duration_trunc(TimeDelta::microseconds(1)).ok()
}
