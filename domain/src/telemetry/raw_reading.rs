//! Messages of devices as received, packed for the log.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId};

/// The protocol over which a reading arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IngestionSource {
    /// MQTT.
    #[default]
    Mqtt,
    /// HTTP.
    Http,
    /// The simulator.
    Simulator,
}

/// A message of a device as received.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawReading {
    /// Its organisation, according to certificate and topic.
    pub organization: OrganizationId,
    /// The device, according to certificate and topic.
    pub device: DeviceId,
    /// When it arrived, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// The protocol over which it arrived.
    pub source: IngestionSource,
    /// The unmodified payload.
    pub payload: Bytes,
}

/// A message of the raw stream: packs many readings, so that they share one fsync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawPack {
    /// The readings in order of arrival.
    pub readings: Vec<RawReading>,
}
