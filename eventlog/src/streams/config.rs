//! The declared configuration of each stream and bucket: a pure function of the settings.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use super::{Stream, StreamSizes};
use crate::buckets::BucketName;
use crate::connection::Settings;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Every producer keeps messages below 512 KiB; the server's own limit of 1 MiB includes headers.
const MAX_MESSAGE_BYTES: i32 = 1 << 20;
/// Duplicates are detected by sequence and command id, never by message id, so the server's window is kept short.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(2);

/// Returns the declared configuration of a stream.
pub(crate) fn stream_config(stream: Stream, settings: &Settings) -> Config {
    let base = base(settings.stream_name(stream), vec![settings.subject(stream, ">")], settings);
    let limits = limits(stream, &settings.sizes);
    Config {
        max_bytes: signed(limits.bytes),
        max_age: limits.age,
        discard: limits.discard,
        deny_delete: stream.is_domain(),
        deny_purge: stream.is_domain(),
        ..base
    }
}

/// Returns the declared configuration of the stream behind a key-value bucket.
pub(crate) fn bucket_config(bucket: BucketName, settings: &Settings) -> Config {
    let name = settings.bucket_name(bucket);
    let base = base(format!("KV_{name}"), vec![format!("$KV.{name}.>")], settings);
    Config {
        max_bytes: signed(settings.sizes.bucket_bytes),
        max_age: bucket.max_age(),
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        allow_rollup: true,
        deny_delete: true,
        ..base
    }
}

struct Limits {
    bytes: u64,
    age: Duration,
    discard: DiscardPolicy,
}

fn limits(stream: Stream, sizes: &StreamSizes) -> Limits {
    let keep = |bytes| Limits { bytes, age: Duration::ZERO, discard: DiscardPolicy::New };
    let pass = |bytes, age| Limits { bytes, age, discard: DiscardPolicy::Old };
    match stream {
        Stream::Es | Stream::EsAlarm | Stream::EsActivity => keep(sizes.domain_bytes),
        Stream::TelemetryRaw => keep(sizes.raw_bytes),
        Stream::TelemetryNormalized | Stream::TelemetryAsset | Stream::EventsThreshold | Stream::ActivitiesCreated => {
            pass(sizes.derived_bytes, DAY)
        }
        Stream::TelemetryDlq => pass(sizes.dead_letter_bytes, 30 * DAY),
        Stream::Presence => pass(sizes.presence_bytes, 30 * DAY),
    }
}

fn base(name: String, subjects: Vec<String>, settings: &Settings) -> Config {
    Config {
        name,
        subjects,
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        num_replicas: settings.replicas,
        allow_direct: true,
        compression: None,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: MAX_MESSAGE_BYTES,
        duplicate_window: DUPLICATE_WINDOW,
        ..Config::default()
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
