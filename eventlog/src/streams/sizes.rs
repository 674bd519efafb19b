//! Size limits of each group of streams. Age limits are part of the declaration in `config`.

use serde::{Deserialize, Serialize};

/// Maximum size of each group of streams and buckets, in bytes. The server reserves these sizes against its storage
/// limit, without allocating them on disk; the defaults need 16 GiB. A full stream of domain events or raw telemetry
/// refuses new messages; a full derived stream drops its oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamSizes {
    /// Each stream of domain events; when full, commands are refused.
    pub domain_bytes: u64,
    /// The raw telemetry stream; when full, devices get no acknowledgement.
    pub raw_bytes: u64,
    /// Each derived telemetry stream; when full, the oldest messages are dropped.
    pub derived_bytes: u64,
    /// The dead-letter stream.
    pub dead_letter_bytes: u64,
    /// The presence stream.
    pub presence_bytes: u64,
    /// Each key-value bucket.
    pub bucket_bytes: u64,
}

const MIB: u64 = 1 << 20;

impl Default for StreamSizes {
    fn default() -> Self {
        Self {
            domain_bytes: 2048 * MIB,
            raw_bytes: 4096 * MIB,
            derived_bytes: 1024 * MIB,
            dead_letter_bytes: 256 * MIB,
            presence_bytes: 256 * MIB,
            bucket_bytes: 256 * MIB,
        }
    }
}

impl StreamSizes {
    /// Returns sizes for tests and small machines: at most 256 MiB each.
    pub fn small() -> Self {
        Self {
            domain_bytes: 256 * MIB,
            raw_bytes: 256 * MIB,
            derived_bytes: 128 * MIB,
            dead_letter_bytes: 32 * MIB,
            presence_bytes: 32 * MIB,
            bucket_bytes: 64 * MIB,
        }
    }
}
