//! Checked and enriched readings, packed by partition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ClockTick, IngestionSource, MetricSets, MetricValue, Origin, Quality};
use crate::ids::{DeviceId, DeviceTypeId, OrganizationId};

/// One reading of one device at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Where in the raw stream it comes from; its source is the pack's raw shard.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The device.
    pub device: DeviceId,
    /// Its type.
    pub device_type: DeviceTypeId,
    /// When it was measured, by the device's clock (`received_at` where it sent none).
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// When it arrived, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// Where it entered the platform.
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

/// One message of the normalised stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NormalizedPack {
    /// Position in `ES` of the rules, links and types that hold for these readings.
    pub es_position: u64,
    /// Sequence of the last input message of this source that the stage has read; readers' marks may move up to it.
    pub read_up_to: u64,
    /// The metric sets that the readings refer to.
    pub sets: MetricSets,
    /// In the order of the raw stream.
    pub readings: Vec<Reading>,
    /// The log's clock, behind the readings; now and then, in packs of its own.
    #[serde(default)]
    pub tick: Option<ClockTick>,
}
