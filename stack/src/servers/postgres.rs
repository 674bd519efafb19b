//! PostgreSQL: its cluster, its configuration, its database and its answer. Tables are declared by those who use them.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use crate::account::Account;
use crate::process::{Launch, Process};
use crate::servers::{Plan, Server};
use crate::{Error, logs, wire};

/// The longest path of a unix socket, bytes: `sun_path` of `unix(7)` less the closing zero.
const SOCKET_PATH: usize = 107;

pub(super) async fn prepare(plan: &Plan<'_>) -> Result<Launch, Error> {
    let account = Account::for_postgres(&plan.folder.path().join("postgres"))?;
    let folder = match &account {
        Some(account) => plan.folder.of_account(Server::Postgres, account)?,
        None => plan.folder.of(Server::Postgres)?,
    };
    let launch = |program: PathBuf, arguments: Vec<OsString>, log: &str, stop_signal| Launch {
        program,
        arguments,
        directory: folder.clone(),
        account: account.clone(),
        log: plan.folder.log(log),
        stop_signal,
    };
    let data = folder.join("data");
    let new = folder.join("data.new");
    if !data.exists() {
        // Under another name, so that an initdb that was killed leaves nothing that looks like a cluster.
        remove_if_there(&new)?;
        let program = plan.binaries.postgres.with_file_name("initdb");
        let arguments = initdb_arguments(&new, plan.options.is_throwaway());
        let status = run(&launch(program, arguments, "initdb", Signal::SIGTERM), plan).await?;
        succeeded(status, &plan.folder.log("initdb"))?;
        std::fs::rename(&new, &data).map_err(Error::file("rename", new))?;
    }
    let postgres = |more: &[&str]| {
        let mut config_file = OsString::from("config_file=");
        config_file.push(folder.join("argusiq.conf"));
        let mut arguments = vec!["-D".into(), data.clone().into(), "-c".into(), config_file];
        arguments.extend(more.iter().map(OsString::from));
        arguments
    };
    let program = || plan.binaries.postgres.clone();
    write_configuration(plan, &folder, "lz4")?;
    let ask = launch(program(), postgres(&["-C", "wal_compression"]), "postgres-check", Signal::SIGTERM);
    if !run(&ask, plan).await?.success() {
        write_configuration(plan, &folder, "pglz")?;
    }
    // SIGINT is the fast shutdown: sessions are ended, a checkpoint is written (`postgres(1)`).
    Ok(launch(program(), postgres(&[]), "postgres", Signal::SIGINT))
}

/// Ready when it runs statements on our folder and the database exists.
pub(super) async fn probe(port: u16, launch: &Launch) -> Result<(), wire::Error> {
    let mut connection = wire::Postgres::connect(port, "postgres").await?;
    let ours = launch.directory.join("data");
    let folder = connection.query("SHOW data_directory").await?.pop().unwrap_or_default();
    if Path::new(&folder) != ours {
        return Err(wire::Error::Stranger(format!("PostgreSQL on {folder}")));
    }
    if connection.query("SELECT 1 FROM pg_database WHERE datname = 'argusiq'").await?.is_empty() {
        connection.query("CREATE DATABASE argusiq").await?;
    }
    Ok(())
}

/// Text is compared by code point (C), which is fast and the same everywhere; letters are those of Unicode.
fn initdb_arguments(data: &Path, throwaway: bool) -> Vec<OsString> {
    let fixed = ["--auth=trust", "--encoding=UTF8", "--username=argusiq", "--lc-collate=C", "--lc-messages=C"];
    let mut arguments: Vec<OsString> = fixed.map(OsString::from).into();
    arguments.extend(["--lc-monetary=C", "--lc-numeric=C", "--lc-time=C", "--lc-ctype=C.UTF-8"].map(OsString::from));
    if throwaway {
        arguments.push("--no-sync".into());
    }
    arguments.extend(["-D".into(), data.into()]);
    arguments
}

fn write_configuration(plan: &Plan<'_>, folder: &Path, wal_compression: &str) -> Result<(), Error> {
    let path = folder.join("argusiq.conf");
    let text = configuration(plan, folder, wal_compression);
    std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    // Ours, but read by the user PostgreSQL runs as.
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).map_err(Error::file("open up", &path))
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

/// The socket lives in the server's folder; where its path would be too long, there is none.
fn socket_folder(folder: &Path, port: u16) -> String {
    let folder = folder.to_string_lossy();
    let length = folder.len() + format!("/.s.PGSQL.{port}").len();
    // A comma would separate two folders.
    if length > SOCKET_PATH || folder.contains(',') { String::new() } else { folder.replace('\'', "''") }
}

async fn run(launch: &Launch, plan: &Plan<'_>) -> Result<ExitStatus, Error> {
    Ok(Process::spawn(launch, plan.folder.lock())?.exited().await)
}

fn succeeded(status: ExitStatus, log: &Path) -> Result<(), Error> {
    if status.success() { Ok(()) } else { Err(Error::Helper { program: "initdb", status, log: logs::tail(log) }) }
}

fn remove_if_there(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", folder)(error)),
        _ => Ok(()),
    }
}
