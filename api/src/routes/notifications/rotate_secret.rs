//! Replaces the secret that signs webhooks.

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new secret; it is shown only once.
#[derive(Object)]
struct WebhookSecret {
    /// `whsec_` followed by Base64 (Standard Webhooks).
    secret: String,
}

#[OpenApi]
impl Api {
    /// Replace the webhook secret
    ///
    /// All webhooks from now on are signed with the new secret: `webhook-signature` is `v1,` followed by the Base64 of
    /// HMAC-SHA256 over `webhook-id`, `webhook-timestamp` and the body, joined by dots.
    #[oai(
        path = "/webhook-secret",
        method = "post",
        tag = "Tag::NotificationChannels",
        operation_id = "replaceWebhookSecret"
    )]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageChannels>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
    ) -> Result<Changed<WebhookSecret>, Problem> {
        let (secret, receipt) = state.commands.rotate_webhook_secret(&intent.context(&caller)).await?;
        Ok(Changed(WebhookSecret { secret }, Some(receipt)))
    }
}
