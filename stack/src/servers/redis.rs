//! Redis: its configuration and its probe.

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::process::Launch;
use crate::protocols;
use crate::server::Server;
use crate::servers::plan::Plan;

/// Redis' memory limit, in MB. Redis refuses a write beyond it, so that the machine does not run out of memory.
const MAX_MEMORY_MB: u32 = 2048;

pub(super) fn prepare(plan: &Plan<'_>) -> Result<Launch, Error> {
    let folder = plan.folder.of(Server::Redis)?;
    let path = folder.join("redis.conf");
    std::fs::write(&path, configuration(plan)).map_err(Error::file("write", &path))?;
    Ok(Launch {
        program: plan.binaries.redis.clone(),
        arguments: vec![path.into()],
        directory: folder,
        account: None,
        log: plan.folder.log("redis"),
        stop_signal: Signal::SIGTERM,
    })
}

/// Succeeds when Redis responds with the expected process id. It refuses while it loads its data.
pub(super) async fn probe(port: u16, pid: u32) -> Result<(), protocols::Error> {
    match protocols::redis_pid(port).await? {
        answered if answered == pid => Ok(()),
        stranger => Err(protocols::Error::OtherProgram(format!("process {stranger}"))),
    }
}

/// Returns the configuration. There are no snapshots, because the append-only file is the durable copy. `noeviction`,
/// because the data is not a cache. Files go to the working directory, so that no path needs quoting.
fn configuration(plan: &Plan<'_>) -> String {
    let append_only = if plan.options.is_throwaway() { "no" } else { "yes" };
    let port = plan.ports.redis;
    format!(
        r#"# Written on every start; changes are lost.
bind 127.0.0.1
port {port}
dir .
save ""
appendonly {append_only}
appendfsync everysec
maxmemory {MAX_MEMORY_MB}mb
maxmemory-policy noeviction
daemonize no
"#
    )
}
