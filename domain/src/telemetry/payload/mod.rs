//! The JSON payload of devices: an object `{"ts": …, "metrics": {…}}` or an array of them, parsed without copying and
//! validated against the device's type. Topics, identity and packing are handled by the callers.

mod parse;
mod refusal;
mod seeds;
#[cfg(test)]
mod tests;
mod time;
mod validate;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

pub use parse::{MAX_METRICS, MAX_READINGS, MAX_TEXT_BYTES, Parsed, Value, parse};
pub use refusal::{Reason, Refusal};
pub use validate::{Checked, ClockBounds, validate};

/// Checks that a payload is well-formed: JSON of the right shape with at least one metric, independent of the device's
/// type. Returns the number of its readings.
pub fn check(payload: &[u8]) -> Result<usize, Refusal> {
    parse(payload).map(|readings| readings.len())
}

/// Returns when a reading arrived, from the time of arrival of its payload: the last reading at that time, each before
/// it a microsecond earlier. This is also the time of measurement of a reading without `ts`, so that none of an array
/// takes the place of another.
pub fn arrival_of(index: usize, count: usize, received_at: DateTime<Utc>) -> DateTime<Utc> {
    received_at - TimeDelta::microseconds(count.saturating_sub(index + 1) as i64)
}

/// Returns the text of each reading of an array; empty for another payload.
pub fn texts_of(payload: &[u8]) -> Vec<&[u8]> {
    let readings: Vec<&RawValue> = serde_json::from_slice(payload).unwrap_or_default();
    readings.into_iter().map(|reading| reading.get().as_bytes()).collect()
}
