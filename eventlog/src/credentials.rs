//! The credentials of a NATS connection: user, password and TLS files. Debug output never shows the password. What a
//! user may do is defined in `permissions`.

use std::fmt;
use std::path::PathBuf;

use async_nats::ConnectOptions;

/// The credentials of a connection. All fields are empty for a server without authentication.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User name; requires `password`.
    pub user: Option<String>,
    /// Password of `user`.
    pub password: Option<String>,
    /// PEM file of the CAs that may have signed the server's certificate; setting it makes TLS mandatory.
    pub tls_ca_file: Option<PathBuf>,
    /// PEM file of the client certificate, for servers that request one; requires `tls_key_file`.
    pub tls_certificate_file: Option<PathBuf>,
    /// PEM file with the private key of `tls_certificate_file`.
    pub tls_key_file: Option<PathBuf>,
}

impl Credentials {
    /// Returns credentials with a user and a password and without TLS files.
    pub fn user(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: Some(user.into()), password: Some(password.into()), ..Self::default() }
    }

    /// Returns how error messages name this user.
    pub(crate) fn name(&self) -> String {
        self.user.as_ref().map_or_else(|| "a connection without user".to_owned(), |user| format!("user {user}"))
    }

    pub(crate) fn apply(&self, mut options: ConnectOptions) -> ConnectOptions {
        if let Some(user) = &self.user {
            let password = self.password.clone().unwrap_or_default();
            options = options.user_and_password(user.clone(), password).custom_inbox_prefix(inbox(user));
        }
        if let Some(file) = &self.tls_ca_file {
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        if let (Some(certificate), Some(key)) = (&self.tls_certificate_file, &self.tls_key_file) {
            options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
        }
        options
    }
}

/// Returns the inbox prefix of a user. Each user has its own, so that no user can read replies to another.
pub(crate) fn inbox(user: &str) -> String {
    let letters = user.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    format!("_INBOX_{}", letters.collect::<String>())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "(not shown)");
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("password", &password)
            .field("tls_ca_file", &self.tls_ca_file)
            .field("tls_certificate_file", &self.tls_certificate_file)
            .field("tls_key_file", &self.tls_key_file)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Credentials::user("api", "hunter2"));
        assert!(shown.contains("api") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn every_user_has_an_inbox_of_its_own() {
        assert_eq!(inbox("argusiq-api"), "_INBOX_argusiq-api");
        assert_eq!(inbox("a.b>*"), "_INBOX_a_b__");
    }
}
