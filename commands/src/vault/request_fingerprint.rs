//! What was asked for under an idempotency key: a mark of the request's content, which only this installation can make,
//! so that who reads the marks learns nothing of the contents.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use eventlog::buckets;
use uuid::Uuid;

use super::store::Vault;
use crate::error::{Cause, Error};

impl Vault {
    /// Remembers what a command's request holds, for a day; tells whether it is what was remembered before, if
    /// anything.
    pub(crate) async fn is_same_request(&self, command_id: Uuid, content: &[u8]) -> Result<bool, Error> {
        let open = self.opened()?;
        let (key, mark) = (command_id.to_string(), hmac::sign(&open.request_fingerprints, content));
        let mark = HEXLOWER.encode(mark.as_ref());
        match open.requests.create(&key, mark.clone().into()).await {
            Ok(_) => return Ok(true),
            Err(buckets::Error::Conflict { .. }) => {}
            Err(error) => return Err(Error::Unavailable(Cause::from(error))),
        }
        let known = open.requests.get(&key).await.map_err(|error| Error::Unavailable(Cause::from(error)))?;
        // One that vanished in this moment was a day old.
        Ok(known.is_none_or(|(known, _)| known == mark.as_bytes()))
    }
}
