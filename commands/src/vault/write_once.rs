//! Writes a secret once: the first writer wins.

use eventlog::{Secrets, buckets, secrets};

/// Stores a secret unless there is one; returns whether this call stored it.
pub(super) async fn write_once(secrets: &Secrets, name: &str, value: &[u8]) -> Result<bool, secrets::Error> {
    match secrets.create(name, value).await {
        Ok(()) => Ok(true),
        Err(secrets::Error::Bucket(buckets::Error::Conflict { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}
