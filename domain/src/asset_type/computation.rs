//! The metrics of an asset that no device sends: those of formulas, and those of the assets below. Pure; which values are
//! known is remembered elsewhere.

use std::collections::BTreeSet;
use std::fmt;

use super::{Aggregation, Combination, DerivedMetric, HealthModel};
use crate::formula::Formula;

/// What a type computes, its formulas read once.
#[derive(Default)]
pub struct Computation {
    definition: (Vec<DerivedMetric>, Combination),
    formulas: Vec<Formula>,
    wanted: BTreeSet<String>,
}

impl PartialEq for Computation {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition && self.wanted == other.wanted
    }
}

impl fmt::Debug for Computation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Computation").field(&self.definition).finish()
    }
}

/// A value below an asset, with the time it was measured in microseconds since 1970.
pub type Part = (f64, i64);

impl Computation {
    /// Reads what a type says. A formula that cannot be read was never accepted; it is left out with those behind it.
    pub fn new(derived: &[DerivedMetric], combination: &Combination, health: Option<&HealthModel>) -> Self {
        let formulas: Vec<_> = derived.iter().map_while(|metric| Formula::parse(&metric.formula).ok()).collect();
        let mut wanted: BTreeSet<String> =
            formulas.iter().flat_map(|formula| formula.names().map(str::to_owned)).collect();
        wanted.extend(health.iter().flat_map(|model| model.bands.iter().map(|band| band.metric_key.clone())));
        Self { definition: (derived.to_vec(), combination.clone()), formulas, wanted }
    }

    /// Tells whether the newest value of a metric must be known for it.
    pub fn wants(&self, metric: &str) -> bool {
        self.wanted.contains(metric)
    }

    /// Tells whether there is nothing to remember for it.
    pub fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.definition.1.composites.is_empty()
    }

    /// Returns how the values come together.
    pub fn combination(&self) -> &Combination {
        &self.definition.1
    }

    /// Tells whether the assets below must say the newest value of a metric.
    pub fn asks_below(&self, metric: &str) -> bool {
        self.definition.1.composites.iter().any(|composite| composite.of == metric)
    }

    /// Computes the composites, from the values of a metric below; those that have none are left out.
    pub fn composites<'c>(&'c self, below: impl Fn(&str) -> Vec<Part> + 'c) -> impl Iterator<Item = (&'c str, f64)> {
        let composites = self.definition.1.composites.iter();
        composites.filter_map(move |composite| {
            let value = aggregate(composite.aggregation, &below(&composite.of))?;
            Some((composite.key.as_str(), value))
        })
    }

    /// Computes the derived metrics one after the other; `value` knows the metrics, those computed before included.
    pub fn derived(&self) -> impl Iterator<Item = (&str, &Formula)> {
        self.definition.0.iter().map(|metric| metric.key.as_str()).zip(&self.formulas)
    }
}

/// Computes one value of several; none where there are none, or where the result is no number.
pub fn aggregate(aggregation: Aggregation, parts: &[Part]) -> Option<f64> {
    let values = || parts.iter().map(|(value, _)| *value);
    let count = parts.len() as f64;
    let result = match aggregation {
        Aggregation::Count => return Some(count),
        _ if parts.is_empty() => return None,
        Aggregation::Sum => values().sum(),
        Aggregation::Avg => values().sum::<f64>() / count,
        Aggregation::Min => values().fold(f64::INFINITY, f64::min),
        Aggregation::Max => values().fold(f64::NEG_INFINITY, f64::max),
        Aggregation::Last => parts.iter().max_by_key(|(_, at)| *at).map(|(value, _)| *value)?,
    };
    result.is_finite().then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_below_become_one() {
        let parts = [(1.0, 5), (4.0, 9), (-2.0, 7)];
        let of = |aggregation| aggregate(aggregation, &parts);
        let all = [Aggregation::Sum, Aggregation::Avg, Aggregation::Min, Aggregation::Max, Aggregation::Last];
        assert_eq!(all.map(of), [Some(3.0), Some(1.0), Some(-2.0), Some(4.0), Some(4.0)]);
        assert_eq!(all.map(|aggregation| aggregate(aggregation, &[])), [None; 5]);
        assert_eq!((of(Aggregation::Count), aggregate(Aggregation::Count, &[])), (Some(3.0), Some(0.0)));
        assert_eq!(aggregate(Aggregation::Sum, &[(f64::MAX, 1), (f64::MAX, 2)]), None);
    }
}
