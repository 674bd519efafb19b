//! `argusiq audit`: verifies that no stored event was changed or removed, and seals the log.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use eventlog::Log;
use eventlog::audit;

use super::local_servers::with_servers;
use crate::settings::Settings;
use crate::{cli, connections, environment, keys};

/// Deviations that are printed; the rest is only counted.
const MAX_PRINTED: usize = 20;

/// Runs `audit verify` or `audit seal`.
pub async fn run(settings: Settings, what: cli::Audit) -> anyhow::Result<()> {
    with_servers(settings, async |settings, servers| {
        let log = connections::connect_log(settings, servers).await?;
        match what {
            cli::Audit::Verify { seals } => verify(settings, &log, &seals).await,
            cli::Audit::Seal { folder } => create_seal(settings, &log, &folder).await,
        }
    })
    .await
}

/// Verifies every hash chain, then the log against each seal. Errors when anything deviates.
async fn verify(settings: &Settings, log: &Log, seals: &[PathBuf]) -> anyhow::Result<()> {
    let found = audit::audit(log, &audit::ends(log).await?).await?;
    let mut deviations: Vec<String> =
        found.breaks.iter().map(|(subject, damage)| format!("{subject}: {damage}")).collect();
    println!("{} messages, {} aggregates, {} broken chains", found.messages, found.ends.len(), deviations.len());
    for path in seals {
        deviations.extend(verify_seal(settings, log, path).await?);
    }
    deviations.iter().take(MAX_PRINTED).for_each(|deviation| println!("  {deviation}"));
    if deviations.len() > MAX_PRINTED {
        println!("  and {} more", deviations.len() - MAX_PRINTED);
    }
    if deviations.is_empty() { Ok(()) } else { bail!("stored events were changed or removed") }
}

async fn verify_seal(settings: &Settings, log: &Log, path: &Path) -> anyhow::Result<Vec<String>> {
    let root = keys::folder(settings).join("root.crt");
    let root = std::fs::read_to_string(&root).with_context(|| format!("cannot read {}", root.display()))?;
    let seal = seal::read_verified(path, &root)?;
    let deviations = seal::deviations(log, path, &seal).await?;
    let outcome = if deviations.is_empty() { "matches the log" } else { "does not match the log" };
    println!("the seal of {} {outcome}", seal.sealed_at);
    Ok(deviations)
}

/// Seals the log and prints the seal and its path.
async fn create_seal(settings: &Settings, log: &Log, folder: &Path) -> anyhow::Result<()> {
    let keys = keys::open(settings)?;
    let (files, seal) = seal::create(log, &keys.root, folder, &environment::clock()).await?;
    print!("{seal}");
    println!("written to {}", files.seal.display());
    Ok(())
}
