//! A tag that keeps the serial numbers and names of one run distinct from those of others.

/// Returns the current time in milliseconds since 1970, in hexadecimal.
#[allow(clippy::disallowed_methods, reason = "a run's tag may come from its clock")]
pub fn new_tag() -> String {
    format!("{:x}", chrono::Utc::now().timestamp_millis())
}
