//! Creates an API key.

use commands::NewApiKey;
use domain::api_key::ApiKey as Key;
use domain::user::AccessRole;
use projections::tenant_register::{NAME, read};

use super::view::{ApiKey, views_of};
use crate::enums::Role;
use crate::error_mapping::never_refused;
use crate::prelude::*;
use crate::routes::read_your_writes::read_after_write;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// Name, role and validity of the new key.
#[derive(Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct CreateApiKey {
    /// 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200))]
    name: String,
    role: Role,
    /// Days, 1 to 3,650; defaults to 365.
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "3650")))]
    validity_days: Option<u32>,
}

/// The new key.
#[derive(Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Made {
    /// The secret key. It is shown only here and not stored, so it is absent in the response to a repeated request.
    key: Option<String>,
    api_key: ApiKey,
}

#[OpenApi]
impl Api {
    /// Create an API key
    ///
    /// A machine sends it as `Authorization: Bearer argk_…` or `X-API-Key: argk_…`, wherever an access token is
    /// accepted. The role of a key cannot be higher than that of its creator.
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
            Ok(row) => views_of(&state, vec![row]).await.pop(),
            // The secret is shown only once, so it must reach the caller even if the read model is late.
            Err(_) => {
                let known = state.commands.load::<Key>(organization, id).await.map_err(never_refused)?;
                known.and_then(|(known, _)| ApiKey::just_created(id, &caller, known, state.now()))
            }
        };
        let api_key = api_key.ok_or_else(|| Problem::stored(id, created.receipt))?;
        let key = created.key.map(|key| key.expose().to_owned());
        Ok(IssuedOnce(Made { key, api_key }, created.receipt))
    }
}
