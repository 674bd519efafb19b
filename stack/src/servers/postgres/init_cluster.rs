//! Creates a PostgreSQL cluster: with initdb or, for throwaway data, from a packed copy of an earlier cluster, which
//! takes a tenth of the time.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::data_folder::{fnv1a, owned_by};
use crate::error::Error;
use crate::logs;
use crate::servers::postgres::ClusterHome;

/// The name of a cluster while it is created, so that an interrupted one is not mistaken for a complete one.
const NEW: &str = "data.new";

/// Arguments of initdb. Text sorts by code point (C), which is fast and the same on every machine; letter classes
/// follow Unicode.
const INITDB: [&str; 9] = [
    "--auth=trust",
    "--encoding=UTF8",
    "--username=argusiq",
    "--lc-collate=C",
    "--lc-ctype=C.UTF-8",
    "--lc-messages=C",
    "--lc-monetary=C",
    "--lc-numeric=C",
    "--lc-time=C",
];

/// Creates the cluster in `data` unless it exists.
pub(super) async fn ensure(home: &ClusterHome<'_>) -> Result<(), Error> {
    if home.data().exists() {
        return Ok(());
    }
    let new = home.folder.join(NEW);
    remove_if_there(&new)?;
    let rename = || std::fs::rename(&new, home.data()).map_err(Error::file("rename", &new));
    if home.plan.options.is_throwaway() {
        throwaway(home).await?;
        return rename();
    }
    initdb(home, &[]).await?;
    rename()?;
    // Sync the folder, so that the rename is durable before any data is stored in the cluster.
    let folder = File::open(&home.folder).and_then(|folder| folder.sync_all());
    folder.map_err(Error::file("sync", &home.folder))
}

/// Unpacks the packed cluster. Where there is none or it cannot be unpacked, creates a cluster and packs it.
async fn throwaway(home: &ClusterHome<'_>) -> Result<(), Error> {
    let packed = packed(home)?;
    if packed.exists() {
        if tar(home, "--extract", &packed).await? {
            return Ok(());
        }
        remove_if_there(&home.folder.join(NEW))?;
    }
    initdb(home, &["--no-sync"]).await?;
    // Pack under a unique name and then rename, because several processes may do this concurrently.
    let ours = packed.with_extension(std::process::id().to_string());
    if tar(home, "--create", &ours).await? {
        std::fs::rename(&ours, &packed).map_err(Error::file("rename", ours))?;
    }
    Ok(())
}

async fn initdb(home: &ClusterHome<'_>, more: &[&str]) -> Result<(), Error> {
    let program = home.plan.binaries.postgres.with_file_name("initdb");
    let mut command: Vec<OsString> = vec![program.into(), "-D".into(), home.folder.join(NEW).into()];
    command.extend(INITDB.iter().chain(more).map(OsString::from));
    let status = home.run(&command, "initdb").await?;
    let log = || logs::tail(&home.plan.folder.log("initdb"));
    if status.success() { Ok(()) } else { Err(Error::Helper { program: "initdb", status, log: log() }) }
}

/// Packs or unpacks the new cluster. Returns whether it worked.
async fn tar(home: &ClusterHome<'_>, action: &str, file: &Path) -> Result<bool, Error> {
    let mut command: Vec<OsString> = vec!["tar".into(), action.into(), "--file".into(), file.into()];
    command.extend(["--directory".into(), home.folder.clone().into()]);
    if action == "--create" {
        command.push(NEW.into());
    }
    Ok(home.run(&command, "tar").await?.success())
}

/// Returns the path of the packed cluster: one file for each build of PostgreSQL and each user, in a folder of that
/// user. It is a single file, because a cleaner of the temporary folder may remove parts of a tree.
fn packed(home: &ClusterHome<'_>) -> Result<PathBuf, Error> {
    let program = &home.plan.binaries.postgres;
    let metadata = program.metadata().map_err(Error::file("read", program))?;
    let account = home.account.clone().unwrap_or_else(Account::current);
    let (changed_at, size) = (metadata.mtime(), metadata.size());
    let build = format!("{} {changed_at} {size} {} {INITDB:?}", program.display(), account.uid);
    let folder = std::env::temp_dir().join(format!("argusiq-cluster-{:016x}", fnv1a(build.as_bytes())));
    Ok(owned_by(folder, &account)?.join("data.tar"))
}

fn remove_if_there(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file("remove", folder)(error)),
        _ => Ok(()),
    }
}
