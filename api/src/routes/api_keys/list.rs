//! Lists keys.

use projections::tenant_register::read;

use super::view::{ApiKey, shown};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A part of the list.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
struct ApiKeys {
    api_keys: Vec<ApiKey>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List API keys
    #[oai(path = "/api-keys", method = "get", tag = "Tag::ApiKeys", operation_id = "listApiKeys")]
    async fn call(
        &self,
        state: Data<&State>,
        caller: Allowed<access::ManageApiKeys>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<ApiKeys>, Problem> {
        let page = read::api_keys(&state.reader, caller.organization.0, paging(limit, offset, &cursor)?).await?;
        let next_cursor = next_cursor(page.next);
        Ok(Json(ApiKeys { api_keys: shown(&state, page.items).await, total: page.total, next_cursor }))
    }
}
