//! Stores the published revocation lists: one for each CA, with the same bytes for every process.

use data_encoding::BASE64;
use eventlog::buckets;
use serde::{Deserialize, Serialize};

use super::store::Vault;
use crate::error::{Cause, Error};

/// The stored form of a list; `der` is base64.
#[derive(Serialize, Deserialize)]
struct StoredCrl {
    number: u64,
    pem: String,
    der: String,
}

/// A published list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublishedCrl {
    pub(crate) number: u64,
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
}

impl Vault {
    /// Returns a CA's last published list with its revision.
    pub(crate) async fn published_crl(&self, ca: &str) -> Result<Option<(PublishedCrl, u64)>, Error> {
        let Some((bytes, revision)) = self.opened()?.crls.get(ca).await.map_err(unavailable)? else { return Ok(None) };
        let kept: StoredCrl = serde_json::from_slice(&bytes).map_err(|error| Error::Internal(error.into()))?;
        let der = BASE64.decode(kept.der.as_bytes()).map_err(|error| Error::Internal(error.into()))?;
        Ok(Some((PublishedCrl { number: kept.number, pem: kept.pem, der }, revision)))
    }

    /// Publishes a list in place of the one at revision `before`; returns `false` if another process published first.
    pub(crate) async fn publish_crl(&self, ca: &str, list: &PublishedCrl, before: Option<u64>) -> Result<bool, Error> {
        let kept = StoredCrl { number: list.number, pem: list.pem.clone(), der: BASE64.encode(&list.der) };
        let bytes = serde_json::to_vec(&kept).map_err(|error| Error::Internal(error.into()))?.into();
        let crls = &self.opened()?.crls;
        let written = match before {
            Some(revision) => crls.update(ca, bytes, revision).await,
            None => crls.create(ca, bytes).await,
        };
        match written {
            Ok(_) => Ok(true),
            Err(buckets::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn unavailable(error: buckets::Error) -> Error {
    Error::Unavailable(Cause::from(error))
}
