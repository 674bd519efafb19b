//! Opens the key material in the data folder: CAs, the server's key and the master key. `certs::folder` has the layout.

use std::path::PathBuf;

use anyhow::{Context, bail};
use certs::{InitializedKeyFolder, KeyFolder, MasterKey, ServerFiles, ServerNames};

use crate::environment::clock;
use crate::settings::Settings;

/// Environment variable with the master key; it replaces the file in the data folder.
const MASTER_KEY_VARIABLE: &str = "ARGUSIQ_MASTER_KEY";
/// Environment variable with the next master key, for a rotation.
const NEXT_MASTER_KEY_VARIABLE: &str = "ARGUSIQ_NEXT_MASTER_KEY";

/// Opens all keys, and creates those that are missing.
pub fn init(settings: &Settings) -> anyhow::Result<InitializedKeyFolder> {
    let names = ServerNames::parse(&settings.mqtt.server_names).context("mqtt.server_names")?;
    let keys = certs::init_key_folder(&folder(settings), names.iter(), master_key()?, clock()())?;
    if let Some(reason) = keys.server_issued {
        tracing::info!(reason, "issued the server certificate");
    }
    Ok(keys)
}

/// Opens all keys, read-only. Errors when `argusiq ca init` has not created them.
pub fn open(settings: &Settings) -> anyhow::Result<KeyFolder> {
    certs::open_key_folder(&folder(settings), master_key()?).with_context(|| missing(settings))
}

/// Opens only what a listener for devices needs: the root certificate, the server certificate and its key. It reads neither
/// a CA key nor the master key.
pub fn open_server_files(settings: &Settings) -> anyhow::Result<ServerFiles> {
    certs::read_server_files(&folder(settings)).with_context(|| missing(settings))
}

/// Returns the folder of the keys.
pub fn folder(settings: &Settings) -> PathBuf {
    settings.data_dir.join("pki")
}

fn missing(settings: &Settings) -> String {
    format!(
        "cannot open the keys in {}: create them once with `argusiq ca init` and provide them to every role",
        folder(settings).display()
    )
}

/// Returns the present and the next master key. Both come from the environment, or both from the data folder.
pub fn master_keys(settings: &Settings) -> anyhow::Result<(MasterKey, MasterKey)> {
    let (folder, next) = (folder(settings), from_environment(NEXT_MASTER_KEY_VARIABLE)?);
    match (master_key()?, next) {
        (Some(present), Some(next)) => Ok((present, next)),
        (None, None) => {
            let present = MasterKey::from_file(&folder.join("master.key")).with_context(|| missing(settings))?;
            Ok((present, certs::master_key_rotation::next_master_key(&folder)?))
        }
        (Some(_), None) => {
            bail!("the master key comes from {MASTER_KEY_VARIABLE}: set {NEXT_MASTER_KEY_VARIABLE} to the next one")
        }
        (None, Some(_)) => bail!(
            "{NEXT_MASTER_KEY_VARIABLE} is set, but the present master key is a file: unset the variable, and the next key \
             is generated next to the present one"
        ),
    }
}

fn master_key() -> anyhow::Result<Option<MasterKey>> {
    from_environment(MASTER_KEY_VARIABLE)
}

fn from_environment(variable: &str) -> anyhow::Result<Option<MasterKey>> {
    match std::env::var_os(variable) {
        Some(_) => Ok(Some(MasterKey::from_environment(variable)?)),
        None => Ok(None),
    }
}
