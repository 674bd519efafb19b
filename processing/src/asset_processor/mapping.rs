//! Maps a device's metrics to an asset's, as the link between them says.

use std::collections::BTreeMap;

use domain::device_links::Link;
use domain::telemetry::{MetricValue, Quality};

/// Returns an asset's numbers: sorted unique keys, and the values in the order of the keys. Expects the device's keys
/// sorted.
pub fn map_numbers<'k, T: Copy>(link: &'k Link, keys: &'k [String], numbers: &[T]) -> (Vec<&'k str>, Vec<T>) {
    let all = keys.iter().map(String::as_str).zip(numbers.iter().copied());
    if link.metrics_mapping.is_empty() && link.port.is_none() {
        return all.unzip();
    }
    let visible_values: Vec<(&str, T)> =
        all.filter_map(|(key, value)| Some((name_on_link(link, key)?, value))).collect();
    let mut mapped = if link.metrics_mapping.is_empty() {
        visible_values
    } else {
        let value = |from: &str| visible_values.iter().find(|(key, _)| *key == from).map(|(_, value)| *value);
        unprefixed_pairs(&link.metrics_mapping).filter_map(|(from, to)| Some((to, value(from)?))).collect()
    };
    // An asset has each key once: where two metrics map to one key, the first wins. The sort is stable.
    mapped.sort_by_key(|(key, _)| *key);
    mapped.dedup_by_key(|(key, _)| *key);
    mapped.into_iter().unzip()
}

/// Returns the name under which a link sees a metric. A link with a port sees the metrics of its port without the port
/// number, metrics without a port unchanged, and metrics of other ports not at all. A link without a port sees every
/// metric unchanged.
fn name_on_link<'k>(link: &Link, key: &'k str) -> Option<&'k str> {
    let Some(port) = link.port else { return Some(key) };
    match key.split_once('.').map(|(head, rest)| (head.parse::<u16>(), rest)) {
        Some((Ok(of), rest)) => (of == port).then_some(rest),
        _ => Some(key),
    }
}

/// Returns the metrics of an asset, among those of its numbers, whose quality is not good. Expects the device's keys
/// sorted.
pub fn map_qualities(link: &Link, keys: &[String], flaws: &[(String, Quality)]) -> Vec<(String, Quality)> {
    if flaws.is_empty() {
        return Vec::new();
    }
    let quality_of = |key: &String| flaws.iter().find(|(of, _)| of == key).map(|(_, quality)| *quality);
    let qualities: Vec<_> = keys.iter().map(quality_of).collect();
    let (keys, qualities) = map_numbers(link, keys, &qualities);
    keys.into_iter().zip(qualities).filter_map(|(key, quality)| Some((key.to_owned(), quality?))).collect()
}

/// Returns an asset's values that are not numbers: unique keys, none of `numbers`, which are the sorted keys of its
/// numbers.
pub fn map_others(link: &Link, others: &[(String, MetricValue)], numbers: &[&str]) -> Vec<(String, MetricValue)> {
    let visible_values = others.iter().filter_map(|(key, value)| Some((name_on_link(link, key)?, value)));
    let mut mapped: Vec<(&str, &MetricValue)> = if link.metrics_mapping.is_empty() {
        visible_values.collect()
    } else {
        let value = |from: &str| visible_values.clone().find(|(key, _)| *key == from).map(|(_, value)| value);
        unprefixed_pairs(&link.metrics_mapping).filter_map(|(from, to)| Some((to, value(from)?))).collect()
    };
    mapped.retain(|(key, _)| numbers.binary_search(key).is_err());
    mapped.sort_by_key(|(key, _)| *key);
    mapped.dedup_by_key(|(key, _)| *key);
    mapped.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

/// Returns the mapping without the optional prefixes `device.` and `asset.`.
fn unprefixed_pairs(mapping: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    mapping
        .iter()
        .map(|(from, to)| (from.strip_prefix("device.").unwrap_or(from), to.strip_prefix("asset.").unwrap_or(to)))
}
