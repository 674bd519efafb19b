//! `argusiq audit`: proves that the stored events are those that were stored, and seals what they are now.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use certs::signed_statement::is_signed_by;
use eventlog::Log;
use eventlog::audit;

use super::local::with_servers;
use crate::cli;
use crate::environment;
use crate::seal::{Files, Seal, differences};
use crate::sealing;
use crate::settings::Settings;

/// Aggregates that are named before the rest is only counted.
const NAMED: usize = 20;

/// Verifies or seals.
pub async fn run(settings: Settings, what: cli::Audit) -> anyhow::Result<()> {
    with_servers(settings, async |settings, servers| {
        let log = environment::connect_log(settings, servers).await?;
        match what {
            cli::Audit::Verify { seals } => verify(settings, &log, &seals).await,
            cli::Audit::Seal { folder } => seal(settings, &log, &folder).await,
        }
    })
    .await
}

/// Checks every chain, and the log against seals of former times; an error where anything differs.
async fn verify(settings: &Settings, log: &Log, seals: &[PathBuf]) -> anyhow::Result<()> {
    let found = audit::audit(log, &audit::ends(log).await?).await?;
    let mut damages: Vec<String> =
        found.breaks.iter().map(|(subject, damage)| format!("{subject}: {damage}")).collect();
    println!("{} messages, {} aggregates, {} broken chains", found.messages, found.ends.len(), damages.len());
    for path in seals {
        let seal = read(settings, path).with_context(|| format!("the seal {}", path.display()))?;
        let against = against(log, path, &seal).await?;
        let outcome = if against.is_empty() { "holds" } else { "does not hold" };
        println!("the seal of {} {outcome}", seal.sealed_at);
        damages.extend(against);
    }
    damages.iter().take(NAMED).for_each(|damage| println!("  {damage}"));
    if damages.len() > NAMED {
        println!("  and {} more", damages.len() - NAMED);
    }
    if damages.is_empty() { Ok(()) } else { bail!("the stored events are not those that were stored") }
}

/// Says what differs from a seal.
async fn against(log: &Log, path: &Path, seal: &Seal) -> anyhow::Result<Vec<String>> {
    let here = log.installation().await?.unwrap_or_default();
    if here != seal.installation {
        bail!("the seal {} is of the installation {}, and this is {here}", path.display(), seal.installation);
    }
    let now = audit::audit(log, &seal.positions).await?;
    let ended = |(stream, end): (&eventlog::Stream, &u64)| format!("{stream} ends at {end}, before the seal's end");
    let mut damages: Vec<String> = now.truncated.iter().map(ended).collect();
    if now.root() != seal.root {
        let ends = std::fs::read_to_string(Files::of(path).ends);
        let named = ends.map(|ends| differences(&ends, &now)).unwrap_or_default();
        damages.extend(named);
        damages.push(format!(
            "{} aggregates with root {}, sealed were {}",
            now.ends.len(),
            now.root(),
            seal.aggregates
        ));
    }
    Ok(damages)
}

fn read(settings: &Settings, path: &Path) -> anyhow::Result<Seal> {
    let files = Files::of(path);
    let text = std::fs::read_to_string(&files.seal).context("it cannot be read")?;
    let signature = std::fs::read(&files.signature);
    let signature = signature.with_context(|| format!("{} cannot be read", files.signature.display()))?;
    let root = environment::pki_dir(settings).join("root.crt");
    let root = std::fs::read_to_string(&root).with_context(|| format!("{} cannot be read", root.display()))?;
    if !is_signed_by(&root, text.as_bytes(), &signature) {
        bail!("it is not signed by the root authority as it stands");
    }
    text.parse()
}

/// Seals the log, and says what was written.
async fn seal(settings: &Settings, log: &Log, folder: &Path) -> anyhow::Result<()> {
    let keys = environment::open_keys(settings)?;
    let (files, seal) = sealing::seal(log, &keys, folder, &environment::clock()).await?;
    print!("{seal}");
    println!("written to {}", files.seal.display());
    Ok(())
}
