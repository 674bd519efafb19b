//! The installation's id as stored in the log, so that servers of two installations are not mixed up. Callers compare
//! it with the ids in the other servers.

use crate::buckets::{self, BucketName};
use crate::connection::Log;

const KEY: &str = "installation";

impl Log {
    /// Returns the installation's id, if the log has one.
    pub async fn installation(&self) -> Result<Option<String>, buckets::Error> {
        let stored = self.bucket(BucketName::Platform).await?.get(KEY).await?;
        Ok(stored.map(|(id, _)| String::from_utf8_lossy(&id).into_owned()))
    }

    /// Stores the id unless the log already has one, and returns the stored id.
    pub async fn ensure_installation(&self, id: &str) -> Result<String, buckets::Error> {
        let bucket = self.bucket(BucketName::Platform).await?;
        match bucket.create(KEY, id.to_owned().into()).await {
            Ok(_) => Ok(id.to_owned()),
            Err(buckets::Error::Conflict { .. }) => Ok(self.installation().await?.unwrap_or_default()),
            Err(error) => Err(error),
        }
    }
}
