//! What a person reads at the end of a run. What does not live here: the counting.

use std::sync::atomic::Ordering::Relaxed;

use serde::Serialize;

use crate::stats::Stats;
use crate::verify::Verdict;

/// Figures of a load.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Devices.
    pub devices: u32,
    /// Seconds of publishing.
    pub seconds: f64,
    /// Messages acknowledged.
    pub messages: u64,
    /// Messages acknowledged a second.
    pub messages_per_second: f64,
    /// Values acknowledged a second.
    pub values_per_second: f64,
    /// Write to PUBACK, milliseconds: median, 95 %, 99 %.
    pub puback_ms: [f64; 3],
    /// Device to screen, milliseconds: median, 95 %, 99 %.
    pub screen_ms: [f64; 3],
    /// Device to an alarm's live message, milliseconds: median, 95 %, 99 %.
    pub alarm_ms: [f64; 3],
    /// Alarms that were timed.
    pub alarms: u64,
    /// Readings seen on the live feed.
    pub watched: u64,
    /// Acknowledged, but not in the history.
    pub missing: u64,
    /// More than once in the history.
    pub doubled: u64,
    /// Sessions that broke.
    pub lost_sessions: u64,
}

/// One line for people: connections, rate, PUBACK latency.
pub fn progress(stats: &Stats, seconds: f64) -> String {
    format!(
        "{seconds:6.0} s  connected {}  sent {}  acknowledged {}  PUBACK p95 {:.1} ms",
        stats.connected.load(Relaxed),
        stats.sent.load(Relaxed),
        stats.acknowledged.load(Relaxed),
        stats.puback.quantile_millis(0.95),
    )
}

/// The closing lines of the demo.
pub fn demo(messages: u64, metrics: u64, verdict: Verdict, alarms: u64, activities: u64) -> String {
    let rows = [
        ("messages", messages),
        ("values", messages * metrics),
        ("alarms", alarms),
        ("work orders", activities),
        ("missing", verdict.missing),
        ("doubled", verdict.doubled),
    ];
    rows.iter().map(|(name, count)| format!("{name:<12}{count:>10}\n")).collect()
}
