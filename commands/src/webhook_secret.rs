//! The secret with which an organisation's webhooks are signed (Standard Webhooks): made when first asked for, kept
//! encrypted, shown when it is replaced.

use data_encoding::BASE64;
use domain::ids::OrganizationId;
use domain::organization::{Error as Refusal, Organization, OrganizationCommand};

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::random;

/// Octets of a secret, within the 24 to 64 of Standard Webhooks.
const OCTETS: usize = 32;

impl Commands {
    /// Returns the octets with which an organisation's webhooks are signed.
    pub async fn webhook_key(&self, organization: OrganizationId) -> Result<Vec<u8>, Error> {
        Ok(self.inner.vault.webhook_key(organization, &random::bytes::<OCTETS>()?).await?)
    }

    /// Replaces the secret; answers the new one as `whsec_` and base64. What is sent from now on is signed with it.
    pub async fn rotate_webhook_secret(&self, context: &CommandContext) -> Result<(String, Receipt), Error<Refusal>> {
        let key = random::bytes::<OCTETS>().map_err(Error::widen)?;
        self.inner.vault.replace_webhook_key(context.organization, &key).await.map_err(Error::from)?;
        let command = OrganizationCommand::NoteWebhookSecretReplaced {};
        let receipt = self.execute::<Organization>(context, context.organization.0, command).await?;
        Ok((format!("whsec_{}", BASE64.encode(&key)), receipt))
    }
}
