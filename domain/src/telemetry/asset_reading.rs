//! Asset values and health, packed by partition.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ClockTick, MetricSets, MetricValue, Origin};
use crate::ids::{AssetId, DeviceId, OrganizationId};

/// Values of an asset at one time, from one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetReading {
    /// Where in the normalised stream it comes from; its source is the pack's device partition.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The asset.
    pub asset: AssetId,
    /// The devices it comes from.
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
    /// Metrics that could not be computed, and why, in words for people. They have no value here.
    #[serde(default)]
    pub flaws: Vec<(String, String)>,
}

/// Subject token of packs of computed values.
pub const COMPUTED_SOURCE: &str = "17";

/// What an asset says to the one directly above it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildValues {
    /// Where in the asset stream its cause stands.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The asset above.
    pub parent: AssetId,
    /// The asset itself.
    pub child: AssetId,
    /// The devices the values come from.
    pub source_devices: Vec<DeviceId>,
    /// When the newest of the values was measured.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// When it arrived.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub received_at: DateTime<Utc>,
    /// Metric, value, and when it was measured, microseconds since 1970.
    pub values: Vec<(String, f64, i64)>,
    /// Its health, where that changed.
    pub health: Option<u8>,
}

/// The health score of an asset changed by at least one whole point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetHealthChanged {
    /// Where in the normalised stream its cause stands.
    pub origin: Origin,
    /// Its organisation.
    pub organization: OrganizationId,
    /// The asset.
    pub asset: AssetId,
    /// The score now, 0 to 100.
    pub score: u8,
    /// The score before, where there was one.
    pub previous: Option<u8>,
    /// The metric that pulls it down most.
    pub cause: Option<String>,
    /// When the reading that changed it was measured.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub measured_at: DateTime<Utc>,
    /// What computed it; none where an older program did.
    #[serde(default)]
    pub scored_by: Option<ScoredBy>,
}

/// What computed a score: equal values and equal versions give equal scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoredBy {
    /// Version of the formula, [`FORMULA_VERSION`](super::health::FORMULA_VERSION) when it was computed.
    pub formula: u16,
    /// Version of the model: position in `ES` of the event since which the asset type scores as it does.
    pub model: u64,
}

/// One message of the asset stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AssetPack {
    /// Position in `ES` of the rules, links and types that hold for these values.
    pub es_position: u64,
    /// Sequence of the last input message of this source that the stage has read.
    pub read_up_to: u64,
    /// The metric sets that the readings refer to.
    pub sets: MetricSets,
    /// In the order of the input.
    pub readings: Vec<AssetReading>,
    /// In the order of the input.
    pub health: Vec<AssetHealthChanged>,
    /// The log's clock, behind everything else; now and then, in packs of its own.
    #[serde(default)]
    pub tick: Option<ClockTick>,
    /// Values for the assets above, in the order of the input; in packs of their own.
    #[serde(default)]
    pub children: Vec<ChildValues>,
    /// Values of backup devices, which count only while others are silent; in packs of their own.
    #[serde(default)]
    pub offers: Vec<AssetReading>,
}
