//! How long the telemetry of an organisation is kept.

pub mod change;
pub mod get;

use crate::etag::Versioned;
use crate::prelude::*;

/// How long the telemetry of an organisation is kept.
#[derive(Object)]
pub struct TelemetryRetention {
    /// Days: what was measured before is removed, aggregates included.
    days: u32,
    /// That of the organisation, whose choice it is.
    version: i64,
}

impl Versioned for TelemetryRetention {
    fn version(&self) -> i64 {
        self.version
    }
}
