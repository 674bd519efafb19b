//! The names of all metrics this crate records, in one place for dashboards and alerts.

/// Counter: readings, asset values or events a stage took. Label `stage`.
pub const TAKEN: &str = "processing_taken_total";
/// Counter: readings the normalizer refused. Label `reason`.
pub const REFUSED: &str = "processing_refused_readings_total";
/// Counter: messages a stage published. Label `stage`.
pub const PUBLISHED: &str = "processing_published_messages_total";
/// Counter: commands a stage gave. Labels `stage`, `outcome` (`done`, `refused`, `given_up`).
pub const COMMANDS: &str = "processing_commands_total";
/// Counter: attempts to publish or to command that had to be repeated. Label `stage`.
pub const RETRIES: &str = "processing_retries_total";
/// Histogram, seconds: computing one batch, without waiting for the log. Label `stage`.
pub const COMPUTE_SECONDS: &str = "processing_compute_seconds";
/// Histogram, bytes: one snapshot of one unit's state. Label `stage`.
pub const SNAPSHOT_BYTES: &str = "processing_snapshot_bytes";
/// Gauge: position of the domain stream that the directory has folded.
pub const DIRECTORY_POSITION: &str = "processing_directory_position";
/// Gauge: things that the directory holds. Label `kind`.
pub const DIRECTORY_ENTRIES: &str = "processing_directory_entries";
/// Counter: stored events that could not be read into the directory.
pub const UNREADABLE_EVENTS: &str = "processing_unreadable_events_total";
