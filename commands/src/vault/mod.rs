//! The secrets that are no events: keys of people's data, password hashes, organisations' CA keys, the key of e-mail
//! hashes, bundles that wait for their download, keys of webhooks, all encrypted under the master key; and sessions and
//! requests, of which digests are kept. Beside them the published revocation lists, which are no secrets. What does not live here: who may use them.

mod authority_key;
mod bundle;
mod crl;
mod email;
mod password_hash;
mod person_key;
mod request_fingerprint;
mod session;
mod webhook_key;

use aws_lc_rs::hmac;
use certs::MasterKey;
use eventlog::{Bucket, BucketName, Log, Secrets, buckets, secrets};

use email::EmailKey;

pub(crate) use authority_key::is_authority;
pub(crate) use crl::PublishedCrl;
pub(crate) use email::EmailAddress;
pub(crate) use password_hash::Passwords;
pub(crate) use person_key::Field;
pub(crate) use session::SessionUpdate;

/// The secrets: open, or closed in a process that does not need them.
pub(crate) struct Vault {
    open: Option<Open>,
    pub(crate) passwords: Passwords,
}

struct Open {
    secrets: Secrets,
    emails: EmailKey,
    bundles: Secrets,
    bundle_tokens: hmac::Key,
    crls: Bucket,
    sessions: Bucket,
    requests: Bucket,
    request_fingerprints: hmac::Key,
}

impl Vault {
    pub(crate) async fn open(log: &Log, master: &MasterKey) -> Result<Self, secrets::Error> {
        let secrets = Secrets::open(log, *master.expose()).await?;
        let emails = EmailKey::open(&secrets).await?;
        let bundles = Secrets::in_bucket(log, *master.expose(), BucketName::Bundles).await?;
        let crls = log.bucket(BucketName::Crls).await?;
        let sessions = log.bucket(BucketName::Sessions).await?;
        let requests = log.bucket(BucketName::Requests).await?;
        let (bundle_tokens, request_fingerprints) = (bundle::token_key(master), request_fingerprint::key(master));
        let open = Open { secrets, emails, bundles, bundle_tokens, crls, sessions, requests, request_fingerprints };
        Ok(Self { open: Some(open), passwords: Passwords::new() })
    }

    /// A vault that stays closed: whatever asks for a secret is refused.
    pub(crate) fn closed() -> Self {
        Self { open: None, passwords: Passwords::new() }
    }

    /// Hashes an address with the installation's key, for claims.
    pub(crate) fn email_hash(&self, address: &EmailAddress) -> Result<String, secrets::Error> {
        Ok(self.opened()?.emails.hash(address))
    }

    fn secrets(&self) -> Result<&Secrets, secrets::Error> {
        Ok(&self.opened()?.secrets)
    }

    fn opened(&self) -> Result<&Open, secrets::Error> {
        self.open.as_ref().ok_or(secrets::Error::Closed)
    }
}

/// Stores a secret unless there is one; tells whether this call stored it.
async fn create(secrets: &Secrets, name: &str, value: &[u8]) -> Result<bool, secrets::Error> {
    match secrets.create(name, value).await {
        Ok(()) => Ok(true),
        Err(secrets::Error::Bucket(buckets::Error::Conflict { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}
