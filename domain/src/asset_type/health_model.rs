//! How the health of an asset is scored. What does not live here: the score itself (`telemetry::health`).

use serde::{Deserialize, Serialize};

/// A metric computed from others by a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DerivedMetric {
    /// Key of the result.
    pub key: String,
    /// The formula over metric keys, e.g. `voltage * current`.
    pub formula: String,
    /// Unit of the result, a UCUM code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// One metric's part in the score: 100 inside the good band, 0 at and beyond the limits, linear between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricBand {
    /// The metric.
    pub metric_key: String,
    /// Lowest good value.
    pub good_low: f64,
    /// Highest good value.
    pub good_high: f64,
    /// Value at and below which the score is 0.
    pub limit_low: f64,
    /// Value at and above which the score is 0.
    pub limit_high: f64,
    /// Weight in the mean, above 0.
    pub weight: f64,
}

impl MetricBand {
    /// Tells whether all is finite, the limits enclose the good band, and the weight is above 0.
    pub fn is_sound(&self) -> bool {
        let ascending = [self.limit_low, self.good_low, self.good_high, self.limit_high];
        let finite = ascending.iter().chain([&self.weight]).all(|number| number.is_finite());
        finite && ascending.is_sorted() && self.weight > 0.0
    }
}

/// How the health of an asset of the type is scored: the weighted mean over its bands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthModel {
    /// The metrics that count.
    pub bands: Vec<MetricBand>,
    /// Seconds after which a metric that stopped coming counts as 0; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_seconds: Option<u32>,
}
