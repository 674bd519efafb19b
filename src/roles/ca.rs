//! `argusiq ca`: makes what is missing in the data folder's `pki`.

use crate::environment;
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
