//! Validated readings of devices, packed by device partition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ClockTick, IngestionSource, MetricSets, MetricValue, Origin, Quality};
use crate::ids::{DeviceId, DeviceTypeId, OrganizationId};

/// One reading of a device at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Its position in the raw stream; the source is the pack's raw shard.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// Its type.
    pub device_type: DeviceTypeId,
    /// When it was measured, by the device's clock; `received_at` if the device sent no time.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// When it arrived, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// The protocol over which it arrived.
    pub source: IngestionSource,
    /// Index into the pack's `sets`: the keys of `numbers`.
    pub set: u32,
    /// The numeric values, in the order of the set's keys; all finite.
    pub numbers: Vec<f64>,
    /// Values of other kinds by key.
    pub others: Vec<(String, MetricValue)>,
    /// Metrics whose quality is not good.
    pub flaws: Vec<(String, Quality)>,
}

/// A message of the normalised stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NormalizedPack {
    /// Position in the `ES` stream of the rules, links and types that apply to these readings.
    pub es_position: u64,
    /// Sequence of the last input message of this source that the stage has read; readers may advance their marks to
    /// it.
    pub read_up_to: u64,
    /// The metric sets that the readings refer to by index.
    pub sets: MetricSets,
    /// The readings, in the order of the raw stream.
    pub readings: Vec<Reading>,
    /// A clock tick, which follows the readings in time; only in packs of its own.
    #[serde(default)]
    pub tick: Option<ClockTick>,
}
