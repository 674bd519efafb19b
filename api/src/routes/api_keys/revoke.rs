//! Revokes an API key.

use domain::api_key::{ApiKey, ApiKeyCommand};
use projections::tenant_register::NAME;

use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Why the key is revoked.
#[derive(Object)]
#[oai(deny_unknown_fields)]
struct RevokeApiKey {
    /// Defaults to `revoked`.
    #[oai(nullable, validator(max_length = 500))]
    reason: Option<String>,
}

#[OpenApi]
impl Api {
    /// Revoke an API key
    ///
    /// The key is refused from now on and cannot be reactivated.
    #[oai(path = "/api-keys/:id", method = "delete", tag = "Tag::ApiKeys", operation_id = "revokeApiKey")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageApiKeys>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        id: Path<Uuid>,
        body: Body<RevokeApiKey>,
    ) -> Result<Changed<Success>, Problem> {
        let reason = body.0.reason.filter(|reason| !reason.is_empty()).unwrap_or_else(|| "revoked".to_owned());
        let command = ApiKeyCommand::RevokeApiKey { reason };
        let receipt = state.commands.execute::<ApiKey>(&intent.context(&caller), id.0, command).await?;
        wait_until_visible(&state, NAME, receipt).await;
        Ok(Success::at(receipt))
    }
}
