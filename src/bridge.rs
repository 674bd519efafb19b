//! From the settings of the bridge to its configuration. What does not live here: what the bridge does.

use std::path::Path;

use anyhow::{Context, bail};
use ingest::{BridgeConfig, Secret};

use crate::settings::Bridge;

/// Reads the files that the settings name and checks what they say.
pub fn config(settings: &Bridge) -> anyhow::Result<BridgeConfig> {
    let url = settings.url.as_ref().context("bridge.url is not set: write mqtt://host:port of the broker")?;
    let mut config = BridgeConfig::new(url.parse()?);
    config.user.clone_from(&settings.user);
    config.password = password(settings)?.map(Secret::new);
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
    config.check()?;
    Ok(config)
}

fn password(settings: &Bridge) -> anyhow::Result<Option<String>> {
    match (&settings.password, &settings.password_file) {
        (Some(_), Some(_)) => bail!("bridge.password and bridge.password_file are both set: keep one of them"),
        (Some(password), None) => Ok(Some(password.0.clone())),
        (None, Some(path)) => {
            let text = read("bridge.password_file", path)?;
            // An editor ends a file with a line break, which belongs to no password.
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
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
    use crate::settings::{self, Settings};

    fn refusal(change: impl FnOnce(&mut Bridge)) -> String {
        let mut settings = Settings::default().bridge;
        settings.url = Some("mqtt://broker".to_owned());
        change(&mut settings);
        config(&settings).map(|_| String::new()).unwrap_or_else(|error| format!("{error:#}"))
    }

    #[test]
    fn what_the_bridge_cannot_use_is_refused_by_the_setting_s_name() {
        let secret = || Some(settings::Secret("secret".into()));
        assert_eq!(refusal(|_| {}), "");
        assert_eq!(refusal(|bridge| bridge.url = None), "bridge.url is not set: write mqtt://host:port of the broker");
        let message = refusal(|bridge| bridge.url = Some("broker".into()));
        assert_eq!(message, "\"broker\" is no broker: write mqtt://host:port or mqtts://host:port");
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
