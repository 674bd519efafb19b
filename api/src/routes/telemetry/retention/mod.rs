//! Telemetry retention of an organisation.

pub mod change;
pub mod get;

use crate::etag::Versioned;
use crate::prelude::*;

/// Telemetry retention of an organisation.
#[derive(Object)]
pub struct TelemetryRetention {
    /// Days; older data is removed, including aggregates.
    days: u32,
    /// Version of the organisation, which holds this setting.
    version: i64,
}

impl Versioned for TelemetryRetention {
    fn version(&self) -> i64 {
        self.version
    }
}
