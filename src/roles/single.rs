//! One role as a process of its own, beside servers that the configuration names.

use std::pin::pin;

use tokio_util::sync::CancellationToken;

use crate::environment::Servers;
use crate::lifecycle;
use crate::settings::Settings;
use crate::wiring::{Duty, Role, Wiring};

/// Runs the role until a signal asks it to stop; `only` names stages or projections.
pub async fn run(settings: Settings, role: Role, only: Vec<String>) -> anyhow::Result<()> {
    let servers = Servers::from_settings(&settings)?;
    let wiring = Wiring::open(settings, servers, Duty::Role(role)).await?;
    let shutdown = CancellationToken::new();
    lifecycle::stop_on_signals(shutdown.clone())?;
    let asked = shutdown.clone();
    let ended = CancellationToken::new();
    let probe = wiring.probe(role, ended.clone());
    let running = async {
        let outcome = wiring.run(role, only, shutdown).await;
        // Whoever asks is answered until the role has ended.
        ended.cancel();
        outcome
    };
    let mut running = pin!(running);
    tokio::select! {
        outcome = &mut running => outcome,
        Err(error) = probe => {
            // The role finishes what it has begun; why it had to is the probe's error.
            asked.cancel();
            running.await.and(Err(error))
        }
    }
}
