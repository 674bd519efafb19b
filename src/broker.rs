//! What a broker beside the platform needs of the settings. What does not live here: what the ingest role makes of it.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use ingest::{BrokerApi, HookConfig, Listen};

use crate::settings::{Emqx, Secret};
use crate::wiring::address;

/// Where the broker asks whether a client may connect; nowhere without a secret.
pub fn hook(emqx: &Emqx, port: u16) -> anyhow::Result<Option<HookConfig>> {
    let secret = secret("emqx.hook_secret", emqx.hook_secret.as_ref(), emqx.hook_secret_file.as_deref())?;
    let listen = |secret| Ok(HookConfig { listen: Listen::Address(address(&emqx.hook_listen, port)?), secret });
    secret.map(listen).transpose()
}

/// Where the broker is told to end sessions; nowhere without an address.
pub fn api(emqx: &Emqx) -> anyhow::Result<Option<BrokerApi>> {
    let secret = secret("emqx.api_secret", emqx.api_secret.as_ref(), emqx.api_secret_file.as_deref())?;
    match (&emqx.api_url, &emqx.api_key, secret) {
        (None, None, None) => Ok(None),
        (Some(url), Some(key), Some(secret)) => Ok(Some(BrokerApi { url: url.clone(), key: key.clone(), secret })),
        _ => bail!("emqx.api_url, emqx.api_key and emqx.api_secret go together: set all of them or none"),
    }
}

/// Reads a secret that stands in the settings or in a file.
fn secret(name: &str, value: Option<&Secret>, file: Option<&Path>) -> anyhow::Result<Option<ingest::Secret>> {
    let text = match (value, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => bail!("{name} and {name}_file are both set: leave one out"),
        (Some(secret), None) => secret.0.clone(),
        (None, Some(file)) => {
            fs::read_to_string(file).with_context(|| format!("{name}_file {} cannot be read", file.display()))?
        }
    };
    Ok(Some(ingest::Secret::new(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn settings(change: impl FnOnce(&mut Emqx)) -> Emqx {
        let mut emqx = Settings::default().emqx;
        change(&mut emqx);
        emqx
    }

    #[test]
    fn without_a_secret_there_is_no_hook_and_without_an_address_nobody_is_told() {
        let emqx = settings(|_| {});
        assert!(hook(&emqx, 8444).unwrap().is_none() && api(&emqx).unwrap().is_none());
    }

    #[test]
    fn a_secret_stands_in_the_settings_or_in_a_file_and_not_in_both() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "from a file, of some length\n").unwrap();
        let from_file = hook(&settings(|emqx| emqx.hook_secret_file = Some(file.clone())), 1).unwrap().unwrap();
        assert_eq!(from_file.secret.expose(), "from a file, of some length");
        let both = settings(|emqx| {
            emqx.hook_secret = Some(Secret("set".to_owned()));
            emqx.hook_secret_file = Some(file);
        });
        let error = hook(&both, 1).unwrap_err().to_string();
        assert_eq!(error, "emqx.hook_secret and emqx.hook_secret_file are both set: leave one out");
        let missing = settings(|emqx| emqx.hook_secret_file = Some(folder.path().join("none")));
        assert!(hook(&missing, 1).unwrap_err().to_string().starts_with("emqx.hook_secret_file "));
    }

    #[test]
    fn address_key_and_secret_of_the_brokers_api_go_together() {
        let error = api(&settings(|emqx| emqx.api_url = Some("http://emqx:18083".to_owned()))).unwrap_err().to_string();
        assert_eq!(error, "emqx.api_url, emqx.api_key and emqx.api_secret go together: set all of them or none");
    }
}
