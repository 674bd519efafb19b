//! What every command needs from the machine: the wall clock and the data folder.

use std::fs;
use std::sync::Arc;

use anyhow::Context;
use chrono::{DateTime, Utc};

use crate::settings::Settings;

/// The wall clock that is injected into the roles.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Returns the wall clock.
#[allow(clippy::disallowed_methods, reason = "the only place that reads the wall clock for the roles")]
pub fn clock() -> Clock {
    Arc::new(Utc::now)
}

/// Creates the data folder unless it exists.
pub fn create_data_dir(settings: &Settings) -> anyhow::Result<()> {
    fs::create_dir_all(&settings.data_dir).with_context(|| {
        format!("cannot create {}: choose another folder with --data-dir", settings.data_dir.display())
    })
}
