//! Finds the servers' programs on this machine and reads their versions. Installing lives in `install`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Server;
use crate::version::Version;

/// Where Debian keeps PostgreSQL's server programs, one folder per version.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// The result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The first suitable program.
    Program(PathBuf),
    /// No program is suitable; this is the first one that is too old.
    TooOld(PathBuf, Version),
    /// No program was found.
    Nothing,
}

/// Searches for a server's program on the `PATH`, then where it is usually installed.
pub(crate) fn find(server: Server) -> Found {
    first_suitable(server, candidates(server))
}

/// Returns the first of these programs that is new enough.
pub(crate) fn first_suitable(server: Server, candidates: Vec<PathBuf>) -> Found {
    let mut found = Found::Nothing;
    for program in candidates {
        match version(&program) {
            Some(version) if version >= server.oldest_version() => return Found::Program(program),
            Some(version) if found == Found::Nothing => found = Found::TooOld(program, version),
            _ => {}
        }
    }
    found
}

/// Returns the version that a program prints.
pub(crate) fn version(program: &Path) -> Option<Version> {
    let output = Command::new(program).arg("--version").output().ok()?;
    Version::read(&String::from_utf8_lossy(&output.stdout))
}

/// Returns every executable with this name on the `PATH`, in order.
pub(crate) fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| is_executable(file)).collect()
}

fn candidates(server: Server) -> Vec<PathBuf> {
    let mut candidates = on_path(server.program());
    match server {
        Server::Nats => candidates.extend(crate::install::downloaded_nats().filter(|file| is_executable(file))),
        Server::Postgres => {
            candidates.extend(debian_postgres());
            // Resolve links, because initdb and the other programs of the same version are in the real folder.
            candidates = candidates.iter().filter_map(|program| program.canonicalize().ok()).collect();
            candidates.retain(|program| is_executable(&program.with_file_name("initdb")));
        }
        Server::Mosquitto => {
            candidates.extend([PathBuf::from("/usr/sbin/mosquitto")].into_iter().filter(|file| is_executable(file)))
        }
        Server::Redis => {}
    }
    candidates
}

/// Returns Debian's PostgreSQL servers, newest first.
fn debian_postgres() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(DEBIAN_POSTGRES).into_iter().flatten().flatten();
    let version = |folder: &std::fs::DirEntry| folder.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
    let mut versions: Vec<_> = folders.filter_map(|folder| Some((version(&folder)?, folder.path()))).collect();
    versions.sort_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, folder)| folder.join("bin/postgres")).filter(|file| is_executable(file)).collect()
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(folder: &Path, name: &str, prints: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn versions_are_read_from_the_servers_output() {
        let read = |text| Version::read(text).unwrap();
        assert_eq!(read("nats-server: v2.15.1"), Version(2, 15, 1));
        assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Version(15, 18, 0));
        assert_eq!(read("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64"), Version(7, 0, 15));
        assert_eq!(Version::read("no version here."), None);
    }

    #[test]
    fn an_old_server_is_skipped_for_a_newer_one_later_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let old = script(folder.path(), "old", "nats-server: v2.9.10");
        let new = script(folder.path(), "new", "nats-server: v2.11.0");
        let find = |candidates| first_suitable(Server::Nats, candidates);
        assert_eq!(find(vec![old.clone(), new.clone()]), Found::Program(new));
        assert_eq!(find(vec![old.clone()]), Found::TooOld(old, Version(2, 9, 10)));
        assert_eq!(find(vec![]), Found::Nothing);
    }
}
