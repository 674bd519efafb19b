//! Lists organisations.

use projections::tenant_register::read;

use super::view::Organization;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

page! {
    /// One page of the list.
    Organizations { organizations: Organization }
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
        Ok(Json(Organizations::new(page)))
    }
}
