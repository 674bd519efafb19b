//! The settings of the bridge, and from them its configuration. What does not live here: what the bridge does.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ingest::{BridgeConfig, RevocationFile};
use serde::{Deserialize, Serialize};

use crate::settings::Secret;

/// The broker that `argusiq ingest --bridge` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// `mqtt://host:port`, or `mqtts://host:port` with TLS.
    pub url: Option<String>,
    /// PEM file of the authority that a broker with TLS is believed by.
    pub authority_file: Option<PathBuf>,
    /// Name of the service account.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// A file with its password instead.
    pub password_file: Option<PathBuf>,
    /// The group of subscribers that share the messages; empty for none, which only one process may be.
    pub group: String,
    /// Connections of this process.
    pub connections: u16,
    /// Messages of a connection read and not acknowledged yet.
    pub max_unacknowledged: usize,
    /// The broker's name in presence facts, the same for all bridges behind it.
    pub broker: String,
    /// A mosquitto broker that is told who may connect.
    pub dynamic_security: DynamicSecurity,
}

/// The dynamic security plugin of a mosquitto broker, and its revocation file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DynamicSecurity {
    /// Name of the account that administers the plugin; the broker is not told anything when absent.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// A file with its password instead.
    pub password_file: Option<PathBuf>,
    /// The API that publishes the revocation lists, `http://host:port`.
    pub api_url: Option<String>,
    /// The broker's `crlfile`, which is written.
    pub revocation_file: Option<PathBuf>,
    /// The broker's `pid_file`: it is signalled to read its revocation file again.
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

/// Reads the files that the settings name and checks what they say.
pub fn config(settings: &Bridge) -> anyhow::Result<BridgeConfig> {
    let url = settings.url.as_ref().context("bridge.url is not set: write mqtt://host:port of the broker")?;
    let mut config = BridgeConfig::new(url.parse()?);
    config.user.clone_from(&settings.user);
    config.password = password("bridge", settings.password.as_ref(), settings.password_file.as_deref())?;
    if config.password.is_some() && config.user.is_none() {
        bail!("bridge.password is set and bridge.user is not: name the service account it belongs to");
    }
    let authority = settings.authority_file.as_deref();
    config.authority_pem = authority.map(|path| read("bridge.authority_file", path)).transpose()?;
    config.group = Some(settings.group.clone()).filter(|group| !group.is_empty());
    if settings.group.contains(['/', '+', '#']) {
        bail!("bridge.group {:?} has one of / + #, which separate topics: choose another name", settings.group);
    }
    config.connections = positive("bridge.connections", settings.connections.into())?;
    config.max_unacknowledged = positive::<u16>("bridge.max_unacknowledged", settings.max_unacknowledged)?.into();
    config.broker.clone_from(&settings.broker);
    config.dynamic_security = dynamic_security(&settings.dynamic_security)?;
    if config.dynamic_security.is_some() && (config.user.is_none() || config.password.is_none()) {
        bail!("bridge.dynamic_security needs bridge.user and bridge.password: the account that it gives the broker");
    }
    config.check()?;
    Ok(config)
}

fn dynamic_security(settings: &DynamicSecurity) -> anyhow::Result<Option<ingest::DynamicSecurity>> {
    const NAME: &str = "bridge.dynamic_security";
    let password = password(NAME, settings.password.as_ref(), settings.password_file.as_deref())?;
    let files = (&settings.api_url, &settings.revocation_file, &settings.pid_file);
    let revocations = match files {
        (Some(api), Some(list), Some(pid)) => Some(RevocationFile::new(api, list.clone(), pid.clone())?),
        (None, None, None) => None,
        _ => bail!("{NAME}.api_url, revocation_file and pid_file belong together: set all three or none"),
    };
    match (&settings.user, password) {
        (Some(user), Some(password)) => Ok(Some(ingest::DynamicSecurity { user: user.clone(), password, revocations })),
        (None, None) if revocations.is_none() => Ok(None),
        _ => bail!("{NAME}.user and its password belong together: name the account that administers the plugin"),
    }
}

fn password(of: &str, given: Option<&Secret>, file: Option<&Path>) -> anyhow::Result<Option<ingest::Secret>> {
    match (given, file) {
        (Some(_), Some(_)) => bail!("{of}.password and {of}.password_file are both set: keep one of them"),
        (Some(password), None) => Ok(Some(ingest::Secret::new(password.0.clone()))),
        (None, Some(path)) => {
            let text = read(&format!("{of}.password_file"), path)?;
            // An editor ends a file with a line break, which belongs to no password.
            Ok(Some(ingest::Secret::new(text.trim_end_matches(['\r', '\n']))))
        }
        (None, None) => Ok(None),
    }
}

fn read(what: &str, path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{what} {} cannot be read", path.display()))
}

fn positive<T: TryFrom<usize>>(what: &str, number: usize) -> anyhow::Result<T> {
    let fits = T::try_from(number).ok().filter(|_| number > 0);
    fits.with_context(|| format!("{what} is {number}: choose 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn refusal(change: impl FnOnce(&mut Bridge)) -> String {
        let mut settings = Settings::default().bridge;
        settings.url = Some("mqtt://broker".to_owned());
        change(&mut settings);
        config(&settings).map(|_| String::new()).unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn what_the_bridge_cannot_use_is_refused_by_the_setting_s_name() {
        let secret = || Some(Secret("secret".into()));
        assert_eq!(refusal(|_| {}), "");
        assert_eq!(refusal(|bridge| bridge.url = None), "bridge.url is not set: write mqtt://host:port of the broker");
        let message = refusal(|bridge| bridge.url = Some("broker".into()));
        assert_eq!(message, "\"broker\" is not a broker address; write mqtt://host:port or mqtts://host:port");
        let message = refusal(|bridge| bridge.password = secret());
        assert!(message.starts_with("bridge.password is set and bridge.user is not"), "{message}");
        let message = refusal(|bridge| {
            (bridge.password, bridge.password_file) = (secret(), Some("password".into()));
        });
        assert_eq!(message, "bridge.password and bridge.password_file are both set: keep one of them");
        let message = refusal(|bridge| bridge.password_file = Some("/nonexistent/password".into()));
        assert!(message.starts_with("bridge.password_file /nonexistent/password cannot be read: "), "{message}");
        let message = refusal(|bridge| bridge.url = Some("mqtts://broker".into()));
        assert!(message.ends_with("set bridge.authority_file"), "{message}");
        assert_eq!(refusal(|bridge| bridge.connections = 0), "bridge.connections is 0: choose 1 to 65535");
        let message = refusal(|bridge| bridge.max_unacknowledged = 70_000);
        assert_eq!(message, "bridge.max_unacknowledged is 70000: choose 1 to 65535");
        let message = refusal(|bridge| bridge.group = "a/b".into());
        assert!(message.starts_with("bridge.group \"a/b\" has one of / + #"), "{message}");
    }

    #[test]
    fn half_of_a_dynamic_security_is_refused() {
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
        let together = "bridge.dynamic_security.user and its password belong together";
        assert!(refusal(|security| security.user = None).starts_with(together));
        assert!(refusal(|security| security.password = None).starts_with(together));
        let three =
            "bridge.dynamic_security.api_url, revocation_file and pid_file belong together: set all three or none";
        assert_eq!(refusal(|security| security.pid_file = None), three);
        let message = refusal(|security| security.api_url = Some("api".into()));
        assert_eq!(message, "bridge.dynamic_security.api_url \"api\" is not of the form http://host:port");
        let message = self::refusal(|bridge| {
            (bridge.dynamic_security.user, bridge.dynamic_security.password) = (Some("admin".into()), secret());
        });
        assert!(message.starts_with("bridge.dynamic_security needs bridge.user and bridge.password"), "{message}");
    }

    #[test]
    fn a_password_file_may_end_with_a_line_break_and_no_group_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "a secret\n").unwrap();
        let mut settings = Settings::default().bridge;
        settings.url = Some("mqtt://broker".to_owned());
        settings.user = Some("bridge".to_owned());
        (settings.password_file, settings.group) = (Some(path), String::new());
        let config = config(&settings).unwrap();
        assert_eq!(config.password.unwrap().expose(), "a secret");
        assert_eq!(config.group, None);
        assert!(!format!("{:?}", settings.password).contains("a secret"));
    }
}
