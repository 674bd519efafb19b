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
    ) -> Result<Json<Organizations>, Problem> {
        let page = read::organizations(&state.reader, paging(limit, offset)?).await?.map(Organization::from);
        Ok(Json(Organizations { organizations: page.items, total: page.total }))
    }
}
