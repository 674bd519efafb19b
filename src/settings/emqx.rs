//! Settings of an EMQX broker that runs beside the platform.

use std::path::PathBuf;

use anyhow::bail;
use ingest::{BrokerApi, HookConfig, Listen};
use serde::{Deserialize, Serialize};

use super::listeners::socket_address;
use super::secret::{Secret, resolve};

/// An EMQX broker: the authentication hook it calls, and its management API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emqx {
    /// Address on which the hook listens.
    pub hook_listen: String,
    /// Port of the hook; overrides `port_base`.
    pub hook_port: Option<u16>,
    /// Bearer token that the broker sends to the hook; the hook is off when absent.
    pub hook_secret: Option<Secret>,
    /// File that contains the bearer token.
    pub hook_secret_file: Option<PathBuf>,
    /// `http://host:port` of the broker's management API, through which sessions are ended; off when absent.
    pub api_url: Option<String>,
    /// API key.
    pub api_key: Option<String>,
    /// Secret of the API key.
    pub api_secret: Option<Secret>,
    /// File that contains the secret of the API key.
    pub api_secret_file: Option<PathBuf>,
}

impl Default for Emqx {
    fn default() -> Self {
        Self {
            hook_listen: "127.0.0.1".to_owned(),
            hook_port: None,
            hook_secret: None,
            hook_secret_file: None,
            api_url: None,
            api_key: None,
            api_secret: None,
            api_secret_file: None,
        }
    }
}

impl Emqx {
    /// Returns the configuration of the hook, listening on `port`; `None` without a secret.
    pub fn hook(&self, port: u16) -> anyhow::Result<Option<HookConfig>> {
        let secret = secret("emqx.hook_secret", self.hook_secret.as_ref(), self.hook_secret_file.as_ref())?;
        let listen =
            |secret| Ok(HookConfig { listen: Listen::Address(socket_address(&self.hook_listen, port)?), secret });
        secret.map(listen).transpose()
    }

    /// Returns the address and credentials of the management API; `None` when nothing of it is set.
    pub fn management_api(&self) -> anyhow::Result<Option<BrokerApi>> {
        let secret = secret("emqx.api_secret", self.api_secret.as_ref(), self.api_secret_file.as_ref())?;
        match (&self.api_url, &self.api_key, secret) {
            (None, None, None) => Ok(None),
            (Some(url), Some(key), Some(secret)) => Ok(Some(BrokerApi { url: url.clone(), key: key.clone(), secret })),
            _ => bail!("emqx.api_url, emqx.api_key and emqx.api_secret go together: set all of them or none"),
        }
    }
}

fn secret(name: &str, value: Option<&Secret>, file: Option<&PathBuf>) -> anyhow::Result<Option<ingest::Secret>> {
    let text = resolve(name, value, file.map(PathBuf::as_path))?;
    Ok(text.map(|text| ingest::Secret::new(text.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emqx(change: impl FnOnce(&mut Emqx)) -> Emqx {
        let mut emqx = Emqx::default();
        change(&mut emqx);
        emqx
    }

    #[test]
    fn hook_and_management_api_are_off_by_default() {
        let emqx = Emqx::default();
        assert!(emqx.hook(8444).unwrap().is_none() && emqx.management_api().unwrap().is_none());
    }

    #[test]
    fn the_hook_takes_its_secret_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "from a file, of some length\n").unwrap();
        let hook = emqx(|emqx| emqx.hook_secret_file = Some(file)).hook(1).unwrap().unwrap();
        assert_eq!(hook.secret.expose(), "from a file, of some length");
    }

    #[test]
    fn a_part_of_the_management_api_is_refused() {
        let api_url = |emqx: &mut Emqx| emqx.api_url = Some("http://emqx:18083".to_owned());
        let error = emqx(api_url).management_api().unwrap_err().to_string();
        assert_eq!(error, "emqx.api_url, emqx.api_key and emqx.api_secret go together: set all of them or none");
    }
}
