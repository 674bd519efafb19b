//! Lists organisations.

use projections::tenant_register::read;

use super::view::Organization;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

/// A part of the list.
#[derive(Object)]
struct Organizations {
    organizations: Vec<Organization>,
    total: i64,
    /// The `cursor` of the next part; absent at the end.
    #[oai(rename = "nextCursor", skip_serializing_if_is_none)]
    next_cursor: Option<String>,
}

#[OpenApi]
impl Api {
    /// List organisations
    #[oai(path = "/organizations", method = "get", tag = "Tag::Organizations", operation_id = "listOrganizations")]
    async fn call(
        &self,
        state: Data<&State>,
        _caller: Allowed<access::ManageOrganizations>,
        limit: Query<Option<i64>>,
        offset: Query<Option<i64>>,
        cursor: Cursor,
    ) -> Result<Json<Organizations>, Problem> {
        let page = read::organizations(&state.reader, paging(limit, offset, &cursor)?).await?.map(Organization::from);
        Ok(Json(Organizations { organizations: page.items, total: page.total, next_cursor: next_cursor(page.next) }))
    }
}
