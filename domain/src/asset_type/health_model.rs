//! How the health of an asset is scored. What does not live here: the score itself (`telemetry::health`).

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

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
    /// What the health of the assets directly below counts; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<ChildrenHealth>,
}

/// How the health of the assets below comes into an asset's own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildrenHealth {
    /// What becomes of their scores.
    pub fold: ChildrenFold,
    /// Weight of each child in the mean, above 0; the worst has none.
    #[serde(default = "one")]
    pub weight: f64,
}

/// What becomes of the scores of the assets below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildrenFold {
    /// An asset is never better than the worst below it.
    Worst,
    /// Each child counts like a band of this weight.
    Mean,
}

word_enum!(ChildrenFold { Worst "worst", Mean "mean" });

const fn one() -> f64 {
    1.0
}
