//! Replaces the secret that webhooks are signed with.

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// The new secret; it is shown this once.
#[derive(Object)]
struct WebhookSecret {
    /// `whsec_` and base64 (Standard Webhooks).
    secret: String,
}

#[OpenApi]
impl Api {
    /// Replace the webhook secret
    ///
    /// Everything that is posted from now on is signed with the new one: `webhook-signature` is `v1,` and the base64 of
    /// HMAC-SHA256 over `webhook-id`, `webhook-timestamp` and the body with dots between.
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
