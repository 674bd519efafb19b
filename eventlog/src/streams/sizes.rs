//! How much each group of streams may hold. Not how long: ages are part of the declaration.

use serde::{Deserialize, Serialize};

/// The largest size of each group of streams and buckets, in bytes. The server reserves each of them against its own
/// limit (but not on the disk): the defaults need 16 GiB of it. A full stream that discards new messages refuses further
/// ones, a derived stream drops its oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamSizes {
    /// Each stream of domain events; full, commands are refused.
    pub domain_bytes: u64,
    /// The raw telemetry stream; full, devices are not acknowledged.
    pub raw_bytes: u64,
    /// Each derived telemetry stream; full, the oldest goes.
    pub derived_bytes: u64,
    /// The dead letters.
    pub dead_letter_bytes: u64,
    /// The presence facts.
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
    /// Returns sizes for tests and small machines: nothing above 256 MiB.
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
