//! `argusiq migrate`: streams, buckets, tables, the first administrator.

use crate::environment::Servers;
use crate::settings::Settings;
use crate::wiring::Wiring;

/// Creates or updates what the other roles expect to be there.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let servers = Servers::from_settings(&settings)?;
    let wiring = Wiring::open(settings, servers).await?;
    wiring.migrate().await?;
    let first = wiring.bootstrap().await?;
    println!("streams, buckets and tables are up to date");
    if let Some(password) = first.generated_password {
        println!("administrator {} has the password {password}", wiring.settings.admin_email);
    }
    Ok(())
}
