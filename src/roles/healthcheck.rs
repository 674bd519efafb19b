//! `argusiq healthcheck`: asks the process on this machine whether it is well. An image without a shell has nothing else
//! to ask with.

use std::time::Duration;

use anyhow::Context;
use ureq::Agent;

use crate::settings::Settings;
use crate::wiring;

/// How long the answer may take: less than a container's patience.
const WITHIN: Duration = Duration::from_secs(2);

/// Succeeds when `/health` answers 200.
pub fn run(settings: &Settings, port: Option<u16>) -> anyhow::Result<()> {
    let port = match port.or(settings.probe.port) {
        Some(port) => port,
        None => wiring::ports(settings)?.http,
    };
    let agent: Agent = Agent::config_builder().timeout_global(Some(WITHIN)).build().into();
    let address = format!("http://127.0.0.1:{port}/health");
    agent.get(&address).call().with_context(|| format!("{address} does not answer that all is well"))?;
    Ok(())
}
