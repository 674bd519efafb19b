//! The injected wall clock.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Returns the current time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
