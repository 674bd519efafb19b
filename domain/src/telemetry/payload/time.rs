//! Parses the time of a reading. Its plausibility is checked in `validate`.

use chrono::{DateTime, Utc};

/// Numbers from this one on are milliseconds since 1970, smaller ones seconds: as milliseconds it is in 1973, as
/// seconds in the year 5138.
const FIRST_MILLISECOND: f64 = 1e11;

/// Converts seconds or milliseconds since 1970, distinguished by magnitude, to whole microseconds.
pub(super) fn of_number(number: f64) -> Option<DateTime<Utc>> {
    let microseconds = if number.abs() < FIRST_MILLISECOND { number * 1e6 } else { number * 1e3 };
    // Larger values would overflow the microseconds of an i64.
    let plausible = microseconds.is_finite() && microseconds.abs() < 9e18;
    plausible.then(|| DateTime::from_timestamp_micros(microseconds.round() as i64)).flatten()
}

/// Converts whole seconds or milliseconds since 1970, distinguished by magnitude.
pub(super) fn of_integer(number: i64) -> Option<DateTime<Utc>> {
    if number.unsigned_abs() < FIRST_MILLISECOND as u64 {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

/// Parses an RFC 3339 time, truncated to whole microseconds. A leap second is the second after it, as in Unix time.
pub(super) fn of_text(text: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros())
}
