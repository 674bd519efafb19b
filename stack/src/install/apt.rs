//! Installs Debian packages without letting their scripts start services or create clusters, and restores the machine's
//! configuration afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::find_program;
use crate::install::run;

/// A package's script calls this program before it starts a service; exit code 101 forbids it (`invoke-rc.d(8)`).
const POLICY: &str = "/usr/sbin/policy-rc.d";
const NO_SERVICES: &str = "#!/bin/sh\nexit 101\n";
/// Its setting `create_main_cluster` decides whether a PostgreSQL package creates a cluster (`pg_createcluster(1)`).
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";
const NO_CLUSTER: &str = "\ncreate_main_cluster = false\n";

/// Whether this machine has apt.
pub(super) fn is_here() -> bool {
    !find_program::on_path("apt-get").is_empty()
}

/// Installs packages. Requires root.
pub(super) fn install(packages: &[&str]) -> Result<(), Error> {
    let what = packages.join(" ");
    run(&what, apt().arg("update"))?;
    let _no_services = TemporaryChange::write(Path::new(POLICY), Change::Create(NO_SERVICES))?;
    let mut _no_cluster = None;
    if packages.contains(&"postgresql") {
        run(&what, apt().args(["install", "-y", "--no-install-recommends", "postgresql-common"]))?;
        _no_cluster = Some(TemporaryChange::write(Path::new(CLUSTERS), Change::Append(NO_CLUSTER))?);
    }
    run(&what, apt().args(["install", "-y", "--no-install-recommends"]).args(packages)).map(drop)
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=300", "-q"]);
    apt
}

enum Change {
    /// Writes an executable file unless one exists, so that the machine's own policy is kept.
    Create(&'static str),
    /// Appends to the file.
    Append(&'static str),
}

/// A change to a system file that is undone on drop.
struct TemporaryChange {
    path: PathBuf,
    before: Option<Vec<u8>>,
    changed: bool,
}

impl TemporaryChange {
    fn write(path: &Path, change: Change) -> Result<Self, Error> {
        let before = std::fs::read(path).ok();
        let after = match (&before, change) {
            (Some(_), Change::Create(_)) => return Ok(Self { path: path.into(), before, changed: false }),
            (None, Change::Create(text)) => text.into(),
            (before, Change::Append(text)) => [before.as_deref().unwrap_or_default(), text.as_bytes()].concat(),
        };
        std::fs::write(path, after).map_err(Error::file("write", path))?;
        if before.is_none() {
            let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(path, executable).map_err(Error::file("open up", path))?;
        }
        Ok(Self { path: path.into(), before, changed: true })
    }
}

impl Drop for TemporaryChange {
    fn drop(&mut self) {
        let undone = match &self.before {
            _ if !self.changed => Ok(()),
            Some(before) => std::fs::write(&self.path, before),
            None => std::fs::remove_file(&self.path),
        };
        if let Err(error) = undone {
            tracing::warn!(path = %self.path.display(), %error, "cannot undo a change made for the installation");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_files_are_restored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy");
        let made = TemporaryChange::write(&path, Change::Create(NO_SERVICES)).unwrap();
        assert_eq!(Command::new(&path).status().unwrap().code(), Some(101));
        let kept = TemporaryChange::write(&path, Change::Create("other")).unwrap();
        let added = TemporaryChange::write(&path, Change::Append("# more\n")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{NO_SERVICES}# more\n"));
        drop(added);
        drop(kept);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), NO_SERVICES);
        drop(made);
        assert!(!path.exists());
    }
}
