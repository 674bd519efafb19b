//! Stores the keys that sign organisations' webhooks.

use domain::ids::OrganizationId;
use eventlog::secrets;

use super::store::Vault;
use super::write_once::write_once;

impl Vault {
    /// Returns an organisation's key; stores `fresh` as its key if there is none.
    pub(crate) async fn webhook_key(
        &self,
        organization: OrganizationId,
        fresh: &[u8],
    ) -> Result<Vec<u8>, secrets::Error> {
        let (secrets, name) = (self.secrets()?, name(organization));
        if let Some(key) = secrets.get(&name).await? {
            return Ok(key);
        }
        // Another process may store its key first: load the stored one.
        write_once(secrets, &name, fresh).await?;
        Ok(secrets.get(&name).await?.unwrap_or_else(|| fresh.to_vec()))
    }

    /// Replaces an organisation's key.
    pub(crate) async fn replace_webhook_key(
        &self,
        organization: OrganizationId,
        key: &[u8],
    ) -> Result<(), secrets::Error> {
        self.secrets()?.put(&name(organization), key).await
    }
}

fn name(organization: OrganizationId) -> String {
    format!("webhook.{organization}")
}
