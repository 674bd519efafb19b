//! The event store's settings and their defaults.

use std::time::Duration;

/// Settings of the event store of one aggregate type.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The version of the aggregate's fold and serialised state. Raise it whenever `apply` or the state's shape
    /// changes; snapshots of other versions are ignored.
    pub fold_version: u32,
    /// A snapshot is written once this many events were stored since the last one; 0 disables snapshots.
    pub snapshot_every: u64,
    /// Maximum number of aggregates cached in memory while a cache feed runs.
    pub cache_capacity: usize,
    /// How many recent command ids a loaded aggregate remembers.
    pub recent_commands: usize,
    /// How long one write waits for its acknowledgement before it is retried.
    pub publish_timeout: Duration,
    /// How long the store tries to find out whether events were stored before it reports the outcome as unknown.
    pub append_deadline: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            fold_version: 1,
            snapshot_every: 100,
            cache_capacity: 20_000,
            recent_commands: 64,
            publish_timeout: Duration::from_secs(1),
            append_deadline: Duration::from_secs(15),
        }
    }
}
