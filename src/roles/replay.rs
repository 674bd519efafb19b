//! `argusiq replay`: rebuilds read models from the log.

use crate::cli::Replay;
use crate::environment::Servers;
use crate::settings::Settings;
use crate::wiring::Wiring;

/// Rebuilds and compares; an inequality is an error.
pub async fn run(settings: Settings, what: Replay) -> anyhow::Result<()> {
    let Replay::Projections { all: _, names } = what;
    let servers = Servers::from_settings(&settings)?;
    Wiring::open(settings, servers).await?.replay(names).await
}
