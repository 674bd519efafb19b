//! How an asset's values are combined: from several devices, from formulas, and from its child assets. The computation
//! itself lives in `computation`; the asset combiner stage keeps the values.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::formula::Formula;
use crate::validation::{self, MAX_DURATION_SECONDS};
use crate::word_enum::word_enum;

use super::DerivedMetric;

/// Default age up to which formulas and composites use a value, seconds.
pub const DEFAULT_STALE_AFTER_SECONDS: u32 = 300;
/// Default silence of a device after which its backup's values are used, seconds.
pub const DEFAULT_TAKEOVER_AFTER_SECONDS: u32 = 60;
/// Maximum number of derived metrics, and of composites, of a type.
pub const MAX_COMPUTED: usize = 50;

/// How the values of child assets are aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The minimum.
    Min,
    /// The maximum.
    Max,
    /// The most recently measured value.
    Last,
    /// The number of values.
    Count,
}

word_enum!(Aggregation { Sum "sum", Avg "avg", Min "min", Max "max", Last "last", Count "count" });

/// A metric aggregated over the direct children of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompositeMetric {
    /// Key of the resulting metric.
    pub key: String,
    /// Key of the children's metric; it may itself be computed.
    pub of: String,
    /// The aggregation function.
    pub aggregation: Aggregation,
    /// Unit of the result, a UCUM code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How values are combined, apart from derived metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// Metrics aggregated over the child assets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub composites: Vec<CompositeMetric>,
    /// Seconds after which a value is stale and no longer used, relative to the asset's newest value; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_seconds: Option<u32>,
    /// Seconds of silence after which a backup device's values are used; 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takeover_after_seconds: Option<u32>,
}

impl Combination {
    /// Returns whether no field is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the age in microseconds after which a value is stale.
    pub fn stale_after_micros(&self) -> i64 {
        i64::from(self.stale_after_seconds.unwrap_or(DEFAULT_STALE_AFTER_SECONDS)) * 1_000_000
    }

    /// Returns the silence in microseconds after which a backup device takes over.
    pub fn takeover_after_micros(&self) -> i64 {
        i64::from(self.takeover_after_seconds.unwrap_or(DEFAULT_TAKEOVER_AFTER_SECONDS)) * 1_000_000
    }
}

/// Checks the derived metrics and the combination of a type. A formula may use sent metrics, composites, and derived
/// metrics that are defined before it; this order excludes cycles.
pub(super) fn check(derived: &[DerivedMetric], combination: &Combination) -> Result<(), Error> {
    if derived.len().max(combination.composites.len()) > MAX_COMPUTED {
        return Err(Error::TooManyComputed);
    }
    for composite in &combination.composites {
        for key in [&composite.key, &composite.of] {
            if !validation::is_metric_key(key) {
                return Err(Error::InvalidMetricKey { key: key.clone() });
            }
        }
    }
    for (index, metric) in derived.iter().enumerate() {
        if !validation::is_metric_key(&metric.key) {
            return Err(Error::InvalidMetricKey { key: metric.key.clone() });
        }
        let invalid = |reason: String| Error::InvalidFormula { key: metric.key.clone(), reason };
        let formula = Formula::parse(&metric.formula).map_err(|error| invalid(error.to_string()))?;
        let later = &derived[index..];
        if let Some(name) = formula.names().find(|name| later.iter().any(|metric| metric.key == *name)) {
            return Err(invalid(format!("{name} must be defined before it is used")));
        }
    }
    let in_range = |seconds: Option<u32>| seconds.is_none_or(|seconds| (1..=MAX_DURATION_SECONDS).contains(&seconds));
    if !in_range(combination.stale_after_seconds) || !in_range(combination.takeover_after_seconds) {
        return Err(Error::InvalidBound);
    }
    Ok(())
}
