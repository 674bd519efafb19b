//! Opens the vault: its buckets and the keys derived from the master key.

use aws_lc_rs::hmac;
use certs::MasterKey;
use eventlog::{Bucket, BucketName, Log, Secrets, secrets};

use super::derived_key::{BUNDLE_TOKENS, REQUEST_FINGERPRINTS, derive};
use super::email::{EmailAddress, EmailKey};
use super::password_hasher::PasswordHasher;

/// The secrets: open, or closed in a process that does not need them.
pub(crate) struct Vault {
    open: Option<Open>,
    pub(crate) passwords: PasswordHasher,
}

pub(super) struct Open {
    pub(super) secrets: Secrets,
    pub(super) emails: EmailKey,
    pub(super) bundles: Secrets,
    pub(super) bundle_tokens: hmac::Key,
    pub(super) crls: Bucket,
    pub(super) sessions: Bucket,
    pub(super) requests: Bucket,
    pub(super) request_fingerprints: hmac::Key,
}

impl Vault {
    /// Opens the vault with the master key.
    pub(crate) async fn open(log: &Log, master: &MasterKey) -> Result<Self, secrets::Error> {
        let secrets = Secrets::open(log, *master.expose()).await?;
        let emails = EmailKey::open(&secrets).await?;
        let bundles = Secrets::in_bucket(log, *master.expose(), BucketName::Bundles).await?;
        let crls = log.bucket(BucketName::Crls).await?;
        let sessions = log.bucket(BucketName::Sessions).await?;
        let requests = log.bucket(BucketName::Requests).await?;
        let (bundle_tokens, request_fingerprints) =
            (derive(master, BUNDLE_TOKENS), derive(master, REQUEST_FINGERPRINTS));
        let open = Open { secrets, emails, bundles, bundle_tokens, crls, sessions, requests, request_fingerprints };
        Ok(Self { open: Some(open), passwords: PasswordHasher::new() })
    }

    /// Returns a vault that stays closed: every access to a secret is refused.
    pub(crate) fn closed() -> Self {
        Self { open: None, passwords: PasswordHasher::new() }
    }

    /// Hashes an address under the platform's key, for the claim of the address.
    pub(crate) fn email_hash(&self, address: &EmailAddress) -> Result<String, secrets::Error> {
        Ok(self.opened()?.emails.hash(address))
    }

    pub(super) fn secrets(&self) -> Result<&Secrets, secrets::Error> {
        Ok(&self.opened()?.secrets)
    }

    pub(super) fn opened(&self) -> Result<&Open, secrets::Error> {
        self.open.as_ref().ok_or(secrets::Error::Closed)
    }
}
