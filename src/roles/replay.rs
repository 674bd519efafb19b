//! `argusiq replay`: rebuilds read models from the log.

use tokio_util::sync::CancellationToken;

use crate::cli::Replay;
use crate::connections::Servers;
use crate::lifecycle;
use crate::settings::Settings;
use crate::wiring::{Duty, Role, Wiring};

/// Rebuilds read models and compares them. Errors when one differs.
pub async fn run(settings: Settings, what: Replay) -> anyhow::Result<()> {
    let Replay::Projections { all: _, names } = what;
    let servers = Servers::from_settings(&settings)?;
    let shutdown = CancellationToken::new();
    lifecycle::stop_on_signals(shutdown.clone())?;
    Wiring::open(settings, servers, Duty::Role(Role::Project)).await?.replay(&names, shutdown).await
}
