//! The configuration of an asset's health score. The formula of the score lives in `telemetry::health`.

use serde::{Deserialize, Serialize};

use crate::word_enum::word_enum;

/// A metric computed from others by a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DerivedMetric {
    /// Key of the resulting metric.
    pub key: String,
    /// A formula over metric keys, such as `voltage * current`.
    pub formula: String,
    /// Unit of the result, a UCUM code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How one metric contributes to the score: 100 inside the good band, 0 at and beyond the limits, linear between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricBand {
    /// The metric.
    pub metric_key: String,
    /// Lower end of the good band.
    pub good_low: f64,
    /// Upper end of the good band.
    pub good_high: f64,
    /// Lower limit: the score is 0 at and below it.
    pub limit_low: f64,
    /// Upper limit: the score is 0 at and above it.
    pub limit_high: f64,
    /// Weight in the mean, above 0.
    pub weight: f64,
}

impl MetricBand {
    /// Returns whether all values are finite, the limits enclose the good band, and the weight is above 0.
    pub fn is_sound(&self) -> bool {
        let ascending = [self.limit_low, self.good_low, self.good_high, self.limit_high];
        let finite = ascending.iter().chain([&self.weight]).all(|number| number.is_finite());
        finite && ascending.is_sorted() && self.weight > 0.0
    }
}

/// How the health of assets of a type is scored: the weighted mean over the bands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HealthModel {
    /// The metrics that contribute.
    pub bands: Vec<MetricBand>,
    /// Seconds after which a metric without new values scores 0; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_seconds: Option<u32>,
    /// How the health of the direct children contributes; not at all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<ChildrenHealth>,
}

/// How the health of child assets contributes to their parent's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildrenHealth {
    /// How their scores are combined.
    pub fold: ChildrenFold,
    /// Weight of each child in the mean, above 0; ignored with `worst`.
    #[serde(default = "one")]
    pub weight: f64,
}

/// How the scores of child assets are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildrenFold {
    /// The parent's score is at most that of its worst child.
    Worst,
    /// Each child contributes like a band of the given weight.
    Mean,
}

word_enum!(ChildrenFold { Worst "worst", Mean "mean" });

const fn one() -> f64 {
    1.0
}
