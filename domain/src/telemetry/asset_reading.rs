//! Values and health scores of assets, packed by asset partition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ClockTick, MetricSets, MetricValue, Origin, Quality};
use crate::ids::{AssetId, DeviceId, OrganizationId};

/// Values of an asset at one time. Most come from one device; computed ones may depend on several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetReading {
    /// Position of its cause in the normalised stream; the source is the pack's device partition.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The asset.
    pub asset: AssetId,
    /// The devices that the values come from.
    pub source_devices: Vec<DeviceId>,
    /// When it was measured, by the device's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// When it arrived, by the platform's clock.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// Index into the pack's `sets`: the keys of `numbers`.
    pub set: u32,
    /// The numeric values, in the order of the set's keys; all finite.
    pub numbers: Vec<f64>,
    /// Values of other kinds by key.
    pub others: Vec<(String, MetricValue)>,
    /// Metrics that could not be computed, with a human-readable reason. They have no value in this reading.
    #[serde(default)]
    pub flaws: Vec<(String, String)>,
    /// Metrics with a value of a device whose quality is not good.
    #[serde(default)]
    pub doubts: Vec<(String, Quality)>,
}

impl AssetReading {
    /// Returns the metrics whose quality is not good; `bad` are those that could not be computed.
    pub fn qualities(&self) -> Vec<(String, Quality)> {
        let bad = self.flaws.iter().map(|(key, _)| (key.clone(), Quality::Bad));
        self.doubts.iter().cloned().chain(bad).collect()
    }
}

/// Subject token of packs of computed values.
pub const COMPUTED_SOURCE: &str = "17";

/// Values that an asset passes to its parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildValues {
    /// Position of their cause in the asset stream.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The parent asset.
    pub parent: AssetId,
    /// The child asset that passes the values.
    pub child: AssetId,
    /// The devices that the values come from.
    pub source_devices: Vec<DeviceId>,
    /// When the newest of the values was measured.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// When that value arrived.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// Metric, value and time of measurement in microseconds since 1970.
    pub values: Vec<(String, f64, i64)>,
    /// The child's health score, if it changed.
    pub health: Option<u8>,
}

/// A change of an asset's health score by at least one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetHealthChanged {
    /// Position of its cause in the normalised stream.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The asset.
    pub asset: AssetId,
    /// The new score, 0 to 100.
    pub score: u8,
    /// The previous score, if there was one.
    pub previous: Option<u8>,
    /// The metric that lowers the score most.
    pub cause: Option<String>,
    /// When the reading that caused the change was measured.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// Versions of the formula and the model; `None` in packs written before version 3.
    #[serde(default)]
    pub scored_by: Option<ScoredBy>,
}

/// The versions that a score was computed with: equal values and equal versions give equal scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredBy {
    /// Version of the formula: the value of [`FORMULA_VERSION`](super::health::FORMULA_VERSION) at that time.
    pub formula: u16,
    /// Version of the health model: position in the `ES` stream of the event that last changed how the asset type is
    /// scored.
    pub model: u64,
}

/// A message of the asset stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetPack {
    /// Position in the `ES` stream of the rules, links and types that apply to these values.
    pub es_position: u64,
    /// Sequence of the last input message of this source that the stage has read.
    pub read_up_to: u64,
    /// The metric sets that the readings refer to by index.
    pub sets: MetricSets,
    /// Values of assets, in the order of the input.
    pub readings: Vec<AssetReading>,
    /// Health scores, in the order of the input.
    pub health: Vec<AssetHealthChanged>,
    /// A clock tick, which follows everything else in time; only in packs of its own.
    #[serde(default)]
    pub tick: Option<ClockTick>,
    /// Values for parent assets, in the order of the input; only in packs of their own.
    #[serde(default)]
    pub children: Vec<ChildValues>,
    /// Values of backup devices, which count only while the others are silent; only in packs of their own.
    #[serde(default)]
    pub offers: Vec<AssetReading>,
}
