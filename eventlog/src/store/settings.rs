//! The event store's settings and their defaults.

use std::time::Duration;

/// How the event store of one aggregate type behaves.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The version of the aggregate's fold and of its serialised state. Snapshots of other versions are ignored, so it
    /// is raised whenever `apply` or the state's shape changes.
    pub fold_version: u32,
    /// A snapshot is written when this many events were stored since the last one; 0 writes and reads none.
    pub snapshot_every: u64,
    /// How many aggregates stay in memory at most, while a cache feed runs.
    pub cache_capacity: usize,
    /// How many command ids a loaded aggregate remembers.
    pub recent_commands: usize,
    /// How long one publication waits for its acknowledgement before it is repeated.
    pub publish_timeout: Duration,
    /// How long the store tries to learn whether events were stored before it answers that it does not know.
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
