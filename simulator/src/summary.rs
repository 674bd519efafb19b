//! The figures of a run and their text form.

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;

use crate::stats::Stats;
use crate::verify::HistoryCheck;

/// The figures of a load.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Number of devices.
    pub devices: u32,
    /// Seconds of publishing.
    pub seconds: f64,
    /// Messages acknowledged.
    pub messages: u64,
    /// Messages acknowledged a second.
    pub messages_per_second: f64,
    /// Metric values acknowledged a second.
    pub values_per_second: f64,
    /// Write-to-PUBACK latency in milliseconds: median, p95, p99.
    pub puback_ms: [f64; 3],
    /// Device-to-live-feed latency in milliseconds: median, p95, p99.
    pub screen_ms: [f64; 3],
    /// Latency from the reading to its alarm's live message, milliseconds: median, p95, p99.
    pub alarm_ms: [f64; 3],
    /// Alarms measured.
    pub alarms: u64,
    /// Readings seen on the live feed.
    pub watched: u64,
    /// Messages acknowledged but not in the history.
    pub missing: u64,
    /// Messages stored more than once.
    pub doubled: u64,
    /// Sessions that broke.
    pub lost_sessions: u64,
}

/// Returns a progress line: connections, rate, PUBACK latency.
pub fn progress(stats: &Stats, seconds: f64) -> String {
    format!(
        "{seconds:6.0} s  connected {}  sent {}  acknowledged {}  PUBACK p95 {:.1} ms",
        stats.connected.load(Relaxed),
        stats.sent.load(Relaxed),
        stats.acknowledged.load(Relaxed),
        stats.puback.quantile_millis(0.95),
    )
}

/// Returns the closing lines of the demo.
pub fn demo(messages: u64, metrics: u64, check: HistoryCheck, alarms: u64, activities: u64) -> String {
    let rows = [
        ("messages", messages),
        ("values", messages * metrics),
        ("alarms", alarms),
        ("work orders", activities),
        ("missing", check.missing),
        ("doubled", check.doubled),
    ];
    rows.iter().map(|(name, count)| format!("{name:<12}{count:>10}\n")).collect()
}
