//! Where packs are cut, for all stages alike.

use domain::telemetry::MetricValue;

/// Most readings of one pack.
pub const MAX_READINGS: usize = 1_000;
/// A pack is closed once it has come to this many bytes, estimated: the largest reading there can be (256 texts of a
/// KiB) still fits behind it, and a message stays below 512 KiB.
pub const PACK_BYTES: usize = 200 << 10;
/// Bytes a reading takes beside its values: ids, times, lengths.
pub const READING_BYTES: usize = 110;

/// Answers the bytes of a value that is no number.
pub fn text_bytes(value: &MetricValue) -> usize {
    match value {
        MetricValue::Text(text) => text.len(),
        MetricValue::Boolean(_) | MetricValue::Number(_) => 9,
    }
}
