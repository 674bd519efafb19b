//! Errors of the local stack. Each message is one line that says what to do, followed by the last lines of the server's
//! log where these help.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::server::Server;
use crate::version::Version;

/// An error of the local stack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process already listens on a port that was requested by number.
    #[error("port {port} for {name} is already in use: stop what listens there, or choose another --port-base")]
    PortInUse {
        /// What the port is for.
        name: &'static str,
        /// The port.
        port: u16,
    },
    /// The port base leaves too few ports above it.
    #[error("--port-base {base} is out of range: choose 1 to {}", u16::MAX - crate::ports::SPAN + 1)]
    PortBase {
        /// The requested base.
        base: u16,
    },
    /// A server was not found and was not, or could not be, installed.
    #[error("{server} was not found: {advice}")]
    Missing {
        /// The server.
        server: Server,
        /// What to do.
        advice: String,
    },
    /// A server was found only in a version that is too old.
    #[error("{server} {found} at {} is too old, {needed} or later is needed: {advice}", path.display())]
    TooOld {
        /// The server.
        server: Server,
        /// The program that was found.
        path: PathBuf,
        /// Its version.
        found: Version,
        /// The oldest supported version.
        needed: Version,
        /// What to do.
        advice: String,
    },
    /// Installing a server failed.
    #[error("installing {what} failed ({reason}): check the network, or install it by hand and put it on the PATH")]
    Install {
        /// The package.
        what: String,
        /// The last line of the installer's output.
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
    /// A file or folder could not be created, read or written.
    #[error("cannot {operation} {}: check its owner and permissions, or choose another --data-dir", path.display())]
    File {
        /// The attempted operation, as an infinitive.
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
    /// The process that owned the data folder has ended but its servers have not.
    #[error("servers of a stack that has ended still run on {} (see {}/logs): stop them", path.display(), path.display())]
    Lingering {
        /// The data folder.
        path: PathBuf,
    },
    /// PostgreSQL refuses to run as root and there is no other user to run it as.
    #[error("PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run as another user")]
    NoAccount,
    /// The fallback for an inaccessible data folder belongs to another user.
    #[error("{} is not a folder of ours: remove it, or choose a --data-dir that user `{account}` can reach", path.display())]
    Unreachable {
        /// The folder.
        path: PathBuf,
        /// The user that PostgreSQL runs as.
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
        /// The last lines of its output.
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
        /// The time limit, in seconds.
        seconds: u64,
        /// The last response.
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
        /// The time limit, in seconds.
        seconds: u64,
    },
    /// The named server is not part of this stack.
    #[error("{server} is not part of this stack: start the stack with it")]
    NotPart {
        /// The server.
        server: Server,
    },
    /// The cluster has no node with this number, or the node is not running.
    #[error("node {0} of the cluster is not running")]
    Node(usize),
    /// Setting up the nodes' networks failed.
    #[error("`ip {command}` failed: {reason}")]
    Network {
        /// The arguments of `ip(8)`.
        command: String,
        /// Its error output.
        reason: String,
    },
    /// PostgreSQL refused a statement.
    #[error("PostgreSQL refused `{statement}`")]
    Statement {
        /// The SQL.
        statement: String,
        /// PostgreSQL's response.
        #[source]
        source: crate::protocols::Error,
    },
}

impl Error {
    /// Returns a function that turns an I/O error into [`Error::File`]: `map_err(Error::file("write", path))`.
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }
}
