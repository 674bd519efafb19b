//! The configuration of mail, and what the API takes of it. What does not live here: what is mailed.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use api::{MailConfig, MailSecurity, Mailer};
use serde::{Deserialize, Serialize};

use crate::settings::Secret;

/// Where mail to people goes out; the `api` role sends it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server; without it nobody gets mail.
    pub host: Option<String>,
    /// Its port.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: SmtpSecurity,
    /// User name, where the server wants one; with it goes a password.
    pub user: Option<String>,
    /// Password of the user.
    pub password: Option<Secret>,
    /// A file with that instead.
    pub password_file: Option<PathBuf>,
    /// Who the mail is from: `address` or `Name <address>`.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// TLS after STARTTLS, which the server must offer.
    #[default]
    StartTls,
    /// TLS from the first octet on.
    Tls,
    /// None: for a server on the same machine.
    None,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: None,
            port: 587,
            security: SmtpSecurity::StartTls,
            user: None,
            password: None,
            password_file: None,
            from: "Argusiq <argusiq@localhost>".to_owned(),
        }
    }
}

/// Sets the mailer up, where a mail server is configured.
pub fn mailer(smtp: &Smtp) -> anyhow::Result<Option<Mailer>> {
    let Some(host) = smtp.host.clone() else { return Ok(None) };
    let security = match smtp.security {
        SmtpSecurity::StartTls => MailSecurity::StartTls,
        SmtpSecurity::Tls => MailSecurity::Tls,
        SmtpSecurity::None => MailSecurity::None,
    };
    let credentials = match (&smtp.user, password(smtp)?) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user.clone(), password)),
        _ => bail!("smtp.user and its password (smtp.password or smtp.password_file) go together: set both, or none"),
    };
    let config = MailConfig { host, port: smtp.port, security, credentials, from: smtp.from.clone() };
    Mailer::new(config).map(Some).context("smtp")
}

fn password(smtp: &Smtp) -> anyhow::Result<Option<String>> {
    match (&smtp.password, &smtp.password_file) {
        (Some(_), Some(_)) => bail!("set smtp.password or smtp.password_file, not both"),
        (Some(password), None) => Ok(Some(password.0.clone())),
        (None, Some(file)) => {
            let read = fs::read_to_string(file);
            let text = read.with_context(|| format!("smtp.password_file {} cannot be read", file.display()))?;
            Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
        }
        (None, None) => Ok(None),
    }
}
