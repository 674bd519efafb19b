//! The secrets that are no events: keys of people's data, password hashes, organisations' CA keys, the key of e-mail
//! hashes. All are encrypted under the master key. What does not live here: who may use them.

mod authority;
mod email;
mod password;
mod person;

use certs::MasterKey;
use eventlog::{Log, Secrets, buckets, secrets};

pub(crate) use email::{EmailAddress, EmailKey};
pub(crate) use password::Passwords;
pub(crate) use person::Field;

/// The secrets, open.
pub(crate) struct Vault {
    secrets: Secrets,
    pub(crate) passwords: Passwords,
    pub(crate) emails: EmailKey,
}

impl Vault {
    pub(crate) async fn open(log: &Log, master: &MasterKey) -> Result<Self, secrets::Error> {
        let secrets = Secrets::open(log, *master.expose()).await?;
        let emails = EmailKey::open(&secrets).await?;
        Ok(Self { secrets, passwords: Passwords::new(), emails })
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
