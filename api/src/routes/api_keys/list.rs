//! Lists API keys.

use projections::Page;
use projections::tenant_register::read;

use super::view::{ApiKey, views_of};
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    ApiKeys { api_keys: ApiKey }
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
        let page = Page { items: views_of(&state, page.items).await, total: page.total, next: page.next };
        Ok(Json(ApiKeys::new(page)))
    }
}
