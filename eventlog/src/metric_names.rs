//! The names of all metrics this crate records, in one place for dashboards and alerts.

/// Histogram, seconds: publish to acknowledgement. Label `stream`.
pub const PUBLISH_SECONDS: &str = "eventlog_publish_seconds";
/// Counter: attempts to publish that had to be repeated. Label `stream`.
pub const PUBLISH_RETRIES: &str = "eventlog_publish_retries_total";
/// Counter: foreign messages found on a subject that has one writer. Label `stream`.
pub const WRITER_CONFLICTS: &str = "eventlog_writer_conflicts_total";
/// Counter: lost acknowledgements whose message turned out to be stored. Label `stream`.
pub const WRITER_RECOVERED: &str = "eventlog_writer_recovered_acks_total";
/// Histogram, items: how many items one pack holds. Label `stream`.
pub const PACK_ITEMS: &str = "eventlog_pack_items";
/// Histogram, bytes: the size of one pack. Label `stream`.
pub const PACK_BYTES: &str = "eventlog_pack_bytes";
/// Counter: items whose pack could not be published. Label `stream`.
pub const PACK_FAILED_ITEMS: &str = "eventlog_pack_failed_items_total";
/// Counter: messages handed to a consumer. Label `consumer`.
pub const CONSUMED_MESSAGES: &str = "eventlog_consumed_messages_total";
/// Histogram, seconds: handling of one batch, repetitions included. Label `consumer`.
pub const BATCH_SECONDS: &str = "eventlog_batch_seconds";
/// Gauge: messages a consumer has not read yet. Labels `consumer`, `stream`.
pub const CONSUMER_LAG: &str = "eventlog_consumer_lag_messages";
/// Counter: batches a consumer asked to have repeated. Label `consumer`.
pub const CONSUMER_RETRIES: &str = "eventlog_consumer_retries_total";
/// Counter: messages a consumer refused. Label `consumer`.
pub const CONSUMER_REJECTED: &str = "eventlog_consumer_rejected_total";
/// Counter: readers that had to be made anew, after a restart of the server for instance. Label `stream`.
pub const READER_RESUMED: &str = "eventlog_reader_resumed_total";
/// Gauge: partitions this process owns. Label `kind`.
pub const OWNED_PARTITIONS: &str = "eventlog_owned_partitions";
/// Gauge: members that are alive. Label `kind`.
pub const MEMBERS: &str = "eventlog_members";
