//! `argusiq healthcheck`: queries `/health` of the process on this machine. The container image has no shell and no `curl`
//! to do so.

use std::time::Duration;

use anyhow::Context;
use ureq::Agent;

use crate::settings::Settings;
use crate::wiring;

/// Longest wait for the answer; shorter than the health check timeout in `docker-compose.yml`.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Succeeds if `/health` answers 200.
pub fn run(settings: &Settings, port: Option<u16>) -> anyhow::Result<()> {
    let port = match port.or(settings.probe.port) {
        Some(port) => port,
        None => wiring::ports(settings)?.http,
    };
    let agent: Agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    let address = format!("http://127.0.0.1:{port}/health");
    agent.get(&address).call().with_context(|| format!("{address} does not answer 200"))?;
    Ok(())
}
