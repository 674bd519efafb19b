//! The newest values. What does not live here: whose they are.

use std::collections::HashMap;

use projections::latest_telemetry::read::Latest;

use crate::prelude::*;

/// The newest value of a metric.
#[derive(Debug, Object)]
pub struct LatestValue {
    /// A number, boolean or text.
    value: Value,
    /// When it was measured, by the device's clock.
    timestamp: Time,
    /// `good`, `uncertain` or `bad`.
    quality: String,
}

/// Returns the newest values by metric.
pub fn metrics(latest: Latest) -> HashMap<String, LatestValue> {
    let shown = |(key, newest): (String, projections::latest_telemetry::read::LatestValue)| {
        (key, LatestValue { value: newest.value, timestamp: newest.measured_at.into(), quality: newest.quality })
    };
    latest.metrics.into_iter().map(shown).collect()
}
