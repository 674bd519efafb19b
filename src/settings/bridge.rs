//! Settings of the bridge: the MQTT broker that `argusiq ingest --bridge` subscribes to.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ingest::{BridgeConfig, RevocationFile};
use serde::{Deserialize, Serialize};

use super::secret::{Secret, resolve};

/// The broker that `argusiq ingest --bridge` subscribes to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// `mqtt://host:port`, or `mqtts://host:port` with TLS.
    pub url: Option<String>,
    /// CA certificate that the broker's certificate is verified against (PEM); required with `mqtts`.
    pub authority_file: Option<PathBuf>,
    /// User name of the service account.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// File that contains the password; the trailing line break is ignored.
    pub password_file: Option<PathBuf>,
    /// Shared subscription group. An empty group subscribes without `$share`, which only one process may do.
    pub group: String,
    /// Connections that this process opens.
    pub connections: u16,
    /// Maximum messages of a connection that are received and not yet acknowledged.
    pub max_unacknowledged: usize,
    /// Name of the broker in presence facts, the same for all bridges of the broker.
    pub broker: String,
    /// A mosquitto broker whose accounts and CRL the bridge maintains.
    pub dynamic_security: DynamicSecurity,
}

/// The dynamic security plugin of a mosquitto broker, and its CRL file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamicSecurity {
    /// Account that administers the plugin; off when absent.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// File that contains the password; the trailing line break is ignored.
    pub password_file: Option<PathBuf>,
    /// `http://host:port` of the API from which the CRLs are fetched.
    pub api_url: Option<String>,
    /// The broker's `crlfile`, which the bridge writes.
    pub revocation_file: Option<PathBuf>,
    /// The broker's `pid_file`; SIGHUP makes the broker reload its CRL.
    pub pid_file: Option<PathBuf>,
}

impl Default for Bridge {
    fn default() -> Self {
        Self {
            url: None,
            authority_file: None,
            user: None,
            password: None,
            password_file: None,
            group: "bridge-group".to_owned(),
            connections: 2,
            max_unacknowledged: 1_000,
            broker: "broker".to_owned(),
            dynamic_security: DynamicSecurity::default(),
        }
    }
}

impl Bridge {
    /// Returns the bridge's configuration, with the files that the settings name. Errors name the setting.
    pub fn config(&self) -> anyhow::Result<BridgeConfig> {
        let url = self.url.as_ref().context("bridge.url is not set: use mqtt://host:port of the broker")?;
        let mut config = BridgeConfig::new(url.parse()?);
        config.user.clone_from(&self.user);
        config.password = password("bridge.password", self.password.as_ref(), self.password_file.as_deref())?;
        if config.password.is_some() && config.user.is_none() {
            bail!("bridge.password is set but bridge.user is not: set the user that the password belongs to");
        }
        let authority = self.authority_file.as_deref();
        config.authority_pem = authority.map(read_authority).transpose()?;
        config.group = Some(self.group.clone()).filter(|group| !group.is_empty());
        if self.group.contains(['/', '+', '#']) {
            bail!("bridge.group {:?} contains one of / + #, which MQTT reserves: choose another name", self.group);
        }
        config.connections = positive("bridge.connections", self.connections.into())?;
        config.max_unacknowledged = positive::<u16>("bridge.max_unacknowledged", self.max_unacknowledged)?.into();
        config.broker.clone_from(&self.broker);
        config.dynamic_security = self.dynamic_security.config()?;
        if config.dynamic_security.is_some() && (config.user.is_none() || config.password.is_none()) {
            bail!(
                "bridge.dynamic_security requires bridge.user and bridge.password: it creates that account in the broker"
            );
        }
        config.check()?;
        Ok(config)
    }
}

impl DynamicSecurity {
    fn config(&self) -> anyhow::Result<Option<ingest::DynamicSecurity>> {
        const NAME: &str = "bridge.dynamic_security";
        let password = password(&format!("{NAME}.password"), self.password.as_ref(), self.password_file.as_deref())?;
        let revocations = match (&self.api_url, &self.revocation_file, &self.pid_file) {
            (Some(api), Some(list), Some(pid)) => Some(RevocationFile::new(api, list.clone(), pid.clone())?),
            (None, None, None) => None,
            _ => bail!("{NAME}.api_url, revocation_file and pid_file go together: set all three or none"),
        };
        match (&self.user, password) {
            (Some(user), Some(password)) => {
                Ok(Some(ingest::DynamicSecurity { user: user.clone(), password, revocations }))
            }
            (None, None) if revocations.is_none() => Ok(None),
            _ => bail!("{NAME}.user and its password go together: set the account that administers the plugin"),
        }
    }
}

fn password(name: &str, value: Option<&Secret>, file: Option<&Path>) -> anyhow::Result<Option<ingest::Secret>> {
    Ok(resolve(name, value, file)?.map(ingest::Secret::new))
}

fn read_authority(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read bridge.authority_file {}", path.display()))
}

fn positive<T: TryFrom<usize>>(name: &str, number: usize) -> anyhow::Result<T> {
    let fits = T::try_from(number).ok().filter(|_| number > 0);
    fits.with_context(|| format!("{name} is {number}: choose 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Bridge)) -> String {
        let mut settings = Bridge { url: Some("mqtt://broker".to_owned()), ..Bridge::default() };
        change(&mut settings);
        settings.config().map(|_| String::new()).unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn a_refusal_names_the_setting() {
        let secret = || Some(Secret("secret".into()));
        assert_eq!(refusal(|_| {}), "");
        assert_eq!(refusal(|bridge| bridge.url = None), "bridge.url is not set: use mqtt://host:port of the broker");
        let message = refusal(|bridge| bridge.url = Some("broker".into()));
        assert_eq!(message, "\"broker\" is not a broker address; write mqtt://host:port or mqtts://host:port");
        let message = refusal(|bridge| bridge.password = secret());
        assert!(message.starts_with("bridge.password is set but bridge.user is not"), "{message}");
        let message = refusal(|bridge| {
            (bridge.password, bridge.password_file) = (secret(), Some("password".into()));
        });
        assert_eq!(message, "bridge.password and bridge.password_file are both set: set only one of them");
        let message = refusal(|bridge| bridge.password_file = Some("/nonexistent/password".into()));
        assert!(message.starts_with("cannot read bridge.password_file /nonexistent/password: "), "{message}");
        let message = refusal(|bridge| bridge.url = Some("mqtts://broker".into()));
        assert!(message.ends_with("set bridge.authority_file"), "{message}");
        assert_eq!(refusal(|bridge| bridge.connections = 0), "bridge.connections is 0: choose 1 to 65535");
        let message = refusal(|bridge| bridge.max_unacknowledged = 70_000);
        assert_eq!(message, "bridge.max_unacknowledged is 70000: choose 1 to 65535");
        let message = refusal(|bridge| bridge.group = "a/b".into());
        assert!(message.starts_with("bridge.group \"a/b\" contains one of / + #"), "{message}");
    }

    #[test]
    fn incomplete_dynamic_security_settings_are_refused() {
        let secret = || Some(Secret("secret".into()));
        let refusal = |change: fn(&mut DynamicSecurity)| {
            refusal(|bridge| {
                (bridge.user, bridge.password) = (Some("bridge".into()), secret());
                let security = &mut bridge.dynamic_security;
                (security.user, security.password) = (Some("admin".into()), secret());
                (security.api_url, security.revocation_file) = (Some("http://api:3000".into()), Some("crl.pem".into()));
                security.pid_file = Some("mosquitto.pid".into());
                change(security);
            })
        };
        assert_eq!(refusal(|_| {}), "");
        let together = "bridge.dynamic_security.user and its password go together";
        assert!(refusal(|security| security.user = None).starts_with(together));
        assert!(refusal(|security| security.password = None).starts_with(together));
        let three = "bridge.dynamic_security.api_url, revocation_file and pid_file go together: set all three or none";
        assert_eq!(refusal(|security| security.pid_file = None), three);
        let message = refusal(|security| security.api_url = Some("api".into()));
        assert_eq!(message, "bridge.dynamic_security.api_url \"api\" is not of the form http://host:port");
        let message = self::refusal(|bridge| {
            (bridge.dynamic_security.user, bridge.dynamic_security.password) = (Some("admin".into()), secret());
        });
        assert!(message.starts_with("bridge.dynamic_security requires bridge.user and bridge.password"), "{message}");
    }

    #[test]
    fn an_empty_group_subscribes_without_sharing_and_no_password_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "a secret\n").unwrap();
        let settings = Bridge {
            url: Some("mqtt://broker".to_owned()),
            user: Some("bridge".to_owned()),
            password_file: Some(path),
            group: String::new(),
            ..Bridge::default()
        };
        let config = settings.config().unwrap();
        assert_eq!(config.password.unwrap().expose(), "a secret");
        assert_eq!(config.group, None);
        assert!(!format!("{:?}", settings.password).contains("a secret"));
    }
}
