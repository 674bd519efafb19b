//! Names of all metrics that this crate records, in one place for dashboards and alerts.

/// Histogram, seconds: from publish to acknowledgement. Label `stream`.
pub const PUBLISH_SECONDS: &str = "eventlog_publish_seconds";
/// Counter: retried publish attempts. Label `stream`.
pub const PUBLISH_RETRIES: &str = "eventlog_publish_retries_total";
/// Counter: messages of another writer found on a single-writer subject. Label `stream`.
pub const WRITER_CONFLICTS: &str = "eventlog_writer_conflicts_total";
/// Counter: messages found to be stored although their acknowledgement was lost. Label `stream`.
pub const WRITER_RECOVERED: &str = "eventlog_writer_recovered_acks_total";
/// Histogram: items per pack. Label `stream`.
pub const PACK_ITEMS: &str = "eventlog_pack_items";
/// Histogram, bytes: size of a pack. Label `stream`.
pub const PACK_BYTES: &str = "eventlog_pack_bytes";
/// Counter: items whose pack could not be published. Label `stream`.
pub const PACK_FAILED_ITEMS: &str = "eventlog_pack_failed_items_total";
/// Counter: messages handed to a consumer. Label `consumer`.
pub const CONSUMED_MESSAGES: &str = "eventlog_consumed_messages_total";
/// Histogram, seconds: handling one batch, retries included. Label `consumer`.
pub const BATCH_SECONDS: &str = "eventlog_batch_seconds";
/// Gauge: messages that a consumer has not read yet. Labels `consumer`, `stream`.
pub const CONSUMER_LAG: &str = "eventlog_consumer_lag_messages";
/// Counter: batch retries requested by a consumer. Label `consumer`.
pub const CONSUMER_RETRIES: &str = "eventlog_consumer_retries_total";
/// Counter: messages rejected by a consumer. Label `consumer`.
pub const CONSUMER_REJECTED: &str = "eventlog_consumer_rejected_total";
/// Counter: readers recreated after an interruption, such as a server restart. Label `stream`.
pub const READER_RESUMED: &str = "eventlog_reader_resumed_total";
/// Gauge: partitions this process owns. Label `kind`.
pub const OWNED_PARTITIONS: &str = "eventlog_owned_partitions";
/// Gauge: live members. Label `kind`.
pub const MEMBERS: &str = "eventlog_members";
