//! The names of all metrics that this crate records.

/// Counter: readings, asset values or events that a stage processed. Label `stage`.
pub const TAKEN: &str = "processing_taken_total";
/// Counter: readings that the normalizer rejected. Label `reason`.
pub const REFUSED: &str = "processing_refused_readings_total";
/// Counter: messages that a stage published. Label `stage`.
pub const PUBLISHED: &str = "processing_published_messages_total";
/// Counter: commands that a stage executed. Labels `stage`, `outcome` (`done`, `refused`, `given_up`).
pub const COMMANDS: &str = "processing_commands_total";
/// Counter: retries of publishing or of executing a command. Label `stage`.
pub const RETRIES: &str = "processing_retries_total";
/// Histogram, seconds: time to compute one batch, without waiting for the log. Label `stage`.
pub const COMPUTE_SECONDS: &str = "processing_compute_seconds";
/// Histogram, bytes: size of one unit's snapshot. Label `stage`.
pub const SNAPSHOT_BYTES: &str = "processing_snapshot_bytes";
/// Gauge: position in the domain stream up to which the directory is folded.
pub const DIRECTORY_POSITION: &str = "processing_directory_position";
/// Gauge: entries in the directory. Label `kind`.
pub const DIRECTORY_ENTRIES: &str = "processing_directory_entries";
/// Counter: stored events that could not be decoded.
pub const UNREADABLE_EVENTS: &str = "processing_unreadable_events_total";
