//! Servers for commands that run while no role runs: the configured ones, or else the local stack, started for as long as
//! the command takes.

use crate::connections::Servers;
use crate::settings::{Secret, Settings};
use crate::wiring;

/// Runs `work` with the servers, and stops those it started.
pub async fn with_servers(
    mut settings: Settings,
    work: impl AsyncFnOnce(&Settings, &Servers) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if settings.nats.url.is_some() {
        let servers = Servers::from_settings(&settings)?;
        return work(&settings, &servers).await;
    }
    let stack = super::up::start_servers(&settings, wiring::ports(&settings)?).await?;
    settings.nats.url = Some(stack.urls().nats.clone());
    settings.postgres.url = Some(Secret(stack.urls().postgres.clone()));
    settings.redis.url = Some(Secret(stack.urls().redis.clone()));
    let done = async { work(&settings, &Servers::from_settings(&settings)?).await }.await;
    let stopped = stack.stop().await;
    done.and(stopped.map_err(Into::into))
}
