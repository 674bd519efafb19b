//! Seals of the log: made once, or each day by the role that holds the keys. What does not live here: what a seal says
//! (`seal`), and comparing one with the log.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use certs::KeyFolder;
use chrono::NaiveDate;
use eventlog::Log;
use eventlog::audit::{self, Audit};
use serde::{Deserialize, Serialize};
use tracing::{error, info};

use crate::environment::Clock;
use crate::seal::{Files, Seal, write_ends};

/// How often it is looked whether the day has its seal.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// When the last seal was made, seconds since 1970.
const SEALED_AT: &str = "argusiq_audit_sealed_timestamp_seconds";
/// Seals that could not be made.
const FAILURES: &str = "argusiq_audit_seal_failures_total";

/// Proof of what the log said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// Folder in which the `api` role seals the log each day (UTC); without it nothing does. `up` has one below `data_dir`.
    pub seal_folder: Option<PathBuf>,
}

/// Writes what the log is now, signed by the root authority. What is broken is not sealed.
pub async fn seal(log: &Log, keys: &KeyFolder, folder: &Path, clock: &Clock) -> anyhow::Result<(Files, Seal)> {
    let positions = audit::ends(log).await?;
    let found: Audit = audit::audit(log, &positions).await?;
    if !found.breaks.is_empty() {
        bail!("{} chains are broken; see `argusiq audit verify`", found.breaks.len());
    }
    let installation = log.installation().await?.context("the log has no installation yet: run `argusiq migrate`")?;
    let (sealed_at, aggregates, root) = (clock(), found.ends.len(), found.root());
    let seal = Seal { installation, sealed_at, positions, aggregates, root };
    let text = seal.to_string();
    let signature = keys.root.sign_statement(text.as_bytes())?;
    let files = Files::at(folder, sealed_at);
    let write = |path: &Path, octets: &[u8]| {
        std::fs::write(path, octets).with_context(|| format!("{} cannot be written", path.display()))
    };
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    write(&files.ends, write_ends(&found).as_bytes())?;
    write(&files.signature, &signature)?;
    // The lines come last: with them the seal is there as a whole.
    write(&files.seal, text.as_bytes())?;
    Ok((files, seal))
}

/// Seals the log once a day, for ever. A day on which that fails is tried again, and told.
pub async fn daily(log: &Log, keys: &KeyFolder, folder: &Path, clock: &Clock) -> Infallible {
    metrics::counter!(FAILURES).absolute(0);
    loop {
        if !is_sealed(folder, clock().date_naive()) {
            tell(seal(log, keys, folder, clock).await);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn tell(sealed: anyhow::Result<(Files, Seal)>) {
    match sealed {
        Ok((files, seal)) => {
            info!(file = %files.seal.display(), aggregates = seal.aggregates, root = %seal.root, "the log is sealed");
            metrics::gauge!(SEALED_AT).set(seal.sealed_at.timestamp() as f64);
        }
        Err(failure) => {
            error!(failure = format!("{failure:#}"), "the log was not sealed");
            metrics::counter!(FAILURES).increment(1);
        }
    }
}

/// Tells whether a folder has a seal of a day, whichever process made it.
fn is_sealed(folder: &Path, day: NaiveDate) -> bool {
    let day = day.format("%Y%m%dT").to_string();
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_str().is_some_and(|name| name.starts_with(&day) && name.ends_with(".seal")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_sealed_once() {
        let folder = tempfile::tempdir().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(!is_sealed(&folder.path().join("nowhere"), day("2026-11-25")));
        std::fs::write(folder.path().join("20261125T000001Z.ends"), "").unwrap();
        assert!(!is_sealed(folder.path(), day("2026-11-25")));
        std::fs::write(folder.path().join("20261125T000001Z.seal"), "").unwrap();
        assert!(is_sealed(folder.path(), day("2026-11-25")));
        assert!(!is_sealed(folder.path(), day("2026-11-26")));
    }
}
