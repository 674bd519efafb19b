//! nats-server with JetStream: its configuration and its probe.

use std::path::Path;

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::process::Launch;
use crate::protocols;
use crate::server::Server;
use crate::servers::plan::Plan;

/// JetStream's memory limit, in bytes, for key-value buckets in memory. Streams are stored in files.
pub(crate) const MAX_MEMORY: u64 = 256_000_000;

pub(super) fn prepare(plan: &Plan<'_>) -> Result<Launch, Error> {
    let folder = plan.folder.of(Server::Nats)?;
    let path = folder.join("nats.conf");
    std::fs::write(&path, configuration(plan, &folder)).map_err(Error::file("write", &path))?;
    Ok(Launch {
        program: plan.binaries.nats.clone(),
        arguments: vec!["--config".into(), path.into()],
        directory: folder,
        account: None,
        log: plan.folder.log("nats"),
        stop_signal: Signal::SIGTERM,
    })
}

/// Succeeds when the server greets with the name of this folder and has JetStream. It recovers its streams before it
/// listens.
pub(super) async fn probe(port: u16, launch: &Launch) -> Result<(), protocols::Error> {
    let greeting = protocols::nats_greeting(protocols::local(port)).await?;
    match () {
        () if greeting.server_name != name(&launch.directory) => {
            Err(protocols::Error::OtherProgram(greeting.server_name))
        }
        () if !greeting.jetstream => Err(protocols::Error::Refused("JetStream is not enabled yet".into())),
        () => Ok(()),
    }
}

/// Returns the configuration. `sync_interval: always` makes an acknowledgement mean "on disk"; the default syncs every
/// two minutes.
fn configuration(plan: &Plan<'_>, folder: &Path) -> String {
    let (port, monitoring) = (plan.ports.nats, plan.ports.nats_monitoring);
    let max_file = plan.options.nats_max_file_bytes;
    let (name, store) = (quoted(&name(folder)), quoted(&folder.join("data").to_string_lossy()));
    let more = &plan.options.nats_configuration;
    format!(
        r"# Written on every start; changes are lost.
server_name: {name}
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitoring}
max_payload: 1MB
jetstream {{
  store_dir: {store}
  sync_interval: always
  max_memory_store: {MAX_MEMORY}
  max_file_store: {max_file}
}}
{more}
"
    )
}

/// Returns the server's name, which identifies its folder. No stored data contains it, so a folder may be moved.
fn name(folder: &Path) -> String {
    folder.to_string_lossy().chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect()
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
