//! The declared streams with their names and subjects, and the partitions of the telemetry path. Their limits are in
//! `config`; creating and comparing them is in `declare`.

mod config;
mod declare;
mod replicas;
mod sizes;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use declare::{Difference, Error};
pub use sizes::StreamSizes;

/// Number of partitions of devices, assets and other entities.
pub const PARTITIONS: u16 = 16;

/// Returns the partition of an entity: its id as a 128-bit number modulo [`PARTITIONS`].
pub fn partition_of(id: Uuid) -> u16 {
    // The remainder is below PARTITIONS, so the cast is lossless.
    (id.as_u128() % u128::from(PARTITIONS)) as u16
}

/// A declared stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Stream {
    /// Domain events of all aggregates without their own stream: `es.<org>.<aggregate type>.<aggregate id>`.
    Es,
    /// Domain events of alarms: `es_alarm.<org>.alarm.<id>`.
    EsAlarm,
    /// Domain events of activities and notifications: `es_activity.<org>.<activity or notification>.<id>`.
    EsActivity,
    /// Packs of readings exactly as devices sent them: `telemetry.raw.v1.<shard>`.
    TelemetryRaw,
    /// Packs of normalised readings: `telemetry.normalized.v1.<device partition>.<source shard>`.
    TelemetryNormalized,
    /// Packs of asset values and asset health: `telemetry.asset.v1.<asset partition>.<source partition>`.
    TelemetryAsset,
    /// Threshold events: `events.threshold.v1.<entity partition>.<source partition>`.
    EventsThreshold,
    /// Notices of created activities: `activities.created.v1.<partition>.<source partition>`.
    ActivitiesCreated,
    /// Dead letters: rejected messages with the reason: `telemetry.dlq.<stage>`.
    TelemetryDlq,
    /// Packs of presence facts (device online or offline): `presence.v1.<device partition>`.
    Presence,
}

impl Stream {
    /// Every declared stream.
    pub const ALL: [Stream; 10] = [
        Stream::Es,
        Stream::EsAlarm,
        Stream::EsActivity,
        Stream::TelemetryRaw,
        Stream::TelemetryNormalized,
        Stream::TelemetryAsset,
        Stream::EventsThreshold,
        Stream::ActivitiesCreated,
        Stream::TelemetryDlq,
        Stream::Presence,
    ];

    /// The streams of domain events.
    pub const DOMAIN: [Stream; 3] = [Stream::Es, Stream::EsAlarm, Stream::EsActivity];

    /// Returns the stream that stores the events of an aggregate type.
    pub fn for_aggregate(aggregate_type: &str) -> Stream {
        match aggregate_type {
            "alarm" => Stream::EsAlarm,
            // Notifications follow alarms just as activities do, in similar volume.
            "activity" | "notification" => Stream::EsActivity,
            _ => Stream::Es,
        }
    }

    /// Returns the common beginning of the stream's subjects, without the installation's prefix and without a trailing
    /// dot.
    pub fn subject_root(self) -> &'static str {
        match self {
            Stream::Es => "es",
            Stream::EsAlarm => "es_alarm",
            Stream::EsActivity => "es_activity",
            Stream::TelemetryRaw => "telemetry.raw.v1",
            Stream::TelemetryNormalized => "telemetry.normalized.v1",
            Stream::TelemetryAsset => "telemetry.asset.v1",
            Stream::EventsThreshold => "events.threshold.v1",
            Stream::ActivitiesCreated => "activities.created.v1",
            Stream::TelemetryDlq => "telemetry.dlq",
            Stream::Presence => "presence.v1",
        }
    }

    /// Returns the stream's name without prefix, such as `TELEMETRY_RAW`.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Es => "ES",
            Stream::EsAlarm => "ES_ALARM",
            Stream::EsActivity => "ES_ACTIVITY",
            Stream::TelemetryRaw => "TELEMETRY_RAW",
            Stream::TelemetryNormalized => "TELEMETRY_NORMALIZED",
            Stream::TelemetryAsset => "TELEMETRY_ASSET",
            Stream::EventsThreshold => "EVENTS_THRESHOLD",
            Stream::ActivitiesCreated => "ACTIVITIES_CREATED",
            Stream::TelemetryDlq => "TELEMETRY_DLQ",
            Stream::Presence => "PRESENCE",
        }
    }

    /// Returns whether the stream's messages are binary packs that begin with a version byte; other streams hold text.
    pub fn holds_packs(self) -> bool {
        matches!(self, Self::TelemetryRaw | Self::TelemetryNormalized | Self::TelemetryAsset)
    }

    /// Returns whether the stream holds domain events.
    pub fn is_domain(self) -> bool {
        Self::DOMAIN.contains(&self)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Joins a stream's subject root and a tail.
pub(crate) fn subject(stream: Stream, tail: &str) -> String {
    format!("{}.{tail}", stream.subject_root())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_serialises_as_its_name() {
        for stream in Stream::ALL {
            assert_eq!(serde_json::to_value(stream).unwrap(), stream.name());
        }
    }

    #[test]
    fn subject_roots_do_not_overlap() {
        for a in Stream::ALL {
            for b in Stream::ALL.into_iter().filter(|b| *b != a) {
                assert!(!format!("{}.", a.subject_root()).starts_with(&format!("{}.", b.subject_root())), "{a} {b}");
            }
        }
    }

    #[test]
    fn alarms_and_activities_have_their_own_streams() {
        assert_eq!(Stream::for_aggregate("alarm"), Stream::EsAlarm);
        assert_eq!(Stream::for_aggregate("activity"), Stream::EsActivity);
        assert_eq!(Stream::for_aggregate("notification"), Stream::EsActivity);
        assert_eq!(Stream::for_aggregate("device"), Stream::Es);
    }

    #[test]
    fn a_partition_is_the_remainder_of_the_id() {
        assert_eq!(partition_of(Uuid::from_u128(0)), 0);
        assert_eq!(partition_of(Uuid::from_u128(33)), 1);
        assert_eq!(partition_of(Uuid::from_u128(u128::MAX)), 15);
    }
}
