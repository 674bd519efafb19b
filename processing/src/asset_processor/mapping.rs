//! A link's mapping of a device's metrics to an asset's, worked out once for each metric set.

use std::collections::BTreeMap;

use domain::device_links::Link;
use domain::telemetry::{MetricValue, Reading};

/// What a mapping does to readings of one metric set.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The keys of the numbers that the asset gets, sorted.
    pub keys: Vec<String>,
    /// For each key, which of the reading's numbers it takes; none where it takes all of them as they are.
    taken: Option<Vec<usize>>,
}

/// Works out what a link does to the numbers of a metric set.
pub fn map_keys(link: &Link, keys: &[String]) -> Mapped {
    if link.metrics_mapping.is_empty() {
        return Mapped { keys: keys.to_vec(), taken: None };
    }
    let mut mapped: Vec<(&str, usize)> = Vec::new();
    for (from, to) in pairs(&link.metrics_mapping) {
        mapped.extend(keys.iter().position(|key| key == from).map(|index| (to, index)));
    }
    mapped.sort_unstable();
    // Two metrics mapped to one name: the first by name counts, because a reading has each key once.
    mapped.dedup_by(|later, first| later.0 == first.0);
    Mapped {
        keys: mapped.iter().map(|(to, _)| (*to).to_owned()).collect(),
        taken: Some(mapped.into_iter().map(|(_, at)| at).collect()),
    }
}

impl Mapped {
    /// Answers the asset's numbers, in the order of `keys`.
    pub fn numbers(&self, reading: &Reading) -> Vec<f64> {
        match &self.taken {
            None => reading.numbers.clone(),
            Some(taken) => taken.iter().filter_map(|index| reading.numbers.get(*index).copied()).collect(),
        }
    }
}

/// Answers an asset's values of other kinds.
pub fn map_others(link: &Link, others: &[(String, MetricValue)]) -> Vec<(String, MetricValue)> {
    if link.metrics_mapping.is_empty() || others.is_empty() {
        return others.to_vec();
    }
    let value = |from: &str| others.iter().find(|(key, _)| key == from).map(|(_, value)| value.clone());
    pairs(&link.metrics_mapping).filter_map(|(from, to)| Some((to.to_owned(), value(from)?))).collect()
}

/// The mapping without the prefixes `device.` and `asset.`, which people may leave out.
fn pairs(mapping: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    mapping
        .iter()
        .map(|(from, to)| (from.strip_prefix("device.").unwrap_or(from), to.strip_prefix("asset.").unwrap_or(to)))
}
