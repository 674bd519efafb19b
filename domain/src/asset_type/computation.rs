//! Computes the metrics of an asset that no device sends: derived metrics by formula and composites over its child
//! assets. The asset combiner stage keeps the input values.

use std::collections::BTreeSet;
use std::fmt;

use super::{Aggregation, Combination, DerivedMetric, HealthModel};
use crate::finite_sum::FiniteSum;
use crate::formula::{Formula, FormulaError};

/// What a type computes, with its formulas parsed once.
#[derive(Default)]
pub struct Computation {
    definition: (Vec<DerivedMetric>, Combination),
    formulas: Vec<Formula>,
    needed: BTreeSet<String>,
}

impl PartialEq for Computation {
    // Formulas have no equality; they follow from the definition.
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition && self.needed == other.needed
    }
}

impl fmt::Debug for Computation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Computation").field(&self.definition).finish()
    }
}

/// A child's value and when it was measured, microseconds since 1970.
pub type Part = (f64, i64);

impl Computation {
    /// Builds the computation of a type. Stored formulas were validated before; should one not parse, it and all later
    /// ones are left out, because later formulas may depend on it.
    pub fn new(derived: &[DerivedMetric], combination: &Combination, health: Option<&HealthModel>) -> Self {
        let formulas: Vec<_> = derived.iter().map_while(|metric| Formula::parse(&metric.formula).ok()).collect();
        let mut needed: BTreeSet<String> =
            formulas.iter().flat_map(|formula| formula.names().map(str::to_owned)).collect();
        needed.extend(health.iter().flat_map(|model| model.bands.iter().map(|band| band.metric_key.clone())));
        Self { definition: (derived.to_vec(), combination.clone()), formulas, needed }
    }

    /// Returns whether the computation needs the newest value of a metric of the asset itself.
    pub fn needs(&self, metric: &str) -> bool {
        self.needed.contains(metric)
    }

    /// Returns whether the computation needs no values at all.
    pub fn is_idle(&self) -> bool {
        self.needed.is_empty() && self.definition.1.composites.is_empty()
    }

    /// Returns how values are combined.
    pub fn combination(&self) -> &Combination {
        &self.definition.1
    }

    /// Returns whether the computation needs the newest value of a metric from each child asset.
    pub fn needs_from_children(&self, metric: &str) -> bool {
        self.definition.1.composites.iter().any(|composite| composite.of == metric)
    }

    /// Computes the composites from the children's values, which `below` returns by metric; leaves out those without
    /// values.
    pub fn composites(&self, below: impl Fn(&str) -> Vec<Part>) -> Vec<(&str, Result<f64, FormulaError>)> {
        let composites = self.definition.1.composites.iter();
        let computed = composites.filter_map(|composite| {
            let value = aggregate(composite.aggregation, &below(&composite.of))?;
            Some((composite.key.as_str(), if value.is_finite() { Ok(value) } else { Err(FormulaError::NotFinite) }))
        });
        computed.collect()
    }

    /// Lists the derived metrics with their formulas, in the order in which they must be evaluated.
    pub fn derived(&self) -> impl Iterator<Item = (&str, &Formula)> {
        self.definition.0.iter().map(|metric| metric.key.as_str()).zip(&self.formulas)
    }
}

/// Aggregates values; returns `None` if there are no values (except for a count). Only a sum may be infinite.
pub fn aggregate(aggregation: Aggregation, parts: &[Part]) -> Option<f64> {
    let values = || parts.iter().map(|(value, _)| *value);
    let count = parts.len() as f64;
    Some(match aggregation {
        Aggregation::Count => count,
        _ if parts.is_empty() => return None,
        Aggregation::Sum => values().collect::<FiniteSum>().total(),
        Aggregation::Avg => values().collect::<FiniteSum>().mean(count),
        Aggregation::Min => values().fold(f64::INFINITY, f64::min),
        Aggregation::Max => values().fold(f64::NEG_INFINITY, f64::max),
        Aggregation::Last => parts.iter().max_by_key(|(_, at)| *at).map(|(value, _)| *value)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_values_are_aggregated() {
        let parts = [(1.0, 5), (4.0, 9), (-2.0, 7)];
        let of = |aggregation| aggregate(aggregation, &parts);
        let all = [Aggregation::Sum, Aggregation::Avg, Aggregation::Min, Aggregation::Max, Aggregation::Last];
        assert_eq!(all.map(of), [Some(3.0), Some(1.0), Some(-2.0), Some(4.0), Some(4.0)]);
        assert_eq!(all.map(|aggregation| aggregate(aggregation, &[])), [None; 5]);
        assert_eq!((of(Aggregation::Count), aggregate(Aggregation::Count, &[])), (Some(3.0), Some(0.0)));
    }

    #[test]
    fn the_mean_of_the_greatest_values_is_finite_and_their_sum_is_not() {
        let of = |aggregation| aggregate(aggregation, &[(f64::MAX, 1), (f64::MAX, 2)]);
        assert_eq!((of(Aggregation::Avg), of(Aggregation::Sum)), (Some(f64::MAX), Some(f64::INFINITY)));
        let back = [(f64::MAX, 1), (f64::MAX, 2), (f64::MIN, 3)];
        assert_eq!(aggregate(Aggregation::Sum, &back), Some(f64::MAX));
    }
}
