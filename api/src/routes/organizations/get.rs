//! Shows an organisation.

use projections::tenant_register::read;

use super::view::OrganizationResponse;
use crate::prelude::*;

/// The endpoint.
#[derive(Default)]
pub struct Api;

#[OpenApi]
impl Api {
    /// Show an organisation
    #[oai(path = "/organizations/:id", method = "get", tag = "Tag::Organizations", operation_id = "getOrganization")]
    async fn call(
        &self,
        state: Data<&State>,
        _caller: Allowed<access::ManageOrganizations>,
        id: Path<Uuid>,
    ) -> Result<Fetched<OrganizationResponse>, Problem> {
        let row = read::organization(&state.reader, id.0).await?;
        let row = row.ok_or_else(|| Problem::not_found("organisation"))?;
        Ok(Fetched(OrganizationResponse { organization: row.into() }))
    }
}
