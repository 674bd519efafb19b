//! The configuration of webhooks, and what the API takes of it. What does not live here: what is posted.

use anyhow::Context;
use api::{EgressGuard, WebhookSender};
use serde::{Deserialize, Serialize};

/// Where webhooks may go; the `api` role posts them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Internal networks that may be reached, such as `10.1.0.0/16`; none but the public internet without.
    pub allowed_networks: Vec<String>,
}

/// Makes the sender of webhooks.
pub fn sender(settings: &WebhookSettings) -> anyhow::Result<WebhookSender> {
    Ok(WebhookSender::new(EgressGuard::allowing(&settings.allowed_networks).context("webhooks.allowed_networks")?))
}
