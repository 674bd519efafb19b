//! Settings of the mail server.

use std::path::PathBuf;

use anyhow::{Context, bail};
use api::{MailConfig, MailSecurity, Mailer};
use serde::{Deserialize, Serialize};

use super::secret::{Secret, resolve};

/// The SMTP server through which the `api` role sends mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Host name; mail is off when absent.
    pub host: Option<String>,
    /// Port.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: SmtpSecurity,
    /// User name, if the server requires one; requires a password.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<Secret>,
    /// File that contains the password; the trailing line break is ignored.
    pub password_file: Option<PathBuf>,
    /// Sender: `address` or `Name <address>`.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// STARTTLS; mail is not sent if the server does not offer it.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Plain text, for a server on the same machine.
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

impl Smtp {
    /// Returns the mailer; `None` without a host. Errors when the user has no password, or the sender is malformed.
    pub fn mailer(&self) -> anyhow::Result<Option<Mailer>> {
        let Some(host) = self.host.clone() else { return Ok(None) };
        let security = match self.security {
            SmtpSecurity::StartTls => MailSecurity::StartTls,
            SmtpSecurity::Tls => MailSecurity::Tls,
            SmtpSecurity::None => MailSecurity::None,
        };
        let password = resolve("smtp.password", self.password.as_ref(), self.password_file.as_deref())?;
        let credentials = match (&self.user, password) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user.clone(), password)),
            _ => {
                bail!("smtp.user and its password (smtp.password or smtp.password_file) go together: set both, or none")
            }
        };
        let config = MailConfig { host, port: self.port, security, credentials, from: self.from.clone() };
        Mailer::new(config).map(Some).context("smtp")
    }
}
