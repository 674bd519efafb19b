//! `argusiq migrate`: creates and updates streams, buckets and tables, and creates the first administrator. No other role
//! has the permission to.

use anyhow::bail;

use crate::cli::Migrate;
use crate::connections::{self, Servers};
use crate::settings::Settings;
use crate::wiring::{Duty, Wiring};

/// Creates or updates everything that the other roles expect.
pub async fn run(mut settings: Settings, options: Migrate) -> anyhow::Result<()> {
    let servers = Servers::from_settings(&settings)?;
    if let Some(replicas) = options.replicas {
        if !(1..=5).contains(&replicas) {
            bail!("--replicas {replicas} is out of range: choose 1, 3 or 5");
        }
        settings.nats.replicas = replicas;
        // Must happen first: opening the log below compares the streams with `nats.replicas`.
        let changed = connections::connect_log(&settings, &servers).await?.change_replicas().await?;
        println!("{} streams and buckets now have {replicas} copies each, all complete", changed.len());
        println!("set nats.replicas = {replicas} for every role before its next start");
    }
    let wiring = Wiring::open(settings, servers, Duty::Everything).await?;
    wiring.migrate().await?;
    let first = wiring.bootstrap().await?;
    println!("streams, buckets and tables are up to date");
    if let Some(password) = first.generated_password {
        println!("administrator {} has the password {password}", wiring.settings.admin_email);
    }
    Ok(())
}
