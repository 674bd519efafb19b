//! Secrets in the log: AES-256-GCM under one master key, with a random nonce per value and the secret's name as
//! associated data, so that a ciphertext copied to another name cannot be decrypted. Callers supply the master key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use bytes::Bytes;

use crate::buckets::{self, Bucket, BucketName};
use crate::connection::Log;

/// The first byte of every stored value. Format 1: 12 bytes of nonce, AES-256-GCM ciphertext, 16 bytes of tag.
const FORMAT: u8 = 1;
/// A secret of known content, so that a wrong master key is detected at start-up, not at first use.
pub(crate) const CHECK_NAME: &str = "master-key-check";
pub(crate) const CHECK_VALUE: &[u8] = b"argusiq";

/// Why a secret could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bucket's secrets are encrypted with another master key.
    #[error("the secrets were encrypted with another master key")]
    WrongKey,
    /// The stored value was encrypted under another name or key, or was tampered with.
    #[error("secret {0} cannot be decrypted: it was changed, or stored under another name or key")]
    Undecryptable(String),
    /// This process runs without secrets, because its role does not need them.
    #[error("this process has no access to secrets")]
    Closed,
    /// A secret was written during the change of the master key.
    #[error("a process is still writing secrets: stop every role, then retry")]
    WrittenMeanwhile(#[source] buckets::Error),
    /// A value encrypted inside a secret cannot be decrypted.
    #[error("secret {0} contains an encrypted value that cannot be decrypted")]
    NestedSeal(String),
    /// Encryption failed.
    #[error("cannot encrypt secret {0}")]
    Encrypt(String),
    /// The bucket failed.
    #[error("the secrets bucket failed")]
    Bucket(#[from] buckets::Error),
}

/// The installation's encrypted secrets.
pub struct Secrets {
    pub(crate) bucket: Bucket,
    key: RandomizedNonceKey,
}

impl Secrets {
    /// Opens the secrets with the master key (32 bytes). The first call stores the check value; later calls error with
    /// [`Error::WrongKey`] when it was encrypted with another key.
    pub async fn open(log: &Log, master_key: [u8; 32]) -> Result<Secrets, Error> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &master_key).map_err(|_| Error::WrongKey)?;
        let secrets = Secrets { bucket: log.bucket(BucketName::Secrets).await?, key };
        if secrets.bucket.get(CHECK_NAME).await?.is_none() {
            let marked = secrets.bucket.create(CHECK_NAME, secrets.seal(CHECK_NAME, CHECK_VALUE)?).await;
            match marked {
                // Another process stored it first; it is verified below like any other.
                Ok(_) | Err(buckets::Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match secrets.get(CHECK_NAME).await {
            Ok(Some(value)) if value == CHECK_VALUE => Ok(secrets),
            Ok(_) | Err(Error::Undecryptable(_)) => Err(Error::WrongKey),
            Err(error) => Err(error),
        }
    }

    /// Opens the secrets without verifying the master key.
    pub(crate) async fn unchecked(log: &Log, master_key: [u8; 32]) -> Result<Secrets, Error> {
        Secrets::in_bucket(log, master_key, BucketName::Secrets).await
    }

    /// Opens another bucket of encrypted values, such as one with expiring entries, under the same master key.
    pub async fn in_bucket(log: &Log, master_key: [u8; 32], bucket: BucketName) -> Result<Secrets, Error> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &master_key).map_err(|_| Error::WrongKey)?;
        Ok(Secrets { bucket: log.bucket(bucket).await?, key })
    }

    /// Returns a secret's plaintext, if it exists.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.bucket.get(name).await? {
            Some((sealed, _)) => self.unseal(name, &sealed).map(Some),
            None => Ok(None),
        }
    }

    /// Returns a secret's plaintext and deletes it; of several concurrent callers exactly one receives it.
    pub async fn take(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some((sealed, revision)) = self.bucket.get(name).await? else { return Ok(None) };
        if sealed.is_empty() {
            return Ok(None);
        }
        let plaintext = self.unseal(name, &sealed)?;
        // A delete has no revision check, so a conditional update decides which caller gets the secret.
        match self.bucket.update(name, Bytes::new(), revision).await {
            Ok(_) => {}
            Err(buckets::Error::Conflict { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Best effort: the value is already replaced by an empty one, which counts as absent.
        let _ = self.bucket.delete(name).await;
        Ok(Some(plaintext))
    }

    /// Stores a secret, replacing any of the same name.
    pub async fn put(&self, name: &str, plaintext: &[u8]) -> Result<(), Error> {
        self.bucket.put(name, self.seal(name, plaintext)?).await?;
        Ok(())
    }

    /// Stores a secret unless the name exists; otherwise errors with [`buckets::Error::Conflict`] within
    /// [`Error::Bucket`].
    pub async fn create(&self, name: &str, plaintext: &[u8]) -> Result<(), Error> {
        self.bucket.create(name, self.seal(name, plaintext)?).await?;
        Ok(())
    }

    /// Deletes a secret; deleting an absent one has no effect.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        Ok(self.bucket.delete(name).await?)
    }

    /// Lists the names of all secrets, in no particular order.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        let mut names = self.bucket.keys().await?;
        names.retain(|name| name != CHECK_NAME);
        Ok(names)
    }

    pub(crate) fn seal(&self, name: &str, plaintext: &[u8]) -> Result<Bytes, Error> {
        let mut text = plaintext.to_vec();
        let sealed = self.key.seal_in_place_append_tag(Aad::from(name.as_bytes()), &mut text);
        let nonce = sealed.map_err(|_| Error::Encrypt(name.to_owned()))?;
        let mut stored = Vec::with_capacity(1 + NONCE_LEN + text.len());
        stored.push(FORMAT);
        stored.extend_from_slice(nonce.as_ref());
        stored.extend_from_slice(&text);
        Ok(stored.into())
    }

    pub(crate) fn unseal(&self, name: &str, stored: &[u8]) -> Result<Vec<u8>, Error> {
        let sealed = || Error::Undecryptable(name.to_owned());
        let (format, rest) = stored.split_first().ok_or_else(sealed)?;
        if *format != FORMAT || rest.len() < NONCE_LEN {
            return Err(sealed());
        }
        let (nonce, text) = rest.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| sealed())?;
        let mut text = text.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(name.as_bytes()), &mut text);
        Ok(opened.map_err(|_| sealed())?.to_vec())
    }
}
