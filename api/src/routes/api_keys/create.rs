//! Makes a key.

use commands::NewApiKey;
use domain::api_key::ApiKey as Key;
use domain::user::AccessRole;
use projections::tenant_register::{NAME, read};

use super::view::{ApiKey, shown};
use crate::enums::Role;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// What it is for, what it may do, and for how long.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateApiKey {
    /// 1 to 200 characters.
    name: String,
    role: Role,
    /// 1 to 3650; 365 by default.
    #[oai(nullable)]
    validity_days: Option<u32>,
}

/// The new key.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Made {
    /// The key itself: shown here once and stored nowhere, so absent in the answer to a repeat.
    key: Option<String>,
    api_key: ApiKey,
}

#[OpenApi]
impl Api {
    /// Make an API key
    ///
    /// A machine sends it as `Authorization: Bearer argk_…` or `X-API-Key: argk_…`, wherever an access token would do. No
    /// key may do more than its maker.
    #[oai(path = "/api-keys", method = "post", tag = "Tag::ApiKeys", operation_id = "createApiKey")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageApiKeys>,
        #[oai(name = "Idempotency-Key")] intent: Intent,
        body: Body<CreateApiKey>,
    ) -> Result<IssuedOnce<Made>, Problem> {
        let CreateApiKey { name, role, validity_days } = body.0;
        let new = NewApiKey {
            name,
            access_role: AccessRole::from(role),
            maker_role: caller.role,
            validity_days: validity_days.unwrap_or(365),
        };
        let created = state.commands.create_api_key(&intent.context(&caller), new).await?;
        let (id, organization) = (created.id.0, caller.organization);
        let row =
            read_after_write(&state, NAME, (id, created.receipt), read::api_key(&state.reader, organization.0, id))
                .await;
        let api_key = match row {
            Ok(row) => shown(&state, vec![row]).await.pop(),
            // The key must reach the caller even if the read model is late.
            Err(_) => {
                let known = state.commands.load::<Key>(organization, id).await.map_err(never_refused)?;
                known.and_then(|(known, _)| ApiKey::made(id, &caller, known, state.now()))
            }
        };
        let api_key = api_key.ok_or_else(|| Problem::stored(id, created.receipt))?;
        let key = created.key.map(|key| key.expose().to_owned());
        Ok(IssuedOnce(Made { key, api_key }, created.receipt))
    }
}
