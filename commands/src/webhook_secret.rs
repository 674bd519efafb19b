//! The secret that signs an organisation's webhooks (Standard Webhooks): generated on first use, stored encrypted,
//! disclosed only when it is replaced.

use data_encoding::BASE64;
use domain::ids::OrganizationId;
use domain::organization::{Error as Refusal, Organization, OrganizationCommand};

use crate::commands::Commands;
use crate::context::{CommandContext, Receipt};
use crate::error::Error;
use crate::random;

/// Bytes of a secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 32;

impl Commands {
    /// Returns the key that signs an organisation's webhooks; generates it on first use.
    pub async fn webhook_key(&self, organization: OrganizationId) -> Result<Vec<u8>, Error> {
        Ok(self.inner.vault.webhook_key(organization, &random::bytes::<SECRET_BYTES>()?).await?)
    }

    /// Replaces the secret and returns the new one as `whsec_` and base64. Webhooks sent from now on are signed with
    /// it.
    pub async fn rotate_webhook_secret(&self, context: &CommandContext) -> Result<(String, Receipt), Error<Refusal>> {
        let key = random::bytes::<SECRET_BYTES>().map_err(Error::widen)?;
        // Replaced before it is recorded: after a crash in between, a repeat replaces it again and records that.
        self.inner.vault.replace_webhook_key(context.organization, &key).await.map_err(Error::from)?;
        let command = OrganizationCommand::NoteWebhookSecretReplaced {};
        let receipt = self.execute::<Organization>(context, context.organization.0, command).await?;
        Ok((format!("whsec_{}", BASE64.encode(&key)), receipt))
    }
}
