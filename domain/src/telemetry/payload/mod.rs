//! The JSON payload of devices: an object `{"ts": …, "metrics": {…}}` or an array of them, parsed without copying and
//! validated against the device's type. Topics, identity and packing are handled by the callers.

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

/// Checks that a payload is well-formed: JSON of the right shape with at least one metric, independent of the device's
/// type.
pub fn check(payload: &[u8]) -> Result<(), Refusal> {
    parse(payload).map(drop)
}
