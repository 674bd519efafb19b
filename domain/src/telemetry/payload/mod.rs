//! What a device may send: a JSON object `{"ts": …, "metrics": {…}}` or an array of them, read straight from its bytes
//! and checked against the device's type. What does not live here: topics, identity, packing.

mod parse;
mod refusal;
mod seeds;
#[cfg(test)]
mod tests;
mod time;
mod validate;

pub use parse::{MAX_METRICS, MAX_READINGS, MAX_TEXT_BYTES, Parsed, Value, parse};
pub use refusal::{Reason, Refusal};
pub use validate::{Checked, ClockBounds, validate};

/// Tells whether a payload is well-formed: JSON of the right shape with at least one metric, whatever the device's type.
pub fn check(payload: &[u8]) -> Result<(), Refusal> {
    parse(payload).map(drop)
}
