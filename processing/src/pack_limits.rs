//! The size limits at which every stage closes a pack.

use domain::telemetry::MetricValue;

/// The most readings in one pack.
pub const MAX_READINGS: usize = 1_000;
/// Estimated bytes at which a pack is closed. The largest possible reading (256 texts of 1 KiB) still fits behind this
/// limit, and the message stays below 512 KiB.
pub const PACK_BYTES: usize = 200 << 10;
/// Bytes that a reading takes besides its values: ids, times, lengths.
pub const READING_BYTES: usize = 110;

/// Returns the bytes of a text, and the fixed 9 bytes of any other value.
pub fn text_bytes(value: &MetricValue) -> usize {
    match value {
        MetricValue::Text(text) => text.len(),
        MetricValue::Boolean(_) | MetricValue::Number(_) => 9,
    }
}
