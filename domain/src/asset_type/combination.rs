//! How the values of an asset come together: from several devices, from formulas, from the assets below it. What does not
//! live here: doing it (`computation`, and the stage that remembers the values).

use serde::{Deserialize, Serialize};

use super::Error;
use crate::formula::Formula;
use crate::validation::{self, MAX_DURATION_SECONDS};
use crate::word_enum::word_enum;

use super::DerivedMetric;

/// How long a value is used for formulas and composites where nothing else is said, seconds.
pub const USUAL_STALE_AFTER_SECONDS: u32 = 300;
/// How long a device must be silent before its backup's values are used where nothing else is said, seconds.
pub const USUAL_TAKEOVER_AFTER_SECONDS: u32 = 60;
/// Most derived metrics, and most composites, of a type.
pub const MAX_COMPUTED: usize = 50;

/// What becomes of the values of the assets below one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The one measured last.
    Last,
    /// How many there are.
    Count,
}

word_enum!(Aggregation { Sum "sum", Avg "avg", Min "min", Max "max", Last "last", Count "count" });

/// A metric computed from one of the assets directly below.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompositeMetric {
    /// Key of the result.
    pub key: String,
    /// Key of the metric below; it may be computed itself.
    pub of: String,
    /// What becomes of its values.
    pub aggregation: Aggregation,
    /// Unit of the result, a UCUM code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How values come together, metrics by formula aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// Metrics computed from the assets below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub composites: Vec<CompositeMetric>,
    /// Seconds after which a value is no longer used, counted from the newest one of the asset; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_after_seconds: Option<u32>,
    /// Seconds of silence after which a backup's values are used; 60 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takeover_after_seconds: Option<u32>,
}

impl Combination {
    /// Tells whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns after how many microseconds a value is no longer used.
    pub fn stale_after_micros(&self) -> i64 {
        i64::from(self.stale_after_seconds.unwrap_or(USUAL_STALE_AFTER_SECONDS)) * 1_000_000
    }

    /// Returns after how many microseconds of silence a backup takes over.
    pub fn takeover_after_micros(&self) -> i64 {
        i64::from(self.takeover_after_seconds.unwrap_or(USUAL_TAKEOVER_AFTER_SECONDS)) * 1_000_000
    }
}

/// Checks the derived metrics and the combination of a type. Formulas may use metrics that come, composites, and derived
/// metrics that stand before them, so that none goes round in a circle.
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
            return Err(invalid(format!("{name} does not stand before it")));
        }
    }
    let in_range = |seconds: Option<u32>| seconds.is_none_or(|seconds| (1..=MAX_DURATION_SECONDS).contains(&seconds));
    if !in_range(combination.stale_after_seconds) || !in_range(combination.takeover_after_seconds) {
        return Err(Error::InvalidBound);
    }
    Ok(())
}
