//! What devices sent, byte for byte, packed for the log.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{DeviceId, OrganizationId};

/// Through which door a reading came.
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

/// One message of a device as it came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawReading {
    /// Its organisation, from the certificate and the topic.
    pub organization: OrganizationId,
    /// The device, from the certificate and the topic.
    pub device: DeviceId,
    /// When it arrived, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// Where it entered the platform.
    pub source: IngestionSource,
    /// The payload, untouched.
    pub payload: Bytes,
}

/// One message of the raw stream: many readings, one fsync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawPack {
    /// In the order of arrival.
    pub readings: Vec<RawReading>,
}
