//! Runs one role as its own process, against the configured servers.

use std::pin::pin;

use tokio_util::sync::CancellationToken;

use crate::connections::Servers;
use crate::lifecycle;
use crate::settings::Settings;
use crate::wiring::{Duty, Role, Wiring};

/// Runs the role until a signal; `only` restricts it to these stages or projections.
pub async fn run(settings: Settings, role: Role, only: Vec<String>) -> anyhow::Result<()> {
    let servers = Servers::from_settings(&settings)?;
    let wiring = Wiring::open(settings, servers, Duty::Role(role)).await?;
    let shutdown = CancellationToken::new();
    lifecycle::stop_on_signals(shutdown.clone())?;
    let stop = shutdown.clone();
    let ended = CancellationToken::new();
    let probe = wiring.probe(role, ended.clone());
    let running = async {
        let outcome = wiring.run(role, only, shutdown).await;
        // Probes are served until the role has stopped, so that an orchestrator sees it draining.
        ended.cancel();
        outcome
    };
    let mut running = pin!(running);
    tokio::select! {
        outcome = &mut running => outcome,
        Err(error) = probe => {
            // Stop the role gracefully, then report why: the probe failed.
            stop.cancel();
            running.await.and(Err(error))
        }
    }
}
