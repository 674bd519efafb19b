//! `argusiq ca`: creates the key material in the data folder's `pki`, and rotates the master key.

use certs::master_key_rotation;

use super::local_servers::with_servers;
use crate::connections::{self, Servers};
use crate::settings::Settings;
use crate::{environment, keys};

/// Creates the root CA, the server certificate and the master key unless they exist.
pub fn init(settings: Settings) -> anyhow::Result<()> {
    environment::create_data_dir(&settings)?;
    let made = keys::init(&settings)?;
    println!("keys and certificates are in {}", settings.data_dir.join("pki").display());
    println!("master key         {}", if made.master_key_created { "created" } else { "exists" });
    println!("root CA            {}", if made.root_created { "created" } else { "exists" });
    let server = made.server_issued.map_or_else(|| "exists".to_owned(), |reason| format!("issued: {reason}"));
    println!("server certificate {server}");
    Ok(())
}

/// Re-encrypts every secret under a new master key, on the configured servers or those of this machine.
pub async fn rotate_master_key(settings: Settings) -> anyhow::Result<()> {
    with_servers(settings, rotate).await
}

/// Re-encrypts the secrets in the log, then the root CA's key, then replaces the master key file. The old key stays in place
/// until the last step, so an interrupted rotation is completed by running the command again.
async fn rotate(settings: &Settings, servers: &Servers) -> anyhow::Result<()> {
    let (old, new) = keys::master_keys(settings)?;
    let dir = keys::folder(settings);
    let log = connections::connect_log(settings, servers).await?;
    let rekeyed = commands::rotate_master_key(&log, &old, &new).await?;
    master_key_rotation::reseal_root(&dir, &old, &new)?;
    master_key_rotation::adopt_master_key(&dir)?;
    println!("re-encrypted secrets {} ({} already were)", rekeyed.changed, rekeyed.already);
    println!("master key           {} replaces {}", new.id(), old.id());
    println!("provide the new key to every role that holds one, then start them; users must sign in again");
    Ok(())
}
