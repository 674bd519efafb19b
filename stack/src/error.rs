//! What can go wrong with the local stack. Each message is one line that says what to do; the last lines of a server's
//! log follow where they tell more.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::server::Server;
use crate::version::Version;

/// Why the local stack could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something already listens on a port that was asked for by number.
    #[error("port {port} for {name} is already in use: stop what listens there, or choose another --port-base")]
    PortInUse {
        /// What the port is for.
        name: &'static str,
        /// The port.
        port: u16,
    },
    /// A port base leaves no room for the table of ports.
    #[error("--port-base {base} is out of range: choose 1 to {}", u16::MAX - crate::ports::SPAN + 1)]
    PortBase {
        /// The base asked for.
        base: u16,
    },
    /// A server is not on this machine and was not, or could not be, installed.
    #[error("{server} was not found: {advice}")]
    Missing {
        /// The server.
        server: Server,
        /// What to do.
        advice: String,
    },
    /// A server is on this machine in a version that does not do.
    #[error("{server} {found} at {} is too old, {needed} or later is needed: {advice}", path.display())]
    TooOld {
        /// The server.
        server: Server,
        /// The program that was found.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The oldest version that does.
        needed: Version,
        /// What to do.
        advice: String,
    },
    /// Installing a server failed.
    #[error("installing {what} failed ({reason}): check the network, or install it by hand and put it on the PATH")]
    Install {
        /// The package.
        what: String,
        /// The last words of the installer.
        reason: String,
    },
    /// The folder for downloaded servers cannot be used.
    #[error("cannot use {} for downloaded servers: set ARGUSIQ_TOOLS_DIR to a folder of yours", path.display())]
    Tools {
        /// The folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A file or folder could not be made, read or written.
    #[error("cannot {operation} {}: check its owner and permissions, or choose another --data-dir", path.display())]
    File {
        /// What was tried, as an infinitive.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A live process owns the data folder.
    #[error("process {pid} already runs a stack on {}: stop it, or choose another --data-dir", path.display())]
    AlreadyRunning {
        /// The data folder.
        path: PathBuf,
        /// The process that owns it.
        pid: u32,
    },
    /// The owner of the data folder is gone but its servers do not end.
    #[error("servers of a stack that has ended still run on {} (see {}/logs): stop them", path.display(), path.display())]
    Lingering {
        /// The data folder.
        path: PathBuf,
    },
    /// PostgreSQL refuses to run as root and there is nobody else to run it as.
    #[error("PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run as another user")]
    NoAccount,
    /// The folder that stands in for an unreachable one belongs to somebody else.
    #[error("{} is not a folder of ours: remove it, or choose a --data-dir that user `{account}` can reach", path.display())]
    Unreachable {
        /// The folder.
        path: PathBuf,
        /// The user PostgreSQL runs as.
        account: String,
    },
    /// A program could not be started.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A helper program (initdb, createdb) failed.
    #[error("{program} failed ({status})\n{log}")]
    Helper {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its last lines.
        log: String,
    },
    /// A server ended before it was ready.
    #[error("{server} ended before it was ready ({status}); the last lines of {} are:\n{tail}", log.display())]
    EndedEarly {
        /// The server.
        server: Server,
        /// How it ended.
        status: ExitStatus,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server did not answer in time.
    #[error("{server} did not answer within {seconds} s ({last}); the last lines of {} are:\n{tail}", log.display())]
    NotReady {
        /// The server.
        server: Server,
        /// How long it was given.
        seconds: u64,
        /// The last answer.
        last: String,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A server did not stop in time and was killed.
    #[error("{server} did not stop within {seconds} s and was killed")]
    Killed {
        /// The server.
        server: Server,
        /// How long it was given.
        seconds: u64,
    },
    /// A server that is not part of this stack was named.
    #[error("{server} is not part of this stack: start the stack with it")]
    NotPart {
        /// The server.
        server: Server,
    },
    /// A cluster has no node of this number, or the node does not run.
    #[error("node {0} of the cluster is not running")]
    Node(usize),
    /// The kernel's network could not be set up.
    #[error("`ip {command}` failed: {reason}")]
    Network {
        /// The arguments of `ip(8)`.
        command: String,
        /// What it said.
        reason: String,
    },
    /// PostgreSQL refused a statement of ours.
    #[error("PostgreSQL refused `{statement}`")]
    Statement {
        /// The SQL.
        statement: String,
        /// Its answer.
        #[source]
        source: crate::protocols::Error,
    },
}

impl Error {
    /// Makes a [`Error::File`] from an I/O error: `map_err(Error::file("write", path))`.
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }
}
