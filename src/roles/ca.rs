//! `argusiq ca`: makes what is missing in the data folder's `pki`, and gives all secrets another master key.

use certs::master_key_rotation;

use super::local::with_servers;
use crate::environment::{self, Servers};
use crate::settings::Settings;

/// Makes the root authority, the server's certificate and the master key where they are missing.
pub fn init(settings: Settings) -> anyhow::Result<()> {
    environment::make_data_dir(&settings)?;
    let made = environment::init_keys(&settings)?;
    println!("keys and certificates are in {}", settings.data_dir.join("pki").display());
    println!("master key         {}", if made.master_key_created { "made" } else { "there already" });
    println!("root authority     {}", if made.root_created { "made" } else { "there already" });
    println!("server certificate {}", made.server_issued.unwrap_or("there already"));
    Ok(())
}

/// Seals every secret under a new master key, beside the configured servers or those of this machine.
pub async fn rotate_master_key(settings: Settings) -> anyhow::Result<()> {
    with_servers(settings, rotate).await
}

/// The secrets in the log first, then the root, then the key itself: whatever breaks off in between, the old key still
/// stands where it did, and the same command completes it.
async fn rotate(settings: &Settings, servers: &Servers) -> anyhow::Result<()> {
    let (old, new) = environment::master_keys(settings)?;
    let dir = environment::pki_dir(settings);
    let log = environment::connect_log(settings, servers).await?;
    let rekeyed = commands::rotate_master_key(&log, &old, &new).await?;
    master_key_rotation::reseal_root(&dir, &old, &new)?;
    master_key_rotation::adopt_master_key(&dir)?;
    println!("secrets sealed anew  {} ({} were so already)", rekeyed.changed, rekeyed.already);
    println!("master key           {} in place of {}", new.id(), old.id());
    println!("give the new key to every role that holds one, then start them; people have to sign in again");
    Ok(())
}
