//! Stores the CA keys of organisations.

use certs::{Authority, SealedAuthority};
use chrono::{DateTime, Utc};
use domain::ids::OrganizationId;

use super::store::Vault;
use super::write_once::write_once;
use crate::error::{Cause, Error};
use crate::keys::Keys;

impl Vault {
    /// Opens the CA of an organisation; `None` if it has none.
    pub(crate) async fn authority(
        &self,
        keys: &Keys,
        organization: OrganizationId,
    ) -> Result<Option<Authority>, Error> {
        let Some(bytes) = self.secrets()?.get(&name(organization)).await? else { return Ok(None) };
        let sealed: SealedAuthority = serde_json::from_slice(&bytes).map_err(|error| Error::Internal(error.into()))?;
        let authority = sealed.open(&keys.master)?;
        match &keys.public_url {
            Some(url) => Ok(Some(authority.with_crl_url(&format!("{url}/pki/{organization}/crl.der"))?)),
            None => Ok(Some(authority)),
        }
    }

    /// Opens the CA of an organisation; creates it first if there is none.
    pub(crate) async fn ensure_authority(
        &self,
        keys: &Keys,
        organization: OrganizationId,
        now: DateTime<Utc>,
    ) -> Result<Authority, Error> {
        if let Some(authority) = self.authority(keys, organization).await? {
            return Ok(authority);
        }
        let new = keys.root.issue_organization_authority(organization.0, now)?;
        write_once(self.secrets()?, &name(organization), &sealed(&new, keys)?).await?;
        // Another process may have stored its CA first: load the stored one.
        let made = self.authority(keys, organization).await?;
        made.ok_or_else(|| Error::Internal(Cause::from("an organisation's CA disappeared while it was being created")))
    }

    /// Renews the certificate of a CA, for the same key, unless that would not make it valid for longer. Returns the CA
    /// as it is stored then.
    pub(crate) async fn renew_authority(
        &self,
        keys: &Keys,
        present: Authority,
        now: DateTime<Utc>,
    ) -> Result<Authority, Error> {
        let renewed = keys.root.renew_organization_authority(&present, now)?;
        if renewed.not_after() <= present.not_after() {
            return Ok(present);
        }
        let organization = OrganizationId(present.organization());
        self.secrets()?.put(&name(organization), &sealed(&renewed, keys)?).await?;
        // Another process may have renewed it too, for the same key: use what is stored.
        Ok(self.authority(keys, organization).await?.unwrap_or(renewed))
    }
}

fn sealed(authority: &Authority, keys: &Keys) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(&authority.seal(&keys.master)?).map_err(|error| Error::Internal(error.into()))
}

/// Prefix of the names of CA keys.
const PREFIX: &str = "ca.";

/// Returns whether a secret of this name is a CA key.
pub(crate) fn is_authority(name: &str) -> bool {
    name.starts_with(PREFIX)
}

fn name(organization: OrganizationId) -> String {
    format!("{PREFIX}{organization}")
}
