//! Settings of webhooks.

use anyhow::Context;
use api::{EgressGuard, WebhookSender};
use serde::{Deserialize, Serialize};

/// Where the `api` role may post webhooks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Private networks that webhooks may reach, such as `10.1.0.0/16`; only public addresses when empty.
    pub allowed_networks: Vec<String>,
}

impl WebhookSettings {
    /// Returns the sender of webhooks. Errors when a network is malformed.
    pub fn sender(&self) -> anyhow::Result<WebhookSender> {
        Ok(WebhookSender::new(EgressGuard::allowing(&self.allowed_networks).context("webhooks.allowed_networks")?))
    }
}
