//! Fingerprints the requests of idempotency keys. A fingerprint is an HMAC of the content under a key of this
//! installation, so that stored fingerprints disclose nothing about the contents.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use eventlog::buckets;
use uuid::Uuid;

use super::store::Vault;
use crate::error::{Cause, Error};

impl Vault {
    /// Stores the fingerprint of a command's request for a day. Returns whether it equals the one stored before; `true`
    /// if there was none.
    pub(crate) async fn is_same_request(&self, command_id: Uuid, content: &[u8]) -> Result<bool, Error> {
        let open = self.opened()?;
        let (key, fingerprint) = (command_id.to_string(), hmac::sign(&open.request_fingerprints, content));
        let fingerprint = HEXLOWER.encode(fingerprint.as_ref());
        match open.requests.create(&key, fingerprint.clone().into()).await {
            Ok(_) => return Ok(true),
            Err(buckets::Error::Conflict { .. }) => {}
            Err(error) => return Err(Error::Unavailable(Cause::from(error))),
        }
        let known = open.requests.get(&key).await.map_err(|error| Error::Unavailable(Cause::from(error)))?;
        // An entry that expired between the two calls counts as absent.
        Ok(known.is_none_or(|(known, _)| known == fingerprint.as_bytes()))
    }
}
