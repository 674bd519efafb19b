//! The newest values. What does not live here: whose they are.

use std::collections::HashMap;

use projections::latest_telemetry::read::Latest;

use crate::prelude::*;

/// The newest value of a metric.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct LatestValue {
    /// A number, boolean or text; null where it cannot be computed.
    value: Value,
    /// When it was measured, by the device's clock.
    timestamp: Time,
    /// `good`, `uncertain` or `bad`.
    quality: String,
    /// Why it cannot be computed, where that is so.
    reason: Option<String>,
}

/// Returns the newest values by metric.
pub fn metrics(latest: Latest) -> HashMap<String, LatestValue> {
    let shown = |(key, newest): (String, projections::latest_telemetry::read::LatestValue)| {
        let projections::latest_telemetry::read::LatestValue { value, measured_at, quality, reason } = newest;
        (key, LatestValue { value, timestamp: measured_at.into(), quality, reason })
    };
    latest.metrics.into_iter().map(shown).collect()
}
