//! PostgreSQL: its cluster, its configuration, its database and its probe.

mod init_cluster;

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::error::Error;
use crate::process::{Launch, Process};
use crate::protocols;
use crate::server::Server;
use crate::servers::plan::Plan;

/// The longest path of a Unix socket, in bytes: `sun_path` of `unix(7)` without the terminating zero.
const SOCKET_PATH: usize = 107;

/// The folder and the owner of a cluster.
struct ClusterHome<'a> {
    plan: &'a Plan<'a>,
    folder: PathBuf,
    account: Option<Account>,
}

pub(super) async fn prepare(plan: &Plan<'_>) -> Result<Launch, Error> {
    let account = Account::for_postgres(&plan.folder.path().join("postgres"))?;
    let folder = match &account {
        Some(account) => plan.folder.of_account(Server::Postgres, account)?,
        None => plan.folder.of(Server::Postgres)?,
    };
    let home = ClusterHome { plan, folder, account };
    init_cluster::ensure(&home).await?;
    home.write_configuration("lz4")?;
    // Reading a setting validates the configuration, which fails if the server was built without LZ4.
    if !home.run(&home.postgres(&["-C", "wal_compression"]), "postgres-check").await?.success() {
        home.write_configuration("pglz")?;
    }
    Ok(Launch { stop_signal: Signal::SIGINT, ..home.launch(&home.postgres(&[]), "postgres") })
}

impl ClusterHome<'_> {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn configuration_file(&self) -> PathBuf {
        self.folder.join("argusiq.conf")
    }

    /// Returns the server's command line.
    fn postgres(&self, more: &[&str]) -> Vec<OsString> {
        let mut configuration = OsString::from("config_file=");
        configuration.push(self.configuration_file());
        let program = self.plan.binaries.postgres.clone();
        let fixed = [program.into(), "-D".into(), self.data().into(), "-c".into(), configuration];
        fixed.into_iter().chain(more.iter().map(OsString::from)).collect()
    }

    /// Returns how to start a command as the cluster's owner. The server itself is stopped with SIGINT, PostgreSQL's
    /// fast shutdown, which ends sessions and writes a checkpoint (`postgres(1)`); every other command with SIGTERM.
    fn launch(&self, command: &[OsString], log: &str) -> Launch {
        Launch {
            program: command.first().map(PathBuf::from).unwrap_or_default(),
            arguments: command.iter().skip(1).cloned().collect(),
            directory: self.folder.clone(),
            account: self.account.clone(),
            log: self.plan.folder.log(log),
            stop_signal: Signal::SIGTERM,
        }
    }

    /// Runs a command as the cluster's owner until it ends.
    async fn run(&self, command: &[OsString], log: &str) -> Result<ExitStatus, Error> {
        Ok(Process::spawn(&self.launch(command, log), self.plan.folder.lock())?.exited().await)
    }

    fn write_configuration(&self, wal_compression: &str) -> Result<(), Error> {
        let path = self.configuration_file();
        let text = configuration(self.plan, &self.folder, wal_compression);
        std::fs::write(&path, text).map_err(Error::file("write", &path))?;
        // The current user owns the file, but the user that PostgreSQL runs as must read it.
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).map_err(Error::file("open up", &path))
    }
}

/// Succeeds when the server runs statements on the expected folder and the database exists; creates the database.
pub(super) async fn probe(port: u16, launch: &Launch) -> Result<(), protocols::Error> {
    let mut connection = protocols::Postgres::connect(port, "postgres").await?;
    let ours = launch.directory.join("data");
    let folder = connection.query("SHOW data_directory").await?.pop().unwrap_or_default();
    if Path::new(&folder) != ours {
        return Err(protocols::Error::OtherProgram(format!("PostgreSQL on {folder}")));
    }
    if connection.query("SELECT 1 FROM pg_database WHERE datname = 'argusiq'").await?.is_empty() {
        connection.query("CREATE DATABASE argusiq").await?;
    }
    Ok(())
}

fn configuration(plan: &Plan<'_>, folder: &Path, wal_compression: &str) -> String {
    let (port, shared_buffers) = (plan.ports.postgres, plan.options.postgres_shared_buffers_mb);
    let fsync = if plan.options.is_throwaway() { "off" } else { "on" };
    let sockets = socket_folder(folder, port);
    format!(
        r"# Written on every start; changes are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
max_connections = 200
shared_buffers = {shared_buffers}MB
fsync = {fsync}
full_page_writes = {fsync}
wal_compression = {wal_compression}
max_wal_size = 4GB
checkpoint_timeout = 15min
autovacuum = on
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
"
    )
}

/// Returns the socket folder: the server's folder, or empty for no socket where its path would be too long.
fn socket_folder(folder: &Path, port: u16) -> String {
    let folder = folder.to_string_lossy();
    let length = folder.len() + format!("/.s.PGSQL.{port}").len();
    // In this setting a comma separates two folders.
    if length > SOCKET_PATH || folder.contains(',') { String::new() } else { folder.replace('\'', "''") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_with_a_path_that_is_too_long_is_omitted() {
        let longest = format!("/{}", "x".repeat(SOCKET_PATH - 1 - "/.s.PGSQL.5432".len()));
        assert_eq!(socket_folder(Path::new(&longest), 5432), longest);
        assert_eq!(socket_folder(Path::new(&longest), 15_432), "");
        assert_eq!(socket_folder(Path::new("/a,b"), 5432), "");
        assert_eq!(socket_folder(Path::new("/it's"), 5432), "/it''s");
    }
}
