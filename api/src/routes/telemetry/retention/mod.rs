//! How long the telemetry of an organisation is kept.

pub mod change;
pub mod get;

use crate::prelude::*;

/// How long the telemetry of an organisation is kept.
#[derive(Object)]
pub struct TelemetryRetention {
    /// Days: what was measured before is removed, aggregates included.
    days: u32,
}
